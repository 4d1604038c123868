//===- PlainBackEnd.cpp - executes upstream IR, to judge with -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Execution/PlainBackEnd.h"
#include "PlainCode.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/Transforms/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;
using llvm::Expected;

//===----------------------------------------------------------------------===//
// Lowering
//===----------------------------------------------------------------------===//

static void buildBufferization(OpPassManager &pm) {
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.allowReturnAllocsFromLoops = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  bufferize.unknownTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
}

static void buildLowering(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  pm.addNestedPass<func::FuncOp>(createConvertVectorToSCFPass(
      VectorTransferToSCFOptions().enableFullUnroll()));
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  pm.addPass(arith::createArithExpandOpsPass(expand));
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

/// Passes the results of the function to the caller before it returns.
static void giveResults(ModuleOp module, func::FuncOp function) {
  SmallVector<Operation *> ends;
  function.walk([&](func::ReturnOp end) { ends.push_back(end); });
  OpBuilder builder(module.getContext());
  for (Operation *end : ends) {
    builder.setInsertionPoint(end);
    Location loc = end->getLoc();
    for (auto [i, value] : llvm::enumerate(end->getOperands())) {
      Value memref = value;
      if (!isa<BaseMemRefType>(value.getType())) {
        memref = memref::AllocaOp::create(builder, loc,
                                          MemRefType::get({}, value.getType()));
        memref::StoreOp::create(builder, loc, value, memref, ValueRange{});
      }
      Type element = cast<BaseMemRefType>(memref.getType()).getElementType();
      auto type = UnrankedMemRefType::get(element, 0);
      Value unranked = memref::CastOp::create(builder, loc, type, memref);
      Value index = arith::ConstantIndexOp::create(builder, loc, i);
      // One declaration per element type; all of them are one function.
      std::string name;
      llvm::raw_string_ostream(name) << kPlainGive << "_" << element;
      if (!module.lookupSymbol(name)) {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPointToStart(module.getBody());
        auto declared = func::FuncOp::create(
            builder, loc, name,
            builder.getFunctionType({builder.getIndexType(), type}, {}));
        declared.setPrivate();
        declared->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                          builder.getUnitAttr());
      }
      func::CallOp::create(builder, loc, name, TypeRange{},
                           ValueRange{index, unranked});
    }
    end->setOperands({});
  }
  function.setFunctionType(
      builder.getFunctionType(function.getArgumentTypes(), {}));
  function.setResAttrsAttr(nullptr);
}

struct PlainBackEnd::Implementation {
  PlainCode code;
  /// By the text of the module.
  llvm::StringMap<PlainCode::Entry> compiled;

  Expected<PlainCode::Entry> compile(ModuleOp module);
};

Expected<PlainCode::Entry> PlainBackEnd::Implementation::compile(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, OpPrintingFlags().useLocalScope());
  if (auto known = compiled.find(text); known != compiled.end())
    return known->second;

  // Upstream's message for a failure.
  std::string messages;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      llvm::raw_string_ostream(messages) << diagnostic << " ";
    return success();
  });
  auto function = module.lookupSymbol<func::FuncOp>(kPlainFunction);
  function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                    UnitAttr::get(module.getContext()));
  bool hasTensors = function
                        .walk([](Operation *op) {
                          auto isTensor = llvm::IsaPred<TensorType>;
                          return llvm::any_of(op->getOperandTypes(), isTensor) ||
                                         llvm::any_of(op->getResultTypes(), isTensor)
                                     ? WalkResult::interrupt()
                                     : WalkResult::advance();
                        })
                        .wasInterrupted();
  auto run = [&](auto build) {
    PassManager pm(module.getContext());
    build(pm);
    return pm.run(module);
  };
  auto fail = [&](StringRef what) {
    return createStringError("the plain back end could not " + what + ": " + messages);
  };
  if (hasTensors && failed(run(buildBufferization)))
    return fail("bufferize it");
  function = module.lookupSymbol<func::FuncOp>(kPlainFunction);
  giveResults(module, function);
  if (failed(run(buildLowering)))
    return fail("lower it");
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  auto context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> llvmModule = translateModuleToLLVMIR(module, *context);
  if (!llvmModule)
    return fail("translate it");
  Expected<PlainCode::Entry> entry =
      code.compile(std::move(llvmModule), std::move(context));
  if (entry)
    compiled[text] = *entry;
  return entry;
}

