//===- StackRoom.cpp - room on the stack for the arguments of calls -------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "mlir/Interfaces/DataLayoutInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "nn/Conversion/RuntimeCalls.h"

using namespace mlir;
using namespace mlir::nn;

/// Marks the buffer that the calls of a function share, at the front of its body.
static constexpr StringLiteral kRoomAttr = "nn.stack_room";

StackRoom::StackRoom(RewriterBase &rewriter, Operation *op)
    : rewriter(rewriter), location(op->getLoc()),
      function(op->getParentOfType<FunctionOpInterface>()) {}

/// The buffer of `function`, made if there is none, with `size` bytes at least.
static LLVM::AllocaOp getRoom(RewriterBase &rewriter, FunctionOpInterface function,
                              int64_t size) {
  OpBuilder::InsertionGuard guard(rewriter);
  Block &front = function.getFunctionBody().front();
  rewriter.setInsertionPointToStart(&front);
  Location location = function.getLoc();
  auto makeSize = [&]() -> Value {
    return LLVM::ConstantOp::create(rewriter, location, rewriter.getI64IntegerAttr(size));
  };

  // Only sizes come before it.
  auto allocas = front.getOps<LLVM::AllocaOp>();
  auto room = llvm::find_if(allocas, [](LLVM::AllocaOp alloca) {
    return alloca->hasAttr(kRoomAttr);
  });
  if (room == allocas.end()) {
    auto made = LLVM::AllocaOp::create(
        rewriter, location, LLVM::LLVMPointerType::get(rewriter.getContext()),
        rewriter.getI8Type(), makeSize(), /*alignment=*/8);
    made->setAttr(kRoomAttr, rewriter.getUnitAttr());
    return made;
  }
  APInt have;
  if (matchPattern((*room).getArraySize(), m_ConstantInt(&have)) &&
      have.getSExtValue() < size) {
    Value larger = makeSize();
    rewriter.modifyOpInPlace(*room, [&] { (*room).getArraySizeMutable().assign(larger); });
  }
  return *room;
}

Value StackRoom::allocate(Type element, int64_t count) {
  int64_t offset = used;
  int64_t bytes = count * DataLayout::closest(function).getTypeSize(element);
  used += llvm::alignTo(bytes, 8);
  Value room = getRoom(rewriter, function, used);
  return LLVM::GEPOp::create(rewriter, location, room.getType(), rewriter.getI8Type(), room,
                             ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
}

Value StackRoom::store(Type element, ArrayRef<Value> values) {
  Value list = allocate(element, std::max<int64_t>(values.size(), 1));
  for (auto [i, value] : llvm::enumerate(values)) {
    Value place = LLVM::GEPOp::create(rewriter, location, list.getType(), element, list,
                                      ArrayRef<LLVM::GEPArg>{int32_t(i)});
    LLVM::StoreOp::create(rewriter, location, value, place);
  }
  return list;
}
