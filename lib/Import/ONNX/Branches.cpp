//===- Branches.cpp - import of If ----------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Conditions that shapes and constants decide are decided here: exporters write many
// branches of which only one is meant, and whose other one does not fit the sizes. Of
// the others both branches are compiled, even if their results differ in rank (as in
// torch's squeeze of one dimension): nodes that use such a result go into both branches,
// and the If ends where ranks agree again. Only where they never do is one branch taken,
// and the run checks that it is the right one.
//
//===----------------------------------------------------------------------===//

#include "ControlFlow.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

Importer::Scope::Scope() = default;
Importer::Scope::Scope(Scope &&) = default;
Importer::Scope::~Scope() = default;

static constexpr llvm::StringLiteral kBranchNames[] = {"then", "else"};

//===----------------------------------------------------------------------===//
// Both branches, or one
//===----------------------------------------------------------------------===//

bool Importer::takeBranchesApart(const NodeInfo &info, Location location, Regions regions,
                                 MutableArrayRef<SmallVector<Value>> values,
                                 SmallVectorImpl<Structure> &structures) {
  for (auto [left, right] : llvm::zip(values[0], values[1])) {
    std::optional<Structure> structure =
        Structure::join(Structure::of(state, left), Structure::of(state, right));
    if (!structure) {
      reportProblem(info, "branches give values of one kind and element type",
                    state.structured.describe(left) + " and " +
                        state.structured.describe(right), "");
      return false;
    }
    structures.push_back(*structure);
  }
  for (auto [region, branch] : llvm::zip(regions, values)) {
    OpBuilder::InsertionGuard guard(state.builder);
    state.builder.setInsertionPointToEnd(&region->front());
    SmallVector<Value> tensors;
    if (!takeApart(branch, structures, info, location, tensors))
      return false;
    branch = std::move(tensors);
  }
  return true;
}

/// The sizes on which both types agree.
static RankedTensorType joinTypes(RankedTensorType lhs, RankedTensorType rhs) {
  SmallVector<int64_t> shape(lhs.getShape());
  for (auto [size, other] : llvm::zip(shape, rhs.getShape()))
    if (size != other)
      size = ShapedType::kDynamic;
  return lhs.clone(shape);
}

bool Importer::joinBranches(const NodeInfo &info, Location location, Value condition,
                            Regions regions, MutableArrayRef<SmallVector<Value>> values,
                            SmallVectorImpl<Value> &results) {
  SmallVector<Structure> structures;
  if (!takeBranchesApart(info, location, regions, values, structures))
    return false;
  SmallVector<Type> types;
  for (auto [left, right] : llvm::zip(values[0], values[1])) {
    if (tensorType(left).getElementType() != tensorType(right).getElementType()) {
      reportProblem(info, "branches give the same element types",
                    show(left.getType()) + Twine(" and ") + show(right.getType()), "");
      return false;
    }
    types.push_back(joinTypes(tensorType(left), tensorType(right)));
  }
  auto op = scf::IfOp::create(state.builder, location, types, condition,
                              /*addThenBlock=*/false, /*addElseBlock=*/false);
  for (int i : {0, 1}) {
    OpBuilder::InsertionGuard guard(state.builder);
    state.builder.setInsertionPointToEnd(&regions[i]->front());
    SmallVector<Value> yielded;
    for (auto [value, type] : llvm::zip(values[i], types))
      yielded.push_back(castTensor(value, cast<RankedTensorType>(type), location));
    scf::YieldOp::create(state.builder, location, yielded);
    op->getRegion(i).takeBody(*regions[i]);
  }
  for (auto [result, left, right] : llvm::zip(op.getResults(), values[0], values[1])) {
    // Sizes that are the same expression in both branches are known outside.
    Dims dims = state.shapes.getDims(result);
    for (auto [dim, l, r] : llvm::zip(dims, state.shapes.getDims(left),
                                      state.shapes.getDims(right)))
      if (l == r)
        dim = l;
    state.shapes.setDims(result, dims);
  }
  llvm::append_range(
      results, putTogether(structures, SmallVector<Value>(op.getResults()), location));
  return true;
}

void Importer::takeBranch(const NodeInfo &info, Location location, Value condition,
                          Regions regions, int taken) {
  OpBuilder &b = state.builder;
  if (taken == 1) {
    Value one = arith::ConstantIntOp::create(b, location, 1, 1);
    condition = arith::XOrIOp::create(b, location, condition, one);
  }
  std::string other = kBranchNames[1 - taken].str(), own = kBranchNames[taken].str();
  cf::AssertOp::create(b, location, condition,
                       "node '" + info.name + "' (If) takes its " + other +
                           " branch, whose results have other ranks than those of the " +
                           own + " branch, for which the model is compiled; give it "
                           "inputs of other sizes, or compile with these sizes set "
                           "(--set-dim)");
  b.getBlock()->getOperations().splice(b.getInsertionPoint(),
                                       regions[taken]->front().getOperations());
}

