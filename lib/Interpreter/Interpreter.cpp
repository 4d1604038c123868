//===- Interpreter.cpp - runs functions -----------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Interpreter/Interpreter.h"
#include "Registry.h"
#include "dialects/Check/IR/Check.h"
#include "dialects/NN/IR/NN.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "nn/Support/Compare.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

static const Registry &getRegistry() {
  static const Registry registry = [] {
    Registry registry;
    registerConstant(registry);
    registerContraction(registry);
    registerConv(registry);
    registerCustom(registry);
    registerElementwise(registry);
    registerIndexing(registry);
    registerNormalization(registry);
    registerPool(registry);
    registerQuantization(registry);
    registerRecurrent(registry);
    registerReduction(registry);
    registerResize(registry);
    registerShape(registry);
    registerSignal(registry);
    registerString(registry);
    registerOneDNN(registry);
    registerArith(registry);
    registerTensor(registry);
    return registry;
  }();
  return registry;
}

bool nn::canInterpret(Operation *op) {
  return op->getNumRegions() == 0 &&
         getRegistry().find(op->getName().getStringRef());
}

/// Whether a tensor has a type, whose unknown sizes match any size.
static bool fits(const HostTensor &tensor, Type type) {
  auto shaped = dyn_cast<RankedTensorType>(type);
  if (!shaped)
    return tensor.getRank() == 0 && getDataType(type) == tensor.getType();
  if (getDataType(shaped.getElementType()) != tensor.getType() ||
      shaped.getRank() != tensor.getRank())
    return false;
  for (auto [size, declared] : llvm::zip(tensor.getDims(), shaped.getShape()))
    if (!ShapedType::isDynamic(declared) && size != declared)
      return false;
  return true;
}

static std::string describeType(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

LogicalResult nn::interpretOp(Operation *op, ArrayRef<HostTensor> operands,
                              HostTensors &results, std::string &error,
                              nnrt::StringTable *strings) {
  const Registry::Function *function =
      getRegistry().find(op->getName().getStringRef());
  if (!function) {
    error = "is not an operator that the interpreter knows";
    return failure();
  }
  Call call(op, operands, results, error, strings);
  if (failed((*function)(op, call)))
    return failure();
  // The contents of memrefs after the call.
  if (op->getNumResults() == 0)
    return success();
  // The inferred types must hold for the actual sizes.
  for (auto [result, value] : llvm::zip_equal(results, op->getResults()))
    if (!fits(result, value.getType())) {
      error = "result " + std::to_string(value.getResultNumber()) + " is " +
              result.describe() + ", not of its type " +
              describeType(value.getType());
      return failure();
    }
  return success();
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

namespace {
/// The values of one call of a function.
class Frame {
public:
  explicit Frame(const InterpreterOptions &options) : options(options) {}

  /// Runs a block with the given arguments and returns its terminator's
  /// operands.
  FailureOr<HostTensors> runBlock(Block &block, ArrayRef<HostTensor> arguments);

private:
  LogicalResult runOp(Operation *op);
  LogicalResult runRegionOp(Operation *op, HostTensors &results);
  LogicalResult runCheck(Operation *op);
  FailureOr<HostTensors> runLoop(scf::ForOp loop);
  FailureOr<HostTensors> runWhile(scf::WhileOp loop);

  HostTensors get(ValueRange range) {
    HostTensors tensors;
    for (Value value : range)
      tensors.push_back(values[value]);
    return tensors;
  }
  /// The values that no operation after `op` of its block uses.
  ArrayRef<Value> getDying(Operation *op);

  const InterpreterOptions &options;
  DenseMap<Value, HostTensor> values;
  DenseMap<Block *, DenseMap<Operation *, SmallVector<Value, 2>>> dying;
};
} // namespace

ArrayRef<Value> Frame::getDying(Operation *op) {
  Block *block = op->getBlock();
  auto [it, isNew] = dying.try_emplace(block);
  if (isNew) {
    // The last use of each value of the block, by the operation of the block
    // that contains it.
    llvm::MapVector<Value, Operation *> lastUse;
    for (BlockArgument argument : block->getArguments())
      lastUse[argument] = &block->front();
    for (Operation &user : *block) {
      for (Value result : user.getResults())
        lastUse[result] = &user;
      user.walk([&](Operation *nested) {
        for (Value operand : nested->getOperands())
          if (operand.getParentBlock() == block)
            lastUse[operand] = &user;
      });
    }
    for (auto [value, user] : lastUse)
      it->second[user].push_back(value);
  }
  return it->second[op];
}

FailureOr<HostTensors> Frame::runBlock(Block &block,
                                       ArrayRef<HostTensor> arguments) {
  for (auto [argument, tensor] : llvm::zip_equal(block.getArguments(), arguments))
    values[argument] = tensor;
  for (Operation &op : block.without_terminator()) {
    if (failed(runOp(&op)))
      return failure();
    for (Value value : getDying(&op))
      values.erase(value);
  }
  return get(block.getTerminator()->getOperands());
}

LogicalResult Frame::runOp(Operation *op) {
  if (isa<check::ExpectCloseOp, check::ExpectEqOp>(op))
    return runCheck(op);
  HostTensors results;
  std::string error;
  if (op->getNumRegions() > 0 || isa<func::CallOp>(op)) {
    if (failed(runRegionOp(op, results)))
      return failure();
  } else if (auto input = dyn_cast<check::InputOp>(op)) {
    FailureOr<HostTensor> value = toHostTensor(input.getValue());
    if (failed(value))
      return op->emitOpError("has a value that cannot be read");
    results.push_back(*value);
  } else if (failed(interpretOp(op, get(op->getOperands()), results, error,
                                options.strings))) {
    return op->emitOpError() << error;
  }
  if (options.onResult && op->getNumResults() > 0)
    options.onResult(op, results);
  for (auto [value, result] : llvm::zip_equal(op->getResults(), results))
    values[value] = std::move(result);
  return success();
}

LogicalResult Frame::runRegionOp(Operation *op, HostTensors &results) {
  FailureOr<HostTensors> outcome = failure();
  if (auto call = dyn_cast<func::CallOp>(op)) {
    auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
        op, call.getCalleeAttr());
    if (!callee || callee.isExternal())
      return op->emitOpError("calls a function without a body");
    outcome = interpret(callee, get(op->getOperands()), options);
  } else if (auto fusion = dyn_cast<FusionOp>(op)) {
    outcome = runBlock(fusion.getBody().front(), get(op->getOperands()));
  } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
    Region &region = values[branch.getCondition()].getInt(0)
                         ? branch.getThenRegion()
                         : branch.getElseRegion();
    if (region.empty()) // no else, hence no results
      return success();
    outcome = runBlock(region.front(), {});
  } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
    outcome = runLoop(loop);
  } else if (auto loop = dyn_cast<scf::WhileOp>(op)) {
    outcome = runWhile(loop);
  } else {
    return op->emitOpError("is not an operator that the interpreter knows");
  }
  if (failed(outcome))
    return failure();
  results = std::move(*outcome);
  return success();
}

