//===- Shape.cpp - operators that move data or ask for shapes -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Elements.h"
#include <numeric>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

static LogicalResult concat(ConcatOp op, Call &call) {
  const HostTensor &first = call.getOperand(0);
  int64_t axis = normalizeAxis(op.getAxis(), first.getRank());
  Shape dims(first.getDims());
  dims[axis] = 0;
  for (const HostTensor &input : call.getOperands()) {
    for (int64_t d = 0; d < input.getRank(); ++d)
      if (d != axis && input.getDim(d) != dims[d])
        return call.fail("inputs of the shapes " +
                         formatDims(first.getDims()) + " and " +
                         formatDims(input.getDims()) +
                         " cannot be concatenated along axis " + Twine(axis));
    dims[axis] += input.getDim(axis);
  }
  HostTensor result = HostTensor::allocate(first.getType(), dims);
  int64_t outer = product(ArrayRef(dims).take_front(axis)), start = 0;
  int64_t inner = product(ArrayRef(dims).drop_front(axis + 1));
  for (const HostTensor &input : call.getOperands()) {
    int64_t count = input.getDim(axis) * inner;
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < count; ++i)
        copyElement(input, o * count + i, result,
                    (o * dims[axis] + start) * inner + i);
    start += input.getDim(axis);
  }
  return call.give(std::move(result));
}

static LogicalResult split(SplitOp op, Call &call) {
  const HostTensor &input = call[op.getInput()];
  int64_t axis = normalizeAxis(op.getAxis(), input.getRank()), start = 0;
  Shape dims(input.getDims()), strides = getStrides(dims);
  if (std::accumulate(op.getSizes().begin(), op.getSizes().end(), int64_t(0)) !=
      dims[axis])
    return call.fail("the sizes do not sum up to the dimension " +
                     Twine(dims[axis]));
  for (int64_t size : op.getSizes()) {
    dims[axis] = size;
    (void)call.give(pickElements(input, dims, [&](ArrayRef<int64_t> index) {
      return dot(index, strides) + start * strides[axis];
    }));
    start += size;
  }
  return success();
}

static LogicalResult depthToSpace(DepthToSpaceOp op, Call &call) {
  HostTensor input = readSpatial(op, call[op.getInput()]);
  int64_t b = op.getBlocksize(), n = input.getDim(0), c = input.getDim(1);
  int64_t h = input.getDim(2), w = input.getDim(3), depth = c / (b * b);
  if (c % (b * b) != 0)
    return call.fail(Twine(c) + " channels are no multiple of " + Twine(b * b));
  HostTensor moved;
  if (op.getMode() == "DCR")
    moved = transpose(input.withDims({n, b, b, depth, h, w}), {0, 3, 4, 1, 5, 2});
  else
    moved = transpose(input.withDims({n, depth, b, b, h, w}), {0, 1, 4, 2, 5, 3});
  return call.give(writeSpatial(op, moved.withDims({n, depth, h * b, w * b})));
}

static LogicalResult spaceToDepth(SpaceToDepthOp op, Call &call) {
  HostTensor input = readSpatial(op, call[op.getInput()]);
  int64_t b = op.getBlocksize(), n = input.getDim(0), c = input.getDim(1);
  int64_t h = input.getDim(2), w = input.getDim(3);
  if (h % b != 0 || w % b != 0)
    return call.fail("height " + Twine(h) + " and width " + Twine(w) +
                     " are no multiples of " + Twine(b));
  HostTensor moved = transpose(input.withDims({n, c, h / b, b, w / b, b}),
                               {0, 3, 5, 1, 2, 4});
  return call.give(writeSpatial(op, moved.withDims({n, c * b * b, h / b, w / b})));
}

static LogicalResult expand(ExpandOp op, Call &call) {
  const HostTensor &input = call[op.getInput()];
  Shape shape = call[op.getShape()].toInts();
  HostTensor target = HostTensor::view(DataType::Float32, shape, nullptr, nullptr);
  FailureOr<Shape> dims = broadcastShapes(call, {input, target});
  if (failed(dims))
    return failure();
  return call.give(broadcast(input, *dims));
}

static LogicalResult flatten(FlattenOp op, Call &call) {
  const HostTensor &input = call[op.getInput()];
  int64_t axis = normalizeAxis(op.getAxis(), input.getRank());
  return call.give(
      input.withDims({product(input.getDims().take_front(axis)),
                      product(input.getDims().drop_front(axis))}));
}

