//===- ImportShapes.h - shapes while a model is imported --------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Types are inferred with all that is known of the values so far: equal names of
// input dimensions are one symbol, and shape arithmetic (Shape, Gather, Concat,
// ...) is followed. So results get the most static type, and operands that must
// be constant may be computed from constants and static shapes: what no shape
// function follows, the interpreter evaluates.
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_IMPORT_ONNX_IMPORTSHAPES_H
#define NN_LIB_IMPORT_ONNX_IMPORTSHAPES_H

#include "dialects/NN/IR/NN.h"
#include "nn/Support/HostTensor.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::nn::importer {

class ImportShapes : public ShapeEnv {
public:
  explicit ImportShapes(MLIRContext *context) : ShapeEnv(context) {}

  Dims getDims(Value tensor) override;
  Contents getContents(Value tensor) override;

  /// The value of a small tensor of any type and rank, if it follows from constants
  /// and static shapes.
  std::optional<HostTensor> evaluate(Value tensor);

  /// Records the names of an argument's dimensions ("" for none).
  void nameDims(Value argument, ArrayRef<std::string> names);
  /// The name of a dimension that is exactly one of the named symbols, or "".
  StringRef getDimName(Value tensor, int64_t index);

  /// Records what a shape function inferred for a value.
  void setDims(Value tensor, Dims dims);
  void setContents(Value tensor, Contents contents);
  void forget(Value tensor) {
    dims.erase(tensor);
    contents.erase(tensor);
    evaluated.erase(tensor);
  }

private:
  std::optional<HostTensor> evaluate(Value tensor, unsigned depth);
  std::optional<HostTensor> interpret(Value tensor, unsigned depth);
  Contents getKnownContents(Value tensor);

  /// Expressions are traversed as trees, and hostile models could make them
  /// exponentially large. Returns the size, or `limit` if it is larger.
  unsigned getSize(Dim dim);
  static constexpr unsigned limit = 200;

  DenseMap<Value, Dims> dims;
  DenseMap<Value, Dims> contents;
  DenseMap<Value, std::optional<HostTensor>> evaluated;
  DenseMap<Dim, unsigned> sizes;
  llvm::StringMap<Dim> symbols;
  DenseMap<Dim, StringRef> names; // keys of `symbols`
};

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_IMPORTSHAPES_H
