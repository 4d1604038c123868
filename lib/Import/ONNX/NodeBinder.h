//===- NodeBinder.h - what a handler sees of an ONNX node -------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// A handler takes what it needs by name, in a chain, and then builds operations:
//
//   LogicalResult importGather(NodeBinder &node) {
//     Value data, indices;
//     int64_t axis;
//     if (node.operand("data", data).operand("indices", indices)
//             .attr("axis", axis, 0).failed())
//       return failure();
//     return node.replaceWith<GatherOp>(data, indices, axis);
//   }
//
// The first mismatch is reported, in the same form for all operators. After the
// handler, operands and attributes that it did not take and outputs that it did not set
// are also reported, so that nothing is ignored silently.
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_IMPORT_ONNX_NODEBINDER_H
#define NN_LIB_IMPORT_ONNX_NODEBINDER_H

#include "ImportShapes.h"
#include "Strings.h"
#include "Structured.h"
#include "Weights.h"
#include "dialects/NN/IR/NN.h"
#include "nn/Import/Triage.h"
#include "onnx/onnx_pb.h"
#include <functional>

namespace onnx {
class OpSchema;
}

namespace mlir::nn::importer {

/// A type for messages.
std::string show(Type type);

/// State that all nodes of a model share.
struct ImportState {
  ImportState(MLIRContext &context, llvm::StringRef path)
      : builder(&context), shapes(&context), weights(context, path) {}

  OpBuilder builder;
  ImportShapes shapes;
  WeightReader weights;
  StructuredValues structured;
  StringNumbers strings;
  std::string producer; ///< The model's producer_name.
  /// Of tensors and weights with channels in blocks; nothing if the model does not tell.
  std::optional<int64_t> channelBlock;
  /// The type that the model declares for a tensor; null if none.
  std::function<RankedTensorType(llvm::StringRef)> getDeclaredType;
  /// Of the loops around the node, from the outermost one on: the iterations' numbers, of
  /// index type.
  SmallVector<Value> iterations;
  /// Values that are unknown because an earlier node failed.
  llvm::DenseSet<Value> uncertain;
  /// Whether dimensions known only at run time are assumed to be 1 where the rank of
  /// a result hangs on it (Squeeze without axes), and whether this was needed.
  bool unknownDimsAreOne = false, assumedDims = false;
};

/// Imports a node of ai.onnx as part of another node. The results are null where that
/// failed and is reported.
using PartImporter =
    llvm::function_ref<SmallVector<Value>(onnx::NodeProto &, ArrayRef<Value> operands,
                                          int64_t opset)>;

class OperatorCall;

class NodeBinder {
public:
  /// `operands` are the node's, null where absent; `usedOutputs` says which outputs
  /// anything needs. Problems go to `report`. `operandNames` are those of the operands if
  /// the schema does not say them. Without `importPart`, nothing can be called.
  NodeBinder(ImportState &state, const NodeInfo &info, onnx::NodeProto &node,
             const onnx::OpSchema *schema, ArrayRef<Value> operands,
             ArrayRef<bool> usedOutputs, Location location, TriageReport &report,
             ArrayRef<std::string> operandNames = {}, PartImporter importPart = nullptr);

  //===--- Facts ----------------------------------------------------------===//

  /// The node's name, or one made up for it; no other node of the model has it.
  llvm::StringRef getName() const { return info.name; }
  int64_t getOpset() const { return info.opset; }
  /// The opset that introduced the operator's current version.
  int64_t getSinceVersion() const;
  int64_t getNumOutputs() const { return node.output_size(); }
  /// True if the output exists and is used.
  bool hasOutput(int64_t index) const {
    return index < int64_t(usedOutputs.size()) && usedOutputs[index];
  }
  /// The type that the model declares for the output, or null. It is not verified.
  RankedTensorType getDeclaredType(int64_t index) const {
    return index < node.output_size() ? state.getDeclaredType(node.output(index))
                                      : RankedTensorType();
  }
  llvm::StringRef getProducer() const { return state.producer; }
  std::optional<int64_t> getChannelBlock() const { return state.channelBlock; }
  MLIRContext *getContext() const { return state.builder.getContext(); }
  Location getLocation() const { return location; }
  /// The numbers (i64 scalars) of the iterations of the loops that the node is in, from the
  /// outermost one on.
  SmallVector<Value> getIterations();
  /// The builder for the node's operations, for what `create` cannot make.
  OpBuilder &getBuilder() { return state.builder; }
  ImportShapes &getShapes() { return state.shapes; }
  const StructuredValues &getStructured() const { return state.structured; }

