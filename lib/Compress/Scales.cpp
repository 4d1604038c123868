//===- Scales.cpp - channels of inputs made alike -------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// A few channels of a transformer's activations are many times larger than the others, which
// 8 bits of one scale then hardly tell from 0. Dividing each channel by a number, and
// multiplying the weights that it meets with it, leaves the product as it is and makes the
// channels alike: G. Xiao et al., SmoothQuant, ICML 2023, equation 4. The division becomes a
// part of the quantization.
//
//===----------------------------------------------------------------------===//

#include "nn/Analysis/Provenance.h"
#include "nn/Compress/Passes.h"
#include "nn/Compress/Regions.h"
#include "nn/Support/Constants.h"
#include "nn/Support/HostTensor.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;

/// Calls `visit` with each element's index and channel of the input.
static void forEachWeight(const ProductRegion &region, const HostTensor &weights,
                          function_ref<void(int64_t, int64_t)> visit) {
  int64_t columns = weights.getDim(1);
  for (int64_t i = 0, e = weights.getNumElements(); i < e; ++i)
    visit(i, region.weightAxis == 1 ? i / columns : i % columns);
}

std::map<std::string, std::vector<double>>
nn::findScales(ArrayRef<ProductRegion> regions,
               const std::map<std::string, std::vector<double>> &largest, double smoothing) {
  // All products that read an input share its scales.
  std::map<std::string, std::vector<double>> weights;
  for (const ProductRegion &region : regions) {
    std::string name = getTensorName(region.input);
    auto seen = largest.find(name);
    FailureOr<HostTensor> tensor = failure();
    if (isa<MatMulOp>(region.anchor) && seen != largest.end())
      tensor = readWeights(region);
    if (failed(tensor) ||
        tensor->getDim(1 - region.weightAxis) != int64_t(seen->second.size()))
      continue;
    std::vector<double> &most = weights[name];
    most.resize(seen->second.size(), 0.0);
    forEachWeight(region, *tensor, [&](int64_t i, int64_t channel) {
      most[channel] = std::max(most[channel], std::fabs(tensor->getDouble(i)));
    });
  }
  std::map<std::string, std::vector<double>> scales;
  for (const auto &[name, most] : weights) {
    const std::vector<double> &values = largest.at(name);
    std::vector<double> &list = scales[name];
    for (auto [value, weight] : llvm::zip_equal(values, most)) {
      double scale = std::pow(value, smoothing) / std::pow(weight, 1 - smoothing);
      // Channels without values or weights are left alone. f32 is exact enough for others.
      list.push_back(std::isfinite(scale) && scale > 1e-6 && scale < 1e6 ? float(scale) : 1.0);
    }
  }
  return scales;
}

std::vector<std::string> nn::applyScales(ModuleOp module, const CompressionPlan &plan) {
  std::vector<std::string> problems;
  OpBuilder builder(module.getContext());
  DenseMap<Value, Value> scaled;
  for (const ProductRegion &region : findRegions(module)) {
    auto found = plan.scales.find(getTensorName(region.input));
    if (found == plan.scales.end() || !isa<MatMulOp>(region.anchor) ||
        plan.getPrecision(region.name) != Precision::Int8)
      continue;
    const std::vector<double> &scales = found->second;
    FailureOr<HostTensor> weights = readWeights(region);
    if (failed(weights))
      continue;
    if (int64_t depth = weights->getDim(1 - region.weightAxis);
        depth != int64_t(scales.size())) {
      problems.push_back(llvm::formatv("'{0}' has {1} scales, but the product '{2}' reads {3} "
                                       "channels of it",
                                       found->first, scales.size(), region.name, depth));
      continue;
    }
    HostTensor products = HostTensor::allocate(DataType::Float32, weights->getDims());
    forEachWeight(region, *weights, [&](int64_t i, int64_t channel) {
      products.setDouble(i, weights->getDouble(i) * scales[channel]);
    });
    Location loc = region.anchor->getLoc();
    builder.setInsertionPoint(region.anchor);
    region.anchor->setOperand(
        1, ConstantOp::create(builder, region.weight.getLoc(),
                              makeConstantAttr(module.getContext(), products)));
    Value &input = scaled[region.input];
    if (!input) {
      builder.setInsertionPointAfterValue(region.input);
      HostTensor factors =
          HostTensor::allocate(DataType::Float32, {int64_t(scales.size())});
      for (auto [i, scale] : llvm::enumerate(scales))
        factors.setDouble(i, 1 / scale);
      input = MulOp::create(
          builder, loc, region.input,
          ConstantOp::create(builder, loc, makeConstantAttr(module.getContext(), factors)));
      setOrigins(input.getDefiningOp(),
                 {OriginAttr::get(
                     module.getContext(), 0,
                     builder.getStringAttr(getTensorName(region.input) + ".scaled"), {})});
    }
    region.anchor->setOperand(0, input);
  }
  return problems;
}
