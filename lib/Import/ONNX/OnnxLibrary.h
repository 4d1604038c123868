//===- OnnxLibrary.h - what the ONNX library does for the importer -*- C++ -*-//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The ONNX library throws exceptions, nn-mlir does not: no exception escapes the
// functions of this file.
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_IMPORT_ONNX_ONNXLIBRARY_H
#define NN_LIB_IMPORT_ONNX_ONNXLIBRARY_H

#include "llvm/ADT/StringRef.h"
#include "onnx/onnx_pb.h"
#include <optional>
#include <string>
#include <vector>

namespace onnx {
class OpSchema;
}

namespace mlir::nn::importer {

/// Why a model could not be read.
struct ReadError {
  std::string constraint, seen, advice;
};

/// Reads a binary model, or a textual one if the name ends in `.onnxtxt`.
std::optional<ReadError> readModel(llvm::StringRef path, onnx::ModelProto &model);

/// The schema in effect for `op` at `opset` (the newest one for opsets that the
/// library does not know yet); null if there is none.
const onnx::OpSchema *findSchema(llvm::StringRef op, int64_t opset,
                                 llvm::StringRef domain);
/// The newest opset of a domain that the library knows; 0 for unknown domains.
int64_t getNewestOpset(llvm::StringRef domain);

int64_t getSinceVersion(const onnx::OpSchema &schema);
/// Names of the formal operands, and whether the last one takes all the rest.
const std::vector<std::string> &getOperandNames(const onnx::OpSchema &schema);
bool hasVariadicOperand(const onnx::OpSchema &schema);
/// The default value of an attribute; null if it has none.
const onnx::AttributeProto *getDefault(const onnx::OpSchema &schema,
                                       const std::string &attribute);

/// True if operators of this schema may be defined by a function.
bool mayHaveFunction(const onnx::OpSchema &schema);
/// The function that defines this node, given the types of its operands.
std::optional<onnx::FunctionProto>
getFunction(const onnx::OpSchema &schema, const onnx::NodeProto &node,
            int64_t opset, const std::vector<onnx::TypeProto> &operandTypes);

/// Adds the types that ONNX's inference finds to the graph's value_info.
void inferTypes(onnx::ModelProto &model);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_ONNXLIBRARY_H
