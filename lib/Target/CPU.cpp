//===- CPU.cpp - what is known about CPUs to compile for ------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Target/CPU.h"
#include "nn/Target/Backend.h"
#include "runtime/lib/Core/CpuFeatures.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"

using namespace mlir;
using namespace mlir::nn;

std::string CodeVariant::getSuffix() const {
  std::string suffix = cpu;
  for (char &c : suffix)
    if (!llvm::isAlnum(c))
      c = '_';
  return suffix;
}

std::vector<CodeVariant> nn::getPortableVariants() {
  return {{"x86-64-v4+avx512vnni", 512, /*hasDotProducts=*/true},
          {"x86-64-v4", 512},
          {"x86-64-v3", 256}};
}

std::pair<std::string, std::string> CodeVariant::splitFeatures() const {
  auto [name, rest] = StringRef(cpu).split('+');
  SmallVector<StringRef> features;
  rest.split(features, '+', -1, /*KeepEmpty=*/false);
  std::string list;
  for (StringRef feature : features)
    list += (list.empty() ? "+" : ",+") + feature.str();
  return {name.str(), list};
}

/// Those that LLVM gives a CPU, and those behind its name.
static SmallVector<StringRef> listFeatures(StringRef cpu) {
  auto [name, rest] = cpu.split('+');
  SmallVector<StringRef> features, others;
  llvm::X86::getFeaturesForCPU(name, features);
  rest.split(others, '+', -1, /*KeepEmpty=*/false);
  features.append(others);
  return features;
}

/// The features of a CPU, by LLVM's names.
static llvm::StringSet<> getFeatures(StringRef cpu) {
  SmallVector<StringRef> features = listFeatures(cpu);
  llvm::StringMap<bool> implied;
  for (StringRef feature : features)
    llvm::X86::updateImpliedFeatures(feature, /*Enabled=*/true, implied);
  llvm::StringSet<> set;
  set.insert_range(features);
  // The levels of the psABI leave out what others imply, AVX512F among it.
  for (const auto &entry : implied)
    if (entry.second)
      set.insert(entry.first());
  return set;
}

llvm::Expected<CodeVariant> nn::getVariant(StringRef cpu) {
  if (cpu == "native")
    cpu = llvm::sys::getHostCPUName();
  auto [name, others] = cpu.split('+');
  if (llvm::X86::parseArchX86(name, /*Only64Bit=*/true) == llvm::X86::CK_None)
    return llvm::createStringError(
        "unknown CPU '" + name + "'; use a name that LLVM knows, such as "
        "x86-64-v3, x86-64-v4, skylake-avx512, znver4, or native");
  SmallVector<StringRef> addable{"avx512vnni", "avxvnni"};
  for (StringRef feature : llvm::split(others, '+'))
    if (cpu.contains('+') && !llvm::is_contained(addable, feature))
      return llvm::createStringError("CPU '" + cpu + "': kernels do not use '" + feature +
                                     "'; there are +" + llvm::join(addable, " and +"));
  llvm::StringSet<> features = getFeatures(cpu);
  for (StringRef needed : {"avx2", "fma"})
    if (!features.contains(needed))
      return llvm::createStringError("CPU '" + cpu + "' has no " + needed +
                                     "; x86-64-v3 is the least that is supported");
  bool wide = true;
  for (StringRef needed : {"avx512f", "avx512bw", "avx512dq", "avx512vl"})
    wide &= features.contains(needed);
  CodeVariant variant{cpu.str(), wide ? 512u : 256u,
                      features.contains(wide ? "avx512vnni" : "avxvnni")};
  std::string required = getRequiredFeatures(variant);
  for (StringRef feature : llvm::split(required, ','))
    if (!nnrt::isKnownCpuFeature(feature.str()))
      return llvm::createStringError(
          "code for CPU '" + cpu + "' may use " + feature +
          ", which the runtime cannot check; use a lesser CPU, such as " +
          (wide ? "x86-64-v4" : "x86-64-v3"));
  return variant;
}

/// Whether no code can use a feature that was not written for it: instructions of
/// operating systems, and those that LLVM emits for their own intrinsics only. Virtual
/// machines often hide them.
static bool isNeverEmitted(StringRef feature) {
  static const llvm::StringSet<> names = {
      "amx-avx512", "amx-bf16", "amx-complex", "amx-fp16", "amx-fp8", "amx-int8",
      "amx-movrs", "amx-tf32", "amx-tile", "cldemote", "clflushopt", "clwb", "clzero",
      "enqcmd", "fsgsbase", "hreset", "invpcid", "kl", "lwp", "movdir64b", "movdiri",
      "mwaitx", "pconfig", "pku", "prefetchi", "ptwrite", "rdpid", "rdpru", "serialize",
      "sgx", "shstk", "tsxldtrk", "uintr", "usermsr", "waitpkg", "wbnoinvd", "widekl",
      "xsavec", "xsaveopt", "xsaves"};
  return names.contains(feature);
}

std::string nn::getRequiredFeatures(const CodeVariant &variant) {
  StringRef level = variant.vectorBits == 512 ? "x86-64-v4" : "x86-64-v3";
  if (variant.cpu == level)
    return level.str();
  llvm::StringSet<> base = getFeatures(level);
  std::string result = level.str();
  for (StringRef feature : listFeatures(variant.cpu))
    if (!base.contains(feature) && !isNeverEmitted(feature))
      result += "," + feature.str();
  return result;
}

TargetAttr nn::getPortableTarget(MLIRContext *context) {
  context->getOrLoadDialect<NNDialect>(); // A module may have nothing of it.
  SmallVector<StringAttr> processors;
  for (const CodeVariant &variant : getPortableVariants())
    processors.push_back(StringAttr::get(context, variant.cpu));
  return TargetAttr::get(context, TargetKind::CPU, processors,
                         StringAttr::get(context, "onednn"));
}

llvm::Expected<std::vector<CodeVariant>> nn::getVariants(TargetAttr target) {
  std::vector<CodeVariant> variants;
  if (target.getKind() != TargetKind::CPU)
    return std::vector{getPortableVariants().back()};
  for (StringAttr processor : target.getProcessors()) {
    llvm::Expected<CodeVariant> variant = getVariant(processor.getValue());
    if (!variant)
      return variant.takeError();
    variants.push_back(*variant);
  }
  SmallVector<StringRef> known;
  for (const Backend *backend : getBackends())
    if (backend->getTarget() == target.getKind() && !backend->getLibrary().empty())
      known.push_back(backend->getLibrary());
  for (StringAttr library : target.getLibraries())
    if (!llvm::is_contained(known, library.getValue()))
      return llvm::createStringError("CPUs have no library '" + library.getValue() +
                                     "'; there is " + llvm::join(known, ", "));
  return variants;
}
