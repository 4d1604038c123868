//===- ModuleTest.cpp - Opening compiled models ---------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "TestModel.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

using namespace nnrt;
using namespace nnrt::test;

[[maybe_unused]] /// What a command prints.
[[maybe_unused]] static std::string
outputOf(const std::string &command) {
  std::string output;
  FILE *pipe = popen(command.c_str(), "r");
  char buffer[256];
  while (size_t size = fread(buffer, 1, sizeof(buffer), pipe))
    output.append(buffer, size);
  pclose(pipe);
  return output;
}

/// Opens a file that cannot be opened.
static std::string openError(const std::string &path, nnrt_status_code &code) {
  nnrt_module *module = reinterpret_cast<nnrt_module *>(&code);
  std::string message = text(nnrt_module_open(path.c_str(), &module), &code);
  EXPECT_EQ(module, nullptr);
  return message;
}

#define EXPECT_OPEN_ERROR(path, expectedCode, part)                            \
  do {                                                                         \
    nnrt_status_code code;                                                     \
    std::string message = openError(path, code);                               \
    EXPECT_EQ(code, expectedCode) << message;                                  \
    EXPECT_NE(message.find(part), std::string::npos) << message;               \
  } while (false)

TEST(Module, DescribesTheModel) {
  TemporaryFile file;
  writeModel(file.path, makeManifest("affine"));
  ModulePtr module = open(file.path);
  ASSERT_TRUE(module);
  ASSERT_EQ(nnrt_module_num_inputs(module.get()), 1u);
  nnrt_tensor_info info;
  ASSERT_EQ(nnrt_module_input(module.get(), 0, &info), nullptr);
  EXPECT_STREQ(info.name, "x");
  EXPECT_EQ(info.onnx_type, 1);
  EXPECT_EQ(info.dtype.code, kDLFloat);
  EXPECT_EQ(info.dtype.bits, 32);
  ASSERT_EQ(info.rank, 2);
  EXPECT_EQ(info.dims[0], -1);
  EXPECT_EQ(info.dims[1], 4);
  EXPECT_STREQ(info.dim_names[0], "N");
  EXPECT_STREQ(info.dim_names[1], "");
  EXPECT_EQ(text(nnrt_module_output(module.get(), 1, &info)),
            "there is no output 1, only 1");
  EXPECT_STREQ(nnrt_module_variant(module.get()), "affine");
}

TEST(Module, KeepsMetadata) {
  TemporaryFile file;
  writeModel(file.path, makeManifest("affine"));
  ModulePtr module = open(file.path);
  ASSERT_TRUE(module);
  ASSERT_EQ(nnrt_module_num_metadata(module.get()), 2u);
  const char *key, *value;
  ASSERT_EQ(nnrt_module_metadata(module.get(), 1, &key, &value), nullptr);
  EXPECT_STREQ(key, "empty");
  EXPECT_STREQ(value, "");
  EXPECT_STREQ(nnrt_module_find_metadata(module.get(), "character"),
               "a\nb\n\xE4\xBD\xA0");
  EXPECT_EQ(nnrt_module_find_metadata(module.get(), "other"), nullptr);
}

TEST(Module, FilesThatAreNoModels) {
  TemporaryFile file;
  EXPECT_OPEN_ERROR(file.path, NNRT_NOT_FOUND, "No such file");
  EXPECT_OPEN_ERROR(file.folder, NNRT_DATA_LOSS, "not a regular file");
  writeFile(file.path, "");
  EXPECT_OPEN_ERROR(file.path, NNRT_DATA_LOSS, "it is empty");
  writeFile(file.path, "hello");
  EXPECT_OPEN_ERROR(file.path, NNRT_DATA_LOSS, "not a compiled model");
}

TEST(Module, DamagedFiles) {
  TemporaryFile file;
  writeModel(file.path, makeManifest("affine"));
  const std::string sound = readFile(file.path);
  writeFile(file.path, sound.substr(0, sound.size() - 100));
  EXPECT_OPEN_ERROR(file.path, NNRT_DATA_LOSS, "cut off");

  std::string damaged = sound;
  damaged[1000] ^= 1;
  writeFile(file.path, damaged);
  EXPECT_OPEN_ERROR(file.path, NNRT_DATA_LOSS, "the instructions do not have");

  damaged = sound;
  size_t weights = damaged.find(std::string("\0\0\x80\x3f\0\0\0\x40", 8),
                                damaged.size() / 4096 * 4096 - 4096);
  ASSERT_NE(weights, std::string::npos);
  damaged[weights + 3] ^= 1;
  writeFile(file.path, damaged);
  EXPECT_OPEN_ERROR(file.path, NNRT_DATA_LOSS, "the weights do not have");

  damaged = sound;
  damaged[damaged.size() - 60] ^= 1;
  writeFile(file.path, damaged);
  EXPECT_OPEN_ERROR(file.path, NNRT_DATA_LOSS, "manifest's checksum");
}

