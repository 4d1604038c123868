//===- custom_op.h - Operators of your own for compiled models --*- C -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// A library of operators that nn-mlir does not have, or that it is to compute in another
// way. It includes this header, links nothing, and exports one function,
//
//   const nnrt_custom_library *nnrt_custom_operators(void);
//
// nn-translate --custom-op=DOMAIN:NAME=LIBRARY loads the library to learn types and shapes,
// and the runtime loads it together with the compiled model. docs/CustomOperators.md tells
// the way, runtime/examples/custom_op has an example.
//
// Tensors are dense and row-major; sizes and counts are in elements. Nothing that a function
// gets may be kept or freed after it returns, but for `state`. All functions may be called by
// several threads at once, also for one `state`.
//
// An operator is a function of its inputs and attributes: it may be computed while the model
// is compiled if its inputs are known then, computed once for two nodes that are alike, and
// not at all if nothing needs its outputs.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CUSTOM_OP_H
#define NNRT_CUSTOM_OP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#if defined(__GNUC__)
#define NNRT_CUSTOM_EXPORT __attribute__((visibility("default")))
#else
#define NNRT_CUSTOM_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// Incremented by each change of this header after which libraries must be compiled again.
#define NNRT_CUSTOM_ABI 1

/// No tensor has more dimensions.
#define NNRT_CUSTOM_MAX_RANK 32

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// Element types, by ONNX's numbers (TensorProto.DataType). Bool has a byte, 0 or 1, for each
/// element; f16 and bf16 are bits.
typedef enum nnrt_custom_type {
  NNRT_CUSTOM_NONE = 0, // an input that the node does not have
  NNRT_CUSTOM_F32 = 1,
  NNRT_CUSTOM_U8 = 2,
  NNRT_CUSTOM_S8 = 3,
  NNRT_CUSTOM_U16 = 4,
  NNRT_CUSTOM_S16 = 5,
  NNRT_CUSTOM_S32 = 6,
  NNRT_CUSTOM_S64 = 7,
  NNRT_CUSTOM_BOOL = 9,
  NNRT_CUSTOM_F16 = 10,
  NNRT_CUSTOM_F64 = 11,
  NNRT_CUSTOM_U32 = 12,
  NNRT_CUSTOM_U64 = 13,
  NNRT_CUSTOM_BF16 = 16
} nnrt_custom_type;

/// A set of element types is a sum of these: NNRT_CUSTOM_SET(F32) | NNRT_CUSTOM_SET(F64).
#define NNRT_CUSTOM_SET(type) (UINT64_C(1) << NNRT_CUSTOM_##type)

typedef struct nnrt_custom_tensor {
  /// Of inputs, only to be read. Null if the elements are not known (see `infer_shapes`), and
  /// for inputs that the node does not have.
  void *data;
  /// `rank` sizes.
  int64_t *dims;
  int32_t rank;
  int32_t type; // nnrt_custom_type
} nnrt_custom_tensor;

/// A size that only `infer_shapes` with known inputs can say.
#define NNRT_CUSTOM_UNKNOWN INT64_MIN

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

typedef enum nnrt_custom_attribute_kind {
  NNRT_CUSTOM_INT = 1,     // ints, count 1
  NNRT_CUSTOM_FLOAT = 2,   // floats, count 1
  NNRT_CUSTOM_STRING = 3,  // strings, count 1
  NNRT_CUSTOM_INTS = 4,    // ints
  NNRT_CUSTOM_FLOATS = 5,  // floats
  NNRT_CUSTOM_STRINGS = 6, // strings
  NNRT_CUSTOM_TENSOR = 7   // tensor
} nnrt_custom_attribute_kind;

/// An attribute of the ONNX node. The pointers that do not belong to its kind are null.
typedef struct nnrt_custom_attribute {
  const char *name;
  int32_t kind; // nnrt_custom_attribute_kind
  size_t count;
  const int64_t *ints;
  const float *floats;
  const char *const *strings; // UTF-8, each ends with a zero
  const nnrt_custom_tensor *tensor;
} nnrt_custom_attribute;

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

/// The body of a parallel loop over [begin, end).
typedef void (*nnrt_custom_range)(void *arg, int64_t begin, int64_t end);

/// What a function of an operator gets.
typedef struct nnrt_custom_call nnrt_custom_call;
struct nnrt_custom_call {
  /// Sorted by name. Defaults of the operator are not among them.
  const nnrt_custom_attribute *attributes;
  size_t num_attributes;
  const nnrt_custom_tensor *inputs;
  size_t num_inputs;
  nnrt_custom_tensor *outputs;
  size_t num_outputs;
  /// What `create` made, or null.
  void *state;
  /// Why the function failed, UTF-8, ends with a zero: see nnrt_custom_fail.
  char *message;
  size_t message_size;
  /// Calls body(arg, begin, end) for disjoint ranges that cover [0, count), on the threads of
  /// the session; ranges are at least `grain` long, except for the last. Returns when all are
  /// done. Null but in `run`; nnrt_custom_parallel_for does without.
  void (*parallel_for)(const nnrt_custom_call *call, nnrt_custom_range body, void *arg,
                       int64_t count, int64_t grain);
  /// The caller's.
  const void *host;
};

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

/// In `output_types`: the element type of input number `index`.
#define NNRT_CUSTOM_TYPE_OF(index) (-1 - (index))
/// In `output_types`: `infer_shapes` sets it, say by an attribute. It must not depend on
/// sizes or elements.
#define NNRT_CUSTOM_TYPE_INFERRED 0

