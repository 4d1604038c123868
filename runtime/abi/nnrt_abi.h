//===- nnrt_abi.h - interface of compiled models and the runtime *- C -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// A compiled model exports one symbol per code variant,
//
//   int32_t nnrt_model_run_<variant>(nnrt_abi_context *ctx,
//                                    const nnrt_abi_tensor *inputs);
//
// Its only undefined symbols are libc's; it calls everything else through the table in
// its context. Compiler and runtime both include this header.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_ABI_H
#define NNRT_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// To be incremented by every change except appending a table entry or field.
#define NNRT_ABI_VERSION 1

typedef struct nnrt_abi_context nnrt_abi_context;

/// Element types, by the numbers of ONNX's TensorProto.DataType.
typedef enum nnrt_abi_type {
  NNRT_ABI_F32 = 1,
  NNRT_ABI_U8 = 2,
  NNRT_ABI_S8 = 3,
  NNRT_ABI_U16 = 4,
  NNRT_ABI_S16 = 5,
  NNRT_ABI_S32 = 6,
  NNRT_ABI_S64 = 7,
  NNRT_ABI_STRING = 8,
  NNRT_ABI_BOOL = 9,
  NNRT_ABI_F16 = 10,
  NNRT_ABI_F64 = 11,
  NNRT_ABI_U32 = 12,
  NNRT_ABI_U64 = 13,
  NNRT_ABI_BF16 = 16
} nnrt_abi_type;

/// A dense or strided tensor. `strides` are in elements; null means row-major.
typedef struct nnrt_abi_tensor {
  void *data;
  const int64_t *dims;
  const int64_t *strides;
  int32_t rank;
  int32_t type; // nnrt_abi_type
} nnrt_abi_tensor;

/// The body of a parallel loop over [begin, end).
typedef void (*nnrt_abi_range_fn)(void *arg, int64_t begin, int64_t end);

//===----------------------------------------------------------------------===//
// oneDNN primitives
//===----------------------------------------------------------------------===//

typedef enum nnrt_abi_onednn_kind {
  NNRT_ABI_ONEDNN_CONVOLUTION = 0,   // args: src, weights, [bias], dst, post-op operands
  NNRT_ABI_ONEDNN_DECONVOLUTION = 1, // likewise
  NNRT_ABI_ONEDNN_MATMUL = 2,        // likewise
  NNRT_ABI_ONEDNN_POOLING = 3,       // args: src, dst, post-op operands
  NNRT_ABI_ONEDNN_SOFTMAX = 4,       // args: src, dst
  NNRT_ABI_ONEDNN_LRN = 5            // args: src, dst
} nnrt_abi_onednn_kind;

typedef enum nnrt_abi_onednn_post_op_kind {
  NNRT_ABI_ONEDNN_ELTWISE = 0, // dst = algorithm(dst; alpha, beta)
  NNRT_ABI_ONEDNN_BINARY = 2   // dst = algorithm(dst, args[argument])
} nnrt_abi_onednn_post_op_kind;

/// `algorithm` is oneDNN's own dnnl_alg_kind_t (stable across 3.x).
typedef struct nnrt_abi_onednn_post_op {
  int32_t kind;      // nnrt_abi_onednn_post_op_kind
  int32_t algorithm; // dnnl_alg_kind_t
  float alpha;
  float beta;
  int32_t argument; // index into the call's args, for BINARY
  int32_t reserved;
} nnrt_abi_onednn_post_op;

enum {
  /// Spatial tensors (src, dst, binary operands of dst's rank) come as N,[D,H,]W,C.
  NNRT_ABI_ONEDNN_CHANNELS_LAST = 1,
  /// `weights` and `bias` are in the weights section: they are packed once per module,
  /// and shared.
  NNRT_ABI_ONEDNN_CONSTANT_WEIGHTS = 2,
  NNRT_ABI_ONEDNN_HAS_BIAS = 4,
  /// ONNX's auto_pad: pads_begin and pads_end are ignored, and computed from the shapes of
  /// src and dst in each call.
  NNRT_ABI_ONEDNN_SAME_UPPER = 8,
  NNRT_ABI_ONEDNN_SAME_LOWER = 16,
  /// The site has the field `src_zero_point`.
  NNRT_ABI_ONEDNN_HAS_ZERO_POINT = 32,
  /// dst may have another shape in each run, e.g. with a growing cache: making a primitive
  /// for a shape may not pay off.
  NNRT_ABI_ONEDNN_VARYING_SHAPE = 64
};

// Contractions whose src has 8 bits have s8 weights. They sum
// (src - src_zero_point) * weights exactly. Everything after that is computed in f32: the
// bias (s32 or f32), the post-ops in order, and the conversion to dst's type, which
// rounds ties to even and saturates.

// Pads at the end that do not give dst's shape exactly are adjusted to it in each call, so
// that ceil_mode and output_padding only need the right dst.

