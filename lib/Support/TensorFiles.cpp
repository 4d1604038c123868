//===- TensorFiles.cpp - tensors in .npz, .npy and .pb files --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Support/TensorFiles.h"
#include "TensorProto.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <zip.h>

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;
using llvm::Expected;

//===----------------------------------------------------------------------===//
// .npz: a zip archive of .npy files, stored or deflated
//===----------------------------------------------------------------------===//

namespace {
struct ArchiveCloser {
  void operator()(zip_t *archive) const { zip_discard(archive); }
};
struct FileCloser {
  void operator()(zip_file_t *file) const { zip_fclose(file); }
};
} // namespace
using Archive = std::unique_ptr<zip_t, ArchiveCloser>;

static Expected<Archive> openArchive(StringRef path, int flags) {
  int code = 0;
  if (zip_t *archive = zip_open(path.str().c_str(), flags, &code))
    return Archive(archive);
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string message = zip_error_strerror(&error);
  zip_error_fini(&error);
  return createStringError(message);
}

/// All bytes of an entry. Sizes in the archive are not trusted: memory grows with the
/// data actually read.
static Expected<std::string> readEntry(zip_t *archive, zip_int64_t index) {
  std::unique_ptr<zip_file_t, FileCloser> file(zip_fopen_index(archive, index, 0));
  if (!file)
    return createStringError(zip_strerror(archive));
  std::string bytes;
  std::vector<char> chunk(1 << 20);
  while (true) {
    zip_int64_t count = zip_fread(file.get(), chunk.data(), chunk.size());
    if (count < 0)
      return createStringError(zip_file_strerror(file.get()));
    if (count == 0)
      return bytes;
    bytes.append(chunk.data(), count);
  }
}

static Expected<NamedTensors> readNpz(StringRef path) {
  Expected<Archive> archive = openArchive(path, ZIP_RDONLY);
  if (!archive)
    return archive.takeError();
  NamedTensors tensors;
  llvm::StringSet<> names;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive->get(), 0); ++i) {
    const char *entryName = zip_get_name(archive->get(), i, 0);
    StringRef name = entryName ? entryName : "";
    if (name.ends_with("/"))
      continue;
    name.consume_back(".npy");
    Expected<std::string> bytes = readEntry(archive->get(), i);
    if (!bytes)
      return createStringError("array '" + name.str() +
                               "': " + llvm::toString(bytes.takeError()));
    Expected<HostTensor> tensor = parseNpy(*bytes);
    if (!tensor)
      return createStringError("array '" + name.str() +
                               "': " + llvm::toString(tensor.takeError()));
    if (!names.insert(name).second)
      return createStringError("there are two arrays '" + name.str() + "'");
    tensors.push_back({name.str(), *tensor});
  }
  return tensors;
}

