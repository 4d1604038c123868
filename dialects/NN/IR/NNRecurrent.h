//===- NNRecurrent.h - recurrent layers of the nn dialect -------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Not part of NN.h, which all files include, because few files need this family.
//
//===----------------------------------------------------------------------===//

#ifndef NN_DIALECTS_NN_IR_NNRECURRENT_H
#define NN_DIALECTS_NN_IR_NNRECURRENT_H

#include "dialects/NN/IR/NN.h"

#define GET_OP_CLASSES
#include "dialects/NN/IR/NNRecurrentOps.h.inc"

#endif // NN_DIALECTS_NN_IR_NNRECURRENT_H
