//===- Module.cpp - Opening a compiled model ------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Everything that can be checked is checked before dlopen: loading a damaged
// library may crash, and constructors would run.
//
//===----------------------------------------------------------------------===//

#include "Core/Module.h"
#include "Core/Coding.h"
#include "Core/CpuFeatures.h"
#include "Core/Hash.h"
#include "Core/Verbose.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nnrt {

//===----------------------------------------------------------------------===//
// MappedFile
//===----------------------------------------------------------------------===//

Status MappedFile::open(const std::string &path) {
  fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info;
  if (fd < 0 || fstat(fd, &info) != 0)
    return makeStatus(NNRT_NOT_FOUND, "cannot open '%s': %s", path.c_str(),
                      std::strerror(errno));
  if (!S_ISREG(info.st_mode))
    return makeStatus(NNRT_DATA_LOSS,
                      "'%s' is not a compiled model: not a regular file",
                      path.c_str());
  size = static_cast<size_t>(info.st_size);
  device = info.st_dev;
  inode = info.st_ino;
  modified = info.st_mtim.tv_sec * 1000000000ll + info.st_mtim.tv_nsec;
  if (size == 0)
    return makeStatus(NNRT_DATA_LOSS,
                      "'%s' is not a compiled model: it is empty",
                      path.c_str());
  void *mapping = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (mapping == MAP_FAILED)
    return makeStatus(errno == ENOMEM ? NNRT_OUT_OF_MEMORY : NNRT_NOT_FOUND,
                      "cannot map '%s': %s", path.c_str(),
                      std::strerror(errno));
  data = static_cast<const uint8_t *>(mapping);
  return nullptr;
}

MappedFile::~MappedFile() {
  if (data)
    munmap(const_cast<uint8_t *>(data), size);
  if (fd >= 0)
    close(fd);
}

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

namespace {

/// The modules that are open in this process, so that one file has one copy of
/// its packed weights. Never destroyed: modules may be freed very late.
struct Registry {
  std::mutex mutex;
  std::vector<std::weak_ptr<Module>> modules;
};

Registry &registry() {
  static Registry *instance = new Registry;
  return *instance;
}

} // namespace

Status Module::open(const std::string &path, std::shared_ptr<Module> &module) {
  auto opened = std::make_shared<Module>();
  opened->path = path;
  if (Status status = opened->file.open(path))
    return status;

  // Held while loading, so that two threads do not load the same file.
  std::lock_guard<std::mutex> lock(registry().mutex);
  std::vector<std::weak_ptr<Module>> &modules = registry().modules;
  for (size_t i = 0; i < modules.size();) {
    std::shared_ptr<Module> other = modules[i].lock();
    if (!other) {
      modules.erase(modules.begin() + i);
      continue;
    }
    ++i;
    if (other->file.device != opened->file.device ||
        other->file.inode != opened->file.inode)
      continue;
    if (other->file.size != opened->file.size ||
        other->file.modified != opened->file.modified)
      return makeStatus(
          NNRT_DATA_LOSS,
          "'%s' was overwritten while it is open in this process. "
          "Write a new version to another file and rename that",
          path.c_str());
    NNRT_VERBOSE_LINE(1, shared, path.c_str());
    module = std::move(other);
    return nullptr;
  }
  if (Status status = opened->load())
    return status;
  modules.push_back(opened);
  module = std::move(opened);
  return nullptr;
}

Status Module::load() {
  if (Status status = readManifest())
    return status;
  if (Status status = describeTensors())
    return status;
  strings = std::make_unique<ModelStrings>(std::move(manifest.strings));
  if (!strings->isValid())
    return makeStatus(NNRT_DATA_LOSS,
                      "'%s' is damaged: one of its strings is not UTF-8, or occurs twice. Compile "
                      "it again",
                      path.c_str());
  if (Status status = chooseVariant(code))
    return status;
  if (Status status = verify())
    return status;
  if (Status status = findWeights())
    return status;
  const Section *weightsSection = manifest.findWeights();
  NNRT_VERBOSE_LINE(1, opened, path.c_str(), file.size,
                    weightsSection ? size_t(weightsSection->size) : size_t(0),
                    manifest.producer.empty() ? "an unnamed producer"
                                              : manifest.producer.c_str());
  NNRT_VERBOSE_LINE(1, arena, path.c_str(),
                    code->arena.empty() ? "(no formula)" : code->arena.c_str(),
                    code->dataDependentBuffers);
  if (!code->deviceArena.empty())
    NNRT_VERBOSE_LINE(1, deviceArena, path.c_str(), code->deviceArena.c_str());
  for (int id = 0; id < numLibraries; ++id) {
    if (!needsLibrary(manifest.flags, LibraryId(id)))
      continue;
    UsedLibrary &used = libraries[id];
    if (Status status = loadLibrary(LibraryId(id), used.table))
      return status;
    used.module = used.table->createModule();
    if (!used.module)
      return outOfMemory();
  }
  if (Status status = loadCustomOperators())
    return status;
  Device *found = nullptr;
  if (Status status = findDevice(manifest, found))
    return status;
  if (found)
    if (Status status = found->load(manifest, file.data, {weights, weightsSize}, device))
      return status;
  return loadCode(*code);
}

