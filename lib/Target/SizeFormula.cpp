//===- SizeFormula.cpp - sizes as text over dimension names ---------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Target/SizeFormula.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include <map>
#include <memory>
#include <vector>

using namespace mlir;
using namespace mlir::nn;

namespace {

class Sum;

/// An indivisible factor: a dimension or a call.
struct Factor {
  std::string text;
  bool nonNegative;
  std::shared_ptr<Sum> rounded; // of roundup(rounded, multiple)
  bool operator<(const Factor &other) const { return text < other.text; }
  bool operator==(const Factor &other) const { return text == other.text; }
};

/// A sum of products in a canonical form: the factors of a product are sorted, and no
/// coefficient is zero.
class Sum {
public:
  Sum(int64_t constant = 0) { add({}, constant); }
  Sum(Factor factor) { add({std::move(factor)}, 1); }

  Sum operator+(const Sum &other) const { return plus(other, 1); }
  Sum operator-(const Sum &other) const { return plus(other, -1); }
  Sum operator*(const Sum &other) const {
    Sum result;
    for (const auto &[x, a] : terms)
      for (const auto &[y, b] : other.terms) {
        Product product = x;
        llvm::append_range(product, y);
        llvm::sort(product);
        result.add(std::move(product), int64_t(uint64_t(a) * uint64_t(b)));
      }
    return result;
  }
  bool operator==(const Sum &other) const { return terms == other.terms; }

  std::optional<int64_t> getConstant() const {
    if (terms.empty())
      return 0;
    if (terms.size() == 1 && terms.begin()->first.empty())
      return terms.begin()->second;
    return std::nullopt;
  }

  /// True if it is provably not negative.
  bool isNonNegative() const {
    return llvm::all_of(terms, [](const auto &term) {
      return term.second >= 0 && llvm::all_of(term.first, [](const Factor &factor) {
               return factor.nonNegative;
             });
    });
  }

  /// A quotient and a remainder, whose terms are not multiples of the divisor and whose
  /// constant is smaller than it.
  std::pair<Sum, Sum> divideTerms(int64_t divisor) const {
    Sum quotient, rest;
    for (const auto &[product, coefficient] : terms) {
      int64_t whole = coefficient / divisor;
      if (product.empty() && coefficient % divisor < 0)
        --whole;
      if (!product.empty() && coefficient % divisor != 0)
        whole = 0;
      quotient.add(product, whole);
      rest.add(product, coefficient - whole * divisor);
    }
    return {quotient, rest};
  }

  /// Splits it into the terms that are multiples, and the rest.
  std::pair<Sum, Sum> splitMultiples(int64_t divisor) const {
    Sum multiples, rest;
    for (const auto &[product, coefficient] : terms)
      (coefficient % divisor == 0 ? multiples : rest).add(product, coefficient);
    return {multiples, rest};
  }

  /// The approximate length of its text.
  size_t getLength() const {
    size_t length = 0;
    for (const auto &term : terms)
      for (const Factor &factor : term.first)
        length += factor.text.size();
    return length;
  }

  /// If it is `x` rounded up to a multiple, returns x.
  std::optional<Sum> getRounded(int64_t multiple) const {
    Sum sum;
    unsigned numRounded = 0;
    for (const auto &[product, coefficient] : terms) {
      if (product.size() == 1 && product[0].rounded && coefficient == 1 &&
          numRounded++ == 0)
        sum = sum + *product[0].rounded;
      else if (coefficient % multiple == 0)
        sum.add(product, coefficient);
      else
        return std::nullopt;
    }
    return sum;
  }

  std::string print() const {
    if (terms.empty())
      return "0";
    std::string text;
    for (const auto &[product, coefficient] : terms) {
      // The smallest integer has no positive counterpart.
      uint64_t magnitude = coefficient < 0 ? -uint64_t(coefficient) : coefficient;
      text += text.empty() ? (coefficient < 0 ? "-" : "")
                           : (coefficient < 0 ? " - " : " + ");
      std::string separator;
      if (magnitude != 1 || product.empty()) {
        text += std::to_string(magnitude);
        separator = "*";
      }
      for (const Factor &factor : product) {
        text += separator + factor.text;
        separator = "*";
      }
    }
    return text;
  }

private:
  using Product = std::vector<Factor>;

