//===- Triage.cpp - every problem of a model ------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Import/Triage.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include <algorithm>
#include <tuple>

using namespace mlir::nn;
using llvm::StringRef;

StringRef mlir::nn::getName(Remedy remedy) {
  switch (remedy) {
  case Remedy::FixModel:
    return "fix-model";
  case Remedy::FixData:
    return "fix-data";
  case Remedy::ReplaceOp:
    return "replace-op";
  case Remedy::ChangeForm:
    return "change-form";
  case Remedy::ConvertType:
    return "convert-type";
  case Remedy::MakeConstant:
    return "make-constant";
  case Remedy::GiveShape:
    return "give-shape";
  case Remedy::FixOption:
    return "fix-option";
  }
  return "";
}

StringRef mlir::nn::getAdvice(Remedy remedy) {
  switch (remedy) {
  case Remedy::FixModel:
    return "correct the model, which is not valid ONNX, or export it again";
  case Remedy::FixData:
    return "put the complete data file into the model's folder";
  case Remedy::ReplaceOp:
    return "replace the operator by supported ones, or cut the model before it";
  case Remedy::ChangeForm:
    return "export the operator in an accepted form";
  case Remedy::ConvertType:
    return "convert the tensor to an accepted element type";
  case Remedy::MakeConstant:
    return "fold the model's constants when exporting, or make the dimensions "
           "that it depends on static with --set-dim NAME=N";
  case Remedy::GiveShape:
    return "give the shape in the model, or make dimensions static with "
           "--set-dim NAME=N";
  case Remedy::FixOption:
    return "correct the option";
  }
  return "";
}

void TriageReport::add(Problem problem) {
  if (problem.advice.empty())
    problem.advice = getAdvice(problem.remedy).str();
  if (problems.size() < maxProblems)
    problems.push_back(std::move(problem));
  else
    ++dropped;
}

void TriageReport::warn(Problem problem) {
  if (warnings.size() < maxProblems)
    warnings.push_back(std::move(problem));
}

static std::string domainOf(const NodeInfo &node) {
  return node.domain.empty() ? "ai.onnx" : node.domain;
}

void TriageReport::countOperator(const NodeInfo &node) {
  ++operators[node.domain.empty() ? node.op : node.domain + "." + node.op];
}

/// Names from files may hold anything; keep each on its line.
static std::string printable(StringRef text, size_t limit = 400) {
  std::string result;
  llvm::raw_string_ostream os(result);
  llvm::printEscapedString(text.take_front(limit), os);
  if (text.size() > limit)
    os << "...";
  // Quotes need no escape here.
  for (size_t at; (at = result.find("\\22")) != std::string::npos;)
    result.replace(at, 3, "\"");
  return result;
}

namespace {
/// Problems that differ in the node only, in the order of the first of each.
struct Group {
  const Problem *problem;
  std::vector<const NodeInfo *> nodes;
};
} // namespace

static std::vector<Group> groupByNode(const std::vector<Problem> &problems) {
  std::vector<Group> groups;
  std::map<std::tuple<StringRef, StringRef, int64_t, StringRef, StringRef, StringRef, StringRef>,
           size_t>
      known;
  for (const Problem &problem : problems) {
    const NodeInfo &node = problem.node;
    auto [it, isNew] = known.try_emplace(
        std::tuple(StringRef(node.op), StringRef(node.domain), node.opset,
                   StringRef(problem.constraint), StringRef(problem.seen),
                   StringRef(problem.accepted), StringRef(problem.advice)),
        groups.size());
    // What is no node's may be of different kinds of things.
    if (isNew || node.op.empty()) {
      it->second = groups.size();
      groups.push_back({&problem, {}});
    }
    groups[it->second].nodes.push_back(&node);
  }
  return groups;
}

/// The first names of a group: "'a', 'b', 'c', ...".
static std::string listNames(const Group &group) {
  constexpr size_t limit = 5;
  std::string text;
  for (size_t i = 0; i < std::min(limit, group.nodes.size()); ++i)
    text += (i ? ", '" : "'") + printable(group.nodes[i]->name) + "'";
  return text + (group.nodes.size() > limit ? ", ..." : "");
}

static void printLine(llvm::raw_ostream &os, StringRef kind, StringRef file,
                      const Group &group) {
  const Problem &problem = *group.problem;
  const NodeInfo &node = problem.node;
  os << kind << ": " << file << ": ";
  std::string op = printable(node.op) + ", " + printable(domainOf(node)) + " " +
                   std::to_string(node.opset);
  if (group.nodes.size() > 1)
    os << group.nodes.size() << " nodes (" << listNames(group) << "; " << op << "): ";
  else if (!node.op.empty())
    os << "node '" << printable(node.name) << "' (" << op << "): ";
  else if (!node.name.empty())
    os << "'" << printable(node.name) << "': ";
  os << printable(problem.constraint, 2000);
  if (!problem.seen.empty())
    os << "; seen: " << printable(problem.seen, 2000);
  if (!problem.accepted.empty())
    os << "; accepted: " << printable(problem.accepted, 2000);
  os << "; remedy: " << printable(problem.advice, 2000) << "\n";
}

