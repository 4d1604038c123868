//===- Scales.cpp - channels of inputs made alike -------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// A few channels of a tensor may be many times larger than the others, which 8 bits of one scale
// then hardly tell from 0. Dividing each channel by a number, and multiplying the weights that it
// meets with it, leaves the product as it is and makes the channels alike: G. Xiao et al.,
// SmoothQuant, ICML 2023, equation 4. What divides is
//
//   - the weights and the bias of the product before, if nothing but ReLU and the like is between:
//     M. Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction,
//     ICCV 2019;
//   - else, in front of matrix products, a multiplication, which becomes a part of the
//     quantization.
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

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

/// How many channels of its input a product reads.
static int64_t countChannels(const ProductRegion &region, const HostTensor &weights) {
  if (auto conv = dyn_cast<ConvOp>(region.anchor))
    return weights.getDim(1) * int64_t(conv.getGroup());
  return weights.getDim(1 - region.weightAxis);
}

/// Whether each channel of the result reads one of the input.
static bool isDepthwise(const ProductRegion &region, const HostTensor &weights) {
  auto conv = dyn_cast<ConvOp>(region.anchor);
  return conv && conv.getGroup() > 1 && weights.getDim(1) == 1;
}

/// Calls `visit` with each element's index and channel of the input.
static void forEachWeight(const ProductRegion &region, const HostTensor &weights,
                          function_ref<void(int64_t, int64_t)> visit) {
  int64_t count = weights.getNumElements();
  auto conv = dyn_cast<ConvOp>(region.anchor);
  if (!conv) {
    int64_t columns = weights.getDim(1);
    for (int64_t i = 0; i < count; ++i)
      visit(i, region.weightAxis == 1 ? i / columns : i % columns);
    return;
  }
  // M x C/group x window.
  int64_t depth = weights.getDim(1), perGroup = weights.getDim(0) / int64_t(conv.getGroup()),
          window = count / std::max<int64_t>(weights.getDim(0) * depth, 1);
  for (int64_t i = 0; i < count; ++i)
    visit(i, i / (window * depth) / perGroup * depth + i / window % depth);
}

/// Operators for which a positive factor of a channel of the input is one of the result.
static bool keepsFactors(Operation *op) {
  return isa_and_nonnull<ReluOp, LeakyReluOp, MaxPoolOp, AveragePoolOp>(op);
}

/// The product whose weights can divide the channels of `input`; null if there is none.
/// `readers`: the products that undo it, which must be all that read it.
static const ProductRegion *findDivider(Value input,
                                        ArrayRef<const ProductRegion *> readers,
                                        ArrayRef<ProductRegion> regions) {
  for (OpOperand &use : input.getUses())
    if (llvm::none_of(readers, [&](const ProductRegion *reader) {
          return reader->anchor == use.getOwner() && use.getOperandNumber() == 0;
        }))
      return nullptr;
  Value value = input;
  while (keepsFactors(value.getDefiningOp())) {
    value = value.getDefiningOp()->getOperand(0);
    if (!value.hasOneUse())
      return nullptr;
  }
  // The tensor is renamed, so it must not be the one that a region is named after.
  Operation *last = value.getDefiningOp();
  if (value == input || !last)
    return nullptr;
  for (const ProductRegion &region : regions) {
    Operation *bias = region.bias ? region.bias->getOwner() : nullptr;
    if (region.anchor != last && bias != last)
      continue;
    auto conv = dyn_cast<ConvOp>(region.anchor);
    bool hasOtherBias = conv && conv.getBias() && !region.bias;
    bool isWhole = bias == nullptr || bias == last;
    // Pools follow convolutions only; so channels are where the readers have them.
    bool isAlike = llvm::all_of(readers, [&](const ProductRegion *reader) {
      return isa<ConvOp>(reader->anchor) == bool(conv);
    });
    return isAlike && isWhole && !hasOtherBias && region.anchor->getResult(0).hasOneUse()
               ? &region
               : nullptr;
  }
  return nullptr;
}

