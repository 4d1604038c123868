//===- SteadyState.cpp - What compiled models do run after run ------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// nnrt-steady-state MODEL.so MODE [--threads N] [--dim NAME=LOW..HIGH]...
//                   [--ints LOW..HIGH] [--samples DIR]
//
//   arena         prints, for some shapes, the dimensions and what a session of
//                 its own takes for its arena
//   allocations   fails if runs of shapes that were seen before allocate
//   memory,
//                 apart from what oneDNN does within a primitive
//   hosts         8 threads with 4 sessions each: fails if a result differs
//   from
//                 that of a serial run, or if threads compute that should not
//   soak RUNS     runs of random shapes: fails if memory grows after the first
//                 tenth, at least 1000 of them or half; writes inputs and
//                 outputs of some runs below DIR
//
// Dimensions without a name are INPUT:INDEX; their sizes are 1..8 unless said
// otherwise. Inputs are random: floats in [-1, 1], integers in the range given
// (0..1).
//
//===----------------------------------------------------------------------===//

#include "SteadyState.h"

#ifdef NNRT_TEST_COUNTS
#include "CountAllocations.h"
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include <sys/syscall.h>
#include <unistd.h>

using namespace nnrt::test;

namespace {

struct Options {
  std::string model, mode, samples;
  int threads = 1, runs = 0;
  Ranges ranges;
};

[[noreturn]] void fail(const std::string &message) {
  std::fflush(stdout);
  std::fprintf(stderr, "nnrt-steady-state: error: %s\n", message.c_str());
  std::_Exit(1);
}

Range parseRange(const std::string &text) {
  size_t dots = text.find("..");
  int64_t low = std::atoll(text.c_str());
  return {low, dots == std::string::npos ? low
                                         : std::atoll(text.c_str() + dots + 2)};
}

Options parse(int argc, char **argv) {
  Options options;
  std::vector<std::string> positional;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument.compare(0, 2, "--") != 0) {
      positional.push_back(argument);
      continue;
    }
    if (++i == argc)
      fail(argument + " takes a value");
    std::string value = argv[i];
    size_t equals = value.rfind('=');
    if (argument == "--threads")
      options.threads = std::atoi(value.c_str());
    else if (argument == "--samples")
      options.samples = value;
    else if (argument == "--ints")
      options.ranges.ints = parseRange(value);
    else if (argument == "--dim" && equals != std::string::npos)
      options.ranges.dims[value.substr(0, equals)] =
          parseRange(value.substr(equals + 1));
    else
      fail("no such option: " + argument + " " + value);
  }
  if (positional.size() < 2)
    fail("MODEL.so and MODE are needed");
  options.model = positional[0];
  options.mode = positional[1];
  options.runs = positional.size() > 2 ? std::atoi(positional[2].c_str()) : 0;
  return options;
}

/// Bytes of memory of this process that are in RAM.
size_t residentBytes() {
  std::ifstream file("/proc/self/statm");
  size_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * size_t(sysconf(_SC_PAGESIZE));
}

/// What each thread of the process has computed, in ms.
std::map<int, double> threadTimes() {
  std::map<int, double> times;
  for (const auto &task :
       std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "schedstat");
    double ns = 0;
    if (file >> ns)
      times[std::atoi(task.path().filename().c_str())] = ns / 1e6;
  }
  return times;
}

//===----------------------------------------------------------------------===//
// Modes
//===----------------------------------------------------------------------===//

void printArena(const Options &options) {
  Model model(options.model);
  for (unsigned seed = 0; seed < 6; ++seed) {
    Case inputs(model, options.ranges, seed);
    Session session(model, options.threads);
    session.run(inputs);
    nnrt_session_memory_info info;
    check(nnrt_session_memory_parts(session.get(), &info));
    for (const auto &dim : inputs.sizes)
      std::printf("%s=%lld ", dim.first.c_str(), (long long)dim.second);
    std::printf("arena=%zu\n", info.arena);
  }
}

#ifdef NNRT_TEST_COUNTS
void testAllocations(const Options &options) {
  Model model(options.model);
  Session session(model, options.threads);
  std::vector<Case> cases;
  for (unsigned seed = 0; seed < 4; ++seed)
    cases.emplace_back(model, options.ranges, seed);
  Allocations first = countAllocations([&] { session.run(cases[0]); });
  if (first.ours == 0)
    fail("not even the first run allocates: nothing is counted");
  // Each shape on its own, and each behind each other.
  for (int round = 0; round < 3; ++round)
    for (size_t i = 0; i < cases.size(); ++i)
      session.run(cases[i]);
  Allocations counts = countAllocations([&] {
    for (int round = 0; round < 5; ++round)
      for (size_t i = 0; i < cases.size(); ++i)
        session.run(cases[round % 2 ? cases.size() - 1 - i : i]);
  });
  if (counts.ours)
    fail(std::to_string(counts.ours) +
         " allocations in 20 runs of shapes that were seen before, the first "
         "by\n" +
         counts.where);
  std::printf("20 runs with %d threads: 0 allocations, and %zu by oneDNN\n",
              options.threads, counts.oneDNN);
}
#endif

