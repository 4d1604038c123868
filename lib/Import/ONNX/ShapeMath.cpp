//===- ShapeMath.cpp - arithmetic of shapes, made of nn operators ---------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "ShapeMath.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

static Type getI64(NodeBinder &node) { return IntegerType::get(node.getContext(), 64); }

int64_t importer::normalizeAxis(NodeBinder &node, int64_t axis, int64_t rank,
                                StringRef attribute) {
  node.require(axis >= -rank && axis < rank,
               "attribute '" + attribute + "' is a dimension of the input", Twine(axis),
               Twine(-rank) + " to " + Twine(rank - 1));
  return node.failed() ? -1 : shapes::normalizeAxis(axis, rank);
}

Value importer::getShapeList(NodeBinder &node, Value tensor) {
  return tensor ? node.create<nn::ShapeOp>(tensor, 0, IntegerAttr()) : Value();
}

Value importer::getDimList(NodeBinder &node, Value tensor, int64_t dim) {
  return node.create<nn::ShapeOp>(
      tensor, dim, Builder(node.getContext()).getI64IntegerAttr(dim + 1));
}

Value importer::getDimScalar(NodeBinder &node, Value tensor, int64_t dim) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (node.require(dim < type.getRank(), "the operand has all dimensions that count",
                   Twine(type.getRank()) + " dimensions", Twine(dim + 1) + " or more")
          .failed())
    return {};
  int64_t size = type.getDimSize(dim);
  if (!ShapedType::isDynamic(size))
    return node.constantScalar(double(size), getI64(node));
  return node.asScalar(getDimList(node, tensor, dim));
}

Value importer::fixDims(NodeBinder &node, Value tensor, ArrayRef<int64_t> sizes,
                        llvm::function_ref<std::string(int64_t)> getProblem) {
  auto type = cast<RankedTensorType>(tensor.getType());
  auto isFixed = [&](int64_t dim) {
    return type.isDynamicDim(dim) && !ShapedType::isDynamic(sizes[dim]);
  };
  if (llvm::none_of(llvm::seq<int64_t>(type.getRank()), isFixed))
    return tensor;
  SmallVector<Value> shape;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    int64_t size = isFixed(dim) ? sizes[dim] : type.getDimSize(dim);
    if (isFixed(dim))
      node.checkAtRun(node.create<EqualOp>(getDimScalar(node, tensor, dim),
                                           node.constantScalar(double(size), getI64(node))),
                      getProblem(dim));
    shape.push_back(ShapedType::isDynamic(size) ? getDimList(node, tensor, dim)
                                                : node.constantList({size}));
  }
  return node.create<ReshapeOp>(tensor, node.create<ConcatOp>(shape, 0), /*allow_zero=*/true);
}

Value importer::fixTrailingDims(NodeBinder &node, Value tensor, ArrayRef<int64_t> sizes,
                                llvm::function_ref<std::string(int64_t)> getProblem) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(tensor.getType()).getShape();
  SmallVector<int64_t> all(shape.drop_back(sizes.size()));
  all.append(sizes.begin(), sizes.end());
  return fixDims(node, tensor, all, getProblem);
}

void importer::checkSplit(NodeBinder &node, Value sizes, Value whole) {
  Value sum = node.create<ReduceSumOp>(sizes, ArrayRef<int64_t>{0}, /*keepdims=*/false);
  node.checkAtRun(node.create<EqualOp>(sum, whole),
                  "has a 'split' whose sum is not the size of the dimension");
  Value least = node.create<ReduceMinOp>(sizes, ArrayRef<int64_t>{0}, /*keepdims=*/false);
  Value zero = node.constantScalar(0, getI64(node));
  node.checkAtRun(node.create<GreaterOrEqualOp>(least, zero), "has a 'split' below 0");
}

Value importer::makeIota(NodeBinder &node, Value count) {
  if (!count)
    return {};
  Value zero = node.constantScalar(0, getI64(node));
  Value one = node.constantScalar(1, getI64(node));
  return node.create<RangeOp>(zero, count, one);
}

