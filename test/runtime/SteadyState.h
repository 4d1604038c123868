//===- SteadyState.h - Compiled models on random inputs ---------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_TEST_STEADYSTATE_H
#define NNRT_TEST_STEADYSTATE_H

#include "nnrt/nnrt.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace nnrt {
namespace test {

/// Ends the process with the message of a status, if there is one.
void check(nnrt_status *status);

struct Range {
  int64_t low, high;
};

/// What random inputs are made of.
struct Ranges {
  std::map<std::string, Range> dims; // by name, or as INPUT:INDEX
  Range otherDims = {1, 8};
  Range ints = {0, 1};
};

class Model {
public:
  explicit Model(const std::string &path);
  nnrt_module *get() const { return module.get(); }

  std::vector<nnrt_tensor_info> inputs, outputs;

private:
  struct Free {
    void operator()(nnrt_module *module) const { nnrt_module_free(module); }
  };
  std::unique_ptr<nnrt_module, Free> module;
};

/// Inputs of random shapes and values; equal seeds give equal ones.
class Case {
public:
  Case(const Model &model, const Ranges &ranges, unsigned seed);
  std::map<std::string, int64_t> sizes; // of dimensions, by name
  std::vector<DLTensor> tensors;

private:
  std::vector<std::vector<int64_t>> dims;
  std::vector<std::string> values;
};

class Session {
public:
  Session(const Model &model, int threads);
  nnrt_session *get() const { return session.get(); }

  /// Shapes and values of the results, as bytes. They stay in place from run to
  /// run, so that to look at them allocates nothing.
  const std::vector<std::string> &run(const Case &inputs);
  /// Writes in_I.npy and out_I.npy of the last run into a folder.
  void write(const Case &inputs, const std::string &folder) const;

private:
  struct Free {
    void operator()(nnrt_session *session) const { nnrt_session_free(session); }
  };
  std::unique_ptr<nnrt_session, Free> session;
  std::vector<DLTensor> outputs;
  std::vector<std::string> results;
};

} // namespace test
} // namespace nnrt

#endif // NNRT_TEST_STEADYSTATE_H