void runHosts(const Options &options) {
  constexpr int numHosts = 8, numSessions = 4, numShapes = 3;
  Model model(options.model);
  std::vector<Case> cases;
  std::vector<std::vector<std::string>> wanted;
  for (unsigned seed = 0; seed < numShapes; ++seed) {
    cases.emplace_back(model, options.ranges, seed);
    Session session(model, options.threads);
    wanted.push_back(session.run(cases.back()));
  }

  std::map<int, double> before = threadTimes();
  std::atomic<long> runs{0};
  std::atomic<bool> wrong{false};
  auto host = [&] {
    std::vector<std::unique_ptr<Session>> sessions;
    for (int i = 0; i < numSessions; ++i)
      sessions.push_back(std::make_unique<Session>(model, options.threads));
    auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 6 || std::chrono::steady_clock::now() - start <
                                 std::chrono::milliseconds(600);
         ++i) {
      int shape = i % numShapes;
      for (auto &session : sessions) {
        if (session->run(cases[shape]) != wanted[shape])
          wrong = true;
        ++runs;
      }
    }
  };
  std::vector<std::thread> hosts;
  for (int i = 0; i < numHosts; ++i)
    hosts.emplace_back(host);
  // Threads that are gone cannot be asked: until the hosts are done.
  std::map<int, double> times;
  size_t mostThreads = 0;
  auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start <
         std::chrono::milliseconds(500)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    times = threadTimes();
    mostThreads = std::max(mostThreads, times.size());
  }
  for (std::thread &thread : hosts)
    thread.join();
  if (wrong)
    fail("results differ from those of a serial run");

  // Hosts compute, and the workers that all sessions share.
  size_t cores = std::thread::hardware_concurrency();
  size_t computing = numHosts;
  if (options.threads > 1)
    computing += std::max<size_t>(cores, 1) - 1;
  size_t mayBe = 1 + computing;
  if (mostThreads > mayBe)
    fail(std::to_string(mostThreads) + " threads, of which " +
         std::to_string(mayBe) + " have something to do");
  std::vector<double> spent;
  double total = 0;
  for (const auto &[thread, time] : times) {
    auto known = before.find(thread);
    spent.push_back(time - (known == before.end() ? 0 : known->second));
    total += spent.back();
  }
  std::sort(spent.rbegin(), spent.rend());
  double others = 0;
  for (size_t i = computing; i < spent.size(); ++i)
    others += spent[i];
  std::printf("%ld runs, %zu threads, the hosts and workers computed "
              "%.1f%% of %.0f ms\n",
              runs.load(), mostThreads, 100 * (1 - others / total),
              total);
  if (others > 0.25 * total)
    fail("threads are busy that have nothing to do");
}

void soak(const Options &options) {
  Model model(options.model);
  Session session(model, options.threads);
  // Until all caches are full, oneDNN's with its 1024 primitives among them.
  int warmUp = std::max(options.runs / 10, std::min(options.runs / 2, 1000));
  int sampled = std::max(options.runs / 20, 1);
  size_t afterWarmUp = 0, most = 0;
  for (int i = 0; i < options.runs; ++i) {
    Case inputs(model, options.ranges, unsigned(i));
    std::vector<std::string> results = session.run(inputs);
    if (i % sampled == 0) {
      // Whatever the session has seen before makes no difference.
      if (Session(model, options.threads).run(inputs) != results)
        fail("run " + std::to_string(i) +
             " differs from that of a new session");
      if (!options.samples.empty())
        session.write(inputs, options.samples + "/" + std::to_string(i));
    }
    if (i == warmUp)
      afterWarmUp = residentBytes();
    else if (i > warmUp)
      most = std::max(most, residentBytes());
    if (isatty(2) && i % 500 == 0)
      std::fprintf(stderr, "\r%d of %d runs, %zu KiB ", i, options.runs,
                   residentBytes() >> 10);
  }
  nnrt_session_memory_info info;
  check(nnrt_session_memory_parts(session.get(), &info));
  std::printf("%d runs: %zu KiB resident after %d, at most %zu KiB later; the "
              "session holds %zu KiB\n",
              options.runs, afterWarmUp >> 10, warmUp, most >> 10,
              nnrt_session_memory(session.get()) >> 10);
  // The heap's holes, and the largest shapes that were not seen by then.
  size_t allowed = afterWarmUp + afterWarmUp / 20 + (8 << 20);
  if (most > allowed)
    fail("memory grows");
}

} // namespace

int main(int argc, char **argv) {
  Options options = parse(argc, argv);
  if (options.mode == "arena")
    printArena(options);
#ifdef NNRT_TEST_COUNTS
  else if (options.mode == "allocations")
    testAllocations(options);
#endif
  else if (options.mode == "hosts")
    runHosts(options);
  else if (options.mode == "soak" && options.runs > 0)
    soak(options);
  else
    fail("no such mode: " + options.mode);
}
