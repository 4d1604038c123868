//===- ModelFile.cpp - Writing a compiled model ---------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Core/ModelFile.h"
#include "Core/Coding.h"
#include "Core/Hash.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace nnrt {
namespace {

struct CloseFile {
  void operator()(FILE *file) const { std::fclose(file); }
};

/// Writes at the end of a file and keeps the hash of what it wrote.
class Appender {
public:
  Appender(FILE *file, uint64_t position) : file(file), position(position) {}

  void write(const void *data, size_t size) {
    if (size && std::fwrite(data, 1, size, file) != size)
      failed = true;
    hasher.update(data, size);
    position += size;
  }
  void zeros(uint64_t size) {
    static const char block[4096] = {};
    for (; size; size -= std::min<uint64_t>(size, sizeof(block)))
      write(block, std::min<uint64_t>(size, sizeof(block)));
  }

  FILE *file;
  uint64_t position;
  Hasher hasher;
  bool failed = false;
};

} // namespace

/// Size and hash of a file that stands at its start.
static bool hashFile(FILE *file, uint64_t &size, uint64_t &hash) {
  std::vector<char> buffer(1 << 16);
  Hasher hasher;
  size = 0;
  while (size_t count = std::fread(buffer.data(), 1, buffer.size(), file)) {
    hasher.update(buffer.data(), count);
    size += count;
  }
  hash = hasher.finish();
  return !std::ferror(file);
}

static std::string systemError(const std::string &what,
                               const std::string &path) {
  return what + " '" + path + "': " + std::strerror(errno);
}

std::string appendToLibrary(const std::string &path,
                            const std::vector<WeightBlob> &blobs,
                            Manifest &manifest,
                            const std::vector<DeviceCodeBlob> &deviceCode,
                            bool codesWeights) {
  uint64_t imageSize = 0;
  for (const WeightBlob &blob : blobs) {
    if (blob.offset < imageSize)
      return "weights overlap or are not in ascending order at offset " +
             std::to_string(blob.offset);
    imageSize = blob.offset + blob.size;
  }
  std::unique_ptr<FILE, CloseFile> file(std::fopen(path.c_str(), "r+b"));
  if (!file)
    return systemError("cannot open", path);
  uint64_t codeSize, codeHash;
  if (!hashFile(file.get(), codeSize, codeHash))
    return systemError("cannot read", path);
  for (Section &section : manifest.sections)
    if (section.kind == SectionKind::Code) {
      section.offset = 0;
      section.size = codeSize;
      section.hash = codeHash;
    }

  // Between reading and writing, C wants the position to be set.
  if (std::fseek(file.get(), 0, SEEK_END) != 0)
    return systemError("cannot write", path);
  Appender out(file.get(), codeSize);
  auto begin = [&](Section &section) {
    out.zeros((sectionAlignment - out.position % sectionAlignment) %
              sectionAlignment);
    section.offset = out.position;
    out.hasher = Hasher();
  };
  if (!blobs.empty()) {
    Section weights;
    weights.kind = codesWeights ? SectionKind::CodedWeights : SectionKind::Weights;
    weights.name = "weights";
    begin(weights);
    if (codesWeights) {
      std::string coded = encodeWeights(blobs, imageSize);
      out.write(coded.data(), coded.size());
    } else {
      for (const WeightBlob &blob : blobs) {
        out.zeros(blob.offset - (out.position - weights.offset));
        out.write(blob.data, blob.size);
      }
    }
    weights.size = out.position - weights.offset;
    weights.hash = out.hasher.finish();
    manifest.sections.push_back(weights);
  }
  for (const DeviceCodeBlob &code : deviceCode) {
    Section section = code.section;
    begin(section);
    out.write(code.data, code.size);
    section.size = code.size;
    section.hash = out.hasher.finish();
    manifest.sections.push_back(section);
  }

  uint64_t manifestOffset = out.position;
  std::string bytes = serialize(manifest);
  std::string footer = makeFooter(bytes, manifestOffset);
  out.write(bytes.data(), bytes.size());
  out.write(footer.data(), footer.size());
  if (out.failed || std::fclose(file.release()) != 0)
    return systemError("cannot write", path);
  return "";
}

} // namespace nnrt
