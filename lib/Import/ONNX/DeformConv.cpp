//===- DeformConv.cpp - import of deformable convolutions -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// A deformable convolution (J. Dai et al., "Deformable convolutional networks", 2017; with a
// mask X. Zhu et al., "Deformable ConvNets v2", 2018) is the product of its weights and
// samples of its input, which are taken where offsets say: linear between elements, 0
// outside.
//
//===----------------------------------------------------------------------===//

#include "Registry.h"
#include "ShapeMath.h"
#include "SpatialAttrs.h"
#include "Values.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

namespace {
/// With G groups of offsets, kernels of K places, and r spatial dimensions D of the input
/// and O of the output.
struct DeformConv {
  Value input;  ///< N x C x D
  Value weight; ///< M x C/group x kernel
  Value offset; ///< N x G*K*r x O
  Value bias;   ///< M, or null
  Value mask;   ///< N x G*K x O, or null
  SmallVector<int64_t> kernel, strides, dilations, pads;
  int64_t group, offsetGroup, places;

  LogicalResult bind(NodeBinder &node);
  Value build(NodeBinder &node);

private:
  int64_t getSpatialRank() const { return kernel.size(); }
  /// `value` as N*factor x sizes x O x last. If `mergePlaces`, K*O1 takes the place of O1.
  /// `sizes` are lists.
  Value reshape(NodeBinder &node, Value value, int64_t factor, ArrayRef<Value> sizes,
                bool mergePlaces = false, ArrayRef<int64_t> last = {});
  /// Where the input is sampled along spatial dimension `dim`, N*G x K x O, in its elements.
  Value locate(NodeBinder &node, Value offsets, int64_t dim);
  void checkOutputSize(NodeBinder &node, int64_t dim);
  Value sample(NodeBinder &node);
};
} // namespace

LogicalResult DeformConv::bind(NodeBinder &node) {
  SpatialAttrs attrs;
  if (node.operand("X", input).operand("W", weight).operand("offset", offset)
          .optionalOperand("B", bias).optionalOperand("mask", mask)
          .attr("group", group, 1).attr("offset_group", offsetGroup, 1)
          .attr("kernel_shape", attrs.kernelShape).attr("strides", strides)
          .attr("dilations", dilations).attr("pads", pads).failed() ||
      !(weight = attrs.bindKernelShape(node, weight)))
    return failure();
  int64_t rank = getType(input).getRank(), spatialRank = rank - 2;
  bool sameRanks = getType(weight).getRank() == rank && getType(offset).getRank() == rank &&
                   (!mask || getType(mask).getRank() == rank);
  if (node.require(spatialRank >= 1 && sameRanks,
                   "input, weights, offsets and mask have one rank", show(weight.getType()),
                   "rank " + Twine(rank) + " of the input, 3 or more").failed())
    return failure();
  if (strides.empty())
    strides.assign(spatialRank, 1);
  if (dilations.empty())
    dilations.assign(spatialRank, 1);
  if (pads.empty())
    pads.assign(2 * spatialRank, 0);
  constexpr int64_t limit = int64_t(1) << 31; // so that arithmetic does not overflow
  auto isPositive = [](int64_t number) { return number > 0 && number < limit; };
  auto isPad = [](int64_t number) { return number > -limit && number < limit; };
  if (node.require(int64_t(strides.size()) == spatialRank &&
                       int64_t(dilations.size()) == spatialRank &&
                       int64_t(pads.size()) == 2 * spatialRank &&
                       llvm::all_of(strides, isPositive) &&
                       llvm::all_of(dilations, isPositive) && llvm::all_of(pads, isPad),
                   "strides, dilations and pads are for each spatial dimension, and strides "
                   "and dilations positive", "others", "").failed())
    return failure();

  ArrayRef<int64_t> shape = getType(weight).getShape();
  kernel.assign(shape.begin() + 2, shape.end());
  if (node.require(!ShapedType::isDynamicShape(kernel), "the size of the kernel is known",
                   show(weight.getType()), "attribute 'kernel_shape'", Remedy::GiveShape)
          .failed())
    return failure();
  places = ShapedType::getNumElements(kernel);
  // What is known only at run time is checked by the reshapes.
  auto isMultiple = [](int64_t size, int64_t of) {
    return ShapedType::isDynamic(size) || (size > 0 && size % of == 0);
  };
  int64_t given = getType(input).getDimSize(1);
  bool fits = places > 0 && group > 0 && offsetGroup > 0 && isMultiple(shape[0], group) &&
              isMultiple(given, group) && isMultiple(given, offsetGroup) &&
              (ShapedType::isDynamic(given) || ShapedType::isDynamic(shape[1]) ||
               shape[1] == given / group);
  return failure(
      node.require(fits, "channels of the input and of the weights agree, and groups divide them",
                   show(input.getType()) + Twine(" and ") + show(weight.getType()) +
                       " with group " + Twine(group) + " and offset_group " +
                       Twine(offsetGroup), "").failed());
}

