//===- CostModel.h - what computing takes on a target -----------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Estimates by which nn-place chooses among back ends. They need not be exact; they must
// tell which of two ways is faster. All times are nanoseconds of one thread.
//
//===----------------------------------------------------------------------===//

#ifndef NN_TARGET_COSTMODEL_H
#define NN_TARGET_COSTMODEL_H

#include "nn/Fusion/FusionGroup.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

namespace mlir::nn {

/// A matrix product of one batch; sizes known only at run time are dynamic.
struct ProductSize {
  int64_t rows, depth, columns;
};

/// Numbers that were measured.
struct Thresholds {
#define NN_THRESHOLD(name, value, meaning) int64_t name = value;
#include "nn/Target/Thresholds.def"

  /// Null if there is none of that name.
  int64_t *find(StringRef name);
};

class CostModel {
public:
  /// For code for a processor with vectors of so many bits, and with instructions that add
  /// four products of 8-bit integers at a time or not.
  explicit CostModel(int64_t vectorBits, bool hasDotProducts = false)
      : vectorBits(vectorBits), hasDotProducts(hasDotProducts) {}
  /// For the processor that a module is lowered for. Fails as getVariant does.
  static FailureOr<CostModel> get(ModuleOp module);

  /// Bits of the vectors that code is generated for.
  int64_t getVectorBits() const { return vectorBits; }
  /// Whether it has those instructions.
  bool addsFourProducts() const { return hasDotProducts; }
  const Thresholds &getThresholds() const { return thresholds; }

  /// The time of a group's operators at the processor's full speed.
  double getTime(const FusionView &group) const;
  /// The time of transpositions of a group that are computed on their own.
  double getTime(const FusionView &group, ArrayRef<RefusedTranspose> transposes) const;
  /// What it takes to start a generated kernel, and a primitive of a library.
  double getLaunchTime() const { return double(thresholds.launchTime); }
  double getLibraryCallTime() const { return double(thresholds.libraryCallTime); }

  /// Whether a generated product that reads its operands as they are is as fast as a
  /// library's, which packs them: `rhs` stays in the L2 cache, and the work is little.
  bool isSmallProduct(ProductSize size) const;
  /// Whether a generated product or convolution with packed constant weights is as fast as
  /// a library's.
  bool isPackedContractionFast(const FusionView &group) const;

  /// Reads measured times of groups, which replace estimates: lines `<key> <back end>
  /// <nanoseconds>`; and thresholds: lines `threshold <name> <number>`. Text behind `#` is
  /// ignored. An error names the line.
  llvm::Error readTuning(StringRef path);
  /// The thresholds with those of a tuning file, if there is a path; an error is reported at
  /// `op`.
  static FailureOr<Thresholds> readThresholds(Operation *op, StringRef path);
  /// The measured time, if there is one.
  std::optional<double> getMeasured(const FusionView &group, StringRef backend) const;
  /// A group's key: a hash of its operators, their attributes and types.
  static std::string getKey(const FusionView &group);

private:
  /// Multiplications, or what takes as long.
  static double getOperations(const FusionView &group);

  int64_t vectorBits;
  bool hasDotProducts;
  Thresholds thresholds;
  /// By "<key> <back end>".
  llvm::StringMap<double> measured;
};

} // namespace mlir::nn

#endif // NN_TARGET_COSTMODEL_H
