//===- Samples.h - what a model is calibrated on ----------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_COMPRESS_SAMPLES_H
#define NN_COMPRESS_SAMPLES_H

#include "nn/Execution/Model.h"

namespace mlir::nn {

/// Inputs of a model for any number of runs, of which one file is in memory at a time.
///
/// Arrays are named as the model's inputs, or with "in:" before the name; those with "out:"
/// are skipped. A file is one run, or several if its arrays have another dimension in front
/// of the model's, or more entries in a first dimension of known size; arrays without
/// are the same in all runs of the file.
class Samples {
public:
  /// Errors name the file, the input, and the shape that is wanted. Floats must be finite.
  static llvm::Expected<Samples> open(ArrayRef<std::string> files,
                                      ArrayRef<TensorInfo> inputs);

  size_t size() const { return runs.size(); }
  /// The inputs of a run, in the model's order.
  llvm::Expected<HostTensors> get(size_t run);
  /// "calib.npz, run 7"
  std::string describe(size_t run) const;

private:
  llvm::Expected<size_t> load(size_t file);

  std::vector<TensorInfo> inputs;
  std::vector<std::string> files;
  /// The file of each run, and which of its runs it is.
  std::vector<std::pair<size_t, size_t>> runs;
  /// The file in memory: for each input the array, and how many runs it is for.
  std::optional<size_t> loaded;
  std::vector<std::pair<HostTensor, size_t>> arrays;
};

} // namespace mlir::nn

#endif // NN_COMPRESS_SAMPLES_H
