//===- Handles.h - Owners of oneDNN's handles -------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// We use oneDNN's C API instead of dnnl.hpp because its execute function takes a plain
// array of arguments, which a session can keep from run to run.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CPU_ONEDNN_HANDLES_H
#define NNRT_CPU_ONEDNN_HANDLES_H

#include "Core/Library.h"
#include "nnrt/nnrt.h"

#include "oneapi/dnnl/dnnl.h"

#include <memory>
#include <string>

namespace nnrt {
namespace onednn {

/// Thrown and caught within the plugin; execute() returns it as a LibraryError.
struct Failure {
  nnrt_status_code code;
  std::string message;
};

/// Throws on any status but success. `what` says what was being done.
inline void check(dnnl_status_t status, const char *what) {
  if (status == dnnl_success)
    return;
  if (status == dnnl_out_of_memory)
    throw Failure{NNRT_OUT_OF_MEMORY, std::string(what) + ": out of memory"};
  throw Failure{NNRT_INTERNAL, std::string(what) + ": oneDNN reports status " +
                                   std::to_string(int(status))};
}

/// Destroys a handle of any kind.
struct Destroy {
  void operator()(dnnl_engine_t h) const { dnnl_engine_destroy(h); }
  void operator()(dnnl_stream_t h) const { dnnl_stream_destroy(h); }
  void operator()(dnnl_memory_desc_t h) const { dnnl_memory_desc_destroy(h); }
  void operator()(dnnl_memory_t h) const { dnnl_memory_destroy(h); }
  void operator()(dnnl_primitive_desc_t h) const {
    dnnl_primitive_desc_destroy(h);
  }
  void operator()(dnnl_primitive_t h) const { dnnl_primitive_destroy(h); }
  void operator()(dnnl_primitive_attr_t h) const {
    dnnl_primitive_attr_destroy(h);
  }
  void operator()(dnnl_post_ops_t h) const { dnnl_post_ops_destroy(h); }
};

template <typename Handle>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Destroy>;

using MemoryDesc = Owned<dnnl_memory_desc_t>;
using Memory = Owned<dnnl_memory_t>;
using PrimitiveDesc = Owned<dnnl_primitive_desc_t>;
using Primitive = Owned<dnnl_primitive_t>;
using Attributes = Owned<dnnl_primitive_attr_t>;
using PostOps = Owned<dnnl_post_ops_t>;

/// The CPU engine of the process. Throws if there is none.
dnnl_engine_t engine();

/// The libnnrt that loaded the plugin.
extern const LibraryHost *host;

/// Attributes of a primitive that takes its scratchpad from the caller.
inline Attributes createAttributes() {
  dnnl_primitive_attr_t attr;
  check(dnnl_primitive_attr_create(&attr), "attributes");
  Attributes attributes(attr);
  check(
      dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user),
      "scratchpad mode");
  return attributes;
}

inline MemoryDesc clone(const_dnnl_memory_desc_t desc) {
  dnnl_memory_desc_t copy;
  check(dnnl_memory_desc_clone(&copy, desc), "memory descriptor");
  return MemoryDesc(copy);
}

/// In bytes; 0 for null.
inline size_t sizeOf(const_dnnl_memory_desc_t desc) {
  return desc ? dnnl_memory_desc_get_size(desc) : 0;
}

/// A memory object on an external buffer (null if it is set later), or, with
/// DNNL_MEMORY_ALLOCATE, on a buffer of its own.
inline Memory makeMemory(const_dnnl_memory_desc_t desc, void *data) {
  dnnl_memory_t memory;
  check(dnnl_memory_create(&memory, desc, engine(), data), "memory");
  return Memory(memory);
}

inline Primitive makePrimitive(const_dnnl_primitive_desc_t desc) {
  dnnl_primitive_t primitive;
  check(dnnl_primitive_create(&primitive, desc), "primitive");
  return Primitive(primitive);
}

} // namespace onednn
} // namespace nnrt

#endif // NNRT_CPU_ONEDNN_HANDLES_H
