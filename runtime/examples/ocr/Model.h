//===- Model.h - A compiled model with one input and one output -*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// All that the example does with the runtime is in Model.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef OCR_MODEL_H
#define OCR_MODEL_H

#include "nnrt/nnrt.h"
#include <memory>
#include <string>
#include <vector>

namespace ocr {

/// A row-major float tensor that somebody else owns.
struct TensorView {
  std::vector<int64_t> shape;
  const float *data = nullptr;
};

class Model {
public:
  /// Opens a model that nn-translate compiled; `role` is for messages.
  /// `threads` as in nnrt_session_options. Throws std::runtime_error with the
  /// reason.
  Model(const std::string &role, const std::string &path, int threads);

  /// Runs the model on `input` of the given shape. The result is valid until
  /// the next run. Throws std::runtime_error with the reason.
  TensorView run(const std::vector<int64_t> &shape, std::vector<float> &input);

  /// The value of a key of the model's metadata, or null.
  const char *metadata(const char *key) const;

  /// Milliseconds spent in run() so far.
  double milliseconds() const { return elapsed; }

  /// Throws std::runtime_error, with the model's role and path.
  [[noreturn]] void fail(const std::string &reason) const;

private:
  struct Free {
    void operator()(nnrt_module *module) const { nnrt_module_free(module); }
    void operator()(nnrt_session *session) const { nnrt_session_free(session); }
  };
  void check(nnrt_status *status) const;

  std::string name;
  std::unique_ptr<nnrt_module, Free> module;
  std::unique_ptr<nnrt_session, Free> session;
  double elapsed = 0;
};

} // namespace ocr

#endif // OCR_MODEL_H
