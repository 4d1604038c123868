//===- Capabilities.cpp - what oneDNN can run -----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// What oneDNN 3.2 runs on the CPUs that compiled models support (AVX2 and up),
// and runs well. f16 needs AVX512_FP16 and bf16 AVX512 in convolutions and
// products, so graphs of those types are legalized to compute in f32 before they
// come here.
//
//===----------------------------------------------------------------------===//

#include "Anchors.h"
#include "OneDNNBackend.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::types;

static std::optional<std::string> violatesStaticWeights(Operation *op) {
  auto type = cast<RankedTensorType>(op->getOperand(1).getType());
  if (type.hasStaticShape())
    return std::nullopt;
  std::string seen;
  llvm::raw_string_ostream(seen) << type;
  return seen;
}

/// What oneDNN multiplies with integers.
static std::optional<std::string> violatesSignedWeights(Operation *op) {
  Type type = cast<RankedTensorType>(op->getOperand(1).getType()).getElementType();
  if (type.isSignlessInteger(8))
    return std::nullopt;
  std::string seen;
  llvm::raw_string_ostream(seen) << type;
  return seen;
}

static std::optional<std::string> violatesMatrixRank(Operation *op) {
  int64_t rank = cast<RankedTensorType>(op->getOperand(1).getType()).getRank();
  if (rank >= 2 && rank <= 6)
    return std::nullopt;
  return "rank " + std::to_string(rank);
}

static std::optional<std::string> violatesOddSize(Operation *op) {
  int64_t size = cast<LRNOp>(op).getSize();
  return size % 2 ? std::nullopt : std::optional(std::to_string(size));
}

static const Condition convolution[] = {
    {"the shape of the weights is known", "", violatesStaticWeights},
    {"oneDNN has such a window", "", violatesSupportedWindow}};
static const Condition integerConvolution[] = {
    {"the shape of the weights is known", "", violatesStaticWeights},
    {"the weights are signed", "i8", violatesSignedWeights},
    {"oneDNN has such a window", "", violatesSupportedWindow}};
static const Condition pooling[] = {
    {"oneDNN has such a window", "", violatesSupportedWindow}};
static const Condition matrices[] = {
    {"the second operand is a matrix", "ranks 2 to 6", violatesMatrixRank}};
static const Condition integerMatrices[] = {
    {"the second operand is a matrix", "ranks 2 to 6", violatesMatrixRank},
    {"the weights are signed", "i8", violatesSignedWeights}};
static const Condition oddSize[] = {
    {"the window of channels has an odd size", "", violatesOddSize}};

// clang-format off
static const OneDNNCapability table[] = {
    // operator            primitive              types ranks conditions; eltwise, binary
    {{"nn.conv",           "onednn.convolution",   f32, 3, 5, convolution}, true, true},
    {{"nn.conv",           "onednn.convolution",   i8 | ui8, 3, 5, integerConvolution}, true, true},
    {{"nn.conv_transpose", "onednn.deconvolution", f32, 3, 5, convolution}, true, true},
    {{"nn.matmul",         "onednn.matmul",        f32, 2, 6, matrices}, true, true},
    {{"nn.matmul",         "onednn.matmul",        i8 | ui8, 2, 6, integerMatrices}, true, true},
    // The runtime looks for infinities in the results, so nothing may follow.
    {{"nn.max_pool",       "onednn.pooling",       f32, 3, 5, pooling}, false, false},
    {{"nn.max_pool",       "onednn.pooling",       i8 | ui8, 3, 5, pooling}, false, false},
    {{"nn.average_pool",   "onednn.pooling",       f32, 3, 5, pooling}, true, true},
    {{"nn.lrn",            "onednn.lrn",           f32, 4, 4, oddSize}, false, false},
    {{"nn.softmax",        "onednn.softmax",       f32, 1, 6}, false, false},
    {{"nn.log_softmax",    "onednn.softmax",       f32, 1, 6}, false, false},
};
// clang-format on

const Backend &nn::getOneDNNBackend() {
  static const OneDNNBackend backend("onednn", "oneDNN", TargetKind::CPU, table, "onednn");
  return backend;
}
