//===- KernelsToLLVM.cpp - calls of kernels on the host --------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "RuntimeToLLVM.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "runtime/abi/nnrt_abi.h"

using namespace mlir;
using namespace mlir::nn;

namespace {

template <typename OpTy, RuntimeEntry entry>
struct KernelMarkLowering : ConvertOpToLLVMPattern<OpTy> {
  using ConvertOpToLLVMPattern<OpTy>::ConvertOpToLLVMPattern;
  LogicalResult
  matchAndRewrite(OpTy op, typename OpTy::Adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    emitRuntimeCall(rewriter, op.getLoc(), getRuntimeContext(op), entry,
                    {createI32(rewriter, op.getLoc(), op.getKernel())});
    rewriter.eraseOp(op);
    return success();
  }
};

/// How a buffer is passed to a kernel: what its type leaves open. That is the address,
/// dynamic sizes, and dynamic strides unless the buffer is row-major.
class PackedBuffer {
public:
  /// The type has strides.
  explicit PackedBuffer(MemRefType type) : type(type) {
    std::tie(strides, offset) = type.getStridesAndOffset();
  }

  void pack(OpBuilder &builder, Location loc, const LLVMTypeConverter &converter,
            Value value, SmallVectorImpl<Value> &fields) const {
    MemRefDescriptor descriptor(value);
    fields.push_back(ShapedType::isDynamic(offset)
                         ? descriptor.bufferPtr(builder, loc, converter, type)
                         : descriptor.alignedPtr(builder, loc));
    for (int64_t i = 0; i < type.getRank(); ++i)
      if (type.isDynamicDim(i))
        fields.push_back(descriptor.size(builder, loc, i));
    for (int64_t i = 0; i < type.getRank(); ++i)
      if (isStridePacked(i))
        fields.push_back(descriptor.stride(builder, loc, i));
  }

  /// Appends the parts of a descriptor in their order, from the fields that `next` gives.
  void unpack(OpBuilder &builder, Location loc, function_ref<Value()> next,
              SmallVectorImpl<Value> &parts) const {
    int64_t rank = type.getRank();
    Value pointer = next();
    SmallVector<Value> sizes, ownStrides(rank);
    for (int64_t size : type.getShape())
      sizes.push_back(ShapedType::isDynamic(size) ? next() : createI64(builder, loc, size));
    for (int64_t i = 0; i < rank; ++i)
      if (isStridePacked(i))
        ownStrides[i] = next();
    for (int64_t i = rank - 1; i >= 0; --i)
      if (!ShapedType::isDynamic(strides[i]))
        ownStrides[i] = createI64(builder, loc, strides[i]);
      else if (!ownStrides[i])
        ownStrides[i] =
            LLVM::MulOp::create(builder, loc, ownStrides[i + 1], sizes[i + 1]);
    // A dynamic offset is part of the address.
    parts.append({pointer, pointer,
                  createI64(builder, loc, ShapedType::isDynamic(offset) ? 0 : offset)});
    parts.append(sizes);
    parts.append(ownStrides);
  }

private:
  bool isStridePacked(int64_t dim) const {
    return ShapedType::isDynamic(strides[dim]) && !type.getLayout().isIdentity();
  }

