//===- Elementwise.cpp - elementwise operators ----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Floats are computed in double and rounded once. Integers are computed in 64
// bits and wrap; uint64 is told apart where it matters (order, division).
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

/// Applies `function` to each element. It is called with double, int64_t or
/// uint64_t.
template <typename F>
static LogicalResult mapUnary(Call &call, const HostTensor &input, F function) {
  if (isFloat(input.getType())) {
    Doubles values = readDoubles(input);
    for (double &value : values)
      value = function(value);
    return call.give(makeTensor(call.getResultType(), input.getDims(), values));
  }
  Ints values = readInts(input);
  bool isUnsigned = !isSignedInteger(input.getType());
  for (int64_t &value : values)
    value = isUnsigned ? int64_t(function(uint64_t(value))) : function(value);
  return call.give(makeTensor(call.getResultType(), input.getDims(), values));
}

/// An operator without parameters on floats only.
template <typename OpT> static void addFloat(Registry &registry, double (*function)(double)) {
  registry.add<OpT>([=](OpT op, Call &call) {
    Doubles values = readDoubles(call[op.getInput()]);
    for (double &value : values)
      value = function(value);
    return call.give(makeTensor(call.getResultType(),
                                call[op.getInput()].getDims(), values));
  });
}

/// An operator without parameters on all numbers.
template <typename OpT, typename F>
static void addNumeric(Registry &registry, F function) {
  registry.add<OpT>([=](OpT op, Call &call) {
    return mapUnary(call, call[op.getInput()], function);
  });
}

/// Combines broadcast elements by `function`, called with two doubles, two
/// int64_t or two uint64_t; its result is stored as the declared type.
template <typename F>
static LogicalResult mapBinary(Call &call, F function) {
  const HostTensor &lhs = call.getOperand(0), &rhs = call.getOperand(1);
  FailureOr<Shape> dims = broadcastShapes(call, call.getOperands());
  if (failed(dims))
    return failure();
  auto combine = [&](auto x, auto y, auto zero) {
    using T = decltype(zero);
    x = interpreter::broadcast(std::move(x), lhs.getDims(), *dims);
    y = interpreter::broadcast(std::move(y), rhs.getDims(), *dims);
    using Result = decltype(function(T(), T()));
    using Stored =
        std::conditional_t<std::is_same_v<Result, double>, double, int64_t>;
    std::vector<Stored> results(x.size());
    for (size_t i = 0; i < results.size(); ++i)
      results[i] = Stored(function(T(x[i]), T(y[i])));
    return call.give(makeTensor(call.getResultType(), *dims, results));
  };
  if (isFloat(lhs.getType()))
    return combine(readDoubles(lhs), readDoubles(rhs), double());
  if (isSignedInteger(lhs.getType()))
    return combine(readInts(lhs), readInts(rhs), int64_t());
  return combine(readInts(lhs), readInts(rhs), uint64_t());
}

template <typename OpT, typename F>
static void addBinary(Registry &registry, F function) {
  registry.add<OpT>(
      [=](OpT, Call &call) { return mapBinary(call, function); });
}

/// Reports a divisor 0 of integers, which has no result.
static LogicalResult checkDivisor(Call &call, const HostTensor &divisor) {
  if (!isFloat(divisor.getType()) && llvm::is_contained(readInts(divisor), 0))
    return call.fail("an integer is divided by zero");
  return success();
}

//===----------------------------------------------------------------------===//
// Formulas
//===----------------------------------------------------------------------===//

