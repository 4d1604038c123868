//===- ManifestTest.cpp - The file format of compiled models --------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Core/CpuFeatures.h"
#include "Core/Hash.h"
#include "TestModel.h"
#include "nnrt/custom_op.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

using namespace nnrt;
using namespace nnrt::test;

static const uint8_t *bytesOf(const std::string &text) {
  return reinterpret_cast<const uint8_t *>(text.data());
}

static Manifest makeFull() {
  Manifest manifest = makeManifest("affine");
  manifest.flags = NeedsOneDNN;
  manifest.sections[0].arena = "64 + 16*N";
  manifest.sections[0].dataDependentBuffers = 3;
  manifest.sections[0].deviceArena = "32*N";
  Section weights;
  weights.kind = SectionKind::Weights;
  weights.offset = 4096;
  weights.size = 100;
  weights.hash = 77;
  manifest.sections.push_back(weights);
  CustomNode node;
  node.function = "com.example:Op";
  node.library = "libop.so";
  CustomAttribute axes, alpha, words, table;
  axes.name = "axes";
  axes.kind = NNRT_CUSTOM_INTS;
  axes.ints = {-1, 2};
  alpha.name = "alpha";
  alpha.kind = NNRT_CUSTOM_FLOAT;
  alpha.floats = {0.5f};
  words.name = "words";
  words.kind = NNRT_CUSTOM_STRINGS;
  words.strings = {"a", ""};
  table.name = "table";
  table.kind = NNRT_CUSTOM_TENSOR;
  table.type = NNRT_CUSTOM_U8;
  table.dims = {1, 3};
  table.bytes = {1, 0, 2};
  node.attributes = {alpha, axes, table, words};
  manifest.customNodes.push_back(node);
  return manifest;
}

TEST(Hash, KnownValues) {
  // Of the reference implementation of XXH64.
  EXPECT_EQ(hash("", 0), 0xef46db3751d8e999ull);
  EXPECT_EQ(hash("abc", 3), 0x44bc2cf5ad770999ull);
  const char *sentence = "The quick brown fox jumps over the lazy dog";
  EXPECT_EQ(hash(sentence, strlen(sentence)), 0x0b242d361fda71bcull);
}

TEST(Hash, PiecesGiveTheSameAsTheWhole) {
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += static_cast<char>(i * 7);
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    Hasher hasher;
    hasher.update(text.data(), cut / 2);
    hasher.update(text.data() + cut / 2, cut - cut / 2);
    hasher.update(text.data() + cut, text.size() - cut);
    EXPECT_EQ(hasher.finish(), hash(text.data(), text.size())) << cut;
  }
}

