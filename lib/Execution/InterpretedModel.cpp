//===- InterpretedModel.cpp - models run by the interpreter ---------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Core/Strings.h"
#include "dialects/NN/IR/NN.h"
#include "mlir/IR/Diagnostics.h"
#include "nn/Execution/Model.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;
using llvm::Expected;

namespace {
class InterpretedModel : public Model {
public:
  explicit InterpretedModel(func::FuncOp function)
      : function(function),
        modelStrings(getModelStrings(function->getParentOfType<ModuleOp>())) {}

  llvm::Error initialize();
  Expected<HostTensors> run(ArrayRef<HostTensor> inputs) override;

private:
  func::FuncOp function;
  nnrt::ModelStrings modelStrings;
};
} // namespace

static Expected<TensorInfo> getInfo(Type type, DictionaryAttr attrs,
                                    const std::string &defaultName) {
  auto tensorType = dyn_cast<RankedTensorType>(type);
  std::optional<DataType> dataType =
      tensorType ? getDataType(tensorType.getElementType()) : std::nullopt;
  if (!dataType)
    return createStringError(defaultName + " of @main is not a ranked tensor of "
                                           "a known element type");
  TensorInfo info;
  info.name = defaultName;
  info.type = *dataType;
  for (int64_t dim : tensorType.getShape())
    info.dims.push_back(ShapedType::isDynamic(dim) ? -1 : dim);
  if (attrs) {
    auto stored = attrs.getAs<TypeAttr>("nn.stored_type");
    if (stored && isa<StringType>(stored.getValue()))
      info.type = DataType::String;
    if (auto name = attrs.getAs<StringAttr>("nn.name"))
      info.name = name.str();
    if (auto names = attrs.getAs<ArrayAttr>("nn.dim_names"))
      for (Attribute name : names) {
        auto text = dyn_cast<StringAttr>(name);
        info.dimNames.push_back(text ? text.str() : "");
      }
    if (auto partName = attrs.getAs<StringAttr>("nn.part")) {
      std::optional<ValuePart> part = findPart(partName);
      auto value = attrs.getAs<StringAttr>("nn.value");
      if (!part || !value)
        return createStringError("'" + info.name +
                                 "' of @main has no nn.value, or an unknown nn.part: " +
                                 partName.str());
      info.part = *part;
      info.value = value.str();
    }
  }
  return info;
}

llvm::Error InterpretedModel::initialize() {
  for (unsigned i = 0; i < function.getNumArguments(); ++i) {
    Expected<TensorInfo> info =
        getInfo(function.getArgumentTypes()[i], function.getArgAttrDict(i),
                "input" + std::to_string(i));
    if (!info)
      return info.takeError();
    inputs.push_back(*info);
  }
  for (unsigned i = 0; i < function.getNumResults(); ++i) {
    Expected<TensorInfo> info =
        getInfo(function.getResultTypes()[i], function.getResultAttrDict(i),
                "output" + std::to_string(i));
    if (!info)
      return info.takeError();
    outputs.push_back(*info);
  }
  return initializeValues();
}

static Expected<HostTensor> toNumbers(const HostTensor &tensor, StringRef name,
                                      nnrt::StringTable &strings) {
  HostTensor numbers = HostTensor::allocate(DataType::Int64, tensor.getDims());
  for (auto [index, text] : llvm::enumerate(tensor.getStrings())) {
    if (nnrt::findInvalidUtf8(text) < text.size())
      return createStringError("input '" + name + "': string " + Twine(index) +
                               " is not UTF-8");
    numbers.setInt(index, strings.getNumber(text));
  }
  return numbers;
}

static Expected<HostTensor> toStrings(const HostTensor &numbers, StringRef name,
                                      const nnrt::StringTable &strings) {
  HostTensor tensor = HostTensor::allocate(DataType::String, numbers.getDims());
  for (auto [index, text] : llvm::enumerate(tensor.getMutableStrings())) {
    int64_t number = numbers.getInt(index);
    if (!strings.contains(number))
      return createStringError("output '" + name + "' has a number that no string has");
    text = strings[number];
  }
  return tensor;
}

Expected<HostTensors> InterpretedModel::run(ArrayRef<HostTensor> given) {
  nnrt::StringTable strings(modelStrings);
  HostTensors inputs(given);
  for (auto [input, info] : llvm::zip(inputs, getInputs())) {
    if (info.type != DataType::String || input.getType() != DataType::String)
      continue;
    Expected<HostTensor> numbers = toNumbers(input, info.name, strings);
    if (!numbers)
      return numbers.takeError();
    input = *numbers;
  }
  std::string messages;
  ScopedDiagnosticHandler handler(
      function.getContext(), [&](Diagnostic &diagnostic) {
        llvm::raw_string_ostream stream(messages);
        if (!messages.empty())
          stream << "\n";
        if (!isa<UnknownLoc>(diagnostic.getLocation()))
          stream << diagnostic.getLocation() << ": ";
        stream << diagnostic;
      });
  InterpreterOptions options;
  options.strings = &strings;
  FailureOr<HostTensors> results = interpret(function, inputs, options);
  if (failed(results))
    return createStringError(messages);
  for (auto [result, info] : llvm::zip(*results, getOutputs())) {
    if (info.type != DataType::String)
      continue;
    Expected<HostTensor> texts = toStrings(result, info.name, strings);
    if (!texts)
      return texts.takeError();
    result = *texts;
  }
  return std::move(*results);
}

Expected<std::unique_ptr<Model>> nn::interpretModule(ModuleOp module) {
  auto function = module.lookupSymbol<func::FuncOp>("main");
  if (!function)
    return createStringError("the module has no function @main");
  auto model = std::make_unique<InterpretedModel>(function);
  if (llvm::Error error = model->initialize())
    return std::move(error);
  return model;
}
