//===- TensorProto.h - tensors as ONNX messages ---------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_SUPPORT_TENSORPROTO_H
#define NN_LIB_SUPPORT_TENSORPROTO_H

#include "nn/Support/HostTensor.h"
#include "llvm/Support/Error.h"

namespace mlir::nn {

/// The tensor of a serialized onnx.TensorProto, whose name is put into `name`.
llvm::Expected<HostTensor> parseTensorProto(llvm::StringRef bytes,
                                            std::string &name);
std::string formatTensorProto(const HostTensor &tensor, llvm::StringRef name);

} // namespace mlir::nn

#endif // NN_LIB_SUPPORT_TENSORPROTO_H
