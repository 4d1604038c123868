//===- Opsets.h - which opset a node needs ----------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_EXPORT_ONNX_OPSETS_H
#define NN_LIB_EXPORT_ONNX_OPSETS_H

#include "mlir/Support/LLVM.h"
#include "onnx/onnx_pb.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <string>

namespace mlir::nn::exporter {

/// A type without its shape, as ONNX's schemas write it ("tensor(float)"); equal types are
/// equal pointers. Null if it is not known.
using TypeName = const std::string *;
TypeName getTypeName(const onnx::TypeProto &type);

/// What an ONNX operator makes of a node.
struct NodeTypes {
  std::string problem;            ///< Why ONNX does not have such a node, or empty.
  int64_t opset = 0;              ///< The oldest in which it has the newest's meaning.
  SmallVector<TypeName> results;  ///< Types of the results.
};

/// Checks a node by the schema of the newest opset. `getType` gives the types of values.
NodeTypes checkNode(const onnx::NodeProto &node,
                    llvm::function_ref<TypeName(const std::string &)> getType);

/// The default value of an attribute of ONNX's newest operator; null if there is none.
const onnx::AttributeProto *getDefault(llvm::StringRef op, const std::string &attribute);

/// The version of the file format that came with an opset.
int64_t getIRVersion(int64_t opset);

} // namespace mlir::nn::exporter

#endif // NN_LIB_EXPORT_ONNX_OPSETS_H
