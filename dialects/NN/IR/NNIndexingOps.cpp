//===- NNIndexingOps.cpp - operators that pick elements by index -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::nn;

LogicalResult GatherOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                    SmallVectorImpl<InferredTensor> &results) {
  Dims input = env.getDims(adaptor.getInput());
  Dims indices = env.getDims(adaptor.getIndices());
  FailureOr<int64_t> axis =
      shapes::normalizeAxis(env, adaptor.getAxis(), input.size());
  if (failed(axis))
    return failure();
  Dims dims(input.begin(), input.begin() + *axis);
  dims.append(indices);
  dims.append(input.begin() + *axis + 1, input.end());
  results.push_back(
      {dims, cast<ShapedType>(adaptor.getInput().getType()).getElementType()});
  return success();
}

void GatherOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                             SmallVectorImpl<Contents> &results) {
  if (cast<RankedTensorType>(adaptor.getInput().getType()).getRank() != 1 ||
      cast<RankedTensorType>(adaptor.getIndices().getType()).getRank() > 1)
    return;
  Contents input = env.getContents(adaptor.getInput());
  auto indices = env.getConstantContents(adaptor.getIndices());
  if (!input || !indices)
    return;
  Dims contents;
  for (int64_t index : *indices) {
    int64_t size = input->size();
    if (index < -size || index >= size)
      return;
    contents.push_back((*input)[index < 0 ? index + size : index]);
  }
  results.push_back(std::move(contents));
}

//===----------------------------------------------------------------------===//
// GatherElements, GatherND
//===----------------------------------------------------------------------===//

static RankedTensorType getTensorType(Value tensor) {
  return cast<RankedTensorType>(tensor.getType());
}

LogicalResult
GatherElementsOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                              SmallVectorImpl<InferredTensor> &results) {
  // gather_elements_c1
  int64_t rank = getTensorType(adaptor.getInput()).getRank();
  if (failed(shapes::normalizeAxis(env, adaptor.getAxis(), rank)))
    return failure();
  Dims dims = env.getDims(adaptor.getIndices());
  if (int64_t(dims.size()) != rank)
    return env.fail("indices have rank " + Twine(dims.size()) +
                    ", the input has rank " + Twine(rank));
  results.push_back({dims, getTensorType(adaptor.getInput()).getElementType()});
  return success();
}

LogicalResult GatherNDOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                      SmallVectorImpl<InferredTensor> &results) {
  Dims input = env.getDims(adaptor.getInput());
  Dims indices = env.getDims(adaptor.getIndices());
  int64_t batch = adaptor.getBatchDims();
  // gather_nd_c1
  if (indices.empty() || batch < 0 || batch >= int64_t(indices.size()))
    return env.fail("batch_dims must be less than the rank of indices");
  std::optional<int64_t> tuple = getConstant(indices.back());
  if (!tuple)
    return env.fail("the last dimension of indices must be known at compile time");
  if (*tuple < 1 || batch + *tuple > int64_t(input.size()))
    return env.fail("tuples of " + Twine(*tuple) + " indices and " + Twine(batch) +
                    " batch dimensions do not fit an input of rank " +
                    Twine(input.size()));
  Dims dims(indices.begin(), indices.end() - 1);
  dims.append(input.begin() + batch + *tuple, input.end());
  results.push_back({dims, getTensorType(adaptor.getInput()).getElementType()});
  return success();
}

//===----------------------------------------------------------------------===//
// Scatter
//===----------------------------------------------------------------------===//

template <typename OpTy> static LogicalResult verifyScatter(OpTy op) {
  // scatter_elements_c2, scatter_nd_c2
  if (!llvm::is_contained({"none", "add", "mul", "max", "min"}, op.getReduction()))
    return op.emitOpError("reduction is '")
           << op.getReduction() << "', not one of none, add, mul, max, min";
  if (op.getReduction() != "none" && isa<StringType>(getTensorType(op.getInput()).getElementType()))
    return op.emitOpError("reduction combines numbers, but got strings");
  if (getTensorType(op.getUpdates()).getElementType() !=
      getTensorType(op.getInput()).getElementType())
    return op.emitOpError("updates must have the input's element type");
  return success();
}