Value DeformConv::reshape(NodeBinder &node, Value value, int64_t factor, ArrayRef<Value> sizes,
                          bool mergePlaces, ArrayRef<int64_t> last) {
  Value batch = node.create<MulOp>(getDimList(node, offset, 0), node.constantList({factor}));
  SmallVector<Value> shape{batch};
  llvm::append_range(shape, sizes);
  int64_t first = 2;
  if (mergePlaces) {
    shape.push_back(node.create<MulOp>(getDimList(node, offset, first),
                                       node.constantList({places})));
    ++first;
  }
  if (first < getSpatialRank() + 2)
    shape.push_back(node.create<nn::ShapeOp>(offset, first, IntegerAttr()));
  if (!last.empty())
    shape.push_back(node.constantList(last));
  return node.create<ReshapeOp>(value, node.create<ConcatOp>(shape, 0), /*allow_zero=*/true);
}

void DeformConv::checkOutputSize(NodeBinder &node, int64_t dim) {
  int64_t extent = dilations[dim] * (kernel[dim] - 1) + 1;
  int64_t added = pads[dim] + pads[getSpatialRank() + dim] - extent;
  int64_t size = getType(input).getDimSize(dim + 2), out = getType(offset).getDimSize(dim + 2);
  if (!ShapedType::isDynamic(size) && !ShapedType::isDynamic(out)) {
    int64_t expected = size + added < 0 ? 0 : (size + added) / strides[dim] + 1;
    node.require(out == expected,
                 "offsets have the size of the result along spatial dimension " + Twine(dim),
                 Twine(out), Twine(expected));
    return;
  }
  Type i64 = IntegerType::get(node.getContext(), 64);
  auto number = [&](int64_t value) { return node.constantScalar(double(value), i64); };
  Value room = node.create<AddOp>(getDimScalar(node, input, dim + 2), number(added));
  Value steps = node.create<AddOp>(node.create<DivOp>(room, number(strides[dim])), number(1));
  Value holds = node.create<EqualOp>(steps, getDimScalar(node, offset, dim + 2));
  node.checkAtRun(holds, "has offsets of another size than its result along spatial dimension " +
                             Twine(dim));
}

Value DeformConv::locate(NodeBinder &node, Value offsets, int64_t dim) {
  if (node.failed())
    return {};
  Type type = getElementType(offsets);
  int64_t rank = getSpatialRank() + 2;
  Value number = node.constantScalar(double(dim), IntegerType::get(node.getContext(), 64));
  Value along = node.create<GatherOp>(offsets, number, int64_t(2));
  Value output = castTo(node, makeIota(node, offset, dim + 2, dim + 2, rank), type);
  Value start = node.create<MulOp>(output, node.constantScalar(double(strides[dim]), type));
  // The place in the kernel.
  SmallVector<int64_t> shifts;
  int64_t inner = 1;
  for (int64_t d = dim + 1; d < getSpatialRank(); ++d)
    inner *= kernel[d];
  for (int64_t place = 0; place < places; ++place)
    shifts.push_back(place / inner % kernel[dim] * dilations[dim] - pads[dim]);
  SmallVector<int64_t> added{0};
  for (int64_t d = 2; d < rank; ++d)
    added.push_back(d);
  Value shift = castTo(
      node, node.create<UnsqueezeOp>(node.constantList(shifts), added), type);
  return node.create<AddOp>(node.create<AddOp>(along, start), shift);
}

