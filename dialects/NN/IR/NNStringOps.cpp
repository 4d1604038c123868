//===- NNStringOps.cpp - functions of strings -----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;

static Type getElementOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getElementType();
}

static bool isString(Type type) { return isa<StringType>(type) || type.isSignlessInteger(64); }

/// How many strings the function takes; limits and indices follow.
static unsigned countStrings(StringFunction function) {
  switch (function) {
  case StringFunction::Format:
    return 0;
  case StringFunction::Lower:
  case StringFunction::Upper:
  case StringFunction::Parse:
    return 1;
  default:
    return 2;
  }
}

static unsigned countOperands(StringFunction function) {
  switch (function) {
  case StringFunction::CountMatches:
  case StringFunction::CountPieces:
    return 3;
  case StringFunction::Match:
  case StringFunction::Piece:
    return 4;
  case StringFunction::Format:
    return 1;
  default:
    return countStrings(function);
  }
}

static bool hasType(StringFunction function) {
  return function == StringFunction::Parse || function == StringFunction::Format;
}

LogicalResult MapStringsOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                        SmallVectorImpl<InferredTensor> &results) {
  StringFunction function = adaptor.getFunction();
  // map_strings_c1
  if (adaptor.getInputs().size() != countOperands(function))
    return env.fail(stringifyStringFunction(function) + " takes " +
                    Twine(countOperands(function)) + " operands");
  // map_strings_c3
  if (adaptor.getTo().has_value() != hasType(function))
    return env.fail(stringifyStringFunction(function) +
                    (hasType(function) ? " needs a type 'to'" : " takes no type 'to'"));
  FailureOr<Dims> dims = shapes::broadcastDims(env, adaptor.getInputs());
  if (failed(dims))
    return failure();
  MLIRContext *context = adaptor.getInputs()[0].getContext();
  bool counts =
      function == StringFunction::CountPieces || function == StringFunction::CountMatches;
  Type type = hasType(function)                       ? *adaptor.getTo()
              : function == StringFunction::FullMatch ? Type(IntegerType::get(context, 1))
              : counts                                ? Type(IntegerType::get(context, 64))
                                                      : getElementOf(adaptor.getInputs()[0]);
  results.push_back({*dims, type});
  return success();
}

LogicalResult MapStringsOp::verify() {
  // map_strings_c2
  unsigned numStrings = countStrings(getFunction());
  for (auto [index, input] : llvm::enumerate(getInputs())) {
    Type type = getElementOf(input);
    bool fits = getFunction() == StringFunction::Format ? !isa<StringType>(type)
                : index < numStrings                    ? isString(type)
                                                        : type.isSignlessInteger(64);
    if (!fits)
      return emitOpError("operand #")
             << index << " must be "
             << (index < numStrings ? "strings"
                                    : numStrings ? "64-bit integers" : "numbers")
             << ", but got " << input.getType();
  }
  // map_strings_c3; whether there is a type, the shape function says.
  std::optional<Type> to = getTo();
  if (to && getFunction() == StringFunction::Format && !isString(*to))
    return emitOpError("formats numbers as strings, not as ") << *to;
  if (to && getFunction() == StringFunction::Parse && isa<StringType>(*to))
    return emitOpError("makes numbers of strings, but got ") << *to;
  return success();
}