/// Integer arithmetic that wraps.
template <typename T> static T add(T x, T y) {
  if constexpr (std::is_same_v<T, double>)
    return x + y;
  else
    return T(uint64_t(x) + uint64_t(y));
}
template <typename T> static T subtract(T x, T y) {
  if constexpr (std::is_same_v<T, double>)
    return x - y;
  else
    return T(uint64_t(x) - uint64_t(y));
}
template <typename T> static T multiply(T x, T y) {
  if constexpr (std::is_same_v<T, double>)
    return x * y;
  else
    return T(uint64_t(x) * uint64_t(y));
}
template <typename T> static T divide(T x, T y) {
  // The quotient of the smallest integer and -1 wraps.
  if constexpr (std::is_same_v<T, int64_t>)
    if (y == -1)
      return subtract(T(0), x);
  return x / y;
}
template <typename T> static T cRemainder(T x, T y) {
  if constexpr (std::is_same_v<T, double>) {
    return std::fmod(x, y);
  } else {
    if constexpr (std::is_same_v<T, int64_t>)
      if (y == -1)
        return 0;
    return x % y;
  }
}
template <typename T> static T pythonRemainder(T x, T y) {
  T rest = cRemainder(x, y);
  return rest != 0 && ((rest < 0) != (y < 0)) ? rest + y : rest;
}
template <typename T> static T maximum(T x, T y) {
  if (x != x || y != y)
    return x != x ? x : y;
  if constexpr (std::is_floating_point_v<T>)
    if (x == y) // 0 is more than -0.
      return std::signbit(x) ? y : x;
  return std::max(x, y);
}
template <typename T> static T minimum(T x, T y) {
  if (x != x || y != y)
    return x != x ? x : y;
  if constexpr (std::is_floating_point_v<T>)
    if (x == y)
      return std::signbit(x) ? x : y;
  return std::min(x, y);
}

static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
static double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}

/// x^y for an integer x, exact and wrapping for y >= 0.
static int64_t integerPower(int64_t x, int64_t y) {
  if (y < 0)
    return x == 1 ? 1 : x == -1 ? (y % 2 ? -1 : 1) : 0;
  uint64_t result = 1;
  for (uint64_t factor = x; y; y >>= 1, factor *= factor)
    if (y & 1)
      result *= factor;
  return int64_t(result);
}

//===----------------------------------------------------------------------===//
// Unary
//===----------------------------------------------------------------------===//

static void registerUnary(Registry &registry) {
  addNumeric<AbsOp>(registry, [](auto x) {
    if constexpr (std::is_floating_point_v<decltype(x)>)
      return std::fabs(x);
    else
      return x < 0 ? -x : x;
  });
  addNumeric<NegOp>(registry, [](auto x) {
    if constexpr (std::is_same_v<decltype(x), double>)
      return -x;
    else
      return subtract(decltype(x)(0), x);
  });
  addNumeric<ReluOp>(registry, [](auto x) { return maximum(x, decltype(x)(0)); });
  addNumeric<SignOp>(registry, [](auto x) {
    using T = decltype(x);
    return x > 0 ? T(1) : x < 0 ? T(-1) : x; // NaN stays
  });
  addNumeric<NotOp>(registry, [](auto x) { return decltype(x)(x == 0); });
  registry.add<BitwiseNotOp>([](BitwiseNotOp op, Call &call) {
    Ints values = readInts(call[op.getInput()]);
    for (int64_t &value : values)
      value = ~value;
    return call.give(makeTensor(call.getResultType(),
                                call[op.getInput()].getDims(), values));
  });

  addFloat<AcosOp>(registry, std::acos);
  addFloat<AcoshOp>(registry, std::acosh);
  addFloat<AsinOp>(registry, std::asin);
  addFloat<AsinhOp>(registry, std::asinh);
  addFloat<AtanOp>(registry, std::atan);
  addFloat<AtanhOp>(registry, std::atanh);
  addFloat<CeilOp>(registry, std::ceil);
  addFloat<CosOp>(registry, std::cos);
  addFloat<CoshOp>(registry, std::cosh);
  addFloat<ErfOp>(registry, std::erf);
  addFloat<ExpOp>(registry, std::exp);
  addFloat<FloorOp>(registry, std::floor);
  addFloat<LogOp>(registry, std::log);
  addFloat<RoundOp>(registry, std::nearbyint); // ties to even
  addFloat<SinOp>(registry, std::sin);
  addFloat<SinhOp>(registry, std::sinh);
  addFloat<SqrtOp>(registry, std::sqrt);
  addFloat<TanOp>(registry, std::tan);
  addFloat<TanhOp>(registry, std::tanh);
  addFloat<ReciprocalOp>(registry, [](double x) { return 1 / x; });
  addFloat<SigmoidOp>(registry, sigmoid);
  addFloat<SoftplusOp>(registry, softplus);
  addFloat<SoftsignOp>(registry, [](double x) { return x / (1 + std::fabs(x)); });
  addFloat<HardSwishOp>(registry, [](double x) {
    return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
  });
  addFloat<MishOp>(registry, [](double x) { return x * std::tanh(softplus(x)); });
  addFloat<IsNaNOp>(registry, [](double x) { return double(x != x); });
}

