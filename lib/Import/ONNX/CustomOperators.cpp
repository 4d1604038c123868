//===- CustomOperators.cpp - nodes that libraries of users compute --------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "CustomOperators.h"
#include "Core/CustomOperator.h"
#include "mlir/IR/Matchers.h"
#include "nn/Import/ONNX.h"
#include "nn/Support/CustomNodes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

llvm::Error nn::addCustomOp(ImportOptions &options, StringRef text) {
  auto [function, library] = text.split('=');
  auto [domain, name] = function.rsplit(':');
  if (!function.contains(':'))
    std::swap(domain, name);
  if (name.empty() || library.empty())
    return llvm::createStringError("--custom-op takes DOMAIN:NAME=LIBRARY, not '" + text + "'");
  if (domain == "ai.onnx")
    domain = "";
  // A name alone is left to the system's loader, unless there is such a file.
  SmallString<128> path(library);
  if (library.contains('/') || llvm::sys::fs::exists(library))
    llvm::sys::fs::make_absolute(path);
  auto [it, isNew] =
      options.customOps.try_emplace({domain.str(), name.str()}, std::string(path));
  if (!isNew && it->second != path)
    return llvm::createStringError("--custom-op gives '" + function + "' two libraries");
  return llvm::Error::success();
}

namespace {
/// The operands of a node, as a library's shape function gets them: sizes that only the run
/// knows are negative numbers, which say which sizes are equal.
class ShapeCall {
public:
  ShapeCall(ImportShapes &shapes, ArrayRef<Value> operands);
  /// The map of an output (see nn.custom), or null after an error.
  AffineMap getShape(MLIRContext *context, const nnrt_custom_tensor &output,
                     std::string &error);

  std::vector<nnrt_custom_tensor> inputs;

private:
  std::vector<SmallVector<int64_t>> sizes; ///< Of operands.
  std::vector<HostTensor> contents;        ///< Of those that are known.
  SmallVector<Dim> unknown;                ///< Number -1-i stands for the i-th.
  SmallVector<int64_t> places;             ///< Where it is among all operands' sizes.
  int64_t numSizes = 0;                    ///< Symbols of maps so far.
};
} // namespace

ShapeCall::ShapeCall(ImportShapes &shapes, ArrayRef<Value> operands)
    : inputs(operands.size()), sizes(operands.size()), contents(operands.size()) {
  for (auto [i, operand] : llvm::enumerate(operands)) {
    if (!operand)
      continue;
    for (Dim dim : shapes.getDims(operand)) {
      std::optional<int64_t> known = getConstant(dim);
      if (known) {
        sizes[i].push_back(*known);
      } else {
        auto *found = llvm::find(unknown, dim);
        sizes[i].push_back(-1 - (found - unknown.begin()));
        if (found == unknown.end()) {
          unknown.push_back(dim);
          places.push_back(numSizes);
        }
      }
      ++numSizes;
    }
    Type element = getElementTypeOrSelf(operand.getType());
    inputs[i] = {nullptr, sizes[i].data(), int32_t(sizes[i].size()),
                 int32_t(*getDataType(element))};
    if (std::optional<HostTensor> value = shapes.evaluate(operand)) {
      contents[i] = *value;
    } else if (ElementsAttr constant; matchPattern(operand, m_Constant(&constant))) {
      if (FailureOr<HostTensor> tensor = toHostTensor(constant); succeeded(tensor))
        contents[i] = *tensor;
    }
    if (contents[i].isValid() && int32_t(contents[i].getType()) == inputs[i].type)
      inputs[i].data = contents[i].getMutableData();
  }
}

AffineMap ShapeCall::getShape(MLIRContext *context, const nnrt_custom_tensor &output,
                              std::string &error) {
  SmallVector<AffineExpr> exprs;
  // Symbols beyond the operands' sizes are for the run, each for one size.
  for (int64_t size : ArrayRef(output.dims, output.rank)) {
    if (size >= 0) {
      exprs.push_back(getAffineConstantExpr(size, context));
    } else if (size == NNRT_CUSTOM_UNKNOWN) {
      exprs.push_back(getAffineSymbolExpr(numSizes++, context));
    } else if (-1 - size < int64_t(places.size())) {
      exprs.push_back(getAffineSymbolExpr(places[-1 - size], context));
    } else {
      error = "the library gives a result the size " + std::to_string(size) +
              ", which stands for no size of the operands";
      return {};
    }
  }
  return AffineMap::get(0, numSizes, exprs, context);
}

