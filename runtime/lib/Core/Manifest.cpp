//===- Manifest.cpp - Reading and writing the manifest --------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// A manifest is a version number and a list of records (tag, size, content),
// little-endian. Readers skip tags that they do not know and bytes at the end
// of a record that they do not know, so that both may grow without a new
// version.
//
//===----------------------------------------------------------------------===//

#include "Core/Manifest.h"
#include "Core/Hash.h"
#include "Core/Types.h"
#include "nnrt/custom_op.h"

#include <cstring>
#include <initializer_list>

namespace nnrt {

/// Files with coded weights are of the second version: readers of the first would not find
/// any weights.
static constexpr uint32_t plainVersion = 1, codedVersion = 2;
static constexpr char footerMagic[8] = {'N', 'N', 'R', 'T',
                                        'M', 'D', 'L', '\n'};
/// Above what any framework has; keeps later arithmetic on ranks simple.
static constexpr uint32_t maxRank = 64;

namespace {

enum class Tag : uint32_t {
  Header = 1,
  Section = 2,
  Input = 3,
  Output = 4,
  Kernel = 5,
  Metadata = 6,
  Strings = 7,
  CustomNode = 8
};

class Writer {
public:
  void u32(uint32_t value) { integer(value, 4); }
  void u64(uint64_t value) { integer(value, 8); }
  void string(const std::string &text) {
    u64(text.size());
    bytes += text;
  }
  /// Appends a record whose content `fill` writes.
  template <typename Fill> void record(Tag tag, Fill fill) {
    u32(static_cast<uint32_t>(tag));
    size_t sizeAt = bytes.size();
    u64(0);
    size_t start = bytes.size();
    fill();
    uint64_t size = bytes.size() - start;
    for (int i = 0; i < 8; ++i)
      bytes[sizeAt + i] = static_cast<char>(size >> (8 * i));
  }
  std::string bytes;

private:
  void integer(uint64_t value, int size) {
    for (int i = 0; i < size; ++i)
      bytes += static_cast<char>(value >> (8 * i));
  }
};

/// Reads within [next, end). After a read beyond the end, `failed` is set and
/// each further read gives zero.
class Reader {
public:
  Reader(const uint8_t *bytes, size_t size) : next(bytes), end(bytes + size) {}

  uint32_t u32() { return static_cast<uint32_t>(integer(4)); }
  uint64_t u64() { return integer(8); }
  std::string string() {
    Reader content = sub(u64());
    return std::string(reinterpret_cast<const char *>(content.next),
                       content.left());
  }
  /// A reader of the next `size` bytes, which this one steps over.
  Reader sub(uint64_t size) {
    if (size > left()) {
      failed = true;
      size = 0;
    }
    Reader part(next, size);
    next += size;
    return part;
  }
  size_t left() const { return static_cast<size_t>(end - next); }

  bool failed = false;

private:
  uint64_t integer(int size) {
    if (failed || left() < static_cast<size_t>(size)) {
      failed = true;
      return 0;
    }
    uint64_t value = 0;
    for (int i = 0; i < size; ++i)
      value |= static_cast<uint64_t>(next[i]) << (8 * i);
    next += size;
    return value;
  }