/// An operator on floats whose function needs its attributes.
template <typename OpT, typename F>
static void addParametric(Registry &registry, F makeFunction) {
  registry.add<OpT>([=](OpT op, Call &call) {
    auto function = makeFunction(op);
    Doubles values = readDoubles(call[op.getInput()]);
    for (double &value : values)
      value = function(value);
    return call.give(makeTensor(call.getResultType(),
                                call[op.getInput()].getDims(), values));
  });
}

static void registerParametric(Registry &registry) {
  addParametric<CeluOp>(registry, [](CeluOp op) {
    return [a = op.getAlpha().convertToDouble()](double x) {
      return x < 0 ? a * std::expm1(x / a) : x;
    };
  });
  addParametric<EluOp>(registry, [](EluOp op) {
    return [a = op.getAlpha().convertToDouble()](double x) {
      return x < 0 ? a * std::expm1(x) : x;
    };
  });
  addParametric<GeluOp>(registry, [](GeluOp op) {
    // Written so that nothing cancels where x is very negative.
    return [tanh = op.getApproximate() == "tanh"](double x) {
      const double pi = 3.14159265358979323846;
      return tanh ? x * sigmoid(2 * std::sqrt(2 / pi) * (x + 0.044715 * x * x * x))
                  : 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    };
  });
  addParametric<HardSigmoidOp>(registry, [](HardSigmoidOp op) {
    return [a = op.getAlpha().convertToDouble(),
            b = op.getBeta().convertToDouble()](double x) {
      return std::clamp(a * x + b, 0.0, 1.0);
    };
  });
  addParametric<LeakyReluOp>(registry, [](LeakyReluOp op) {
    return [a = op.getAlpha().convertToDouble()](double x) {
      return x < 0 ? a * x : x;
    };
  });
  addParametric<SeluOp>(registry, [](SeluOp op) {
    return [a = op.getAlpha().convertToDouble(),
            g = op.getGamma().convertToDouble()](double x) {
      return g * (x > 0 ? x : a * std::expm1(x));
    };
  });
  addParametric<SwishOp>(registry, [](SwishOp op) {
    return [a = op.getAlpha().convertToDouble()](double x) {
      return x * sigmoid(a * x);
    };
  });
  addParametric<ThresholdedReluOp>(registry, [](ThresholdedReluOp op) {
    return [a = op.getAlpha().convertToDouble()](double x) {
      return x > a ? x : 0;
    };
  });
}

static LogicalResult clip(ClipOp op, Call &call) {
  const HostTensor &min = call[op.getMin()], &max = call[op.getMax()];
  if ((min.isValid() && min.getNumElements() != 1) ||
      (max.isValid() && max.getNumElements() != 1))
    return call.fail("the bounds must be scalars");
  return mapUnary(call, call[op.getInput()], [&](auto x) {
    using T = decltype(x);
    auto bound = [](const HostTensor &tensor) {
      if constexpr (std::is_same_v<T, double>)
        return tensor.getDouble(0);
      else
        return T(tensor.getInt(0));
    };
    if (min.isValid())
      x = maximum(x, bound(min));
    if (max.isValid())
      x = minimum(x, bound(max));
    return x;
  });
}

