//===- nn-compress.cpp - makes models smaller and faster ------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Compress/Compress.h"
#include "nn/Compress/Passes.h"
#include "nn/Export/ONNX.h"
#include "nn/Import/ONNX.h"
#include "nn/InitAll.h"
#include "nn/Pipelines/CheckCapability.h"
#include "nn/Support/CommandLine.h"
#include "nn/Support/Tool.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
namespace cl = llvm::cl;

namespace {

const bool namesAreFree = nn::freeOptionNames(
    {"o", "data", "plan", "plan-out", "report", "calibration", "percentile", "weights-only",
     "accuracy-budget", "smoothing", "sensitivity", "threads", "no-timing", "sparsity",
     "sparsity-pattern", "cluster-bits", "no-quantization", "rounding"});

cl::OptionCategory files("Files"), deciding("What is quantized");
cl::opt<std::string> inputFile(cl::Positional, cl::Required, cl::cat(files),
                               cl::desc("MODEL (.onnx, .onnxtxt)"));
cl::opt<std::string> outputFile("o", cl::cat(files), cl::value_desc("OUT.onnx"),
                                cl::desc("The compressed model, in QDQ form"));
cl::list<std::string> dataFiles(
    "data", cl::cat(files), cl::value_desc("FILE.npz"), cl::CommaSeparated,
    cl::desc("Inputs to calibrate and measure on, NAME or in:NAME; several runs lie along a "
             "dimension in front. May be repeated"));
cl::opt<std::string> planFile("plan", cl::cat(files), cl::value_desc("FILE.json"),
                              cl::desc("Carry out this plan, and decide nothing"));
cl::opt<std::string> planOutput("plan-out", cl::cat(files), cl::value_desc("FILE.json"),
                                cl::desc("Where to write what was decided"));
cl::list<std::string> customOps(
    "custom-op", cl::cat(files), cl::value_desc("DOMAIN:NAME=LIBRARY"),
    cl::desc("A library that computes an operator (docs/CustomOperators.md); may be repeated"));
cl::list<std::string> reports(
    "report", cl::cat(files), cl::value_desc("FILE"),
    cl::desc("What was done, and what it costs: .md or .html. May be repeated"));

cl::opt<nn::CalibrationMethod> calibration(
    "calibration", cl::cat(deciding), cl::init(nn::CalibrationMethod::MSE),
    cl::desc("The range that activations of 8 bits cover:"),
    cl::values(clEnumValN(nn::CalibrationMethod::MinMax, "min-max", "all that is seen"),
               clEnumValN(nn::CalibrationMethod::Percentile, "percentile",
                          "all but the outermost parts"),
               clEnumValN(nn::CalibrationMethod::MSE, "mse",
                          "the least mean squared error (the default)"),
               clEnumValN(nn::CalibrationMethod::Entropy, "entropy",
                          "the least divergence of the histograms")));
cl::opt<double> percentile("percentile", cl::cat(deciding), cl::init(99.99),
                           cl::value_desc("P"),
                           cl::desc("Of the elements, for --calibration=percentile (99.99)"));
cl::opt<nn::Precision> weightsOnly(
    "weights-only", cl::cat(deciding), cl::ValueOptional, cl::init(nn::Precision::Float),
    cl::desc("Quantize weights, and compute in float:"),
    cl::values(clEnumValN(nn::Precision::Int8Weights, "", "the same as 8"),
               clEnumValN(nn::Precision::Int8Weights, "8", "to 8 bits"),
               clEnumValN(nn::Precision::Int4Weights, "4",
                          "those of matrix products to 4 bits, others to 8")));
enum class Rounding { Nearest, Feedback };
cl::opt<Rounding> rounding(
    "rounding", cl::cat(deciding), cl::init(Rounding::Nearest),
    cl::desc("How weights are quantized:"),
    cl::values(clEnumValN(Rounding::Nearest, "nearest",
                          "each to the nearest number (the default)"),
               clEnumValN(Rounding::Feedback, "feedback",
                          "such that they make up for each other's errors")));
cl::opt<double> sparsity(
    "sparsity", cl::cat(deciding), cl::init(0), cl::value_desc("S"),
    cl::desc("The part of the weights of products that becomes 0, from 0 to below 1 (0.8: 80%)"));
cl::opt<nn::SparsityPattern> pattern(
    "sparsity-pattern", cl::cat(deciding), cl::init(nn::SparsityPattern::Elements),
    cl::desc("Which weights become 0 together:"),
    cl::values(clEnumValN(nn::SparsityPattern::Elements, "elements",
                          "each on its own: smallest (the default)"),
               clEnumValN(nn::SparsityPattern::Blocks, "blocks",
                          "16 result channels of an input: also faster"),
               clEnumValN(nn::SparsityPattern::FourBlocks, "4x16",
                          "16 result channels of four inputs: faster in 8 bits, too"),
               clEnumValN(nn::SparsityPattern::Channels, "channels",
                          "all that read a channel, which the build then removes"),
               clEnumValN(nn::SparsityPattern::TwoOfFour, "2:4",
                          "two of four input channels; the sparsity is 0.5")));
cl::opt<int> clusterBits(
    "cluster-bits", cl::cat(deciding), cl::init(0), cl::value_desc("B"),
    cl::desc("A tensor of weights has up to 2^B distinct values; 1 to 8"));
cl::opt<bool> noQuantization(
    "no-quantization", cl::cat(deciding),
    cl::desc("Quantize nothing: only --sparsity and --cluster-bits"));
cl::opt<double> budget(
    "accuracy-budget", cl::cat(deciding), cl::value_desc("E"),
    cl::desc("The most that the outputs may err, relative to their size (0.05: 5%). Regions "
             "that err most stay in float"));
cl::list<double> smoothing(
    "smoothing", cl::cat(deciding), cl::value_desc("A,B,..."), cl::CommaSeparated,
    cl::desc("How much of the difference between the channels of a product's input goes "
             "into its weights: numbers from 0 (nothing) to 1, of which the one with the "
             "smallest error is taken (0.5,0.65,0.8)"));
cl::opt<bool> sensitivity("sensitivity", cl::cat(deciding),
                          cl::desc("Measure what each region does to the outputs"));
cl::opt<int> threads("threads", cl::cat(deciding), cl::init(1), cl::value_desc("N"),
                     cl::desc("Threads of the models that are measured (1); 0: one per core"));
cl::opt<bool> noTiming("no-timing", cl::cat(deciding),
                       cl::desc("Do not measure times: quantize also where float is faster"));

int fail(const Twine &message) {
  llvm::errs() << "nn-compress: error: " << message << "\n";
  return 1;
}
int fail(llvm::Error error) { return fail(llvm::toString(std::move(error))); }

/// The model's inputs, as the module says.
llvm::Expected<nn::Samples> openSamples(ModuleOp module) {
  llvm::Expected<std::unique_ptr<nn::Model>> model = nn::interpretModule(module);
  if (!model)
    return model.takeError();
  return nn::Samples::open(std::vector<std::string>(dataFiles), (*model)->getInputs());
}

nn::CompressionOptions getOptions() {
  nn::CompressionOptions options;
  options.method = calibration;
  options.percentile = percentile;
  options.precision = noQuantization ? nn::Precision::Float
                      : weightsOnly.getNumOccurrences() ? weightsOnly
                                                        : nn::Precision::Int8;
  options.weights = {pattern == nn::SparsityPattern::TwoOfFour ? 0.5 : sparsity, pattern,
                     clusterBits};
  if (rounding == Rounding::Feedback)
    options.weights.roundingBits = options.precision == nn::Precision::Int4Weights ? 4 : 8;
  if (budget.getNumOccurrences())
    options.maxError = budget;
  if (!smoothing.empty())
    options.smoothing.assign(smoothing.begin(), smoothing.end());
  options.sensitivity = sensitivity;
  options.threads = threads;
  options.timing = !noTiming;
  return options;
}

/// The model's file, with those beside it that hold its tensors.
uint64_t getFileSize(const std::string &path) {
  uint64_t size = 0, data = 0;
  if (llvm::sys::fs::file_size(path, size))
    return 0;
  return llvm::sys::fs::file_size(path + ".data", data) ? size : size + data;
}

int writeReports(const nn::CompressionReport &report) {
  for (const std::string &path : reports) {
    std::error_code code;
    llvm::ToolOutputFile file(path, code, llvm::sys::fs::OF_Text);
    if (code)
      return fail("cannot write the report '" + path + "': " + code.message());
    file.os() << nn::formatReport(report, llvm::sys::path::filename(inputFile),
                                  {getFileSize(inputFile), getFileSize(outputFile)},
                                  llvm::sys::path::extension(path) == ".html");
    file.keep();
  }
  return 0;
}

int run() {
  if (outputFile.empty() && planOutput.empty())
    return fail("say where the result goes: -o OUT.onnx, or --plan-out for decisions only");
  if (dataFiles.empty() && (planFile.empty() || !reports.empty()))
    return fail("decisions and reports need samples; give --data FILE.npz");
  if (!planFile.empty() && !planOutput.empty())
    return fail("--plan decides everything; it goes with no --plan-out");
  bool changesWeights = sparsity.getNumOccurrences() || pattern == nn::SparsityPattern::TwoOfFour || clusterBits.getNumOccurrences() ||
                        rounding == Rounding::Feedback;
  if (!(sparsity >= 0 && sparsity < 1))
    return fail("--sparsity takes a number from 0 to below 1");
  if (pattern == nn::SparsityPattern::TwoOfFour && sparsity.getNumOccurrences() && sparsity != 0.5)
    return fail("--sparsity-pattern=2:4 makes half of the weights 0; it goes with no other "
                "--sparsity");
  if (clusterBits.getNumOccurrences() && (clusterBits < 1 || clusterBits > 8))
    return fail("--cluster-bits takes a number from 1 to 8");
  if (rounding == Rounding::Feedback && (noQuantization || clusterBits.getNumOccurrences()))
    return fail("--rounding=feedback quantizes weights; it goes with no --no-quantization and no "
                "--cluster-bits");
  if (noQuantization && weightsOnly.getNumOccurrences())
    return fail("--no-quantization and --weights-only exclude each other");
  if (noQuantization && !changesWeights)
    return fail("with --no-quantization there is nothing to do; give --sparsity or "
                "--cluster-bits");
  if (!planFile.empty() && changesWeights)
    return fail("--plan decides everything but weights; change them in a run of its own: with "
                "--no-quantization, or by --weights-only and --rounding=feedback");
  if (!(percentile > 50 && percentile <= 100))
    return fail("--percentile takes a number above 50, up to 100");
  if (llvm::any_of(smoothing, [](double part) { return !(part >= 0 && part <= 1); }))
    return fail("--smoothing takes numbers from 0 to 1");
  for (const std::string &report : reports)
    if (llvm::sys::path::extension(report) != ".md" &&
        llvm::sys::path::extension(report) != ".html")
      return fail("a report is a file .md or .html, not '" + report + "'");

  DialectRegistry registry;
  nn::registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  nn::ToolDiagnosticHandler handler(&context, "nn-compress");
  nn::ProcessWatch watch("nn-compress", nn::getDefaultMaxMemory());

  nn::TriageReport triage;
  nn::ImportOptions importOptions;
  importOptions.checkCapability = nn::makeCapabilityCheck();
  for (const std::string &option : customOps)
    if (llvm::Error error = nn::addCustomOp(importOptions, option))
      return fail(std::move(error));
  OwningOpRef<ModuleOp> module =
      nn::importONNX(context, inputFile, importOptions, triage);
  if (!module) {
    triage.printErrors(llvm::errs(), inputFile);
    return 1;
  }
  triage.printWarnings(llvm::errs(), inputFile);
  if (failed(nn::prepareForCompression(*module)))
    return 1;

  nn::CompressionReport report;
  if (!planFile.empty()) {
    llvm::Expected<nn::CompressionPlan> plan = nn::CompressionPlan::read(planFile);
    if (!plan)
      return fail(plan.takeError());
    report.plan = std::move(*plan);
  }
  if (!dataFiles.empty()) {
    llvm::Expected<nn::Samples> samples = openSamples(*module);
    if (!samples)
      return fail(samples.takeError());
    llvm::Expected<nn::CompressionReport> made =
        planFile.empty() ? nn::makePlan(*module, *samples, getOptions())
                         : nn::measurePlan(*module, *samples, report.plan, getOptions());
    if (!made)
      return fail(made.takeError());
    report = std::move(*made);
  }
  if (!planOutput.empty())
    if (llvm::Error error = report.plan.write(planOutput))
      return fail(std::move(error));
  if (outputFile.empty())
    return writeReports(report);
  if (!planFile.empty()) {
    if (failed(nn::carryOutPlan(*module, report.plan, planFile)))
      return 1;
  } else {
    for (const std::string &problem : nn::applyPlan(*module, report.plan).problems)
      llvm::errs() << "nn-compress: warning: " << problem << "\n";
  }
  if (failed(nn::exportONNX(*module, outputFile, {})))
    return 1;
  return writeReports(report);
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  const cl::OptionCategory *categories[] = {&files, &deciding};
  nn::hideOtherOptions(categories);
  cl::ParseCommandLineOptions(argc, argv,
                              "quantizes and prunes ONNX models, by what they compute on samples\n");
  nn::detachOptions(categories);
  return nn::runTool("nn-compress", run);
}