/// The number of ONNX for an element type that libraries can have, or nothing.
static std::optional<int32_t> getPassedType(Value operand) {
  std::optional<DataType> type = getDataType(getElementTypeOrSelf(operand.getType()));
  if (!type || isSmall(*type) || isComplex(*type) || *type == DataType::String)
    return std::nullopt;
  return int32_t(*type);
}

LogicalResult importer::importCustom(NodeBinder &node, const NodeInfo &info,
                                     StringRef library) {
  SmallVector<Value> operands;
  NamedAttrList attributes;
  if (node.eachOperand(operands).allAttrs(attributes).failed())
    return failure();
  MLIRContext *context = node.getContext();
  Builder b(context);
  StringAttr function =
      b.getStringAttr((info.domain.empty() ? "ai.onnx" : info.domain) + ":" + info.op);
  DictionaryAttr parameters =
      attributes.empty() ? DictionaryAttr() : attributes.getDictionary(context);
  for (NamedAttribute attribute : attributes)
    if (auto tensor = dyn_cast<ElementsAttr>(attribute.getValue());
        tensor && !isa<DenseArrayAttr>(attribute.getValue())) {
      std::optional<DataType> type = getDataType(tensor.getElementType());
      node.require(type && !isSmall(*type) && *type != DataType::String,
                   "attribute '" + attribute.getName().getValue() +
                       "' has elements that a library can take",
                   show(tensor.getType()), "numbers of 8 bits or more, bool",
                   Remedy::ConvertType);
    }
  SmallVector<int64_t> absent;
  SmallVector<Value> inputs;
  std::vector<int32_t> types, resultTypes;
  for (auto [i, operand] : llvm::enumerate(operands)) {
    if (!operand) {
      absent.push_back(i);
      types.push_back(NNRT_CUSTOM_NONE);
      continue;
    }
    inputs.push_back(operand);
    std::optional<int32_t> type = getPassedType(operand);
    node.require(type.has_value(), "operand " + Twine(i) + " has elements that a library can take",
                 show(operand.getType()), "numbers of 8 bits or more, bool",
                 Remedy::ConvertType);
    types.push_back(type.value_or(NNRT_CUSTOM_NONE));
  }
  if (node.failed())
    return failure();

  std::string error;
  FailureOr<nnrt::CustomNode> custom =
      toCustomNode(getCustomNode(function, b.getStringAttr(library), parameters));
  if (failed(custom))
    return node.fail("the attributes can be read", "a tensor that was released", "");
  auto loaded = nnrt::CustomOperator::open(*custom, /*folders=*/{}, error);
  if (!loaded)
    return node.fail("--custom-op names a library of the operator", error, "",
                     Remedy::FixOption);
  size_t numResults = node.getNumOutputs();
  if (!loaded->findTypes(types, numResults, resultTypes, error))
    return node.fail("the node is one of the library's operator", error, "",
                     Remedy::ChangeForm);
  if (!loaded->prepare(error))
    return node.fail("the library takes the attributes", error, "", Remedy::ChangeForm);

  ShapeCall call(node.getShapes(), operands);
  std::vector<nnrt_custom_tensor> outputs(numResults);
  std::vector<int64_t> sizes(numResults * NNRT_CUSTOM_MAX_RANK);
  for (size_t i = 0; i < numResults; ++i)
    outputs[i] = {nullptr, &sizes[i * NNRT_CUSTOM_MAX_RANK], 0, resultTypes[i]};
  if (!loaded->inferShapes(call.inputs.data(), operands.size(), outputs.data(), numResults,
                           error))
    return node.fail("the library takes the operands", error, "", Remedy::ChangeForm);
  SmallVector<Attribute> elements, shapes;
  for (const nnrt_custom_tensor &output : outputs) {
    Type element = isKnownDataType(output.type)
                       ? getElementType(context, DataType(output.type))
                       : Type();
    AffineMap map = element ? call.getShape(context, output, error) : AffineMap();
    if (!map)
      return node.fail("the library gives types and shapes that there are",
                       error.empty() ? "type " + std::to_string(output.type) : error, "",
                       Remedy::FixOption);
    elements.push_back(TypeAttr::get(element));
    shapes.push_back(AffineMapAttr::get(map));
  }
  SmallVector<Value> results = node.createMany<CustomOp>(
      numResults, function, b.getStringAttr(library), inputs, b.getArrayAttr(elements),
      b.getArrayAttr(shapes), parameters, b.getDenseI64ArrayAttr(absent),
      b.getI64IntegerAttr(info.opset));
  for (auto [i, result] : llvm::enumerate(results))
    (void)node.setOutput(result, i);
  return success(!results.empty());
}
