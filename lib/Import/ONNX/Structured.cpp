//===- Structured.cpp - sequences and optionals, made of tensors ----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Structured.h"
#include "NodeBinder.h"
#include "ShapeMath.h"
#include "nn/Support/Structured.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

//===----------------------------------------------------------------------===//
// The values of a model
//===----------------------------------------------------------------------===//

static Value makePlaceholder(ImportState &state, Location location) {
  return UnrealizedConversionCastOp::create(
             state.builder, location, TypeRange(state.builder.getNoneType()), ValueRange())
      .getResult(0);
}

Value StructuredValues::make(ImportState &state, Location location,
                             SequenceValue sequence) {
  Value value = makePlaceholder(state, location);
  sequences[value] = std::move(sequence);
  return value;
}

Value StructuredValues::make(ImportState &state, Location location,
                             OptionalValue optional) {
  Value value = makePlaceholder(state, location);
  optionals[value] = optional;
  return value;
}

Value StructuredValues::make(ImportState &state, Location location, MapValue map) {
  Value value = makePlaceholder(state, location);
  maps[value] = map;
  return value;
}

const SequenceValue *StructuredValues::getSequence(Value value) const {
  auto it = sequences.find(value);
  return it == sequences.end() ? nullptr : &it->second;
}

const OptionalValue *StructuredValues::getOptional(Value value) const {
  auto it = optionals.find(value);
  return it == optionals.end() ? nullptr : &it->second;
}

const MapValue *StructuredValues::getMap(Value value) const {
  auto it = maps.find(value);
  return it == maps.end() ? nullptr : &it->second;
}

StringRef StructuredValues::describe(Value value) const {
  return getSequence(value)   ? "a sequence"
         : getOptional(value) ? "an optional"
         : getMap(value)      ? "a map"
                              : "a tensor";
}

//===----------------------------------------------------------------------===//
// Structures
//===----------------------------------------------------------------------===//

Structure Structure::of(const ImportState &state, Value value) {
  if (const OptionalValue *optional = state.structured.getOptional(value)) {
    Structure structure = of(state, optional->content);
    structure.isOptional = true;
    return structure;
  }
  Structure structure;
  if (const SequenceValue *sequence = state.structured.getSequence(value)) {
    structure.kind = sequence->items ? List : Packed;
    structure.elementType = sequence->elementType;
    structure.rank = sequence->rank;
    structure.numItems = sequence->items ? sequence->items->size() : 0;
  }
  return structure;
}

std::optional<Structure> Structure::join(const Structure &lhs, const Structure &rhs) {
  if ((lhs.kind == Tensor) != (rhs.kind == Tensor) || lhs.elementType != rhs.elementType)
    return std::nullopt;
  Structure structure = lhs;
  structure.isOptional |= rhs.isOptional;
  structure.rank = lhs.rank.join(rhs.rank);
  // Items at the same position become one value, which has a rank.
  bool areAlike = lhs.kind == rhs.kind && lhs.numItems == rhs.numItems &&
                  lhs.rank == rhs.rank && (lhs.rank.get() || lhs.numItems == 0);
  return areAlike ? structure : structure.withoutLists();
}

SmallVector<StringRef> Structure::getPartNames() const {
  ValueType type;
  type.isOptional = isOptional;
  type.isSequence = kind != Tensor;
  return llvm::map_to_vector(type.getParts(), [](ValuePart part) { return getName(part); });
}

Structure Structure::withoutLists() const {
  Structure structure = *this;
  if (kind == List) {
    structure.kind = Packed;
    structure.numItems = 0;
  }
  return structure;
}

bool Structure::operator==(const Structure &other) const {
  return kind == other.kind && isOptional == other.isOptional &&
         elementType == other.elementType && rank == other.rank &&
         numItems == other.numItems;
}

bool importer::takeApart(NodeBinder &node, Value value, const Structure &structure,
                         SmallVectorImpl<Value> &tensors) {
  const StructuredValues &structured = node.getStructured();
  if (structure.isOptional) {
    const OptionalValue *optional = structured.getOptional(value);
    tensors.push_back(optional ? optional->isPresent
                               : node.constantScalar(1, IntegerType::get(node.getContext(), 1)));
    if (optional)
      value = optional->content;
  }
  const SequenceValue *sequence = structured.getSequence(value);
  if (!sequence) {
    if (node.require(!structured.getMap(value),
                     "what graphs exchange is tensors, sequences and optionals", "a map", "",
                     Remedy::ChangeForm).failed())
      return false;
    tensors.push_back(value);
  } else if (structure.kind == Structure::List) {
    llvm::append_range(tensors, *sequence->items);
  } else {
    PackedItems packed = pack(node, *sequence);
    tensors.append({packed.elements, packed.sizes, packed.table});
  }
  return !node.failed();
}

Value importer::putTogether(ImportState &state, Location location, const Structure &structure,
                            ArrayRef<Value> &tensors) {
  auto take = [&] {
    Value tensor = tensors.front();
    tensors = tensors.drop_front();
    return tensor;
  };
  Value isPresent = structure.isOptional ? take() : Value();
  Value value;
  if (structure.kind == Structure::Tensor) {
    value = take();
  } else {
    SequenceValue sequence;
    sequence.elementType = structure.elementType;
    sequence.rank = structure.rank;
    if (structure.kind == Structure::List) {
      sequence.items.emplace(tensors.take_front(structure.numItems));
      tensors = tensors.drop_front(structure.numItems);
    } else {
      sequence.packed = {tensors[0], tensors[1], tensors[2]};
      tensors = tensors.drop_front(3);
    }
    value = state.structured.make(state, location, std::move(sequence));
  }
  return isPresent ? state.structured.make(state, location, OptionalValue{isPresent, value})
                   : value;
}

