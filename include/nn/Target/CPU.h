//===- CPU.h - what is known about CPUs to compile for ----------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TARGET_CPU_H
#define NN_TARGET_CPU_H

#include "dialects/NN/IR/NN.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace mlir::nn {

/// A CPU level that code is generated for.
struct CodeVariant {
  /// As LLVM calls the CPU, e.g. "x86-64-v4", "znver4", possibly with features that it has
  /// besides, "x86-64-v4+avx512vnni"; what `--mcpu` takes.
  std::string cpu;
  /// Width of the vector registers that kernels use, 256 or 512.
  unsigned vectorBits;
  /// Whether it adds four products of 8-bit integers at a time (VNNI).
  bool hasDotProducts = false;

  /// The CPU, and its other features as LLVM takes them: "+avx512vnni".
  std::pair<std::string, std::string> splitFeatures() const;

  /// "x86_64_v4": a C identifier.
  std::string getSuffix() const;
};

/// The variants of a portable library, best first: x86-64-v4+avx512vnni, x86-64-v4, x86-64-v3.
std::vector<CodeVariant> getPortableVariants();

/// The variant for a CPU by its name in LLVM; "native" is this machine's. An error if LLVM
/// does not know the name or the CPU lacks AVX2 or FMA.
llvm::Expected<CodeVariant> getVariant(StringRef cpu);

/// What a CPU needs to run the variant's code, as in the manifest: "x86-64-v4", possibly
/// followed by more features with LLVM's names.
std::string getRequiredFeatures(const CodeVariant &variant);

/// What code for any CPU is generated for: the portable variants, with every library.
TargetAttr getPortableTarget(MLIRContext *context);

/// The variants of a target's code for the host, best first; where something else computes,
/// the one that any CPU runs. An error as getVariant gives.
llvm::Expected<std::vector<CodeVariant>> getVariants(TargetAttr target);

} // namespace mlir::nn

#endif // NN_TARGET_CPU_H