FailureOr<HostTensors> Frame::runLoop(scf::ForOp loop) {
  int64_t step = values[loop.getStep()].getInt(0);
  int64_t end = values[loop.getUpperBound()].getInt(0);
  if (step <= 0)
    return loop.emitOpError() << "has the step " << step;
  HostTensors carried = get(loop.getInitArgs());
  DataType type = values[loop.getStep()].getType();
  for (int64_t i = values[loop.getLowerBound()].getInt(0); i < end; i += step) {
    HostTensor induction = HostTensor::allocate(type, {});
    induction.setInt(0, i);
    carried.insert(carried.begin(), induction);
    FailureOr<HostTensors> next = runBlock(*loop.getBody(), carried);
    if (failed(next))
      return failure();
    carried = std::move(*next);
  }
  return carried;
}

FailureOr<HostTensors> Frame::runWhile(scf::WhileOp loop) {
  HostTensors carried = get(loop.getInits());
  while (true) {
    FailureOr<HostTensors> before = runBlock(loop.getBefore().front(), carried);
    if (failed(before))
      return failure();
    // scf.condition: whether to continue, then the carried values.
    bool goesOn = before->front().getInt(0);
    before->erase(before->begin());
    if (!goesOn)
      return before;
    FailureOr<HostTensors> after = runBlock(loop.getAfter().front(), *before);
    if (failed(after))
      return failure();
    carried = std::move(*after);
  }
}

LogicalResult Frame::runCheck(Operation *op) {
  Tolerance tolerance{0, 0};
  if (auto close = dyn_cast<check::ExpectCloseOp>(op))
    tolerance = {close.getRtol().convertToDouble(),
                 close.getAtol().convertToDouble()};
  Comparison comparison = compareTensors(
      values[op->getOperand(0)], values[op->getOperand(1)], tolerance);
  if (comparison.matches)
    return success();
  return op->emitOpError() << comparison.describe();
}

FailureOr<HostTensors> nn::interpret(func::FuncOp function,
                                     ArrayRef<HostTensor> inputs,
                                     const InterpreterOptions &options) {
  if (function.isExternal())
    return function.emitOpError("has no body to interpret");
  if (!llvm::hasSingleElement(function.getBody()))
    return function.emitOpError("has a body of several blocks, which the "
                                "interpreter does not run");
  std::string error;
  if (failed(checkInputs(function, inputs, error)))
    return function.emitOpError() << error;
  return Frame(options).runBlock(function.getBody().front(), inputs);
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

static std::string getInputName(func::FuncOp function, unsigned index) {
  if (auto name = function.getArgAttrOfType<StringAttr>(index, "nn.name"))
    return "input '" + name.str() + "'";
  return "input " + std::to_string(index);
}

LogicalResult nn::checkInputs(func::FuncOp function,
                              ArrayRef<HostTensor> inputs, std::string &error) {
  if (inputs.size() != function.getNumArguments()) {
    error = "takes " + std::to_string(function.getNumArguments()) +
            " inputs, not " + std::to_string(inputs.size());
    return failure();
  }
  llvm::StringMap<std::pair<int64_t, std::string>> named; // size, where first
  for (auto [i, input] : llvm::enumerate(inputs)) {
    std::string name = getInputName(function, i);
    Type type = function.getArgumentTypes()[i];
    if (!fits(input, type)) {
      error = name + " is " + input.describe() + ", but must be ";
      auto shaped = dyn_cast<RankedTensorType>(type);
      std::optional<DataType> dataType =
          shaped ? getDataType(shaped.getElementType()) : std::nullopt;
      error += dataType ? formatType(*dataType, shaped.getShape())
                        : describeType(type);
      return failure();
    }
    auto dimNames = function.getArgAttrOfType<ArrayAttr>(i, "nn.dim_names");
    if (!dimNames)
      continue;
    for (auto [dimName, size] : llvm::zip(dimNames, input.getDims())) {
      auto text = dyn_cast<StringAttr>(dimName);
      if (!text || text.empty())
        continue;
      auto [it, isNew] = named.try_emplace(text, size, name);
      if (isNew || it->second.first == size)
        continue;
      error = "dimension '" + text.str() + "' is " +
              std::to_string(it->second.first) + " in " + it->second.second +
              ", but " + std::to_string(size) + " in " + name;
      return failure();
    }
  }
  return success();
}
