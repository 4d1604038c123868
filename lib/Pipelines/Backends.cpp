//===- Backends.cpp - the back ends that there are ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Pipelines/Backends.h"

using namespace mlir;
using namespace mlir::nn;

ArrayRef<const Backend *> nn::getBackends() {
  static const Backend *const all[] = {
      &getOneDNNBackend(),
      &getKernelBackend(),
      &getLinalgBackend(),
  };
  return all;
}
