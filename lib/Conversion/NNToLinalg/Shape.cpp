//===- Shape.cpp - operators that move data to linalg ---------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "TensorEmitter.h"
#include "dialects/NN/IR/SpatialShapes.h"

using namespace mlir;
using namespace mlir::nn;

namespace {

//===----------------------------------------------------------------------===//
// Concat, Split, Slice
//===----------------------------------------------------------------------===//

/// All parts are written into one destination.
struct LowerConcat : LinalgPattern<ConcatOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(ConcatOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    int64_t rank = sizes->size();
    int64_t axis = normalizeAxis(op.getAxis(), rank);
    Value first = op.getInputs()[0];
    if (op.getInputs().size() == 1)
      return e.replace({e.signless(first)});
    Value result = e.empty(*sizes, TensorEmitter::getElement(first));
    Sizes offsets(rank, e.size(0));
    for (Value input : op.getInputs()) {
      for (int64_t i = 0; i < rank; ++i)
        if (i != axis && input != first)
          e.checkSameDim(first, i, input, i,
                         "inputs differ in dimension " + Twine(i));
      Value part = e.signless(input);
      result = e.insertSlice(part, result, offsets);
      offsets[axis] = e.add(offsets[axis], e.getDims(part)[axis]);
    }
    return e.replace({result});
  }
};

struct LowerSplit : LinalgPattern<SplitOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(SplitOp op, TensorEmitter &e) const override {
    Value input = e.signless(op.getInput());
    Sizes sizes = e.getDims(input);
    int64_t rank = sizes.size();
    int64_t axis = normalizeAxis(op.getAxis(), rank);
    Size whole = sizes[axis];
    Sizes offsets(rank, e.size(0)), strides(rank, e.size(1));
    SmallVector<Value> results;
    for (int64_t count : op.getSizes()) {
      offsets[axis] = e.add(offsets[axis], e.size(count));
    }
    e.checkEqual(offsets[axis], whole, "the parts' sizes do not sum up to the "
                                       "dimension");
    offsets[axis] = e.size(0);
    for (int64_t count : op.getSizes()) {
      sizes[axis] = e.size(count);
      results.push_back(e.extractSlice(input, offsets, sizes, strides));
      offsets[axis] = e.add(offsets[axis], e.size(count));
    }
    return e.replace(results);
  }
};

/// Forward slices are views; elements of backward ones are gathered.
struct LowerSlice : LinalgPattern<SliceOp> {
  using LinalgPattern::LinalgPattern;

  /// An index counted from the front.
  static Size fromFront(TensorEmitter &e, Size index, Size dim) {
    if (auto known = TensorEmitter::getConstant(index))
      return *known < 0 ? e.add(dim, index) : index;
    Value value = e.asValue(index);
    Value negative = arith::CmpIOp::create(
        e.rewriter, e.location, arith::CmpIPredicate::slt, value,
        e.asValue(e.size(0)));
    Value shifted = e.asValue(e.add(index, dim));
    return arith::SelectOp::create(e.rewriter, e.location, negative, shifted,
                                   value)
        .getResult();
  }

