//===- Signal.cpp - import of Fourier transforms and mel weights ----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//===----------------------------------------------------------------------===//

#include "Registry.h"
#include "ShapeMath.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

static RankedTensorType getType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

namespace {
struct Transform {
  Value length; // i64 scalar, or null
  bool inverse = false;
  bool oneSided = false;
};
} // namespace

/// f16 and bf16 are computed in f32.
static Value widen(NodeBinder &node, Value tensor) {
  Type f32 = Float32Type::get(node.getContext());
  Type type = getType(tensor).getElementType();
  return type.getIntOrFloatBitWidth() < 32 ? node.create<CastOp>(tensor, f32) : tensor;
}

static Value build(NodeBinder &node, Value input, const Transform &transform, int64_t axis) {
  Value wide = widen(node, input);
  Value result = node.create<DFTOp>(wide, transform.length, axis, transform.inverse,
                                    transform.oneSided);
  return result && wide != input
             ? node.create<CastOp>(result, getType(input).getElementType())
             : result;
}

/// The last dimension must say whether numbers are complex.
static NodeBinder &requireParts(NodeBinder &node, Value input) {
  RankedTensorType type = getType(input);
  int64_t parts = type.getRank() < 2 ? -1 : type.getShape().back();
  return node.require(parts == 1 || parts == 2,
                      "the input's last dimension is 1 (real) or 2 (complex)",
                      "another shape", "");
}

/// The one axis with which the result has the declared shape, if that says so.
static std::optional<int64_t> findDeclaredAxis(NodeBinder &node, Value input,
                                               const Transform &transform) {
  RankedTensorType from = getType(input), to = node.getDeclaredType(0);
  int64_t last = from.getRank() - 1;
  if (!to || to.getRank() != from.getRank() || transform.length)
    return std::nullopt;
  std::optional<int64_t> found;
  for (int64_t axis = 0; axis < last; ++axis) {
    bool fits = true;
    for (int64_t d = 0; d < last; ++d) {
      int64_t size = from.getDimSize(d);
      if (ShapedType::isDynamic(size) || to.isDynamicDim(d))
        continue;
      if (d == axis && transform.oneSided)
        size = transform.inverse ? 2 * (size - 1) : size / 2 + 1;
      fits &= size == to.getDimSize(d);
    }
    if (fits && found)
      return std::nullopt;
    if (fits)
      found = axis;
  }
  return found;
}

