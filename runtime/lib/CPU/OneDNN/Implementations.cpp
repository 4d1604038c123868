//===- Implementations.cpp - What oneDNN's implementations are good for ---===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/OneDNN/Implementations.h"

#include <algorithm>

namespace nnrt {
namespace onednn {

std::string implementationOf(const_dnnl_primitive_desc_t desc) {
  const char *text = nullptr;
  dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, &text);
  return text ? text : "";
}

bool isReference(const PrimitiveDesc &desc) {
  return implementationOf(desc.get()).find("ref") != std::string::npos;
}

bool hasExactIntegerProducts() {
  constexpr int vnni =
      (dnnl_cpu_isa_avx2_vnni & ~dnnl_cpu_isa_avx2) |
      (dnnl_cpu_isa_avx512_core_vnni & ~dnnl_cpu_isa_avx512_core);
  return dnnl_get_effective_cpu_isa() & vnni;
}

bool isIm2Col(const Problem &problem, const PrimitiveDesc &desc) {
  if (!problem.isConvolution() ||
      implementationOf(desc.get()).find("gemm") == std::string::npos)
    return false;
  const Operand &weights = problem.weights;
  const int64_t *kernel =
      weights.dims + weights.rank - problem.site.spatial_rank;
  return problem.site.groups > 1 ||
         std::any_of(kernel, weights.dims + weights.rank,
                     [](int64_t size) { return size > 1; });
}

bool keepsMemory(const Problem &problem, const PrimitiveDesc &desc) {
  const dnnl_version_t *version = dnnl_version();
  return (version->major < 3 || (version->major == 3 && version->minor < 4)) &&
         problem.isConvolution() &&
         implementationOf(desc.get()).compare(0, 3, "brg") == 0;
}

int countTrustedPostOps(const Problem &problem) {
  int all = problem.site.num_post_ops;
  const Operand &dst = problem.dst;
  if (problem.site.kind != NNRT_ABI_ONEDNN_POOLING || dst.strides[1] == 1)
    return all;
  for (int i = 0; i < all; ++i) {
    const Operand &operand = problem.postOpOperands[i];
    for (int d = 2; d < operand.rank; ++d)
      if (operand.dims[d] != 1)
        return i;
  }
  return all;
}

} // namespace onednn
} // namespace nnrt
