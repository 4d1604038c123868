//===- Forest.h - decision trees as tables ----------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Trees of ai.onnx.ml have seven kinds of tests, and missing values (NaN) that may count as
// true. All of it becomes one test, `x[column] <= threshold`, which NaN never passes:
//
//  - `x < t` is `x <= t'`, where t' is the next float below t;
//  - tests that NaN passes are the negation of others, with the two children exchanged;
//  - `x > t` is `-x < -t`, on columns with negated features;
//  - sets (and chains of equalities) are searched by their sorted numbers.
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_IMPORT_ONNX_ML_FOREST_H
#define NN_LIB_IMPORT_ONNX_ML_FOREST_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>
#include <string>
#include <vector>

namespace mlir::nn::importer {

/// As ONNX numbers them; Member is equality to any of a set.
enum class TreeTest : uint8_t { LessOrEqual, Less, GreaterOrEqual, Greater, Equal, NotEqual,
                                Member, Leaf };

struct TreeNode {
  TreeTest test = TreeTest::Leaf;
  int64_t feature = 0;
  double threshold = 0;
  std::vector<double> members; ///< Of Member.
  bool isMissingTrue = false;  ///< Whether NaN passes the test.
  int64_t ifTrue = 0, ifFalse = 0;
};

/// Where each tree starts, and all nodes that can be reached; the leaves are the last ones.
struct TreeTables {
  std::vector<int64_t> roots;
  std::vector<int64_t> columns; ///< Feature numbers; those of negated ones come after all.
  std::vector<double> thresholds;
  std::vector<int64_t> ifTrue, ifFalse; ///< A leaf is its own child.
  std::vector<int64_t> leaves;          ///< For each leaf, which given node it is.
  int64_t numInner = 0;
  int64_t depth = 0; ///< The number of tests until each tree has come to a leaf.
  bool hasNegated = false;

  int64_t getNumNodes() const { return columns.size(); }
};

/// The tables, or what is wrong with the nodes. Thresholds are f32 or f64; they have the
/// precision of the features that they are compared to.
std::optional<TreeTables> makeTreeTables(llvm::ArrayRef<TreeNode> nodes,
                                         llvm::ArrayRef<int64_t> roots, int64_t numFeatures,
                                         bool isDouble, std::string &problem);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_ML_FOREST_H