/// Everything about one primitive that does not depend on the run: a constant in the
/// compiled model, whose address identifies the call site. Convolution weights are
/// O,I/groups,[D,H,]W; deconvolution weights are I,O/groups,[D,H,]W, as in ONNX.
/// Dilations are ONNX's (1 = dense). MatMul takes numpy's shapes with equal ranks >= 2; a
/// bias is 1 x ... x N or has rank 1.
typedef struct nnrt_abi_onednn_site {
  int32_t kind;      // nnrt_abi_onednn_kind
  int32_t algorithm; // dnnl_alg_kind_t where the primitive has a choice, else 0
  int32_t flags;
  int32_t num_args;
  int32_t num_post_ops;
  int32_t spatial_rank;
  int64_t groups;
  int64_t kernel[3]; // pooling
  int64_t strides[3];
  int64_t dilations[3];
  int64_t pads_begin[3];
  int64_t pads_end[3];
  int32_t axis;       // softmax; LRN: local size
  float alpha, beta, k; // LRN
  const nnrt_abi_onednn_post_op *post_ops;
  const char *name; // for messages and NNRT_VERBOSE: the ONNX node names
  int32_t src_zero_point; // with NNRT_ABI_ONEDNN_HAS_ZERO_POINT; never 0
  int32_t reserved;
} nnrt_abi_onednn_site;

//===----------------------------------------------------------------------===//
// Reference kernels
//===----------------------------------------------------------------------===//

// Tensors are row-major. `type` parameters are numbers of nnrt_abi_type, since the type of
// an argument does not say whether integers are signed. A result whose size is known only
// once it is computed has its maximum size, and is laid out accordingly; `count` (s64, rank
// 0) says how many entries are used. `scratch` is s64.
typedef enum nnrt_abi_kernel {
  // args: boxes, scores, max_boxes, iou_threshold, score_threshold, selected,
  // count, scratch (as many as boxes); parameters: center_point_box, whether there
  // is a score_threshold, whether there is an iou_threshold, whether there is a
  // max_boxes (absent ones have any one element)
  NNRT_ABI_NON_MAX_SUPPRESSION = 0,
  // args: input, indices, count; parameters: type
  NNRT_ABI_NONZERO = 1,
  // args: input, rois, batch_indices, result; parameters: half_pixel, whether the
  // mode is max, sampling_ratio, spatial_scale (the bits of a double)
  NNRT_ABI_ROI_ALIGN = 2,
  // args: input, values, indices, scratch (the axis' size); parameters: type, axis,
  // largest
  NNRT_ABI_TOPK = 3,
  // args: input, values, indices, inverse, counts, count, scratch (twice the number
  // of slices); parameters: type, axis (-1: flattened), sorted
  NNRT_ABI_UNIQUE = 4,
  // args: input, dft_length (s64, rank 0; 0: the axis' size), result; parameters:
  // axis, inverse, onesided
  NNRT_ABI_DFT = 5,
  // args: signal, frame_step (s64, rank 0), window (rank 0: none), frame_length (s64,
  // rank 0; 0: the window's size), result; parameters: none
  NNRT_ABI_STFT = 6,
  // args: operands, result, which broadcast as numpy's do; strings are s64, numbers of
  // strings; parameters: nnrt_abi_string_function, the number of operands, the type of
  // the number that is parsed or formatted (f32, f64, s64 or u64)
  NNRT_ABI_MAP_STRINGS = 7,
  // args: inputs, outputs; parameters: the number of the operator in the manifest, the
  // number of inputs, the type of each (0: absent, with no arg), the number of outputs, type
  // and rank of each
  NNRT_ABI_CUSTOM = 8,
  // args: inputs, sizes of all outputs (s64, one after the other); parameters: likewise
  NNRT_ABI_CUSTOM_SHAPES = 9
} nnrt_abi_kernel;

/// Functions of strings. Number 0 is the empty string; the model's manifest has the first
/// strings by their numbers, and the run gives numbers to all others.
typedef enum nnrt_abi_string_function {
  NNRT_ABI_CONCAT = 0,       // x, y
  NNRT_ABI_LOWER = 1,        // x
  NNRT_ABI_UPPER = 2,        // x
  NNRT_ABI_FULL_MATCH = 3,   // x, pattern; result: bool
  NNRT_ABI_COUNT_PIECES = 4, // x, delimiter, limit; result: s64
  NNRT_ABI_PIECE = 5,        // x, delimiter, limit, index
  NNRT_ABI_PARSE = 6,        // x; result: a number
  NNRT_ABI_FORMAT = 7,       // a number
  NNRT_ABI_COUNT_MATCHES = 8, // x, pattern, least number of characters; result: s64
  NNRT_ABI_MATCH = 9         // x, pattern, least number of characters, index
} nnrt_abi_string_function;

//===----------------------------------------------------------------------===//
// The device
//===----------------------------------------------------------------------===//

typedef enum nnrt_abi_direction {
  NNRT_ABI_TO_DEVICE = 0,
  NNRT_ABI_FROM_DEVICE = 1,
  NNRT_ABI_WITHIN_DEVICE = 2
} nnrt_abi_direction;

//===----------------------------------------------------------------------===//
// Table and context
//===----------------------------------------------------------------------===//

typedef struct nnrt_abi_table {
#define NNRT_ABI_ENTRY(name, result, parameters) result(*name) parameters;
#include "entries.def"
} nnrt_abi_table;

/// What the runtime passes to generated code, which reads the fields below by position.
/// The runtime's session derives from it.
struct nnrt_abi_context {
  const nnrt_abi_table *table;
  const uint8_t *weights; // the mapped weights section, 4096-byte aligned
  int32_t profiling;      // non-zero: bracket kernels with kernel_begin/_end
  int32_t threads;        // how many threads parallel_for uses
};

#ifdef __cplusplus
}
#endif

#endif // NNRT_ABI_H
