//===- custom_ops.c - Operators for the tests of custom_op.h --------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "nnrt/custom_op.h"
#include <stdlib.h>

//===----------------------------------------------------------------------===//
// test:Scale: alpha * x * scale + sum of `add`, with both operands optional; scales and
// biases are scalars
//===----------------------------------------------------------------------===//

static int32_t like_first(nnrt_custom_call *call) {
  for (size_t i = 0; i < call->num_outputs; ++i)
    nnrt_custom_copy_shape(&call->inputs[0], &call->outputs[i]);
  return 0;
}

/// The sum of the attribute `add` is what runs need.
static int32_t create_scale(nnrt_custom_call *call, void **state) {
  const nnrt_custom_attribute *add = nnrt_custom_find(call, "add", NNRT_CUSTOM_INTS);
  const nnrt_custom_attribute *more = nnrt_custom_find(call, "more", NNRT_CUSTOM_FLOATS);
  const nnrt_custom_attribute *words = nnrt_custom_find(call, "words", NNRT_CUSTOM_STRINGS);
  double *sum = (double *)calloc(1, sizeof(double));
  for (size_t i = 0; add && i < add->count; ++i)
    *sum += (double)add->ints[i];
  for (size_t i = 0; more && i < more->count; ++i)
    *sum += more->floats[i];
  for (size_t i = 0; words && i < words->count; ++i)
    *sum += (double)strlen(words->strings[i]);
  *state = sum;
  return 0;
}

static int32_t run_scale(nnrt_custom_call *call) {
  const nnrt_custom_tensor *x = &call->inputs[0];
  double scale = nnrt_custom_float(call, "alpha", 1.0f), bias = *(double *)call->state;
  for (size_t i = 1; i < call->num_inputs; ++i) {
    if (call->inputs[i].type == NNRT_CUSTOM_NONE)
      continue;
    double value = x->type == NNRT_CUSTOM_F64 ? *(double *)call->inputs[i].data
                                              : *(float *)call->inputs[i].data;
    if (i == 1)
      scale *= value;
    else
      bias += value;
  }
  for (int64_t i = 0; i < nnrt_custom_size(x); ++i)
    if (x->type == NNRT_CUSTOM_F64)
      ((double *)call->outputs[0].data)[i] = ((double *)x->data)[i] * scale + bias;
    else
      ((float *)call->outputs[0].data)[i] = (float)(((float *)x->data)[i] * scale + bias);
  return 0;
}

//===----------------------------------------------------------------------===//
// test:Positive: the elements above zero and their places, whose number only the run knows
//===----------------------------------------------------------------------===//

static int64_t count_positive(const nnrt_custom_tensor *x) {
  int64_t count = 0;
  for (int64_t i = 0; i < nnrt_custom_size(x); ++i)
    count += ((float *)x->data)[i] > 0;
  return count;
}

static int32_t infer_positive(nnrt_custom_call *call) {
  for (size_t i = 0; i < call->num_outputs; ++i) {
    const nnrt_custom_tensor *x = &call->inputs[0];
    call->outputs[i].rank = 1;
    call->outputs[i].dims[0] = x->data ? count_positive(x) : NNRT_CUSTOM_UNKNOWN;
  }
  return 0;
}

static int32_t run_positive(nnrt_custom_call *call) {
  const float *x = (const float *)call->inputs[0].data;
  int64_t next = 0;
  for (int64_t i = 0; i < nnrt_custom_size(&call->inputs[0]); ++i) {
    if (!(x[i] > 0))
      continue;
    ((float *)call->outputs[0].data)[next] = x[i];
    if (call->num_outputs > 1)
      ((int64_t *)call->outputs[1].data)[next] = i;
    ++next;
  }
  return 0;
}

//===----------------------------------------------------------------------===//
// test:Stack: inputs of one shape, one after the other along a new first dimension
//===----------------------------------------------------------------------===//

static int32_t infer_stack(nnrt_custom_call *call) {
  nnrt_custom_tensor *y = &call->outputs[0];
  y->rank = call->inputs[0].rank + 1;
  y->dims[0] = (int64_t)call->num_inputs;
  for (int32_t d = 0; d < call->inputs[0].rank; ++d)
    y->dims[d + 1] = call->inputs[0].dims[d];
  for (size_t i = 1; i < call->num_inputs; ++i)
    if (call->inputs[i].rank != call->inputs[0].rank)
      return nnrt_custom_fail(call, "the inputs have different ranks");
  return 0;
}

static void stack_range(void *arg, int64_t begin, int64_t end) {
  const nnrt_custom_call *call = (const nnrt_custom_call *)arg;
  size_t bytes = (size_t)nnrt_custom_size(&call->inputs[0]);
  for (int64_t i = begin; i < end; ++i)
    memcpy((char *)call->outputs[0].data + (size_t)i * bytes, call->inputs[i].data, bytes);
}

static int32_t run_stack(nnrt_custom_call *call) {
  for (size_t i = 1; i < call->num_inputs; ++i)
    if (nnrt_custom_size(&call->inputs[i]) != nnrt_custom_size(&call->inputs[0]))
      return nnrt_custom_fail(call, "the inputs have different sizes");
  nnrt_custom_parallel_for(call, stack_range, call, (int64_t)call->num_inputs, 1);
  return 0;
}

