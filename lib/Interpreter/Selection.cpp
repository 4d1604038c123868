//===- Selection.cpp - operators that search and select -------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Elements.h"
#include <algorithm>
#include <numeric>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

/// -1, 0, 1: how elements of one tensor compare. NaN is larger than all numbers.
static int compareElements(const HostTensor &tensor, int64_t a, int64_t b) {
  auto order = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
  if (isFloat(tensor.getType())) {
    double x = tensor.getDouble(a), y = tensor.getDouble(b);
    if (x != x || y != y)
      return order(x != x, y != y);
    return order(x, y);
  }
  if (tensor.getType() == DataType::UInt64)
    return order(uint64_t(tensor.getInt(a)), uint64_t(tensor.getInt(b)));
  return order(tensor.getInt(a), tensor.getInt(b));
}

static LogicalResult topK(TopKOp op, Call &call) {
  const HostTensor &input = call[op.getInput()];
  int64_t k = call[op.getK()].getInt(0);
  int64_t axis = normalizeAxis(op.getAxis(), input.getRank()), size = input.getDim(axis);
  if (k < 0 || k > size)
    return call.fail("k is " + Twine(k) + " for a dimension of size " + Twine(size));
  Shape dims(input.getDims());
  dims[axis] = k;
  int64_t inner = product(ArrayRef(dims).drop_front(axis + 1));
  int64_t outer = product(ArrayRef(dims).take_front(axis));
  HostTensor values = HostTensor::allocate(input.getType(), dims);
  HostTensor indices = HostTensor::allocate(DataType::Int64, dims);
  std::vector<int64_t> order(size);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < inner; ++i) {
      auto place = [&](int64_t j) { return (o * size + j) * inner + i; };
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        int compared = compareElements(input, place(a), place(b));
        return op.getLargest() ? compared > 0 : compared < 0;
      });
      for (int64_t j = 0; j < k; ++j) {
        int64_t to = (o * k + j) * inner + i;
        copyElement(input, place(order[j]), values, to);
        indices.setInt(to, order[j]);
      }
    }
  (void)call.give(std::move(values));
  return call.give(std::move(indices));
}

static LogicalResult nonZero(NonZeroOp op, Call &call) {
  const HostTensor &input = call[op.getInput()];
  std::vector<Shape> found;
  int64_t from = 0;
  forEachIndex(input.getDims(), [&](ArrayRef<int64_t> index) {
    bool isZero = isFloat(input.getType()) ? input.getDouble(from) == 0
                                           : input.getInt(from) == 0;
    if (!isZero)
      found.emplace_back(index);
    ++from;
  });
  int64_t count = found.size();
  HostTensor result = HostTensor::allocate(DataType::Int64, {input.getRank(), count});
  for (int64_t i = 0; i < count; ++i)
    for (int64_t d = 0; d < input.getRank(); ++d)
      result.setInt(d * count + i, found[i][d]);
  return call.give(std::move(result));
}

static LogicalResult unique(UniqueOp op, Call &call) {
  HostTensor input = call[op.getInput()];
  if (!op.getAxis())
    input = input.withDims({input.getNumElements()});
  int64_t axis = normalizeAxis(op.getAxis().value_or(0), input.getRank());
  int64_t size = input.getDim(axis);
  int64_t inner = product(input.getDims().drop_front(axis + 1));
  int64_t outer = product(input.getDims().take_front(axis));
  // Slices are compared element by element, in row-major order.
  auto compareSlices = [&](int64_t a, int64_t b) {
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i)
        if (int order = compareElements(input, (o * size + a) * inner + i,
                                        (o * size + b) * inner + i))
          return order;
    return 0;
  };
  std::vector<int64_t> order(size);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return compareSlices(a, b) < 0; });
  // Groups of equal slices, each in order of occurrence.
  std::vector<std::vector<int64_t>> groups;
  for (int64_t slice : order) {
    if (groups.empty() || compareSlices(groups.back().front(), slice) != 0)
      groups.emplace_back();
    groups.back().push_back(slice);
  }
  if (!op.getSorted())
    llvm::sort(groups, [](const auto &a, const auto &b) { return a[0] < b[0]; });
  Ints indices, inverse(size), counts;
  Shape dims(input.getDims());
  dims[axis] = groups.size();
  HostTensor values = HostTensor::allocate(input.getType(), dims);
  for (auto [g, group] : llvm::enumerate(groups)) {
    indices.push_back(group.front());
    counts.push_back(group.size());
    for (int64_t slice : group)
      inverse[slice] = g;
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i)
        copyElement(input, (o * size + group.front()) * inner + i, values,
                    (o * int64_t(groups.size()) + g) * inner + i);
  }
  (void)call.give(std::move(values));
  for (const Ints &list : {indices, inverse, counts})
    (void)call.give(makeTensor(DataType::Int64, int64_t(list.size()), list));
  return success();
}

