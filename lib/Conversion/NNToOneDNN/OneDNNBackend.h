//===- OneDNNBackend.h - the back end of oneDNN -----------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Private to this folder.
//
//===----------------------------------------------------------------------===//

#ifndef NN_CONVERSION_NNTOONEDNN_ONEDNNBACKEND_H
#define NN_CONVERSION_NNTOONEDNN_ONEDNNBACKEND_H

#include "nn/Target/Backend.h"

namespace mlir::nn {

class OneDNNBackend : public Backend {
public:
  using Backend::Backend;

  void getDependentDialects(DialectRegistry &registry) const override;
  std::unique_ptr<Placer> createPlacer(ModuleOp module,
                                       const CostModel &costs) const override;
};

} // namespace mlir::nn

#endif // NN_CONVERSION_NNTOONEDNN_ONEDNNBACKEND_H