Value importer::makeIota(NodeBinder &node, Value tensor, int64_t dim, int64_t place,
                         int64_t rank) {
  Value list = makeIota(node, getDimScalar(node, tensor, dim));
  SmallVector<int64_t> added;
  for (int64_t i = 0; i < rank; ++i)
    if (i != place)
      added.push_back(i);
  return !list || added.empty() ? list : node.create<UnsqueezeOp>(list, added);
}

Value importer::takeColumns(NodeBinder &node, Value matrix, int64_t from, int64_t to) {
  Value start = node.constantList({from}), end = node.constantList({to});
  return node.create<SliceOp>(matrix, start, end, ArrayRef<int64_t>{1}, ArrayRef<int64_t>{1});
}

Value importer::flatten(NodeBinder &node, Value tensor) {
  Value shape = tensor ? node.constantList({-1}) : Value();
  return shape ? node.create<ReshapeOp>(tensor, shape, /*allow_zero=*/false) : Value();
}

Value importer::makeFilled(NodeBinder &node, Value shape, double value,
                           Type elementType) {
  if (!shape)
    return {};
  if (isString(elementType))
    return node.create<ConstantOfShapeOp>(
        shape, cast<ElementsAttr>(Attribute(makeStrings(node.getContext(), 1, {""}))));
  Attribute number = isa<FloatType>(elementType)
                         ? Attribute(FloatAttr::get(elementType, value))
                         : Attribute(IntegerAttr::get(elementType, int64_t(value)));
  auto attr = DenseElementsAttr::get(RankedTensorType::get({1}, elementType), number);
  return node.create<ConstantOfShapeOp>(shape, cast<ElementsAttr>(attr));
}

Value importer::normalizeAxes(NodeBinder &node, Value axes, int64_t rank) {
  axes = node.asInt64(axes);
  if (!axes)
    return {};
  Value negative = node.create<LessOp>(axes, node.constantScalar(0, getI64(node)));
  Value fromFront = node.create<AddOp>(axes, node.constantScalar(double(rank), getI64(node)));
  return negative && fromFront ? node.create<WhereOp>(negative, fromFront, axes) : Value();
}

Value importer::makeAxesMask(NodeBinder &node, Value axes, int64_t rank) {
  axes = normalizeAxes(node, axes, rank);
  if (!axes)
    return {};
  auto iota = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  Value places = node.create<UnsqueezeOp>(node.constantList(iota), ArrayRef<int64_t>{1});
  Value equal = places ? node.create<EqualOp>(places, axes) : Value();
  Value numbers = equal ? node.create<CastOp>(equal, getI64(node)) : Value();
  return numbers ? node.create<ReduceMaxOp>(numbers, ArrayRef<int64_t>{1},
                                            /*keepdims=*/false)
                 : Value();
}

Value importer::dropMasked(NodeBinder &node, Value list, Value mask, int64_t count) {
  if (node.require(count >= 0, "there are no more axes than dimensions",
                   Twine(-count) + " too many", "")
          .failed())
    return {};
  if (!list || !mask)
    return {};
  // Kept entries go to their positions, the others behind all of them.
  Value one = node.constantScalar(1, getI64(node));
  Value kept = node.create<SubOp>(one, mask);
  Value numbers = kept ? node.create<CumSumOp>(kept, 0) : Value();
  Value places = numbers ? node.create<SubOp>(numbers, one) : Value();
  Value isDropped = node.create<EqualOp>(mask, one);
  Value behind = node.constantScalar(double(count), getI64(node));
  if (!places || !isDropped)
    return {};
  places = node.create<WhereOp>(isDropped, behind, places);
  Value room = node.constantList(SmallVector<int64_t>(count + 1, 1));
  Value scattered =
      places ? node.create<ScatterElementsOp>(room, places, list, 0, "none") : Value();
  Value start = node.constantList({0}), end = node.constantList({count});
  return scattered ? node.create<SliceOp>(scattered, start, end, ArrayRef<int64_t>{0},
                                          ArrayRef<int64_t>{1})
                   : Value();
}
