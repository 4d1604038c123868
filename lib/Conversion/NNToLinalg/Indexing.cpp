//===- Indexing.cpp - operators that pick elements by index to linalg -----===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Reductions.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "nn/Support/HostTensor.h"

using namespace mlir;
using namespace mlir::nn;

namespace {
/// The smallest size of which all numbers of a constant are indices, for each of
/// `columns` entries of its last dimension, or for all.
std::optional<SmallVector<int64_t>> getSmallestSizes(Value indices,
                                                            int64_t columns) {
  ElementsAttr elements;
  if (!matchPattern(indices, m_Constant(&elements)))
    return std::nullopt;
  FailureOr<HostTensor> numbers = toHostTensor(elements);
  if (failed(numbers))
    return std::nullopt;
  SmallVector<int64_t> sizes(columns, 0);
  for (int64_t i = 0, e = numbers->getNumElements(); i < e; ++i) {
    int64_t index = numbers->getInt(i), &size = sizes[i % columns];
    size = std::max(size, index < 0 ? -std::max<int64_t>(index, -INT64_MAX)
                                    : std::min<int64_t>(index, INT64_MAX - 1) + 1);
  }
  return sizes;
}

/// Checks that integers are indices into a dimension of the data, -size <= index <
/// size, unless that is known. There is one size for all of them, or one for each entry
/// of the last dimension of `indices`, and as many numbers of dimensions. One pass over
/// the indices.
void checkIndices(TensorEmitter &e, Value indices, ArrayRef<Size> sizes,
                  ArrayRef<int64_t> dims) {
  PatternRewriter &b = e.rewriter;
  Location loc = e.location;
  auto getMessage = [&](int64_t column) {
    return ("an index is out of bounds for dimension " + Twine(dims[column]) +
            " of the data").str();
  };
  int64_t columns = sizes.size(), rank = TensorEmitter::getRank(indices);
  if (auto smallest = getSmallestSizes(indices, columns)) {
    for (auto [column, size] : llvm::enumerate(*smallest))
      if (size > 0)
        e.check(b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::sge,
                                              e.asValue(sizes[column]),
                                              e.asValue(e.size(size))),
                getMessage(column));
    return;
  }
  // -size <= index < size, as 0 <= index + size < 2 * size of unsigned numbers.
  auto isOutside = [](OpBuilder &b, Location l, Value index, Value size) -> Value {
    if (!index.getType().isIndex())
      index = arith::IndexCastOp::create(b, l, b.getIndexType(), index);
    return arith::CmpIOp::create(b, l, arith::CmpIPredicate::uge,
                                 arith::AddIOp::create(b, l, index, size),
                                 arith::AddIOp::create(b, l, size, size));
  };
  auto checkNot = [&](Value outside, int64_t column) {
    Value yes = arith::ConstantIntOp::create(b, loc, 1, 1);
    e.check(arith::XOrIOp::create(b, loc, outside, yes), getMessage(column));
  };
  // A column at a time, which the compiler makes vectors of.
  for (int64_t column = 0; column < columns; ++column) {
    Value size = e.asValue(sizes[column]);
    if (rank == 0 || (rank == 1 && columns > 1)) {
      SmallVector<Value> place(rank, e.asValue(e.size(column)));
      Value index = tensor::ExtractOp::create(b, loc, indices, place);
      checkNot(isOutside(b, loc, index, size), column);
      continue;
    }
    Value part = indices;
    if (columns > 1) {
      Sizes offsets(rank, e.size(0)), strides(rank, e.size(1));
      Sizes whole = e.getDims(indices);
      offsets.back() = e.size(column);
      whole.back() = e.size(1);
      part = e.extractSlice(indices, offsets, whole, strides);
    }
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::reduction);
    Value found = e.reduce(
        e.filled({}, b.getI1Type(), 0), {part}, {e.identity(rank), e.affineMap(rank, {})},
        iterators, [&](OpBuilder &inner, Location l, ValueRange args) -> Value {
          return arith::OrIOp::create(inner, l, args[1],
                                      isOutside(inner, l, args[0], size));
        });
    checkNot(tensor::ExtractOp::create(b, loc, found, ValueRange()), column);
  }
}

