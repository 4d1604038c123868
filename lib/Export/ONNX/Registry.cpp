//===- Registry.cpp - how operations are written as ONNX nodes ------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "dialects/NN/IR/NN.h"
#include "nn/Export/ONNX.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

const Registry &Registry::get() {
  static const Registry registry = [] {
    Registry all;
    registerConstant(all);
    registerContraction(all);
    registerControlFlow(all);
    registerConv(all);
    registerCustom(all);
    registerElementwise(all);
    registerIndexing(all);
    registerNormalization(all);
    registerPool(all);
    registerQuantization(all);
    registerRecurrent(all);
    registerReduction(all);
    registerScalars(all);
    registerShape(all);
    registerSignal(all);
    registerString(all);
    return all;
  }();
  return registry;
}

void Registry::add(StringRef op, Entry entry) {
  bool isNew = entries.try_emplace(op.str(), std::move(entry)).second;
  assert(isNew && "two records for one operation");
  (void)isNew;
}

const Registry::Entry *Registry::find(StringRef op) const {
  auto it = entries.find(op);
  return it == entries.end() ? nullptr : &it->second;
}

//===----------------------------------------------------------------------===//
// By name
//===----------------------------------------------------------------------===//

LogicalResult Registry::writeByName(Operation *op, NodeWriter &writer, StringRef onnx,
                                    ArrayRef<AttributeRule> rules) {
  SmallVector<Name> operands = writer.getOperands();
  Attributes attributes;
  auto place = [&](size_t position, Name name) {
    if (operands.size() <= position)
      operands.resize(position + 1);
    operands[position] = std::move(name);
  };
  for (StringAttr name : op->getName().getAttributeNames()) {
    std::optional<Attribute> found = op->getInherentAttr(name);
    if (!found || !*found || name == "operandSegmentSizes" || name == "layout")
      continue;
    Attribute value = *found;
    const AttributeRule *rule = llvm::find_if(
        rules, [&](const AttributeRule &rule) { return rule.name == name.getValue(); });
    if (rule == rules.end()) {
      writer.addAttribute(attributes, name, value);
      continue;
    }
    switch (rule->form) {
    case AttributeRule::Renamed:
      writer.addAttribute(attributes, rule->onnx, value);
      break;
    case AttributeRule::List:
      if (ArrayRef<int64_t> list = cast<DenseI64ArrayAttr>(value); !list.empty())
        place(rule->position, writer.list(list));
      break;
    case AttributeRule::Scalar:
      place(rule->position, writer.scalar(cast<IntegerAttr>(value).getInt()));
      break;
    case AttributeRule::Dropped:
      break;
    }
  }
  return writer.replaceWith(onnx, operands, attributes);
}

//===----------------------------------------------------------------------===//
// The documentation
//===----------------------------------------------------------------------===//

LogicalResult nn::forEachExportedOperation(
    MLIRContext &context,
    llvm::function_ref<void(StringRef, StringRef, StringRef)> visit) {
  bool areKnown = true;
  SmallVector<StringRef> ops;
  for (RegisteredOperationName name : context.getRegisteredOperations())
    if (name.getDialectNamespace() == NNDialect::getDialectNamespace())
      ops.push_back(name.getStringRef());
  llvm::sort(ops);
  for (StringRef op : ops) {
    if (const Registry::Entry *entry = Registry::get().find(op)) {
      visit(op, entry->becomes, entry->refusal);
      continue;
    }
    areKnown = false;
    emitError(UnknownLoc::get(&context))
        << "lib/Export/ONNX neither writes nor refuses " << op;
  }
  return success(areKnown);
}
