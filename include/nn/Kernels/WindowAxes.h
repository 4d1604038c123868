//===- WindowAxes.h - the windows of convolution kernels --------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_KERNELS_WINDOWAXES_H
#define NN_KERNELS_WINDOWAXES_H

#include "dialects/NN/IR/NN.h"
#include "nn/Kernels/KernelEmitter.h"

namespace mlir::nn {

/// Products of 8-bit integers whose sum is exact in f32.
constexpr int64_t kExactProducts = 256;

/// One spatial dimension of a convolution.
struct WindowAxis {
  int64_t kernel = 1, stride = 1, dilation = 1, padBegin = 0, padEnd = 0;
  Value input, output; // sizes, in the kernel

  bool isPointwise() const { return kernel == 1 && stride == 1 && !isPadded(); }
  bool isPadded() const { return padBegin != 0 || padEnd != 0; }
  /// Elements of the input under `count` outputs.
  int64_t reach(int64_t count) const {
    return (count - 1) * stride + (kernel - 1) * dilation + 1;
  }
  /// Elements of the input that each output reads and the one before does not.
  int64_t advance() const { return std::min(kernel, stride); }
};

/// Those of a convolution whose weights have static sizes, without `input` and `output`.
/// Failure if pads are negative or depend on the input's sizes.
FailureOr<SmallVector<WindowAxis>> getWindowAxes(ConvOp op);
/// Those of a transposed convolution: output `i * stride + k * dilation - padBegin` reads
/// input i with tap k.
FailureOr<SmallVector<WindowAxis>> getWindowAxes(ConvTransposeOp op);

/// Where the window of an output begins; before 0 in the padding.
Value getWindowStart(KernelEmitter &e, const WindowAxis &axis, Value output);

/// The taps of an output's window that are inside the input: [first, second). Without
/// such, `second` may be less than `first`.
std::pair<Value, Value> getTapRange(KernelEmitter &e, const WindowAxis &axis,
                                    Value output);

} // namespace mlir::nn

#endif // NN_KERNELS_WINDOWAXES_H
