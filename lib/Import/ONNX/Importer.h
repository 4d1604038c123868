//===- Importer.h - from a parsed ONNX model to a module --------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_IMPORT_ONNX_IMPORTER_H
#define NN_LIB_IMPORT_ONNX_IMPORTER_H

#include "Graphs.h"
#include "NodeBinder.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "nn/Import/ONNX.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <set>

namespace mlir::nn::importer {

/// Imports one model. Continues after a problem, with the types that the model declares
/// or ONNX infers for the results of nodes that could not be imported.
class Importer {
public:
  Importer(MLIRContext &context, llvm::StringRef path, onnx::ModelProto &model,
           const ImportOptions &options, TriageReport &report)
      : context(context), model(model), options(options), report(report),
        state(context, path) {}

  /// The module; of no use if the report is not empty. Where the rank of a result
  /// depends on dimensions known only at run time, these are assumed to be 1 or not.
  OwningOpRef<ModuleOp> run(bool unknownDimsAreOne);

  /// After run(): whether that mattered, and whether outputs do not have the ranks
  /// that the model declares.
  bool hasAssumedDims() const { return state.assumedDims; }
  bool contradictsDeclaredRanks() const { return contradictsOutputs; }

private:
  /// What a tensor's name refers to.
  struct Binding {
    Value value;                          ///< Null if not known (yet).
    /// To be read when it is first used; at most one is set.
    onnx::TensorProto *weight = nullptr;
    onnx::SparseTensorProto *sparseWeight = nullptr;
    bool isAbsent = false; ///< A function's operand that the caller left away.
  };

  struct OpenIf;

  /// The main graph, a function that is being inlined, or a nested graph.
  struct Scope {
    Scope();
    Scope(Scope &&);
    ~Scope();

    void addOutput(llvm::StringRef name, RankedTensorType declared) {
      used.insert(name);
      outputs[name] = declared;
    }
    Scope *parent = nullptr;     ///< Of nested graphs, which see its values.
    std::string prefix;          ///< In nested graphs: of names of unnamed nodes.
    bool isRepeated = false;     ///< In bodies of loops: values are no one tensor.
    llvm::StringMap<Binding> values;
    llvm::StringMap<int64_t> opsets;
    llvm::StringSet<> used; ///< Names that anything in the scope reads.
    /// The scope's results, with the types that the model declares (null if none).
    llvm::StringMap<RankedTensorType> outputs;
    std::unique_ptr<OpenIf> openIf; ///< May be null.
    /// In functions: the calling node, whose name is the prefix of names within.
    const NodeInfo *caller = nullptr;
    /// In functions of the ONNX library, whose nodes users do not know: the location of
    /// the caller, for all nodes.
    std::optional<Location> location;
    unsigned depth = 0;
  };

  /// An If whose branches give values of other ranks. What depends on these is imported
  /// into both branches, until all that is needed behind them has one rank.
  struct OpenIf {
    OpenIf(const NodeInfo &info, Location location, Value condition)
        : info(info), location(location), condition(condition) {}
    NodeInfo info;
    Location location;
    Value condition; ///< i1.
    std::unique_ptr<Region> regions[2];
    Scope scopes[2]; ///< What each branch has of `names`.
    llvm::StringSet<> names;
  };

  using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

  //===--- The model (Importer.cpp) ---------------------------------------===//

  void reportProblem(const NodeInfo &node, const Twine &constraint,
                     const Twine &seen, const Twine &accepted,
                     Remedy remedy = Remedy::FixModel, const Twine &advice = "");
  /// Warns of operators of --custom-op that the model does not have.
  void checkCustomOps();
  void setFacts();
  void readOpsets();
  void bindWeights(onnx::GraphProto &graph, Scope &scope);
  void setModuleAttributes(ModuleOp module);

  //===--- Inputs and outputs (ImportSignature.cpp) -----------------------===//

  void importInputs(func::FuncOp main, Scope &scope);
  /// Null (reported) if nn has no such input.
  Value importInput(func::FuncOp main, const onnx::ValueInfoProto &input);
  /// The element type of a tensor or null (reported).
  Type readElementType(llvm::StringRef input, const onnx::TypeProto &type);
  /// The type of an input, or null (reported); `names` get those of its symbols.
  RankedTensorType readInputType(llvm::StringRef input, const onnx::TypeProto &type,
                                 SmallVectorImpl<std::string> &names);
  /// The size of a dimension of an input, which options may make static.
  std::optional<int64_t> getSetDim(llvm::StringRef input, int64_t index,
                                   llvm::StringRef symbol);
  void checkSetDims();
  void importOutputs(func::FuncOp main, Scope &scope);
  /// The result of @main for an output, or for `part` of one that is not a tensor.
  void addResult(Value value, const onnx::ValueInfoProto &output, llvm::StringRef part,
                 SmallVectorImpl<Value> &results,
                 SmallVectorImpl<DictionaryAttr> &attributes);
  void importOutput(Value value, const onnx::ValueInfoProto &output,
                    SmallVectorImpl<Value> &results,
                    SmallVectorImpl<DictionaryAttr> &attributes);

