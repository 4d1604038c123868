//===- Registry.h - the functions that give operators their meaning -------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_INTERPRETER_REGISTRY_H
#define NN_LIB_INTERPRETER_REGISTRY_H

#include "mlir/IR/Operation.h"
#include "nn/Interpreter/Interpreter.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::nn::interpreter {

/// One evaluation of an operation: its operands' tensors, and its results'.
class Call {
public:
  Call(Operation *op, ArrayRef<HostTensor> operands, HostTensors &results,
       std::string &error, nnrt::StringTable *strings)
      : op(op), operands(operands), results(results), error(error), strings(strings) {}

  /// The tensor of an operand of the operation; an invalid one for an absent optional
  /// operand.
  const HostTensor &operator[](Value operand) const {
    static const HostTensor absent;
    if (!operand)
      return absent;
    for (OpOperand &use : op->getOpOperands())
      if (use.get() == operand)
        return operands[use.getOperandNumber()];
    llvm_unreachable("not an operand of the operation");
  }
  const HostTensor &getOperand(unsigned index) const { return operands[index]; }
  ArrayRef<HostTensor> getOperands() const { return operands; }
  Operation *getOp() const { return op; }
  /// Null outside of a run, as where constants are folded.
  nnrt::StringTable *getStrings() const { return strings; }

  /// The element type of a result, as declared.
  DataType getResultType(unsigned index = 0) const {
    return *getDataType(getElementTypeOrSelf(op->getResult(index).getType()));
  }

  /// Adds the next result; returns success, so that it can end a function.
  LogicalResult give(HostTensor result) {
    results.push_back(std::move(result));
    return success();
  }
  LogicalResult fail(const Twine &message) {
    error = message.str();
    return failure();
  }

private:
  static Type getElementTypeOrSelf(Type type) {
    auto shaped = dyn_cast<ShapedType>(type);
    return shaped ? shaped.getElementType() : type;
  }

  Operation *op;
  ArrayRef<HostTensor> operands;
  HostTensors &results;
  std::string &error;
  nnrt::StringTable *strings;
};

class Registry {
public:
  using Function = std::function<LogicalResult(Operation *, Call &)>;

  template <typename OpT, typename F> void add(F function) {
    functions[OpT::getOperationName()] = [=](Operation *op, Call &call) {
      return function(cast<OpT>(op), call);
    };
  }
  const Function *find(StringRef opName) const {
    auto it = functions.find(opName);
    return it == functions.end() ? nullptr : &it->second;
  }

private:
  llvm::StringMap<Function> functions;
};

// One function per family of operators.
void registerConstant(Registry &registry);
void registerContraction(Registry &registry);
void registerConv(Registry &registry);
void registerCustom(Registry &registry);
void registerElementwise(Registry &registry);
void registerIndexing(Registry &registry);
void registerNormalization(Registry &registry);
void registerPool(Registry &registry);
void registerQuantization(Registry &registry);
void registerRecurrent(Registry &registry);
void registerReduction(Registry &registry);
/// Parts of indexing.
void registerSampling(Registry &registry);
void registerSelection(Registry &registry);
void registerResize(Registry &registry);
void registerShape(Registry &registry);
void registerSignal(Registry &registry);
void registerString(Registry &registry);
/// Primitives of the onednn dialect.
void registerOneDNN(Registry &registry);
/// Upstream dialects.
void registerArith(Registry &registry);
void registerTensor(Registry &registry);

} // namespace mlir::nn::interpreter

#endif // NN_LIB_INTERPRETER_REGISTRY_H
