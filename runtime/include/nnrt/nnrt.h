//===- nnrt.h - C API of the nn-mlir runtime --------------------*- C -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Opens a model compiled by nn-translate, queries its inputs and outputs, and runs it.
// In short:
//
//   nnrt_module *module;  nnrt_session *session;
//   nnrt_status *status = nnrt_module_open("model.so", &module);
//   if (!status) status = nnrt_session_create(module, NULL, &session);
//   if (!status) status = nnrt_session_run(session, inputs, 1, outputs, 1, NULL);
//   if (status) { fputs(nnrt_status_message(status), stderr); nnrt_status_free(status); }
//
// Tensors are passed as DLPack's DLTensor, so that tensors of any framework need no
// copy. No function throws, aborts or prints, except that NNRT_VERBOSE=1 in the
// environment logs to stderr what is loaded, chosen and created and every error, =2 also
// each run, and =3 also each call of oneDNN. After an error, handles remain usable.
//
// Threads: a module is immutable and may be used from many threads at once. A
// session may be used by one thread at a time; sessions of one module run
// concurrently. A handle must not be freed while another thread uses it.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_NNRT_H
#define NNRT_NNRT_H

#include "nnrt/dlpack.h"
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define NNRT_EXPORT __attribute__((visibility("default")))
#else
#define NNRT_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

//===----------------------------------------------------------------------===//
// Status
//===----------------------------------------------------------------------===//

/// What went wrong, by what a caller can do about it.
typedef enum nnrt_status_code {
  NNRT_OK = 0,
  /// An argument does not fit the function or the model: shape, type, count,
  /// null. Correct the call.
  NNRT_INVALID_ARGUMENT = 1,
  /// No such file, tensor or metadata key.
  NNRT_NOT_FOUND = 2,
  /// The file is not a compiled model, or is damaged. Compile it again.
  NNRT_DATA_LOSS = 3,
  /// A sound model that this runtime or machine cannot run: other ABI version,
  /// missing CPU features, missing library. The message names what is missing.
  NNRT_INCOMPATIBLE = 4,
  /// Memory could not be allocated.
  NNRT_OUT_OF_MEMORY = 5,
  /// The model's own checks failed during the run (for instance sizes that do
  /// not broadcast). The message names the ONNX node.
  NNRT_FAILED_PRECONDITION = 6,
  /// A bug in the runtime or in a library that it uses. Please report it.
  NNRT_INTERNAL = 7
} nnrt_status_code;

/// The result of every function that can fail: null for success, else a status that the
/// caller owns and must free.
typedef struct nnrt_status nnrt_status;

/// NNRT_OK for null.
NNRT_EXPORT nnrt_status_code nnrt_status_get_code(const nnrt_status *status);
/// One or more sentences in UTF-8, owned by the status; "" for null.
NNRT_EXPORT const char *nnrt_status_message(const nnrt_status *status);
/// Accepts null.
NNRT_EXPORT void nnrt_status_free(nnrt_status *status);

/// The version of the library, "major.minor.patch". Static storage.
NNRT_EXPORT const char *nnrt_version(void);

//===----------------------------------------------------------------------===//
// Module: a compiled model
//===----------------------------------------------------------------------===//

typedef struct nnrt_module nnrt_module;

/// Opens and verifies the compiled model at `path` and maps its weights. The caller owns
/// `*module`. Errors: NOT_FOUND, DATA_LOSS, INCOMPATIBLE.
NNRT_EXPORT nnrt_status *nnrt_module_open(const char *path,
                                          nnrt_module **module);
/// Accepts null. Sessions keep what they need of the module alive.
NNRT_EXPORT void nnrt_module_free(nnrt_module *module);

/// Which part of a value of the ONNX model a tensor is. A tensor of the ONNX model is a
/// value of its own. Other values are several consecutive tensors, in this order:
///
///   optional(tensor(T))            present, value
///   sequence(tensor(T))            elements, sizes, items
///   optional(sequence(tensor(T)))  present, elements, sizes, items
///
/// Items of a sequence may differ in shape and rank. [[1, 2], [3, 4]], [5] and a
/// scalar 6 are elements {1, 2, 3, 4, 5, 6}, sizes {2, 2, 1} and items {{2, 4},
/// {1, 1}, {0, 1}}. A run checks that the parts of its inputs fit together.
///
/// An absent optional still has its tensors: a value that is never read, with 0 for
/// unknown sizes, or the parts of a sequence without items.
typedef enum nnrt_part {
  /// A tensor of the ONNX model.
  NNRT_PART_TENSOR = 0,
  /// A bool of rank 0: whether the optional is present.
  NNRT_PART_PRESENT = 1,
  /// The tensor of an optional.
  NNRT_PART_VALUE = 2,
  /// T[?]: the elements of all items, one item after the other, each row-major.
  NNRT_PART_ELEMENTS = 3,
  /// int64[?]: the dimensions of all items, one item after the other.
  NNRT_PART_SIZES = 4,
  /// int64[?, 2]: the rank and the number of elements of each item.
  NNRT_PART_ITEMS = 5
} nnrt_part;

