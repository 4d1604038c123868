//===- OneDNN.cpp - primitives of the onednn dialect ----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The semantics of the dialect's operations, on tensors or on the contents of memrefs:
// each function returns the contents of dst after the call.
//
//===----------------------------------------------------------------------===//

#include "dialects/OneDNN/IR/OneDNN.h"
#include "Formulas.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;
using namespace mlir::nn::onednn;

//===----------------------------------------------------------------------===//
// Post-ops
//===----------------------------------------------------------------------===//

/// https://uxlfoundation.github.io/oneDNN/v3.2/dev_guide_eltwise.html
static double computeEltwise(EltwiseAlgorithm algorithm, double s, double alpha,
                             double beta) {
  switch (algorithm) {
  case EltwiseAlgorithm::Relu:
    return s > 0 ? s : alpha * s;
  case EltwiseAlgorithm::Tanh:
    return std::tanh(s);
  case EltwiseAlgorithm::Elu:
    return s > 0 ? s : alpha * std::expm1(s);
  case EltwiseAlgorithm::Square:
    return s * s;
  case EltwiseAlgorithm::Abs:
    return std::fabs(s);
  case EltwiseAlgorithm::Sqrt:
    return std::sqrt(s);
  case EltwiseAlgorithm::Linear:
    return alpha * s + beta;
  case EltwiseAlgorithm::SoftRelu:
    // log(1 + exp(alpha * s)) / alpha, where exp does not overflow.
    return (std::max(alpha * s, 0.0) + std::log1p(std::exp(-std::fabs(alpha * s)))) /
           alpha;
  case EltwiseAlgorithm::HardSigmoid:
    return std::max(0.0, std::min(1.0, alpha * s + beta));
  case EltwiseAlgorithm::Logistic:
    return 1 / (1 + std::exp(-s));
  case EltwiseAlgorithm::Exp:
    return std::exp(s);
  case EltwiseAlgorithm::GeluTanh:
    return 0.5 * s *
           (1 + std::tanh(std::sqrt(2 / M_PI) * (s + 0.044715 * s * s * s)));
  case EltwiseAlgorithm::Swish:
    return s / (1 + std::exp(-alpha * s));
  case EltwiseAlgorithm::Log:
    return std::log(s);
  case EltwiseAlgorithm::Clip:
  case EltwiseAlgorithm::ClipV2:
    return std::max(alpha, std::min(beta, s));
  case EltwiseAlgorithm::Pow:
    return alpha * std::pow(s, beta);
  case EltwiseAlgorithm::GeluErf:
    return 0.5 * s * (1 + std::erf(s / std::sqrt(2)));
  case EltwiseAlgorithm::Round:
    return std::nearbyint(s);
  case EltwiseAlgorithm::Mish:
    return s * std::tanh(std::log1p(std::exp(s)));
  case EltwiseAlgorithm::HardSwish:
    return s * std::max(0.0, std::min(1.0, alpha * s + beta));
  }
  llvm_unreachable("unknown algorithm");
}

static double computeBinary(BinaryAlgorithm algorithm, double x, double y) {
  switch (algorithm) {
  case BinaryAlgorithm::Add:
    return x + y;
  case BinaryAlgorithm::Mul:
    return x * y;
  case BinaryAlgorithm::Max:
    return std::max(x, y);
  case BinaryAlgorithm::Min:
    return std::min(x, y);
  case BinaryAlgorithm::Div:
    return x / y;
  case BinaryAlgorithm::Sub:
    return x - y;
  }
  llvm_unreachable("unknown algorithm");
}

