//===- Capabilities.cpp - what can be lowered to linalg -------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Every operator that compiles at all has a row here, grouped by family. A row may list
// types that the operator's definition does not accept. Small types are stored in bytes
// before operators are lowered (nn-store-small-types), so a row that lists them means
// that the operator works on those bytes or has been rewritten.
//
//===----------------------------------------------------------------------===//

#include "LinalgBackend.h"
#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::types;

//===----------------------------------------------------------------------===//
// Conditions
//===----------------------------------------------------------------------===//

static std::optional<std::string> violatesRoiGiven(Operation *op) {
  auto resize = cast<ResizeOp>(op);
  return resize.getCoordinateMode() == "tf_crop_and_resize" && !resize.getRoi()
             ? std::optional<std::string>("no roi")
             : std::nullopt;
}

/// Neither ONNX nor its reference implementation defines interpolation between two bools,
/// or how integers interpolated on a grid are rounded.
static std::optional<std::string> describeInterpolation(Type type, StringRef mode) {
  if (mode == "nearest")
    return std::nullopt;
  std::string seen;
  llvm::raw_string_ostream(seen) << "mode '" << mode << "' of " << type;
  return seen;
}

static std::optional<std::string> violatesNumbersOnly(Operation *op) {
  auto resize = cast<ResizeOp>(op);
  Type type = getElementTypeOrSelf(resize.getInput().getType());
  return type.isInteger(1) ? describeInterpolation(type, resize.getMode()) : std::nullopt;
}

static std::optional<std::string> violatesFloatsOnly(Operation *op) {
  auto sample = cast<GridSampleOp>(op);
  Type type = getElementTypeOrSelf(sample.getInput().getType());
  return isa<IntegerType>(type) ? describeInterpolation(type, sample.getMode())
                                : std::nullopt;
}

static std::optional<std::string> violatesPrepared(Operation *op) {
  return op->hasAttr("prepared") ? std::nullopt : std::optional<std::string>("a weight");
}

static const Condition recurrentForms[] = {
    {"the input is multiplied by the weight", "the form 'prepared'", violatesPrepared}};

static const Condition resizeForms[] = {
    {"coordinate mode tf_crop_and_resize comes with 'roi'", "an input 'roi'",
     violatesRoiGiven},
    {"elements between which values are interpolated are numbers", "mode 'nearest'",
     violatesNumbersOnly}};

static const Condition gridForms[] = {
    {"elements between which values are interpolated are floats", "mode 'nearest'",
     violatesFloatsOnly}};

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

// clang-format off
static const Capability table[] = {
    {elementwise,              "linalg", basic},
    {"nn.bitcast",             "linalg", every},
    {"nn.cast",                "linalg", every},
    {"nn.where",               "linalg", every, 0, INT64_MAX, {}, /*data=*/1},
    // Constant
    {"nn.constant_of_shape",   "linalg", every, 0, INT64_MAX, {}, /*data=*/-1},
    // Contraction
    {"nn.matmul",              "linalg", numbers, 1},
    {"nn.gemm",                "linalg", numbers, 2, 2},
    // Conv
    {"nn.conv",                "linalg", floats | i8 | ui8, 3},
    {"nn.conv_transpose",      "linalg", floats, 3},
    // Pool
    {"nn.max_pool",            "linalg", numbers, 3},
    {"nn.max_pool_indices",    "linalg", numbers, 3},
    {"nn.average_pool",        "linalg", numbers, 3},
    {"nn.lp_pool",             "linalg", floats, 3},
    // Normalization
    {"nn.batch_norm",          "linalg", floats, 2},
    {"nn.instance_norm",       "linalg", floats, 3},
    {"nn.layer_norm",          "linalg", floats, 1},
    {"nn.lrn",                 "linalg", floats, 3},
    {"nn.softmax",             "linalg", floats},
    {"nn.log_softmax",         "linalg", floats},
    // Reduction
    {"nn.reduce_l1",           "linalg", numbers},
    {"nn.reduce_l2",           "linalg", numbers},
    {"nn.reduce_log_sum",      "linalg", numbers},
    {"nn.reduce_log_sum_exp",  "linalg", numbers},
    {"nn.reduce_max",          "linalg", basic},
    {"nn.reduce_mean",         "linalg", numbers},
    {"nn.reduce_min",          "linalg", basic},
    {"nn.reduce_prod",         "linalg", numbers},
    {"nn.reduce_sum",          "linalg", numbers},
    {"nn.reduce_sum_square",   "linalg", numbers},
    {"nn.argmax",              "linalg", numbers},
    {"nn.argmin",              "linalg", numbers},
    {"nn.cumsum",              "linalg", numbers, 1},
    {"nn.cumprod",             "linalg", numbers, 1},
    // Shape
    {"nn.concat",              "linalg", every, 1},
    {"nn.depth_to_space",      "linalg", every, 4, 4},
    {"nn.expand",              "linalg", every},
    {"nn.flatten",             "linalg", every},
    {"nn.pad",                 "linalg", every},
    {"nn.reshape",             "linalg", every},
    {"nn.resize",              "linalg", basic, 1, INT64_MAX, resizeForms},
    {"nn.shape",               "linalg", every},
    {"nn.size",                "linalg", every},
    {"nn.slice",               "linalg", every, 1},
    {"nn.space_to_depth",      "linalg", every, 4, 4},
    {"nn.split",               "linalg", every, 1},
    {"nn.squeeze",             "linalg", every},
    {"nn.tile",                "linalg", every},
    {"nn.transpose",           "linalg", every},
    {"nn.unsqueeze",           "linalg", every},
    // Indexing
    {"nn.gather",              "linalg", every, 1},
    {"nn.gather_elements",     "linalg", every, 1},
    {"nn.gather_nd",           "linalg", every, 1},
    {"nn.scatter_elements",    "linalg", basic, 1},
    {"nn.scatter_nd",          "linalg", basic, 1},
    {"nn.range",               "linalg", numbers},
    {"nn.topk",                "runtime kernel", numbers, 1},
    {"nn.nonzero",             "runtime kernel", basic, 1},
    {"nn.unique",              "runtime kernel", basic},
    {"nn.non_max_suppression", "runtime kernel", f32, 3, 3},
    {"nn.grid_sample",         "linalg", basic, 3, INT64_MAX, gridForms},
    {"nn.roi_align",           "runtime kernel", f32, 4, 4},
    // Recurrent
    {"nn.lstm",                "linalg", f32 | f64, 3, 3, recurrentForms},
    {"nn.gru",                 "linalg", f32 | f64, 3, 3, recurrentForms},
    {"nn.rnn",                 "linalg", f32 | f64, 3, 3, recurrentForms},
    // Signal
    {"nn.dft",                 "runtime kernel", f32 | f64, 2},
    {"nn.stft",                "runtime kernel", f32 | f64, 3, 3},
    // String: of `!nn.string` too, which counts as i64
    {"nn.map_strings",         "runtime kernel", f32 | f64 | i64 | ui64},
    // Custom
    {"nn.custom",              "user's library", basic},
    // Quantization
    {"nn.quantize",            "linalg", floats | i32},
    {"nn.dequantize",          "linalg", ints | small},
};
// clang-format on

const Backend &nn::getLinalgBackend() {
  static const LinalgBackend backend("linalg", "linalg, runtime", TargetKind::CPU, table);
  return backend;
}

const Backend &nn::getGPULoopsBackend() {
  // The pass of the back end above lowers what nobody claimed, on any target.
  static const GPULoopsBackend backend("gpu-loops", "loops on GPUs", TargetKind::CUDA, table);
  return backend;
}
