//===- TensorEmitter.h - what the lowerings to linalg share -----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_CONVERSION_NNTOLINALG_TENSOREMITTER_H
#define NN_LIB_CONVERSION_NNTOLINALG_TENSOREMITTER_H

#include "dialects/NN/IR/NN.h"
#include "dialects/RT/IR/RT.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"
#include "nn/Analysis/SymbolicDims.h"
#include "nn/Conversion/ElementwiseToArith.h"

namespace mlir::nn {

using Size = OpFoldResult;
using Sizes = SmallVector<OpFoldResult>;
/// Computes an element from the elements of the operands.
using ElementBody = function_ref<Value(OpBuilder &, Location, ValueRange)>;

/// Emits tensor and linalg operations to replace one nn operator. Everything is in
/// destination-passing style: results start as tensor.empty, so that bufferization
/// finds a buffer and copies nothing. Unsigned elements are signless here.
class TensorEmitter {
public:
  TensorEmitter(PatternRewriter &rewriter, Operation *op, SymbolicDims &symbols)
      : rewriter(rewriter), location(op->getLoc()), op(op), symbols(symbols) {}

  PatternRewriter &rewriter;
  Location location;
  Operation *op;
  SymbolicDims &symbols;

  //===--------------------------------------------------------------------===//
  // Sizes: attributes where known, else index values
  //===--------------------------------------------------------------------===//

  Size size(int64_t value) { return rewriter.getIndexAttr(value); }
  Size getDim(Value tensor, int64_t index);
  Sizes getDims(Value tensor);
  /// The sizes of a result of the operator, from its shape function. Failure (reported)
  /// if they depend on data.
  FailureOr<Sizes> getResultDims(unsigned result = 0);
  Value asValue(Size size);
  Size add(Size lhs, Size rhs);
  Size sub(Size lhs, Size rhs);
  Size mul(Size lhs, Size rhs);
  /// Divides sizes that are not negative by a positive number.
  Size floorDiv(Size lhs, Size rhs);
  Size ceilDiv(Size lhs, Size rhs);
  Size min(Size lhs, Size rhs);
  Size max(Size lhs, Size rhs);
  Size product(ArrayRef<Size> sizes);
  /// Element `index` of a list of integers (rank 0 or 1), as a size.
  Size getEntry(Value list, int64_t index);
  static std::optional<int64_t> getConstant(Size size);

  //===--------------------------------------------------------------------===//
  // Checks at run time
  //===--------------------------------------------------------------------===//

  /// Ends the run with an error that names the ONNX node unless `condition` holds.
  void check(Value condition, const Twine &message);
  /// Checks that two sizes are equal, unless that is known.
  void checkEqual(Size lhs, Size rhs, const Twine &message);
  void checkSameDim(Value lhs, int64_t lhsDim, Value rhs, int64_t rhsDim,
                    const Twine &message);
  /// Checks that dimension `dim` of `lhs` is at most that of `rhs`.
  void checkDimAtMost(Value lhs, Value rhs, int64_t dim, const Twine &message);

  //===--------------------------------------------------------------------===//
  // Tensors
  //===--------------------------------------------------------------------===//

  /// The tensor with signless elements.
  Value signless(Value tensor);
  /// The signless element type of a tensor.
  static Type getElement(Value tensor) {
    return getSignlessType(getElementTypeOrSelf(tensor.getType()));
  }
  static int64_t getRank(Value tensor) {
    return cast<RankedTensorType>(tensor.getType()).getRank();
  }
  static bool isUnsigned(Value tensor) {
    return getElementTypeOrSelf(tensor.getType()).isUnsignedInteger();
  }
  Value empty(ArrayRef<Size> sizes, Type elementType);
  Value filled(ArrayRef<Size> sizes, Value scalar);
  Value filled(ArrayRef<Size> sizes, Type elementType, double value);
  Value scalar(Type type, double value) {
    return emitConstant(rewriter, location, type, value);
  }

  /// A tensor whose element at d0, d1, ... is `body` of the elements of `inputs` at the
  /// positions given by `maps` (one map per input, over the result's dimensions).
  Value map(ArrayRef<Size> sizes, Type elementType, ValueRange inputs,
            ArrayRef<AffineMap> maps, ElementBody body);
  /// The same, except that `body` gets the indices of the element instead.
  Value generate(ArrayRef<Size> sizes, Type elementType, ElementBody body);
  /// Folds `inputs` into `init`: the body's last argument is the value so far. The last
  /// map is that of `init`. Loops are in the order of the dimensions.
  Value reduce(Value init, ValueRange inputs, ArrayRef<AffineMap> maps,
               ArrayRef<utils::IteratorType> iterators, ElementBody body);
  /// Nested loops over all indices below `sizes`, the last innermost, which carry
  /// values that start as `init`: `body` gets the indices and the current values, and
  /// returns the next ones.
  using LoopBody = function_ref<SmallVector<Value>(OpBuilder &, Location,
                                                   ValueRange indices, ValueRange)>;
  SmallVector<Value> loops(ArrayRef<Size> sizes, ValueRange init, LoopBody body);
  /// A writable copy of the tensor.
  Value copyOf(Value tensor);
  /// An index (of any integer type) into a dimension of `size` where a negative one counts
  /// from the end. Whoever reads there has checked it: kernels cannot fail, and must never
  /// access memory outside a tensor.
  static Value countFromEnd(OpBuilder &b, Location l, Value index, Value size);
  /// The tensor with its elements converted like nn.cast.
  Value convert(Value tensor, Type elementType);

