//===- Measure.h - runs models that are being compressed --------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_COMPRESS_MEASURE_H
#define NN_LIB_COMPRESS_MEASURE_H

#include "nn/Compress/Compress.h"
#include "nn/Compress/Regions.h"
#include <map>
#include "llvm/Support/FileUtilities.h"

namespace mlir::nn {

/// A module compiled for this machine, in a temporary library.
class CompiledModule {
public:
  /// Consumes the module. `profile`: the model measures its kernels.
  static llvm::Expected<CompiledModule> compile(OwningOpRef<ModuleOp> module, int threads,
                                                bool profile = false);

  Model &operator*() { return *model; }
  Model *operator->() { return model.get(); }

private:
  std::unique_ptr<llvm::FileRemover> file;
  std::unique_ptr<Model> model;
};

/// A compiled model that also gives values from within.
class Probe {
public:
  static llvm::Expected<Probe> make(ModuleOp module, ArrayRef<Value> values, int threads);
  /// The values of @main in a run, in the order given to `make`.
  llvm::Expected<HostTensors> run(ArrayRef<HostTensor> inputs);

private:
  struct Place {
    bool isInput;
    size_t index;
  };
  CompiledModule model;
  std::vector<Place> places;
};

/// Runs both models on the first `count` samples.
llvm::Expected<Accuracy> compare(Model &teacher, Model &student, Samples &samples,
                                 size_t count);

/// Milliseconds of a run of each model, medians of interleaved runs on the first sample.
llvm::Expected<std::pair<double, double>> measureTimes(Model &first, Model &second,
                                                       Samples &samples);

/// Microseconds of a run that the kernels of each region take, in each of the models, which
/// measure their kernels. Runs of the first sample take turns.
llvm::Expected<std::vector<std::vector<double>>>
measureRegions(ArrayRef<Model *> models, ArrayRef<ProductRegion> regions, Samples &samples);

/// What was seen of tensors, by name.
struct Calibration {
  std::map<std::string, TensorStatistics> tensors;
  /// The largest absolute value of each channel, of those that products read.
  std::map<std::string, std::vector<double>> largest;
};

/// Runs the module on all samples and observes all values that may be quantized.
llvm::Expected<Calibration>
calibrate(ModuleOp module, ArrayRef<ProductRegion> regions, Samples &samples,
          const CompressionOptions &options);

/// Makes weights of the regions 0, or alike, as the options say. The module and the regions
/// are changed.
llvm::Error refineWeights(ModuleOp module, MutableArrayRef<ProductRegion> regions,
                          Samples &samples, const WeightOptions &options, int threads);
/// What the weights of the regions are.
std::vector<WeightStatistics> describeWeights(ArrayRef<ProductRegion> regions);

} // namespace mlir::nn

#endif // NN_LIB_COMPRESS_MEASURE_H