struct LowerGather : LinalgPattern<GatherOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(GatherOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    Value input = e.signless(op.getInput());
    int64_t rank = sizes->size();
    int64_t axis = normalizeAxis(op.getAxis(), TensorEmitter::getRank(input));
    int64_t indexRank = TensorEmitter::getRank(op.getIndices());
    auto indexDims = llvm::to_vector(llvm::seq<int64_t>(axis, axis + indexRank));
    Value dim = e.asValue(e.getDim(input, axis));
    checkIndices(e, op.getIndices(), {e.getDim(input, axis)}, {axis});
    Value result = e.map(
        *sizes, TensorEmitter::getElement(input), {op.getIndices()},
        {e.select(rank, indexDims)},
        [&](OpBuilder &b, Location l, ValueRange args) {
          Value index = TensorEmitter::countFromEnd(b, l, args[0], dim);
          SmallVector<Value> from;
          for (int64_t i = 0; i < axis; ++i)
            from.push_back(linalg::IndexOp::create(b, l, i));
          from.push_back(index);
          for (int64_t i = axis + indexRank; i < rank; ++i)
            from.push_back(linalg::IndexOp::create(b, l, i));
          return tensor::ExtractOp::create(b, l, input, from).getResult();
        });
    return e.replace({result});
  }
};

/// Checks that indices lie inside the data in the dimensions that they don't index.
void checkInside(TensorEmitter &e, Value indices, Value data, int64_t axis) {
  for (int64_t i = 0; i < TensorEmitter::getRank(data); ++i)
    if (i != axis)
      e.checkDimAtMost(indices, data, i,
                       "there are more indices than data in dimension " + Twine(i));
}

struct LowerGatherElements : LinalgPattern<GatherElementsOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(GatherElementsOp op, TensorEmitter &e) const override {
    Value input = e.signless(op.getInput());
    int64_t rank = TensorEmitter::getRank(input);
    int64_t axis = normalizeAxis(op.getAxis(), rank);
    Value dim = e.asValue(e.getDim(input, axis));
    checkInside(e, op.getIndices(), input, axis);
    checkIndices(e, op.getIndices(), {e.getDim(input, axis)}, {axis});
    Value result = e.map(
        e.getDims(op.getIndices()), TensorEmitter::getElement(input),
        {op.getIndices()}, {e.identity(rank)},
        [&](OpBuilder &b, Location l, ValueRange args) -> Value {
          SmallVector<Value> from;
          for (int64_t i = 0; i < rank; ++i)
            from.push_back(i == axis ? TensorEmitter::countFromEnd(b, l, args[0], dim)
                                     : linalg::IndexOp::create(b, l, i).getResult());
          return tensor::ExtractOp::create(b, l, input, from);
        });
    return e.replace({result});
  }
};

/// Checks tuples of indices into dimensions of `data` from `first` on, and gives the
/// sizes of these.
SmallVector<Value> checkTuples(TensorEmitter &e, Value indices, Value data,
                               int64_t first) {
  Sizes sizes;
  SmallVector<int64_t> dims;
  int64_t length = cast<RankedTensorType>(indices.getType()).getShape().back();
  for (int64_t i = 0; i < length; ++i) {
    sizes.push_back(e.getDim(data, first + i));
    dims.push_back(first + i);
  }
  if (length > 0)
    checkIndices(e, indices, sizes, dims);
  return llvm::map_to_vector(sizes, [&](Size size) { return e.asValue(size); });
}

/// Reads the tuple of indices at `place` of `indices`.
SmallVector<Value> readTuple(OpBuilder &b, Location l, Value indices,
                             ValueRange place, ValueRange dims) {
  SmallVector<Value> tuple;
  for (auto [i, dim] : llvm::enumerate(dims)) {
    SmallVector<Value> at(place);
    at.push_back(arith::ConstantIndexOp::create(b, l, i));
    Value index = tensor::ExtractOp::create(b, l, indices, at);
    tuple.push_back(TensorEmitter::countFromEnd(b, l, index, dim));
  }
  return tuple;
}

struct LowerGatherND : LinalgPattern<GatherNDOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(GatherNDOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    Value input = e.signless(op.getInput()), indices = op.getIndices();
    int64_t batch = op.getBatchDims();
    int64_t outer = TensorEmitter::getRank(indices) - 1;
    for (int64_t i = 0; i < batch; ++i)
      e.checkSameDim(input, i, indices, i,
                     "data and indices differ in batch dimension " + Twine(i));
    SmallVector<Value> dims = checkTuples(e, indices, input, batch);
    Value result = e.generate(
        *sizes, TensorEmitter::getElement(input),
        [&](OpBuilder &b, Location l, ValueRange place) -> Value {
          SmallVector<Value> from(place.take_front(batch));
          llvm::append_range(
              from, readTuple(b, l, indices, place.take_front(outer), dims));
          llvm::append_range(from, place.drop_front(outer));
          return tensor::ExtractOp::create(b, l, input, from);
        });
    return e.replace({result});
  }
};

