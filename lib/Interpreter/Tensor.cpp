//===- Tensor.cpp - the tensor dialect ------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Elements.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cstring>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

/// Sizes, offsets or strides, some of which are operands.
static Shape resolve(Call &call, ArrayRef<OpFoldResult> mixed) {
  Shape result;
  for (OpFoldResult entry : mixed)
    result.push_back(isa<Attribute>(entry)
                         ? cast<IntegerAttr>(cast<Attribute>(entry)).getInt()
                         : call[cast<Value>(entry)].getInt(0));
  return result;
}

/// The linear index of an element given by index operands; fails if it is out
/// of bounds.
static FailureOr<int64_t> getPlace(Call &call, const HostTensor &tensor,
                                   ValueRange indices) {
  Shape index;
  for (auto [d, value] : llvm::enumerate(indices)) {
    index.push_back(call[value].getInt(0));
    if (index.back() < 0 || index.back() >= tensor.getDim(d))
      return call.fail("index " + Twine(index.back()) +
                       " is out of bounds for dimension " + Twine(d) +
                       " of size " + Twine(tensor.getDim(d)));
  }
  return dot(index, getStrides(tensor.getDims()));
}

/// Fails unless the slice lies in a tensor of the given shape.
static LogicalResult checkSlice(Call &call, ArrayRef<int64_t> dims,
                                ArrayRef<int64_t> offsets,
                                ArrayRef<int64_t> sizes,
                                ArrayRef<int64_t> strides) {
  for (size_t d = 0; d < dims.size(); ++d)
    if (sizes[d] < 0 ||
        (sizes[d] > 0 &&
         (offsets[d] < 0 || offsets[d] >= dims[d] ||
          offsets[d] + (sizes[d] - 1) * strides[d] < 0 ||
          offsets[d] + (sizes[d] - 1) * strides[d] >= dims[d])))
      return call.fail("the slice leaves dimension " + Twine(d) + " of size " +
                       Twine(dims[d]));
  return success();
}

static LogicalResult extractSlice(tensor::ExtractSliceOp op, Call &call) {
  const HostTensor &source = call[op.getSource()];
  Shape offsets = resolve(call, op.getMixedOffsets());
  Shape sizes = resolve(call, op.getMixedSizes());
  Shape strides = resolve(call, op.getMixedStrides());
  if (failed(checkSlice(call, source.getDims(), offsets, sizes, strides)))
    return failure();
  Shape elementStrides = getStrides(source.getDims());
  int64_t first = dot(offsets, elementStrides);
  for (size_t d = 0; d < strides.size(); ++d)
    strides[d] *= elementStrides[d];
  HostTensor slice = pickElements(source, sizes, [&](ArrayRef<int64_t> index) {
    return first + dot(index, strides);
  });
  Shape kept;
  llvm::SmallBitVector dropped = op.getDroppedDims();
  for (size_t d = 0; d < sizes.size(); ++d)
    if (!dropped.test(d))
      kept.push_back(sizes[d]);
  return call.give(slice.withDims(kept));
}

static LogicalResult insertSlice(tensor::InsertSliceOp op, Call &call) {
  const HostTensor &source = call[op.getSource()], &target = call[op.getDest()];
  Shape offsets = resolve(call, op.getMixedOffsets());
  Shape sizes = resolve(call, op.getMixedSizes());
  Shape strides = resolve(call, op.getMixedStrides());
  if (failed(checkSlice(call, target.getDims(), offsets, sizes, strides)))
    return failure();
  HostTensor result = HostTensor::allocate(target.getType(), target.getDims());
  for (int64_t i = 0; i < target.getNumElements(); ++i)
    copyElement(target, i, result, i);
  Shape elementStrides = getStrides(target.getDims());
  int64_t from = 0;
  forEachIndex(sizes, [&](ArrayRef<int64_t> index) {
    int64_t to = 0;
    for (size_t d = 0; d < index.size(); ++d)
      to += (offsets[d] + index[d] * strides[d]) * elementStrides[d];
    copyElement(source, from++, result, to);
  });
  return call.give(std::move(result));
}

static LogicalResult collapseShape(tensor::CollapseShapeOp op, Call &call) {
  const HostTensor &source = call[op.getSrc()];
  Shape dims;
  for (const ReassociationIndices &group : op.getReassociationIndices()) {
    int64_t size = 1;
    for (int64_t d : group)
      size *= source.getDim(d);
    dims.push_back(size);
  }
  return call.give(source.withDims(dims));
}

static LogicalResult expandShape(tensor::ExpandShapeOp op, Call &call) {
  Shape dims = resolve(call, op.getMixedOutputShape());
  const HostTensor &source = call[op.getSrc()];
  if (product(dims) != source.getNumElements())
    return call.fail("source " + formatDims(source.getDims()) +
                     " cannot be expanded to " + formatDims(dims));
  return call.give(source.withDims(dims));
}

static LogicalResult fromElements(tensor::FromElementsOp op, Call &call) {
  auto type = cast<RankedTensorType>(op.getType());
  HostTensor result =
      HostTensor::allocate(call.getResultType(), type.getShape());
  for (auto [i, element] : llvm::enumerate(call.getOperands()))
    copyElement(element, 0, result, i);
  return call.give(std::move(result));
}

void interpreter::registerTensor(Registry &registry) {
  registry.add<tensor::DimOp>([](tensor::DimOp op, Call &call) {
    const HostTensor &source = call[op.getSource()];
    int64_t index = call[op.getIndex()].getInt(0);
    if (index < 0 || index >= source.getRank())
      return call.fail("there is no dimension " + Twine(index));
    return call.give(HostTensor::scalar(source.getDim(index)));
  });
  registry.add<tensor::ExtractOp>([](tensor::ExtractOp op, Call &call) {
    const HostTensor &source = call[op.getTensor()];
    FailureOr<int64_t> place = getPlace(call, source, op.getIndices());
    if (failed(place))
      return LogicalResult(failure());
    return call.give(pickElements(
        source, {}, [&](ArrayRef<int64_t>) { return *place; }));
  });
  registry.add<tensor::EmptyOp>([](tensor::EmptyOp op, Call &call) {
    // Nobody may read it; poison reveals anyone who does.
    HostTensor tensor = HostTensor::allocate(call.getResultType(),
                                             resolve(call, op.getMixedSizes()));
    std::memset(tensor.getMutableData(), 0xff, tensor.getNumBytes());
    return call.give(std::move(tensor));
  });
  registry.add<tensor::SplatOp>([](tensor::SplatOp op, Call &call) {
    Shape dims;
    unsigned dynamic = 1;
    for (int64_t dim : op.getType().getShape())
      dims.push_back(ShapedType::isDynamic(dim)
                         ? call.getOperand(dynamic++).getInt(0)
                         : dim);
    return call.give(broadcast(call.getOperand(0), dims));
  });
  registry.add<tensor::CastOp>([](tensor::CastOp op, Call &call) {
    return call.give(call[op.getSource()]);
  });
  registry.add<tensor::BitcastOp>([](tensor::BitcastOp op, Call &call) {
    return call.give(call[op.getSource()].withType(call.getResultType()));
  });
  registry.add<tensor::FromElementsOp>(fromElements);
  registry.add<tensor::CollapseShapeOp>(collapseShape);
  registry.add<tensor::ExpandShapeOp>(expandShape);
  registry.add<tensor::ExtractSliceOp>(extractSlice);
  registry.add<tensor::InsertSliceOp>(insertSlice);
}