  MemRefType type;
  SmallVector<int64_t> strides;
  int64_t offset;
};

/// Packs the arguments into a struct on the stack and has parallel_for call a
/// trampoline, which unpacks them and calls the kernel on a range.
struct LaunchLowering : ConvertOpToLLVMPattern<rt::LaunchOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult
  matchAndRewrite(rt::LaunchOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    for (Type type : op->getOperandTypes())
      if (auto memref = dyn_cast<MemRefType>(type); memref && !memref.isStrided())
        return op.emitOpError("has a buffer without strides");
    SmallVector<Value> fields;
    SmallVector<Type> originals;
    auto addAll = [&](OperandRange original, ValueRange converted) {
      for (auto [from, to] : llvm::zip(original, converted)) {
        originals.push_back(from.getType());
        if (auto memref = dyn_cast<MemRefType>(from.getType()))
          PackedBuffer(memref).pack(rewriter, loc, *getTypeConverter(), to, fields);
        else
          fields.push_back(to);
      }
    };
    addAll(op.getInputs(), adaptor.getInputs());
    addAll(op.getOutputs(), adaptor.getOutputs());
    addAll(op.getScalars(), adaptor.getScalars());
    auto structType = LLVM::LLVMStructType::getLiteral(
        getContext(), llvm::to_vector(ValueRange(fields).getTypes()));

    LLVM::LLVMFuncOp trampoline = getTrampoline(rewriter, op, structType, originals);
    StackRoom room(rewriter, op);
    Value arguments = room.allocate(structType, 1);
    for (auto [i, value] : llvm::enumerate(fields)) {
      Value field = LLVM::GEPOp::create(
          rewriter, loc, arguments.getType(), structType, arguments,
          ArrayRef<LLVM::GEPArg>{0, int32_t(i)});
      LLVM::StoreOp::create(rewriter, loc, value, field);
    }
    Value function = LLVM::AddressOfOp::create(rewriter, loc, trampoline);
    emitRuntimeCall(rewriter, loc, getRuntimeContext(op), RuntimeEntry::parallel_for,
                    {function, arguments, adaptor.getCount(),
                     createI64(rewriter, loc, op.getGrain())});
    rewriter.eraseOp(op);
    return success();
  }

  /// One per kernel and types of arguments, since these decide what is packed.
  LLVM::LLVMFuncOp getTrampoline(ConversionPatternRewriter &rewriter,
                                 rt::LaunchOp op, LLVM::LLVMStructType structType,
                                 ArrayRef<Type> originals) const {
    auto module = op->getParentOfType<ModuleOp>();
    constexpr StringLiteral typesName = "nn.packed_types";
    ArrayAttr types = rewriter.getTypeArrayAttr(originals);
    std::string name = (op.getKernel() + ".range").str();
    for (int other = 1; auto known = module.lookupSymbol<LLVM::LLVMFuncOp>(name); ++other) {
      if (known->getAttr(typesName) == types)
        return known;
      name = (op.getKernel() + ".range" + Twine(other)).str();
    }
    Location loc = op.getLoc();
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointToEnd(module.getBody());
    Type pointer = LLVM::LLVMPointerType::get(getContext());
    Type i64 = rewriter.getI64Type();
    auto type = LLVM::LLVMFunctionType::get(
        LLVM::LLVMVoidType::get(getContext()), {pointer, i64, i64});
    auto function = LLVM::LLVMFuncOp::create(rewriter, loc, name, type,
                                             LLVM::Linkage::Internal);
    function->setAttr(typesName, types);
    Block *body = function.addEntryBlock(rewriter);
    rewriter.setInsertionPointToStart(body);
    int32_t field = 0;
    auto next = [&]() -> Value {
      Value place = LLVM::GEPOp::create(rewriter, loc, pointer, structType,
                                        body->getArgument(0),
                                        ArrayRef<LLVM::GEPArg>{0, field});
      return LLVM::LoadOp::create(rewriter, loc, structType.getBody()[field++], place);
    };
    SmallVector<Value> arguments;
    for (Type original : originals)
      if (auto memref = dyn_cast<MemRefType>(original))
        PackedBuffer(memref).unpack(rewriter, loc, next, arguments);
      else
        arguments.push_back(next());
    arguments.push_back(body->getArgument(1));
    arguments.push_back(body->getArgument(2));
    LLVM::CallOp::create(rewriter, loc, TypeRange(), op.getKernel(), arguments);
    LLVM::ReturnOp::create(rewriter, loc, ValueRange());
    return function;
  }
};