/// Applies the post-ops to the values of a result of shape `dims`, each in f32.
/// `arrange` brings a tensor of dst's layout into theirs.
template <typename OpT, typename Arrange>
static void applyPostOps(OpT op, Call &call, Doubles &values,
                         ArrayRef<int64_t> dims, Arrange arrange) {
  auto roundAll = [&] {
    if (call[op.getDst()].getType() != DataType::Float64)
      for (double &value : values)
        value = float(value);
  };
  roundAll();
  for (Attribute postOp : op.getPostOpList()) {
    if (auto eltwise = dyn_cast<EltwiseAttr>(postOp)) {
      double alpha = eltwise.getAlpha().getValueAsDouble();
      double beta = eltwise.getBeta().getValueAsDouble();
      for (double &value : values)
        value = computeEltwise(eltwise.getAlgorithm(), value, alpha, beta);
    } else {
      auto binary = cast<BinaryAttr>(postOp);
      HostTensor operand = arrange(call[op.getPostOpOperands()[binary.getOperand()]]);
      Doubles other = broadcast(readDoubles(operand), operand.getDims(), dims);
      for (size_t i = 0; i < values.size(); ++i)
        values[i] = computeBinary(binary.getAlgorithm(), values[i], other[i]);
    }
    roundAll();
  }
}

/// Values as a tensor of dst's type; integers are rounded, ties to even, and
/// saturate.
static HostTensor store(const HostTensor &dst, ArrayRef<int64_t> dims, Doubles values) {
  DataType type = dst.getType();
  if (!isFloat(type)) {
    int bits = 8 * getByteSize(type);
    double low = isUnsignedInteger(type) ? 0 : -std::ldexp(1, bits - 1);
    double high = std::ldexp(1, isUnsignedInteger(type) ? bits : bits - 1) - 1;
    for (double &value : values)
      value = std::clamp(std::nearbyint(value), low, high);
  }
  return makeTensor(type, dims, values);
}

