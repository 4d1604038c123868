//===- ModelFile.h - Writing a compiled model -------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// The compiler calls this after linking:
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

/// One constant of the weights section. The caller owns the bytes, which are only read:
/// mapped external data goes from file to file without a copy.
struct WeightBlob {
  uint64_t offset = 0; // from the start of the section
  const void *data = nullptr;
  size_t size = 0;
  /// Of an element, for what is coded: 1, 2, 4 or 8.
  uint32_t elementBytes = 1;
};

/// A section of code for the device: `section` has its kind and name, the rest is filled in.
struct DeviceCodeBlob {
  Section section;
  const void *data = nullptr;
  size_t size = 0;
};

/// The offset of the next blob of `size` bytes in a weights section that ends at `end`: a
/// multiple of 64, for aligned vector loads and for oneDNN.
inline uint64_t nextBlobOffset(uint64_t end) { return (end + 63) / 64 * 64; }

/// Appends weights, manifest and footer to the linked library at `path`, which must not
/// have them yet. `blobs` are in ascending order of offset and do not overlap; gaps are
/// filled with zeros. Without blobs there is no weights section, and ctx->weights is null
/// at run time. `codesWeights`: in as few bytes as Coding.h makes of them.
///
/// Adds the weights section and those of `deviceCode` to `manifest`, and fills in offset, size and hash of it and of
/// the Code sections (the ELF part). Returns "" or what went wrong; the file is then
/// incomplete, and the caller should remove it. To replace a model that may be in use,
/// write to a temporary file in the same folder and rename it.
std::string appendToLibrary(const std::string &path,
                            const std::vector<WeightBlob> &blobs,
                            Manifest &manifest,
                            const std::vector<DeviceCodeBlob> &deviceCode = {},
                            bool codesWeights = false);

} // namespace nnrt

#endif // NNRT_CORE_MODELFILE_H
