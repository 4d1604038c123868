//===- Reshapes.cpp - changes of shape, and data movement -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "TensorEmitter.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

using namespace mlir;
using namespace mlir::nn;

static RankedTensorType makeTensorType(ArrayRef<Size> sizes, Type elementType) {
  SmallVector<int64_t> shape;
  for (Size size : sizes)
    shape.push_back(
        TensorEmitter::getConstant(size).value_or(ShapedType::kDynamic));
  return RankedTensorType::get(shape, elementType);
}

static Value expand(TensorEmitter &e, Value tensor, ArrayRef<Size> sizes,
                    ArrayRef<ReassociationIndices> groups) {
  // The type implied by the sizes must not be less static than the source's.
  auto source = cast<RankedTensorType>(tensor.getType());
  SmallVector<int64_t> shape(source.getShape());
  for (auto [i, group] : llvm::enumerate(groups)) {
    int64_t all = 1;
    for (int64_t dim : group) {
      auto known = TensorEmitter::getConstant(sizes[dim]);
      all = known && !ShapedType::isDynamic(all) ? all * *known
                                                 : ShapedType::kDynamic;
    }
    shape[i] = all;
  }
  tensor = e.castTo(tensor, source.clone(shape));
  return tensor::ExpandShapeOp::create(
      e.rewriter, e.location, makeTensorType(sizes, source.getElementType()), tensor,
      groups, sizes);
}

static Value collapse(TensorEmitter &e, Value tensor,
                      ArrayRef<ReassociationIndices> groups) {
  return tensor::CollapseShapeOp::create(e.rewriter, e.location, tensor, groups);
}

namespace {
/// Dimensions of the source whose product equals that of dimensions of the target.
struct GroupPair {
  ReassociationIndices source, target;
};
} // namespace

/// Splits both shapes into as many groups as provably have equal sizes.
static SmallVector<GroupPair> pairGroups(SymbolicDims &symbols,
                                         ArrayRef<Dim> source,
                                         ArrayRef<Dim> target) {
  SmallVector<GroupPair> pairs;
  size_t i = 0, j = 0;
  while (i < source.size() && j < target.size()) {
    GroupPair pair;
    Dim have = source[i], want = target[j];
    pair.source.push_back(i++);
    pair.target.push_back(j++);
    while (!symbols.proveEqual(have, want)) {
      // Extend the side with the smaller constant factor, by default the source.
      auto value = [](Dim dim) {
        auto constant = dyn_cast<AffineConstantExpr>(dim);
        return constant ? constant.getValue() : 0;
      };
      bool growTarget = value(have) && value(want)
                            ? value(want) < value(have)
                            : symbols.isConstant(want, 1) ||
                                  (i == source.size() && j < target.size()) ||
                                  (j < target.size() && value(want) != 0 &&
                                   value(have) == 0);
      if (growTarget && j < target.size()) {
        want = want * target[j];
        pair.target.push_back(j++);
      } else if (i < source.size()) {
        have = have * source[i];
        pair.source.push_back(i++);
      } else if (j < target.size()) {
        want = want * target[j];
        pair.target.push_back(j++);
      } else {
        break;
      }
    }
    pairs.push_back(pair);
  }
  // The remaining dimensions have size 1 if the shapes fit at all.
  if (pairs.empty())
    return pairs;
  for (; i < source.size(); ++i)
    pairs.back().source.push_back(i);
  for (; j < target.size(); ++j)
    pairs.back().target.push_back(j);
  return pairs;
}

Value TensorEmitter::reshape(Value tensor, ArrayRef<Size> sizes,
                             ArrayRef<Dim> from, ArrayRef<Dim> to) {
  auto source = cast<RankedTensorType>(tensor.getType());
  Type elementType = source.getElementType();
  int64_t rank = sizes.size();
  if (source.getRank() == 0)
    return expand(*this, tensor, sizes, {});
  if (rank == 0) {
    SmallVector<int64_t> ones(source.getRank(), 1);
    return collapse(*this, castTo(tensor, source.clone(ones)), {});
  }
  SmallVector<GroupPair> pairs = pairGroups(symbols, from, to);
  SmallVector<ReassociationIndices> before, after;
  Sizes own = getDims(tensor), middle;
  bool canExpand = true, collapses = false, expands = false;
  for (const GroupPair &pair : pairs) {
    before.push_back(pair.source);
    after.push_back(pair.target);
    collapses |= pair.source.size() > 1;
    expands |= pair.target.size() > 1;
    Size all = size(1);
    int64_t unknown = 0;
    for (int64_t dim : pair.target) {
      all = mul(all, sizes[dim]);
      unknown += !getConstant(sizes[dim]);
    }
    canExpand &= unknown <= 1;
    middle.push_back(all);
  }
  if (!canExpand) {
    // Sizes that the type does not give are passed as a tensor.
    SmallVector<Value> list;
    for (Size entry : sizes)
      list.push_back(asValue(entry));
    Value shape = tensor::FromElementsOp::create(rewriter, location, list);
    return tensor::ReshapeOp::create(rewriter, location,
                                     makeTensorType(sizes, elementType), tensor, shape);
  }
  if (collapses)
    tensor = collapse(*this, tensor, before);
  tensor = castTo(tensor, makeTensorType(middle, elementType));
  return expands ? expand(*this, tensor, sizes, after) : tensor;
}

