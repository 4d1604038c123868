//===- CostModel.h - What runs in parallel ----------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Whether a loop or a primitive gains by more threads depends on its work, on the cost
// of waking and joining workers, and on the load of the machine. This is measured, not
// guessed: each site is timed with one thread and with all, and the faster way is
// taken. The other way is tried again from time to time, so that the choice follows the
// load. Results do not depend on it.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CPU_COSTMODEL_H
#define NNRT_CPU_COSTMODEL_H

#include "nnrt_abi.h"

#include <chrono>
#include <vector>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace nnrt {

/// The time stamp counter; only differences are used.
inline int64_t readTicks() {
#if defined(__x86_64__)
  return static_cast<int64_t>(__rdtsc());
#else
  return std::chrono::steady_clock::now().time_since_epoch().count();
#endif
}

/// What a site (a loop or a primitive, of one size) has cost so far.
struct SiteCost {
  /// Follows the usual case; a few outliers hardly change it.
  struct Estimate {
    float ticks = 0;
    uint8_t samples = 0; // counted up to CostModel::firstSamples
    void add(float sample);
  };
  Estimate serial, parallel;
};

/// Chooses for the sites of one session. Used by one thread at a time.
class CostModel {
public:
  /// Each way is timed so often before one is chosen: the first runs are cold.
  static constexpr int firstSamples = 3;

  /// Whether anything in the run that begins may be parallel. If not, all of it can be
  /// given one thread.
  bool beginRun();
  void endRun(int64_t ticks);

  /// How to execute the site this time.
  bool isParallel(const SiteCost &site);
  /// Whether the run was given one thread.
  bool isSerialRun() const { return serialRun; }
  /// Whether this run neither chooses nor measures.
  bool isSettled() const { return serialRun && plan == Plan::Choose; }
  void record(SiteCost &site, bool parallel, int64_t ticks);

private:
  /// A site's parallel time depends on the sites before it, after which workers may
  /// still be awake. Therefore whole runs try the other way.
  enum class Plan : uint8_t { Choose, AllParallel, AllSerial };
  void planRun();
  /// Whether runs with the choices of the sites are no faster than with one thread.
  bool isChoiceSlower() const;
  /// By how many ticks a trial of all threads was slower than a run with one.
  int64_t getLossOfRun(int64_t ticks) const;

  /// The time of sites beyond the usual case, in which a thread was interrupted. It says
  /// nothing about a site, but much about running in parallel.
  struct Interruptions {
    /// Counts as observed without interruptions (about 20 ms, in ticks), so that a
    /// single one does not decide.
    static constexpr float window = 5e7f;
    float usual = window, beyond = 0;
    void add(float usual, float beyond);
    float factor() const { return 1 + beyond / usual; }
  };
  Interruptions serialInterruptions, parallelInterruptions;

  Plan plan = Plan::Choose;
  Plan lastTrial = Plan::AllSerial;
  bool serialRun = false;
  /// The choices of the last run that was no trial.
  bool choseSerial = false, choseParallel = true;
  /// Ticks of runs until the next trial. The first run counts as one.
  int64_t untilTrial = 0;
  /// The time of runs, relative to the expected time of their sites with one thread,
  /// since runs differ in shapes.
  SiteCost::Estimate serialRuns, chosenRuns;
  /// Of the current run: those expected ticks, and whether all of its sites are known.
  float expected = 0;
  bool isComplete = true;
  /// Of the current run, if it belongs to a trial: by how many ticks its sites took longer.
  int64_t lossOfSites = 0;
  /// Of the current or last trial: what it cost, and the runs that are left of it.
  int64_t trialLoss = 0;
  int trialRuns = 0;
  bool first = true;
};

/// The sites of loops, by function and approximate number of iterations: a hash table with
/// linear probing. Sites that replaced each other would never be known, and with them no run.
class LoopCosts {
public:
  /// The site; valid until the next call.
  SiteCost &find(nnrt_abi_range_fn fn, int64_t count);

private:
  struct Entry {
    nnrt_abi_range_fn fn = nullptr;
    int size = 0;
    SiteCost cost;
  };
  /// Where the site is, or its place.
  static Entry &probe(std::vector<Entry> &table, nnrt_abi_range_fn fn, int size);
  void makeRoom();

  std::vector<Entry> entries = std::vector<Entry>(256); // a power of two
  size_t used = 0;
};

} // namespace nnrt

#endif // NNRT_CPU_COSTMODEL_H