LogicalResult ScatterElementsOp::verify() {
  // scatter_elements_c1
  int64_t rank = getTensorType(getInput()).getRank();
  if (int64_t(getAxis()) < -rank || int64_t(getAxis()) >= rank)
    return emitOpError("axis ") << int64_t(getAxis()) << " is not in [" << -rank
                                << ", " << rank << ")";
  if (getTensorType(getIndices()).getRank() != rank ||
      getTensorType(getUpdates()).getRank() != rank)
    return emitOpError("input, indices and updates must have one rank");
  return verifyScatter(*this);
}

LogicalResult ScatterNDOp::verify() {
  // scatter_nd_c1
  RankedTensorType input = getTensorType(getInput()), indices = getTensorType(getIndices());
  if (indices.getRank() < 1 || indices.isDynamicDim(indices.getRank() - 1))
    return emitOpError("the last dimension of indices must be known");
  int64_t tuple = indices.getShape().back();
  if (tuple < 0 || tuple > input.getRank())
    return emitOpError("tuples of ")
           << tuple << " indices do not fit an input of rank " << input.getRank();
  int64_t rank = indices.getRank() - 1 + input.getRank() - tuple;
  if (getTensorType(getUpdates()).getRank() != rank)
    return emitOpError("updates must have rank ")
           << rank << ", not " << getTensorType(getUpdates()).getRank();
  return verifyScatter(*this);
}

//===----------------------------------------------------------------------===//
// Range
//===----------------------------------------------------------------------===//

/// A float constant of one element.
static std::optional<double> getFloat(Value scalar) {
  DenseFPElementsAttr elements;
  if (!matchPattern(scalar, m_Constant(&elements)) || elements.getNumElements() != 1)
    return std::nullopt;
  APFloat value = *elements.value_begin<APFloat>();
  bool losesInfo;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
  return value.convertToDouble();
}

LogicalResult RangeOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                   SmallVectorImpl<InferredTensor> &results) {
  Type type = getTensorType(adaptor.getStart()).getElementType();
  // range_c1
  for (Value operand : adaptor.getOperands())
    if (getTensorType(operand).getRank() != 0 || getTensorType(operand).getElementType() != type)
      return env.fail("start, limit and delta must have rank 0 and one element type");
  Dim count;
  if (isa<FloatType>(type)) {
    auto start = getFloat(adaptor.getStart()), limit = getFloat(adaptor.getLimit()),
         delta = getFloat(adaptor.getDelta());
    if (start && limit && delta && *delta != 0)
      count = env.constant(
          std::max<int64_t>(0, std::ceil((*limit - *start) / *delta)));
  } else {
    Contents start = env.getContents(adaptor.getStart());
    Contents limit = env.getContents(adaptor.getLimit());
    Contents delta = env.getContents(adaptor.getDelta());
    std::optional<int64_t> step =
        delta ? getConstant(delta->front()) : std::nullopt;
    if (start && limit && step && *step != 0) {
      Dim distance = *step > 0 ? limit->front() - start->front()
                               : start->front() - limit->front();
      count = env.max(distance.ceilDiv(std::abs(*step)), env.constant(0));
    }
  }
  results.push_back({{count ? count : env.fresh()}, type});
  return success();
}

void RangeOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                            SmallVectorImpl<Contents> &results) {
  Contents start = env.getContents(adaptor.getStart());
  Contents limit = env.getContents(adaptor.getLimit());
  Contents delta = env.getContents(adaptor.getDelta());
  if (!start || !limit || !delta)
    return;
  auto first = getConstant(start->front()), end = getConstant(limit->front()),
       step = getConstant(delta->front());
  if (!first || !end || !step || *step == 0)
    return;
  Dims contents;
  constexpr size_t longest = 64; // of shapes
  for (int64_t value = *first; *step > 0 ? value < *end : value > *end;) {
    if (contents.size() == longest)
      return;
    contents.push_back(env.constant(value));
    if (llvm::AddOverflow(value, *step, value))
      break;
  }
  results.push_back(std::move(contents));
}

//===----------------------------------------------------------------------===//
// Search and selection
//===----------------------------------------------------------------------===//

LogicalResult TopKOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                  SmallVectorImpl<InferredTensor> &results) {
  Dims dims = env.getDims(adaptor.getInput());
  // topk_c1
  FailureOr<int64_t> axis =
      shapes::normalizeAxis(env, adaptor.getAxis(), dims.size());
  if (failed(axis))
    return failure();
  Contents k = env.getContents(adaptor.getK());
  if (!k || k->size() != 1)
    return env.fail("k must have one element");
  std::optional<int64_t> count = getConstant(k->front()),
                         size = getConstant(dims[*axis]);
  if (count && (*count < 0 || (size && *count > *size)))
    return env.fail("k is " + Twine(*count) + ", which is not a number of elements of "
                    "dimension " + Twine(*axis));
  dims[*axis] = k->front();
  results.push_back({dims, getTensorType(adaptor.getInput()).getElementType()});
  results.push_back({dims, IntegerType::get(env.getContext(), 64)});
  return success();
}

