//===- Tokenizer.cpp - import of ONNX Runtime's operator Tokenizer --------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "../ShapeMath.h"
#include "../Values.h"
#include "Microsoft.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

/// What a regular expression that matches one character of a few stands for, as the inside of
/// a class, such as "a-z" of "[a-z]"; nothing for others.
static std::optional<std::string> getCharacterClass(StringRef pattern) {
  StringRef special = ".[]{}()\\*+?^$|";
  if (pattern.size() == 1 && !special.contains(pattern))
    return pattern == "-" ? "\\-" : pattern.str();
  bool isEscaped = pattern.size() == 2 && pattern.front() == '\\';
  if (isEscaped && (special.contains(pattern.back()) || StringRef("sdwnrt").contains(pattern.back()) ||
                    llvm::isPunct(pattern.back())))
    return pattern.str();
  bool isClass = pattern.size() > 2 && pattern.front() == '[' && pattern.back() == ']';
  StringRef inside = isClass ? pattern.drop_front().drop_back() : StringRef();
  if (isClass && inside.front() != '^' && !inside.contains('[') && !inside.contains(']'))
    return inside.str();
  return std::nullopt;
}

/// The expression for what is between separators.
static NodeBinder &joinSeparators(NodeBinder &node, ArrayRef<std::string> separators,
                                  std::string &expression) {
  // A single empty separator makes a token of each character.
  if (separators.size() == 1 && separators[0].empty()) {
    expression = "(?s).";
    return node;
  }
  expression = "[^";
  for (const std::string &separator : separators) {
    std::optional<std::string> inside = getCharacterClass(separator);
    if (node.require(inside.has_value(), "each separator is one character, or a class of them",
                     "'" + separator + "'", "such as ' ', '\\.', '[,;]'", Remedy::ChangeForm)
            .failed())
      return node;
    expression += *inside;
  }
  expression += "]+";
  return node;
}

/// Puts the characters 2 and 3 before and behind the tokens of each row, which ends behind
/// as many as `counts` say.
static Value putBetweenMarks(NodeBinder &node, Value tokens, Value counts, Value pad) {
  if (node.failed())
    return {};
  int64_t last = getType(tokens).getRank() - 1;
  // One for each row.
  auto spread = [&](Value text) { return node.create<ExpandOp>(text, getShapeList(node, counts)); };
  Value start = spread(node.constantString("\x02")), behind = spread(pad);
  Value all = node.create<ConcatOp>(SmallVector<Value>{start, tokens, behind}, last);
  if (node.failed())
    return {};
  Value places = makeIota(node, all, last, last, last + 1);
  Value one = node.constantScalar(1, getElementType(counts));
  Value isEnd = node.create<EqualOp>(places, node.create<AddOp>(counts, one));
  Value end = node.constantString("\x03");
  return node.create<WhereOp>(isEnd, end, all);
}

/// Behind the dimensions of the input, the tokens of each string, and 'pad_value' where it
/// has less than others.
static LogicalResult importTokenizer(NodeBinder &node) {
  Value input;
  int64_t mark, least;
  std::string padding, expression;
  SmallVector<std::string> separators;
  node.operand("X", input).requiredAttr("mark", mark).requiredAttr("mincharnum", least)
      .attr("pad_value", padding, "").attr("separators", separators)
      .attr("tokenexp", expression, "");
  if (requireStrings(node, input)
          .require(separators.empty() != expression.empty(),
                   "attribute 'separators' or 'tokenexp' is given",
                   separators.empty() ? "none" : "both", "").failed())
    return failure();
  StringRef attribute = separators.empty() ? "tokenexp" : "separators";
  if (!separators.empty())
    joinSeparators(node, separators, expression);
  if (node.failed() || requirePattern(node, attribute, expression).failed())
    return failure();
  Type i64 = IntegerType::get(node.getContext(), 64);
  Value pattern = node.constantString(expression);
  Value fewest = node.constantScalar(double(least), i64);
  Value counts = mapStrings(node, StringFunction::CountMatches, {input, pattern, fewest});
  Value index = numberParts(node, counts);
  if (node.failed())
    return failure();
  int64_t rank = getType(input).getRank();
  Value rows = node.create<UnsqueezeOp>(input, ArrayRef<int64_t>{rank});
  Value tokens = mapStrings(node, StringFunction::Match, {rows, pattern, fewest, index});
  Value ends = node.create<UnsqueezeOp>(counts, ArrayRef<int64_t>{rank});
  Value exists = node.create<LessOp>(index, ends);
  Value pad = node.constantString(padding);
  Value padded = node.create<WhereOp>(exists, tokens, pad);
  return node.setOutput(mark ? putBetweenMarks(node, padded, ends, pad) : padded);
}

void importer::registerMicrosoftTokenizer(Registry &r) {
  r.onOp(microsoft, "Tokenizer", 1, importTokenizer, "X");
}
