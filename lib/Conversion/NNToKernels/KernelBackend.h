//===- KernelBackend.h - the back end of kernel templates -------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Private to this folder.
//
//===----------------------------------------------------------------------===//

#ifndef NN_CONVERSION_NNTOKERNELS_KERNELBACKEND_H
#define NN_CONVERSION_NNTOKERNELS_KERNELBACKEND_H

#include "nn/Target/Backend.h"

namespace mlir::nn {

class KernelBackend : public Backend {
public:
  using Backend::Backend;

  void getDependentDialects(DialectRegistry &registry) const override;
  std::unique_ptr<Placer> createPlacer(ModuleOp module,
                                       const CostModel &costs) const override;
};

} // namespace mlir::nn

#endif // NN_CONVERSION_NNTOKERNELS_KERNELBACKEND_H
