//===- Scores.h - what handlers of ai.onnx.ml share -------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Operators of ai.onnx.ml become the operators that plain models have. Where ONNX does not
// say what they compute, they do what ONNX Runtime does
// (onnxruntime/core/providers/cpu/ml).
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_IMPORT_ONNX_ML_SCORES_H
#define NN_LIB_IMPORT_ONNX_ML_SCORES_H

#include "../Registry.h"
#include "../ShapeMath.h"
#include "../Values.h"

namespace mlir::nn::importer {

constexpr llvm::StringLiteral classicalML = "ai.onnx.ml";

/// A constant of numbers, which are rounded to the element type.
Value makeTable(NodeBinder &node, ArrayRef<double> numbers, ArrayRef<int64_t> shape,
                Type elementType);
inline Value makeTable(NodeBinder &node, ArrayRef<float> numbers, ArrayRef<int64_t> shape,
                       Type elementType) {
  return makeTable(node, SmallVector<double>(numbers.begin(), numbers.end()), shape,
                   elementType);
}

/// A matrix of rows of features; a list is one row. Reports other ranks.
Value asRows(NodeBinder &node, Value operand, Type elementType);
/// The operand with a last dimension of `count`, which the run checks if it is not known.
Value fixFeatures(NodeBinder &node, Value operand, int64_t count);

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// What attribute 'post_transform' does to the scores of each row.
enum class Transform { None, Softmax, Logistic, SoftmaxZero, Probit };

NodeBinder &bindTransform(NodeBinder &node, Transform &transform);
/// Transforms scores N x classes. Single scores stay as they are, but with Probit.
Value transformScores(NodeBinder &node, Value scores, Transform transform);
/// Scores N x 2 of two classes, given those of the second, N x 1: as `1 - s` and `s` if they
/// are probabilities, else as `-s` and `s`, or what the logistic function makes of these.
Value addFirstScore(NodeBinder &node, Value scores, bool areProbabilities,
                    Transform transform);

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

/// The labels of classes: numbers, or names, of which the numbers are places.
struct ClassLabels : SmallVector<int64_t> {
  SmallVector<std::string> names;
};

/// From attribute `name`, or 'classlabels_strings'.
NodeBinder &bindLabels(NodeBinder &node, StringRef name, ClassLabels &labels);
/// Sets the first output to labels that were picked, or to their names.
LogicalResult setLabels(NodeBinder &node, Value picked, const ClassLabels &labels);
/// The labels (i64) of the classes with the largest score in each row.
Value pickBest(NodeBinder &node, Value scores, ArrayRef<int64_t> labels);
/// `positive` where a score N x 1 is above the limit, else `negative`.
Value pickByLimit(NodeBinder &node, Value score, double limit, int64_t negative,
                  int64_t positive);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_ML_SCORES_H