  //===--- Nodes (ImportNodes.cpp) ----------------------------------------===//

  NodeInfo describe(const onnx::NodeProto &node, int64_t index,
                    const Scope &scope) const;
  /// Node indices such that producers come before users. Reports names with no producer
  /// or several, and cycles.
  SmallVector<int> orderNodes(const Nodes &nodes, Scope &scope);
  void importNodes(Nodes &nodes, Scope &scope);
  void importNode(onnx::NodeProto &node, const NodeInfo &info, Scope &scope);
  /// Imports a node that is part of another one; see NodeBinder::call.
  SmallVector<Value> importPart(onnx::NodeProto &part, ArrayRef<Value> operands,
                                int64_t opset, const NodeInfo &whole, Location location,
                                Scope &scope);
  /// The operands; false if one of them is not known.
  bool getOperands(const onnx::NodeProto &node, Scope &scope,
                   SmallVectorImpl<Value> &operands);
  /// What a name refers to, in the scope or those around it; null if nothing.
  Binding *findBinding(llvm::StringRef name, Scope &scope);
  /// Reads a weight when it is first used.
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
  /// False (reported) if it cannot be inlined.
  bool inlineFunction(const onnx::FunctionProto &function,
                      const onnx::OpSchema *schema, onnx::NodeProto &node,
                      const NodeInfo &info, ArrayRef<Value> operands,
                      Location location, Scope &scope);
  bool inlineLibraryFunction(const onnx::OpSchema &schema,
                             onnx::NodeProto &node, const NodeInfo &info,
                             ArrayRef<Value> operands, Location location,
                             Scope &scope);
  /// The type of a value for ONNX's library.
  onnx::TypeProto getONNXType(Value value);
  /// Adds the function's operators that cannot be imported to `missing`.
  void findUnsupported(const onnx::FunctionProto &function, unsigned depth,
                       std::set<std::string> &missing) const;

  //===--- Control flow (ControlFlow.cpp) ---------------------------------===//

  /// A Loop or Scan.
  struct LoopInfo {
    LoopInfo(const NodeInfo &info, Location location)
        : info(info), location(location) {}
    const NodeInfo &info;
    Location location;
    onnx::GraphProto *body = nullptr;
    Scope *scope = nullptr;
    Value tripCount;           ///< Index; null if only a condition ends the loop.
    bool hasCondition = false; ///< The body's first output says whether to go on.
    Value condition;           ///< Whether to start; may be null.
    SmallVector<Value> initial; ///< Of carried values.
    SmallVector<Structure> structures; ///< By which these are made of tensors.
    size_t numScanOutputs = 0;
    SmallVector<int64_t> reversed; ///< Scan outputs collected from the back.
    bool isReversed(size_t index) const {
      return index < reversed.size() && reversed[index];
    }
    /// The body's inputs, from the iteration's number and the carried values.
    std::function<SmallVector<Value>(Value, ArrayRef<Value>)> makeInputs;
  };
  /// An imported body: a block whose arguments are the iteration number and the tensors
  /// of carried values.
  struct LoopBody {
    std::unique_ptr<Region> region;
    Value goesOn; ///< Null if always.
    SmallVector<Value> carried, collected;
    /// Structures that fit both what the body takes and what it returns. If they differ
    /// from the loop's, the body must be imported again.
    SmallVector<Structure> structures;
  };

