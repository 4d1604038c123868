//===- FoldBatchNorm.cpp - scales and biases go into weights --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/IR/SpatialShapes.h"
#include "dialects/NN/Transforms/ConstantMatchers.h"
#include "dialects/NN/Transforms/Passes.h"
#include "mlir/IR/Remarks.h"
#include "nn/Analysis/Provenance.h"

namespace mlir::nn {
#define GEN_PASS_DEF_FOLDBATCHNORM
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

//===----------------------------------------------------------------------===//
// Constants per channel
//===----------------------------------------------------------------------===//

/// Whether the constant has one entry, or one for each of `channels` along
/// dimension `channel` of a tensor of `rank` that it is broadcast to.
static bool isPerChannel(Value value, int64_t rank, int64_t channel,
                         int64_t channels) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape() || type.getRank() > rank ||
      !isConstantExpression(value))
    return false;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    int64_t dim = rank - type.getRank() + i, size = type.getDimSize(i);
    if (size != 1 && (dim != channel || size != channels))
      return false;
  }
  return true;
}

/// Such a constant as a tensor of `rank` with its channels along `dim`.
static Value alongDim(OpBuilder &builder, Location location, Value constant,
                      int64_t rank, int64_t dim) {
  SmallVector<int64_t> shape(rank, 1);
  shape[dim] = cast<RankedTensorType>(constant.getType()).getNumElements();
  return makeReshape(builder, location, constant, shape);
}

/// Such a constant as a list with an entry for each channel.
static Value asList(OpBuilder &builder, Location location, Value constant,
                    int64_t channels) {
  auto type = cast<RankedTensorType>(constant.getType());
  Value list = makeReshape(builder, location, constant, {type.getNumElements()});
  if (type.getNumElements() == channels)
    return list;
  return ExpandOp::create(builder, location, list,
                          makeIndexList(builder, location, {channels}));
}

/// The operand of a binary operator that is no constant expression, and the one
/// that is. Only for operands in that order, unless the operator is commutative.
template <typename OpTy>
static bool splitConstant(OpTy op, Value &value, Value &constant) {
  value = op.getLhs(), constant = op.getRhs();
  if (op->template hasTrait<OpTrait::IsCommutative>() &&
      !isConstantExpression(constant))
    std::swap(value, constant);
  // Products of integers are exact as they are.
  if (Operation *producer = value.getDefiningOp();
      producer && producer->hasAttr(integersAttrName))
    return false;
  return isConstantExpression(constant) && !isConstantExpression(value) &&
         value.getType() == op.getType() &&
         isa<FloatType>(op.getType().getElementType());
}

/// A copy of `op` with what it computes changed: it is no ONNX tensor any more,
/// unless it replaces what was.
template <typename OpTy>
static OpTy cloneChanged(RewriterBase &rewriter, OpTy op, Operation *merged) {
  auto clone = cast<OpTy>(rewriter.clone(*op.getOperation()));
  clone->removeAttr(originAttrName);
  clone->setLoc(fuseLocations({op, merged}));
  return clone;
}

namespace {
//===----------------------------------------------------------------------===//
// Batch normalization
//===----------------------------------------------------------------------===//

/// batch_norm(x) = x * s + (bias - mean * s), s = scale / sqrt(variance + epsilon)
struct ExpandBatchNorm : OpRewritePattern<BatchNormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BatchNormOp op,
                                PatternRewriter &rewriter) const override {
    for (Value operand : op->getOperands().drop_front())
      if (!isConstantExpression(operand))
        return rewriter.notifyMatchFailure(op, "parameters are not constant");
    Location location = op.getLoc();
    auto type = cast<RankedTensorType>(op.getInput().getType());
    if (op.getType() != type)
      return rewriter.notifyMatchFailure(op, "result type was refined");
    Value epsilon = makeSplat(rewriter, location,
                              RankedTensorType::get({}, type.getElementType()),
                              op.getEpsilon().convertToFloat());
    Value deviation = SqrtOp::create(
        rewriter, location,
        AddOp::create(rewriter, location, op.getVariance(), epsilon));
    Value scale = DivOp::create(rewriter, location, op.getScale(), deviation);
    Value bias = SubOp::create(
        rewriter, location, op.getBias(),
        MulOp::create(rewriter, location, op.getMean(), scale));
    // Channels-last constants broadcast as they are.
    int64_t rank = type.getRank();
    bool first = op.getLayout() == Layout::ChannelsFirst;
    int64_t constantRank = first ? rank - 1 : 1;
    scale = alongDim(rewriter, location, scale, constantRank, 0);
    bias = alongDim(rewriter, location, bias, constantRank, 0);
    Value scaled = MulOp::create(rewriter, location, op.getInput(), scale);
    auto sum = AddOp::create(rewriter, location, scaled, bias);
    if (sum.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "parameters of unknown size");
    rewriter.replaceOp(op, sum);
    return success();
  }
};

