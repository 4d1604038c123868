/*===- run_model.c - Runs a compiled model on zeros -------------------------===
 *
 * Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
 * LICENSE.
 *
 * The smallest complete program on nnrt.h: opens a model, prints what it takes
 * and gives, runs it once on zeros, and prints the first numbers of each
 *output.
 *
 *   run_model model.so [NAME=SIZE ...]
 *
 * gives the sizes that the model leaves open: by the dimension's name, or as
 * INPUT:AXIS=SIZE where it has none. What is not given is 1.
 *
 *===----------------------------------------------------------------------===*/

#include "nnrt/nnrt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints the message of a failure and ends the program. */
static void check(nnrt_status *status) {
  if (!status)
    return;
  fprintf(stderr, "error: %s\n", nnrt_status_message(status));
  nnrt_status_free(status);
  exit(1);
}

static void print_tensor(const char *what, const nnrt_tensor_info *info) {
  printf("%s %s: ", what, info->name);
  for (int32_t i = 0; i < info->rank; ++i) {
    printf(i ? " x " : "");
    if (info->dims[i] >= 0)
      printf("%lld", (long long)info->dims[i]);
    else
      printf("%s", info->dim_names[i][0] ? info->dim_names[i] : "?");
  }
  printf(" of DLPack type (%d, %d bits)\n", info->dtype.code, info->dtype.bits);
}

/* The size that the command line gives to an open dimension. */
static int64_t find_size(const nnrt_tensor_info *info, int32_t axis, int argc,
                         char **argv) {
  char by_axis[512];
  snprintf(by_axis, sizeof(by_axis), "%s:%d", info->name, (int)axis);
  for (int i = 2; i < argc; ++i) {
    const char *equals = strrchr(argv[i], '=');
    size_t length = equals ? (size_t)(equals - argv[i]) : 0;
    const char *names[2] = {info->dim_names[axis], by_axis};
    for (int n = 0; n < 2; ++n)
      if (length && strlen(names[n]) == length &&
          !strncmp(argv[i], names[n], length))
        return strtoll(equals + 1, NULL, 10);
  }
  return 1;
}

/* A tensor of zeros; the caller frees data and shape. */
static DLTensor make_zeros(const nnrt_tensor_info *info, int argc,
                           char **argv) {
  DLTensor tensor;
  memset(&tensor, 0, sizeof(tensor));
  size_t elements = 1;
  tensor.shape = calloc((size_t)info->rank + 1, sizeof(int64_t));
  for (int32_t i = 0; tensor.shape && i < info->rank; ++i) {
    tensor.shape[i] =
        info->dims[i] >= 0 ? info->dims[i] : find_size(info, i, argc, argv);
    elements *= (size_t)tensor.shape[i];
  }
  tensor.data = calloc(elements + 1, (size_t)(info->dtype.bits + 7) / 8);
  if (!tensor.shape || !tensor.data) {
    fprintf(stderr, "error: no memory for input '%s'\n", info->name);
    exit(1);
  }
  tensor.device.device_type = kDLCPU;
  tensor.dtype = info->dtype;
  tensor.ndim = info->rank;
  return tensor;
}

static void print_head(const char *name, const DLTensor *tensor) {
  size_t elements = 1;
  printf("%s = [", name);
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    printf("%s%lld", i ? ", " : "", (long long)tensor->shape[i]);
    elements *= (size_t)tensor->shape[i];
  }
  printf("]:");
  const char *data = (const char *)tensor->data + tensor->byte_offset;
  for (size_t i = 0; i < elements && i < 8; ++i) {
    if (tensor->dtype.code == kDLFloat && tensor->dtype.bits == 32)
      printf(" %g", ((const float *)data)[i]);
    else if (tensor->dtype.code == kDLInt && tensor->dtype.bits == 64)
      printf(" %lld", (long long)((const int64_t *)data)[i]);
    else /* the bits of the first byte */
      printf(" 0x%02x",
             (unsigned char)data[i * (((size_t)tensor->dtype.bits + 7) / 8)]);
  }
  printf("%s\n", elements > 8 ? " ..." : "");
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s model.so [NAME=SIZE | INPUT:AXIS=SIZE ...]\n",
            argv[0]);
    return 2;
  }
  nnrt_module *module;
  nnrt_session *session;
  check(nnrt_module_open(argv[1], &module));
  check(nnrt_session_create(module, NULL, &session));

  size_t num_inputs = nnrt_module_num_inputs(module);
  size_t num_outputs = nnrt_module_num_outputs(module);
  DLTensor *inputs = calloc(num_inputs + 1, sizeof(DLTensor));
  /* Outputs without data: the session gives the memory. */
  DLTensor *outputs = calloc(num_outputs + 1, sizeof(DLTensor));
  nnrt_tensor_info info;
  for (size_t i = 0; i < num_inputs; ++i) {
    check(nnrt_module_input(module, i, &info));
    print_tensor("input ", &info);
    inputs[i] = make_zeros(&info, argc, argv);
  }
  for (size_t i = 0; i < num_outputs; ++i) {
    check(nnrt_module_output(module, i, &info));
    print_tensor("output", &info);
  }

  check(nnrt_session_run(session, inputs, num_inputs, outputs, num_outputs,
                         NULL));
  for (size_t i = 0; i < num_outputs; ++i) {
    check(nnrt_module_output(module, i, &info));
    print_head(info.name, &outputs[i]);
  }

  for (size_t i = 0; i < num_inputs; ++i) {
    free(inputs[i].data);
    free(inputs[i].shape);
  }
  free(inputs);
  free(outputs);
  nnrt_session_free(session); /* with the outputs */
  nnrt_module_free(module);
  return 0;
}
