//===- NNDialect.cpp - the nn dialect -------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NNRecurrent.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::nn;

#include "dialects/NN/IR/NNDialect.cpp.inc"
#include "dialects/NN/IR/NNEnums.cpp.inc"
#include "dialects/NN/IR/NNInterfaces.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/NN/IR/NNAttributes.cpp.inc"

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

void NNDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/NN/IR/NNAttributes.cpp.inc"
      >();
  registerNNDialectOperations(this);
  addOperations<
#define GET_OP_LIST
#include "dialects/NN/IR/NNRecurrentOps.cpp.inc"
      >();
}

LogicalResult NNDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() != "nn.target")
    return success();
  if (!isa<ModuleOp>(op))
    return op->emitOpError("has the attribute 'nn.target', which belongs to modules");
  if (!isa<TargetAttr>(attribute.getValue()))
    return op->emitOpError("'nn.target' is a #nn.target, not ") << attribute.getValue();
  return success();
}

Operation *NNDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                          Type type, Location location) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getType() != type)
    return nullptr;
  return ConstantOp::create(builder, location, elements);
}