//===----------------------------------------------------------------------===//
// Packed items
//===----------------------------------------------------------------------===//

static Type getI64(NodeBinder &node) { return IntegerType::get(node.getContext(), 64); }

/// The ranks (0) or the numbers of elements (1) of all items.
static Value getColumn(NodeBinder &node, Value table, int64_t column) {
  return node.create<GatherOp>(table, node.constantScalar(double(column), getI64(node)), 1);
}

/// The numbers as a list of the offsets where each begins, and where the last ends.
static Value getBorders(NodeBinder &node, Value numbers) {
  Value zero = node.constantList({0});
  Value ends = node.create<CumSumOp>(numbers, 0);
  return node.create<ConcatOp>(SmallVector<Value>{zero, ends}, 0);
}

/// Entries [from, to) of dimension 0; null stands for the first and the last.
static Value takeRows(NodeBinder &node, Value tensor, Value from, Value to) {
  auto asList = [&](Value scalar, int64_t otherwise) {
    return scalar ? node.create<UnsqueezeOp>(scalar, ArrayRef<int64_t>{0})
                  : node.constantList({otherwise});
  };
  Value start = asList(from, 0);
  Value end = asList(to, std::numeric_limits<int64_t>::max());
  return node.create<SliceOp>(tensor, start, end, ArrayRef<int64_t>{0},
                              ArrayRef<int64_t>{1});
}

Value importer::getLength(NodeBinder &node, const SequenceValue &sequence) {
  return sequence.items
             ? node.constantScalar(double(sequence.items->size()), getI64(node))
             : getDimScalar(node, sequence.packed.table, 0);
}

PackedItems importer::pack(NodeBinder &node, const SequenceValue &sequence) {
  if (!sequence.items)
    return sequence.packed;
  if (sequence.items->empty()) {
    auto none = [&](Type elementType, ArrayRef<int64_t> shape) {
      auto type = RankedTensorType::get(shape, elementType);
      return node.constant(DenseElementsAttr::get(type, ArrayRef<Attribute>()));
    };
    return {none(sequence.elementType, {0}), none(getI64(node), {0}),
            none(getI64(node), {0, 2})};
  }
  SmallVector<PackedItems> parts;
  for (Value item : *sequence.items) {
    int64_t rank = cast<RankedTensorType>(item.getType()).getRank();
    Value size = node.create<SizeOp>(item);
    Value count = node.create<UnsqueezeOp>(size, ArrayRef<int64_t>{0});
    Value row = node.create<ConcatOp>(
        SmallVector<Value>{node.constantList({rank}), count}, 0);
    PackedItems part;
    part.elements = flatten(node, item);
    part.sizes = getShapeList(node, item);
    part.table = node.create<UnsqueezeOp>(row, ArrayRef<int64_t>{0});
    parts.push_back(part);
  }
  return join(node, parts);
}

PackedItems importer::join(NodeBinder &node, ArrayRef<PackedItems> parts) {
  auto concat = [&](Value PackedItems::*member) {
    SmallVector<Value> values;
    for (const PackedItems &part : parts)
      values.push_back(part.*member);
    return values.size() == 1 ? values[0] : node.create<ConcatOp>(values, 0);
  };
  return {concat(&PackedItems::elements), concat(&PackedItems::sizes),
          concat(&PackedItems::table)};
}

Value importer::normalizePosition(NodeBinder &node, Value position, Value count,
                                  bool mayBeEnd) {
  position = node.asInt64(node.asScalar(position));
  Value zero = node.constantScalar(0, getI64(node));
  Value isNegative = node.create<LessOp>(position, zero);
  Value fromFront = node.create<AddOp>(position, count);
  Value place = node.create<WhereOp>(isNegative, fromFront, position);
  Value isBehind = node.create<GreaterOrEqualOp>(place, zero);
  Value isBefore = mayBeEnd ? node.create<LessOrEqualOp>(place, count)
                            : node.create<LessOp>(place, count);
  node.checkAtRun(node.create<AndOp>(isBehind, isBefore),
                  "has a position outside of the sequence");
  return place;
}

PackedItems importer::takeItems(NodeBinder &node, const PackedItems &packed, Value from,
                                Value to) {
  auto takePart = [&](Value part, int64_t column) {
    Value borders = getBorders(node, getColumn(node, packed.table, column));
    auto find = [&](Value place) {
      return place ? node.create<GatherOp>(borders, place, 0) : Value();
    };
    Value start = find(from), end = find(to);
    return takeRows(node, part, start, end);
  };
  PackedItems taken;
  taken.elements = takePart(packed.elements, 1);
  taken.sizes = takePart(packed.sizes, 0);
  taken.table = takeRows(node, packed.table, from, to);
  return taken;
}

Value importer::takeItem(NodeBinder &node, const PackedItems &packed, Value position,
                         int64_t rank) {
  Value one = node.constantScalar(1, getI64(node));
  Value next = node.create<AddOp>(position, one);
  PackedItems item = takeItems(node, packed, position, next);
  Value seen = node.create<GatherOp>(getColumn(node, packed.table, 0), position, 0);
  Value expected = node.constantScalar(double(rank), getI64(node));
  node.checkAtRun(node.create<EqualOp>(seen, expected),
                  "takes an item of another rank than " + Twine(rank) +
                      ", for which the model is compiled");
  Value shape = node.create<ReshapeOp>(item.sizes, node.constantList({rank}),
                                       /*allow_zero=*/true);
  return node.create<ReshapeOp>(item.elements, shape, /*allow_zero=*/true);
}
