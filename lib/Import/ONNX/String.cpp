//===- String.cpp - import of operators on strings ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Core/Strings.h"
#include "Registry.h"
#include "ShapeMath.h"
#include "Values.h"
#include "nn/Interpreter/Interpreter.h"
#include <stdexcept>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

Value importer::mapStrings(NodeBinder &node, StringFunction function,
                           ArrayRef<Value> operands, Type to) {
  return node.create<MapStringsOp>(function, operands, to ? TypeAttr::get(to) : TypeAttr());
}

NodeBinder &importer::requireStrings(NodeBinder &node, Value tensor) {
  return node.require(holdsStrings(tensor), "the operand is strings",
                      tensor ? show(tensor.getType()) : "none", "", Remedy::ConvertType);
}

NodeBinder &importer::requirePattern(NodeBinder &node, StringRef attribute,
                                     StringRef pattern) {
  std::string problem;
  try {
    matchPattern(pattern, nullptr, 0, nullptr);
  } catch (const std::runtime_error &error) {
    problem = error.what();
  }
  return node.require(problem.empty(), "attribute '" + attribute +
                                           "' is a regular expression in RE2's syntax",
                      problem, "");
}

Value importer::numberParts(NodeBinder &node, Value counts) {
  if (!counts)
    return {};
  // There may be no strings at all.
  Value none = node.constantList({0});
  Value all = node.create<ConcatOp>(SmallVector<Value>{none, flatten(node, counts)}, 0);
  return makeIota(node, node.create<ReduceMaxOp>(all, ArrayRef<int64_t>{0}, /*keepdims=*/false));
}

//===----------------------------------------------------------------------===//
// Cast
//===----------------------------------------------------------------------===//

/// The type as which numbers of a type are parsed and formatted.
static Type getTextType(Type type) {
  Builder builder(type.getContext());
  if (isa<FloatType>(type))
    return type.isF64() ? type : Type(builder.getF32Type());
  return type.isUnsignedInteger(64) ? type : Type(builder.getI64Type());
}

Value importer::castStrings(NodeBinder &node, Value input, Type type) {
  if (isString(type)) {
    Value number = castTo(node, input, getTextType(getElementType(input)));
    return mapStrings(node, StringFunction::Format, number, type);
  }
  // What is 0.5 is true.
  Type parsed = type.isInteger(1) ? Type(Float32Type::get(node.getContext()))
                                  : getTextType(type);
  return castTo(node, mapStrings(node, StringFunction::Parse, input, parsed), type);
}

//===----------------------------------------------------------------------===//
// Functions of each string
//===----------------------------------------------------------------------===//

static LogicalResult importStringConcat(NodeBinder &node) {
  Value x, y;
  if (node.bothOperands(x, y).failed() || requireStrings(requireStrings(node, x), y).failed())
    return failure();
  return node.setOutput(mapStrings(node, StringFunction::Concat, {x, y}));
}

static LogicalResult importRegexFullMatch(NodeBinder &node) {
  Value input;
  std::string pattern;
  node.onlyOperand(input).attr("pattern", pattern, "")
      .require(node.hasAttr("pattern"), "attribute 'pattern' is given", "none", "");
  if (requirePattern(requireStrings(node, input), "pattern", pattern).failed())
    return failure();
  Value expression = node.constantString(pattern);
  return node.setOutput(mapStrings(node, StringFunction::FullMatch, {input, expression}));
}

/// Behind the dimensions of the input, the pieces of each string, and empty strings where it
/// has less than others.
static LogicalResult importStringSplit(NodeBinder &node) {
  Value input;
  std::string delimiter;
  int64_t limit;
  if (requireStrings(node.onlyOperand(input).attr("delimiter", delimiter, "")
                         .attr("maxsplit", limit, -1), input).failed())
    return failure();
  Type i64 = IntegerType::get(node.getContext(), 64);
  Value by = node.constantString(delimiter), most = node.constantScalar(double(limit), i64);
  Value counts = mapStrings(node, StringFunction::CountPieces, {input, by, most});
  Value index = numberParts(node, counts);
  int64_t rank = getType(input).getRank();
  Value rows = node.create<UnsqueezeOp>(input, ArrayRef<int64_t>{rank});
  (void)node.setOutput(mapStrings(node, StringFunction::Piece, {rows, by, most, index}));
  return node.setOutput(counts, 1);
}

//===----------------------------------------------------------------------===//
// StringNormalizer
//===----------------------------------------------------------------------===//

/// The strings of a list that are not among `words`, in their order, by comparing `keys`.
/// If there are none, an empty string.
static Value removeWords(NodeBinder &node, Value list, Value keys,
                         ArrayRef<std::string> words) {
  Value rows = node.create<UnsqueezeOp>(keys, ArrayRef<int64_t>{1});
  Value removed = node.constantStrings(words);
  Value isEqual = node.create<EqualOp>(rows, removed);
  Value isWord = node.create<ReduceMaxOp>(isEqual, ArrayRef<int64_t>{1}, /*keepdims=*/false);
  Value places = node.create<NonZeroOp>(node.create<NotOp>(isWord));
  Value kept = node.create<GatherOp>(
      list, node.create<SqueezeOp>(places, ArrayRef<int64_t>{0}), int64_t(0));
  if (!kept)
    return {};
  Value count = getDimList(node, kept, 0), one = node.constantList({1});
  Value size = node.create<MaxOp>(count, one);
  Value empty = node.constantStrings({""}), start = node.constantList({0});
  Value longer = node.create<ConcatOp>(SmallVector<Value>{kept, empty}, 0);
  return node.create<SliceOp>(longer, start, size, ArrayRef<int64_t>{0},
                              ArrayRef<int64_t>{1});
}

static LogicalResult importStringNormalizer(NodeBinder &node) {
  Value input;
  std::string action;
  bool isCaseSensitive;
  SmallVector<std::string> words;
  // The locale matters for the case of letters in few languages; strings are UTF-8 in any.
  if (requireStrings(node.onlyOperand(input)
                         .attr("case_change_action", action, "NONE", {"NONE", "LOWER", "UPPER"})
                         .attr("is_case_sensitive", isCaseSensitive, false)
                         .attr("stopwords", words).ignoreAttrs({"locale"}), input).failed())
    return failure();
  int64_t rank = getType(input).getRank();
  if (node.require(rank == 1 || (rank == 2 && getType(input).getDimSize(0) == 1),
                   "the input is a list, or a matrix of one row", show(input.getType()),
                   "[C] or [1, C]").failed())
    return failure();
  Value list = rank == 2 ? node.create<SqueezeOp>(input, ArrayRef<int64_t>{0}) : input;
  if (!words.empty()) {
    Value keys = list;
    if (!isCaseSensitive) {
      keys = mapStrings(node, StringFunction::Lower, list);
      for (std::string &word : words) {
        std::string lower;
        if (nnrt::changeCase(word, /*upper=*/false, lower))
          word = lower;
      }
    }
    list = removeWords(node, list, keys, words);
  }
  if (action != "NONE")
    list = mapStrings(node, action == "LOWER" ? StringFunction::Lower : StringFunction::Upper, list);
  return node.setOutput(rank == 2 ? node.create<UnsqueezeOp>(list, ArrayRef<int64_t>{0})
                                  : list);
}

void importer::registerString(Registry &r) {
  r.onOp("RegexFullMatch", 20, importRegexFullMatch);
  r.onOp("StringConcat", 20, importStringConcat);
  r.onOp("StringNormalizer", 10, importStringNormalizer);
  r.onOp("StringSplit", 20, importStringSplit);
}