//===----------------------------------------------------------------------===//
// Non-maximum suppression
//===----------------------------------------------------------------------===//

namespace {
struct Box {
  float y1, x1, y2, x2;
  float area() const { return (y2 - y1) * (x2 - x1); }
};
} // namespace

static Box readBox(ArrayRef<float> numbers, bool isCenterPoint) {
  if (isCenterPoint) {
    float x = numbers[0], y = numbers[1], w = numbers[2] / 2, h = numbers[3] / 2;
    return {y - h, x - w, y + h, x + w};
  }
  return {std::min(numbers[0], numbers[2]), std::min(numbers[1], numbers[3]),
          std::max(numbers[0], numbers[2]), std::max(numbers[1], numbers[3])};
}

static float intersectionOverUnion(const Box &a, const Box &b) {
  float height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  float width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  if (height <= 0 || width <= 0)
    return 0;
  float common = height * width;
  return common / (a.area() + b.area() - common);
}

static LogicalResult nonMaxSuppression(NonMaxSuppressionOp op, Call &call) {
  const HostTensor &boxes = call[op.getBoxes()], &scores = call[op.getScores()];
  const HostTensor &maxBoxes = call[op.getMaxBoxes()];
  const HostTensor &iou = call[op.getIouThreshold()], &score = call[op.getScoreThreshold()];
  int64_t most = maxBoxes.isValid() ? maxBoxes.getInt(0) : 0;
  float maxOverlap = iou.isValid() ? float(iou.getDouble(0)) : 0;
  int64_t batches = scores.getDim(0), classes = scores.getDim(1), count = scores.getDim(2);
  if (boxes.getDim(0) != batches || boxes.getDim(1) != count || boxes.getDim(2) != 4)
    return call.fail("boxes of the shape " + formatDims(boxes.getDims()) +
                     " do not fit scores of the shape " + formatDims(scores.getDims()));
  Ints result;
  for (int64_t b = 0; b < batches; ++b) {
    std::vector<Box> all;
    for (int64_t i = 0; i < count; ++i)
      all.push_back(readBox(boxes.get<float>().slice((b * count + i) * 4, 4),
                            op.getCenterPointBox()));
    for (int64_t c = 0; c < classes; ++c) {
      ArrayRef<float> own = scores.get<float>().slice((b * classes + c) * count, count);
      std::vector<int64_t> order, selected;
      for (int64_t i = 0; i < count; ++i)
        if (!score.isValid() || own[i] > score.getDouble(0))
          order.push_back(i);
      std::stable_sort(order.begin(), order.end(),
                       [&](int64_t x, int64_t y) { return own[x] > own[y]; });
      for (int64_t candidate : order) {
        if (int64_t(selected.size()) >= most)
          break;
        bool isFree = llvm::none_of(selected, [&](int64_t other) {
          return intersectionOverUnion(all[candidate], all[other]) > maxOverlap;
        });
        if (!isFree)
          continue;
        selected.push_back(candidate);
        result.insert(result.end(), {b, c, candidate});
      }
    }
  }
  return call.give(
      makeTensor(DataType::Int64, {int64_t(result.size()) / 3, 3}, result));
}

void interpreter::registerSelection(Registry &registry) {
  registry.add<TopKOp>(topK);
  registry.add<NonZeroOp>(nonZero);
  registry.add<UniqueOp>(unique);
  registry.add<NonMaxSuppressionOp>(nonMaxSuppression);
}