  LogicalResult lower(SliceOp op, TensorEmitter &e) const override {
    Value input = e.signless(op.getInput());
    auto resultType = cast<RankedTensorType>(op.getResult().getType());
    Sizes sizes = e.getDims(input);
    int64_t rank = sizes.size();
    Sizes offsets(rank, e.size(0));
    SmallVector<int64_t> steps(rank, 1);
    for (auto [i, axis] : llvm::enumerate(normalizeAxes(op.getAxes(), rank))) {
      int64_t step = steps[axis] = op.getSteps()[i];
      Size dim = sizes[axis];
      Size start = fromFront(e, e.getEntry(op.getStarts(), i), dim);
      Size end = fromFront(e, e.getEntry(op.getEnds(), i), dim);
      Size distance;
      if (step > 0) {
        start = e.min(e.max(start, e.size(0)), dim);
        end = e.min(e.max(end, e.size(0)), dim);
        distance = e.sub(end, start);
      } else {
        Size last = e.sub(dim, e.size(1));
        start = e.min(e.max(start, e.size(0)), last);
        end = e.min(e.max(end, e.size(-1)), last);
        distance = e.sub(start, end);
      }
      offsets[axis] = start;
      distance = e.max(distance, e.size(0));
      sizes[axis] = resultType.isDynamicDim(axis)
                        ? e.ceilDiv(distance, e.size(std::abs(step)))
                        : e.size(resultType.getDimSize(axis));
    }
    if (llvm::all_of(steps, [](int64_t step) { return step > 0; })) {
      Sizes strides;
      for (int64_t step : steps)
        strides.push_back(e.size(step));
      return e.replace({e.extractSlice(input, offsets, sizes, strides)});
    }
    SmallVector<Value> starts;
    for (Size offset : offsets)
      starts.push_back(e.asValue(offset));
    Value result = e.generate(
        sizes, TensorEmitter::getElement(input),
        [&](OpBuilder &b, Location l, ValueRange indices) {
          SmallVector<Value> from;
          for (int64_t i = 0; i < rank; ++i) {
            Value step = arith::ConstantIndexOp::create(b, l, steps[i]);
            Value distance = arith::MulIOp::create(b, l, indices[i], step);
            from.push_back(arith::AddIOp::create(b, l, starts[i], distance));
          }
          return tensor::ExtractOp::create(b, l, input, from).getResult();
        });
    return e.replace({result});
  }
};

//===----------------------------------------------------------------------===//
// Pad
//===----------------------------------------------------------------------===//

