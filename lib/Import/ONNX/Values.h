//===- Values.h - the types of values that handlers compute with -*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// For handlers of operators that consist of others.
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_IMPORT_ONNX_VALUES_H
#define NN_LIB_IMPORT_ONNX_VALUES_H

#include "NodeBinder.h"

namespace mlir::nn::importer {

inline RankedTensorType getType(Value value) {
  return cast<RankedTensorType>(value.getType());
}
inline Type getElementType(Value value) { return getType(value).getElementType(); }
/// The size of the last dimension; 0 of scalars.
inline int64_t getLastSize(Value value) {
  ArrayRef<int64_t> shape = getType(value).getShape();
  return shape.empty() ? 0 : shape.back();
}

/// f64 for f64, else f32: what is computed in where fewer bits do not do.
inline Type getComputedType(Type elementType) {
  return elementType.isF64() ? elementType : Type(Float32Type::get(elementType.getContext()));
}

/// The value as the given element type.
inline Value castTo(NodeBinder &node, Value value, Type elementType) {
  if (!value || node.failed() || getElementType(value) == elementType)
    return value;
  return node.create<CastOp>(value, elementType);
}

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_VALUES_H
