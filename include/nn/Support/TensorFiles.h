//===- TensorFiles.h - tensors in .npz, .npy and .pb files ------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// numpy has no bf16, f8 and 4-bit types: such tensors are written as their bits
// (uint16 or uint8, one element a byte), and read back by the type that the
// model asks for (`reinterpretAs`). Strings are numpy's `<U`.
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

/// Reads all tensors of a file, by its extension: .npz (an entry's name is the
/// tensor's), .npy (without a name), .pb (one ONNX TensorProto, with its name; of a
/// SequenceProto or an OptionalProto of a sequence the items as NAME[0], NAME[1],
/// ..., or NAME.items without rows). Damaged and hostile files give errors that name
/// the file.
llvm::Expected<NamedTensors> readTensorFile(llvm::StringRef path);

/// Reads a .pb file that holds a value of that type, as ONNX's tests have them: a
/// TensorProto, a SequenceProto, an OptionalProto; for an optional also what it would
/// hold. Elements get the type's (reinterpretAs), shapes are not checked.
llvm::Expected<StructuredValue> readValueFile(llvm::StringRef path,
                                              const ValueType &type);

/// Writes .npz, or a single tensor to .npy or .pb. Equal tensors give equal
/// bytes.
llvm::Error writeTensorFile(llvm::StringRef path, const NamedTensors &tensors);

/// The content of an .npy file.
llvm::Expected<HostTensor> parseNpy(llvm::StringRef bytes);
std::string formatNpy(const HostTensor &tensor);

/// A tensor that was read from a file, as the type that a model wants: bits as
/// the types that numpy lacks. An error if that cannot be.
llvm::Expected<HostTensor> reinterpretAs(const HostTensor &tensor,
                                         DataType wanted);

} // namespace mlir::nn

#endif // NN_SUPPORT_TENSORFILES_H
