//===- EvaluateMemRef.cpp - memory when IR is executed --------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "EvaluateMemRef.h"
#include "dialects/NN/IR/NN.h"
#include "dialects/RT/IR/RT.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::nn;

namespace {
/// One evaluation.
class MemoryOp {
public:
  MemoryOp(llvm::function_ref<Datum(Value)> getValue,
           SmallVectorImpl<Datum> &results, std::string &message)
      : getValue(getValue), results(results), message(message) {}

  std::optional<LogicalResult> run(Operation *op);

private:
  LogicalResult give(Datum result) {
    results.push_back(std::move(result));
    return success();
  }
  LogicalResult giveInt(int64_t value) { return give(HostTensor::scalar(value)); }
  LogicalResult fail(const Twine &text) {
    message = text.str();
    return failure();
  }

  Buffer getBuffer(Value value) { return getValue(value).buffer; }
  SmallVector<int64_t, 4> resolve(ArrayRef<OpFoldResult> mixed) {
    SmallVector<int64_t, 4> values;
    for (OpFoldResult entry : mixed)
      values.push_back(isa<Attribute>(entry)
                           ? cast<IntegerAttr>(cast<Attribute>(entry)).getInt()
                           : getValue(cast<Value>(entry)).getInt());
    return values;
  }
  /// The sizes of a memref, some of which are operands.
  SmallVector<int64_t, 4> resolve(MemRefType type, ValueRange dynamic) {
    SmallVector<int64_t, 4> sizes;
    for (int64_t size : type.getShape()) {
      sizes.push_back(ShapedType::isDynamic(size) ? getValue(dynamic.front()).getInt()
                                                  : size);
      if (ShapedType::isDynamic(size))
        dynamic = dynamic.drop_front();
    }
    return sizes;
  }

  LogicalResult allocate(Operation *op, ValueRange sizes);
  LogicalResult view(memref::ViewOp op);
  LogicalResult subview(memref::SubViewOp op);
  LogicalResult reinterpret(memref::ReinterpretCastOp op);
  LogicalResult collapse(memref::CollapseShapeOp op);
  LogicalResult expand(memref::ExpandShapeOp op);
  LogicalResult extractMetadata(memref::ExtractStridedMetadataOp op);
  LogicalResult copy(memref::CopyOp op);
  /// The index of an element, checked against the sizes.
  FailureOr<char *> getPlace(const Buffer &buffer, ValueRange indices);

  llvm::function_ref<Datum(Value)> getValue;
  SmallVectorImpl<Datum> &results;
  std::string &message;
};
} // namespace

LogicalResult MemoryOp::allocate(Operation *op, ValueRange sizes) {
  auto type = cast<MemRefType>(op->getResult(0).getType());
  std::optional<DataType> dataType = getDataType(type.getElementType());
  if (!dataType)
    return fail("allocates an unknown element type");
  SmallVector<int64_t, 4> resolved = resolve(type, sizes);
  for (int64_t size : resolved)
    if (size < 0)
      return fail("allocates a negative size");
  return give(Buffer::allocate(*dataType, resolved));
}

LogicalResult MemoryOp::view(memref::ViewOp op) {
  Buffer source = getBuffer(op.getSource()), result;
  std::optional<DataType> type = getDataType(op.getType().getElementType());
  if (!type)
    return fail("views an unknown element type");
  int64_t shift = source.offset + getValue(op.getByteShift()).getInt();
  result.type = *type;
  result.memory = std::shared_ptr<char>(source.memory, source.memory.get() + shift);
  result.sizes = resolve(op.getType(), op.getSizes());
  result.strides = getRowMajorStrides(result.sizes);
  int64_t bytes = getByteSize(*type);
  for (int64_t size : result.sizes)
    bytes *= size;
  if (shift < 0 || shift + bytes > source.sizes[0])
    return fail("views bytes " + Twine(shift) + " to " + Twine(shift + bytes) +
                " of " + Twine(source.sizes[0]));
  return give(std::move(result));
}

LogicalResult MemoryOp::subview(memref::SubViewOp op) {
  Buffer source = getBuffer(op.getSource()), result = source;
  SmallVector<int64_t, 4> offsets = resolve(op.getMixedOffsets());
  SmallVector<int64_t, 4> sizes = resolve(op.getMixedSizes());
  SmallVector<int64_t, 4> strides = resolve(op.getMixedStrides());
  result.sizes.clear();
  result.strides.clear();
  llvm::SmallBitVector dropped = op.getDroppedDims();
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] < 0 ||
        (sizes[d] > 0 &&
         (offsets[d] < 0 || offsets[d] + (sizes[d] - 1) * strides[d] >= source.sizes[d])))
      return fail("leaves dimension " + Twine(d) + " of size " + Twine(source.sizes[d]));
    result.offset += offsets[d] * source.strides[d];
    if (dropped.test(d))
      continue;
    result.sizes.push_back(sizes[d]);
    result.strides.push_back(strides[d] * source.strides[d]);
  }
  return give(std::move(result));
}

LogicalResult MemoryOp::reinterpret(memref::ReinterpretCastOp op) {
  Buffer result = getBuffer(op.getSource());
  result.offset = resolve(op.getMixedOffsets()).front();
  result.sizes = resolve(op.getMixedSizes());
  result.strides = resolve(op.getMixedStrides());
  return give(std::move(result));
}

LogicalResult MemoryOp::collapse(memref::CollapseShapeOp op) {
  Buffer source = getBuffer(op.getSrc()), result = source;
  result.sizes.clear();
  result.strides.clear();
  for (const ReassociationIndices &group : op.getReassociationIndices()) {
    int64_t size = 1, stride = 0;
    for (int64_t d : group) {
      size *= source.sizes[d];
      // That of the innermost dimension that is not of size 1.
      if (source.sizes[d] != 1 || stride == 0)
        stride = source.strides[d];
    }
    result.sizes.push_back(size);
    result.strides.push_back(stride ? stride : 1);
  }
  return give(std::move(result));
}