  //===--- Operands -------------------------------------------------------===//

  /// Tensors, unless noted otherwise. Names are those of ONNX's documentation.
  /// Alternatives ("mean", "input_mean") are names of the same operand in different
  /// versions.
  NodeBinder &operand(llvm::StringRef name, Value &value,
                      llvm::StringRef alternative = "");
  NodeBinder &optionalOperand(llvm::StringRef name, Value &value);
  /// The operands of an operator that has exactly one or two, or any number of one
  /// kind.
  NodeBinder &onlyOperand(Value &value);
  NodeBinder &bothOperands(Value &lhs, Value &rhs);
  NodeBinder &allOperands(SmallVectorImpl<Value> &values);
  /// All operands, null where absent.
  NodeBinder &eachOperand(SmallVectorImpl<Value> &values);
  /// The first operand, which may be a sequence or an optional; null if absent.
  NodeBinder &anyOperand(Value &value);
  NodeBinder &sequenceOperand(llvm::StringRef name, SequenceValue &sequence);
  NodeBinder &mapOperand(llvm::StringRef name, MapValue &map);
  /// A list (or scalar) of i32 or i64 that must be known: from the operand or,
  /// in versions before it was one, from the attribute of this name. nullopt if
  /// absent.
  NodeBinder &constantInts(llvm::StringRef name,
                           std::optional<SmallVector<int64_t>> &values);
  /// The same if the list may be computed at run time: then `values` is empty and
  /// `computed` is the operand as an i64 list, whose length is known unless `anyLength`
  /// is set.
  NodeBinder &ints(llvm::StringRef name, std::optional<SmallVector<int64_t>> &values,
                   Value &computed, bool anyLength);
  NodeBinder &ints(llvm::StringRef name, std::optional<SmallVector<int64_t>> &values,
                   Value &computed);

  //===--- Attributes -----------------------------------------------------===//

  NodeBinder &attr(llvm::StringRef name, int64_t &value, int64_t otherwise);
  NodeBinder &attr(llvm::StringRef name, bool &value, bool otherwise);
  NodeBinder &attr(llvm::StringRef name, float &value, float otherwise);
  NodeBinder &attr(llvm::StringRef name, std::string &value,
                   llvm::StringRef otherwise);
  /// One of `accepted`.
  NodeBinder &attr(llvm::StringRef name, std::string &value,
                   llvm::StringRef otherwise, ArrayRef<llvm::StringRef> accepted);
  /// Empty if absent.
  NodeBinder &attr(llvm::StringRef name, SmallVector<int64_t> &values);
  NodeBinder &attr(llvm::StringRef name, SmallVector<float> &values);
  NodeBinder &attr(llvm::StringRef name, SmallVector<std::string> &values);
  NodeBinder &requiredAttr(llvm::StringRef name, int64_t &value);
  NodeBinder &requiredAttr(llvm::StringRef name, SmallVector<int64_t> &values);
  NodeBinder &optionalAttr(llvm::StringRef name, std::optional<int64_t> &value);
  NodeBinder &optionalAttr(llvm::StringRef name, std::optional<float> &value);
  NodeBinder &tensorAttr(llvm::StringRef name, ElementsAttr &value);
  NodeBinder &sparseTensorAttr(llvm::StringRef name, ElementsAttr &value);
  /// Null if absent.
  NodeBinder &typeAttr(llvm::StringRef name, const onnx::TypeProto *&type);
  bool hasAttr(llvm::StringRef name) const { return find(name); }
  /// All attributes, as nn.custom has them.
  NodeBinder &allAttrs(NamedAttrList &attributes);
  /// Attributes that do not change what inference computes.
  NodeBinder &ignoreAttrs(ArrayRef<llvm::StringRef> names);

  //===--- Conditions -----------------------------------------------------===//

