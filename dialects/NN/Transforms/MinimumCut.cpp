//===- MinimumCut.cpp - two-way labelling at minimum cost -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/Transforms/MinimumCut.h"
#include <algorithm>

using namespace mlir::nn;

unsigned MinimumCut::addNode() {
  edges.emplace_back();
  return edges.size() - 1;
}

void MinimumCut::addCost(unsigned from, unsigned to, int64_t cost) {
  if (from == to || cost <= 0)
    return;
  edges[from].push_back({to, edges[to].size(), cost});
  edges[to].push_back({from, edges[from].size() - 1, 0});
}

bool MinimumCut::computeLevels() {
  level.assign(edges.size(), -1);
  std::vector<unsigned> queue = {first};
  level[first] = 0;
  for (size_t i = 0; i < queue.size(); ++i)
    for (const Edge &edge : edges[queue[i]])
      if (edge.capacity > 0 && level[edge.to] < 0) {
        level[edge.to] = level[queue[i]] + 1;
        queue.push_back(edge.to);
      }
  return level[second] >= 0;
}

int64_t MinimumCut::push(unsigned start, int64_t limit) {
  if (start == second)
    return limit;
  // Depth-first search with an explicit stack: chains are as long as the model.
  std::vector<unsigned> path = {start};
  while (!path.empty()) {
    unsigned node = path.back();
    if (node == second) {
      int64_t flow = limit;
      for (size_t i = 0; i + 1 < path.size(); ++i)
        flow = std::min(flow, edges[path[i]][next[path[i]]].capacity);
      for (size_t i = 0; i + 1 < path.size(); ++i) {
        Edge &edge = edges[path[i]][next[path[i]]];
        edge.capacity -= flow;
        edges[edge.to][edge.reverse].capacity += flow;
      }
      return flow;
    }
    bool advanced = false;
    for (; next[node] < edges[node].size(); ++next[node]) {
      const Edge &edge = edges[node][next[node]];
      if (edge.capacity > 0 && level[edge.to] == level[node] + 1) {
        path.push_back(edge.to);
        advanced = true;
        break;
      }
    }
    if (advanced)
      continue;
    level[node] = -2; // A dead end in this phase.
    path.pop_back();
  }
  return 0;
}

void MinimumCut::solve() {
  while (computeLevels()) {
    next.assign(edges.size(), 0);
    while (push(first, infinite) > 0) {
    }
  }
}
