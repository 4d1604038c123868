//===- Arith.cpp - arithmetic of upstream dialects ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Operators of arith and affine on scalars (tensors of rank 0 here) and,
// elementwise, on tensors. Integers are held sign-extended, but for i1, which
// is 0 or 1.
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

template <typename OpT, typename F>
static void addInt(Registry &registry, F function) {
  registry.add<OpT>([=](OpT, Call &call) {
    Ints x = readInts(call.getOperand(0)), y = readInts(call.getOperand(1));
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = function(x[i], y[i]);
    return call.give(
        makeTensor(call.getResultType(), call.getOperand(0).getDims(), x));
  });
}

/// As above, for operators that have no result for a divisor of 0.
template <typename OpT, typename F>
static void addDivision(Registry &registry, F function) {
  registry.add<OpT>([=](OpT, Call &call) {
    Ints x = readInts(call.getOperand(0)), y = readInts(call.getOperand(1));
    for (size_t i = 0; i < x.size(); ++i) {
      if (y[i] == 0)
        return call.fail("an integer is divided by zero");
      x[i] = function(x[i], y[i]);
    }
    return call.give(
        makeTensor(call.getResultType(), call.getOperand(0).getDims(), x));
  });
}

template <typename OpT, typename F>
static void addFloat(Registry &registry, F function) {
  registry.add<OpT>([=](OpT, Call &call) {
    Doubles x = readDoubles(call.getOperand(0)), y = readDoubles(call.getOperand(1));
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = function(x[i], y[i]);
    return call.give(
        makeTensor(call.getResultType(), call.getOperand(0).getDims(), x));
  });
}

/// A conversion: elements go through int64_t or double.
template <typename OpT> static void addIntConversion(Registry &registry) {
  registry.add<OpT>([](OpT, Call &call) {
    return call.give(makeTensor(call.getResultType(),
                                call.getOperand(0).getDims(),
                                readInts(call.getOperand(0))));
  });
}
template <typename OpT> static void addFloatConversion(Registry &registry) {
  registry.add<OpT>([](OpT, Call &call) {
    return call.give(makeTensor(call.getResultType(),
                                call.getOperand(0).getDims(),
                                readDoubles(call.getOperand(0))));
  });
}

/// The value without its sign extension, by the width of the operand's type.
static uint64_t zeroExtend(int64_t value, DataType type) {
  unsigned bits = 8 * getByteSize(type);
  return bits == 64 ? uint64_t(value) : uint64_t(value) & ((1ull << bits) - 1);
}

static bool compare(arith::CmpIPredicate predicate, int64_t x, int64_t y) {
  switch (predicate) {
  case arith::CmpIPredicate::eq: return x == y;
  case arith::CmpIPredicate::ne: return x != y;
  case arith::CmpIPredicate::slt: return x < y;
  case arith::CmpIPredicate::sle: return x <= y;
  case arith::CmpIPredicate::sgt: return x > y;
  case arith::CmpIPredicate::sge: return x >= y;
  case arith::CmpIPredicate::ult: return uint64_t(x) < uint64_t(y);
  case arith::CmpIPredicate::ule: return uint64_t(x) <= uint64_t(y);
  case arith::CmpIPredicate::ugt: return uint64_t(x) > uint64_t(y);
  case arith::CmpIPredicate::uge: return uint64_t(x) >= uint64_t(y);
  }
  llvm_unreachable("all predicates are covered");
}

static bool compare(arith::CmpFPredicate predicate, double x, double y) {
  bool unordered = x != x || y != y;
  switch (predicate) {
  case arith::CmpFPredicate::AlwaysFalse: return false;
  case arith::CmpFPredicate::OEQ: return !unordered && x == y;
  case arith::CmpFPredicate::OGT: return !unordered && x > y;
  case arith::CmpFPredicate::OGE: return !unordered && x >= y;
  case arith::CmpFPredicate::OLT: return !unordered && x < y;
  case arith::CmpFPredicate::OLE: return !unordered && x <= y;
  case arith::CmpFPredicate::ONE: return !unordered && x != y;
  case arith::CmpFPredicate::ORD: return !unordered;
  case arith::CmpFPredicate::UEQ: return unordered || x == y;
  case arith::CmpFPredicate::UGT: return unordered || x > y;
  case arith::CmpFPredicate::UGE: return unordered || x >= y;
  case arith::CmpFPredicate::ULT: return unordered || x < y;
  case arith::CmpFPredicate::ULE: return unordered || x <= y;
  case arith::CmpFPredicate::UNE: return unordered || x != y;
  case arith::CmpFPredicate::UNO: return unordered;
  case arith::CmpFPredicate::AlwaysTrue: return true;
  }
  llvm_unreachable("all predicates are covered");
}

