//===- Elementwise.cpp - kernels of elementwise operators -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Dimensions that all operands use in the same way are collapsed. The remaining ones
// are iterated as
//
//   for row in [begin, end)          dimensions before the last, linear
//     for i in vectors of the last:  unrolled, then single, then masked
//       result[row, i] = body(operand[row, i] ...)
//
// with a stride for each operand and dimension, which is 0 if it is broadcast. With a
// single dimension, an iteration is a block of it. If it is known only at run time whether
// a dimension is broadcast, its stride is chosen then; if the last dimension turns
// out to be broadcast, the row is computed element by element.
//
//===----------------------------------------------------------------------===//

#include "nn/Conversion/ElementwiseToArith.h"
#include "nn/Kernels/Templates.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::nn;

namespace {

/// Dimensions [first, end) of the result, collapsed.
struct Range {
  int64_t first, end;
};

struct Operand {
  Value leaf;
  SmallVector<DimUse> uses; // of the dimensions of the result
  SmallVector<Value> strides; // in the kernel, of the ranges
};

class ElementwiseKernel {
public:
  ElementwiseKernel(KernelSite &site) : site(site), view(site.view) {}
  LogicalResult emit();

private:
  void collapse();
  void emitStrides();
  LogicalResult emitBlocks();
  LogicalResult emitRows();
  /// `bases` holds an offset for each operand.
  LogicalResult emitRow(ArrayRef<Value> bases, Value resultBase, Value length);
  LogicalResult emitRowBy(int64_t width, ArrayRef<Value> bases,
                          Value resultBase, Value length);
  Value getRangeSize(const Range &range);
  /// Scalars have no dimensions, and are read like a dimension of size 1.
  DimUse getUse(const Operand &operand, const Range &range) const {
    return rank ? operand.uses[range.first] : DimUse::Full;
  }

  KernelSite &site;
  const FusionView &view;
  SmallVector<Operand> operands;
  SmallVector<Range> ranges;
  SmallVector<Value> sizes; // in the kernel, of the ranges
  int64_t rank = 0, lanes = 0, unroll = 1, cost = 0;
};

} // namespace

/// The number of lanes is that of the widest type up to 32 bits; LLVM splits wider
/// vectors.
static int64_t getWidth(const FusionView &view, ArrayRef<Operand> operands) {
  int64_t bits = 8;
  auto include = [&](Type type) {
    Type element = getElementTypeOrSelf(type);
    int64_t width = isa<FloatType>(element) ? 32 : element.getIntOrFloatBitWidth();
    bits = std::max(bits, std::min<int64_t>(width, 32));
  };
  for (const Operand &operand : operands)
    include(operand.leaf.getType());
  view.root->walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      include(type);
  });
  return bits;
}

LogicalResult ElementwiseKernel::emit() {
  if (view.anchor || view.results.empty())
    return failure();
  Value reference = view.results.front();
  rank = cast<RankedTensorType>(reference.getType()).getRank();
  for (Value result : view.results)
    if (!view.haveSameShape(result, reference))
      return failure();
  FailureOr<llvm::SetVector<Value>> leaves = view.getLeaves(view.results);
  if (failed(leaves))
    return failure();
  for (Value leaf : *leaves) {
    if (cast<RankedTensorType>(leaf.getType()).getRank() > rank)
      return failure();
    operands.push_back({leaf, view.getUses(leaf, reference), {}});
  }
  site.addInputs(*leaves);
  for (Operand &operand : operands) {
    int64_t missing =
        rank - cast<RankedTensorType>(operand.leaf.getType()).getRank();
    for (int64_t dim = 0; dim < rank; ++dim)
      if (operand.uses[dim] == DimUse::Unknown) {
        Value size = site.getResultSize(0, dim);
        if (!size)
          return failure();
        site.checkBroadcast(operand.leaf, dim - missing, size);
      }
  }
  collapse();
  if (failed(site.begin("elementwise")))
    return failure();
  lanes = site.getEmitter().getLanes(getWidth(view, operands));
  cost = view.estimateCost(view.results);
  unroll = cost <= 6 ? 4 : cost <= 40 || site.getEmitter().vectorBits == 512 ? 2 : 1;
  emitStrides();
  return ranges.size() == 1 ? emitBlocks() : emitRows();
}