struct LowerPad : LinalgPattern<PadOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(PadOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    Value input = e.signless(op.getInput());
    int64_t rank = sizes->size();
    SmallVector<int64_t> axes = normalizeAxes(op.getAxes(), rank);
    if (axes.empty())
      axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
    Sizes low(rank, e.size(0)), high(rank, e.size(0));
    for (auto [i, axis] : llvm::enumerate(axes)) {
      low[axis] = e.getEntry(op.getPads(), i);
      high[axis] = e.getEntry(op.getPads(), axes.size() + i);
    }
    input = crop(e, input, low, high);
    if (llvm::all_of(llvm::concat<Size>(low, high), [](Size size) {
          return TensorEmitter::getConstant(size) == 0;
        }))
      return e.replace({input});
    if (op.getMode() == "constant")
      return e.replace({padConstant(op, e, input, low, *sizes)});
    return e.replace({repeat(op.getMode(), e, input, low, *sizes)});
  }

  /// Negative counts crop first, whatever the mode; they are 0 then.
  static Value crop(TensorEmitter &e, Value input, Sizes &low, Sizes &high) {
    int64_t rank = low.size();
    Sizes sizes = e.getDims(input), offsets, strides(rank, e.size(1));
    bool crops = false;
    for (int64_t i = 0; i < rank; ++i) {
      Size zero = e.size(0);
      Size cropLow = e.max(e.sub(zero, low[i]), zero);
      Size cropHigh = e.max(e.sub(zero, high[i]), zero);
      crops |= TensorEmitter::getConstant(cropLow) != 0 ||
               TensorEmitter::getConstant(cropHigh) != 0;
      offsets.push_back(cropLow);
      sizes[i] = e.max(e.sub(e.sub(sizes[i], cropLow), cropHigh), zero);
      low[i] = e.max(low[i], zero);
      high[i] = e.max(high[i], zero);
    }
    return crops ? e.extractSlice(input, offsets, sizes, strides) : input;
  }

  static Value padConstant(PadOp op, TensorEmitter &e, Value input, ArrayRef<Size> low,
                           ArrayRef<Size> resultSizes) {
    Value fill;
    if (!op.getValue()) {
      fill = e.scalar(TensorEmitter::getElement(input), 0);
    } else {
      Value value = e.signless(op.getValue());
      SmallVector<Value> indices(TensorEmitter::getRank(value),
                                 e.asValue(e.size(0)));
      fill = tensor::ExtractOp::create(e.rewriter, e.location, value, indices);
    }
    return e.insertSlice(input, e.filled(resultSizes, fill), low);
  }

  /// There is no element to repeat in a dimension of none.
  static void checkNotEmpty(TensorEmitter &e, ArrayRef<Value> dims, ArrayRef<Size> sizes) {
    OpBuilder &b = e.rewriter;
    Value zero = e.asValue(e.size(0));
    for (auto [i, dim] : llvm::enumerate(dims)) {
      if (auto known = getConstantIntValue(dim); known && *known > 0)
        continue;
      if (dim == e.asValue(sizes[i]))
        continue;
      Value hasElements = arith::CmpIOp::create(b, e.location,
                                                arith::CmpIPredicate::sgt, dim, zero);
      Value isEmpty = arith::CmpIOp::create(b, e.location, arith::CmpIPredicate::eq,
                                            e.asValue(sizes[i]), zero);
      e.check(arith::OrIOp::create(b, e.location, hasElements, isEmpty),
              "dimension " + Twine(i) + " has no element to pad with");
    }
  }

  /// Neighbours in the last dimension of the result: element i of `count` from `begin` on
  /// repeats number `first + step * i` of the input.
  struct Part {
    int64_t begin, count, first, step;
  };

  /// What lies before, in and behind the input; nothing if sizes are not known, or if the
  /// padding is longer than what it repeats.
  static SmallVector<Part> splitLast(StringRef mode, ArrayRef<Size> dims,
                                     ArrayRef<Size> low, ArrayRef<Size> sizes) {
    std::optional<int64_t> dim = TensorEmitter::getConstant(dims.back()),
                           before = TensorEmitter::getConstant(low.back()),
                           all = TensorEmitter::getConstant(sizes.back());
    if (!dim || !before || !all || *dim == *all)
      return {};
    int64_t behind = *all - *before - *dim;
    if (std::max(*before, behind) >= *dim || behind < 0)
      return {};
    SmallVector<Part> parts;
    auto add = [&](int64_t begin, int64_t count, int64_t first, int64_t step) {
      if (count > 0)
        parts.push_back({begin, count, first, step});
    };
    if (mode == "edge")
      add(0, *before, 0, 0);
    else if (mode == "wrap")
      add(0, *before, *dim - *before, 1);
    else
      add(0, *before, *before, -1);
    add(*before, *dim, 0, 1);
    if (mode == "edge")
      add(*before + *dim, behind, *dim - 1, 0);
    else if (mode == "wrap")
      add(*before + *dim, behind, 0, 1);
    else
      add(*before + *dim, behind, *dim - 2, -1);
    return parts;
  }

  /// The modes that repeat elements of the input. Elements inside of the last dimension are
  /// copied without a look at where they lie.
  static Value repeat(StringRef mode, TensorEmitter &e, Value input, ArrayRef<Size> low,
                      ArrayRef<Size> sizes) {
    Sizes dims = e.getDims(input);
    SmallVector<Part> parts = splitLast(mode, dims, low, sizes);
    if (parts.empty())
      return gather(mode, e, input, low, sizes, nullptr);
    Value result = e.empty(sizes, TensorEmitter::getElement(input));
    for (const Part &part : parts) {
      Sizes partSizes(sizes), offsets(sizes.size(), e.size(0));
      partSizes.back() = e.size(part.count);
      offsets.back() = e.size(part.begin);
      result = e.insertSlice(gather(mode, e, input, low, partSizes, &part), result, offsets);
    }
    return result;
  }

  /// `part`: which of the last dimension; null: all.
  static Value gather(StringRef mode, TensorEmitter &e, Value input, ArrayRef<Size> low,
                      ArrayRef<Size> sizes, const Part *part) {
    SmallVector<Value> starts, dims;
    for (auto [size, dim] : llvm::zip(low, e.getDims(input))) {
      starts.push_back(e.asValue(size));
      dims.push_back(e.asValue(dim));
    }
    checkNotEmpty(e, dims, sizes);
    return e.generate(
        sizes, TensorEmitter::getElement(input),
        [&](OpBuilder &b, Location l, ValueRange indices) {
          auto constant = [&](int64_t value) -> Value {
            return arith::ConstantIndexOp::create(b, l, value);
          };
          Value zero = constant(0), one = constant(1);
          auto modulo = [&](Value x, Value y) -> Value {
            Value rest = arith::RemSIOp::create(b, l, x, y);
            Value negative = arith::CmpIOp::create(
                b, l, arith::CmpIPredicate::slt, rest, zero);
            return arith::SelectOp::create(
                b, l, negative, arith::AddIOp::create(b, l, rest, y), rest);
          };
          SmallVector<Value> from;
          for (auto [i, index] : llvm::enumerate(indices)) {
            if (part && i + 1 == indices.size()) {
              Value steps = arith::MulIOp::create(b, l, index, constant(part->step));
              from.push_back(arith::AddIOp::create(b, l, steps, constant(part->first)));
              continue;
            }
            if (TensorEmitter::getConstant(low[i]) == 0 &&
                dims[i] == e.asValue(sizes[i])) {
              from.push_back(index);
              continue;
            }
            Value place = arith::SubIOp::create(b, l, index, starts[i]);
            Value last = arith::SubIOp::create(b, l, dims[i], one);
            if (mode == "edge") {
              place = arith::MinSIOp::create(b, l, place, last);
              place = arith::MaxSIOp::create(b, l, place, zero);
            } else if (mode == "wrap") {
              place = modulo(place, arith::MaxSIOp::create(b, l, dims[i], one));
            } else { // reflect: forth and back in 2 * (dim - 1) steps
              Value period = arith::MulIOp::create(b, l, last, constant(2));
              place = modulo(place, arith::MaxSIOp::create(b, l, period, one));
              Value back = arith::SubIOp::create(b, l, period, place);
              Value isBack = arith::CmpIOp::create(
                  b, l, arith::CmpIPredicate::sgt, place, last);
              place = arith::SelectOp::create(b, l, isBack, back, place);
            }
            from.push_back(place);
          }
          return tensor::ExtractOp::create(b, l, input, from).getResult();
        });
  }
};

