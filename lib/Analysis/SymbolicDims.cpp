//===- SymbolicDims.cpp - sizes as expressions of the model's inputs ------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Analysis/SymbolicDims.h"
#include "dialects/NN/IR/ShapeRanges.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/AffineExprVisitor.h"
#include "mlir/IR/Matchers.h"
#include "nn/Support/Activity.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::nn;

/// Unset, negative and `?` names say nothing.
static bool isName(StringRef name) {
  return !name.empty() && name != "?" && !name.starts_with("-");
}

SymbolicDims::SymbolicDims(func::FuncOp function)
    : ShapeEnv(function.getContext()) {
  if (function.isExternal())
    return;
  // A name stands for the static size that some argument gives it, or else for
  // the first dimension that bears it.
  llvm::StringMap<Dim> named;
  for (bool isStatic : {true, false}) {
    for (BlockArgument argument : function.getArguments()) {
      auto type = dyn_cast<RankedTensorType>(argument.getType());
      auto names = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(),
                                                        "nn.dim_names");
      if (!type || !names || int64_t(names.size()) != type.getRank())
        continue;
      Dims own = ShapeEnv::getDims(argument);
      for (auto [index, attribute] : llvm::enumerate(names)) {
        auto name = dyn_cast<StringAttr>(attribute);
        if (name && isName(name) && type.isDynamicDim(index) != isStatic)
          named.try_emplace(name.getValue(), own[index]);
      }
    }
  }
  for (BlockArgument argument : function.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type)
      continue;
    Dims own = ShapeEnv::getDims(argument);
    auto names = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(),
                                                      "nn.dim_names");
    if (names && int64_t(names.size()) == type.getRank())
      for (auto [index, attribute] : llvm::enumerate(names))
        if (auto name = dyn_cast<StringAttr>(attribute);
            name && isName(name) && type.isDynamicDim(index))
          own[index] = named.lookup(name.getValue());
    dims[argument] = own;
  }
  for (Block &block : function.getBody())
    for (Operation &op : block)
      visit(&op);
}

//===----------------------------------------------------------------------===//
// Following
//===----------------------------------------------------------------------===//

void SymbolicDims::visit(Operation *op) {
  setCurrentNode(op->getLoc());
  if (auto fusion = dyn_cast<FusionOp>(op)) {
    visitFusion(fusion);
    return;
  }
  for (Region &region : op->getRegions())
    for (Block &block : region)
      for (Operation &inner : block)
        visit(&inner);
  if (auto fromElements = dyn_cast<tensor::FromElementsOp>(op)) {
    Dims scalars;
    for (Value element : fromElements.getElements())
      scalars.push_back(getScalar(element));
    recordContents(fromElements.getResult(), scalars);
    return;
  }
  if (auto cast = dyn_cast<tensor::CastOp>(op)) {
    if (isa<RankedTensorType>(cast.getSource().getType()) &&
        isa<RankedTensorType>(cast.getType()))
      record(cast.getResult(), {getDims(cast.getSource()), Type()});
    return;
  }
  if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
    Dims own = ShapeEnv::getDims(empty.getResult());
    unsigned next = 0;
    for (auto [index, size] : llvm::enumerate(empty.getType().getShape()))
      if (ShapedType::isDynamic(size))
        if (Dim scalar = getScalar(empty.getDynamicSizes()[next++]))
          own[index] = scalar;
    record(empty.getResult(), {own, Type()});
    return;
  }
  // What other dialects compute has the shape of the destination.
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(op)) {
    for (OpResult result : op->getResults())
      if (isa<RankedTensorType>(result.getType()))
        record(result,
               {getDims(destination.getTiedOpOperand(result)->get()), Type()});
    return;
  }
  auto shaped = dyn_cast<ShapeOpInterface>(op);
  if (!shaped)
    return;
  SmallVector<InferredTensor> results;
  if (succeeded(shaped.inferResultShapes(*this, results)))
    for (auto [value, inferred] : llvm::zip(op->getResults(), results))
      record(value, inferred);
  SmallVector<Contents> found;
  shaped.inferResultContents(*this, found);
  for (auto [value, elements] : llvm::zip(op->getResults(), found))
    recordContents(value, elements);
}

void SymbolicDims::visitFusion(FusionOp fusion) {
  Block &body = fusion.getBody().front();
  for (auto [argument, input] :
       llvm::zip(body.getArguments(), fusion.getInputs())) {
    dims[argument] = getDims(input);
    auto it = contents.find(input);
    if (it != contents.end()) {
      Dims elements = it->second;
      contents[argument] = elements;
    }
  }
  for (Operation &op : body.without_terminator())
    visit(&op);
  for (auto [result, yielded] :
       llvm::zip(fusion.getResults(), body.getTerminator()->getOperands())) {
    Dims known = getDims(yielded);
    dims[result] = known;
  }
}

