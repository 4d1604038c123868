//===- Reproducer.cpp - the least of a model that shows a wrong pass ------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/RegionUtils.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Execution/VerifyNumeric.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::nn;

namespace {
/// A part of a model, with its inputs.
struct Part {
  OwningOpRef<ModuleOp> module;
  NamedTensors inputs;
};

/// Extracts parts of @main of a module on tensors.
class Cutter {
public:
  Cutter(ModuleOp module, const NamedTensors &inputs,
         llvm::function_ref<std::optional<HostTensor>(Value)> known)
      : module(module), main(module.lookupSymbol<func::FuncOp>("main")),
        inputs(inputs), known(known) {}

  /// The operations that compute `tensor`, back to known tensors, and on each path
  /// through the first `depth` of these. nullopt if no value of the module is the
  /// tensor.
  std::optional<Part> cut(StringRef tensor, unsigned depth);

private:
  Value find(StringRef tensor);
  Part build(Value result, StringRef name, const llvm::SetVector<Operation *> &ops,
             const llvm::MapVector<Value, HostTensor> &cuts);

  ModuleOp module;
  func::FuncOp main;
  const NamedTensors &inputs;
  llvm::function_ref<std::optional<HostTensor>(Value)> known;
};
} // namespace

Value Cutter::find(StringRef tensor) {
  for (Operation &op : main.getBody().front())
    for (OriginAttr origin : getOrigins(&op))
      if (origin.getTensor() == tensor && origin.getResult() < int64_t(op.getNumResults()))
        return op.getResult(origin.getResult());
  // A tensor that no value is any more, but for the output of that name.
  for (unsigned i = 0; i < main.getNumResults(); ++i)
    if (auto name = main.getResultAttrOfType<StringAttr>(i, "nn.name"); name == tensor)
      return main.getBody().front().getTerminator()->getOperand(i);
  return {};
}

std::optional<Part> Cutter::cut(StringRef tensor, unsigned depth) {
  Value result = find(tensor);
  if (!result || !result.getDefiningOp())
    return std::nullopt;
  llvm::SetVector<Operation *> ops;
  llvm::MapVector<Value, HostTensor> cuts;
  // Values to compute, with how many known tensors they are away from the result.
  SmallVector<std::pair<Value, unsigned>> open{{result, 0}};
  DenseMap<Value, unsigned> seen;
  while (!open.empty()) {
    auto [value, distance] = open.pop_back_val();
    if (auto [it, isNew] = seen.try_emplace(value, distance); !isNew) {
      if (it->second <= distance)
        continue;
      it->second = distance;
    }
    Operation *op = value.getDefiningOp();
    if (!op) {
      cuts.try_emplace(value,
                       inputs[cast<BlockArgument>(value).getArgNumber()].tensor);
      continue;
    }
    bool isConstant = op->hasTrait<OpTrait::ConstantLike>();
    if (std::optional<HostTensor> tensor = known(value);
        tensor && value != result && !isConstant) {
      if (++distance > depth) {
        cuts.try_emplace(value, *tensor);
        continue;
      }
    }
    ops.insert(op);
    llvm::SetVector<Value> operands;
    operands.insert(op->operand_begin(), op->operand_end());
    for (Region &region : op->getRegions())
      getUsedValuesDefinedAbove(region, operands);
    for (Value operand : operands)
      open.emplace_back(operand, distance);
  }
  // A value cut on one path may be computed on another.
  cuts.remove_if([&](auto &entry) {
    Operation *op = entry.first.getDefiningOp();
    return op && ops.contains(op);
  });
  return build(result, tensor, ops, cuts);
}

