//===- Weights.h - from ONNX tensors to constants ---------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_IMPORT_ONNX_WEIGHTS_H
#define NN_LIB_IMPORT_ONNX_WEIGHTS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "nn/Import/Triage.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FileSystem.h"
#include "onnx/onnx_pb.h"
#include <memory>
#include <variant>

namespace mlir::nn::importer {

/// The element type for a number of TensorProto.DataType, if nn tensors can have it;
/// else null.
Type getTensorElementType(MLIRContext *context, int64_t dataType);
/// What users read: "float32", "string", "type 99".
std::string getDataTypeName(int64_t dataType);
/// The element types for which getTensorElementType is not null, in words.
llvm::StringRef getAcceptedTypes();

/// False for shapes with more elements than any machine can hold, which would overflow
/// type arithmetic.
bool isReasonableShape(ArrayRef<int64_t> dims);

/// Reads tensors of one model.
class WeightReader {
public:
  WeightReader(MLIRContext &context, llvm::StringRef modelPath);

  /// The tensor as a constant, or what is wrong with it (without a node). Inline data
  /// is moved out of the proto, which must not be read again.
  std::variant<ElementsAttr, Problem> read(onnx::TensorProto &tensor);
  /// The same of a sparse tensor: it stands for the dense one with zeros elsewhere.
  std::variant<ElementsAttr, Problem> read(onnx::SparseTensorProto &tensor);

private:
  using Mapping = std::shared_ptr<llvm::sys::fs::mapped_file_region>;
  struct ExternalFile {
    Mapping mapping; // null for an empty file
    uint64_t size = 0;
    std::string error; // if it cannot be used
  };

  std::variant<ElementsAttr, Problem>
  readExternal(const onnx::TensorProto &tensor, RankedTensorType type,
               uint64_t size);
  /// The file at `location`, which must be in the model's folder.
  const ExternalFile &open(llvm::StringRef location);

  MLIRContext &context;
  std::string folder; // canonical
  llvm::StringMap<ExternalFile> files;
};

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_WEIGHTS_H
