//===- Bundle.h - models with all that they need ----------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TARGET_BUNDLE_H
#define NN_TARGET_BUNDLE_H

#include "mlir/Support/LLVM.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlir::nn {

/// Where the parts of the runtime lie that go into a bundle.
struct RuntimeFiles {
  std::string libraries; // the folder of libnnrt.so.0 and libnnrt_onednn.so
  std::string headers;   // the folder of nnrt.h
  std::string python;    // the package's folder
  std::string license;   // the project's
};

/// Finds them as seen from a program of ours: installed, or in a build folder.
/// Fails with the name of what is missing.
llvm::Expected<RuntimeFiles> findRuntimeFiles(StringRef program);

/// Puts into `folder`, which is made if need be, all that the compiled model
/// `library` needs to run on a machine that has but the C library: libnnrt, the
/// libraries that it depends on as far as this model does, their licences, the C
/// headers and the Python package. They find each other wherever the folder is
/// moved. `library` itself may lie in the folder; it is not copied. A folder may
/// hold several models. `notes` gets what the caller should know, a line each.
llvm::Error writeBundle(StringRef library, StringRef folder,
                        const RuntimeFiles &runtime,
                        SmallVectorImpl<std::string> &notes);

} // namespace mlir::nn

#endif // NN_TARGET_BUNDLE_H