TEST(Module, CodedWeights) {
  TemporaryFile file;
  writeModel(file.path, makeManifest("affine"), {}, /*codesWeights=*/true);
  ModulePtr module = open(file.path);
  ASSERT_NE(module, nullptr);
  nnrt_module_memory_info memory;
  ASSERT_EQ(text(nnrt_module_memory(module.get(), &memory)), "");
  EXPECT_EQ(memory.weights, 80u);
  SessionPtr session = createSession(module.get());
  FloatTensor x({1, 4}, {1, 1, 1, 1}), y({1, 4});
  DLTensor input = x, output = y;
  ASSERT_EQ(text(nnrt_session_run(session.get(), &input, 1, &output, 1, nullptr)), "");
  EXPECT_EQ(y.values, std::vector<float>({11, 22, 33, 44}));

  // Bytes may be wrong though nobody looked at the checksum.
  session.reset();
  module.reset();
  std::string damaged = readFile(file.path);
  size_t image = damaged.find(std::string("\x50\0\0\0\0\0\0\0\2\0\0\0", 12));
  ASSERT_NE(image, std::string::npos);
  damaged[image + 8] = 3;
  writeFile(file.path, damaged);
  setenv("NNRT_VERIFY", "0", 1);
  EXPECT_OPEN_ERROR(file.path, NNRT_DATA_LOSS, "cannot be decoded");
  unsetenv("NNRT_VERIFY");
}

TEST(Module, OtherInterfaceVersion) {
  TemporaryFile file;
  Manifest manifest = makeManifest("affine");
  manifest.abiVersion += 1;
  writeModel(file.path, manifest);
  EXPECT_OPEN_ERROR(file.path, NNRT_INCOMPATIBLE, "runtime's interface");
  manifest.abiVersion -= 1;
  manifest.abiEntries += 1;
  writeModel(file.path, manifest);
  EXPECT_OPEN_ERROR(file.path, NNRT_INCOMPATIBLE, "runtime's interface");
}

TEST(Module, MissingEntryPoint) {
  TemporaryFile file;
  writeModel(file.path, makeManifest("absent"));
  EXPECT_OPEN_ERROR(file.path, NNRT_DATA_LOSS,
                    "no entry point 'nnrt_model_run_absent'");
}

TEST(Module, UnknownElementType) {
  TemporaryFile file;
  Manifest manifest = makeManifest("affine");
  manifest.inputs[0].type = 99;
  writeModel(file.path, manifest);
  EXPECT_OPEN_ERROR(file.path, NNRT_INCOMPATIBLE,
                    "input 'x' has element type 99");
}

TEST(Module, BestVariantThatTheCpuCanRun) {
  TemporaryFile file;
  Manifest manifest = makeManifest("affine");
  Section better = manifest.sections[0];
  better.name = "better";
  better.target = "x86-64,hovercraft";
  manifest.sections.insert(manifest.sections.begin(), better);
  writeModel(file.path, manifest);
  EXPECT_STREQ(nnrt_module_variant(open(file.path).get()), "affine");

  setenv("NNRT_VARIANT", "better", 1);
  EXPECT_OPEN_ERROR(file.path, NNRT_INCOMPATIBLE, "better needs hovercraft");
  setenv("NNRT_VARIANT", "best", 1);
  EXPECT_OPEN_ERROR(file.path, NNRT_NOT_FOUND, "it has: better, affine");
  unsetenv("NNRT_VARIANT");

  manifest.sections.pop_back();
  writeModel(file.path, manifest);
  EXPECT_OPEN_ERROR(file.path, NNRT_INCOMPATIBLE, "--mcpu");
}

TEST(Module, NewFileUnderTheSameNameIsLoaded) {
  TemporaryFile file;
  writeModel(file.path, makeManifest("affine"));
  ModulePtr first = open(file.path);
  writeModel(file.path + ".new", makeManifest("silent"));
  ASSERT_EQ(std::rename((file.path + ".new").c_str(), file.path.c_str()), 0);
  ModulePtr second = open(file.path);
  EXPECT_STREQ(nnrt_module_variant(first.get()), "affine");
  EXPECT_STREQ(nnrt_module_variant(second.get()), "silent");
}

TEST(Module, OverwrittenWhileOpen) {
  TemporaryFile file;
  writeModel(file.path, makeManifest("affine"));
  ModulePtr first = open(file.path);
  // A new time stamp stands for it: to really overwrite the code of a loaded
  // library crashes the process.
  namespace fs = std::filesystem;
  fs::last_write_time(file.path,
                      fs::last_write_time(file.path) - std::chrono::hours(1));
  EXPECT_OPEN_ERROR(file.path, NNRT_DATA_LOSS, "was overwritten while");
}

