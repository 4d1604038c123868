//===- Compress.cpp - plans by measurement --------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Compress/Compress.h"
#include "Measure.h"
#include "nn/Compress/Passes.h"
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

namespace {
/// A plan that was tried: the compiled model, and how good it is on all samples.
struct Candidate {
  CompressionPlan plan;
  CompiledModule model;
  Accuracy accuracy;
};

/// Decides, with the model in float as the teacher.
class Planner {
public:
  Planner(ModuleOp module, Samples &samples, const CompressionOptions &options)
      : module(module), samples(samples), options(options), regions(findRegions(module)) {}

  bool hasNothing() { return regions.empty() && findTables(module).empty(); }

  llvm::Error compileTeacher();
  llvm::Error changeWeights();
  llvm::Error calibrate();
  llvm::Error trySmoothing();
  llvm::Error findSlowRegions();
  llvm::Error decide();
  llvm::Error avoidSlowness();
  /// Takes a plan as it is.
  llvm::Error choose(const CompressionPlan &plan);

  CompressionReport getReport() const;

private:
  llvm::Expected<CompiledModule> compile(const CompressionPlan &plan, bool profile = false);
  llvm::Expected<Candidate> attempt(const CompressionPlan &plan);
  llvm::Error findSensitivities();
  llvm::Error meetBudget();
  llvm::Error measureTime();

  ModuleOp module;
  Samples &samples;
  const CompressionOptions &options;
  SmallVector<ProductRegion> regions;
  std::map<std::string, std::vector<double>> largest;
  std::optional<CompiledModule> teacher;
  /// The best one so far.
  std::optional<Candidate> chosen;
  double floatMs = 0, compressedMs = 0;
  std::vector<WeightStatistics> weights;
};
} // namespace

llvm::Expected<CompiledModule> Planner::compile(const CompressionPlan &plan, bool profile) {
  OwningOpRef<ModuleOp> clone(module.clone());
  applyPlan(*clone, plan);
  return CompiledModule::compile(std::move(clone), options.threads, profile);
}

llvm::Expected<Candidate> Planner::attempt(const CompressionPlan &plan) {
  llvm::Expected<CompiledModule> student = compile(plan);
  if (!student)
    return student.takeError();
  llvm::Expected<Accuracy> accuracy = compare(**teacher, **student, samples, samples.size());
  if (!accuracy)
    return accuracy.takeError();
  return Candidate{plan, std::move(*student), *accuracy};
}

llvm::Error Planner::choose(const CompressionPlan &plan) {
  llvm::Expected<Candidate> candidate = attempt(plan);
  if (!candidate)
    return candidate.takeError();
  chosen = std::move(*candidate);
  return measureTime();
}

llvm::Error Planner::compileTeacher() {
  llvm::Expected<CompiledModule> compiled = compile({});
  if (!compiled)
    return compiled.takeError();
  teacher = std::move(*compiled);
  return llvm::Error::success();
}

llvm::Error Planner::changeWeights() {
  if (!options.weights.changeWeights())
    return llvm::Error::success();
  if (llvm::Error error =
          refineWeights(module, regions, samples, options.weights, options.threads))
    return error;
  if (options.weights.roundingBits == 0)
    weights = describeWeights(regions);
  return llvm::Error::success();
}

llvm::Error Planner::calibrate() {
  CompressionPlan plan;
  if (options.precision == Precision::Float)
    return choose(plan);
  llvm::Expected<Calibration> calibration = nn::calibrate(module, regions, samples, options);
  if (!calibration)
    return calibration.takeError();
  largest = std::move(calibration->largest);
  plan.tensors = std::move(calibration->tensors);
  for (const ProductRegion &region : regions)
    plan.regions.push_back(
        {region.name, options.precision == Precision::Int4Weights && !takesInt4(region)
                          ? Precision::Int8Weights
                          : options.precision});
  for (const TableRegion &table : findTables(module))
    plan.regions.push_back({table.name, Precision::Int8Weights});
  llvm::Expected<Candidate> candidate = attempt(plan);
  if (!candidate)
    return candidate.takeError();
  chosen = std::move(*candidate);
  return llvm::Error::success();
}