LogicalResult NonZeroOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                     SmallVectorImpl<InferredTensor> &results) {
  int64_t rank = getTensorType(adaptor.getInput()).getRank();
  results.push_back({{env.constant(rank), env.fresh()},
                     IntegerType::get(env.getContext(), 64)});
  return success();
}

LogicalResult UniqueOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                    SmallVectorImpl<InferredTensor> &results) {
  Dims dims = env.getDims(adaptor.getInput());
  Dim size = env.product(dims), count = env.fresh();
  Dims values{count};
  if (adaptor.getAxis()) {
    // unique_c1
    FailureOr<int64_t> axis =
        shapes::normalizeAxis(env, *adaptor.getAxis(), dims.size());
    if (failed(axis))
      return failure();
    size = dims[*axis];
    values = dims;
    values[*axis] = count;
  }
  Type i64 = IntegerType::get(env.getContext(), 64);
  results.push_back({values, getTensorType(adaptor.getInput()).getElementType()});
  results.push_back({{count}, i64});
  results.push_back({{size}, i64});
  results.push_back({{count}, i64});
  return success();
}

LogicalResult
NonMaxSuppressionOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                 SmallVectorImpl<InferredTensor> &results) {
  // non_max_suppression_c1
  if (getTensorType(adaptor.getBoxes()).getRank() != 3 ||
      getTensorType(adaptor.getScores()).getRank() != 3)
    return env.fail("boxes and scores must have rank 3");
  for (Value scalar : {adaptor.getMaxBoxes(), adaptor.getIouThreshold(),
                       adaptor.getScoreThreshold()})
    if (scalar && getTensorType(scalar).hasStaticShape() &&
        getTensorType(scalar).getNumElements() != 1)
      return env.fail("max_boxes and thresholds must have one element");
  results.push_back({{env.fresh(), env.constant(3)},
                     IntegerType::get(env.getContext(), 64)});
  return success();
}

//===----------------------------------------------------------------------===//
// Sampling
//===----------------------------------------------------------------------===//

LogicalResult GridSampleOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                        SmallVectorImpl<InferredTensor> &results) {
  Dims input = env.getDims(adaptor.getInput());
  Dims grid = env.getDims(adaptor.getGrid());
  // grid_sample_c1
  if (input.size() < 3 || grid.size() != input.size())
    return env.fail("input and grid must have one rank, 3 or more");
  if (std::optional<int64_t> last = getConstant(grid.back());
      last && *last != int64_t(input.size()) - 2)
    return env.fail("the grid's last dimension is " + Twine(*last) + ", not " +
                    Twine(input.size() - 2));
  Dims dims{input[0], input[1]};
  dims.append(grid.begin() + 1, grid.end() - 1);
  results.push_back({dims, getTensorType(adaptor.getInput()).getElementType()});
  return success();
}

// grid_sample_c2
LogicalResult GridSampleOp::verify() {
  if (!llvm::is_contained({"linear", "nearest", "cubic"}, getMode()))
    return emitOpError("mode is '") << getMode() << "', not linear, nearest or cubic";
  if (!llvm::is_contained({"zeros", "border", "reflection"}, getPaddingMode()))
    return emitOpError("padding_mode is '")
           << getPaddingMode() << "', not zeros, border or reflection";
  return success();
}

LogicalResult RoiAlignOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                      SmallVectorImpl<InferredTensor> &results) {
  // roi_align_c1
  Dims input = env.getDims(adaptor.getInput()), rois = env.getDims(adaptor.getRois());
  if (input.size() != 4 || rois.size() != 2 ||
      getTensorType(adaptor.getBatchIndices()).getRank() != 1)
    return env.fail("the input must have rank 4, rois rank 2, batch_indices rank 1");
  results.push_back({{rois[0], input[1], env.constant(adaptor.getOutputHeight()),
                      env.constant(adaptor.getOutputWidth())},
                     getTensorType(adaptor.getInput()).getElementType()});
  return success();
}