  const uint8_t *next;
  const uint8_t *end;
};

} // namespace

const Section *Manifest::find(SectionKind kind) const {
  for (const Section &section : sections)
    if (section.kind == kind)
      return &section;
  return nullptr;
}

const Section *Manifest::findWeights() const {
  const Section *coded = find(SectionKind::CodedWeights);
  return coded ? coded : find(SectionKind::Weights);
}

//===----------------------------------------------------------------------===//
// Parts of values
//===----------------------------------------------------------------------===//

/// Whether type and shape are those of the part.
static bool fitsPart(const TensorSignature &tensor) {
  constexpr auto onnxInt64 = int32_t(OnnxType::Int64);
  constexpr auto onnxBool = int32_t(OnnxType::Bool);
  switch (tensor.part) {
  case NNRT_PART_PRESENT:
    return tensor.type == onnxBool && tensor.dims.empty();
  case NNRT_PART_ELEMENTS:
    return tensor.dims.size() == 1;
  case NNRT_PART_SIZES:
    return tensor.type == onnxInt64 && tensor.dims.size() == 1;
  case NNRT_PART_ITEMS:
    return tensor.type == onnxInt64 && tensor.dims.size() == 2 &&
           tensor.dims[1] == 2;
  default:
    return true;
  }
}

size_t countParts(const std::vector<TensorSignature> &tensors, size_t first,
                  std::string &error) {
  const std::string &value = tensors[first].value;
  if (tensors[first].part == NNRT_PART_TENSOR)
    return 1;
  auto are = [&](size_t at, std::initializer_list<nnrt_part> parts) {
    for (nnrt_part part : parts) {
      if (at >= tensors.size() || tensors[at].part != part ||
          tensors[at].value != value || !fitsPart(tensors[at]))
        return false;
      ++at;
    }
    return true;
  };
  size_t present = are(first, {NNRT_PART_PRESENT});
  if (present && are(first + 1, {NNRT_PART_VALUE}))
    return 2;
  if (are(first + present,
          {NNRT_PART_ELEMENTS, NNRT_PART_SIZES, NNRT_PART_ITEMS}))
    return present + 3;
  error = "tensor '" + tensors[first].name + "' begins the parts of '" + value +
          "', which are not those of a sequence or an optional";
  return 0;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static void writeTensor(Writer &writer, Tag tag,
                        const TensorSignature &tensor) {
  writer.record(tag, [&] {
    writer.string(tensor.name);
    writer.u32(static_cast<uint32_t>(tensor.type));
    writer.u32(static_cast<uint32_t>(tensor.dims.size()));
    for (size_t i = 0; i < tensor.dims.size(); ++i) {
      writer.u64(static_cast<uint64_t>(tensor.dims[i]));
      writer.string(i < tensor.dimNames.size() ? tensor.dimNames[i] : "");
    }
    // Tensors are written as they were before there were parts.
    if (tensor.part != NNRT_PART_TENSOR) {
      writer.u32(tensor.part);
      writer.string(tensor.value);
    }
  });
}

static void writeCustomNode(Writer &writer, const CustomNode &node) {
  writer.string(node.function);
  writer.string(node.library);
  writer.u64(node.attributes.size());
  for (const CustomAttribute &attribute : node.attributes) {
    writer.string(attribute.name);
    writer.u32(static_cast<uint32_t>(attribute.kind));
    writer.u64(attribute.ints.size());
    for (int64_t value : attribute.ints)
      writer.u64(static_cast<uint64_t>(value));
    writer.u64(attribute.floats.size());
    for (float value : attribute.floats) {
      uint32_t bits;
      std::memcpy(&bits, &value, sizeof(bits));
      writer.u32(bits);
    }
    writer.u64(attribute.strings.size());
    for (const std::string &value : attribute.strings)
      writer.string(value);
    writer.u32(static_cast<uint32_t>(attribute.type));
    writer.u64(attribute.dims.size());
    for (int64_t size : attribute.dims)
      writer.u64(static_cast<uint64_t>(size));
    writer.string(attribute.bytes);
  }
}

std::string serialize(const Manifest &manifest) {
  Writer writer;
  writer.u32(manifest.find(SectionKind::CodedWeights) ? codedVersion : plainVersion);
  writer.record(Tag::Header, [&] {
    writer.u32(manifest.abiVersion);
    writer.u32(manifest.abiEntries);
    writer.u32(manifest.flags);
    writer.string(manifest.producer);
  });
  for (const Section &section : manifest.sections)
    writer.record(Tag::Section, [&] {
      writer.u32(static_cast<uint32_t>(section.kind));
      writer.u64(section.offset);
      writer.u64(section.size);
      writer.u64(section.hash);
      writer.string(section.name);
      writer.string(section.target);
      writer.string(section.symbol);
      writer.string(section.arena);
      writer.u32(section.dataDependentBuffers);
      writer.string(section.deviceArena);
    });
  for (const TensorSignature &tensor : manifest.inputs)
    writeTensor(writer, Tag::Input, tensor);
  for (const TensorSignature &tensor : manifest.outputs)
    writeTensor(writer, Tag::Output, tensor);
  for (const KernelSignature &kernel : manifest.kernels)
    writer.record(Tag::Kernel, [&] {
      writer.string(kernel.kind);
      writer.string(kernel.nodes);
    });
  for (const auto &[key, value] : manifest.metadata)
    writer.record(Tag::Metadata, [&, &key = key, &value = value] {
      writer.string(key);
      writer.string(value);
    });
  if (!manifest.strings.empty())
    writer.record(Tag::Strings, [&] {
      for (const std::string &text : manifest.strings)
        writer.string(text);
    });
  for (const CustomNode &node : manifest.customNodes)
    writer.record(Tag::CustomNode, [&] { writeCustomNode(writer, node); });
  return std::move(writer.bytes);
}

std::string makeFooter(const std::string &manifestBytes,
                       uint64_t manifestOffset) {
  Writer writer;
  writer.u64(manifestOffset);
  writer.u64(manifestBytes.size());
  writer.u64(hash(manifestBytes.data(), manifestBytes.size()));
  writer.u64(0); // reserved
  // A footer with a flipped bit must not send us to some other place.
  writer.u64(hash(writer.bytes.data(), writer.bytes.size()));
  writer.bytes.append(footerMagic, sizeof(footerMagic));
  return std::move(writer.bytes);
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static TensorSignature readTensor(Reader &reader) {
  TensorSignature tensor;
  tensor.name = reader.string();
  tensor.type = static_cast<int32_t>(reader.u32());
  uint32_t rank = reader.u32();
  if (rank > maxRank) {
    reader.failed = true;
    return tensor;
  }
  for (uint32_t i = 0; i < rank && !reader.failed; ++i) {
    tensor.dims.push_back(static_cast<int64_t>(reader.u64()));
    tensor.dimNames.push_back(reader.string());
    if (tensor.dims.back() < -1)
      reader.failed = true;
  }
  if (reader.left()) { // as it is for parts only
    tensor.part = reader.u32();
    tensor.value = reader.string();
  }
  return tensor;
}

static Section readSection(Reader &reader, uint64_t bytesBefore) {
  Section section;
  section.kind = static_cast<SectionKind>(reader.u32());
  section.offset = reader.u64();
  section.size = reader.u64();
  section.hash = reader.u64();
  section.name = reader.string();
  section.target = reader.string();
  section.symbol = reader.string();
  if (reader.left()) { // files of older compilers end here
    section.arena = reader.string();
    section.dataDependentBuffers = reader.u32();
  }
  if (reader.left())
    section.deviceArena = reader.string();
  if (section.offset > bytesBefore ||
      section.size > bytesBefore - section.offset ||
      section.offset % sectionAlignment)
    reader.failed = true;
  return section;
}

/// Calls `read` as often as a count in the record says, as long as it has bytes left.
template <typename Read> static void repeat(Reader &reader, Read read) {
  for (uint64_t count = reader.u64(); count && !reader.failed; --count)
    read();
}

static CustomNode readCustomNode(Reader &reader) {
  CustomNode node;
  node.function = reader.string();
  node.library = reader.string();
  repeat(reader, [&] {
    CustomAttribute attribute;
    attribute.name = reader.string();
    attribute.kind = static_cast<int32_t>(reader.u32());
    repeat(reader, [&] { attribute.ints.push_back(static_cast<int64_t>(reader.u64())); });
    repeat(reader, [&] {
      uint32_t bits = reader.u32();
      float value;
      std::memcpy(&value, &bits, sizeof(value));
      attribute.floats.push_back(value);
    });
    repeat(reader, [&] { attribute.strings.push_back(reader.string()); });
    attribute.type = static_cast<int32_t>(reader.u32());
    repeat(reader, [&] { attribute.dims.push_back(static_cast<int64_t>(reader.u64())); });
    attribute.bytes = reader.string();
    // Who reads an attribute by its kind relies on it.
    bool isOne = attribute.kind == NNRT_CUSTOM_INT      ? attribute.ints.size() == 1
                 : attribute.kind == NNRT_CUSTOM_FLOAT  ? attribute.floats.size() == 1
                 : attribute.kind == NNRT_CUSTOM_STRING ? attribute.strings.size() == 1
                                                        : true;
    reader.failed |= !isOne || attribute.dims.size() > maxRank;
    node.attributes.push_back(std::move(attribute));
  });
  return node;
}

ReadResult parse(const uint8_t *bytes, size_t size, uint64_t bytesBefore,
                 Manifest &manifest, std::string &error) {
  manifest = Manifest();
  Reader reader(bytes, size);
  uint32_t version = reader.u32();
  if (reader.failed) {
    error = "the manifest is cut off";
    return ReadResult::Damaged;
  }
  if (version < plainVersion || version > codedVersion) {
    error = "the manifest has format version " + std::to_string(version) +
            ", this runtime reads versions " + std::to_string(plainVersion) + " to " +
            std::to_string(codedVersion);
    return ReadResult::Unsupported;
  }

  bool sawHeader = false;
  while (reader.left() && !reader.failed) {
    uint32_t tag = reader.u32();
    Reader record = reader.sub(reader.u64());
    if (reader.failed)
      break;
    switch (static_cast<Tag>(tag)) {
    case Tag::Header:
      manifest.abiVersion = record.u32();
      manifest.abiEntries = record.u32();
      manifest.flags = record.u32();
      manifest.producer = record.string();
      sawHeader = true;
      break;
    case Tag::Section:
      manifest.sections.push_back(readSection(record, bytesBefore));
      break;
    case Tag::Input:
      manifest.inputs.push_back(readTensor(record));
      break;
    case Tag::Output:
      manifest.outputs.push_back(readTensor(record));
      break;
    case Tag::Kernel: {
      KernelSignature kernel;
      kernel.kind = record.string();
      kernel.nodes = record.string();
      manifest.kernels.push_back(std::move(kernel));
      break;
    }
    case Tag::Metadata: {
      std::string key = record.string();
      manifest.metadata.emplace_back(std::move(key), record.string());
      break;
    }
    case Tag::Strings:
      while (record.left() && !record.failed)
        manifest.strings.push_back(record.string());
      break;
    case Tag::CustomNode:
      manifest.customNodes.push_back(readCustomNode(record));
      break;
    }
    if (record.failed) {
      error =
          "the manifest has a broken record (tag " + std::to_string(tag) + ")";
      return ReadResult::Damaged;
    }
  }
  if (reader.failed || !sawHeader) {
    error = "the manifest is inconsistent";
    return ReadResult::Damaged;
  }
  return ReadResult::Ok;
}

ReadResult parseFile(const uint8_t *bytes, uint64_t size, Manifest &manifest,
                     std::string &error) {
  if (size < footerSize || std::memcmp(bytes + size - sizeof(footerMagic),
                                       footerMagic, sizeof(footerMagic)) != 0) {
    error = "it does not end with the footer of a compiled model (another kind "
            "of file, or cut off)";
    return ReadResult::NotAModel;
  }
  const uint8_t *start = bytes + size - footerSize;
  Reader footer(start, footerSize);
  uint64_t offset = footer.u64();
  uint64_t manifestSize = footer.u64();
  uint64_t manifestHash = footer.u64();
  footer.u64();
  if (footer.u64() != hash(start, 32)) {
    error = "the footer's checksum is wrong";
    return ReadResult::Damaged;
  }
  uint64_t available = size - footerSize;
  if (offset > available || manifestSize != available - offset) {
    error = "the file does not have the size that its footer says";
    return ReadResult::Damaged;
  }
  if (hash(bytes + offset, manifestSize) != manifestHash) {
    error = "the manifest's checksum is wrong";
    return ReadResult::Damaged;
  }
  return parse(bytes + offset, manifestSize, offset, manifest, error);
}

} // namespace nnrt
