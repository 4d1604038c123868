//===- RecognizePatterns.cpp - operators that exporters took apart --------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/IR/SpatialShapes.h"
#include "dialects/NN/Transforms/ConstantMatchers.h"
#include "dialects/NN/Transforms/Passes.h"
#include "nn/Analysis/Provenance.h"

namespace mlir::nn {
#define GEN_PASS_DEF_RECOGNIZEPATTERNS
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

static bool near(double value, double expected) {
  return std::abs(value - expected) <= 1e-6 * std::abs(expected);
}
static bool near(const APFloat &value, double expected) {
  return near(double(value.convertToFloat()), expected);
}

/// Whether patterns may become operators. Attributes are f32 and some constants are
/// recognized by six digits, which would show in f64.
static bool hasPatterns(RankedTensorType type) {
  return isa<FloatType>(type.getElementType()) && !type.getElementType().isF64();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

namespace {
/// A tree of multiplications and divisions by constants, taken apart. The
/// operators of the tree are listed for their locations.
struct Product {
  double coefficient = 1;
  SmallVector<Value> factors;
  SmallVector<Operation *> ops;

  /// False for numbers that occur in no pattern: with large or small ones, intermediate
  /// products overflow or vanish, which their combined product would hide.
  static bool isUsual(double number) {
    return std::abs(number) >= 0x1p-10 && std::abs(number) <= 0x1p10;
  }

  /// Returns false if the tree changes shapes or is larger than any pattern.
  bool collect(Value value, Type type, unsigned depth = 0) {
    if (depth > 6)
      return false;
    if (std::optional<double> number = getSplat(value)) {
      coefficient *= *number;
      return isUsual(*number);
    }
    if (auto mul = value.getDefiningOp<MulOp>(); mul && mul.getType() == type) {
      ops.push_back(mul);
      return collect(mul.getLhs(), type, depth + 1) &&
             collect(mul.getRhs(), type, depth + 1);
    }
    if (auto div = value.getDefiningOp<DivOp>(); div && div.getType() == type) {
      std::optional<double> number = getSplat(div.getRhs());
      if (number && isUsual(*number)) {
        ops.push_back(div);
        coefficient /= *number;
        return collect(div.getLhs(), type, depth + 1);
      }
    }
    factors.push_back(value);
    return value.getType() == type;
  }

  /// Removes one factor that `match` accepts and returns it.
  Value take(function_ref<bool(Value)> match) {
    auto *it = llvm::find_if(factors, match);
    if (it == factors.end())
      return {};
    Value found = *it;
    factors.erase(it);
    return found;
  }
};

/// value = x * number, by multiplications and divisions by constants.
bool matchScaled(Value value, Value x, double &number,
                 SmallVectorImpl<Operation *> &ops) {
  Product product;
  if (!product.collect(value, x.getType()) || product.factors.size() != 1 ||
      product.factors[0] != x)
    return false;
  number = product.coefficient;
  ops.append(product.ops);
  return true;
}

/// The x of clip(x + 3, 0, 6).
Value matchClippedRamp(Value value, SmallVectorImpl<Operation *> &ops) {
  auto clip = value.getDefiningOp<ClipOp>();
  if (!clip || !clip.getMin() || !clip.getMax() ||
      getSplat(clip.getMin()) != 0.0 || getSplat(clip.getMax()) != 6.0)
    return {};
  Value x;
  double offset;
  if (!matchWithSplat<AddOp>(clip.getInput(), x, offset) || offset != 3)
    return {};
  ops.append({clip.getInput().getDefiningOp(), clip});
  return x;
}

//===----------------------------------------------------------------------===//
// Products of x and a gate of x
//===----------------------------------------------------------------------===//

/// Activations of the form x * gate(x):
///   x * clip(x + 3, 0, 6) / 6, x * hard_sigmoid(x; 1/6, 1/2)   hard_swish
///   x * sigmoid(alpha * x)                                      swish
///   0.5 * x * (1 + erf(x / sqrt(2)))                            gelu
///   0.5 * x * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))       gelu, tanh
template <typename RootOp> struct RecognizeGate : OpRewritePattern<RootOp> {
  using OpRewritePattern<RootOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(RootOp root,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = root.getType();
    Product product;
    if (!hasPatterns(type) || !product.collect(root, type) ||
        product.factors.size() != 2)
      return failure();
    for (unsigned gate : {0u, 1u}) {
      Value x = product.factors[1 - gate];
      SmallVector<Operation *> ops(product.ops);
      Operation *made = build(rewriter, product.coefficient, x,
                              product.factors[gate], ops);
      if (!made)
        continue;
      made->setLoc(fuseLocations(ops));
      rewriter.replaceOp(root, made);
      return success();
    }
    return failure();
  }

  Operation *build(PatternRewriter &rewriter, double coefficient, Value x,
                   Value gate, SmallVectorImpl<Operation *> &ops) const {
    Location location = x.getLoc();
    Operation *producer = gate.getDefiningOp();
    if (!producer)
      return nullptr;
    if (near(coefficient, 1.0 / 6) && matchClippedRamp(gate, ops) == x)
      return HardSwishOp::create(rewriter, location, x);
    if (auto sigmoid = dyn_cast<HardSigmoidOp>(producer)) {
      if (coefficient != 1 || sigmoid.getInput() != x ||
          !near(sigmoid.getAlpha(), 1.0 / 6) || !near(sigmoid.getBeta(), 0.5))
        return nullptr;
      ops.push_back(sigmoid);
      return HardSwishOp::create(rewriter, location, x);
    }
    if (auto sigmoid = dyn_cast<SigmoidOp>(producer)) {
      double alpha;
      if (coefficient != 1 || !matchScaled(sigmoid.getInput(), x, alpha, ops))
        return nullptr;
      ops.push_back(sigmoid);
      return SwishOp::create(rewriter, location, x, APFloat(float(alpha)));
    }
    Value curve;
    double one;
    if (!near(coefficient, 0.5) || !matchWithSplat<AddOp>(gate, curve, one) ||
        one != 1)
      return nullptr;
    ops.append({curve.getDefiningOp(), producer});
    double factor;
    if (auto erf = curve.getDefiningOp<ErfOp>())
      if (matchScaled(erf.getInput(), x, factor, ops) &&
          near(factor, 0.70710678118654752))
        return GeluOp::create(rewriter, location, x, "none");
    if (auto tanh = curve.getDefiningOp<TanhOp>())
      if (matchTanhArgument(tanh.getInput(), x, ops))
        return GeluOp::create(rewriter, location, x, "tanh");
    return nullptr;
  }

  /// sqrt(2/pi) * (x + 0.044715 x^3)
  static bool matchTanhArgument(Value value, Value x,
                                SmallVectorImpl<Operation *> &ops) {
    Product outer;
    if (!outer.collect(value, x.getType()) || outer.factors.size() != 1 ||
        !near(outer.coefficient, 0.79788456080286536))
      return false;
    auto sum = outer.factors[0].getDefiningOp<AddOp>();
    if (!sum || (sum.getLhs() != x && sum.getRhs() != x))
      return false;
    Product cubic;
    if (!cubic.collect(sum.getLhs() == x ? sum.getRhs() : sum.getLhs(),
                       x.getType()) ||
        !near(cubic.coefficient, 0.044715))
      return false;
    int64_t degree = 0;
    for (Value factor : cubic.factors) {
      auto power = factor.getDefiningOp<PowOp>();
      if (factor == x)
        degree += 1;
      else if (power && power.getLhs() == x && getSplat(power.getRhs()) == 3.0)
        degree += 3;
      else
        return false;
    }
    ops.append(outer.ops);
    ops.push_back(sum);
    ops.append(cubic.ops);
    return degree == 3;
  }
};

//===----------------------------------------------------------------------===//
// Hard sigmoid
//===----------------------------------------------------------------------===//

/// clip(x + b, 0, m) / m = hard_sigmoid(x; 1/m, b/m)
template <typename RootOp> struct RecognizeHardSigmoid : OpRewritePattern<RootOp> {
  using OpRewritePattern<RootOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(RootOp root,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = root.getType();
    Product product;
    if (!hasPatterns(type) || !product.collect(root, type) ||
        product.factors.size() != 1)
      return failure();
    auto clip = product.factors[0].template getDefiningOp<ClipOp>();
    if (!clip || !clip.getMin() || !clip.getMax() ||
        getSplat(clip.getMin()) != 0.0)
      return failure();
    std::optional<double> high = getSplat(clip.getMax());
    if (!high || *high <= 0 || !Product::isUsual(*high) ||
        !near(product.coefficient, 1 / *high))
      return failure();
    Value x = clip.getInput();
    double offset = 0;
    if (!matchWithSplat<AddOp>(clip.getInput(), x, offset) ||
        (offset != 0 && !Product::isUsual(offset)))
      return failure();
    product.ops.append({clip.getInput().getDefiningOp(), clip});
    auto made = HardSigmoidOp::create(
        rewriter, fuseLocations(product.ops), x, APFloat(float(1 / *high)),
        APFloat(float(offset / *high)));
    rewriter.replaceOp(root, made);
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Layer normalization
//===----------------------------------------------------------------------===//

/// The input and first axis of a mean over trailing dimensions that stay.
Value matchTrailingMean(Value value, int64_t &axis) {
  auto mean = value.getDefiningOp<ReduceMeanOp>();
  if (!mean || !mean.getKeepdims() || mean.getAxes().empty())
    return {};
  int64_t rank = cast<RankedTensorType>(mean.getInput().getType()).getRank();
  SmallVector<int64_t> axes;
  for (int64_t a : mean.getAxes())
    axes.push_back(shapes::normalizeAxis(a, rank));
  llvm::sort(axes);
  for (auto [index, a] : llvm::enumerate(axes))
    if (a != rank - int64_t(axes.size()) + int64_t(index))
      return {};
  axis = axes.front() - rank;
  return mean.getInput();
}

/// y = (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon), times scale.
struct RecognizeLayerNorm : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp root,
                                PatternRewriter &rewriter) const override {
    if (!hasPatterns(root.getType()))
      return failure();
    for (bool swapped : {false, true}) {
      auto div = (swapped ? root.getRhs() : root.getLhs()).getDefiningOp<DivOp>();
      Value scale = swapped ? root.getLhs() : root.getRhs();
      if (!div || root.getType() != div.getType())
        continue;
      auto centered = div.getLhs().getDefiningOp<SubOp>();
      auto root2 = div.getRhs().getDefiningOp<SqrtOp>();
      Value variance;
      double epsilon;
      if (!centered || !root2 ||
          !matchWithSplat<AddOp>(root2.getInput(), variance, epsilon))
        continue;
      int64_t axis, axis2;
      Value square = matchTrailingMean(variance, axis2);
      if (!square || !isSquareOf(square, centered) ||
          matchTrailingMean(centered.getRhs(), axis) != centered.getLhs() ||
          axis != axis2 || centered.getType() != div.getType() ||
          centered.getLhs().getType() != div.getType())
        continue;
      auto scaleType = cast<RankedTensorType>(scale.getType());
      if (scaleType.getRank() > -axis)
        return rewriter.notifyMatchFailure(root, "scale of outer dimensions");
      Location location = fuseLocations(
          {centered.getRhs().getDefiningOp(), centered, square.getDefiningOp(),
           variance.getDefiningOp(), root2.getInput().getDefiningOp(), root2,
           div, root});
      auto made = LayerNormOp::create(
          rewriter, location, centered.getLhs(), scale, /*bias=*/Value(),
          axis, APFloat(float(epsilon)));
      rewriter.replaceOp(root, made);
      return success();
    }
    return failure();
  }

  static bool isSquareOf(Value value, Value x) {
    if (auto mul = value.getDefiningOp<MulOp>())
      return mul.getLhs() == x && mul.getRhs() == x;
    auto power = value.getDefiningOp<PowOp>();
    return power && power.getLhs() == x && getSplat(power.getRhs()) == 2.0;
  }
};

/// layer_norm(x) without bias, plus one.
struct AddLayerNormBias : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AddOp root,
                                PatternRewriter &rewriter) const override {
    for (bool swapped : {false, true}) {
      auto norm =
          (swapped ? root.getRhs() : root.getLhs()).getDefiningOp<LayerNormOp>();
      Value bias = swapped ? root.getLhs() : root.getRhs();
      if (!norm || norm.getBias() || !norm->hasOneUse() ||
          norm.getType() != root.getType() || !isConstantExpression(bias))
        continue;
      int64_t rank = norm.getType().getRank();
      int64_t axis = norm.getAxis();
      if (cast<RankedTensorType>(bias.getType()).getRank() >
          (axis < 0 ? -axis : rank - axis))
        continue;
      auto made = LayerNormOp::create(rewriter, fuseLocations({norm, root}),
                                      norm.getInput(), norm.getScale(), bias,
                                      axis, norm.getEpsilon());
      rewriter.replaceOp(root, made);
      return success();
    }
    return failure();
  }
};

//===----------------------------------------------------------------------===//
// Cheaper operators
//===----------------------------------------------------------------------===//

/// Powers with dedicated operators.
struct SimplifyPow : OpRewritePattern<PowOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PowOp op,
                                PatternRewriter &rewriter) const override {
    Value x = op.getLhs();
    std::optional<double> exponent = getSplat(op.getRhs());
    if (!exponent || x.getType() != op.getType() ||
        !isa<FloatType>(op.getType().getElementType()))
      return failure();
    Location location = op.getLoc();
    if (*exponent == 1)
      rewriter.replaceOp(op, x);
    else if (*exponent == 2)
      rewriter.replaceOp(op, MulOp::create(rewriter, location, x, x));
    else if (*exponent == -1)
      rewriter.replaceOp(op, ReciprocalOp::create(rewriter, location, x));
    else
      return failure();
    return success();
  }
};