Part Cutter::build(Value result, StringRef name,
                   const llvm::SetVector<Operation *> &ops,
                   const llvm::MapVector<Value, HostTensor> &cuts) {
  Part part;
  OpBuilder builder(module.getContext());
  part.module = ModuleOp::create(builder, module.getLoc());
  (*part.module)->setAttrs(module->getAttrs());
  builder.setInsertionPointToStart(part.module->getBody());
  SmallVector<Type> types;
  SmallVector<DictionaryAttr> attributes;
  IRMapping mapping;
  for (auto &[value, tensor] : cuts) {
    types.push_back(value.getType());
    std::string inputName = "input" + std::to_string(types.size() - 1);
    DictionaryAttr attribute = builder.getDictionaryAttr(
        builder.getNamedAttr("nn.name", builder.getStringAttr(inputName)));
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      inputName = inputs[argument.getArgNumber()].name;
      if (DictionaryAttr own = main.getArgAttrDict(argument.getArgNumber()))
        attribute = own;
    }
    attributes.push_back(attribute);
    part.inputs.push_back({inputName, tensor});
  }
  auto function = func::FuncOp::create(builder, main.getLoc(), "main",
                                       builder.getFunctionType(types, result.getType()));
  function.setAllArgAttrs(attributes);
  function.setResultAttr(0, "nn.name", builder.getStringAttr(name));
  Block *body = function.addEntryBlock();
  for (auto [entry, argument] : llvm::zip(cuts, body->getArguments()))
    mapping.map(entry.first, argument);
  builder.setInsertionPointToStart(body);
  llvm::SetVector<StringAttr> symbols;
  for (Operation &op : main.getBody().front())
    if (ops.contains(&op)) {
      builder.clone(op, mapping);
      op.walk([&](Operation *nested) {
        for (NamedAttribute attribute : nested->getAttrs())
          if (auto symbol = dyn_cast<FlatSymbolRefAttr>(attribute.getValue()))
            symbols.insert(symbol.getAttr());
      });
    }
  func::ReturnOp::create(builder, main.getLoc(), mapping.lookup(result));
  builder.setInsertionPointToEnd(part.module->getBody());
  for (StringAttr symbol : symbols)
    if (Operation *callee = module.lookupSymbol(symbol))
      builder.clone(*callee);
  return part;
}

/// Whether the pipeline makes the tensor wrong in this part too.
static bool reproduces(Part &part, StringRef pipeline, StringRef tensor) {
  if (failed(verify(*part.module)))
    return false;
  OwningOpRef<ModuleOp> module(part.module->clone());
  PassManager pm(module->getContext());
  // The pass manager is for modules already.
  pipeline.consume_front("builtin.module(");
  pipeline.consume_back(")");
  if (failed(parsePassPipeline(pipeline, pm)))
    return false;
  std::optional<NumericMismatch> found;
  NumericVerificationOptions options;
  options.inputs = part.inputs;
  options.emitErrors = false;
  pm.addInstrumentation(createNumericVerification(std::move(options), found));
  return succeeded(pm.run(*module)) && found && found->tensor == tensor;
}

static std::string write(Part &part, StringRef pipeline, StringRef path,
                         StringRef kind) {
  std::string mlirPath = (path + ".mlir").str(), npzPath = (path + ".npz").str();
  std::string run = ("nn-opt " + mlirPath + " --pass-pipeline='" + pipeline +
                     "' --verify-numeric=" + npzPath + " -o /dev/null")
                        .str();
  std::error_code code;
  llvm::raw_fd_ostream file(mlirPath, code);
  if (code)
    return "no reproducer: cannot write '" + mlirPath + "': " + code.message();
  file << "// RUN: nn-opt %s --pass-pipeline='" << pipeline
       << "' --verify-numeric=%S/" << llvm::sys::path::filename(npzPath)
       << " -o /dev/null\n\n";
  part.module->print(file, OpPrintingFlags().enableDebugInfo());
  if (llvm::Error error = writeTensorFile(npzPath, part.inputs))
    return "no reproducer: " + llvm::toString(std::move(error));
  return (kind + " reproducer: " + run).str();
}

std::string
nn::writeReproducer(ModuleOp module, StringRef pipeline, StringRef tensor,
                    const NamedTensors &inputs,
                    llvm::function_ref<std::optional<HostTensor>(Value)> known,
                    StringRef path) {
  // Messages of the trials are irrelevant.
  ScopedDiagnosticHandler silence(module.getContext(),
                                  [](Diagnostic &) { return success(); });
  auto main = module.lookupSymbol<func::FuncOp>("main");
  bool onTensors = llvm::hasSingleElement(main.getBody()) &&
                   llvm::all_of(main.getArgumentTypes(), llvm::IsaPred<TensorType>);
  if (onTensors && !tensor.empty()) {
    Cutter cutter(module, inputs, known);
    for (unsigned depth : {0, 1, 2, 4, 8, 16}) {
      std::optional<Part> part = cutter.cut(tensor, depth);
      if (!part)
        break;
      if (reproduces(*part, pipeline, tensor))
        return write(*part, pipeline, path, "reduced");
    }
  }
  Part all;
  all.module = module.clone();
  all.inputs = inputs;
  return write(all, pipeline, path, "whole model as");
}
