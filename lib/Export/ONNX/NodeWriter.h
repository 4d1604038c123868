//===- NodeWriter.h - writes the nodes of one operation ---------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_EXPORT_ONNX_NODEWRITER_H
#define NN_LIB_EXPORT_ONNX_NODEWRITER_H

#include "mlir/IR/Operation.h"
#include "nn/Support/HostTensor.h"
#include "onnx/defs/attr_proto_util.h"
#include "onnx/onnx_pb.h"
#include <string>

namespace mlir::nn::exporter {

class Exporter;

/// What a tensor is called in the model; empty: an operand that is absent.
using Name = std::string;
using Attributes = std::vector<onnx::AttributeProto>;
using onnx::MakeAttribute;

/// Writes the nodes of one operation into the graph that the exporter is at.
///
/// Spatial operations of the layout `channels_last` look to it like those of ONNX's: their
/// data is transposed before and after. Names of operands are those of the transposed
/// data; types are still the operation's.
class NodeWriter {
public:
  NodeWriter(Exporter &exporter, Operation *op);

  //===--- Operands -------------------------------------------------------===//

  /// The name of an operand, or of another value above; empty for null.
  Name get(Value value);
  /// Those of all operands, with empty names for absent ones.
  SmallVector<Name> getOperands();

  //===--- Constants ------------------------------------------------------===//

  Name constant(const HostTensor &tensor);
  Name constant(ElementsAttr value);
  Name list(ArrayRef<int64_t> values) { return constant(HostTensor::list(values)); }
  Name scalar(int64_t value) { return constant(HostTensor::scalar(value)); }
  /// The tensor of a value that is a constant.
  std::optional<HostTensor> getConstant(Value value);

  //===--- Attributes -----------------------------------------------------===//

  /// Adds an attribute of nn, if ONNX has the like of its value: absent and empty ones
  /// are left out.
  void addAttribute(Attributes &attributes, llvm::StringRef name, Attribute value);

  //===--- Nodes ----------------------------------------------------------===//

  /// A node that computes something on the way.
  Name create(llvm::StringRef op, ArrayRef<Name> operands, Attributes attributes = {});
  SmallVector<Name> createMany(llvm::StringRef op, size_t numResults,
                               ArrayRef<Name> operands, Attributes attributes = {});
  /// Some that are often needed. Constants are changed in place of being computed on.
  Name reshape(const Name &tensor, ArrayRef<int64_t> shape);
  Name transpose(const Name &tensor, ArrayRef<int64_t> permutation);
  Name unsqueeze(Value value, ArrayRef<int64_t> axes);
  Name squeeze(const Name &tensor, ArrayRef<int64_t> axes);
  Name convert(const Name &tensor, Type elementType);

  /// The node whose results are those of the operation.
  LogicalResult replaceWith(llvm::StringRef op, ArrayRef<Name> operands,
                            Attributes attributes = {});
  /// The same with a node of a domain that ONNX does not know, unless it is empty.
  LogicalResult replaceWith(llvm::StringRef op, ArrayRef<Name> operands,
                            Attributes attributes, llvm::StringRef domain, int64_t version);
  /// A result is the tensor of this name.
  LogicalResult setResult(const Name &name, unsigned index = 0);

  /// Reports that the operation cannot be written: "... as ONNX: WHY".
  LogicalResult fail(const Twine &why);

  Exporter &getExporter() { return exporter; }
  Operation *getOperation() { return op; }

private:
  Exporter &exporter;
  Operation *op;
  /// The operands that are transposed to channels first.
  llvm::SmallDenseMap<Value, Name> transposed;
  bool isChannelsLast = false;
};

} // namespace mlir::nn::exporter

#endif // NN_LIB_EXPORT_ONNX_NODEWRITER_H