Status Module::readManifest() {
  std::string error;
  switch (parseFile(file.data, file.size, manifest, error)) {
  case ReadResult::Ok:
    break;
  case ReadResult::NotAModel:
    return makeStatus(NNRT_DATA_LOSS, "'%s' is not a compiled model: %s",
                      path.c_str(), error.c_str());
  case ReadResult::Damaged:
    return makeStatus(NNRT_DATA_LOSS, "'%s' is damaged: %s. Compile it again",
                      path.c_str(), error.c_str());
  case ReadResult::Unsupported:
    return makeStatus(
        NNRT_INCOMPATIBLE,
        "'%s' cannot be read by this runtime: %s. Use the runtime "
        "of the compiler that made it, or compile it again",
        path.c_str(), error.c_str());
  }
  constexpr uint32_t entries = sizeof(nnrt_abi_table) / sizeof(void *);
  if (manifest.abiVersion != NNRT_ABI_VERSION || manifest.abiEntries > entries)
    return makeStatus(
        NNRT_INCOMPATIBLE,
        "'%s' was compiled for version %u of the runtime's interface with %u "
        "entries, this runtime (%s) has version %u with %u. Use the runtime of "
        "the compiler that made it, or compile it again",
        path.c_str(), manifest.abiVersion, manifest.abiEntries, nnrt_version(),
        NNRT_ABI_VERSION, entries);
  return nullptr;
}

Status Module::describeTensors() {
  auto convert = [&](const char *what,
                     const std::vector<TensorSignature> &signatures,
                     std::vector<Tensor> &tensors) -> Status {
    for (const TensorSignature &signature : signatures) {
      Tensor tensor;
      static_cast<TensorSignature &>(tensor) = signature;
      tensor.elementType = findType(tensor.type);
      if (!tensor.elementType)
        return makeStatus(NNRT_INCOMPATIBLE,
                          "'%s': %s '%s' has element type %d (ONNX's number), "
                          "which this runtime does not have",
                          path.c_str(), what, tensor.name.c_str(), tensor.type);
      for (size_t i = 0; i < tensor.dims.size(); ++i) {
        int symbol = -1;
        const std::string &name = tensor.dimNames[i];
        if (tensor.dims[i] < 0 && !name.empty()) {
          for (size_t s = 0; s < symbolNames.size(); ++s)
            if (symbolNames[s] == name)
              symbol = static_cast<int>(s);
          if (symbol < 0) {
            symbol = static_cast<int>(symbolNames.size());
            symbolNames.push_back(name);
          }
        }
        tensor.symbols.push_back(symbol);
      }
      tensors.push_back(std::move(tensor));
    }
    // Not earlier: moving a short string moves its characters.
    for (Tensor &tensor : tensors)
      for (const std::string &name : tensor.dimNames)
        tensor.dimNamePointers.push_back(name.c_str());
    return nullptr;
  };
  if (Status status = convert("input", manifest.inputs, inputs))
    return status;
  if (Status status = convert("output", manifest.outputs, outputs))
    return status;
  for (const auto *signatures : {&manifest.inputs, &manifest.outputs}) {
    std::string error;
    for (size_t i = 0; i < signatures->size();) {
      size_t parts = countParts(*signatures, i, error);
      if (!parts)
        return makeStatus(NNRT_INCOMPATIBLE,
                          "'%s': %s that this runtime knows. Use the runtime of "
                          "the compiler that made it",
                          path.c_str(), error.c_str());
      if (signatures == &manifest.inputs && parts >= 3)
        inputSequences.push_back(i + parts - 3);
      i += parts;
    }
  }
  return nullptr;
}

Status Module::chooseVariant(const Section *&code) const {
  const char *wanted = std::getenv("NNRT_VARIANT");
  if (wanted && !*wanted)
    wanted = nullptr;
  std::string names, reasons;
  for (const Section &section : manifest.sections) {
    if (section.kind != SectionKind::Code)
      continue;
    names += (names.empty() ? "" : ", ") + section.name;
    if (wanted && section.name != wanted)
      continue;
    std::string missing;
    if (cpuHas(section.target, missing)) {
      code = &section;
      NNRT_VERBOSE_LINE(1, variant, section.name.c_str(),
                        section.target.c_str(),
                        wanted ? " (chosen by NNRT_VARIANT)" : "");
      return nullptr;
    }
    NNRT_VERBOSE_LINE(1, variantSkipped, section.name.c_str(), missing.c_str());
    reasons += "\n  " + section.name + " needs " + missing;
  }
  if (names.empty())
    return makeStatus(NNRT_DATA_LOSS, "'%s' is damaged: it has no code",
                      path.c_str());
  if (reasons.empty())
    return makeStatus(NNRT_NOT_FOUND,
                      "'%s' has no variant '%s' (NNRT_VARIANT); it has: %s",
                      path.c_str(), wanted, names.c_str());
  return makeStatus(NNRT_INCOMPATIBLE,
                    "'%s' was compiled for other CPUs than this one, which "
                    "lacks:%s\nCompile it with --mcpu for this CPU",
                    path.c_str(), reasons.c_str());
}

