//===- Exporter.h - from a module to an ONNX model --------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_EXPORT_ONNX_EXPORTER_H
#define NN_LIB_EXPORT_ONNX_EXPORTER_H

#include "NodeWriter.h"
#include "Opsets.h"
#include "Weights.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "nn/Export/ONNX.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <map>

namespace mlir::nn::exporter {

/// Names that occur once.
class UniqueNames {
public:
  /// `wanted`, or with a number behind it if that is taken.
  Name take(llvm::StringRef wanted);

private:
  llvm::StringMap<unsigned> taken;
};

/// Writes one module.
class Exporter {
public:
  Exporter(ModuleOp module, llvm::StringRef path, const ExportOptions &options)
      : module(module), weights(path, options.externalBytes) {}

  /// The model; false, and reported, if something cannot be written.
  bool run();
  onnx::ModelProto &getModel() { return model; }
  Weights &getWeights() { return weights; }

  //===--- Names ----------------------------------------------------------===//

  /// The name of a value that was written.
  Name getName(Value value);
  /// Says what a value is called.
  void bind(Value value, Name name) { names[value] = std::move(name); }
  /// Names a result that a node is about to compute.
  Name makeName(OpResult result);
  /// A new name for something else: of an operation, or like another one.
  Name makeName(Operation *op, llvm::StringRef what);
  Name makeName(llvm::StringRef wanted) { return tensors.take(wanted); }

  //===--- Graphs ---------------------------------------------------------===//

  /// Writes all operations of a block but its terminator.
  bool writeBlock(Block &block);
  /// Adds a node to the graph that is being written; `op` is what it is made of. A result
  /// without a name is not computed.
  /// A node of another domain than ai.onnx, whose results are the operation's.
  void addForeignNode(Operation *op, llvm::StringRef name, llvm::StringRef domain,
                      int64_t version, ArrayRef<Name> operands, ArrayRef<Name> results,
                      Attributes attributes);
  bool addNode(Operation *op, llvm::StringRef onnx, ArrayRef<Name> operands,
               ArrayRef<Name> results, Attributes attributes, bool isMain);
  /// An initializer; one that has the same content, if there is one.
  Name addConstant(Operation *op, const HostTensor &tensor);
  Name addConstant(Operation *op, ElementsAttr value);
  /// The constant of that name, if it is one of the module's.
  std::optional<HostTensor> findConstant(const Name &name);

  /// A graph within a node: `fill` adds inputs, nodes and outputs.
  bool nest(onnx::GraphProto &nested, const Name &name, llvm::function_ref<bool()> fill);
  /// Adds an input to the nested graph.
  Name addInput(const onnx::TypeProto &type, llvm::StringRef wanted);
  Name addInput(Type type, llvm::StringRef wanted) { return addInput(getType(type), wanted); }
  /// Adds outputs to the nested graph: tensors, which have these types.
  bool addOutputs(Operation *op, ArrayRef<Name> tensors, ArrayRef<onnx::TypeProto> types);

  /// A value's type in ONNX: indices and scalars are tensors of rank 0.
  static onnx::TypeProto getType(Type type);

private:
  onnx::NodeProto &startNode(Operation *op, llvm::StringRef onnx, ArrayRef<Name> operands,
                             ArrayRef<Name> results, bool isMain);
  bool writeOperation(Operation *op);
  /// Those of which other nodes have made their own forms, or attributes.
  void dropUnusedConstants();
  Name addTensor(llvm::StringRef wanted, const HostTensor &tensor);

  //===--- The signature (Signature.cpp) ----------------------------------===//

  /// Null (reported) if the module is no model before placement.
  func::FuncOp findMain();
  /// Sizes of all constants, which decide where they are written.
  void measureConstants(func::FuncOp main);
  void setMetadata(func::FuncOp main);
  bool writeInputs(func::FuncOp main);
  /// Gives names to the results that are the model's outputs.
  bool reserveOutputs(func::FuncOp main);
  void addOutput(const Name &name, const onnx::TypeProto &type);
  void writeOutputs(func::FuncOp main);

  //===--- Sequences and optionals (Structured.cpp) -----------------------===//

  /// An input or output that nn has as several tensors (see nnrt.h).
  struct Structure;
  /// The one whose parts begin at number `first`.
  static Structure getStructure(func::FuncOp main, bool isInput, unsigned first);
  /// What the tensors of an input are; what the ones of an output make, with this name.
  /// Give the number of tensors.
  unsigned writeStructuredInput(func::FuncOp main, unsigned first);
  unsigned writeStructuredOutput(func::FuncOp main, unsigned first, const Name &name);
  void takeApart(Operation *main, const Structure &structure, const Name &sequence,
                 ArrayRef<Value> tensors);
  Name putTogether(Operation *main, const Structure &structure, ArrayRef<Value> tensors);
  /// A node within the functions above, which makes one value, of a type that may not
  /// follow from its operands.
  Name make(Operation *main, llvm::StringRef onnx, ArrayRef<Name> operands,
            Attributes attributes = {}, const onnx::TypeProto *type = nullptr);

  ModuleOp module;
  onnx::ModelProto model;
  onnx::GraphProto *graph = nullptr;        ///< That is being written.
  Weights weights;
  UniqueNames tensors, nodes;
  DenseMap<Value, Name> names;
  DenseMap<Value, Name> outputs;            ///< What results are called as outputs.
  llvm::StringMap<TypeName> types;          ///< Of values, as far as known.
  llvm::StringSet<> produced;               ///< By nodes of the current graph.
  DenseMap<Attribute, Name> constants;      ///< Initializers, by content.
  llvm::StringMap<Name> smallConstants;     ///< Those that the exporter makes.
  llvm::StringMap<ElementsAttr> contents;   ///< Of initializers, by name.
  SmallVector<Name> outputNames;            ///< Of the model.
  int64_t opset = 1;
  std::map<std::string, int64_t> foreignOpsets; ///< Of other domains than ai.onnx.
};

} // namespace mlir::nn::exporter

#endif // NN_LIB_EXPORT_ONNX_EXPORTER_H
