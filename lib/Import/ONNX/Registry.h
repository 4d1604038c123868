//===- Registry.h - handlers of ONNX operators ------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_IMPORT_ONNX_REGISTRY_H
#define NN_LIB_IMPORT_ONNX_REGISTRY_H

#include "NodeBinder.h"
#include <map>

namespace mlir::nn::importer {

using Handler = LogicalResult (*)(NodeBinder &node);

struct RegisteredOperator {
  Handler handler = nullptr;
  /// The names of operands, if the ONNX library has no schema that says them.
  std::vector<std::string> operands;
};

class Registry {
public:
  /// All handlers of nn-mlir.
  static const Registry &get();

  /// `handler` imports `op` of ai.onnx from opset `sinceVersion` on, until the
  /// next handler of the same operator.
  void onOp(llvm::StringRef op, int64_t sinceVersion, Handler handler) {
    onOp("", op, sinceVersion, handler);
  }
  /// `operands` are their names, separated by spaces, of an operator without a schema.
  void onOp(llvm::StringRef domain, llvm::StringRef op, int64_t sinceVersion,
            Handler handler, llvm::StringRef operands = "");

  /// Null if there is none.
  const RegisteredOperator *find(llvm::StringRef domain, llvm::StringRef op,
                                 int64_t opset) const;

  /// Calls `visit` for each operator that has a handler, in order.
  void forEach(llvm::function_ref<void(llvm::StringRef domain, llvm::StringRef op,
                                       int64_t sinceVersion)> visit) const;

private:
  std::map<std::pair<std::string, std::string>, std::map<int64_t, RegisteredOperator>>
      operators;
};

// One per family, in the file of that name.
void registerConstant(Registry &registry);
void registerContraction(Registry &registry);
void registerControlFlow(Registry &registry);
void registerConv(Registry &registry);
void registerDeformConv(Registry &registry);
void registerEinsum(Registry &registry);
void registerElementwise(Registry &registry);
void registerIndexing(Registry &registry);
void registerNGrams(Registry &registry);
void registerNormalization(Registry &registry);
void registerPool(Registry &registry);
void registerQuantization(Registry &registry);
void registerRandom(Registry &registry);
void registerRecurrent(Registry &registry);
void registerReduction(Registry &registry);
void registerResize(Registry &registry);
void registerRoiPool(Registry &registry);
void registerSequence(Registry &registry);
void registerShape(Registry &registry);
void registerSignal(Registry &registry);
void registerString(Registry &registry);
void registerTraining(Registry &registry);

// In the folder Microsoft.

/// The number of channels in the blocks of com.microsoft.nchwc, if the model tells.
std::optional<int64_t> findChannelBlock(const onnx::ModelProto &model);

void registerMLLabels(Registry &registry);
void registerMLLinear(Registry &registry);
void registerMLMaps(Registry &registry);
void registerMLPreprocessing(Registry &registry);
void registerMLSupportVectors(Registry &registry);
void registerMLTrees(Registry &registry);
void registerMicrosoftAttention(Registry &registry);
void registerMicrosoftBlockQuantization(Registry &registry);
void registerMicrosoftEmbedding(Registry &registry);
void registerMicrosoftFused(Registry &registry);
void registerMicrosoftGroupQueryAttention(Registry &registry);
void registerMicrosoftIndexing(Registry &registry);
void registerMicrosoftInverse(Registry &registry);
void registerMicrosoftLayouts(Registry &registry);
void registerMicrosoftMixtureOfExperts(Registry &registry);
void registerMicrosoftNormalization(Registry &registry);
void registerMicrosoftPackedAttention(Registry &registry);
void registerMicrosoftQuantization(Registry &registry);
void registerMicrosoftQuantizedProducts(Registry &registry);
void registerMicrosoftStandard(Registry &registry);
void registerMicrosoftTokenizer(Registry &registry);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_REGISTRY_H