/// Where element `at` of a padded dimension comes from, or -1.
static int64_t getPadSource(int64_t at, int64_t size, StringRef mode) {
  if (at >= 0 && at < size)
    return at;
  if (mode == "constant" || size == 0)
    return -1;
  if (mode == "edge")
    return at < 0 ? 0 : size - 1;
  if (mode == "wrap")
    return ((at % size) + size) % size;
  // reflect: a walk to and fro that does not repeat the ends
  if (size == 1)
    return 0;
  int64_t period = 2 * (size - 1);
  int64_t phase = ((at % period) + period) % period;
  return phase < size ? phase : period - phase;
}

static LogicalResult pad(PadOp op, Call &call) {
  const HostTensor &input = call[op.getInput()], &value = call[op.getValue()];
  Shape pads = call[op.getPads()].toInts();
  Shape axes = normalizeAxes(op.getAxes(), input.getRank());
  if (pads.size() != 2 * axes.size())
    return call.fail("pads has " + Twine(pads.size()) + " elements for " +
                     Twine(axes.size()) + " axes");
  // Negative counts crop first: `kept` elements from `first` on are padded.
  Shape dims(input.getDims()), kept(dims), begins(input.getRank(), 0),
      first(input.getRank(), 0);
  for (auto [i, axis] : llvm::enumerate(axes)) {
    int64_t begin = pads[i], end = pads[axes.size() + i];
    dims[axis] += begin + end;
    kept[axis] += std::min<int64_t>(begin, 0) + std::min<int64_t>(end, 0);
    if (dims[axis] < 0 || kept[axis] < 0)
      return call.fail("the pads crop more than dimension " + Twine(axis) +
                       " has");
    if (kept[axis] == 0 && dims[axis] != 0 && op.getMode() != "constant")
      return call.fail("dimension " + Twine(axis) + " has no element to pad with");
    begins[axis] = std::max<int64_t>(begin, 0);
    first[axis] = std::max<int64_t>(-begin, 0);
  }
  Shape strides = getStrides(input.getDims());
  HostTensor result = HostTensor::allocate(input.getType(), dims);
  int64_t to = 0;
  forEachIndex(dims, [&](ArrayRef<int64_t> index) {
    int64_t from = 0;
    for (int64_t d = 0; d < input.getRank() && from >= 0; ++d) {
      int64_t at = getPadSource(index[d] - begins[d], kept[d], op.getMode());
      from = at < 0 ? -1 : from + (first[d] + at) * strides[d];
    }
    if (from >= 0)
      copyElement(input, from, result, to);
    else if (value.isValid())
      copyElement(value, 0, result, to);
    ++to;
  });
  return call.give(std::move(result));
}

static LogicalResult reshape(ReshapeOp op, Call &call) {
  const HostTensor &input = call[op.getInput()];
  Shape dims = call[op.getShape()].toInts();
  std::optional<size_t> rest;
  for (auto [d, dim] : llvm::enumerate(dims)) {
    if (dim == 0 && !op.getAllowZero()) {
      if (int64_t(d) >= input.getRank())
        return call.fail("entry " + Twine(d) + " of the shape is 0, but the "
                         "input has no dimension " + Twine(d) + " to copy");
      dim = input.getDim(d);
    } else if (dim == -1 && !rest) {
      rest = d;
    } else if (dim < 0) {
      return call.fail("the shape has the entry " + Twine(dim));
    }
  }
  if (rest) {
    dims[*rest] = 1;
    int64_t known = product(dims);
    if (known == 0 || input.getNumElements() % known != 0)
      return call.fail("input of the shape " + formatDims(input.getDims()) +
                       " does not divide into " + Twine(known) + " parts");
    dims[*rest] = input.getNumElements() / known;
  }
  if (product(dims) != input.getNumElements())
    return call.fail("input of the shape " + formatDims(input.getDims()) +
                     " cannot have the shape " + formatDims(dims));
  return call.give(input.withDims(dims));
}

static LogicalResult shape(ShapeOp op, Call &call) {
  const HostTensor &input = call[op.getInput()];
  int64_t rank = input.getRank();
  auto clamp = [&](int64_t at) {
    return std::clamp<int64_t>(normalizeAxis(at, rank), 0, rank);
  };
  int64_t start = clamp(op.getStart()), end = clamp(op.getEnd().value_or(rank));
  return call.give(HostTensor::list(
      input.getDims().slice(start, std::max<int64_t>(end - start, 0))));
}

