//===- SessionTest.cpp - Running models -----------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "TestModel.h"

#include <gtest/gtest.h>

#include <thread>

using namespace nnrt;
using namespace nnrt::test;

namespace {

/// A session of one of the models in Inputs/model.c.
class SessionTest : public testing::Test {
protected:
  void load(Manifest manifest, int threads = 1, bool profile = false) {
    session.reset();
    module.reset(); // before its file is overwritten
    writeModel(file.path, std::move(manifest));
    module = open(file.path);
    session = createSession(module.get(), threads, profile);
    ASSERT_TRUE(session);
  }
  nnrt_status *run(std::vector<DLTensor> inputs,
                   std::vector<DLTensor> &outputs) {
    return nnrt_session_run(session.get(), inputs.data(), inputs.size(),
                            outputs.data(), outputs.size(), nullptr);
  }
  /// Runs and gives the error, which must be of that code.
  std::string runError(std::vector<DLTensor> inputs, DLTensor output,
                       nnrt_status_code expected) {
    std::vector<DLTensor> outputs = {output};
    nnrt_status_code code;
    std::string message = text(run(std::move(inputs), outputs), &code);
    EXPECT_EQ(code, expected) << message;
    return message;
  }
  void expectStillUsable() {
    FloatTensor x({1, 4}, {1, 1, 1, 1});
    std::vector<DLTensor> outputs(1);
    ASSERT_EQ(text(run({x}, outputs)), "");
    EXPECT_EQ(values(outputs[0]), (std::vector<float>{11, 22, 33, 44}));
  }

  TemporaryFile file;
  ModulePtr module;
  SessionPtr session;
};

const std::vector<float> affineOf8 = {10, 22, 36, 52, 14, 30, 48, 68};

} // namespace

TEST_F(SessionTest, OutputsOfTheSession) {
  load(makeManifest("affine"));
  FloatTensor x({2, 4});
  std::vector<DLTensor> outputs(1);
  ASSERT_EQ(text(run({x}, outputs)), "");
  ASSERT_EQ(outputs[0].ndim, 2);
  EXPECT_EQ(outputs[0].shape[0], 2);
  EXPECT_EQ(outputs[0].shape[1], 4);
  EXPECT_EQ(outputs[0].strides[0], 4);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(outputs[0].data) % 64, 0u);
  EXPECT_EQ(values(outputs[0]), affineOf8);

  // What the session filled in can be passed again, also for another shape.
  FloatTensor longer({3, 4});
  ASSERT_EQ(text(run({longer}, outputs)), "");
  EXPECT_EQ(outputs[0].shape[0], 3);
  EXPECT_GT(nnrt_session_memory(session.get()), 0u);
}

TEST_F(SessionTest, OutputsFedBack) {
  // y = x * (1, 2, 3, 4) + (10, 20, 30, 40), of its own result.
  load(makeManifest("affine"));
  FloatTensor x({2, 4}, std::vector<float>(8, 0));
  std::vector<DLTensor> outputs(1);
  DLTensor input = x;
  float expected = 0;
  for (int step = 0; step < 5; ++step) {
    ASSERT_EQ(text(run({input}, outputs)), "");
    EXPECT_NE(outputs[0].data, input.data);
    expected = expected * 4 + 40;
    EXPECT_EQ(values(outputs[0])[3], expected);
    EXPECT_EQ(values(outputs[0])[7], expected);
    input = outputs[0];
  }

}

TEST_F(SessionTest, OutputsFedBackTooLate) {
  Manifest manifest = makeManifest("add");
  manifest.inputs = {{"a", NNRT_ABI_F32, {-1}, {"N"}},
                     {"b", NNRT_ABI_F32, {-1}, {"N"}}};
  manifest.outputs = {{"s", NNRT_ABI_F32, {-1}, {"N"}}};
  load(manifest);
  FloatTensor x(std::vector<int64_t>{3});
  std::vector<DLTensor> first(1), second(1);
  ASSERT_EQ(text(run({x, x}, first)), "");
  ASSERT_EQ(text(run({first[0], x}, second)), "");
  EXPECT_EQ(values(second[0]), (std::vector<float>{0, 3, 6}));
  EXPECT_EQ(runError({second[0], first[0]}, {}, NNRT_INVALID_ARGUMENT),
            "input 'b' lies in the memory of output 's' as it was before the last "
            "run; only the last run's outputs can be inputs");
}

