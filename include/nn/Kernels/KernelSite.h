//===- KernelSite.h - where a kernel is made and called ---------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The frame that all templates use: it collects a kernel's inputs, makes its function,
// and replaces the operator by a call. A template
//
//   1. looks at the FusionView, and returns failure if it cannot handle it;
//   2. adds inputs (addInput, addConstant), and calls `begin`;
//   3. emits code for the iterations [begin, end);
//   4. calls `finish` with the number of iterations.
//
// Emission may fail at any time; `abandon` then removes everything that was made.
//
//===----------------------------------------------------------------------===//

#ifndef NN_KERNELS_KERNELSITE_H
#define NN_KERNELS_KERNELSITE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "nn/Kernels/BodyEmitter.h"
#include "nn/Target/CostModel.h"

namespace mlir::nn {

class KernelSite {
public:
  /// The insertion point of `host` is before the root.
  KernelSite(const FusionView &view, OpBuilder &host, const CostModel &costs);
  const CostModel &getCosts() const { return costs; }
  const Thresholds &getThresholds() const { return costs.getThresholds(); }
  int64_t getVectorBits() const { return vectorBits; }

  const FusionView &view;
  OpBuilder &host;

  /// Makes a leaf (a value of the body) an input of the kernel; returns its number.
  unsigned addInput(Value leaf);
  /// The same for a tensor of the function.
  unsigned addTensor(Value tensor);
  void addInputs(const llvm::SetVector<Value> &leaves);
  /// Makes a constant that the template computed an input; returns its number.
  unsigned addConstant(ElementsAttr value);
  /// Emits, in the function, a check that a size known only at run time is 1 or that of
  /// the result.
  void checkBroadcast(Value leaf, int64_t dim, Value wanted);
  /// The same for a size of a tensor of the function that must be `wanted` (index), or the
  /// run ends with `message`. No check if both are known: verifiers have compared them.
  void checkSize(Value tensor, int64_t dim, Value wanted, const Twine &message);

  /// Makes the results' buffers and the kernel's function. Failure if the
  /// results' sizes cannot be expressed.
  LogicalResult begin(StringRef kind);
  /// Ends the function and calls it in place of the root, which is left without uses.
  void finish(Value count, int64_t grain);
  /// A grain with which a range takes about as many instructions as are worth a thread.
  int64_t chooseGrain(int64_t costOfIteration) const {
    return chooseGrain(costOfIteration, getThresholds().threadWork);
  }
  static int64_t chooseGrain(int64_t costOfIteration, int64_t target) {
    return std::max<int64_t>(1, target / std::max<int64_t>(1, costOfIteration));
  }
  /// Removes everything that was made.
  void abandon();

  // Valid after begin:
  KernelEmitter &getEmitter() { return *emitter; }
  Array getInput(Value leaf);
  Value getInputMemref(Value leaf);
  Value getInputMemref(unsigned number) { return kernel.getArgument(number); }
  Array getInput(unsigned number);
  Array getOutput(unsigned number);
  Value getOutputMemref(unsigned number);
  Value getBegin();
  Value getEnd();
  /// Stores the results of the root, computed by its elementwise operators from the leaves
  /// and the anchor's result (`leaf` returns both). A result that is transposed last is
  /// stored as if it were not, at an `offset` that allows for it.
  LogicalResult emitResults(int64_t lanes, BodyEmitter::Leaf leaf, Value offset,
                            Value mask);

  /// The size of a result's dimension in the function (before or after begin).
  Value getResultSize(unsigned result, int64_t dim);
  Value hostIndex(int64_t value);
  Value hostMul(Value lhs, Value rhs);
  Value hostCeilDiv(Value lhs, int64_t rhs);
  /// The product of sizes of dimensions [from, to) of a result.
  Value hostResultProduct(unsigned result, int64_t from, int64_t to);
  /// The size of a dimension of a tensor of the function.
  Value hostSize(Value tensor, int64_t dim);

  func::FuncOp kernel;
  Operation *call = nullptr;

private:
  LogicalResult reifyResults();
  Value equal(Value lhs, Value rhs);
  /// The run ends with `message` where `condition` (i1) is false.
  void check(Value condition, const Twine &message);

  std::optional<KernelEmitter> emitter;
  std::optional<OpBuilder> kernelBuilder;
  const CostModel &costs;
  int64_t vectorBits;
  SmallVector<Value> inputs; // tensors of the function
  llvm::SmallMapVector<Value, unsigned, 8> numbers;
  SmallVector<SmallVector<OpFoldResult>> sizes;
  SmallVector<Value> outputs;
  SmallVector<Operation *> made;
  DenseMap<unsigned, Array> arrays;
};

/// The names of the ONNX nodes that a location stands for, for messages.
std::string getNodeNames(Location location);

} // namespace mlir::nn

#endif // NN_KERNELS_KERNELSITE_H
