//===- Report.cpp - what nn-run tells -------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Execution/Report.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <limits>

using namespace mlir;
using namespace mlir::nn;

/// How bad a row is: rows that could not be compared come first.
static double getBadness(const ReportRow &row) {
  return !row.note.empty() || !row.comparison.incomparable.empty()
             ? std::numeric_limits<double>::max()
             : row.comparison.worstRatio;
}

void nn::printComparison(llvm::raw_ostream &os, std::vector<ReportRow> rows,
                         size_t limit) {
  llvm::stable_sort(rows, [](const ReportRow &a, const ReportRow &b) {
    return getBadness(a) > getBadness(b);
  });
  size_t width = 6;
  for (const ReportRow &row : rows)
    width = std::max(width, std::min<size_t>(row.name.size(), 60));
  os << llvm::left_justify("tensor", width)
     << "  result    error   /limit  worst element\n";
  for (auto [i, row] : llvm::enumerate(rows)) {
    if (limit && i == limit) {
      os << "... and " << rows.size() - limit << " more\n";
      break;
    }
    os << llvm::left_justify(row.name, width) << "  "
       << (row.matches() ? "ok    " : "WRONG ");
    const Comparison &comparison = row.comparison;
    if (!row.note.empty()) {
      os << "  " << row.note << "\n";
    } else if (!comparison.incomparable.empty()) {
      os << "  " << comparison.incomparable << "\n";
    } else {
      os << llvm::format("  %7.2g  %7.2g  ", comparison.worstError,
                         comparison.worstRatio);
      if (comparison.numElements == 0) {
        os << "empty\n";
        continue;
      }
      os << "[";
      llvm::interleave(comparison.worstIndex, os, ",");
      os << "]: got " << comparison.worstGot << ", want " << comparison.worstWant;
      if (comparison.numMismatches)
        os << "; " << comparison.numMismatches << " of " << comparison.numElements
           << " elements are wrong";
      os << "\n";
    }
  }
}

void nn::printProfile(llvm::raw_ostream &os, std::vector<KernelTime> times,
                      size_t runs) {
  llvm::stable_sort(times, [](const KernelTime &a, const KernelTime &b) {
    return a.totalNs > b.totalNs;
  });
  double total = 0;
  size_t width = 6;
  for (const KernelTime &time : times) {
    total += double(time.totalNs);
    width = std::max(width, time.kind.size());
  }
  os << "ms a run   share  calls  " << llvm::left_justify("kernel", width)
     << "  nodes\n";
  for (const KernelTime &time : times)
    os << llvm::format("%8.3f  %5.1f%%  %5.0f  ", time.totalNs / 1e6 / runs,
                       total > 0 ? 100 * time.totalNs / total : 0.0,
                       double(time.calls) / runs)
       << llvm::left_justify(time.kind, width) << "  " << time.nodes << "\n";
  os << llvm::format("%8.3f  in all\n", total / 1e6 / runs);
}

static void printTensor(llvm::raw_ostream &os, const Twine &name,
                        const HostTensor &tensor) {
  constexpr int64_t shown = 8;
  os << name << ": " << tensor.describe() << " = [";
  int64_t count = std::min(tensor.getNumElements(), shown);
  for (int64_t i = 0; i < count; ++i)
    os << (i ? ", " : "") << formatElement(tensor, i);
  os << (tensor.getNumElements() > shown ? ", ...]\n" : "]\n");
}

llvm::Error nn::printResults(llvm::raw_ostream &os, const Model &model,
                             ArrayRef<HostTensor> results) {
  for (const ValueInfo &info : model.getOutputValues()) {
    llvm::Expected<StructuredValue> value =
        fromParts(info.type, results.slice(info.first, info.count));
    if (!value)
      return llvm::createStringError("output '" + info.name +
                                     "': " + llvm::toString(value.takeError()));
    if (!value->isPresent)
      os << info.describe() << ", absent\n";
    else if (info.type.isSequence)
      os << info.describe() << ", " << value->items.size() << " items\n";
    for (auto [i, item] : llvm::enumerate(value->items))
      printTensor(os, info.type.isSequence ? info.name + "[" + Twine(i) + "]"
                                           : Twine(info.name),
                  item);
  }
  return llvm::Error::success();
}

void nn::printInfo(llvm::raw_ostream &os, const Model &model, const LibraryInfo &info,
                   bool ran) {
  for (const ValueInfo &value : model.getInputValues())
    os << "input   " << value.describe() << "\n";
  for (const ValueInfo &value : model.getOutputValues())
    os << "output  " << value.describe() << "\n";
  os << "variant " << info.variant << "\n";
  os << "weights " << info.weights << " bytes, once for all sessions\n";
  os << "arena   "
     << (info.arenaFormula.empty() ? "of a size that no formula gives"
                                   : info.arenaFormula + " bytes for each session")
     << "\n";
  if (info.numDataDependent)
    os << "        and " << info.numDataDependent
       << " buffers of sizes that depend on the data\n";
  if (!info.deviceArenaFormula.empty())
    os << "device  " << info.deviceArenaFormula << " bytes for each session\n";
  if (!ran)
    return;
  os << "run     arena " << info.arena << ", data-dependent " << info.dataDependent
     << ", outputs " << info.outputs << ", copies of inputs " << info.inputCopies
     << ", oneDNN's scratchpad " << info.scratchpad
     << " bytes; weights packed for oneDNN " << info.packedWeights << " bytes";
  if (info.deviceArena)
    os << "; arena on the device " << info.deviceArena << " bytes";
  os << "\n";
}