//===----------------------------------------------------------------------===//
// After convolutions
//===----------------------------------------------------------------------===//

/// Where the filters of a convolution's weight are.
int64_t getFilterDim(ConvOp) { return 0; }
int64_t getFilterDim(ConvTransposeOp) { return 1; }
int64_t getNumFilters(ConvOp op) { return op.getWeight().getType().getDimSize(0); }
int64_t getNumFilters(ConvTransposeOp op) {
  int64_t perGroup = op.getWeight().getType().getDimSize(1);
  return ShapedType::isDynamic(perGroup) ? perGroup : perGroup * op.getGroup();
}

/// conv(x, w, b) * s = conv(x, w * s, b * s)
template <typename ConvTy> struct FoldScaleAfterConv : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp op,
                                PatternRewriter &rewriter) const override {
    Value value, scale;
    if (!splitConstant(op, value, scale))
      return failure();
    auto conv = value.getDefiningOp<ConvTy>();
    if (!conv || !conv->hasOneUse() || !isConstantExpression(conv.getWeight()) ||
        (conv.getBias() && !isConstantExpression(conv.getBias())))
      return failure();
    int64_t rank = op.getType().getRank(), filters = getNumFilters(conv);
    SpatialDims where(conv.getLayout(), rank);
    if (ShapedType::isDynamic(filters) ||
        !isPerChannel(scale, rank, where.channel, filters))
      return failure();
    bool isScalar =
        cast<RankedTensorType>(scale.getType()).getNumElements() == 1;
    if (getFilterDim(conv) == 1 && conv.getGroup() != 1 && !isScalar)
      return rewriter.notifyMatchFailure(op, "filters of groups are not apart");
    Location location = fuseLocations({conv, op});
    Value factor =
        alongDim(rewriter, location, scale, rank, getFilterDim(conv));
    Value weight = MulOp::create(rewriter, location, conv.getWeight(), factor);
    Value bias = conv.getBias();
    if (bias)
      bias = MulOp::create(
          rewriter, location, bias,
          makeReshape(rewriter, location, scale,
                      {cast<RankedTensorType>(scale.getType()).getNumElements()}));
    ConvTy made = cloneChanged(rewriter, conv, op);
    made.getWeightMutable().assign(weight);
    if (bias)
      made.getBiasMutable().assign(bias);
    rewriter.replaceOp(op, made);
    return success();
  }
};

/// conv(x, w, b) + c = conv(x, w, b + c)
template <typename ConvTy> struct FoldBiasAfterConv : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AddOp op,
                                PatternRewriter &rewriter) const override {
    Value value, constant;
    if (!splitConstant(op, value, constant))
      return failure();
    auto conv = value.getDefiningOp<ConvTy>();
    if (!conv || !conv->hasOneUse() ||
        (conv.getBias() && !isConstantExpression(conv.getBias())))
      return failure();
    int64_t rank = op.getType().getRank(), filters = getNumFilters(conv);
    SpatialDims where(conv.getLayout(), rank);
    if (ShapedType::isDynamic(filters) ||
        !isPerChannel(constant, rank, where.channel, filters))
      return failure();
    Location location = fuseLocations({conv, op});
    Value bias = asList(rewriter, location, constant, filters);
    if (conv.getBias())
      bias = AddOp::create(rewriter, location, conv.getBias(), bias);
    ConvTy made = cloneChanged(rewriter, conv, op);
    made.getBiasMutable().assign(bias);
    rewriter.replaceOp(op, made);
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Before convolutions
//===----------------------------------------------------------------------===//

/// The constant, per input channel, as a factor of the weight; null if grouping
/// keeps it from being one.
Value alongInputChannels(OpBuilder &builder, ConvOp conv, Value constant) {
  auto weight = conv.getWeight().getType();
  int64_t count = cast<RankedTensorType>(constant.getType()).getNumElements();
  int64_t rank = weight.getRank();
  if (count == 1 || conv.getGroup() == 1)
    return alongDim(builder, conv.getLoc(), constant, rank, /*dim=*/1);
  // Depthwise: filter i reads channel i only.
  if (weight.getDimSize(1) == 1 && weight.getDimSize(0) == count)
    return alongDim(builder, conv.getLoc(), constant, rank, /*dim=*/0);
  return {};
}

/// The constant operand, per input channel, of the operator before `conv`.
template <typename OpTy>
OpTy matchBeforeConv(ConvOp conv, Value &x, Value &constant) {
  auto op = conv.getInput().getDefiningOp<OpTy>();
  if (!op || !op->hasOneUse() || !splitConstant(op, x, constant) ||
      !isConstantExpression(conv.getWeight()))
    return {};
  int64_t rank = op.getType().getRank();
  SpatialDims where(conv.getLayout(), rank);
  int64_t perGroup = conv.getWeight().getType().getDimSize(1);
  if (!conv.getWeight().getType().hasStaticShape() ||
      !isPerChannel(constant, rank, where.channel, perGroup * conv.getGroup()))
    return {};
  return op;
}

/// conv(x * s, w, b) = conv(x, w * s, b)
struct FoldScaleBeforeConv : OpRewritePattern<ConvOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ConvOp conv,
                                PatternRewriter &rewriter) const override {
    Value x, scale;
    auto mul = matchBeforeConv<MulOp>(conv, x, scale);
    Value factor = mul ? alongInputChannels(rewriter, conv, scale) : Value();
    if (!factor)
      return failure();
    Value weight = MulOp::create(rewriter, conv.getLoc(), conv.getWeight(), factor);
    auto made = cast<ConvOp>(rewriter.clone(*conv.getOperation()));
    made->setLoc(fuseLocations({mul, conv}));
    made.getInputMutable().assign(x);
    made.getWeightMutable().assign(weight);
    rewriter.replaceOp(conv, made);
    return success();
  }
};

