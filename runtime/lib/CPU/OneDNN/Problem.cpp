//===- Problem.cpp - What a call site asks for, with shapes ---------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/OneDNN/Problem.h"

#include <algorithm>

namespace nnrt {
namespace onednn {

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

Problem::Problem(const nnrt_abi_onednn_site &site, const nnrt_abi_tensor *args)
    : site(site) {
  int next = 0;
  srcArg = next++;
  bool contraction = site.kind == NNRT_ABI_ONEDNN_CONVOLUTION ||
                     site.kind == NNRT_ABI_ONEDNN_DECONVOLUTION ||
                     site.kind == NNRT_ABI_ONEDNN_MATMUL;
  if (contraction)
    weightsArg = next++;
  if (contraction && (site.flags & NNRT_ABI_ONEDNN_HAS_BIAS))
    biasArg = next++;
  dstArg = next++;
  if (site.num_args < next)
    throw Failure{NNRT_INTERNAL, "a call of oneDNN lacks arguments"};

  src = makeOperand(args[srcArg]);
  dst = makeOperand(args[dstArg]);
  if (weightsArg >= 0)
    weights = makeOperand(args[weightsArg]);
  if (biasArg >= 0)
    bias = makeOperand(args[biasArg]);
  for (int i = 0; i < site.num_post_ops; ++i) {
    const nnrt_abi_onednn_post_op &op = site.post_ops[i];
    Operand operand;
    if (op.kind == NNRT_ABI_ONEDNN_BINARY) {
      if (op.argument < next || op.argument >= site.num_args)
        throw Failure{NNRT_INTERNAL, "a post-op names an argument that the "
                                     "call does not have"};
      operand = padRank(makeOperand(args[op.argument]), dst.rank);
    }
    postOpOperands.push_back(operand);
  }

  if (isConvolution() || site.kind == NNRT_ABI_ONEDNN_POOLING ||
      site.kind == NNRT_ABI_ONEDNN_LRN)
    resolveSpatial();
  if (site.kind == NNRT_ABI_ONEDNN_MATMUL) {
    if (biasArg >= 0)
      bias = padRank(bias, dst.rank);
    flattenMatMul();
  }
}

void Problem::resolveSpatial() {
  if (site.flags & NNRT_ABI_ONEDNN_CHANNELS_LAST) {
    src = fromChannelsLast(src);
    dst = fromChannelsLast(dst);
    for (Operand &operand : postOpOperands)
      operand = fromChannelsLast(operand);
  }
  if (site.kind == NNRT_ABI_ONEDNN_LRN)
    return;
  int spatial = src.rank - 2;
  if (spatial != site.spatial_rank || spatial < 1 || spatial > 3 ||
      dst.rank != src.rank)
    throw Failure{NNRT_INTERNAL, "ranks of a spatial operation do not fit"};
  for (int i = 0; i < spatial; ++i) {
    strides[i] = site.strides[i];
    dilations[i] = site.dilations[i] - 1;
  }
  if (site.kind == NNRT_ABI_ONEDNN_POOLING) {
    // oneDNN rejects dilations larger than the input, even where the kernel has a
    // single tap.
    for (int i = 0; i < spatial; ++i)
      if (site.kernel[i] == 1)
        dilations[i] = 0;
    resolvePads(src, dst, site.kernel);
    return;
  }
  bool transposed = site.kind == NNRT_ABI_ONEDNN_DECONVOLUTION;
  weights = groupWeights(weights, site.groups, transposed);
  const int64_t *kernel = weights.dims + weights.rank - spatial;
  if (transposed)
    resolvePads(dst, src, kernel);
  else
    resolvePads(src, dst, kernel);
  turnColumn();
}

/// Turns a convolution along columns, on images one pixel wide, into one along rows.
/// The bytes are the same, but oneDNN blocks its work along rows only (measured 5
/// times faster: 256x512x1, 512 kernels of 5x1).
void Problem::turnColumn() {
  auto isColumn = [](const Operand &operand) {
    return operand.dims[operand.rank - 1] == 1;
  };
  if (site.spatial_rank != 2 || !isColumn(src) || !isColumn(dst) ||
      !isColumn(weights) || weights.dims[weights.rank - 2] == 1 ||
      padsBegin[1] || padsEnd[1])
    return;
  auto turn = [](Operand &operand) {
    int height = operand.rank - 2, width = operand.rank - 1;
    operand.dims[width] = operand.dims[height];
    operand.strides[width] = operand.strides[height];
    operand.dims[height] = 1;
    operand.strides[height] = operand.dims[width] * operand.strides[width];
  };
  turn(src);
  turn(dst);
  turn(weights);
  for (int i = 0; i < site.num_post_ops; ++i)
    if (site.post_ops[i].kind == NNRT_ABI_ONEDNN_BINARY)
      turn(postOpOperands[i]);
  for (int64_t *array : {strides, dilations, padsBegin, padsEnd})
    std::swap(array[0], array[1]);
}

/// Computes the pads between the side that windows slide over (`large`) and the side
/// with one element per window (`small`). oneDNN requires pads that give exactly
/// `small`. Those at the end are adjusted to it, since ceil_mode, output_padding and
/// sizes known only at run time show only in the shapes.
void Problem::resolvePads(const Operand &large, const Operand &small,
                          const int64_t *kernel) {
  for (int i = 0; i < site.spatial_rank; ++i) {
    int64_t size = large.dims[2 + i], windows = small.dims[2 + i];
    int64_t stride = std::max<int64_t>(strides[i], 1);
    int64_t extent = (kernel[i] - 1) * (dilations[i] + 1) + 1;
    // How far the last window extends beyond the input, without pads.
    int64_t total = (windows - 1) * stride + extent - size;
    if (site.flags & NNRT_ABI_ONEDNN_SAME_UPPER) {
      padsBegin[i] = std::max<int64_t>(total, 0) / 2;
    } else if (site.flags & NNRT_ABI_ONEDNN_SAME_LOWER) {
      padsBegin[i] = (std::max<int64_t>(total, 0) + 1) / 2;
    } else {
      padsBegin[i] = site.pads_begin[i];
      int64_t reach = size + padsBegin[i] + site.pads_end[i] - extent;
      if (reach >= 0 && reach / stride + 1 == windows) {
        padsEnd[i] = site.pads_end[i];
        continue;
      }
    }
    padsEnd[i] = total - padsBegin[i];
  }
}

/// Turns a batch of products with one matrix into a single product with more rows:
/// oneDNN is faster, and the packed weights serve each batch size.
void Problem::flattenMatMul() {
  int rank = dst.rank;
  if (src.rank != rank || weights.rank != rank || rank < 2)
    throw Failure{NNRT_INTERNAL, "ranks of a matrix product do not fit"};
  if (rank == 2)
    return;
  auto rowsAreDense = [&](const Operand &operand) {
    int64_t stride = operand.strides[rank - 2];
    for (int i = rank - 2; i >= 0; --i) {
      if (operand.dims[i] != 1 && operand.strides[i] != stride)
        return false;
      stride *= operand.dims[i];
    }
    return true;
  };
  auto isRow = [&](const Operand &operand) {
    return std::all_of(operand.dims, operand.dims + rank - 1,
                       [](int64_t dim) { return dim == 1; });
  };
  for (int i = 0; i < rank - 2; ++i)
    if (weights.dims[i] != 1 || src.dims[i] != dst.dims[i])
      return;
  if (!rowsAreDense(src) || !rowsAreDense(dst) ||
      (biasArg >= 0 && !isRow(bias)))
    return;
  for (int i = 0; i < site.num_post_ops; ++i)
    if (site.post_ops[i].kind == NNRT_ABI_ONEDNN_BINARY) {
      const Operand &operand = postOpOperands[i];
      if (!isRow(operand) &&
          !(rowsAreDense(operand) &&
            std::equal(operand.dims, operand.dims + rank - 1, dst.dims)))
        return;
    }

  auto flatten = [&](Operand &operand) {
    Operand flat = operand;
    flat.rank = 2;
    flat.dims[0] = 1;
    for (int i = 0; i < rank - 1; ++i)
      flat.dims[0] *= operand.dims[i];
    flat.dims[1] = operand.dims[rank - 1];
    flat.strides[0] = operand.strides[rank - 2];
    flat.strides[1] = operand.strides[rank - 1];
    operand = flat;
  };
  flatten(src);
  flatten(dst);
  flatten(weights);
  if (biasArg >= 0)
    flatten(bias);
  for (int i = 0; i < site.num_post_ops; ++i)
    if (site.post_ops[i].kind == NNRT_ABI_ONEDNN_BINARY)
      flatten(postOpOperands[i]);
}

//===----------------------------------------------------------------------===//
// Properties
//===----------------------------------------------------------------------===//

bool Problem::isConvolution() const {
  return site.kind == NNRT_ABI_ONEDNN_CONVOLUTION ||
         site.kind == NNRT_ABI_ONEDNN_DECONVOLUTION;
}

bool Problem::constantWeights() const {
  return isContraction() && (site.flags & NNRT_ABI_ONEDNN_CONSTANT_WEIGHTS);
}

bool Problem::isEmpty() const {
  if (dst.numElements() == 0)
    return true;
  // oneDNN would not write the result.
  if (src.numElements() == 0 && !isEmptyProduct())
    throw Failure{NNRT_FAILED_PRECONDITION,
                  "the input has no elements: " + shapesText()};
  return false;
}

bool Problem::isEmptyProduct() const {
  return site.kind == NNRT_ABI_ONEDNN_MATMUL && src.numElements() == 0;
}

bool Problem::isInteger() const {
  return isContraction() && weights.type == NNRT_ABI_S8 &&
         (src.type == NNRT_ABI_U8 || src.type == NNRT_ABI_S8);
}

int32_t Problem::srcZeroPoint() const {
  return site.flags & NNRT_ABI_ONEDNN_HAS_ZERO_POINT ? site.src_zero_point : 0;
}

int32_t Problem::srcType() const {
  return inF32 ? int32_t(NNRT_ABI_F32) : src.type;
}

int32_t Problem::dstType() const {
  return inF32 ? int32_t(NNRT_ABI_F32) : dst.type;
}

int32_t Problem::weightsType() const {
  switch (srcType()) {
  case NNRT_ABI_F32:
  case NNRT_ABI_F16:
  case NNRT_ABI_BF16:
    return srcType();
  default:
    return weights.type;
  }
}

int32_t Problem::biasType() const {
  bool same = bias.type == NNRT_ABI_F32 || bias.type == NNRT_ABI_S32 ||
              bias.type == src.type;
  return same && !inF32 ? bias.type : int32_t(NNRT_ABI_F32);
}

const char *Problem::kindText() const {
  static const char *const names[] = {"convolution", "deconvolution", "matmul",
                                      "pooling",     "softmax",       "lrn"};
  return site.kind >= 0 && site.kind <= NNRT_ABI_ONEDNN_LRN
             ? names[site.kind]
             : "unknown primitive";
}

std::string Problem::shapesText() const {
  std::string text = src.text();
  if (weightsArg >= 0)
    text += ", " + weights.text();
  return text + " -> " + dst.text();
}

std::string Problem::name() const { return site.name ? site.name : ""; }

//===----------------------------------------------------------------------===//
// Primitives
//===----------------------------------------------------------------------===//

Attributes Problem::makeAttributes(int numPostOps) const {
  Attributes attributes = createAttributes();
  if (srcZeroPoint() && !inF32)
    check(dnnl_primitive_attr_set_zero_points_mask(attributes.get(), DNNL_ARG_SRC, 0),
          "zero point");
  if (!numPostOps)
    return attributes;
  dnnl_post_ops_t ops;
  check(dnnl_post_ops_create(&ops), "post-ops");
  PostOps owner(ops);
  for (int i = 0; i < numPostOps; ++i) {
    const nnrt_abi_onednn_post_op &op = site.post_ops[i];
    auto algorithm = static_cast<dnnl_alg_kind_t>(op.algorithm);
    switch (op.kind) {
    case NNRT_ABI_ONEDNN_ELTWISE:
      check(dnnl_post_ops_append_eltwise(ops, algorithm, op.alpha, op.beta),
            "eltwise post-op");
      break;
    case NNRT_ABI_ONEDNN_BINARY: {
      Operand operand = postOpOperands[i];
      if (operand.type == NNRT_ABI_F16 && dst.type != NNRT_ABI_F16) {
        operand.type = NNRT_ABI_F32; // converted before
        operand = operand.dense();
      }
      check(dnnl_post_ops_append_binary(ops, algorithm, operand.desc().get()),
            "binary post-op");
      break;
    }
    default:
      throw Failure{NNRT_INTERNAL, "unknown kind of post-op"};
    }
  }
  check(dnnl_primitive_attr_set_post_ops(attributes.get(), ops), "post-ops");
  return attributes;
}

PrimitiveDesc Problem::create(const_dnnl_memory_desc_t srcDesc,
                              const_dnnl_memory_desc_t weightsDesc,
                              const_dnnl_memory_desc_t biasDesc,
                              const_dnnl_memory_desc_t dstDesc,
                              int numPostOps) const {
  Attributes attributes = makeAttributes(numPostOps);
  const_dnnl_primitive_attr_t attr = attributes.get();
  auto algorithm = static_cast<dnnl_alg_kind_t>(site.algorithm);
  constexpr dnnl_prop_kind_t inference = dnnl_forward_inference;
  dnnl_primitive_desc_t desc = nullptr;
  dnnl_status_t status = dnnl_unimplemented;
  switch (site.kind) {
  case NNRT_ABI_ONEDNN_CONVOLUTION:
    status = dnnl_convolution_forward_primitive_desc_create(
        &desc, engine(), inference,
        algorithm ? algorithm : dnnl_convolution_direct, srcDesc, weightsDesc,
        biasDesc, dstDesc, strides, dilations, padsBegin, padsEnd, attr);
    break;
  case NNRT_ABI_ONEDNN_DECONVOLUTION:
    status = dnnl_deconvolution_forward_primitive_desc_create(
        &desc, engine(), inference,
        algorithm ? algorithm : dnnl_deconvolution_direct, srcDesc, weightsDesc,
        biasDesc, dstDesc, strides, dilations, padsBegin, padsEnd, attr);
    break;
  case NNRT_ABI_ONEDNN_MATMUL:
    status = dnnl_matmul_primitive_desc_create(
        &desc, engine(), srcDesc, weightsDesc, biasDesc, dstDesc, attr);
    break;
  case NNRT_ABI_ONEDNN_POOLING:
    status = dnnl_pooling_forward_primitive_desc_create(
        &desc, engine(), inference, algorithm, srcDesc, dstDesc, strides,
        site.kernel, dilations, padsBegin, padsEnd, attr);
    break;
  case NNRT_ABI_ONEDNN_SOFTMAX:
    status = dnnl_softmax_forward_primitive_desc_create(
        &desc, engine(), inference,
        algorithm ? algorithm : dnnl_softmax_accurate, srcDesc, dstDesc,
        site.axis, attr);
    break;
  case NNRT_ABI_ONEDNN_LRN:
    status = dnnl_lrn_forward_primitive_desc_create(
        &desc, engine(), inference,
        algorithm ? algorithm : dnnl_lrn_across_channels, srcDesc, dstDesc,
        site.axis, site.alpha, site.beta, site.k, attr);
    break;
  default:
    throw Failure{NNRT_INTERNAL, "unknown kind of primitive"};
  }
  if (status == dnnl_unimplemented)
    return nullptr;
  if (status == dnnl_invalid_arguments)
    throw Failure{NNRT_FAILED_PRECONDITION,
                  "the shapes do not fit each other: " + shapesText()};
  check(status, kindText());
  return PrimitiveDesc(desc);
}

} // namespace onednn
} // namespace nnrt
