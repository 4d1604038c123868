//===- SmallProducts.cpp - Products without a primitive -------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Making a primitive takes 0.1 to 0.4 ms. A language model attends to one more token in
// each run, so that no shape repeats, and this would be most of the time.
//
//===----------------------------------------------------------------------===//

#include "CPU/OneDNN/SmallProducts.h"
#include "CPU/OneDNN/Operand.h"

#include <algorithm>

namespace nnrt {
namespace onednn {

/// The number of multiplications beyond which a primitive, which may be reused, is
/// better.
static constexpr int64_t maxWork = 1 << 20;

namespace {
/// A matrix as dnnl_sgemm takes it.
struct Matrix {
  char transposed = 0; // 0: neither order
  int64_t leading = 0;
};
} // namespace

static Matrix describe(int64_t rows, int64_t columns, int64_t rowStride,
                       int64_t columnStride) {
  // The stride of a dimension of size 1 is meaningless.
  if (rows == 1)
    rowStride = columns * std::max<int64_t>(columnStride, 1);
  if (columns == 1)
    columnStride = rows == 1 ? 1 : rows * rowStride;
  if (columnStride == 1 || columns == 1)
    if (rowStride >= columns)
      return {'N', rowStride};
  if (rowStride == 1 || rows == 1)
    if (columnStride >= rows)
      return {'T', columnStride};
  return {};
}

bool multiplySmall(const nnrt_abi_onednn_site &site, const nnrt_abi_tensor *args,
                   Threads &threads) {
  int unwanted = NNRT_ABI_ONEDNN_CONSTANT_WEIGHTS | NNRT_ABI_ONEDNN_HAS_BIAS;
  if (!(site.flags & NNRT_ABI_ONEDNN_VARYING_SHAPE) || (site.flags & unwanted) ||
      site.kind != NNRT_ABI_ONEDNN_MATMUL || site.num_args != 3)
    return false;
  float factor = 1;
  for (int i = 0; i < site.num_post_ops; ++i) {
    const nnrt_abi_onednn_post_op &op = site.post_ops[i];
    if (op.kind != NNRT_ABI_ONEDNN_ELTWISE || op.algorithm != dnnl_eltwise_linear ||
        op.beta != 0)
      return false;
    factor *= op.alpha;
  }
  for (int i = 0; i < 3; ++i)
    if (args[i].type != NNRT_ABI_F32 || args[i].rank != args[2].rank)
      return false;
  Operand src = makeOperand(args[0]), weights = makeOperand(args[1]),
          dst = makeOperand(args[2]);
  int row = dst.rank - 2, column = dst.rank - 1;
  int64_t rows = dst.dims[row], columns = dst.dims[column], depth = src.dims[column];
  if (depth == 0 || depth != weights.dims[row] || rows != src.dims[row] ||
      columns != weights.dims[column] || dst.numElements() == 0 ||
      dst.numElements() > maxWork / depth)
    return false;
  int64_t batches = 1;
  for (int d = 0; d < row; ++d) {
    batches *= dst.dims[d];
    for (Operand *operand : {&src, &weights}) {
      if (operand->dims[d] != dst.dims[d] && operand->dims[d] != 1)
        return false;
      if (operand->dims[d] == 1)
        operand->strides[d] = 0;
    }
  }
  Matrix a = describe(rows, depth, src.strides[row], src.strides[column]);
  Matrix b = describe(depth, columns, weights.strides[row], weights.strides[column]);
  Matrix c = describe(rows, columns, dst.strides[row], dst.strides[column]);
  if (!a.transposed || !b.transposed || c.transposed != 'N')
    return false;
  threads.runSerially([&] {
    for (int64_t batch = 0; batch < batches; ++batch) {
      int64_t rest = batch, offsets[3] = {};
      for (int d = row; d-- > 0;) {
        int64_t place = rest % dst.dims[d];
        rest /= dst.dims[d];
        offsets[0] += place * src.strides[d];
        offsets[1] += place * weights.strides[d];
        offsets[2] += place * dst.strides[d];
      }
      check(dnnl_sgemm(a.transposed, b.transposed, rows, columns, depth, factor,
                       static_cast<const float *>(args[0].data) + offsets[0], a.leading,
                       static_cast<const float *>(args[1].data) + offsets[1], b.leading, 0,
                       static_cast<float *>(args[2].data) + offsets[2], c.leading),
            "product");
    }
  });
  return true;
}

} // namespace onednn
} // namespace nnrt
