//===- Triage.h - every problem of a model --------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// What stands between a model and its compilation, found in one run and told in
// the model's own words: node, operator, what was seen, what is accepted, and
// the kind of way out.
//
//===----------------------------------------------------------------------===//

#ifndef NN_IMPORT_TRIAGE_H
#define NN_IMPORT_TRIAGE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mlir::nn {

/// The kinds of ways out.
enum class Remedy {
  FixModel,     ///< The model is not valid ONNX.
  FixData,      ///< Weights are missing, damaged or out of reach.
  ReplaceOp,    ///< The operator is not supported.
  ChangeForm,   ///< The operator is, but not with these operands or attributes.
  ConvertType,  ///< The element type is not supported.
  MakeConstant, ///< A value that must be known at compile time is not.
  GiveShape,    ///< A shape that must be known is not.
  FixOption,    ///< A command-line option does not fit the model.
};

/// The name in reports ("fix-model"), and what it asks the user to do.
llvm::StringRef getName(Remedy remedy);
llvm::StringRef getAdvice(Remedy remedy);

/// A node of the model, or (with `op` empty) an input, output or weight.
struct NodeInfo {
  std::string name;
  std::string op;
  std::string domain; ///< Empty for ai.onnx.
  int64_t opset = 0;
};

struct Problem {
  NodeInfo node;
  std::string constraint; ///< What had to hold.
  std::string seen;       ///< What was found instead; may be empty.
  std::string accepted;   ///< Values that would do; may be empty.
  Remedy remedy = Remedy::FixModel;
  std::string advice; ///< Where more can be said than getAdvice(remedy).
  /// Whether operands just do not fit the operator, by their sizes or ranks. In a branch
  /// that the model does not take this is no problem.
  bool isMisfit = false;
};

/// Collects problems in the order in which they are found.
class TriageReport {
public:
  /// Of problems beyond `maxProblems` only the number is kept.
  static constexpr size_t maxProblems = 10000;

  void add(Problem problem);
  /// Whether nothing stands in the way; warnings do not.
  bool empty() const { return problems.empty(); }
  /// Adds what does not stand in the way, but should be looked at.
  void warn(Problem problem);
  /// Takes back problems [from, to), of what turned out not to be needed.
  void erase(size_t from, size_t to) {
    problems.erase(problems.begin() + from, problems.begin() + to);
  }
  const std::vector<Problem> &getProblems() const { return problems; }
  void markAsMisfit() {
    if (!problems.empty())
      problems.back().isMisfit = true;
  }

  /// Facts about the model that head the report.
  void setFact(std::string key, std::string value) {
    facts.emplace_back(std::move(key), std::move(value));
  }
  /// Counts an operator of the model, by "domain.Op".
  void countOperator(const NodeInfo &node);

  /// One line a problem: "error: FILE: node 'n' (Op, ai.onnx 13): ...".
  void printErrors(llvm::raw_ostream &os, llvm::StringRef file) const;
  /// The same with "warning: ".
  void printWarnings(llvm::raw_ostream &os, llvm::StringRef file) const;
  /// A table for people, and the same as one JSON object.
  void printTable(llvm::raw_ostream &os) const;
  void printJSON(llvm::raw_ostream &os) const;

private:
  std::vector<Problem> problems;
  std::vector<Problem> warnings;
  size_t dropped = 0;
  std::vector<std::pair<std::string, std::string>> facts;
  std::map<std::string, int64_t> operators;
};

} // namespace mlir::nn

#endif // NN_IMPORT_TRIAGE_H
