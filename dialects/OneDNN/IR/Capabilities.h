//===- Capabilities.h - what oneDNN can run ---------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The verifiers say what is meaningful; this table says what oneDNN 3.2 runs on
// the CPUs that compiled models support (AVX2 and up), and runs well. Placement
// and the generated coverage page read it.
//
//===----------------------------------------------------------------------===//

#ifndef NN_DIALECTS_ONEDNN_IR_CAPABILITIES_H
#define NN_DIALECTS_ONEDNN_IR_CAPABILITIES_H

#include "dialects/OneDNN/IR/OneDNN.h"

namespace mlir::nn::onednn {

struct Capability {
  /// The operation, e.g. "onednn.convolution".
  StringLiteral primitive;
  int64_t minRank, maxRank;
  /// Element types as MLIR writes them, of all floating-point operands.
  ArrayRef<StringLiteral> types;
  /// What may stand in the list of post-ops.
  bool eltwisePostOps, binaryPostOps;
};

ArrayRef<Capability> getCapabilities();

/// The row of a primitive; there is one for each.
const Capability &getCapability(StringRef primitive);

/// Why a primitive cannot run with that type and rank; empty if it can.
std::string whyUnsupported(StringRef primitive, Type elementType, int64_t rank);

} // namespace mlir::nn::onednn

#endif // NN_DIALECTS_ONEDNN_IR_CAPABILITIES_H
