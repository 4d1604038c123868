//===- Isolated.h - code that may crash ---------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_IMPORT_ONNX_ISOLATED_H
#define NN_LIB_IMPORT_ONNX_ISOLATED_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include <optional>
#include <string>

namespace mlir::nn::importer {

/// Runs `work` on a copy of this process, and returns what it returned: nothing if
/// it crashed or took longer. What else it changes is lost. For libraries that do
/// not withstand every input.
std::optional<std::string> runIsolated(llvm::function_ref<std::string()> work,
                                       unsigned seconds);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_ISOLATED_H
