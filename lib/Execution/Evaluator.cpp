//===- Evaluator.cpp - runs a model at any level of the pipeline ----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Execution/Evaluator.h"
#include "CPU/Reference/Reference.h"
#include "Core/Strings.h"
#include "EvaluateMemRef.h"
#include "dialects/Check/IR/Check.h"
#include "dialects/OneDNN/IR/OneDNN.h"
#include "dialects/RT/IR/RT.h"
#include "mlir/Analysis/Liveness.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "nn/Analysis/Provenance.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace mlir::nn;
using llvm::Expected;

using Data = SmallVector<Datum>;

namespace mlir::nn {
/// One run of a model.
class Activity {
public:
  Activity(Evaluator &evaluator, ModuleOp module,
           const Evaluator::Observer &observer, EvaluationError &error)
      : memory(evaluator.memory), backEnd(evaluator.backEnd), module(module),
        observer(observer), error(error), modelStrings(getModelStrings(module)),
        strings(modelStrings) {}

  FailureOr<HostTensors> runMain(ArrayRef<HostTensor> inputs);

private:
  LogicalResult fail(Operation *op, const Twine &message) {
    error = {op, message.str()};
    return failure();
  }
  Datum get(Value value) { return values.lookup(value); }
  Data get(ValueRange range) {
    return llvm::map_to_vector(range, [&](Value value) { return get(value); });
  }

  FailureOr<Data> runRegion(Region &region, Data arguments);
  /// The block that follows, with its arguments set; null after the last one.
  FailureOr<Block *> branch(Operation *terminator, Data &arguments);
  LogicalResult runOp(Operation *op);
  LogicalResult compute(Operation *op, Data &results);
  LogicalResult computeRegions(Operation *op, Data &results);
  FailureOr<Data> runFor(scf::ForOp loop);
  FailureOr<Data> runWhile(scf::WhileOp loop);
  LogicalResult interpret(Operation *op, Data &results);
  LogicalResult callKernel(rt::LaunchOp call, Data &results);
  LogicalResult callRuntime(rt::CallOp call, Data &results);
  LogicalResult readWeight(rt::WeightOp weight, Data &results);
  void observe(Operation *op);

  /// Cached results, or computes and caches them. `compute` may fail.
  template <typename Compute>
  FailureOr<HostTensors> remember(StringRef what, ArrayRef<HostTensor> operands,
                                  Compute compute);
  StringRef getText(func::FuncOp kernel);

  Evaluator::Memory &memory;
  PlainBackEnd &backEnd;
  ModuleOp module;
  const Evaluator::Observer &observer;
  EvaluationError &error;
  DenseMap<Value, Datum> values;
  DenseMap<int64_t, Buffer> outputs;
  DenseMap<Operation *, std::string> kernelTexts;
  std::optional<Liveness> liveness;
  nnrt::ModelStrings modelStrings;
  nnrt::StringTable strings;
};
} // namespace mlir::nn

//===----------------------------------------------------------------------===//
// Memory of former results
//===----------------------------------------------------------------------===//

static void appendHash(std::string &key, const void *data, size_t size) {
  uint64_t hash =
      llvm::xxh3_64bits(ArrayRef(static_cast<const uint8_t *>(data), size));
  key.append(reinterpret_cast<const char *>(&hash), sizeof(hash));
}

template <typename Compute>
FailureOr<HostTensors> Activity::remember(StringRef what, ArrayRef<HostTensor> operands,
                                          Compute compute) {
  std::string key;
  appendHash(key, what.data(), what.size());
  for (const HostTensor &operand : operands) {
    key += operand.isValid() ? operand.describe() : "-";
    if (operand.isValid())
      appendHash(key, operand.getData(), operand.getNumBytes());
  }
  if (auto known = memory.results.find(key); known != memory.results.end())
    return known->second;
  FailureOr<HostTensors> results = compute();
  if (failed(results))
    return failure();
  // Enough for all passes over networks with hundreds of megabytes of activations.
  constexpr size_t kLimit = size_t(4) << 30;
  if (memory.bytes > kLimit) {
    memory.results.clear();
    memory.bytes = 0;
  }
  for (const HostTensor &result : *results)
    memory.bytes += result.getNumBytes();
  memory.results[key] = *results;
  return results;
}

