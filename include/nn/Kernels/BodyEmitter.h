//===- BodyEmitter.h - elementwise operators as code ------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_KERNELS_BODYEMITTER_H
#define NN_KERNELS_BODYEMITTER_H

#include "nn/Fusion/FusionView.h"
#include "nn/Kernels/KernelEmitter.h"

namespace mlir::nn {

/// Emits the elementwise operators of a body.
class BodyEmitter {
public:
  /// Returns the element (or the vector) of a leaf or of the anchor's result.
  using Leaf = function_ref<Value(Value)>;

  BodyEmitter(const FusionView &view, KernelEmitter &emitter, int64_t lanes)
      : view(view), emitter(emitter), lanes(lanes) {}

  /// Failure, with an error, if an operator cannot be emitted.
  FailureOr<Value> emit(Value value, Leaf leaf);

private:
  /// The end of a quantization to 8 bits: `value` rounded, then limited, then shifted.
  struct Rounding {
    Value value;
    int64_t least, most, shift;
  };
  std::optional<Rounding> findRounding(Value result) const;
  Value emitRounding(const Rounding &rounding, Value value);

  const FusionView &view;
  KernelEmitter &emitter;
  int64_t lanes;
  DenseMap<Value, Value> emitted;
};

} // namespace mlir::nn

#endif // NN_KERNELS_BODYEMITTER_H
