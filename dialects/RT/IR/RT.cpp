//===- RT.cpp - the rt dialect --------------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/RT/IR/RT.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::nn::rt;

#include "dialects/RT/IR/RTDialect.cpp.inc"
#include "dialects/RT/IR/RTEnums.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/RT/IR/RTOps.cpp.inc"

void RTDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/RT/IR/RTOps.cpp.inc"
      >();
}

// launch_c1
LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<func::FuncOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError("'") << getKernel() << "' is not a function";
  size_t expected =
      getInputs().size() + getOutputs().size() + getScalars().size() + 2;
  if (kernel.getNumArguments() != expected)
    return emitOpError("'") << getKernel() << "' takes "
                            << kernel.getNumArguments() << " arguments, not "
                            << expected;
  return success();
}
