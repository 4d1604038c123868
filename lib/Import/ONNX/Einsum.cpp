//===- Einsum.cpp - import of Einstein sums -------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Operands are folded into the first one by one. Labels that nothing later needs
// are summed at once, by a matrix product where the labels allow it, else by a
// broadcast product and a reduction.
//
//===----------------------------------------------------------------------===//

#include "Registry.h"
#include "ShapeMath.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

namespace {
/// A tensor whose dimensions have labels: letters, and digits for the dimensions
/// of an ellipsis ('0' is the last).
struct Labeled {
  Value tensor;
  std::string labels;
};

class EinsumBuilder {
public:
  explicit EinsumBuilder(NodeBinder &node) : node(node) {}

  LogicalResult parse(StringRef equation, ArrayRef<Value> operands);
  Value build();

private:
  /// Labels of a term; digits in the place of "...".
  FailureOr<std::string> expand(StringRef term, int64_t ellipsisRank);
  void takeDiagonal(Labeled &operand);
  void dropBroadcast();
  void fixSizes();
  void sum(Labeled &operand, StringRef kept);
  /// The tensor with the dimensions of `labels`, in that order; missing ones are 1.
  Value arrange(const Labeled &operand, StringRef labels);
  Labeled multiply(const Labeled &lhs, const Labeled &rhs, StringRef needed);
  Value transpose(Value tensor, ArrayRef<int64_t> perm);

  LogicalResult fail(const Twine &seen) {
    return node.fail("attribute 'equation' fits the operands", seen, "");
  }

  NodeBinder &node;
  SmallVector<Labeled> operands;
  std::string output;
};
} // namespace

