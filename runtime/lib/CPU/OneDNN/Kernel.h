//===- Kernel.h - A call site made ready for some shapes --------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CPU_ONEDNN_KERNEL_H
#define NNRT_CPU_ONEDNN_KERNEL_H

#include "CPU/OneDNN/Problem.h"

namespace nnrt {
namespace onednn {

/// Constant weights (or a bias) in the format that a primitive needs.
struct Packed {
  MemoryDesc desc;
  Memory memory;
};

/// The packed formats of one call site's weights: made once per module, and shared by its
/// sessions and by the kernels of all shapes.
struct SiteWeights {
  /// The format that the first shape asked for, and one more for shapes that do not work
  /// well with it.
  static constexpr size_t maxFormats = 2;
  std::vector<std::shared_ptr<Packed>> formats;
  std::shared_ptr<Packed> bias;
};

/// What steps read and write.
struct Value {
  enum Place {
    Argument, // of the call: number `argument`
    Constant, // `constant`
    Scratch,  // in the session's scratch memory, at `offset`
    Zero      // a zero, at strides of 0
  } place = Argument;
  int argument = 0;
  std::shared_ptr<Packed> constant;
  size_t offset = 0;
  MemoryDesc desc;
  Operand operand; // of those that are converted
};

/// A primitive on values, or a conversion of our own from one value to another.
struct Step {
  Primitive primitive; // null: convert values[from] to values[to]
  struct Use {
    int argument; // DNNL_ARG_*
    int value;
  };
  std::vector<Use> uses;
  int from = -1, to = -1;
};

/// Everything needed to execute a call site on given shapes, except memory: made once per
/// module and then only read, by many sessions at once.
struct Kernel {
  std::vector<Value> values;
  std::vector<Step> steps;
  size_t scratchBytes = 0;
  /// Whether it adds integers, exactly: results do not depend on the order of sums, and so
  /// not on the number of threads that it was made for.
  bool addsIntegers = false;
};

/// Chooses implementations and formats, and packs weights that are not packed yet. The
/// caller guards `weights`. `manyShapes`: the site has more shapes than the cache holds,
/// so a dropped kernel must not leave anything behind.
std::shared_ptr<const Kernel> buildKernel(const Problem &problem,
                                          const nnrt_abi_tensor *args,
                                          SiteWeights &weights,
                                          bool manyShapes);

} // namespace onednn
} // namespace nnrt

#endif // NNRT_CPU_ONEDNN_KERNEL_H
