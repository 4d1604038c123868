//===- CpuFeatures.h - What code asks of a CPU ------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// The target of a code section is a comma-separated list of x86 levels
// ("x86-64-v3", psABI) and features, named as in LLVM ("avx512bf16").
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_CPUFEATURES_H
#define NNRT_CORE_CPUFEATURES_H

#include <string>

namespace nnrt {

/// Whether this CPU (and its operating system, which must save the registers)
/// has all that `target` lists. If not, `missing` gets the names of what is not
/// there, separated by commas. A name that is not in our table counts as
/// missing: running such code could crash.
bool cpuHas(const std::string &target, std::string &missing);

/// Whether a name can stand in a target. The compiler refuses CPUs whose code may
/// use a feature that could not be checked.
bool isKnownCpuFeature(const std::string &name);

} // namespace nnrt

#endif // NNRT_CORE_CPUFEATURES_H
