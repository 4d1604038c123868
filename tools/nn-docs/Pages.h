//===- Pages.h - generated pages of the documentation -----------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TOOLS_NNDOCS_PAGES_H
#define NN_TOOLS_NNDOCS_PAGES_H

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::nn {

/// How each nn operator is lowered, from the capability tables.
void printPlacement(MLIRContext &context, llvm::raw_ostream &os);

/// Which ONNX operators compile, from which version on, and in which element
/// types. `nodeTests` is the folder of ONNX's own node tests
/// (onnx/backend/test/data/node).
void printCoverage(MLIRContext &context, llvm::StringRef nodeTests,
                   llvm::raw_ostream &os);

/// How each nn operator is written as ONNX. Fails if the exporter does not know one.
LogicalResult printExports(MLIRContext &context, llvm::raw_ostream &os);

} // namespace mlir::nn

#endif // NN_TOOLS_NNDOCS_PAGES_H
