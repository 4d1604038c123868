//===- Importer.h - from a parsed ONNX model to a module --------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_IMPORT_ONNX_IMPORTER_H
#define NN_LIB_IMPORT_ONNX_IMPORTER_H

#include "NodeBinder.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "nn/Import/ONNX.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <set>

namespace mlir::nn::importer {

/// Imports one model. Goes on after a problem, with the types that the model
/// declares or ONNX infers for the results of what could not be imported.
class Importer {
public:
  Importer(MLIRContext &context, llvm::StringRef path, onnx::ModelProto &model,
           const ImportOptions &options, TriageReport &report)
      : context(context), model(model), options(options), report(report),
        state(context, path) {}

  /// The module; of no use if the report is not empty.
  OwningOpRef<ModuleOp> run();

private:
  /// What a tensor's name stands for.
  struct Binding {
    Value value;                          ///< Null if not known (yet).
    onnx::TensorProto *weight = nullptr;  ///< To be read when it is used first.
    bool isAbsent = false; ///< A function's operand that the caller left away.
  };

  /// The main graph, or a function that is being inlined.
  struct Scope {
    llvm::StringMap<Binding> values;
    llvm::StringMap<int64_t> opsets;
    llvm::StringSet<> used; ///< Names that anything in the scope reads.
    /// In functions: the node that calls, whose name heads the names within.
    const NodeInfo *caller = nullptr;
    /// In functions of the ONNX library, which no one knows by name: the
    /// location of the caller, for all nodes.
    std::optional<Location> location;
    unsigned depth = 0;
  };

  using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

  //===--- The model (Importer.cpp) ---------------------------------------===//

  void reportProblem(const NodeInfo &node, const Twine &constraint,
                     const Twine &seen, const Twine &accepted,
                     Remedy remedy = Remedy::FixModel, const Twine &advice = "");
  void setFacts();
  void readOpsets();
  void bindWeights(Scope &scope);
  void importInputs(func::FuncOp main, Scope &scope);
  /// The type of an input, or null (reported); `names` get those of its symbols.
  RankedTensorType readInputType(const onnx::ValueInfoProto &input,
                                 SmallVectorImpl<std::string> &names);
  /// The dimensions that options make static, of a dimension of an input.
  std::optional<int64_t> getSetDim(llvm::StringRef input, int64_t index,
                                   llvm::StringRef symbol);
  void checkSetDims();
  void importOutputs(func::FuncOp main, Scope &scope);
  void setModuleAttributes(ModuleOp module);

  //===--- Nodes (ImportNodes.cpp) ----------------------------------------===//

  NodeInfo describe(const onnx::NodeProto &node, int64_t index,
                    const Scope &scope) const;
  /// Node indices such that producers come before users. Reports names that
  /// nothing or several produce, and cycles.
  SmallVector<int> orderNodes(const Nodes &nodes, Scope &scope);
  void importNodes(Nodes &nodes, Scope &scope);
  void importNode(onnx::NodeProto &node, const NodeInfo &info, Scope &scope);
  /// The operands; false if one of them is not known.
  bool getOperands(const onnx::NodeProto &node, Scope &scope,
                   SmallVectorImpl<Value> &operands);
  /// Reads a weight that is used for the first time.
  Value getValue(llvm::StringRef name, Scope &scope);
  void bindOutput(llvm::StringRef name, Value value, Scope &scope);
  void bindPlaceholder(llvm::StringRef name, Scope &scope, Location location);
  /// The type that the model declares, or that ONNX infers, for a tensor of the
  /// main graph; null if there is none that nn can have.
  RankedTensorType getDeclaredType(llvm::StringRef name);
  void addOrigin(Value value, llvm::StringRef tensor, const Scope &scope);
  /// The tensor type of a TypeProto, without names; null if nn has none.
  RankedTensorType getTensorType(const onnx::TypeProto &type);

  //===--- Functions (ImportFunctions.cpp) --------------------------------===//

  void readFunctions();
  const onnx::FunctionProto *findFunction(const onnx::NodeProto &node) const;
  /// False, and reported, if it cannot be inlined.
  bool inlineFunction(const onnx::FunctionProto &function,
                      const onnx::OpSchema *schema, onnx::NodeProto &node,
                      const NodeInfo &info, ArrayRef<Value> operands,
                      Location location, Scope &scope);
  bool inlineLibraryFunction(const onnx::OpSchema &schema,
                             onnx::NodeProto &node, const NodeInfo &info,
                             ArrayRef<Value> operands, Location location,
                             Scope &scope);
  /// Adds operators of the function that nothing imports to `missing`.
  void findUnsupported(const onnx::FunctionProto &function, unsigned depth,
                       std::set<std::string> &missing) const;

  MLIRContext &context;
  onnx::ModelProto &model;
  const ImportOptions &options;
  TriageReport &report;
  ImportState state;
  llvm::StringMap<int64_t> opsets;
  llvm::StringMap<const onnx::FunctionProto *> functions;
  SmallVector<const onnx::FunctionProto *> callStack;
  int64_t numNodes = 0; ///< With those of inlined functions.
  llvm::StringSet<> symbols;
  llvm::StringSet<> usedSetDims;
  llvm::StringMap<int64_t> symbolSizes; ///< Symbols that options made static.
  bool hasDeclaredTypes = false;
  llvm::StringMap<const onnx::TypeProto *> declaredTypes;
};

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_IMPORTER_H
