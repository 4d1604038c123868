//===- Library.h - compiled models as files ---------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TARGET_LIBRARY_H
#define NN_TARGET_LIBRARY_H

#include "mlir/IR/BuiltinOps.h"
#include "nn/Target/CodeGen.h"
#include "nn/Target/DeviceCode.h"
#include "runtime/lib/Core/Manifest.h"

namespace mlir::nn {

/// The signature and metadata of a model for the manifest, from `@main` and the module's
/// attributes, while both are still in the nn dialect.
FailureOr<nnrt::Manifest> describeModel(ModuleOp module);

/// A variant's object code, and its memory: the attributes `nn.arena_bytes`,
/// `nn.device_arena_bytes` and `nn.data_dependent_buffers` of its module.
struct CompiledVariant {
  CodeVariant variant;
  SmallVector<char, 0> object;
  std::string arena, deviceArena;
  uint32_t dataDependentBuffers = 0;
};

/// A variant, still without object code, from its lowered module.
CompiledVariant describeVariant(ModuleOp lowered, const CodeVariant &variant);

/// Links the variants (best first), appends the weights that the attribute `nn.weights` of
/// `lowered` lists, the code for the device and the manifest, and moves the file to `path`
/// atomically, so that a failure leaves no partial model. `codesWeights`: the weights take
/// as few bytes as they can, without loss.
LogicalResult writeLibrary(ModuleOp lowered, nnrt::Manifest manifest,
                           ArrayRef<CompiledVariant> variants,
                           ArrayRef<DeviceCode> deviceCode, StringRef path,
                           bool codesWeights = false);

} // namespace mlir::nn

#endif // NN_TARGET_LIBRARY_H
