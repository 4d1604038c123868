//===- MutatedModels.cpp - does bad input ever crash the importer? --------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Imports mutated models in one process, verifies what comes out and runs the
// passes on it that every model meets first. A crash, a model that takes too much
// time or memory, or one that is rejected without a reason ends it with status 1
// and the number of the model; `--first=N --count=1` does that one again.
//
//===----------------------------------------------------------------------===//

#include "Mutations.h"
#include "dialects/NN/Transforms/Passes.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "nn/Import/ONNX.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include <chrono>
#include <csignal>
#include <fstream>
#include <set>
#include <unistd.h>

using namespace mlir;
using namespace mlir::nn::mutated;
namespace cl = llvm::cl;
namespace fs = llvm::sys::fs;

static cl::list<std::string> seedPaths(cl::Positional, cl::OneOrMore,
                                       cl::desc("MODEL or FOLDER of models"));
static cl::opt<unsigned> count("count", cl::init(300), cl::desc("How many models"));
static cl::opt<unsigned> first("first", cl::init(0), cl::desc("Number of the first"));
static cl::opt<unsigned> seconds("seconds", cl::init(10), cl::desc("Most for a model"));
static cl::opt<unsigned> megabytes("megabytes", cl::init(2048),
                                   cl::desc("Most memory for a model"));
static cl::opt<std::string> keep("keep", cl::desc("Write the models here"));
static cl::opt<bool> verbose("verbose", cl::desc("A line for each model"));

/// What is being done, for the last words.
static char current[512];

static void sayCurrent(void *) {
  (void)!write(STDERR_FILENO, current, strlen(current));
}

extern "C" void __sanitizer_set_death_callback(void (*)()) __attribute__((weak));

static void onAlarm(int) {
  static const char message[] = "too slow: ";
  (void)!write(STDERR_FILENO, message, sizeof(message) - 1);
  sayCurrent(nullptr);
  _exit(1);
}

/// Of /proc/self/status, in MB.
static size_t readStatus(const char *field) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.rfind(field, 0) == 0)
      return std::strtoull(line.c_str() + strlen(field) + 1, nullptr, 10) / 1024;
  return 0;
}

static void findSeeds(const std::string &path, std::vector<std::string> &seeds) {
  if (!fs::is_directory(path)) {
    seeds.push_back(path);
    return;
  }
  std::error_code code;
  for (fs::recursive_directory_iterator it(path, code), end; it != end && !code;
       it.increment(code))
    if (StringRef(it->path()).ends_with(".onnx"))
      seeds.push_back(it->path());
}

static std::string readBytes(const std::string &path) {
  auto file = llvm::MemoryBuffer::getFile(path, false, false);
  return file ? (*file)->getBuffer().str() : "";
}

enum class Outcome { Imported, Rejected, WithoutReason };