  /// A map from `rank` dims to those listed; -1 stands for index 0.
  AffineMap select(int64_t rank, ArrayRef<int64_t> dims);
  AffineMap identity(int64_t rank) {
    return rewriter.getMultiDimIdentityMap(rank);
  }
  AffineMap affineMap(int64_t rank, ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(rank, 0, exprs, rewriter.getContext());
  }

  /// How a dimension of an operand is indexed relative to the result's.
  enum class Access { Same, Zero, Unknown };
  /// For each dimension of `operand`, which broadcasts to `like`; the analysis must
  /// know both shapes.
  SmallVector<Access> getAccess(Value operand, ArrayRef<Dim> like);
  /// The map that reads `operand` (signless) for indices of `like`, over `rank`
  /// dimensions of which the first are those of `like`. If it is known only at run time whether
  /// a dimension is 1, `operand` is replaced by a tensor that is already
  /// broadcast.
  AffineMap broadcastMap(Value &operand, ArrayRef<Dim> like,
                         ArrayRef<Size> likeSizes);
  /// Checks at run time that dimensions with unknown access are 1 or equal to `sizes`.
  void checkBroadcast(Value operand, ArrayRef<Access> access,
                      ArrayRef<Size> sizes);

  /// The same elements with other sizes; the number of elements must agree. `from` and
  /// `to` are the two shapes in the analysis.
  Value reshape(Value tensor, ArrayRef<Size> sizes, ArrayRef<Dim> from,
                ArrayRef<Dim> to);
  /// Splits dimension `dim` into two.
  Value splitDim(Value tensor, int64_t dim, Size outer, Size inner);
  /// Collapses dimensions `dim` and `dim`+1.
  Value mergeDims(Value tensor, int64_t dim);
  /// Inserts unit dimensions at the positions `dims` of the result, or removes them.
  Value insertUnitDims(Value tensor, ArrayRef<int64_t> dims);
  Value dropUnitDims(Value tensor, ArrayRef<int64_t> dims);
  Value transpose(Value tensor, ArrayRef<int64_t> permutation);
  /// Pads the tensor with `value`.
  Value pad(Value tensor, ArrayRef<Size> low, ArrayRef<Size> high, Value value);
  Value extractSlice(Value tensor, ArrayRef<Size> offsets,
                     ArrayRef<Size> sizes, ArrayRef<Size> strides);
  /// Inserts `part` into `into` at `offsets`.
  Value insertSlice(Value part, Value into, ArrayRef<Size> offsets);
  Value castTo(Value tensor, RankedTensorType type);

  /// Calls a kernel of the runtime; `outputs` are what it writes to.
  SmallVector<Value> callRuntime(rt::RuntimeKernel kernel, ValueRange inputs,
                                 ValueRange outputs, ArrayRef<int64_t> parameters,
                                 DictionaryAttr custom = {});

  /// Replaces the operator, with casts to its static sizes and signedness.
  LogicalResult replace(ValueRange values);
};

/// The base class of this conversion's patterns.
template <typename OpTy> struct LinalgPattern : OpRewritePattern<OpTy> {
  LinalgPattern(MLIRContext *context, SymbolicDims &symbols)
      : OpRewritePattern<OpTy>(context), symbols(symbols) {}

  virtual LogicalResult lower(OpTy op, TensorEmitter &emitter) const = 0;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    TensorEmitter emitter(rewriter, op, symbols);
    return lower(op, emitter);
  }

  SymbolicDims &symbols;
};

using shapes::normalizeAxes;
using shapes::normalizeAxis;

/// The dimensions 0 ... rank-1 that are not in `axes`.
SmallVector<int64_t> getOtherDims(ArrayRef<int64_t> axes, int64_t rank);

// One function per family adds its patterns.
void populateElementwiseToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);
void populateContractionToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);
void populateConvToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);
void populateCustomToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);
void populatePoolToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);
void populateReductionToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);
void populateNormalizationToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);
void populateShapeToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);
void populateReshapeToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);
void populateResizeToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);
void populateIndexingToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);
void populateSamplingToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);
void populateSelectionToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);
void populateSignalToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);
void populateStringToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);
void populateQuantizationToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);
void populateRecurrentToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);
void populateConstantToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols);

} // namespace mlir::nn

#endif // NN_LIB_CONVERSION_NNTOLINALG_TENSOREMITTER_H
