//===- Reduction.cpp - reductions to linalg -------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Reductions.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::nn;
using utils::IteratorType;

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

static Value emitBound(OpBuilder &builder, Location location, Type type,
                       bool isUnsigned, bool lowest) {
  TypedAttr attr;
  if (auto real = dyn_cast<FloatType>(type)) {
    attr = builder.getFloatAttr(
        real, APFloat::getInf(real.getFloatSemantics(), /*Negative=*/lowest));
  } else {
    unsigned width = type.getIntOrFloatBitWidth();
    bool plain = isUnsigned || width == 1;
    APInt value = lowest ? (plain ? APInt::getMinValue(width)
                                  : APInt::getSignedMinValue(width))
                         : (plain ? APInt::getMaxValue(width)
                                  : APInt::getSignedMaxValue(width));
    attr = builder.getIntegerAttr(type, value);
  }
  return arith::ConstantOp::create(builder, location, attr);
}

Value nn::emitLowest(OpBuilder &builder, Location location, Type type,
                     bool isUnsigned) {
  return emitBound(builder, location, type, isUnsigned, /*lowest=*/true);
}

Value nn::emitHighest(OpBuilder &builder, Location location, Type type,
                      bool isUnsigned) {
  return emitBound(builder, location, type, isUnsigned, /*lowest=*/false);
}

Value nn::emitAdd(OpBuilder &builder, Location location, Value lhs, Value rhs) {
  if (isa<FloatType>(lhs.getType()))
    return arith::AddFOp::create(
        builder, location, lhs, rhs,
        arith::FastMathFlags::reassoc | arith::FastMathFlags::contract);
  return arith::AddIOp::create(builder, location, lhs, rhs);
}

Value nn::emitMul(OpBuilder &builder, Location location, Value lhs, Value rhs) {
  if (isa<FloatType>(lhs.getType()))
    return arith::MulFOp::create(builder, location, lhs, rhs,
                                 arith::FastMathFlags::contract);
  return arith::MulIOp::create(builder, location, lhs, rhs);
}

DimReduction::DimReduction(TensorEmitter &emitter, ArrayRef<Size> sizes,
                           ArrayRef<int64_t> axes)
    : e(emitter), sizes(sizes) {
  int64_t rank = sizes.size();
  SmallVector<int64_t> kept = getOtherDims(axes, rank);
  iterators.assign(rank, IteratorType::parallel);
  count = e.size(1);
  for (int64_t axis : axes) {
    iterators[axis] = IteratorType::reduction;
    count = e.mul(count, sizes[axis]);
  }
  for (int64_t dim : kept)
    keptSizes.push_back(sizes[dim]);
  fullMap = e.identity(rank);
  keptMap = e.select(rank, kept);
}

Value DimReduction::getCountAs(Type type) const {
  Value integer = arith::IndexCastOp::create(
      e.rewriter, e.location, e.rewriter.getI64Type(), e.asValue(count));
  return emitCast(e.rewriter, e.location, integer, type, false, false);
}

Value DimReduction::fold(Value init, ValueRange inputs,
                         ArrayRef<AffineMap> maps, ElementBody body) const {
  SmallVector<AffineMap> allMaps(maps);
  allMaps.push_back(keptMap);
  return e.reduce(e.filled(keptSizes, init), inputs, allMaps, iterators, body);
}

Value DimReduction::mapFull(Type elementType, ValueRange inputs,
                            ArrayRef<AffineMap> maps, ElementBody body) const {
  return e.map(sizes, elementType, inputs, maps, body);
}