static LogicalResult convert(CastOp op, Call &call) {
  const HostTensor &input = call[op.getInput()];
  DataType from = input.getType(), to = call.getResultType();
  HostTensor result = HostTensor::allocate(to, input.getDims());
  // Values out of the range of 64 bits saturate, those in it wrap: what ONNX
  // leaves open is at least the same on all machines.
  auto truncate = [&](double x) -> int64_t {
    if (x != x)
      return 0;
    if (to == DataType::UInt64 && x >= 0x1p63)
      return x >= 0x1p64 ? -1 : int64_t(uint64_t(x));
    return x >= 0x1p63    ? std::numeric_limits<int64_t>::max()
           : x <= -0x1p63 ? std::numeric_limits<int64_t>::min()
                          : int64_t(x);
  };
  bool toSmallFloat = isFloat(to) && isSmall(to);
  for (int64_t i = 0; i < input.getNumElements(); ++i) {
    if (toSmallFloat) {
      // Integers go by way of f32.
      double x = isFloat(from)              ? input.getDouble(i)
                 : from == DataType::UInt64 ? float(input.get<uint64_t>()[i])
                                            : float(input.getInt(i));
      result.getMutable<uint8_t>()[i] =
          encodeSmallFloat(to, x, op.getSaturate(), op.getRoundMode());
    } else if (isFloat(from)) {
      double x = input.getDouble(i);
      if (isFloat(to) || to == DataType::Bool)
        result.setDouble(i, x);
      else
        result.setInt(i, truncate(x));
    } else if (to == DataType::Float32) { // rounded once, not by way of double
      result.getMutable<float>()[i] =
          from == DataType::UInt64 ? float(input.get<uint64_t>()[i])
                                   : float(input.getInt(i));
    } else if (isFloat(to)) {
      result.setDouble(i, input.getDouble(i));
    } else {
      result.setInt(i, input.getInt(i));
    }
  }
  return call.give(std::move(result));
}

static LogicalResult decodeFloat(DecodeFloatOp op, Call &call) {
  const HostTensor &input = call[op.getInput()];
  DataType format = *getDataType(op.getFormat());
  Doubles values;
  for (uint8_t bits : input.get<uint8_t>())
    values.push_back(decodeSmallFloat(format, bits));
  return call.give(makeTensor(DataType::Float32, input.getDims(), values));
}

static LogicalResult encodeFloat(EncodeFloatOp op, Call &call) {
  const HostTensor &input = call[op.getInput()];
  DataType format = *getDataType(op.getFormat());
  HostTensor result = HostTensor::allocate(DataType::UInt8, input.getDims());
  for (int64_t i = 0; i < input.getNumElements(); ++i)
    result.getMutable<uint8_t>()[i] = encodeSmallFloat(
        format, input.getDouble(i), op.getSaturate(), op.getRoundMode());
  return call.give(std::move(result));
}

//===----------------------------------------------------------------------===//
// Binary and ternary
//===----------------------------------------------------------------------===//

static LogicalResult power(PowOp op, Call &call) {
  const HostTensor &base = call[op.getLhs()], &exponent = call[op.getRhs()];
  FailureOr<Shape> dims = broadcastShapes(call, call.getOperands());
  if (failed(dims))
    return failure();
  if (!isFloat(base.getType()) && !isFloat(exponent.getType())) {
    Ints x = broadcast(readInts(base), base.getDims(), *dims);
    Ints y = broadcast(readInts(exponent), exponent.getDims(), *dims);
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = integerPower(x[i], y[i]);
    return call.give(makeTensor(call.getResultType(), *dims, x));
  }
  Doubles x = broadcast(readDoubles(base), base.getDims(), *dims);
  Doubles y = broadcast(readDoubles(exponent), exponent.getDims(), *dims);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = std::pow(x[i], y[i]);
  return call.give(makeTensor(call.getResultType(), *dims, x));
}

static LogicalResult bitShift(BitShiftOp op, Call &call) {
  unsigned bits = getByteSize(call.getResultType()) * 8;
  uint64_t mask = bits == 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
  bool left = op.getLeft();
  return mapBinary(call, [=](auto x, auto y) -> int64_t {
    uint64_t count = uint64_t(y); // negative ones are too large
    if constexpr (std::is_same_v<decltype(x), int64_t>)
      if (!left)
        return x >> std::min<uint64_t>(count, bits - 1);
    uint64_t value = uint64_t(x) & mask;
    if (count >= bits)
      return 0;
    return int64_t((left ? value << count : value >> count) & mask);
  });
}

static LogicalResult isInf(IsInfOp op, Call &call) {
  Doubles values = readDoubles(call[op.getInput()]);
  for (double &value : values)
    value = std::isinf(value) &&
            (value < 0 ? op.getDetectNegative() : op.getDetectPositive());
  return call.give(makeTensor(DataType::Bool, call[op.getInput()].getDims(), values));
}

