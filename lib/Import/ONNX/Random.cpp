//===- Random.cpp - import of random numbers ------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The generator is SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom
// number generators", OOPSLA 2014), whose n-th number is a function of the state and n: so
// numbers are plain elementwise arithmetic, the same on all machines and for any number of
// threads, and a seed gives the same numbers in each run. Nodes without a seed have one of
// their name; the iterations of loops around a node have streams of their own.
//
//===----------------------------------------------------------------------===//

#include "Registry.h"
#include "ShapeMath.h"
#include "Values.h"
#include "nn/Support/Constants.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/xxhash.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

//===----------------------------------------------------------------------===//
// Bits
//===----------------------------------------------------------------------===//

static Type getUI64(NodeBinder &node) {
  return IntegerType::get(node.getContext(), 64, IntegerType::Unsigned);
}

static Value makeBits(NodeBinder &node, uint64_t number) {
  llvm::APInt bits(64, number);
  return node.constant(
      DenseElementsAttr::get(RankedTensorType::get({}, getUI64(node)), ArrayRef(bits)));
}

static Value shiftRight(NodeBinder &node, Value bits, unsigned count) {
  return node.create<BitShiftOp>(bits, makeBits(node, count), /*left=*/false);
}

/// The numbers of a state (a scalar) at the places `counters`; both are ui64.
static Value mix(NodeBinder &node, Value state, Value counters) {
  Value steps = node.create<MulOp>(counters, makeBits(node, 0x9E3779B97F4A7C15));
  Value z = node.create<AddOp>(steps, state);
  z = node.create<MulOp>(node.create<BitwiseXorOp>(z, shiftRight(node, z, 30)),
                         makeBits(node, 0xBF58476D1CE4E5B9));
  z = node.create<MulOp>(node.create<BitwiseXorOp>(z, shiftRight(node, z, 27)),
                         makeBits(node, 0x94D049BB133111EB));
  return node.create<BitwiseXorOp>(z, shiftRight(node, z, 31));
}

namespace {
/// What a node draws its numbers from.
class Generator {
public:
  /// `seed`: nothing if the model gives none. Numbers are drawn for each element of the
  /// shape, an i64 list.
  Generator(NodeBinder &node, std::optional<uint32_t> seed, Value shape);

  /// ui64 of the shape, other ones at each call.
  Value drawBits();
  /// Uniform in [0, 1).
  Value drawUniform(Type type);
  /// Normal, by the method of Box and Muller.
  Value drawNormal(Type type);

private:
  /// `count` bits of each number from the lowest one on, over 2^count.
  Value takeFraction(Value bits, unsigned first, unsigned count, Type type);

  NodeBinder &node;
  Value state, places, shape;
  uint64_t numDrawn = 0;
};
} // namespace

Generator::Generator(NodeBinder &node, std::optional<uint32_t> seed, Value shape)
    : node(node), shape(shape) {
  if (node.failed())
    return;
  uint64_t start = seed ? uint64_t(*seed) + 1 : llvm::xxh3_64bits(node.getName()) | 1ull << 63;
  state = makeBits(node, start);
  for (Value iteration : node.getIterations())
    state = mix(node, state, castTo(node, iteration, getUI64(node)));
  Value count = node.create<ReduceProdOp>(shape, ArrayRef<int64_t>{0}, /*keepdims=*/false);
  Value list = castTo(node, makeIota(node, count), getUI64(node));
  places = list ? node.create<ReshapeOp>(list, shape, /*allow_zero=*/true) : Value();
}

Value Generator::drawBits() {
  if (node.failed())
    return {};
  return mix(node, mix(node, state, makeBits(node, numDrawn++)), places);
}

Value Generator::takeFraction(Value bits, unsigned first, unsigned count, Type type) {
  Value shifted = first ? shiftRight(node, bits, first) : bits;
  if (first + count < 64)
    shifted = node.create<BitwiseAndOp>(shifted, makeBits(node, (1ull << count) - 1));
  // Conversions from i32 are faster.
  Type integer = IntegerType::get(node.getContext(), count < 32 ? 32 : 64);
  Value number = castTo(node, castTo(node, shifted, integer), type);
  Value unit = node.constantScalar(std::ldexp(1.0, -int(count)), type);
  return node.create<MulOp>(number, unit);
}

Value Generator::drawUniform(Type type) {
  Value bits = drawBits();
  return type.isF64() ? takeFraction(bits, 11, 53, type) : takeFraction(bits, 40, 24, type);
}

