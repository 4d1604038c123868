//===- Check.h - the check dialect ------------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_DIALECTS_CHECK_IR_CHECK_H
#define NN_DIALECTS_CHECK_IR_CHECK_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/Check/IR/CheckDialect.h.inc"
#define GET_OP_CLASSES
#include "dialects/Check/IR/CheckOps.h.inc"

#endif // NN_DIALECTS_CHECK_IR_CHECK_H
