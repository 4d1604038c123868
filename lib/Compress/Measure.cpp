//===- Measure.cpp - runs models that are being compressed ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Measure.h"
#include "nn/Execution/ModuleTools.h"
#include "nn/Pipelines/Compile.h"
#include "llvm/Support/FileSystem.h"
#include <chrono>
#include <cmath>
#include <deque>

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;

llvm::Expected<CompiledModule> CompiledModule::compile(OwningOpRef<ModuleOp> module,
                                                       int threads, bool profile) {
  SmallString<128> path;
  if (std::error_code code = llvm::sys::fs::createTemporaryFile("nn-compress", "so", path))
    return createStringError("cannot make a temporary file: " + code.message());
  CompiledModule compiled;
  compiled.file = std::make_unique<llvm::FileRemover>(path);
  CompileOptions options;
  options.target = "cpu:native";
  options.reproducer = "nn-compress.reproducer.mlir";
  if (failed(compileToLibrary(*module, path, options)))
    return createStringError("the model cannot be compiled");
  LibraryOptions library;
  library.threads = threads;
  library.profile = profile;
  llvm::Expected<std::unique_ptr<Model>> model = openLibrary(path, library);
  if (!model)
    return model.takeError();
  compiled.model = std::move(*model);
  return compiled;
}

llvm::Expected<Probe> Probe::make(ModuleOp module, ArrayRef<Value> values, int threads) {
  Probe probe;
  IRMapping mapping;
  OwningOpRef<ModuleOp> clone(cast<ModuleOp>(module->clone(mapping)));
  size_t results = module.lookupSymbol<func::FuncOp>("main").getNumResults();
  SmallVector<std::pair<Value, std::string>> exposed;
  for (Value value : values) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      probe.places.push_back({true, argument.getArgNumber()});
      continue;
    }
    probe.places.push_back({false, results + exposed.size()});
    // An output may have the tensor's name.
    exposed.emplace_back(mapping.lookup(value), "probed:" + std::to_string(exposed.size()));
  }
  exposeValues(*clone, exposed);
  llvm::Expected<CompiledModule> compiled = CompiledModule::compile(std::move(clone), threads);
  if (!compiled)
    return compiled.takeError();
  probe.model = std::move(*compiled);
  return probe;
}

llvm::Expected<HostTensors> Probe::run(ArrayRef<HostTensor> inputs) {
  llvm::Expected<HostTensors> results = model->run(inputs);
  if (!results)
    return results.takeError();
  HostTensors values;
  for (Place place : places)
    values.push_back(place.isInput ? inputs[place.index] : (*results)[place.index]);
  return values;
}

//===----------------------------------------------------------------------===//
// Accuracy
//===----------------------------------------------------------------------===//

namespace {
struct Sums {
  double difference = 0, teacher = 0, student = 0, product = 0;

  void add(const HostTensor &want, const HostTensor &got, Accuracy &accuracy) {
    int64_t count = want.getNumElements();
    for (int64_t i = 0; i < count; ++i) {
      double x = want.getDouble(i), y = got.getDouble(i);
      difference += (x - y) * (x - y);
      teacher += x * x;
      student += y * y;
      product += x * y;
    }
    int64_t columns = want.getRank() >= 1 ? want.getDims().back() : 0;
    if (want.getRank() < 2 || columns < 2)
      return;
    for (int64_t begin = 0; begin < count; begin += columns) {
      auto findLargest = [&](const HostTensor &tensor) {
        int64_t best = begin;
        for (int64_t i = begin; i < begin + columns; ++i)
          if (tensor.getDouble(i) > tensor.getDouble(best))
            best = i;
        return best;
      };
      ++accuracy.rows;
      accuracy.agreeing += findLargest(want) == findLargest(got);
    }
  }
};
} // namespace

llvm::Expected<Accuracy> nn::compare(Model &teacher, Model &student, Samples &samples,
                                     size_t count) {
  Accuracy accuracy;
  Sums sums;
  for (size_t i = 0; i < std::min(count, samples.size()); ++i) {
    llvm::Expected<HostTensors> inputs = samples.get(i);
    if (!inputs)
      return inputs.takeError();
    llvm::Expected<HostTensors> want = teacher.run(*inputs);
    if (!want)
      return createStringError(samples.describe(i) + ": " +
                               llvm::toString(want.takeError()));
    llvm::Expected<HostTensors> got = student.run(*inputs);
    if (!got)
      return createStringError(samples.describe(i) + ": " + llvm::toString(got.takeError()));
    for (auto [x, y] : llvm::zip_equal(*want, *got)) {
      if (!isFloat(x.getType()))
        continue;
      if (x.getDims() != y.getDims())
        return createStringError(samples.describe(i) +
                                 ": the compressed model's outputs have other shapes, " +
                                 x.describe() + " and " + y.describe());
      sums.add(x, y, accuracy);
    }
  }
  accuracy.error = sums.teacher > 0 ? std::sqrt(sums.difference / sums.teacher)
                                    : (sums.difference > 0 ? 1 : 0);
  if (sums.teacher > 0 && sums.student > 0)
    accuracy.cosine = sums.product / std::sqrt(sums.teacher * sums.student);
  return accuracy;
}

//===----------------------------------------------------------------------===//
// Time
//===----------------------------------------------------------------------===//

static double median(std::vector<double> &list) {
  llvm::sort(list);
  return list[list.size() / 2];
}

