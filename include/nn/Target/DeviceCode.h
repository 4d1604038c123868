//===- DeviceCode.h - code for the device -----------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TARGET_DEVICECODE_H
#define NN_TARGET_DEVICECODE_H

#include "mlir/IR/BuiltinOps.h"
#include "runtime/lib/Core/Manifest.h"

namespace mlir::nn {

/// One form of all kernels of a model.
struct DeviceCode {
  nnrt::SectionKind kind; // PTX, Cubin or Bitcode
  std::string processor;  // "sm_80"
  SmallVector<char, 0> bytes;
};

/// Generates code for each GPU of a lowered module's target, best first, from its
/// `gpu.module`, which is erased. For each there is PTX, and a cubin if ptxas is found
/// (CUDA_HOME, PATH, /usr/local/cuda); for the first, the LLVM bitcode too from which PTX was
/// made, for emulation; if `onlyBitcode`, only that. Empty for targets without a device.
FailureOr<std::vector<DeviceCode>> takeDeviceCode(ModuleOp lowered, bool onlyBitcode = false);

} // namespace mlir::nn

#endif // NN_TARGET_DEVICECODE_H
