//===- Mutations.h - models as an enemy would write them --------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TEST_IMPORT_MUTATED_MUTATIONS_H
#define NN_TEST_IMPORT_MUTATED_MUTATIONS_H

#include "onnx/onnx_pb.h"
#include <cstdint>
#include <string>
#include <vector>

namespace mlir::nn::mutated {

/// The same numbers for the same seed, with every library and compiler.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}
  uint64_t next();
  /// 0 to `bound` - 1; 0 if there are none.
  size_t below(size_t bound) { return bound ? next() % bound : 0; }
  bool oneIn(size_t n) { return below(n) == 0; }
  template <typename T> T &pick(std::vector<T> &from) {
    return from[below(from.size())];
  }
  template <typename T, size_t N> const T &pick(const T (&from)[N]) {
    return from[below(N)];
  }
  /// A size, an axis or an index, rarely a sensible one.
  int64_t number();

private:
  uint64_t state;
};

/// Changes the model's meaning: its graphs, nodes, attributes, tensors, types,
/// functions. Says in `what`, with a name for each, which changes were made.
/// `operators` are the names that a node's operator may be replaced by.
void mutateModel(onnx::ModelProto &model, Random &random,
                 const std::vector<std::string> &operators, std::string &what);

/// Changes bytes, as a bad disk or transfer would.
void mutateBytes(std::string &bytes, Random &random, std::string &what);

} // namespace mlir::nn::mutated

#endif // NN_TEST_IMPORT_MUTATED_MUTATIONS_H
