//===- Machine.cpp - memory and threads of an emulated GPU ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Machine.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FormatVariadic.h"
#include <cstdlib>
#include <cstring>

#include <ucontext.h>

using namespace mlir::nn::emulation;

Machine &Machine::get() {
  static Machine *machine = new Machine; // Sessions may be freed very late.
  return *machine;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

void *Machine::allocate(size_t bytes) {
  constexpr size_t alignment = 256; // as the driver's
  void *memory = nullptr;
  if (bytes > PTRDIFF_MAX / 2 || posix_memalign(&memory, alignment, bytes) != 0)
    return nullptr;
  std::memset(memory, 0xff, bytes);
  Block &block = blocks[reinterpret_cast<uintptr_t>(memory)];
  block.memory.reset(static_cast<char *>(memory));
  block.bytes = bytes;
  block.written.assign(bytes, 0);
  return memory;
}

bool Machine::release(void *block) {
  return blocks.erase(reinterpret_cast<uintptr_t>(block)) == 1;
}

Machine::Block *Machine::find(const void *address, size_t bytes) {
  auto begin = reinterpret_cast<uintptr_t>(address);
  auto after = blocks.upper_bound(begin);
  if (after == blocks.begin())
    return nullptr;
  auto &[start, block] = *std::prev(after);
  size_t offset = begin - start;
  return offset <= block.bytes && bytes <= block.bytes - offset ? &block : nullptr;
}

static uint8_t *getWritten(std::vector<uint8_t> &written, const char *memory,
                           const void *address) {
  return written.data() + (static_cast<const char *>(address) - memory);
}

bool Machine::copyIn(void *target, const void *source, size_t bytes) {
  Block *block = find(target, bytes);
  if (!block) {
    error = "the target of a copy to the GPU is not memory of the GPU";
    return false;
  }
  std::memcpy(target, source, bytes);
  std::memset(getWritten(block->written, block->memory.get(), target), 1, bytes);
  return true;
}

bool Machine::copyOut(void *target, const void *source, size_t bytes) {
  if (!find(source, bytes)) {
    error = "the source of a copy from the GPU is not memory of the GPU";
    return false;
  }
  std::memcpy(target, source, bytes);
  return true;
}

bool Machine::copyWithin(void *target, const void *source, size_t bytes) {
  Block *to = find(target, bytes), *from = find(source, bytes);
  if (!to || !from) {
    error = "a copy within the GPU's memory leaves it";
    return false;
  }
  std::memmove(target, source, bytes);
  std::memmove(getWritten(to->written, to->memory.get(), target),
               getWritten(from->written, from->memory.get(), source), bytes);
  return true;
}

//===----------------------------------------------------------------------===//
// What kernels call
//===----------------------------------------------------------------------===//

void Machine::check(const void *address, uint64_t bytes, int32_t isWrite) {
  Machine &machine = get();
  auto begin = reinterpret_cast<uintptr_t>(address);
  auto holds = [&](const Range &range) {
    return begin >= range.begin && begin + bytes <= range.end;
  };
  if (machine.lastRange >= machine.ranges.size() || !holds(machine.ranges[machine.lastRange])) {
    machine.lastRange = 0;
    while (machine.lastRange < machine.ranges.size() &&
           !holds(machine.ranges[machine.lastRange]))
      ++machine.lastRange;
    if (machine.lastRange == machine.ranges.size())
      machine.fail(address, bytes, isWrite ? "writes" : "reads");
  }
  Range &range = machine.ranges[machine.lastRange];
  uint8_t *written = range.written + (begin - range.begin);
  if (isWrite)
    std::memset(written, 1, bytes);
  else if (std::memchr(written, 0, bytes))
    machine.fail(address, bytes, "reads, before anything has written them,");
}

/// What is wrong with an access: where it is, beside which of the kernel's buffers.
void Machine::fail(const void *address, uint64_t bytes, const char *what) {
  auto begin = reinterpret_cast<uintptr_t>(address);
  std::string place = "outside of its buffers";
  uintptr_t nearest = 4096;
  for (auto [index, range] : llvm::enumerate(ranges)) {
    bool isInside = begin >= range.begin && begin + bytes <= range.end;
    uintptr_t distance = isInside                ? 0
                         : begin >= range.begin ? begin + bytes - range.end
                                                 : range.begin - begin;
    if (distance >= nearest)
      continue;
    nearest = distance;
    place = llvm::formatv("{0} of buffer {1}, which has {2} bytes",
                          isInside ? llvm::formatv("at byte {0}", begin - range.begin).str()
                          : begin >= range.begin
                              ? llvm::formatv("up to {0} bytes behind the end", distance).str()
                              : llvm::formatv("{0} bytes before the start", distance).str(),
                          index, range.end - range.begin)
                .str();
  }
  error = llvm::formatv("thread {0} of block {1} of kernel '{2}' {3} {4} bytes {5}",
                        position[0], position[6], kernel->name, what, bytes, place)
              .str();
  leave();
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

/// A thread of a block whose threads wait for each other.
struct Machine::Fiber {
  enum State { Ready, Waiting, Finished } state = Ready;
  ucontext_t context, *scheduler = nullptr;
  std::unique_ptr<char[]> stack;

  static void run() {
    Machine &machine = Machine::get();
    machine.kernel->run(machine.parameters);
    machine.fiber->state = Finished;
    setcontext(machine.fiber->scheduler);
  }
};

void Machine::wait() {
  Machine &machine = get();
  Fiber &fiber = *machine.fiber;
  fiber.state = Fiber::Waiting;
  swapcontext(&fiber.context, fiber.scheduler);
}

void Machine::leave() {
  if (fiber)
    setcontext(fiber->scheduler); // which sees the error
  std::longjmp(end, 1);
}

/// Splits a number into the coordinates of a grid.
static void setCoordinates(uint32_t *to, Dimensions size, uint64_t number) {
  to[0] = number % size.x;
  to[1] = number / size.x % size.y;
  to[2] = number / size.x / size.y;
}

void Machine::setThread(uint64_t blockNumber, uint64_t thread) {
  setCoordinates(position, block, thread);
  setCoordinates(position + 6, grid, blockNumber);
}

/// A block does not see what another one has written.
void Machine::poisonSharedArrays() {
  for (auto [array, written] : llvm::zip(kernel->sharedArrays, sharedWritten)) {
    std::memset(array.address, 0xff, array.bytes);
    std::fill(written.begin(), written.end(), 0);
  }
}

void Machine::runBlock(uint64_t number) {
  for (uint64_t thread = 0, count = block.getCount(); thread < count; ++thread) {
    setThread(number, thread);
    kernel->run(parameters);
  }
}

void Machine::runBlockWithBarriers(uint64_t number) {
  constexpr size_t stackBytes = 64 << 10;
  ucontext_t scheduler;
  std::vector<Fiber> fibers(block.getCount());
  for (Fiber &each : fibers) {
    each.scheduler = &scheduler;
    each.stack = std::make_unique<char[]>(stackBytes);
    getcontext(&each.context);
    each.context.uc_stack.ss_sp = each.stack.get();
    each.context.uc_stack.ss_size = stackBytes;
    each.context.uc_link = &scheduler;
    makecontext(&each.context, &Fiber::run, 0);
  }
  for (;;) {
    for (size_t thread = 0; thread < fibers.size(); ++thread) {
      fiber = &fibers[thread];
      if (fiber->state != Fiber::Ready)
        continue;
      setThread(number, thread);
      swapcontext(&scheduler, &fiber->context);
      if (!error.empty()) {
        fiber = nullptr;
        leave();
      }
    }
    size_t waiting = llvm::count_if(
        fibers, [](const Fiber &each) { return each.state == Fiber::Waiting; });
    if (waiting == 0)
      break;
    if (waiting != fibers.size()) {
      error = llvm::formatv("deadlock in block {0} of kernel '{1}': {2} of {3} threads wait "
                            "at a barrier, the others have ended",
                            number, kernel->name, waiting, fibers.size())
                  .str();
      fiber = nullptr;
      leave();
    }
    for (Fiber &each : fibers)
      each.state = Fiber::Ready;
  }
  fiber = nullptr;
}

bool Machine::findRanges(const HostKernel &kernel, const void *parameters) {
  const auto *fields = static_cast<const int64_t *>(parameters);
  ranges.clear();
  lastRange = 0;
  for (auto [index, buffer] : llvm::enumerate(kernel.buffers)) {
    const int64_t *descriptor = fields + buffer.field;
    const int64_t *sizes = descriptor + 3, *strides = sizes + buffer.rank;
    int64_t last = 0;
    bool isEmpty = false;
    for (unsigned i = 0; i < buffer.rank; ++i) {
      isEmpty |= sizes[i] == 0;
      last += (sizes[i] - 1) * strides[i];
    }
    Range range;
    range.begin = uintptr_t(descriptor[1]) + uintptr_t(descriptor[2]) * buffer.elementBytes;
    range.end = isEmpty ? range.begin : range.begin + uintptr_t(last + 1) * buffer.elementBytes;
    if (!isEmpty) {
      auto *address = reinterpret_cast<void *>(range.begin);
      Block *holder = find(address, range.end - range.begin);
      if (!holder) {
        error = llvm::formatv("buffer {0} of kernel '{1}', {2} bytes, is not memory of the "
                              "GPU",
                              index, kernel.name, range.end - range.begin)
                    .str();
        return false;
      }
      range.written = getWritten(holder->written, holder->memory.get(), address);
    }
    ranges.push_back(range);
  }
  sharedWritten.clear();
  for (const SharedArray &array : kernel.sharedArrays) {
    sharedWritten.emplace_back(array.bytes);
    auto begin = reinterpret_cast<uintptr_t>(array.address);
    ranges.push_back({begin, begin + array.bytes, sharedWritten.back().data()});
  }
  return true;
}

bool Machine::launch(const HostKernel &launched, Dimensions gridSize, Dimensions blockSize,
                     const void *values, size_t bytes) {
  error.clear();
  if (bytes != launched.parameterBytes) {
    error = llvm::formatv("kernel '{0}' takes {1} bytes of parameters, not {2}", launched.name,
                          launched.parameterBytes, bytes)
                .str();
    return false;
  }
  if (!findRanges(launched, values))
    return false;
  kernel = &launched;
  parameters = values;
  grid = gridSize;
  block = blockSize;
  const Dimensions *sizes[] = {&block, &grid};
  for (int i = 0; i < 2; ++i) {
    position[6 * i + 3] = sizes[i]->x;
    position[6 * i + 4] = sizes[i]->y;
    position[6 * i + 5] = sizes[i]->z;
  }
  if (setjmp(end) != 0)
    return false;
  for (uint64_t number = 0, count = grid.getCount(); number < count; ++number) {
    poisonSharedArrays();
    if (launched.hasBarriers)
      runBlockWithBarriers(number);
    else
      runBlock(number);
  }
  return true;
}
