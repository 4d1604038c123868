//===- CheckSizes.cpp - sizes that no integer holds -----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Sizes are computed in 64 bits, from the shapes of inputs and from data: a product
// may overflow, and a buffer be too small for what is written to it. The arithmetic
// stays as it is, since formulas and proofs read it; beside it runs a flag that says
// whether any step overflowed. It is tested once, before the sizes are used.
//
// Most steps cannot overflow: dimensions of inputs are at most kMostElements, which the
// runtime checks, and products that need a check at most kMostBytes.
//
//===----------------------------------------------------------------------===//

#include "dialects/NN/IR/NN.h"
#include "dialects/RT/IR/RT.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "nn/Support/Locations.h"
#include "nn/Target/Passes.h"
#include "runtime/lib/Core/Manifest.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::nn {
#define GEN_PASS_DEF_CHECKSIZES
#include "nn/Target/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

static constexpr int64_t kMostElements = nnrt::mostElements;
/// What a product that is checked is at most: no tensor has more bytes.
static constexpr int64_t kMostBytes = kMostElements << 8;

namespace {

/// What a value may be, rounded outwards.
struct Range {
  static constexpr double kEnd = 0x1p63;
  double low = -kEnd, high = kEnd;

  Range unite(Range other) const {
    return {std::min(low, other.low), std::max(high, other.high)};
  }
  Range intersect(double end) const { return {std::max(low, -end), std::min(high, end)}; }
  bool isFlag() const { return low >= 0 && high <= 1; }
  /// Whether 64 bits hold the value, however it was rounded.
  bool fits() const { return low > -kEnd / 2 && high < kEnd / 2; }
};

Range operator+(Range x, Range y) { return {x.low + y.low, x.high + y.high}; }
Range operator-(Range x, Range y) { return {x.low - y.high, x.high - y.low}; }
Range operator*(Range x, Range y) {
  auto [low, high] =
      std::minmax({x.low * y.low, x.low * y.high, x.high * y.low, x.high * y.high});
  return {low, high};
}

/// Conditions of type i1 under which sizes are wrong; null: never.
class Overflows {
public:
  explicit Overflows(MLIRContext *context) : builder(context) {}

  Value of(Value size) {
    // Without recursion: sizes may depend on long chains of sizes.
    SmallVector<Value> pending = {size};
    while (!pending.empty()) {
      Value value = pending.back();
      Operation *op = value.getDefiningOp();
      if (known.contains(value) || !isArithmetic(op)) {
        pending.pop_back();
        continue;
      }
      for (Value operand : op->getOperands())
        if (!known.contains(operand) && isArithmetic(operand.getDefiningOp()))
          pending.push_back(operand);
      if (pending.back() != value)
        continue;
      builder.setInsertionPointAfter(op);
      ranges[value] = computeRange(op);
      known[value] = compute(op);
      pending.pop_back();
    }
    return known.lookup(size);
  }

  /// Whether `size` is negative.
  Value isNegative(OpBuilder &b, Location loc, Value size) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, size,
                                 arith::ConstantIndexOp::create(b, loc, 0));
  }

  static Value join(OpBuilder &b, Location loc, Value x, Value y) {
    if (!x || includes(y, x))
      return y;
    if (!y || includes(x, y))
      return x;
    return arith::OrIOp::create(b, loc, x, y);
  }