StringRef Activity::getText(func::FuncOp kernel) {
  std::string &text = kernelTexts[kernel];
  if (text.empty()) {
    llvm::raw_string_ostream stream(text);
    kernel.print(stream, OpPrintingFlags().useLocalScope());
  }
  return text;
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

FailureOr<Block *> Activity::branch(Operation *terminator, Data &arguments) {
  if (auto jump = dyn_cast<cf::BranchOp>(terminator)) {
    arguments = get(jump.getDestOperands());
    return jump.getDest();
  }
  if (auto jump = dyn_cast<cf::CondBranchOp>(terminator)) {
    bool condition = get(jump.getCondition()).getInt();
    arguments = get(condition ? jump.getTrueDestOperands()
                              : jump.getFalseDestOperands());
    return condition ? jump.getTrueDest() : jump.getFalseDest();
  }
  if (terminator->getNumSuccessors() > 0) {
    (void)fail(terminator, "is a branch of an unknown kind");
    return failure();
  }
  arguments = get(terminator->getOperands());
  return static_cast<Block *>(nullptr);
}

FailureOr<Data> Activity::runRegion(Region &region, Data arguments) {
  Block *block = &region.front();
  while (true) {
    for (auto [argument, datum] : llvm::zip_equal(block->getArguments(), arguments))
      values[argument] = datum;
    const LivenessBlockInfo *info = liveness->getLiveness(block);
    for (Operation &op : block->without_terminator()) {
      if (failed(runOp(&op)))
        return failure();
      for (Value operand : op.getOperands())
        if (operand.getParentBlock() == block && info->getEndOperation(operand, &op) == &op &&
            !info->isLiveOut(operand))
          values.erase(operand);
    }
    FailureOr<Block *> next = branch(block->getTerminator(), arguments);
    if (failed(next))
      return failure();
    if (!*next)
      return arguments;
    block = *next;
  }
}

FailureOr<Data> Activity::runFor(scf::ForOp loop) {
  int64_t begin = get(loop.getLowerBound()).getInt();
  int64_t end = get(loop.getUpperBound()).getInt(), step = get(loop.getStep()).getInt();
  DataType type = get(loop.getStep()).tensor.getType();
  if (step <= 0) {
    (void)fail(loop, "has the step " + Twine(step));
    return failure();
  }
  Data carried = get(loop.getInitArgs());
  for (int64_t i = begin; i < end; i += step) {
    HostTensor induction = HostTensor::allocate(type, {});
    induction.setInt(0, i);
    carried.insert(carried.begin(), Datum(induction));
    FailureOr<Data> next = runRegion(loop.getRegion(), std::move(carried));
    if (failed(next))
      return failure();
    carried = std::move(*next);
  }
  return carried;
}

FailureOr<Data> Activity::runWhile(scf::WhileOp loop) {
  Data carried = get(loop.getInits());
  while (true) {
    FailureOr<Data> before = runRegion(loop.getBefore(), std::move(carried));
    if (failed(before))
      return failure();
    // scf.condition: whether to continue, then the carried values.
    bool goesOn = before->front().getInt();
    before->erase(before->begin());
    if (!goesOn)
      return before;
    FailureOr<Data> after = runRegion(loop.getAfter(), std::move(*before));
    if (failed(after))
      return failure();
    carried = std::move(*after);
  }
}

LogicalResult Activity::computeRegions(Operation *op, Data &results) {
  FailureOr<Data> outcome = failure();
  if (auto fusion = dyn_cast<FusionOp>(op)) {
    outcome = runRegion(fusion.getBody(), get(op->getOperands()));
  } else if (auto condition = dyn_cast<scf::IfOp>(op)) {
    Region &region = get(condition.getCondition()).getInt()
                         ? condition.getThenRegion()
                         : condition.getElseRegion();
    if (region.empty()) // no else, hence no results
      return success();
    outcome = runRegion(region, {});
  } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
    outcome = runFor(loop);
  } else if (auto loop = dyn_cast<scf::WhileOp>(op)) {
    outcome = runWhile(loop);
  } else {
    return fail(op, "has regions that cannot be executed");
  }
  if (failed(outcome))
    return failure();
  results = std::move(*outcome);
  return success();
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

/// Whether `op` contains operations that only the interpreter and the evaluator
/// support.
static bool holdsOwnOperations(Operation *op) {
  return op
      ->walk([](Operation *nested) {
        return isa_and_nonnull<NNDialect, rt::RTDialect, onednn::OneDNNDialect>(
                   nested->getDialect()) ||
                       isa<func::CallOp>(nested)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

/// The destinations of `op` whose contents it does not read.
static bool isOnlyWritten(OpOperand &operand) {
  return isa<onednn::PrimitiveOpInterface>(operand.getOwner()) &&
         cast<DestinationStyleOpInterface>(operand.getOwner()).isDpsInit(&operand);
}

LogicalResult Activity::interpret(Operation *op, Data &results) {
  HostTensors operands, read;
  size_t bytes = 0;
  for (OpOperand &operand : op->getOpOperands()) {
    operands.push_back(get(operand.get()).read());
    bytes += operands.back().isValid() ? operands.back().getNumBytes() : 0;
    // Of these, only the shape matters.
    const HostTensor &last = operands.back();
    read.push_back(isOnlyWritten(operand)
                       ? HostTensor::view(last.getType(), last.getDims(), nullptr, nullptr)
                       : last);
  }
  auto compute = [&]() -> FailureOr<HostTensors> {
    HostTensors results;
    std::string message;
    if (failed(interpretOp(op, operands, results, message, &strings))) {
      (void)fail(op, message);
      return failure();
    }
    return results;
  };
  FailureOr<HostTensors> tensors = failure();
  // The numbers of strings are those of this run.
  if (bytes < 4096 || isa<MapStringsOp>(op)) {
    tensors = compute();
  } else {
    // Everything that determines the results, but not locations and origins.
    std::string text = op->getName().getStringRef().str();
    llvm::raw_string_ostream stream(text);
    for (NamedAttribute attribute : op->getAttrs())
      if (attribute.getName() != originAttrName)
        stream << attribute.getName() << attribute.getValue();
    // Unknown sizes do not matter.
    for (Type type : op->getResultTypes())
      stream << getElementTypeOrSelf(type);
    for (size_t i = 0; i < read.size(); ++i)
      if (!read[i].getData())
        read[i] = HostTensor::allocate(read[i].getType(), read[i].getDims());
    tensors = remember(text, read, compute);
  }
  if (failed(tensors))
    return failure();
  if (op->getNumResults() > 0) {
    results.assign(tensors->begin(), tensors->end());
    return success();
  }
  // An operation on memrefs, if it has results here.
  if (tensors->empty())
    return success();
  auto destinations = cast<DestinationStyleOpInterface>(op).getDpsInits();
  for (auto [destination, tensor] : llvm::zip_equal(destinations, *tensors))
    get(destination).buffer.store(tensor);
  return success();
}

LogicalResult Activity::callKernel(rt::LaunchOp call, Data &results) {
  auto kernel = module.lookupSymbol<func::FuncOp>(call.getKernel());
  if (!kernel)
    return fail(call, "calls an unknown kernel");
  bool onTensors = call->getNumResults() > 0;
  int64_t count = get(call.getCount()).getInt();
  size_t numInputs = call.getInputs().size(), numOutputs = call.getOutputs().size();
  // In two ranges, the later one first: they are independent.
  auto run = [&](const Data &arguments) -> LogicalResult {
    int64_t middle = count / 2;
    for (auto [begin, end] : {std::pair(middle, count), std::pair(int64_t(0), middle)}) {
      if (begin == end)
        continue;
      Data all = arguments;
      all.push_back(HostTensor::scalar(begin));
      all.push_back(HostTensor::scalar(end));
      Expected<Data> done = backEnd.call(kernel, all);
      if (!done)
        return fail(call, llvm::toString(done.takeError()));
    }
    return success();
  };
  SmallVector<Value> passed(call.getInputs());
  llvm::append_range(passed, call.getOutputs());
  llvm::append_range(passed, call.getScalars());
  // A strided memref has to keep its strides.
  if (llvm::any_of(passed, [](Value value) {
        auto memref = dyn_cast<MemRefType>(value.getType());
        return memref && !memref.getLayout().isIdentity();
      }))
    return run(get(passed));

  HostTensors operands;
  for (Value value : passed)
    operands.push_back(get(value).read());
  operands.push_back(HostTensor::scalar(count));
  auto compute = [&]() -> FailureOr<HostTensors> {
    Data arguments;
    for (const HostTensor &operand : ArrayRef(operands).drop_back())
      arguments.push_back(arguments.size() < numInputs + numOutputs
                              ? Datum(Buffer::copyOf(operand))
                              : Datum(operand));
    if (failed(run(arguments)))
      return failure();
    HostTensors outputs;
    for (const Datum &output : ArrayRef(arguments).slice(numInputs, numOutputs))
      outputs.push_back(output.read());
    return outputs;
  };
  FailureOr<HostTensors> outputs = remember(getText(kernel), operands, compute);
  if (failed(outputs))
    return failure();
  for (auto [value, output] : llvm::zip_equal(call.getOutputs(), *outputs)) {
    if (onTensors)
      results.push_back(output);
    else
      get(value).buffer.store(output);
  }
  return success();
}

LogicalResult Activity::callRuntime(rt::CallOp call, Data &results) {
  HostTensors tensors;
  std::vector<nnrt_abi_tensor> arguments;
  SmallVector<Value> operands(call.getInputs());
  llvm::append_range(operands, call.getOutputs());
  for (Value value : operands) {
    // A writable copy of the tensor.
    HostTensor tensor = Buffer::copyOf(get(value).read()).load();
    tensors.push_back(tensor);
  }
  for (HostTensor &tensor : tensors)
    arguments.push_back({tensor.getMutableData(), tensor.getDims().data(), nullptr,
                         int32_t(tensor.getRank()), int32_t(tensor.getType())});
  nnrt::Services services;
  services.loop = [](nnrt_abi_range_fn fn, void *arg, int64_t count, int64_t) {
    fn(arg, 0, count);
  };
  services.strings = &strings;
  services.match = matchPattern;
  services.find = findPattern;
  services.custom = [&](int64_t, bool onlyShapes, const int64_t *parameters,
                        const nnrt_abi_tensor *args) {
    return callCustomKernel(call.getCustomAttr(), onlyShapes, parameters, args,
                            services.message);
  };
  if (const char *message =
          nnrt::runReferenceKernel(int32_t(call.getKernel()), call.getParameters().data(),
                                   arguments.data(), services))
    return fail(call, message);
  for (auto [i, value] : llvm::enumerate(call.getOutputs())) {
    const HostTensor &output = tensors[call.getInputs().size() + i];
    if (call->getNumResults() > 0)
      results.push_back(output);
    else
      get(value).buffer.store(output);
  }
  return success();
}

LogicalResult Activity::readWeight(rt::WeightOp weight, Data &results) {
  ElementsAttr value = weight.getValueAttr();
  if (!value) {
    // [[value, offset], ...]
    auto list = module->getAttrOfType<ArrayAttr>("nn.weights");
    for (Attribute entry : list ? list.getValue() : ArrayRef<Attribute>()) {
      auto pair = cast<ArrayAttr>(entry);
      if (cast<IntegerAttr>(pair[1]).getInt() == int64_t(*weight.getOffset()))
        value = cast<ElementsAttr>(pair[0]);
    }
  }
  FailureOr<HostTensor> tensor = failure();
  if (value)
    tensor = toHostTensor(value);
  if (failed(tensor))
    return fail(weight, "has no value");
  // Equal bytes share a place, whatever their shapes.
  auto type = cast<MemRefType>(weight.getType());
  std::optional<DataType> dataType = getDataType(type.getElementType());
  Buffer buffer = Buffer::allocate(*dataType, type.getShape());
  if (getByteSize(*dataType) != getByteSize(tensor->getType()) ||
      type.getNumElements() != tensor->getNumElements())
    return fail(weight, "does not have the size of its value");
  buffer.store(*tensor);
  results.push_back(std::move(buffer));
  return success();
}

LogicalResult Activity::compute(Operation *op, Data &results) {
  if (isa<rt::KernelBeginOp, rt::KernelEndOp, check::ExpectCloseOp, check::ExpectEqOp>(op))
    return success();
  if (auto call = dyn_cast<func::CallOp>(op)) {
    auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
    if (!callee || callee.isExternal())
      return fail(op, "calls a function without a body");
    FailureOr<Data> outcome = runRegion(callee.getBody(), get(op->getOperands()));
    if (failed(outcome))
      return failure();
    results = std::move(*outcome);
    return success();
  }
  if (auto call = dyn_cast<rt::LaunchOp>(op))
    return callKernel(call, results);
  if (auto call = dyn_cast<rt::CallOp>(op))
    return callRuntime(call, results);
  if (auto weight = dyn_cast<rt::WeightOp>(op))
    return readWeight(weight, results);
  if (op->getNumRegions() > 0 && holdsOwnOperations(op))
    return computeRegions(op, results);

  auto getValue = [&](Value value) { return get(value); };
  std::string message;
  if (std::optional<LogicalResult> done =
          evaluateMemRef(op, getValue, results, message)) {
    if (failed(*done))
      return fail(op, message);
    if (auto output = dyn_cast<rt::OutputOp>(op))
      outputs[output.getIndex()] = results.front().buffer;
    return success();
  }
  if (canInterpret(op))
    return interpret(op, results);
  Expected<Data> executed = backEnd.execute(op, getValue);
  if (!executed)
    return fail(op, llvm::toString(executed.takeError()));
  results = std::move(*executed);
  return success();
}

void Activity::observe(Operation *op) {
  for (OriginAttr origin : getOrigins(op)) {
    Value value;
    if (origin.getResult() < int64_t(op->getNumResults()))
      value = op->getResult(origin.getResult());
    else if (auto call = dyn_cast<DestinationStyleOpInterface>(op);
             call && origin.getResult() < call.getNumDpsInits())
      value = call.getDpsInits()[origin.getResult()];
    if (!value || !isa<ShapedType>(value.getType()))
      continue;
    Datum &datum = values[value];
    std::optional<HostTensor> replacement = observer(op, origin, datum.read());
    if (!replacement)
      continue;
    if (datum.buffer.isValid())
      datum.buffer.store(*replacement);
    else
      datum.tensor = replacement->withType(datum.tensor.getType());
  }
}

LogicalResult Activity::runOp(Operation *op) {
  Data results;
  if (failed(compute(op, results)))
    return failure();
  for (auto [value, result] : llvm::zip_equal(op->getResults(), results))
    values[value] = std::move(result);
  if (observer)
    observe(op);
  return success();
}

FailureOr<HostTensors> Activity::runMain(ArrayRef<HostTensor> inputs) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal()) {
    (void)fail(module, "has no function @main");
    return failure();
  }
  liveness.emplace(module);
  Data arguments;
  for (Type type : main.getArgumentTypes()) {
    // The context, which is not used here.
    if (isa<LLVM::LLVMPointerType>(type)) {
      arguments.push_back({});
      continue;
    }
    if (inputs.empty()) {
      (void)fail(main, "takes more inputs than there are");
      return failure();
    }
    HostTensor input = inputs.front();
    inputs = inputs.drop_front();
    // Of a small type, which may be stored in bytes by now.
    if (getDataType(getElementTypeOrSelf(type)) != input.getType())
      input = input.withType(getStorageType(input.getType()));
    arguments.push_back(isa<BaseMemRefType>(type) ? Datum(Buffer::copyOf(input))
                                                  : Datum(input));
  }
  FailureOr<Data> returned = runRegion(main.getBody(), std::move(arguments));
  if (failed(returned))
    return failure();
  HostTensors results;
  bool givesStatus = main.getNumResults() == 1 && main.getResultTypes()[0].isInteger(32);
  if (!givesStatus) {
    for (const Datum &datum : *returned)
      results.push_back(datum.read());
    return results;
  }
  if (returned->front().getInt() != 0) {
    (void)fail(main, "returned the status " + Twine(returned->front().getInt()));
    return failure();
  }
  for (int64_t i = 0, e = outputs.size(); i < e; ++i)
    results.push_back(outputs[i].load());
  return results;
}

FailureOr<HostTensors> Evaluator::run(ModuleOp module, ArrayRef<HostTensor> inputs,
                                      const Observer &observer,
                                      EvaluationError &error) {
  return Activity(*this, module, observer, error).runMain(inputs);
}
