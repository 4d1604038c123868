//===- CheckSizes.cpp - sizes that no integer holds -----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Sizes are computed in 64 bits, from the shapes of inputs and from data: a product
// may overflow, and a buffer be too small for what is written to it. The arithmetic
// stays as it is, since formulas and proofs read it; beside it runs a flag that says
// whether any step overflowed. It is tested once, before the sizes are used.
//
//===----------------------------------------------------------------------===//

#include "dialects/NN/IR/NN.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "nn/Support/Locations.h"
#include "nn/Target/Passes.h"

namespace mlir::nn {
#define GEN_PASS_DEF_CHECKSIZES
#include "nn/Target/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {

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
    if (!x || !y || x == y)
      return x ? x : y;
    return arith::OrIOp::create(b, loc, x, y);
  }

private:
  /// Loads of data are where the arithmetic begins.
  static bool isArithmetic(Operation *op) {
    return isa_and_nonnull<arith::ArithDialect>(op ? op->getDialect() : nullptr) &&
           op->getNumResults() == 1 && op->getNumOperands() > 0;
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
      // As i64: for an index, upstream folds the product by 1 to an invalid extsi.
      auto toI64 = [&](Value value) {
        return arith::IndexCastOp::create(builder, loc, builder.getI64Type(), value);
      };
      auto wide = arith::MulSIExtendedOp::create(builder, loc, toI64(op->getOperand(0)),
                                                 toI64(op->getOperand(1)));
      Value bits = arith::ConstantIntOp::create(builder, loc, 63, 64);
      Value sign = arith::ShRSIOp::create(builder, loc, wide.getLow(), bits);
      return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne,
                                   wide.getHigh(), sign);
    }
    if (!isa<arith::AddIOp, arith::SubIOp>(op))
      return {};
    // The result has another sign than both terms.
    Value x = op->getOperand(0), y = op->getOperand(1);
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
};

struct CheckSizesPass : nn::impl::CheckSizesBase<CheckSizesPass> {
  void runOnOperation() override {
    func::FuncOp main = getMain(getOperation());
    if (!main)
      return;
    Overflows overflows(&getContext());
    SmallVector<Operation *> users;
    main.walk([&](Operation *op) {
      if (isa<AllocateOp, ArenaOp, OutputOp, CallKernelOp>(op))
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
      if (auto allocate = dyn_cast<AllocateOp>(op))
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
  static void addBytes(OpBuilder &builder, AllocateOp op, Overflows &overflows,
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
    if (isa<ArenaOp>(op))
      return "the values of the model would be larger than any memory";
    std::string names = getONNXNames(op->getLoc());
    return (names.empty() ? "" : "node '" + names + "': ") +
           "a tensor would have a negative size, or be larger than any memory";
  }
};
} // namespace