void SymbolicDims::inherit(Value created, Value from) {
  Dims known = getDims(from);
  dims[created] = known;
  if (auto it = contents.find(from); it != contents.end()) {
    Dims elements = it->second;
    contents[created] = elements;
  }
}

void SymbolicDims::forget(Operation *op) {
  auto forgetValue = [&](Value value) {
    dims.erase(value);
    contents.erase(value);
    forgetSymbols(value);
  };
  op->walk([&](Operation *inner) {
    llvm::for_each(inner->getResults(), forgetValue);
    for (Region &region : inner->getRegions())
      for (Block &block : region)
        llvm::for_each(block.getArguments(), forgetValue);
  });
}

void SymbolicDims::record(Value value, const InferredTensor &inferred) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() != int64_t(inferred.dims.size()))
    return;
  Dims own = ShapeEnv::getDims(value);
  for (auto [index, dim] : llvm::enumerate(inferred.dims))
    if (type.isDynamicDim(index) && dim && !isFresh(dim))
      own[index] = simplify(dim);
  dims[value] = own;
}

void SymbolicDims::recordContents(Value value, const Contents &found) {
  if (!found)
    return;
  Dims known = *found;
  for (Dim &element : known)
    element = element && !isFresh(element) ? simplify(element) : Dim();
  if (Contents own = wrapContents(*this, value, known))
    contents[value] = *own;
}

/// An index or integer computed from dimensions and constants; null if not, or if it
/// may have wrapped.
Dim SymbolicDims::getScalar(Value scalar) {
  APInt bits;
  if (matchPattern(scalar, m_ConstantInt(&bits))) {
    std::optional<int64_t> value = readInteger(bits, scalar.getType());
    return value ? constant(*value) : Dim();
  }
  Operation *op = scalar.getDefiningOp();
  if (!op)
    return {};
  auto binary = [&](function_ref<Dim(Dim, Dim)> compute) -> Dim {
    Dim lhs = getScalar(op->getOperand(0)), rhs = getScalar(op->getOperand(1));
    return lhs && rhs ? compute(lhs, rhs) : Dim();
  };
  auto divide = [&](Dim lhs, Dim rhs, bool up) -> Dim {
    if (getConstant(rhs).value_or(0) <= 0)
      return {};
    return up ? lhs.ceilDiv(rhs) : lhs.floorDiv(rhs);
  };
  Dim value =
      llvm::TypeSwitch<Operation *, Dim>(op)
      .Case([&](tensor::DimOp dim) -> Dim {
        std::optional<int64_t> index = dim.getConstantIndex();
        if (!index || !isa<RankedTensorType>(dim.getSource().getType()))
          return {};
        return getDims(dim.getSource())[*index];
      })
      .Case([&](tensor::ExtractOp extract) -> Dim {
        Contents elements = getContents(extract.getTensor());
        if (!elements)
          return {};
        int64_t index = 0;
        if (!extract.getIndices().empty()) {
          std::optional<int64_t> known =
              getConstantIntValue(extract.getIndices()[0]);
          if (!known)
            return {};
          index = *known;
        }
        return index >= 0 && index < int64_t(elements->size())
                   ? (*elements)[index]
                   : Dim();
      })
      .Case<arith::IndexCastOp, arith::ExtSIOp>([&](auto cast) -> Dim {
        return cast.getIn().getType().isInteger(1) ? Dim() : getScalar(cast.getIn());
      })
      .Case<arith::IndexCastUIOp, arith::ExtUIOp>([&](auto cast) -> Dim {
        Dim value = getScalar(cast.getIn());
        return value && isNonNegative(value) ? value : Dim();
      })
      .Case([&](arith::AddIOp) { return binary([](Dim l, Dim r) { return l + r; }); })
      .Case([&](arith::SubIOp) { return binary([](Dim l, Dim r) { return l - r; }); })
      .Case([&](arith::MulIOp) { return binary([](Dim l, Dim r) { return l * r; }); })
      .Case([&](arith::MinSIOp) { return binary([&](Dim l, Dim r) { return min(l, r); }); })
      .Case([&](arith::MaxSIOp) { return binary([&](Dim l, Dim r) { return max(l, r); }); })
      .Case([&](arith::FloorDivSIOp) {
        return binary([&](Dim l, Dim r) { return divide(l, r, false); });
      })
      .Case([&](arith::CeilDivSIOp) {
        return binary([&](Dim l, Dim r) { return divide(l, r, true); });
      })
      .Case([&](arith::DivSIOp) {
        return binary([&](Dim l, Dim r) {
          return isNonNegative(l) ? divide(l, r, false) : Dim();
        });
      })
      .Default([](Operation *) { return Dim(); });
  return value && fits(*this, value, scalar.getType()) ? value : Dim();
}