/// The number by which the ABI calls an element type.
std::optional<int32_t> getAbiType(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type)) {
    switch (integer.getWidth()) {
    case 1:
      return NNRT_ABI_BOOL;
    case 8:
      return integer.isUnsigned() ? NNRT_ABI_U8 : NNRT_ABI_S8;
    case 16:
      return integer.isUnsigned() ? NNRT_ABI_U16 : NNRT_ABI_S16;
    case 32:
      return integer.isUnsigned() ? NNRT_ABI_U32 : NNRT_ABI_S32;
    case 64:
      return integer.isUnsigned() ? NNRT_ABI_U64 : NNRT_ABI_S64;
    }
    return std::nullopt;
  }
  return type.isF16()    ? std::optional(NNRT_ABI_F16)
         : type.isBF16() ? std::optional(NNRT_ABI_BF16)
         : type.isF32()  ? std::optional(NNRT_ABI_F32)
         : type.isF64()  ? std::optional(NNRT_ABI_F64)
                         : std::nullopt;
}

/// Describes the arguments on the stack, and calls the table's entry.
struct CallLowering : ConvertOpToLLVMPattern<rt::CallOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult
  matchAndRewrite(rt::CallOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type pointer = LLVM::LLVMPointerType::get(getContext());
    Type i32 = rewriter.getI32Type(), i64 = rewriter.getI64Type();
    Type tensor = LLVM::LLVMStructType::getLiteral(
        getContext(), {pointer, pointer, pointer, i32, i32});
    SmallVector<Value> values(adaptor.getInputs());
    llvm::append_range(values, adaptor.getOutputs());
    SmallVector<Value> originals(op.getInputs());
    llvm::append_range(originals, op.getOutputs());
    StackRoom room(rewriter, op);
    Value arguments = room.allocate(tensor, values.size());
    auto store = [&](Value value, Value base, int64_t offset) {
      Value place = LLVM::GEPOp::create(rewriter, loc, pointer, rewriter.getI8Type(),
                                        base, ArrayRef<LLVM::GEPArg>{int32_t(offset)});
      LLVM::StoreOp::create(rewriter, loc, value, place);
    };
    for (auto [i, original] : llvm::enumerate(originals)) {
      auto type = dyn_cast<MemRefType>(original.getType());
      std::optional<int32_t> elementType =
          type ? getAbiType(type.getElementType()) : std::nullopt;
      if (!elementType || !type.getLayout().isIdentity())
        return op.emitOpError("has an operand that the runtime cannot take");
      MemRefDescriptor descriptor(values[i]);
      SmallVector<Value> sizes;
      for (int64_t d = 0; d < type.getRank(); ++d)
        sizes.push_back(descriptor.size(rewriter, loc, d));
      Value dims = room.store(i64, sizes);
      int64_t base = i * sizeof(nnrt_abi_tensor);
      store(descriptor.bufferPtr(rewriter, loc, *getTypeConverter(), type), arguments,
            base + offsetof(nnrt_abi_tensor, data));
      store(dims, arguments, base + offsetof(nnrt_abi_tensor, dims));
      store(LLVM::ZeroOp::create(rewriter, loc, pointer), arguments,
            base + offsetof(nnrt_abi_tensor, strides));
      store(createI32(rewriter, loc, type.getRank()), arguments,
            base + offsetof(nnrt_abi_tensor, rank));
      store(createI32(rewriter, loc, *elementType), arguments,
            base + offsetof(nnrt_abi_tensor, type));
    }
    auto module = op->getParentOfType<ModuleOp>();
    Value parameters = LLVM::AddressOfOp::create(
        rewriter, loc, getOrCreateGlobalI64Array(module, op.getParameters()));
    Value status = emitRuntimeCall(
        rewriter, loc, getRuntimeContext(op), RuntimeEntry::kernel,
        {createI32(rewriter, loc, int32_t(op.getKernel())), parameters, arguments});
    emitStatusCheck(rewriter, op, status);
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace

void nn::populateKernelsToLLVM(const LLVMTypeConverter &converter,
                               RewritePatternSet &patterns) {
  patterns.add<KernelMarkLowering<rt::KernelBeginOp, RuntimeEntry::kernel_begin>,
               KernelMarkLowering<rt::KernelEndOp, RuntimeEntry::kernel_end>, LaunchLowering,
               CallLowering>(converter);
}