/// What an update makes of the element that is there.
Value combine(OpBuilder &b, Location l, StringRef reduction, Value old, Value update,
              bool isUnsigned) {
  if (reduction == "none")
    return update;
  Type elementType = old.getType(), type = getComputeType(elementType);
  old = emitCast(b, l, old, type, isUnsigned, isUnsigned);
  update = emitCast(b, l, update, type, isUnsigned, isUnsigned);
  Value result = reduction == "add"   ? emitAdd(b, l, old, update)
                 : reduction == "mul" ? emitMul(b, l, old, update)
                 : reduction == "max" ? emitMax(b, l, old, update, isUnsigned)
                                      : emitMin(b, l, old, update, isUnsigned);
  return emitCast(b, l, result, elementType, isUnsigned, isUnsigned);
}

/// Loops over the updates that write into a copy of the input. The indices of an update in
/// the first `outer` dimensions say where in the data it goes: `getPlace` gives the first
/// indices there. The others are those of the update, so that slices are moved as such.
LogicalResult
emitScatter(TensorEmitter &e, Value original, Value updates, StringRef reduction,
            int64_t outer,
            function_ref<SmallVector<Value>(OpBuilder &, Location, ValueRange)> getPlace) {
  bool isUnsigned = TensorEmitter::isUnsigned(original);
  updates = e.signless(updates);
  Sizes sizes = e.getDims(updates);
  SmallVector<Value> results = e.loops(
      ArrayRef(sizes).take_front(outer), e.copyOf(e.signless(original)),
      [&](OpBuilder &b, Location l, ValueRange first, ValueRange carried) {
        SmallVector<Value> front = getPlace(b, l, first);
        OpBuilder::InsertionGuard guard(e.rewriter);
        e.rewriter.restoreInsertionPoint(b.saveInsertionPoint());
        return e.loops(
            ArrayRef(sizes).drop_front(outer), carried,
            [&](OpBuilder &b, Location l, ValueRange rest, ValueRange carried) {
              SmallVector<Value> from(first), place(front);
              llvm::append_range(from, rest);
              llvm::append_range(place, rest);
              Value value = tensor::ExtractOp::create(b, l, updates, from);
              if (reduction != "none") {
                Value old = tensor::ExtractOp::create(b, l, carried[0], place);
                value = combine(b, l, reduction, old, value, isUnsigned);
              }
              return SmallVector<Value>{
                  tensor::InsertOp::create(b, l, value, carried[0], place)};
            });
      });
  return e.replace(results);
}

struct LowerScatterElements : LinalgPattern<ScatterElementsOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(ScatterElementsOp op, TensorEmitter &e) const override {
    int64_t axis = normalizeAxis(op.getAxis(), TensorEmitter::getRank(op.getInput()));
    for (int64_t i = 0; i < TensorEmitter::getRank(op.getIndices()); ++i)
      e.checkSameDim(op.getIndices(), i, op.getUpdates(), i,
                     "indices and updates differ in dimension " + Twine(i));
    Value dim = e.asValue(e.getDim(op.getInput(), axis));
    Value indices = op.getIndices();
    checkInside(e, indices, op.getInput(), axis);
    checkIndices(e, indices, {e.getDim(op.getInput(), axis)}, {axis});
    return emitScatter(e, op.getInput(), op.getUpdates(), op.getReduction(),
                       TensorEmitter::getRank(indices),
                       [&](OpBuilder &b, Location l, ValueRange at) {
                         SmallVector<Value> place(at);
                         Value index = tensor::ExtractOp::create(b, l, indices, at);
                         place[axis] = TensorEmitter::countFromEnd(b, l, index, dim);
                         return place;
                       });
  }
};

struct LowerScatterND : LinalgPattern<ScatterNDOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(ScatterNDOp op, TensorEmitter &e) const override {
    Value indices = op.getIndices();
    int64_t outer = TensorEmitter::getRank(indices) - 1;
    for (int64_t i = 0; i < outer; ++i)
      e.checkSameDim(indices, i, op.getUpdates(), i,
                     "indices and updates differ in dimension " + Twine(i));
    int64_t updated = TensorEmitter::getRank(op.getUpdates());
    int64_t skipped = TensorEmitter::getRank(op.getInput()) - updated;
    for (int64_t i = outer; i < updated; ++i)
      e.checkSameDim(op.getUpdates(), i, op.getInput(), i + skipped,
                     "updates and data differ in dimension " + Twine(i) + " of the updates");
    SmallVector<Value> dims = checkTuples(e, indices, op.getInput(), 0);
    return emitScatter(e, op.getInput(), op.getUpdates(), op.getReduction(), outer,
                       [&](OpBuilder &b, Location l, ValueRange at) {
                         return readTuple(b, l, indices, at, dims);
                       });
  }
};