/// conv(x + c, w, b) = conv(x, w, b + sum(w * c)), without padding
struct FoldBiasBeforeConv : OpRewritePattern<ConvOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ConvOp conv,
                                PatternRewriter &rewriter) const override {
    bool padded = llvm::any_of(conv.getPads(), [](int64_t p) { return p != 0; });
    if (conv.getAutoPad() == AutoPad::Valid)
      padded = false;
    else if (conv.getAutoPad() != AutoPad::NotSet)
      padded = true;
    if (padded || (conv.getBias() && !isConstantExpression(conv.getBias())))
      return failure();
    Value x, constant;
    auto add = matchBeforeConv<AddOp>(conv, x, constant);
    Value factor = add ? alongInputChannels(rewriter, conv, constant) : Value();
    if (!factor)
      return failure();
    Location location = conv.getLoc();
    auto weight = conv.getWeight().getType();
    Value product = MulOp::create(rewriter, location, conv.getWeight(), factor);
    SmallVector<int64_t> axes =
        llvm::to_vector(llvm::seq<int64_t>(1, weight.getRank()));
    Value bias = ReduceSumOp::create(rewriter, location, product, axes,
                                     /*keepdims=*/false);
    if (conv.getBias())
      bias = AddOp::create(rewriter, location, conv.getBias(), bias);
    auto made = cast<ConvOp>(rewriter.clone(*conv.getOperation()));
    made->setLoc(fuseLocations({add, conv}));
    made.getInputMutable().assign(x);
    made.getBiasMutable().assign(bias);
    rewriter.replaceOp(conv, made);
    return success();
  }
};

//===----------------------------------------------------------------------===//
// After matrix products
//===----------------------------------------------------------------------===//

/// matmul(x, w) * s = matmul(x, w * s), s a number or one for each column
struct FoldScaleAfterMatMul : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp op,
                                PatternRewriter &rewriter) const override {
    Value value, scale;
    if (!splitConstant(op, value, scale))
      return failure();
    auto matmul = value.getDefiningOp<MatMulOp>();
    if (!matmul || !matmul->hasOneUse() || !isConstantExpression(matmul.getRhs()))
      return failure();
    auto weight = matmul.getRhs().getType();
    int64_t rank = op.getType().getRank();
    if (weight.getRank() != 2 || !weight.hasStaticShape() || rank < 1)
      return failure();
    int64_t columnDim = matmul.getTransposeRhs() ? 0 : 1;
    if (!isPerChannel(scale, rank, rank - 1, weight.getDimSize(columnDim)))
      return failure();
    Value factor = alongDim(rewriter, op.getLoc(), scale, 2, columnDim);
    Value scaled =
        MulOp::create(rewriter, op.getLoc(), matmul.getRhs(), factor);
    MatMulOp made = cloneChanged(rewriter, matmul, op);
    made.getRhsMutable().assign(scaled);
    rewriter.replaceOp(op, made);
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Chains of constants
//===----------------------------------------------------------------------===//

ArrayRef<int64_t> dropLeadingOnes(RankedTensorType type) {
  return type.getShape().drop_while([](int64_t size) { return size == 1; });
}

/// op(op(x, a), b) = op(x, op(a, b)) for multiplication and addition
template <typename OpTy> struct MergeConstants : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    Value value, outer, x, inner;
    if (!splitConstant(op, value, outer))
      return failure();
    auto producer = value.getDefiningOp<OpTy>();
    if (!producer || !producer->hasOneUse() ||
        !splitConstant(producer, x, inner))
      return failure();
    // Constants along different dimensions stay apart: both in one is larger.
    auto innerType = cast<RankedTensorType>(inner.getType()),
         outerType = cast<RankedTensorType>(outer.getType());
    if (innerType.getNumElements() != 1 && outerType.getNumElements() != 1 &&
        dropLeadingOnes(innerType) != dropLeadingOnes(outerType))
      return failure();
    Location location = fuseLocations({producer, op});
    Value both = OpTy::create(rewriter, location, inner, outer);
    auto made = OpTy::create(rewriter, location, op.getType(), x, both);
    rewriter.replaceOp(op, made);
    return success();
  }
};