void ElementwiseKernel::collapse() {
  Value reference = view.results.front();
  for (int64_t dim = 0; dim < rank; ++dim) {
    if (view.isOne(reference, dim))
      continue;
    bool alike = !ranges.empty() && llvm::all_of(operands, [&](Operand &one) {
      DimUse use = one.uses[dim];
      return use != DimUse::Unknown && use == getUse(one, ranges.back());
    });
    if (alike)
      ranges.back().end = dim + 1;
    else
      ranges.push_back({dim, dim + 1});
  }
  if (ranges.empty())
    ranges.push_back({0, rank});
}

Value ElementwiseKernel::getRangeSize(const Range &range) {
  KernelEmitter &e = site.getEmitter();
  Value product = e.index(1);
  for (int64_t dim = range.first; dim < range.end; ++dim)
    product = e.mul(product, e.size(site.getOutputMemref(0), dim));
  return product;
}

void ElementwiseKernel::emitStrides() {
  KernelEmitter &e = site.getEmitter();
  for (const Range &range : ranges)
    sizes.push_back(getRangeSize(range));
  for (Operand &operand : operands) {
    operand.strides.resize(ranges.size());
    int64_t missing =
        rank - cast<RankedTensorType>(operand.leaf.getType()).getRank();
    Value running = e.index(1);
    for (size_t i = ranges.size(); i-- > 0;) {
      DimUse use = getUse(operand, ranges[i]);
      if (use == DimUse::Broadcast) {
        operand.strides[i] = e.index(0);
        continue;
      }
      operand.strides[i] = running;
      Value size = sizes[i];
      if (use == DimUse::Unknown) {
        size = e.size(site.getInputMemref(operand.leaf),
                      ranges[i].first - missing);
        operand.strides[i] = e.select(e.equal(size, 1), e.index(0), running);
      }
      running = e.mul(running, size);
    }
  }
}

LogicalResult ElementwiseKernel::emitBlocks() {
  KernelEmitter &e = site.getEmitter();
  int64_t blockElements = site.getThresholds().elementwiseBlock;
  Value total = sizes[0];
  Value begin = e.mul(site.getBegin(), blockElements);
  Value end = e.min(e.mul(site.getEnd(), blockElements), total);
  Value hostTotal = site.hostResultProduct(0, 0, rank);
  std::optional<int64_t> known = getConstantIntValue(total);
  if (known && *known <= blockElements) {
    begin = e.index(0);
    end = total;
  }
  SmallVector<Value> bases;
  for (Operand &operand : operands)
    bases.push_back(e.mul(begin, operand.strides[0]));
  if (failed(emitRow(bases, begin, e.sub(end, begin))))
    return failure();
  site.finish(site.hostCeilDiv(hostTotal, blockElements),
              site.chooseGrain(blockElements * std::max<int64_t>(1, cost / 4)));
  return success();
}

