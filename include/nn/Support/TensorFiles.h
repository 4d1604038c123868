//===- TensorFiles.h - tensors in .npz, .npy and .pb files ------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// numpy lacks bf16, f8 and 4-bit types. Such tensors are written as bits (uint16, or
// uint8 with one element per byte), and are converted to the type that the model wants
// when they are read (`reinterpretAs`). Strings are numpy's `<U`.
//
//===----------------------------------------------------------------------===//

#ifndef NN_SUPPORT_TENSORFILES_H
#define NN_SUPPORT_TENSORFILES_H

#include "nn/Support/HostTensor.h"
#include "nn/Support/Structured.h"
#include "llvm/Support/Error.h"

namespace mlir::nn {

struct NamedTensor {
  std::string name;
  HostTensor tensor;
};
using NamedTensors = std::vector<NamedTensor>;

/// Reads all tensors of a file. Its extension determines the format: .npz (tensors have
/// the names of the entries), .npy (no name), .pb (one ONNX TensorProto with its name; for
/// a SequenceProto, or an OptionalProto of a sequence, the items as NAME[0], NAME[1], ...,
/// or a NAME.items without rows). Damaged and hostile files give errors that name the file.
llvm::Expected<NamedTensors> readTensorFile(llvm::StringRef path);

/// Reads a .pb file with a value of that type, as in ONNX's tests: a TensorProto,
/// SequenceProto or OptionalProto; for an optional also just its value. Elements are
/// converted to the type (reinterpretAs); shapes are not checked.
llvm::Expected<StructuredValue> readValueFile(llvm::StringRef path,
                                              const ValueType &type);

/// Writes .npz, or a single tensor to .npy or .pb. Equal tensors give equal
/// bytes.
llvm::Error writeTensorFile(llvm::StringRef path, const NamedTensors &tensors);

/// The content of an .npy file.
llvm::Expected<HostTensor> parseNpy(llvm::StringRef bytes);
std::string formatNpy(const HostTensor &tensor);

/// Converts a tensor read from a file to the type that a model wants: bits to types that
/// numpy lacks. An error if that is not possible.
llvm::Expected<HostTensor> reinterpretAs(const HostTensor &tensor,
                                         DataType wanted);

} // namespace mlir::nn

#endif // NN_SUPPORT_TENSORFILES_H
