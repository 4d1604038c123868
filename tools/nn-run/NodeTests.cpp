//===- NodeTests.cpp - folders of tests in ONNX's form --------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "NodeTests.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;
using llvm::Expected;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;
using Clock = std::chrono::steady_clock;

//===----------------------------------------------------------------------===//
// One test, in its own process
//===----------------------------------------------------------------------===//

/// numpy.testing.assert_allclose, with the allowance for bf16 (two units of its
/// precision) that ONNX's runner makes. Returns what is wrong.
static std::string compareAsONNX(const HostTensor &got, const HostTensor &want,
                                 Tolerance tolerance) {
  Comparison comparison = compareTensors(got, want, {0, 0});
  if (comparison.matches || !comparison.incomparable.empty() ||
      want.getType() == DataType::String)
    return comparison.matches ? "" : comparison.describe();
  double rtol = tolerance.rtol;
  if (want.getType() == DataType::BFloat16)
    rtol = std::max(rtol, std::ldexp(1.0, -6));
  for (int64_t i = 0; i < want.getNumElements(); ++i) {
    double x = got.getDouble(i), y = want.getDouble(i);
    bool matches = x == y || (std::isnan(x) && std::isnan(y)) ||
                   (std::isfinite(x) && std::isfinite(y) &&
                    std::fabs(x - y) <= tolerance.atol + rtol * std::fabs(y));
    if (!matches)
      return comparison.describe();
  }
  return "";
}

/// The values PREFIX_0.pb, PREFIX_1.pb, ... of a folder, as the model's types.
static Expected<std::vector<StructuredValue>>
readValues(StringRef folder, StringRef prefix, ArrayRef<ValueInfo> infos) {
  std::vector<StructuredValue> values;
  for (auto [i, info] : llvm::enumerate(infos)) {
    SmallString<128> file(folder);
    path::append(file, prefix + "_" + Twine(i) + ".pb");
    if (!fs::exists(file))
      return createStringError(file + " is missing");
    Expected<StructuredValue> value = readValueFile(file, info.type);
    if (!value)
      return value.takeError();
    values.push_back(std::move(*value));
  }
  return values;
}

/// The model's inputs.
static Expected<HostTensors> readInputs(StringRef folder, const Model &model) {
  auto values = readValues(folder, "input", model.getInputValues());
  if (!values)
    return values.takeError();
  HostTensors tensors;
  for (auto [info, value] : llvm::zip(model.getInputValues(), *values)) {
    Expected<HostTensors> parts = toParts(info.type, value);
    if (!parts)
      return createStringError("input '" + info.name +
                               "': " + llvm::toString(parts.takeError()));
    tensors.append(*parts);
  }
  return tensors;
}

/// What is wrong with an output, of which `parts` came out; "" if nothing is.
static std::string compareOutput(const ValueInfo &info, ArrayRef<HostTensor> parts,
                                 const StructuredValue &want, Tolerance tolerance) {
  Expected<StructuredValue> got = fromParts(info.type, parts);
  if (!got)
    return llvm::toString(got.takeError());
  if (std::string problem = compareStructure(*got, want); !problem.empty())
    return problem;
  for (auto [i, x, y] : llvm::enumerate(got->items, want.items))
    if (std::string problem = compareAsONNX(x, y, tolerance); !problem.empty())
      return (info.type.isSequence ? "item " + std::to_string(i) + ": " : "") + problem;
  return "";
}

namespace {
struct Outcome {
  std::string stage; // empty: passed
  std::string message;
};
} // namespace

static Outcome fail(StringRef stage, llvm::Error error) {
  return {stage.str(), llvm::toString(std::move(error))};
}

static Outcome writeResults(const Model &model, StringRef folder,
                            ArrayRef<HostTensor> results) {
  Expected<NamedTensors> named = nameResults(model, results);
  if (!named)
    return fail("load", named.takeError());
  SmallString<128> file(folder);
  path::append(file, "results.npz");
  if (llvm::Error error = writeTensorFile(file, *named))
    return fail("load", std::move(error));
  return {};
}

