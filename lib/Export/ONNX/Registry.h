//===- Registry.h - how operations are written as ONNX nodes ----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_EXPORT_ONNX_REGISTRY_H
#define NN_LIB_EXPORT_ONNX_REGISTRY_H

#include "NodeWriter.h"
#include <functional>
#include <map>

namespace mlir::nn::exporter {

/// What becomes of an attribute of an operation that is written by name.
struct AttributeRule {
  enum Form {
    Renamed,       ///< An attribute with the name `onnx`.
    List,          ///< Operand number `position`, a list of integers.
    Scalar,        ///< Operand number `position`, one integer.
    Dropped        ///< Nothing: it only says what the types say too.
  };
  llvm::StringLiteral name;
  Form form = Dropped;
  llvm::StringLiteral onnx = "";
  size_t position = 0;
};

inline AttributeRule rename(llvm::StringLiteral name, llvm::StringLiteral onnx) {
  return {name, AttributeRule::Renamed, onnx};
}
inline AttributeRule asList(llvm::StringLiteral name, size_t position) {
  return {name, AttributeRule::List, "", position};
}
inline AttributeRule asScalar(llvm::StringLiteral name, size_t position) {
  return {name, AttributeRule::Scalar, "", position};
}
inline AttributeRule drop(llvm::StringLiteral name) { return {name}; }

/// The table of all operations that the exporter knows.
class Registry {
public:
  using Function = std::function<LogicalResult(Operation *, NodeWriter &)>;
  struct Entry {
    Function write;      ///< Null: the operation is refused.
    std::string becomes; ///< The ONNX operators, for the documentation.
    std::string refusal; ///< Why it is never written.
  };

  static const Registry &get();

  /// The operation is one node with the same operands and attributes, but for `rules`.
  template <typename OpT>
  void onOp(llvm::StringRef onnx, std::vector<AttributeRule> rules = {}) {
    add(OpT::getOperationName(),
        {[onnx, rules = std::move(rules)](Operation *op, NodeWriter &writer) {
           return writeByName(op, writer, onnx, rules);
         },
         onnx.str(), ""});
  }
  /// The operation is written by a function; `becomes` is for the documentation.
  template <typename OpT>
  void onOp(llvm::StringRef becomes, LogicalResult (*write)(OpT, NodeWriter &)) {
    add(OpT::getOperationName(),
        {[write](Operation *op, NodeWriter &writer) {
           return write(cast<OpT>(op), writer);
         },
         becomes.str(), ""});
  }
  /// The operation is never written.
  template <typename OpT> void refuse(llvm::StringRef why) {
    add(OpT::getOperationName(), {nullptr, "", why.str()});
  }

  /// Null if the exporter does not know the operation.
  const Entry *find(llvm::StringRef op) const;

  /// One node with the operation's operands and attributes, but for `rules`.
  static LogicalResult writeByName(Operation *op, NodeWriter &writer, llvm::StringRef onnx,
                                   ArrayRef<AttributeRule> rules);

private:
  void add(llvm::StringRef op, Entry entry);

  std::map<std::string, Entry, std::less<>> entries;
};

// One per family, in the file of that name.
void registerConstant(Registry &registry);
void registerContraction(Registry &registry);
void registerControlFlow(Registry &registry);
void registerConv(Registry &registry);
void registerCustom(Registry &registry);
void registerElementwise(Registry &registry);
void registerIndexing(Registry &registry);
void registerNormalization(Registry &registry);
void registerPool(Registry &registry);
void registerQuantization(Registry &registry);
void registerRecurrent(Registry &registry);
void registerReduction(Registry &registry);
void registerScalars(Registry &registry);
void registerShape(Registry &registry);
void registerSignal(Registry &registry);
void registerString(Registry &registry);

} // namespace mlir::nn::exporter

#endif // NN_LIB_EXPORT_ONNX_REGISTRY_H