Value Generator::drawNormal(Type type) {
  Value bits = drawBits();
  Value radius, angle;
  if (type.isF64()) {
    radius = takeFraction(bits, 11, 53, type);
    angle = takeFraction(drawBits(), 11, 53, type);
  } else {
    radius = takeFraction(bits, 31, 31, type);
    angle = takeFraction(bits, 0, 24, type);
  }
  // In (0, 1], and exact where it is small: that is where the tails come from.
  Value least = node.constantScalar(std::ldexp(1.0, type.isF64() ? -54 : -32), type);
  Value log = node.create<LogOp>(node.create<AddOp>(radius, least));
  Value length = node.create<SqrtOp>(
      node.create<MulOp>(log, node.constantScalar(-2, type)));
  Value turned = node.create<MulOp>(angle, node.constantScalar(2 * M_PI, type));
  return node.create<MulOp>(length, node.create<CosOp>(turned));
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

namespace {
/// What all operators have.
struct Draw {
  std::optional<float> seed;
  int64_t dtype = 0;

  NodeBinder &bind(NodeBinder &node) {
    return node.optionalAttr("seed", seed).attr("dtype", dtype, 0);
  }
  /// The element type of the result, `otherwise` if attribute 'dtype' is absent; null, and
  /// reported, if there is no such type.
  Type getType(NodeBinder &node, Type otherwise) const {
    Type type = dtype ? getTensorElementType(node.getContext(), dtype) : otherwise;
    if (node.require(bool(type), "attribute 'dtype' is a supported type",
                     getDataTypeName(dtype), "", Remedy::ConvertType)
            .failed())
      return {};
    return type;
  }
  Generator start(NodeBinder &node, Value shape) const {
    if (!seed && !node.failed())
      warnOfMissingSeed(node);
    return Generator(node, seed ? std::optional(llvm::bit_cast<uint32_t>(*seed)) : std::nullopt,
                     shape);
  }
  static void warnOfMissingSeed(NodeBinder &node) {
    node.warn("random numbers differ from run to run", "without attribute 'seed'",
              "here they are the same in each run: feed them as an input of the model if "
              "they are to differ");
  }
};
} // namespace

/// `number * scale + offset`, as `type`.
static Value finish(NodeBinder &node, Value number, float scale, float offset, Type type) {
  if (node.failed())
    return {};
  Type computed = getElementType(number);
  Value scaled = node.create<MulOp>(number, node.constantScalar(scale, computed));
  Value shifted = node.create<AddOp>(scaled, node.constantScalar(offset, computed));
  return castTo(node, shifted, type);
}

namespace {
/// Where the shape of the result comes from.
enum class ShapeOf { Attribute, Operand };
enum class Distribution { Uniform, Normal };
} // namespace

/// Takes the shape, and sets the type that the result has without attribute 'dtype'.
static Value bindShape(NodeBinder &node, ShapeOf source, Type &type) {
  if (source == ShapeOf::Operand) {
    Value input;
    if (node.onlyOperand(input).failed())
      return {};
    type = getElementType(input);
    return getShapeList(node, input);
  }
  SmallVector<int64_t> shape;
  if (node.requiredAttr("shape", shape)
          .require(llvm::all_of(shape, [](int64_t size) { return size >= 0; }),
                   "attribute 'shape' has no negative sizes", "one", "").failed())
    return {};
  type = Float32Type::get(node.getContext());
  return node.constantList(shape);
}

template <Distribution distribution, ShapeOf source>
static LogicalResult importRandom(NodeBinder &node) {
  constexpr bool isNormal = distribution == Distribution::Normal;
  Draw draw;
  float offset, extent;
  Type type;
  Value shape = bindShape(node, source, type);
  if (draw.bind(node).attr(isNormal ? "mean" : "low", offset, 0.0f)
          .attr(isNormal ? "scale" : "high", extent, 1.0f).failed() ||
      !(type = draw.getType(node, type)) ||
      node.require(isa<FloatType>(type) && type.getIntOrFloatBitWidth() >= 16,
                   "random numbers are floats", show(type), "f16, bf16, f32, f64",
                   Remedy::ConvertType)
          .failed())
    return failure();
  Type computed = getComputedType(type);
  Generator generator = draw.start(node, shape);
  Value number = isNormal ? generator.drawNormal(computed) : generator.drawUniform(computed);
  float scale = isNormal ? extent : extent - offset;
  return node.setOutput(finish(node, number, scale, offset, type));
}

/// 1 with the probability that the input says, else 0.
static LogicalResult importBernoulli(NodeBinder &node) {
  Draw draw;
  Value input;
  Type type;
  if (draw.bind(node.onlyOperand(input)).failed() ||
      !(type = draw.getType(node, getElementType(input))))
    return failure();
  Type computed = getComputedType(getElementType(input));
  Value number = draw.start(node, getShapeList(node, input)).drawUniform(computed);
  Value isOne = node.create<LessOp>(number, castTo(node, input, computed));
  return node.setOutput(castTo(node, isOne, type));
}

/// Classes, drawn by the exponentials of a row's numbers: the first one at which the sum of
/// these exceeds a random share of the whole.
static LogicalResult importMultinomial(NodeBinder &node) {
  Draw draw;
  Value input;
  int64_t numSamples;
  Type type = IntegerType::get(node.getContext(), 32);
  if (draw.bind(node.onlyOperand(input)).attr("sample_size", numSamples, 1)
          .require(input && getType(input).getRank() == 2, "the input is a matrix",
                   "another rank", "batch x classes")
          .require(numSamples >= 0, "attribute 'sample_size' is not negative",
                   Twine(numSamples), "").failed() ||
      !(type = draw.getType(node, type)))
    return failure();
  Type computed = Float64Type::get(node.getContext());
  Value weights = node.create<SoftmaxOp>(castTo(node, input, computed), int64_t(1));
  Value sums = node.create<UnsqueezeOp>(node.create<CumSumOp>(weights, 1),
                                        ArrayRef<int64_t>{1});
  Value shape = node.create<ConcatOp>(
      SmallVector<Value>{getDimList(node, input, 0), node.constantList({numSamples})}, 0);
  Value share = draw.start(node, shape).drawUniform(computed);
  share = node.create<UnsqueezeOp>(share, ArrayRef<int64_t>{2});
  Type i64 = IntegerType::get(node.getContext(), 64);
  Value isPassed = castTo(node, node.create<LessOrEqualOp>(sums, share), i64);
  Value found = node.create<ReduceSumOp>(isPassed, ArrayRef<int64_t>{2}, /*keepdims=*/false);
  // The sum of all may be less than 1 by rounding.
  Value one = node.constantScalar(1, i64);
  Value last = node.create<SubOp>(getDimScalar(node, input, 1), one);
  return node.setOutput(castTo(node, node.create<MinOp>(found, last), type));
}

//===----------------------------------------------------------------------===//
// Dropout
//===----------------------------------------------------------------------===//

/// Whether elements may be dropped: not unless the model trains, and has a ratio above 0.
static bool mayDrop(NodeBinder &node, Value ratio, Value trains) {
  if (!trains)
    return false;
  auto known = node.getShapes().getConstantContents(trains);
  if (known && known->size() == 1 && known->front() == 0)
    return false;
  FailureOr<HostTensor> knownRatio = failure();
  if (ratio)
    knownRatio = readConstant(ratio);
  return failed(knownRatio) || knownRatio->getNumElements() != 1 ||
         knownRatio->getDouble(0) != 0;
}

/// In training, elements are 0 with the probability `ratio`, and the others larger.
static LogicalResult drop(NodeBinder &node, Value data, Value ratio, Value trains,
                          std::optional<uint32_t> seed) {
  Type type = getElementType(data), computed = getComputedType(type);
  Value rate = ratio ? castTo(node, node.asScalar(ratio), computed)
                     : node.constantScalar(0.5, computed);
  Value isOff = node.create<NotOp>(node.asScalar(trains));
  Value share = Generator(node, seed, getShapeList(node, data)).drawUniform(computed);
  Value isKept = node.create<OrOp>(node.create<GreaterOrEqualOp>(share, rate), isOff);
  Value one = node.constantScalar(1, computed), zero = node.constantScalar(0, computed);
  Value factor = node.create<DivOp>(one, node.create<SubOp>(one, rate));
  factor = node.create<WhereOp>(isOff, one, factor);
  Value scaled = node.create<MulOp>(castTo(node, data, computed), factor);
  Value result = node.create<WhereOp>(isKept, scaled, zero);
  if (node.hasOutput(1) && failed(node.setOutput(isKept, 1)))
    return failure();
  return node.setOutput(castTo(node, result, type));
}

static LogicalResult importDropout(NodeBinder &node) {
  Value data, ratio, trains;
  std::optional<int64_t> seed;
  if (node.operand("data", data).optionalOperand("ratio", ratio)
          .optionalOperand("training_mode", trains).optionalAttr("seed", seed)
          .ignoreAttrs({"ratio", "is_test", "consumed_inputs"}).failed())
    return failure();
  if (mayDrop(node, ratio, trains)) {
    if (!seed)
      Draw::warnOfMissingSeed(node);
    return drop(node, data, ratio, trains,
                seed ? std::optional(uint32_t(*seed)) : std::nullopt);
  }
  // Nothing is dropped: the mask is true everywhere. Some models use it.
  if (node.hasOutput(1)) {
    // Before version 10 the mask had the type of the data.
    Type type = node.getSinceVersion() < 10 ? getElementType(data)
                                            : IntegerType::get(node.getContext(), 1);
    Value mask = makeFilled(node, getShapeList(node, data), 1, type);
    if (failed(node.setOutput(mask, 1)))
      return failure();
  }
  return node.setOutput(data);
}

void importer::registerRandom(Registry &r) {
  r.onOp("Bernoulli", 15, importBernoulli);
  r.onOp("Dropout", 1, importDropout);
  r.onOp("Multinomial", 7, importMultinomial);
  r.onOp("RandomNormal", 1, importRandom<Distribution::Normal, ShapeOf::Attribute>);
  r.onOp("RandomNormalLike", 1, importRandom<Distribution::Normal, ShapeOf::Operand>);
  r.onOp("RandomUniform", 1, importRandom<Distribution::Uniform, ShapeOf::Attribute>);
  r.onOp("RandomUniformLike", 1, importRandom<Distribution::Uniform, ShapeOf::Operand>);
}