  static bool isControlFlow(const NodeInfo &node);
  bool importControlFlow(onnx::NodeProto &node, const NodeInfo &info,
                         Location location, Scope &scope);
  bool importLoop(onnx::NodeProto &node, const NodeInfo &info,
                  ArrayRef<Value> operands, Location location, Scope &scope,
                  SmallVectorImpl<Value> &results);
  bool importScan(onnx::NodeProto &node, const NodeInfo &info,
                  ArrayRef<Value> operands, Location location, Scope &scope,
                  SmallVectorImpl<Value> &results);
  /// A Scan of opset 8, whose operands are batches.
  bool importBatchedScan(onnx::NodeProto &node, const NodeInfo &info,
                         ArrayRef<Value> operands, Location location, Scope &scope,
                         SmallVectorImpl<Value> &results);
  onnx::GraphProto *findGraph(onnx::NodeProto &node, const NodeInfo &info,
                              llvm::StringRef name);
  Scope makeInnerScope(Scope &outer, const NodeInfo &info, llvm::StringRef graphName);
  /// Imports at the builder; false (reported) if that fails.
  bool importGraph(onnx::GraphProto &graph, const NodeInfo &info, Scope &scope,
                   SmallVectorImpl<Value> &results);
  bool importLoopBody(LoopInfo &loop, ArrayRef<RankedTensorType> types, LoopBody &body);
  bool importLoopBodyToFixpoint(LoopInfo &loop, SmallVectorImpl<Value> &initial,
                                SmallVectorImpl<RankedTensorType> &types, LoopBody &body);
  bool buildLoop(LoopInfo &loop, SmallVectorImpl<Value> &results);
  Value place(Value element, Value all, Value iteration, Location location,
              Value countIfReversed);
  Value append(Value element, Value all, Value iteration, Location location,
               bool inFront);
  /// The tensors of values; false (reported) if that fails.
  bool takeApart(ArrayRef<Value> values, ArrayRef<Structure> structures, const NodeInfo &info,
                 Location location, SmallVectorImpl<Value> &tensors);
  SmallVector<Value> putTogether(ArrayRef<Structure> structures, ArrayRef<Value> tensors,
                                 Location location);
  /// The one element of a tensor that follows from constants and static shapes.
  std::optional<int64_t> evaluateScalar(Value value);
  bool checkTensors(ArrayRef<Value> values, const NodeInfo &info);
  bool checkScalar(Value value, llvm::StringRef name, Type elementType,
                   const NodeInfo &info);
  /// The element of a value that checkScalar has accepted. The run checks unknown
  /// sizes.
  Value extractScalar(Value tensor, llvm::StringRef name, const NodeInfo &info,
                      Location location);
  Value castTensor(Value value, RankedTensorType type, Location location);

  //===--- If (Branches.cpp) ----------------------------------------------===//

  using Regions = MutableArrayRef<std::unique_ptr<Region>>;

  bool importIf(onnx::NodeProto &node, const NodeInfo &info, ArrayRef<Value> operands,
                Location location, Scope &scope, SmallVectorImpl<Value> &results);
  /// The tensors that both branches return, with structures that fit both.
  bool takeBranchesApart(const NodeInfo &info, Location location, Regions regions,
                         MutableArrayRef<SmallVector<Value>> values,
                         SmallVectorImpl<Structure> &structures);
  /// An scf.if of both branches, which give values of the same ranks.
  bool joinBranches(const NodeInfo &info, Location location, Value condition,
                    Regions regions, MutableArrayRef<SmallVector<Value>> values,
                    SmallVectorImpl<Value> &results);
  /// The code of one branch. The run checks that the condition selects it.
  void takeBranch(const NodeInfo &info, Location location, Value condition,
                  Regions regions, int taken);
  /// Whether the problems from number `first` on say only that sizes do not fit, as in a
  /// branch that is not for the sizes that the model is compiled for.
  bool areMisfits(size_t first) const;
  /// The branch whose results have the ranks that the model declares, if only one does.
  std::optional<int> chooseByDeclaredRanks(ArrayRef<RankedTensorType> declared,
                                           ArrayRef<Value> first, ArrayRef<Value> second);

  static bool dependsOn(const OpenIf &open, const onnx::NodeProto &node);
  /// Imports a node into both branches of the scope's open If.
  void importIntoBranches(onnx::NodeProto &node, const NodeInfo &info, Scope &scope);
  /// Ends the scope's open If if the values that are needed later, by the predicate,
  /// have the same ranks in both branches. At the end of a scope (`mustClose`) a branch
  /// is taken where they have not.
  void closeIf(Scope &scope, llvm::function_ref<bool(llvm::StringRef)> isNeeded,
               bool mustClose);
  /// Continues with one branch of the scope's open If.
  void continueWith(Scope &scope, int taken);

  MLIRContext &context;
  onnx::ModelProto &model;
  const ImportOptions &options;
  TriageReport &report;
  ImportState state;
  llvm::StringMap<int64_t> opsets;
  llvm::StringMap<const onnx::FunctionProto *> functions;
  SmallVector<const onnx::FunctionProto *> callStack;
  int64_t numNodes = 0; ///< With those of inlined functions.
  unsigned graphDepth = 0;
  unsigned partDepth = 0; ///< Of parts of nodes that are being imported.
  Block *mainBlock = nullptr;
  bool contradictsOutputs = false;
  /// The nesting depth of open Ifs.
  unsigned ifDepth = 0;
  /// Discarded code. It is kept alive because known shapes are looked up by the
  /// addresses of values.
  std::vector<std::unique_ptr<Region>> discarded;
  llvm::StringSet<> symbols;
  llvm::StringSet<> usedSetDims;
  std::set<std::pair<std::string, std::string>> usedCustomOps;
  llvm::StringMap<int64_t> symbolSizes; ///< Symbols that options made static.
  bool hasDeclaredTypes = false;
  llvm::StringMap<const onnx::TypeProto *> declaredTypes;
};

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_IMPORTER_H
