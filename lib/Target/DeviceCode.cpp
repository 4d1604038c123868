//===- DeviceCode.cpp - code for the device -------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Target/DeviceCode.h"
#include "CodeToLLVM.h"
#include "LLVMMachine.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/DialectConversion.h"
#include "nn/Target/Passes.h"
#include "nn/Target/Target.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

namespace mlir::nn {
#define GEN_PASS_DEF_CONVERTDEVICECODE
#include "nn/Target/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

//===----------------------------------------------------------------------===//
// The NVVM dialect
//===----------------------------------------------------------------------===//

namespace {
struct ConvertDeviceCodePass : nn::impl::ConvertDeviceCodeBase<ConvertDeviceCodePass> {
  void runOnOperation() override {
    gpu::GPUModuleOp module = getOperation();
    if (failed(lowerVectors(module)))
      return signalPassFailure();
    LowerToLLVMOptions options(&getContext());
    options.overrideIndexBitwidth(64);
    LLVMTypeConverter converter(&getContext(), options);
    configureGpuToNVVMTypeConverter(converter);
    RewritePatternSet patterns(&getContext());
    populateCodeToLLVMPatterns(converter, patterns);
    populateGpuToNVVMConversionPatterns(converter, patterns);
    // Not calls of libdevice, which the patterns above would make: what is left of math are
    // instructions.
    populateMathToLLVMConversionPatterns(converter, patterns, /*approximateLog1p=*/true,
                                         /*benefit=*/2);
    // (configureGpuToNVVMConversionLegality would refuse these instructions.)
    LLVMConversionTarget target(getContext());
    target.addLegalDialect<NVVM::NVVMDialect>();
    target.addLegalOp<gpu::GPUModuleOp>();
    if (failed(applyFullConversion(module, target, std::move(patterns))))
      return signalPassFailure();
    finishFunctions(*module.getBody());
    for (auto function : module.getOps<LLVM::LLVMFuncOp>())
      if (function->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()))
        function.setLinkage(LLVM::Linkage::External);
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// PTX
//===----------------------------------------------------------------------===//

static std::unique_ptr<llvm::Module> translateAndOptimize(gpu::GPUModuleOp device,
                                                          llvm::TargetMachine &machine,
                                                          llvm::LLVMContext &context) {
  MLIRContext *mlirContext = device.getContext();
  registerBuiltinDialectTranslation(*mlirContext);
  registerGPUDialectTranslation(*mlirContext);
  registerLLVMDialectTranslation(*mlirContext);
  registerNVVMDialectTranslation(*mlirContext);
  std::unique_ptr<llvm::Module> module = translateModuleToLLVMIR(device, context, "device");
  if (!module) {
    device.emitError("the kernels could not be translated to LLVM IR");
    return nullptr;
  }
  module->setTargetTriple(machine.getTargetTriple());
  module->setDataLayout(machine.createDataLayout());
  LLVMAnalyses analyses;
  llvm::PassBuilder builder(&machine);
  analyses.registerIn(builder);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2)
      .run(*module, analyses.modules);
  for (const llvm::Function &function : *module)
    if (function.isDeclaration() && !function.isIntrinsic() && !function.use_empty()) {
      device.emitError() << "kernels call '" << function.getName()
                         << "', which is not part of them";
      return nullptr;
    }
  return module;
}

//===----------------------------------------------------------------------===//
// Cubins
//===----------------------------------------------------------------------===//

/// The path of ptxas; "" if there is none.
static std::string findPtxas() {
  SmallVector<std::string> folders;
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH"})
    if (const char *home = std::getenv(variable))
      folders.push_back(std::string(home) + "/bin");
  std::vector<StringRef> paths(folders.begin(), folders.end());
  if (auto found = llvm::sys::findProgramByName("ptxas", paths); found && !paths.empty())
    return *found;
  if (auto found = llvm::sys::findProgramByName("ptxas"))
    return *found;
  if (auto found = llvm::sys::findProgramByName("ptxas", {"/usr/local/cuda/bin"}))
    return *found;
  return "";
}

/// Assembles PTX. Failure, reported, if ptxas refuses it.
static LogicalResult assemble(StringRef ptxas, StringRef processor, ArrayRef<char> ptx,
                              SmallVectorImpl<char> &cubin, Location loc) {
  SmallString<128> files[3]; // PTX, cubin, messages
  std::vector<std::unique_ptr<llvm::FileRemover>> removers;
  constexpr StringLiteral suffixes[] = {"ptx", "cubin", "txt"};
  for (auto [file, suffix] : llvm::zip(files, suffixes)) {
    int fd;
    if (std::error_code code = llvm::sys::fs::createTemporaryFile("nn", suffix, fd, file))
      return emitError(loc) << "cannot make a temporary file: " << code.message();
    removers.push_back(std::make_unique<llvm::FileRemover>(file));
    llvm::raw_fd_ostream os(fd, /*shouldClose=*/true);
    if (suffix == "ptx")
      os << StringRef(ptx.data());
  }
  std::string architecture = ("--gpu-name=" + processor).str();
  std::string error;
  int status = llvm::sys::ExecuteAndWait(
      ptxas, {ptxas, architecture, files[0], "--output-file", files[1]}, std::nullopt,
      {StringRef(), StringRef(files[2]), StringRef(files[2])}, 0, 0, &error);
  if (status != 0) {
    if (auto text = llvm::MemoryBuffer::getFile(files[2]))
      error += (*text)->getBuffer().take_front(2000).str();
    return emitError(loc) << ptxas << " refuses the kernels for " << processor << ": " << error;
  }
  auto file = llvm::MemoryBuffer::getFile(files[1], /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!file)
    return emitError(loc) << "cannot read what " << ptxas
                          << " wrote: " << file.getError().message();
  cubin.append((*file)->getBufferStart(), (*file)->getBufferEnd());
  return success();
}

FailureOr<std::vector<DeviceCode>> nn::takeDeviceCode(ModuleOp lowered,
                                                         bool onlyBitcode) {
  std::vector<DeviceCode> codes;
  auto modules = llvm::to_vector(lowered.getOps<gpu::GPUModuleOp>());
  if (modules.empty())
    return codes;
  gpu::GPUModuleOp device = modules.front();
  Location loc = lowered.getLoc();
  std::string ptxas = findPtxas();
  for (StringAttr processor : getTarget(lowered).getProcessors()) {
    llvm::LLVMContext context;
    std::unique_ptr<llvm::TargetMachine> machine = createGPUMachine(processor, loc);
    if (!machine)
      return failure();
    std::unique_ptr<llvm::Module> module = translateAndOptimize(device, *machine, context);
    if (!module)
      return failure();
    auto add = [&](nnrt::SectionKind kind) -> SmallVector<char, 0> & {
      codes.push_back({kind, processor.str(), {}});
      return codes.back().bytes;
    };
    if (codes.empty()) {
      llvm::raw_svector_ostream os(add(nnrt::SectionKind::Bitcode));
      llvm::WriteBitcodeToFile(*module, os);
    }
    if (onlyBitcode)
      break;
    SmallVector<char, 0> ptx;
    if (failed(emitCode(*module, *machine, llvm::CodeGenFileType::AssemblyFile, ptx, loc)))
      return failure();
    ptx.push_back(0); // The driver takes a C string.
    if (!ptxas.empty() && failed(assemble(ptxas, processor, ptx,
                                          add(nnrt::SectionKind::Cubin), loc)))
      return failure();
    add(nnrt::SectionKind::PTX) = std::move(ptx);
  }
  device.erase();
  return codes;
}
