//===- CostModel.cpp - What runs in parallel ------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/CostModel.h"

#include <algorithm>
#include <new>

namespace nnrt {

//===----------------------------------------------------------------------===//
// Estimates
//===----------------------------------------------------------------------===//

void SiteCost::Estimate::add(float sample) {
  if (samples < CostModel::firstSamples) {
    ticks = samples++ ? std::min(ticks, sample) : sample;
    return;
  }
  // Down at once, up slowly: one interrupted thread says nothing about the site.
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

/// Trials may cost one part in so many of the time: 1%.
static constexpr int64_t lossShare = 100;
/// The least number of runs between two trials.
static constexpr int64_t runsBetweenTrials = 20;
/// After a trial of all threads, at most about 20 ms count for them: long runs should
/// notice soon that other work has ended, and the loss of the trial counts anyway.
static constexpr int64_t timeBetweenTrials = 5e7;
/// About 2 ms, longer than waking workers or waiting for an interrupted one.
static constexpr float longSite = 5e6f;
/// A trial of all threads takes so many runs if they are short: in the first, workers must be
/// woken. If the next one is slow too, it is the last.
static constexpr int runsInTrial = 4;
static constexpr int64_t wakingTime = 2e5; // about 0.1 ms
static constexpr int64_t shortRun = 2e6; // about 1 ms
/// If the choices for its sites save less of a run, all of it gets one thread.
static constexpr float leastGain = 0.02f;

void CostModel::planRun() {
  if (trialRuns > 0)
    return;
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
    // The choice stays until the next trial.
    serialRun = !afterTrial && (!choseParallel || isChoiceSlower());
    if (!serialRun)
      choseSerial = choseParallel = false;
    return;
  }
  lastTrial = plan;
  trialLoss = 0;
  trialRuns = plan == Plan::AllParallel ? runsInTrial : 1;
  serialRun = plan == Plan::AllSerial;
  // Old interruptions count less than what the trial shows.
  (serialRun ? serialInterruptions : parallelInterruptions).beyond *= 0.75f;
}

bool CostModel::isChoiceSlower() const {
  return std::min(serialRuns.samples, chosenRuns.samples) == firstSamples &&
         chosenRuns.ticks > (1 - leastGain) * serialRuns.ticks;
}

bool CostModel::beginRun() {
  expected = 0;
  isComplete = true;
  lossOfSites = 0;
  planRun();
  return !serialRun;
}

int64_t CostModel::getLossOfRun(int64_t ticks) const {
  if (plan != Plan::AllParallel || serialRuns.samples < firstSamples)
    return 0;
  return std::max<int64_t>(ticks - int64_t(serialRuns.ticks * expected), 0);
}

void CostModel::endRun(int64_t ticks) {
  ticks = std::max<int64_t>(ticks, 0);
  if (plan == Plan::Choose && !first) {
    untilTrial -= ticks;
  } else {
    int64_t loss = std::max(lossOfSites, getLossOfRun(ticks));
    trialLoss += loss;
    bool goOn = trialRuns > 1 && ticks < shortRun &&
                loss < (trialRuns == runsInTrial ? wakingTime : ticks / 4);
    trialRuns = goOn ? trialRuns - 1 : 0;
    int64_t least = runsBetweenTrials * ticks;
    if (plan == Plan::AllParallel)
      least = std::min(least, timeBetweenTrials);
    untilTrial = least + lossShare * trialLoss;
  }
  first = false;
  // The times of sites do not add up to that of a run: data move between caches.
  if (isComplete && expected > 0 && plan != Plan::AllParallel && !isSettled())
    (serialRun ? serialRuns : chosenRuns).add(float(ticks) / expected);
}

bool CostModel::isParallel(const SiteCost &site) {
  if (serialRun)
    return false;
  if (plan == Plan::AllParallel)
    return true;
  // Each way needs its samples first. Long sites are parallel until a trial shows
  // that one thread is better.
  bool isLong = site.parallel.samples && site.parallel.ticks >= longSite;
  if (isLong ? !site.serial.samples
             : std::min(site.serial.samples, site.parallel.samples) < firstSamples) {
    choseParallel = true;
    isComplete = false;
    return isLong || site.parallel.samples <= site.serial.samples;
  }
  bool parallel = site.parallel.ticks * parallelInterruptions.factor() <
                  site.serial.ticks * serialInterruptions.factor();
  (parallel ? choseParallel : choseSerial) = true;
  return parallel;
}

void CostModel::record(SiteCost &site, bool parallel, int64_t ticks) {
  ticks = std::max<int64_t>(ticks, 1);
  expected += site.serial.ticks;
  isComplete &= site.serial.samples == firstSamples;
  SiteCost::Estimate &estimate = parallel ? site.parallel : site.serial;
  if (plan != Plan::Choose) {
    const SiteCost::Estimate &other = parallel ? site.serial : site.parallel;
    if (other.samples)
      lossOfSites += std::max<int64_t>(ticks - int64_t(other.ticks), 0);
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

/// Counts that differ by less than a quarter are of one class.
static int sizeClass(int64_t count) {
  int exponent = 63 - __builtin_clzll(uint64_t(count) | 1);
  int64_t leading = exponent < 2 ? count : count >> (exponent - 2);
  return exponent * 8 + int(leading);
}

LoopCosts::Entry &LoopCosts::probe(std::vector<Entry> &table, nnrt_abi_range_fn fn,
                                   int size) {
  uint64_t hash = (reinterpret_cast<uintptr_t>(fn) + uint64_t(size)) *
                  0x9E3779B97F4A7C15ull;
  size_t index = (hash >> 32) & (table.size() - 1);
  while (table[index].fn && (table[index].fn != fn || table[index].size != size))
    index = (index + 1) & (table.size() - 1);
  return table[index];
}

/// Doubles the table. Shapes that never come back must not fill the memory: a table that is
/// large is emptied instead, as is one for which there is no memory.
void LoopCosts::makeRoom() {
  constexpr size_t largest = 8192;
  std::vector<Entry> old;
  try {
    if (entries.size() < largest)
      old.resize(2 * entries.size());
  } catch (const std::bad_alloc &) {
  }
  if (old.empty()) {
    std::fill(entries.begin(), entries.end(), Entry());
    used = 0;
    return;
  }
  old.swap(entries);
  for (Entry &entry : old)
    if (entry.fn)
      probe(entries, entry.fn, entry.size) = entry;
}

SiteCost &LoopCosts::find(nnrt_abi_range_fn fn, int64_t count) {
  int size = sizeClass(count);
  Entry *entry = &probe(entries, fn, size);
  if (!entry->fn) {
    if (2 * (used + 1) > entries.size()) {
      makeRoom();
      entry = &probe(entries, fn, size);
    }
    *entry = {fn, size, {}};
    ++used;
  }
  return entry->cost;
}

} // namespace nnrt
