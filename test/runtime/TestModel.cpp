//===- TestModel.cpp - Compiled models for tests --------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "TestModel.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include <stdlib.h>

namespace nnrt {
namespace test {

TemporaryFile::TemporaryFile() {
  std::string pattern =
      (std::filesystem::temp_directory_path() / "nnrt-test-XXXXXX").string();
  folder = mkdtemp(pattern.data()) ? pattern : ".";
  path = folder + "/model.so";
}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

void writeFile(const std::string &path, const std::string &bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), bytes.size());
}

Manifest makeManifest(const std::string &entry, int64_t columns) {
  Manifest manifest;
  manifest.producer = "a test";
  Section code;
  code.kind = SectionKind::Code;
  code.name = entry;
  code.target = "x86-64";
  code.symbol = "nnrt_model_run_" + entry;
  manifest.sections.push_back(code);
  manifest.inputs.push_back({"x", NNRT_ABI_F32, {-1, 4}, {"N", ""}});
  manifest.outputs.push_back({"y", NNRT_ABI_F32, {-1, columns}, {"N", ""}});
  manifest.kernels.push_back({"copy", "Identity_1"});
  manifest.kernels.push_back({"elementwise", "Mul_0 + Add_0"});
  manifest.metadata = {{"character", "a\nb\n\xE4\xBD\xA0"}, {"empty", ""}};
  return manifest;
}

void writeModel(const std::string &path, Manifest manifest,
                const std::vector<DeviceCodeBlob> &deviceCode, bool codesWeights) {
  static const float weight[4] = {1, 2, 3, 4}, bias[4] = {10, 20, 30, 40};
  writeFile(path, readFile(NNRT_TEST_MODEL));
  std::vector<WeightBlob> blobs = {{0, weight, sizeof(weight), sizeof(float)},
                                   {64, bias, sizeof(bias), sizeof(float)}};
  ASSERT_EQ(appendToLibrary(path, blobs, manifest, deviceCode, codesWeights), "");
}

std::string text(nnrt_status *status, nnrt_status_code *code) {
  std::string message = nnrt_status_message(status);
  if (code)
    *code = nnrt_status_get_code(status);
  nnrt_status_free(status);
  return message;
}

ModulePtr open(const std::string &path) {
  nnrt_module *module = nullptr;
  EXPECT_EQ(text(nnrt_module_open(path.c_str(), &module)), "");
  return ModulePtr(module);
}

SessionPtr createSession(const nnrt_module *module, int threads, bool profile) {
  nnrt_session *session = nullptr;
  nnrt_session_options options = {sizeof(options), threads, profile};
  EXPECT_EQ(text(nnrt_session_create(module, &options, &session)), "");
  return SessionPtr(session);
}

FloatTensor::FloatTensor(std::vector<int64_t> dims, std::vector<float> values)
    : dims(std::move(dims)), values(std::move(values)) {}

FloatTensor::FloatTensor(std::vector<int64_t> shape) : dims(std::move(shape)) {
  int64_t size = 1;
  for (int64_t dim : dims)
    size *= dim;
  for (int64_t i = 0; i < size; ++i)
    values.push_back(static_cast<float>(i));
}

FloatTensor::operator DLTensor() {
  DLTensor tensor = {};
  tensor.data = values.data();
  tensor.device = {kDLCPU, 0};
  tensor.ndim = static_cast<int32_t>(dims.size());
  tensor.dtype = {kDLFloat, 32, 1};
  tensor.shape = dims.data();
  return tensor;
}

std::vector<float> values(const DLTensor &tensor) {
  int64_t size = 1;
  for (int i = 0; i < tensor.ndim; ++i)
    size *= tensor.shape[i];
  auto *data = reinterpret_cast<const float *>(
      static_cast<const char *>(tensor.data) + tensor.byte_offset);
  return std::vector<float>(data, data + size);
}

} // namespace test
} // namespace nnrt
