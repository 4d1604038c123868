//===- ControlFlow.cpp - branches, loops and fusions in ONNX --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Exporter.h"
#include "Registry.h"
#include "dialects/NN/IR/NN.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

static SmallVector<Name> getNames(NodeWriter &w, ValueRange values) {
  SmallVector<Name> names;
  for (Value value : values)
    names.push_back(w.get(value));
  return names;
}

static SmallVector<onnx::TypeProto> getTypes(TypeRange types) {
  return llvm::map_to_vector(types, [](Type type) { return Exporter::getType(type); });
}

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

static LogicalResult writeIf(scf::IfOp op, NodeWriter &w) {
  // Nothing in it has effects.
  if (op->getNumResults() == 0)
    return success();
  Exporter &exporter = w.getExporter();
  Attributes branches;
  for (auto [name, region] : {std::pair("then_branch", &op.getThenRegion()),
                              std::pair("else_branch", &op.getElseRegion())}) {
    Block &block = region->front();
    onnx::GraphProto graph;
    bool isWritten = exporter.nest(graph, name, [&] {
      ValueRange results = block.getTerminator()->getOperands();
      return exporter.writeBlock(block) &&
             exporter.addOutputs(op, getNames(w, results), getTypes(results.getTypes()));
    });
    if (!isWritten)
      return failure();
    branches.push_back(MakeAttribute(name, graph));
  }
  return w.replaceWith("If", {w.get(op.getCondition())}, branches);
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

/// A Loop whose body has inputs for the iteration's number, a condition, and values of
/// `types`. `fill` writes the body from their names (the condition is not needed), and
/// gives those of the next condition (empty: always true) and values.
static LogicalResult
writeLoop(NodeWriter &w, const Name &count, const Name &condition, ArrayRef<Name> initial,
          TypeRange types,
          llvm::function_ref<bool(const Name &, ArrayRef<Name>, Name &, SmallVector<Name> &)>
              fill) {
  Exporter &exporter = w.getExporter();
  Operation *op = w.getOperation();
  Builder builder(op->getContext());
  onnx::GraphProto body;
  bool isWritten = exporter.nest(body, "body", [&] {
    Name iteration = exporter.addInput(builder.getI64Type(), "iteration");
    Name before = exporter.addInput(builder.getI1Type(), "condition");
    SmallVector<Name> carried, next;
    for (Type type : types)
      carried.push_back(exporter.addInput(type, "carried"));
    Name after;
    if (!fill(iteration, carried, after, next))
      return false;
    next.insert(next.begin(), after.empty() ? before : after);
    SmallVector<Type> allTypes{builder.getI1Type()};
    llvm::append_range(allTypes, types);
    return exporter.addOutputs(op, next, getTypes(allTypes));
  });
  if (!isWritten)
    return failure();
  SmallVector<Name> operands{count, condition};
  llvm::append_range(operands, initial);
  return w.replaceWith("Loop", operands, {MakeAttribute("body", body)});
}

static LogicalResult writeFor(scf::ForOp op, NodeWriter &w) {
  if (op->getNumResults() == 0)
    return success();
  Exporter &exporter = w.getExporter();
  bool fromZero = isZeroInteger(op.getLowerBound()), byOne = isOneInteger(op.getStep());
  Name first = w.get(op.getLowerBound()), step = w.get(op.getStep());
  // A negative number of iterations is none. They are rounded up.
  Name count = w.get(op.getUpperBound());
  if (!fromZero)
    count = w.create("Sub", {count, first});
  if (!byOne) {
    Name one = w.scalar(1);
    count = w.create("Max", {count, w.scalar(0)});
    count = w.create("Sub", {w.create("Add", {count, step}), one});
    count = w.create("Div", {count, step});
  }
  return writeLoop(
      w, count, "", getNames(w, op.getInitArgs()), op.getResultTypes(),
      [&](const Name &iteration, ArrayRef<Name> carried, Name &, SmallVector<Name> &next) {
        Name index = iteration;
        if (!byOne)
          index = w.create("Mul", {index, step});
        if (!fromZero)
          index = w.create("Add", {index, first});
        exporter.bind(op.getInductionVar(), index);
        for (auto [argument, name] : llvm::zip(op.getRegionIterArgs(), carried))
          exporter.bind(argument, name);
        if (!exporter.writeBlock(*op.getBody()))
          return false;
        next = getNames(w, op.getYieldedValues());
        return true;
      });
}

/// The condition is computed before the loop, and at the end of each iteration.
static LogicalResult writeWhile(scf::WhileOp op, NodeWriter &w) {
  Exporter &exporter = w.getExporter();
  auto writeBefore = [&](ArrayRef<Name> arguments) {
    for (auto [argument, name] : llvm::zip(op.getBeforeArguments(), arguments))
      exporter.bind(argument, name);
    return exporter.writeBlock(*op.getBeforeBody());
  };
  scf::ConditionOp end = op.getConditionOp();
  if (!writeBefore(getNames(w, op.getInits())))
    return failure();
  Name condition = w.get(end.getCondition());
  SmallVector<Name> initial = getNames(w, end.getArgs());
  return writeLoop(
      w, "", condition, initial, op.getResultTypes(),
      [&](const Name &, ArrayRef<Name> carried, Name &goesOn, SmallVector<Name> &next) {
        for (auto [argument, name] : llvm::zip(op.getAfterArguments(), carried))
          exporter.bind(argument, name);
        if (!exporter.writeBlock(*op.getAfterBody()) ||
            !writeBefore(getNames(w, op.getYieldOp()->getOperands())))
          return false;
        goesOn = w.get(end.getCondition());
        next = getNames(w, end.getArgs());
        return true;
      });
}

//===----------------------------------------------------------------------===//
// Fusions
//===----------------------------------------------------------------------===//

/// In ONNX, whoever runs the model decides what is computed together.
static LogicalResult writeFusion(FusionOp op, NodeWriter &w) {
  Exporter &exporter = w.getExporter();
  Block &body = op.getBody().front();
  for (auto [argument, operand] : llvm::zip(body.getArguments(), op.getInputs()))
    exporter.bind(argument, w.get(operand));
  if (!exporter.writeBlock(body))
    return failure();
  for (auto [index, value] : llvm::enumerate(body.getTerminator()->getOperands()))
    if (failed(w.setResult(w.get(value), index)))
      return failure();
  return success();
}

static LogicalResult writeYield(YieldOp, NodeWriter &) { return success(); }

void exporter::registerControlFlow(Registry &r) {
  r.onOp<FusionOp>("what it holds", writeFusion);
  r.onOp<YieldOp>("the end of a fusion", writeYield);
  r.onOp<scf::ForOp>("Loop", writeFor);
  r.onOp<scf::IfOp>("If", writeIf);
  r.onOp<scf::WhileOp>("Loop", writeWhile);
}