/// Each tensor that products read, with these products, in order.
static llvm::MapVector<Value, SmallVector<const ProductRegion *>>
groupByInput(ArrayRef<ProductRegion> regions,
             function_ref<bool(const ProductRegion &)> isWanted) {
  llvm::MapVector<Value, SmallVector<const ProductRegion *>> groups;
  for (const ProductRegion &region : regions)
    if (isWanted(region))
      groups[region.input].push_back(&region);
  return groups;
}

//===----------------------------------------------------------------------===//
// Finding scales
//===----------------------------------------------------------------------===//

std::map<std::string, std::vector<double>>
nn::findScales(ArrayRef<ProductRegion> regions,
               const std::map<std::string, std::vector<double>> &largest, double smoothing) {
  std::map<std::string, std::vector<double>> scales;
  auto any = [](const ProductRegion &) { return true; };
  for (auto &[input, all] : groupByInput(regions, any)) {
    std::string name = getTensorName(input);
    auto seen = largest.find(name);
    if (seen == largest.end())
      continue;
    // All products that read an input share its scales. In front of convolutions nothing is
    // multiplied.
    bool hasDivider = findDivider(input, all, regions);
    std::vector<double> most(seen->second.size(), 0.0);
    bool isRead = false, areDepthwise = true;
    for (const ProductRegion *region : all) {
      FailureOr<HostTensor> weights = failure();
      if (hasDivider || isa<MatMulOp>(region->anchor))
        weights = readWeights(*region);
      if (failed(weights) || countChannels(*region, *weights) != int64_t(most.size()))
        continue;
      isRead = true;
      areDepthwise &= isDepthwise(*region, *weights);
      forEachWeight(*region, *weights, [&](int64_t i, int64_t channel) {
        most[channel] = std::max(most[channel], std::fabs(weights->getDouble(i)));
      });
    }
    if (!isRead)
      continue;
    std::vector<double> &list = scales[name];
    for (auto [value, weight] : llvm::zip_equal(seen->second, most)) {
      // Weights of depthwise convolutions have a scale for each channel: to them it is all the
      // same.
      double scale = areDepthwise
                         ? value
                         : std::pow(value, smoothing) / std::pow(weight, 1 - smoothing);
      // Channels without values or weights are left alone. f32 is exact enough for others.
      list.push_back(std::isfinite(scale) && scale > 1e-6 && scale < 1e6 ? float(scale) : 1.0);
    }
  }
  return scales;
}

//===----------------------------------------------------------------------===//
// Applying scales
//===----------------------------------------------------------------------===//

namespace {
class Scaler {
public:
  explicit Scaler(ModuleOp module) : context(module.getContext()), builder(context) {}

  /// Multiplies the weights that meet each channel of the input.
  void multiplyInputs(const ProductRegion &region, ArrayRef<double> scales);
  /// Divides each channel of the result.
  void divideResults(const ProductRegion &region, ArrayRef<double> scales);
  /// Divides a tensor, for those that read it.
  void divide(Value input, ArrayRef<const ProductRegion *> readers, ArrayRef<double> scales);
  void rename(Operation *op, const std::string &name) {
    setOrigins(op, {OriginAttr::get(context, 0, builder.getStringAttr(name), {})});
  }

private:
  Value makeConstant(const HostTensor &tensor, Location loc) {
    return ConstantOp::create(builder, loc, makeConstantAttr(context, tensor));
  }

  MLIRContext *context;
  OpBuilder builder;
};
} // namespace

void Scaler::multiplyInputs(const ProductRegion &region, ArrayRef<double> scales) {
  FailureOr<HostTensor> weights = readWeights(region);
  HostTensor products = HostTensor::allocate(DataType::Float32, weights->getDims());
  forEachWeight(region, *weights, [&](int64_t i, int64_t channel) {
    products.setDouble(i, weights->getDouble(i) * scales[channel]);
  });
  builder.setInsertionPoint(region.anchor);
  region.anchor->setOperand(1, makeConstant(products, region.weight.getLoc()));
}

