//===- Attention.h - what ONNX Runtime's attentions share -------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Sizes: B entries of the batch, N heads, S queries, T keys and values, H elements of a
// head.
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_IMPORT_ONNX_MICROSOFT_ATTENTION_H
#define NN_LIB_IMPORT_ONNX_MICROSOFT_ATTENTION_H

#include "Microsoft.h"

namespace mlir::nn::importer {

/// softmax(softcap(q * k^T * scale) + biases) * v.
struct Attention {
  Value q, k, v;             ///< B x N x S or T x H; also with more dimensions in front.
  SmallVector<Value> biases; ///< They broadcast to the scores.
  float scale = 0;           ///< 0: 1 / sqrt(H), as for the operators.
  float softcap = 0;         ///< 0: none. Else scores are softcap * tanh(score / softcap).
  Value sink; ///< A score that broadcasts to one more key, whose value is 0. May be null.

  Value build(NodeBinder &node) const;
};

/// B x S x N*H to B x N x S x H, and back.
Value splitHeads(NodeBinder &node, Value value, int64_t numHeads);

/// Queries, keys and values, which `projected` holds along its last dimension, `axis`: parts of
/// the sizes that the attribute 'qkv_hidden_sizes' gives, or equal ones. Nothing on failure.
SmallVector<Value> splitProjections(NodeBinder &node, Value projected,
                                    ArrayRef<int64_t> hiddenSizes, int64_t axis);
Value mergeHeads(NodeBinder &node, Value value);

/// 0 where `allowed`, `otherwise` elsewhere: what is added to scores.
Value makeBias(NodeBinder &node, Value allowed, double otherwise, Type type);
/// The lowest number of a type, for scores that do not count.
double getLowest(Type type);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_MICROSOFT_ATTENTION_H
