//===- Microsoft.cpp - what handlers of ONNX Runtime's operators share ----===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Microsoft.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

Value importer::addIfPresent(NodeBinder &node, Value value, Value addend) {
  return addend ? node.create<AddOp>(value, addend) : value;
}

namespace {
struct FusedActivation {
  StringLiteral name;
  SmallVector<StringLiteral> attributes;
};
} // namespace

Value importer::activate(NodeBinder &node, Value value, StringRef name,
                         ArrayRef<float> parameters) {
  static const FusedActivation known[] = {
      {"Relu", {}},        {"Sigmoid", {}},        {"Tanh", {}},
      {"Softplus", {}},    {"Softsign", {}},       {"HardSwish", {}},
      {"Gelu", {}},        {"LeakyRelu", {"alpha"}}, {"Elu", {"alpha"}},
      {"ThresholdedRelu", {"alpha"}}, {"HardSigmoid", {"alpha", "beta"}},
      {"Selu", {"alpha", "gamma"}},   {"Clip", {"min", "max"}}};
  if (name.empty() || node.failed())
    return value;
  const FusedActivation *found = llvm::find_if(
      known, [&](const FusedActivation &activation) { return activation.name == name; });
  if (node.require(found != std::end(known), "the activation is supported", name,
                   llvm::join(llvm::map_range(known, [](const FusedActivation &activation) {
                                return activation.name.str();
                              }), ", "),
                   Remedy::ChangeForm)
          .failed())
    return {};
  // Absent parameters have the default values of the operator.
  if (node.require(parameters.size() <= found->attributes.size(),
                   "the activation takes its parameters", Twine(parameters.size()),
                   Twine(found->attributes.size()) + " for " + name)
          .failed())
    return {};
  if (name == "Clip") {
    SmallVector<Value> operands{value};
    for (float bound : parameters)
      operands.push_back(node.constantScalar(bound, getElementType(value)));
    return node.call(name, operands).get();
  }
  OperatorCall call = node.call(name, {value});
  for (auto [attribute, parameter] : llvm::zip(found->attributes, parameters))
    call.attr(attribute, parameter);
  return call.get();
}

static Value moveDim(NodeBinder &node, Value value, int64_t from, int64_t to) {
  if (!value || node.failed())
    return {};
  int64_t rank = getType(value).getRank();
  if (node.require(rank >= 3, "the operand has a batch, channels and spatial dimensions",
                   "rank " + Twine(rank), "rank 3 or more")
          .failed())
    return {};
  auto perm = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  from = shapes::normalizeAxis(from, rank);
  to = shapes::normalizeAxis(to, rank);
  perm.erase(perm.begin() + from);
  perm.insert(perm.begin() + to, from);
  return node.create<TransposeOp>(value, perm);
}

LogicalResult FusedConv::bind(NodeBinder &node, StringRef addendName) {
  return failure(node.operand("X", input).operand("W", weight).optionalOperand("B", bias)
                     .optionalOperand(addendName, addend).attr("activation", activation, "")
                     .attr("activation_params", parameters).failed());
}

Value FusedConv::call(NodeBinder &node) const {
  return node.call("Conv", {input, weight, bias})
      .pass({"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"})
      .get();
}

LogicalResult FusedConv::finish(NodeBinder &node, Value result) const {
  return node.setOutput(
      activate(node, addIfPresent(node, result, addend), activation, parameters));
}

Value importer::toChannelsFirst(NodeBinder &node, Value value) {
  return moveDim(node, value, -1, 1);
}

Value importer::toChannelsLast(NodeBinder &node, Value value) {
  return moveDim(node, value, 1, -1);
}
