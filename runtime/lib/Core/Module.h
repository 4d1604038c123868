//===- Module.h - A compiled model in memory --------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_MODULE_H
#define NNRT_CORE_MODULE_H

#include "Core/CustomOperator.h"
#include "Core/Device.h"
#include "Core/Library.h"
#include "Core/Manifest.h"
#include "Core/Memory.h"
#include "Core/Status.h"
#include "Core/Strings.h"
#include "Core/Types.h"
#include "nnrt/nnrt.h"

#include <array>
#include <memory>

#include <sys/types.h>

namespace nnrt {

/// The entry point of a code variant.
using RunFunction = int32_t(nnrt_abi_context *ctx,
                            const nnrt_abi_tensor *inputs);

/// A file that is mapped read-only.
class MappedFile {
public:
  MappedFile() = default;
  MappedFile(const MappedFile &) = delete;
  ~MappedFile();

  /// NOT_FOUND if it cannot be read, DATA_LOSS if it is not a regular file.
  Status open(const std::string &path);

  int fd = -1;
  const uint8_t *data = nullptr;
  size_t size = 0;
  dev_t device = 0;
  ino_t inode = 0;
  int64_t modified = 0; // ns
};

/// An input or output, with the data for the checks of a run.
struct Tensor : TensorSignature {
  const ElementType *elementType = nullptr;
  /// Dimensions with the same name have the same number; -1 for known or unnamed ones.
  std::vector<int> symbols;
  std::vector<const char *> dimNamePointers; // for the C API
};

/// An open model: immutable, and shared by its sessions and by everyone who opens the same
/// file again.
class Module {
public:
  static Status open(const std::string &path, std::shared_ptr<Module> &module);
  Module() = default;
  Module(const Module &) = delete;
  ~Module();

  nnrt_module_memory_info memory() const;

  std::string path;
  Manifest manifest;
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  /// The indices of the inputs that are elements of a sequence; sizes and items
  /// follow.
  std::vector<size_t> inputSequences;
  std::vector<std::string> symbolNames;
  /// Of the manifest, which has them no more.
  std::unique_ptr<ModelStrings> strings;
  /// Mapped, or decoded.
  const uint8_t *weights = nullptr;
  size_t weightsSize = 0;
  std::string variant;
  const Section *code = nullptr; // of the variant, in the manifest
  RunFunction *run = nullptr;
  /// By LibraryId; null unless the model calls the library.
  struct UsedLibrary {
    const Library *table = nullptr;
    LibraryModule *module = nullptr;
  };
  std::array<UsedLibrary, numLibraries> libraries;
  /// Those of the manifest.
  std::vector<std::unique_ptr<CustomOperator>> customOperators;
  /// Null unless the model computes on a device.
  std::unique_ptr<DeviceModule> device;

private:
  Status load();
  Status readManifest();
  Status describeTensors();
  Status verify() const;
  Status findWeights();
  Status loadCustomOperators();
  Status chooseVariant(const Section *&code) const;
  Status loadCode(const Section &code);

  MappedFile file;
  Buffer decodedWeights;
  void *library = nullptr;
};

} // namespace nnrt

struct nnrt_module {
  std::shared_ptr<nnrt::Module> impl;
};

#endif // NNRT_CORE_MODULE_H
