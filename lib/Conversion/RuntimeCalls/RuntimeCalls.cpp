//===- RuntimeCalls.cpp - how generated code reaches the runtime ----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Conversion/RuntimeCalls.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"
#include "runtime/abi/nnrt_abi.h"
#include <type_traits>

using namespace mlir;
using namespace mlir::nn;

//===----------------------------------------------------------------------===//
// Entries of the table
//===----------------------------------------------------------------------===//

namespace {
template <typename T> Type getLLVMType(MLIRContext *context) {
  if constexpr (std::is_void_v<T>)
    return LLVM::LLVMVoidType::get(context);
  else if constexpr (std::is_pointer_v<T>)
    return LLVM::LLVMPointerType::get(context);
  else if constexpr (std::is_integral_v<T>)
    return IntegerType::get(context, 8 * sizeof(T));
  else {
    static_assert(std::is_same_v<T, float>, "a C type without LLVM's");
    return Float32Type::get(context);
  }
}

template <typename> struct Signature;
template <typename Result, typename... Parameters>
struct Signature<Result (*)(nnrt_abi_context *, Parameters...)> {
  static LLVM::LLVMFunctionType get(MLIRContext *context) {
    return LLVM::LLVMFunctionType::get(
        getLLVMType<Result>(context),
        {LLVM::LLVMPointerType::get(context), getLLVMType<Parameters>(context)...});
  }
};
} // namespace

StringRef mlir::nn::getRuntimeEntryName(RuntimeEntry entry) {
  switch (entry) {
#define NNRT_ABI_ENTRY(name, result, parameters)                               \
  case RuntimeEntry::name:                                                     \
    return #name;
#include "runtime/abi/entries.def"
  }
  llvm_unreachable("not an entry");
}

LLVM::LLVMFunctionType mlir::nn::getRuntimeEntryType(MLIRContext *context,
                                                     RuntimeEntry entry) {
  switch (entry) {
#define NNRT_ABI_ENTRY(name, result, parameters)                               \
  case RuntimeEntry::name:                                                     \
    return Signature<decltype(nnrt_abi_table::name)>::get(context);
#include "runtime/abi/entries.def"
  }
  llvm_unreachable("not an entry");
}

//===----------------------------------------------------------------------===//
// Loads from the context and the table
//===----------------------------------------------------------------------===//

/// Loads the field at `offset` bytes from `base`. Fields do not change during a run, so
/// LLVM may load them once.
static Value emitInvariantLoad(OpBuilder &builder, Location location, Type type,
                               Value base, size_t offset, unsigned alignment) {
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  Value address = base;
  if (offset != 0)
    address = LLVM::GEPOp::create(
        builder, location, pointer, builder.getI8Type(), base,
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
  return LLVM::LoadOp::create(builder, location, type, address, alignment,
                              /*isVolatile=*/false, /*isNonTemporal=*/false,
                              /*isInvariant=*/true);
}

Value mlir::nn::emitRuntimeCall(OpBuilder &builder, Location location,
                                Value context, RuntimeEntry entry,
                                ValueRange arguments) {
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  Value table = emitInvariantLoad(builder, location, pointer, context,
                                  offsetof(nnrt_abi_context, table), 8);
  Value callee =
      emitInvariantLoad(builder, location, pointer, table,
                        static_cast<size_t>(entry) * sizeof(void *), 8);
  LLVM::LLVMFunctionType type = getRuntimeEntryType(builder.getContext(), entry);
  assert(arguments.size() + 1 == type.getNumParams() &&
         "wrong number of arguments for the entry");
  assert(llvm::equal(TypeRange(arguments), type.getParams().drop_front()) &&
         "arguments of other types than the entry takes");
  SmallVector<Value> operands = {callee, context};
  llvm::append_range(operands, arguments);
  auto call = LLVM::CallOp::create(builder, location, type, operands);
  return call.getNumResults() ? call.getResult() : Value();
}

Value mlir::nn::emitWeightsPointer(OpBuilder &builder, Location location,
                                   Value context) {
  return emitInvariantLoad(builder, location,
                           LLVM::LLVMPointerType::get(builder.getContext()),
                           context, offsetof(nnrt_abi_context, weights), 8);
}

//===----------------------------------------------------------------------===//
// Constant globals
//===----------------------------------------------------------------------===//

static OpBuilder atStartOf(ModuleOp module) {
  return OpBuilder::atBlockBegin(module.getBody());
}

/// A name derived from the contents, so that equal contents share one global.
static std::string nameByContent(StringRef prefix, ArrayRef<uint8_t> content) {
  llvm::XXH128_hash_t hash = llvm::xxh3_128bits(content);
  return (prefix + "_" + llvm::utohexstr(hash.high64, /*LowerCase=*/true, 16) +
          llvm::utohexstr(hash.low64, /*LowerCase=*/true, 16))
      .str();
}

LLVM::GlobalOp mlir::nn::getOrCreateGlobalString(ModuleOp module,
                                                 StringRef text) {
  std::string terminated = text.str() + '\0';
  std::string name =
      nameByContent("nn_string", llvm::arrayRefFromStringRef(terminated));
  if (auto global = module.lookupSymbol<LLVM::GlobalOp>(name))
    return global;
  OpBuilder builder = atStartOf(module);
  auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), terminated.size());
  auto global = LLVM::GlobalOp::create(
      builder, module.getLoc(), type, /*isConstant=*/true,
      LLVM::Linkage::Internal, name, builder.getStringAttr(terminated),
      /*alignment=*/1);
  global.setUnnamedAddr(LLVM::UnnamedAddr::Global);
  return global;
}

