//===- Sequence.cpp - import of sequences and optionals -------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "LoopBuilding.h"
#include "Registry.h"
#include "ShapeMath.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "nn/Support/DataType.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

static RankedTensorType getType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static ItemRank getRank(Value tensor) { return ItemRank(getType(tensor).getRank()); }

static Type getI64(NodeBinder &node) { return IntegerType::get(node.getContext(), 64); }

/// A position that is known, from the front: of one of `count` items, or behind them
/// where that `mayBeEnd`.
static std::optional<size_t> getPlace(NodeBinder &node, Value position, size_t count,
                                      bool mayBeEnd = false) {
  Contents known = node.getShapes().getContents(position);
  auto constant = known && known->size() == 1
                      ? dyn_cast<AffineConstantExpr>(known->front())
                      : AffineConstantExpr();
  if (!constant)
    return std::nullopt;
  int64_t length = count, place = constant.getValue();
  int64_t last = mayBeEnd ? length : length - 1;
  node.require(place >= -length && place <= last,
               "operand 'position' is a place of the sequence", Twine(place),
               Twine(-length) + " to " + Twine(last));
  return place < 0 ? place + length : place;
}

static bool isScalarIndex(NodeBinder &node, Value value, StringRef name) {
  if (node.failed())
    return false;
  auto type = getType(value);
  bool isIndex = type.getElementType().isSignlessInteger(32) ||
                 type.getElementType().isSignlessInteger(64);
  bool isOne = type.getRank() == 0 || (type.getRank() == 1 && type.getDimSize(0) == 1);
  return !node.require(isIndex && isOne, "operand '" + name + "' is one int32 or int64",
                       show(type), "").failed();
}

//===----------------------------------------------------------------------===//
// Sequences of items
//===----------------------------------------------------------------------===//

static LogicalResult importSequenceConstruct(NodeBinder &node) {
  SequenceValue sequence;
  sequence.items.emplace();
  if (node.allOperands(*sequence.items).failed())
    return failure();
  sequence.elementType = getType(sequence.items->front()).getElementType();
  for (Value item : *sequence.items) {
    Type elementType = getType(item).getElementType();
    node.require(elementType == sequence.elementType, "items are of one element type",
                 show(elementType), show(sequence.elementType));
    sequence.rank = sequence.rank.join(getRank(item));
  }
  return node.setOutput(node.makeStructured(sequence));
}

static LogicalResult importSequenceEmpty(NodeBinder &node) {
  int64_t type;
  node.attr("dtype", type, int64_t(DataType::Float32));
  SequenceValue sequence;
  sequence.items.emplace();
  sequence.elementType = getTensorElementType(node.getContext(), type);
  if (node.require(bool(sequence.elementType), "the element type is supported",
                   getDataTypeName(type), getAcceptedTypes(), Remedy::ConvertType)
          .failed())
    return failure();
  return node.setOutput(node.makeStructured(sequence));
}

static LogicalResult importSequenceLength(NodeBinder &node) {
  SequenceValue sequence;
  if (node.sequenceOperand("input_sequence", sequence).failed())
    return failure();
  return node.setOutput(getLength(node, sequence));
}

/// Number `position` of a packed sequence.
static Value takeItem(NodeBinder &node, const SequenceValue &sequence, Value position) {
  std::optional<int64_t> rank = sequence.rank.get();
  node.require(rank.has_value(), "the items of the sequence have a rank that is known",
               "items of several ranks, or an input that does not say it",
               "one rank", Remedy::GiveShape);
  return node.failed() ? Value() : takeItem(node, sequence.packed, position, *rank);
}

static LogicalResult importSequenceAt(NodeBinder &node) {
  SequenceValue sequence;
  Value position;
  if (node.sequenceOperand("input_sequence", sequence).operand("position", position)
          .failed() || !isScalarIndex(node, position, "position"))
    return failure();
  if (sequence.items)
    if (std::optional<size_t> place = getPlace(node, position, sequence.items->size()))
      return node.failed() ? failure() : node.setOutput((*sequence.items)[*place]);
  Value count = getLength(node, sequence);
  position = normalizePosition(node, position, count, /*mayBeEnd=*/false);
  sequence.packed = pack(node, sequence);
  Value item = takeItem(node, sequence, position);
  if (item && sequence.itemShape)
    item = tensor::CastOp::create(
        node.getBuilder(), node.getLocation(),
        RankedTensorType::get(*sequence.itemShape, sequence.elementType), item);
  return node.setOutput(item);
}

