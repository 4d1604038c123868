/* Runs the library argv[1] on four numbers. */
#include "nnrt/nnrt.h"
#include <stdio.h>

int main(int argc, char **argv) {
  float x[] = {-1, 2, -3, 4}, y[4];
  int64_t shape[] = {4};
  DLTensor input = {x, {kDLCPU, 0}, 1, {kDLFloat, 32, 1}, shape, NULL, 0};
  DLTensor output = {y, {kDLCPU, 0}, 1, {kDLFloat, 32, 1}, shape, NULL, 0};
  nnrt_module *module = NULL;
  nnrt_session *session = NULL;
  nnrt_status *status = nnrt_module_open(argv[argc - 1], &module);
  if (!status)
    status = nnrt_session_create(module, NULL, &session);
  if (!status)
    status = nnrt_session_run(session, &input, 1, &output, 1, NULL);
  if (status) {
    fprintf(stderr, "%s\n", nnrt_status_message(status));
    nnrt_status_free(status);
    return 1;
  }
  printf("%g %g %g %g\n", y[0], y[1], y[2], y[3]);
  nnrt_session_free(session);
  nnrt_module_free(module);
  return 0;
}
