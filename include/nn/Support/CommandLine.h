//===- CommandLine.h - options of tools -------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_SUPPORT_COMMANDLINE_H
#define NN_SUPPORT_COMMANDLINE_H

#include "llvm/Support/CommandLine.h"

namespace mlir::nn {

/// Takes options of these names out of LLVM's registry: LLVM's libraries register options of
/// their own, some under names that a tool promises to its users. Call it where a variable
/// is initialized that stands before the tool's options. Always true.
bool freeOptionNames(llvm::ArrayRef<llvm::StringRef> names);

/// Leaves of `--help` only what belongs to these categories. Whatever LLVM and MLIR
/// have registered so far can still be given, and is listed by `--help-hidden`.
void hideOtherOptions(llvm::ArrayRef<const llvm::cl::OptionCategory *> ours);

/// Takes the parsed options of these categories out of LLVM's registry; their values
/// stay. A tool that links does this after parsing, since lld resets all options
/// that are registered and registers some whose names are ours too.
void detachOptions(llvm::ArrayRef<const llvm::cl::OptionCategory *> ours);

} // namespace mlir::nn

#endif // NN_SUPPORT_COMMANDLINE_H
