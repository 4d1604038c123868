//===- CostModel.h - What runs in parallel ----------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Whether a loop or a primitive gains by more threads depends on its work, on the
// price of waking and joining workers, and on what else the machine does. None of
// it is guessed: each site is timed both ways, and the cheaper way is taken. The
// other way is tried again from time to time, so that the choice follows the
// machine's load. Results do not depend on the choice.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CPU_COSTMODEL_H
#define NNRT_CPU_COSTMODEL_H

#include "nnrt_abi.h"

#include <array>
#include <chrono>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace nnrt {

/// The time stamp counter, whose differences are all that is used of it.
inline int64_t readTicks() {
#if defined(__x86_64__)
  return static_cast<int64_t>(__rdtsc());
#else
  return std::chrono::steady_clock::now().time_since_epoch().count();
#endif
}

/// What a site (a loop or a primitive, of one size) has cost so far.
struct SiteCost {
  /// An estimate that follows the usual case, whatever a few runs take.
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
  /// So many times each way before one is chosen: the first are cold.
  static constexpr int firstSamples = 3;

  /// Whether anything may run in parallel in the run that begins. If not, the
  /// whole of it can be given one thread.
  bool beginRun();
  void endRun(int64_t ticks);

  /// How to execute the site this time.
  bool isParallel(const SiteCost &site);
  /// Whether the run was given one thread.
  bool isSerialRun() const { return serialRun; }
  /// Whether nothing is chosen and nothing measured in this run.
  bool isSettled() const { return serialRun && plan == Plan::Choose; }
  void record(SiteCost &site, bool parallel, int64_t ticks);

private:
  /// A site's parallel time depends on its neighbours: workers that have just
  /// worked are awake. Therefore the other way is tried for whole runs.
  enum class Plan : uint8_t { Choose, AllParallel, AllSerial };
  void planRun();
  /// Whether runs take as long with what was chosen for each site as with one thread.
  bool isChoiceSlower() const;
  /// Ticks that a trial of all threads took longer than a run with one.
  int64_t getLossOfRun(int64_t ticks) const;

  /// What sites took beyond the usual case: a thread was interrupted. That says
  /// nothing of a site, but much of a way to execute all of them.
  struct Interruptions {
    /// Ticks, about 20 ms, that count as seen without any, so that one does not
    /// decide.
    static constexpr float window = 5e7f;
    float usual = window, beyond = 0;
    void add(float usual, float beyond);
    float factor() const { return 1 + beyond / usual; }
  };
  Interruptions serialInterruptions, parallelInterruptions;

  Plan plan = Plan::Choose;
  Plan lastTrial = Plan::AllSerial;
  bool serialRun = false;
  /// What was chosen in the last run without a plan.
  bool choseSerial = false, choseParallel = true;
  /// Ticks of runs until the next trial. The first run counts as one.
  int64_t untilTrial = 0;
  /// What a run has taken, relative to what its sites are expected to take with one
  /// thread, as runs differ in shapes.
  SiteCost::Estimate serialRuns, chosenRuns;
  /// Of the run at work: these ticks, and whether all of its sites are known.
  float expected = 0;
  bool isComplete = true;
  int64_t trialLoss = 0;
  bool first = true;
};

/// The sites of loops, by function and approximate number of iterations.
class LoopCosts {
public:
  SiteCost &find(nnrt_abi_range_fn fn, int64_t count);

private:
  struct Entry {
    nnrt_abi_range_fn fn = nullptr;
    int size = 0;
    SiteCost cost;
  };
  std::array<Entry, 256> entries; // a site takes the place of another
};

} // namespace nnrt

#endif // NNRT_CPU_COSTMODEL_H
