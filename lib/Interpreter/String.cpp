//===- String.cpp - functions of strings ----------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// What a function does to one string is the runtime's (Core/Strings.h): text is read, split
// and written in one place. Expected values of tests come from ONNX.
//
//===----------------------------------------------------------------------===//

#include "CPU/RE2/Patterns.h"
#include "Core/Strings.h"
#include "Elements.h"
#include <stdexcept>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

std::vector<std::string> nn::getModelStrings(Operation *module) {
  std::vector<std::string> strings;
  if (auto list = module->getAttrOfType<ArrayAttr>("nn.strings"))
    for (StringRef text : list.getAsValueRange<StringAttr>())
      strings.push_back(text.str());
  return strings;
}

static nnrt::Patterns &getPatterns() {
  static nnrt::Patterns patterns;
  return patterns;
}

void nn::matchPattern(std::string_view pattern, const std::string_view *texts, int64_t count,
                      bool *matches) {
  getPatterns().match(pattern, texts, count, matches);
}

void nn::findPattern(std::string_view pattern, std::string_view text, int64_t least,
                     std::vector<std::string_view> &parts) {
  getPatterns().find(pattern, text, least, parts);
}

/// Parses into, or formats, a number of the tensor's type.
static bool parse(std::string_view text, HostTensor &result, int64_t index) {
  auto store = [&](auto number) {
    return nnrt::parseNumber(text,
                             result.getMutable<decltype(number)>()[index]);
  };
  switch (result.getType()) {
  case DataType::Float32:
    return store(float());
  case DataType::Float64:
    return store(double());
  case DataType::UInt64:
    return store(uint64_t());
  default:
    return store(int64_t());
  }
}

static std::string format(const HostTensor &tensor, int64_t index) {
  switch (tensor.getType()) {
  case DataType::Float32:
    return nnrt::formatNumber(tensor.get<float>()[index]);
  case DataType::Float64:
    return nnrt::formatNumber(tensor.get<double>()[index]);
  case DataType::UInt64:
    return std::to_string(tensor.get<uint64_t>()[index]);
  default:
    return std::to_string(tensor.getInt(index));
  }
}

/// False, and what is wrong with the pattern.
static bool matchWhole(StringRef pattern, std::string_view text, bool &matches,
                       std::string &error) {
  try {
    matchPattern(pattern, &text, 1, &matches);
    return true;
  } catch (const std::runtime_error &failure) {
    error = failure.what();
    return false;
  }
}

static bool findParts(StringRef pattern, std::string_view text, int64_t least,
                      std::vector<std::string_view> &parts, std::string &error) {
  try {
    findPattern(pattern, text, least, parts);
    return true;
  } catch (const std::runtime_error &failure) {
    error = failure.what();
    return false;
  }
}

static LogicalResult mapStrings(MapStringsOp op, Call &call) {
  if (!call.getStrings())
    return call.fail("has no table of strings");
  nnrt::StringTable &strings = *call.getStrings();
  FailureOr<Shape> dims = broadcastShapes(call, call.getOperands());
  if (failed(dims))
    return failure();
  HostTensors inputs;
  for (const HostTensor &operand : call.getOperands())
    inputs.push_back(broadcast(operand, *dims));
  HostTensor result = HostTensor::allocate(call.getResultType(), *dims);
  StringFunction function = op.getFunction();
  for (int64_t i = 0; i < result.getNumElements(); ++i) {
    auto number = [&](size_t operand) { return inputs[operand].getInt(i); };
    auto text = [&](size_t operand) { return std::string(strings[number(operand)]); };
    size_t numTexts =
        function == StringFunction::Format ? 0 : std::min<size_t>(inputs.size(), 2);
    for (size_t operand = 0; operand < numTexts; ++operand)
      if (!strings.contains(number(operand)))
        return call.fail("has a number that no string has");
    auto give = [&](std::string_view made) { result.setInt(i, strings.getNumber(made)); };
    std::vector<std::string_view> pieces;
    std::string made, error;
    switch (function) {
    case StringFunction::Concat:
      give(text(0) + text(1));
      break;
    case StringFunction::Lower:
    case StringFunction::Upper:
      if (!nnrt::changeCase(text(0), function == StringFunction::Upper, made))
        return call.fail("needs the system's locale C.UTF-8");
      give(made);
      break;
    case StringFunction::FullMatch: {
      std::string subject = text(0);
      std::string_view view = subject;
      bool matches = false;
      if (!matchWhole(text(1), view, matches, error))
        return call.fail(error);
      result.setInt(i, matches);
      break;
    }
    case StringFunction::CountMatches:
    case StringFunction::Match:
    case StringFunction::CountPieces:
    case StringFunction::Piece: {
      made = text(0);
      if (function == StringFunction::CountPieces || function == StringFunction::Piece)
        nnrt::splitText(made, text(1), number(2), pieces);
      else if (!findParts(text(1), made, number(2), pieces, error))
        return call.fail(error);
      if (function == StringFunction::CountPieces || function == StringFunction::CountMatches)
        result.setInt(i, pieces.size());
      else
        give(number(3) >= 0 && number(3) < int64_t(pieces.size()) ? pieces[number(3)] : "");
      break;
    }
    case StringFunction::Parse:
      if (!parse(text(0), result, i))
        return call.fail("'" + text(0) + "' is not a number");
      break;
    case StringFunction::Format:
      give(format(inputs[0], i));
      break;
    }
  }
  return call.give(std::move(result));
}

void interpreter::registerString(Registry &registry) {
  registry.add<MapStringsOp>(mapStrings);
}