/// N x C x K*O1 x O2...
Value DeformConv::sample(NodeBinder &node) {
  int64_t spatialRank = getSpatialRank();
  Value offsets =
      reshape(node, offset, offsetGroup, {node.constantList({places, spatialRank})});
  if (node.failed())
    return {};
  SmallVector<Value> coordinates; // of grid_sample: the last dimension first
  for (int64_t dim = spatialRank - 1; dim >= 0 && !node.failed(); --dim)
    coordinates.push_back(
        node.create<UnsqueezeOp>(locate(node, offsets, dim), ArrayRef<int64_t>{-1}));
  Value grid = node.create<ConcatOp>(coordinates, spatialRank + 2);
  grid = reshape(node, grid, offsetGroup, {}, /*mergePlaces=*/true, {spatialRank});
  Value batch = node.create<MulOp>(getDimList(node, input, 0),
                                   node.constantList({offsetGroup}));
  Value channels = node.create<DivOp>(getDimList(node, input, 1),
                                      node.constantList({offsetGroup}));
  Value imageShape = node.create<ConcatOp>(
      SmallVector<Value>{batch, channels, node.create<nn::ShapeOp>(input, 2, IntegerAttr())},
      0);
  Value image = node.create<ReshapeOp>(input, imageShape, /*allow_zero=*/true);
  Value samples = node.create<GridSampleOp>(image, grid, /*align_corners=*/false, "linear",
                                            "zeros", /*normalized=*/false);
  if (mask)
    samples = node.create<MulOp>(
        samples,
        reshape(node, mask, offsetGroup, {node.constantList({1})}, /*mergePlaces=*/true));
  return samples;
}

Value DeformConv::build(NodeBinder &node) {
  for (int64_t dim = 0; dim < getSpatialRank() && !node.failed(); ++dim)
    checkOutputSize(node, dim);
  Value samples = sample(node);
  if (node.failed())
    return {};
  // A product for each group: M/group x C/group*K by C/group*K x O.
  Value depth = node.create<MulOp>(getDimList(node, weight, 1), node.constantList({places}));
  Value features = getDimList(node, weight, 0);
  SmallVector<Value> rowShape, columnShape{getDimList(node, offset, 0)};
  if (group > 1) {
    Value groups = node.constantList({group});
    rowShape.push_back(groups);
    columnShape.push_back(groups);
  }
  rowShape.push_back(node.create<DivOp>(features, node.constantList({group})));
  rowShape.push_back(depth);
  columnShape.push_back(depth);
  Value spatial = node.create<nn::ShapeOp>(offset, 2, IntegerAttr());
  columnShape.push_back(
      node.create<ReduceProdOp>(spatial, ArrayRef<int64_t>{0}, /*keepdims=*/true));
  Value columns = node.create<ReshapeOp>(samples, node.create<ConcatOp>(columnShape, 0),
                                         /*allow_zero=*/true);
  Value rows = node.create<ReshapeOp>(weight, node.create<ConcatOp>(rowShape, 0),
                                      /*allow_zero=*/true);
  Value product = node.create<MatMulOp>(rows, columns, false, false);
  Value result = reshape(node, product, 1, {features});
  if (!bias)
    return result;
  SmallVector<int64_t> added;
  for (int64_t dim = 1; dim <= getSpatialRank(); ++dim)
    added.push_back(dim);
  return node.create<AddOp>(result, node.create<UnsqueezeOp>(bias, added));
}

static LogicalResult importDeformConv(NodeBinder &node) {
  DeformConv conv;
  if (mlir::failed(conv.bind(node)))
    return failure();
  // f16 and bf16 do not hold coordinates.
  Type type = getElementType(conv.input);
  if (type.getIntOrFloatBitWidth() < 32)
    for (Value *operand : {&conv.input, &conv.weight, &conv.offset, &conv.bias, &conv.mask})
      if (*operand)
        *operand = castTo(node, *operand, Float32Type::get(node.getContext()));
  return node.setOutput(castTo(node, conv.build(node), type));
}

void importer::registerDeformConv(Registry &r) { r.onOp("DeformConv", 19, importDeformConv); }