Value DimReduction::mapKept(Type elementType, ValueRange inputs,
                            ElementBody body) const {
  SmallVector<AffineMap> maps(inputs.size(), e.identity(keptSizes.size()));
  return e.map(keptSizes, elementType, inputs, maps, body);
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// The type in which a reduction accumulates: floats for roots and logarithms, and
/// otherwise the integer type, widened for a mean.
static Type getReductionType(Operation *op, Type elementType, Builder &builder) {
  if (isa<FloatType>(elementType))
    return getComputeType(elementType);
  if (isa<ReduceL2Op, ReduceLogSumOp, ReduceLogSumExpOp>(op))
    return builder.getF64Type();
  if (isa<ReduceMeanOp>(op))
    return builder.getI64Type();
  return elementType;
}

/// One element `x` folded into `so far`.
static Value combine(OpBuilder &b, Location l, Operation *op, Value x,
                     Value soFar, bool isUnsigned) {
  bool isFloat = isa<FloatType>(x.getType());
  if (isa<ReduceMaxOp>(op))
    return emitMax(b, l, soFar, x, isUnsigned);
  if (isa<ReduceMinOp>(op))
    return emitMin(b, l, soFar, x, isUnsigned);
  if (isa<ReduceProdOp>(op))
    return emitMul(b, l, soFar, x);
  if (isa<ReduceL1Op>(op) && !isUnsigned)
    x = isFloat ? math::AbsFOp::create(b, l, x).getResult()
                : math::AbsIOp::create(b, l, x).getResult();
  else if (isa<ReduceL2Op, ReduceSumSquareOp>(op))
    x = emitMul(b, l, x, x);
  return emitAdd(b, l, soFar, x);
}

namespace {
/// All reductions except the logarithm of a sum of exponentials.
template <typename OpTy> struct LowerReduce : LinalgPattern<OpTy> {
  using LinalgPattern<OpTy>::LinalgPattern;

  LogicalResult lower(OpTy op, TensorEmitter &e) const override {
    Value input = e.signless(op.getInput());
    SmallVector<int64_t> axes = op.getReducedDims();
    bool isUnsigned = TensorEmitter::isUnsigned(op.getInput());
    Type elementType = TensorEmitter::getElement(input);
    Type type = getReductionType(op, elementType, e.rewriter);
    DimReduction over(e, e.getDims(input), axes);
    auto cast = [&](OpBuilder &b, Location l, Value x) {
      return emitCast(b, l, x, type, isUnsigned, isUnsigned);
    };

    Value init = e.scalar(type, isa<ReduceProdOp>(op) ? 1 : 0);
    if (isa<ReduceMaxOp>(op))
      init = emitLowest(e.rewriter, e.location, type, isUnsigned);
    if (isa<ReduceMinOp>(op))
      init = emitHighest(e.rewriter, e.location, type, isUnsigned);
    Value result = over.fold(
        init, {input}, {over.full()},
        [&](OpBuilder &b, Location l, ValueRange args) {
          return combine(b, l, op, cast(b, l, args[0]), args[1], isUnsigned);
        });
    bool hasEnd = isa<ReduceL2Op, ReduceLogSumOp, ReduceMeanOp>(op);
    if (hasEnd || type != elementType) {
      Value count;
      if (isa<ReduceMeanOp>(op))
        count = over.getCountAs(type);
      // An integer mean of no elements must not divide by zero.
      if (count && !isa<FloatType>(type))
        count = arith::MaxSIOp::create(e.rewriter, e.location, count,
                                       e.scalar(type, 1));
      result = over.mapKept(
          elementType, {result},
          [&](OpBuilder &b, Location l, ValueRange args) -> Value {
            Value x = args[0];
            if (isa<ReduceL2Op>(op))
              x = math::SqrtOp::create(b, l, x);
            else if (isa<ReduceLogSumOp>(op))
              x = math::LogOp::create(b, l, x);
            else if (count && isa<FloatType>(type))
              x = arith::DivFOp::create(b, l, x, count);
            else if (count)
              x = arith::DivSIOp::create(b, l, x, count);
            return emitCast(b, l, x, elementType, false, isUnsigned);
          });
    }
    return e.replace({op.getKeepdims() ? e.insertUnitDims(result, axes) : result});
  }
};

/// ln(sum(exp(x))) = m + ln(sum(exp(x - m))), m the maximum where it is finite.
struct LowerReduceLogSumExp : LinalgPattern<ReduceLogSumExpOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(ReduceLogSumExpOp op, TensorEmitter &e) const override {
    Value input = e.signless(op.getInput());
    SmallVector<int64_t> axes = op.getReducedDims();
    bool isUnsigned = TensorEmitter::isUnsigned(op.getInput());
    Type elementType = TensorEmitter::getElement(input);
    Type type = getReductionType(op, elementType, e.rewriter);
    DimReduction over(e, e.getDims(input), axes);
    auto cast = [&](OpBuilder &b, Location l, Value x) {
      return emitCast(b, l, x, type, isUnsigned, false);
    };
    Value max = over.fold(emitLowest(e.rewriter, e.location, type, false),
                          {input}, {over.full()},
                          [&](OpBuilder &b, Location l, ValueRange args) {
                            return emitMax(b, l, args[1], cast(b, l, args[0]),
                                           false);
                          });
    Value shift = over.mapKept(
        type, {max}, [&](OpBuilder &b, Location l, ValueRange args) -> Value {
          Value zero = emitConstant(b, l, type, 0);
          Value infinity = emitHighest(b, l, type, false);
          Value isFinite = arith::CmpFOp::create(
              b, l, arith::CmpFPredicate::OLT,
              math::AbsFOp::create(b, l, args[0]), infinity);
          return arith::SelectOp::create(b, l, isFinite, args[0], zero);
        });
    Value sum = over.fold(
        e.scalar(type, 0), {input, shift}, {over.full(), over.kept()},
        [&](OpBuilder &b, Location l, ValueRange args) {
          Value x = arith::SubFOp::create(b, l, cast(b, l, args[0]), args[1]);
          return emitAdd(b, l, args[2], math::ExpOp::create(b, l, x));
        });
    Value result = over.mapKept(
        elementType, {sum, shift},
        [&](OpBuilder &b, Location l, ValueRange args) {
          Value log = math::LogOp::create(b, l, args[0]);
          return emitCast(b, l, arith::AddFOp::create(b, l, log, args[1]),
                          elementType, false, isUnsigned);
        });
    return e.replace({op.getKeepdims() ? e.insertUnitDims(result, axes) : result});
  }
};

/// Tracks the best element and its index. NaN is never better.
template <typename OpTy> struct LowerArg : LinalgPattern<OpTy> {
  using LinalgPattern<OpTy>::LinalgPattern;

  LogicalResult lower(OpTy op, TensorEmitter &e) const override {
    constexpr bool isMax = std::is_same_v<OpTy, ArgMaxOp>;
    Value input = e.signless(op.getInput());
    bool isUnsigned = TensorEmitter::isUnsigned(op.getInput());
    Type elementType = TensorEmitter::getElement(input);
    Type type = getComputeType(elementType);
    int64_t rank = TensorEmitter::getRank(input);
    int64_t axis = normalizeAxis(op.getAxis(), rank);
    DimReduction over(e, e.getDims(input), {axis});
    Value first = isMax ? emitLowest(e.rewriter, e.location, type, isUnsigned)
                        : emitHighest(e.rewriter, e.location, type, isUnsigned);
    Value best = e.filled(over.getKeptSizes(), first);
    Value where = e.filled(over.getKeptSizes(), e.rewriter.getI64Type(), 0);
    SmallVector<IteratorType> iterators(rank, IteratorType::parallel);
    iterators[axis] = IteratorType::reduction;
    auto generic = linalg::GenericOp::create(
        e.rewriter, e.location, TypeRange{best.getType(), where.getType()},
        ValueRange{input}, ValueRange{best, where},
        ArrayRef<AffineMap>{over.full(), over.kept(), over.kept()}, iterators,
        [&](OpBuilder &b, Location l, ValueRange args) {
          Value x = emitCast(b, l, args[0], type, isUnsigned, isUnsigned);
          Value index = arith::IndexCastOp::create(
              b, l, b.getI64Type(), linalg::IndexOp::create(b, l, axis));
          Value better = compare(b, l, x, args[1], isMax,
                                 op.getSelectLastIndex(), isUnsigned);
          Value value = arith::SelectOp::create(b, l, better, x, args[1]);
          Value place = arith::SelectOp::create(b, l, better, index, args[2]);
          linalg::YieldOp::create(b, l, ValueRange{value, place});
        });
    Value result = generic.getResult(1);
    return e.replace({op.getKeepdims() ? e.insertUnitDims(result, {axis}) : result});
  }

  static Value compare(OpBuilder &b, Location l, Value x, Value best, bool isMax,
                       bool orEqual, bool isUnsigned) {
    if (isa<FloatType>(x.getType())) {
      using P = arith::CmpFPredicate;
      P predicate = isMax ? (orEqual ? P::OGE : P::OGT)
                          : (orEqual ? P::OLE : P::OLT);
      return arith::CmpFOp::create(b, l, predicate, x, best);
    }
    using P = arith::CmpIPredicate;
    P predicate =
        isMax ? (orEqual ? (isUnsigned ? P::uge : P::sge)
                         : (isUnsigned ? P::ugt : P::sgt))
              : (orEqual ? (isUnsigned ? P::ule : P::sle)
                         : (isUnsigned ? P::ult : P::slt));
    return arith::CmpIOp::create(b, l, predicate, x, best);
  }
};

/// One loop nest with the axis innermost, which carries the sum (or product).
template <typename OpTy> struct LowerCumulative : LinalgPattern<OpTy> {
  using LinalgPattern<OpTy>::LinalgPattern;

  LogicalResult lower(OpTy op, TensorEmitter &e) const override {
    constexpr bool isSum = std::is_same_v<OpTy, CumSumOp>;
    Value input = e.signless(op.getInput());
    Type elementType = TensorEmitter::getElement(input);
    Type type = getComputeType(elementType);
    bool isUnsigned = TensorEmitter::isUnsigned(op.getInput());
    Sizes sizes = e.getDims(input);
    int64_t rank = sizes.size(), axis = normalizeAxis(op.getAxis(), rank);
    Sizes outer(sizes);
    outer.erase(outer.begin() + axis);
    Value size = e.asValue(sizes[axis]);
    Value start = e.scalar(type, isSum ? 0 : 1);
    Value zero = e.asValue(e.size(0)), one = e.asValue(e.size(1));
    SmallVector<Value> results = e.loops(
        outer, e.empty(sizes, elementType),
        [&](OpBuilder &b, Location l, ValueRange indices, ValueRange carried) {
          auto line = scf::ForOp::create(b, l, zero, size, one,
                                         ValueRange{carried[0], start});
          OpBuilder inner = OpBuilder::atBlockEnd(line.getBody(), b.getListener());
          Value at = line.getInductionVar();
          if (op.getReverse())
            at = arith::SubIOp::create(inner, l,
                                       arith::SubIOp::create(inner, l, size, one), at);
          SmallVector<Value> place(indices);
          place.insert(place.begin() + axis, at);
          Value x = tensor::ExtractOp::create(inner, l, input, place);
          x = emitCast(inner, l, x, type, isUnsigned, isUnsigned);
          Value sum = line.getRegionIterArg(1);
          Value next = isSum ? emitAdd(inner, l, sum, x) : emitMul(inner, l, sum, x);
          Value stored = emitCast(inner, l, op.getExclusive() ? sum : next, elementType,
                                  isUnsigned, isUnsigned);
          Value tensor = tensor::InsertOp::create(inner, l, stored,
                                                  line.getRegionIterArg(0), place);
          scf::YieldOp::create(inner, l, ValueRange{tensor, next});
          return SmallVector<Value>{line.getResult(0)};
        });
    return e.replace(results);
  }
};
} // namespace

void nn::populateReductionToLinalg(RewritePatternSet &patterns,
                                   SymbolicDims &symbols) {
  patterns.add<LowerReduce<ReduceL1Op>, LowerReduce<ReduceL2Op>,
               LowerReduce<ReduceLogSumOp>, LowerReduce<ReduceMaxOp>,
               LowerReduce<ReduceMeanOp>, LowerReduce<ReduceMinOp>,
               LowerReduce<ReduceProdOp>, LowerReduce<ReduceSumOp>,
               LowerReduce<ReduceSumSquareOp>, LowerReduceLogSumExp,
               LowerArg<ArgMaxOp>, LowerArg<ArgMinOp>,
               LowerCumulative<CumSumOp>, LowerCumulative<CumProdOp>>(
      patterns.getContext(), symbols);
}