LogicalResult ElementwiseKernel::emitRows() {
  KernelEmitter &e = site.getEmitter();
  size_t last = ranges.size() - 1, middle = last - 1;
  Value begin = site.getBegin(), end = site.getEnd();
  // To avoid a division per row, rows are processed in runs of the dimension before the
  // last.
  Value run = e.max(sizes[middle], e.index(1));
  ArrayRef<Value> outerSizes = ArrayRef<Value>(sizes).take_front(middle);
  LogicalResult status = success();
  auto emitRun = [&](Value outer, Value low, Value high) {
    SmallVector<Value> outerIndices;
    if (middle) {
      SmallVector<Value> safe;
      for (Value size : outerSizes)
        safe.push_back(e.max(size, e.index(1)));
      outerIndices = e.delinearize(outer, safe);
    }
    SmallVector<Value> runBases;
    for (Operand &operand : operands) {
      Value base = e.index(0);
      for (size_t i = 0; i < middle; ++i)
        base = e.add(base, e.mul(outerIndices[i], operand.strides[i]));
      runBases.push_back(base);
    }
    e.loop(low, high, 1, [&](Value row) {
      SmallVector<Value> bases;
      for (auto [base, operand] : llvm::zip(runBases, operands))
        bases.push_back(e.add(base, e.mul(row, operand.strides[middle])));
      Value linear = middle ? e.add(e.mul(outer, sizes[middle]), row) : row;
      if (failed(emitRow(bases, e.mul(linear, sizes[last]), sizes[last])))
        status = failure();
    });
  };
  if (middle == 0) {
    emitRun(Value(), begin, end);
  } else {
    e.loop(e.div(begin, run), e.ceilDiv(end, run), 1, [&](Value outer) {
      Value first = e.mul(outer, run);
      emitRun(outer, e.max(e.sub(begin, first), e.index(0)),
              e.min(e.sub(end, first), run));
    });
  }
  if (failed(status))
    return failure();
  std::optional<int64_t> length = getConstantIntValue(sizes[last]);
  int64_t work = length.value_or(256) * std::max<int64_t>(1, cost / 4);
  site.finish(site.hostResultProduct(0, 0, ranges[last].first),
              site.chooseGrain(work));
  return success();
}

LogicalResult ElementwiseKernel::emitRow(ArrayRef<Value> bases,
                                         Value resultBase, Value length) {
  KernelEmitter &e = site.getEmitter();
  Value allContiguous;
  for (Operand &operand : operands) {
    if (getUse(operand, ranges.back()) != DimUse::Unknown)
      continue;
    Value contiguous = e.equal(operand.strides.back(), 1);
    allContiguous =
        allContiguous
            ? arith::AndIOp::create(e.b, e.loc, allContiguous, contiguous)
            : contiguous;
  }
  if (!allContiguous)
    return emitRowBy(lanes, bases, resultBase, length);
  LogicalResult fast = success(), slow = success();
  e.ifTrue(
      allContiguous,
      [&] { fast = emitRowBy(lanes, bases, resultBase, length); },
      [&] { slow = emitRowBy(1, bases, resultBase, length); });
  return success(succeeded(fast) && succeeded(slow));
}

LogicalResult ElementwiseKernel::emitRowBy(int64_t width,
                                           ArrayRef<Value> bases,
                                           Value resultBase, Value length) {
  KernelEmitter &e = site.getEmitter();
  // Operands that are broadcast along the row are read once.
  DenseMap<Value, Value> scalars;
  for (auto [operand, base] : llvm::zip(operands, bases))
    if (getUse(operand, ranges.back()) == DimUse::Broadcast)
      scalars[operand.leaf] = e.load(site.getInput(operand.leaf), base, 1);
  DenseMap<Value, unsigned> positions;
  for (auto [index, operand] : llvm::enumerate(operands))
    positions[operand.leaf] = index;
  LogicalResult status = success();
  e.wideLoop(
      length, width, width == 1 ? 1 : unroll,
      [](int64_t) { return SmallVector<Value>(); },
      [&](Value position, int64_t lanes, Value mask, ValueRange) {
        auto leaf = [&](Value value) -> Value {
          if (Value scalar = scalars.lookup(value))
            return e.broadcast(scalar, lanes);
          unsigned index = positions.at(value);
          Value step = position;
          if (width == 1)
            step = e.mul(position, operands[index].strides.back());
          return e.load(site.getInput(value), e.add(bases[index], step), lanes,
                        mask);
        };
        if (failed(site.emitResults(lanes, leaf, e.add(resultBase, position), mask)))
          status = failure();
        return SmallVector<Value>();
      },
      [](ValueRange, ValueRange) { return SmallVector<Value>(); });
  return status;
}

LogicalResult nn::emitElementwiseKernel(KernelSite &site) {
  return ElementwiseKernel(site).emit();
}