PlainBackEnd::PlainBackEnd() : implementation(std::make_unique<Implementation>()) {}
PlainBackEnd::~PlainBackEnd() = default;

//===----------------------------------------------------------------------===//
// Functions and operations
//===----------------------------------------------------------------------===//

static Expected<SmallVector<PlainResult>> getResultTypes(TypeRange types) {
  SmallVector<PlainResult> result;
  for (Type type : types) {
    std::optional<DataType> dataType = getDataType(getElementTypeOrSelf(type));
    if (!dataType)
      return createStringError("the plain back end cannot give a result of its type");
    result.push_back({*dataType, isa<BaseMemRefType>(type)});
  }
  return result;
}

Expected<SmallVector<Datum>> PlainBackEnd::call(func::FuncOp function,
                                                ArrayRef<Datum> arguments) {
  OpBuilder builder(function.getContext());
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder, builder.getUnknownLoc());
  builder.setInsertionPointToStart(module->getBody());
  auto clone = cast<func::FuncOp>(builder.clone(*function));
  clone.setName(kPlainFunction);
  clone.setPublic();
  // Functions that it calls, and those that these call.
  SmallVector<Operation *> open{clone};
  while (!open.empty())
    open.pop_back_val()->walk([&](func::CallOp call) {
      if (module->lookupSymbol(call.getCallee()))
        return;
      if (auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
              function, call.getCalleeAttr()))
        open.push_back(builder.clone(*callee));
    });
  Expected<SmallVector<PlainResult>> types =
      getResultTypes(function.getResultTypes());
  if (!types)
    return types.takeError();
  Expected<PlainCode::Entry> entry = implementation->compile(*module);
  if (!entry)
    return entry.takeError();
  return PlainCode::call(*entry, function.getArgumentTypes(), arguments, *types);
}

Expected<SmallVector<Datum>>
PlainBackEnd::execute(Operation *op, llvm::function_ref<Datum(Value)> getValue) {
  llvm::SetVector<Value> outside;
  outside.insert(op->operand_begin(), op->operand_end());
  for (Region &region : op->getRegions())
    getUsedValuesDefinedAbove(region, outside);

  OpBuilder builder(op->getContext());
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder, loc);
  builder.setInsertionPointToStart(module->getBody());
  SmallVector<Value> passed;
  for (Value value : outside)
    if (Operation *definition = value.getDefiningOp();
        !definition || !isa<arith::ConstantOp>(definition))
      passed.push_back(value);
  auto function = func::FuncOp::create(
      builder, loc, kPlainFunction,
      builder.getFunctionType(ValueRange(passed).getTypes(), op->getResultTypes()));
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  IRMapping mapping;
  SmallVector<Datum> arguments;
  for (Value value : outside)
    // Constants stay what they are: some operations need them.
    if (Operation *definition = value.getDefiningOp();
        definition && isa<arith::ConstantOp>(definition))
      builder.clone(*definition, mapping);
  for (auto [value, argument] : llvm::zip_equal(passed, body->getArguments())) {
    mapping.map(value, argument);
    arguments.push_back(getValue(value));
  }
  Operation *clone = builder.clone(*op, mapping);
  clone->walk([](Operation *nested) {
    SmallVector<StringAttr> own;
    for (NamedAttribute attribute : nested->getDiscardableAttrs())
      if (attribute.getName().strref().starts_with("nn."))
        own.push_back(attribute.getName());
    for (StringAttr name : own)
      nested->removeDiscardableAttr(name);
  });
  func::ReturnOp::create(builder, loc, clone->getResults());

  Expected<SmallVector<PlainResult>> types =
      getResultTypes(op->getResultTypes());
  if (!types)
    return types.takeError();
  Expected<PlainCode::Entry> entry = implementation->compile(*module);
  if (!entry)
    return entry.takeError();
  return PlainCode::call(*entry, ValueRange(passed).getTypes(), arguments, *types);
}
