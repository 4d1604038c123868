//===- Packing.h - Constants in the forms of primitives ---------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CPU_ONEDNN_PACKING_H
#define NNRT_CPU_ONEDNN_PACKING_H

#include "CPU/OneDNN/Kernel.h"

namespace nnrt {
namespace onednn {

/// A reorder; a zero point (DNNL_ARG_FROM) is subtracted from its input.
PrimitiveDesc createReorder(const_dnnl_memory_desc_t from,
                            const_dnnl_memory_desc_t to,
                            bool hasZeroPoint = false);

/// The elements at `data` in the format and type of `to`. Messages name the problem.
std::shared_ptr<Packed> pack(const Problem &problem, const Operand &operand,
                             const void *data, const_dnnl_memory_desc_t to);

/// One s32 element.
std::shared_ptr<Packed> makeScalar(int32_t number);

} // namespace onednn
} // namespace nnrt

#endif // NNRT_CPU_ONEDNN_PACKING_H
