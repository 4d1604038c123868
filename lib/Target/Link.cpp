//===- Link.cpp - lld in process ------------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "lld/Common/Driver.h"
#include "mlir/IR/Diagnostics.h"
#include "nn/Target/CodeGen.h"
#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace mlir;

LogicalResult nn::linkSharedLibrary(ArrayRef<std::string> objectFiles,
                                    StringRef output, Location loc) {
  // The output must not depend on the machine, the folder or the date.
  std::string outputName = output.str();
  SmallVector<const char *> arguments = {
      "ld.lld",       "-shared",      "--build-id=none", "--hash-style=gnu",
      "--gc-sections", "--strip-all", "-z",              "now",
      "-z",           "noexecstack",  "--threads=1",     "-o",
      outputName.c_str()};
  for (const std::string &file : objectFiles)
    arguments.push_back(file.c_str());
  // lld keeps global state while it runs.
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  std::string errors;
  llvm::raw_string_ostream os(errors);
  lld::Result result = lld::lldMain(arguments, llvm::nulls(), os,
                                    {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return emitError(loc) << "linking failed: " << StringRef(errors).trim();
  return success();
}