llvm::Expected<std::pair<double, double>>
nn::measureTimes(Model &first, Model &second, Samples &samples) {
  constexpr int kRounds = 9;
  constexpr double kSlice = 0.03; // s
  llvm::Expected<HostTensors> inputs = samples.get(0);
  if (!inputs)
    return inputs.takeError();
  Model *models[] = {&first, &second};
  std::vector<double> times[2];
  using Clock = std::chrono::steady_clock;
  for (int round = -1; round < kRounds; ++round) // The first one warms up.
    for (int m = 0; m < 2; ++m) {
      Clock::time_point begin = Clock::now();
      double seconds = 0;
      int runs = 0;
      while (seconds < kSlice) {
        if (llvm::Error error = models[m]->runOnly(*inputs))
          return std::move(error);
        ++runs;
        seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      }
      if (round >= 0)
        times[m].push_back(seconds / runs * 1000);
    }
  return std::pair(median(times[0]), median(times[1]));
}

static bool names(const llvm::StringSet<> &nodes, ArrayRef<StringRef> kernel) {
  return llvm::any_of(kernel, [&](StringRef node) { return nodes.contains(node); });
}

/// The region that a kernel belongs to, which is the last one whose product it names: it may
/// also name what its operands were quantized behind. -1: none.
static int64_t findRegion(ArrayRef<ProductRegion> regions, StringRef nodes) {
  SmallVector<StringRef> kernel;
  nodes.split(kernel, " + ");
  for (auto own : {&ProductRegion::product, &ProductRegion::nodes})
    for (int64_t i = regions.size() - 1; i >= 0; --i)
      if (names(regions[i].*own, kernel))
        return i;
  return -1;
}

namespace {
/// The times of regions in each run of a model that measures its kernels.
class RegionTimes {
public:
  RegionTimes(Model &model, ArrayRef<ProductRegion> regions)
      : model(model), regions(regions), times(regions.size()) {}

  llvm::Error run(ArrayRef<HostTensor> inputs) {
    if (llvm::Error error = model.runOnly(inputs))
      return error;
    std::vector<KernelTime> profile = model.getProfile();
    if (owners.empty())
      for (const KernelTime &kernel : profile)
        owners.push_back(findRegion(regions, kernel.nodes));
    totals.resize(profile.size(), 0);
    std::vector<double> spent(regions.size(), 0.0);
    for (auto [kernel, owner, total] : llvm::zip_equal(profile, owners, totals)) {
      if (owner >= 0)
        spent[owner] += double(kernel.totalNs - total) / 1000;
      total = kernel.totalNs;
    }
    for (auto [list, time] : llvm::zip_equal(times, spent))
      list.push_back(time);
    return llvm::Error::success();
  }

  double getMedian(size_t region) { return median(times[region]); }

private:
  Model &model;
  ArrayRef<ProductRegion> regions;
  std::vector<int64_t> owners;  // of each kernel
  std::vector<uint64_t> totals; // of each kernel, so far
  std::vector<std::vector<double>> times;
};
} // namespace

llvm::Expected<std::vector<std::vector<double>>>
nn::measureRegions(ArrayRef<Model *> models, ArrayRef<ProductRegion> regions,
                   Samples &samples) {
  constexpr int kLeast = 21, kMost = 501;
  constexpr double kTime = 1; // s
  llvm::Expected<HostTensors> inputs = samples.get(0);
  if (!inputs)
    return inputs.takeError();
  std::deque<RegionTimes> times;
  for (Model *model : models)
    times.emplace_back(*model, regions);
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin = Clock::now();
  for (int runs = 0;
       runs < kLeast ||
       (runs < kMost &&
        std::chrono::duration<double>(Clock::now() - begin).count() < kTime);
       ++runs)
    for (RegionTimes &model : times)
      if (llvm::Error error = model.run(*inputs))
        return std::move(error);
  std::vector<std::vector<double>> medians(regions.size());
  for (size_t i = 0; i < regions.size(); ++i)
    for (RegionTimes &model : times)
      medians[i].push_back(model.getMedian(i));
  return medians;
}

//===----------------------------------------------------------------------===//
// Calibration
//===----------------------------------------------------------------------===//

llvm::Expected<Calibration>
nn::calibrate(ModuleOp module, ArrayRef<ProductRegion> regions, Samples &samples,
              const CompressionOptions &options) {
  llvm::MapVector<Value, Value> quantized = findQuantizedValues(regions);
  DenseMap<Value, int64_t> channels;
  for (const ProductRegion &region : regions)
    channels[region.input] = region.inputAxis;
  std::vector<std::pair<std::string, RangeObserver>> observed;
  SmallVector<Value> values;
  llvm::StringSet<> names;
  for (auto [value, source] : quantized) {
    std::string name = getTensorName(value);
    if (name.empty() || !names.insert(name).second)
      continue;
    observed.emplace_back(name, RangeObserver(channels.lookup_or(value, -1)));
    values.push_back(value);
  }
  llvm::Expected<Probe> probe = Probe::make(module, values, options.threads);
  if (!probe)
    return probe.takeError();

  for (size_t i = 0; i < samples.size(); ++i) {
    llvm::Expected<HostTensors> inputs = samples.get(i);
    if (!inputs)
      return inputs.takeError();
    llvm::Expected<HostTensors> results = probe->run(*inputs);
    if (!results)
      return createStringError(samples.describe(i) + ": " +
                               llvm::toString(results.takeError()));
    for (auto [entry, tensor] : llvm::zip_equal(observed, *results))
      if (!entry.second.observe(tensor))
        return createStringError(samples.describe(i) + ": the tensor '" + entry.first +
                                 "' has elements that are NaN or infinite, which 8 bits "
                                 "cannot stand for; leave this sample out");
  }

  Calibration calibration;
  for (const auto &[name, observer] : observed) {
    auto [low, high] = observer.getRange(options.method, options.percentile);
    calibration.tensors[name] = {low, high, observer.getMeans()};
    if (!observer.getLargest().empty())
      calibration.largest[name] = observer.getLargest();
  }
  return calibration;
}
