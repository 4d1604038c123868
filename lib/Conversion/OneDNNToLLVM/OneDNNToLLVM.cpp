//===- OneDNNToLLVM.cpp - calls of oneDNN ---------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Conversion/OneDNNToLLVM.h"
#include "Site.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "nn/Conversion/Passes.h"
#include "nn/Support/Locations.h"
#include "runtime/abi/nnrt_abi.h"

namespace mlir::nn {
#define GEN_PASS_DEF_CONVERTONEDNNTOLLVM
#include "nn/Conversion/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;
using onednn::PrimitiveOpInterface;

/// The number of the ABI for an element type.
static std::optional<int32_t> getAbiType(Type type) {
  if (type.isF32())
    return NNRT_ABI_F32;
  if (type.isF16())
    return NNRT_ABI_F16;
  if (type.isBF16())
    return NNRT_ABI_BF16;
  if (type.isF64())
    return NNRT_ABI_F64;
  if (type.isInteger(32))
    return type.isUnsignedInteger() ? NNRT_ABI_U32 : NNRT_ABI_S32;
  if (type.isInteger(8))
    return type.isUnsignedInteger() ? NNRT_ABI_U8 : NNRT_ABI_S8;
  return std::nullopt;
}

namespace {
/// Emits a call, whose arguments lie on the stack.
class CallEmitter {
public:
  CallEmitter(ConversionPatternRewriter &rewriter, Operation *op,
              const LLVMTypeConverter &converter)
      : rewriter(rewriter), location(op->getLoc()), converter(converter),
        module(op->getParentOfType<ModuleOp>()),
        function(op->getParentOfType<FunctionOpInterface>()),
        pointer(LLVM::LLVMPointerType::get(op->getContext())), room(rewriter, op) {}

  /// Room for `count` elements, for the time until the call.
  Value allocate(Type element, int64_t count) { return room.allocate(element, count); }
  /// Fills element `index` of the array of nnrt_abi_tensor.
  LogicalResult storeTensor(Value array, int64_t index, MemRefType type,
                            Value descriptor, ArrayRef<int64_t> permutation);
  Value callEntry(LLVM::GlobalOp site, Value array);

private:
  Value i32(int64_t value) {
    return LLVM::ConstantOp::create(rewriter, location,
                                    rewriter.getI32IntegerAttr(value));
  }
  void store(Value value, Value base, size_t offset) {
    Value address = LLVM::GEPOp::create(
        rewriter, location, pointer, rewriter.getI8Type(), base,
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
    LLVM::StoreOp::create(rewriter, location, value, address);
  }
  Value emitList(ArrayRef<int64_t> known,
                 function_ref<Value(unsigned)> getValue);

  ConversionPatternRewriter &rewriter;
  Location location;
  const LLVMTypeConverter &converter;
  ModuleOp module;
  FunctionOpInterface function;
  Type pointer;
  StackRoom room;
};
} // namespace

/// The address of a list of numbers: a constant if all are known.
Value CallEmitter::emitList(ArrayRef<int64_t> known,
                            function_ref<Value(unsigned)> getValue) {
  if (known.empty())
    return LLVM::ZeroOp::create(rewriter, location, pointer);
  if (!llvm::is_contained(known, ShapedType::kDynamic))
    return LLVM::AddressOfOp::create(rewriter, location,
                                     getOrCreateGlobalI64Array(module, known));
  Value list = allocate(rewriter.getI64Type(), known.size());
  for (auto [i, number] : llvm::enumerate(known)) {
    Value value = getValue(i);
    if (value.getType() != rewriter.getI64Type())
      value = LLVM::SExtOp::create(rewriter, location, rewriter.getI64Type(),
                                   value);
    store(value, list, i * sizeof(int64_t));
  }
  return list;
}

LogicalResult CallEmitter::storeTensor(Value array, int64_t index,
                                       MemRefType type, Value value,
                                       ArrayRef<int64_t> permutation) {
  std::optional<int32_t> elementType = getAbiType(type.getElementType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!elementType || failed(type.getStridesAndOffset(strides, offset)))
    return failure();
  auto order = llvm::to_vector(permutation);
  if (order.empty())
    llvm::append_range(order, llvm::seq<int64_t>(0, type.getRank()));

  MemRefDescriptor descriptor(value);
  Value data = descriptor.bufferPtr(rewriter, location, converter, type);
  auto dims = llvm::map_to_vector(
      order, [&](int64_t dim) { return type.getDimSize(dim); });
  auto permuted =
      llvm::map_to_vector(order, [&](int64_t dim) { return strides[dim]; });
  Value dimList = emitList(dims, [&](unsigned i) {
    return descriptor.size(rewriter, location, order[i]);
  });
  // Row-major tensors need no strides.
  if (permutation.empty() && type.getLayout().isIdentity())
    permuted.clear();
  Value strideList = emitList(permuted, [&](unsigned i) {
    return descriptor.stride(rewriter, location, order[i]);
  });

  size_t base = index * sizeof(nnrt_abi_tensor);
  store(data, array, base + offsetof(nnrt_abi_tensor, data));
  store(dimList, array, base + offsetof(nnrt_abi_tensor, dims));
  store(strideList, array, base + offsetof(nnrt_abi_tensor, strides));
  store(i32(type.getRank()), array, base + offsetof(nnrt_abi_tensor, rank));
  store(i32(*elementType), array, base + offsetof(nnrt_abi_tensor, type));
  return success();
}

Value CallEmitter::callEntry(LLVM::GlobalOp site, Value array) {
  Value address = LLVM::AddressOfOp::create(rewriter, location, site);
  Value context = function.getFunctionBody().getArgument(0);
  return emitRuntimeCall(rewriter, location, context, RuntimeEntry::onednn,
                         {address, array});
}

//===----------------------------------------------------------------------===//
// Pattern
//===----------------------------------------------------------------------===//

namespace {
struct PrimitiveToCall : ConversionPattern {
  PrimitiveToCall(const LLVMTypeConverter &converter, MLIRContext *context,
                  std::shared_ptr<unsigned> nextSite)
      : ConversionPattern(converter, Pattern::MatchInterfaceOpTypeTag(),
                          PrimitiveOpInterface::getInterfaceID(),
                          /*benefit=*/1, context),
        nextSite(std::move(nextSite)) {}

