//===- ModelFile.h - Writing a compiled model -------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// What the compiler calls after linking:
//
//   nnrt::Manifest manifest;             // inputs, outputs, kernels, metadata
//   nnrt::Section code;                  // one per variant, best first
//   code.kind = nnrt::SectionKind::Code;
//   code.name = code.target = "x86-64-v4";
//   code.symbol = "nnrt_model_run_x86_64_v4";
//   manifest.sections.push_back(code);
//   std::string error = nnrt::appendToLibrary("model.so", weights, manifest);
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_MODELFILE_H
#define NNRT_CORE_MODELFILE_H

#include "Core/Manifest.h"

namespace nnrt {

/// One constant of the weights section. The bytes are the caller's, and are
/// only read: mapped external data goes from file to file without a copy.
struct WeightBlob {
  uint64_t offset = 0; // from the start of the section
  const void *data = nullptr;
  size_t size = 0;
};

/// Where the next blob of `size` bytes goes in a weights section that ends at
/// `end`: at a multiple of 64, so that vector loads and oneDNN are content.
inline uint64_t nextBlobOffset(uint64_t end) { return (end + 63) / 64 * 64; }

/// Appends weights, manifest and footer to the linked library at `path`, which
/// must not have them yet. `blobs` stand in ascending order of offset without
/// overlap; gaps are filled with zeros. Without blobs there is no weights
/// section, and ctx->weights is null at run time.
///
/// Fills in what the caller cannot know: offset, size and hash of the weights
/// section, which it adds to `manifest`, and those of the Code sections (the
/// ELF part). Returns "" or what went wrong; then the file is left incomplete,
/// and the caller should remove it. To replace a model that may be in use,
/// write to a temporary file beside it and rename that.
std::string appendToLibrary(const std::string &path,
                            const std::vector<WeightBlob> &blobs,
                            Manifest &manifest);

} // namespace nnrt

#endif // NNRT_CORE_MODELFILE_H
