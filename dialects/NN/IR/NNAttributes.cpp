//===- NNAttributes.cpp - attributes of the nn dialect --------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Which discardable attributes there are, where they belong, and what they hold. NNBase.td
// describes them.
//
//===----------------------------------------------------------------------===//

#include "dialects/NN/IR/NN.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "nn/Support/HostTensor.h"

using namespace mlir;
using namespace mlir::nn;

//===----------------------------------------------------------------------===//
// Target
//===----------------------------------------------------------------------===//

static LogicalResult verifyNames(function_ref<InFlightDiagnostic()> emitError,
                                 StringRef kind, ArrayRef<StringAttr> names) {
  llvm::SmallPtrSet<Attribute, 4> seen;
  for (StringAttr name : names) {
    if (name.empty())
      return emitError() << "a target has a " << kind << " without a name";
    if (!seen.insert(name).second)
      return emitError() << "a target has the " << kind << " " << name << " twice";
  }
  return success();
}

LogicalResult TargetAttr::verify(function_ref<InFlightDiagnostic()> emitError, TargetKind,
                                 ArrayRef<StringAttr> processors,
                                 ArrayRef<StringAttr> libraries) {
  if (processors.empty())
    return emitError() << "a target has at least one processor";
  if (failed(verifyNames(emitError, "processor", processors)))
    return failure();
  return verifyNames(emitError, "library", libraries);
}

bool TargetAttr::allows(StringRef library) {
  return llvm::is_contained(getLibraries(), StringAttr::get(getContext(), library));
}

TargetAttr TargetAttr::withProcessor(StringAttr processor) {
  return get(getContext(), getKind(), processor, getLibraries());
}

//===----------------------------------------------------------------------===//
// Quantized numbers
//===----------------------------------------------------------------------===//

/// The shape that scales must have.
static SmallVector<int64_t> getParameterShape(ArrayRef<int64_t> shape, int64_t scaleRank,
                                              int64_t axis, int64_t blockSize) {
  if (scaleRank == 0)
    return {};
  if (blockSize == 0)
    return {shape[axis]};
  SmallVector<int64_t> blocks(shape);
  blocks[axis] = llvm::divideCeil(shape[axis], blockSize);
  return blocks;
}

LogicalResult DequantizedAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                      ShapedType type, ElementsAttr input,
                                      ElementsAttr scale, ElementsAttr zeroPoint,
                                      int64_t axis, int64_t blockSize) {
  ShapedType integers = input.getShapedType(), scales = scale.getShapedType();
  // dequantized_c1
  if (!isa<IntegerType>(integers.getElementType()) || !scales.getElementType().isF32() ||
      type != RankedTensorType::get(integers.getShape(), scales.getElementType()))
    return emitError() << "numbers of type " << type << " are not those of " << integers
                       << " with scales " << scales << ", which must be f32";
  // dequantized_c2
  if (axis < 0 || axis >= std::max<int64_t>(integers.getRank(), 1) || blockSize < 0)
    return emitError() << "axis " << axis << " is not in [0, " << integers.getRank()
                       << "), or the block size " << blockSize << " is negative";
  SmallVector<int64_t> shape =
      getParameterShape(integers.getShape(), scales.getRank(), axis, blockSize);
  if (scales.getShape() != ArrayRef(shape) ||
      (zeroPoint && (zeroPoint.getShapedType().getShape() != ArrayRef(shape) ||
                     zeroPoint.getElementType() != integers.getElementType())))
    return emitError() << "the scales " << scales << " or the zero points do not fit "
                       << integers << " in blocks of " << blockSize << " along axis "
                       << axis;
  return success();
}

int64_t DequantizedAttr::getParameterPlace(int64_t element) const {
  if (getScale().getShapedType().getRank() == 0)
    return 0;
  ArrayRef<int64_t> shape = getType().getShape();
  int64_t inner = 1, size = shape[getAxis()];
  for (int64_t dim : shape.drop_front(getAxis() + 1))
    inner *= dim;
  int64_t place = element / inner % size;
  if (getBlockSize() == 0)
    return place;
  int64_t blocks = llvm::divideCeil(size, getBlockSize());
  return (element / (inner * size) * blocks + place / getBlockSize()) * inner +
         element % inner;
}

FailureOr<DequantizedAttr::ElementIterator>
DequantizedAttr::try_value_begin_impl(OverloadToken<float>) const {
  FailureOr<HostTensor> input = toHostTensor(getInput()), scale = toHostTensor(getScale());
  FailureOr<HostTensor> zeroPoint = HostTensor();
  if (getZeroPoint())
    zeroPoint = toHostTensor(getZeroPoint());
  if (failed(input) || failed(scale) || failed(zeroPoint))
    return failure();
  auto read = [self = *this, input = *input, scale = *scale,
               zeroPoint = *zeroPoint](int64_t element) {
    int64_t place = self.getParameterPlace(element);
    int64_t zero = zeroPoint.isValid() ? zeroPoint.getInt(place) : 0;
    return float(double(input.getInt(element) - zero) * scale.getDouble(place));
  };
  return ElementIterator(llvm::seq<int64_t>(0, getNumElements()).begin(), read);
}

