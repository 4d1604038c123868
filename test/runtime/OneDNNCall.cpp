//===- OneDNNCall.cpp - Calls of the oneDNN plugin for tests --------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "OneDNNCall.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <dlfcn.h>

namespace nnrt {
namespace test {

Array::Array(std::vector<int64_t> shape, int seed) : dims(std::move(shape)) {
  int64_t size = 1;
  for (int64_t dim : dims)
    size *= dim;
  for (int64_t i = 0; i < size; ++i)
    values.push_back(float((i * 7 + seed * 5) % 23 - 11) / 8);
}

float Array::at(const std::vector<int64_t> &index) const {
  int64_t offset = 0;
  size_t skipped = index.size() - dims.size();
  for (size_t d = 0; d < dims.size(); ++d)
    offset = offset * dims[d] + (dims[d] == 1 ? 0 : index[d + skipped]);
  return values[offset];
}

Array Array::transposed(const std::vector<int> &permutation) const {
  Array result;
  for (int from : permutation)
    result.dims.push_back(dims[from]);
  result.values.resize(values.size());
  forEachIndex(result.dims, [&](const std::vector<int64_t> &index, int64_t i) {
    std::vector<int64_t> source(index.size());
    for (size_t d = 0; d < index.size(); ++d)
      source[permutation[d]] = index[d];
    result.values[i] = at(source);
  });
  return result;
}

Array toChannelsLast(const Array &array) {
  std::vector<int> permutation = {0};
  for (int d = 2; d < array.rank(); ++d)
    permutation.push_back(d);
  permutation.push_back(1);
  return array.transposed(permutation);
}

Array toChannelsFirst(const Array &array) {
  std::vector<int> permutation = {0, int(array.rank()) - 1};
  for (int d = 1; d + 1 < array.rank(); ++d)
    permutation.push_back(d);
  return array.transposed(permutation);
}

std::vector<std::string> Plugin::log;

static void print(const char *format, ...) {
  char line[1024];
  va_list args;
  va_start(args, format);
  std::vsnprintf(line, sizeof(line), format, args);
  va_end(args);
  Plugin::log.push_back(line);
}

Plugin::Plugin() {
  static const LibraryHost host = {[] { return 2; }, print};
  void *handle = dlopen(NNRT_TEST_PLUGIN, RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    std::fprintf(stderr, "%s\n", dlerror());
    std::abort();
  }
  auto *function = reinterpret_cast<LibraryFunction *>(
      dlsym(handle, "nnrt_onednn_plugin"));
  table = function(libraryTableVersion, &host);
  module = table->createModule();
  log.clear();
}

Plugin::~Plugin() {
  for (auto &each : sessions)
    table->destroySession(each.second);
  table->destroyModule(module);
}

Threads &Plugin::threads(int count) {
  return threadsOf.try_emplace(count, count, /*withOneDNN=*/true).first->second;
}

LibrarySession *Plugin::session(int threads) {
  LibrarySession *&session = sessions[threads];
  if (!session)
    session = table->createSession(module, &this->threads(threads));
  return session;
}

void Plugin::exchangeSession(int threads, LibrarySession *session) {
  if (LibrarySession *before = std::exchange(sessions[threads], session))
    table->destroySession(before);
}

std::string Plugin::execute(const nnrt_abi_onednn_site &site,
                            const std::vector<nnrt_abi_tensor> &args,
                            int threads) {
  int32_t result = 0;
  LibrarySession *on = session(threads);
  this->threads(threads).run(
      [&] { result = table->execute(on, &site, args.data(), &error); });
  return result ? error.message : "";
}

nnrt_abi_onednn_site makeSite(nnrt_abi_onednn_kind kind, int spatialRank) {
  nnrt_abi_onednn_site site = {};
  site.kind = kind;
  site.spatial_rank = spatialRank;
  site.groups = 1;
  for (int i = 0; i < 3; ++i)
    site.kernel[i] = site.strides[i] = site.dilations[i] = 1;
  site.name = "Node_1";
  return site;
}

nnrt_abi_tensor view(Array &array) {
  nnrt_abi_tensor tensor = {};
  tensor.data = array.values.data();
  tensor.dims = array.dims.data();
  tensor.rank = int32_t(array.rank());
  tensor.type = NNRT_ABI_F32;
  return tensor;
}

nnrt_abi_onednn_post_op eltwise(int algorithm, float alpha,
                                float beta) {
  return {NNRT_ABI_ONEDNN_ELTWISE, algorithm, alpha, beta, 0, 0};
}

nnrt_abi_onednn_post_op binary(int algorithm, int argument) {
  return {NNRT_ABI_ONEDNN_BINARY, algorithm, 0, 0, argument, 0};
}

void expectClose(const Array &got, const Array &want, float tolerance) {
  ASSERT_EQ(got.dims, want.dims);
  float largest = 0.01f;
  for (float v : want.values)
    largest = std::max(largest, std::fabs(v));
  for (int64_t i = 0; i < want.size(); ++i)
    ASSERT_NEAR(got.values[i], want.values[i], tolerance * largest)
        << "element " << i;
}

} // namespace test
} // namespace nnrt