TEST(Module, ManyThreadsOpenTheSameFile) {
  TemporaryFile file;
  writeModel(file.path, makeManifest("affine"));
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        ModulePtr module = open(file.path);
        SessionPtr session = createSession(module.get());
        EXPECT_TRUE(session);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

TEST(Module, NullArguments) {
  nnrt_module *module;
  nnrt_status_code code;
  EXPECT_EQ(text(nnrt_module_open(nullptr, &module), &code), "path is null");
  EXPECT_EQ(code, NNRT_INVALID_ARGUMENT);
  EXPECT_EQ(text(nnrt_module_open("x", nullptr)), "module is null");
  EXPECT_EQ(nnrt_module_num_inputs(nullptr), 0u);
  EXPECT_EQ(nnrt_module_find_metadata(nullptr, "x"), nullptr);
  nnrt_module_free(nullptr);
  nnrt_session_free(nullptr);
  nnrt_status_free(nullptr);
  EXPECT_EQ(nnrt_status_get_code(nullptr), NNRT_OK);
  EXPECT_STREQ(nnrt_status_message(nullptr), "");
  EXPECT_STRNE(nnrt_version(), "");
}

//===----------------------------------------------------------------------===//
// oneDNN
//===----------------------------------------------------------------------===//

#ifdef NNRT_TEST_ONEDNN

TEST(OneDNNModule, RunsByThePlugin) {
  TemporaryFile file;
  Manifest manifest = makeManifest("matmul", 1);
  manifest.flags = NeedsOneDNN;
  writeModel(file.path, manifest);
  ModulePtr module = open(file.path);
  ASSERT_TRUE(module);
  for (int threads : {1, 2}) {
    SessionPtr session = createSession(module.get(), threads);
    FloatTensor x({2, 4}, {1, 1, 1, 1, 1, 0, 0, -1});
    DLTensor in = x, out = {};
    ASSERT_EQ(text(nnrt_session_run(session.get(), &in, 1, &out, 1, nullptr)),
              "");
    EXPECT_EQ(values(out), (std::vector<float>{10, 0})); // -3 before the relu
    EXPECT_GT(nnrt_session_memory(session.get()), 0u);
  }
}

TEST(OneDNNModule, CallThatTheManifestDoesNotAnnounce) {
  TemporaryFile file;
  writeModel(file.path, makeManifest("matmul", 1));
  ModulePtr module = open(file.path);
  SessionPtr session = createSession(module.get());
  FloatTensor x({2, 4});
  DLTensor in = x, out = {};
  EXPECT_NE(text(nnrt_session_run(session.get(), &in, 1, &out, 1, nullptr))
                .find("its manifest does not name"),
            std::string::npos);
}

// With a copy of libnnrt in a folder without the plugin, in a process of its
// own: see Inputs/open.c.
static std::string openWithCopy(const TemporaryFile &file,
                                const std::string &environment) {
  std::filesystem::copy_file(NNRT_TEST_LIBRARY, file.folder + "/libnnrt.so.0",
                             std::filesystem::copy_options::skip_existing);
  std::string command = "LD_LIBRARY_PATH=" + file.folder + " " + environment +
                        " " NNRT_TEST_OPEN " " + file.path + " 2>&1";
  return outputOf(command);
}

TEST(OneDNNModule, PluginThatIsMissing) {
  TemporaryFile file;
  Manifest manifest = makeManifest("matmul", 1);
  manifest.flags = NeedsOneDNN;
  writeModel(file.path, manifest);
  std::string error = openWithCopy(file, "");
  EXPECT_EQ(error.find("4: this model calls oneDNN, and libnnrt_onednn.so "),
            0u)
      << error;
  EXPECT_NE(error.find("NNRT_LIBRARY_PATH"), std::string::npos) << error;
  EXPECT_NE(error.find(file.folder + "/libnnrt_onednn.so: cannot open"),
            std::string::npos)
      << error;

  std::string folder =
      std::filesystem::path(NNRT_TEST_LIBRARY).parent_path().string();
  EXPECT_EQ(openWithCopy(file, "NNRT_LIBRARY_PATH=/nonexistent:" + folder),
            "opened matmul\n");
}

TEST(OneDNNModule, VerboseSaysWhatIsDone) {
  TemporaryFile file;
  Manifest manifest = makeManifest("matmul", 1);
  manifest.flags = NeedsOneDNN;
  writeModel(file.path, manifest);
  std::string folder =
      std::filesystem::path(NNRT_TEST_LIBRARY).parent_path().string();
  std::string output = openWithCopy(
      file, "NNRT_VERBOSE=1 NNRT_LIBRARY_PATH=" + folder + " NNRT_VERIFY=1");
  for (const char *line :
       {"nnrt: variant matmul: this CPU has x86-64\n", "nnrt: verify ",
        " bytes, 80 of them weights, by a test\n", "oneDNN 3."})
    EXPECT_NE(output.find(line), std::string::npos) << line << "\n" << output;
}

#endif

#ifdef NNRT_TEST_EXAMPLE
TEST(Example, RunModel) {
  TemporaryFile file;
  writeModel(file.path, makeManifest("affine"));
  EXPECT_EQ(outputOf(NNRT_TEST_EXAMPLE " " + file.path + " N=2"),
            "input  x: N x 4 of DLPack type (2, 32 bits)\n"
            "output y: N x 4 of DLPack type (2, 32 bits)\n"
            "y = [2, 4]: 10 20 30 40 10 20 30 40\n");
  EXPECT_EQ(outputOf(NNRT_TEST_EXAMPLE " /nonexistent 2>&1"),
            "error: cannot open '/nonexistent': No such file or directory\n");
}
#endif
