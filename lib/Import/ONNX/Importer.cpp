//===- Importer.cpp - inputs, outputs, weights of an ONNX model -----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Importer.h"
#include "OnnxLibrary.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

bool nn::isONNXFile(StringRef path) {
  return path.ends_with(".onnx") || path.ends_with(".onnxtxt");
}

OwningOpRef<ModuleOp> nn::importONNX(MLIRContext &context, StringRef path,
                                     const ImportOptions &options,
                                     TriageReport &report) {
  context.loadDialect<NNDialect, func::FuncDialect, cf::ControlFlowDialect,
                      scf::SCFDialect>();
  report.setFact("model", path.str());
  struct Attempt {
    TriageReport report;
    OwningOpRef<ModuleOp> module;
    bool assumed = false, isSound = false;
  };
  auto attempt = [&](bool unknownDimsAreOne) {
    Attempt result{report, {}};
    // Importing takes the model to pieces.
    onnx::ModelProto model;
    if (std::optional<ReadError> error = readModel(path, model)) {
      result.report.add({{}, error->constraint, error->seen, "", Remedy::FixModel,
                         error->advice});
      return result;
    }
    Importer importer(context, path, model, options, result.report);
    result.module = importer.run(unknownDimsAreOne);
    result.assumed = importer.hasAssumedDims();
    result.isSound = result.report.empty() && !importer.contradictsDeclaredRanks();
    return result;
  };
  // Where the rank of a result hangs on dimensions that only the run knows, these are
  // kept, or taken away if only so all fits the model's declared outputs.
  Attempt best = attempt(/*unknownDimsAreOne=*/false);
  if (best.assumed && !best.isSound) {
    Attempt other = attempt(/*unknownDimsAreOne=*/true);
    if (other.isSound)
      best = std::move(other);
  }
  report = std::move(best.report);
  if (!report.empty())
    return {};
  return std::move(best.module);
}

void Importer::reportProblem(const NodeInfo &node, const Twine &constraint,
                             const Twine &seen, const Twine &accepted,
                             Remedy remedy, const Twine &advice) {
  report.add({node, constraint.str(), seen.str(), accepted.str(), remedy,
              advice.str()});
}

OwningOpRef<ModuleOp> Importer::run(bool unknownDimsAreOne) {
  state.unknownDimsAreOne = unknownDimsAreOne;
  setFacts();
  if (!model.has_graph()) {
    reportProblem({}, "the model has a graph", "none", "");
    return {};
  }
  readOpsets();
  readFunctions();

  const onnx::GraphProto &graph = model.graph();
  StringRef graphName = graph.name().empty() ? "main" : StringRef(graph.name());
  Location location = NameLoc::get(StringAttr::get(&context, graphName));
  OwningOpRef<ModuleOp> module = ModuleOp::create(location);
  setModuleAttributes(*module);
  OpBuilder builder(module->getBodyRegion());
  auto main = func::FuncOp::create(builder, location, "main",
                                   builder.getFunctionType({}, {}));
  mainBlock = main.addEntryBlock();
  state.builder.setInsertionPointToEnd(mainBlock);

  Scope scope;
  scope.opsets = opsets;
  bindWeights(*model.mutable_graph(), scope);
  importInputs(main, scope);
  checkSetDims();
  for (const auto &output : graph.output())
    scope.used.insert(output.name());
  importNodes(*model.mutable_graph()->mutable_node(), scope);
  importOutputs(main, scope);

  // Weights that were only looked at (shapes, axes) are not part of the graph.
  for (std::unique_ptr<Region> &region : discarded)
    region->dropAllReferences();
  discarded.clear();
  SmallVector<Operation *> constants;
  main.walk([&](ConstantOp op) { constants.push_back(op); });
  for (Operation *op : constants)
    if (op->use_empty())
      op->erase();
  if (report.empty()) {
    std::string message;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      message += diagnostic.str() + "\n";
    });
    if (failed(verify(*module)))
      reportProblem({}, "the imported module is valid", message, "",
                    Remedy::FixModel, "report this as a bug of nn-mlir");
  }
  return module;
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