/// Import, verification, and the passes that come first.
static Outcome digest(const std::string &path, std::string &reason) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (reason.empty())
      reason = diagnostic.str();
  });
  mlir::nn::TriageReport report;
  OwningOpRef<ModuleOp> module =
      mlir::nn::importONNX(context, path, {}, report);
  if (!module) {
    llvm::raw_string_ostream os(reason);
    report.printErrors(os, "model");
    return reason.empty() ? Outcome::WithoutReason : Outcome::Rejected;
  }
  if (failed(verify(*module)))
    return Outcome::WithoutReason;
  PassManager pm(&context);
  OpPassManager &functions = pm.nest<func::FuncOp>();
  for (int round = 0; round < 2; ++round) {
    functions.addPass(mlir::nn::createCanonicalize());
    functions.addPass(mlir::nn::createFoldConstants());
    functions.addPass(mlir::nn::createFoldShapes());
    functions.addPass(mlir::nn::createInferShapes());
  }
  if (failed(pm.run(*module)))
    return reason.empty() ? Outcome::WithoutReason : Outcome::Rejected;
  return Outcome::Imported;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "imports mutated models\n");
  llvm::sys::AddSignalHandler(sayCurrent, nullptr);
  if (__sanitizer_set_death_callback)
    __sanitizer_set_death_callback([] { sayCurrent(nullptr); });
  std::signal(SIGALRM, onAlarm);

  std::vector<std::string> seeds;
  for (const std::string &path : seedPaths)
    findSeeds(path, seeds);
  llvm::sort(seeds);
  std::set<std::string> names;
  for (const std::string &seed : seeds) {
    onnx::ModelProto model;
    if (!model.ParseFromString(readBytes(seed))) {
      llvm::errs() << "error: " << seed << " is no model\n";
      return 1;
    }
    for (const onnx::NodeProto &node : model.graph().node())
      names.insert(node.op_type());
  }
  if (seeds.empty()) {
    llvm::errs() << "error: there are no models\n";
    return 1;
  }
  std::vector<std::string> operators(names.begin(), names.end());

  SmallString<128> folder(keep);
  if (std::error_code code = keep.empty() ? fs::createUniqueDirectory("mutated", folder)
                                          : fs::create_directories(folder)) {
    llvm::errs() << "error: cannot make a folder: " << code.message() << "\n";
    return 1;
  }
  // What mutated tensors refer to.
  std::ofstream((folder + "/weights.bin").str()) << std::string(4096, '\1');
  (void)fs::create_link("/etc/passwd", folder + "/link.bin");

  unsigned outcomes[3] = {}, slowest = 0, largest = 0;
  double slowestTime = 0;
  size_t largestMemory = 0;
  bool good = true;
  for (unsigned number = first; number < first + count && good; ++number) {
    Random random(number * 0x5851f42d4c957f2dull + 1);
    const std::string &seed = random.pick(seeds);
    std::string bytes = readBytes(seed), what;
    if (!random.oneIn(4)) {
      onnx::ModelProto model;
      (void)model.ParseFromString(bytes);
      mutateModel(model, random, operators, what);
      bytes = model.SerializePartialAsString();
    }
    if (what.empty() || random.oneIn(8))
      mutateBytes(bytes, random, what);
    std::string path = (folder + "/" + (keep.empty() ? "model" : std::to_string(number)) +
                        ".onnx").str();
    std::ofstream(path, std::ios::binary) << bytes;
    snprintf(current, sizeof(current), "model %u: %s with changed %s\n", number,
             seed.c_str(), what.c_str());

    std::ofstream("/proc/self/clear_refs") << "5"; // The peak starts anew.
    size_t before = readStatus("VmRSS:");
    auto start = std::chrono::steady_clock::now();
    alarm(seconds + 1);
    std::string reason;
    Outcome outcome = digest(path, reason);
    alarm(0);
    double time = std::chrono::duration<double>(std::chrono::steady_clock::now() -
                                                start).count();
    size_t peak = readStatus("VmHWM:"), memory = peak > before ? peak - before : 0;
    if (time > slowestTime)
      slowest = number, slowestTime = time;
    if (memory > largestMemory)
      largest = number, largestMemory = memory;
    ++outcomes[int(outcome)];
    if (verbose)
      llvm::outs() << current << "  " << time << " s, " << memory << " MB: "
                   << (reason.empty() ? "imported\n" : reason) << "\n";
    auto complain = [&](const char *why) {
      llvm::errs() << why << ": " << current;
      good = false;
    };
    if (outcome == Outcome::WithoutReason)
      complain("no reason given");
    if (time > seconds)
      complain("too slow");
    if (memory > megabytes)
      complain("too much memory");
  }
  if (keep.empty())
    fs::remove_directories(folder);
  llvm::outs() << outcomes[0] << " models imported, " << outcomes[1]
               << " rejected; the slowest (" << slowest << ") took "
               << llvm::format("%.2f", slowestTime) << " s, the largest (" << largest
               << ") " << largestMemory << " MB\n";
  return good ? 0 : 1;
}
