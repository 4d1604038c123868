//===- Compress.cpp - plans by measurement --------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Compress/Compress.h"
#include "Measure.h"
#include "dialects/NN/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "nn/Compress/Passes.h"
#include "nn/Pipelines/CompileGuard.h"
#include "nn/Pipelines/Pipelines.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <numeric>

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;

/// Samples that tell what a single region does to the outputs.
static constexpr size_t kSensitivitySamples = 8;

/// Times of regions that differ by less may be equal.
static constexpr double kSlower = 1.1;

LogicalResult nn::prepareForCompression(ModuleOp module) {
  PassManager pm(module.getContext());
  pm.enableVerifier(false);
  PipelineOptions simplify;
  simplify.keepQuantized = true; // What the model has quantized stays so.
  buildPhase(pm, Phase::Simplify, simplify);
  pm.addNestedPass<func::FuncOp>(createFoldBatchNorm());
  pm.addNestedPass<func::FuncOp>(createCanonicalize());
  FoldConstantsOptions folding;
  folding.keepQuantized = true;
  pm.addNestedPass<func::FuncOp>(createFoldConstants(folding));
  return runGuarded(module.getContext(), "the simplification", [&] { return pm.run(module); });
}

namespace {
/// Decides, with the model in float as the teacher.
class Planner {
public:
  Planner(ModuleOp module, Samples &samples, const CompressionOptions &options)
      : module(module), samples(samples), options(options), regions(findRegions(module)) {}

  llvm::Error compileTeacher();
  llvm::Error calibrate();
  llvm::Error trySmoothing();
  llvm::Error decide();
  llvm::Error findSlowRegions();
  llvm::Error measure();
  llvm::Error avoidSlowness();

  CompressionReport report;

private:
  llvm::Expected<CompiledModule> compile(const CompressionPlan &plan, bool profile = false);
  llvm::Expected<Accuracy> evaluate(const CompressionPlan &plan, size_t count);
  llvm::Error findSensitivities();
  llvm::Error meetBudget();

  ModuleOp module;
  Samples &samples;
  const CompressionOptions &options;
  SmallVector<ProductRegion> regions;
  std::map<std::string, std::vector<double>> largest;
  std::optional<CompiledModule> teacher;
};
} // namespace

llvm::Expected<CompiledModule> Planner::compile(const CompressionPlan &plan, bool profile) {
  OwningOpRef<ModuleOp> clone(module.clone());
  applyPlan(*clone, plan);
  return CompiledModule::compile(std::move(clone), options.threads, profile);
}

llvm::Error Planner::compileTeacher() {
  llvm::Expected<CompiledModule> compiled = compile({});
  if (!compiled)
    return compiled.takeError();
  teacher = std::move(*compiled);
  return llvm::Error::success();
}

llvm::Expected<Accuracy> Planner::evaluate(const CompressionPlan &plan, size_t count) {
  llvm::Expected<CompiledModule> student = compile(plan);
  if (!student)
    return student.takeError();
  return compare(**teacher, **student, samples, count);
}

llvm::Error Planner::calibrate() {
  llvm::Expected<Calibration> calibration = nn::calibrate(module, regions, samples, options);
  if (!calibration)
    return calibration.takeError();
  report.plan.tensors = std::move(calibration->tensors);
  largest = std::move(calibration->largest);
  for (const ProductRegion &region : regions)
    report.plan.regions.push_back({region.name, options.precision});
  for (const TableRegion &table : findTables(module))
    report.plan.regions.push_back({table.name, Precision::Int8Weights});
  return llvm::Error::success();
}

