//===- TestModel.h - Compiled models for tests ------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_TEST_TESTMODEL_H
#define NNRT_TEST_TESTMODEL_H

#include "Core/ModelFile.h"
#include "nnrt/nnrt.h"

#include <memory>
#include <string>
#include <vector>

namespace nnrt {
namespace test {

/// A file in a folder of its own that goes away with it.
class TemporaryFile {
public:
  TemporaryFile();
  ~TemporaryFile();
  std::string folder, path;
};

std::string readFile(const std::string &path);
void writeFile(const std::string &path, const std::string &bytes);

/// The manifest of a model in Inputs/model.c: x [N, 4] -> y [N, `columns`],
/// with two kernels and some metadata.
Manifest makeManifest(const std::string &entry, int64_t columns = 4);

/// Writes the library of Inputs/model.c with that manifest and the weights
/// {1, 2, 3, 4} and {10, 20, 30, 40}.
void writeModel(const std::string &path, Manifest manifest,
                const std::vector<DeviceCodeBlob> &deviceCode = {}, bool codesWeights = false);

struct FreeHandle {
  void operator()(nnrt_module *module) const { nnrt_module_free(module); }
  void operator()(nnrt_session *session) const { nnrt_session_free(session); }
};
using ModulePtr = std::unique_ptr<nnrt_module, FreeHandle>;
using SessionPtr = std::unique_ptr<nnrt_session, FreeHandle>;

/// The text of a status, which is freed; "" for success. `code` may be null.
std::string text(nnrt_status *status, nnrt_status_code *code = nullptr);

/// These fail the test, and give null, if they cannot.
ModulePtr open(const std::string &path);
SessionPtr createSession(const nnrt_module *module, int threads = 1,
                         bool profile = false);

/// A row-major f32 tensor that owns what its DLTensor points to.
struct FloatTensor {
  FloatTensor(std::vector<int64_t> dims, std::vector<float> values);
  explicit FloatTensor(std::vector<int64_t> dims);
  operator DLTensor();
  std::vector<int64_t> dims;
  std::vector<float> values;
};

/// The elements of a f32 result.
std::vector<float> values(const DLTensor &tensor);

} // namespace test
} // namespace nnrt

#endif // NNRT_TEST_TESTMODEL_H
