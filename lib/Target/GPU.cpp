//===- GPU.cpp - what is known about GPUs to compile for ------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Target/GPU.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

using namespace mlir;
using namespace mlir::nn;

Attribute nn::getDeviceSpace(MLIRContext *context) {
  return gpu::AddressSpaceAttr::get(context, gpu::AddressSpace::Global);
}

bool nn::isOnDevice(Type type) {
  auto memref = dyn_cast<BaseMemRefType>(type);
  if (!memref)
    return false;
  auto space = dyn_cast_or_null<gpu::AddressSpaceAttr>(memref.getMemorySpace());
  return space && space.getValue() == gpu::AddressSpace::Global;
}

TargetAttr nn::getAnyGPU(MLIRContext *context) {
  context->getOrLoadDialect<NNDialect>(); // A module may have nothing of it.
  return TargetAttr::get(context, TargetKind::CUDA,
                         {StringAttr::get(context, "sm_80"), StringAttr::get(context, "sm_90")},
                         {});
}

llvm::Error nn::checkGPU(StringRef name) {
  StringRef number = name;
  unsigned capability;
  bool isName = number.consume_front("sm_") && !number.getAsInteger(10, capability);
  if (!isName)
    return llvm::createStringError("unknown GPU '" + name +
                                   "'; use a compute capability, such as sm_80 or sm_90");
  // What LLVM 22 has.
  static constexpr unsigned known[] = {80, 86, 87, 88, 89, 90, 100, 101, 103, 120, 121};
  if (capability < 80)
    return llvm::createStringError("GPU '" + name +
                                   "' is too old; sm_80 is the least that is supported");
  if (!llvm::is_contained(known, capability))
    return llvm::createStringError("LLVM has no GPU '" + name + "'; code for sm_90 runs on "
                                   "later ones too");
  return llvm::Error::success();
}