/// Scales channels, calibrates again, and keeps what is nearest to the model in float.
llvm::Error Planner::trySmoothing() {
  if (options.precision != Precision::Int8)
    return llvm::Error::success();
  std::optional<double> best;
  CompressionPlan plain = report.plan;
  for (double smoothing : options.smoothing) {
    CompressionPlan smooth = plain;
    smooth.scales = findScales(regions, largest, smoothing);
    if (smooth.scales.empty())
      return llvm::Error::success();
    if (!best) {
      llvm::Expected<Accuracy> accuracy = evaluate(plain, samples.size());
      if (!accuracy)
        return accuracy.takeError();
      best = accuracy->error;
    }
    OwningOpRef<ModuleOp> scaled(module.clone());
    applyScales(*scaled, smooth);
    llvm::Expected<Calibration> calibration =
        nn::calibrate(*scaled, findRegions(*scaled), samples, options);
    if (!calibration)
      return calibration.takeError();
    smooth.tensors = std::move(calibration->tensors);
    llvm::Expected<Accuracy> accuracy = evaluate(smooth, samples.size());
    if (!accuracy)
      return accuracy.takeError();
    if (accuracy->error < *best) {
      best = accuracy->error;
      report.plan = std::move(smooth);
    }
  }
  return llvm::Error::success();
}

/// Regions that take longer in 8 bits have them for their weights only, if the model is
/// faster for it: tensors between regions are converted then.
llvm::Error Planner::findSlowRegions() {
  if (!options.timing || options.precision != Precision::Int8)
    return llvm::Error::success();
  llvm::Expected<CompiledModule> plain = compile({}, /*profile=*/true);
  if (!plain)
    return plain.takeError();
  llvm::Expected<CompiledModule> bytes = compile(report.plan, /*profile=*/true);
  if (!bytes)
    return bytes.takeError();
  auto times = measureRegions(**plain, **bytes, regions, samples);
  if (!times)
    return times.takeError();
  CompressionPlan mixed = report.plan;
  bool differs = false;
  // The first entries are the regions, in order.
  for (auto [entry, time] : llvm::zip(report.plan.regions, *times)) {
    std::tie(entry.floatUs, entry.int8Us) = time;
    if (time.second <= time.first * kSlower)
      continue;
    RegionPlan &other = mixed.regions[&entry - report.plan.regions.data()];
    other.precision = Precision::Int8Weights;
    other.why = "activations of 8 bits are slower";
    differs = true;
  }
  if (!differs)
    return llvm::Error::success();
  llvm::Expected<CompiledModule> whole = compile(report.plan);
  if (!whole)
    return whole.takeError();
  llvm::Expected<CompiledModule> other = compile(mixed);
  if (!other)
    return other.takeError();
  auto both = measureTimes(**whole, **other, samples);
  if (!both)
    return both.takeError();
  for (auto [entry, choice] : llvm::zip_equal(report.plan.regions, mixed.regions))
    if (choice.precision != entry.precision) {
      entry.why = both->second < both->first ? choice.why
                                             : "slower alone, but faster than conversions";
      if (both->second < both->first)
        entry.precision = choice.precision;
    }
  return llvm::Error::success();
}

/// Quantizes each region alone.
llvm::Error Planner::findSensitivities() {
  for (RegionPlan &region : report.plan.regions) {
    CompressionPlan single;
    single.tensors = report.plan.tensors;
    single.scales = report.plan.scales;
    single.regions.push_back({region.tensor, region.precision});
    llvm::Expected<Accuracy> accuracy = evaluate(single, kSensitivitySamples);
    if (!accuracy)
      return accuracy.takeError();
    region.error = accuracy->error;
  }
  return llvm::Error::success();
}