//===----------------------------------------------------------------------===//
// Discardable attributes
//===----------------------------------------------------------------------===//

namespace {
/// What an attribute is attached to.
enum class Place { Module, Function, Signature, Operation };

struct Rule {
  StringLiteral name;
  Place place;
  StringLiteral what;
  bool (*holds)(Attribute);
};
} // namespace

template <typename T>
static bool is(Attribute attribute) {
  return isa<T>(attribute);
}

template <typename T>
static bool isListOf(Attribute attribute) {
  auto list = dyn_cast<ArrayAttr>(attribute);
  return list && llvm::all_of(list, [](Attribute entry) { return isa<T>(entry); });
}

static bool isListOfPairs(Attribute attribute, bool (*first)(Attribute),
                          bool (*second)(Attribute)) {
  auto list = dyn_cast<ArrayAttr>(attribute);
  return list && llvm::all_of(list, [&](Attribute entry) {
           auto pair = dyn_cast<ArrayAttr>(entry);
           return pair && pair.size() == 2 && first(pair[0]) && second(pair[1]);
         });
}

static bool isListOfStringPairs(Attribute attribute) {
  return isListOfPairs(attribute, is<StringAttr>, is<StringAttr>);
}

static bool isListOfWeights(Attribute attribute) {
  return isListOfPairs(attribute, is<ElementsAttr>, is<IntegerAttr>);
}

// clang-format off
static constexpr Rule rules[] = {
    {"nn.target",         Place::Module,    "a #nn.target",            is<TargetAttr>},
    {"nn.metadata",       Place::Module,    "pairs of strings",        isListOfStringPairs},
    {"nn.producer",       Place::Module,    "a string",                is<StringAttr>},
    {"nn.weights",        Place::Module,    "pairs of constants and integers", isListOfWeights},
    {"nn.kernels",        Place::Module,    "pairs of strings",        isListOfStringPairs},
    {"nn.libraries",      Place::Module,    "a list of strings",       isListOf<StringAttr>},
    {"nn.custom_operators", Place::Module, "a list of dictionaries",   isListOf<DictionaryAttr>},
    {"nn.strings",        Place::Module,    "a list of strings",       isListOf<StringAttr>},
    {"nn.arena_bytes",    Place::Module,    "a string",                is<StringAttr>},
    {"nn.device_arena_bytes", Place::Module, "a string",               is<StringAttr>},
    {"nn.approximations", Place::Module,    "a list of strings",       isListOf<StringAttr>},
    {"nn.data_dependent_buffers", Place::Module, "an integer",         is<IntegerAttr>},
    {"nn.kernel",         Place::Function,  "a string",                is<StringAttr>},
    {"nn.disjoint",       Place::Function,  "a unit",                  is<UnitAttr>},
    {"nn.packed_types",   Place::Function,  "a list of types",         isListOf<TypeAttr>},
    {"nn.name",           Place::Signature, "a string",                is<StringAttr>},
    {"nn.dim_names",      Place::Signature, "a list of strings",       isListOf<StringAttr>},
    {"nn.part",           Place::Signature, "a string",                is<StringAttr>},
    {"nn.value",          Place::Signature, "a string",                is<StringAttr>},
    {"nn.stored_type",    Place::Signature, "a type",                  is<TypeAttr>},
    {"nn.origin",         Place::Operation, "a list of #nn.origin",    isListOf<OriginAttr>},
    {"nn.exact_integers", Place::Operation, "a unit",                  is<UnitAttr>},
    {"nn.not_positive",   Place::Operation, "a unit",                  is<UnitAttr>},
    {"nn.stack_room",     Place::Operation, "a unit",                  is<UnitAttr>},
};
// clang-format on

static StringRef describe(Place place) {
  switch (place) {
  case Place::Module:
    return "modules";
  case Place::Function:
    return "functions";
  case Place::Signature:
    return "arguments and results of functions";
  case Place::Operation:
    return "operations";
  }
  llvm_unreachable("unknown place");
}

static LogicalResult verify(Operation *op, Place place, NamedAttribute attribute) {
  StringRef name = attribute.getName();
  const Rule *rule =
      llvm::find_if(rules, [&](const Rule &rule) { return rule.name == name; });
  if (rule == std::end(rules))
    return op->emitOpError("has the attribute '")
           << name << "', which the nn dialect does not have";
  if (rule->place != place && rule->place != Place::Operation)
    return op->emitOpError("has the attribute '")
           << name << "', which belongs to " << describe(rule->place);
  if (!rule->holds(attribute.getValue()))
    return op->emitOpError() << "'" << name << "' is " << rule->what << ", not "
                             << attribute.getValue();
  return success();
}

LogicalResult NNDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  Place place = isa<ModuleOp>(op)              ? Place::Module
                : isa<FunctionOpInterface>(op) ? Place::Function
                                               : Place::Operation;
  return verify(op, place, attribute);
}

LogicalResult NNDialect::verifyRegionArgAttribute(Operation *op, unsigned, unsigned,
                                                  NamedAttribute attribute) {
  return verify(op, Place::Signature, attribute);
}

LogicalResult NNDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned,
                                                     NamedAttribute attribute) {
  return verify(op, Place::Signature, attribute);
}
