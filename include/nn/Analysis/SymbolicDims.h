//===- SymbolicDims.h - sizes as expressions of the model's inputs -*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Follows shapes and the contents of shape tensors through a function. Every dimension
// of every value becomes an expression over the dimensions of the function's arguments
// (equal `nn.dim_names` are one symbol), so that equal expressions prove equal sizes at
// run time. A size that depends on data is a new symbol where it first appears.
//
// The analysis is a snapshot: after a change to the function, make a new one.
//
//===----------------------------------------------------------------------===//

#ifndef NN_ANALYSIS_SYMBOLICDIMS_H
#define NN_ANALYSIS_SYMBOLICDIMS_H

#include "dialects/NN/IR/NN.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::nn {

class SymbolicDims : public ShapeEnv {
public:
  explicit SymbolicDims(func::FuncOp function);

  /// Expressions for the dimensions of a ranked tensor of the function.
  Dims getDims(Value tensor) override;
  /// Expressions for the elements of a small integer tensor.
  Contents getContents(Value tensor) override;
  /// True if the contents of the value are expressions of dimensions, and not just
  /// its own elements, read at run time.
  bool knowsContents(Value tensor);

  /// True if both sizes are equal for all inputs.
  bool proveEqual(Dim lhs, Dim rhs) override;
  bool haveSameShape(Value lhs, Value rhs);
  /// True if the size is known to be the constant.
  bool isConstant(Dim dim, int64_t value);
  /// True if `from` broadcasts to exactly the shape of `to`, with each of its
  /// dimensions either provably 1 or provably equal.
  bool broadcastsTo(Value from, Value to);

  /// The expression in a normal form.
  Dim simplify(Dim dim);
  /// The value of the expression if a leading dimension is 1 and every other unknown
  /// dimension is `nominal`; for comparing costs.
  int64_t estimate(Dim dim, int64_t nominal = 64);
  /// The number of elements of a tensor, estimated in the same way.
  int64_t estimateElements(Value tensor, int64_t nominal = 64);

  /// Follows an operation that was created after the analysis was made; its
  /// operands must be known.
  void visit(Operation *op);
  /// Records that a value created later has the shape and contents of another.
  void inherit(Value created, Value from);
  /// To be called before an operation is erased while the analysis is in use: another may
  /// be created at the same address.
  void forget(Operation *op);

private:
  void visitFusion(FusionOp fusion);
  void record(Value value, const InferredTensor &inferred);
  void recordContents(Value value, const Contents &found);
  Dim getScalar(Value scalar);
  int64_t estimateSymbol(const Symbol &symbol, int64_t nominal);

  DenseMap<Value, Dims> dims;
  DenseMap<Value, Dims> contents;
  /// By symbol and nominal size: definitions refer to each other many times.
  DenseMap<std::pair<unsigned, int64_t>, int64_t> estimates;
};

} // namespace mlir::nn

#endif // NN_ANALYSIS_SYMBOLICDIMS_H