/// Runs the model on one data set.
static Outcome runDataSet(Model &model, StringRef folder, const NodeTestOptions &options) {
  Expected<HostTensors> inputs = readInputs(folder, model);
  if (!inputs)
    return fail("load", inputs.takeError());
  if (options.writeResults) {
    Expected<HostTensors> got = model.run(*inputs);
    return got ? writeResults(model, folder, *got) : fail("run", got.takeError());
  }
  auto want = readValues(folder, "output", model.getOutputValues());
  if (!want)
    return fail("load", want.takeError());
  Expected<HostTensors> got = model.run(*inputs);
  if (!got)
    return fail("run", got.takeError());
  for (auto [info, value] : llvm::zip_equal(model.getOutputValues(), *want)) {
    std::string problem = compareOutput(
        info, ArrayRef(*got).slice(info.first, info.count), value, options.tolerance);
    if (!problem.empty())
      return {"compare", "output '" + info.name + "': " + problem};
  }
  return {};
}

static Outcome runTest(StringRef model, const NodeTestOptions &options) {
  StringRef folder = path::parent_path(model);
  ModelSource source(model.str(), options.source);
  if (llvm::Error error = source.load())
    return fail("import", std::move(error));
  if (llvm::Error error = source.compile())
    return fail("compile", std::move(error));
  Expected<std::unique_ptr<Model>> opened = source.open();
  if (!opened)
    return fail("load", opened.takeError());
  for (unsigned i = 0;; ++i) {
    SmallString<128> set(folder);
    path::append(set, "test_data_set_" + Twine(i));
    if (!fs::exists(set))
      return i > 0 ? Outcome() : Outcome{"load", "there is no data set"};
    Outcome outcome = runDataSet(**opened, set, options);
    if (!outcome.stage.empty())
      return outcome;
  }
}

//===----------------------------------------------------------------------===//
// All tests
//===----------------------------------------------------------------------===//

namespace {
/// A test that runs.
struct Child {
  size_t test;
  pid_t process;
  int output; // what it prints, then "\0STAGE\0MESSAGE" if it came to an end
  Clock::time_point start;
  std::string text;
  bool timedOut = false;
};

struct TestResult {
  std::string model, name;
  Outcome outcome;
  double seconds = 0;
};
} // namespace

static std::vector<TestResult> findTests(StringRef directory, StringRef filter) {
  std::vector<TestResult> tests;
  std::error_code code;
  for (fs::recursive_directory_iterator it(directory, code), end; it != end && !code;
       it.increment(code)) {
    StringRef file = path::filename(it->path());
    if (file != "model.onnx" && file != "model.mlir")
      continue;
    TestResult test;
    test.model = it->path();
    test.name = path::filename(path::parent_path(it->path())).str();
    if (StringRef(test.name).contains(filter))
      tests.push_back(std::move(test));
  }
  llvm::sort(tests, [](const TestResult &a, const TestResult &b) {
    return a.model < b.model;
  });
  return tests;
}

static Expected<Child> startChild(size_t index, StringRef model,
                                  const NodeTestOptions &options) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return createStringError(std::strerror(errno));
  pid_t process = fork();
  if (process < 0)
    return createStringError(std::strerror(errno));
  if (process == 0) {
    // Crashes are results: neither symbolized nor dumped.
    for (int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL})
      std::signal(signal, SIG_DFL);
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    Outcome outcome = runTest(model, options);
    llvm::outs().flush();
    llvm::errs().flush();
    std::string end = '\0' + outcome.stage + '\0' + outcome.message;
    llvm::raw_fd_ostream(ends[1], /*shouldClose=*/false) << end;
    // Without the destructors of libraries: they are not what is tested.
    _exit(0);
  }
  close(ends[1]);
  return Child{index, process, ends[0], Clock::now(), {}, false};
}

