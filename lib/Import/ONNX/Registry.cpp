//===- Registry.cpp - handlers of ONNX operators --------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "nn/Import/ONNX.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir::nn;
using namespace mlir::nn::importer;
using llvm::StringRef;

const Registry &Registry::get() {
  static const Registry registry = [] {
    Registry all;
    registerConstant(all);
    registerContraction(all);
    registerControlFlow(all);
    registerConv(all);
    registerDeformConv(all);
    registerEinsum(all);
    registerElementwise(all);
    registerIndexing(all);
    registerNGrams(all);
    registerNormalization(all);
    registerPool(all);
    registerQuantization(all);
    registerRandom(all);
    registerRecurrent(all);
    registerReduction(all);
    registerResize(all);
    registerRoiPool(all);
    registerSequence(all);
    registerShape(all);
    registerSignal(all);
    registerString(all);
    registerTraining(all);
    registerMLLabels(all);
    registerMLLinear(all);
    registerMLMaps(all);
    registerMLPreprocessing(all);
    registerMLSupportVectors(all);
    registerMLTrees(all);
    registerMicrosoftAttention(all);
    registerMicrosoftBlockQuantization(all);
    registerMicrosoftEmbedding(all);
    registerMicrosoftFused(all);
    registerMicrosoftGroupQueryAttention(all);
    registerMicrosoftIndexing(all);
    registerMicrosoftInverse(all);
    registerMicrosoftLayouts(all);
    registerMicrosoftMixtureOfExperts(all);
    registerMicrosoftNormalization(all);
    registerMicrosoftPackedAttention(all);
    registerMicrosoftQuantization(all);
    registerMicrosoftQuantizedProducts(all);
    registerMicrosoftStandard(all);
    registerMicrosoftTokenizer(all);
    return all;
  }();
  return registry;
}

void Registry::onOp(StringRef domain, StringRef op, int64_t sinceVersion,
                    Handler handler, StringRef operands) {
  RegisteredOperator registered;
  registered.handler = handler;
  for (StringRef name : llvm::split(operands, " "))
    if (!name.empty())
      registered.operands.push_back(name.str());
  bool isNew = operators[{domain.str(), op.str()}]
                   .try_emplace(sinceVersion, std::move(registered))
                   .second;
  assert(isNew && "two handlers for one operator and version");
  (void)isNew;
}

const RegisteredOperator *Registry::find(StringRef domain, StringRef op,
                                         int64_t opset) const {
  auto it = operators.find({domain.str(), op.str()});
  if (it == operators.end())
    return nullptr;
  auto version = it->second.upper_bound(opset);
  return version == it->second.begin() ? nullptr : &std::prev(version)->second;
}

void Registry::forEach(
    llvm::function_ref<void(StringRef, StringRef, int64_t)> visit) const {
  for (const auto &[key, versions] : operators)
    for (const auto &entry : versions)
      visit(key.first, key.second, entry.first);
}

void mlir::nn::forEachImportedOperator(
    llvm::function_ref<void(StringRef, StringRef, int64_t)> visit) {
  Registry::get().forEach(visit);
}