/// An element of a tensor of strings (DLPack's kDLOpaqueHandle, of 8 * sizeof(nnrt_string)
/// bits): bytes of UTF-8, which need not end with a zero and may hold some. `data` may be
/// null if the size is 0.
///
/// Of inputs, the bytes belong to the caller; a run copies what it keeps. Inputs that are
/// not UTF-8 are INVALID_ARGUMENT. Of outputs, also those that are written to the caller's
/// tensors, the bytes belong to the session and are valid until the next run or the end of
/// the session.
typedef struct nnrt_string {
  const char *data;
  size_t size;
} nnrt_string;

/// An input or output of a model.
typedef struct nnrt_tensor_info {
  /// The ONNX name; for a part "<value>.<part>", e.g. "boxes.elements". Owned by the
  /// module.
  const char *name;
  /// ONNX's number for the element type (TensorProto.DataType).
  int32_t onnx_type;
  /// The element type for DLPack. bf16, f8 and f4 have DLPack's own codes. Tensors of
  /// 4-bit and 2-bit types are packed like raw_data in ONNX's TensorProto: two or four
  /// elements per byte, the first in the lowest bits, row-major without gaps. Such an
  /// input or output is copied in each run, because compiled code uses a byte for each
  /// element.
  DLDataType dtype;
  int32_t rank;
  /// `rank` sizes; -1 for a size known only at run time. Owned by the module.
  const int64_t *dims;
  /// `rank` names; "" for a dimension without a name. Dimensions of inputs with the same
  /// name must be equal within a run. Owned by the module.
  const char *const *dim_names;
  nnrt_part part;
  /// The ONNX name of the value that the tensor is, or is a part of. Owned by the module.
  const char *value;
} nnrt_tensor_info;

NNRT_EXPORT size_t nnrt_module_num_inputs(const nnrt_module *module);
NNRT_EXPORT size_t nnrt_module_num_outputs(const nnrt_module *module);
/// INVALID_ARGUMENT if there is no such index.
NNRT_EXPORT nnrt_status *nnrt_module_input(const nnrt_module *module,
                                           size_t index,
                                           nnrt_tensor_info *info);
NNRT_EXPORT nnrt_status *nnrt_module_output(const nnrt_module *module,
                                            size_t index,
                                            nnrt_tensor_info *info);

/// The model's own metadata (ONNX metadata_props), in the model's order. Values
/// may hold any UTF-8 text, newlines included. Owned by the module.
NNRT_EXPORT size_t nnrt_module_num_metadata(const nnrt_module *module);
NNRT_EXPORT nnrt_status *nnrt_module_metadata(const nnrt_module *module,
                                              size_t index, const char **key,
                                              const char **value);
/// The value of `key`, or null.
NNRT_EXPORT const char *
nnrt_module_find_metadata(const nnrt_module *module, const char *key);

/// The name of the code variant that was chosen for this CPU, e.g. "x86-64-v4".
NNRT_EXPORT const char *nnrt_module_variant(const nnrt_module *module);

/// A model's memory, in bytes.
typedef struct nnrt_module_memory_info {
  /// The constants. They are mapped from the file, and shared by everyone who opens it;
  /// if they are coded, they are decoded to memory that the module's sessions share.
  size_t weights;
  /// Copies of constants in oneDNN's formats that runs have made so far, shared by the
  /// sessions of the module.
  size_t packed_weights;
  /// The arena of a session as a formula of the inputs' dimensions, e.g.
  /// "1048576 + 1204*H*N": a sum of products of numbers, names of dimensions,
  /// dim("INPUT", INDEX) for dimensions without a usable name, and of max, min,
  /// roundup(x, multiple), floordiv, truncdiv, truncmod (x, y), and eq, ne, lt,
  /// le, gt, ge (x, y), which are 1 or 0. "" if there is no formula. Owned by
  /// the module.
  const char *arena;
  /// The number of further buffers of a run, whose sizes depend on its data.
  uint32_t num_data_dependent;
  /// The same formula for a session's arena on the device. "" if there is no formula, or no
  /// device. Owned by the module.
  const char *device_arena;
} nnrt_module_memory_info;