bool Importer::areMisfits(size_t first) const {
  return llvm::all_of(ArrayRef<Problem>(report.getProblems()).drop_front(first),
                      [](const Problem &problem) { return problem.isMisfit; });
}

std::optional<int>
Importer::chooseByDeclaredRanks(ArrayRef<RankedTensorType> declared,
                                ArrayRef<Value> first, ArrayRef<Value> second) {
  auto fits = [&](ArrayRef<Value> values) {
    return llvm::all_of(llvm::zip(declared, values), [](auto pair) {
      auto [type, value] = pair;
      auto own = dyn_cast<RankedTensorType>(value.getType());
      return !type || !own || type.getRank() == own.getRank();
    });
  };
  bool firstFits = fits(first), secondFits = fits(second);
  return firstFits == secondFits ? std::nullopt : std::optional(firstFits ? 0 : 1);
}

/// Whether tensors that stand for one have different ranks.
static bool differInRank(Value left, Value right) {
  auto leftType = dyn_cast<RankedTensorType>(left.getType());
  auto rightType = dyn_cast<RankedTensorType>(right.getType());
  return leftType && rightType && leftType.getRank() != rightType.getRank();
}

bool Importer::importIf(onnx::NodeProto &node, const NodeInfo &info,
                        ArrayRef<Value> operands, Location location, Scope &scope,
                        SmallVectorImpl<Value> &results) {
  if (operands.size() != 1 || !operands[0]) {
    reportProblem(info, "an If has one operand", Twine(operands.size()), "1");
    return false;
  }
  if (!checkScalar(operands[0], "cond", state.builder.getI1Type(), info))
    return false;
  onnx::GraphProto *graphs[] = {findGraph(node, info, "then_branch"),
                                findGraph(node, info, "else_branch")};
  for (onnx::GraphProto *graph : graphs) {
    if (!graph)
      return false;
    if (graph->output_size() != node.output_size()) {
      reportProblem(info, "branches have as many outputs as the node",
                    Twine(graph->output_size()), Twine(node.output_size()));
      return false;
    }
  }
  if (std::optional<int64_t> known = evaluateScalar(operands[0])) {
    int taken = *known ? 0 : 1;
    Scope inner = makeInnerScope(scope, info, kBranchNames[taken]);
    return importGraph(*graphs[taken], info, inner, results);
  }

  // Reading moves data out of the node, which may be read again below.
  onnx::NodeProto unread;
  if (scope.openIf)
    unread = node;
  SmallVector<Value> values[2];
  std::unique_ptr<Region> regions[2];
  llvm::scope_exit keepRegions([&] {
    for (std::unique_ptr<Region> &region : regions)
      if (region)
        discarded.push_back(std::move(region));
  });
  bool isValid[2], isMisfit[2];
  size_t problems[3] = {report.getProblems().size()};
  for (int i : {0, 1}) {
    OpBuilder::InsertionGuard guard(state.builder);
    regions[i] = std::make_unique<Region>();
    state.builder.setInsertionPointToEnd(&regions[i]->emplaceBlock());
    Scope inner = makeInnerScope(scope, info, kBranchNames[i]);
    isValid[i] = importGraph(*graphs[i], info, inner, values[i]);
    isMisfit[i] = !isValid[i] && areMisfits(problems[i]);
    problems[i + 1] = report.getProblems().size();
  }
  Value condition = extractScalar(operands[0], "cond", info, location);

  // A branch whose sizes do not fit is for inputs that the model is not run with.
  for (int i : {0, 1})
    if (isValid[i] && isMisfit[1 - i]) {
      report.erase(problems[1 - i], problems[2 - i]);
      takeBranch(info, location, condition, regions, i);
      llvm::append_range(results, values[i]);
      return true;
    }
  if (!isValid[0] || !isValid[1])
    return false;
  if (llvm::none_of(llvm::zip(values[0], values[1]), [](auto pair) {
        return differInRank(std::get<0>(pair), std::get<1>(pair));
      }))
    return joinBranches(info, location, condition, regions, values, results);

  SmallVector<RankedTensorType> declared;
  for (const std::string &name : node.output())
    declared.push_back(scope.parent || scope.depth ? RankedTensorType()
                                                   : getDeclaredType(name));
  std::optional<int> taken = chooseByDeclaredRanks(declared, values[0], values[1]);
  constexpr unsigned maxIfDepth = 4;
  if (!taken && ifDepth >= maxIfDepth)
    taken = 0;
  if (taken) {
    takeBranch(info, location, condition, regions, *taken);
    llvm::append_range(results, values[*taken]);
    return true;
  }
  // Beside an open If, this one is opened in both of its branches.
  if (scope.openIf) {
    importIntoBranches(unread, info, scope);
    return true;
  }
  scope.openIf = std::make_unique<OpenIf>(info, location, condition);
  for (int i : {0, 1}) {
    Scope &branch = scope.openIf->scopes[i];
    branch.parent = &scope;
    branch.opsets = scope.opsets;
    branch.caller = scope.caller;
    branch.location = scope.location;
    branch.depth = scope.depth;
    branch.prefix = scope.prefix;
    branch.isRepeated = true; // Each tensor of the model is two here.
    for (const auto &name : scope.used)
      branch.used.insert(name.getKey());
    scope.openIf->regions[i] = std::move(regions[i]);
    for (auto [name, value] : llvm::zip(node.output(), values[i]))
      branch.values[name] = Binding{value};
  }
  for (const std::string &name : node.output())
    if (!name.empty())
      scope.openIf->names.insert(name);
  return true;
}

