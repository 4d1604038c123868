//===- GPU.h - what is known about GPUs to compile for ----------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TARGET_GPU_H
#define NN_TARGET_GPU_H

#include "dialects/NN/IR/NN.h"
#include "llvm/Support/Error.h"

namespace mlir::nn {

/// Where buffers on the GPU lie: `#gpu.address_space<global>`. Buffers without a memory
/// space are the host's.
Attribute getDeviceSpace(MLIRContext *context);
/// Whether a type is that of a buffer on the GPU.
bool isOnDevice(Type type);

/// Code for sm_80 and sm_90, which later GPUs run as well, and no library.
TargetAttr getAnyGPU(MLIRContext *context);

/// An error if LLVM has no GPU of that name, or code is not generated for it.
llvm::Error checkGPU(StringRef name);

} // namespace mlir::nn

#endif // NN_TARGET_GPU_H