private:
  /// Whether `flag` is one of those that were joined to `all`, as far as the last ones.
  static bool includes(Value all, Value flag, int depth = 3) {
    if (!all || all == flag)
      return all == flag;
    auto either = all.getDefiningOp<arith::OrIOp>();
    return either && depth > 0 &&
           (includes(either.getLhs(), flag, depth - 1) ||
            includes(either.getRhs(), flag, depth - 1));
  }

  /// Loads of data are where the arithmetic begins.
  static bool isArithmetic(Operation *op) {
    return isa_and_nonnull<arith::ArithDialect>(op ? op->getDialect() : nullptr) &&
           op->getNumResults() == 1 && op->getNumOperands() > 0;
  }

  Range getRange(Value value) {
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant)))
      return {double(constant.getSExtValue()), double(constant.getSExtValue())};
    if (auto dim = value.getDefiningOp<memref::DimOp>())
      if (auto input = dyn_cast<BlockArgument>(dim.getSource());
          input && isa<func::FuncOp>(input.getOwner()->getParentOp()))
        return {0, double(kMostElements)};
    auto found = ranges.find(value);
    return found == ranges.end() ? Range() : found->second;
  }

  Range computeRange(Operation *op) {
    if (isa<arith::SelectOp>(op))
      return getRange(op->getOperand(1)).unite(getRange(op->getOperand(2)));
    Range x = getRange(op->getOperand(0));
    if (isa<arith::IndexCastOp>(op))
      return x;
    if (isa<arith::IndexCastUIOp>(op) && op->getOperand(0).getType().isInteger(1))
      return {0, 1};
    if (op->getNumOperands() != 2)
      return {};
    Range y = getRange(op->getOperand(1));
    bool isDivision = y.low >= 1, isUnsigned = x.low >= 0 && y.low >= 1;
    Range result =
        llvm::TypeSwitch<Operation *, Range>(op)
            .Case([&](arith::AddIOp) { return x + y; })
            .Case([&](arith::SubIOp) { return x - y; })
            .Case([&](arith::MulIOp) {
              return x.isFlag() ? y.unite({0, 0}) : y.isFlag() ? x.unite({0, 0}) : x * y;
            })
            .Case([&](arith::MinSIOp) {
              return Range{std::min(x.low, y.low), std::min(x.high, y.high)};
            })
            .Case([&](arith::MaxSIOp) {
              return Range{std::max(x.low, y.low), std::max(x.high, y.high)};
            })
            .Case<arith::DivSIOp, arith::FloorDivSIOp, arith::CeilDivSIOp>([&](auto) {
              return isDivision ? Range{x.low / y.low, x.high / y.low}.unite({-1, 1})
                                : Range();
            })
            .Case<arith::DivUIOp, arith::CeilDivUIOp>([&](auto) {
              return isUnsigned ? Range{0, x.high / y.low + 1} : Range();
            })
            .Case<arith::RemSIOp, arith::RemUIOp>([&](auto) {
              return isUnsigned ? Range{0, std::min(x.high, y.high)} : Range();
            })
            .Default(Range());
    if (result.fits())
      return result;
    // Integers of 64 bits that are no sizes wrap.
    bool isProduct = isa<arith::MulIOp>(op) && op->getResult(0).getType().isIndex() &&
                     !x.isFlag() && !y.isFlag();
    return isProduct ? result.intersect(kMostBytes) : Range();
  }

  Value compute(Operation *op) {
    Location loc = op->getLoc();
    if (auto select = dyn_cast<arith::SelectOp>(op)) {
      Value x = known.lookup(select.getTrueValue()),
            y = known.lookup(select.getFalseValue());
      Value chosen;
      if (x || y) {
        Value never = arith::ConstantIntOp::create(builder, loc, 0, 1);
        chosen = arith::SelectOp::create(builder, loc, select.getCondition(),
                                         x ? x : never, y ? y : never);
      }
      return join(builder, loc, chosen, known.lookup(select.getCondition()));
    }
    Value flag;
    for (Value operand : op->getOperands())
      flag = join(builder, loc, flag, known.lookup(operand));
    if (!op->getResult(0).getType().isIndex())
      return flag;
    return join(builder, loc, flag, overflows(op));
  }

  /// Whether one step overflows.
  Value overflows(Operation *op) {
    Location loc = op->getLoc();
    Value result = op->getResult(0);
    auto isNegative = [&](Value value) { return this->isNegative(builder, loc, value); };
    if (isa<arith::MulIOp>(op)) {
      Range x = getRange(op->getOperand(0)), y = getRange(op->getOperand(1));
      Range range = x * y;
      if (range.fits() || x.isFlag() || y.isFlag())
        return {};
      // The product of floats does not wrap.
      auto toFloat = [&](Value value) {
        value = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), value);
        return arith::SIToFPOp::create(builder, loc, builder.getF64Type(), value);
      };
      Value product = arith::MulFOp::create(builder, loc, toFloat(op->getOperand(0)),
                                            toFloat(op->getOperand(1)));
      auto compare = [&](arith::CmpFPredicate predicate, double end) {
        Value limit = arith::ConstantOp::create(builder, loc, builder.getF64FloatAttr(end));
        return arith::CmpFOp::create(builder, loc, predicate, product, limit);
      };
      Value isLarge = compare(arith::CmpFPredicate::OGT, kMostBytes);
      if (range.low >= 0)
        return isLarge;
      return join(builder, loc, isLarge, compare(arith::CmpFPredicate::OLT, -kMostBytes));
    }
    if (!isa<arith::AddIOp, arith::SubIOp>(op))
      return {};
    Value x = op->getOperand(0), y = op->getOperand(1);
    Range range = isa<arith::AddIOp>(op) ? getRange(x) + getRange(y)
                                         : getRange(x) - getRange(y);
    if (range.fits())
      return {};
    // The result has another sign than both terms.
    if (isa<arith::SubIOp>(op)) {
      // x = result + y
      std::swap(x, result);
    }
    return isNegative(arith::AndIOp::create(
        builder, loc, arith::XOrIOp::create(builder, loc, x, result),
        arith::XOrIOp::create(builder, loc, y, result)));
  }

  OpBuilder builder;
  DenseMap<Value, Value> known;
  DenseMap<Value, Range> ranges;
};