/// Verifies the hash of the code, always: damaged code crashes. That of the weights
/// is verified by default only if they are small enough for it to take no time.
Status Module::verify() const {
  constexpr uint64_t smallWeights = 512 << 20;
  const char *option = std::getenv("NNRT_VERIFY");
  uint64_t checkedEnd = 0;
  for (const Section &section : manifest.sections) {
    bool isCode = section.kind == SectionKind::Code;
    if (isCode && section.offset + section.size <= checkedEnd)
      continue; // the variants share one ELF part
    if (!isCode) {
      if (&section != manifest.findWeights())
        continue;
      bool wanted = section.size <= smallWeights;
      if (option && *option)
        wanted = std::strcmp(option, "0") != 0;
      if (!wanted) {
        NNRT_VERBOSE_LINE(1, notVerified, path.c_str(), size_t(section.size));
        continue;
      }
    }
    auto start = std::chrono::steady_clock::now();
    const char *what = isCode ? "code" : "weights";
    if (hash(file.data + section.offset, section.size) != section.hash)
      return makeStatus(NNRT_DATA_LOSS,
                        "'%s' is damaged: the %s do not have the checksum that "
                        "the compiler wrote. Compile it again",
                        path.c_str(), isCode ? "instructions" : "weights");
    if (isCode)
      checkedEnd = section.offset + section.size;
    std::chrono::duration<double, std::milli> elapsed =
        std::chrono::steady_clock::now() - start;
    NNRT_VERBOSE_LINE(1, verified, path.c_str(), what, size_t(section.size),
                      elapsed.count());
  }
  return nullptr;
}

Status Module::findWeights() {
  const Section *section = manifest.findWeights();
  if (!section)
    return nullptr;
  const uint8_t *bytes = file.data + section->offset;
  if (section->kind == SectionKind::Weights) {
    weights = bytes;
    weightsSize = section->size;
    return nullptr;
  }
  auto start = std::chrono::steady_clock::now();
  auto damaged = [&] {
    return makeStatus(NNRT_DATA_LOSS,
                      "'%s' is damaged: its weights cannot be decoded. Compile it again",
                      path.c_str());
  };
  uint64_t size;
  if (!readImageSize(bytes, section->size, size))
    return damaged();
  auto *image = static_cast<uint8_t *>(decodedWeights.ensure(std::max<uint64_t>(size, 1)));
  if (!image)
    return outOfMemory();
  std::memset(image, 0, size);
  if (!decodeWeights(bytes, section->size, image))
    return damaged();
  weights = image;
  weightsSize = size;
  std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  NNRT_VERBOSE_LINE(1, decoded, path.c_str(), size_t(section->size), weightsSize,
                    elapsed.count());
  return nullptr;
}

Status Module::loadCustomOperators() {
  size_t slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
  for (const CustomNode &node : manifest.customNodes) {
    std::string error;
    customOperators.push_back(CustomOperator::open(node, {folder}, error));
    if (!customOperators.back() || !customOperators.back()->prepare(error))
      return makeStatus(NNRT_INCOMPATIBLE, "'%s': operator '%s': %s", path.c_str(),
                        node.function.c_str(), error.c_str());
    NNRT_VERBOSE_LINE(1, customOperator, node.function.c_str(),
                      customOperators.back()->getPath().c_str());
  }
  return nullptr;
}

Status Module::loadCode(const Section &code) {
  // Load the file that was checked, by its descriptor. Its path may name another
  // file by now, and dlopen returns whatever it loaded under that path before.
  std::string name = "/proc/self/fd/" + std::to_string(file.fd);
  if (access(name.c_str(), R_OK) != 0) {
    std::unique_ptr<char, void (*)(void *)> real(
        realpath(path.c_str(), nullptr), std::free);
    name = real ? real.get() : path;
  }
  library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return makeStatus(NNRT_INCOMPATIBLE, "cannot load the code of '%s': %s",
                      path.c_str(), dlerror());
  run = reinterpret_cast<RunFunction *>(dlsym(library, code.symbol.c_str()));
  if (!run)
    return makeStatus(NNRT_DATA_LOSS,
                      "'%s' is damaged: it has no entry point '%s'",
                      path.c_str(), code.symbol.c_str());
  variant = code.name;
  return nullptr;
}

nnrt_module_memory_info Module::memory() const {
  nnrt_module_memory_info info = {};
  info.weights = weightsSize;
  for (const UsedLibrary &used : libraries)
    if (used.module)
      info.packed_weights += used.table->moduleMemory(used.module);
  info.arena = code->arena.c_str();
  info.num_data_dependent = code->dataDependentBuffers;
  info.device_arena = code->deviceArena.c_str();
  return info;
}

Module::~Module() {
  for (const UsedLibrary &used : libraries)
    if (used.module)
      used.table->destroyModule(used.module);
  if (library)
    dlclose(library);
}

} // namespace nnrt
