//===- Constants.h - the canonical form of constants ------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// All constants of a model are made here, so that equal contents are always the same
// attribute:
//
//  - splats, empty tensors and tensors of up to 32 elements are DenseElementsAttr;
//  - all others are DenseResourceElementsAttr, with a hash of the bytes as the key.
//    Tensors with the same bytes share one blob, whatever their types.
//
// Bool and 4-bit elements of blobs take a byte each.
//
//===----------------------------------------------------------------------===//

#ifndef NN_SUPPORT_CONSTANTS_H
#define NN_SUPPORT_CONSTANTS_H

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinOps.h"
#include "nn/Support/HostTensor.h"

namespace mlir::nn {

/// Constants with more elements are resource blobs, unless they are splats.
constexpr int64_t maxDenseElements = 32;

/// The canonical constant for a tensor, except of strings. A buffer that is aligned to 16
/// bytes is shared, not copied, and must not be written to later. `elementType` is for
/// types that ONNX does not distinguish (`index`).
ElementsAttr makeConstantAttr(MLIRContext *context, const HostTensor &tensor,
                              Type elementType = {});

/// The elements of a value that is a constant; failure for other values.
FailureOr<HostTensor> readConstant(Value value);

/// The canonical constant for elements in memory of any alignment. `blob` owns or maps
/// `type.getNumElements()` elements. It is used directly if the constant is a blob and
/// the memory is aligned to 16 bytes; otherwise it is copied and released.
ElementsAttr makeConstantAttr(RankedTensorType type, AsmResourceBlob blob);

/// Frees the memory of all constants of a context but those that the modules use. Others
/// fail to be read from then on; one with the same elements may be made anew.
void releaseConstantsBut(MLIRContext *context, ArrayRef<ModuleOp> users);

} // namespace mlir::nn

#endif // NN_SUPPORT_CONSTANTS_H