/// x / c = x * (1 / c) if that is exact: c is a power of two.
struct DivToMul : OpRewritePattern<DivOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DivOp op,
                                PatternRewriter &rewriter) const override {
    DenseFPElementsAttr elements;
    auto constant = op.getRhs().getDefiningOp<ConstantOp>();
    if (!constant ||
        !(elements = dyn_cast<DenseFPElementsAttr>(constant.getValue())) ||
        !elements.isSplat())
      return failure();
    APFloat inverse = elements.getSplatValue<APFloat>();
    if (!elements.getSplatValue<APFloat>().getExactInverse(&inverse))
      return rewriter.notifyMatchFailure(op, "the reciprocal is not exact");
    Value factor = ConstantOp::create(
        rewriter, constant.getLoc(),
        DenseElementsAttr::get(constant.getType(), inverse));
    auto mul = MulOp::create(rewriter, op.getLoc(), op.getType(), op.getLhs(),
                             factor);
    rewriter.replaceOp(op, mul);
    return success();
  }
};

/// A pool with a single window over the whole input is a reduction.
template <typename PoolOp, typename ReduceOp>
struct PoolToReduction : OpRewritePattern<PoolOp> {
  using OpRewritePattern<PoolOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(PoolOp op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getInput().getType());
    SpatialDims where(op.getLayout(), type.getRank());
    SmallVector<int64_t> axes;
    for (int64_t i = 0; i < where.count; ++i) {
      int64_t dim = where.firstSpatial + i;
      if (type.getDimSize(dim) != op.getKernelShape()[i] ||
          op.getType().getDimSize(dim) != 1)
        return failure();
      axes.push_back(dim);
    }
    auto isNot = [](int64_t expected) {
      return [=](int64_t value) { return value != expected; };
    };
    if (llvm::any_of(op.getPads(), isNot(0)) ||
        llvm::any_of(op.getDilations(), isNot(1)))
      return failure();
    auto reduce = ReduceOp::create(rewriter, op.getLoc(), op.getType(),
                                   op.getInput(), axes, true);
    rewriter.replaceOp(op, reduce);
    return success();
  }
};

struct RecognizePatterns : nn::impl::RecognizePatternsBase<RecognizePatterns> {
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet all(context);
    all.add<RecognizeGate<MulOp>, RecognizeGate<DivOp>>(context, /*benefit=*/4);
    all.add<RecognizeLayerNorm, AddLayerNormBias>(context, /*benefit=*/3);
    all.add<RecognizeHardSigmoid<MulOp>, RecognizeHardSigmoid<DivOp>>(
        context, /*benefit=*/2);
    all.add<SimplifyPow, DivToMul, PoolToReduction<AveragePoolOp, ReduceMeanOp>,
            PoolToReduction<MaxPoolOp, ReduceMaxOp>>(context);
    patterns = std::move(all);
    return success();
  }

  void runOnOperation() override {
    if (failed(rewriteGreedily(getOperation(), patterns)))
      signalPassFailure();
  }

  FrozenRewritePatternSet patterns;
};
} // namespace