/// What became of a test whose process ended.
static Outcome finishChild(Child &child) {
  close(child.output);
  int status = 0;
  while (waitpid(child.process, &status, 0) < 0 && errno == EINTR) {
  }
  StringRef printed = child.text;
  if (child.timedOut)
    return {"timeout", printed.rtrim().str()};
  auto [before, result] = printed.split('\0');
  if (WIFSIGNALED(status))
    return {"crash", (before.rtrim() + "\n" + strsignal(WTERMSIG(status))).str()};
  if (before.size() == printed.size())
    return {"crash", ("ended early\n" + before).str()};
  auto [stage, message] = result.split('\0');
  std::string all = before.rtrim().str();
  if (!all.empty() && !message.empty())
    all += "\n";
  return {stage.str(), all + message.str()};
}

static void runAll(std::vector<TestResult> &tests, const NodeTestOptions &options) {
  std::vector<Child> children;
  auto limit = std::chrono::seconds(options.timeoutSeconds);
  bool isTerminal = llvm::errs().is_displayed();
  size_t next = 0, done = 0;
  while (next < tests.size() || !children.empty()) {
    while (next < tests.size() && children.size() < options.jobs) {
      Expected<Child> child = startChild(next, tests[next].model, options);
      if (child)
        children.push_back(std::move(*child));
      else
        tests[next].outcome = fail("crash", child.takeError());
      ++next;
    }
    std::vector<pollfd> waiting;
    for (const Child &child : children)
      waiting.push_back({child.output, POLLIN, 0});
    poll(waiting.data(), waiting.size(), /*milliseconds=*/200);
    for (size_t i = children.size(); i-- > 0;) {
      Child &child = children[i];
      if (!child.timedOut && Clock::now() - child.start > limit) {
        child.timedOut = true;
        kill(child.process, SIGKILL);
      }
      if (!waiting[i].revents)
        continue;
      char buffer[4096];
      ssize_t count = read(child.output, buffer, sizeof(buffer));
      if (count > 0) {
        child.text.append(buffer, size_t(count));
        continue;
      }
      TestResult &test = tests[child.test];
      test.seconds = std::chrono::duration<double>(Clock::now() - child.start).count();
      test.outcome = finishChild(child);
      children.erase(children.begin() + i);
      if (isTerminal)
        llvm::errs() << "\r" << ++done << " of " << tests.size() << " tests";
    }
  }
  if (isTerminal)
    llvm::errs() << "\n";
}

/// Valid UTF-8 of a length that people read.
static std::string shorten(StringRef text) {
  constexpr size_t longest = 2000;
  return llvm::json::fixUTF8(text.size() > longest ? (text.take_front(longest) + "...").str()
                                                   : text.str());
}

Expected<bool> nn::runNodeTests(StringRef directory, const NodeTestOptions &options,
                                llvm::raw_ostream &os) {
  std::vector<TestResult> tests = findTests(directory, options.filter);
  if (tests.empty())
    return createStringError("there is no folder with a model.onnx below " + directory);
  runAll(tests, options);
  size_t passed = llvm::count_if(
      tests, [](const TestResult &test) { return test.outcome.stage.empty(); });
  llvm::json::OStream json(os, /*IndentSize=*/1);
  json.object([&] {
    json.attribute("passed", int64_t(passed));
    json.attribute("failed", int64_t(tests.size() - passed));
    json.attributeArray("tests", [&] {
      for (const TestResult &test : tests)
        json.object([&] {
          bool isPassed = test.outcome.stage.empty();
          json.attribute("name", test.name);
          json.attribute("result", isPassed ? "passed" : "failed");
          if (!isPassed) {
            json.attribute("stage", test.outcome.stage);
            json.attribute("message", shorten(test.outcome.message));
          }
          json.attribute("seconds", std::round(test.seconds * 1000) / 1000);
        });
    });
  });
  os << "\n";
  return passed == tests.size();
}
