//===- Regions.h - what of a model can be quantized -------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_COMPRESS_REGIONS_H
#define NN_COMPRESS_REGIONS_H

#include "dialects/NN/IR/NN.h"
#include "nn/Support/HostTensor.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"
#include <map>

namespace mlir::nn {

/// A product in f32 with constant weights, and the bias and elementwise operators on its
/// result up to where something else reads it. Weights may be stored in fewer bits, and be
/// dequantized for a product whose input is not quantized.
struct ProductRegion {
  Operation *anchor = nullptr; ///< nn.conv or nn.matmul
  Value input, weight;
  /// The dimension of `weight` that has an entry for each channel of the result, and that
  /// of `input` that is summed over.
  int64_t weightAxis = 0, inputAxis = 0;
  /// The constant of rank 1 that is added for each channel, if there is one.
  OpOperand *bias = nullptr;
  Value output;
  /// The ONNX tensor that the product gives.
  std::string name;
  /// The ONNX nodes of the product, and of all operators.
  llvm::StringSet<> product, nodes;
};

/// The ONNX tensor that a value is; "" if it is none.
std::string getTensorName(Value value);

/// The regions of @main, in its order. Products that are no ONNX tensors, which a plan
/// could not name, are left out.
SmallVector<ProductRegion> findRegions(ModuleOp module);

/// The weights of a region in f32.
FailureOr<HostTensor> readWeights(const ProductRegion &region);

/// Weights of 8 bits, with a scale for each channel of the result.
struct QuantizedWeights {
  HostTensor integers, scales;
  /// What rounding adds to a weight; in the order of the weights.
  std::vector<double> errors;
};

/// Rows that share a scale in weights of 4 bits, of those that are summed over.
constexpr int64_t kInt4Block = 32;

/// Whether a region's weights can have 4 bits: those of matrix products of whole blocks.
bool takesInt4(const ProductRegion &region);

/// The weights of a region, if that is how the model stores them.
std::optional<QuantizedWeights> getStoredWeights(const ProductRegion &region);

/// Scales for the channels of inputs that only matrix products and residuals read: the larger
/// a channel's values and the smaller its weights, the larger is its scale. `largest`: of the
/// channels' absolute values, by the input's name. `smoothing` as in
/// CompressionOptions.
std::map<std::string, std::vector<double>>
findScales(ArrayRef<ProductRegion> regions,
           const std::map<std::string, std::vector<double>> &largest, double smoothing);

/// A table of f32 whose rows are looked up, as in embeddings.
struct TableRegion {
  GatherOp gather;
  /// The ONNX tensor that the lookup gives.
  std::string name;
};

/// The tables of @main that are constant, and large enough to be worth a scale for each row.
SmallVector<TableRegion> findTables(ModuleOp module);

/// The values that are stored in 8 bits if those regions compute in them, each with the
/// value whose range it has: what the regions read, what they give to each other, directly
/// or through additions, pools and operators that move data. Values are ordered.
llvm::MapVector<Value, Value> findQuantizedValues(ArrayRef<ProductRegion> regions);

} // namespace mlir::nn

#endif // NN_COMPRESS_REGIONS_H
