//===- Custom.cpp - operators that libraries of users compute -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "TensorEmitter.h"
#include "nn/Support/CustomNodes.h"
#include "nn/Support/DataType.h"

using namespace mlir;
using namespace mlir::nn;

namespace {
struct LowerCustom : LinalgPattern<CustomOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(CustomOp op, TensorEmitter &e) const override {
    DictionaryAttr custom =
        getCustomNode(op.getFunctionAttr(), op.getLibraryAttr(), op.getParametersAttr());
    SmallVector<Value> inputs;
    for (Value input : op.getInputs())
      inputs.push_back(e.signless(input));
    SmallVector<int64_t> parameters = getParameters(op);

    // What the shapes say, and what only the library can, which it then says of all sizes.
    ShapeEnv env(op.getContext());
    SmallVector<InferredTensor> inferred;
    if (failed(op.inferResultShapes(env, inferred)))
      return failure();
    Value computed;
    if (op.hasComputedSizes()) {
      int64_t count = 0;
      for (const InferredTensor &result : inferred)
        count += result.dims.size();
      computed = e.callRuntime(rt::RuntimeKernel::CustomShapes, inputs,
                               {e.empty({e.size(count)}, e.rewriter.getI64Type())}, parameters,
                               custom)[0];
    }
    int64_t next = 0;
    SmallVector<Value> outputs;
    for (auto [result, shape] : llvm::zip_equal(op.getResults(), inferred)) {
      Sizes sizes;
      for (Dim dim : shape.dims) {
        Size told = computed ? e.getEntry(computed, next++) : Size();
        if (env.isFresh(dim)) {
          sizes.push_back(told);
          continue;
        }
        FailureOr<OpFoldResult> known = env.materialize(e.rewriter, e.location, dim);
        if (failed(known))
          return failure();
        // Others rely on what was said when the model was compiled.
        if (told)
          e.checkEqual(told, *known,
                       "the library gives a result another size than when the model was "
                       "compiled");
        sizes.push_back(*known);
      }
      outputs.push_back(e.empty(sizes, TensorEmitter::getElement(result)));
    }
    return e.replace(
        e.callRuntime(rt::RuntimeKernel::Custom, inputs, outputs, parameters, custom));
  }

private:
  /// Those of NNRT_ABI_CUSTOM.
  static SmallVector<int64_t> getParameters(CustomOp op) {
    auto getType = [](Value tensor) {
      return int64_t(*getDataType(getElementTypeOrSelf(tensor.getType())));
    };
    size_t numInputs = op.getInputs().size() + op.getAbsent().size();
    SmallVector<int64_t> parameters = {-1, int64_t(numInputs)};
    size_t next = 0;
    for (size_t place = 0; place < numInputs; ++place)
      parameters.push_back(llvm::is_contained(op.getAbsent(), int64_t(place))
                               ? int64_t(DataType::Undefined)
                               : getType(op.getInputs()[next++]));
    parameters.push_back(op.getNumResults());
    for (Value result : op.getResults()) {
      parameters.push_back(getType(result));
      parameters.push_back(TensorEmitter::getRank(result));
    }
    return parameters;
  }
};
} // namespace

void nn::populateCustomToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols) {
  patterns.add<LowerCustom>(patterns.getContext(), symbols);
}