static LogicalResult bitcast(BitcastOp op, Call &call) {
  const HostTensor &input = call[op.getInput()];
  HostTensor result = HostTensor::allocate(call.getResultType(), input.getDims());
  std::memcpy(result.getMutableData(), input.getData(), input.getNumBytes());
  if (result.getType() == DataType::Bool)
    for (uint8_t &byte : result.getMutable<uint8_t>())
      byte = byte != 0;
  if (isPacked(result.getType())) // the sign fills the byte, or it does not
    result = unpackElements(result.getType(), result.getDims(),
                            packElements(result).data());
  return call.give(std::move(result));
}

static LogicalResult where(WhereOp op, Call &call) {
  FailureOr<Shape> dims = broadcastShapes(call, call.getOperands());
  if (failed(dims))
    return failure();
  HostTensor condition = broadcast(call[op.getCondition()], *dims);
  HostTensor x = broadcast(call[op.getX()], *dims);
  HostTensor y = broadcast(call[op.getY()], *dims);
  HostTensor result = HostTensor::allocate(x.getType(), *dims);
  for (int64_t i = 0; i < result.getNumElements(); ++i)
    copyElement(condition.getInt(i) ? x : y, i, result, i);
  return call.give(std::move(result));
}

static void registerBinary(Registry &registry) {
  addBinary<AddOp>(registry, [](auto x, auto y) { return add(x, y); });
  addBinary<SubOp>(registry, [](auto x, auto y) { return subtract(x, y); });
  addBinary<MulOp>(registry, [](auto x, auto y) { return multiply(x, y); });
  registry.add<DivOp>([](DivOp op, Call &call) {
    if (failed(checkDivisor(call, call[op.getRhs()])))
      return failure();
    return mapBinary(call, [](auto x, auto y) { return divide(x, y); });
  });
  registry.add<ModOp>([](ModOp op, Call &call) {
    if (failed(checkDivisor(call, call[op.getRhs()])))
      return failure();
    bool fmod = op.getFmod();
    return mapBinary(call, [=](auto x, auto y) {
      return fmod ? cRemainder(x, y) : pythonRemainder(x, y);
    });
  });
  addBinary<MaxOp>(registry, [](auto x, auto y) { return maximum(x, y); });
  addBinary<MinOp>(registry, [](auto x, auto y) { return minimum(x, y); });
  addBinary<AndOp>(registry, [](auto x, auto y) { return x && y; });
  addBinary<OrOp>(registry, [](auto x, auto y) { return x || y; });
  addBinary<XorOp>(registry, [](auto x, auto y) { return !x != !y; });
  addBinary<BitwiseAndOp>(registry, [](auto x, auto y) { return int64_t(x) & int64_t(y); });
  addBinary<BitwiseOrOp>(registry, [](auto x, auto y) { return int64_t(x) | int64_t(y); });
  addBinary<BitwiseXorOp>(registry, [](auto x, auto y) { return int64_t(x) ^ int64_t(y); });
  addBinary<PReluOp>(registry, [](auto x, auto y) { return x < 0 ? multiply(y, x) : x; });
  addBinary<EqualOp>(registry, [](auto x, auto y) { return x == y; });
  addBinary<GreaterOp>(registry, [](auto x, auto y) { return x > y; });
  addBinary<GreaterOrEqualOp>(registry, [](auto x, auto y) { return x >= y; });
  addBinary<LessOp>(registry, [](auto x, auto y) { return x < y; });
  addBinary<LessOrEqualOp>(registry, [](auto x, auto y) { return x <= y; });
}

void interpreter::registerElementwise(Registry &registry) {
  registerUnary(registry);
  registerParametric(registry);
  registerBinary(registry);
  registry.add<ClipOp>(clip);
  registry.add<CastOp>(convert);
  registry.add<DecodeFloatOp>(decodeFloat);
  registry.add<EncodeFloatOp>(encodeFloat);
  registry.add<PowOp>(power);
  registry.add<WhereOp>(where);
  registry.add<BitShiftOp>(bitShift);
  registry.add<IsInfOp>(isInf);
  registry.add<BitcastOp>(bitcast);
}
