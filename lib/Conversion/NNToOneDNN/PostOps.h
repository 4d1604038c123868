//===- PostOps.h - elementwise operators as post-ops ------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Private to this folder.
//
//===----------------------------------------------------------------------===//

#ifndef NN_CONVERSION_NNTOONEDNN_POSTOPS_H
#define NN_CONVERSION_NNTOONEDNN_POSTOPS_H

#include "dialects/OneDNN/IR/OneDNN.h"
#include "nn/Analysis/SymbolicDims.h"
#include "nn/Conversion/Capabilities.h"
#include "nn/Fusion/FusionView.h"

namespace mlir::nn {

/// A row of oneDNN's table.
struct OneDNNCapability : Capability {
  /// Whether elementwise operators with one operand, and with two, can follow as post-ops.
  bool eltwisePostOps = false, binaryPostOps = false;
};

/// One step after a primitive: a complete attribute, or a binary algorithm with its
/// operand, a value of the body.
struct PostOp {
  Attribute eltwise;
  onednn::BinaryAlgorithm binary = onednn::BinaryAlgorithm::Add;
  Value operand;
};

/// A value of the body that is `(cast(integers) - zeroPoint) * scale` for 8-bit
/// integers, and the operators that compute it.
struct Dequantized {
  Value integers;
  float zeroPoint = 0, scale = 1;
  SmallVector<Operation *> ops;
};
std::optional<Dequantized> matchDequantized(Value value, const FusionView &body);

/// The post-ops that compute `op` in an integer primitive, in addition to those of
/// getPostOps: dequantized operands are added as integers, and quotients become
/// products, because the result is rounded to integers anyway. None if neither applies.
/// `absorbed`: the other operators that they replace.
SmallVector<PostOp> getIntegerPostOps(Operation *op, Value current,
                                      const FusionView &body,
                                      SmallVector<Operation *> &absorbed);

/// Combines consecutive linear steps, and drops limits at the end that the integer
/// element type implies.
void simplifyIntegerPostOps(SmallVector<PostOp> &postOps, Type elementType);

/// The post-ops that compute `op` from `current`, one of its operands. Failure, with a
/// reason for a remark, if there are none. Does not check shapes.
FailureOr<SmallVector<PostOp>> getPostOps(Operation *op, Value current,
                                          const FusionView &body,
                                          const OneDNNCapability &capability,
                                          std::string &reason);

/// How an operand is broadcast to dst, whose channels are dimension `channel`.
enum class PostOpBroadcast { None, PerChannel, Scalar };

/// The kind of broadcast, if it is provable and supported by oneDNN's kernels (for
/// others it uses its slow reference code).
std::optional<PostOpBroadcast> getPostOpBroadcast(Value operand, Value dst,
                                                  int64_t channel,
                                                  SymbolicDims &dims);

} // namespace mlir::nn

#endif // NN_CONVERSION_NNTOONEDNN_POSTOPS_H