/// Scales channels, calibrates again, and keeps what is nearest to the model in float.
llvm::Error Planner::trySmoothing() {
  if (options.precision != Precision::Int8)
    return llvm::Error::success();
  CompressionPlan plain = chosen->plan;
  for (double smoothing : options.smoothing) {
    if (smoothing == 0)
      continue;
    CompressionPlan smooth = plain;
    smooth.scales = findScales(regions, largest, smoothing);
    if (smooth.scales.empty())
      return llvm::Error::success();
    OwningOpRef<ModuleOp> scaled(module.clone());
    applyScales(*scaled, smooth);
    llvm::Expected<Calibration> calibration =
        nn::calibrate(*scaled, findRegions(*scaled), samples, options);
    if (!calibration)
      return calibration.takeError();
    smooth.tensors = std::move(calibration->tensors);
    llvm::Expected<Candidate> candidate = attempt(smooth);
    if (!candidate)
      return candidate.takeError();
    if (candidate->accuracy.error < chosen->accuracy.error)
      chosen = std::move(*candidate);
  }
  return llvm::Error::success();
}

/// Regions that take longer in 8 bits than with weights of 8 bits have only these, if the
/// model is faster for it: tensors between regions are converted then.
llvm::Error Planner::findSlowRegions() {
  if (!options.timing || options.precision != Precision::Int8)
    return llvm::Error::success();
  llvm::Expected<CompiledModule> plain = compile({}, /*profile=*/true);
  if (!plain)
    return plain.takeError();
  llvm::Expected<CompiledModule> bytes = compile(chosen->plan, /*profile=*/true);
  if (!bytes)
    return bytes.takeError();
  CompressionPlan weightsOnly = chosen->plan;
  for (RegionPlan &region : weightsOnly.regions)
    region.precision = Precision::Int8Weights;
  llvm::Expected<CompiledModule> weights = compile(weightsOnly, /*profile=*/true);
  if (!weights)
    return weights.takeError();
  Model *models[] = {&**plain, &**bytes, &**weights};
  auto times = measureRegions(models, regions, samples);
  if (!times)
    return times.takeError();
  std::vector<RegionPlan> &entries = chosen->plan.regions;
  SmallVector<size_t> slow;
  for (auto [i, time] : llvm::enumerate(*times)) { // The first entries are the regions.
    RegionPlan &entry = entries[i];
    std::tie(entry.floatUs, entry.int8Us, entry.weightsUs) =
        std::tuple(time[0], time[1], time[2]);
    if (*entry.int8Us > *entry.weightsUs * kSlower)
      slow.push_back(i);
  }
  if (slow.empty())
    return llvm::Error::success();
  CompressionPlan mixed = chosen->plan;
  for (size_t i : slow) {
    mixed.regions[i].precision = Precision::Int8Weights;
    mixed.regions[i].why = "activations of 8 bits are slower";
  }
  llvm::Expected<Candidate> other = attempt(mixed);
  if (!other)
    return other.takeError();
  auto both = measureTimes(*chosen->model, *other->model, samples);
  if (!both)
    return both.takeError();
  if (both->second < both->first)
    chosen = std::move(*other);
  else
    for (size_t i : slow)
      entries[i].why = "slower alone, but faster than conversions";
  return llvm::Error::success();
}

/// Quantizes each region alone.
llvm::Error Planner::findSensitivities() {
  for (RegionPlan &region : chosen->plan.regions) {
    CompressionPlan single;
    single.tensors = chosen->plan.tensors;
    single.scales = chosen->plan.scales;
    single.regions.push_back({region.tensor, region.precision});
    llvm::Expected<CompiledModule> student = compile(single);
    if (!student)
      return student.takeError();
    llvm::Expected<Accuracy> accuracy =
        compare(**teacher, **student, samples, kSensitivitySamples);
    if (!accuracy)
      return accuracy.takeError();
    region.error = accuracy->error;
  }
  return llvm::Error::success();
}

