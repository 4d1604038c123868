//===- CommandLine.cpp - options of tools ---------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Support/CommandLine.h"
#include "llvm/ADT/SetVector.h"

namespace cl = llvm::cl;

using Categories = llvm::ArrayRef<const cl::OptionCategory *>;

static bool isOneOf(const cl::Option *option, Categories categories) {
  return llvm::any_of(option->Categories, [&](const cl::OptionCategory *category) {
    return llvm::is_contained(categories, category);
  });
}

bool mlir::nn::freeOptionNames(llvm::ArrayRef<llvm::StringRef> names) {
  for (llvm::StringRef name : names)
    if (cl::Option *taken = cl::getRegisteredOptions().lookup(name))
      taken->removeArgument();
  return true;
}

void mlir::nn::hideOtherOptions(Categories ours) {
  for (auto &[name, option] : cl::getRegisteredOptions())
    if (!isOneOf(option, ours) && name != "help" && name != "version" &&
        name != "help-hidden")
      option->setHiddenFlag(cl::Hidden);
}

void mlir::nn::detachOptions(Categories ours) {
  cl::SubCommand &tool = cl::SubCommand::getTopLevel();
  llvm::SmallSetVector<cl::Option *, 16> options(tool.PositionalOpts.begin(),
                                                 tool.PositionalOpts.end());
  for (auto &[name, option] : cl::getRegisteredOptions())
    options.insert(option);
  for (cl::Option *option : options)
    if (isOneOf(option, ours))
      option->removeArgument();
}