static LogicalResult constant(arith::ConstantOp op, Call &call) {
  if (auto elements = dyn_cast<ElementsAttr>(op.getValue())) {
    FailureOr<HostTensor> tensor = toHostTensor(elements);
    return succeeded(tensor) ? call.give(*tensor)
                             : call.fail("the elements are not at hand");
  }
  if (auto value = dyn_cast<IntegerAttr>(op.getValue()))
    return call.give(makeTensor(call.getResultType(), {},
                                Ints{value.getValue().getSExtValue()}));
  if (auto value = dyn_cast<FloatAttr>(op.getValue()))
    return call.give(makeTensor(call.getResultType(), {},
                                Doubles{value.getValueAsDouble()}));
  return call.fail("constants of this kind are not interpreted");
}

/// affine.apply, affine.min and affine.max: `choose` picks among the results.
template <typename OpT, typename Choose>
static void addAffine(Registry &registry, Choose choose) {
  registry.add<OpT>([=](OpT op, Call &call) {
    SmallVector<Attribute> operands;
    Builder builder(op.getContext());
    for (const HostTensor &operand : call.getOperands())
      operands.push_back(builder.getIndexAttr(operand.getInt(0)));
    SmallVector<Attribute> results;
    if (failed(op.getAffineMap().constantFold(operands, results)))
      return call.fail("the affine expression has no value");
    int64_t value = cast<IntegerAttr>(results.front()).getInt();
    for (Attribute result : results)
      value = choose(value, cast<IntegerAttr>(result).getInt());
    return call.give(HostTensor::scalar(value));
  });
}

static LogicalResult selectElements(arith::SelectOp op, Call &call) {
  const HostTensor &condition = call[op.getCondition()];
  const HostTensor &yes = call[op.getTrueValue()], &no = call[op.getFalseValue()];
  if (condition.getNumElements() != yes.getNumElements())
    return call.give(condition.getInt(0) ? yes : no);
  HostTensor result = HostTensor::allocate(yes.getType(), yes.getDims());
  for (int64_t i = 0; i < yes.getNumElements(); ++i)
    copyElement(condition.getInt(i) ? yes : no, i, result, i);
  return call.give(std::move(result));
}