/// Takes as few of the most sensitive regions back to float as the budget asks for, by
/// bisection.
llvm::Error Planner::meetBudget() {
  CompressionPlan all = chosen->plan;
  std::vector<size_t> order(all.regions.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::stable_sort(order, [&](size_t a, size_t b) {
    return *all.regions[a].error > *all.regions[b].error;
  });
  std::string why;
  llvm::raw_string_ostream(why) << "the budget of " << llvm::format("%g", *options.maxError)
                                << " would be exceeded";
  auto without = [&](size_t count) {
    CompressionPlan plan = all;
    for (size_t i : ArrayRef(order).take_front(count)) {
      plan.regions[i].precision = Precision::Float;
      plan.regions[i].why = why;
    }
    return attempt(plan);
  };
  // Without `low` regions the budget is exceeded, without `high` it is not.
  size_t low = 0, high = order.size();
  std::optional<Candidate> best;
  while (high - low > 1 || !best) {
    size_t middle = high - low > 1 ? (low + high) / 2 : high;
    llvm::Expected<Candidate> candidate = without(middle);
    if (!candidate)
      return candidate.takeError();
    if (middle != high && candidate->accuracy.error > *options.maxError) {
      low = middle;
      continue;
    }
    high = middle;
    best = std::move(*candidate);
  }
  chosen = std::move(best);
  return llvm::Error::success();
}

llvm::Error Planner::decide() {
  bool exceeded = options.maxError && chosen->accuracy.error > *options.maxError;
  if (options.sensitivity || exceeded)
    if (llvm::Error error = findSensitivities())
      return error;
  if (exceeded)
    if (llvm::Error error = meetBudget())
      return error;
  return measureTime();
}

llvm::Error Planner::measureTime() {
  if (!options.timing)
    return llvm::Error::success();
  auto times = measureTimes(**teacher, *chosen->model, samples);
  if (!times)
    return times.takeError();
  std::tie(floatMs, compressedMs) = *times;
  return llvm::Error::success();
}

/// If 8 bits are slower than the float model on this machine, only weights have them.
llvm::Error Planner::avoidSlowness() {
  if (!options.timing || options.precision != Precision::Int8 || compressedMs <= floatMs)
    return llvm::Error::success();
  std::string why = llvm::formatv("activations of 8 bits are slower: {0:f4} ms a run, "
                                  "{1:f4} in float",
                                  compressedMs, floatMs);
  CompressionPlan plan = chosen->plan;
  for (RegionPlan &region : plan.regions)
    if (region.precision == Precision::Int8) {
      region.precision = Precision::Int8Weights;
      region.why = why;
    }
  return choose(plan);
}

CompressionReport Planner::getReport() const {
  CompressionReport report;
  report.plan = chosen->plan;
  report.accuracy = chosen->accuracy;
  report.samples = samples.size();
  report.floatMs = floatMs;
  report.compressedMs = compressedMs;
  report.weights = weights;
  return report;
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
  if (planner.hasNothing())
    return createStringError("there is nothing to quantize: the model has no matrix product, "
                             "convolution or table with constant weights in f32");
  for (auto step : {&Planner::compileTeacher, &Planner::changeWeights, &Planner::calibrate,
                    &Planner::trySmoothing, &Planner::findSlowRegions, &Planner::decide,
                    &Planner::avoidSlowness})
    if (llvm::Error error = (planner.*step)())
      return std::move(error);
  CompressionReport report = planner.getReport();
  if (options.precision != Precision::Float)
    report.calibration = describeCalibration(options);
  return report;
}

llvm::Expected<CompressionReport> nn::measurePlan(ModuleOp module, Samples &samples,
                                                  const CompressionPlan &plan,
                                                  const CompressionOptions &options) {
  Planner planner(module, samples, options);
  if (llvm::Error error = planner.compileTeacher())
    return std::move(error);
  if (llvm::Error error = planner.choose(plan))
    return std::move(error);
  return planner.getReport();
}
