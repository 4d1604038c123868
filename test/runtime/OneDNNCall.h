//===- OneDNNCall.h - Calls of the oneDNN plugin for tests ------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_TEST_ONEDNNCALL_H
#define NNRT_TEST_ONEDNNCALL_H

#include "CPU/Threads.h"
#include "Core/Library.h"

#include <map>
#include <string>
#include <vector>

namespace nnrt {
namespace test {

/// A dense f32 tensor. Values are small and repeat, so that they are exact in
/// half precision too.
struct Array {
  Array() = default;
  explicit Array(std::vector<int64_t> dims, int seed = 0);
  std::vector<int64_t> dims;
  std::vector<float> values;

  int64_t rank() const { return int64_t(dims.size()); }
  int64_t size() const { return int64_t(values.size()); }
  /// Element at numpy-broadcast coordinates of a tensor of higher rank.
  float at(const std::vector<int64_t> &index) const;
  /// The same with dims permuted.
  Array transposed(const std::vector<int> &permutation) const;
};

/// N, C, spatial -> N, spatial, C, and back.
Array toChannelsLast(const Array &array);
Array toChannelsFirst(const Array &array);

/// Calls `visit` with each index of a shape.
template <typename Visit>
void forEachIndex(const std::vector<int64_t> &dims, Visit visit) {
  std::vector<int64_t> index(dims.size());
  int64_t count = 1;
  for (int64_t dim : dims)
    count *= dim;
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i;
    for (size_t d = dims.size(); d-- > 0;) {
      index[d] = rest % dims[d];
      rest /= dims[d];
    }
    visit(index, i);
  }
}

/// The plugin, its module and sessions.
class Plugin {
public:
  Plugin();
  ~Plugin();
  /// Executes on the session of that many threads. "" or the error.
  std::string execute(const nnrt_abi_onednn_site &site,
                      const std::vector<nnrt_abi_tensor> &args,
                      int threads = 1);
  LibrarySession *session(int threads);
  Threads &threads(int count);
  /// Takes another session of that many threads from here on, and frees the one
  /// before.
  void exchangeSession(int threads, LibrarySession *session);

  const Library *table = nullptr;
  LibraryModule *module = nullptr;
  LibraryError error;
  /// What NNRT_VERBOSE would have printed.
  static std::vector<std::string> log;

private:
  std::map<int, Threads> threadsOf;
  std::map<int, LibrarySession *> sessions;
};

/// A site with defaults: one group, strides and dilations of 1, no pads.
nnrt_abi_onednn_site makeSite(nnrt_abi_onednn_kind kind, int spatialRank = 0);

/// A view of a f32 array.
nnrt_abi_tensor view(Array &array);

/// Post-ops; `algorithm` is oneDNN's (dnnl_alg_kind_t).
nnrt_abi_onednn_post_op eltwise(int algorithm, float alpha = 0, float beta = 0);
nnrt_abi_onednn_post_op binary(int algorithm, int argument);

/// Fails the test unless the values agree, but for `tolerance` of the largest.
void expectClose(const Array &got, const Array &want, float tolerance = 1e-5f);

} // namespace test
} // namespace nnrt

#endif // NNRT_TEST_ONEDNNCALL_H
