//===- CostModelTest.cpp - What runs in parallel --------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// The sites here take the time that a test says, so that nothing depends on the
// machine.
//
//===----------------------------------------------------------------------===//

#include "CPU/CostModel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

using namespace nnrt;

namespace {

/// A session that runs sites of known cost.
struct Machine {
  struct Site {
    int64_t serial, parallel;
    SiteCost cost = {};
  };
  std::vector<Site> sites;
  CostModel model;
  int64_t time = 0, best = 0;
  int parallelSites = 0;    // of the last run
  int64_t parallelCost = 0; // of a run with such a site, outside of its sites

  void run(int times = 1) {
    for (int i = 0; i < times; ++i) {
      parallelSites = 0;
      int64_t start = time;
      model.beginRun();
      for (Site &site : sites) {
        bool parallel = model.isParallel(site.cost);
        parallelSites += parallel;
        int64_t ticks = parallel ? site.parallel : site.serial;
        model.record(site.cost, parallel, ticks);
        time += ticks;
        best += std::min(site.serial, site.parallel);
      }
      if (parallelSites)
        time += parallelCost;
      model.endRun(time - start);
    }
  }
  void setParallel(int64_t ticks) {
    for (Site &site : sites)
      site.parallel = ticks;
  }
  /// How many of the next runs computed a site in parallel.
  int countParallel(int runs) {
    int count = 0;
    for (int i = 0; i < runs; ++i) {
      run();
      count += parallelSites > 0;
    }
    return count;
  }
};

} // namespace

TEST(CostModel, TakesWhatIsCheaper) {
  Machine machine;
  machine.sites = {{1000, 600}, {100, 900}};
  machine.run(2 * CostModel::firstSamples);
  machine.run();
  EXPECT_EQ(machine.parallelSites, 1);
}

TEST(CostModel, TryingCostsLittle) {
  for (bool parallelIsBetter : {false, true}) {
    Machine machine;
    for (int i = 0; i < 10; ++i)
      machine.sites.push_back(parallelIsBetter ? Machine::Site{1000, 500}
                                               : Machine::Site{500, 1000});
    machine.run(2 * CostModel::firstSamples);
    machine.time = machine.best = 0;
    machine.run(10000);
    EXPECT_LE(machine.time, machine.best * 1.03);
    EXPECT_GT(machine.time, machine.best); // it tries
  }
}

TEST(CostModel, FollowsTheLoadAndBack) {
  Machine machine;
  machine.sites.assign(20, {1000, 550});
  EXPECT_GT(machine.countParallel(100), 90);
  machine.setParallel(3000);
  machine.run(20);
  EXPECT_LT(machine.countParallel(1000), 30);
  machine.setParallel(550);
  machine.run(800);
  EXPECT_GT(machine.countParallel(100), 90);
}

// Workers sleep while runs are serial: only in the second parallel run they are there at once.
TEST(CostModel, TrialsWakeTheWorkers) {
  Machine machine;
  machine.sites.assign(10, {1000, 1200});
  machine.run(100);
  EXPECT_EQ(machine.parallelSites, 0);
  bool awake = false;
  int parallel = 0;
  for (int i = 0; i < 1000; ++i) {
    machine.setParallel(awake ? 700 : 1200);
    machine.run();
    awake = machine.parallelSites > 0;
    parallel += i >= 900 && awake;
  }
  EXPECT_GT(parallel, 90);
}

// A thread is interrupted now and then on any machine.
TEST(CostModel, OneSlowRunChangesNothing) {
  Machine machine;
  machine.sites.assign(5, {1000, 700});
  machine.run(50);
  machine.sites[2].parallel = 1000000;
  machine.run();
  machine.sites[2].parallel = 700;
  machine.run(3);
  EXPECT_EQ(machine.parallelSites, 5);
}

// Beside another process a worker is interrupted again and again within its chunk:
// most times are as before, but the mean is not.
TEST(CostModel, ManySlowRunsMakeAWayDearer) {
  Machine machine;
  machine.sites.assign(1, {1000000, 700000});
  auto run = [&](int runs, bool busy) {
    int parallel = 0;
    for (int i = 0; i < runs; ++i) {
      machine.sites[0].parallel = busy && i % 5 == 0 ? 10000000 : 700000;
      parallel += machine.countParallel(1);
    }
    return parallel;
  };
  EXPECT_GT(run(100, false), 80);
  run(50, true);
  EXPECT_LT(run(1000, true), 100);
  run(1000, false);
  EXPECT_GT(run(100, false), 80);
}

// Data that move between the caches of cores, and what arenas cost.
TEST(CostModel, WholeRunsDecideWhereSitesDoNotTell) {
  Machine machine;
  machine.sites.assign(5, {1000, 900});
  machine.parallelCost = 600;
  machine.run(50);
  EXPECT_LT(machine.countParallel(1000), 100);
  machine.parallelCost = 100;
  machine.run(500);
  EXPECT_GT(machine.countParallel(100), 90);
}

// Models that take a second are run a few times only.
TEST(CostModel, WhatTakesLongStartsParallel) {
  Machine machine;
  machine.sites.assign(5, {20000000, 11000000});
  EXPECT_EQ(machine.countParallel(15), 15);
  EXPECT_LT(machine.countParallel(10), 10); // one thread is tried
  // Beside other work, all threads take longer: tried for a hundredth of the time.
  machine.setParallel(25000000);
  machine.run(20);
  machine.time = machine.best = 0;
  EXPECT_LT(machine.countParallel(200), 10);
  EXPECT_LT(machine.time, machine.best * 1.03);
  machine.setParallel(11000000);
  machine.run(40);
  EXPECT_GT(machine.countParallel(50), 45);
}

// The first run of all touches memory that is not there yet.
TEST(CostModel, ColdRunsDoNotCount) {
  Machine machine;
  machine.sites.assign(5, {1000, 700});
  machine.setParallel(9000);
  machine.run();
  machine.setParallel(700);
  machine.run(2 * CostModel::firstSamples);
  machine.run();
  EXPECT_EQ(machine.parallelSites, 5);
}

TEST(LoopCosts, ByFunctionAndSize) {
  LoopCosts costs;
  auto one = [](void *, int64_t, int64_t) {};
  SiteCost &site = costs.find(one, 1000);
  EXPECT_EQ(&costs.find(one, 1000), &site);
  EXPECT_EQ(&costs.find(one, 1010), &site);
  EXPECT_NE(&costs.find(one, 2000), &site);
  EXPECT_NE(&costs.find(one, 0), &costs.find(one, 1));
}

/// Each loop of a model is known, however many there are and wherever they lie.
TEST(LoopCosts, SitesDoNotReplaceEachOther) {
  LoopCosts costs;
  auto function = [](int number) {
    return reinterpret_cast<nnrt_abi_range_fn>(uintptr_t(0x7f0000001000) + number * 0x160);
  };
  for (int number = 0; number < 3000; ++number)
    costs.find(function(number), 64).serial.ticks = float(number + 1);
  for (int number = 0; number < 3000; ++number)
    ASSERT_EQ(costs.find(function(number), 64).serial.ticks, float(number + 1));
  EXPECT_EQ(costs.find(function(7), 1000).serial.ticks, 0);
  // Shapes that never come back do not fill the memory.
  for (int number = 0; number < 20000; ++number)
    costs.find(function(number), 64).serial.ticks = 5;
  EXPECT_EQ(costs.find(function(19999), 64).serial.ticks, 5);
}
