//===- MinimumCut.h - two-way labelling at minimum cost ---------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Nodes get one of two labels so that the total cost of edges from nodes with the first
// label to nodes with the second is minimal: a minimum cut, found as a maximum flow
// (Dinic's algorithm).
//
//===----------------------------------------------------------------------===//

#ifndef NN_DIALECTS_NN_TRANSFORMS_MINIMUMCUT_H
#define NN_DIALECTS_NN_TRANSFORMS_MINIMUMCUT_H

#include <cstdint>
#include <vector>

namespace mlir::nn {

class MinimumCut {
public:
  static constexpr int64_t infinite = int64_t(1) << 60;
  /// Always have the first and the second label.
  static constexpr unsigned first = 0, second = 1;

  MinimumCut() : edges(2) {}

  unsigned addNode();
  /// `cost` applies if `from` has the first label and `to` the second.
  void addCost(unsigned from, unsigned to, int64_t cost);
  /// Computes the labels. Among equal solutions, chooses the one with the fewest first
  /// labels.
  void solve();
  /// After solve().
  bool isFirst(unsigned node) const { return level[node] >= 0; }

private:
  struct Edge {
    unsigned to;
    size_t reverse; // index in edges[to]
    int64_t capacity;
  };
  bool computeLevels();
  int64_t push(unsigned node, int64_t limit);

  std::vector<std::vector<Edge>> edges;
  std::vector<int64_t> level;
  std::vector<size_t> next;
};

} // namespace mlir::nn

#endif // NN_DIALECTS_NN_TRANSFORMS_MINIMUMCUT_H
