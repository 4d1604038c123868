//===- ShapeEnv.cpp - shapes as expressions over symbols ------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/ShapeEnv.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "dialects/NN/IR/NN.h"
#include "dialects/NN/IR/ShapeRanges.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/AffineExprVisitor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/SetVector.h"
#include "nn/Support/Sizes.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::nn;

/// Larger integer tensors are data, not shapes.
static constexpr int64_t kMaxContents = 64;

//===----------------------------------------------------------------------===//
// Symbols
//===----------------------------------------------------------------------===//

Dim ShapeEnv::getSymbol(const Symbol &symbol) {
  Key key(symbol.kind, symbol.tensor.getAsOpaquePointer(), symbol.index,
          symbol.a.getAsOpaquePointer(), symbol.b.getAsOpaquePointer(),
          symbol.c.getAsOpaquePointer());
  auto [it, inserted] = positions.try_emplace(key, symbols.size());
  if (inserted) {
    symbols.push_back(symbol);
    bool isFreshSymbol = symbol.kind == Symbol::Fresh;
    for (Dim part : {symbol.a, symbol.b, symbol.c})
      isFreshSymbol |= part && isFresh(part);
    freshSymbols.push_back(isFreshSymbol);
  }
  return getAffineSymbolExpr(it->second, context);
}

void ShapeEnv::forgetSymbols(Value tensor) {
  void *address = tensor.getAsOpaquePointer();
  for (int kind : {Symbol::Dimension, Symbol::Element}) {
    auto it = positions.lower_bound(Key(kind, address, 0, nullptr, nullptr, nullptr));
    while (it != positions.end() && std::get<0>(it->first) == kind &&
           std::get<1>(it->first) == address)
      it = positions.erase(it);
  }
}

Dims ShapeEnv::getDims(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  Dims dims;
  for (auto [index, size] : llvm::enumerate(type.getShape()))
    dims.push_back(ShapedType::isDynamic(size)
                       ? getSymbol({Symbol::Dimension, tensor, int64_t(index), {}, {}, {}})
                       : constant(size));
  return dims;
}

/// 4-bit and 2-bit integers are not sizes, and their type changes later
/// (nn-store-small-types).
static bool mayBeSize(Type type) {
  return type.isIndex() || type.isInteger(1) ||
         (isa<IntegerType>(type) && type.getIntOrFloatBitWidth() >= 8);
}

Contents ShapeEnv::getContents(Value tensor) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type || !type.hasStaticShape() ||
      type.getNumElements() > kMaxContents || !mayBeSize(type.getElementType()))
    return std::nullopt;
  // The elements, if they are constants.
  SmallVector<std::optional<int64_t>> known(type.getNumElements());
  DenseIntElementsAttr elements;
  if (matchPattern(tensor, m_Constant(&elements))) {
    for (auto [number, bits] : llvm::zip_equal(known, elements))
      number = readInteger(bits, type.getElementType());
  } else if (auto fromElements = tensor.getDefiningOp<tensor::FromElementsOp>()) {
    APInt bits;
    for (auto [number, element] : llvm::zip_equal(known, fromElements.getElements()))
      if (matchPattern(element, m_ConstantInt(&bits)))
        number = readInteger(bits, type.getElementType());
  }
  Dims contents;
  for (auto [index, number] : llvm::enumerate(known))
    contents.push_back(number ? constant(*number)
                              : getSymbol({Symbol::Element, tensor, int64_t(index),
                                           {}, {}, {}}));
  return contents;
}

