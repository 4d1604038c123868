//===- OneDNNOps.td - all operations of the onednn dialect, by family -----===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef ONEDNN_OPS_TD
#define ONEDNN_OPS_TD

include "dialects/OneDNN/IR/OneDNNContractionOps.td"
include "dialects/OneDNN/IR/OneDNNConvOps.td"
include "dialects/OneDNN/IR/OneDNNNormalizationOps.td"
include "dialects/OneDNN/IR/OneDNNPoolOps.td"

#endif // ONEDNN_OPS_TD