TEST_F(SessionTest, OutputsOfTheCaller) {
  load(makeManifest("affine"));
  FloatTensor x({2, 4}), y({2, 4});
  std::vector<DLTensor> outputs = {y};
  ASSERT_EQ(text(run({x}, outputs)), "");
  EXPECT_EQ(y.values, affineOf8);
}

/// Elements of less than 8 bits share bytes outside, and have their own inside.
TEST_F(SessionTest, PackedElements) {
  constexpr int32_t int4 = 22, int2 = 26;
  for (int32_t type : {int4, int2}) {
    Manifest manifest = makeManifest("negate");
    manifest.inputs = {{"x", type, {-1}, {"N"}}};
    manifest.outputs = {{"y", type, {-1}, {"N"}}};
    load(manifest);
    // The numbers -1, -7, 3, 0, 2, or of 2 bits -1, 1, 1, 0, -1.
    std::vector<uint8_t> x = {0x9f, 0x03, 0x02}, want = {0x71, 0x0d, 0x0e};
    if (type == int2) {
      x = {0x17, 0x03};
      want = {0x3d, 0x01};
    }
    int64_t size = 5;
    DLTensor in = {};
    in.data = x.data();
    in.device = {kDLCPU, 0};
    in.ndim = 1;
    in.dtype = {kDLInt, static_cast<uint8_t>(type == int4 ? 4 : 2), 1};
    in.shape = &size;
    // In the session's memory, then in the caller's, of which no more is written.
    std::vector<DLTensor> outputs(1);
    ASSERT_EQ(text(run({in}, outputs)), "");
    auto *bytes = static_cast<uint8_t *>(outputs[0].data);
    EXPECT_EQ(std::vector<uint8_t>(bytes, bytes + want.size()), want);
    std::vector<uint8_t> y(want.size() + 1, 0xaa);
    outputs[0] = in;
    outputs[0].data = y.data();
    ASSERT_EQ(text(run({in}, outputs)), "");
    want.push_back(0xaa);
    EXPECT_EQ(y, want);
    int64_t stride = 2;
    in.strides = &stride;
    EXPECT_EQ(runError({in}, {}, NNRT_INVALID_ARGUMENT),
              std::string("input 'x' is not contiguous, which ") +
                  (type == int4 ? "int4" : "int2") + " must be");
  }
}

TEST_F(SessionTest, ByteOffset) {
  load(makeManifest("affine"));
  FloatTensor x({3, 4}), y({3, 4});
  std::vector<float> expected = {0, 1, 2, 3};
  for (float v : {14, 30, 48, 68, 18, 38, 60, 84})
    expected.push_back(v);
  DLTensor in = x, out = y;
  int64_t dims[] = {2, 4};
  in.shape = out.shape = dims;
  in.byte_offset = out.byte_offset = 16;
  std::vector<DLTensor> outputs = {out};
  ASSERT_EQ(text(run({in}, outputs)), "");
  EXPECT_EQ(y.values, expected);
}

TEST_F(SessionTest, StridedInputs) {
  load(makeManifest("affine"));
  // x transposed, x with gaps, x broadcast, x backwards.
  FloatTensor transposed({4, 2}, {0, 4, 1, 5, 2, 6, 3, 7});
  FloatTensor row({1, 4}), both({2, 4}, {7, 6, 5, 4, 3, 2, 1, 0});
  FloatTensor gaps({2, 8}, {0, 9, 1, 9, 2, 9, 3, 9, 4, 9, 5, 9, 6, 9, 7, 9});
  int64_t dims[] = {2, 4};
  auto runStrided = [&](DLTensor in, int64_t s0, int64_t s1, uint64_t offset) {
    int64_t strides[] = {s0, s1};
    in.shape = dims;
    in.strides = strides;
    in.byte_offset = offset;
    std::vector<DLTensor> outputs(1);
    EXPECT_EQ(text(run({in}, outputs)), "");
    return values(outputs[0]);
  };
  EXPECT_EQ(runStrided(transposed, 1, 2, 0), affineOf8);
  EXPECT_EQ(runStrided(gaps, 8, 2, 0), affineOf8);
  EXPECT_EQ(runStrided(both, -4, -1, 28), affineOf8);
  EXPECT_EQ(runStrided(row, 0, 1, 0),
            (std::vector<float>{10, 22, 36, 52, 10, 22, 36, 52}));
}