//===----------------------------------------------------------------------===//
// test:Lookup: elements of the attribute `table`, whose type the result has
//===----------------------------------------------------------------------===//

static int32_t infer_lookup(nnrt_custom_call *call) {
  const nnrt_custom_attribute *table = nnrt_custom_find(call, "table", NNRT_CUSTOM_TENSOR);
  if (!table)
    return nnrt_custom_fail(call, "there is no attribute 'table'");
  call->outputs[0].type = table->tensor->type;
  return like_first(call);
}

static int32_t run_lookup(nnrt_custom_call *call) {
  const nnrt_custom_tensor *table =
      nnrt_custom_find(call, "table", NNRT_CUSTOM_TENSOR)->tensor;
  size_t bytes = table->type == NNRT_CUSTOM_S64 ? 8 : 4;
  for (int64_t i = 0; i < nnrt_custom_size(&call->inputs[0]); ++i) {
    int64_t place = ((int64_t *)call->inputs[0].data)[i];
    if (place < 0 || place >= nnrt_custom_size(table))
      return nnrt_custom_fail(call, "an index is not in the table");
    memcpy((char *)call->outputs[0].data + (size_t)i * bytes,
           (char *)table->data + (size_t)place * bytes, bytes);
  }
  return 0;
}

//===----------------------------------------------------------------------===//
// test:Fail: fails where the attribute `at` says
//===----------------------------------------------------------------------===//

static int32_t fails_at(nnrt_custom_call *call, const char *place) {
  if (strcmp(nnrt_custom_string(call, "at", ""), place) != 0)
    return 0;
  return nnrt_custom_fail(call, place);
}

static int32_t create_fail(nnrt_custom_call *call, void **state) {
  (void)state;
  return fails_at(call, "create");
}
static int32_t infer_fail(nnrt_custom_call *call) {
  if (strcmp(nnrt_custom_string(call, "at", ""), "rank") == 0)
    return 0; // without a word of the shape
  if (strcmp(nnrt_custom_string(call, "at", ""), "size") == 0) {
    call->outputs[0].rank = 1;
    call->outputs[0].dims[0] = -99;
    return 0;
  }
  return fails_at(call, "infer_shapes") || like_first(call);
}
static int32_t run_fail(nnrt_custom_call *call) { return fails_at(call, "run"); }

//===----------------------------------------------------------------------===//
// ai.onnx:Softsign, which here is one more than x
//===----------------------------------------------------------------------===//

static int32_t run_plus_one(nnrt_custom_call *call) {
  for (int64_t i = 0; i < nnrt_custom_size(&call->inputs[0]); ++i)
    ((float *)call->outputs[0].data)[i] = ((float *)call->inputs[0].data)[i] + 1;
  return 0;
}

static const uint64_t floats[] = {
    NNRT_CUSTOM_SET(F32) | NNRT_CUSTOM_SET(F64),
    NNRT_CUSTOM_SET(F32) | NNRT_CUSTOM_SET(F64) | NNRT_CUSTOM_SET(NONE)};
static const uint64_t f32[] = {NNRT_CUSTOM_SET(F32)};
static const uint64_t bytes[] = {NNRT_CUSTOM_SET(U8) | NNRT_CUSTOM_SET(S8) |
                                 NNRT_CUSTOM_SET(BOOL)};
static const uint64_t s64[] = {NNRT_CUSTOM_SET(S64)};
static const int32_t same[] = {NNRT_CUSTOM_TYPE_OF(0)};
static const int32_t same_and_s64[] = {NNRT_CUSTOM_TYPE_OF(0), NNRT_CUSTOM_S64};
static const int32_t inferred[] = {NNRT_CUSTOM_TYPE_INFERRED};

static const nnrt_custom_operator operators[] = {
    {"test", "Scale", 1, 3, floats, 2, 1, 1, same, 1, create_scale, free, like_first, run_scale},
    {"test", "Positive", 1, 1, f32, 1, 1, 2, same_and_s64, 2, NULL, NULL, infer_positive,
     run_positive},
    {"test", "Stack", 1, SIZE_MAX, bytes, 1, 1, 1, same, 1, NULL, NULL, infer_stack, run_stack},
    {"test", "Lookup", 1, 1, s64, 1, 1, 1, inferred, 1, NULL, NULL, infer_lookup, run_lookup},
    {"test", "Fail", 1, 1, f32, 1, 1, 1, same, 1, create_fail, NULL, infer_fail, run_fail},
    {"ai.onnx", "Softsign", 1, 1, f32, 1, 1, 1, same, 1, NULL, NULL, like_first, run_plus_one}};

#ifndef TEST_ABI
#define TEST_ABI NNRT_CUSTOM_ABI
#endif

const nnrt_custom_library *nnrt_custom_operators(void) {
  static const nnrt_custom_library library = {TEST_ABI, sizeof(nnrt_custom_operator), operators,
                                              sizeof(operators) / sizeof(operators[0])};
  return &library;
}
