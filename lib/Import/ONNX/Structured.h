//===- Structured.h - sequences and optionals, made of tensors --*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// nn has tensors only. A sequence whose items are known one by one (the most that
// models have: SplitToSequence, then SequenceAt of constant places) is nothing but
// these items. Any other is packed: three tensors hold all of its items. An optional
// is a bool and what it holds. See docs/decisions/sequences-as-tensors.md.
//
// While a model is imported, one value stands for each: the result of a placeholder
// operation without operands, which nothing reads and which goes in the end.
//
// A map is two lists. Only inputs are maps, and only the operators that take one see it.
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_IMPORT_ONNX_STRUCTURED_H
#define NN_LIB_IMPORT_ONNX_STRUCTURED_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include <optional>

namespace mlir::nn::importer {

class NodeBinder;
struct ImportState;

/// The rank that all items of a sequence have.
class ItemRank {
public:
  /// Of a sequence without items, which fits all others.
  static ItemRank open() { return ItemRank(-2); }
  /// Not known, or not the same for all.
  static ItemRank unknown() { return ItemRank(-1); }
  explicit ItemRank(int64_t rank) : rank(rank) {}

  std::optional<int64_t> get() const {
    return rank >= 0 ? std::optional(rank) : std::nullopt;
  }
  ItemRank join(ItemRank other) const {
    return rank == other.rank || other.rank == -2 ? *this
           : rank == -2                           ? other
                                                  : unknown();
  }
  bool operator==(ItemRank other) const { return rank == other.rank; }

private:
  int64_t rank;
};

/// All items of a sequence in three tensors. They cross the border of a compiled
/// model like this too (see nnrt.h).
struct PackedItems {
  Value elements; ///< T[?]: the items' elements, one item after the other.
  Value sizes;    ///< i64[?]: the items' dimensions, one item after the other.
  Value table;    ///< i64[?,2]: of each item its rank and its number of elements.
};

struct SequenceValue {
  Type elementType;
  ItemRank rank = ItemRank::open();
  /// What is known of the sizes of all items, if anything is: a shape with unknown sizes.
  std::optional<SmallVector<int64_t>> itemShape;
  /// The items where they are known one by one, else they are packed.
  std::optional<SmallVector<Value>> items;
  PackedItems packed;
};

struct OptionalValue {
  Value isPresent; ///< i1, of rank 0.
  Value content;   ///< A tensor or sequence; of no meaning where not present.
};

/// Lists of equal length: the keys, each once, and their values.
struct MapValue {
  Value keys, values;
};

/// The structured values of a model that is being imported.
class StructuredValues {
public:
  Value make(ImportState &state, Location location, SequenceValue sequence);
  Value make(ImportState &state, Location location, OptionalValue optional);
  Value make(ImportState &state, Location location, MapValue map);
  /// Null if the value is another.
  const SequenceValue *getSequence(Value value) const;
  const OptionalValue *getOptional(Value value) const;
  const MapValue *getMap(Value value) const;
  /// "a tensor", "a sequence", "an optional", "a map".
  llvm::StringRef describe(Value value) const;

private:
  DenseMap<Value, SequenceValue> sequences;
  DenseMap<Value, OptionalValue> optionals;
  DenseMap<Value, MapValue> maps;
};

/// How a value is made of tensors, so that it can be carried by what knows tensors
/// only: control flow, and the model's signature.
struct Structure {
  enum Kind { Tensor, List, Packed } kind = Tensor;
  bool isOptional = false;
  Type elementType;               ///< Of sequences.
  ItemRank rank = ItemRank::open();
  size_t numItems = 0;            ///< Of lists.

  static Structure of(const ImportState &state, Value value);
  /// One that both fit; none if one is a tensor and the other a sequence, or types of
  /// elements differ.
  static std::optional<Structure> join(const Structure &lhs, const Structure &rhs);
  /// The names of the tensors that make a value without lists: "" for a tensor,
  /// else `present` of optionals, then `value`, or `elements`, `sizes` and `items`.
  SmallVector<StringRef> getPartNames() const;
  /// The same without lists, whose lengths would have to stay.
  Structure withoutLists() const;
  bool operator==(const Structure &other) const;
};

/// Appends the tensors of which `value` is made by `structure`, which it must fit.
/// Emits at the builder what packs items. False, and reported, if that fails.
bool takeApart(NodeBinder &node, Value value, const Structure &structure,
               SmallVectorImpl<Value> &tensors);
/// The value that the first of `tensors` make by `structure`; drops these.
Value putTogether(ImportState &state, Location location, const Structure &structure,
                  ArrayRef<Value> &tensors);

//===----------------------------------------------------------------------===//
// Packed items
//===----------------------------------------------------------------------===//

// Null values, and a report, if something fails.

/// The number of items, i64 of rank 0.
Value getLength(NodeBinder &node, const SequenceValue &sequence);
PackedItems pack(NodeBinder &node, const SequenceValue &sequence);
/// `position`, an i32 or i64 that may count from the end, from the front; the run
/// ends with an error if it is no item of `count`, or the place behind them where
/// that `mayBeEnd`.
Value normalizePosition(NodeBinder &node, Value position, Value count, bool mayBeEnd);
/// Item number `position` (from the front), of rank `rank`, which the run checks.
Value takeItem(NodeBinder &node, const PackedItems &packed, Value position, int64_t rank);
/// Items [from, to) of the sequence; null stands for the first and the last.
PackedItems takeItems(NodeBinder &node, const PackedItems &packed, Value from, Value to);
PackedItems join(NodeBinder &node, ArrayRef<PackedItems> parts);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_STRUCTURED_H
