//===- CudaStandIn.h - a stand-in for CUDA's driver -------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Runs the kernels of models on any machine, as a GPU would: from the LLVM bitcode that their
// PTX was made from, so that all of the compiler but the last step is under test. What a GPU
// would do in silence is an error: accesses outside of the buffers that a kernel was given,
// reads of memory that nothing has written, threads that wait for each other for ever.
//
//===----------------------------------------------------------------------===//

#ifndef NN_EMULATION_CUDASTANDIN_H
#define NN_EMULATION_CUDASTANDIN_H

#include "runtime/lib/CUDA/Driver.h"

namespace mlir::nn {

/// The stand-in's functions, to be given to nnrt_use_cuda_driver. Kernels of one process run
/// one after the other.
const nnrt::CudaDriver &getCudaStandIn();

} // namespace mlir::nn

#endif // NN_EMULATION_CUDASTANDIN_H