TEST_F(SessionTest, MisalignedInputIsCopied) {
  load(makeManifest("affine"));
  FloatTensor x({2, 4});
  std::vector<char> bytes(33);
  memcpy(bytes.data() + 1, x.values.data(), 32);
  DLTensor in = x;
  in.data = bytes.data() + 1;
  std::vector<DLTensor> outputs(1);
  ASSERT_EQ(text(run({in}, outputs)), "");
  EXPECT_EQ(values(outputs[0]), affineOf8);
}

TEST_F(SessionTest, EmptyTensors) {
  load(makeManifest("affine"));
  FloatTensor x(std::vector<int64_t>{0, 4});
  std::vector<DLTensor> outputs(1);
  DLTensor in = x;
  in.data = nullptr;
  ASSERT_EQ(text(run({in}, outputs)), "");
  EXPECT_EQ(outputs[0].shape[0], 0);
}

TEST_F(SessionTest, WrongInputs) {
  load(makeManifest("affine"));
  FloatTensor x({2, 4}), wide({2, 5}), flat(std::vector<int64_t>{8});
  DLTensor y = {};
  EXPECT_EQ(runError({wide}, y, NNRT_INVALID_ARGUMENT),
            "input 'x': dimension 1 is 5, the model expects 4: [N, 4]");
  EXPECT_EQ(runError({flat}, y, NNRT_INVALID_ARGUMENT),
            "input 'x' has 1 dimensions, the model expects 2: [N, 4]");
  EXPECT_EQ(runError({x, x}, y, NNRT_INVALID_ARGUMENT),
            "the model has 1 inputs and 1 outputs, but 2 and 1 were given");
  DLTensor bad = x;
  bad.dtype = {kDLFloat, 16, 1};
  EXPECT_EQ(runError({bad}, y, NNRT_INVALID_ARGUMENT),
            "input 'x' has element type float16, the model expects float32");
  bad = x;
  bad.device.device_type = kDLCUDA;
  EXPECT_EQ(runError({bad}, y, NNRT_INVALID_ARGUMENT),
            "input 'x' is on DLPack device 2, only the CPU (1) is supported");
  bad = x;
  bad.data = nullptr;
  EXPECT_EQ(runError({bad}, y, NNRT_INVALID_ARGUMENT), "input 'x' has no data");
  bad = x;
  bad.shape = nullptr;
  EXPECT_NE(runError({bad}, y, NNRT_INVALID_ARGUMENT), "");
  int64_t huge[] = {INT64_MAX / 2, 4}, negative[] = {-1, 4};
  bad = x;
  bad.shape = huge;
  EXPECT_NE(runError({bad}, y, NNRT_INVALID_ARGUMENT).find("too large"),
            std::string::npos);
  bad.shape = negative;
  EXPECT_EQ(runError({bad}, y, NNRT_INVALID_ARGUMENT),
            "input 'x': dimension 0 is negative (-1)");
  expectStillUsable();
}

TEST_F(SessionTest, DimsOfOneNameAreEqual) {
  Manifest manifest = makeManifest("add");
  manifest.inputs = {{"a", NNRT_ABI_F32, {-1}, {"N"}},
                     {"b", NNRT_ABI_F32, {-1}, {"N"}}};
  manifest.outputs = {{"s", NNRT_ABI_F32, {-1}, {"N"}}};
  load(manifest);
  FloatTensor a(std::vector<int64_t>{3}), b(std::vector<int64_t>{4});
  EXPECT_EQ(runError({a, b}, {}, NNRT_INVALID_ARGUMENT),
            "input 'b': dimension 0, 'N', is 4, but it is 3 in input 'a'");
  std::vector<DLTensor> outputs(1);
  ASSERT_EQ(text(run({b, b}, outputs)), "");
  EXPECT_EQ(values(outputs[0]), (std::vector<float>{0, 2, 4, 6}));
}