/// Takes as few of the most sensitive regions back to float as the budget asks for, by
/// bisection.
llvm::Error Planner::meetBudget() {
  std::vector<RegionPlan> all = report.plan.regions;
  std::vector<size_t> order(all.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::stable_sort(order, [&](size_t a, size_t b) { return *all[a].error > *all[b].error; });
  auto attempt = [&](size_t count) -> llvm::Error {
    report.plan.regions = all;
    for (size_t i = 0; i < count; ++i) {
      RegionPlan &region = report.plan.regions[order[i]];
      region.precision = Precision::Float;
      llvm::raw_string_ostream(region.why = "")
          << "the budget of " << llvm::format("%g", *options.maxError)
          << " would be exceeded";
    }
    llvm::Expected<Accuracy> accuracy = evaluate(report.plan, samples.size());
    if (!accuracy)
      return accuracy.takeError();
    report.accuracy = *accuracy;
    return llvm::Error::success();
  };
  size_t low = 0, high = all.size(); // `low` exceeds the budget, `high` does not.
  while (high - low > 1) {
    size_t middle = (low + high) / 2;
    if (llvm::Error error = attempt(middle))
      return error;
    (report.accuracy.error > *options.maxError ? low : high) = middle;
  }
  return attempt(high);
}

llvm::Error Planner::decide() {
  llvm::Expected<Accuracy> accuracy = evaluate(report.plan, samples.size());
  if (!accuracy)
    return accuracy.takeError();
  report.accuracy = *accuracy;
  bool exceeded = options.maxError && accuracy->error > *options.maxError;
  if (options.sensitivity || exceeded)
    if (llvm::Error error = findSensitivities())
      return error;
  return exceeded ? meetBudget() : llvm::Error::success();
}

llvm::Error Planner::measure() {
  report.samples = samples.size();
  llvm::Expected<CompiledModule> student = compile(report.plan);
  if (!student)
    return student.takeError();
  llvm::Expected<Accuracy> accuracy = compare(**teacher, **student, samples, samples.size());
  if (!accuracy)
    return accuracy.takeError();
  report.accuracy = *accuracy;
  if (!options.timing)
    return llvm::Error::success();
  auto times = measureTimes(**teacher, **student, samples);
  if (!times)
    return times.takeError();
  std::tie(report.floatMs, report.compressedMs) = *times;
  return llvm::Error::success();
}

/// If 8 bits are slower than the float model on this machine, only weights have them.
llvm::Error Planner::avoidSlowness() {
  if (!options.timing || options.precision != Precision::Int8 ||
      report.compressedMs <= report.floatMs)
    return llvm::Error::success();
  std::string why = llvm::formatv("activations of 8 bits are slower: {0:f4} ms a run, "
                                  "{1:f4} in float",
                                  report.compressedMs, report.floatMs);
  for (RegionPlan &region : report.plan.regions)
    if (region.precision == Precision::Int8) {
      region.precision = Precision::Int8Weights;
      region.why = why;
    }
  return measure();
}

/// Says in the report how the ranges were found.
static std::string describeCalibration(const CompressionOptions &options) {
  switch (options.method) {
  case CalibrationMethod::MinMax:
    return "all that was seen";
  case CalibrationMethod::Percentile:
    return llvm::formatv("{0}% of the elements", options.percentile).str();
  case CalibrationMethod::MSE:
    return "least mean squared error";
  case CalibrationMethod::Entropy:
    return "least divergence of the histograms";
  }
  llvm_unreachable("unknown method");
}

llvm::Expected<CompressionReport> nn::makePlan(ModuleOp module, Samples &samples,
                                               const CompressionOptions &options) {
  Planner planner(module, samples, options);
  if (samples.size() == 0)
    return createStringError("there is no sample to calibrate on; give --data");
  if (findRegions(module).empty() && findTables(module).empty())
    return createStringError("there is nothing to quantize: the model has no matrix product, "
                             "convolution or table with constant weights in f32");
  for (auto step : {&Planner::compileTeacher, &Planner::calibrate, &Planner::trySmoothing,
                    &Planner::findSlowRegions, &Planner::decide, &Planner::measure, &Planner::avoidSlowness})
    if (llvm::Error error = (planner.*step)())
      return std::move(error);
  planner.report.calibration = describeCalibration(options);
  return std::move(planner.report);
}

llvm::Expected<CompressionReport> nn::measurePlan(ModuleOp module, Samples &samples,
                                                  const CompressionPlan &plan,
                                                  const CompressionOptions &options) {
  Planner planner(module, samples, options);
  planner.report.plan = plan;
  for (auto step : {&Planner::compileTeacher, &Planner::measure})
    if (llvm::Error error = (planner.*step)())
      return std::move(error);
  return std::move(planner.report);
}
