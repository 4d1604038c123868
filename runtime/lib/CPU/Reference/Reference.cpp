//===- Reference.cpp - Kernels for what is not generated ------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/Reference/Reference.h"

#include <new>

static const char *run(int32_t kernel, const int64_t *parameters,
                       const nnrt_abi_tensor *args, nnrt::Services &services) {
  using namespace nnrt;
  switch (kernel) {
  case NNRT_ABI_CUSTOM:
  case NNRT_ABI_CUSTOM_SHAPES:
    return services.custom(parameters[0], kernel == NNRT_ABI_CUSTOM_SHAPES, parameters, args)
               ? nullptr
               : services.message.c_str();
  case NNRT_ABI_DFT:
    return runDFT(parameters, args, services.loop);
  case NNRT_ABI_MAP_STRINGS:
    return runMapStrings(parameters, args, services);
  case NNRT_ABI_NON_MAX_SUPPRESSION:
    return runNonMaxSuppression(parameters, args);
  case NNRT_ABI_NONZERO:
    return runNonZero(parameters, args);
  case NNRT_ABI_ROI_ALIGN:
    return runRoiAlign(parameters, args);
  case NNRT_ABI_STFT:
    return runSTFT(args, services.loop);
  case NNRT_ABI_TOPK:
    return runTopK(parameters, args);
  case NNRT_ABI_UNIQUE:
    return runUnique(parameters, args);
  default:
    return "the model calls a kernel that this runtime does not have; use the "
           "runtime of the compiler's version";
  }
}

const char *nnrt::runReferenceKernel(int32_t kernel, const int64_t *parameters,
                                     const nnrt_abi_tensor *args,
                                     Services &services) noexcept {
  try {
    return run(kernel, parameters, args, services);
  } catch (const std::bad_alloc &) {
    return "no memory for what the operator computes with";
  }
}