//===----------------------------------------------------------------------===//
// Expand, Tile, Transpose, DepthToSpace, SpaceToDepth
//===----------------------------------------------------------------------===//

struct LowerExpand : LinalgPattern<ExpandOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(ExpandOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    Value input = op.getInput();
    Dims like = symbols.getDims(op.getResult());
    if (symbols.haveSameShape(input, op.getResult()))
      return e.replace({e.signless(input)});
    AffineMap map = e.broadcastMap(input, like, *sizes);
    Value result = e.map(*sizes, TensorEmitter::getElement(input), {input}, {map},
                         [](OpBuilder &, Location, ValueRange args) {
                           return args[0];
                         });
    return e.replace({result});
  }
};

/// Each repeated dimension becomes two, of which the outer one repeats.
struct LowerTile : LinalgPattern<TileOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(TileOp op, TensorEmitter &e) const override {
    Value input = e.signless(op.getInput());
    Sizes sizes;
    SmallVector<int64_t> from, pairs;
    for (auto [i, dim] : llvm::enumerate(e.getDims(input))) {
      Size repeat = e.getEntry(op.getRepeats(), i);
      if (TensorEmitter::getConstant(repeat) != 1) {
        pairs.push_back(sizes.size());
        sizes.push_back(e.max(repeat, e.size(0)));
      }
      from.push_back(sizes.size());
      sizes.push_back(dim);
    }
    if (pairs.empty())
      return e.replace({input});
    Value result = e.map(sizes, TensorEmitter::getElement(input), {input},
                         {e.select(sizes.size(), from)},
                         [](OpBuilder &, Location, ValueRange args) {
                           return args[0];
                         });
    for (int64_t pair : llvm::reverse(pairs))
      result = e.mergeDims(result, pair);
    return e.replace({result});
  }
};