static ArrayRef<int64_t> getShape(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

static int64_t getRank(Value value) { return getShape(value).size(); }

FailureOr<std::string> EinsumBuilder::expand(StringRef term, int64_t ellipsisRank) {
  std::string labels;
  while (!term.empty()) {
    if (term.consume_front("...")) {
      for (int64_t i = ellipsisRank; i-- > 0;)
        labels += char('0' + i);
      continue;
    }
    if (!llvm::isAlpha(term.front()))
      return fail("the character '" + Twine(term.front()) + "'");
    labels += term.front();
    term = term.drop_front();
  }
  return labels;
}

LogicalResult EinsumBuilder::parse(StringRef equation, ArrayRef<Value> values) {
  std::string text;
  for (char c : equation)
    if (c != ' ')
      text += c;
  auto [left, right] = StringRef(text).split("->");
  bool hasOutput = StringRef(text).contains("->");
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  if (terms.size() != values.size())
    return fail(Twine(terms.size()) + " terms for " + Twine(values.size()) + " operands");
  int64_t widest = 0;
  for (auto [term, value] : llvm::zip(terms, values)) {
    int64_t letters = llvm::count_if(term, [](char c) { return c != '.'; });
    int64_t rest = getRank(value) - letters;
    bool hasEllipsis = term.contains("...");
    if (rest < 0 || (rest > 0 && !hasEllipsis) || rest > 10)
      return fail("term '" + term + "' for rank " + Twine(getRank(value)));
    FailureOr<std::string> labels = expand(term, rest);
    if (failed(labels))
      return failure();
    if (int64_t(labels->size()) != getRank(value))
      return fail("term '" + term + "' for rank " + Twine(getRank(value)));
    widest = std::max(widest, hasEllipsis ? rest : 0);
    operands.push_back({value, *labels});
  }
  if (hasOutput) {
    FailureOr<std::string> labels = expand(right, widest);
    if (failed(labels))
      return failure();
    output = *labels;
  } else {
    // The ellipsis, then the letters that occur once, in alphabetical order.
    output = *expand("...", widest);
    for (char c = 'A'; c <= 'z'; ++c)
      if (llvm::isAlpha(c) && StringRef(left).count(c) == 1)
        output += c;
  }
  for (char c : output)
    if (llvm::none_of(operands, [&](const Labeled &operand) {
          return StringRef(operand.labels).contains(c);
        }))
      return fail("the output's label '" + Twine(c) + "', which no operand has");
  return success();
}

/// A label that stands twice: elements off the diagonal become 0, and the second
/// dimension is summed.
void EinsumBuilder::takeDiagonal(Labeled &operand) {
  for (size_t first = 0; first < operand.labels.size(); ++first) {
    size_t second = operand.labels.find(operand.labels[first], first + 1);
    if (second == std::string::npos)
      continue;
    auto type = cast<RankedTensorType>(operand.tensor.getType());
    Value rows = makeIota(node, operand.tensor, first, first, type.getRank());
    Value columns = makeIota(node, operand.tensor, second, second, type.getRank());
    Value isOn = node.create<EqualOp>(rows, columns);
    Value zero = node.constantScalar(0, type.getElementType());
    operand.tensor = node.create<WhereOp>(isOn, operand.tensor, zero);
    operand.tensor = node.create<ReduceSumOp>(
        operand.tensor, ArrayRef<int64_t>{int64_t(second)}, /*keepdims=*/false);
    if (node.failed())
      return;
    operand.labels.erase(second, 1);
    --first; // It may stand three times.
  }
}

/// A dimension of size 1 is broadcast to that of another operand with its label: this
/// operand is the same without it.
void EinsumBuilder::dropBroadcast() {
  auto getSize = [](const Labeled &operand, size_t at) {
    return cast<RankedTensorType>(operand.tensor.getType()).getDimSize(at);
  };
  std::string larger; // labels that another size than 1 stands for, as far as is known
  for (const Labeled &operand : operands)
    for (auto [i, c] : llvm::enumerate(operand.labels))
      if (getSize(operand, i) != 1)
        larger += c;
  for (Labeled &operand : operands) {
    SmallVector<int64_t> axes;
    std::string labels;
    for (auto [i, c] : llvm::enumerate(operand.labels)) {
      if (getSize(operand, i) == 1 && StringRef(larger).contains(c))
        axes.push_back(i);
      else
        labels += c;
    }
    if (axes.empty())
      continue;
    operand.tensor = node.create<SqueezeOp>(operand.tensor, axes);
    operand.labels = labels;
    if (node.failed())
      return;
  }
}

/// Where one operand has a known size for a label, the others have the same one. A size of
/// 1 that only the run shows is not broadcast.
void EinsumBuilder::fixSizes() {
  llvm::SmallDenseMap<char, int64_t> known;
  for (const Labeled &operand : operands)
    for (auto [c, size] : llvm::zip(operand.labels, getShape(operand.tensor)))
      if (size != 1 && !ShapedType::isDynamic(size))
        known.try_emplace(c, size);
  for (Labeled &operand : operands) {
    SmallVector<int64_t> sizes(getShape(operand.tensor));
    for (auto [c, size] : llvm::zip(operand.labels, sizes))
      if (auto found = known.find(c); found != known.end() && ShapedType::isDynamic(size))
        size = found->second;
    operand.tensor = fixDims(node, operand.tensor, sizes, [&](int64_t dim) {
      return "gets an operand with another size for label '" +
             std::string(1, operand.labels[dim]) + "' than " + std::to_string(sizes[dim]) +
             ", which another operand has";
    });
    if (!operand.tensor)
      return;
  }
}

/// Sums the dimensions whose labels are not in `kept`.
void EinsumBuilder::sum(Labeled &operand, StringRef kept) {
  SmallVector<int64_t> axes;
  std::string labels;
  for (auto [i, c] : llvm::enumerate(operand.labels)) {
    if (kept.contains(c))
      labels += c;
    else
      axes.push_back(i);
  }
  if (axes.empty())
    return;
  operand.tensor = node.create<ReduceSumOp>(operand.tensor, axes, /*keepdims=*/false);
  operand.labels = labels;
}

Value EinsumBuilder::transpose(Value tensor, ArrayRef<int64_t> perm) {
  bool isIdentity = llvm::equal(perm, llvm::seq<int64_t>(0, perm.size()));
  return isIdentity || !tensor ? tensor : node.create<TransposeOp>(tensor, perm);
}

Value EinsumBuilder::arrange(const Labeled &operand, StringRef labels) {
  SmallVector<int64_t> perm, missing;
  for (auto [i, c] : llvm::enumerate(labels)) {
    size_t at = operand.labels.find(c);
    if (at == std::string::npos)
      missing.push_back(i);
    else
      perm.push_back(at);
  }
  Value result = transpose(operand.tensor, perm);
  return missing.empty() || !result ? result : node.create<UnsqueezeOp>(result, missing);
}

Labeled EinsumBuilder::multiply(const Labeled &lhs, const Labeled &rhs,
                                StringRef needed) {
  std::string batch, rows, columns, contracted;
  for (char c : lhs.labels) {
    bool isShared = StringRef(rhs.labels).contains(c);
    (isShared ? (needed.contains(c) ? batch : contracted) : rows) += c;
  }
  for (char c : rhs.labels)
    if (!StringRef(lhs.labels).contains(c))
      columns += c;
  if (rows.size() <= 1 && columns.size() <= 1 && contracted.size() == 1) {
    // Matrices of one row or column where there is no label for them.
    std::string row = rows.empty() ? "<" : rows, column = columns.empty() ? ">" : columns;
    Value left = arrange(lhs, batch + row + contracted);
    Value right = arrange(rhs, batch + contracted + column);
    Value product = node.create<MatMulOp>(left, right, /*transpose_lhs=*/false,
                                          /*transpose_rhs=*/false);
    int64_t rank = batch.size();
    SmallVector<int64_t> units;
    if (rows.empty())
      units.push_back(rank);
    if (columns.empty())
      units.push_back(rank + 1);
    if (!units.empty())
      product = node.create<SqueezeOp>(product, units);
    return {product, batch + rows + columns};
  }
  std::string all = batch + rows + columns + contracted;
  Value left = arrange(lhs, all), right = arrange(rhs, all);
  Labeled result{node.create<MulOp>(left, right), all};
  if (!node.failed())
    sum(result, needed);
  return result;
}

Value EinsumBuilder::build() {
  // What operand i and those before it must still have after it was folded in.
  auto getNeeded = [&](size_t next) {
    std::string needed = output;
    for (size_t i = next; i < operands.size(); ++i)
      needed += operands[i].labels;
    return needed;
  };
  for (Labeled &operand : operands) {
    takeDiagonal(operand);
    if (node.failed())
      return {};
  }
  dropBroadcast();
  if (node.failed())
    return {};
  fixSizes();
  if (node.failed())
    return {};
  for (auto [i, operand] : llvm::enumerate(operands)) {
    // Labels that only this operand has.
    std::string kept = output;
    for (auto [j, other] : llvm::enumerate(operands))
      if (j != i)
        kept += other.labels;
    sum(operand, kept);
  }
  Labeled result = operands.front();
  for (size_t i = 1; i < operands.size() && !node.failed(); ++i)
    result = multiply(result, operands[i], getNeeded(i + 1));
  return node.failed() ? Value() : arrange(result, output);
}

static LogicalResult importEinsum(NodeBinder &node) {
  SmallVector<Value> operands;
  std::string equation;
  if (node.allOperands(operands).attr("equation", equation, "").failed())
    return failure();
  EinsumBuilder builder(node);
  if (failed(builder.parse(equation, operands)))
    return failure();
  return node.setOutput(builder.build());
}

void importer::registerEinsum(Registry &r) { r.onOp("Einsum", 12, importEinsum); }
