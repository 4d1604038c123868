//===- Strings.cpp - strings while a model is imported --------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Strings.h"
#include "NodeBinder.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "nn/Support/Constants.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

int64_t StringNumbers::get(StringRef text) {
  auto [it, isNew] = numbers.try_emplace(text, int64_t(texts.size()));
  if (isNew)
    texts.push_back(text.str());
  return it->second;
}

bool importer::isString(Type elementType) { return isa<StringType>(elementType); }

bool importer::holdsStrings(Value tensor) {
  auto type = tensor ? dyn_cast<RankedTensorType>(tensor.getType()) : RankedTensorType();
  return type && isString(type.getElementType());
}

DenseStringElementsAttr importer::makeStrings(MLIRContext *context, ArrayRef<int64_t> dims,
                                              ArrayRef<std::string> texts) {
  SmallVector<StringRef> list(texts.begin(), texts.end());
  auto type = RankedTensorType::get(dims, StringType::get(context));
  return cast<DenseStringElementsAttr>(DenseElementsAttr(DenseStringElementsAttr::get(type, list)));
}

//===----------------------------------------------------------------------===//
// What handlers use
//===----------------------------------------------------------------------===//

static Value changeType(NodeBinder &node, Value tensor, Type elementType) {
  if (!tensor || node.failed())
    return {};
  auto type = cast<RankedTensorType>(tensor.getType());
  Value changed = UnrealizedConversionCastOp::create(node.getBuilder(), node.getLocation(),
                                                     type.clone(elementType), tensor)
                      .getResult(0);
  node.getShapes().setDims(changed, node.getShapes().getDims(tensor));
  return changed;
}

Value NodeBinder::numbersOf(Value strings) {
  return changeType(*this, strings, state.builder.getI64Type());
}

Value NodeBinder::stringsOf(Value numbers) {
  return changeType(*this, numbers, StringType::get(getContext()));
}

int64_t NodeBinder::getNumber(StringRef text) { return state.strings.get(text); }

SmallVector<int64_t> NodeBinder::getNumbers(ArrayRef<std::string> texts) {
  return llvm::map_to_vector(texts, [&](const std::string &text) { return getNumber(text); });
}

Value NodeBinder::constantStrings(ArrayRef<std::string> texts) {
  return constant(makeStrings(getContext(), int64_t(texts.size()), texts));
}

Value NodeBinder::constantString(StringRef text) {
  return constant(makeStrings(getContext(), {}, text.str()));
}

//===----------------------------------------------------------------------===//
// At the end
//===----------------------------------------------------------------------===//

static Type toNumbers(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isString(tensor.getElementType())
             ? tensor.clone(IntegerType::get(type.getContext(), 64))
             : type;
}

static ElementsAttr toNumbers(DenseStringElementsAttr attr, StringNumbers &strings) {
  HostTensor numbers =
      HostTensor::allocate(DataType::Int64, attr.getType().getShape());
  for (auto [index, text] : llvm::enumerate(attr.getValues<StringRef>()))
    numbers.setInt(index, strings.get(text));
  return makeConstantAttr(attr.getContext(), numbers);
}

/// Whether anything changed.
static bool numberOperation(Operation *op, StringNumbers &strings) {
  bool changed = false;
  auto change = [&](Value value) {
    Type type = toNumbers(value.getType());
    changed |= type != value.getType();
    value.setType(type);
  };
  for (Region &region : op->getRegions())
    for (Block &block : region)
      for (BlockArgument argument : block.getArguments())
        change(argument);
  for (Value result : op->getResults())
    change(result);
  for (NamedAttribute attribute : op->getAttrs()) {
    if (auto texts = dyn_cast<DenseStringElementsAttr>(attribute.getValue()))
      op->setAttr(attribute.getName(), toNumbers(texts, strings));
    else if (attribute.getValue() == TypeAttr::get(StringType::get(op->getContext())))
      op->setAttr(attribute.getName(),
                  TypeAttr::get(IntegerType::get(op->getContext(), 64)));
  }
  return changed;
}

static void numberSignature(func::FuncOp function) {
  auto stored = TypeAttr::get(StringType::get(function.getContext()));
  FunctionType type = function.getFunctionType();
  SmallVector<Type> inputs, results;
  for (auto [index, input] : llvm::enumerate(type.getInputs())) {
    inputs.push_back(toNumbers(input));
    if (inputs.back() != input)
      function.setArgAttr(index, "nn.stored_type", stored);
  }
  for (auto [index, result] : llvm::enumerate(type.getResults())) {
    results.push_back(toNumbers(result));
    if (results.back() != result)
      function.setResultAttr(index, "nn.stored_type", stored);
  }
  function.setFunctionType(FunctionType::get(function.getContext(), inputs, results));
}

void importer::numberStrings(ModuleOp module, StringNumbers &strings) {
  bool changed = false;
  SmallVector<UnrealizedConversionCastOp> casts;
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto function = dyn_cast<func::FuncOp>(op))
      numberSignature(function);
    changed |= numberOperation(op, strings);
    if (auto cast = dyn_cast<UnrealizedConversionCastOp>(op);
        cast && cast.getNumOperands() == 1)
      casts.push_back(cast);
  });
  for (UnrealizedConversionCastOp cast : casts) {
    cast.getResult(0).replaceAllUsesWith(cast.getOperand(0));
    cast.erase();
  }
  if (!changed)
    return;
  Builder builder(module.getContext());
  SmallVector<StringRef> texts(strings.getTexts().begin(), strings.getTexts().end());
  module->setAttr("nn.strings", builder.getStrArrayAttr(texts));
}
