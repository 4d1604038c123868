//===- Driver.h - CUDA's driver ---------------------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// The driver is loaded when the first model for a GPU is opened, so that nothing else
// depends on it. A stand-in with the same functions can take its place (lib/Emulation).
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CUDA_DRIVER_H
#define NNRT_CUDA_DRIVER_H

#include "nnrt/nnrt.h"

#include <cstddef>
#include <cstdint>

namespace nnrt {

struct CudaDriver {
#define NNRT_CUDA(name, symbol, parameters) int(*name) parameters = nullptr;
#include "CUDA/driver.def"
  /// Only of a stand-in: loads LLVM's bitcode, from which the PTX of the same kernels was
  /// made, instead of an image.
  int (*loadBitcode)(void **module, const void *bitcode, size_t bytes) = nullptr;
};

/// Results of the driver (CUresult).
enum CudaResult {
  CudaSuccess = 0,
  CudaInvalidValue = 1,
  CudaOutOfMemory = 2,
  CudaNoDevice = 100,
  CudaInvalidImage = 200,
  CudaNotFound = 500,
  CudaIllegalAddress = 700
};

} // namespace nnrt

/// Has models that are opened from now on use a stand-in for the driver, which lives as long
/// as the process. For tools that are built with the runtime.
extern "C" NNRT_EXPORT void nnrt_use_cuda_driver(const nnrt::CudaDriver *driver);

#endif // NNRT_CUDA_DRIVER_H
