//===- OneDNNInterfaces.td - what is common to primitives -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef ONEDNN_INTERFACES_TD
#define ONEDNN_INTERFACES_TD

include "mlir/IR/OpBase.td"

def OneDNN_PrimitiveOpInterface : OpInterface<"PrimitiveOpInterface"> {
  let cppNamespace = "::mlir::nn::onednn";
  let description = "What is common to all primitives.";
  let methods = [
    InterfaceMethod<"The post-ops in order; empty if the primitive has none.",
      "::llvm::ArrayRef<::mlir::Attribute>", "getPostOpList", (ins), [{}], [{ return {}; }]>,
    InterfaceMethod<"The tensors that binary post-ops name by position.",
      "::mlir::OperandRange", "getPostOpOperands", (ins), [{}],
      [{ return $_op->getOperands().take_front(0); }]>
  ];
}

#endif // ONEDNN_INTERFACES_TD
