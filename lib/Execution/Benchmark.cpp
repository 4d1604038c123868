//===- Benchmark.cpp - latency and memory of a model ----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Execution/Report.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <cmath>

using namespace mlir;
using namespace mlir::nn;
using llvm::Expected;

using Clock = std::chrono::steady_clock;

static double getMs(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// A value of /proc/self/status ("VmRSS", "VmHWM") in MiB; 0 if there is none.
static double getStatusMb(StringRef key) {
  auto buffer = llvm::MemoryBuffer::getFileAsStream("/proc/self/status");
  if (!buffer)
    return 0;
  SmallVector<StringRef> lines;
  (*buffer)->getBuffer().split(lines, '\n');
  for (StringRef line : lines) {
    uint64_t kb;
    if (line.consume_front(key) && line.consume_front(":") &&
        !line.ltrim().consumeInteger(10, kb))
      return double(kb) / 1024;
  }
  return 0;
}

/// Resets VmHWM to the current size.
static void resetPeakMemory() {
  std::error_code error;
  llvm::raw_fd_ostream stream("/proc/self/clear_refs", error,
                              llvm::sys::fs::CD_OpenExisting);
  if (!error)
    stream << "5";
  stream.close();
  stream.clear_error(); // not allowed everywhere; the peak is then an upper bound
}

Expected<BenchmarkResult> nn::runBenchmark(
    const std::function<Expected<std::unique_ptr<Model>>()> &open,
    const NamedTensors &arrays) {
  BenchmarkResult result;
  resetPeakMemory();
  double before = getStatusMb("VmRSS");
  auto start = Clock::now();
  Expected<std::unique_ptr<Model>> model = open();
  if (!model)
    return model.takeError();
  result.loadMs = getMs(start);
  Expected<HostTensors> inputs = bindInputs(**model, arrays);
  if (!inputs)
    return inputs.takeError();

  // The warm-up lets caches, page tables and clock frequency settle.
  start = Clock::now();
  for (int i = 0; i < 3 || (i < 100 && getMs(start) < 300); ++i)
    if (llvm::Error error = (*model)->runOnly(*inputs))
      return std::move(error);

  std::vector<double> times;
  start = Clock::now();
  while (times.size() < 10 || (times.size() < 10000 && getMs(start) < 2000)) {
    auto begin = Clock::now();
    if (llvm::Error error = (*model)->runOnly(*inputs))
      return std::move(error);
    times.push_back(getMs(begin));
  }
  llvm::sort(times);
  auto percentile = [&](double part) { // the smallest that `part` do not exceed
    return times[size_t(std::ceil(part * double(times.size()))) - 1];
  };
  result.medianMs = percentile(0.5);
  result.p90Ms = percentile(0.9);
  result.p99Ms = percentile(0.99);
  result.runs = times.size();
  result.peakMemoryMb = std::max(0.0, getStatusMb("VmHWM") - before);
  return result;
}

void BenchmarkResult::print(llvm::raw_ostream &os, bool json) const {
  if (json) {
    os << llvm::format("{\"median_ms\": %.6g, \"p90_ms\": %.6g, \"p99_ms\": %.6g, "
                       "\"load_ms\": %.6g, \"peak_memory_mb\": %.6g}\n",
                       medianMs, p90Ms, p99Ms, loadMs, peakMemoryMb);
    return;
  }
  os << llvm::format("median %.3f ms, p90 %.3f ms, p99 %.3f ms (%zu runs)\n",
                     medianMs, p90Ms, p99Ms, runs)
     << llvm::format("load %.3f ms, peak memory %.1f MB\n", loadMs, peakMemoryMb);
}
