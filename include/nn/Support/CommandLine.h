//===- CommandLine.h - options of tools -------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_SUPPORT_COMMANDLINE_H
#define NN_SUPPORT_COMMANDLINE_H

#include "llvm/Support/CommandLine.h"

namespace mlir::nn {

/// Takes the parsed options of a category out of LLVM's registry; their values
/// stay. A tool that links does this after parsing, since lld resets all options
/// that are registered and registers some whose names are ours too.
void detachOptions(llvm::cl::OptionCategory &category);

} // namespace mlir::nn

#endif // NN_SUPPORT_COMMANDLINE_H
