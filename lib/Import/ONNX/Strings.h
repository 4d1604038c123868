//===- Strings.h - strings while a model is imported ------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Tensors of strings have the element type !nn.string until the whole model is imported, so
// that it is known of each value whether it is strings, and operators on numbers refuse
// them. Then the type becomes i64 everywhere (docs/decisions/strings-as-numbers.md).
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_IMPORT_ONNX_STRINGS_H
#define NN_LIB_IMPORT_ONNX_STRINGS_H

#include "dialects/NN/IR/NN.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::nn::importer {

class NodeBinder;

/// The strings that a model knows, each with a number. Number 0 is the empty string.
class StringNumbers {
public:
  StringNumbers() { (void)get(""); }
  int64_t get(llvm::StringRef text);
  ArrayRef<std::string> getTexts() const { return texts; }

private:
  SmallVector<std::string> texts;
  llvm::StringMap<int64_t> numbers;
};

bool isString(Type elementType);
/// Whether the elements of a tensor are strings.
bool holdsStrings(Value tensor);

/// A constant of strings.
DenseStringElementsAttr makeStrings(MLIRContext *context, ArrayRef<int64_t> dims,
                                    ArrayRef<std::string> texts);

/// Cast from strings to the element type, or of numbers to strings.
Value castStrings(NodeBinder &node, Value input, Type elementType);

/// Functions of strings: an nn.map_strings.
Value mapStrings(NodeBinder &node, StringFunction function, ArrayRef<Value> operands,
                 Type to = {});
/// Reports operands that are not strings, and patterns that are not in RE2's syntax.
NodeBinder &requireStrings(NodeBinder &node, Value tensor);
NodeBinder &requirePattern(NodeBinder &node, llvm::StringRef attribute,
                           llvm::StringRef pattern);
/// 0, 1, ... below the largest of `counts`, or nothing if there are none.
Value numberParts(NodeBinder &node, Value counts);

/// Replaces the type !nn.string by i64 in a complete module, and the contents of constants by
/// their numbers; marks inputs and outputs by `nn.stored_type`, and gives the module its
/// `nn.strings`. Leaves a module without strings as it is.
void numberStrings(ModuleOp module, StringNumbers &strings);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_STRINGS_H
