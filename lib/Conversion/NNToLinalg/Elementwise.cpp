//===- Elementwise.cpp - elementwise operators to linalg ------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "TensorEmitter.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::nn;

/// The value of all elements of a constant, or null.
static TypedAttr getSplat(Value tensor) {
  Attribute attribute;
  if (!matchPattern(tensor, m_Constant(&attribute)))
    return {};
  auto elements = dyn_cast<DenseElementsAttr>(attribute);
  if (!elements || !elements.isSplat())
    return {};
  if (isa<FloatType>(elements.getElementType()))
    return cast<TypedAttr>(elements.getSplatValue<Attribute>());
  Type type = getSignlessType(elements.getElementType());
  return IntegerAttr::get(type, elements.getSplatValue<APInt>());
}

namespace {
/// Any elementwise operator becomes one linalg.generic. If it is known only at run time
/// whether an operand is broadcast, it is read with computed indices.
struct LowerElementwise
    : OpInterfaceRewritePattern<ElementwiseOpInterface> {
  LowerElementwise(MLIRContext *context, SymbolicDims &symbols)
      : OpInterfaceRewritePattern(context), symbols(symbols) {}

  /// How the body reads an operand's element.
  struct Source {
    TypedAttr splat;
    int64_t argument = -1;
    Value tensor;
    SmallVector<Value> isOne; // per dimension; null: not broadcast
  };

  LogicalResult matchAndRewrite(ElementwiseOpInterface op,
                                PatternRewriter &rewriter) const override {
    TensorEmitter e(rewriter, op, symbols);
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    Value result = op->getResult(0);
    Dims like = symbols.getDims(result);
    int64_t rank = like.size();
    Value zero, one;
    SmallVector<Source> sources;
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (Value operand : op->getOperands()) {
      Source &source = sources.emplace_back();
      if ((source.splat = getSplat(operand)))
        continue;
      auto access = e.getAccess(operand, like);
      int64_t offset = rank - access.size();
      Value tensor = e.signless(operand);
      if (!llvm::is_contained(access, TensorEmitter::Access::Unknown)) {
        SmallVector<int64_t> dims;
        for (auto [i, how] : llvm::enumerate(access))
          dims.push_back(how == TensorEmitter::Access::Zero
                             ? -1
                             : offset + int64_t(i));
        source.argument = inputs.size();
        inputs.push_back(tensor);
        maps.push_back(e.select(rank, dims));
        continue;
      }
      e.checkBroadcast(operand, access, *sizes);
      if (!one) {
        one = e.asValue(e.size(1));
        zero = e.asValue(e.size(0));
      }
      source.tensor = tensor;
      for (auto [i, how] : llvm::enumerate(access)) {
        Value isOne;
        if (how != TensorEmitter::Access::Same)
          isOne = rewriter.createOrFold<arith::CmpIOp>(
              e.location, arith::CmpIPredicate::eq,
              e.asValue(e.getDim(tensor, i)), one);
        source.isOne.push_back(isOne);
      }
    }

    bool failedBody = false;
    Type elementType = TensorEmitter::getElement(result);
    Value computed = e.map(
        *sizes, elementType, inputs, maps,
        [&](OpBuilder &b, Location l, ValueRange arguments) -> Value {
          SmallVector<Value> operands;
          for (Source &source : sources) {
            if (source.splat) {
              operands.push_back(arith::ConstantOp::create(b, l, source.splat));
            } else if (!source.tensor) {
              operands.push_back(arguments[source.argument]);
            } else {
              SmallVector<Value> indices;
              int64_t offset = rank - source.isOne.size();
              for (auto [i, isOne] : llvm::enumerate(source.isOne)) {
                Value index = linalg::IndexOp::create(b, l, offset + i);
                if (isOne)
                  index = arith::SelectOp::create(b, l, isOne, zero, index);
                indices.push_back(index);
              }
              operands.push_back(
                  tensor::ExtractOp::create(b, l, source.tensor, indices));
            }
          }
          FailureOr<Value> element = emitElementwise(b, op, operands);
          failedBody = failed(element);
          return failedBody ? arguments.back() : *element;
        });
    if (failedBody)
      return failure();
    return e.replace({computed});
  }

  SymbolicDims &symbols;
};
} // namespace

void nn::populateElementwiseToLinalg(RewritePatternSet &patterns,
                                     SymbolicDims &symbols) {
  patterns.add<LowerElementwise>(patterns.getContext(), symbols);
}
