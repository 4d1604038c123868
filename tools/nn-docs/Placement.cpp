//===- Placement.cpp - how each nn operator is lowered --------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Pages.h"
#include "dialects/NN/IR/NN.h"
#include "nn/Target/Backend.h"

using namespace mlir;
using namespace mlir::nn;

static std::string getShortName(TypeSet set) {
  if (set == types::every)
    return "any";
  if (set == types::basic)
    return "basic";
  if (set == types::numbers)
    return "numbers";
  if (set == types::floats)
    return "floats";
  if (set == types::ints)
    return "integers";
  return set.str();
}

static void printRows(const Backend &backend, OperationName op, llvm::raw_ostream &os) {
  auto rows = backend.findRows(op);
  if (rows.empty())
    os << "–";
  llvm::interleave(
      rows, os,
      [&](const Capability *row) {
        StringRef lowering = row->lowering;
        lowering.consume_front("kernel ");
        lowering.consume_front("onednn.");
        if (lowering != "linalg")
          os << lowering << ": ";
        os << getShortName(row->types);
        bool isBounded = row->maxRank != INT64_MAX;
        if (row->minRank > 0 || isBounded) {
          os << "; rank " << row->minRank;
          if (!isBounded)
            os << " or more";
          else if (row->maxRank != row->minRank)
            os << " to " << row->maxRank;
        }
        for (const Condition &condition : row->conditions)
          os << "; " << condition.constraint;
      },
      " / ");
}

/// What becomes of an operation that none of the three conversions lowers; "" for others.
static StringRef getSpecialLowering(OperationName op) {
  return llvm::StringSwitch<StringRef>(op.getStringRef())
      .Case("nn.constant", "a view of the weights section (bufferization)")
      .Cases({"nn.fusion", "nn.yield"},
             "claimed as a group, or split again (all three conversions)")
      .Case("rt.launch", "a call of a generated kernel")
      .Case("rt.call", "a call of a kernel of the runtime")
      .Cases({"rt.allocate", "rt.arena", "rt.output", "rt.weight"},
             "an address that the runtime gives")
      .Cases({"rt.mark", "rt.release"}, "a call of the runtime's pool of buffers")
      .Cases({"rt.kernel_begin", "rt.kernel_end"}, "a call of the runtime's profiler")
      .Default("");
}

void nn::printPlacement(MLIRContext &context, llvm::raw_ostream &os) {
  os << "# How each nn operator is lowered\n\n"
        "The conversions to oneDNN, kernel templates and linalg obey the capability\n"
        "tables in `lib/Conversion/NNToOneDNN`, `NNToKernels` and `NNToLinalg`; this\n"
        "page prints them. Columns are tried from left to right, except that\n"
        "`lib/Pipelines/Pipelines.cpp` lets generated code go first where it is\n"
        "faster.\n\n"
        "Element types are those of the data operand; the operator's definition may\n"
        "accept fewer:\n\n"
        "| | |\n|---|---|\n"
        "| floats | f16, bf16, f32, f64 |\n"
        "| integers | i8 to i64, ui8 to ui64 |\n"
        "| numbers | floats and integers |\n"
        "| basic | numbers and i1 |\n"
        "| any | basic, and the small types: floats of 8 bits or less, i4, ui4, i2, ui2. "
        "They are stored in bytes by the time operators are lowered "
        "(`nn-store-small-types`) |\n\n"
        "A *runtime kernel* is a reference kernel of libnnrt, for operators that are\n"
        "more control flow than arithmetic.\n\n"
        "Generated code calls no library. A function that would need one is refused\n"
        "(see [coverage](coverage.md)).\n\n"
        "| operator |";
  for (const Backend *backend : getBackends())
    os << " " << backend->getTitle() << " |";
  os << "\n|---|";
  for (size_t i = 0; i < getBackends().size(); ++i)
    os << "---|";
  os << "\n";
  SmallVector<RegisteredOperationName> names;
  for (RegisteredOperationName op : context.getRegisteredOperations())
    if (op.getDialectNamespace() == "nn" || op.getDialectNamespace() == "rt")
      names.push_back(op);
  llvm::sort(names, [](OperationName lhs, OperationName rhs) {
    return lhs.getStringRef() < rhs.getStringRef();
  });
  for (RegisteredOperationName op : names) {
    if (!op.hasInterface<ShapeOpInterface>() || !getSpecialLowering(op).empty())
      continue;
    os << "| `" << op.getStringRef() << "` | ";
    llvm::interleave(
        getBackends(), os,
        [&](const Backend *backend) { printRows(*backend, op, os); }, " | ");
    os << " |\n";
  }
  os << "\n| other operation | becomes |\n|---|---|\n";
  for (RegisteredOperationName op : names) {
    StringRef lowering = getSpecialLowering(op);
    if (!op.hasInterface<ShapeOpInterface>() || !lowering.empty())
      os << "| `" << op.getStringRef() << "` | " << (lowering.empty() ? "–" : lowering)
         << " |\n";
  }
}
