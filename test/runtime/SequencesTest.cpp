//===- SequencesTest.cpp - Values that are several tensors ----------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "TestModel.h"

#include <gtest/gtest.h>

#include <climits>

using namespace nnrt;
using namespace nnrt::test;

namespace {

std::vector<TensorSignature> makeSequence(const std::string &name, bool optional) {
  std::vector<TensorSignature> parts = {
      {name + ".elements", NNRT_ABI_F32, {-1}, {""}, name, NNRT_PART_ELEMENTS},
      {name + ".sizes", NNRT_ABI_S64, {-1}, {""}, name, NNRT_PART_SIZES},
      {name + ".items", NNRT_ABI_S64, {-1, 2}, {"", ""}, name, NNRT_PART_ITEMS}};
  if (optional)
    parts.insert(parts.begin(),
                 {name + ".present", NNRT_ABI_BOOL, {}, {}, name, NNRT_PART_PRESENT});
  return parts;
}

Manifest makeDouble(bool optional) {
  Manifest manifest = makeManifest(optional ? "double_optional" : "double");
  manifest.inputs = makeSequence("xs", optional);
  manifest.outputs = makeSequence("ys", optional);
  return manifest;
}

/// A sequence of the caller; as the comment in nnrt.h has it, if nothing is given.
struct Sequence {
  bool present = true;
  std::vector<float> elements = {1, 2, 3, 4, 5, 6};
  std::vector<int64_t> sizes = {2, 2, 1};
  std::vector<int64_t> items = {2, 4, 1, 1, 0, 1};
};

class SequencesTest : public testing::Test {
protected:
  void load(bool isOptional) {
    optional = isOptional;
    writeModel(file.path, makeDouble(optional));
    module = open(file.path);
    session = createSession(module.get());
    ASSERT_TRUE(session);
  }
  std::string run(Sequence &given, nnrt_status_code expected = NNRT_OK) {
    dims[0] = given.elements.size();
    dims[1] = given.sizes.size();
    dims[2] = given.items.size() / 2;
    dims[3] = 2;
    std::vector<DLTensor> inputs;
    auto add = [&](void *data, DLDataType type, int rank, int64_t *shape) {
      DLTensor tensor = {};
      tensor.data = data;
      tensor.device = {kDLCPU, 0};
      tensor.dtype = type;
      tensor.ndim = rank;
      tensor.shape = shape;
      inputs.push_back(tensor);
    };
    if (optional)
      add(&given.present, {kDLBool, 8, 1}, 0, nullptr);
    add(given.elements.data(), {kDLFloat, 32, 1}, 1, dims);
    add(given.sizes.data(), {kDLInt, 64, 1}, 1, dims + 1);
    add(given.items.data(), {kDLInt, 64, 1}, 2, dims + 2);
    outputs.assign(inputs.size(), DLTensor());
    nnrt_status_code code;
    std::string message =
        text(nnrt_session_run(session.get(), inputs.data(), inputs.size(),
                              outputs.data(), outputs.size(), nullptr),
             &code);
    EXPECT_EQ(code, expected) << message;
    return message;
  }
  std::string error(Sequence given) { return run(given, NNRT_INVALID_ARGUMENT); }

  bool optional = false;
  TemporaryFile file;
  ModulePtr module;
  SessionPtr session;
  int64_t dims[4];
  std::vector<DLTensor> outputs;
};

} // namespace

TEST_F(SequencesTest, AreDescribed) {
  load(true);
  ASSERT_EQ(nnrt_module_num_inputs(module.get()), 4u);
  nnrt_tensor_info info;
  ASSERT_EQ(text(nnrt_module_input(module.get(), 0, &info)), "");
  EXPECT_STREQ(info.name, "xs.present");
  EXPECT_STREQ(info.value, "xs");
  EXPECT_EQ(info.part, NNRT_PART_PRESENT);
  ASSERT_EQ(text(nnrt_module_output(module.get(), 3, &info)), "");
  EXPECT_STREQ(info.name, "ys.items");
  EXPECT_STREQ(info.value, "ys");
  EXPECT_EQ(info.part, NNRT_PART_ITEMS);

  TemporaryFile plain;
  writeModel(plain.path, makeManifest("affine"));
  ModulePtr other = open(plain.path);
  ASSERT_EQ(text(nnrt_module_input(other.get(), 0, &info)), "");
  EXPECT_STREQ(info.value, "x");
  EXPECT_EQ(info.part, NNRT_PART_TENSOR);
}

