//===- Structured.h - sequences and optionals as tensors --------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// In a module and in a library, a value of ONNX's types sequence(tensor(T)) and
// optional is several tensors, its parts (nnrt_part in nnrt.h says which). Here are
// such values as lists of tensors, and the way there and back.
//
//===----------------------------------------------------------------------===//

#ifndef NN_SUPPORT_STRUCTURED_H
#define NN_SUPPORT_STRUCTURED_H

#include "nn/Support/HostTensor.h"
#include "llvm/Support/Error.h"
#include <optional>

namespace mlir::nn {

/// What a tensor is of a value; the numbers are nnrt_part's.
enum class ValuePart : uint8_t { Tensor, Present, Value, Elements, Sizes, Items };

/// "elements": what follows the dot in `nn.name`, and the attribute `nn.part`.
llvm::StringRef getName(ValuePart part);
/// nullopt for other names; never ValuePart::Tensor.
std::optional<ValuePart> findPart(llvm::StringRef name);

/// The type of a value: a tensor, a sequence of tensors, an optional of either.
struct ValueType {
  bool isOptional = false, isSequence = false;
  DataType type = DataType::Undefined;
  /// Of a tensor, also of an optional one; -1 where known at run time only.
  SmallVector<int64_t> dims;

  bool isTensor() const { return !isOptional && !isSequence; }
  /// In the order of the signature.
  SmallVector<ValuePart, 4> getParts() const;
};

/// A value: the items of a sequence, or a single tensor. Without both if it is
/// absent.
struct StructuredValue {
  bool isPresent = true;
  SmallVector<HostTensor> items;
};

/// The parts of a value. Errors say which item does not fit the type and why.
llvm::Expected<SmallVector<HostTensor>> toParts(const ValueType &type,
                                                const StructuredValue &value);

/// The value of its parts; items are views that keep the elements alive. Errors
/// where the parts do not fit together.
llvm::Expected<StructuredValue> fromParts(const ValueType &type,
                                          ArrayRef<HostTensor> parts);

/// Whether both are absent, or hold as many items: "" if so, else what differs, for
/// messages that name the value: "has 2 items, not 3".
std::string compareStructure(const StructuredValue &got, const StructuredValue &want);

} // namespace mlir::nn

#endif // NN_SUPPORT_STRUCTURED_H
