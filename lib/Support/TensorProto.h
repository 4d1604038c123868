//===- TensorProto.h - tensors as ONNX messages ---------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_SUPPORT_TENSORPROTO_H
#define NN_LIB_SUPPORT_TENSORPROTO_H

#include "nn/Support/Structured.h"
#include "llvm/Support/Error.h"

namespace mlir::nn {

/// The tensor of a serialized onnx.TensorProto; `name` gets its name.
llvm::Expected<HostTensor> parseTensorProto(llvm::StringRef bytes,
                                            std::string &name);

/// The value of a serialized onnx.SequenceProto or OptionalProto, as ONNX's tests store
/// inputs and outputs of these types; `name` gets its name. An error for other
/// messages, or values other than tensors and sequences of tensors.
struct ParsedValue {
  StructuredValue value;
  /// nullopt if the message does not say which kind of value is absent.
  std::optional<bool> isSequence = std::nullopt;
};
llvm::Expected<ParsedValue> parseSequenceProto(llvm::StringRef bytes, std::string &name);
llvm::Expected<ParsedValue> parseOptionalProto(llvm::StringRef bytes, std::string &name);

std::string formatTensorProto(const HostTensor &tensor, llvm::StringRef name);

} // namespace mlir::nn

#endif // NN_LIB_SUPPORT_TENSORPROTO_H
