//===- OneDNN.h - the onednn dialect ----------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_DIALECTS_ONEDNN_IR_ONEDNN_H
#define NN_DIALECTS_ONEDNN_IR_ONEDNN_H

#include "dialects/NN/IR/NN.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::nn::onednn::detail {
/// Reads of sources and the write of dst, where they are memrefs.
void getPrimitiveEffects(
    Operation *op,
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects);
} // namespace mlir::nn::onednn::detail

#include "dialects/OneDNN/IR/OneDNNDialect.h.inc"
#include "dialects/OneDNN/IR/OneDNNEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/OneDNN/IR/OneDNNAttributes.h.inc"
#include "dialects/OneDNN/IR/OneDNNInterfaces.h.inc"
#define GET_OP_CLASSES
#include "dialects/OneDNN/IR/OneDNNOps.h.inc"

namespace mlir::nn::onednn {
/// Lets one-shot bufferization turn the operations to memrefs of any layout.
void registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry);
} // namespace mlir::nn::onednn

#endif // NN_DIALECTS_ONEDNN_IR_ONEDNN_H
