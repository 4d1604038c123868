//===- CustomNodes.h - nodes that libraries of users compute ----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_SUPPORT_CUSTOMNODES_H
#define NN_SUPPORT_CUSTOMNODES_H

#include "mlir/IR/BuiltinAttributes.h"
#include "runtime/lib/Core/CustomNode.h"

namespace mlir::nn {

/// What the library of an nn.custom has to know, in one attribute: `function`, `library` and,
/// if there are any, `parameters`. It is what rt.call and `nn.custom_operators` have.
DictionaryAttr getCustomNode(StringAttr function, StringAttr library,
                             DictionaryAttr parameters);

/// The same for the runtime. Failure if the memory of a tensor was released.
FailureOr<nnrt::CustomNode> toCustomNode(DictionaryAttr custom);

} // namespace mlir::nn

#endif // NN_SUPPORT_CUSTOMNODES_H
