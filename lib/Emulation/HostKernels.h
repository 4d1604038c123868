//===- HostKernels.h - kernels for GPUs as code for the host ----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_EMULATION_HOSTKERNELS_H
#define NN_LIB_EMULATION_HOSTKERNELS_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace mlir::nn::emulation {

/// An array that the threads of a block share.
struct SharedArray {
  void *address = nullptr;
  size_t bytes = 0;
};

/// A kernel whose code was generated for the host.
struct HostKernel {
  /// A memref among the parameters, as the attribute `nn-buffers` says.
  struct Buffer {
    unsigned field; // the first of its descriptor
    unsigned rank;
    unsigned elementBytes;
  };
  std::string name;
  /// Has one thread run. Parameters are as cuLaunchKernel takes them in a buffer.
  void (*run)(const void *parameters) = nullptr;
  size_t parameterBytes = 0;
  /// Whether threads of a block wait for each other.
  bool hasBarriers = false;
  llvm::SmallVector<Buffer> buffers;
  /// Of the module.
  llvm::ArrayRef<SharedArray> sharedArrays;
};

/// All kernels of a model.
class HostKernels {
public:
  static llvm::Expected<std::unique_ptr<HostKernels>> load(llvm::StringRef bitcode);
  const HostKernel *find(llvm::StringRef name) const;

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
  llvm::StringMap<HostKernel> kernels;
  llvm::SmallVector<SharedArray> sharedArrays;
};

} // namespace mlir::nn::emulation

#endif // NN_LIB_EMULATION_HOSTKERNELS_H
