//===- Report.h - what nn-run tells -----------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_EXECUTION_REPORT_H
#define NN_EXECUTION_REPORT_H

#include "nn/Execution/Model.h"
#include "nn/Support/Compare.h"
#include <functional>

namespace mlir::nn {

/// A compared tensor. A `note`, e.g. "is missing", replaces the comparison.
struct ReportRow {
  std::string name;
  Comparison comparison;
  std::string note;

  bool matches() const { return note.empty() && comparison.matches; }
};

/// One line per tensor, the worst first, at most `limit` lines (0: all).
void printComparison(llvm::raw_ostream &os, std::vector<ReportRow> rows,
                     size_t limit = 0);

struct BenchmarkResult {
  double medianMs = 0, p90Ms = 0, p99Ms = 0;
  double loadMs = 0;
  /// How much opening and running added to the process's peak resident size.
  double peakMemoryMb = 0;
  size_t runs = 0;

  void print(llvm::raw_ostream &os, bool json) const;
};

/// Opens a model with `open`, warms it up and measures runs on one set of inputs.
llvm::Expected<BenchmarkResult>
runBenchmark(const std::function<llvm::Expected<std::unique_ptr<Model>>()> &open,
             const NamedTensors &arrays);

/// Kernels by their share of the time.
void printProfile(llvm::raw_ostream &os, std::vector<KernelTime> times,
                  size_t runs);

/// A library's inputs and outputs, its variant, and its memory: the formula, and with
/// `ran` what the session has allocated.
void printInfo(llvm::raw_ostream &os, const Model &model, const LibraryInfo &info,
               bool ran);

/// Name, type and first elements of the results of a run, or of the items of sequences.
llvm::Error printResults(llvm::raw_ostream &os, const Model &model,
                         ArrayRef<HostTensor> results);

} // namespace mlir::nn

#endif // NN_EXECUTION_REPORT_H