TEST_F(SequencesTest, PartsThatAreNotTogetherAreRefused) {
  Manifest manifest = makeDouble(false);
  std::swap(manifest.outputs[0], manifest.outputs[1]);
  writeModel(file.path, manifest);
  nnrt_module *opened = nullptr;
  nnrt_status_code code;
  std::string message = text(nnrt_module_open(file.path.c_str(), &opened), &code);
  EXPECT_EQ(code, NNRT_INCOMPATIBLE);
  EXPECT_NE(message.find("tensor 'ys.sizes' begins the parts of 'ys', which are not "
                         "those of a sequence or an optional that this runtime knows"),
            std::string::npos)
      << message;
}

TEST_F(SequencesTest, Run) {
  for (bool isOptional : {false, true}) {
    session.reset();
    module.reset();
    load(isOptional);
    Sequence given;
    ASSERT_EQ(run(given), "");
    EXPECT_EQ(values(outputs[isOptional]),
              (std::vector<float>{2, 4, 6, 8, 10, 12}));
    Sequence none{true, {}, {}, {}};
    ASSERT_EQ(run(none), "");
    EXPECT_EQ(outputs[isOptional].shape[0], 0);
    // An item without elements, and its sizes whose product is too large but for
    // the 0.
    Sequence empty{true, {}, {INT64_MAX, INT64_MAX, 0}, {3, 0}};
    ASSERT_EQ(run(empty), "");
  }
  Sequence absent{false, {}, {}, {}};
  ASSERT_EQ(run(absent), "");
  EXPECT_EQ(*static_cast<bool *>(outputs[0].data), false);
}

TEST_F(SequencesTest, PartsMustFitTogether) {
  load(false);
  Sequence sound;
  auto with = [&](auto change) {
    Sequence changed = sound;
    change(changed);
    return error(changed);
  };
  EXPECT_EQ(with([](Sequence &s) { s.items[2] = -1; }),
            "input 'xs': item 1 of rank -1 with 1 elements, where 1 sizes and 2 "
            "elements are left");
  EXPECT_EQ(with([](Sequence &s) { s.items[5] = -1; }),
            "input 'xs': item 2 of rank 0 with -1 elements, where 0 sizes and 1 "
            "elements are left");
  EXPECT_EQ(with([](Sequence &s) { s.items[0] = 4; }),
            "input 'xs': item 0 of rank 4 with 4 elements, where 3 sizes and 6 "
            "elements are left");
  EXPECT_EQ(with([](Sequence &s) { s.items[1] = INT64_MAX; }),
            "input 'xs': item 0 of rank 2 with 9223372036854775807 elements, where 3 "
            "sizes and 6 elements are left");
  const char *wrongSizes =
      "input 'xs': item 0 has 4 elements, which are not as many as its sizes say";
  EXPECT_EQ(with([](Sequence &s) { s.sizes[0] = 3; }), wrongSizes);
  EXPECT_EQ(with([](Sequence &s) { s.sizes = {-2, -2, 1}; }), wrongSizes);
  EXPECT_EQ(with([](Sequence &s) { s.sizes = {0, 4, 1}; }), wrongSizes);
  // Products that wrap around, the second one to 4.
  EXPECT_EQ(with([](Sequence &s) { s.sizes = {1ll << 62, 1ll << 62, 1}; }), wrongSizes);
  EXPECT_EQ(with([](Sequence &s) { s.sizes = {4, (1ll << 62) + 1, 1}; }), wrongSizes);
  EXPECT_EQ(with([](Sequence &s) { s.elements.push_back(7); }),
            "input 'xs': its 3 items leave 0 sizes and 1 elements over");
  EXPECT_EQ(with([](Sequence &s) { s.items.resize(4); }),
            "input 'xs': its 2 items leave 0 sizes and 1 elements over");
  ASSERT_EQ(run(sound), ""); // The session stays usable.

  session.reset();
  module.reset();
  load(true);
  EXPECT_EQ(with([](Sequence &s) { s.present = false; }),
            "input 'xs' is absent, but has 3 items");
}
