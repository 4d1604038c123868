/*===- model.c - Models for the runtime's tests ----------------------------===
 *
 * Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
 * LICENSE.
 *
 * Each nnrt_model_run_* is an entry point as the compiler emits them. There is
 * no undefined symbol in them, so that the tests see what generated code sees.
 *
 *===----------------------------------------------------------------------===*/

#include "nnrt_abi.h"

struct affine {
  const float *x, *weight, *bias;
  float *y;
};

static void affine_rows(void *arg, int64_t begin, int64_t end) {
  struct affine *a = arg;
  for (int64_t i = begin * 4; i < end * 4; ++i)
    a->y[i] = a->x[i] * a->weight[i % 4] + a->bias[i % 4];
}

/* y[N, 4] = x[N, 4] * weight + bias, by way of the arena, a block of the pool
 * and a parallel loop. weight and bias are the two blobs of the weights. */
int32_t nnrt_model_run_affine(nnrt_abi_context *ctx,
                              const nnrt_abi_tensor *inputs) {
  int64_t rows = inputs[0].dims[0];
  if (ctx->profiling)
    ctx->table->kernel_begin(ctx, 1);
  float *arena = ctx->table->arena(ctx, rows * 16);
  float *block = ctx->table->allocate(ctx, rows * 16);
  if (!arena || !block)
    return 1;
  struct affine a = {inputs[0].data, (const float *)ctx->weights,
                     (const float *)(ctx->weights + 64), arena};
  ctx->table->parallel_for(ctx, affine_rows, &a, rows, 1);
  int64_t dims[2] = {rows, 4};
  float *y = ctx->table->output(ctx, 0, 2, dims);
  if (!y)
    return 1;
  for (int64_t i = 0; i < rows * 4; ++i)
    block[i] = arena[i];
  for (int64_t i = 0; i < rows * 4; ++i)
    y[i] = block[i];
  if (ctx->profiling) {
    ctx->table->kernel_end(ctx, 1);
    ctx->table->kernel_begin(ctx, 0);
    ctx->table->kernel_end(ctx, 0);
  }
  return 0;
}

/* y[N, 4] = x[N, 4] + 1, by the kernel "add_one" of the device. */
int32_t nnrt_model_run_device(nnrt_abi_context *ctx, const nnrt_abi_tensor *inputs) {
  int64_t rows = inputs[0].dims[0], bytes = rows * 16;
  void *arena = ctx->table->device_arena(ctx, bytes);
  if (!arena || !ctx->table->device_weights(ctx))
    return 1;
  int64_t dims[2] = {rows, 4};
  float *y = ctx->table->output(ctx, 0, 2, dims);
  int64_t arguments[1] = {(int64_t)arena};
  if (!y || ctx->table->device_copy(ctx, arena, inputs[0].data, bytes, NNRT_ABI_TO_DEVICE))
    return 1;
  if (ctx->table->device_launch(ctx, "add_one", arguments, 1, rows * 4)) {
    ctx->table->failed_at(ctx, "Add_0");
    return 1;
  }
  return ctx->table->device_copy(ctx, y, arena, bytes, NNRT_ABI_FROM_DEVICE);
}

/* y[N, 4]: row i is the sum of rows 0 to i of x. A loop as the compiler makes them:
 * each iteration allocates what it carries on, one row longer, and another block. */
int32_t nnrt_model_run_loop(nnrt_abi_context *ctx, const nnrt_abi_tensor *inputs) {
  int64_t rows = inputs[0].dims[0];
  const float *x = inputs[0].data;
  int64_t mark = ctx->table->mark(ctx);
  const float *carried = 0;
  for (int64_t i = 0; i < rows; ++i) {
    float *row = ctx->table->allocate(ctx, 16);
    float *longer = ctx->table->allocate(ctx, (i + 1) * 16);
    if (!row || !longer)
      return 1;
    for (int64_t k = 0; k < 4; ++k)
      row[k] = x[4 * i + k] + (i ? carried[4 * (i - 1) + k] : 0);
    for (int64_t k = 0; k < 4 * i; ++k)
      longer[k] = carried[k];
    for (int64_t k = 0; k < 4; ++k)
      longer[4 * i + k] = row[k];
    /* Where a view of the block begins. */
    const void *kept = longer + 2;
    ctx->table->release(ctx, mark, 1, &kept);
    carried = longer;
  }
  int64_t dims[2] = {rows, 4};
  float *y = ctx->table->output(ctx, 0, 2, dims);
  if (!y)
    return 1;
  for (int64_t i = 0; i < rows * 4; ++i)
    y[i] = carried[i];
  return 0;
}

/* s[N] = a[N] + b[N]: two inputs that share a dim. */
int32_t nnrt_model_run_add(nnrt_abi_context *ctx,
                           const nnrt_abi_tensor *inputs) {
  int64_t size = inputs[0].dims[0];
  float *s = ctx->table->output(ctx, 0, 1, &size);
  if (!s)
    return 1;
  for (int64_t i = 0; i < size; ++i)
    s[i] = ((float *)inputs[0].data)[i] + ((float *)inputs[1].data)[i];
  return 0;
}

