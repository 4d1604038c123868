//===- Weights.h - from constants to ONNX tensors ---------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_EXPORT_ONNX_WEIGHTS_H
#define NN_LIB_EXPORT_ONNX_WEIGHTS_H

#include "nn/Support/HostTensor.h"
#include "onnx/onnx_pb.h"
#include "llvm/Support/ToolOutputFile.h"
#include <optional>

namespace mlir::nn::exporter {

/// Writes tensors into the model, or into a file beside it.
class Weights {
public:
  Weights(llvm::StringRef path, std::optional<uint64_t> externalBytes);

  /// Where no limit was asked for: says how large all tensors are together.
  void setTotal(uint64_t bytes);
  /// Fills in all but the name.
  void write(const HostTensor &tensor, onnx::TensorProto &to);
  /// The bytes as the file has them: packed, little-endian.
  static std::string getBytes(const HostTensor &tensor);

  /// Why a tensor has no place.
  std::optional<std::string> getProblem() const {
    return problem.empty() ? std::nullopt : std::optional(problem);
  }
  /// Keeps the file beside the model, if there is one. An error if it could not be
  /// written.
  std::optional<std::string> finish();

private:
  void writeExternal(llvm::StringRef bytes, onnx::TensorProto &to);

  std::string path;
  std::optional<uint64_t> externalBytes;
  std::unique_ptr<llvm::ToolOutputFile> file;
  std::string problem;
};

} // namespace mlir::nn::exporter

#endif // NN_LIB_EXPORT_ONNX_WEIGHTS_H
