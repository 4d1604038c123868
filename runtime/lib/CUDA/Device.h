//===- Device.h - A GPU that models compute on ------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CUDA_DEVICE_H
#define NNRT_CUDA_DEVICE_H

#include "Core/Device.h"

namespace nnrt {

/// The GPU of this process, which NNRT_CUDA_DEVICE chooses (its number, 0 by default).
/// INCOMPATIBLE if there is none, or no driver.
Status getCudaDevice(Device *&device);

} // namespace nnrt

#endif // NNRT_CUDA_DEVICE_H
