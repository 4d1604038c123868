//===- StackRoom.cpp - room on the stack for the arguments of calls -------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "mlir/Interfaces/FunctionInterfaces.h"
#include "nn/Conversion/RuntimeCalls.h"

using namespace mlir;
using namespace mlir::nn;

StackRoom::StackRoom(OpBuilder &builder, Operation *op)
    : builder(builder), location(op->getLoc()),
      front(&op->getParentOfType<FunctionOpInterface>().getFunctionBody().front()) {}

Value StackRoom::allocate(Type element, int64_t count) {
  Value room;
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(front);
    Value size = LLVM::ConstantOp::create(builder, location,
                                          builder.getI64IntegerAttr(count));
    room = LLVM::AllocaOp::create(builder, location,
                                  LLVM::LLVMPointerType::get(builder.getContext()),
                                  element, size, /*alignment=*/8);
  }
  LLVM::LifetimeStartOp::create(builder, location, room);
  allocated.push_back(room);
  return room;
}

Value StackRoom::store(Type element, ArrayRef<Value> values) {
  Value list = allocate(element, std::max<int64_t>(values.size(), 1));
  for (auto [i, value] : llvm::enumerate(values)) {
    Value place = LLVM::GEPOp::create(builder, location, list.getType(), element, list,
                                      ArrayRef<LLVM::GEPArg>{int32_t(i)});
    LLVM::StoreOp::create(builder, location, value, place);
  }
  return list;
}

void StackRoom::release() {
  for (Value room : allocated)
    LLVM::LifetimeEndOp::create(builder, location, room);
  allocated.clear();
}
