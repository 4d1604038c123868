//===- FoldBatchNorm.cpp - scales and biases go into weights --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Constants move into weights only, never across each other: see
// docs/decisions/floats.md.
//
//===----------------------------------------------------------------------===//

#include "ChannelAffine.h"
#include "dialects/NN/IR/SpatialShapes.h"
#include "dialects/NN/Transforms/ConstantMatchers.h"
#include "dialects/NN/Transforms/Passes.h"
#include "mlir/IR/Remarks.h"
#include "nn/Analysis/Provenance.h"
#include <cmath>

namespace mlir::nn {
#define GEN_PASS_DEF_FOLDBATCHNORM
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::affine;

static RankedTensorType getTensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

namespace {
struct FoldBatchNorm : nn::impl::FoldBatchNormBase<FoldBatchNorm> {
  void runOnOperation() override {
    // Normalizations first: what they become follows convolutions.
    SmallVector<BatchNormOp> norms;
    SmallVector<Operation *> products;
    getOperation().walk([&](Operation *op) {
      if (auto norm = dyn_cast<BatchNormOp>(op))
        norms.push_back(norm);
      else if (isa<ConvOp, ConvTransposeOp, MatMulOp>(op) &&
               !op->hasAttr(integersAttrName) &&
               isa<FloatType>(getTensorType(op->getResult(0)).getElementType()))
        products.push_back(op);
    });
    ProvenanceListener listener;
    IRRewriter rewriter(&getContext(), &listener);
    for (BatchNormOp norm : norms)
      if (!expand(rewriter, norm))
        remark::missed(norm.getLoc(), remark::RemarkOpts::name("batch-norm")
                                          .category("nn-fold-batch-norm"))
            << "not folded: its parameters are not constant, or too large";
    for (Operation *op : products) {
      if (auto conv = dyn_cast<ConvOp>(op))
        fold(rewriter, conv);
      else if (auto conv = dyn_cast<ConvTransposeOp>(op))
        fold(rewriter, conv);
      else
        fold(rewriter, cast<MatMulOp>(op));
    }
  }

private:
  //===--------------------------------------------------------------------===//
  // Batch normalization
  //===--------------------------------------------------------------------===//

  /// batch_norm(x) = x * s + (bias - mean * s), s = scale / sqrt(variance + epsilon);
  /// what follows is folded into both.
  static bool expand(IRRewriter &rewriter, BatchNormOp op) {
    std::optional<Channels> scale = getNumbers(op.getScale()),
                            bias = getNumbers(op.getBias()),
                            mean = getNumbers(op.getMean()),
                            variance = getNumbers(op.getVariance());
    RankedTensorType type = getTensorType(op);
    if (!scale || !bias || !mean || !variance || getTensorType(op.getInput()) != type)
      return false;
    double epsilon = op.getEpsilon().convertToFloat();
    Affine affine;
    affine.scale = combine(*scale, *variance, [&](double s, double v) {
      return s / std::sqrt(v + epsilon);
    });
    affine.bias = combine(*bias, combine(*mean, affine.scale, std::multiplies<double>()),
                          std::minus<double>());
    affine.hasScale = affine.hasBias = true;
    if (!areBounded(affine.scale) || !areBounded(affine.bias))
      return false;
    affine.ops.push_back(op);
    int64_t rank = type.getRank(), count = affine.scale.size();
    SpatialDims where(op.getLayout(), rank);
    // Where the number is not known, a broadcast would take any.
    if (type.getDimSize(where.channel) != count)
      return false;
    collectTail(affine, op.getResult(), where.channel, count);

    rewriter.setInsertionPoint(op);
    Location loc = fuseLocations(affine.ops);
    // Channels-last constants broadcast as they are.
    bool isFirst = op.getLayout() == Layout::ChannelsFirst;
    auto make = [&](ArrayRef<double> numbers) {
      return makeChannels(rewriter, loc, numbers, type.getElementType(),
                          isFirst ? rank - 1 : 1, 0);
    };
    Value scaled =
        MulOp::create(rewriter, loc, type, op.getInput(), make(affine.scale));
    replace(rewriter, affine.ops,
            AddOp::create(rewriter, loc, type, scaled, make(affine.bias)));
    return true;
  }