static LogicalResult importSequenceInsert(NodeBinder &node) {
  SequenceValue sequence;
  Value tensor, position;
  if (node.sequenceOperand("input_sequence", sequence).operand("tensor", tensor)
          .optionalOperand("position", position).failed() ||
      (position && !isScalarIndex(node, position, "position")))
    return failure();
  if (node.require(getType(tensor).getElementType() == sequence.elementType,
                   "items are of one element type", show(getType(tensor).getElementType()),
                   show(sequence.elementType)).failed())
    return failure();
  sequence.rank = sequence.rank.join(getRank(tensor));
  sequence.itemShape.reset();
  if (sequence.items) {
    size_t count = sequence.items->size();
    std::optional<size_t> place =
        position ? getPlace(node, position, count, /*mayBeEnd=*/true) : std::optional(count);
    if (node.failed())
      return failure();
    if (place) {
      sequence.items->insert(sequence.items->begin() + *place, tensor);
      return node.setOutput(node.makeStructured(sequence));
    }
  }
  SequenceValue inserted;
  inserted.items.emplace({tensor});
  SmallVector<PackedItems> parts{pack(node, sequence), pack(node, inserted)};
  if (position) {
    Value count = getLength(node, sequence);
    position = normalizePosition(node, position, count, /*mayBeEnd=*/true);
    parts.push_back(takeItems(node, parts[0], position, Value()));
    parts[0] = takeItems(node, parts[0], Value(), position);
  }
  sequence.items.reset();
  sequence.packed = join(node, parts);
  return node.setOutput(node.makeStructured(sequence));
}

static LogicalResult importSequenceErase(NodeBinder &node) {
  SequenceValue sequence;
  Value position;
  if (node.sequenceOperand("input_sequence", sequence).optionalOperand("position", position)
          .failed() || (position && !isScalarIndex(node, position, "position")))
    return failure();
  if (!position)
    position = node.constantScalar(-1, getI64(node));
  if (sequence.items)
    if (std::optional<size_t> place = getPlace(node, position, sequence.items->size())) {
      if (node.failed())
        return failure();
      sequence.items->erase(sequence.items->begin() + *place);
      return node.setOutput(node.makeStructured(sequence));
    }
  Value count = getLength(node, sequence), one = node.constantScalar(1, getI64(node));
  Value place = normalizePosition(node, position, count, /*mayBeEnd=*/false);
  Value next = node.create<AddOp>(place, one);
  PackedItems all = pack(node, sequence);
  sequence.items.reset();
  sequence.packed = join(node, {takeItems(node, all, Value(), place),
                                takeItems(node, all, next, Value())});
  return node.setOutput(node.makeStructured(sequence));
}

//===----------------------------------------------------------------------===//
// Sequences and one tensor
//===----------------------------------------------------------------------===//

/// Part [start, end) of an axis as an item: without it, where its size is 1 and
/// `keepAxis` does not hold.
static Value takePart(NodeBinder &node, Value input, int64_t axis, Value start, Value end,
                      bool keepAxis) {
  Value part = node.create<SliceOp>(input, start, end, ArrayRef<int64_t>{axis},
                                    ArrayRef<int64_t>{1});
  return keepAxis ? part : node.create<SqueezeOp>(part, ArrayRef<int64_t>{axis});
}

/// The size of all parts, where it is one known size whatever their number is.
static std::optional<int64_t> getSizeOfParts(NodeBinder &node, Value split) {
  if (!split)
    return 1;
  if (getType(split).getRank() == 0) {
    // The last part may be smaller than others.
    auto known = node.getShapes().getConstantContents(split);
    return known && known->front() == 1 ? std::optional<int64_t>(1) : std::nullopt;
  }
  auto filled = split.getDefiningOp<ConstantOfShapeOp>();
  auto number = filled ? dyn_cast<DenseIntElementsAttr>(filled.getValue())
                       : DenseIntElementsAttr();
  if (!number)
    return std::nullopt;
  int64_t size = (*number.begin()).getSExtValue();
  return size >= 0 ? std::optional(size) : std::nullopt;
}

