//===- Verification.h - checks that primitives share ------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_DIALECTS_ONEDNN_IR_VERIFICATION_H
#define NN_DIALECTS_ONEDNN_IR_VERIFICATION_H

#include "dialects/OneDNN/IR/OneDNN.h"

namespace mlir::nn::onednn {

inline ShapedType getShaped(Value value) {
  return cast<ShapedType>(value.getType());
}

/// True unless both sizes are known and differ.
inline bool maybeEqual(int64_t lhs, int64_t rhs) {
  return ShapedType::isDynamic(lhs) || ShapedType::isDynamic(rhs) || lhs == rhs;
}

/// Whether the list is empty or names each of `rank` dimensions once.
bool isPermutationOrEmpty(ArrayRef<int64_t> permutation, int64_t rank);

/// The shape through a permutation; as it is, if that is empty.
SmallVector<int64_t> permuteShape(ArrayRef<int64_t> shape,
                                  ArrayRef<int64_t> permutation);

/// Reports lists that have neither `count` entries nor none, and strides and
/// dilations that are not positive.
LogicalResult verifyWindowLists(Operation *op, size_t count,
                                ArrayRef<int64_t> strides,
                                ArrayRef<int64_t> dilations,
                                ArrayRef<int64_t> padsBegin,
                                ArrayRef<int64_t> padsEnd);

/// Entry `index` of a list, or `otherwise` if the list is empty.
inline int64_t getEntry(ArrayRef<int64_t> list, size_t index,
                        int64_t otherwise) {
  return list.empty() ? otherwise : list[index];
}

/// types_c1
LogicalResult verifyTypes(Operation *op, ShapedType src, ShapedType weights,
                          Value bias, ShapedType dst);

/// post_ops_c1
LogicalResult verifyPostOps(PrimitiveOpInterface op, ShapedType dst);

} // namespace mlir::nn::onednn

#endif // NN_DIALECTS_ONEDNN_IR_VERIFICATION_H
