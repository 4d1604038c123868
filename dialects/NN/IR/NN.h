//===- NN.h - the nn dialect ------------------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_DIALECTS_NN_IR_NN_H
#define NN_DIALECTS_NN_IR_NN_H

#include "dialects/NN/IR/Layouts.h"
#include "dialects/NN/IR/ShapeEnv.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/NN/IR/NNDialect.h.inc"
#include "dialects/NN/IR/NNEnums.h.inc"
#include "dialects/NN/IR/NNInterfaces.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/NN/IR/NNTypes.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/NN/IR/NNAttributes.h.inc"
#define GET_OP_CLASSES
#include "dialects/NN/IR/NNOps.h.inc"

#endif // NN_DIALECTS_NN_IR_NN_H
