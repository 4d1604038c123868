//===- Transpose.cpp - kernels that transpose in blocks -------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Dimensions that stay neighbours are one. The source's innermost dimension are columns,
// the one that becomes innermost are rows; for each index of the other dimensions, a
// matrix is transposed, block by block:
//
//   for unit in [begin, end)                     of other dimensions x blocks
//     for each tile of the block                 2L rows x L columns
//       load L columns of each row               L elements are 128 bits
//       interleave the rows until vectors hold columns
//       store 2L rows of each column
//
// The last tile of a matrix overlaps the one before it, so that no tile is partial. Tiles
// have L rows if the matrix has fewer than 2L. A matrix that has, at run time, fewer than
// L rows or columns is copied one by one.
//
//===----------------------------------------------------------------------===//

#include "Transpose.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "nn/Kernels/KernelEmitter.h"

using namespace mlir;
using namespace mlir::nn;

/// Bits that KernelEmitter::transposeParts takes of a row.
static constexpr int64_t kPartBits = 128;

namespace {
/// A dimension of the matrices or around them, in terms of the source's dimensions.
struct Group {
  int64_t first = 0, count = 0;
  /// The dimension of the result that `first` becomes.
  int64_t place = 0;
  int64_t last() const { return first + count - 1; }
};

/// A buffer in the kernel.
struct View {
  Array array;
  SmallVector<Value> strides;
};

class TransposeEmitter {
public:
  TransposeEmitter(linalg::TransposeOp op, const Thresholds &thresholds)
      : op(op), thresholds(thresholds), blockSize(thresholds.transposeBlock),
        source(dyn_cast<MemRefType>(op.getInput().getType())),
        target(dyn_cast<MemRefType>(op.getInit().getType())) {}

  bool match();
  TransposeKernel emit();

private:
  bool isContiguous(MemRefType type, int64_t dim) const;
  int64_t getKnownSize(const Group &group) const;
  rt::LaunchOp createCall();
  View makeView(Value memref);
  Value getSize(Value memref, const Group &group);
  void emitUnit(Value unit);
  void emitTiles(int64_t height, Value rowsEnd, Value columnsEnd);
  void emitTile(int64_t height, Value row, Value column);
  void emitElements(Value rowsEnd, Value columnsEnd);
  Value loadPart(Value row, Value column);

  linalg::TransposeOp op;
  const Thresholds &thresholds;
  /// Rows and columns of a block.
  int64_t blockSize;
  MemRefType source, target;
  int64_t part = 0; // elements of a part of a register
  Group rows, columns;
  SmallVector<Group> others; // in the result's order

  // The state of the emission.
  std::optional<KernelEmitter> e;
  View from, to;
  Value numRows, numColumns, rowStride, columnStride; // of the source and of the result
  SmallVector<Value> unitSizes;
  Value origin, destination; // of the unit's matrix
  Value firstRow, firstColumn;
};
} // namespace

/// Whether dimensions `dim` and `dim + 1` are one list of elements.
bool TransposeEmitter::isContiguous(MemRefType type, int64_t dim) const {
  if (type.getLayout().isIdentity())
    return true;
  SmallVector<int64_t> strides = type.getStridesAndOffset().first;
  return !type.isDynamicDim(dim + 1) && !ShapedType::isDynamic(strides[dim]) &&
         strides[dim] == strides[dim + 1] * type.getDimSize(dim + 1);
}

int64_t TransposeEmitter::getKnownSize(const Group &group) const {
  int64_t size = 1;
  for (int64_t i = 0; i < group.count; ++i) {
    int64_t dim = source.getDimSize(group.first + i);
    if (ShapedType::isDynamic(dim))
      return ShapedType::kDynamic;
    size *= dim;
  }
  return size;
}