/// The values of a channels-first result, after post-ops, in the form of dst.
template <typename OpT>
static LogicalResult giveSpatial(OpT op, Call &call, Doubles values,
                                 ArrayRef<int64_t> dims) {
  applyPostOps(op, call, values, dims, [&](const HostTensor &tensor) {
    return readSpatial(op, tensor);
  });
  return call.give(
      writeSpatial(op, store(call[op.getDst()], dims, std::move(values))));
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

/// The windows that map `large` to `small` spatial sizes, which determine the pads at
/// the end.
template <typename OpT>
static Window getWindow(OpT op, ArrayRef<int64_t> large, ArrayRef<int64_t> small,
                        ArrayRef<int64_t> kernel) {
  size_t rank = large.size();
  Window window;
  window.input.assign(large.begin(), large.end());
  window.output.assign(small.begin(), small.end());
  window.kernel.assign(kernel.begin(), kernel.end());
  window.strides.assign(op.getStrides().begin(), op.getStrides().end());
  window.dilations.assign(op.getDilations().begin(), op.getDilations().end());
  window.begins.assign(op.getPadsBegin().begin(), op.getPadsBegin().end());
  window.strides.resize(rank, 1);
  window.dilations.resize(rank, 1);
  window.begins.resize(rank, 0);
  for (size_t d = 0; d < rank; ++d) {
    int64_t total =
        (small[d] - 1) * window.strides[d] + window.getExtent(d) - large[d];
    if (op.getAutoPad() == AutoPad::SameUpper)
      window.begins[d] = std::max<int64_t>(total, 0) / 2;
    else if (op.getAutoPad() == AutoPad::SameLower)
      window.begins[d] = (std::max<int64_t>(total, 0) + 1) / 2;
    window.ends.push_back(total - window.begins[d]);
  }
  return window;
}

template <typename OpT, typename Formula>
static LogicalResult computeConvolution(OpT op, Call &call, bool transposed,
                                        Formula formula) {
  HostTensor src = readSpatial(op, call[op.getSrc()]);
  const HostTensor &weights = call[op.getWeights()], &bias = call[op.getBias()];
  Shape dims(readSpatial(op, call[op.getDst()]).getDims());
  ArrayRef<int64_t> from = src.getDims().drop_front(2);
  ArrayRef<int64_t> to = ArrayRef(dims).drop_front(2);
  Window window = getWindow(op, transposed ? to : from, transposed ? from : to,
                            weights.getDims().drop_front(2));
  Doubles values = formula(src, weights, window, op.getGroups());
  if (int64_t(values.size()) != product(dims))
    return call.fail("dst " + formatDims(dims) + " is not what src " +
                     formatDims(src.getDims()) + " and weights " +
                     formatDims(weights.getDims()) + " give");
  int64_t area = product(to);
  if (bias.isValid())
    for (size_t i = 0; i < values.size(); ++i)
      values[i] += bias.getDouble(i / area % dims[1]);
  return giveSpatial(op, call, std::move(values), dims);
}

static LogicalResult computePooling(PoolingOp op, Call &call) {
  HostTensor src = readSpatial(op, call[op.getSrc()]);
  Shape dims(readSpatial(op, call[op.getDst()]).getDims());
  Window window =
      getWindow(op, src.getDims().drop_front(2), ArrayRef(dims).drop_front(2),
                op.getKernel());
  PoolingAlgorithm algorithm = op.getAlgorithm();
  double windowSize = product(op.getKernel());
  Doubles values = reduceWindows(
      window, dims[0] * dims[1], readDoubles(src),
      [&](const Doubles &inside, int64_t) {
        double result = algorithm == PoolingAlgorithm::Max
                            ? -std::numeric_limits<double>::infinity()
                            : 0;
        for (double value : inside)
          result = algorithm == PoolingAlgorithm::Max
                       ? (value != value ? value : std::max(result, value))
                       : result + value;
        if (algorithm == PoolingAlgorithm::AverageIncludePadding)
          return result / windowSize;
        if (algorithm == PoolingAlgorithm::AverageExcludePadding)
          return inside.empty() ? 0 : result / double(inside.size());
        return result;
      });
  return giveSpatial(op, call, std::move(values), dims);
}

//===----------------------------------------------------------------------===//
// Others
//===----------------------------------------------------------------------===//

static HostTensor permute(const HostTensor &tensor, ArrayRef<int64_t> permutation) {
  return permutation.empty() ? tensor : transpose(tensor, permutation);
}

static LogicalResult computeMatMul(onednn::MatMulOp op, Call &call) {
  HostTensor dst = permute(call[op.getDst()], op.getDstPermutation());
  const HostTensor &bias = call[op.getBias()];
  FailureOr<HostTensor> product =
      multiplyMatrices(call, permute(call[op.getSrc()], op.getSrcPermutation()),
                       permute(call[op.getWeights()], op.getWeightsPermutation()),
                       DataType::Float64);
  if (failed(product))
    return failure();
  if (product->getDims() != dst.getDims())
    return call.fail("dst " + formatDims(dst.getDims()) +
                     " is not of the product's shape " +
                     formatDims(product->getDims()));
  Doubles values = readDoubles(*product);
  int64_t columns = dst.getDims().back();
  if (bias.isValid())
    for (size_t i = 0; i < values.size(); ++i)
      values[i] += bias.getDouble(i % columns);
  applyPostOps(op, call, values, dst.getDims(),
               [](const HostTensor &tensor) { return tensor; });
  HostTensor result = store(dst, dst.getDims(), std::move(values));
  return call.give(
      permute(result, invertPermutationVector(op.getDstPermutation())));
}

void interpreter::registerOneDNN(Registry &registry) {
  registry.add<ConvolutionOp>([](ConvolutionOp op, Call &call) {
    return computeConvolution(
        op, call, /*transposed=*/false,
        [&](const HostTensor &src, const HostTensor &weights, const Window &window,
            int64_t groups) {
          return convolve(src, weights, window, groups, op.getSrcZeroPoint());
        });
  });
  registry.add<DeconvolutionOp>([](DeconvolutionOp op, Call &call) {
    return computeConvolution(op, call, /*transposed=*/true, convolveTransposed);
  });
  registry.add<PoolingOp>(computePooling);
  registry.add<onednn::MatMulOp>(computeMatMul);
  registry.add<onednn::LRNOp>([](onednn::LRNOp op, Call &call) {
    HostTensor src = readSpatial(op, call[op.getSrc()]);
    return call.give(writeSpatial(
        op, normalizeLocally(src, op.getLocalSize(), op.getAlpha().convertToDouble(),
                             op.getBeta().convertToDouble(),
                             op.getK().convertToDouble())));
  });
  registry.add<onednn::SoftmaxOp>([](onednn::SoftmaxOp op, Call &call) {
    return call.give(softmax(call[op.getSrc()], op.getAxis(),
                             op.getAlgorithm() == SoftmaxAlgorithm::Log));
  });
}