Value mlir::nn::emitGlobalString(OpBuilder &builder, Location location,
                                 ModuleOp module, StringRef text) {
  return LLVM::AddressOfOp::create(builder, location,
                                   getOrCreateGlobalString(module, text));
}

LLVM::GlobalOp mlir::nn::getOrCreateGlobalI64Array(ModuleOp module,
                                                   ArrayRef<int64_t> values) {
  std::string name = nameByContent(
      "nn_i64s", ArrayRef(reinterpret_cast<const uint8_t *>(values.data()),
                          values.size() * sizeof(int64_t)));
  if (auto global = module.lookupSymbol<LLVM::GlobalOp>(name))
    return global;
  OpBuilder builder = atStartOf(module);
  auto type = LLVM::LLVMArrayType::get(builder.getI64Type(), values.size());
  auto global = LLVM::GlobalOp::create(
      builder, module.getLoc(), type, /*isConstant=*/true,
      LLVM::Linkage::Internal, name, builder.getI64TensorAttr(values),
      /*alignment=*/8);
  global.setUnnamedAddr(LLVM::UnnamedAddr::Global);
  return global;
}

std::string mlir::nn::makeSymbolName(ModuleOp module, StringRef prefix,
                                     unsigned &next) {
  for (;;) {
    std::string name = (prefix + "_" + Twine(next++)).str();
    if (!module.lookupSymbol(name))
      return name;
  }
}

//===----------------------------------------------------------------------===//
// GlobalStructBuilder
//===----------------------------------------------------------------------===//

void GlobalStructBuilder::add(size_t offset, Type type, Attribute value,
                              size_t bytes) {
  size_t alignment = isa<LLVM::LLVMArrayType>(type) ? 8 : bytes;
  position = llvm::alignTo(position, alignment);
  assert(position == offset && "the C struct has another layout");
  (void)offset;
  position += bytes;
  elements.back().push_back({type, value});
}

void GlobalStructBuilder::addI32(size_t offset, int32_t value) {
  auto type = IntegerType::get(module.getContext(), 32);
  add(offset, type, IntegerAttr::get(type, value), 4);
}

void GlobalStructBuilder::addI64(size_t offset, int64_t value) {
  auto type = IntegerType::get(module.getContext(), 64);
  add(offset, type, IntegerAttr::get(type, value), 8);
}

void GlobalStructBuilder::addF32(size_t offset, float value) {
  auto type = Float32Type::get(module.getContext());
  add(offset, type, FloatAttr::get(type, value), 4);
}

void GlobalStructBuilder::addI64s(size_t offset, ArrayRef<int64_t> values,
                                  size_t size, int64_t padding) {
  assert(values.size() <= size && "more values than the field holds");
  SmallVector<int64_t> padded(values);
  padded.resize(size, padding);
  auto element = IntegerType::get(module.getContext(), 64);
  add(offset, LLVM::LLVMArrayType::get(element, size),
      DenseElementsAttr::get(
          RankedTensorType::get({static_cast<int64_t>(size)}, element),
          ArrayRef<int64_t>(padded)),
      8 * size);
}

void GlobalStructBuilder::addAddress(size_t offset, LLVM::GlobalOp global) {
  add(offset, LLVM::LLVMPointerType::get(module.getContext()),
      global ? Attribute(FlatSymbolRefAttr::get(global.getSymNameAttr()))
             : Attribute(),
      8);
}

void GlobalStructBuilder::finishElement(size_t size) {
  assert(llvm::alignTo(position, 8) == llvm::alignTo(size, 8) &&
         "the C struct has more fields");
  (void)size;
  elements.emplace_back();
  position = 0;
}

LLVM::GlobalOp GlobalStructBuilder::create(Location location, StringRef name) {
  MLIRContext *context = module.getContext();
  if (elements.back().empty())
    elements.pop_back();
  auto toTypes = [](const Field &field) { return field.type; };
  auto structType = LLVM::LLVMStructType::getLiteral(
      context, llvm::map_to_vector(elements.front(), toTypes));
  Type type = structType;
  if (elements.size() > 1)
    type = LLVM::LLVMArrayType::get(structType, elements.size());

  OpBuilder builder = atStartOf(module);
  auto global = LLVM::GlobalOp::create(builder, location, type,
                                       /*isConstant=*/true,
                                       LLVM::Linkage::Internal, name,
                                       /*value=*/Attribute(), /*alignment=*/8);
  builder.createBlock(&global.getInitializerRegion());
  Value whole = LLVM::UndefOp::create(builder, location, type);
  for (auto [index, fields] : llvm::enumerate(elements)) {
    for (auto [position, field] : llvm::enumerate(fields)) {
      Value value;
      if (!field.value)
        value = LLVM::ZeroOp::create(builder, location, field.type);
      else if (auto symbol = dyn_cast<FlatSymbolRefAttr>(field.value))
        value = LLVM::AddressOfOp::create(builder, location, field.type, symbol);
      else
        value = LLVM::ConstantOp::create(builder, location, field.type,
                                         cast<TypedAttr>(field.value));
      SmallVector<int64_t> path;
      if (elements.size() > 1)
        path.push_back(index);
      path.push_back(position);
      whole = LLVM::InsertValueOp::create(builder, location, whole, value, path);
    }
  }
  LLVM::ReturnOp::create(builder, location, whole);
  return global;
}
