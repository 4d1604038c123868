//===- CheckWindows.cpp - windows fit into run-time sizes -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/IR/SpatialShapes.h"
#include "dialects/NN/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "nn/Analysis/SymbolicDims.h"
#include "nn/Support/Locations.h"
#include <map>

namespace mlir::nn {
#define GEN_PASS_DEF_CHECKWINDOWS
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {
struct CheckWindows : nn::impl::CheckWindowsBase<CheckWindows> {
  void runOnOperation() override {
    // Sizes are emitted once per block.
    std::map<Block *, SymbolicDims> envs;
    getOperation().walk([&](Operation *op) {
      auto check = [&](auto window, ArrayRef<int64_t> kernel, bool ceilMode) {
        auto env = [&]() -> SymbolicDims & {
          return envs.try_emplace(op->getBlock(), getOperation()).first->second;
        };
        checkWindow(window, kernel, ceilMode, env);
      };
      if (auto conv = dyn_cast<ConvOp>(op))
        check(conv, conv.getWeight().getType().getShape().drop_front(2), false);
      else if (auto pool = dyn_cast<MaxPoolOp>(op))
        check(pool, pool.getKernelShape(), pool.getCeilMode());
      else if (auto pool = dyn_cast<MaxPoolIndicesOp>(op))
        check(pool, pool.getKernelShape(), pool.getCeilMode());
      else if (auto pool = dyn_cast<AveragePoolOp>(op))
        check(pool, pool.getKernelShape(), pool.getCeilMode());
      else if (auto pool = dyn_cast<LpPoolOp>(op))
        check(pool, pool.getKernelShape(), pool.getCeilMode());
    });
  }

  template <typename OpTy>
  void checkWindow(OpTy op, ArrayRef<int64_t> kernel, bool ceilMode,
                   function_ref<SymbolicDims &()> getEnv) {
    auto type = cast<RankedTensorType>(op.getInput().getType());
    SpatialDims where(op.getLayout(), type.getRank());
    Window window(where.count, op.getStrides(), op.getDilations(), op.getPads());
    for (int64_t i = 0; i < where.count; ++i) {
      int64_t smallest = getSmallestSize(
          kernel[i], window.strides[i], window.dilations[i], window.pads[i],
          window.pads[where.count + i], ceilMode, op.getAutoPad());
      // If one element is enough, an empty input gives an empty result.
      if (smallest > 1 && type.isDynamicDim(where.firstSpatial + i))
        emitCheck(op, op.getInput(), where.firstSpatial + i, i, smallest, getEnv());
    }
  }

  void emitCheck(Operation *op, Value input, int64_t dim, int64_t spatial,
                 int64_t smallest, SymbolicDims &env) {
    Dim size = env.getDims(input)[dim];
    if (env.isNonNegative(size - smallest))
      return;
    OpBuilder builder(op);
    Location loc = op->getLoc();
    // Use the function's inputs if possible: another use of the convolution's input
    // would prevent its fusion.
    FailureOr<OpFoldResult> known = env.materialize(builder, loc, size);
    Value value = succeeded(known)
                      ? getValueOrCreateConstantIndexOp(builder, loc, *known)
                      : builder.createOrFold<tensor::DimOp>(loc, input, dim);
    Value least = arith::ConstantIndexOp::create(builder, loc, smallest);
    Value fits = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge,
                                       value, least);
    cf::AssertOp::create(
        builder, loc, fits,
        "node '" + getONNXNames(loc) +
            "': the window does not fit into the padded input in spatial dimension " +
            std::to_string(spatial) + ", which needs " + std::to_string(smallest) +
            " elements or more; give the model a larger input");
    ++numChecked;
  }
};
} // namespace