struct LowerTranspose : LinalgPattern<TransposeOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(TransposeOp op, TensorEmitter &e) const override {
    return e.replace({e.transpose(e.signless(op.getInput()), op.getPerm())});
  }
};

/// Dimension `dim` cut into blocks of `inner`; checked at run time.
Value splitExactly(TensorEmitter &e, Value tensor, int64_t dim, int64_t inner) {
  Size size = e.getDim(tensor, dim);
  Size outer = e.floorDiv(size, e.size(inner));
  e.checkEqual(e.mul(outer, e.size(inner)), size,
               "a dimension is not a multiple of the block size");
  return e.splitDim(tensor, dim, outer, e.size(inner));
}

struct LowerDepthToSpace : LinalgPattern<DepthToSpaceOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(DepthToSpaceOp op, TensorEmitter &e) const override {
    Value x = e.signless(op.getInput());
    bool channelsLast = op.getLayout() == Layout::ChannelsLast;
    int64_t channel = channelsLast ? 3 : 1, block = op.getBlocksize();
    bool blockFirst = op.getMode() == "DCR";
    x = splitExactly(e, x, channel, block * block);
    if (blockFirst) { // C = block^2 x rest
      Size rest = e.getDim(x, channel);
      x = e.mergeDims(x, channel);
      x = e.splitDim(x, channel, e.size(block * block), rest);
      x = e.splitDim(x, channel, e.size(block), e.size(block));
    } else {
      x = e.splitDim(x, channel + 1, e.size(block), e.size(block));
    }
    SmallVector<int64_t> perm;
    if (channelsLast)
      perm = blockFirst ? SmallVector<int64_t>{0, 1, 3, 2, 4, 5}
                        : SmallVector<int64_t>{0, 1, 4, 2, 5, 3};
    else
      perm = blockFirst ? SmallVector<int64_t>{0, 3, 4, 1, 5, 2}
                        : SmallVector<int64_t>{0, 1, 4, 2, 5, 3};
    x = e.transpose(x, perm);
    int64_t height = channelsLast ? 1 : 2;
    x = e.mergeDims(x, height + 2);
    return e.replace({e.mergeDims(x, height)});
  }
};

struct LowerSpaceToDepth : LinalgPattern<SpaceToDepthOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(SpaceToDepthOp op, TensorEmitter &e) const override {
    Value x = e.signless(op.getInput());
    bool channelsLast = op.getLayout() == Layout::ChannelsLast;
    int64_t height = channelsLast ? 1 : 2, block = op.getBlocksize();
    x = splitExactly(e, x, height + 1, block);
    x = splitExactly(e, x, height, block);
    x = e.transpose(x, channelsLast ? SmallVector<int64_t>{0, 1, 3, 2, 4, 5}
                                    : SmallVector<int64_t>{0, 3, 5, 1, 2, 4});
    int64_t channel = channelsLast ? 3 : 1;
    x = e.mergeDims(x, channel);
    return e.replace({e.mergeDims(x, channel)});
  }
};
} // namespace

void nn::populateShapeToLinalg(RewritePatternSet &patterns,
                               SymbolicDims &symbols) {
  patterns.add<LowerConcat, LowerSplit, LowerSlice, LowerPad, LowerExpand,
               LowerTile, LowerTranspose, LowerDepthToSpace, LowerSpaceToDepth>(
      patterns.getContext(), symbols);
}
