//===- Importer.cpp - a model, its facts and weights ----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Importer.h"
#include "OnnxLibrary.h"
#include "Registry.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Verifier.h"
#include "nn/Support/Activity.h"

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
  setCurrentStep("the import");
  report.setFact("model", path.str());
  struct Attempt {
    TriageReport report;
    OwningOpRef<ModuleOp> module;
    bool assumed = false, isSound = false;
  };
  auto attempt = [&](bool unknownDimsAreOne) {
    Attempt result{report, {}};
    // Importing consumes the model.
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
  // Where the rank of a result depends on dimensions known only at run time, these are
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
  state.producer = model.producer_name();
  state.channelBlock = findChannelBlock(model);
  state.getDeclaredType = [this](StringRef name) { return getDeclaredType(name); };
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
    scope.addOutput(output.name(), getTensorType(output.type()));
  importNodes(*model.mutable_graph()->mutable_node(), scope);
  importOutputs(main, scope);
  checkCustomOps();

  // Weights that were only read by the importer (shapes, axes) are not part of the
  // graph.
  for (std::unique_ptr<Region> &region : discarded)
    region->dropAllReferences();
  discarded.clear();
  // Neither are the placeholders of sequences and optionals.
  SmallVector<Operation *> unneeded;
  main.walk([&](Operation *op) {
    if (isa<ConstantOp, UnrealizedConversionCastOp>(op) && op->use_empty())
      unneeded.push_back(op);
  });
  for (Operation *op : unneeded)
    op->erase();
  numberStrings(*module, state.strings);
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

void Importer::checkCustomOps() {
  for (const auto &[function, library] : options.customOps)
    if (!usedCustomOps.count(function)) {
      const auto &[domain, op] = function;
      NodeInfo named;
      named.name = (domain.empty() ? "ai.onnx" : domain) + ":" + op;
      report.warn({named, "--custom-op names an operator of the model",
                   "no node with this operator", "", Remedy::FixOption,
                   "correct the name, with its domain, or leave the option away"});
    }
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
  auto bind = [&](const std::string &name, Binding binding) {
    NodeInfo info;
    info.name = name;
    if (name.empty())
      reportProblem(info, "initializers have names", "none", "");
    else if (!scope.values.try_emplace(name, binding).second)
      reportProblem(info, "each tensor has one definition",
                    "two initializers of this name", "");
  };
  for (onnx::TensorProto &tensor : *graph.mutable_initializer()) {
    Binding binding;
    binding.weight = &tensor;
    bind(tensor.name(), binding);
  }
  for (onnx::SparseTensorProto &tensor : *graph.mutable_sparse_initializer()) {
    Binding binding;
    binding.sparseWeight = &tensor;
    bind(tensor.values().name(), binding);
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
