//===- nn-run.cpp - runs models -------------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Exit status: 0 if all that was asked for was done and matches; 1 after an
// error or a mismatch; 2 if the data holds no outputs to compare with.
//
//===----------------------------------------------------------------------===//

#include "ModelSource.h"
#include "NodeTests.h"
#include "nn/Emulation/CudaStandIn.h"
#include "nn/Execution/ModuleTools.h"
#include "nn/Execution/Report.h"
#include "nn/Support/CommandLine.h"
#include "nn/Support/Tool.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::nn;
using llvm::Expected;
namespace cl = llvm::cl;

namespace {

const bool namesAreFree = freeOptionNames(
    {"inputs", "outputs", "data", "rtol", "atol", "threads", "benchmark", "json", "profile",
     "interpret", "compare", "device", "node-tests", "write-results", "jobs", "timeout",
     "filter", "info", "custom-op"});

cl::OptionCategory category("nn-run");
cl::opt<std::string> modelFile(cl::Positional,
                               cl::desc("MODEL (.so, .onnx, .onnxtxt, .mlir)"),
                               cl::cat(category));
cl::list<std::string>
    inputFiles("inputs", cl::desc("Arrays named as the model's inputs, NAME[0], NAME[1], "
                                  "... for the items of a sequence (.npz; .npy, .pb: "
                                  "one input each, may be repeated)"),
               cl::value_desc("FILE"), cl::cat(category));
cl::opt<std::string> outputFile("outputs", cl::desc("Where to write the outputs"),
                                cl::value_desc("FILE.npz"), cl::cat(category));
cl::opt<std::string> dataFile(
    "data", cl::desc("Arrays in:NAME to run on, and out:NAME to compare with"),
    cl::value_desc("FILE.npz"), cl::cat(category));
cl::opt<double> rtol("rtol", cl::desc("Relative tolerance (default: 1e-3; f16 and "
                                      "bf16: 2e-2)"),
                     cl::cat(category));
cl::opt<double> atol("atol", cl::desc("Tolerance relative to the largest expected "
                                      "value (default: 1e-4; f16 and bf16: 2e-3)"),
                     cl::cat(category));
cl::opt<int> threads("threads", cl::desc("Threads to compute with (default: one "
                                         "per core)"),
                     cl::value_desc("N"), cl::init(0), cl::cat(category));
enum class Device { CPU, CUDA, Emulate };
cl::opt<Device> device(
    "device", cl::desc("Where models compute that are not compiled yet:"), cl::cat(category),
    cl::init(Device::CPU),
    cl::values(clEnumValN(Device::CPU, "cpu", "on the CPU (the default)"),
               clEnumValN(Device::CUDA, "cuda", "on a GPU of NVIDIA"),
               clEnumValN(Device::Emulate, "emulate",
                          "on an emulated GPU, which needs none and reports wrong accesses; "
                          "compiled models for GPUs too")));
cl::opt<bool> benchmark("benchmark", cl::desc("Measure latency and memory"),
                        cl::cat(category));
cl::opt<bool> json("json", cl::desc("Print the benchmark as JSON"),
                   cl::cat(category));
cl::opt<bool> profile("profile", cl::desc("Print the time of each kernel, with its "
                                          "ONNX nodes"),
                      cl::cat(category));
cl::opt<bool> showInfo("info", cl::desc("Print what the model takes, gives and needs of "
                                    "memory; given inputs, also what a run took"),
                   cl::cat(category));
cl::opt<bool> interpretOnly("interpret",
                            cl::desc("Interpret .onnx and .mlir models instead of "
                                     "compiling them"),
                            cl::cat(category));
cl::opt<std::string>
    compareWith("compare", cl::desc("interpreter: compare all tensors of the "
                                    "compiled model with the interpreter's"),
                cl::value_desc("interpreter"), cl::cat(category));
cl::opt<std::string>
    nodeTests("node-tests", cl::desc("Run all tests below a folder (model.onnx and "
                                     "test_data_set_*, as ONNX has them), and print "
                                     "the results as JSON"),
              cl::value_desc("DIR"), cl::cat(category));
cl::opt<bool> writeResults("write-results",
                           cl::desc("Of --node-tests: do not compare, but write what the "
                                    "models compute to results.npz beside the inputs"),
                           cl::cat(category));
cl::opt<unsigned> jobs("jobs", cl::desc("How many of the tests run at a time"),
                       cl::value_desc("N"), cl::init(1), cl::cat(category));
cl::opt<unsigned> timeout("timeout", cl::desc("Seconds that a test may take"),
                          cl::value_desc("N"), cl::init(60), cl::cat(category));
cl::opt<std::string> filter("filter", cl::desc("Run only tests with TEXT in their "
                                               "names"),
                            cl::value_desc("TEXT"), cl::cat(category));

/// As CompileOptions has it. `native`: for this machine's CPU only.
std::string getDeviceTarget(bool native) {
  switch (device) {
  case Device::CPU:
    return native ? "cpu:native" : "";
  case Device::CUDA:
    return "cuda";
  case Device::Emulate:
    return "cuda:sm_80";
  }
  llvm_unreachable("unknown device");
}

cl::list<std::string> customOps(
    "custom-op", cl::desc("Of .onnx models: a library that computes an operator"),
    cl::value_desc("DOMAIN:NAME=LIBRARY"), cl::cat(category));

constexpr int errorStatus = 1, noOutputsStatus = 2;

int fail(const Twine &message) {
  llvm::errs() << "nn-run: error: " << message << "\n";
  return errorStatus;
}
int fail(llvm::Error error) { return fail(llvm::toString(std::move(error))); }

Tolerance getTolerance(DataType type) {
  Tolerance tolerance = Tolerance::getDefault(type);
  if (rtol.getNumOccurrences())
    tolerance.rtol = rtol;
  if (atol.getNumOccurrences())
    tolerance.atol = atol;
  return tolerance;
}

/// What the model is run on, and what is expected of it.
struct Data {
  NamedTensors inputs, outputs;
};

Expected<Data> readData() {
  Data data;
  if (!dataFile.empty()) {
    Expected<NamedTensors> arrays = readTensorFile(dataFile);
    if (!arrays)
      return arrays.takeError();
    for (NamedTensor &array : *arrays) {
      StringRef name = array.name;
      if (name.consume_front("in:"))
        data.inputs.push_back({name.str(), array.tensor});
      else if (name.consume_front("out:"))
        data.outputs.push_back({name.str(), array.tensor});
      else
        return llvm::createStringError(
            dataFile + ": array '" + name.str() +
            "' is neither in:NAME nor out:NAME");
    }
  }
  for (const std::string &file : inputFiles) {
    Expected<NamedTensors> arrays = readTensorFile(file);
    if (!arrays)
      return arrays.takeError();
    data.inputs.insert(data.inputs.end(), arrays->begin(), arrays->end());
  }
  return data;
}

/// Compares what came out with what is expected; outputs missing on either side
/// are mismatches.
int compareOutputs(const Model &model, ArrayRef<HostTensor> results,
                   const NamedTensors &wanted) {
  if (wanted.empty()) {
    fail(dataFile + " has no outputs (arrays out:NAME) to compare with");
    return noOutputsStatus;
  }
  std::vector<ReportRow> rows;
  std::vector<bool> used(wanted.size());
  auto addNote = [&](StringRef name, const Twine &note) {
    ReportRow row;
    row.name = name.str();
    row.note = note.str();
    rows.push_back(std::move(row));
  };
  for (const ValueInfo &info : model.getOutputValues()) {
    Expected<std::optional<HostTensors>> want = findValue(info, wanted, used);
    if (!want) {
      addNote(info.name, "in the data " + llvm::toString(want.takeError()));
      continue;
    }
    if (!*want) {
      addNote(info.name, "is not in the data");
      continue;
    }
    Expected<StructuredValue> gotValue =
        fromParts(info.type, results.slice(info.first, info.count));
    Expected<StructuredValue> wantValue = fromParts(info.type, **want);
    if (!gotValue || !wantValue) {
      addNote(info.name, llvm::toString(llvm::joinErrors(gotValue.takeError(),
                                                         wantValue.takeError())));
      continue;
    }
    if (std::string note = compareStructure(*gotValue, *wantValue); !note.empty()) {
      addNote(info.name, note);
      continue;
    }
    for (auto [i, x, y] : llvm::enumerate(gotValue->items, wantValue->items)) {
      ReportRow row;
      row.name = info.type.isSequence ? info.name + "[" + std::to_string(i) + "]" : info.name;
      row.comparison = compareTensors(x, y, getTolerance(info.type.type));
      rows.push_back(std::move(row));
    }
  }
  for (auto [i, want] : llvm::enumerate(wanted))
    if (!used[i])
      addNote(want.name, "is not an output of the model");
  bool matches = llvm::all_of(rows, [](const ReportRow &row) { return row.matches(); });
  printComparison(matches ? llvm::outs() : llvm::errs(), rows);
  return matches ? 0 : errorStatus;
}

/// Runs a test: a module with expectations.
int runChecks(ModelSource &source) {
  FailureOr<ExtractedChecks> checks = extractChecks(source.getModule());
  if (failed(checks))
    return errorStatus;
  Expected<std::unique_ptr<Model>> model = source.open();
  if (!model)
    return fail(model.takeError());
  Expected<HostTensors> results = (*model)->run(checks->inputs);
  if (!results)
    return fail(results.takeError());
  int status = 0;
  for (auto [i, expectation] : llvm::enumerate(checks->expectations)) {
    Comparison comparison = compareTensors(
        (*results)[2 * i], (*results)[2 * i + 1], expectation.tolerance);
    if (comparison.matches)
      continue;
    emitError(expectation.location) << "expectation failed: "
                                    << comparison.describe();
    status = errorStatus;
  }
  if (status == 0)
    llvm::outs() << checks->expectations.size() << " expectations hold\n";
  return status;
}

/// Compares every ONNX tensor of the compiled model with the interpreter's.
int compareWithInterpreter(ModelSource &source, const Data &data) {
  if (!source.hasModule())
    return fail("--compare=interpreter needs a model as .onnx or .mlir: a compiled "
                "library cannot be interpreted");
  exposeTensors(source.getModule());
  Expected<std::unique_ptr<Model>> reference = interpretModule(source.getModule());
  if (!reference)
    return fail(reference.takeError());
  Expected<HostTensors> inputs = bindInputs(**reference, data.inputs);
  if (!inputs)
    return fail(inputs.takeError());
  Expected<HostTensors> want = (*reference)->run(*inputs);
  if (!want)
    return fail(want.takeError());
  reference->reset();

  Expected<std::unique_ptr<Model>> compiled = source.open();
  if (!compiled)
    return fail(compiled.takeError());
  Expected<HostTensors> got = (*compiled)->run(*inputs);
  if (!got)
    return fail(got.takeError());
  std::vector<ReportRow> rows;
  for (auto [info, x, y] : llvm::zip_equal((*compiled)->getOutputs(), *got, *want)) {
    ReportRow row;
    row.name = info.name;
    row.comparison = compareTensors(x, y, getTolerance(info.type));
    rows.push_back(std::move(row));
  }
  printComparison(llvm::outs(), rows);
  bool matches = llvm::all_of(rows, [](const ReportRow &row) { return row.matches(); });
  return matches ? 0 : errorStatus;
}

int runProfile(Model &model, ArrayRef<HostTensor> inputs) {
  // The first run makes primitives; times are those of the runs after it.
  size_t runs = 10;
  for (size_t i = 0; i < runs; ++i)
    if (llvm::Error error = model.runOnly(inputs))
      return fail(std::move(error));
  std::vector<KernelTime> times = model.getProfile();
  if (times.empty())
    return fail("the model has no times of kernels (models that are interpreted "
                "have none)");
  printProfile(llvm::outs(), std::move(times), runs + 1);
  return 0;
}

int runInfo(Model &model, const NamedTensors &arrays) {
  if (!arrays.empty()) {
    Expected<HostTensors> inputs = bindInputs(model, arrays);
    if (!inputs)
      return fail(inputs.takeError());
    if (llvm::Error error = model.runOnly(*inputs))
      return fail(std::move(error));
  }
  Expected<std::optional<LibraryInfo>> library = model.getLibraryInfo();
  if (!library)
    return fail(library.takeError());
  if (!*library)
    return fail("--info is about compiled models, leave out --interpret");
  printInfo(llvm::outs(), model, **library, !arrays.empty());
  return 0;
}

int runNodeTests() {
  NodeTestOptions options;
  options.source.library.threads = threads.getNumOccurrences() ? threads : 1;
  options.source.interpret = interpretOnly;
  // Code for this machine only: half of what a portable library takes.
  options.source.compile.target = getDeviceTarget(/*native=*/true);
  options.source.compile.emulate = device == Device::Emulate;
  if (rtol.getNumOccurrences())
    options.tolerance.rtol = rtol;
  if (atol.getNumOccurrences())
    options.tolerance.atol = atol;
  options.jobs = std::max(1u, jobs.getValue());
  options.timeoutSeconds = timeout;
  options.filter = filter;
  options.writeResults = writeResults;
  Expected<bool> passed = nn::runNodeTests(nodeTests, options, llvm::outs());
  if (!passed)
    return fail(passed.takeError());
  return *passed ? 0 : errorStatus;
}

int run() {
  if (device == Device::Emulate)
    nnrt_use_cuda_driver(&getCudaStandIn());
  if (!nodeTests.empty())
    return runNodeTests();
  if (modelFile.empty())
    return fail("give a model (.so, .onnx, .onnxtxt, .mlir) or --node-tests DIR");
  if (!compareWith.empty() && compareWith != "interpreter")
    return fail("--compare takes 'interpreter', not '" + compareWith + "'");
  if (!dataFile.empty() && !inputFiles.empty())
    return fail("give --data or --inputs, not both");

  SourceOptions options;
  options.library.threads = threads;
  options.library.profile = profile;
  options.interpret = interpretOnly;
  options.customOps = customOps;
  options.compile.target = getDeviceTarget(/*native=*/false);
  options.compile.emulate = device == Device::Emulate;
  ModelSource source(modelFile, options);
  if (llvm::Error error = source.load())
    return fail(std::move(error));
  if (source.hasModule() && hasChecks(source.getModule()))
    return runChecks(source);

  Expected<Data> data = readData();
  if (!data)
    return fail(data.takeError());
  if (!compareWith.empty())
    return compareWithInterpreter(source, *data);
  if (benchmark) {
    if (llvm::Error error = source.compile())
      return fail(std::move(error));
    Expected<BenchmarkResult> result =
        runBenchmark([&] { return source.open(); }, data->inputs);
    if (!result)
      return fail(result.takeError());
    result->print(llvm::outs(), json);
    return 0;
  }

  Expected<std::unique_ptr<Model>> model = source.open();
  if (!model)
    return fail(model.takeError());
  if (showInfo)
    return runInfo(**model, data->inputs);
  Expected<HostTensors> inputs = bindInputs(**model, data->inputs);
  if (!inputs)
    return fail(inputs.takeError());
  Expected<HostTensors> results = (*model)->run(*inputs);
  if (!results)
    return fail(results.takeError());

  if (!outputFile.empty()) {
    Expected<NamedTensors> named = nameResults(**model, *results);
    if (!named)
      return fail(named.takeError());
    if (llvm::Error error = writeTensorFile(outputFile, *named))
      return fail(std::move(error));
  }
  if (profile)
    return runProfile(**model, *inputs);
  if (!dataFile.empty())
    return compareOutputs(**model, *results, data->outputs);
  if (outputFile.empty())
    if (llvm::Error error = printResults(llvm::outs(), **model, *results))
      return fail(std::move(error));
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  hideOtherOptions({&category});
  cl::ParseCommandLineOptions(argc, argv, "runs models\n");
  detachOptions({&category});
  return runTool("nn-run", run);
}
