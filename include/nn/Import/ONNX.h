//===- ONNX.h - from ONNX models to the nn dialect ------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_IMPORT_ONNX_H
#define NN_IMPORT_ONNX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "nn/Import/Triage.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace mlir::nn {

struct ImportOptions {
  /// Makes dimensions static: by the name of a symbol ("batch"), or by input
  /// and index ("images:0").
  std::map<std::string, int64_t> setDims;

  /// The libraries that know operators, by domain (empty for ai.onnx) and name: also such
  /// operators as are supported otherwise. See docs/CustomOperators.md.
  std::map<std::pair<std::string, std::string>, std::string> customOps;

  /// Called for each operation that a node was imported to, so that operations that no
  /// back end supports are found in the same run. May add to the report.
  std::function<void(Operation *, const NodeInfo &, TriageReport &)>
      checkCapability;
};

/// Adds DOMAIN:NAME=LIBRARY, as users write it; without a domain it is ai.onnx.
llvm::Error addCustomOp(ImportOptions &options, llvm::StringRef text);

/// Imports a model: binary protobuf, or ONNX's textual syntax if the file's name
/// ends in `.onnxtxt`.
///
/// The result is a module with one function `@main`. Its arguments and results have the
/// attributes `nn.name` and `nn.dim_names`; those that together represent a sequence or
/// optional also have `nn.value` and `nn.part` (see nnrt.h). The module has `nn.metadata`
/// (pairs of strings) and `nn.producer`. Weights are resource blobs of the context; those
/// in external files stay mapped as long as the context lives.
///
/// Never aborts, whatever the file contains. If the model cannot be imported, every
/// reason is added to `report`, and the result is null.
OwningOpRef<ModuleOp> importONNX(MLIRContext &context, llvm::StringRef path,
                                 const ImportOptions &options,
                                 TriageReport &report);

/// Writes the parts of a model that the report of its import has nothing against, and says to
/// `os` what they take and give. Part N is the model PREFIX.N.onnx, which can run after the
/// parts before it and the nodes between them, which are not supported. Returns why that
/// failed, or nothing.
std::optional<std::string> extractSupportedParts(llvm::StringRef path,
                                                 const TriageReport &report,
                                                 llvm::StringRef prefix,
                                                 llvm::raw_ostream &os);

/// True if the name is that of a model: *.onnx, *.onnxtxt.
bool isONNXFile(llvm::StringRef path);

/// Calls `visit` for each operator that the importer has a handler for, ordered by name,
/// once for each opset at which a handler takes effect.
void forEachImportedOperator(
    llvm::function_ref<void(llvm::StringRef domain, llvm::StringRef op,
                            int64_t sinceVersion)>
        visit);

} // namespace mlir::nn

#endif // NN_IMPORT_ONNX_H