/// Functions return 0 for success. After another value the node fails with `message`: in
/// `create` and `infer_shapes` the model is not compiled, or the run ends with
/// NNRT_FAILED_PRECONDITION.
typedef struct nnrt_custom_operator {
  /// As in the ONNX node; "" and "ai.onnx" are the same domain.
  const char *domain;
  const char *name;

  /// How many inputs a node may have; SIZE_MAX for any number.
  size_t min_inputs;
  size_t max_inputs;
  /// For each input the set of types that it may have; the last set is for all further
  /// inputs. NNRT_CUSTOM_SET(NONE) in it: the node may leave the input out, between others
  /// too.
  const uint64_t *input_types;
  size_t num_input_types;

  /// The same for outputs. `output_types` has nnrt_custom_type, or one of the macros above.
  size_t min_outputs;
  size_t max_outputs;
  const int32_t *output_types;
  size_t num_output_types;

  /// May be null. Checks attributes, and prepares what each run needs: called once for each
  /// node when a model is loaded, and when it is compiled. There are no inputs and outputs.
  int32_t (*create)(nnrt_custom_call *call, void **state);
  /// May be null. Frees `state`.
  void (*destroy)(void *state);

  /// Sets `rank` and `dims` of each output (there is room for NNRT_CUSTOM_MAX_RANK sizes), and
  /// fails if the inputs do not fit.
  ///
  /// In the compiler, a size of an input that only the run knows is a negative number: equal
  /// numbers are equal sizes. Such a number may be an output's size; a size that would have to
  /// be computed from it is NNRT_CUSTOM_UNKNOWN. `data` is null unless the elements are
  /// constants. Ranks are always known, and ranks of outputs must be.
  ///
  /// When the model runs, it is called if an output had an unknown size. Then all sizes and
  /// elements are known; the ranks, and the sizes that were not unknown, must be the same
  /// again.
  int32_t (*infer_shapes)(nnrt_custom_call *call);

  /// Computes the outputs, whose memory is the model's, uninitialized, and does not overlap.
  int32_t (*run)(nnrt_custom_call *call);
} nnrt_custom_operator;

typedef struct nnrt_custom_library {
  /// NNRT_CUSTOM_ABI and sizeof(nnrt_custom_operator), as the library was compiled.
  uint32_t abi;
  uint32_t operator_size;
  const nnrt_custom_operator *operators;
  size_t num_operators;
} nnrt_custom_library;

/// To be defined by the library. The result is valid as long as the library is loaded.
NNRT_CUSTOM_EXPORT const nnrt_custom_library *nnrt_custom_operators(void);

//===----------------------------------------------------------------------===//
// Help
//===----------------------------------------------------------------------===//

/// return nnrt_custom_fail(call, "the axis is not one of the input's");
static inline int32_t nnrt_custom_fail(nnrt_custom_call *call, const char *message) {
  snprintf(call->message, call->message_size, "%s", message);
  return 1;
}

/// Null if the node has no such attribute of that kind.
static inline const nnrt_custom_attribute *
nnrt_custom_find(const nnrt_custom_call *call, const char *name,
                 nnrt_custom_attribute_kind kind) {
  for (size_t i = 0; i < call->num_attributes; ++i)
    if (call->attributes[i].kind == (int32_t)kind &&
        strcmp(call->attributes[i].name, name) == 0)
      return &call->attributes[i];
  return NULL;
}
static inline int64_t nnrt_custom_int(const nnrt_custom_call *call, const char *name,
                                      int64_t otherwise) {
  const nnrt_custom_attribute *found = nnrt_custom_find(call, name, NNRT_CUSTOM_INT);
  return found ? found->ints[0] : otherwise;
}
static inline float nnrt_custom_float(const nnrt_custom_call *call, const char *name,
                                      float otherwise) {
  const nnrt_custom_attribute *found = nnrt_custom_find(call, name, NNRT_CUSTOM_FLOAT);
  return found ? found->floats[0] : otherwise;
}
static inline const char *nnrt_custom_string(const nnrt_custom_call *call, const char *name,
                                             const char *otherwise) {
  const nnrt_custom_attribute *found = nnrt_custom_find(call, name, NNRT_CUSTOM_STRING);
  return found ? found->strings[0] : otherwise;
}

/// The number of elements, of a tensor with known sizes.
static inline int64_t nnrt_custom_size(const nnrt_custom_tensor *tensor) {
  int64_t size = 1;
  for (int32_t i = 0; i < tensor->rank; ++i)
    size *= tensor->dims[i];
  return size;
}

/// Gives `to` the shape of `from`.
static inline void nnrt_custom_copy_shape(const nnrt_custom_tensor *from,
                                          nnrt_custom_tensor *to) {
  to->rank = from->rank;
  for (int32_t i = 0; i < from->rank; ++i)
    to->dims[i] = from->dims[i];
}

/// call->parallel_for, or the plain loop where there is none.
static inline void nnrt_custom_parallel_for(const nnrt_custom_call *call,
                                            nnrt_custom_range body, void *arg,
                                            int64_t count, int64_t grain) {
  if (call->parallel_for)
    call->parallel_for(call, body, arg, count, grain);
  else if (count > 0)
    body(arg, 0, count);
}

#ifdef __cplusplus
}
#endif

#endif // NNRT_CUSTOM_OP_H
