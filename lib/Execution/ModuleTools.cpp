//===- ModuleTools.cpp - modules made to be looked into -------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Execution/ModuleTools.h"
#include "dialects/Check/IR/Check.h"
#include "dialects/NN/IR/NN.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::nn;

static func::FuncOp getMain(ModuleOp module) {
  return module.lookupSymbol<func::FuncOp>("main");
}

/// Adds a result to the function, whose type is changed by the caller.
static void addResult(func::FuncOp function, Value value, StringRef name) {
  Operation *end = function.getBody().front().getTerminator();
  end->insertOperands(end->getNumOperands(), value);
  Builder builder(function.getContext());
  (void)function.insertResult(
      function.getNumResults(), value.getType(),
      builder.getDictionaryAttr(
          builder.getNamedAttr("nn.name", builder.getStringAttr(name))));
}

unsigned nn::exposeTensors(ModuleOp module) {
  func::FuncOp function = getMain(module);
  Operation *end = function.getBody().front().getTerminator();
  llvm::StringSet<> known;
  for (unsigned i = 0; i < function.getNumResults(); ++i)
    if (auto name = function.getResultAttrOfType<StringAttr>(i, "nn.name"))
      known.insert(name);
  SmallVector<std::pair<Value, std::string>> exposed;
  for (Operation &op : function.getBody().front()) {
    auto origins = op.getAttrOfType<ArrayAttr>("nn.origin");
    if (!origins || op.hasTrait<OpTrait::ConstantLike>())
      continue;
    for (Attribute attr : origins) {
      auto origin = dyn_cast<OriginAttr>(attr);
      if (!origin || !origin.getPermutation().empty() ||
          origin.getResult() >= int64_t(op.getNumResults()) ||
          llvm::is_contained(end->getOperands(), op.getResult(origin.getResult())))
        continue;
      if (known.insert(origin.getTensor()).second)
        exposed.emplace_back(op.getResult(origin.getResult()),
                             origin.getTensor().str());
    }
  }
  exposeValues(module, exposed);
  return exposed.size();
}

void nn::exposeValues(ModuleOp module, ArrayRef<std::pair<Value, std::string>> values) {
  for (const auto &[value, name] : values)
    addResult(getMain(module), value, name);
}

bool nn::hasChecks(ModuleOp module) {
  func::FuncOp function = getMain(module);
  return function && function
                         .walk([](Operation *op) {
                           return isa<check::ExpectCloseOp, check::ExpectEqOp>(op)
                                      ? WalkResult::interrupt()
                                      : WalkResult::advance();
                         })
                         .wasInterrupted();
}

FailureOr<ExtractedChecks> nn::extractChecks(ModuleOp module) {
  func::FuncOp function = getMain(module);
  if (function.getNumArguments() != 0 || function.getNumResults() != 0)
    return function.emitOpError(
        "holds expectations, and must have no arguments and results then");
  ExtractedChecks checks;
  for (Operation &op : llvm::make_early_inc_range(function.getBody().front())) {
    if (auto input = dyn_cast<check::InputOp>(op)) {
      FailureOr<HostTensor> value = toHostTensor(input.getValue());
      if (failed(value))
        return input.emitOpError("has a value that cannot be read");
      unsigned index = function.getNumArguments();
      Builder builder(module.getContext());
      (void)function.insertArgument(
          index, input.getType(),
          builder.getDictionaryAttr(builder.getNamedAttr(
              "nn.name", builder.getStringAttr("input" + Twine(index)))),
          input.getLoc());
      input.replaceAllUsesWith(Value(function.getArgument(index)));
      input.erase();
      checks.inputs.push_back(*value);
    } else if (isa<check::ExpectCloseOp, check::ExpectEqOp>(op)) {
      Tolerance tolerance{0, 0};
      if (auto close = dyn_cast<check::ExpectCloseOp>(op))
        tolerance = {close.getRtol().convertToDouble(),
                     close.getAtol().convertToDouble()};
      std::string number = std::to_string(checks.expectations.size());
      addResult(function, op.getOperand(0), "got" + number);
      addResult(function, op.getOperand(1), "want" + number);
      checks.expectations.push_back({op.getLoc(), tolerance});
      op.erase();
    }
  }
  return checks;
}