  NodeBinder &require(bool holds, const Twine &constraint, const Twine &seen,
                      const Twine &accepted, Remedy remedy = Remedy::FixModel);
  /// Reports a problem and returns failure. Only the first report of a node counts.
  LogicalResult fail(const Twine &constraint, const Twine &seen,
                     const Twine &accepted, Remedy remedy = Remedy::FixModel,
                     const Twine &advice = "");
  bool failed() const { return hasFailed; }
  /// Adds a warning about something that users should check, with a remedy.
  void warn(const Twine &what, const Twine &seen, const Twine &advice) {
    report.warn({info, what.str(), seen.str(), "", Remedy::ChangeForm, advice.str()});
  }

  /// For forms of an operator that nn has no operation for, but which ONNX
  /// defines by other operators: `return node.useDefinition();`.
  LogicalResult useDefinition() {
    hasFailed = needsDefinition = true;
    return failure();
  }

  //===--- Building -------------------------------------------------------===//

  /// Creates an operation with inferred types. If its operands do not fit, reports that
  /// and returns a null value or empty range. Does nothing after a failure. (Create
  /// operands before the call: C++ evaluates arguments in any order.)
  template <typename OpT, typename... Args> Value create(Args &&...args) {
    if (hasFailed)
      return {};
    OperationState op(location, OpT::getOperationName());
    OpT::build(state.builder, op, Type(),
               asArgument(std::forward<Args>(args))...);
    Operation *created = finish<OpT>(op);
    return created ? created->getResult(0) : Value();
  }
  template <typename OpT, typename... Args>
  SmallVector<Value> createMany(size_t numResults, Args &&...args) {
    static_assert(!OpT::template hasTrait<OpTrait::OneResult>());
    Operation *created = nullptr;
    if (!hasFailed) {
      OperationState op(location, OpT::getOperationName());
      OpT::build(state.builder, op, SmallVector<Type>(numResults),
                 std::forward<Args>(args)...);
      created = finish<OpT>(op);
    }
    return created ? SmallVector<Value>(created->getResults())
                   : SmallVector<Value>();
  }

  /// An operator of ai.onnx, imported as part of this node. For operators of other
  /// domains that consist of such ones, whose handlers or definitions they share:
  ///
  ///   Value conv = node.call("Conv", {x, w, b}).pass({"pads", "strides"}).get();
  OperatorCall call(llvm::StringRef op, ArrayRef<Value> operands);

  /// Sets the node's output `index`. Failure if `value` is null.
  LogicalResult setOutput(Value value, int64_t index = 0);
  template <typename OpT, typename... Args>
  LogicalResult replaceWith(Args &&...args) {
    return setOutput(create<OpT>(std::forward<Args>(args)...));
  }

  /// The value that represents a sequence or an optional.
  template <typename T> Value makeStructured(T value) {
    return hasFailed ? Value() : state.structured.make(state, location, std::move(value));
  }

  /// Makes the run end with an error, "node 'X' (Op) PROBLEM", if `holds` (i1 of rank
  /// 0) is false.
  void checkAtRun(Value holds, const Twine &problem);

  /// Whether a dimension known only at run time is 1, as is assumed where the rank
  /// of a result hangs on it. If not, the run ends with an error of the node's name
  /// and the way out.
  bool assumeIsOne(Value tensor, int64_t dim);

  Value constant(ElementsAttr value);
  Value constantList(ArrayRef<int64_t> values); // i64 of rank 1
  Value constantFloats(ArrayRef<float> values); // f32 of rank 1
  /// A constant of rank 0 with the given element type, which may be an integer; of strings
  /// the empty one.
  Value constantScalar(double value, Type elementType);
  /// A constant of rank 1, or of rank 0.
  Value constantStrings(ArrayRef<std::string> texts);
  Value constantString(llvm::StringRef text);
  /// The numbers (i64) that strings are in a program, and the strings of such numbers. The
  /// number of a string that the model knows.
  Value numbersOf(Value strings);
  Value stringsOf(Value numbers);
  int64_t getNumber(llvm::StringRef text);
  SmallVector<int64_t> getNumbers(ArrayRef<std::string> texts);
  /// An i32 or i64 tensor as i64.
  Value asInt64(Value value);
  /// Turns a list of one element into a scalar; other values are unchanged.
  Value asScalar(Value value);