static LogicalResult slice(SliceOp op, Call &call) {
  const HostTensor &input = call[op.getInput()];
  Shape starts = call[op.getStarts()].toInts(), ends = call[op.getEnds()].toInts();
  ArrayRef<int64_t> axes = op.getAxes(), steps = op.getSteps();
  if (starts.size() != axes.size() || ends.size() != axes.size())
    return call.fail("starts and ends have " + Twine(starts.size()) + " and " +
                     Twine(ends.size()) + " elements for " +
                     Twine(axes.size()) + " axes");
  Shape dims(input.getDims()), strides = getStrides(dims);
  int64_t first = 0;
  for (auto [i, axisAttr] : llvm::enumerate(axes)) {
    int64_t axis = normalizeAxis(axisAttr, input.getRank());
    int64_t size = input.getDim(axis), step = steps[i];
    auto clamp = [&](int64_t at, int64_t low, int64_t high) {
      return std::clamp(at < 0 ? at + size : at, low, high);
    };
    // Backwards, the place before the first element ends the slice.
    int64_t start = step > 0 ? clamp(starts[i], 0, size) : clamp(starts[i], 0, size - 1);
    int64_t end = step > 0 ? clamp(ends[i], 0, size) : clamp(ends[i], -1, size - 1);
    int64_t distance = step > 0 ? end - start : start - end;
    int64_t stepSize = step > 0 ? step : -step;
    dims[axis] = size == 0 || distance <= 0 ? 0 : (distance - 1) / stepSize + 1;
    first += start * strides[axis];
    strides[axis] *= step;
  }
  return call.give(pickElements(input, dims, [&](ArrayRef<int64_t> index) {
    return first + dot(index, strides);
  }));
}

static LogicalResult squeeze(SqueezeOp op, Call &call) {
  const HostTensor &input = call[op.getInput()];
  Shape dims, axes;
  for (int64_t axis : op.getAxes())
    axes.push_back(normalizeAxis(axis, input.getRank()));
  for (int64_t d = 0; d < input.getRank(); ++d) {
    if (!llvm::is_contained(axes, d))
      dims.push_back(input.getDim(d));
    else if (input.getDim(d) != 1)
      return call.fail("dimension " + Twine(d) + " has size " +
                       Twine(input.getDim(d)) + ", not 1");
  }
  return call.give(input.withDims(dims));
}

static LogicalResult unsqueeze(UnsqueezeOp op, Call &call) {
  const HostTensor &input = call[op.getInput()];
  int64_t rank = input.getRank() + op.getAxes().size();
  Shape axes, dims;
  for (int64_t axis : op.getAxes())
    axes.push_back(normalizeAxis(axis, rank));
  for (int64_t d = 0, from = 0; d < rank; ++d)
    dims.push_back(llvm::is_contained(axes, d) ? 1 : input.getDim(from++));
  return call.give(input.withDims(dims));
}

static LogicalResult tile(TileOp op, Call &call) {
  const HostTensor &input = call[op.getInput()];
  Shape repeats = call[op.getRepeats()].toInts(), dims;
  if (int64_t(repeats.size()) != input.getRank())
    return call.fail("repeats has " + Twine(repeats.size()) +
                     " elements for an input of rank " + Twine(input.getRank()));
  for (auto [dim, repeat] : llvm::zip(input.getDims(), repeats)) {
    if (repeat < 0)
      return call.fail("repeats has the negative entry " + Twine(repeat));
    dims.push_back(dim * repeat);
  }
  Shape strides = getStrides(input.getDims());
  return call.give(pickElements(input, dims, [&](ArrayRef<int64_t> index) {
    int64_t from = 0;
    for (size_t d = 0; d < index.size(); ++d)
      from += index[d] % input.getDim(d) * strides[d];
    return from;
  }));
}

void interpreter::registerShape(Registry &registry) {
  registry.add<ConcatOp>(concat);
  registry.add<DepthToSpaceOp>(depthToSpace);
  registry.add<ExpandOp>(expand);
  registry.add<FlattenOp>(flatten);
  registry.add<PadOp>(pad);
  registry.add<ReshapeOp>(reshape);
  registry.add<ShapeOp>(shape);
  registry.add<SizeOp>([](SizeOp op, Call &call) {
    return call.give(HostTensor::scalar(call[op.getInput()].getNumElements()));
  });
  registry.add<SliceOp>(slice);
  registry.add<SpaceToDepthOp>(spaceToDepth);
  registry.add<SplitOp>(split);
  registry.add<SqueezeOp>(squeeze);
  registry.add<TileOp>(tile);
  registry.add<TransposeOp>([](TransposeOp op, Call &call) {
    return call.give(transpose(call[op.getInput()], op.getPerm()));
  });
  registry.add<UnsqueezeOp>(unsqueeze);
}
