//===- Backend.h - what computes parts of a model ---------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TARGET_BACKEND_H
#define NN_TARGET_BACKEND_H

#include "dialects/NN/IR/NN.h"
#include "nn/Conversion/Capabilities.h"

namespace mlir::nn {

/// Computes operators on one kind of machine, in its own way: a library, templates of
/// kernels, loops. Its table says which. Back ends do not know of each other.
class Backend {
public:
  /// `table`: rows of Capability or of what the back end derives from it.
  template <typename Row, size_t size>
  Backend(StringLiteral name, StringLiteral title, TargetKind target,
          const Row (&table)[size])
      : name(name), title(title), target(target) {
    for (const Row &row : table)
      rows.push_back(&row);
  }

  /// As options and remarks call it, and as headings do.
  StringRef getName() const { return name; }
  StringRef getTitle() const { return title; }
  /// The kind of machine that it computes on.
  TargetKind getTarget() const { return target; }

  /// The rows for operations of this name.
  SmallVector<const Capability *> findRows(OperationName op) const;
  /// nullopt if a row claims the operation; else why the row that comes closest does not.
  std::optional<Gap> findGap(Operation *op) const;

private:
  StringLiteral name, title;
  TargetKind target;
  SmallVector<const Capability *> rows;
};

// The back ends, in the folders of their conversions.
const Backend &getOneDNNBackend();
const Backend &getKernelBackend();
const Backend &getLinalgBackend();

} // namespace mlir::nn

#endif // NN_TARGET_BACKEND_H
