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

namespace mlir::nn {

/// A fusion, or an operator alone, seen alike: "values of the body" are those
/// inside of the fusion, or the operator's own operands and result.
class Body {
public:
  explicit Body(Operation *root) : root(root) {}

  Operation *root;

  /// The tensor of the function that a value of the body is: an operand of the
  /// fusion, or the value itself. Null if the body computes it.
  Value getOuter(Value value) const;
  /// The elements of a constant of the body or of the function, or null.
  ElementsAttr getConstant(Value value) const;
  /// The number that a float constant holds everywhere.
  std::optional<float> getSplat(Value value) const;
};

/// One step after a primitive: an attribute that is complete, or a binary
/// algorithm and its operand, a value of the body.
struct PostOp {
  Attribute eltwise;
  onednn::BinaryAlgorithm binary = onednn::BinaryAlgorithm::Add;
  Value operand;
};

/// A value of the body that is `(cast(integers) - zeroPoint) * scale`, integers of 8
/// bits, and the operators that compute it from them.
struct Dequantized {
  Value integers;
  float zeroPoint = 0, scale = 1;
  SmallVector<Operation *> ops;
};
std::optional<Dequantized> matchDequantized(Value value, const Body &body);

/// The post-ops that compute `op` in a primitive of integers, beside those that
/// getPostOps has: dequantized operands are added as the integers that they are, and
/// quotients are products, since what follows rounds to integers. None, if it is
/// nothing of that. `absorbed`: the operators whose work they do, without `op`.
SmallVector<PostOp> getIntegerPostOps(Operation *op, Value current,
                                      const Body &body,
                                      SmallVector<Operation *> &absorbed);

/// Makes one step of linear steps that follow each other, and drops the limits at the
/// end that integers of the element type have anyhow.
void simplifyIntegerPostOps(SmallVector<PostOp> &postOps, Type elementType);

/// The post-ops that compute `op` from `current`, one of its operands. Failure,
/// with a reason for a remark, if there are none. Says nothing about shapes.
FailureOr<SmallVector<PostOp>> getPostOps(Operation *op, Value current,
                                          const Body &body,
                                          const Capability &capability,
                                          std::string &reason);

/// How an operand is broadcast to dst, whose channels are dimension `channel`.
enum class PostOpBroadcast { None, PerChannel, Scalar };

/// The kind of broadcast, if it is provable and one that oneDNN computes in its
/// kernels (for others it falls to its slow reference code).
std::optional<PostOpBroadcast> getPostOpBroadcast(Value operand, Value dst,
                                                  int64_t channel,
                                                  SymbolicDims &dims);

} // namespace mlir::nn

#endif // NN_CONVERSION_NNTOONEDNN_POSTOPS_H