  void add(Product product, int64_t coefficient) {
    int64_t &sum = terms[product]; // wraps, as the code that is described does
    sum = int64_t(uint64_t(sum) + uint64_t(coefficient));
    if (sum == 0)
      terms.erase(product);
  }
  Sum plus(const Sum &other, int64_t sign) const {
    Sum result = *this;
    for (const auto &[product, coefficient] : other.terms)
      result.add(product, int64_t(uint64_t(sign) * uint64_t(coefficient)));
    return result;
  }

  std::map<Product, int64_t> terms; // the constant first
};

std::string call(StringRef function, ArrayRef<Sum> arguments) {
  std::string text = (function + "(").str();
  llvm::raw_string_ostream os(text);
  llvm::interleaveComma(arguments, os, [&](const Sum &sum) { os << sum.print(); });
  return text + ")";
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

Sum roundUp(const Sum &sum, int64_t multiple) {
  auto [multiples, rest] = sum.splitMultiples(multiple);
  if (rest == Sum())
    return multiples;
  return multiples + Sum(Factor{call("roundup", {rest, multiple}),
                                rest.isNonNegative(), std::make_shared<Sum>(rest)});
}

/// Division towards zero, or down; they differ only for negative numerators.
Sum divide(bool down, const Sum &x, const Sum &y) {
  std::optional<int64_t> divisor = y.getConstant();
  if (!divisor || *divisor <= 0)
    return Factor{call(down ? "floordiv" : "truncdiv", {x, y}), false, nullptr};
  if (!down && !x.isNonNegative())
    return Factor{call("truncdiv", {x, y}), false, nullptr};
  // Multiples of the divisor are moved out, so that 1 + (n - 1) / 2 is (n + 1) / 2.
  auto [quotient, rest] = x.divideTerms(*divisor);
  if (std::optional<int64_t> constant = rest.getConstant())
    return quotient; // less than the divisor
  return quotient + Sum(Factor{call("floordiv", {rest, y}), rest.isNonNegative(), nullptr});
}

/// The largest or smallest of several.
Sum extreme(bool largest, ArrayRef<Sum> candidates) {
  auto covers = [&](const Sum &x, const Sum &y) {
    if ((largest ? x - y : y - x).isNonNegative())
      return true;
    constexpr int64_t cacheLine = 64; // what buffers are rounded to
    std::optional<Sum> a = x.getRounded(cacheLine), b = y.getRounded(cacheLine);
    return a && b && (largest ? *a - *b : *b - *a).isNonNegative();
  };
  SmallVector<Sum> kept;
  for (const Sum &sum : candidates) {
    if (llvm::any_of(kept, [&](const Sum &other) { return covers(other, sum); }))
      continue;
    llvm::erase_if(kept, [&](const Sum &other) { return covers(sum, other); });
    kept.push_back(sum);
  }
  if (kept.size() == 1)
    return kept.front();
  llvm::sort(kept, [](const Sum &x, const Sum &y) { return x.print() < y.print(); });
  auto isNonNegative = [](const Sum &sum) { return sum.isNonNegative(); };
  return Factor{call(largest ? "max" : "min", kept),
                largest ? llvm::any_of(kept, isNonNegative)
                        : llvm::all_of(kept, isNonNegative),
                nullptr};
}

StringRef getName(arith::CmpIPredicate predicate) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return "eq";
  case arith::CmpIPredicate::ne:
    return "ne";
  case arith::CmpIPredicate::slt:
    return "lt";
  case arith::CmpIPredicate::sle:
    return "le";
  case arith::CmpIPredicate::sgt:
    return "gt";
  case arith::CmpIPredicate::sge:
    return "ge";
  default: // unsigned: does not occur among sizes
    return "";
  }
}

//===----------------------------------------------------------------------===//
// Reading the arithmetic
//===----------------------------------------------------------------------===//

class Reader {
public:
  explicit Reader(func::FuncOp main) : main(main) {}