TEST_F(SessionTest, WrongOutputs) {
  load(makeManifest("affine"));
  FloatTensor x({2, 4}), longer({3, 4}), flat(std::vector<int64_t>{8});
  EXPECT_EQ(runError({x}, longer, NNRT_INVALID_ARGUMENT),
            "output 'y' has shape [3, 4], the result has [2, 4]");
  EXPECT_EQ(runError({x}, flat, NNRT_INVALID_ARGUMENT),
            "output 'y' has 1 dimensions, the model gives 2: [N, 4]");
  FloatTensor y({2, 4});
  DLTensor bad = y;
  bad.dtype = {kDLInt, 32, 1};
  EXPECT_EQ(runError({x}, bad, NNRT_INVALID_ARGUMENT),
            "output 'y' has element type int32, the model gives float32");
  int64_t strides[] = {1, 2};
  bad = y;
  bad.strides = strides;
  EXPECT_NE(runError({x}, bad, NNRT_INVALID_ARGUMENT).find("row-major"),
            std::string::npos);
  EXPECT_EQ(runError({x}, x, NNRT_INVALID_ARGUMENT),
            "output 'y' overlaps the memory of input 'x', which the model does "
            "not allow");
  expectStillUsable();
}

TEST_F(SessionTest, FirstFailureCounts) {
  load(makeManifest("failing"));
  FloatTensor x({1, 4}, {1, 1, 1, 1}), ok({1, 4});
  EXPECT_EQ(runError({x}, {}, NNRT_FAILED_PRECONDITION),
            "node 'Reshape_3': 10 elements do not fill [3, 4]");
  std::vector<DLTensor> outputs(1);
  EXPECT_EQ(text(run({ok}, outputs)), "");
}

TEST_F(SessionTest, FaultsOfTheCodeAreReported) {
  FloatTensor x({1, 4});
  load(makeManifest("silent"));
  EXPECT_NE(runError({x}, {}, NNRT_INTERNAL).find("without saying why"),
            std::string::npos);
  load(makeManifest("no_output"));
  EXPECT_NE(runError({x}, {}, NNRT_INTERNAL).find("did not produce output 'y'"),
            std::string::npos);
  load(makeManifest("huge"));
  EXPECT_NE(
      runError({x}, {}, NNRT_OUT_OF_MEMORY).find("no memory for the values"),
      std::string::npos);
}

TEST_F(SessionTest, Options) {
  load(makeManifest("affine"));
  nnrt_session *other = nullptr;
  nnrt_session_options options = {sizeof(options), -1, 0};
  EXPECT_NE(text(nnrt_session_create(module.get(), &options, &other))
                .find("num_threads is -1"),
            std::string::npos);
  options = {4, 1, 0};
  EXPECT_NE(text(nnrt_session_create(module.get(), &options, &other))
                .find("struct_size"),
            std::string::npos);
  EXPECT_EQ(other, nullptr);
  EXPECT_EQ(text(nnrt_session_create(module.get(), nullptr, &other)), "");
  nnrt_session_free(other);
  FloatTensor x({1, 4});
  DLTensor in = x, out = {};
  int stream;
  EXPECT_NE(text(nnrt_session_run(session.get(), &in, 1, &out, 1, &stream)),
            "");
}

TEST_F(SessionTest, SessionKeepsTheModule) {
  load(makeManifest("affine"));
  module.reset();
  expectStillUsable();
}

TEST_F(SessionTest, Profile) {
  load(makeManifest("affine"), 1, true);
  EXPECT_EQ(nnrt_session_num_kernels(session.get()), 0u);
  expectStillUsable();
  expectStillUsable();
  ASSERT_EQ(nnrt_session_num_kernels(session.get()), 2u);
  nnrt_kernel_info info;
  ASSERT_EQ(nnrt_session_kernel(session.get(), 0, &info), nullptr);
  EXPECT_STREQ(info.kind, "elementwise");
  EXPECT_STREQ(info.nodes, "Mul_0 + Add_0");
  EXPECT_EQ(info.calls, 2u);
  EXPECT_GT(info.total_ns, 0u);
  nnrt_session_reset_profile(session.get());
  EXPECT_EQ(nnrt_session_num_kernels(session.get()), 0u);
  EXPECT_NE(text(nnrt_session_kernel(session.get(), 0, &info)), "");
}