void interpreter::registerArith(Registry &registry) {
  using namespace arith;
  using I = int64_t;
  registry.add<arith::ConstantOp>(constant);
  registry.add<SelectOp>(selectElements);
  registry.add<cf::AssertOp>([](cf::AssertOp op, Call &call) {
    return call.getOperand(0).getInt(0) ? success() : call.fail(op.getMsg());
  });
  addInt<AddIOp>(registry, [](I x, I y) { return I(uint64_t(x) + uint64_t(y)); });
  addInt<SubIOp>(registry, [](I x, I y) { return I(uint64_t(x) - uint64_t(y)); });
  addInt<MulIOp>(registry, [](I x, I y) { return I(uint64_t(x) * uint64_t(y)); });
  addInt<AndIOp>(registry, [](I x, I y) { return x & y; });
  addInt<OrIOp>(registry, [](I x, I y) { return x | y; });
  addInt<XOrIOp>(registry, [](I x, I y) { return x ^ y; });
  addInt<ShRSIOp>(registry, [](I x, I y) { return x >> std::min<uint64_t>(y, 63); });
  // Of 64 bits: what computes with sizes.
  registry.add<MulSIExtendedOp>([](MulSIExtendedOp, Call &call) {
    Ints x = readInts(call.getOperand(0)), y = readInts(call.getOperand(1)), high(x);
    if (getBitWidth(call.getResultType()) != 64)
      return call.fail("is interpreted for 64 bits only");
    for (size_t i = 0; i < x.size(); ++i) {
      __int128 product = __int128(x[i]) * y[i];
      x[i] = I(product);
      high[i] = I(product >> 64);
    }
    ArrayRef<int64_t> dims = call.getOperand(0).getDims();
    (void)call.give(makeTensor(call.getResultType(), dims, x));
    return call.give(makeTensor(call.getResultType(1), dims, high));
  });
  addInt<MaxSIOp>(registry, [](I x, I y) { return std::max(x, y); });
  addInt<MinSIOp>(registry, [](I x, I y) { return std::min(x, y); });
  addInt<MaxUIOp>(registry, [](I x, I y) { return I(std::max<uint64_t>(x, y)); });
  addInt<MinUIOp>(registry, [](I x, I y) { return I(std::min<uint64_t>(x, y)); });
  addDivision<DivSIOp>(registry, [](I x, I y) { return y == -1 ? I(0 - uint64_t(x)) : x / y; });
  addDivision<DivUIOp>(registry, [](I x, I y) { return I(uint64_t(x) / uint64_t(y)); });
  addDivision<RemSIOp>(registry, [](I x, I y) { return y == -1 ? 0 : x % y; });
  addDivision<RemUIOp>(registry, [](I x, I y) { return I(uint64_t(x) % uint64_t(y)); });
  addDivision<FloorDivSIOp>(registry, [](I x, I y) { return llvm::divideFloorSigned(x, y); });
  addDivision<CeilDivSIOp>(registry, [](I x, I y) { return llvm::divideCeilSigned(x, y); });
  addDivision<CeilDivUIOp>(registry, [](I x, I y) { return I(llvm::divideCeil(uint64_t(x), uint64_t(y))); });
  registry.add<CmpIOp>([](CmpIOp op, Call &call) {
    Ints x = readInts(call.getOperand(0)), y = readInts(call.getOperand(1));
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = compare(op.getPredicate(), x[i], y[i]);
    return call.give(makeTensor(DataType::Bool, call.getOperand(0).getDims(), x));
  });

  addFloat<AddFOp>(registry, [](double x, double y) { return x + y; });
  addFloat<SubFOp>(registry, [](double x, double y) { return x - y; });
  addFloat<MulFOp>(registry, [](double x, double y) { return x * y; });
  addFloat<DivFOp>(registry, [](double x, double y) { return x / y; });
  addFloat<MaximumFOp>(registry, [](double x, double y) {
    return x != x || y != y ? x + y : std::max(x, y);
  });
  addFloat<MinimumFOp>(registry, [](double x, double y) {
    return x != x || y != y ? x + y : std::min(x, y);
  });
  addFloat<MaxNumFOp>(registry, [](double x, double y) { return std::fmax(x, y); });
  addFloat<MinNumFOp>(registry, [](double x, double y) { return std::fmin(x, y); });
  registry.add<NegFOp>([](NegFOp, Call &call) {
    Doubles x = readDoubles(call.getOperand(0));
    for (double &value : x)
      value = -value;
    return call.give(
        makeTensor(call.getResultType(), call.getOperand(0).getDims(), x));
  });
  registry.add<CmpFOp>([](CmpFOp op, Call &call) {
    Doubles x = readDoubles(call.getOperand(0)), y = readDoubles(call.getOperand(1));
    Ints results(x.size());
    for (size_t i = 0; i < x.size(); ++i)
      results[i] = compare(op.getPredicate(), x[i], y[i]);
    return call.give(
        makeTensor(DataType::Bool, call.getOperand(0).getDims(), results));
  });

  addIntConversion<TruncIOp>(registry);
  addIntConversion<IndexCastOp>(registry);
  // i1 is held as 0 or 1; its sign extension is 0 or -1.
  registry.add<ExtSIOp>([](ExtSIOp, Call &call) {
    Ints x = readInts(call.getOperand(0));
    if (call.getOperand(0).getType() == DataType::Bool)
      for (int64_t &value : x)
        value = -value;
    return call.give(
        makeTensor(call.getResultType(), call.getOperand(0).getDims(), x));
  });
  auto zeroExtended = [](auto, Call &call) {
    Ints x = readInts(call.getOperand(0));
    for (int64_t &value : x)
      value = int64_t(zeroExtend(value, call.getOperand(0).getType()));
    return call.give(
        makeTensor(call.getResultType(), call.getOperand(0).getDims(), x));
  };
  registry.add<ExtUIOp>(zeroExtended);
  registry.add<IndexCastUIOp>(zeroExtended);
  registry.add<UIToFPOp>([](UIToFPOp, Call &call) {
    const HostTensor &input = call.getOperand(0);
    Doubles results(input.getNumElements());
    for (size_t i = 0; i < results.size(); ++i)
      results[i] = double(zeroExtend(input.getInt(i), input.getType()));
    return call.give(makeTensor(call.getResultType(), input.getDims(), results));
  });
  addIntConversion<SIToFPOp>(registry);
  addIntConversion<FPToSIOp>(registry);
  addIntConversion<FPToUIOp>(registry);
  addFloatConversion<ExtFOp>(registry);
  addFloatConversion<TruncFOp>(registry);

  addAffine<affine::AffineApplyOp>(registry, [](I, I value) { return value; });
  addAffine<affine::AffineMinOp>(registry, [](I x, I y) { return std::min(x, y); });
  addAffine<affine::AffineMaxOp>(registry, [](I x, I y) { return std::max(x, y); });
}
