//===- Custom.cpp - operators that libraries of users compute -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Core/CustomOperator.h"
#include "Registry.h"
#include "dialects/NN/IR/NN.h"
#include "nn/Support/CustomNodes.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

/// The node's operator, ready to be called; null with the reason in `error`.
static std::unique_ptr<nnrt::CustomOperator> openOperator(DictionaryAttr custom,
                                                          std::string &error) {
  FailureOr<nnrt::CustomNode> node = toCustomNode(custom);
  if (failed(node)) {
    error = "has an attribute whose memory was released";
    return nullptr;
  }
  auto loaded = nnrt::CustomOperator::open(*node, /*folders=*/{}, error);
  return loaded && loaded->prepare(error) ? std::move(loaded) : nullptr;
}

/// Calls a function of ranges on one thread.
static void runSerially(nnrt_abi_range_fn fn, void *arg, int64_t count, int64_t) {
  fn(arg, 0, count);
}

bool nn::callCustomKernel(DictionaryAttr custom, bool onlyShapes, const int64_t *parameters,
                          const nnrt_abi_tensor *args, std::string &error) {
  auto loaded = openOperator(custom, error);
  return loaded && loaded->callKernel(onlyShapes, parameters, args, runSerially, error);
}

static LogicalResult custom(CustomOp op, Call &call) {
  std::string error;
  auto loaded = openOperator(
      getCustomNode(op.getFunctionAttr(), op.getLibraryAttr(), op.getParametersAttr()), error);
  if (!loaded)
    return call.fail(error);

  std::vector<nnrt_custom_tensor> inputs(op.getInputs().size() + op.getAbsent().size());
  unsigned next = 0;
  for (size_t place = 0; place < inputs.size(); ++place) {
    if (llvm::is_contained(op.getAbsent(), int64_t(place)))
      continue;
    const HostTensor &tensor = call.getOperand(next++);
    inputs[place] = {const_cast<void *>(tensor.getData()),
                     const_cast<int64_t *>(tensor.getDims().data()), int32_t(tensor.getRank()),
                     int32_t(tensor.getType())};
  }
  size_t numOutputs = op.getNumResults();
  std::vector<nnrt_custom_tensor> outputs(numOutputs);
  std::vector<int64_t> sizes(numOutputs * NNRT_CUSTOM_MAX_RANK);
  for (size_t i = 0; i < numOutputs; ++i)
    outputs[i] = {nullptr, &sizes[i * NNRT_CUSTOM_MAX_RANK], 0,
                  int32_t(call.getResultType(i))};
  if (!loaded->inferShapes(inputs.data(), inputs.size(), outputs.data(), numOutputs, error))
    return call.fail(error);
  HostTensors results;
  for (auto [i, output] : llvm::enumerate(outputs)) {
    ArrayRef<int64_t> dims(output.dims, output.rank);
    if (llvm::any_of(dims, [](int64_t size) { return size < 0; }))
      return call.fail("has a result " + Twine(i) + " of a negative size");
    results.push_back(HostTensor::allocate(call.getResultType(i), dims));
    output.data = results.back().getMutableData();
  }
  if (!loaded->run(inputs.data(), inputs.size(), outputs.data(), numOutputs, runSerially,
                   error))
    return call.fail(error);
  for (HostTensor &result : results)
    (void)call.give(std::move(result));
  return success();
}

void interpreter::registerCustom(Registry &registry) { registry.add<CustomOp>(custom); }
