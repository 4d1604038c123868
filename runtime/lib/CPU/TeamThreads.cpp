//===- TeamThreads.cpp - Teams of our own threads -------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Made for builds under ThreadSanitizer: plain, not fast.
//
//===----------------------------------------------------------------------===//

#include "CPU/Team.h"

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace nnrt {

namespace {

thread_local bool inside = false;

/// The helpers of one calling thread. They wait for rounds of work; helper i
/// takes part in a round if it is among its first `wanted`.
class Team {
public:
  ~Team();
  void run(int threads, void (*body)(void *), void *arg);

private:
  void serve(size_t self);
  void grow(size_t size);

  std::mutex mutex;
  std::condition_variable started, finished;
  std::vector<std::thread> helpers;
  void (*body)(void *) = nullptr; // null: end
  void *arg = nullptr;
  unsigned long round = 0;
  size_t wanted = 0, busy = 0;
};

Team::~Team() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    body = nullptr;
    wanted = helpers.size();
    ++round;
  }
  started.notify_all();
  for (std::thread &helper : helpers)
    helper.join();
}

void Team::grow(size_t size) {
  try {
    while (helpers.size() < size)
      helpers.emplace_back([this, self = helpers.size()] { serve(self); });
  } catch (const std::system_error &) {
    // The work is done by fewer.
  }
}

void Team::run(int threads, void (*newBody)(void *), void *newArg) {
  grow(threads - 1);
  {
    std::lock_guard<std::mutex> lock(mutex);
    body = newBody;
    arg = newArg;
    wanted = busy =
        helpers.size() < size_t(threads) ? helpers.size() : size_t(threads) - 1;
    ++round;
  }
  started.notify_all();
  inside = true;
  newBody(newArg);
  inside = false;
  std::unique_lock<std::mutex> lock(mutex);
  finished.wait(lock, [this] { return busy == 0; });
}

void Team::serve(size_t self) {
  inside = true;
  unsigned long seen = 0;
  std::unique_lock<std::mutex> lock(mutex);
  for (;;) {
    started.wait(lock, [&] { return round != seen && self < wanted; });
    seen = round;
    if (!body)
      return;
    auto *task = body;
    void *with = arg;
    lock.unlock();
    task(with);
    lock.lock();
    if (--busy == 0)
      finished.notify_one();
  }
}

} // namespace

void runTeam(int threads, void (*body)(void *arg), void *arg) {
  // A forked child has another thread that runs, and so another team.
  static thread_local Team team;
  team.run(threads, body, arg);
}

bool insideTeam() { return inside; }

} // namespace nnrt