TEST(Manifest, RoundTrip) {
  Manifest manifest = makeFull(), read;
  std::string bytes = serialize(manifest), error;
  ASSERT_EQ(parse(bytesOf(bytes), bytes.size(), 1 << 20, read, error),
            ReadResult::Ok)
      << error;
  EXPECT_EQ(serialize(read), bytes);
  EXPECT_EQ(read.flags, NeedsOneDNN);
  ASSERT_EQ(read.inputs.size(), 1u);
  EXPECT_EQ(read.inputs[0].dims, (std::vector<int64_t>{-1, 4}));
  EXPECT_EQ(read.inputs[0].dimNames, (std::vector<std::string>{"N", ""}));
  ASSERT_NE(read.find(SectionKind::Code), nullptr);
  EXPECT_EQ(read.find(SectionKind::Code)->arena, "64 + 16*N");
  EXPECT_EQ(read.find(SectionKind::Code)->dataDependentBuffers, 3u);
  EXPECT_EQ(read.find(SectionKind::Code)->deviceArena, "32*N");
  ASSERT_NE(read.find(SectionKind::Weights), nullptr);
  EXPECT_EQ(read.find(SectionKind::Weights)->hash, 77u);
  EXPECT_EQ(read.find(SectionKind::Cubin), nullptr);
  EXPECT_EQ(read.metadata, manifest.metadata);
  EXPECT_EQ(read.kernels[1].nodes, "Mul_0 + Add_0");
  ASSERT_EQ(read.customNodes.size(), 1u);
  const CustomNode &node = read.customNodes[0];
  EXPECT_EQ(node.library, "libop.so");
  EXPECT_EQ(node.getDomainAndName().first, "com.example");
  EXPECT_EQ(node.getDomainAndName().second, "Op");
  ASSERT_EQ(node.attributes.size(), 4u);
  EXPECT_EQ(node.attributes[0].floats, std::vector<float>{0.5f});
  EXPECT_EQ(node.attributes[1].ints, (std::vector<int64_t>{-1, 2}));
  EXPECT_EQ(node.attributes[2].bytes, std::string({1, 0, 2}));
  EXPECT_EQ(node.attributes[2].dims, (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(node.attributes[3].strings, (std::vector<std::string>{"a", ""}));
}

TEST(Manifest, RefusesAttributesOfNodesWithoutTheirValue) {
  Manifest manifest = makeFull(), read;
  manifest.customNodes[0].attributes[0].floats.clear();
  std::string bytes = serialize(manifest), error;
  EXPECT_EQ(parse(bytesOf(bytes), bytes.size(), 1 << 20, read, error), ReadResult::Damaged);
}

TEST(Manifest, UnknownSectionsAndRecordsAreSkipped) {
  Manifest manifest = makeFull();
  manifest.sections[1].kind = static_cast<SectionKind>(4711);
  std::string bytes = serialize(manifest), error;
  // A record with tag 99 and three bytes.
  bytes += std::string("\x63\0\0\0\x03\0\0\0\0\0\0\0abc", 15);
  Manifest read;
  EXPECT_EQ(parse(bytesOf(bytes), bytes.size(), 1 << 20, read, error),
            ReadResult::Ok);
  EXPECT_EQ(read.sections.size(), 2u);
  EXPECT_EQ(read.find(SectionKind::Weights), nullptr);
}

TEST(Manifest, SectionWithoutMemoryIsRead) {
  Manifest manifest = makeManifest("affine");
  manifest.sections[0].dataDependentBuffers = 3;
  // What was appended to the record of the section: an empty string (8) and a count (4),
  // later another string (8). The size of the record stands behind its tag.
  for (size_t cut : {8, 20}) {
    std::string bytes = serialize(manifest), error;
    size_t section = bytes.find(std::string("\x02\0\0\0", 4), 4);
    while (bytes.compare(section + 12, 4, std::string("\x01\0\0\0", 4)) != 0)
      section = bytes.find(std::string("\x02\0\0\0", 4), section + 1);
    size_t size = uint8_t(bytes[section + 4]);
    bytes.erase(section + 12 + size - cut, cut);
    bytes[section + 4] = char(size - cut);
    Manifest read;
    ASSERT_EQ(parse(bytesOf(bytes), bytes.size(), 1 << 20, read, error), ReadResult::Ok)
        << error;
    ASSERT_EQ(read.sections.size(), 1u);
    EXPECT_EQ(read.sections[0].symbol, "nnrt_model_run_affine");
    EXPECT_EQ(read.sections[0].arena, "");
    EXPECT_EQ(read.sections[0].dataDependentBuffers, cut == 8 ? 3u : 0u);
    EXPECT_EQ(read.sections[0].deviceArena, "");
  }
}

/// A tensor of a value; its shape is what the part has.
static TensorSignature makePart(nnrt_part part, const std::string &value = "v") {
  TensorSignature tensor;
  static const char *const names[] = {"", "present", "value", "elements", "sizes", "items"};
  tensor.name = value + "." + names[part];
  tensor.value = value;
  tensor.part = part;
  tensor.type = 7;
  switch (part) {
  case NNRT_PART_PRESENT:
    tensor.type = 9;
    break;
  case NNRT_PART_ITEMS:
    tensor.dims = {-1, 2};
    break;
  default:
    tensor.dims = {-1};
  }
  tensor.dimNames.resize(tensor.dims.size());
  return tensor;
}

static const std::vector<nnrt_part> optionalSequence = {
    NNRT_PART_PRESENT, NNRT_PART_ELEMENTS, NNRT_PART_SIZES, NNRT_PART_ITEMS};

TEST(Manifest, PartsAreReadBack) {
  Manifest manifest = makeManifest("affine"), read;
  std::string before = serialize(manifest), error;
  for (nnrt_part part : optionalSequence)
    manifest.inputs.push_back(makePart(part));
  std::string bytes = serialize(manifest);
  ASSERT_EQ(parse(bytesOf(bytes), bytes.size(), 1 << 20, read, error),
            ReadResult::Ok)
      << error;
  ASSERT_EQ(read.inputs.size(), 5u);
  EXPECT_EQ(read.inputs[0].part, uint32_t(NNRT_PART_TENSOR));
  EXPECT_EQ(read.inputs[0].value, "");
  EXPECT_EQ(read.inputs[2].part, uint32_t(NNRT_PART_ELEMENTS));
  EXPECT_EQ(read.inputs[2].value, "v");
  EXPECT_EQ(read.inputs[2].name, "v.elements");
  EXPECT_EQ(serialize(read), bytes);
  // Tensors are written as they were before there were parts, so that this reads
  // older files, and older readers this.
  manifest.inputs.resize(1);
  EXPECT_EQ(serialize(manifest), before);
}

TEST(Manifest, PartsStandTogetherOrAreNone) {
  auto count = [](std::vector<TensorSignature> tensors, std::string *why = nullptr) {
    std::string error;
    size_t parts = countParts(tensors, 0, error);
    EXPECT_EQ(parts == 0, !error.empty());
    if (why)
      *why = error;
    return parts;
  };
  TensorSignature plain;
  plain.name = "x";
  EXPECT_EQ(count({plain, makePart(NNRT_PART_ITEMS)}), 1u);
  std::vector<TensorSignature> tensors;
  for (nnrt_part part : optionalSequence)
    tensors.push_back(makePart(part));
  EXPECT_EQ(count(tensors), 4u);
  EXPECT_EQ(count({tensors.begin() + 1, tensors.end()}), 3u);
  EXPECT_EQ(count({tensors[0], makePart(NNRT_PART_VALUE), tensors[1]}), 2u);

  std::string why;
  EXPECT_EQ(count({tensors[1], tensors[2]}, &why), 0u);
  EXPECT_NE(why.find("tensor 'v.elements' begins the parts of 'v'"),
            std::string::npos)
      << why;
  EXPECT_EQ(count({tensors[1], tensors[3], tensors[2]}), 0u);
  EXPECT_EQ(count({tensors[0], tensors[2]}), 0u);
  EXPECT_EQ(count({makePart(NNRT_PART_VALUE)}), 0u);
  EXPECT_EQ(count({tensors[1], tensors[2], makePart(NNRT_PART_ITEMS, "w")}), 0u);
  auto with = [&](size_t at, auto change) {
    std::vector<TensorSignature> changed = tensors;
    change(changed[at]);
    return count(changed);
  };
  EXPECT_EQ(with(0, [](TensorSignature &t) { t.type = 7; }), 0u);
  EXPECT_EQ(with(1, [](TensorSignature &t) { t.dims = {}; }), 0u);
  EXPECT_EQ(with(2, [](TensorSignature &t) { t.type = 6; }), 0u);
  EXPECT_EQ(with(3, [](TensorSignature &t) { t.dims = {-1, 3}; }), 0u);
  // Of a later version.
  EXPECT_EQ(with(0, [](TensorSignature &t) { t.part = 77; }), 0u);
}

TEST(Manifest, OtherFormatVersionIsUnsupported) {
  std::string bytes = serialize(makeFull()), error;
  bytes[0] = 3;
  Manifest read;
  EXPECT_EQ(parse(bytesOf(bytes), bytes.size(), 1 << 20, read, error),
            ReadResult::Unsupported);
  EXPECT_NE(error.find("format version 3"), std::string::npos) << error;
}

TEST(Manifest, SectionBeyondTheFileIsDamage) {
  std::string bytes = serialize(makeFull()), error;
  Manifest read;
  EXPECT_EQ(parse(bytesOf(bytes), bytes.size(), 4096 + 100, read, error),
            ReadResult::Ok);
  EXPECT_EQ(parse(bytesOf(bytes), bytes.size(), 4096 + 99, read, error),
            ReadResult::Damaged);
}

// A wrong parser would crash here, or be caught by the sanitizers.
TEST(Manifest, AnyDamageIsSurvived) {
  const std::string bytes = serialize(makeFull());
  std::string error;
  Manifest read;
  auto tryParse = [&](const std::string &damaged) {
    // A copy of exactly that size, so that ASan sees each read beyond the end.
    std::vector<uint8_t> exact(damaged.begin(), damaged.end());
    parse(exact.data(), exact.size(), 1 << 20, read, error);
  };
  for (size_t size = 0; size < bytes.size(); ++size)
    tryParse(bytes.substr(0, size));
  for (size_t i = 0; i < bytes.size(); ++i)
    for (int value : {0x00, 0x01, 0x7F, 0x80, 0xFF}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(value);
      tryParse(damaged);
    }
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = bytes;
    for (unsigned n = random() % 8 + 1; n; --n)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    tryParse(damaged);
  }
}

TEST(Manifest, AnyDamageOfTheFileIsFound) {
  std::string manifest = serialize(makeFull());
  std::string file(8192, 'c');
  file += manifest + makeFooter(manifest, 8192);
  std::string error;
  Manifest read;
  ASSERT_EQ(parseFile(bytesOf(file), file.size(), read, error), ReadResult::Ok);
  for (size_t i = 8192; i < file.size(); ++i) {
    std::string damaged = file;
    damaged[i] ^= 0x10;
    EXPECT_NE(parseFile(bytesOf(damaged), damaged.size(), read, error),
              ReadResult::Ok)
        << i;
  }
  for (size_t size = 0; size < file.size(); size += 37) {
    std::string cut = file.substr(0, size);
    EXPECT_EQ(parseFile(bytesOf(cut), cut.size(), read, error),
              ReadResult::NotAModel);
  }
  std::string shifted = "x" + file;
  EXPECT_EQ(parseFile(bytesOf(shifted), shifted.size(), read, error),
            ReadResult::Damaged);
}

TEST(ModelFile, SameContentGivesSameBytes) {
  TemporaryFile a, b;
  writeModel(a.path, makeManifest("affine"));
  writeModel(b.path, makeManifest("affine"));
  EXPECT_EQ(readFile(a.path), readFile(b.path));
}

TEST(ModelFile, WeightsMustBeInOrder) {
  TemporaryFile file;
  writeFile(file.path, "elf");
  Manifest manifest;
  EXPECT_NE(appendToLibrary(file.path, {{64, "b", 1}, {0, "a", 1}}, manifest)
                .find("overlap"),
            std::string::npos);
}

TEST(ModelFile, MissingLibraryIsNamed) {
  Manifest manifest;
  EXPECT_EQ(appendToLibrary("/nonexistent/m.so", {}, manifest),
            "cannot open '/nonexistent/m.so': No such file or directory");
}

TEST(CpuFeatures, UnknownFeatureIsMissing) {
  std::string missing;
  EXPECT_TRUE(cpuHas("x86-64", missing)) << missing;
  EXPECT_FALSE(cpuHas("x86-64,hovercraft", missing));
  EXPECT_EQ(missing, "hovercraft");
  EXPECT_TRUE(isKnownCpuFeature("avx512bf16"));
  EXPECT_FALSE(isKnownCpuFeature("hovercraft"));
}

TEST(CpuFeatures, AgreesWithTheCompilersView) {
  std::string missing;
  EXPECT_EQ(cpuHas("avx2", missing), bool(__builtin_cpu_supports("avx2")));
  EXPECT_EQ(cpuHas("avx512vl", missing),
            bool(__builtin_cpu_supports("avx512vl")));
  EXPECT_EQ(cpuHas("avx512bf16", missing),
            bool(__builtin_cpu_supports("avx512bf16")));
  EXPECT_EQ(cpuHas("fma", missing), bool(__builtin_cpu_supports("fma")));
}
