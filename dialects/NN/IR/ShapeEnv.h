//===- ShapeEnv.h - shapes as expressions over symbols ----------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Each nn operator has one shape function, written against ShapeEnv. Depending on what
// the environment knows about the operands, it is used for
//
//  - type inference: symbols stand for unknown dimensions, results that are not
//    constant become `?`;
//  - reification: symbols are dimensions of operands, and expressions over them
//    are expanded to arithmetic;
//  - the analysis of a function (nn/Analysis/SymbolicDims.h): operands' shapes
//    are expressions over the dimensions of the function's arguments, so that
//    equal expressions prove equal sizes.
//
//===----------------------------------------------------------------------===//

#ifndef NN_DIALECTS_NN_IR_SHAPEENV_H
#define NN_DIALECTS_NN_IR_SHAPEENV_H

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "llvm/ADT/DenseMap.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include <map>
#include <optional>
#include <tuple>

namespace mlir::nn {

/// A size: an expression over symbols (AffineExpr without dims), possibly
/// semi-affine (products and quotients of symbols).
using Dim = AffineExpr;
using Dims = SmallVector<Dim>;

/// The size, if it is a constant.
inline std::optional<int64_t> getConstant(Dim dim) {
  if (auto constant = dyn_cast<AffineConstantExpr>(dim))
    return constant.getValue();
  return std::nullopt;
}

/// A result, as inferred by a shape function.
struct InferredTensor {
  Dims dims;
  Type elementType;
};

/// The elements of a small integer tensor, in row-major order, if known.
using Contents = std::optional<Dims>;

/// Between which integers the value of an expression lies. A bound that is absent
/// is beyond 64 bits.
struct IntegerRange {
  std::optional<int64_t> low, high;
  /// True if the value depends on elements of tensors, which may be any number, not
  /// on sizes only.
  bool ofData = false;

  /// True if the value was computed from elements in 64 bits, and may have overflowed.
  bool mayOverflow() const { return ofData && (!low || !high); }
};

class ShapeEnv {
public:
  /// Errors are reported at `location`, or ignored if there is none.
  ShapeEnv(MLIRContext *context, std::optional<Location> location = {},
           StringRef opName = "")
      : context(context), location(location), opName(opName) {}
  virtual ~ShapeEnv() = default;

  MLIRContext *getContext() const { return context; }

  /// For an environment that is used for many operations: the location for errors of
  /// the following ones, and their name (which must stay alive).
  void setOperation(std::optional<Location> newLocation, StringRef newName) {
    location = newLocation;
    opName = newName;
  }

  //===--------------------------------------------------------------------===//
  // Asking
  //===--------------------------------------------------------------------===//

  /// The dimensions of a ranked tensor.
  virtual Dims getDims(Value tensor);
  /// The elements of an integer tensor of known, small size.
  /// Unknown elements are separate symbols; nullopt if the tensor is not of that kind.
  virtual Contents getContents(Value tensor);
  /// Like getContents, if all elements are constants.
  std::optional<SmallVector<int64_t>> getConstantContents(Value tensor);

  //===--------------------------------------------------------------------===//
  // Building expressions
  //===--------------------------------------------------------------------===//

  Dim constant(int64_t value) { return getAffineConstantExpr(value, context); }
  /// An unknown size.
  Dim fresh();
  /// `whenEqual` if `value == key`, else `otherwise`.
  Dim select(Dim value, int64_t key, Dim whenEqual, Dim otherwise);
  Dim min(Dim lhs, Dim rhs);
  Dim max(Dim lhs, Dim rhs);
  /// value clamped to [low, high].
  Dim clamp(Dim value, Dim low, Dim high) { return min(max(value, low), high); }
  /// numpy's broadcast of two sizes; null if they are constants that do not broadcast.
  Dim broadcast(Dim lhs, Dim rhs);
  /// The product; 1 for an empty list.
  Dim product(ArrayRef<Dim> dims);
  /// `numerators` / `denominators`, as products, with common factors removed;
  /// the division is known to leave no remainder.
  Dim exactQuotient(ArrayRef<Dim> numerators, ArrayRef<Dim> denominators);

  /// True if the expression is a constant other than `value`, or provably
  /// differs from it because it is a size (not negative) and `value` negative.
  bool isKnownNotEqual(Dim dim, int64_t value);
  /// True if no assignment of sizes makes the expression negative.
  bool isNonNegative(Dim dim);
  /// True if the expression depends on something fresh.
  bool isFresh(Dim dim);
  /// True if both sizes are certainly equal.
  virtual bool proveEqual(Dim lhs, Dim rhs) { return lhs == rhs; }
  /// The constant shape operand with which nn.reshape (without allow_zero) reshapes
  /// `source` to `target`: sizes, 0 for those that it copies, -1 for the remaining one.
  /// nullopt if there is no such operand.
  std::optional<SmallVector<int64_t>> getReshapeList(ArrayRef<Dim> source,
                                                     ArrayRef<Dim> target);

