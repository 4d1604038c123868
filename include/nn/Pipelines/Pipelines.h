//===- Pipelines.h - the phases of compilation ------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_PIPELINES_PIPELINES_H
#define NN_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassManager.h"
#include <optional>

namespace mlir::nn {

/// Where compilation may stop, in order. `--compile-to` takes the names.
enum class Phase {
  Simplify,  // "simplify": nn with constants, shapes and patterns resolved
  Legalize,  // "legalize": nn in the target's types, forms and layouts
  Fuse,      // "fuse": nn.fusion groups
  Place,     // "place": onednn, kernels, linalg; no nn operator is left
  Bufferize, // "bufferize": memrefs, arena and weights laid out
  Emit       // "emit": the LLVM dialect
};

std::optional<Phase> parsePhase(StringRef name);
StringRef getName(Phase phase);

struct PipelineOptions {
  /// The name of a back end that is taken wherever it can be; empty: what is fastest.
  std::string prefer;
  /// A file of measured times, as CostModel reads it; empty: none.
  std::string tuning;
  /// Quantized models stay in ONNX's form, operators between dequantized and quantized
  /// tensors, in place of computing on integers. Only for Simplify.
  bool keepQuantized = false;
  /// A lost name of an ONNX node is an error, not just a remark. On in nn-opt.
  bool strictProvenance = false;
};

/// The passes of one phase, for the target that the module names (`nn.target`). Phases
/// from Place on lower it for the first processor.
void buildPhase(OpPassManager &pm, Phase phase, const PipelineOptions &options);

/// Brings an imported model into the form that plans of compression are about: simplified,
/// quantization as ONNX has it, normalizations folded into products.
void buildPreparation(OpPassManager &pm);

/// The pipelines `compile-to` and `nn-prepare-compression`, for the command line.
void registerPipelines();

/// The target of `compile-to` if neither it nor the module names one, as parseTarget takes
/// it; portable code for CPUs unless set. To be called before the pipeline is parsed.
void setDefaultTarget(StringRef target);

} // namespace mlir::nn

#endif // NN_PIPELINES_PIPELINES_H
