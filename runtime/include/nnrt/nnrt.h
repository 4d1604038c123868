//===- nnrt.h - C API of the nn-mlir runtime --------------------*- C -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Opens a model compiled by nn-translate, asks what it takes and gives, and
// runs it. In short:
//
//   nnrt_module *module;  nnrt_session *session;
//   nnrt_status *status = nnrt_module_open("model.so", &module);
//   if (!status) status = nnrt_session_create(module, NULL, &session);
//   if (!status) status = nnrt_session_run(session, inputs, 1, outputs, 1, NULL);
//   if (status) { fputs(nnrt_status_message(status), stderr); nnrt_status_free(status); }
//
// Tensors cross as DLPack's DLTensor, so that any framework's tensor can be
// passed without a copy. No function throws, aborts or prints, unless the
// environment says so: NNRT_VERBOSE=1 tells on stderr what is loaded, chosen and
// created and each error, =2 also each run, =3 also each call of oneDNN. After an
// error, handles stay usable.
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
  /// No such file, tensor, metadata key.
  NNRT_NOT_FOUND = 2,
  /// The file is not a compiled model, or is damaged. Compile it again.
  NNRT_DATA_LOSS = 3,
  /// A sound model that this runtime or machine cannot run: other ABI version,
  /// missing CPU features, missing library. The message names what is missing.
  NNRT_INCOMPATIBLE = 4,
  /// Memory could not be had.
  NNRT_OUT_OF_MEMORY = 5,
  /// The model's own checks failed during the run (for instance sizes that do
  /// not broadcast). The message names the ONNX node.
  NNRT_FAILED_PRECONDITION = 6,
  /// A fault in the runtime or a library under it. Please report it.
  NNRT_INTERNAL = 7
} nnrt_status_code;

/// The result of every fallible function: null means success; else owned by the
/// caller, who frees it.
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

/// Opens and checks the compiled model at `path` and maps its weights. `*module`
/// is owned by the caller. Errors: NOT_FOUND, DATA_LOSS, INCOMPATIBLE.
NNRT_EXPORT nnrt_status *nnrt_module_open(const char *path,
                                          nnrt_module **module);
/// Accepts null. Sessions keep what they need of the module alive.
NNRT_EXPORT void nnrt_module_free(nnrt_module *module);

/// What a tensor is of a value of the ONNX model. Tensors are values of their own.
/// Others stand as several tensors, side by side and in this order:
///
///   optional(tensor(T))            present, value
///   sequence(tensor(T))            elements, sizes, items
///   optional(sequence(tensor(T)))  present, elements, sizes, items
///
/// Items of a sequence may differ in shape and rank. [[1, 2], [3, 4]], [5] and a
/// scalar 6 are elements {1, 2, 3, 4, 5, 6}, sizes {2, 2, 1} and items {{2, 4},
/// {1, 1}, {0, 1}}. A run checks that the parts of its inputs fit together.
///
/// An optional that is absent still has its tensors: a value of which nothing is
/// read, with 0 for the sizes that the model does not know; parts of a sequence
/// without items.
typedef enum nnrt_part {
  /// A tensor of the ONNX model.
  NNRT_PART_TENSOR = 0,
  /// A bool of rank 0: whether the optional is there.
  NNRT_PART_PRESENT = 1,
  /// The tensor of an optional.
  NNRT_PART_VALUE = 2,
  /// T[?]: the elements of all items, one item after the other, each row-major.
  NNRT_PART_ELEMENTS = 3,
  /// int64[?]: the dimensions of all items, one item after the other.
  NNRT_PART_SIZES = 4,
  /// int64[?, 2]: of each item its rank and its number of elements.
  NNRT_PART_ITEMS = 5
} nnrt_part;