  /// Replaces the last operator of a chain; the others have no more users.
  static void replace(IRRewriter &rewriter, ArrayRef<Operation *> chain, Operation *made) {
    rewriter.replaceOp(chain.back(), made);
    for (Operation *op : llvm::reverse(chain.drop_back()))
      if (op->use_empty())
        rewriter.eraseOp(op);
  }

  //===--------------------------------------------------------------------===//
  // Convolutions
  //===--------------------------------------------------------------------===//

  /// Where the filters of a convolution's weight are, and how many there are.
  static int64_t getFilterDim(ConvOp) { return 0; }
  static int64_t getFilterDim(ConvTransposeOp) { return 1; }
  static int64_t getNumFilters(ConvOp op) { return op.getWeight().getType().getDimSize(0); }
  static int64_t getNumFilters(ConvTransposeOp op) {
    return op.getWeight().getType().getDimSize(1) * op.getGroup();
  }

  /// conv(x, w, b) * s + c = conv(x, w * s, b * s + c), and what stands before it.
  template <typename ConvTy> static void fold(IRRewriter &rewriter, ConvTy conv) {
    RankedTensorType type = conv.getType();
    std::optional<HostTensor> weights = getConstant(conv.getWeight());
    std::optional<Channels> bias =
        conv.getBias() ? getNumbers(conv.getBias()) : Channels{0.0};
    if (!weights || !bias)
      return;
    int64_t rank = type.getRank(), filters = getNumFilters(conv);
    SpatialDims where(conv.getLayout(), rank);
    Affine affine;
    affine.bias = *bias;
    collectTail(affine, conv.getResult(), where.channel, filters);
    // Filters of groups lie side by side in the weight of a transposed one.
    bool isApart = getFilterDim(conv) == 0 || conv.getGroup() == 1;
    if (!isApart && affine.scale.size() != 1)
      affine = Affine();

    Head head;
    head.input = conv.getInput();
    if constexpr (std::is_same_v<ConvTy, ConvOp>)
      collectHead(head, conv, *weights);
    if ((affine.ops.empty() && head.ops.empty()) ||
        !isBounded(*weights, getLargest(affine.scale) * getLargest(head.scale)))
      return;
    if (head.hasBias) {
      // What the head adds comes before the scale.
      affine.bias = combine(
          affine.bias, combine(head.bias, affine.scale, std::multiplies<double>()),
          std::plus<double>());
      affine.hasBias = true;
      if (!areBounded(affine.bias))
        return;
    }

    rewriter.setInsertionPoint(affine.ops.empty() ? conv.getOperation()
                                                  : affine.ops.back());
    SmallVector<Operation *> ops(head.ops);
    ops.push_back(conv);
    ops.append(affine.ops);
    Location loc = fuseLocations(ops);
    Type element = type.getElementType();
    Value weight = conv.getWeight();
    auto scaleWeight = [&](ArrayRef<double> numbers, int64_t dim) {
      if (llvm::any_of(numbers, [](double number) { return number != 1; }))
        weight = MulOp::create(rewriter, loc, weight,
                               makeChannels(rewriter, loc, numbers, element, rank, dim));
    };
    scaleWeight(head.scale, head.scaleDim);
    scaleWeight(affine.scale, getFilterDim(conv));
    Value newBias;
    if (conv.getBias() || affine.hasBias) {
      Channels all = combine(affine.bias, Channels(filters, 0.0), std::plus<double>());
      newBias = makeChannels(rewriter, loc, all, element, 1, 0);
    }
    auto made = cast<ConvTy>(rewriter.clone(*conv.getOperation()));
    made->setLoc(loc);
    if (!affine.ops.empty())
      made->removeAttr(originAttrName); // It is the last operator's tensor.
    made.getInputMutable().assign(head.input);
    made.getWeightMutable().assign(weight);
    if (newBias)
      made.getBiasMutable().assign(newBias);
    SmallVector<Operation *> chain = {conv};
    chain.append(affine.ops);
    replace(rewriter, chain, made);
    for (Operation *op : llvm::reverse(head.ops))
      if (op->use_empty())
        rewriter.eraseOp(op);
  }

  //===--------------------------------------------------------------------===//
  // Before convolutions
  //===--------------------------------------------------------------------===//

