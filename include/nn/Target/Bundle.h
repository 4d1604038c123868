//===- Bundle.h - models with all that they need ----------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TARGET_BUNDLE_H
#define NN_TARGET_BUNDLE_H

#include "mlir/Support/LLVM.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlir::nn {

/// The locations of the parts of the runtime that go into a bundle.
struct RuntimeFiles {
  std::string libraries; // the folder of libnnrt.so.0 and libnnrt_onednn.so
  std::string headers;   // the folder of nnrt.h
  std::string python;    // the package's folder
  std::string license;   // the project's
};

/// Finds them relative to one of our programs, installed or in a build folder. The error
/// names what is missing.
llvm::Expected<RuntimeFiles> findRuntimeFiles(StringRef program);

/// Puts into `folder`, which is created if necessary, everything that the compiled model
/// `library` needs to run on a machine that has only the C library: libnnrt, those of its
/// dependencies that this model needs, their licences, the C headers and the Python
/// package; and libraries of operators of users' own, which are looked for in the folders
/// `searched` too. They find each other even if the folder is moved. `library` itself is not
/// copied, and may be in the folder already. A folder may hold several models. `notes`
/// gets messages for the user, one line each.
llvm::Error writeBundle(StringRef library, StringRef folder,
                        const RuntimeFiles &runtime,
                        const std::vector<std::string> &searched,
                        SmallVectorImpl<std::string> &notes);

} // namespace mlir::nn

#endif // NN_TARGET_BUNDLE_H