/// Parts whose number or sizes only the run knows.
static LogicalResult splitAtRun(NodeBinder &node, Value input, Value split, int64_t axis,
                                bool keepAxis) {
  Value zero = node.constantScalar(0, getI64(node));
  Value one = node.constantScalar(1, getI64(node));
  Value size = getDimScalar(node, input, axis);
  Value count = size, sizes;
  if (split && getType(split).getRank() == 1) {
    sizes = split;
    count = getDimScalar(node, sizes, 0);
    checkSplit(node, sizes, size);
  } else if (split) {
    node.checkAtRun(node.create<GreaterOp>(split, zero), "has a 'split' below 1");
    Value rounded = node.create<SubOp>(node.create<AddOp>(size, split), one);
    count = node.create<DivOp>(rounded, split);
  }
  SequenceValue sequence;
  sequence.items.emplace();
  sequence.elementType = getType(input).getElementType();
  sequence.rank = ItemRank(getType(input).getRank() - (keepAxis ? 0 : 1));
  PackedItems none = pack(node, sequence);
  // Carried: the items before, and where the next one begins.
  SmallVector<Value> initial{none.elements, none.sizes, none.table, zero};
  int64_t any = ShapedType::kDynamic;
  RankedTensorType types[] = {RankedTensorType::get({any}, sequence.elementType),
                              RankedTensorType::get({any}, getI64(node)),
                              RankedTensorType::get({any, 2}, getI64(node)),
                              RankedTensorType::get({}, getI64(node))};
  auto body = [&](Value iteration, ValueRange before) {
    Value length = sizes   ? node.create<GatherOp>(sizes, iteration, 0)
                   : split ? split
                           : one;
    Value end = node.create<AddOp>(before[3], length);
    SequenceValue item;
    item.items.emplace({takePart(
        node, input, axis, node.create<UnsqueezeOp>(before[3], ArrayRef<int64_t>{0}),
        node.create<UnsqueezeOp>(end, ArrayRef<int64_t>{0}), keepAxis)});
    if (node.failed())
      return SmallVector<Value>();
    PackedItems all = join(node, {{before[0], before[1], before[2]}, pack(node, item)});
    return SmallVector<Value>{all.elements, all.sizes, all.table, end};
  };
  SmallVector<Value> results = createLoop(node, zero, count, initial, types, body);
  sequence.items.reset();
  sequence.packed = {results[0], results[1], results[2]};
  if (std::optional<int64_t> part = getSizeOfParts(node, split)) {
    sequence.itemShape = llvm::to_vector(getType(input).getShape());
    if (keepAxis)
      (*sequence.itemShape)[axis] = *part;
    else
      sequence.itemShape->erase(sequence.itemShape->begin() + axis);
  }
  return node.setOutput(node.makeStructured(sequence));
}

static LogicalResult importSplitToSequence(NodeBinder &node) {
  Value input, split;
  int64_t axis;
  bool keepAxis;
  if (node.operand("input", input).optionalOperand("split", split).attr("axis", axis, 0)
          .attr("keepdims", keepAxis, true).failed())
    return failure();
  int64_t rank = getType(input).getRank();
  node.require(axis >= -rank && axis < rank, "attribute 'axis' is a dimension of the input",
               Twine(axis), Twine(-rank) + " to " + Twine(rank - 1));
  node.require(!split || (getType(split).getRank() <= 1 &&
                          isa<IntegerType>(getType(split).getElementType())),
               "operand 'split' is an integer or a list of them",
               split ? show(getType(split)) : "", "");
  if (node.failed())
    return failure();
  axis = shapes::normalizeAxis(axis, rank);
  keepAxis |= bool(split); // Only parts of size 1 that nobody asked for lose it.

  std::optional<SmallVector<int64_t>> known;
  if (split)
    known = node.getShapes().getConstantContents(split);
  bool isList = split && getType(split).getRank() == 1;
  int64_t part = known && !isList ? known->front() : 1;
  if (node.require(part > 0, "operand 'split' is positive", Twine(part), "1 or more").failed())
    return failure();
  // Items that are made one by one are better, unless there are too many.
  constexpr int64_t most = 1024;
  int64_t size = getType(input).getDimSize(axis);
  bool isKnown = !ShapedType::isDynamic(size) && (!split || known) &&
                 (isList ? int64_t(known->size()) : size / part) <= most;
  if (!isKnown)
    return splitAtRun(node, input, node.asInt64(split), axis, keepAxis);

  SmallVector<int64_t> sizes;
  if (isList)
    sizes = *known;
  else
    for (int64_t rest = size; rest > 0; rest -= part)
      sizes.push_back(std::min(part, rest));
  SequenceValue sequence;
  sequence.elementType = getType(input).getElementType();
  sequence.rank = ItemRank(rank - (keepAxis ? 0 : 1));
  sequence.items.emplace();
  if (!sizes.empty())
    *sequence.items = node.createMany<SplitOp>(sizes.size(), input, sizes, axis);
  if (!keepAxis)
    for (Value &item : *sequence.items)
      item = node.create<SqueezeOp>(item, ArrayRef<int64_t>{axis});
  return node.setOutput(node.makeStructured(sequence));
}