  std::optional<Sum> get(Value value) {
    auto known = sums.find(value);
    if (known != sums.end())
      return known->second;
    std::optional<Sum> sum = read(value);
    // Nobody would read it, and nested factors grow exponentially.
    if (sum && sum->getLength() > 10000)
      sum = std::nullopt;
    sums[value] = sum;
    return sum;
  }

private:
  std::optional<Sum> read(Value value) {
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant)))
      return Sum(constant.getBitWidth() == 1 ? constant.getZExtValue()
                                             : constant.getSExtValue());
    // Integers only: of a float that is converted, constants are met, too.
    Operation *op = value.getDefiningOp();
    if (!op || op->getNumOperands() == 0)
      return std::nullopt;
    if (auto dim = dyn_cast<memref::DimOp>(op))
      return readDim(dim);
    if (std::optional<Sum> quotient = readFloorDiv(op))
      return quotient;
    SmallVector<Sum> operands;
    for (Value operand : op->getOperands()) {
      std::optional<Sum> sum = get(operand);
      if (!sum)
        return std::nullopt;
      operands.push_back(*sum);
    }
    return apply(op, operands);
  }

  std::optional<Sum> readDim(memref::DimOp dim) {
    auto argument = dyn_cast<BlockArgument>(dim.getSource());
    std::optional<int64_t> index = dim.getConstantIndex();
    if (!argument || argument.getOwner() != &main.getBody().front() || !index)
      return std::nullopt;
    unsigned number = argument.getArgNumber();
    auto names = main.getArgAttrOfType<ArrayAttr>(number, "nn.dim_names");
    if (names && size_t(*index) < names.size())
      if (auto name = dyn_cast<StringAttr>(names[*index]);
          name && isIdentifier(name))
        return Sum(Factor{name.str(), true, nullptr});
    auto name = main.getArgAttrOfType<StringAttr>(number, "nn.name");
    std::string text;
    llvm::raw_string_ostream os(text);
    os << "dim(\"";
    os.write_escaped(name ? name.getValue() : StringRef("argument " + std::to_string(number)));
    os << "\", " << *index << ")";
    return Sum(Factor{text, true, nullptr});
  }

  static bool isIdentifier(StringRef name) {
    return !name.empty() && !llvm::isDigit(name[0]) &&
           llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; });
  }

  /// Division down is spelled q + f*(-1 - 2*q) with q = truncdiv(x + f*(-1 - 2*x), y),
  /// where f is lt(x, 0).
  std::optional<Sum> readFloorDiv(Operation *op) {
    Value flag, quotient, innerFlag, numerator;
    auto mirrored = [&](Value value, Value &negative, Value &flag) {
      auto add = value.getDefiningOp<arith::AddIOp>();
      if (!add)
        return false;
      for (unsigned i : {0, 1}) {
        auto product = add.getOperand(i).getDefiningOp<arith::MulIOp>();
        negative = add.getOperand(1 - i);
        if (!product)
          continue;
        std::optional<Sum> x = get(negative);
        for (unsigned j : {0, 1}) {
          std::optional<Sum> factor = get(product.getOperand(j));
          flag = product.getOperand(1 - j);
          if (x && factor && *factor == Sum(-1) - *x - *x)
            return true;
        }
      }
      return false;
    };
    if (!isa<arith::AddIOp>(op) || !mirrored(op->getResult(0), quotient, flag))
      return std::nullopt;
    auto division = quotient.getDefiningOp<arith::DivSIOp>();
    if (!division || !mirrored(division.getLhs(), numerator, innerFlag) ||
        innerFlag != flag)
      return std::nullopt;
    std::optional<Sum> x = get(numerator), y = get(division.getRhs());
    std::optional<Sum> f = get(flag);
    if (!x || !y || !f || !(*f == compare(arith::CmpIPredicate::slt, *x, 0)))
      return std::nullopt;
    return divide(/*down=*/true, *x, *y);
  }

  static Sum compare(arith::CmpIPredicate predicate, const Sum &x, const Sum &y) {
    std::optional<int64_t> difference = (x - y).getConstant();
    if (difference)
      return int64_t(arith::applyCmpPredicate(predicate, APInt(64, *difference, true),
                                              APInt(64, 0)));
    if (predicate == arith::CmpIPredicate::slt && (x - y).isNonNegative())
      return 0;
    if (predicate == arith::CmpIPredicate::sge && (x - y).isNonNegative())
      return 1;
    return Factor{call(getName(predicate), {x, y}), true, nullptr};
  }

  std::optional<Sum> apply(Operation *op, ArrayRef<Sum> x) {
    if (isa<arith::AddIOp>(op))
      return x[0] + x[1];
    if (isa<arith::SubIOp>(op))
      return readClamp(op).value_or(x[0] - x[1]);
    if (isa<arith::MulIOp>(op))
      return readRoundUp(op, /*clamped=*/false).value_or(x[0] * x[1]);
    bool ofFlag = op->getOperand(0).getType().isInteger(1);
    if (ofFlag ? isa<arith::IndexCastUIOp, arith::ExtUIOp>(op)
               : isa<arith::IndexCastOp, arith::ExtSIOp>(op))
      return x[0];
    if (isa<arith::DivSIOp>(op))
      return divide(/*down=*/false, x[0], x[1]);
    if (isa<arith::FloorDivSIOp>(op))
      return divide(/*down=*/true, x[0], x[1]);
    if (isa<arith::RemSIOp>(op))
      return Factor{call("truncmod", x), x[0].isNonNegative(), nullptr};
    if (isa<arith::MaxSIOp>(op)) {
      SmallVector<Sum> candidates;
      collectMaximum(op, candidates);
      return extreme(/*largest=*/true, candidates);
    }
    if (isa<arith::MinSIOp>(op))
      return extreme(/*largest=*/false, x);
    if (isa<arith::SelectOp>(op))
      return x[2] + x[0] * (x[1] - x[2]);
    if (auto comparison = dyn_cast<arith::CmpIOp>(op))
      if (!getName(comparison.getPredicate()).empty())
        return compare(comparison.getPredicate(), x[0], x[1]);
    return std::nullopt;
  }

  /// x - min(x, y) is max(x - y, 0).
  std::optional<Sum> readClamp(Operation *op) {
    auto smallest = op->getOperand(1).getDefiningOp<arith::MinSIOp>();
    if (!smallest)
      return std::nullopt;
    Sum x = *get(op->getOperand(0));
    for (unsigned i : {0, 1})
      if (*get(smallest->getOperand(i)) == x)
        return extreme(/*largest=*/true, {0, x - *get(smallest->getOperand(1 - i))});
    return std::nullopt;
  }

  /// The operands of a maximum of maximums. All operands are known.
  void collectMaximum(Operation *op, SmallVectorImpl<Sum> &candidates) {
    bool clamped = llvm::any_of(op->getOperands(), [](Value operand) {
      return matchPattern(operand, m_Zero());
    });
    for (Value operand : op->getOperands()) {
      Operation *definition = operand.getDefiningOp();
      std::optional<Sum> rounded;
      if (definition && isa<arith::MaxSIOp>(definition))
        collectMaximum(definition, candidates);
      else if (definition && isa<arith::MulIOp>(definition) &&
               (rounded = readRoundUp(definition, clamped)))
        candidates.push_back(*rounded);
      else
        candidates.push_back(*get(operand));
    }
  }

  /// (x + m - 1) / m * m rounds up if x is not negative. If the result is clamped to 0,
  /// it also does so for negative x.
  std::optional<Sum> readRoundUp(Operation *op, bool clamped) {
    auto division = op->getOperand(0).getDefiningOp<arith::DivSIOp>();
    std::optional<Sum> multiple = get(op->getOperand(1));
    if (!division || !multiple || !(multiple == get(division.getRhs())))
      return std::nullopt;
    std::optional<int64_t> m = multiple->getConstant();
    std::optional<Sum> numerator = get(division.getLhs());
    if (!m || *m <= 0 || !numerator)
      return std::nullopt;
    Sum x = *numerator - Sum(*m - 1);
    if (!clamped && !x.isNonNegative())
      return std::nullopt;
    return roundUp(x, *m);
  }

  func::FuncOp main;
  DenseMap<Value, std::optional<Sum>> sums;
};

} // namespace

std::optional<std::string> nn::describeSize(Value size, func::FuncOp main) {
  std::optional<Sum> sum = Reader(main).get(size);
  return sum ? std::optional(sum->print()) : std::nullopt;
}
