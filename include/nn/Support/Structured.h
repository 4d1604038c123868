//===- Structured.h - sequences and optionals as tensors --------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// In a module and in a library, a value of ONNX's types sequence(tensor(T)) and optional
// is several tensors, its parts (see nnrt_part in nnrt.h). This header has such values as
// lists of tensors, and conversions to and from parts.
//
//===----------------------------------------------------------------------===//

#ifndef NN_SUPPORT_STRUCTURED_H
#define NN_SUPPORT_STRUCTURED_H

#include "nn/Support/HostTensor.h"
#include "llvm/Support/Error.h"
#include <optional>

namespace mlir::nn {

/// Which part of a value a tensor is; the numbers are those of nnrt_part.
enum class ValuePart : uint8_t { Tensor, Present, Value, Elements, Sizes, Items };

/// E.g. "elements": the suffix after the dot in `nn.name`, and the attribute `nn.part`.
llvm::StringRef getName(ValuePart part);
/// nullopt for other names; never ValuePart::Tensor.
std::optional<ValuePart> findPart(llvm::StringRef name);

/// The type of a value: a tensor, a sequence of tensors, an optional of either.
struct ValueType {
  bool isOptional = false, isSequence = false;
  DataType type = DataType::Undefined;
  /// Of a tensor or optional tensor; -1 for sizes known only at run time.
  SmallVector<int64_t> dims;

  bool isTensor() const { return !isOptional && !isSequence; }
  /// In the order of the signature.
  SmallVector<ValuePart, 4> getParts() const;
};

/// A value: the items of a sequence, or a single tensor. Absent values have neither.
struct StructuredValue {
  bool isPresent = true;
  SmallVector<HostTensor> items;
};

/// The parts of a value. Errors say which item does not fit the type, and why.
llvm::Expected<SmallVector<HostTensor>> toParts(const ValueType &type,
                                                const StructuredValue &value);

/// The value of the parts; items are views that keep the elements alive. An error if the
/// parts do not fit together.
llvm::Expected<StructuredValue> fromParts(const ValueType &type,
                                          ArrayRef<HostTensor> parts);

/// "" if both are absent or have the same number of items; else the difference, to be
/// appended to the name of the value: "has 2 items, not 3".
std::string compareStructure(const StructuredValue &got, const StructuredValue &want);

} // namespace mlir::nn

#endif // NN_SUPPORT_STRUCTURED_H