  /// conv(x * s + c, w) = conv(x, w * s) + bias
  struct Head {
    Value input;
    Channels scale = {1.0}; // along dimension `scaleDim` of the weight
    int64_t scaleDim = 1;
    Channels bias; // of each filter
    bool hasBias = false;
    SmallVector<Operation *> ops;
  };

  /// A sum is taken with the product before it, as normalization is written; a sum
  /// alone may be there to round, or to be exact where it cancels.
  static void collectHead(Head &head, ConvOp conv, const HostTensor &weights) {
    int64_t filters = weights.getDim(0), perGroup = weights.getDim(1);
    int64_t group = conv.getGroup(), channels = perGroup * group;
    SpatialDims where(conv.getLayout(), conv.getType().getRank());
    auto match = [&](Value value) -> std::optional<Step> {
      Operation *op = value.getDefiningOp();
      if (!op || !op->hasOneUse() || op->getBlock() != conv->getBlock())
        return std::nullopt;
      return matchStep(op, where.channel, channels);
    };
    std::optional<Step> outer = match(head.input);
    std::optional<Step> sum = outer && outer->isSum ? outer : std::nullopt;
    std::optional<Step> product = sum ? match(sum->value) : outer;
    if (!product || product->isSum || (sum && isPadded(conv)))
      return;
    // Grouping may keep it from being a factor along one dimension. Depthwise, filter
    // i reads channel i only.
    if (product->number.size() != 1 && group != 1) {
      if (perGroup != 1 || filters != channels)
        return;
      head.scaleDim = 0;
    }
    head.input = product->value;
    head.scale = product->number;
    head.ops.push_back(product->op);
    if (!sum)
      return;
    head.ops.push_back(sum->op);
    head.hasBias = true;
    head.bias.assign(filters, 0.0);
    for (int64_t i = 0, e = weights.getNumElements(); i < e; ++i) {
      int64_t row = i / (e / (filters * perGroup)), filter = row / perGroup;
      int64_t channel = filter / (filters / group) * perGroup + row % perGroup;
      head.bias[filter] += weights.getDouble(i) *
                           sum->number[sum->number.size() == 1 ? 0 : channel];
    }
  }

  static bool isPadded(ConvOp conv) {
    if (conv.getAutoPad() != AutoPad::NotSet)
      return conv.getAutoPad() != AutoPad::Valid;
    return llvm::any_of(conv.getPads(), [](int64_t pad) { return pad != 0; });
  }

  //===--------------------------------------------------------------------===//
  // Matrix products
  //===--------------------------------------------------------------------===//

  /// matmul(x, w) * s + c = matmul(x, w * s) + c, a number for each column or for all
  static void fold(IRRewriter &rewriter, MatMulOp matmul) {
    RankedTensorType type = matmul.getType();
    std::optional<HostTensor> weights = getConstant(matmul.getRhs());
    if (!weights || weights->getRank() != 2 || type.getRank() < 1)
      return;
    int64_t columnDim = matmul.getTransposeRhs() ? 0 : 1;
    Affine affine;
    collectTail(affine, matmul.getResult(), type.getRank() - 1,
                weights->getDim(columnDim));
    if (!affine.hasScale || !isBounded(*weights, getLargest(affine.scale)))
      return;
    rewriter.setInsertionPoint(affine.ops.back());
    SmallVector<Operation *> chain = {matmul};
    chain.append(affine.ops);
    Location loc = fuseLocations(chain);
    Type element = type.getElementType();
    auto made = cast<MatMulOp>(rewriter.clone(*matmul.getOperation()));
    rewriter.setInsertionPoint(made);
    made->setLoc(loc);
    made->removeAttr(originAttrName);
    made.getRhsMutable().assign(
        MulOp::create(rewriter, loc, matmul.getRhs(),
                      makeChannels(rewriter, loc, affine.scale, element, 2, columnDim)));
    Operation *last = made;
    if (affine.hasBias) {
      rewriter.setInsertionPointAfter(made);
      last = AddOp::create(rewriter, loc, type, made,
                           makeChannels(rewriter, loc, affine.bias, element, 1, 0));
    }
    replace(rewriter, chain, last);
  }
};
} // namespace
