//===- NNOps.td - all operators of the nn dialect, by family --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_OPS_TD
#define NN_OPS_TD

include "dialects/NN/IR/NNConstantOps.td"
include "dialects/NN/IR/NNContractionOps.td"
include "dialects/NN/IR/NNConvOps.td"
include "dialects/NN/IR/NNCustomOps.td"
include "dialects/NN/IR/NNElementwiseOps.td"
include "dialects/NN/IR/NNFusionOps.td"
include "dialects/NN/IR/NNIndexingOps.td"
include "dialects/NN/IR/NNNormalizationOps.td"
include "dialects/NN/IR/NNPoolOps.td"
include "dialects/NN/IR/NNQuantizationOps.td"
include "dialects/NN/IR/NNReductionOps.td"
include "dialects/NN/IR/NNShapeOps.td"
include "dialects/NN/IR/NNSignalOps.td"
include "dialects/NN/IR/NNStringOps.td"

#endif // NN_OPS_TD
