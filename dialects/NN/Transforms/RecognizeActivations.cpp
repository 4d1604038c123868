//===- RecognizeActivations.cpp - activations that were taken apart -------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "RecognizePatterns.h"
#include "dialects/NN/Transforms/ConstantMatchers.h"
#include "nn/Analysis/Provenance.h"

using namespace mlir;
using namespace mlir::nn;

static bool near(double value, double expected) {
  return std::abs(value - expected) <= 1e-6 * std::abs(expected);
}
static bool near(const APFloat &value, double expected) {
  return near(double(value.convertToFloat()), expected);
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

  /// The same for the last operator of a pattern, of which so many factors are no constants.
  bool matchRoot(Operation *root, size_t numFactors) {
    auto type = cast<RankedTensorType>(root->getResult(0).getType());
    return hasPatterns(type) && collect(root->getResult(0), type) &&
           factors.size() == numFactors;
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
    Product product;
    if (!product.matchRoot(root, /*numFactors=*/2))
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
    Product product;
    if (!product.matchRoot(root, /*numFactors=*/1))
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
} // namespace

void nn::populateRecognizeActivations(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<RecognizeGate<MulOp>, RecognizeGate<DivOp>>(context, /*benefit=*/4);
  patterns.add<RecognizeHardSigmoid<MulOp>, RecognizeHardSigmoid<DivOp>>(context,
                                                                         /*benefit=*/2);
}