  //===--------------------------------------------------------------------===//
  // Using
  //===--------------------------------------------------------------------===//

  /// Reports that the operands do not fit the operator. Always returns failure.
  LogicalResult fail(const Twine &message);

  /// Emits the value (index type), or the constant, of an expression.
  /// Failure if it depends on something fresh.
  FailureOr<OpFoldResult> materialize(OpBuilder &builder, Location location,
                                      Dim dim);

  /// What a symbol stands for.
  struct Symbol {
    enum Kind { Dimension, Element, Fresh, Select, Min, Max } kind;
    Value tensor;      // Dimension, Element
    int64_t index = 0; // Dimension: which; Element: which; Select: the key
    Dim a, b, c;       // Select: value, whenEqual, otherwise; Min, Max: a, b
  };
  /// The symbol for dimension `index` of `tensor`, or for an element of it.
  Dim getSymbol(const Symbol &symbol);
  const Symbol &getDefinition(unsigned position) const {
    return symbols[position];
  }

protected:
  /// Dimensions and elements of another tensor at the same address are other symbols.
  void forgetSymbols(Value tensor);

private:
  MLIRContext *context;
  std::optional<Location> location;
  StringRef opName;
  SmallVector<Symbol> symbols;
  /// Whether each symbol depends on something fresh: computed when it is made, because
  /// definitions refer to each other many times.
  SmallVector<bool> freshSymbols;
  using Key = std::tuple<int, void *, int64_t, const void *, const void *,
                         const void *>;
  std::map<Key, unsigned> positions;

  friend class RangeFinder;
  /// What ShapeRanges.cpp has found, as definitions never change: of any sizes, and of
  /// dimensions that are taken to be small.
  mutable DenseMap<Dim, IntegerRange> ranges, smallRanges;
};

namespace shapes {

/// Common bodies of shape functions.
LogicalResult inferLike(ShapeEnv &env, Value input,
                        SmallVectorImpl<InferredTensor> &results);
LogicalResult inferPredicate(ShapeEnv &env, Value input,
                             SmallVectorImpl<InferredTensor> &results);
LogicalResult inferBroadcast(ShapeEnv &env, ValueRange operands,
                             SmallVectorImpl<InferredTensor> &results);
LogicalResult inferBroadcastLikeFirst(ShapeEnv &env, ValueRange operands,
                                      SmallVectorImpl<InferredTensor> &results);
LogicalResult
inferBroadcastPredicate(ShapeEnv &env, ValueRange operands,
                        SmallVectorImpl<InferredTensor> &results);
LogicalResult inferReduction(ShapeEnv &env, Value input, ArrayRef<int64_t> axes,
                             bool keepdims,
                             SmallVectorImpl<InferredTensor> &results);
/// The dimensions that verified axes name, counted from the front, in ascending order; all
/// if there are no axes.
SmallVector<int64_t> getReducedDims(ArrayRef<int64_t> axes, int64_t rank);
/// The broadcast of several shapes; failure (reported) if they do not.
FailureOr<Dims> broadcastDims(ShapeEnv &env, ValueRange tensors);

/// Verified axes, counted from the front.
inline int64_t normalizeAxis(int64_t axis, int64_t rank) {
  return axis < 0 ? axis + rank : axis;
}
SmallVector<int64_t> normalizeAxes(ArrayRef<int64_t> axes, int64_t rank);

/// `axis` counted from the front; failure (reported) unless -rank <= axis < rank.
FailureOr<int64_t> normalizeAxis(ShapeEnv &env, int64_t axis, int64_t rank);
FailureOr<SmallVector<int64_t>>
normalizeAxes(ShapeEnv &env, ArrayRef<int64_t> axes, int64_t rank);

/// InferTypeOpInterface::inferReturnTypes, implemented by a shape function.
LogicalResult inferTypes(
    MLIRContext *context, std::optional<Location> location, StringRef opName,
    SmallVectorImpl<Type> &types,
    function_ref<LogicalResult(ShapeEnv &, SmallVectorImpl<InferredTensor> &)>
        shapeFunction);
/// Types may be less or more static than inferred, but must be compatible.
bool areCompatible(TypeRange lhs, TypeRange rhs);
LogicalResult reifyShapes(Operation *op, OpBuilder &builder,
                          ReifiedRankedShapedTypeDims &dims);

} // namespace shapes
} // namespace mlir::nn

#endif // NN_DIALECTS_NN_IR_SHAPEENV_H
