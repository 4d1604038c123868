//===- ChannelAffine.cpp - products and sums with constants per channel ---===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "ChannelAffine.h"
#include "mlir/IR/Matchers.h"
#include "nn/Support/Constants.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::affine;

/// Larger constants stay where they are: with them, what the operators compute one
/// by one may overflow, and weights that hold their product would hide that.
static constexpr double kLargest = 0x1p64;
/// Larger summands are there to round.
static constexpr double kLargestSummand = 0x1p16;

bool affine::areBounded(ArrayRef<double> numbers) {
  return llvm::all_of(numbers,
                      [](double number) { return std::abs(number) <= kLargest; });
}

Channels affine::combine(ArrayRef<double> x, ArrayRef<double> y,
                        function_ref<double(double, double)> compute) {
  Channels result;
  for (size_t i = 0, e = std::max(x.size(), y.size()); i < e; ++i)
    result.push_back(compute(x[x.size() == 1 ? 0 : i], y[y.size() == 1 ? 0 : i]));
  return result;
}

std::optional<HostTensor> affine::getConstant(Value value) {
  ElementsAttr elements;
  if (!value || !matchPattern(value, m_Constant(&elements)) ||
      !isa<FloatType>(elements.getElementType()))
    return std::nullopt;
  FailureOr<HostTensor> tensor = toHostTensor(elements);
  return succeeded(tensor) ? std::optional(*tensor) : std::nullopt;
}

std::optional<Channels> affine::getNumbers(Value value) {
  std::optional<HostTensor> tensor = getConstant(value);
  if (!tensor)
    return std::nullopt;
  Channels numbers;
  for (int64_t i = 0, e = tensor->getNumElements(); i < e; ++i)
    numbers.push_back(tensor->getDouble(i));
  return numbers;
}

/// The numbers of a constant that has one, or one for each of `channels` along
/// dimension `channel` of a tensor of `rank` that it is broadcast to.
static std::optional<Channels> getChannels(Value value, int64_t rank, int64_t channel,
                                           int64_t channels) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape() || type.getRank() > rank)
    return std::nullopt;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    int64_t dim = rank - type.getRank() + i, size = type.getDimSize(i);
    if (size != 1 && (dim != channel || size != channels))
      return std::nullopt;
  }
  return getNumbers(value);
}

double affine::getLargest(ArrayRef<double> numbers) {
  double largest = 0;
  for (double number : numbers)
    largest = std::max(largest, std::abs(number));
  return largest;
}

bool affine::isBounded(const HostTensor &tensor, double scale) {
  double largest = 0;
  if (tensor.getType() == DataType::Float32) {
    float found = 0;
    for (float number : tensor.get<float>())
      found = std::max(found, std::abs(number));
    largest = found;
  } else {
    for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i)
      largest = std::max(largest, std::abs(tensor.getDouble(i)));
  }
  return std::max(largest, largest * scale) <= kLargest;
}

Value affine::makeChannels(OpBuilder &builder, Location loc, ArrayRef<double> numbers,
                          Type type, int64_t rank, int64_t dim) {
  SmallVector<int64_t> shape(rank, 1);
  if (rank > 0)
    shape[dim] = numbers.size();
  HostTensor tensor = HostTensor::allocate(*getDataType(type), shape);
  for (auto [i, number] : llvm::enumerate(numbers))
    tensor.setDouble(i, number);
  return ConstantOp::create(builder, loc, makeConstantAttr(builder.getContext(), tensor));
}

std::optional<Step> affine::matchStep(Operation *op, int64_t channel, int64_t channels) {
  if (!isa_and_nonnull<AddOp, SubOp, MulOp, DivOp>(op))
    return std::nullopt;
  RankedTensorType type = cast<RankedTensorType>(op->getResult(0).getType());
  // In c - x and c / x, the value is not x.
  for (unsigned place = 0; place < (op->hasTrait<OpTrait::IsCommutative>() ? 2 : 1); ++place) {
    Step step;
    step.op = op;
    step.value = op->getOperand(place);
    if (step.value.getType() != type || !isa<FloatType>(type.getElementType()))
      continue;
    std::optional<Channels> number =
        getChannels(op->getOperand(1 - place), type.getRank(), channel, channels);
    if (number && areBounded(*number)) {
      step.number = std::move(*number);
      step.isSum = isa<AddOp, SubOp>(op);
      for (double &x : step.number)
        x = isa<SubOp>(op) ? -x : isa<DivOp>(op) ? 1 / x : x;
      if (getLargest(step.number) <= (step.isSum ? kLargestSummand : kLargest))
        return step;
    }
  }
  return std::nullopt;
}

void affine::collectTail(Affine &affine, Value value, int64_t channel, int64_t channels) {
  Block *block = value.getParentBlock();
  auto getNext = [&](Value from) -> std::optional<Step> {
    Operation *user = from.hasOneUse() ? *from.user_begin() : nullptr;
    if (!user || user->getBlock() != block)
      return std::nullopt;
    std::optional<Step> step = matchStep(user, channel, channels);
    return step && step->value == from ? step : std::nullopt;
  };
  bool wasSum = false;
  for (std::optional<Step> step = getNext(value), next; step; step = std::move(next)) {
    next = getNext(step->op->getResult(0));
    if (step->isSum && (wasSum || (next && next->isSum)))
      return;
    Affine longer = affine;
    if (step->isSum)
      longer.add(step->number);
    else
      longer.multiply(step->number);
    if (!areBounded(longer.scale) || !areBounded(longer.bias))
      return;
    longer.ops.push_back(step->op);
    affine = std::move(longer);
    wasSum = step->isSum;
  }
}