void TriageReport::printErrors(llvm::raw_ostream &os, StringRef file) const {
  for (const Group &group : groupByNode(problems))
    printLine(os, "error", file, group);
  if (dropped)
    os << "error: " << file << ": " << dropped << " more problems\n";
}

void TriageReport::printWarnings(llvm::raw_ostream &os, StringRef file) const {
  for (const Group &group : groupByNode(warnings))
    printLine(os, "warning", file, group);
}

void TriageReport::printTable(llvm::raw_ostream &os) const {
  for (const auto &[key, value] : facts)
    os << key << ": " << printable(value) << "\n";
  int64_t total = 0;
  for (const auto &entry : operators)
    total += entry.second;
  os << "operators: " << total;
  const char *separator = " (";
  for (const auto &[op, count] : operators) {
    os << separator << printable(op) << " " << count;
    separator = ", ";
  }
  os << (operators.empty() ? "\n" : ")\n");
  if (!warnings.empty())
    os << "warnings: " << warnings.size() << "\n";
  printWarnings(os, facts.empty() ? "model" : facts.front().second);
  if (problems.empty()) {
    os << "problems: none\n";
    return;
  }

  os << "problems: " << problems.size() + dropped << "\n\n";
  std::vector<std::vector<std::string>> rows = {
      {"node", "op", "domain", "opset", "constraint", "seen", "accepted", "remedy"}};
  std::map<std::string, size_t> byRemedy;
  for (const Group &group : groupByNode(problems)) {
    const Problem &problem = *group.problem;
    const NodeInfo &node = problem.node;
    bool isNode = !node.op.empty();
    size_t others = group.nodes.size() - 1;
    rows.push_back({printable(node.name, 60) +
                        (others ? " and " + std::to_string(others) + " more" : ""),
                    isNode ? printable(node.op) : "-",
                    isNode ? printable(domainOf(node)) : "-",
                    isNode ? std::to_string(node.opset) : "-",
                    printable(problem.constraint), printable(problem.seen),
                    printable(problem.accepted), getName(problem.remedy).str()});
    byRemedy[getName(problem.remedy).str() + ": " + problem.advice] += group.nodes.size();
  }
  std::vector<size_t> widths(rows[0].size(), 1);
  for (auto &row : rows)
    for (auto [column, cell] : llvm::enumerate(row)) {
      if (cell.empty())
        cell = "-";
      // A long cell does not push the others off the screen.
      widths[column] = std::max(widths[column], std::min<size_t>(cell.size(), 48));
    }
  for (const auto &row : rows) {
    for (auto [column, cell] : llvm::enumerate(row)) {
      os << cell;
      if (column + 1 != row.size())
        os.indent(cell.size() < widths[column] ? widths[column] - cell.size() + 2 : 2);
    }
    os << "\n";
  }
  if (dropped)
    os << dropped << " more\n";
  os << "\nremedies:\n";
  for (const auto &[text, count] : byRemedy)
    os << "  " << printable(text) << " (" << count << ")\n";
}

void TriageReport::printJSON(llvm::raw_ostream &os) const {
  auto text = [](StringRef value) { return llvm::json::fixUTF8(value); };
  llvm::json::OStream json(os, /*IndentSize=*/2);
  auto printFields = [&](const Problem &problem) {
    const NodeInfo &node = problem.node;
    json.attribute("node", text(node.name));
    json.attribute("op", text(node.op));
    json.attribute("domain", node.op.empty() ? "" : text(domainOf(node)));
    json.attribute("opset", node.opset);
    json.attribute("constraint", text(problem.constraint));
    json.attribute("seen", text(problem.seen));
    json.attribute("accepted", text(problem.accepted));
    json.attribute("remedy", getName(problem.remedy));
    json.attribute("advice", text(problem.advice));
  };
  json.object([&] {
    json.attributeObject("model", [&] {
      for (const auto &[key, value] : facts)
        json.attribute(text(key), text(value));
    });
    json.attributeObject("operators", [&] {
      for (const auto &[op, count] : operators)
        json.attribute(text(op), count);
    });
    json.attribute("problem_count", int64_t(problems.size() + dropped));
    for (const auto &[key, list] :
         {std::pair("problems", &problems), std::pair("warnings", &warnings)})
      json.attributeArray(key, [&, list = list] {
        for (const Problem &problem : *list)
          json.object([&] { printFields(problem); });
      });
  });
  os << "\n";
}
