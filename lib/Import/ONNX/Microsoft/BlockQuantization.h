//===- BlockQuantization.h - weights in few bits, in blocks -----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_IMPORT_ONNX_MICROSOFT_BLOCKQUANTIZATION_H
#define NN_LIB_IMPORT_ONNX_MICROSOFT_BLOCKQUANTIZATION_H

#include "Microsoft.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::nn::importer {

/// Weights N x K, in blocks along K.
struct BlockedWeights {
  Value data, scales, zeroPoints, groups;
  int64_t n = 0, k = 0, bits = 0, blockSize = 0;

  int64_t getNumBlocks() const { return llvm::divideCeil(k, blockSize); }
};

/// The real weights. Zero points are the middle of the range if absent, and may be real
/// numbers. `groups` says to which block each column belongs, if these lie scattered.
Value dequantizeBlocks(NodeBinder &node, BlockedWeights w);

/// The numbers of `bits` bits in the bytes along the last dimension, the lowest bits of a
/// byte first unless `highFirst`. The last dimension grows accordingly.
Value unpack(NodeBinder &node, Value bytes, int64_t bits, bool highFirst = false);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_MICROSOFT_BLOCKQUANTIZATION_H
