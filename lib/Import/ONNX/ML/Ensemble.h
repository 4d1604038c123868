//===- Ensemble.h - the scores of decision trees ----------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_IMPORT_ONNX_ML_ENSEMBLE_H
#define NN_LIB_IMPORT_ONNX_ML_ENSEMBLE_H

#include "Forest.h"
#include "Scores.h"

namespace mlir::nn::importer {

enum class Aggregate { Average, Sum, Min, Max };

struct LeafWeight {
  int64_t leaf; ///< The node.
  int64_t target;
  double weight;
};

/// Trees whose leaves have weights for targets or classes.
struct Ensemble {
  std::vector<TreeNode> nodes;
  std::vector<int64_t> roots;
  std::vector<LeafWeight> weights;
  int64_t numTargets = 0;

  struct Scores {
    Value values; ///< N x targets; 0 where no leaf that was reached has a weight.
    Value exist;  ///< Whether one has, i1; null if that is so for all.
    /// For each target, whether every row comes to a leaf with a weight for it.
    std::vector<bool> areCertain;
  };
  /// In the type that features are compared in. Null values if something is wrong.
  Scores evaluate(NodeBinder &node, Value input, Aggregate aggregate) const;
};

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_ML_ENSEMBLE_H
