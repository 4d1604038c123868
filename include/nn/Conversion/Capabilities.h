//===- Capabilities.h - what each back end can run --------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Verifiers say what is valid ONNX; these tables say what is supported. There is one
// per back end, in the folder of the conversion to it. The conversion, the triage and
// the generated pages all read the same rows, so a model that a table refuses is refused
// before compilation.
//
// For a new operator, add a row to lib/Conversion/NNToLinalg/Capabilities.cpp.
// Elementwise operators share a row.
//
//===----------------------------------------------------------------------===//

#ifndef NN_CONVERSION_CAPABILITIES_H
#define NN_CONVERSION_CAPABILITIES_H

#include "mlir/IR/Operation.h"
#include "nn/Support/DataType.h"
#include <optional>
#include <string>

namespace mlir::nn {

/// A set of the element types that tensors have.
class TypeSet {
public:
  constexpr TypeSet() = default;
  constexpr explicit TypeSet(DataType type) : bits(1u << int(type)) {}
  constexpr TypeSet operator|(TypeSet other) const { return ofBits(bits | other.bits); }
  constexpr TypeSet without(TypeSet other) const {
    return ofBits(bits & ~other.bits);
  }
  constexpr bool operator==(TypeSet other) const { return bits == other.bits; }
  bool contains(DataType type) const { return bits >> int(type) & 1; }
  bool contains(Type elementType) const;
  /// "f16, f32"
  std::string str() const;

private:
  static constexpr TypeSet ofBits(uint32_t bits) {
    TypeSet set;
    set.bits = bits;
    return set;
  }

  uint32_t bits = 0;
};

namespace types {
// f16, i8, ui8, i1, f8E5M2, ...
#define NN_FLOAT_TYPE(number, Enum, name, bits, dlpack, keyword, Class)                  \
  constexpr TypeSet keyword(DataType::Enum);
#define NN_INTEGER_TYPE(number, Enum, name, bits, dlpack, keyword)                       \
  constexpr TypeSet keyword(DataType::Enum);
#include "runtime/abi/element_types.def"

constexpr TypeSet floats = f16 | bf16 | f32 | f64;
constexpr TypeSet ints = i8 | i16 | i32 | i64 | ui8 | ui16 | ui32 | ui64;
constexpr TypeSet numbers = floats | ints;
/// Everything that can be computed with.
constexpr TypeSet basic = numbers | i1;
/// Every type, for operators that move elements without looking at them.
constexpr TypeSet every = TypeSet()
#define NN_FLOAT_TYPE(number, Enum, name, bits, dlpack, keyword, Class) | keyword
#define NN_INTEGER_TYPE(number, Enum, name, bits, dlpack, keyword) | keyword
#include "runtime/abi/element_types.def"
    ;
/// Floats of 8 bits or less, integers of 4 and 2.
constexpr TypeSet small = every.without(basic);
} // namespace types

/// A requirement in addition to type and rank.
struct Condition {
  /// In the model's terms: "the pads are not negative".
  StringLiteral constraint;
  /// Acceptable values; may be empty.
  StringLiteral accepted;
  /// What was found instead; nullopt if the condition holds.
  std::optional<std::string> (*getViolation)(Operation *op);
};

/// A row. An operator may have several, any of which may claim it.
struct Capability {
  /// The operation's name, or `elementwise` for all operations that implement
  /// ElementwiseOpInterface and have no row of their own.
  StringLiteral op;
  /// What the operation is lowered to: "onednn.convolution", "kernel reduction", "linalg".
  StringLiteral lowering;
  /// The accepted element types of the data operand. (Verifiers check that the types of
  /// operands fit together.)
  TypeSet types;
  /// The accepted ranks of the data operand.
  int64_t minRank = 0, maxRank = INT64_MAX;
  ArrayRef<Condition> conditions = {};
  /// The number of the data operand; -1: the first result.
  int data = 0;
};

constexpr StringLiteral elementwise = "elementwise";

/// Why a row does not claim an operation.
struct Gap {
  enum Kind { Op, Type, Rank, Form } kind;
  std::string constraint, seen, accepted;
  /// In one line, for remarks and errors.
  std::string str() const;
};

/// nullopt if the row claims the operation.
std::optional<Gap> findGap(const Capability &row, Operation *op);

} // namespace mlir::nn

#endif // NN_CONVERSION_CAPABILITIES_H