//===----------------------------------------------------------------------===//
// Asking
//===----------------------------------------------------------------------===//

Dims SymbolicDims::getDims(Value tensor) {
  auto it = dims.find(tensor);
  return it != dims.end() ? it->second : ShapeEnv::getDims(tensor);
}

Contents SymbolicDims::getContents(Value tensor) {
  auto it = contents.find(tensor);
  return it != contents.end() ? Contents(it->second)
                              : ShapeEnv::getContents(tensor);
}

bool SymbolicDims::knowsContents(Value tensor) {
  Contents elements = getContents(tensor);
  if (!elements)
    return false;
  for (auto [index, element] : llvm::enumerate(*elements)) {
    auto symbol = dyn_cast<AffineSymbolExpr>(element);
    if (!symbol)
      continue;
    const Symbol &definition = getDefinition(symbol.getPosition());
    if (definition.kind == Symbol::Element && definition.tensor == tensor)
      return false;
  }
  return true;
}

Dim SymbolicDims::simplify(Dim dim) {
  unsigned count = 0;
  dim.walk([&](AffineExpr expr) {
    if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
      count = std::max(count, symbol.getPosition() + 1);
  });
  return simplifyAffineExpr(dim, /*numDims=*/0, count);
}

bool SymbolicDims::proveEqual(Dim lhs, Dim rhs) {
  return lhs == rhs || isConstant(lhs - rhs, 0);
}

bool SymbolicDims::isConstant(Dim dim, int64_t value) {
  if (std::optional<int64_t> known = getConstant(dim))
    return *known == value;
  return getConstant(simplify(dim)) == value;
}

bool SymbolicDims::haveSameShape(Value lhs, Value rhs) {
  Dims l = getDims(lhs), r = getDims(rhs);
  return l.size() == r.size() && llvm::all_of(llvm::zip(l, r), [&](auto pair) {
           return proveEqual(std::get<0>(pair), std::get<1>(pair));
         });
}

bool SymbolicDims::broadcastsTo(Value from, Value to) {
  Dims f = getDims(from), t = getDims(to);
  if (f.size() > t.size())
    return false;
  for (auto [have, want] : llvm::zip(llvm::reverse(f), llvm::reverse(t)))
    if (!isConstant(have, 1) && !proveEqual(have, want))
      return false;
  return true;
}

int64_t SymbolicDims::estimateSymbol(const Symbol &symbol, int64_t nominal) {
  switch (symbol.kind) {
  case Symbol::Dimension:
    return symbol.index == 0 ? 1 : nominal;
  case Symbol::Element:
  case Symbol::Fresh:
    return nominal;
  case Symbol::Select:
    return estimate(estimate(symbol.a, nominal) == symbol.index ? symbol.b : symbol.c,
                    nominal);
  case Symbol::Min:
    return std::min(estimate(symbol.a, nominal), estimate(symbol.b, nominal));
  case Symbol::Max:
    return std::max(estimate(symbol.a, nominal), estimate(symbol.b, nominal));
  }
  llvm_unreachable("unknown kind of symbol");
}

int64_t SymbolicDims::estimate(Dim dim, int64_t nominal) {
  if (std::optional<int64_t> value = getConstant(dim))
    return *value;
  if (auto symbol = dyn_cast<AffineSymbolExpr>(dim)) {
    auto [it, inserted] =
        estimates.try_emplace({symbol.getPosition(), nominal}, nominal);
    if (!inserted)
      return it->second;
    int64_t value = estimateSymbol(getDefinition(symbol.getPosition()), nominal);
    estimates[{symbol.getPosition(), nominal}] = value;
    return value;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(dim);
  if (!binary)
    return nominal;
  int64_t lhs = estimate(binary.getLHS(), nominal),
          rhs = estimate(binary.getRHS(), nominal);
  switch (dim.getKind()) {
  case AffineExprKind::Add:
    return lhs + rhs;
  case AffineExprKind::Mul:
    return lhs * rhs;
  case AffineExprKind::FloorDiv:
    return rhs ? llvm::divideFloorSigned(lhs, rhs) : 0;
  case AffineExprKind::CeilDiv:
    return rhs ? llvm::divideCeilSigned(lhs, rhs) : 0;
  case AffineExprKind::Mod:
    return rhs ? llvm::mod(lhs, std::abs(rhs)) : 0;
  default:
    return nominal;
  }
}

int64_t SymbolicDims::estimateElements(Value tensor, int64_t nominal) {
  int64_t count = 1;
  for (Dim dim : getDims(tensor))
    count *= std::max<int64_t>(estimate(dim, nominal), 1);
  return count;
}