//===----------------------------------------------------------------------===//
// Branches that differ in rank
//===----------------------------------------------------------------------===//

bool Importer::dependsOn(const OpenIf &open, const onnx::NodeProto &node) {
  return llvm::any_of(getReadNames(node),
                      [&](StringRef name) { return open.names.contains(name); });
}

void Importer::importIntoBranches(onnx::NodeProto &node, const NodeInfo &info,
                                  Scope &scope) {
  OpenIf &open = *scope.openIf;
  bool isValid[2];
  bool isMisfit[2];
  size_t problems[3] = {report.getProblems().size()};
  for (int i : {0, 1}) {
    OpBuilder::InsertionGuard guard(state.builder);
    state.builder.setInsertionPointToEnd(&open.regions[i]->front());
    ++ifDepth;
    // Reading moves data out of the node.
    if (i == 0) {
      onnx::NodeProto copy = node;
      importNode(copy, info, open.scopes[i]);
    } else {
      importNode(node, info, open.scopes[i]);
    }
    --ifDepth;
    isValid[i] = report.getProblems().size() == problems[i];
    isMisfit[i] = !isValid[i] && areMisfits(problems[i]);
    problems[i + 1] = report.getProblems().size();
  }
  for (const std::string &name : node.output())
    if (!name.empty())
      open.names.insert(name);
  for (int i : {0, 1})
    if (isValid[i] && isMisfit[1 - i]) {
      report.erase(problems[1 - i], problems[2 - i]);
      return continueWith(scope, i);
    }
  if (isValid[0] && isValid[1])
    return;
  // One report will do.
  if (!isValid[0] && !isValid[1])
    report.erase(problems[1], problems[2]);
  continueWith(scope, 0);
}

void Importer::continueWith(Scope &scope, int taken) {
  std::unique_ptr<OpenIf> open = std::move(scope.openIf);
  takeBranch(open->info, open->location, open->condition, open->regions, taken);
  for (std::unique_ptr<Region> &region : open->regions)
    discarded.push_back(std::move(region));
  Scope &branch = open->scopes[taken];
  for (auto &entry : branch.values)
    bindOutput(entry.getKey(), entry.getValue().value, scope);
  if ((scope.openIf = std::move(branch.openIf)))
    for (Scope &inner : scope.openIf->scopes)
      inner.parent = &scope;
}

void Importer::closeIf(Scope &scope, llvm::function_ref<bool(StringRef)> isNeeded,
                       bool mustClose) {
  if (!scope.openIf)
    return;
  OpenIf &open = *scope.openIf;
  for (int i : {0, 1}) {
    OpBuilder::InsertionGuard guard(state.builder);
    state.builder.setInsertionPointToEnd(&open.regions[i]->front());
    closeIf(open.scopes[i], isNeeded, mustClose);
  }
  SmallVector<StringRef> names;
  for (const auto &entry : open.names)
    if (isNeeded(entry.getKey()))
      names.push_back(entry.getKey());
  llvm::sort(names);
  SmallVector<RankedTensorType> declared;
  SmallVector<Value> values[2];
  bool agree = true;
  for (StringRef name : names) {
    declared.push_back(scope.outputs.lookup(name));
    for (int i : {0, 1})
      values[i].push_back(open.scopes[i].values.lookup(name).value);
    Value left = values[0].back(), right = values[1].back();
    // What is not known was reported, or belongs to an If that is open in a branch.
    agree &= left && right && !differInRank(left, right);
  }
  if (!agree && !mustClose)
    return;
  if (!agree) {
    for (auto [left, right] : llvm::zip(values[0], values[1]))
      if (!left || !right)
        return continueWith(scope, 0); // Reported.
    return continueWith(scope,
                        chooseByDeclaredRanks(declared, values[0], values[1]).value_or(0));
  }
  std::unique_ptr<OpenIf> closed = std::move(scope.openIf);
  SmallVector<Value> results;
  bool isJoined = joinBranches(closed->info, closed->location, closed->condition,
                               closed->regions, values, results);
  for (std::unique_ptr<Region> &region : closed->regions)
    discarded.push_back(std::move(region));
  for (auto [index, name] : llvm::enumerate(names))
    bindOutput(name, isJoined ? results[index] : Value(), scope);
}