LogicalResult MemoryOp::expand(memref::ExpandShapeOp op) {
  Buffer source = getBuffer(op.getSrc()), result = source;
  result.sizes = resolve(op.getMixedOutputShape());
  result.strides.assign(result.sizes.size(), 1);
  for (auto [d, group] : llvm::enumerate(op.getReassociationIndices())) {
    int64_t stride = source.strides[d], size = 1;
    for (int64_t inner : llvm::reverse(group)) {
      result.strides[inner] = stride;
      stride *= result.sizes[inner];
      size *= result.sizes[inner];
    }
    if (size != source.sizes[d])
      return fail("expands a dimension of size " + Twine(source.sizes[d]) + " to " +
                  Twine(size));
  }
  return give(std::move(result));
}

LogicalResult MemoryOp::extractMetadata(memref::ExtractStridedMetadataOp op) {
  Buffer source = getBuffer(op.getSource()), base = source;
  base.offset = 0;
  base.sizes.clear();
  base.strides.clear();
  results.push_back(std::move(base));
  results.push_back(HostTensor::scalar(source.offset));
  for (ArrayRef<int64_t> list : {ArrayRef<int64_t>(source.sizes), ArrayRef<int64_t>(source.strides)})
    for (int64_t value : list)
      results.push_back(HostTensor::scalar(value));
  return success();
}

LogicalResult MemoryOp::copy(memref::CopyOp op) {
  Buffer source = getBuffer(op.getSource()), target = getBuffer(op.getTarget());
  if (source.sizes != target.sizes)
    return fail("copies " + formatDims(source.sizes) + " to " +
                formatDims(target.sizes));
  target.store(source.load());
  return success();
}

FailureOr<char *> MemoryOp::getPlace(const Buffer &buffer, ValueRange indices) {
  SmallVector<int64_t, 4> index;
  for (auto [d, value] : llvm::enumerate(indices)) {
    index.push_back(getValue(value).getInt());
    if (index.back() < 0 || index.back() >= buffer.sizes[d])
      return fail("index " + Twine(index.back()) + " leaves dimension " + Twine(d) +
                  " of size " + Twine(buffer.sizes[d]));
  }
  return buffer.getElement(index);
}

std::optional<LogicalResult> MemoryOp::run(Operation *op) {
  return TypeSwitch<Operation *, std::optional<LogicalResult>>(op)
      .Case([&](memref::AllocOp op) { return allocate(op, op.getDynamicSizes()); })
      .Case([&](memref::AllocaOp op) { return allocate(op, op.getDynamicSizes()); })
      .Case([&](rt::AllocateOp op) { return allocate(op, op.getSizes()); })
      .Case([&](rt::OutputOp op) { return allocate(op, op.getSizes()); })
      .Case([&](rt::ArenaOp op) { return allocate(op, op.getBytes()); })
      .Case([&](rt::MarkOp) { return giveInt(0); })
      .Case<memref::DeallocOp, rt::ReleaseOp>([](auto) { return success(); })
      .Case([&](memref::CastOp op) { return give(getBuffer(op.getSource())); })
      .Case([&](memref::ViewOp op) { return view(op); })
      .Case([&](memref::SubViewOp op) { return subview(op); })
      .Case([&](memref::ReinterpretCastOp op) { return reinterpret(op); })
      .Case([&](memref::CollapseShapeOp op) { return collapse(op); })
      .Case([&](memref::ExpandShapeOp op) { return expand(op); })
      .Case([&](memref::ExtractStridedMetadataOp op) { return extractMetadata(op); })
      .Case([&](memref::CopyOp op) { return copy(op); })
      .Case([&](memref::DimOp op) -> LogicalResult {
        Buffer source = getBuffer(op.getSource());
        int64_t index = getValue(op.getIndex()).getInt();
        if (index < 0 || index >= int64_t(source.sizes.size()))
          return fail("there is no dimension " + Twine(index));
        return giveInt(source.sizes[index]);
      })
      .Case([&](memref::LoadOp op) -> LogicalResult {
        Buffer source = getBuffer(op.getMemref());
        FailureOr<char *> place = getPlace(source, op.getIndices());
        if (failed(place))
          return failure();
        HostTensor scalar = HostTensor::allocate(source.type, {});
        std::memcpy(scalar.getMutableData(), *place, scalar.getNumBytes());
        return give(std::move(scalar));
      })
      .Case([&](memref::StoreOp op) -> LogicalResult {
        FailureOr<char *> place = getPlace(getBuffer(op.getMemref()), op.getIndices());
        if (failed(place))
          return failure();
        HostTensor scalar = getValue(op.getValueToStore()).tensor;
        std::memcpy(*place, scalar.getData(), scalar.getNumBytes());
        return success();
      })
      .Case([&](UnrealizedConversionCastOp op) -> std::optional<LogicalResult> {
        auto type = op.getNumResults() == 1
                        ? dyn_cast<MemRefType>(op.getResult(0).getType())
                        : MemRefType();
        if (!type || op.getNumOperands() != 1)
          return std::nullopt;
        Buffer result = getBuffer(op.getOperand(0));
        result.type = getDataType(type.getElementType()).value_or(result.type);
        return give(std::move(result));
      })
      .Default([](Operation *) { return std::nullopt; });
}

std::optional<LogicalResult>
nn::evaluateMemRef(Operation *op, llvm::function_ref<Datum(Value)> getValue,
                   SmallVectorImpl<Datum> &results, std::string &message) {
  return MemoryOp(getValue, results, message).run(op);
}
