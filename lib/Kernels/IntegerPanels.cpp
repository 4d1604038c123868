//===- IntegerPanels.cpp - packed weights of few bits ---------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "IntegerPanels.h"

using namespace mlir;
using namespace mlir::nn;

std::optional<IntegerMatrix> IntegerMatrix::get(const FusionView &view) {
  std::optional<MatMulView> product = MatMulView::get(view);
  if (!product || product->isBatched || product->rhs.order.size() != 2 ||
      !product->elementType.isF32())
    return std::nullopt;
  IntegerMatrix self;
  self.product = *product;
  self.elements =
      dyn_cast_or_null<DequantizedAttr>(view.getConstant(product->rhs.tensor));
  if (!self.elements)
    return std::nullopt;
  self.blockRows = product->depth;
  if (self.elements.getScale().getShapedType().getRank() == 0)
    return self;
  bool isAlongDepth = self.elements.getAxis() == product->rhs.order[0];
  if (self.elements.getBlockSize() == 0)
    return isAlongDepth ? std::nullopt : std::optional(self);
  self.blockRows = std::min(self.elements.getBlockSize(), product->depth);
  // Steps of two rows are in one block, and a block is in the L1 cache.
  constexpr int64_t most = 512;
  bool isOne = self.blockRows == product->depth;
  if (!isAlongDepth || (!isOne && (self.blockRows % 2 || self.blockRows > most)))
    return std::nullopt;
  return self;
}

namespace {
struct Bounds {
  int64_t least = INT64_MAX, most = INT64_MIN;
  void add(int64_t value) {
    least = std::min(least, value);
    most = std::max(most, value);
  }
  bool fitsNibble() const { return most - least < 16; }
  bool fitsByte() const { return least >= -128 && most < 128; }
};
} // namespace

FailureOr<IntegerPanels> IntegerPanels::pack(const IntegerMatrix &matrix) {
  DequantizedAttr elements = matrix.elements;
  FailureOr<HostTensor> integers = toHostTensor(elements.getInput()),
                        scales = toHostTensor(elements.getScale()), zeros = HostTensor();
  if (elements.getZeroPoint())
    zeros = toHostTensor(elements.getZeroPoint());
  if (failed(integers) || failed(scales) || failed(zeros))
    return failure();
  int64_t depth = matrix.product.depth, numColumns = matrix.product.columns;
  bool isTurned = matrix.product.rhs.order[0] == 1;
  auto getPlace = [&](int64_t k, int64_t n) {
    return isTurned ? n * depth + k : k * numColumns + n;
  };
  auto getZero = [&](int64_t place) {
    return zeros->isValid() ? zeros->getInt(elements.getParameterPlace(place)) : 0;
  };
  // Of the integers, with their zero points subtracted and without.
  Bounds stored, centered, zero;
  for (int64_t place = 0; place < integers->getNumElements(); ++place) {
    int64_t value = integers->getInt(place), own = getZero(place);
    stored.add(value);
    centered.add(value - own);
    zero.add(own);
  }
  bool isCentered = centered.fitsNibble() || (!stored.fitsNibble() && centered.fitsByte());
  Bounds range = isCentered ? centered : stored;

  IntegerPanels self;
  self.columns = numColumns <= 16 ? 16 : 32;
  self.count = llvm::divideCeil(numColumns, self.columns);
  self.rowsOfStep = range.fitsNibble() ? 2 : 1;
  self.steps = llvm::divideCeil(depth, self.rowsOfStep);
  // What is subtracted so that the rest fits.
  int64_t shift = range.fitsNibble() ? range.least : range.fitsByte() ? 0 : 128;
  bool hasZeros = !isCentered && zero.least != zero.most;
  self.zero = (isCentered ? 0 : zero.least) - shift;

  int64_t blocks = matrix.countBlocks();
  self.values =
      HostTensor::allocate(DataType::Int8, {self.count * self.steps * self.columns});
  SmallVector<int64_t> dims{self.count * blocks * self.columns};
  self.scales = HostTensor::allocate(DataType::Float32, dims);
  if (hasZeros)
    self.zeros = HostTensor::allocate(DataType::Int16, dims);
  MutableArrayRef<uint8_t> values = self.values.getMutable<uint8_t>();
  for (int64_t n = 0; n < numColumns; ++n) {
    int64_t panel = n / self.columns, column = n % self.columns;
    for (int64_t k = 0; k < depth; ++k) {
      int64_t place = getPlace(k, n);
      int64_t value = integers->getInt(place) - (isCentered ? getZero(place) : 0) - shift;
      uint8_t &byte =
          values[(panel * self.steps + k / self.rowsOfStep) * self.columns + column];
      byte |= uint8_t(value) << (4 * (k % self.rowsOfStep));
      if (k % matrix.blockRows != 0)
        continue;
      int64_t number = (panel * blocks + k / matrix.blockRows) * self.columns + column;
      self.scales.setDouble(number, scales->getDouble(elements.getParameterPlace(place)));
      if (hasZeros)
        self.zeros.setInt(number, getZero(place) - shift);
    }
  }
  return self;
}
