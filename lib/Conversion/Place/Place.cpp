//===- Place.cpp - each group to a back end -------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Iterators.h"
#include "mlir/IR/Remarks.h"
#include "nn/Conversion/Passes.h"
#include "nn/Fusion/FusionGroup.h"
#include "nn/Target/Backend.h"
#include "nn/Target/CostModel.h"
#include "nn/Target/Target.h"

namespace mlir::nn {
#define GEN_PASS_DEF_PLACE
#include "nn/Conversion/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {

/// The back ends that may offer.
using Placers = std::vector<std::pair<const Backend *, std::unique_ptr<Placer>>>;

/// What a back end offers for a group.
struct Offer {
  const Backend *backend;
  Claim claim;
};

class Place : public nn::impl::PlaceBase<Place> {
public:
  using PlaceBase::PlaceBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    PlaceBase::getDependentDialects(registry);
    for (const Backend *backend : getBackends())
      backend->getDependentDialects(registry);
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<CostModel> costs = CostModel::get(module);
    if (failed(costs) || failed(readOptions(*costs)))
      return signalPassFailure();
    Placers placers = createPlacers(*costs);
    SmallVector<func::FuncOp> functions;
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal() && !function->hasAttr("nn.kernel"))
        functions.push_back(function);
    for (func::FuncOp function : functions)
      place(function, *costs, placers);
  }

private:
  LogicalResult readOptions(CostModel &costs);
  Placers createPlacers(const CostModel &costs);
  void place(func::FuncOp function, const CostModel &costs, Placers &placers);
  SmallVector<Offer> collectOffers(const FusionView &group, const CostModel &costs,
                                   Placers &placers);
};

} // namespace

LogicalResult Place::readOptions(CostModel &costs) {
  SmallVector<StringRef> names(only.begin(), only.end());
  if (!prefer.empty())
    names.push_back(prefer);
  for (StringRef name : names) {
    auto bears = [&](const Backend *backend) { return backend->getName() == name; };
    if (llvm::any_of(getBackends(), bears))
      continue;
    InFlightDiagnostic error = getOperation().emitError("nn-place: there is no back end '")
                               << name << "'; there are ";
    llvm::interleaveComma(getBackends(), error,
                          [&](const Backend *backend) { error << backend->getName(); });
    return error;
  }
  if (tuning.empty())
    return success();
  if (llvm::Error error = costs.readTuning(tuning))
    return getOperation().emitError(llvm::toString(std::move(error)));
  return success();
}

Placers Place::createPlacers(const CostModel &costs) {
  Placers placers;
  for (const Backend *backend : getBackends(getTarget(getOperation())))
    if (only.empty() || llvm::is_contained(only, backend->getName()))
      if (std::unique_ptr<Placer> placer = backend->createPlacer(getOperation(), costs))
        placers.push_back({backend, std::move(placer)});
  return placers;
}

/// Cheapest first.
SmallVector<Offer> Place::collectOffers(const FusionView &group, const CostModel &costs,
                                        Placers &placers) {
  SmallVector<Offer> offers;
  for (auto &[backend, placer] : placers) {
    SmallVector<Claim> claims;
    placer->offer(group, claims);
    std::optional<double> known = costs.getMeasured(group, backend->getName());
    if (backend->getName() == prefer)
      known = 0;
    for (Claim &claim : claims) {
      claim.cost = known.value_or(claim.cost);
      offers.push_back({backend, std::move(claim)});
    }
    if (!claims.empty() || !group.anchor ||
        backend->findRows(group.anchor->getName()).empty())
      continue;
    if (std::optional<Gap> gap = backend->findGap(group.anchor))
      remark::missed(group.anchor->getLoc(),
                     remark::RemarkOpts::name("not-claimed").category(backend->getName()))
          << remark::add("{0}: {1}", group.anchor->getName().getStringRef().str(),
                         gap->str());
  }
  llvm::stable_sort(offers, [](const Offer &a, const Offer &b) {
    return a.claim.cost < b.claim.cost;
  });
  return offers;
}

void Place::place(func::FuncOp function, const CostModel &costs, Placers &placers) {
  SmallVector<Operation *> groups, placed;
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!isa_and_nonnull<NNDialect>(op->getDialect()) || isa<ConstantOp>(op))
      return WalkResult::advance();
    groups.push_back(op);
    return WalkResult::skip();
  });
  // The analysis identifies operations by address, so none is erased before the end.
  SymbolicDims dims(function);
  for (size_t i = 0; i < groups.size(); ++i) {
    FusionView group(groups[i], dims);
    bool isPlaced = false;
    for (Offer &offer : collectOffers(group, costs, placers)) {
      FailureOr<SmallVector<Operation *>> parts = offer.claim.place();
      if (failed(parts))
        continue;
      isPlaced = true;
      if (auto placement =
              remark::passed(group.root->getLoc(),
                             remark::RemarkOpts::name("placed").category("place")))
        placement << remark::add("{0} by {1}, {2} ns, key {3}", offer.claim.lowering,
                         offer.backend->getName(), int64_t(offer.claim.cost),
                         CostModel::getKey(group));
      numSplit += !parts->empty();
      ++numPlaced;
      placed.push_back(groups[i]);
      llvm::append_range(groups, *parts);
      break;
    }
    // The parts of a group may be what nobody computes as a whole.
    if (!isPlaced && group.anchor && isa<FusionOp>(group.root)) {
      ++numSplit;
      placed.push_back(groups[i]);
      llvm::append_range(groups, splitAtAnchor(group));
    }
  }
  for (Operation *root : placed)
    root->erase();
  // What stood for a part of a group until that was computed, and what was read through.
  function.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
    if (isa<TransposeOp, FusionOp>(op) && op->use_empty())
      op->erase();
  });
}
