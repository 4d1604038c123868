//===- TestBackend.cpp - a back end for tests -----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Computes nn.neg, alone or in a fusion, by linalg.map: the smallest thing that is a back
// end. docs/AddingABackend.md goes through this file.
//
//===----------------------------------------------------------------------===//

#include "TestBackend.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "nn/Fusion/FusionGroup.h"
#include "nn/Target/Backend.h"
#include "nn/Target/CostModel.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::types;

/// What it can compute: negations of f32.
static const Capability table[] = {{"nn.neg", "linalg.map", f32}};

namespace {
class NegateBackend : public Backend {
public:
  using Backend::Backend;

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, linalg::LinalgDialect, tensor::TensorDialect>();
  }
  std::unique_ptr<Placer> createPlacer(ModuleOp module,
                                       const CostModel &costs) const override;
};

class NegatePlacer : public Placer {
public:
  explicit NegatePlacer(const CostModel &costs) : costs(costs) {}

  void offer(const FusionView &group, SmallVectorImpl<Claim> &claims) override;

private:
  static FailureOr<SmallVector<Operation *>> place(const FusionView &group, NegOp op);

  const CostModel &costs;
};
} // namespace

static const NegateBackend &getBackend() {
  static const NegateBackend backend("negate", "negation", TargetKind::CPU, table,
                                     /*library=*/"negate");
  return backend;
}

void nn::registerTestBackend() { registerBackend(getBackend()); }

std::unique_ptr<Placer> NegateBackend::createPlacer(ModuleOp module,
                                                    const CostModel &costs) const {
  return std::make_unique<NegatePlacer>(costs);
}

/// Offers to compute the first negation of a group, for next to nothing.
void NegatePlacer::offer(const FusionView &group, SmallVectorImpl<Claim> &claims) {
  NegOp found;
  group.forEachOperator([&](Operation *op) {
    if (auto negation = dyn_cast<NegOp>(op); negation && !found)
      found = negation;
  });
  if (found && !getBackend().findGap(found))
    claims.push_back({"linalg.map", costs.getTime(group) / 2,
                      [&group, found] { return place(group, found); }});
}

FailureOr<SmallVector<Operation *>> NegatePlacer::place(const FusionView &group, NegOp op) {
  llvm::SetVector<Operation *> before, claimed;
  group.collectProducers(op.getInput(), before);
  claimed.insert(op);
  return FusionSplitter(group).run(
      before, claimed, op.getResult(), [&](FusionSplitter &splitter) -> Value {
        auto type = cast<RankedTensorType>(op.getType());
        Value input = splitter.toOuter(op.getInput());
        Value result = splitter.emitDestination(op.getLoc(), op, type);
        auto map = linalg::MapOp::create(
            splitter.getBuilder(), op.getLoc(), input, result,
            [](OpBuilder &builder, Location location, ValueRange arguments) {
              Value negated = arith::NegFOp::create(builder, location, arguments.front());
              linalg::YieldOp::create(builder, location, negated);
            });
        return map->getResult(0);
      });
}