/// The transform along the axis of 0 ... `last` that the run says. Results differ in their
/// sizes, and get the type `type`.
static Value chooseAxis(NodeBinder &node, Value input, const Transform &transform, Value axis,
                        int64_t last, RankedTensorType type) {
  OpBuilder &b = node.getBuilder();
  Location location = node.getLocation();
  auto transformAlongLast = [&]() -> Value {
    Value own = build(node, input, transform, last);
    return own ? tensor::CastOp::create(b, location, type, own).getResult() : Value();
  };
  if (last == 0)
    return transformAlongLast();
  Value isOwn = node.create<EqualOp>(axis, node.constantScalar(double(last), b.getI64Type()));
  if (node.failed())
    return {};
  Value flag = tensor::ExtractOp::create(b, location, isOwn, ValueRange());
  auto branch = scf::IfOp::create(b, location, TypeRange(type), flag, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Value own = transformAlongLast();
  scf::YieldOp::create(b, location, own ? ValueRange(own) : ValueRange());
  b.setInsertionPointToStart(branch.elseBlock());
  Value other = chooseAxis(node, input, transform, axis, last - 1, type);
  scf::YieldOp::create(b, location, other ? ValueRange(other) : ValueRange());
  return branch.getResult(0);
}

/// An axis known only at run time is one of a few. If all give results of one shape,
/// the run chooses; else the declared shape may say which it is, and the run checks that.
static LogicalResult transformComputedAxis(NodeBinder &node, Value input,
                                           const Transform &transform, Value axis) {
  int64_t rank = getType(input).getRank();
  Type i64 = IntegerType::get(node.getContext(), 64);
  axis = node.asScalar(normalizeAxes(node, axis, rank));
  if (transform.length || transform.oneSided) {
    std::optional<int64_t> declared = findDeclaredAxis(node, input, transform);
    if (!declared) {
      Value first = node.constantScalar(0, i64), behind = node.constantScalar(rank - 1, i64);
      Value isDim = node.create<AndOp>(node.create<GreaterOrEqualOp>(axis, first),
                                       node.create<LessOp>(axis, behind));
      node.checkAtRun(isDim, "gets an 'axis' that is no dimension before the last");
      SmallVector<int64_t> shape(rank, ShapedType::kDynamic);
      shape.back() = transform.inverse && transform.oneSided ? 1 : 2;
      auto type = RankedTensorType::get(shape, getType(input).getElementType());
      return node.setOutput(chooseAxis(node, input, transform, axis, rank - 2, type));
    }
    Value other = node.constantScalar(double(*declared), i64);
    node.checkAtRun(node.create<EqualOp>(axis, other),
                    "gets another 'axis' than " + Twine(*declared) +
                        ", for which the declared shape of its output is; make operand "
                        "'axis' a constant");
    return node.setOutput(build(node, input, transform, *declared));
  }
  Value result;
  for (int64_t d = rank - 2; d >= 0 && !node.failed(); --d) {
    Value own = build(node, input, transform, d);
    if (!result) {
      result = own;
      continue;
    }
    Value isOwn = node.create<EqualOp>(axis, node.constantScalar(double(d), i64));
    result = node.create<WhereOp>(isOwn, own, result);
  }
  return node.setOutput(result);
}

static LogicalResult importDFT(NodeBinder &node) {
  Value input, computedAxis;
  Transform transform;
  int64_t axis = -2;
  node.operand("input", input).optionalOperand("dft_length", transform.length)
      .attr("inverse", transform.inverse, false)
      .attr("onesided", transform.oneSided, false);
  if (node.getSinceVersion() < 20) {
    node.attr("axis", axis, 1);
  } else {
    std::optional<SmallVector<int64_t>> known;
    if (node.ints("axis", known, computedAxis).failed())
      return failure();
    if (known && known->size() == 1)
      axis = known->front();
  }
  if (node.failed() || requireParts(node, input).failed())
    return failure();
  int64_t rank = getType(input).getRank();
  axis = shapes::normalizeAxis(axis, rank);
  if (node.require(axis >= 0 && axis < rank - 1,
                   "'axis' is a dimension before the last", Twine(axis),
                   "0 to " + Twine(rank - 2)).failed())
    return failure();
  if (transform.length)
    transform.length = node.asInt64(node.asScalar(transform.length));
  if (computedAxis)
    return transformComputedAxis(node, input, transform, computedAxis);
  return node.setOutput(build(node, input, transform, axis));
}

/// Transforms of overlapping frames.
static LogicalResult importSTFT(NodeBinder &node) {
  Value signal, step, window, frameLength;
  bool oneSided;
  if (node.operand("signal", signal).operand("frame_step", step)
          .optionalOperand("window", window).optionalOperand("frame_length", frameLength)
          .attr("onesided", oneSided, true).failed())
    return failure();
  // Without its last dimension, [batch, length], the signal is real. ONNX's text wants
  // the dimension, but its runtimes take both, and speech models have the short form.
  if (getType(signal).getRank() == 2)
    signal = node.create<UnsqueezeOp>(signal, ArrayRef<int64_t>{2});
  if (node.failed() || requireParts(node, signal).failed() ||
      node.require(getType(signal).getRank() == 3, "the signal has rank 2 or 3",
                   "rank " + Twine(getType(signal).getRank()), "")
          .require(window || frameLength, "'window' or 'frame_length' is given", "none", "")
          .failed())
    return failure();
  step = node.asInt64(node.asScalar(step));
  if (frameLength)
    frameLength = node.asInt64(node.asScalar(frameLength));
  Value wide = widen(node, signal);
  if (window)
    window = widen(node, window);
  Value result = node.create<STFTOp>(wide, step, window, frameLength, oneSided);
  if (result && wide != signal)
    result = node.create<CastOp>(result, getType(signal).getElementType());
  return node.setOutput(result);
}

/// How much each of dft_length / 2 + 1 frequencies counts for each mel bin: a triangle
/// with its corners at places whose mel frequencies are equally far apart.
static LogicalResult importMelWeightMatrix(NodeBinder &node) {
  Value bins, dftLength, sampleRate, lowest, highest;
  int64_t dtype;
  if (node.operand("num_mel_bins", bins).operand("dft_length", dftLength)
          .operand("sample_rate", sampleRate).operand("lower_edge_hertz", lowest)
          .operand("upper_edge_hertz", highest)
          .attr("output_datatype", dtype, onnx::TensorProto::FLOAT).failed())
    return failure();
  Type result = getTensorElementType(node.getContext(), dtype);
  if (node.require(bool(result), "attribute 'output_datatype' is a supported type",
                   getDataTypeName(dtype), "", Remedy::ConvertType).failed())
    return failure();
  Type type = Float64Type::get(node.getContext());
  Type i64 = IntegerType::get(node.getContext(), 64);
  auto number = [&](double value) { return node.constantScalar(value, type); };
  auto whole = [&](int64_t value) { return node.constantScalar(double(value), i64); };
  auto scalar = [&](Value value) {
    return node.create<CastOp>(node.asScalar(value), type);
  };
  bins = node.asInt64(node.asScalar(bins));
  dftLength = node.asInt64(node.asScalar(dftLength));

  // mel(hertz) = 2595 * log10(1 + hertz / 700)
  double factor = 2595 / std::log(10.0);
  auto toMel = [&](Value hertz) {
    Value part = node.create<DivOp>(scalar(hertz), number(700));
    Value ratio = node.create<AddOp>(part, number(1));
    Value log = node.create<LogOp>(ratio);
    return node.create<MulOp>(log, number(factor));
  };
  Value low = toMel(lowest), high = toMel(highest);
  Value count = node.create<AddOp>(bins, whole(2));
  Value range = node.create<SubOp>(high, low);
  Value step = node.create<DivOp>(range, scalar(count));
  Value mels = node.create<CastOp>(makeIota(node, count), type);
  mels = node.create<MulOp>(mels, step);
  mels = node.create<AddOp>(mels, low);
  Value exponents = node.create<DivOp>(mels, number(factor));
  Value ratios = node.create<ExpOp>(exponents);
  ratios = node.create<SubOp>(ratios, number(1));
  Value hertz = node.create<MulOp>(ratios, number(700));
  Value places = node.create<MulOp>(hertz, scalar(node.create<AddOp>(dftLength, whole(1))));
  places = node.create<DivOp>(places, scalar(sampleRate));
  places = node.create<FloorOp>(places);

  // The corners of bin i are places i, i + 1 and i + 2.
  Value indices = makeIota(node, bins);
  Value left = node.create<GatherOp>(places, indices, 0);
  indices = node.create<AddOp>(indices, whole(1));
  Value center = node.create<GatherOp>(places, indices, 0);
  indices = node.create<AddOp>(indices, whole(1));
  Value right = node.create<GatherOp>(places, indices, 0);
  Value half = node.create<DivOp>(dftLength, whole(2));
  Value frequencies = node.create<AddOp>(half, whole(1));
  Value at = node.create<CastOp>(makeIota(node, frequencies), type);
  at = node.create<UnsqueezeOp>(at, ArrayRef<int64_t>{1});
  auto slope = [&](Value from, Value to, Value distance) {
    Value length = node.create<SubOp>(to, from);
    length = node.create<MaxOp>(length, number(0)); // Corners out of order: nothing.
    return node.create<DivOp>(distance, length);
  };
  Value rising = slope(left, center, node.create<SubOp>(at, left));
  Value falling = slope(center, right, node.create<SubOp>(right, at));
  Value isBefore = node.create<LessOp>(at, center);
  Value weights = node.create<WhereOp>(isBefore, rising, falling);
  weights = node.create<MaxOp>(weights, number(0));
  Value isCenter = node.create<EqualOp>(at, center);
  Value inOrder = node.create<GreaterOrEqualOp>(center, left);
  Value top = node.create<CastOp>(inOrder, type);
  weights = node.create<WhereOp>(isCenter, top, weights);
  return node.replaceWith<CastOp>(weights, result);
}

void importer::registerSignal(Registry &r) {
  r.onOp("MelWeightMatrix", 17, importMelWeightMatrix);
  r.onOp("DFT", 17, importDFT);
  r.onOp("DFT", 20, importDFT);
  r.onOp("STFT", 17, importSTFT);
}