bool TransposeEmitter::match() {
  if (!source || !target || source.getElementType().isInteger(1) ||
      !source.getElementType().isIntOrFloat())
    return false;
  int64_t bits = source.getElementTypeBitWidth();
  if (bits != 8 && bits != 16 && bits != 32 && bits != 64)
    return false;
  part = kPartBits / bits;

  ArrayRef<int64_t> permutation = op.getPermutation();
  SmallVector<Group> groups;
  for (auto [place, dim] : llvm::enumerate(permutation)) {
    if (source.getDimSize(dim) == 1)
      continue;
    if (!groups.empty() && groups.back().last() + 1 == dim &&
        groups.back().place + groups.back().count == int64_t(place) &&
        isContiguous(source, dim - 1) && isContiguous(target, place - 1))
      ++groups.back().count;
    else
      groups.push_back({dim, 1, int64_t(place)});
  }
  if (groups.size() < 2)
    return false;
  rows = groups.pop_back_val();
  auto *innermost = llvm::max_element(
      groups, [](const Group &lhs, const Group &rhs) { return lhs.first < rhs.first; });
  columns = *innermost;
  if (columns.first < rows.first)
    return false;
  groups.erase(innermost);
  others = groups;
  auto isTooShort = [&](const Group &group) {
    int64_t size = getKnownSize(group);
    return !ShapedType::isDynamic(size) && size < part;
  };
  return source.getStridesAndOffset().first[columns.last()] == 1 &&
         target.getStridesAndOffset().first[rows.place + rows.count - 1] == 1 &&
         !isTooShort(rows) && !isTooShort(columns);
}

Value TransposeEmitter::getSize(Value memref, const Group &group) {
  Value size = e->index(1);
  for (int64_t i = 0; i < group.count; ++i)
    size = e->mul(size, e->size(memref, group.first + i));
  return size;
}

View TransposeEmitter::makeView(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  View view;
  view.strides.resize(type.getRank());
  if (type.getLayout().isIdentity()) {
    view.array = e->array(memref);
    Value stride = e->index(1);
    for (int64_t i = type.getRank(); i-- > 0;) {
      view.strides[i] = stride;
      stride = e->mul(stride, e->size(memref, i));
    }
    return view;
  }
  auto parts = memref::ExtractStridedMetadataOp::create(e->b, e->loc, memref);
  SmallVector<int64_t> known = type.getStridesAndOffset().first;
  for (auto [i, stride] : llvm::enumerate(known))
    view.strides[i] =
        ShapedType::isDynamic(stride) ? parts.getStrides()[i] : e->index(stride);
  auto layout = StridedLayoutAttr::get(op.getContext(), ShapedType::kDynamic, {1});
  auto flat = MemRefType::get({ShapedType::kDynamic}, type.getElementType(), layout,
                              type.getMemorySpace());
  view.array.elementType = type.getElementType();
  view.array.flat = memref::ReinterpretCastOp::create(
      e->b, e->loc, flat, parts.getBaseBuffer(), OpFoldResult(parts.getOffset()),
      ArrayRef<OpFoldResult>{e->numElements(memref)},
      ArrayRef<OpFoldResult>{e->b.getIndexAttr(1)});
  return view;
}

rt::LaunchOp TransposeEmitter::createCall() {
  OpBuilder builder(op);
  KernelEmitter host(builder, op.getLoc(), 2 * kPartBits);
  e.emplace(host);
  Value block = e->index(blockSize);
  Value count = e->mul(e->ceilDiv(getSize(op.getInput(), rows), block),
                       e->ceilDiv(getSize(op.getInput(), columns), block));
  for (const Group &group : others)
    count = e->mul(count, getSize(op.getInput(), group));
  int64_t work = 1;
  for (const Group &group : {rows, columns}) {
    int64_t size = getKnownSize(group);
    work *= ShapedType::isDynamic(size) ? blockSize : std::min(size, blockSize);
  }
  return rt::LaunchOp::create(builder, op.getLoc(), TypeRange(), "transpose",
                              op.getInput(), op.getInit(), ValueRange(), count,
                              std::max<int64_t>(1, thresholds.threadWork / work));
}

TransposeKernel TransposeEmitter::emit() {
  rt::LaunchOp call = createCall();
  Location loc = op.getLoc();
  OpBuilder builder = OpBuilder::atBlockEnd(op->getParentOfType<ModuleOp>().getBody());
  Type index = builder.getIndexType();
  auto kernel =
      func::FuncOp::create(builder, loc, "transpose",
                           builder.getFunctionType({source, target, index, index}, {}));
  kernel.setPrivate();
  kernel->setAttr("nn.kernel", builder.getStringAttr(op->getName().getStringRef()));
  Block *block = kernel.addEntryBlock();
  builder.setInsertionPointToEnd(block);
  e.emplace(builder, loc, 2 * kPartBits);
  Value input = block->getArgument(0);
  from = makeView(input);
  to = makeView(block->getArgument(1));
  numRows = getSize(input, rows);
  numColumns = getSize(input, columns);
  rowStride = from.strides[rows.last()];
  columnStride = to.strides[columns.place + columns.count - 1];
  for (const Group &group : others)
    unitSizes.push_back(getSize(input, group));
  unitSizes.push_back(e->ceilDiv(numRows, e->index(blockSize)));
  unitSizes.push_back(e->ceilDiv(numColumns, e->index(blockSize)));
  e->loop(block->getArgument(2), block->getArgument(3), 1,
          [&](Value unit) { emitUnit(unit); });
  func::ReturnOp::create(builder, loc);
  return {call, kernel};
}

