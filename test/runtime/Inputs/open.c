/* Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
 * LICENSE.
 *
 * Opens the model that is named on the command line, and says what came of it.
 * In C, so that it also shows that nnrt.h is C. */

#include "nnrt/nnrt.h"

#include <stdio.h>

int main(int argc, char **argv) {
  nnrt_module *module = NULL;
  nnrt_status *status = nnrt_module_open(argc > 1 ? argv[1] : NULL, &module);
  if (status)
    printf("%d: %s\n", (int)nnrt_status_get_code(status),
           nnrt_status_message(status));
  else
    printf("opened %s\n", nnrt_module_variant(module));
  nnrt_status_free(status);
  nnrt_module_free(module);
  return 0;
}
