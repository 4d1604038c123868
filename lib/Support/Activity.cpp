//===- Activity.cpp - what the compiler is working on ---------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Support/Activity.h"
#include "nn/Support/Locations.h"
#include <atomic>
#include <cstring>

using namespace mlir;

namespace {
/// Read by signal handlers too: no locks, and nothing that could move. A reader that
/// meets a writer sees a mixture of two names, both terminated.
char step[128];
std::atomic<unsigned> numSteps{0};
/// Locations are uniqued and live as long as their context.
std::atomic<const void *> node{nullptr};
} // namespace

void nn::setCurrentStep(StringRef name) {
  node.store(nullptr, std::memory_order_relaxed);
  size_t length = std::min(name.size(), sizeof(step) - 1);
  std::memcpy(step, name.data(), length);
  step[length] = 0;
  numSteps.fetch_add(1, std::memory_order_relaxed);
}

std::string nn::getCurrentStep() { return step; }
unsigned nn::getNumSteps() { return numSteps.load(std::memory_order_relaxed); }

void nn::setCurrentNode(Location location) {
  node.store(location.getAsOpaquePointer(), std::memory_order_relaxed);
}

std::string nn::describeActivity() {
  std::string text;
  if (step[0])
    text = "in " + getCurrentStep();
  if (const void *pointer = node.load(std::memory_order_relaxed)) {
    std::string names = getONNXNames(LocationAttr(
        static_cast<const Attribute::ImplType *>(pointer)));
    if (!names.empty())
      text += (text.empty() ? "at node '" : " at node '") + names + "'";
  }
  return text;
}