  //===--- For the importer -----------------------------------------------===//

  /// Reports what the handler did not take, unless `result` is a failure.
  LogicalResult finishNode(LogicalResult result);
  ArrayRef<Value> getOutputs() const { return outputs; }
  bool wantsDefinition() const { return needsDefinition; }

private:
  friend class OperatorCall;
  /// Builders take floats as APFloat.
  template <typename T> static decltype(auto) asArgument(T &&argument) {
    if constexpr (std::is_same_v<std::decay_t<T>, float>)
      return llvm::APFloat(argument);
    else
      return std::forward<T>(argument);
  }
  /// Operand number `index`, null if absent; reports operands that are not tensors.
  Value takeTensor(int64_t index);
  /// An operand that stands for several tensors, which `find` knows; else a report that `what`
  /// was expected.
  template <typename T>
  NodeBinder &structuredOperand(llvm::StringRef name,
                                const T *(StructuredValues::*find)(Value) const,
                                llvm::StringRef what, llvm::StringRef accepted, T &taken);
  const onnx::AttributeProto *find(llvm::StringRef name) const;
  /// The attribute if it is present and has this type; else null, after a report if the
  /// type is wrong.
  const onnx::AttributeProto *take(llvm::StringRef name, int type);
  NodeBinder &requireText(llvm::StringRef name, llvm::StringRef value);
  /// The tensor read for an attribute, or null (reported).
  ElementsAttr acceptTensor(std::variant<ElementsAttr, Problem> result);
  int64_t findOperand(llvm::StringRef name) const;
  std::string describeOperands() const;

  /// Infers the result types of an otherwise complete operation, creates and verifies
  /// it.
  template <typename OpT> Operation *finish(OperationState &op) {
    typename OpT::Adaptor adaptor(
        ValueRange(op.operands),
        op.attributes.getDictionary(state.builder.getContext()),
        op.getRawProperties(), RegionRange());
    return finish(
        op,
        [&](ShapeEnv &env, SmallVectorImpl<InferredTensor> &results) {
          return OpT::inferShapes(env, adaptor, results);
        },
        [&](ShapeEnv &env, SmallVectorImpl<Contents> &results) {
          OpT::inferContents(env, adaptor, results);
        });
  }
  Operation *
  finish(OperationState &op,
         function_ref<LogicalResult(ShapeEnv &, SmallVectorImpl<InferredTensor> &)>
             inferShapes,
         function_ref<void(ShapeEnv &, SmallVectorImpl<Contents> &)> inferContents);

  ImportState &state;
  const NodeInfo &info;
  onnx::NodeProto &node;
  const onnx::OpSchema *schema;
  ArrayRef<std::string> operandNames;
  ArrayRef<Value> operands;
  ArrayRef<bool> usedOutputs;
  Location location;
  TriageReport &report;
  PartImporter importPart;

  SmallVector<Value> outputs;
  SmallVector<bool> takenOperands;
  SmallVector<bool> takenAttrs;
  bool hasFailed = false;
  bool needsDefinition = false;
};

/// An operator of ai.onnx that a handler uses, at its newest version if `atOpset` does not
/// say another one. Does nothing after a failure of the node.
class OperatorCall {
public:
  OperatorCall(NodeBinder &node, llvm::StringRef op, ArrayRef<Value> operands);

  OperatorCall &attr(llvm::StringRef name, int64_t value);
  OperatorCall &attr(llvm::StringRef name, float value);
  OperatorCall &attr(llvm::StringRef name, llvm::StringRef value);
  OperatorCall &attr(llvm::StringRef name, ArrayRef<int64_t> values);
  /// The node's own attributes of these names, as far as it has them.
  OperatorCall &pass(ArrayRef<llvm::StringRef> names);
  OperatorCall &atOpset(int64_t version) {
    opset = version;
    return *this;
  }

  /// The first results; null values after a failure.
  SmallVector<Value> get(size_t numResults);
  Value get() { return get(1).front(); }

private:
  onnx::AttributeProto &add(llvm::StringRef name, onnx::AttributeProto::AttributeType type);

  NodeBinder &node;
  onnx::NodeProto part;
  SmallVector<Value> operands;
  int64_t opset = 0;
};

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_NODEBINDER_H