/// (y * a + b) * c = y * c * a + b * c, where the products can merge: after a
/// multiplication by a constant, a convolution or a matrix product.
struct MoveScaleOverBias : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp op,
                                PatternRewriter &rewriter) const override {
    Value value, scale, x, bias;
    if (!splitConstant(op, value, scale))
      return failure();
    auto add = value.getDefiningOp<AddOp>();
    if (!add || !add->hasOneUse() || !splitConstant(add, x, bias) ||
        !x.hasOneUse())
      return failure();
    Value y, factor;
    auto mul = x.getDefiningOp<MulOp>();
    auto matmul = x.getDefiningOp<MatMulOp>();
    if (!(mul && splitConstant(mul, y, factor)) &&
        !(matmul && isConstantExpression(matmul.getRhs())))
      return failure();
    Location location = fuseLocations({add, op});
    Value scaled = MulOp::create(rewriter, location, op.getType(), x, scale);
    Value newBias = MulOp::create(rewriter, location, bias, scale);
    auto sum = AddOp::create(rewriter, location, op.getType(), scaled, newBias);
    rewriter.replaceOp(op, sum);
    return success();
  }
};

/// x - c = x + (-c), where the addition can merge.
struct SubToAdd : OpRewritePattern<SubOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SubOp op,
                                PatternRewriter &rewriter) const override {
    Value value, constant;
    if (!splitConstant(op, value, constant) || !value.hasOneUse() ||
        !isa_and_nonnull<ConvOp, ConvTransposeOp, MulOp, AddOp, MatMulOp>(
            value.getDefiningOp()))
      return failure();
    Value negated = NegOp::create(rewriter, op.getLoc(), constant);
    rewriter.replaceOpWithNewOp<AddOp>(op, op.getType(), value, negated);
    return success();
  }
};

/// conv / c = conv * (1 / c): weights are rounded anyway.
struct DivAfterConvToMul : OpRewritePattern<DivOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DivOp op,
                                PatternRewriter &rewriter) const override {
    Value value, constant;
    if (!splitConstant(op, value, constant) || !value.hasOneUse() ||
        !isa_and_nonnull<ConvOp, ConvTransposeOp>(value.getDefiningOp()))
      return failure();
    Value inverse = ReciprocalOp::create(rewriter, op.getLoc(), constant);
    rewriter.replaceOpWithNewOp<MulOp>(op, op.getType(), value, inverse);
    return success();
  }
};

struct FoldBatchNorm : nn::impl::FoldBatchNormBase<FoldBatchNorm> {
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet all(context);
    all.add<ExpandBatchNorm, FoldScaleAfterConv<ConvOp>,
            FoldScaleAfterConv<ConvTransposeOp>, FoldBiasAfterConv<ConvOp>,
            FoldBiasAfterConv<ConvTransposeOp>, FoldScaleBeforeConv,
            FoldBiasBeforeConv, FoldScaleAfterMatMul, MergeConstants<MulOp>,
            MergeConstants<AddOp>, MoveScaleOverBias, SubToAdd,
            DivAfterConvToMul>(context);
    patterns = std::move(all);
    return success();
  }

  void runOnOperation() override {
    if (failed(rewriteGreedily(getOperation(), patterns)))
      return signalPassFailure();
    getOperation().walk([&](BatchNormOp op) {
      remark::missed(op.getLoc(), remark::RemarkOpts::name("batch-norm")
                                      .category("nn-fold-batch-norm"))
          << "not folded: its parameters are not constant";
    });
  }

  FrozenRewritePatternSet patterns;
};
} // namespace