std::optional<SmallVector<int64_t>>
ShapeEnv::getConstantContents(Value tensor) {
  Contents contents = getContents(tensor);
  if (!contents)
    return std::nullopt;
  SmallVector<int64_t> values;
  for (Dim element : *contents) {
    std::optional<int64_t> value = getConstant(element);
    if (!value)
      return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

Dim ShapeEnv::fresh() {
  Symbol symbol{Symbol::Fresh, {}, int64_t(symbols.size()), {}, {}, {}};
  return getSymbol(symbol);
}

Dim ShapeEnv::select(Dim value, int64_t key, Dim whenEqual, Dim otherwise) {
  if (std::optional<int64_t> known = getConstant(value))
    return *known == key ? whenEqual : otherwise;
  if (whenEqual == otherwise || isKnownNotEqual(value, key))
    return otherwise;
  return getSymbol({Symbol::Select, {}, key, value, whenEqual, otherwise});
}

Dim ShapeEnv::min(Dim lhs, Dim rhs) {
  if (isNotLess(*this, lhs, rhs))
    return rhs;
  if (isNotLess(*this, rhs, lhs))
    return lhs;
  return getSymbol({Symbol::Min, {}, 0, lhs, rhs, {}});
}

Dim ShapeEnv::max(Dim lhs, Dim rhs) {
  if (isNotLess(*this, lhs, rhs))
    return lhs;
  if (isNotLess(*this, rhs, lhs))
    return rhs;
  return getSymbol({Symbol::Max, {}, 0, lhs, rhs, {}});
}

Dim ShapeEnv::broadcast(Dim lhs, Dim rhs) {
  if (lhs == rhs)
    return lhs;
  std::optional<int64_t> l = getConstant(lhs), r = getConstant(rhs);
  if (l && r && *l != 1 && *r != 1)
    return {};
  if (l)
    return *l == 1 ? rhs : lhs;
  if (r)
    return *r == 1 ? lhs : rhs;
  return select(lhs, 1, rhs, lhs);
}

Dim ShapeEnv::product(ArrayRef<Dim> dims) {
  Dim result = constant(1);
  for (Dim dim : dims)
    result = result * dim;
  return result;
}

/// Splits products into factors; constants are multiplied into `coefficient`.
static void collectFactors(Dim dim, int64_t &coefficient,
                           SmallVectorImpl<Dim> &factors) {
  if (std::optional<int64_t> value = getConstant(dim)) {
    // A product that overflows stays a list of factors.
    int64_t product;
    if (llvm::MulOverflow(coefficient, *value, product))
      factors.push_back(dim);
    else
      coefficient = product;
    return;
  }
  if (dim.getKind() == AffineExprKind::Mul) {
    auto product = cast<AffineBinaryOpExpr>(dim);
    collectFactors(product.getLHS(), coefficient, factors);
    collectFactors(product.getRHS(), coefficient, factors);
    return;
  }
  factors.push_back(dim);
}

Dim ShapeEnv::exactQuotient(ArrayRef<Dim> numerators,
                            ArrayRef<Dim> denominators) {
  int64_t above = 1, below = 1;
  SmallVector<Dim> aboveFactors, belowFactors;
  for (Dim dim : numerators)
    collectFactors(dim, above, aboveFactors);
  for (Dim dim : denominators)
    collectFactors(dim, below, belowFactors);
  SmallVector<Dim> rest;
  for (Dim factor : belowFactors) {
    auto *it = llvm::find(aboveFactors, factor);
    if (it != aboveFactors.end())
      aboveFactors.erase(it);
    else
      rest.push_back(factor);
  }
  if (below == 0) // An empty tensor: any size fits.
    return constant(0);
  if (above % below == 0) {
    above /= below;
    below = 1;
  }
  Dim numerator = product(aboveFactors) * above;
  Dim denominator = product(rest) * below;
  std::optional<int64_t> divisor = getConstant(denominator);
  return divisor == 1 ? numerator : numerator.floorDiv(denominator);
}

bool ShapeEnv::isFresh(Dim dim) {
  return dim
      .walk([&](AffineExpr expr) {
        auto symbol = dyn_cast<AffineSymbolExpr>(expr);
        return symbol && freshSymbols[symbol.getPosition()]
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

std::optional<SmallVector<int64_t>>
ShapeEnv::getReshapeList(ArrayRef<Dim> source, ArrayRef<Dim> target) {
  SmallVector<int64_t> list;
  bool remains = false;
  for (auto [index, dim] : llvm::enumerate(target)) {
    if (std::optional<int64_t> known = getConstant(dim)) {
      if (*known <= 0)
        return std::nullopt;
      list.push_back(*known);
    } else if (index < source.size() && proveEqual(source[index], dim)) {
      list.push_back(0);
    } else if (!remains) {
      remains = true;
      list.push_back(-1);
    } else {
      return std::nullopt;
    }
  }
  return list;
}

//===----------------------------------------------------------------------===//
// Errors and code
//===----------------------------------------------------------------------===//

LogicalResult ShapeEnv::fail(const Twine &message) {
  if (!location)
    return failure();
  return emitError(*location) << "'" << opName << "' op " << message;
}

namespace {

/// Emits expressions at one insertion point: each symbol and each subexpression once,
/// however often it is used. Nested definitions are followed without recursion.
class Materializer {
public:
  Materializer(ShapeEnv &env, OpBuilder &builder, Location location)
      : env(env), builder(builder), location(location) {}

  FailureOr<OpFoldResult> emit(Dim dim) {
    dim = guardDivisors(dim);
    SmallVector<unsigned> pending = getSymbols(dim);
    std::reverse(pending.begin(), pending.end());
    while (!pending.empty()) {
      unsigned position = pending.back();
      if (values.contains(position)) {
        pending.pop_back();
        continue;
      }
      size_t before = pending.size();
      Parts parts = getParts(position);
      for (Dim part : llvm::reverse(parts)) {
        SmallVector<unsigned> used = part ? getSymbols(part) : SmallVector<unsigned>();
        for (unsigned symbol : llvm::reverse(used))
          if (!values.contains(symbol))
            pending.push_back(symbol);
      }
      if (pending.size() != before)
        continue;
      pending.pop_back();
      Value value = emitSymbol(env.getDefinition(position), parts);
      if (!value)
        return failure();
      values[position] = value;
    }
    return expand(dim);
  }

private:
  using Symbol = ShapeEnv::Symbol;
  using Parts = std::array<Dim, 3>;

  /// A divisor may be 0 at run time, if tensors are empty, and must not trap.
  Dim guardDivisors(Dim dim) {
    auto binary = dyn_cast<AffineBinaryOpExpr>(dim);
    if (!binary)
      return dim;
    if (Dim known = guarded.lookup(dim))
      return known;
    Dim lhs = guardDivisors(binary.getLHS());
    Dim rhs = guardDivisors(binary.getRHS());
    bool divides = dim.getKind() == AffineExprKind::FloorDiv ||
                   dim.getKind() == AffineExprKind::CeilDiv ||
                   dim.getKind() == AffineExprKind::Mod;
    if (divides && !getConstant(rhs))
      rhs = env.max(rhs, env.constant(1));
    return guarded[dim] = getAffineBinaryOpExpr(dim.getKind(), lhs, rhs);
  }

  /// The expressions that define the symbol.
  Parts getParts(unsigned position) {
    Symbol symbol = env.getDefinition(position);
    Parts parts = {symbol.a, symbol.b, symbol.c};
    for (Dim &part : parts)
      if (part)
        part = guardDivisors(part);
    return parts;
  }

  /// The symbols of an expression, in order of occurrence.
  SmallVector<unsigned> getSymbols(Dim dim) {
    llvm::SetVector<unsigned> found;
    llvm::DenseSet<Dim> seen;
    SmallVector<Dim> stack{dim};
    while (!stack.empty()) {
      Dim expr = stack.pop_back_val();
      if (auto symbol = dyn_cast<AffineSymbolExpr>(expr)) {
        found.insert(symbol.getPosition());
      } else if (auto binary = dyn_cast<AffineBinaryOpExpr>(expr)) {
        if (seen.insert(expr).second)
          stack.append({binary.getRHS(), binary.getLHS()});
      }
    }
    return found.takeVector();
  }

  FailureOr<OpFoldResult> expand(Dim dim) {
    if (std::optional<int64_t> value = getConstant(dim))
      return OpFoldResult(builder.getIndexAttr(*value));
    // Symbols that the expression does not use are null and never accessed.
    SmallVector<Value> operands;
    for (unsigned position : getSymbols(dim)) {
      if (operands.size() <= position)
        operands.resize(position + 1);
      operands[position] = values.lookup(position);
    }
    Value result = affine::expandAffineExpr(builder, location, dim, {}, operands);
    if (!result)
      return failure();
    return OpFoldResult(result);
  }

  /// The value of a symbol, if the symbols in its definition have values; else null.
  Value emitSymbol(const Symbol &symbol, const Parts &parts) {
    SmallVector<Value> operands;
    for (Dim part : parts) {
      if (!part)
        continue;
      FailureOr<OpFoldResult> value = expand(part);
      if (failed(value))
        return {};
      operands.push_back(getValueOrCreateConstantIndexOp(builder, location, *value));
    }
    switch (symbol.kind) {
    case Symbol::Fresh:
      return {};
    case Symbol::Dimension:
      return builder.createOrFold<tensor::DimOp>(location, symbol.tensor, symbol.index);
    case Symbol::Element:
      return emitElement(symbol);
    case Symbol::Select: {
      Value key = arith::ConstantIndexOp::create(builder, location, symbol.index);
      Value equal = arith::CmpIOp::create(builder, location, arith::CmpIPredicate::eq,
                                          operands[0], key);
      return arith::SelectOp::create(builder, location, equal, operands[1], operands[2]);
    }
    case Symbol::Min:
      return arith::MinSIOp::create(builder, location, operands[0], operands[1]);
    case Symbol::Max:
      return arith::MaxSIOp::create(builder, location, operands[0], operands[1]);
    }
    llvm_unreachable("unknown kind of symbol");
  }

  Value emitElement(const Symbol &symbol) {
    // Sizes are computed in arith, which has no unsigned types.
    if (!getElementTypeOrSelf(symbol.tensor.getType()).isSignlessIntOrIndex())
      return {};
    ArrayRef<int64_t> shape = cast<RankedTensorType>(symbol.tensor.getType()).getShape();
    SmallVector<Value> indices;
    for (int64_t index : delinearize(symbol.index, computeStrides(shape)))
      indices.push_back(arith::ConstantIndexOp::create(builder, location, index));
    Value value = tensor::ExtractOp::create(builder, location, symbol.tensor, indices);
    if (value.getType().isInteger(1))
      return arith::IndexCastUIOp::create(builder, location, builder.getIndexType(), value);
    if (!value.getType().isIndex())
      return arith::IndexCastOp::create(builder, location, builder.getIndexType(), value);
    return value;
  }

  ShapeEnv &env;
  OpBuilder &builder;
  Location location;
  DenseMap<Dim, Dim> guarded;
  DenseMap<unsigned, Value> values;
};

} // namespace

FailureOr<OpFoldResult> ShapeEnv::materialize(OpBuilder &builder,
                                              Location location, Dim dim) {
  return Materializer(*this, builder, location).emit(dim);
}

//===----------------------------------------------------------------------===//
// Common bodies of shape functions
//===----------------------------------------------------------------------===//

LogicalResult shapes::inferLike(ShapeEnv &env, Value input,
                                SmallVectorImpl<InferredTensor> &results) {
  results.push_back({env.getDims(input), getElementTypeOrSelf(input)});
  return success();
}

LogicalResult shapes::inferPredicate(ShapeEnv &env, Value input,
                                     SmallVectorImpl<InferredTensor> &results) {
  results.push_back(
      {env.getDims(input), IntegerType::get(env.getContext(), 1)});
  return success();
}

FailureOr<Dims> shapes::broadcastDims(ShapeEnv &env, ValueRange tensors) {
  Dims result;
  for (Value tensor : tensors) {
    Dims dims = env.getDims(tensor);
    if (dims.size() > result.size())
      result.insert(result.begin(), dims.size() - result.size(),
                    env.constant(1));
    size_t offset = result.size() - dims.size();
    for (auto [index, dim] : llvm::enumerate(dims)) {
      Dim both = env.broadcast(result[offset + index], dim);
      if (!both) {
        return env.fail("operands do not broadcast: dimension " +
                        Twine(int64_t(index) - int64_t(dims.size())) +
                        " is " +
                        Twine(cast<AffineConstantExpr>(result[offset + index])
                                  .getValue()) +
                        " and " +
                        Twine(cast<AffineConstantExpr>(dim).getValue()));
      }
      result[offset + index] = both;
    }
  }
  return result;
}

/// Operands with the same element type, broadcast.
static LogicalResult inferBroadcastTo(ShapeEnv &env, ValueRange operands,
                                      bool sameType, Type resultType,
                                      SmallVectorImpl<InferredTensor> &results) {
  for (Value operand : operands)
    if (sameType &&
        getElementTypeOrSelf(operand) != getElementTypeOrSelf(operands[0]))
      return env.fail("operands have different element types");
  FailureOr<Dims> dims = shapes::broadcastDims(env, operands);
  if (failed(dims))
    return failure();
  results.push_back({*dims, resultType});
  return success();
}

LogicalResult shapes::inferBroadcast(ShapeEnv &env, ValueRange operands,
                                     SmallVectorImpl<InferredTensor> &results) {
  return inferBroadcastTo(env, operands, /*sameType=*/true,
                          getElementTypeOrSelf(operands[0]), results);
}

LogicalResult
shapes::inferBroadcastLikeFirst(ShapeEnv &env, ValueRange operands,
                                SmallVectorImpl<InferredTensor> &results) {
  return inferBroadcastTo(env, operands, /*sameType=*/false,
                          getElementTypeOrSelf(operands[0]), results);
}

LogicalResult
shapes::inferBroadcastPredicate(ShapeEnv &env, ValueRange operands,
                                SmallVectorImpl<InferredTensor> &results) {
  return inferBroadcastTo(env, operands, /*sameType=*/true,
                          IntegerType::get(env.getContext(), 1), results);
}

FailureOr<int64_t> shapes::normalizeAxis(ShapeEnv &env, int64_t axis,
                                         int64_t rank) {
  if (axis < -rank || axis >= rank)
    return env.fail("axis " + Twine(axis) + " is not in [" + Twine(-rank) +
                    ", " + Twine(rank) + ")");
  return normalizeAxis(axis, rank);
}

FailureOr<SmallVector<int64_t>>
shapes::normalizeAxes(ShapeEnv &env, ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<int64_t> result;
  for (int64_t axis : axes) {
    FailureOr<int64_t> normalized = normalizeAxis(env, axis, rank);
    if (failed(normalized))
      return failure();
    if (llvm::is_contained(result, *normalized))
      return env.fail("axis " + Twine(axis) + " is given twice");
    result.push_back(*normalized);
  }
  return result;
}

SmallVector<int64_t> shapes::normalizeAxes(ArrayRef<int64_t> axes, int64_t rank) {
  return llvm::map_to_vector(axes,
                             [&](int64_t axis) { return normalizeAxis(axis, rank); });
}

SmallVector<int64_t> shapes::getReducedDims(ArrayRef<int64_t> axes, int64_t rank) {
  if (axes.empty())
    return llvm::to_vector(llvm::seq<int64_t>(0, rank));
  SmallVector<int64_t> dims = normalizeAxes(axes, rank);
  llvm::sort(dims);
  return dims;
}

LogicalResult shapes::inferReduction(ShapeEnv &env, Value input,
                                     ArrayRef<int64_t> axes, bool keepdims,
                                     SmallVectorImpl<InferredTensor> &results) {
  Dims dims = env.getDims(input);
  FailureOr<SmallVector<int64_t>> normalized =
      normalizeAxes(env, axes, dims.size());
  if (failed(normalized))
    return failure();
  Dims reduced;
  for (auto [index, dim] : llvm::enumerate(dims)) {
    if (!axes.empty() && !llvm::is_contained(*normalized, int64_t(index)))
      reduced.push_back(dim);
    else if (keepdims)
      reduced.push_back(env.constant(1));
  }
  results.push_back({reduced, getElementTypeOrSelf(input)});
  return success();
}

//===----------------------------------------------------------------------===//
// Interfaces by shape functions
//===----------------------------------------------------------------------===//

LogicalResult shapes::inferTypes(
    MLIRContext *context, std::optional<Location> location, StringRef opName,
    SmallVectorImpl<Type> &types,
    function_ref<LogicalResult(ShapeEnv &, SmallVectorImpl<InferredTensor> &)>
        shapeFunction) {
  ShapeEnv env(context, location, opName);
  SmallVector<InferredTensor> results;
  if (failed(shapeFunction(env, results)))
    return failure();
  for (const InferredTensor &result : results) {
    SmallVector<int64_t> shape;
    for (Dim dim : result.dims) {
      int64_t size = getConstant(dim).value_or(ShapedType::kDynamic);
      if (size < 0 && !ShapedType::isDynamic(size))
        return env.fail("result dimension " + Twine(shape.size()) +
                        " would be negative (" + Twine(size) + ")");
      shape.push_back(size);
    }
    if (!isReasonableShape(shape))
      return env.fail("result would have more than 2^40 elements");
    types.push_back(RankedTensorType::get(shape, result.elementType));
  }
  return success();
}

bool shapes::areCompatible(TypeRange lhs, TypeRange rhs) {
  if (lhs.size() != rhs.size())
    return false;
  return llvm::all_of(llvm::zip(lhs, rhs), [](auto pair) {
    auto l = dyn_cast<RankedTensorType>(std::get<0>(pair));
    auto r = dyn_cast<RankedTensorType>(std::get<1>(pair));
    return l && r && l.getElementType() == r.getElementType() &&
           succeeded(verifyCompatibleShape(l, r));
  });
}

LogicalResult shapes::reifyShapes(Operation *op, OpBuilder &builder,
                                  ReifiedRankedShapedTypeDims &dims) {
  ShapeEnv env(op->getContext(), op->getLoc(), op->getName().getStringRef());
  SmallVector<InferredTensor> results;
  if (failed(cast<ShapeOpInterface>(op).inferResultShapes(env, results)))
    return failure();
  for (auto [result, value] : llvm::zip(results, op->getResults())) {
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<OpFoldResult> sizes;
    for (auto [index, dim] : llvm::enumerate(result.dims)) {
      // The type may be more static than the shape function's result.
      if (!type.isDynamicDim(index)) {
        sizes.push_back(builder.getIndexAttr(type.getDimSize(index)));
        continue;
      }
      FailureOr<OpFoldResult> size = env.materialize(builder, op->getLoc(), dim);
      if (failed(size))
        return failure();
      sizes.push_back(*size);
    }
    dims.push_back(std::move(sizes));
  }
  return success();
}
