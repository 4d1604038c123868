//===- Constants.h - the canonical form of constants ------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// All constants of a model are made here, so that equal contents are one
// attribute, whoever made them:
//
//  - splats, empty tensors and up to 32 elements are DenseElementsAttr;
//  - all else is a DenseResourceElementsAttr whose key is the hash of its
//    bytes. Tensors of the same bytes share one blob, whatever their types.
//
// Bool and 4-bit elements of blobs take a byte each.
//
//===----------------------------------------------------------------------===//

#ifndef NN_SUPPORT_CONSTANTS_H
#define NN_SUPPORT_CONSTANTS_H

#include "mlir/IR/AsmState.h"
#include "nn/Support/HostTensor.h"

namespace mlir::nn {

/// Constants of more elements are resource blobs, unless they are splats.
constexpr int64_t maxDenseElements = 32;

/// The canonical constant of the tensor, not of strings. Its buffer is shared,
/// not copied, where it is aligned to 16 bytes: it must not be written to later.
/// `elementType` serves types that ONNX cannot tell apart (`index`).
ElementsAttr makeConstantAttr(MLIRContext *context, const HostTensor &tensor,
                              Type elementType = {});

/// The canonical constant of elements in memory of any alignment. `blob` owns
/// or maps `type.getNumElements()` elements; where it is aligned to 16 bytes
/// and needed as a blob, it is taken over, else copied and released.
ElementsAttr makeConstantAttr(RankedTensorType type, AsmResourceBlob blob);

} // namespace mlir::nn

#endif // NN_SUPPORT_CONSTANTS_H