TEST_F(SessionTest, MemoryByParts) {
  Manifest manifest = makeManifest("affine");
  manifest.sections[0].arena = "16*N";
  manifest.sections[0].dataDependentBuffers = 1;
  manifest.sections[0].deviceArena = "8*N";
  load(manifest);
  nnrt_module_memory_info shared;
  ASSERT_EQ(text(nnrt_module_memory(module.get(), &shared)), "");
  EXPECT_EQ(shared.weights, 80u);
  EXPECT_EQ(shared.packed_weights, 0u);
  EXPECT_STREQ(shared.arena, "16*N");
  EXPECT_EQ(shared.num_data_dependent, 1u);
  EXPECT_STREQ(shared.device_arena, "8*N");

  nnrt_session_memory_info own;
  ASSERT_EQ(text(nnrt_session_memory_parts(session.get(), &own)), "");
  EXPECT_EQ(own.arena + own.blocks + own.outputs + own.inputs, 0u);
  // 100 rows of 16 bytes, then 50, of which the input has to be copied.
  for (int64_t rows : {100, 50}) {
    FloatTensor x({rows, 4});
    DLTensor in = x;
    int64_t strides[] = {1, rows};
    if (rows == 50)
      in.strides = strides;
    std::vector<DLTensor> outputs(1);
    ASSERT_EQ(text(run({in}, outputs)), "");
  }
  ASSERT_EQ(text(nnrt_session_memory_parts(session.get(), &own)), "");
  EXPECT_EQ(own.arena, 1600u);
  EXPECT_EQ(own.blocks, 1600u);
  EXPECT_EQ(own.outputs, 1600u);
  EXPECT_EQ(own.inputs, 832u); // in cache lines
  EXPECT_EQ(own.scratchpad, 0u);
  EXPECT_EQ(own.device_arena, 0u);
  EXPECT_EQ(nnrt_session_memory(session.get()), 3 * 1600u + 832u);

  EXPECT_EQ(text(nnrt_module_memory(module.get(), nullptr)), "info is null");
  EXPECT_EQ(text(nnrt_session_memory_parts(nullptr, &own)), "session is null");
}

TEST_F(SessionTest, LoopsReleaseWhatTheyDoNotCarryOn) {
  load(makeManifest("loop"));
  constexpr int64_t rows = 1000;
  FloatTensor x({rows, 4}, std::vector<float>(rows * 4, 1.0f));
  size_t blocks = 0;
  for (int round = 0; round < 3; ++round) {
    std::vector<DLTensor> outputs(1);
    ASSERT_EQ(text(run({x}, outputs)), "");
    std::vector<float> y = values(outputs[0]);
    for (int64_t i = 0; i < rows * 4; ++i)
      ASSERT_EQ(y[i], float(i / 4 + 1)) << "element " << i;
    nnrt_session_memory_info own;
    ASSERT_EQ(text(nnrt_session_memory_parts(session.get(), &own)), "");
    // Two of up to 16,000 bytes and the half, instead of a thousand.
    EXPECT_LT(own.blocks, 100'000u);
    if (round == 2) {
      EXPECT_EQ(own.blocks, blocks);
    }
    blocks = own.blocks;
  }
}

TEST_F(SessionTest, NoProfileUnlessAsked) {
  load(makeManifest("affine"));
  expectStillUsable();
  EXPECT_EQ(nnrt_session_num_kernels(session.get()), 0u);
}

TEST_F(SessionTest, SessionsOfManyThreads) {
  load(makeManifest("affine"));
  for (int numThreads : {1, 2}) {
    std::vector<std::thread> hosts;
    for (int host = 0; host < 4; ++host)
      hosts.emplace_back([&, host] {
        SessionPtr own = createSession(module.get(), numThreads);
        for (int round = 0; round < 50; ++round) {
          FloatTensor x({64, 4}, std::vector<float>(256, float(host)));
          DLTensor in = x, out = {};
          ASSERT_EQ(text(nnrt_session_run(own.get(), &in, 1, &out, 1, nullptr)),
                    "");
          EXPECT_EQ(values(out)[255], host * 4 + 40);
        }
      });
    for (std::thread &host : hosts)
      host.join();
  }
}