/* A sequence with its elements doubled, as parts from number `at` on. */
static int32_t double_items(nnrt_abi_context *ctx, const nnrt_abi_tensor *inputs,
                            int32_t at) {
  float *elements = ctx->table->output(ctx, at, 1, inputs[at].dims);
  int64_t *sizes = ctx->table->output(ctx, at + 1, 1, inputs[at + 1].dims);
  int64_t *items = ctx->table->output(ctx, at + 2, 2, inputs[at + 2].dims);
  if (!elements || !sizes || !items)
    return 1;
  for (int64_t i = 0; i < inputs[at].dims[0]; ++i)
    elements[i] = 2 * ((const float *)inputs[at].data)[i];
  for (int64_t i = 0; i < inputs[at + 1].dims[0]; ++i)
    sizes[i] = ((const int64_t *)inputs[at + 1].data)[i];
  for (int64_t i = 0; i < 2 * inputs[at + 2].dims[0]; ++i)
    items[i] = ((const int64_t *)inputs[at + 2].data)[i];
  return 0;
}

int32_t nnrt_model_run_double(nnrt_abi_context *ctx,
                              const nnrt_abi_tensor *inputs) {
  return double_items(ctx, inputs, 0);
}

/* The same for an optional sequence, which is there as the input is. */
int32_t nnrt_model_run_double_optional(nnrt_abi_context *ctx,
                                       const nnrt_abi_tensor *inputs) {
  char *present = ctx->table->output(ctx, 0, 0, 0);
  if (!present)
    return 1;
  *present = *(const char *)inputs[0].data;
  return double_items(ctx, inputs, 1);
}

/* y[N] = -x[N], an element a byte. */
int32_t nnrt_model_run_negate(nnrt_abi_context *ctx,
                              const nnrt_abi_tensor *inputs) {
  int64_t size = inputs[0].dims[0];
  int8_t *y = ctx->table->output(ctx, 0, 1, &size);
  if (!y)
    return 1;
  for (int64_t i = 0; i < size; ++i)
    y[i] = -((int8_t *)inputs[0].data)[i];
  return 0;
}

/* y[N] = x[N] with the model's string number 1 behind each; where x is that, in a number
   that no string has. */
int32_t nnrt_model_run_strings(nnrt_abi_context *ctx,
                               const nnrt_abi_tensor *inputs) {
  int64_t size = inputs[0].dims[0], behind = 1;
  int64_t *y = ctx->table->output(ctx, 0, 1, &size);
  if (!y)
    return 1;
  const int64_t parameters[] = {NNRT_ABI_CONCAT, 2, NNRT_ABI_S64};
  nnrt_abi_tensor args[] = {inputs[0], {&behind, 0, 0, 0, NNRT_ABI_S64}, inputs[0]};
  args[2].data = y;
  if (ctx->table->kernel(ctx, NNRT_ABI_MAP_STRINGS, parameters, args))
    return 1;
  for (int64_t i = 0; i < size; ++i)
    if (((const int64_t *)inputs[0].data)[i] == behind)
      y[i] = 1000;
  return 0;
}

/* The first of two failures counts. */
int32_t nnrt_model_run_failing(nnrt_abi_context *ctx,
                               const nnrt_abi_tensor *inputs) {
  float first = *(float *)inputs[0].data;
  if (first > 0) {
    ctx->table->fail(ctx, "node 'Reshape_3': 10 elements do not fill [3, 4]");
    ctx->table->fail(ctx, "a later failure");
    return 1;
  }
  return nnrt_model_run_affine(ctx, inputs);
}

int32_t nnrt_model_run_silent(nnrt_abi_context *ctx,
                              const nnrt_abi_tensor *inputs) {
  return 7;
}

int32_t nnrt_model_run_no_output(nnrt_abi_context *ctx,
                                 const nnrt_abi_tensor *inputs) {
  return 0;
}

int32_t nnrt_model_run_huge(nnrt_abi_context *ctx,
                            const nnrt_abi_tensor *inputs) {
  return ctx->table->arena(ctx, INT64_MAX / 2) ? 0 : 1;
}

/* y[N, 1] = pad(x)[N, 4] x weights[4, 1] + bias by oneDNN, when there is one.
 */
static const nnrt_abi_onednn_post_op relu = {
    NNRT_ABI_ONEDNN_ELTWISE, 0x20, 0, 0, 0, 0};
static const nnrt_abi_onednn_site matmul = {
    .kind = NNRT_ABI_ONEDNN_MATMUL,
    .flags = NNRT_ABI_ONEDNN_CONSTANT_WEIGHTS,
    .num_args = 3,
    .num_post_ops = 1,
    .groups = 1,
    .post_ops = &relu,
    .name = "MatMul_0 + Relu_1"};

int32_t nnrt_model_run_matmul(nnrt_abi_context *ctx,
                              const nnrt_abi_tensor *inputs) {
  int64_t dims[2] = {inputs[0].dims[0], 1};
  static const int64_t weight_dims[2] = {4, 1};
  float *y = ctx->table->output(ctx, 0, 2, dims);
  if (!y)
    return 1;
  nnrt_abi_tensor args[3] = {
      inputs[0],
      {(void *)ctx->weights, weight_dims, 0, 2, NNRT_ABI_F32},
      {y, dims, 0, 2, NNRT_ABI_F32}};
  return ctx->table->onednn(ctx, &matmul, args);
}
