//===- Templates.h - the kernel templates -----------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Each template examines an operator or fusion. It either makes a kernel and the call
// that replaces the operator, or returns failure and changes nothing. `is...Fast` says
// whether its kernel is as fast as a library's, `refuseTransposes...` which transpositions
// of the fusion it cannot do without.
//
//===----------------------------------------------------------------------===//

#ifndef NN_KERNELS_TEMPLATES_H
#define NN_KERNELS_TEMPLATES_H

#include "nn/Fusion/FusionGroup.h"
#include "nn/Kernels/KernelSite.h"
#include "nn/Target/CostModel.h"

namespace mlir::nn {

/// Those of templates that read and store tensors as they lie: all.
void refuseTransposes(const FusionView &view, const CostModel &costs,
                      SmallVectorImpl<RefusedTranspose> &refused);

/// Elementwise operators only, with numpy broadcasting.
LogicalResult emitElementwiseKernel(KernelSite &site);
/// Reductions over trailing dimensions, or over dimensions before kept ones.
LogicalResult emitReductionKernel(KernelSite &site);
/// Softmax and log-softmax along any axis.
LogicalResult emitSoftmaxKernel(KernelSite &site);
/// Layer normalization; instance normalization.
LogicalResult emitLayerNormKernel(KernelSite &site);
LogicalResult emitInstanceNormKernel(KernelSite &site);
/// Depthwise convolution, and convolution in small groups, with channels last.
LogicalResult emitDepthwiseKernel(KernelSite &site);
/// Convolution of a single channel with a single filter.
LogicalResult emitSingleChannelKernel(KernelSite &site);
/// Dense convolutions with channels last, and matrix products, with constant weights.
LogicalResult emitContractionKernel(KernelSite &site);
bool isContractionFast(const FusionView &view, const CostModel &costs);
/// Columns of a block of weights, which is left out if it is zero.
constexpr int64_t kBlockColumns = 16;
/// Neighbouring channels of such a block of bytes.
constexpr int64_t kBlockBytes = 4;
/// The same for weights of f32, or of bytes with VNNI, with many blocks of zeros, which it leaves out; and the time that
/// it takes, as a part of that of all products. nullopt: there are too few.
LogicalResult emitBlockContractionKernel(KernelSite &site);
std::optional<double> getBlockShare(const FusionView &view, const CostModel &costs);
/// Local response normalization.
LogicalResult emitLRNKernel(KernelSite &site);
/// Pools.
LogicalResult emitPoolKernel(KernelSite &site);
/// Matrix products of a single column, or of few rows and a transposed matrix.
LogicalResult emitDotProductsKernel(KernelSite &site);
void refuseTransposesOfDotProducts(const FusionView &view, const CostModel &costs,
                                   SmallVectorImpl<RefusedTranspose> &refused);
/// Matrix products; fast are small ones, and all of f64.
LogicalResult emitMatMulKernel(KernelSite &site);
bool isMatMulFast(const FusionView &view, const CostModel &costs);
void refuseTransposesOfMatMul(const FusionView &view, const CostModel &costs,
                              SmallVectorImpl<RefusedTranspose> &refused);
/// softmax(queries x keys) x values, with elementwise operators before the softmax.
LogicalResult emitAttentionKernel(KernelSite &site);
std::optional<double> getAttentionShare(const FusionView &view, const CostModel &costs);
void refuseTransposesOfAttention(const FusionView &view, const CostModel &costs,
                                 SmallVectorImpl<RefusedTranspose> &refused);
/// Matrix products with constant weights of 8 or 4 bits, which stay so; the part of the time of
/// one of floats that they take. nullopt: other products.
LogicalResult emitDequantizingMatMulKernel(KernelSite &site);
std::optional<double> getDequantizingShare(const FusionView &view, const CostModel &costs);
/// Recurrent layers in the prepared form.
LogicalResult emitRecurrentKernel(KernelSite &site);

} // namespace mlir::nn

#endif // NN_KERNELS_TEMPLATES_H
