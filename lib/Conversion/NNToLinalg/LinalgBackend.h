//===- LinalgBackend.h - the back end that takes what is left ---*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Private to this folder.
//
//===----------------------------------------------------------------------===//

#ifndef NN_CONVERSION_NNTOLINALG_LINALGBACKEND_H
#define NN_CONVERSION_NNTOLINALG_LINALGBACKEND_H

#include "nn/Target/Backend.h"

namespace mlir::nn {

class LinalgBackend : public Backend {
public:
  using Backend::Backend;

  void addPasses(OpPassManager &pm) const override;
};

/// Takes what the one above takes, on GPUs. What that one has lowered gets fewer kernels.
class GPULoopsBackend : public Backend {
public:
  using Backend::Backend;

  void addPasses(OpPassManager &pm) const override;
};

} // namespace mlir::nn

#endif // NN_CONVERSION_NNTOLINALG_LINALGBACKEND_H