void Scaler::divideResults(const ProductRegion &region, ArrayRef<double> scales) {
  Location loc = region.weight.getLoc();
  builder.setInsertionPoint(region.anchor);
  if (std::optional<QuantizedWeights> stored = getStoredWeights(region)) {
    // Their integers stay exact.
    for (auto [i, scale] : llvm::enumerate(scales))
      stored->scales.setDouble(i, stored->scales.getDouble(i) / scale);
    region.anchor->setOperand(
        1, DequantizeOp::create(builder, loc, makeConstant(stored->integers, loc),
                                makeConstant(stored->scales, loc), Value(), region.weightAxis,
                                /*block_size=*/0));
  } else {
    FailureOr<HostTensor> weights = readWeights(region);
    HostTensor quotients = HostTensor::allocate(DataType::Float32, weights->getDims());
    int64_t inner = 1;
    for (int64_t dim : weights->getDims().drop_front(region.weightAxis + 1))
      inner *= dim;
    for (int64_t i = 0, e = weights->getNumElements(); i < e; ++i)
      quotients.setDouble(i, weights->getDouble(i) / scales[i / inner % scales.size()]);
    region.anchor->setOperand(1, makeConstant(quotients, loc));
  }
  if (!region.bias)
    return;
  FailureOr<HostTensor> bias = readConstant(region.bias->get());
  HostTensor quotients = HostTensor::allocate(DataType::Float32, bias->getDims());
  for (auto [i, scale] : llvm::enumerate(scales))
    quotients.setDouble(i, bias->getDouble(i) / scale);
  region.bias->set(makeConstant(quotients, region.bias->get().getLoc()));
}

void Scaler::divide(Value input, ArrayRef<const ProductRegion *> readers,
                    ArrayRef<double> scales) {
  Location loc = readers.front()->anchor->getLoc();
  builder.setInsertionPointAfterValue(input);
  SmallVector<int64_t> dims = {int64_t(scales.size())};
  int64_t rank = cast<RankedTensorType>(input.getType()).getRank();
  dims.append(rank - 1 - readers.front()->inputAxis, 1);
  HostTensor factors = HostTensor::allocate(DataType::Float32, dims);
  for (auto [i, scale] : llvm::enumerate(scales))
    factors.setDouble(i, 1 / scale);
  Value divided = MulOp::create(builder, loc, input, makeConstant(factors, loc));
  rename(divided.getDefiningOp(), getTensorName(input) + ".scaled");
  for (const ProductRegion *reader : readers)
    reader->anchor->setOperand(0, divided);
}

std::vector<std::string> nn::applyScales(ModuleOp module, const CompressionPlan &plan) {
  std::vector<std::string> problems;
  SmallVector<ProductRegion> regions = findRegions(module);
  auto isScaled = [&](const ProductRegion &region) {
    return plan.getPrecision(region.name) == Precision::Int8 &&
           plan.scales.count(getTensorName(region.input));
  };
  Scaler scaler(module);
  // Weights of one product may be changed twice: for its input and for its result.
  auto refresh = [](const ProductRegion &region) {
    ProductRegion now = region;
    now.weight = region.anchor->getOperand(1);
    return now;
  };
  for (auto &[input, readers] : groupByInput(regions, isScaled)) {
    std::string name = getTensorName(input);
    const std::vector<double> &scales = plan.scales.at(name);
    bool fits = true;
    for (const ProductRegion *reader : readers) {
      FailureOr<HostTensor> weights = readWeights(refresh(*reader));
      int64_t channels = succeeded(weights) ? countChannels(*reader, *weights) : 0;
      if (channels == int64_t(scales.size()))
        continue;
      fits = false;
      problems.push_back(llvm::formatv("'{0}' has {1} scales, but the product '{2}' reads {3} "
                                       "channels of it",
                                       name, scales.size(), reader->name, channels));
    }
    if (!fits)
      continue;
    for (const ProductRegion *reader : readers)
      scaler.multiplyInputs(refresh(*reader), scales);
    if (const ProductRegion *divider = findDivider(input, readers, regions)) {
      scaler.divideResults(refresh(*divider), scales);
      scaler.rename(input.getDefiningOp(), name + ".scaled");
    } else {
      scaler.divide(input, readers, scales);
    }
  }
  return problems;
}
