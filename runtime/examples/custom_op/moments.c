//===- moments.c - An example of an operator of your own ------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// The operator Moments of the domain com.example: mean and variance of the rows of a tensor,
// which are its last dimension. The attribute `epsilon` is added to the variance.
//
//   cc -O2 -shared -fPIC -I<nn-mlir>/runtime/include moments.c -o libmoments.so
//   nn-translate model.onnx --custom-op=com.example:Moments=libmoments.so -o model.so
//   nn-run model.so --inputs in.npz --outputs out.npz
//
//===----------------------------------------------------------------------===//

#include "nnrt/custom_op.h"

/// Both outputs lack the input's last dimension.
static int32_t infer_shapes(nnrt_custom_call *call) {
  const nnrt_custom_tensor *x = &call->inputs[0];
  if (x->rank == 0)
    return nnrt_custom_fail(call, "a scalar has no rows");
  for (size_t i = 0; i < call->num_outputs; ++i) {
    nnrt_custom_copy_shape(x, &call->outputs[i]);
    --call->outputs[i].rank;
  }
  return 0;
}

struct loop {
  const float *x;
  float *mean, *variance; // variance may be null
  int64_t size;
  float epsilon;
};

static void compute_rows(void *arg, int64_t begin, int64_t end) {
  const struct loop *l = (const struct loop *)arg;
  for (int64_t row = begin; row < end; ++row) {
    const float *x = l->x + row * l->size;
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < l->size; ++i)
      sum += x[i];
    double mean = sum / (double)l->size;
    for (int64_t i = 0; i < l->size; ++i)
      squares += (x[i] - mean) * (x[i] - mean);
    l->mean[row] = (float)mean;
    if (l->variance)
      l->variance[row] = (float)(squares / (double)l->size) + l->epsilon;
  }
}

static int32_t run(nnrt_custom_call *call) {
  const nnrt_custom_tensor *x = &call->inputs[0];
  int64_t size = x->dims[x->rank - 1], rows = nnrt_custom_size(&call->outputs[0]);
  if (size == 0)
    return nnrt_custom_fail(call, "rows without elements have no mean");
  struct loop l = {(const float *)x->data, (float *)call->outputs[0].data, NULL, size,
                   nnrt_custom_float(call, "epsilon", 0.0f)};
  if (call->num_outputs > 1)
    l.variance = (float *)call->outputs[1].data;
  // About 10,000 elements pay for a thread.
  nnrt_custom_parallel_for(call, compute_rows, &l, rows, 1 + 10000 / size);
  return 0;
}

static int32_t create(nnrt_custom_call *call, void **state) {
  (void)state;
  if (nnrt_custom_float(call, "epsilon", 0.0f) < 0.0f)
    return nnrt_custom_fail(call, "epsilon is negative");
  return 0;
}

const nnrt_custom_library *nnrt_custom_operators(void) {
  static const uint64_t input_types[] = {NNRT_CUSTOM_SET(F32)};
  static const int32_t output_types[] = {NNRT_CUSTOM_TYPE_OF(0)};
  static const nnrt_custom_operator moments = {
      "com.example", "Moments", 1, 1, input_types, 1, 1, 2, output_types, 1, create,
      NULL,          infer_shapes, run};
  static const nnrt_custom_library library = {NNRT_CUSTOM_ABI, sizeof(nnrt_custom_operator),
                                              &moments, 1};
  return &library;
}