Value TensorEmitter::splitDim(Value tensor, int64_t dim, Size outer,
                              Size inner) {
  Sizes sizes = getDims(tensor);
  sizes[dim] = outer;
  sizes.insert(sizes.begin() + dim + 1, inner);
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0, rank = getRank(tensor); i < rank; ++i) {
    if (i < dim)
      groups.push_back({i});
    else if (i == dim)
      groups.push_back({i, i + 1});
    else
      groups.push_back({i + 1});
  }
  return expand(*this, tensor, sizes, groups);
}

Value TensorEmitter::mergeDims(Value tensor, int64_t dim) {
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0, rank = getRank(tensor); i < rank; ++i) {
    if (i == dim + 1)
      groups.back().push_back(i);
    else
      groups.push_back({i});
  }
  return collapse(*this, tensor, groups);
}

/// Groups for `rank` dimensions, in which those in `units` join a neighbour.
static SmallVector<ReassociationIndices>
groupUnits(int64_t rank, ArrayRef<int64_t> units) {
  SmallVector<ReassociationIndices> groups;
  ReassociationIndices leading;
  for (int64_t i = 0; i < rank; ++i) {
    if (!llvm::is_contained(units, i)) {
      groups.push_back(leading);
      groups.back().push_back(i);
      leading.clear();
    } else if (groups.empty()) {
      leading.push_back(i);
    } else {
      groups.back().push_back(i);
    }
  }
  return groups;
}

Value TensorEmitter::insertUnitDims(Value tensor, ArrayRef<int64_t> dims) {
  if (dims.empty())
    return tensor;
  Sizes source = getDims(tensor), sizes;
  int64_t rank = source.size() + dims.size();
  for (int64_t i = 0, next = 0; i < rank; ++i)
    sizes.push_back(llvm::is_contained(dims, i) ? size(1) : source[next++]);
  return expand(*this, tensor, sizes, groupUnits(rank, dims));
}

Value TensorEmitter::dropUnitDims(Value tensor, ArrayRef<int64_t> dims) {
  if (dims.empty())
    return tensor;
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<int64_t> shape(type.getShape());
  for (int64_t dim : dims)
    shape[dim] = 1;
  return collapse(*this, castTo(tensor, type.clone(shape)),
                  groupUnits(type.getRank(), dims));
}

Value TensorEmitter::transpose(Value tensor, ArrayRef<int64_t> permutation) {
  Sizes source = getDims(tensor), sizes;
  SmallVector<int64_t> kept;
  for (int64_t dim : permutation) {
    sizes.push_back(source[dim]);
    if (getConstant(source[dim]) != 1)
      kept.push_back(dim);
  }
  // No data moves if only dimensions of size 1 are permuted.
  if (llvm::is_sorted(kept)) {
    SmallVector<int64_t> before, after;
    for (auto [i, dim] : llvm::enumerate(permutation)) {
      if (!llvm::is_contained(kept, dim)) {
        before.push_back(dim);
        after.push_back(i);
      }
    }
    if (before == after)
      return tensor;
    return insertUnitDims(dropUnitDims(tensor, before), after);
  }
  return linalg::TransposeOp::create(rewriter, location, tensor,
                                     empty(sizes, getElement(tensor)),
                                     permutation)
      ->getResult(0);
}

Value TensorEmitter::pad(Value tensor, ArrayRef<Size> low, ArrayRef<Size> high,
                         Value value) {
  auto isZero = [](Size size) { return getConstant(size) == 0; };
  if (llvm::all_of(low, isZero) && llvm::all_of(high, isZero))
    return tensor;
  Sizes inner = getDims(tensor), outer;
  for (auto [i, dim] : llvm::enumerate(inner))
    outer.push_back(add(add(dim, low[i]), high[i]));
  return insertSlice(tensor, filled(outer, value), low);
}

static bool isEmpty(ArrayRef<Size> sizes) {
  return llvm::any_of(sizes, [](Size size) {
    return TensorEmitter::getConstant(size) == 0;
  });
}

Value TensorEmitter::extractSlice(Value tensor, ArrayRef<Size> offsets,
                                  ArrayRef<Size> sizes, ArrayRef<Size> strides) {
  // Nothing, at the end of a dimension, would be out of bounds to the verifier; so
  // would a part of nothing be whose size is not known.
  if (isEmpty(sizes) || isEmpty(getDims(tensor)))
    return empty(sizes, getElement(tensor));
  return tensor::ExtractSliceOp::create(rewriter, location, tensor, offsets,
                                        sizes, strides);
}

Value TensorEmitter::insertSlice(Value part, Value into, ArrayRef<Size> offsets) {
  Sizes sizes = getDims(part);
  if (isEmpty(sizes) || isEmpty(getDims(into)))
    return into; // See extractSlice.
  SmallVector<Size> strides(sizes.size(), size(1));
  return tensor::InsertSliceOp::create(rewriter, location, part, into, offsets, sizes,
                                       strides);
}
