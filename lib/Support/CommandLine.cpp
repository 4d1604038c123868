//===- CommandLine.cpp - options of tools ---------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Support/CommandLine.h"
#include "llvm/ADT/SetVector.h"

namespace cl = llvm::cl;

void mlir::nn::detachOptions(cl::OptionCategory &category) {
  cl::SubCommand &tool = cl::SubCommand::getTopLevel();
  llvm::SmallSetVector<cl::Option *, 16> options(tool.PositionalOpts.begin(),
                                                 tool.PositionalOpts.end());
  for (auto &[name, option] : cl::getRegisteredOptions())
    options.insert(option);
  for (cl::Option *option : options)
    if (llvm::is_contained(option->Categories, &category))
      option->removeArgument();
}
