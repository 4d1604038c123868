//===- InitAll.cpp - registration of dialects and passes ------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/InitAll.h"
#include "dialects/Check/IR/Check.h"
#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/Passes.h"
#include "dialects/OneDNN/IR/OneDNN.h"
#include "dialects/RT/IR/RT.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "nn/Compress/Passes.h"
#include "nn/Conversion/NNToLinalg.h"
#include "nn/Conversion/Passes.h"
#include "nn/Pipelines/Pipelines.h"
#include "nn/Target/Backend.h"
#include "nn/Target/Passes.h"

using namespace mlir;

void nn::registerAllDialects(DialectRegistry &registry) {
  registerBackend(getOneDNNBackend());
  registerBackend(getKernelBackend());
  registerBackend(getLinalgBackend());
  registerBackend(getGPULoopsBackend());
  ::mlir::registerAllDialects(registry);
  ::mlir::registerAllExtensions(registry);
  registry.insert<NNDialect, check::CheckDialect, onednn::OneDNNDialect, rt::RTDialect>();
  registerBitcastBufferization(registry);
  registerBufferizationModels(registry);
  onednn::registerBufferizableOpInterfaceExternalModels(registry);
}

void nn::registerAllPasses() {
  ::mlir::registerAllPasses();
  registerNNTransformsPasses();
  registerNNCompressPasses();
  registerNNConversionPasses();
  registerNNTargetPasses();
  registerPipelines();
}
