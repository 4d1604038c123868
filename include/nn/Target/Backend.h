//===- Backend.h - what computes parts of a model ---------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// A back end offers to compute groups of operators, and nn-place takes the cheapest
// offers. To add one, derive from Backend, and register an object of it
// (lib/InitAll/InitAll.cpp).
//
//===----------------------------------------------------------------------===//

#ifndef NN_TARGET_BACKEND_H
#define NN_TARGET_BACKEND_H

#include "dialects/NN/IR/NN.h"
#include "mlir/Pass/PassManager.h"
#include "nn/Conversion/Capabilities.h"
#include <functional>

namespace mlir::nn {

class CostModel;
class FusionView;

/// An offer to compute (a part of) a group of operators or a single one.
struct Claim {
  /// What the part becomes: the `lowering` of a row.
  StringRef lowering;
  /// Nanoseconds of a run, as the target's cost model estimates them, of the whole group.
  double cost;
  /// Replaces all uses of the group's root, which stays in place. Returns groups of the
  /// operators that were not claimed. Failure: nothing was changed, for the back end finds
  /// only now that it cannot compute the group.
  std::function<FailureOr<SmallVector<Operation *>>()> place;
};

/// A back end at work on a module. Lives as long as one run of nn-place.
class Placer {
public:
  virtual ~Placer() = default;
  /// Adds what the back end offers for a group of a function. `group` outlives the claims.
  virtual void offer(const FusionView &group, SmallVectorImpl<Claim> &claims) = 0;
};

/// Computes operators on one kind of machine, in its own way: a library, templates of
/// kernels, loops. Its table says which. Back ends do not know of each other.
class Backend {
public:
  /// `table`: rows of Capability or of what the back end derives from it. `library`: what
  /// the target must allow it to call, if anything.
  template <typename Row, size_t size>
  Backend(StringLiteral name, StringLiteral title, TargetKind target,
          const Row (&table)[size], StringLiteral library = "")
      : name(name), title(title), library(library), target(target) {
    for (const Row &row : table)
      rows.push_back(&row);
  }
  virtual ~Backend() = default;

  /// As options and remarks call it, and as headings do.
  StringRef getName() const { return name; }
  StringRef getTitle() const { return title; }
  /// The kind of machine that it computes on.
  TargetKind getTarget() const { return target; }
  /// The name that `libraries` of a target must have; empty: it calls none.
  StringRef getLibrary() const { return library; }
  /// Whether code for the target may use it.
  bool isAllowed(TargetAttr target) const {
    return target.getKind() == getTarget() && (library.empty() || target.allows(library));
  }

  /// The rows for operations of this name.
  SmallVector<const Capability *> findRows(OperationName op) const;
  /// nullopt if a row claims the operation; else why the row that comes closest does not.
  std::optional<Gap> findGap(Operation *op) const;

  /// The dialects of what it makes of operators.
  virtual void getDependentDialects(DialectRegistry &registry) const {}
  /// Starts to work on a module; null if it only takes what is left.
  virtual std::unique_ptr<Placer> createPlacer(ModuleOp module,
                                               const CostModel &costs) const {
    return nullptr;
  }
  /// Adds passes that lower what nobody claimed, for a back end that takes what is left.
  virtual void addPasses(OpPassManager &pm) const {}

private:
  StringLiteral name, title, library;
  TargetKind target;
  SmallVector<const Capability *> rows;
};

/// Makes a back end known to nn-place, triage and the generated pages. To be called before
/// threads are started; `backend` lives as long as the program.
void registerBackend(const Backend &backend);
/// Those that were registered, in that order. At equal cost the first one is taken.
ArrayRef<const Backend *> getBackends();
/// Those of them that code for a target may use.
SmallVector<const Backend *> getBackends(TargetAttr target);
/// nullopt if one of the back ends computes the operation; else what keeps the last of them
/// from it that has a row for it: that one takes the most.
std::optional<Gap> findGap(ArrayRef<const Backend *> backends, Operation *op);

// The back ends of this project, in the folders of their conversions.
const Backend &getOneDNNBackend();
const Backend &getKernelBackend();
const Backend &getLinalgBackend();
const Backend &getGPULoopsBackend();

} // namespace mlir::nn

#endif // NN_TARGET_BACKEND_H