/// Bufferization had selections between sizes made arithmetic: y + (x - y) * condition. No step
/// of a selection overflows.
void restoreSelects(func::FuncOp main) {
  auto getCondition = [](Value flag) -> Value {
    auto cast = flag.getDefiningOp<arith::IndexCastUIOp>();
    return cast && cast.getIn().getType().isInteger(1) ? cast.getIn() : Value();
  };
  SmallVector<arith::AddIOp> sums;
  main.walk([&](arith::AddIOp op) { sums.push_back(op); });
  for (arith::AddIOp sum : sums)
    for (auto [otherwise, added] : {std::pair{sum.getLhs(), sum.getRhs()},
                                    {sum.getRhs(), sum.getLhs()}}) {
      auto product = added.getDefiningOp<arith::MulIOp>();
      if (!product)
        continue;
      bool isLeft = bool(getCondition(product.getLhs()));
      Value condition = getCondition(isLeft ? product.getLhs() : product.getRhs());
      auto difference = (isLeft ? product.getRhs() : product.getLhs())
                            .getDefiningOp<arith::SubIOp>();
      if (!condition || !difference || difference.getRhs() != otherwise)
        continue;
      OpBuilder builder(sum);
      Value select = arith::SelectOp::create(builder, sum.getLoc(), condition,
                                             difference.getLhs(), otherwise);
      sum.replaceAllUsesWith(select);
      sum.erase();
      break;
    }
}

struct CheckSizesPass : nn::impl::CheckSizesBase<CheckSizesPass> {
  void runOnOperation() override {
    func::FuncOp main = getMain(getOperation());
    if (!main)
      return;
    restoreSelects(main);
    Overflows overflows(&getContext());
    SmallVector<Operation *> users;
    main.walk([&](Operation *op) {
      if (isa<rt::AllocateOp, rt::ArenaOp, rt::OutputOp, rt::LaunchOp>(op))
        users.push_back(op);
    });
    // What was tested before in the same block needs no other test.
    DenseSet<std::pair<Block *, Value>> tested;
    for (Operation *op : users) {
      Location loc = op->getLoc();
      OpBuilder builder(op);
      Value failed;
      auto add = [&](Value flag) {
        if (flag && tested.insert({op->getBlock(), flag}).second)
          failed = Overflows::join(builder, loc, failed, flag);
      };
      for (Value operand : op->getOperands())
        if (operand.getType().isIndex())
          add(overflows.of(operand));
      if (auto allocate = dyn_cast<rt::AllocateOp>(op))
        addBytes(builder, allocate, overflows, add);
      if (!failed)
        continue;
      Value holds = arith::XOrIOp::create(
          builder, loc, failed, arith::ConstantIntOp::create(builder, loc, 1, 1));
      cf::AssertOp::create(builder, loc, holds, getMessage(op));
      ++numChecked;
    }
  }

  /// The size in bytes of what is allocated when it is needed, and its dimensions,
  /// which nothing else has looked at.
  static void addBytes(OpBuilder &builder, rt::AllocateOp op, Overflows &overflows,
                       function_ref<void(Value)> add) {
    MemRefType type = op.getType();
    Type element = type.getElementType();
    int64_t factor =
        llvm::divideCeil(element.isIndex() ? 64 : element.getIntOrFloatBitWidth(), 8);
    for (int64_t size : type.getShape())
      if (!ShapedType::isDynamic(size))
        factor *= size;
    Value bytes = arith::ConstantIndexOp::create(builder, op.getLoc(), factor);
    for (Value size : op.getSizes()) {
      add(overflows.isNegative(builder, op.getLoc(), size));
      bytes = arith::MulIOp::create(builder, op.getLoc(), bytes, size);
    }
    add(overflows.of(bytes));
  }

  static std::string getMessage(Operation *op) {
    if (isa<rt::ArenaOp>(op))
      return "the values of the model would be larger than any memory";
    std::string names = getONNXNames(op->getLoc());
    return (names.empty() ? "" : "node '" + names + "': ") +
           "a tensor would have a negative size, or be larger than any memory";
  }
};
} // namespace
