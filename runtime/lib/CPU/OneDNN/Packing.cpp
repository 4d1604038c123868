//===- Packing.cpp - Constants in the forms of primitives -----------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/OneDNN/Packing.h"
#include "CPU/OneDNN/Convert.h"
#include "Core/Verbose.h"

#include <chrono>

namespace nnrt {
namespace onednn {

PrimitiveDesc createReorder(const_dnnl_memory_desc_t from,
                            const_dnnl_memory_desc_t to, bool hasZeroPoint) {
  Attributes attributes = createAttributes();
  if (hasZeroPoint)
    check(dnnl_primitive_attr_set_zero_points_mask(attributes.get(), DNNL_ARG_FROM, 0),
          "zero point");
  dnnl_primitive_desc_t desc;
  check(dnnl_reorder_primitive_desc_create(&desc, from, engine(), to, engine(),
                                           attributes.get()),
        "reorder");
  return PrimitiveDesc(desc);
}

std::shared_ptr<Packed> pack(const Problem &problem, const Operand &operand,
                             const void *data, const_dnnl_memory_desc_t to) {
  auto start = std::chrono::steady_clock::now();
  auto result = std::make_shared<Packed>();
  result->desc = clone(to);
  result->memory = makeMemory(to, DNNL_MEMORY_ALLOCATE);

  // Our own conversion first, where oneDNN's reorder cannot convert.
  dnnl_data_type_t type;
  check(dnnl_memory_desc_query(to, dnnl_query_data_type, &type), "data type");
  MemoryDesc fromDesc = operand.desc();
  std::unique_ptr<char[]> converted;
  if (type == dnnl_f32 && operand.type != NNRT_ABI_F32) {
    Operand wide = operand.dense();
    wide.type = NNRT_ABI_F32;
    converted.reset(new char[wide.numElements() * sizeof(float)]);
    convert(operand, data, wide, converted.get());
    fromDesc = wide.desc();
    data = converted.get();
  }
  Memory from = makeMemory(fromDesc.get(), const_cast<void *>(data));
  PrimitiveDesc reorder = createReorder(fromDesc.get(), to);
  const_dnnl_memory_desc_t scratchpad =
      dnnl_primitive_desc_query_md(reorder.get(), dnnl_query_scratchpad_md, 0);
  Memory scratch;
  if (sizeOf(scratchpad))
    scratch = makeMemory(scratchpad, DNNL_MEMORY_ALLOCATE);
  Primitive primitive = makePrimitive(reorder.get());
  dnnl_stream_t streamHandle;
  check(dnnl_stream_create(&streamHandle, engine(), dnnl_stream_default_flags),
        "stream");
  Owned<dnnl_stream_t> stream(streamHandle);
  dnnl_exec_arg_t uses[] = {{DNNL_ARG_FROM, from.get()},
                            {DNNL_ARG_TO, result->memory.get()},
                            {DNNL_ARG_SCRATCHPAD, scratch.get()}};
  check(dnnl_primitive_execute(primitive.get(), stream.get(), scratch ? 3 : 2,
                               uses),
        "packing weights");
  check(dnnl_stream_wait(stream.get()), "packing weights");

  std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - start;
  if (host->verboseLevel() >= 1)
    host->verbosePrint(verbose::packed, problem.name().c_str(), sizeOf(to),
                       elapsed.count());
  return result;
}

std::shared_ptr<Packed> makeScalar(int32_t number) {
  auto result = std::make_shared<Packed>();
  dnnl_memory_desc_t desc;
  dnnl_dims_t dims = {1};
  check(dnnl_memory_desc_create_with_tag(&desc, 1, dims, dnnl_s32, dnnl_a),
        "memory descriptor");
  result->desc.reset(desc);
  result->memory = makeMemory(desc, DNNL_MEMORY_ALLOCATE);
  void *data;
  check(dnnl_memory_get_data_handle(result->memory.get(), &data), "memory");
  *static_cast<int32_t *>(data) = number;
  return result;
}

} // namespace onednn
} // namespace nnrt