static LogicalResult importConcatFromSequence(NodeBinder &node) {
  SequenceValue sequence;
  int64_t axis;
  bool isNewAxis;
  if (node.sequenceOperand("input_sequence", sequence).requiredAttr("axis", axis)
          .attr("new_axis", isNewAxis, false).failed())
    return failure();
  auto asPiece = [&](Value item) {
    return isNewAxis && item ? node.create<UnsqueezeOp>(item, ArrayRef<int64_t>{axis}) : item;
  };
  if (sequence.items) {
    if (node.require(!sequence.items->empty(), "the sequence has items", "none", "").failed())
      return failure();
    SmallVector<Value> pieces;
    for (Value item : *sequence.items)
      pieces.push_back(asPiece(item));
    return node.replaceWith<ConcatOp>(pieces, axis);
  }
  Value zero = node.constantScalar(0, getI64(node));
  Value one = node.constantScalar(1, getI64(node));
  Value count = getLength(node, sequence);
  node.checkAtRun(node.create<GreaterOp>(count, zero), "joins a sequence without items");
  Value first = asPiece(takeItem(node, sequence, zero));
  if (node.failed())
    return failure();
  auto type = getType(first).clone(
      SmallVector<int64_t>(getType(first).getRank(), ShapedType::kDynamic));
  return node.setOutput(
      createLoop(node, one, count, {first}, {type}, [&](Value iteration, ValueRange before) {
        Value piece = asPiece(takeItem(node, sequence, iteration));
        return SmallVector<Value>{
            node.create<ConcatOp>(SmallVector<Value>{before[0], piece}, axis)};
      })[0]);
}

//===----------------------------------------------------------------------===//
// Optionals
//===----------------------------------------------------------------------===//

static Value makeBool(NodeBinder &node, bool value) {
  return node.constantScalar(value, IntegerType::get(node.getContext(), 1));
}

/// What an optional holds that holds nothing.
static Value makeNothing(NodeBinder &node, const onnx::TypeProto &type) {
  bool isSequence = type.has_sequence_type();
  const auto &tensor =
      (isSequence ? type.sequence_type().elem_type() : type).tensor_type();
  Type elementType = getTensorElementType(node.getContext(), tensor.elem_type());
  if (node.require(bool(elementType), "the element type is supported",
                   getDataTypeName(tensor.elem_type()), getAcceptedTypes(),
                   Remedy::ConvertType).failed())
    return {};
  if (isSequence) {
    SequenceValue sequence;
    sequence.elementType = elementType;
    sequence.items.emplace();
    return node.makeStructured(sequence);
  }
  SmallVector<int64_t> shape;
  for (const auto &dim : tensor.shape().dim())
    shape.push_back(std::max<int64_t>(dim.dim_value(), 0));
  return makeFilled(node, node.constantList(shape), 0, elementType);
}

static LogicalResult importOptional(NodeBinder &node) {
  Value content;
  const onnx::TypeProto *type;
  node.anyOperand(content).typeAttr("type", type);
  node.require(content || type, "an operand or attribute 'type' is given", "neither", "");
  node.require(!node.getStructured().getOptional(content), "optionals hold no optionals",
               "an optional", "a tensor or a sequence");
  if (node.failed())
    return failure();
  bool isPresent = bool(content);
  if (!isPresent)
    content = makeNothing(node, *type);
  return node.setOutput(
      node.makeStructured(OptionalValue{makeBool(node, isPresent), content}));
}

static LogicalResult importOptionalHasElement(NodeBinder &node) {
  Value input;
  node.anyOperand(input);
  const OptionalValue *optional = node.getStructured().getOptional(input);
  return node.setOutput(optional ? optional->isPresent : makeBool(node, bool(input)));
}

static LogicalResult importOptionalGetElement(NodeBinder &node) {
  Value input;
  if (node.anyOperand(input).require(bool(input), "the operand is given", "none", "").failed())
    return failure();
  const OptionalValue *optional = node.getStructured().getOptional(input);
  if (!optional)
    return node.setOutput(input);
  Value content = optional->content;
  node.checkAtRun(optional->isPresent, "takes the content of an optional that has none");
  return node.setOutput(content);
}

void importer::registerSequence(Registry &r) {
  r.onOp("ConcatFromSequence", 11, importConcatFromSequence);
  r.onOp("Optional", 15, importOptional);
  r.onOp("OptionalGetElement", 15, importOptionalGetElement);
  r.onOp("OptionalHasElement", 15, importOptionalHasElement);
  r.onOp("SequenceAt", 11, importSequenceAt);
  r.onOp("SequenceConstruct", 11, importSequenceConstruct);
  r.onOp("SequenceEmpty", 11, importSequenceEmpty);
  r.onOp("SequenceErase", 11, importSequenceErase);
  r.onOp("SequenceInsert", 11, importSequenceInsert);
  r.onOp("SequenceLength", 11, importSequenceLength);
  r.onOp("SplitToSequence", 11, importSplitToSequence);
}