static std::string getProducer(const onnx::ModelProto &model) {
  std::string producer = model.producer_name();
  if (!model.producer_version().empty())
    producer += (producer.empty() ? "" : " ") + model.producer_version();
  return producer;
}

void Importer::setFacts() {
  report.setFact("producer", getProducer(model));
  report.setFact("ir_version", std::to_string(model.ir_version()));
  std::string text;
  for (const auto &opset : model.opset_import())
    text += (text.empty() ? "" : ", ") +
            (opset.domain().empty() ? "ai.onnx" : opset.domain()) + " " +
            std::to_string(opset.version());
  report.setFact("opsets", text);
}

void Importer::readOpsets() {
  for (const auto &opset : model.opset_import()) {
    StringRef domain = opset.domain() == "ai.onnx" ? "" : StringRef(opset.domain());
    if (opset.version() < 1)
      reportProblem({}, "opset versions are positive",
                    domain + " " + Twine(opset.version()), "");
    opsets[domain] = std::max<int64_t>(opset.version(), 1);
  }
  if (opsets.count(""))
    return;
  // Before opsets were imported there was one.
  if (model.ir_version() < 3 && model.opset_import_size() == 0) {
    opsets[""] = 1;
    return;
  }
  opsets[""] = getNewestOpset("");
  bool isUsed = llvm::any_of(model.graph().node(), [](const auto &node) {
    return node.domain().empty() || node.domain() == "ai.onnx";
  });
  if (isUsed)
    reportProblem({}, "the model says which opset of ai.onnx it uses",
                  "no opset_import", "1 to " + Twine(getNewestOpset("")));
}

void Importer::bindWeights(onnx::GraphProto &graph, Scope &scope) {
  for (onnx::TensorProto &tensor : *graph.mutable_initializer()) {
    NodeInfo info;
    info.name = tensor.name();
    Binding binding;
    binding.weight = &tensor;
    if (tensor.name().empty())
      reportProblem(info, "initializers have names", "none", "");
    else if (!scope.values.try_emplace(tensor.name(), binding).second)
      reportProblem(info, "each tensor has one definition",
                    "two initializers of this name", "");
  }
  for (const onnx::SparseTensorProto &tensor : graph.sparse_initializer()) {
    NodeInfo info;
    info.name = tensor.values().name();
    reportProblem(info, "initializers are dense", "a sparse initializer", "dense",
                  Remedy::ChangeForm, "store the tensor as a dense initializer");
    scope.values.try_emplace(info.name);
  }
}

