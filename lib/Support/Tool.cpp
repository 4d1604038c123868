//===- Tool.cpp - how a tool of ours starts and ends ----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Support/Tool.h"
#include "nn/Support/Activity.h"
#include "nn/Support/Locations.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/PrettyStackTrace.h"
#include "llvm/Support/ProgramStack.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <fstream>
#include <malloc.h>
#include <mutex>
#include <new>
#include <thread>
#include <unistd.h>

using namespace mlir;
using namespace mlir::nn;

//===----------------------------------------------------------------------===//
// Ends that nothing returns from
//===----------------------------------------------------------------------===//

static std::string &getToolName() {
  static std::string name;
  return name;
}

/// Ends the process with a message, from any thread.
[[noreturn]] static void endWith(const std::string &message) {
  llvm::errs() << getToolName() << ": error: " << message << "\n";
  llvm::errs().flush();
  llvm::sys::RunInterruptHandlers(); // removes unfinished files
  _exit(1);
}

static void endWithoutMemory() {
  std::set_new_handler(nullptr);
  std::string activity = describeActivity();
  endWith("there is no memory left" + (activity.empty() ? "" : " " + activity) +
          "; give the process more, or make dimensions static with --set-dim NAME=N");
}

namespace {
/// Heads the stack trace of a crash.
struct ActivityTrace : llvm::PrettyStackTraceEntry {
  void print(llvm::raw_ostream &os) const override {
    std::string activity = describeActivity();
    os << getToolName() << " crashed " << activity << "\n";
  }
};

/// Where signal handlers run: there is no other place once the stack is used up.
struct SignalStack {
  SignalStack() {
    stack_t alternate = {};
    alternate.ss_sp = memory;
    alternate.ss_size = sizeof(memory);
    sigaltstack(&alternate, nullptr);
  }
  ~SignalStack() {
    stack_t none = {};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
  }
  alignas(16) char memory[256 << 10];
};
} // namespace

int nn::runTool(StringRef tool, llvm::function_ref<int()> body) {
  getToolName() = tool.str();
  static const std::string bugReport =
      (tool + ": internal error: the program crashed. This is a bug of nn-mlir; please "
              "report it with the model, the command line and what follows.\n")
          .str();
  llvm::setBugReportMsg(bugReport.c_str());
  std::set_new_handler(endWithoutMemory);
  llvm::install_bad_alloc_error_handler(
      [](void *, const char *, bool) { endWithoutMemory(); });
  // The heap of other threads than the first grows page by page, each by a system call.
  mallopt(M_ARENA_MAX, 1);
  // MLIR and LLVM recurse over what they compile.
  constexpr unsigned stackBytes = 512u << 20;
  int status = 1;
  llvm::runOnNewStack(stackBytes, [&] {
    auto signalStack = std::make_unique<SignalStack>();
    ActivityTrace trace;
    status = body();
  });
  return status;
}

//===----------------------------------------------------------------------===//
// Memory and progress
//===----------------------------------------------------------------------===//

/// The number in a file that holds nothing else; none if there is no such file.
static std::optional<int64_t> readNumber(const char *path) {
  int64_t number;
  if (std::ifstream(path) >> number)
    return number;
  return std::nullopt;
}

int64_t nn::getDefaultMaxMemory() {
  int64_t bytes = int64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  for (const char *path : {"/sys/fs/cgroup/memory.max",
                           "/sys/fs/cgroup/memory/memory.limit_in_bytes"})
    if (std::optional<int64_t> limit = readNumber(path); limit && *limit > 0)
      bytes = std::min(bytes, *limit);
  return bytes / 10 * 9;
}

/// The memory of the process that is no file's.
static int64_t getOwnMemory() {
  int64_t size, resident, shared;
  std::ifstream file("/proc/self/statm");
  if (!(file >> size >> resident >> shared))
    return 0;
  return (resident - shared) * sysconf(_SC_PAGESIZE);
}

struct ProcessWatch::State {
  std::string tool;
  int64_t maxBytes;
  bool showsProgress;
  std::mutex mutex;
  std::condition_variable changed;
  bool ends = false;
  std::thread thread;

  void watch() {
    using namespace std::chrono;
    auto start = steady_clock::now(), shown = start;
    bool isShown = false;
    std::unique_lock<std::mutex> lock(mutex);
    while (!changed.wait_for(lock, milliseconds(50), [&] { return ends; })) {
      int64_t bytes = getOwnMemory();
      auto now = steady_clock::now();
      if (maxBytes && bytes > maxBytes) {
        std::string activity = describeActivity();
        endWith("more than " + std::to_string(maxBytes >> 20) +
                " MiB of memory were needed" + (activity.empty() ? "" : " " + activity) +
                "; allow more with --max-memory=MIB, or make dimensions static with "
                "--set-dim NAME=N");
      }
      if (!showsProgress || now - start < seconds(2) || now - shown < milliseconds(500))
        continue;
      shown = now;
      isShown = true;
      // What is printed next overwrites it.
      llvm::errs() << "\033[K" << tool << ": " << getCurrentStep() << " ("
                   << duration_cast<seconds>(now - start).count() << " s, "
                   << (bytes >> 20) << " MiB)\r";
    }
    if (isShown)
      llvm::errs() << "\033[K";
  }
};

ProcessWatch::ProcessWatch(StringRef tool, int64_t maxBytes)
    : state(std::make_unique<State>()) {
  state->tool = tool.str();
  state->maxBytes = maxBytes;
  state->showsProgress = isatty(STDERR_FILENO);
  if (maxBytes || state->showsProgress)
    state->thread = std::thread([this] { state->watch(); });
}

ProcessWatch::~ProcessWatch() {
  if (!state->thread.joinable())
    return;
  {
    std::lock_guard<std::mutex> lock(state->mutex);
    state->ends = true;
  }
  state->changed.notify_one();
  state->thread.join();
}

//===----------------------------------------------------------------------===//
// Diagnostics
//===----------------------------------------------------------------------===//

static StringRef getName(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Note:
    return "note";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Error:
    return "error";
  case DiagnosticSeverity::Remark:
    return "remark";
  }
  return "";
}

static void print(StringRef tool, const Diagnostic &diagnostic) {
  llvm::raw_ostream &os = llvm::errs();
  os << tool << ": " << getName(diagnostic.getSeverity()) << ": ";
  if (std::string names = getONNXNames(diagnostic.getLocation()); !names.empty())
    os << "node '" << names << "': ";
  os << diagnostic << "\n";
}

ToolDiagnosticHandler::ToolDiagnosticHandler(MLIRContext *context, StringRef tool)
    : ScopedDiagnosticHandler(context) {
  setHandler([tool = tool.str()](Diagnostic &diagnostic) -> LogicalResult {
    bool isInFile = diagnostic.getLocation()
                        ->walk([](Location part) {
                          return isa<FileLineColLoc>(part) ? WalkResult::interrupt()
                                                           : WalkResult::advance();
                        })
                        .wasInterrupted();
    if (isInFile)
      return failure();
    print(tool, diagnostic);
    for (const Diagnostic &note : diagnostic.getNotes())
      print(tool, note);
    return success();
  });
}
