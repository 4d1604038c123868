//===- Manifest.h - What a compiled model says about itself -----*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// A compiled model is one file:
//
//   ELF shared library        from the linker
//   sections                  weights, device code, ...: each at a 4096-byte
//                             aligned offset
//   manifest                  this structure, serialized
//   footer                    48 bytes at the end of the file: where the
//                             manifest is, its hash, a magic number
//
// The system's loader looks only at the first part, so nothing has to be extracted: the
// runtime reads the footer, verifies the manifest, maps the weights, and then loads the
// file itself as a library.
//
// The compiler writes this with ModelFile.h, and the runtime reads it. The library
// `nnrt_manifest` contains both directions, needs only libstdc++ and libc, and throws only
// std::bad_alloc.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_MANIFEST_H
#define NNRT_CORE_MANIFEST_H

#include "Core/CustomNode.h"
#include "nnrt/nnrt.h"
#include "nnrt_abi.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nnrt {

/// The kinds of sections. Numbers are never reused; a reader skips kinds that it does not
/// know.
enum class SectionKind : uint32_t {
  /// One compiled version of the model's code, in the ELF part.
  /// `name`: the variant, e.g. "x86-64-v4" (what NNRT_VARIANT selects);
  /// `target`: what the CPU needs (see CpuFeatures.h): "x86-64-v3",
  /// "x86-64-v4", or features by LLVM's names, "x86-64-v3,avx512bf16";
  /// `symbol`: its entry point, "nnrt_model_run_x86_64_v4".
  /// `offset`, `size`, `hash` are those of the whole ELF part.
  Code = 1,
  /// Constants, as the generated code addresses them from ctx->weights.
  Weights = 2,
  /// All kernels for the device, in machine code of the GPU `name` ("sm_80"), in PTX that
  /// GPUs from `name` on run, or in LLVM's bitcode, for emulation.
  Cubin = 3,
  PTX = 4,
  Bitcode = 6,
  /// Constants in place of `Weights`, in fewer bytes (Coding.h): they are decoded to memory.
  CodedWeights = 7,
  /// For later use.
  Tuning = 5
};

struct Section {
  SectionKind kind = SectionKind::Code;
  std::string name;
  std::string target;
  std::string symbol;
  uint64_t offset = 0; // in the file
  uint64_t size = 0;
  uint64_t hash = 0; // of the content, by Hash.h
  /// For code: the bytes of a run's arena as a formula of the inputs' dimensions
  /// (nnrt_module_memory_info), "" if there is none, and the number of buffers that are
  /// not in it because their sizes depend on data.
  std::string arena;
  uint32_t dataDependentBuffers = 0;
  /// The same formula for the arena on the device; "" also if there is no such arena.
  std::string deviceArena;
};

/// An input or output of the model.
struct TensorSignature {
  std::string name;                  // ONNX name
  int32_t type = 0;                  // ONNX's TensorProto.DataType
  std::vector<int64_t> dims;         // -1: known at run time only
  std::vector<std::string> dimNames; // as many as dims; "" without a name
  /// For a value that is not a tensor: the value's name, and which part of it this is.
  std::string value = "";
  uint32_t part = NNRT_PART_TENSOR; // nnrt_part, or what a later compiler wrote
};

/// The number of tensors, starting at `first`, that form a value by nnrt_part's rules; 1
/// for a tensor. 0 if they violate the rules; `error` then says how, and names the value.
size_t countParts(const std::vector<TensorSignature> &tensors, size_t first,
                  std::string &error);

/// A kernel that generated code brackets with kernel_begin/_end for profiling, passing its
/// index in the table.
struct KernelSignature {
  std::string kind;  // "onednn.convolution", "elementwise", ...
  std::string nodes; // ONNX node names, joined by " + "
};

enum ManifestFlags : uint32_t {
  /// The code calls the `onednn` entry: the runtime must load its oneDNN
  /// plugin.
  NeedsOneDNN = 1,
  /// The code calls the `device_` entries: sessions need a GPU.
  NeedsCUDA = 2,
  /// The code matches regular expressions: the runtime must load its RE2 plugin.
  NeedsRE2 = 4
};

struct Manifest {
  /// The interface that the code was compiled for: by default, the one that
  /// this library was compiled with. A runtime with fewer entries refuses it.
  uint32_t abiVersion = NNRT_ABI_VERSION;
  uint32_t abiEntries = sizeof(nnrt_abi_table) / sizeof(void *);
  uint32_t flags = 0; // ManifestFlags
  std::string producer;
  /// Code variants come best first: the runtime uses the first that the CPU can run.
  std::vector<Section> sections;
  std::vector<TensorSignature> inputs;
  std::vector<TensorSignature> outputs;
  std::vector<KernelSignature> kernels;
  std::vector<std::pair<std::string, std::string>> metadata;
  /// What the code has numbers for, by these (ModelStrings); may be empty.
  std::vector<std::string> strings;
  /// The nodes that libraries of users compute: what the code has numbers for, too.
  std::vector<CustomNode> customNodes;

  /// The first section of that kind, or null.
  const Section *find(SectionKind kind) const;
  /// That of the constants, coded or not; null if there are none.
  const Section *findWeights() const;
};

/// No memory holds more elements. The runtime refuses larger dimensions of inputs, and
/// compiled code relies on it.
constexpr int64_t mostElements = int64_t(1) << 48;
constexpr uint64_t sectionAlignment = 4096;
constexpr size_t footerSize = 48;

enum class ReadResult {
  Ok,
  NotAModel,  // no footer: some other file
  Damaged,    // a compiled model, but not whole
  Unsupported // sound, but of a format that this version cannot read
};

/// The manifest as bytes, without footer. The same manifest gives the same
/// bytes everywhere.
std::string serialize(const Manifest &manifest);

/// The footer of a manifest at `manifestOffset` of the file.
std::string makeFooter(const std::string &manifestBytes,
                       uint64_t manifestOffset);

/// Reads what serialize() wrote. Safe for any bytes: each count is checked against the
/// remaining bytes before memory is allocated for it. `bytesBefore` is the offset of the
/// manifest in the file; no section may extend beyond it. On failure, `error` says what is
/// wrong, without the name of the file.
ReadResult parse(const uint8_t *bytes, size_t size, uint64_t bytesBefore,
                 Manifest &manifest, std::string &error);

/// Reads footer and manifest from a whole file in memory. `bytes` may be mapped: only the
/// footer and the manifest are accessed.
ReadResult parseFile(const uint8_t *bytes, uint64_t size, Manifest &manifest,
                     std::string &error);

} // namespace nnrt

#endif // NNRT_CORE_MANIFEST_H