static llvm::Error writeNpz(StringRef path, const NamedTensors &tensors) {
  Expected<Archive> archive = openArchive(path, ZIP_CREATE | ZIP_TRUNCATE);
  if (!archive)
    return archive.takeError();
  std::vector<std::string> contents; // needed until the archive is closed
  contents.reserve(tensors.size());
  for (const NamedTensor &named : tensors) {
    contents.push_back(formatNpy(named.tensor));
    zip_source_t *source = zip_source_buffer(
        archive->get(), contents.back().data(), contents.back().size(), 0);
    std::string name = named.name + ".npy";
    zip_int64_t index = zip_file_add(archive->get(), name.c_str(), source,
                                     ZIP_FL_OVERWRITE | ZIP_FL_ENC_UTF_8);
    // Stored, and with a fixed date, so that equal tensors give equal files.
    const time_t date = 315619200; // 1980-01-02, in any time zone after 1980
    if (index < 0 ||
        zip_set_file_compression(archive->get(), index, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_mtime(archive->get(), index, date, 0) != 0)
      return createStringError(zip_strerror(archive->get()));
  }
  if (zip_close(archive->get()) != 0)
    return createStringError(zip_strerror(archive->get()));
  archive->release(); // closed, hence freed
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// All kinds
//===----------------------------------------------------------------------===//

static llvm::Error inFile(StringRef path, llvm::Error error) {
  return createStringError(path.str() + ": " + llvm::toString(std::move(error)));
}

static Expected<std::unique_ptr<llvm::MemoryBuffer>> readBytes(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return llvm::errorCodeToError(buffer.getError());
  return std::move(*buffer);
}

/// The tensors of a SequenceProto or OptionalProto; an error if it is neither.
static Expected<NamedTensors> readStructured(StringRef bytes) {
  std::string name;
  Expected<ParsedValue> parsed = parseSequenceProto(bytes, name);
  if (!parsed) {
    llvm::consumeError(parsed.takeError());
    parsed = parseOptionalProto(bytes, name);
    if (!parsed)
      return parsed.takeError();
  }
  if (name.empty())
    return createStringError("the sequence or optional has no name, so that it is "
                             "not clear which input it is");
  NamedTensors tensors;
  for (auto [i, item] : llvm::enumerate(parsed->value.items))
    tensors.push_back({name + "[" + std::to_string(i) + "]", item});
  if (parsed->value.isPresent && tensors.empty())
    tensors.push_back({name + ".items", HostTensor::allocate(DataType::Int64, {0, 2})});
  return tensors;
}

static Expected<NamedTensors> readFile(StringRef path) {
  StringRef extension = llvm::sys::path::extension(path);
  if (extension == ".npz")
    return readNpz(path);
  if (extension != ".npy" && extension != ".pb")
    return createStringError("is no .npz, .npy or .pb file");
  auto buffer = readBytes(path);
  if (!buffer)
    return buffer.takeError();
  StringRef bytes = (*buffer)->getBuffer();
  NamedTensor named;
  Expected<HostTensor> tensor =
      extension == ".npy" ? parseNpy(bytes) : parseTensorProto(bytes, named.name);
  if (tensor) {
    named.tensor = *tensor;
    return NamedTensors{named};
  }
  if (extension != ".pb")
    return tensor.takeError();
  Expected<NamedTensors> tensors = readStructured(bytes);
  if (!tensors)
    return llvm::joinErrors(tensor.takeError(), tensors.takeError());
  llvm::consumeError(tensor.takeError());
  return tensors;
}

Expected<NamedTensors> nn::readTensorFile(StringRef path) {
  Expected<NamedTensors> tensors = readFile(path);
  if (!tensors)
    return inFile(path, tensors.takeError());
  return tensors;
}

/// The kind of message in a file of that type.
static Expected<StructuredValue> parseValue(StringRef bytes, const ValueType &type) {
  std::string name;
  if (type.isOptional) {
    Expected<ParsedValue> parsed = parseOptionalProto(bytes, name);
    // An empty SequenceProto can be read as an OptionalProto of an absent tensor.
    if (parsed && parsed->isSequence.value_or(type.isSequence) == type.isSequence)
      return std::move(parsed->value);
    llvm::Error error = parsed ? createStringError("the optional holds another kind of "
                                                   "value than the model takes")
                               : parsed.takeError();
    ValueType content = type;
    content.isOptional = false;
    Expected<StructuredValue> value = parseValue(bytes, content);
    if (!value)
      return llvm::joinErrors(std::move(error), value.takeError());
    llvm::consumeError(std::move(error));
    return value;
  }
  if (type.isSequence) {
    Expected<ParsedValue> parsed = parseSequenceProto(bytes, name);
    if (!parsed)
      return parsed.takeError();
    return std::move(parsed->value);
  }
  Expected<HostTensor> tensor = parseTensorProto(bytes, name);
  if (!tensor)
    return tensor.takeError();
  return StructuredValue{/*isPresent=*/true, {*tensor}};
}

Expected<StructuredValue> nn::readValueFile(StringRef path, const ValueType &type) {
  auto buffer = readBytes(path);
  if (!buffer)
    return inFile(path, buffer.takeError());
  Expected<StructuredValue> value = parseValue((*buffer)->getBuffer(), type);
  if (!value)
    return inFile(path, value.takeError());
  for (auto [i, item] : llvm::enumerate(value->items)) {
    Expected<HostTensor> typed = reinterpretAs(item, type.type);
    if (!typed)
      return inFile(path, createStringError("item " + Twine(i) + " " +
                                            llvm::toString(typed.takeError())));
    item = *typed;
  }
  return value;
}

llvm::Error nn::writeTensorFile(StringRef path, const NamedTensors &tensors) {
  StringRef extension = llvm::sys::path::extension(path);
  if (extension == ".npz") {
    if (llvm::Error error = writeNpz(path, tensors))
      return inFile(path, std::move(error));
    return llvm::Error::success();
  }
  if (extension != ".npy" && extension != ".pb")
    return inFile(path, createStringError("is no .npz, .npy or .pb file"));
  if (tensors.size() != 1)
    return inFile(path, createStringError(
                            "holds one tensor only, but there are " +
                            Twine(tensors.size()) + "; write an .npz file"));
  std::error_code code;
  llvm::raw_fd_ostream stream(path, code);
  if (code)
    return inFile(path, llvm::errorCodeToError(code));
  stream << (extension == ".npy"
                 ? formatNpy(tensors[0].tensor)
                 : formatTensorProto(tensors[0].tensor, tensors[0].name));
  stream.close();
  if (stream.has_error()) {
    code = stream.error();
    stream.clear_error();
    return inFile(path, llvm::errorCodeToError(code));
  }
  return llvm::Error::success();
}
