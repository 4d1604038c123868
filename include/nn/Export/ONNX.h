//===- ONNX.h - from the nn dialect to ONNX models --------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_EXPORT_ONNX_H
#define NN_EXPORT_ONNX_H

#include "mlir/IR/BuiltinOps.h"
#include <optional>

namespace mlir::nn {

struct ExportOptions {
  /// Tensors of at least so many bytes go to a file beside the model, FILE.data. Without
  /// it, they do so only in a model that would be larger than protobuf's 2 GiB.
  std::optional<uint64_t> externalBytes;
};

/// Writes a module, as it is at any point before placement, to an ONNX model: a binary
/// file, or ONNX's textual syntax if the path ends in `.onnxtxt` or is "-", the terminal.
///
/// The model has the oldest opset in which its nodes mean what they mean in the newest
/// one, so that many tools can read it. Inputs and outputs have their names and names of
/// dimensions; nodes and tensors have those in locations and in `nn.origin`. What the run
/// would check (cf.assert) is not in the model.
///
/// Fails, with an error for each operation that cannot be written.
LogicalResult exportONNX(ModuleOp module, llvm::StringRef path,
                         const ExportOptions &options);

/// Calls `visit` for each operation of nn, ordered by name: with the ONNX operators that it
/// becomes, or else with the reason why it is never written. Fails if the exporter does
/// not know an operation.
LogicalResult forEachExportedOperation(
    MLIRContext &context,
    llvm::function_ref<void(llvm::StringRef op, llvm::StringRef becomes,
                            llvm::StringRef refusal)>
        visit);

} // namespace mlir::nn

#endif // NN_EXPORT_ONNX_H