void Importer::setModuleAttributes(ModuleOp module) {
  Builder builder(&context);
  SmallVector<Attribute> metadata;
  for (const auto &entry : model.metadata_props())
    metadata.push_back(builder.getStrArrayAttr({entry.key(), entry.value()}));
  if (!metadata.empty())
    module->setAttr("nn.metadata", builder.getArrayAttr(metadata));
  std::string producer = getProducer(model);
  if (!producer.empty())
    module->setAttr("nn.producer", builder.getStringAttr(producer));
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

/// The name of a symbolic dimension; empty for unknown ones, which exporters
/// write in many ways.
static StringRef getSymbol(const onnx::TensorShapeProto::Dimension &dim) {
  StringRef name = dim.has_dim_param() ? StringRef(dim.dim_param()) : "";
  int64_t number;
  bool isNegative = !name.getAsInteger(10, number) && number < 0;
  return name == "?" || isNegative ? "" : name;
}

std::optional<int64_t> Importer::getSetDim(StringRef input, int64_t index,
                                           StringRef symbol) {
  auto find = [&](const std::string &key) -> std::optional<int64_t> {
    auto it = options.setDims.find(key);
    if (it == options.setDims.end())
      return std::nullopt;
    usedSetDims.insert(key);
    return it->second;
  };
  std::optional<int64_t> bySymbol, byIndex;
  if (!symbol.empty()) {
    bySymbol = find(symbol.str());
    auto it = symbolSizes.find(symbol);
    if (!bySymbol && it != symbolSizes.end())
      bySymbol = it->second;
  }
  byIndex = find((input + ":" + Twine(index)).str());
  if (bySymbol && byIndex && *bySymbol != *byIndex) {
    NodeInfo info;
    info.name = input.str();
    reportProblem(info, "options give a dimension one size",
                  Twine(*bySymbol) + " and " + Twine(*byIndex), "",
                  Remedy::FixOption);
  }
  return bySymbol ? bySymbol : byIndex;
}

RankedTensorType Importer::readInputType(const onnx::ValueInfoProto &input,
                                         SmallVectorImpl<std::string> &names) {
  NodeInfo info;
  info.name = input.name();
  const onnx::TypeProto &type = input.type();
  if (!type.has_tensor_type()) {
    StringRef seen = type.has_sequence_type()        ? "a sequence"
                     : type.has_optional_type()      ? "an optional"
                     : type.has_map_type()           ? "a map"
                     : type.has_sparse_tensor_type() ? "a sparse tensor"
                                                     : "no type";
    reportProblem(info, "the model's input is a tensor", seen, "a tensor",
                  Remedy::ChangeForm);
    return {};
  }
  Type elementType =
      getTensorElementType(&context, type.tensor_type().elem_type());
  if (!elementType) {
    reportProblem(info, "the input's element type is supported",
                  getDataTypeName(type.tensor_type().elem_type()),
                  getAcceptedTypes(), Remedy::ConvertType);
    return {};
  }
  if (!type.tensor_type().has_shape()) {
    reportProblem(info, "the input's rank is known",
                  "input '" + Twine(input.name()) + "' has no shape", "",
                  Remedy::GiveShape,
                  "declare the shape of input '" + Twine(input.name()) +
                      "' in the model; dimensions may be unknown, but their "
                      "number must be given");
    return {};
  }
  SmallVector<int64_t> shape;
  for (const auto &dim : type.tensor_type().shape().dim()) {
    int64_t index = shape.size();
    int64_t size = dim.has_dim_value() && dim.dim_value() >= 0
                       ? dim.dim_value()
                       : ShapedType::kDynamic;
    StringRef symbol = ShapedType::isDynamic(size) ? getSymbol(dim) : "";
    if (!symbol.empty())
      symbols.insert(symbol);
    if (std::optional<int64_t> set = getSetDim(input.name(), index, symbol)) {
      if (!ShapedType::isDynamic(size) && size != *set)
        reportProblem(info, "options agree with the model",
                      "dimension " + Twine(index) + " set to " + Twine(*set),
                      Twine(size), Remedy::FixOption);
      else
        size = *set;
      symbol = "";
    }
    shape.push_back(size);
    names.push_back(symbol.str());
  }
  if (!isReasonableShape(shape)) {
    reportProblem(info, "the input's size is not absurd",
                  "more than 2^48 elements", "");
    return {};
  }
  return RankedTensorType::get(shape, elementType);
}

static ArrayAttr getDimNames(Builder &builder, ArrayRef<std::string> names) {
  SmallVector<Attribute> attributes;
  for (const std::string &name : names)
    attributes.push_back(builder.getStringAttr(name));
  return builder.getArrayAttr(attributes);
}

void Importer::importInputs(func::FuncOp main, Scope &scope) {
  Builder builder(&context);
  // An option for "input:index" holds for all dimensions of the same symbol.
  for (const auto &input : model.graph().input()) {
    const auto &dims = input.type().tensor_type().shape().dim();
    for (int i = 0, e = dims.size(); i < e; ++i) {
      auto it = options.setDims.find(input.name() + ":" + std::to_string(i));
      StringRef symbol = getSymbol(dims.Get(i));
      if (it != options.setDims.end() && !symbol.empty())
        symbolSizes.try_emplace(symbol, it->second);
    }
  }

  llvm::StringSet<> seen;
  for (const auto &input : model.graph().input()) {
    NodeInfo info;
    info.name = input.name();
    if (input.name().empty() || !seen.insert(input.name()).second) {
      reportProblem(info, "inputs have names of their own",
                    input.name().empty() ? "none" : "the name of another input",
                    "");
      continue;
    }
    // Up to IR version 3 weights are inputs too; the others are defaults, which
    // nobody can change in a compiled model.
    if (scope.values.count(input.name()))
      continue;
    SmallVector<std::string> names;
    RankedTensorType type = readInputType(input, names);
    if (!type) {
      scope.values[input.name()] = {};
      continue;
    }
    unsigned index = main.getNumArguments();
    Location location = NameLoc::get(builder.getStringAttr(input.name()));
    NamedAttrList attributes;
    attributes.set("nn.name", builder.getStringAttr(input.name()));
    if (llvm::any_of(names, [](const std::string &n) { return !n.empty(); }))
      attributes.set("nn.dim_names", getDimNames(builder, names));
    if (failed(main.insertArgument(index, type,
                                   attributes.getDictionary(&context), location)))
      continue;
    state.shapes.nameDims(main.getArgument(index), names);
    scope.values[input.name()].value = main.getArgument(index);
  }
}

void Importer::checkSetDims() {
  for (const auto &[key, size] : options.setDims) {
    NodeInfo info;
    info.name = key;
    if (size < 0) {
      reportProblem(info, "sizes are not negative", Twine(size), "",
                    Remedy::FixOption);
    } else if (!usedSetDims.contains(key)) {
      SmallVector<std::string> known;
      for (const auto &entry : symbols)
        known.push_back(entry.getKey().str());
      llvm::sort(known);
      for (const auto &input : model.graph().input())
        if (input.type().tensor_type().shape().dim_size())
          known.push_back(input.name() + ":0 ... " +
                          std::to_string(
                              input.type().tensor_type().shape().dim_size() - 1));
      if (known.size() > 20)
        known.resize(20);
      reportProblem(info, "--set-dim names a dimension of an input", "'" + key + "'",
                    llvm::join(known, ", "), Remedy::FixOption);
    }
  }
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

void Importer::importOutputs(func::FuncOp main, Scope &scope) {
  Builder builder(&context);
  SmallVector<Value> results;
  SmallVector<DictionaryAttr> attributes;
  llvm::StringSet<> seen;
  for (const auto &output : model.graph().output()) {
    NodeInfo info;
    info.name = output.name();
    if (!seen.insert(output.name()).second) {
      reportProblem(info, "outputs have names of their own",
                    "the name of another output", "");
      continue;
    }
    if (!scope.values.count(output.name())) {
      reportProblem(info, "something produces the model's output",
                    "nothing of this name", "");
      continue;
    }
    Value value = getValue(output.name(), scope);
    if (!value) // Reported where it should have been made.
      continue;
    Operation *op = value.getDefiningOp();
    if (op && !op->hasAttr("nn.origin"))
      op->setAttr("nn.origin",
                  builder.getArrayAttr(OriginAttr::get(
                      &context, cast<OpResult>(value).getResultNumber(),
                      builder.getStringAttr(output.name()), {})));

    // Names that are proven, then those that the model declares.
    auto type = cast<RankedTensorType>(value.getType());
    const auto &declared = output.type().tensor_type().shape();
    bool isHint = output.type().tensor_type().has_shape() &&
                  declared.dim_size() == type.getRank();
    contradictsOutputs |= output.type().tensor_type().has_shape() && !isHint;
    SmallVector<std::string> names(type.getRank());
    bool hasNames = false;
    for (int64_t i = 0; i < type.getRank(); ++i) {
      if (!type.isDynamicDim(i))
        continue;
      names[i] = state.shapes.getDimName(value, i).str();
      if (names[i].empty() && isHint && !symbols.contains(getSymbol(declared.dim(i))))
        names[i] = getSymbol(declared.dim(i)).str();
      hasNames |= !names[i].empty();
    }
    NamedAttrList attrs;
    attrs.set("nn.name", builder.getStringAttr(output.name()));
    if (hasNames)
      attrs.set("nn.dim_names", getDimNames(builder, names));
    attributes.push_back(attrs.getDictionary(&context));
    results.push_back(value);
  }
  if (model.graph().output_size() == 0)
    reportProblem({}, "the model has an output", "none", "");

  func::ReturnOp::create(state.builder, main.getLoc(), results);
  main.setType(builder.getFunctionType(main.getArgumentTypes(),
                                       ValueRange(results).getTypes()));
  for (auto [index, attrs] : llvm::enumerate(attributes))
    main.setResultAttrs(index, attrs);
}