  LogicalResult
  matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    auto primitive = cast<PrimitiveOpInterface>(op);
    auto function = dyn_cast<FunctionOpInterface>(op->getParentOp());
    if (!function || op->getNumResults() != 0)
      return rewriter.notifyMatchFailure(
          op, "not on memrefs, or not in a block of a function");
    if (function.getFunctionBody().getNumArguments() == 0 ||
        !isa<LLVM::LLVMPointerType>(
            function.getFunctionBody().getArgument(0).getType()))
      return rewriter.notifyMatchFailure(
          op, "the function's argument 0 is not the context");

    Site site = describeSite(primitive);
    CallEmitter emitter(rewriter, op,
                        *getTypeConverter<LLVMTypeConverter>());
    auto module = op->getParentOfType<ModuleOp>();
    Type tensor = LLVM::LLVMStructType::getLiteral(
        op->getContext(),
        {LLVM::LLVMPointerType::get(op->getContext()),
         LLVM::LLVMPointerType::get(op->getContext()),
         LLVM::LLVMPointerType::get(op->getContext()), rewriter.getI32Type(),
         rewriter.getI32Type()});
    Value array = emitter.allocate(tensor, site.arguments.size());
    for (auto [index, argument] : llvm::enumerate(site.arguments)) {
      auto type =
          dyn_cast<MemRefType>(op->getOperand(argument.operand).getType());
      if (!type ||
          failed(emitter.storeTensor(array, index, type,
                                     operands[argument.operand],
                                     argument.permutation)))
        return rewriter.notifyMatchFailure(
            op, "an operand that the ABI cannot describe");
    }
    LLVM::GlobalOp global =
        createSiteGlobal(module, op->getLoc(), site,
                         getONNXNames(op->getLoc()), *nextSite);
    Value status = emitter.callEntry(global, array);

    // A failed call ends the run.
    Location location = op->getLoc();
    Block *block = rewriter.getInsertionBlock();
    Block *next = rewriter.splitBlock(block, rewriter.getInsertionPoint());
    Block *fail = rewriter.createBlock(block->getParent());
    LLVM::ReturnOp::create(rewriter, location, status);
    rewriter.setInsertionPointToEnd(block);
    Value zero = LLVM::ConstantOp::create(rewriter, location,
                                          rewriter.getI32IntegerAttr(0));
    Value isFailure = LLVM::ICmpOp::create(
        rewriter, location, LLVM::ICmpPredicate::ne, status, zero);
    LLVM::CondBrOp::create(rewriter, location, isFailure, fail, next);
    rewriter.eraseOp(op);
    return success();
  }

  std::shared_ptr<unsigned> nextSite;
};

struct ConvertOneDNNToLLVMPass
    : nn::impl::ConvertOneDNNToLLVMBase<ConvertOneDNNToLLVMPass> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    LLVMTypeConverter converter(context);
    RewritePatternSet patterns(context);
    populateOneDNNToLLVMPatterns(converter, patterns);
    populateFuncToLLVMConversionPatterns(converter, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    LLVMConversionTarget target(*context);
    target.addLegalOp<ModuleOp>();
    if (failed(applyFullConversion(getOperation(), target, std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

void mlir::nn::populateOneDNNToLLVMPatterns(const LLVMTypeConverter &converter,
                                            RewritePatternSet &patterns) {
  patterns.add<PrimitiveToCall>(converter, patterns.getContext(),
                                std::make_shared<unsigned>(0));
}