/// May be called from any thread, also while sessions run. INVALID_ARGUMENT for null.
NNRT_EXPORT nnrt_status *nnrt_module_memory(const nnrt_module *module,
                                            nnrt_module_memory_info *info);

//===----------------------------------------------------------------------===//
// Session: the state that one thread needs to run a model
//===----------------------------------------------------------------------===//

typedef struct nnrt_session nnrt_session;

typedef struct nnrt_session_options {
  /// sizeof(nnrt_session_options), so that fields can be added.
  size_t struct_size;
  /// Threads to compute with, at most; 0 and more than one per core mean one per
  /// core.
  int32_t num_threads;
  /// Non-zero: record the time of each kernel (see nnrt_session_num_kernels).
  int32_t profile;
} nnrt_session_options;

/// `options` may be null. The caller owns `*session`.
NNRT_EXPORT nnrt_status *
nnrt_session_create(const nnrt_module *module,
                    const nnrt_session_options *options,
                    nnrt_session **session);
/// Accepts null. Frees the outputs that the session allocated.
NNRT_EXPORT void nnrt_session_free(nnrt_session *session);

/// Runs the model once.
///
/// `inputs` are in the module's order, on the CPU, with any strides; they are only read,
/// and not kept. `outputs` are in the module's order:
///  - if `data` is set, the result is written there: type and shape must be those of the
///    result, and strides row-major;
///  - if `data` is null, the session fills in the whole DLTensor. Its memory belongs to
///    the session and is valid until the next run or the end of the session, whichever
///    comes first. The DLTensor may be passed to the next run unchanged, even if the
///    shape will be different. It may also be an input of the next run, for state that
///    is fed back: the output of that run is then elsewhere, and the input stays intact
///    until the end of the run.
/// An output may be in the memory of an input only if the model allows it.
/// `stream` is for devices and must be null on the CPU.
///
/// Any number of runs go on at once. A run computes on the calling thread and, if
/// its session has more threads, on workers that all sessions share, where that
/// pays: the first runs of a shape measure it. A run of shapes that the
/// session has seen before, and not dropped (NNRT_ONEDNN_CACHE), allocates no
/// memory but for strings and for what oneDNN does within its primitives.
///
/// Errors: INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_MEMORY, INCOMPATIBLE,
/// INTERNAL. The contents of outputs are then undefined; the session remains usable.
NNRT_EXPORT nnrt_status *nnrt_session_run(nnrt_session *session,
                                          const DLTensor *inputs,
                                          size_t num_inputs, DLTensor *outputs,
                                          size_t num_outputs, void *stream);

/// The time spent in the runs so far: one entry per generated kernel or library call, in
/// the order of the first execution.
typedef struct nnrt_kernel_info {
  /// How it is computed, e.g. "onednn.convolution", "elementwise".
  const char *kind;
  /// The ONNX node names, joined by " + ".
  const char *nodes;
  uint64_t calls;
  uint64_t total_ns;
} nnrt_kernel_info;

/// 0 unless the session was created with `profile`.
NNRT_EXPORT size_t nnrt_session_num_kernels(const nnrt_session *session);
NNRT_EXPORT nnrt_status *nnrt_session_kernel(const nnrt_session *session,
                                             size_t index,
                                             nnrt_kernel_info *info);
/// Sets all counts to zero.
NNRT_EXPORT void nnrt_session_reset_profile(nnrt_session *session);

/// The bytes that the session has allocated now: the sum of nnrt_session_memory_info,
/// without the module's weights and what lies on the device.
NNRT_EXPORT size_t nnrt_session_memory(const nnrt_session *session);

/// A session's memory, in bytes. Each block grows to what the largest run so far needed
/// and stays until the session ends, except for `blocks`, which are freed after eight
/// runs without use.
typedef struct nnrt_session_memory_info {
  /// For values of the model: the result of its formula (nnrt_module_memory).
  size_t arena;
  /// For values whose sizes depend on data.
  size_t blocks;
  /// For outputs without memory of the caller, or that are packed.
  size_t outputs;
  /// For copies of inputs that were not contiguous, or are packed.
  size_t inputs;
  /// oneDNN's scratchpad.
  size_t scratchpad;
  /// On the device, for values of the model.
  size_t device_arena;
} nnrt_session_memory_info;

/// To be called from the thread that uses the session. INVALID_ARGUMENT for null.
NNRT_EXPORT nnrt_status *
nnrt_session_memory_parts(const nnrt_session *session,
                          nnrt_session_memory_info *info);

#ifdef __cplusplus
}
#endif

#endif // NNRT_NNRT_H