/// An input or output of a model.
typedef struct nnrt_tensor_info {
  /// The ONNX name, for a part "<value>.<part>": "boxes.elements". Owned by the
  /// module.
  const char *name;
  /// ONNX's number for the element type (TensorProto.DataType).
  int32_t onnx_type;
  /// The same for DLPack. bf16, f8 and f4 have DLPack's own codes. Tensors of 4-bit
  /// and 2-bit types are packed as ONNX's TensorProto packs raw_data: two or four
  /// elements a byte, the first in the lowest bits, row-major without gaps. Such an
  /// input or output is copied in each run, as compiled code has a byte for each.
  DLDataType dtype;
  int32_t rank;
  /// rank numbers; -1 where the size is known at run time only. Owned by the module.
  const int64_t *dims;
  /// rank names; "" where the dimension has none. Inputs' dims of one name are
  /// equal in each run. Owned by the module.
  const char *const *dim_names;
  nnrt_part part;
  /// The ONNX name of the value that it is, or is a part of. Owned by the module.
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

/// What a model needs of memory, in bytes.
typedef struct nnrt_module_memory_info {
  /// The constants. They are mapped from the file: whoever opens it shares them.
  size_t weights;
  /// Copies of constants in formats of oneDNN that runs have made so far, shared
  /// by the sessions of the module.
  size_t packed_weights;
  /// The arena of a session as a formula of the inputs' dimensions, e.g.
  /// "1048576 + 1204*H*N": a sum of products of numbers, names of dimensions,
  /// dim("INPUT", INDEX) for dimensions without a usable name, and of max, min,
  /// roundup(x, multiple), floordiv, truncdiv, truncmod (x, y), and eq, ne, lt,
  /// le, gt, ge (x, y), which are 1 or 0. "" if there is no formula. Owned by
  /// the module.
  const char *arena;
  /// How many more buffers a run takes, of sizes that depend on its data.
  uint32_t num_data_dependent;
} nnrt_module_memory_info;

/// From any thread, also while sessions run. INVALID_ARGUMENT for null.
NNRT_EXPORT nnrt_status *nnrt_module_memory(const nnrt_module *module,
                                            nnrt_module_memory_info *info);

//===----------------------------------------------------------------------===//
// Session: what one thread needs to run a model
//===----------------------------------------------------------------------===//

typedef struct nnrt_session nnrt_session;

typedef struct nnrt_session_options {
  /// sizeof(nnrt_session_options), so that fields can be added.
  size_t struct_size;
  /// Threads to compute with; 0 means one per core.
  int32_t num_threads;
  /// Non-zero: record the time of each kernel (see nnrt_session_num_kernels).
  int32_t profile;
} nnrt_session_options;

/// `options` may be null. `*session` is owned by the caller.
NNRT_EXPORT nnrt_status *
nnrt_session_create(const nnrt_module *module,
                    const nnrt_session_options *options,
                    nnrt_session **session);
/// Accepts null. Frees the outputs that the session allocated.
NNRT_EXPORT void nnrt_session_free(nnrt_session *session);

/// Runs the model once.
///
/// `inputs` are in the module's order, on the CPU, of any strides; they are
/// only read, and not kept. `outputs` are in the module's order:
///  - with `data` set, results are written there: type, shape and row-major
///    strides must be the result's;
///  - with `data` null, the session fills in the whole DLTensor; its memory
///    belongs to the session and is valid until the next run or the end of the
///    session, whichever comes first. The DLTensor may be passed to the next run
///    as it is, also if the shape will be another. It may also be an input of
///    the next run, for state that is fed back: the output of that run is then
///    elsewhere, and the input intact until that run's end.
/// An output may lie in the memory of an input only where the model allows it.
/// `stream` is for devices and must be null on the CPU.
///
/// Runs of sessions with one thread compute on the calling thread, any number at
/// once. Runs of sessions with more threads take turns. A run of shapes that the
/// session has seen before, and not dropped (NNRT_ONEDNN_CACHE), allocates no
/// memory but what oneDNN does within its primitives.
///
/// Errors: INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_MEMORY, INCOMPATIBLE,
/// INTERNAL. The content of outputs is then undefined, the session usable.
NNRT_EXPORT nnrt_status *nnrt_session_run(nnrt_session *session,
                                          const DLTensor *inputs,
                                          size_t num_inputs, DLTensor *outputs,
                                          size_t num_outputs, void *stream);

/// Where the time of the runs so far went: one entry per generated kernel or
/// library call, in the order of the first execution.
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

/// Bytes that the session holds now, all that nnrt_session_memory_info lists.
/// Without the module's weights.
NNRT_EXPORT size_t nnrt_session_memory(const nnrt_session *session);

/// What a session holds, in bytes. Blocks grow to what the largest run so far
/// needed and stay until the session ends, but for `blocks`, which go after
/// eight runs without use.
typedef struct nnrt_session_memory_info {
  /// For values of the model: what its formula gives (nnrt_module_memory).
  size_t arena;
  /// For values whose sizes depend on data.
  size_t blocks;
  /// For outputs that the caller gave no memory for, or that are packed.
  size_t outputs;
  /// For copies of inputs that were not contiguous, or are packed.
  size_t inputs;
  /// For oneDNN to work in.
  size_t scratchpad;
} nnrt_session_memory_info;

/// From the thread that uses the session. INVALID_ARGUMENT for null.
NNRT_EXPORT nnrt_status *
nnrt_session_memory_parts(const nnrt_session *session,
                          nnrt_session_memory_info *info);

#ifdef __cplusplus
}
#endif

#endif // NNRT_NNRT_H
