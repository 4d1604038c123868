//===- Isolated.h - code that may crash ---------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_IMPORT_ONNX_ISOLATED_H
#define NN_LIB_IMPORT_ONNX_ISOLATED_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include <optional>
#include <string>

namespace mlir::nn::importer {

/// Runs `work` in a copy of this process and returns its result; nothing if it crashed
/// or timed out. All other effects are lost. For libraries that are not robust against
/// every input.
std::optional<std::string> runIsolated(llvm::function_ref<std::string()> work,
                                       unsigned seconds);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_ISOLATED_H
