//===- Isolated.cpp - code that may crash ---------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Isolated.h"
#include "llvm/Support/Errno.h"
#include <csignal>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir::nn;

/// Does the work in the child process and writes the result to the pipe. Never returns.
[[noreturn]] static void runChild(llvm::function_ref<std::string()> work,
                                  unsigned seconds, int pipe) {
  // Crashes are expected here: no stack trace, no core file, no handlers.
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM, SIGPIPE})
    std::signal(signal, SIG_DFL);
  rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  alarm(seconds);
  std::string result = work();
  for (size_t done = 0; done < result.size();) {
    ssize_t size = llvm::sys::RetryAfterSignal(-1, write, pipe, result.data() + done,
                                               result.size() - done);
    if (size < 0)
      _exit(1);
    done += size;
  }
  // Buffers and atexit functions belong to the parent.
  _exit(0);
}

std::optional<std::string>
importer::runIsolated(llvm::function_ref<std::string()> work, unsigned seconds) {
  int ends[2];
  if (pipe(ends) != 0)
    return std::nullopt;
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    runChild(work, seconds, ends[1]);
  }
  close(ends[1]);
  std::string result;
  char buffer[4096], *to = buffer;
  ssize_t size = 0;
  while (child > 0 && (size = llvm::sys::RetryAfterSignal(-1, read, ends[0], to,
                                                          sizeof(buffer))) > 0)
    result.append(buffer, size);
  close(ends[0]);
  int status = 0;
  if (child < 0 ||
      llvm::sys::RetryAfterSignal(-1, waitpid, child, &status, 0) != child ||
      !WIFEXITED(status) || WEXITSTATUS(status) != 0 || size < 0)
    return std::nullopt;
  return result;
}
