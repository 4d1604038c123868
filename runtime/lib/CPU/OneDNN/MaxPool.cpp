//===- MaxPool.cpp - Maxima of windows of infinities ----------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/OneDNN/MaxPool.h"
#include "CPU/OneDNN/Problem.h"

#include <limits>

namespace nnrt {
namespace onednn {

static constexpr float lowest = std::numeric_limits<float>::lowest();
static constexpr float minusInfinity = -std::numeric_limits<float>::infinity();

/// Whether an element is `lowest`.
static bool holdsLowest(const float *data, int64_t count, int64_t stride) {
  // No early exit, so that the loop is vectorized.
  bool found = false;
  if (stride == 1)
    for (int64_t i = 0; i < count; ++i)
      found |= data[i] == lowest;
  else
    for (int64_t i = 0; i < count; ++i)
      found |= data[i * stride] == lowest;
  return found;
}

/// The same for the dimensions from `dim` on.
static bool holdsLowest(const float *data, const Operand &tensor, int dim) {
  int64_t size = tensor.dims[dim], stride = tensor.strides[dim];
  if (dim + 1 == tensor.rank)
    return holdsLowest(data, size, stride);
  for (int64_t i = 0; i < size; ++i)
    if (holdsLowest(data + i * stride, tensor, dim + 1))
      return true;
  return false;
}

static bool isDense(const Operand &tensor) {
  int64_t stride = 1;
  for (int i = tensor.rank; i-- > 0; stride *= tensor.dims[i])
    if (tensor.dims[i] != 1 && tensor.strides[i] != stride)
      return false;
  return true;
}

/// Whether all elements from `from` on, in dimensions `dim` and following, that
/// the window at `place` covers are -infinity.
static bool isInfinite(const Problem &problem, const int64_t *place,
                       const float *from, int dim) {
  const Operand &src = problem.src;
  if (dim == src.rank)
    return *from == minusInfinity;
  int i = dim - 2;
  int64_t start = place[dim] * problem.site.strides[i] - problem.padBegin(i);
  for (int64_t tap = 0; tap < problem.site.kernel[i]; ++tap) {
    int64_t at = start + tap * problem.site.dilations[i];
    if (at >= 0 && at < src.dims[dim] &&
        !isInfinite(problem, place, from + at * src.strides[dim], dim + 1))
      return false;
  }
  return true;
}

/// Visits all elements of the result in dimensions `dim` and following.
static void restore(const Problem &problem, const float *src, int64_t *place,
                    float *to, int dim) {
  const Operand &dst = problem.dst;
  if (dim == dst.rank) {
    if (*to == lowest && isInfinite(problem, place, src, 2))
      *to = minusInfinity;
    return;
  }
  for (int64_t i = 0; i < dst.dims[dim]; ++i) {
    place[dim] = i;
    // Windows do not extend over batch entries and channels.
    restore(problem, dim < 2 ? src + i * problem.src.strides[dim] : src, place,
            to + i * dst.strides[dim], dim + 1);
  }
}

void restoreInfinities(const nnrt_abi_onednn_site &site,
                       const nnrt_abi_tensor *args) {
  if (site.kind != NNRT_ABI_ONEDNN_POOLING ||
      site.algorithm != dnnl_pooling_max || args[1].type != NNRT_ABI_F32)
    return;
  Operand result = makeOperand(args[1]);
  auto *to = static_cast<float *>(args[1].data);
  bool found = isDense(result) ? holdsLowest(to, result.numElements(), 1)
                               : holdsLowest(to, result, 0);
  if (!found)
    return;
  Problem problem(site, args);
  int64_t place[DNNL_MAX_NDIMS] = {};
  restore(problem, static_cast<const float *>(args[0].data), place, to, 0);
}

} // namespace onednn
} // namespace nnrt