/// How many numbers there are shows at run time, unless the shape function knows.
struct LowerRange : LinalgPattern<RangeOp> {
  using LinalgPattern::LinalgPattern;

  static Value readScalar(TensorEmitter &e, Value tensor) {
    return tensor::ExtractOp::create(e.rewriter, e.location, e.signless(tensor),
                                     ValueRange());
  }

  /// ceil((limit - start) / delta), or 0 where that is negative.
  static Value count(TensorEmitter &e, Value start, Value limit, Value delta,
                     bool isUnsigned) {
    OpBuilder &b = e.rewriter;
    Location l = e.location;
    Value zero = e.asValue(e.size(0));
    if (isa<FloatType>(start.getType())) {
      Type f64 = b.getF64Type();
      auto widen = [&](Value x) { return emitCast(b, l, x, f64, false, false); };
      Value distance = arith::SubFOp::create(b, l, widen(limit), widen(start));
      Value steps = arith::DivFOp::create(b, l, distance, widen(delta));
      steps = math::CeilOp::create(b, l, steps);
      Value none = emitConstant(b, l, f64, 0);
      // Neither negative nor NaN.
      Value some = arith::CmpFOp::create(b, l, arith::CmpFPredicate::OGT, steps, none);
      steps = arith::SelectOp::create(b, l, some, steps, none);
      Value number = arith::FPToSIOp::create(b, l, b.getI64Type(), steps);
      return arith::IndexCastOp::create(b, l, b.getIndexType(), number);
    }
    auto widen = [&](Value x) {
      x = emitCast(b, l, x, b.getI64Type(), isUnsigned, isUnsigned);
      return arith::IndexCastOp::create(b, l, b.getIndexType(), x).getResult();
    };
    start = widen(start), limit = widen(limit), delta = widen(delta);
    Value isZero =
        arith::CmpIOp::create(b, l, arith::CmpIPredicate::eq, delta, zero);
    Value one = e.asValue(e.size(1));
    Value isFine = arith::XOrIOp::create(
        b, l, isZero, arith::ConstantIntOp::create(b, l, 1, 1));
    e.check(isFine, "delta is 0");
    delta = arith::SelectOp::create(b, l, isZero, one, delta);
    Value distance = arith::SubIOp::create(b, l, limit, start);
    Value steps = arith::CeilDivSIOp::create(b, l, distance, delta);
    return arith::MaxSIOp::create(b, l, steps, zero);
  }

  LogicalResult lower(RangeOp op, TensorEmitter &e) const override {
    bool isUnsigned = TensorEmitter::isUnsigned(op.getStart());
    Value start = readScalar(e, op.getStart()), delta = readScalar(e, op.getDelta());
    auto type = cast<RankedTensorType>(op.getType());
    Size size = type.isDynamicDim(0)
                    ? Size(count(e, start, readScalar(e, op.getLimit()), delta,
                                 isUnsigned))
                    : e.size(type.getDimSize(0));
    Type elementType = start.getType();
    Type compute = getComputeType(elementType);
    Value result = e.generate(
        {size}, elementType, [&](OpBuilder &b, Location l, ValueRange place) {
          Value index = arith::IndexCastOp::create(b, l, b.getI64Type(), place[0]);
          Value number = emitCast(b, l, index, compute, false, isUnsigned);
          Value step = emitCast(b, l, delta, compute, isUnsigned, isUnsigned);
          Value first = emitCast(b, l, start, compute, isUnsigned, isUnsigned);
          Value sum = emitAdd(b, l, first, emitMul(b, l, number, step));
          return emitCast(b, l, sum, elementType, isUnsigned, isUnsigned);
        });
    return e.replace({result});
  }
};
} // namespace

void nn::populateIndexingToLinalg(RewritePatternSet &patterns,
                                  SymbolicDims &symbols) {
  patterns.add<LowerGather, LowerGatherElements, LowerGatherND, LowerScatterElements,
               LowerScatterND, LowerRange>(patterns.getContext(), symbols);
}
