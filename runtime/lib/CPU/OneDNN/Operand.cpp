//===- Operand.cpp - Tensors in oneDNN's order of dimensions --------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/OneDNN/Operand.h"

#include <algorithm>

namespace nnrt {
namespace onednn {

dnnl_data_type_t dnnlType(int32_t abiType) {
  switch (abiType) {
  case NNRT_ABI_F32:
    return dnnl_f32;
  case NNRT_ABI_F16:
    return dnnl_f16;
  case NNRT_ABI_BF16:
    return dnnl_bf16;
  case NNRT_ABI_S32:
    return dnnl_s32;
  case NNRT_ABI_S8:
    return dnnl_s8;
  case NNRT_ABI_U8:
  case NNRT_ABI_BOOL:
    return dnnl_u8;
  default:
    throw Failure{NNRT_INTERNAL, "oneDNN has no element type for ONNX's type " +
                                     std::to_string(abiType)};
  }
}

const char *typeText(int32_t abiType) {
  switch (abiType) {
  case NNRT_ABI_F32:
    return "f32";
  case NNRT_ABI_F16:
    return "f16";
  case NNRT_ABI_BF16:
    return "bf16";
  case NNRT_ABI_S32:
    return "s32";
  case NNRT_ABI_S8:
    return "s8";
  case NNRT_ABI_U8:
    return "u8";
  default:
    return "?";
  }
}

int bytesOf(int32_t abiType) {
  switch (abiType) {
  case NNRT_ABI_F32:
  case NNRT_ABI_S32:
    return 4;
  case NNRT_ABI_F16:
  case NNRT_ABI_BF16:
    return 2;
  default:
    return 1;
  }
}

int64_t Operand::numElements() const {
  int64_t count = 1;
  for (int i = 0; i < rank; ++i)
    count *= dims[i];
  return count;
}

bool Operand::sameShape(const Operand &other) const {
  return rank == other.rank && std::equal(dims, dims + rank, other.dims);
}

MemoryDesc Operand::desc() const {
  dnnl_memory_desc_t result;
  check(dnnl_memory_desc_create_with_strides(&result, rank, dims,
                                             dnnlType(type), strides),
        "memory descriptor");
  return MemoryDesc(result);
}

MemoryDesc Operand::anyFormat(int32_t newType) const {
  dnnl_memory_desc_t result;
  check(dnnl_memory_desc_create_with_tag(&result, rank, dims, dnnlType(newType),
                                         dnnl_format_tag_any),
        "memory descriptor");
  return MemoryDesc(result);
}

Operand Operand::withType(int32_t newType) const {
  Operand result = *this;
  result.type = newType;
  return result;
}

Operand Operand::dense() const {
  Operand result = *this;
  int64_t stride = 1;
  for (int i = rank - 1; i >= 0; --i) {
    result.strides[i] = stride;
    stride *= std::max<int64_t>(dims[i], 1);
  }
  return result;
}

std::string Operand::text() const {
  std::string result = typeText(type);
  for (int i = 0; i < rank; ++i)
    result += (i ? "x" : " ") + std::to_string(dims[i]);
  return result;
}

Operand makeOperand(const nnrt_abi_tensor &tensor) {
  // One more may be added for groups.
  if (tensor.rank < 0 || tensor.rank >= DNNL_MAX_NDIMS)
    throw Failure{NNRT_INTERNAL, "oneDNN takes no tensor of rank " +
                                     std::to_string(tensor.rank)};
  Operand operand;
  operand.rank = tensor.rank;
  operand.type = tensor.type;
  std::copy(tensor.dims, tensor.dims + tensor.rank, operand.dims);
  // Computed from the inputs' sizes: 3 - 4, say, for a window of 4 on 3 elements.
  for (int i = 0; i < operand.rank; ++i)
    if (operand.dims[i] < 0)
      throw Failure{
          NNRT_FAILED_PRECONDITION,
          "an input of the model is too small: a size is negative in " +
              operand.text()};
  if (!tensor.strides)
    return operand.dense();
  std::copy(tensor.strides, tensor.strides + tensor.rank, operand.strides);
  // oneDNN takes the stride of a single row or column for a distance between several.
  for (int i = operand.rank - 1; i >= 0; --i)
    if (operand.dims[i] == 1)
      operand.strides[i] =
          i + 1 < operand.rank
              ? operand.strides[i + 1] * std::max<int64_t>(operand.dims[i + 1], 1)
              : 1;
  return operand;
}

Operand padRank(const Operand &operand, int rank) {
  if (operand.rank > rank)
    throw Failure{NNRT_INTERNAL, "an operand (" + operand.text() +
                                     ") has more dimensions than the result"};
  Operand result = operand;
  result.rank = rank;
  int added = rank - operand.rank;
  int64_t stride =
      operand.rank ? operand.strides[0] * std::max<int64_t>(operand.dims[0], 1)
                   : 1;
  for (int i = 0; i < rank; ++i) {
    result.dims[i] = i < added ? 1 : operand.dims[i - added];
    result.strides[i] = i < added ? stride : operand.strides[i - added];
  }
  return result;
}

Operand fromChannelsLast(const Operand &operand) {
  Operand result = operand;
  for (int i = 1; i < operand.rank; ++i) {
    int from = i == 1 ? operand.rank - 1 : i - 1;
    result.dims[i] = operand.dims[from];
    result.strides[i] = operand.strides[from];
  }
  return result;
}

Operand groupWeights(const Operand &weights, int64_t groups, bool transposed) {
  Operand result = weights;
  if (weights.rank < 3 || groups < 1 || weights.dims[0] % groups)
    throw Failure{NNRT_INTERNAL, "weights (" + weights.text() +
                                     ") do not fit " + std::to_string(groups) +
                                     " groups"};
  if (groups > 1) {
    ++result.rank;
    std::copy_backward(weights.dims, weights.dims + weights.rank,
                       result.dims + result.rank);
    std::copy_backward(weights.strides, weights.strides + weights.rank,
                       result.strides + result.rank);
    result.dims[0] = groups;
    result.dims[1] = weights.dims[0] / groups;
    result.strides[0] = result.dims[1] * weights.strides[0];
  }
  if (transposed) {
    int first = groups > 1;
    std::swap(result.dims[first], result.dims[first + 1]);
    std::swap(result.strides[first], result.strides[first + 1]);
  }
  return result;
}

} // namespace onednn
} // namespace nnrt