void TransposeEmitter::emitUnit(Value unit) {
  SmallVector<Value> place = e->delinearize(unit, unitSizes);
  firstColumn = e->mul(place.pop_back_val(), blockSize);
  firstRow = e->mul(place.pop_back_val(), blockSize);
  origin = destination = e->index(0);
  for (auto [group, index] : llvm::zip(others, place)) {
    origin = e->add(origin, e->mul(index, from.strides[group.last()]));
    destination =
        e->add(destination, e->mul(index, to.strides[group.place + group.count - 1]));
  }
  Value rowsEnd = e->min(e->add(firstRow, blockSize), numRows);
  Value columnsEnd = e->min(e->add(firstColumn, blockSize), numColumns);
  // What is known of the sizes decides here, the rest at run time.
  auto choose = [&](Value size, int64_t least, function_ref<void()> enough,
                    function_ref<void()> otherwise) {
    if (std::optional<int64_t> known = getConstantIntValue(size))
      return *known >= least ? enough() : otherwise();
    e->ifTrue(e->less(size, e->index(least)), otherwise, enough);
  };
  auto copyElements = [&] { emitElements(rowsEnd, columnsEnd); };
  choose(
      numColumns, part,
      [&] {
        choose(
            numRows, 2 * part, [&] { emitTiles(2 * part, rowsEnd, columnsEnd); },
            [&] {
              choose(
                  numRows, part, [&] { emitTiles(part, rowsEnd, columnsEnd); },
                  copyElements);
            });
      },
      copyElements);
}

void TransposeEmitter::emitTiles(int64_t height, Value rowsEnd, Value columnsEnd) {
  Value lastRow = e->sub(numRows, e->index(height));
  Value lastColumn = e->sub(numColumns, e->index(part));
  e->loop(firstRow, rowsEnd, height, [&](Value row) {
    row = e->min(row, lastRow);
    e->loop(firstColumn, columnsEnd, part,
            [&](Value column) { emitTile(height, row, e->min(column, lastColumn)); });
  });
}

/// Integers: LLVM has no shuffles of some small floats.
Value TransposeEmitter::loadPart(Value row, Value column) {
  Value place = e->add(e->add(origin, e->mul(row, rowStride)), column);
  Value loaded = e->load(from.array, place, part);
  Type bits = e->b.getIntegerType(source.getElementTypeBitWidth());
  return vector::BitCastOp::create(e->b, e->loc, VectorType::get({part}, bits), loaded);
}

void TransposeEmitter::emitTile(int64_t height, Value row, Value column) {
  SmallVector<Value> rows;
  for (int64_t i = 0; i < height; ++i)
    rows.push_back(loadPart(e->add(row, i), column));
  auto stored = VectorType::get({height}, target.getElementType());
  for (auto [i, vector] : llvm::enumerate(e->transposeParts(rows))) {
    Value place = e->mul(e->add(column, i), columnStride);
    place = e->add(e->add(destination, place), row);
    e->store(vector::BitCastOp::create(e->b, e->loc, stored, vector), to.array, place);
  }
}

void TransposeEmitter::emitElements(Value rowsEnd, Value columnsEnd) {
  e->loop(firstColumn, columnsEnd, 1, [&](Value column) {
    e->loop(firstRow, rowsEnd, 1, [&](Value row) {
      Value read = e->add(e->add(origin, e->mul(row, rowStride)), column);
      Value written = e->add(e->add(destination, e->mul(column, columnStride)), row);
      e->store(e->load(from.array, read, 1), to.array, written);
    });
  });
}

FailureOr<TransposeKernel> nn::emitTransposeKernel(linalg::TransposeOp op,
                                                   const Thresholds &thresholds) {
  TransposeEmitter emitter(op, thresholds);
  if (!emitter.match())
    return failure();
  return emitter.emit();
}
