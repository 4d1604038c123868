//===- OneDNNDialect.cpp - the onednn dialect -----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/OneDNN/IR/OneDNN.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::nn::onednn;

/// A number without its type, which is always f32.
static ParseResult parseF32(AsmParser &parser, FloatAttr &result) {
  double value;
  if (parser.parseFloat(value))
    return failure();
  result = FloatAttr::get(Float32Type::get(parser.getContext()), value);
  return success();
}

static void printF32(AsmPrinter &printer, FloatAttr value) {
  printer.printFloat(value.getValue());
}

#include "dialects/OneDNN/IR/OneDNNDialect.cpp.inc"
#include "dialects/OneDNN/IR/OneDNNEnums.cpp.inc"
#include "dialects/OneDNN/IR/OneDNNInterfaces.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/OneDNN/IR/OneDNNAttributes.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/OneDNN/IR/OneDNNOps.cpp.inc"

void OneDNNDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/OneDNN/IR/OneDNNAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/OneDNN/IR/OneDNNOps.cpp.inc"
      >();
}

void mlir::nn::onednn::detail::getPrimitiveEffects(
    Operation *op,
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  auto destination = cast<DestinationStyleOpInterface>(op);
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<BaseMemRefType>(operand.get().getType()))
      continue;
    if (destination.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}
