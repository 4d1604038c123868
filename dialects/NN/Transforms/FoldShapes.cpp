//===- FoldShapes.cpp - shape arithmetic becomes constants ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/ConstantMatchers.h"
#include "dialects/NN/Transforms/Passes.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/IR/Iterators.h"
#include "mlir/IR/Matchers.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Analysis/SymbolicDims.h"

namespace mlir::nn {
#define GEN_PASS_DEF_FOLDSHAPES
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {
struct FoldShapes : nn::impl::FoldShapesBase<FoldShapes> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    ProvenanceListener listener;
    IRRewriter rewriter(&getContext(), &listener);
    SymbolicDims env(function);

    // Operators, with their shape operands, before the operands' producers. What is
    // replaced stays until the end: sizes may be expressions over its elements.
    SmallVector<Operation *> ops;
    function.walk([&](Operation *op) {
      if (isa<NNDialect>(op->getDialect()) && !op->getParentOfType<FusionOp>())
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      rewriter.setInsertionPoint(op);
      for (OpResult result : op->getResults())
        foldContents(rewriter, env, result);
      if (op->use_empty())
        continue; // Erased below, or returned by nobody.
      if (isa<ReshapeOp, FlattenOp, SqueezeOp, UnsqueezeOp>(op))
        foldReshape(rewriter, env, op);
      else if (auto expand = dyn_cast<ExpandOp>(op))
        removeIfSameShape(rewriter, env, expand, expand.getInput());
      else if (auto slice = dyn_cast<SliceOp>(op))
        foldSlice(rewriter, env, slice);
      else if (auto resize = dyn_cast<ResizeOp>(op))
        foldResize(rewriter, env, resize);
    }
    eraseDead(rewriter, function);
  }

  //===--------------------------------------------------------------------===//
  // Contents
  //===--------------------------------------------------------------------===//

  /// Replaces a shape tensor by a constant or tensor.from_elements. Uses by operators
  /// whose results are themselves replaced do not count.
  void foldContents(IRRewriter &rewriter, SymbolicDims &env, OpResult value) {
    if (isa<ConstantOp>(value.getOwner()) || value.use_empty() ||
        !env.knowsContents(value))
      return;
    auto isFoldedUser = [&](OpOperand &use) {
      Operation *user = use.getOwner();
      return isa<ShapeOpInterface>(user) && user->getNumResults() == 1 &&
             env.knowsContents(user->getResult(0));
    };
    if (llvm::all_of(value.getUses(), isFoldedUser))
      return;
    auto type = cast<RankedTensorType>(value.getType());
    FailureOr<Value> folded =
        materialize(rewriter, env, value.getLoc(), *env.getContents(value), type);
    if (failed(folded))
      return;
    ++numFolded;
    env.visit(folded->getDefiningOp());
    rewriter.replaceUsesWithIf(value, *folded, [&](OpOperand &use) {
      return !isFoldedUser(use);
    });
    if (value.getOwner()->use_empty())
      inheritProvenance(value.getOwner(), *folded);
  }

  FailureOr<Value> materialize(IRRewriter &rewriter, SymbolicDims &env,
                               Location location, ArrayRef<Dim> elements,
                               RankedTensorType type) {
    SmallVector<Attribute> constants;
    for (Dim element : elements)
      if (std::optional<int64_t> known = getConstant(element))
        constants.push_back(IntegerAttr::get(
            type.getElementType(),
            APInt(type.getElementTypeBitWidth(), *known, /*isSigned=*/true,
                  /*implicitTrunc=*/true)));
    if (constants.size() == elements.size())
      return ConstantOp::create(rewriter, location,
                                DenseElementsAttr::get(type, constants))
          .getResult();
    if (!type.getElementType().isSignlessInteger())
      return failure();
    SmallVector<Value> scalars;
    for (Dim element : elements) {
      FailureOr<OpFoldResult> size = env.materialize(rewriter, location, element);
      if (failed(size))
        return failure();
      Value scalar = getValueOrCreateConstantIndexOp(rewriter, location, *size);
      scalars.push_back(rewriter.createOrFold<arith::IndexCastOp>(
          location, type.getElementType(), scalar));
    }
    return tensor::FromElementsOp::create(rewriter, location, type, scalars)
        .getResult();
  }

  //===--------------------------------------------------------------------===//
  // Reshapes
  //===--------------------------------------------------------------------===//

  /// A squeeze of a dimension that might not be 1 must be checked at run time.
  static bool isUncheckedReshape(SymbolicDims &env, Operation *op) {
    if (isa<ReshapeOp, FlattenOp, UnsqueezeOp>(op))
      return true;
    auto squeeze = dyn_cast<SqueezeOp>(op);
    if (!squeeze)
      return false;
    Dims dims = env.getDims(squeeze.getInput());
    return llvm::all_of(squeeze.getAxes(), [&](int64_t axis) {
      return env.isConstant(dims[shapes::normalizeAxis(axis, dims.size())], 1);
    });
  }

  void foldReshape(IRRewriter &rewriter, SymbolicDims &env, Operation *op) {
    if (!isUncheckedReshape(env, op))
      return;
    // Chains of reshapes are one reshape of their first input.
    Value input = op->getOperand(0), source = input;
    while (Operation *producer = source.getDefiningOp()) {
      if (!isUncheckedReshape(env, producer))
        break;
      source = producer->getOperand(0);
    }
    Value result = op->getResult(0);
    for (Value candidate : {source, input}) {
      if (env.haveSameShape(candidate, result) &&
          candidate.getType() == result.getType()) {
        ++numRemoved;
        rewriter.replaceAllOpUsesWith(op, candidate);
        return;
      }
    }
    // Squeeze and unsqueeze are more specific than reshape: keep single ones.
    if (isa<SqueezeOp, UnsqueezeOp>(op) && source == input)
      return;
    auto list = env.getReshapeList(env.getDims(source), env.getDims(result));
    if (!list && source != input) {
      source = input;
      list = env.getReshapeList(env.getDims(source), env.getDims(result));
    }
    if (!list)
      return;
    if (auto reshape = dyn_cast<ReshapeOp>(op)) {
      DenseIntElementsAttr have;
      if (source == input && !reshape.getAllowZero() &&
          matchPattern(reshape.getShape(), m_Constant(&have)) &&
          llvm::equal(have.getValues<int64_t>(), *list))
        return;
    }
    Value shape = makeIndexList(rewriter, op->getLoc(), *list);
    env.visit(shape.getDefiningOp());
    auto reshape =
        ReshapeOp::create(rewriter, op->getLoc(), result.getType(), source,
                          shape, rewriter.getBoolAttr(false));
    env.inherit(reshape, result);
    ++numFolded;
    rewriter.replaceAllOpUsesWith(op, reshape);
  }

  //===--------------------------------------------------------------------===//
  // Expand, Slice, Resize
  //===--------------------------------------------------------------------===//

  void removeIfSameShape(IRRewriter &rewriter, SymbolicDims &env, Operation *op,
                         Value input) {
    if (!env.haveSameShape(input, op->getResult(0)) ||
        input.getType() != op->getResult(0).getType())
      return;
    ++numRemoved;
    rewriter.replaceAllOpUsesWith(op, input);
  }

  /// A forward slice keeps all elements exactly if it keeps the shape.
  void foldSlice(IRRewriter &rewriter, SymbolicDims &env, SliceOp slice) {
    if (llvm::all_of(slice.getSteps(), [](int64_t step) { return step == 1; }))
      removeIfSameShape(rewriter, env, slice, slice.getInput());
  }

  void foldResize(IRRewriter &rewriter, SymbolicDims &env, ResizeOp resize) {
    if (!resize.getSizes() || resize.getKeepAspectRatio() != "stretch")
      return;
    DenseIntElementsAttr constant;
    Dims input = env.getDims(resize.getInput()), result = env.getDims(resize);
    if (matchPattern(resize.getSizes(), m_Constant(&constant)) &&
        resize.getType().hasStaticShape() &&
        resize.getInput().getType().hasStaticShape())
      return; // Already as good as it gets.
    SmallVector<int64_t> axes(resize.getAxes());
    if (axes.empty())
      axes = llvm::to_vector(llvm::seq<int64_t>(0, input.size()));
    SmallVector<float> scales;
    for (int64_t axis : axes) {
      int64_t index = shapes::normalizeAxis(axis, input.size());
      if (resize.getLayout() == Layout::ChannelsLast && index > 0)
        index = index == 1 ? input.size() - 1 : index - 1;
      std::optional<int64_t> scale = getMultiple(env, result[index], input[index]);
      if (!scale)
        return;
      scales.push_back(*scale);
    }
    auto type = RankedTensorType::get({int64_t(scales.size())},
                                      rewriter.getF32Type());
    Value list = ConstantOp::create(
        rewriter, resize.getLoc(),
        DenseElementsAttr::get(type, ArrayRef<float>(scales)));
    ++numFolded;
    rewriter.modifyOpInPlace(resize, [&] {
      resize.getSizesMutable().clear();
      resize.getScalesMutable().assign(list);
    });
  }

  /// The small k for which `size` is k times `unit`.
  static std::optional<int64_t> getMultiple(SymbolicDims &env, Dim size,
                                            Dim unit) {
    for (int64_t k : {1, 2, 3, 4, 5, 6, 7, 8, 16, 32})
      if (env.proveEqual(size, unit * k))
        return k;
    return std::nullopt;
  }

  static void eraseDead(IRRewriter &rewriter, func::FuncOp function) {
    function.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
      if (isOpTriviallyDead(op))
        rewriter.eraseOp(op);
    });
  }
};
} // namespace
