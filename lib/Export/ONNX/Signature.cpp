//===- Signature.cpp - inputs, outputs and facts of an ONNX model ---------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Exporter.h"
#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

func::FuncOp Exporter::findMain() {
  func::FuncOp main;
  for (Operation &op : *module.getBody()) {
    auto function = dyn_cast<func::FuncOp>(op);
    if (function && function.getName() == "main" && !function.isExternal()) {
      main = function;
      continue;
    }
    emitError(op.getLoc())
        << "cannot be written as ONNX, which has the model's function only: write the module "
           "as it is before the phase 'place'";
    return {};
  }
  if (!main)
    emitError(module.getLoc()) << "has no function @main to be written as ONNX";
  else if (!main.getBody().hasOneBlock())
    emitError(main.getLoc()) << "cannot be written as ONNX: it has branches";
  else
    return main;
  return {};
}

void Exporter::measureConstants(func::FuncOp main) {
  uint64_t total = 0;
  llvm::SmallDenseSet<Attribute> seen;
  main.walk([&](ConstantOp op) {
    if (!seen.insert(op.getValue()).second)
      return;
    auto type = op.getResult().getType();
    total += getPackedBytes(*getDataType(type.getElementType()), type.getNumElements());
  });
  weights.setTotal(total);
}

void Exporter::setMetadata(func::FuncOp main) {
  model.set_ir_version(getIRVersion(opset));
  onnx::OperatorSetIdProto *import = model.add_opset_import();
  import->set_domain("");
  import->set_version(opset);
  for (const auto &[domain, version] : foreignOpsets) {
    import = model.add_opset_import();
    import->set_domain(domain);
    import->set_version(version);
  }
  model.set_producer_name("nn-mlir");
  auto name = dyn_cast<NameLoc>(main.getLoc());
  graph->set_name(name ? name.getName().str() : "main");
  if (auto metadata = module->getAttrOfType<ArrayAttr>("nn.metadata"))
    for (auto pair : metadata.getAsRange<ArrayAttr>()) {
      onnx::StringStringEntryProto *entry = model.add_metadata_props();
      entry->set_key(cast<StringAttr>(pair[0]).str());
      entry->set_value(cast<StringAttr>(pair[1]).str());
    }
}

//===----------------------------------------------------------------------===//
// Inputs and outputs
//===----------------------------------------------------------------------===//

static std::string getSignatureName(DictionaryAttr attributes, const Twine &otherwise) {
  auto name = attributes ? attributes.getAs<StringAttr>("nn.name") : StringAttr();
  return name && !name.empty() ? name.str() : otherwise.str();
}

/// The names of dimensions that only the run knows.
static void addDimNames(DictionaryAttr attributes, onnx::TypeProto &type) {
  auto names = attributes ? attributes.getAs<ArrayAttr>("nn.dim_names") : ArrayAttr();
  if (!names)
    return;
  for (auto [name, dim] :
       llvm::zip(names.getAsRange<StringAttr>(),
                 *type.mutable_tensor_type()->mutable_shape()->mutable_dim()))
    if (!dim.has_dim_value() && !name.empty())
      dim.set_dim_param(name.str());
}

/// Reports what ONNX cannot say of an input or output.
static bool checkSignature(Operation *main, StringRef name, DictionaryAttr attributes,
                           Type type) {
  auto refuse = [&](const Twine &why) {
    emitError(main->getLoc()) << "the tensor '" << name
                              << "' of its signature cannot be written as ONNX: "
                              << why.str();
    return false;
  };
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !getDataType(tensor.getElementType()))
    return refuse("it is no tensor; write the module as it is before the phase 'bufferize'");
  auto stored = attributes ? attributes.getAs<TypeAttr>("nn.stored_type") : TypeAttr();
  if (stored && isa<StringType>(stored.getValue()))
    return refuse("it holds strings, which are numbers in nn, and which other tensors hold "
                  "strings is lost; change the original model");
  if (stored)
    return refuse("it holds the bytes of a small type; write the module as it is before the "
                  "phase 'legalize'");
  return true;
}

bool Exporter::writeInputs(func::FuncOp main) {
  bool isWritten = true;
  for (unsigned index = 0, count = 1; index < main.getNumArguments(); index += count) {
    BlockArgument argument = main.getArgument(index);
    DictionaryAttr attributes = main.getArgAttrDict(index);
    std::string wanted = getSignatureName(attributes, "input_" + Twine(index));
    if (!checkSignature(main, wanted, attributes, argument.getType())) {
      isWritten = false;
      count = 1;
    } else if (attributes && attributes.get("nn.part")) {
      count = writeStructuredInput(main, index);
    } else {
      bind(argument, addInput(argument.getType(), wanted));
      addDimNames(attributes, *graph->mutable_input()->rbegin()->mutable_type());
      count = 1;
    }
  }
  return isWritten;
}

bool Exporter::reserveOutputs(func::FuncOp main) {
  bool isWritten = true;
  for (auto [index, value] :
       llvm::enumerate(main.getBody().front().getTerminator()->getOperands())) {
    DictionaryAttr attributes = main.getResultAttrDict(index);
    std::string wanted = getSignatureName(attributes, "output_" + Twine(index));
    isWritten &= checkSignature(main, wanted, attributes, value.getType());
    if (auto whole = attributes ? attributes.getAs<StringAttr>("nn.value") : StringAttr()) {
      // Only the first of its tensors has its name.
      bool isFirst = index == 0 || main.getResultAttr(index - 1, "nn.value") != whole;
      outputNames.push_back(isFirst ? tensors.take(whole) : "");
      continue;
    }
    // An input may be an output too.
    outputNames.push_back(getName(value) == wanted ? wanted : tensors.take(wanted));
    if (auto result = dyn_cast<OpResult>(value))
      outputs.try_emplace(result, outputNames.back());
  }
  return isWritten;
}

void Exporter::addOutput(const Name &name, const onnx::TypeProto &type) {
  onnx::ValueInfoProto *output = graph->add_output();
  output->set_name(name);
  *output->mutable_type() = type;
  types[name] = getTypeName(type);
}

void Exporter::writeOutputs(func::FuncOp main) {
  Operation *end = main.getBody().front().getTerminator();
  for (unsigned index = 0, count = 1; index < end->getNumOperands(); index += count) {
    const Name &name = outputNames[index];
    DictionaryAttr attributes = main.getResultAttrDict(index);
    if (attributes && attributes.get("nn.part")) {
      count = writeStructuredOutput(main, index, name);
      continue;
    }
    count = 1;
    Value value = end->getOperand(index);
    if (getName(value) != name)
      addNode(end, "Identity", {getName(value)}, {name}, {}, /*isMain=*/false);
    onnx::TypeProto type = getType(value.getType());
    addDimNames(attributes, type);
    addOutput(name, type);
  }
}
