//===- CostModel.cpp - What runs in parallel ------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/CostModel.h"

#include <algorithm>

namespace nnrt {

//===----------------------------------------------------------------------===//
// Estimates
//===----------------------------------------------------------------------===//

void SiteCost::Estimate::add(float sample) {
  if (samples < CostModel::firstSamples) {
    ticks = samples++ ? std::min(ticks, sample) : sample;
    return;
  }
  // Down at once, up slowly: a thread that was interrupted once says nothing of
  // the site.
  if (sample < ticks)
    ticks += (sample - ticks) / 2;
  else
    ticks += (std::min(sample, 2 * ticks) - ticks) / 8;
}

void CostModel::Interruptions::add(float newUsual, float newBeyond) {
  usual += newUsual;
  beyond += newBeyond;
  if (usual > 2 * window) {
    usual /= 2;
    beyond /= 2;
  }
}

//===----------------------------------------------------------------------===//
// Choices
//===----------------------------------------------------------------------===//

/// A hundredth of the time may be lost by trying.
static constexpr int64_t lossShare = 100;
/// Runs between two trials, at least.
static constexpr int64_t runsBetweenTrials = 20;

void CostModel::planRun() {
  bool afterTrial = plan != Plan::Choose;
  plan = Plan::Choose;
  serialRun = false;
  if (!first && !afterTrial && untilTrial <= 0) {
    if (choseSerial && (!choseParallel || lastTrial == Plan::AllSerial))
      plan = Plan::AllParallel;
    else if (choseParallel)
      plan = Plan::AllSerial;
  }
  if (plan == Plan::Choose) {
    // Nothing changes the choice until the next trial.
    serialRun = !afterTrial && !choseParallel;
    if (!serialRun)
      choseSerial = choseParallel = false;
    return;
  }
  lastTrial = plan;
  trialLoss = 0;
  serialRun = plan == Plan::AllSerial;
  // What was long ago counts less than what the trial shows.
  (serialRun ? serialInterruptions : parallelInterruptions).beyond *= 0.75f;
}

bool CostModel::beginRun() {
  planRun();
  return !serialRun;
}

void CostModel::endRun(int64_t ticks) {
  ticks = std::max<int64_t>(ticks, 0);
  if (plan == Plan::Choose && !first)
    untilTrial -= ticks;
  else
    untilTrial = lossShare * trialLoss + runsBetweenTrials * ticks;
  first = false;
}

bool CostModel::isParallel(const SiteCost &site) {
  if (serialRun)
    return false;
  if (plan == Plan::AllParallel)
    return true;
  if (std::min(site.serial.samples, site.parallel.samples) < firstSamples) {
    choseParallel = true; // nothing is settled
    return site.parallel.samples <= site.serial.samples;
  }
  bool parallel = site.parallel.ticks * parallelInterruptions.factor() <
                  site.serial.ticks * serialInterruptions.factor();
  (parallel ? choseParallel : choseSerial) = true;
  return parallel;
}

void CostModel::record(SiteCost &site, bool parallel, int64_t ticks) {
  ticks = std::max<int64_t>(ticks, 1);
  SiteCost::Estimate &estimate = parallel ? site.parallel : site.serial;
  if (plan != Plan::Choose) {
    const SiteCost::Estimate &other = parallel ? site.serial : site.parallel;
    if (other.samples)
      trialLoss += std::max<int64_t>(ticks - int64_t(other.ticks), 0);
  }
  if (estimate.samples >= firstSamples) {
    float usual = std::min(float(ticks), 2 * estimate.ticks);
    (parallel ? parallelInterruptions : serialInterruptions)
        .add(usual, float(ticks) - usual);
  }
  estimate.add(float(ticks));
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// The same for counts that differ by less than a quarter.
static int sizeClass(int64_t count) {
  int exponent = 63 - __builtin_clzll(uint64_t(count) | 1);
  int64_t leading = exponent < 2 ? count : count >> (exponent - 2);
  return exponent * 8 + int(leading);
}

SiteCost &LoopCosts::find(nnrt_abi_range_fn fn, int64_t count) {
  int size = sizeClass(count);
  uint64_t hash = (reinterpret_cast<uintptr_t>(fn) + uint64_t(size)) *
                  0x9E3779B97F4A7C15ull;
  Entry &entry = entries[hash >> 56];
  if (entry.fn != fn || entry.size != size)
    entry = {fn, size, {}};
  return entry.cost;
}

} // namespace nnrt
