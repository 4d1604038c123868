//===- Placement.cpp - how each nn operator is lowered --------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Pages.h"
#include "dialects/NN/IR/NN.h"
#include "nn/Conversion/Capabilities.h"

using namespace mlir;
using namespace mlir::nn;

static std::string getShortName(TypeSet set) {
  if (set == types::any)
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

static void printRows(ArrayRef<Capability> table, OperationName op,
                      llvm::raw_ostream &os) {
  auto rows = findRows(table, op);
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

/// Operations that are not lowered by one of the three conversions.
static StringRef getSpecialRoad(OperationName op) {
  return llvm::StringSwitch<StringRef>(op.getStringRef())
      .Case("nn.constant", "a view of the weights section (bufferization)")
      .Cases({"nn.fusion", "nn.yield"},
             "claimed as a group, or split again (all three conversions)")
      .Case("nn.call_kernel", "a call of a generated kernel")
      .Cases({"nn.allocate", "nn.arena", "nn.output", "nn.weight"},
             "an address that the runtime gives")
      .Cases({"nn.mark", "nn.release"}, "a call of the runtime's pool of buffers")
      .Cases({"nn.kernel_begin", "nn.kernel_end"}, "a call of the runtime's profiler")
      .Default("");
}

void nn::printPlacement(MLIRContext &context, llvm::raw_ostream &os) {
  os << "# How each nn operator is lowered\n\n"
        "Printed from the capability tables in `lib/Conversion/NNToOneDNN`,\n"
        "`NNToKernels` and `NNToLinalg`, which the conversions obey. Roads are\n"
        "tried from left to right, with the exceptions that\n"
        "`lib/Pipelines/Pipelines.cpp` makes for what generated code does better;\n"
        "element types are those of the data operand, as far as the operator's\n"
        "definition accepts them: floats are f16, bf16, f32, f64; integers i8 to i64\n"
        "and ui8 to ui64; numbers both; basic: numbers and i1; any: also floats of 8\n"
        "bits or less, and i4, ui4, i2, ui2, which are bytes when operators are lowered\n"
        "(`nn-store-small-types`). A *runtime kernel* is a reference kernel of libnnrt,\n"
        "for what is control flow more than arithmetic.\n\n"
        "Whatever the road, machine code calls no library; a function that would\n"
        "need one is refused (see [coverage](coverage.md)).\n\n"
        "| operator | oneDNN | kernel template | linalg, runtime |\n|---|---|---|---|\n";
  SmallVector<RegisteredOperationName> names;
  for (RegisteredOperationName op : context.getRegisteredOperations())
    if (op.getDialectNamespace() == "nn")
      names.push_back(op);
  llvm::sort(names, [](OperationName lhs, OperationName rhs) {
    return lhs.getStringRef() < rhs.getStringRef();
  });
  for (RegisteredOperationName op : names) {
    if (!op.hasInterface<ShapeOpInterface>() || !getSpecialRoad(op).empty())
      continue;
    os << "| `" << op.getStringRef() << "` | ";
    printRows(getOneDNNCapabilities(), op, os);
    os << " | ";
    printRows(getKernelCapabilities(), op, os);
    os << " | ";
    printRows(getLinalgCapabilities(), op, os);
    os << " |\n";
  }
  os << "\n| other operation | becomes |\n|---|---|\n";
  for (RegisteredOperationName op : names) {
    StringRef road = getSpecialRoad(op);
    if (!op.hasInterface<ShapeOpInterface>() || !road.empty())
      os << "| `" << op.getStringRef() << "` | " << (road.empty() ? "–" : road)
         << " |\n";
  }
}
