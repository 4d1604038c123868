//===- CustomOperator.h - Operators of users' libraries ---------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Finds and calls what is written against nnrt/custom_op.h. The compiler links this too: it
// asks for shapes, and executes models between passes.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_CUSTOMOPERATOR_H
#define NNRT_CORE_CUSTOMOPERATOR_H

#include "CPU/Reference/Reference.h"
#include "Core/CustomNode.h"
#include "nnrt/custom_op.h"

#include <memory>

namespace nnrt {

/// An operator of a library, with the attributes of a node. May be used from many threads.
class CustomOperator {
public:
  /// Loads the library and checks it. Null, with the reason in `error`, if that fails. A
  /// library is looked for in `folders`, as that of the model; at the node's path; in
  /// NNRT_LIBRARY_PATH; and where the system's loader looks.
  static std::unique_ptr<CustomOperator> open(const CustomNode &node,
                                              const std::vector<std::string> &folders,
                                              std::string &error);
  /// Lets the library check the attributes and prepare what runs need. To be called once
  /// before the other calls.
  bool prepare(std::string &error);
  CustomOperator(const CustomOperator &) = delete;
  ~CustomOperator();

  /// What the library says.
  const nnrt_custom_operator &get() const { return *op; }
  /// The file that was loaded.
  const std::string &getPath() const { return path; }

  /// The types of the outputs, of which 0 is for `infer_shapes` to say. False if a node of
  /// such inputs (0: absent) and outputs is none of the operator.
  bool findTypes(const std::vector<int32_t> &inputs, size_t numOutputs,
                 std::vector<int32_t> &outputs, std::string &error) const;

  /// Calls of the library: whether it succeeds; `error` has its message. Outputs of
  /// inferShapes have room for their sizes, and the types that findTypes gives.
  bool inferShapes(const nnrt_custom_tensor *inputs, size_t numInputs,
                   nnrt_custom_tensor *outputs, size_t numOutputs, std::string &error) const;
  bool run(const nnrt_custom_tensor *inputs, size_t numInputs, nnrt_custom_tensor *outputs,
           size_t numOutputs, const Loop &loop, std::string &error) const;

  /// NNRT_ABI_CUSTOM, or with `onlyShapes` NNRT_ABI_CUSTOM_SHAPES. False after a failure,
  /// described in `error`.
  bool callKernel(bool onlyShapes, const int64_t *parameters, const nnrt_abi_tensor *args,
                  const Loop &loop, std::string &error) const;

private:
  explicit CustomOperator(const CustomNode &node);
  bool load(const std::vector<std::string> &folders, std::string &error);
  bool find(std::string &error);
  nnrt_custom_call makeCall(char *message, size_t size,
                            const nnrt_custom_tensor *inputs = nullptr, size_t numInputs = 0,
                            nnrt_custom_tensor *outputs = nullptr,
                            size_t numOutputs = 0) const;

  CustomNode node;
  std::string path;
  void *library = nullptr;
  const nnrt_custom_operator *op = nullptr;
  void *state = nullptr;
  bool isCreated = false;
  // What `attributes` refers to.
  std::vector<std::vector<const char *>> texts;
  std::vector<nnrt_custom_tensor> tensors;
  std::vector<nnrt_custom_attribute> attributes;
};

} // namespace nnrt

#endif // NNRT_CORE_CUSTOMOPERATOR_H
