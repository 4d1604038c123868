//===- RuntimeCalls.h - how generated code reaches the runtime --*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The only undefined symbols of generated code are libc's. It calls the runtime through
// the context (nnrt_abi_context in runtime/abi/nnrt_abi.h), which is argument 0 of the
// model's function. These helpers emit, in the LLVM dialect, calls through the context's
// table, loads of the context's fields, and the constant globals that calls take. Entries
// and signatures come from runtime/abi/entries.def, so that the two sides cannot differ.
//
//===----------------------------------------------------------------------===//

#ifndef NN_CONVERSION_RUNTIMECALLS_H
#define NN_CONVERSION_RUNTIMECALLS_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::nn {

/// What generated code may call: the entries of the table, in its order.
enum class RuntimeEntry : int32_t {
#define NNRT_ABI_ENTRY(name, result, parameters) name,
#include "runtime/abi/entries.def"
};

StringRef getRuntimeEntryName(RuntimeEntry entry);

/// The signature in LLVM's types; parameter 0 is the context.
LLVM::LLVMFunctionType getRuntimeEntryType(MLIRContext *context,
                                           RuntimeEntry entry);

/// Calls `entry` with `context` (!llvm.ptr) and `arguments`, which have the types of the
/// parameters after the context. Returns the result of the call, or null if the entry
/// returns nothing.
Value emitRuntimeCall(OpBuilder &builder, Location location, Value context,
                      RuntimeEntry entry, ValueRange arguments);

/// Room on the stack for what a call points to. The calls of a function share one
/// buffer at its front, which is as large as the call that needs most: they don't add
/// up, in loops neither, and LLVM has one alloca to look at and not one per call.
class StackRoom {
public:
  /// For a call that `rewriter` emits in the place of `op`. What it points to is
  /// overwritten by the next call's room, so the call must not keep the address.
  StackRoom(RewriterBase &rewriter, Operation *op);

  /// The address (!llvm.ptr, 8-byte aligned) of `count` elements, whose type needs no
  /// larger alignment.
  Value allocate(Type element, int64_t count);
  /// The address of a list of `values`, which have type `element`.
  Value store(Type element, ArrayRef<Value> values);

private:
  RewriterBase &rewriter;
  Location location;
  FunctionOpInterface function;
  /// Bytes that this call uses so far.
  int64_t used = 0;
};

//===----------------------------------------------------------------------===//
// Fields of the context
//===----------------------------------------------------------------------===//

/// The start of the weights section (!llvm.ptr, 4096-byte aligned).
Value emitWeightsPointer(OpBuilder &builder, Location location, Value context);

//===----------------------------------------------------------------------===//
// Constant globals: internal, deterministically named
//===----------------------------------------------------------------------===//

/// The module's constant that holds `text` and a zero byte; equal texts share one.
LLVM::GlobalOp getOrCreateGlobalString(ModuleOp module, StringRef text);
/// The same, as an address (!llvm.ptr) at the builder's insertion point, which must be
/// inside `module`.
Value emitGlobalString(OpBuilder &builder, Location location, ModuleOp module,
                       StringRef text);

/// The module's constant that holds `values`; equal lists share one.
LLVM::GlobalOp getOrCreateGlobalI64Array(ModuleOp module,
                                         ArrayRef<int64_t> values);

/// A name `<prefix>_<n>` that no symbol of the module has. Tries numbers from `next` on,
/// and sets `next` to the number after.
std::string makeSymbolName(ModuleOp module, StringRef prefix, unsigned &next);

/// Builds a constant global that is an instance of a C struct, field by field
/// in declaration order. Each field comes with its offset in the C struct
/// (offsetof), and a disagreement with LLVM's layout is an assertion failure.
class GlobalStructBuilder {
public:
  explicit GlobalStructBuilder(ModuleOp module) : module(module) {}

  void addI32(size_t offset, int32_t value);
  void addI64(size_t offset, int64_t value);
  void addF32(size_t offset, float value);
  /// `values`, then `padding` up to `size` entries.
  void addI64s(size_t offset, ArrayRef<int64_t> values, size_t size,
               int64_t padding);
  /// The address of `global`, or null.
  void addAddress(size_t offset, LLVM::GlobalOp global);
  /// Pads to `size`, the C struct's sizeof, and starts the next element of an array.
  void finishElement(size_t size);

  /// The global, a literal struct (several elements: an array of them).
  LLVM::GlobalOp create(Location location, StringRef name);

private:
  struct Field {
    Type type;
    Attribute value; // null for a null pointer, a symbol for an address
  };
  void add(size_t offset, Type type, Attribute value, size_t bytes);

  ModuleOp module;
  SmallVector<SmallVector<Field>> elements = {{}};
  size_t position = 0; // within the element
};

} // namespace mlir::nn

#endif // NN_CONVERSION_RUNTIMECALLS_H
