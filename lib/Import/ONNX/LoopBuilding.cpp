//===- LoopBuilding.cpp - loops that handlers make ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "LoopBuilding.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

Value importer::makeIndexTensor(OpBuilder &builder, Location location, Value index) {
  Value number = arith::IndexCastOp::create(builder, location, builder.getI64Type(), index);
  auto type = RankedTensorType::get({}, builder.getI64Type());
  return tensor::FromElementsOp::create(builder, location, type, number);
}

SmallVector<Value>
importer::createLoop(NodeBinder &node, Value from, Value to, ArrayRef<Value> initial,
                     ArrayRef<RankedTensorType> types,
                     llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  if (node.failed())
    return SmallVector<Value>(initial.size());
  OpBuilder &b = node.getBuilder();
  Location location = node.getLocation();
  auto cast = [&](ValueRange values) {
    SmallVector<Value> result;
    for (auto [value, type] : llvm::zip(values, types))
      result.push_back(value && value.getType() != type
                           ? tensor::CastOp::create(b, location, type, value)
                           : value);
    return result;
  };
  auto asIndex = [&](Value scalar) -> Value {
    Value number = tensor::ExtractOp::create(b, location, scalar);
    return arith::IndexCastOp::create(b, location, b.getIndexType(), number);
  };
  Value step = arith::ConstantIndexOp::create(b, location, 1);
  auto loop = scf::ForOp::create(b, location, asIndex(from), asIndex(to), step,
                                 cast(initial));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(loop.getBody());
  Value iteration = makeIndexTensor(b, location, loop.getInductionVar());
  SmallVector<Value> next = body(iteration, loop.getRegionIterArgs());
  if (node.failed()) // What was made is thrown away with the module.
    next.assign(loop.getRegionIterArgs().begin(), loop.getRegionIterArgs().end());
  scf::YieldOp::create(b, location, cast(next));
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value>
importer::createLoopWhile(NodeBinder &node, int64_t most, ArrayRef<Value> initial,
                          llvm::function_ref<SmallVector<Value>(ValueRange)> body) {
  if (node.failed())
    return SmallVector<Value>(initial.size());
  OpBuilder &b = node.getBuilder();
  Location location = node.getLocation();
  SmallVector<Type> types = llvm::to_vector(ValueRange(initial).getTypes());
  Value zero = arith::ConstantIndexOp::create(b, location, 0);
  Value one = arith::ConstantIndexOp::create(b, location, 1);
  Value count = arith::ConstantIndexOp::create(b, location, most);
  Value always = arith::ConstantIntOp::create(b, location, 1, 1);
  SmallVector<Value> all = {zero, always};
  llvm::append_range(all, initial);
  auto loop = scf::WhileOp::create(
      b, location, llvm::to_vector(ValueRange(all).getTypes()), all,
      [&](OpBuilder &inner, Location, ValueRange carried) {
        Value isLeft = arith::CmpIOp::create(inner, location, arith::CmpIPredicate::slt,
                                             carried[0], count);
        Value goesOn = arith::AndIOp::create(inner, location, isLeft, carried[1]);
        scf::ConditionOp::create(inner, location, goesOn, carried);
      },
      [&](OpBuilder &, Location, ValueRange carried) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToEnd(cast<BlockArgument>(carried[0]).getOwner());
        SmallVector<Value> next = body(carried.drop_front(2));
        if (node.failed()) { // What was made is thrown away with the module.
          scf::YieldOp::create(b, location, carried);
          return;
        }
        for (auto [value, type] : llvm::zip(next, types))
          if (value.getType() != type)
            value = tensor::CastOp::create(b, location, type, value);
        Value goesOn = tensor::ExtractOp::create(b, location, next.pop_back_val());
        Value following = arith::AddIOp::create(b, location, carried[0], one);
        next.insert(next.begin(), {following, goesOn});
        scf::YieldOp::create(b, location, next);
      });
  return SmallVector<Value>(loop.getResults().drop_front(2));
}
