//===- NNIndexingOps.td - operators that pick elements by index -----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_INDEXING_OPS_TD
#define NN_INDEXING_OPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_GatherOp : NN_Op<"gather"> {
  let summary = "Picks slices along an axis";
  let description = [{
    `result[i.., j.., k..] = input[i.., indices[j..], k..]`; negative indices
    count from the end. An index that is out of bounds ends the run with an error, here
    and for the operators below.

    Constraints:
     - `gather_c1`: -rank <= axis < rank.
  }];
  let arguments = (ins NN_Tensor:$input, NN_IndexTensor:$indices,
                       NN_DefaultI64<"0">:$axis);
  let results = (outs NN_Tensor:$result);
  let contentsFunction = NN_HasContents;
}

def NN_GatherElementsOp : NN_Op<"gather_elements"> {
  let summary = "Picks elements along an axis";
  let description = [{
    `result[i.., j, k..] = input[i.., indices[i.., j, k..], k..]`, the picked place
    being dimension `axis`; the result has the indices' shape. In other dimensions,
    indices are not larger than the input.

    Constraints:
     - `gather_elements_c1`: -rank <= axis < rank; indices have the input's rank.
  }];
  let arguments = (ins NN_Tensor:$input, NN_IndexTensor:$indices,
                       NN_DefaultI64<"0">:$axis);
  let results = (outs NN_Tensor:$result);
}

def NN_GatherNDOp : NN_Op<"gather_nd"> {
  let summary = "Picks slices by tuples of indices";
  let description = [{
    The last dimension of `indices` holds tuples of `k` indices into the input's
    dimensions after the first `batch_dims`, in which both agree:
    `result[b.., i.., j..] = input[b.., indices[b.., i.., :], j..]`.

    Constraints:
     - `gather_nd_c1`: `k` is known, and `batch_dims + k` is not more than the
       input's rank.
  }];
  let arguments = (ins NN_Tensor:$input, NN_IndexTensor:$indices,
                       NN_DefaultI64<"0">:$batch_dims);
  let results = (outs NN_Tensor:$result);
}

class NN_ScatterOp<string mnemonic> : NN_Op<mnemonic> {
  let results = (outs NN_Tensor:$result);
  let shapeFunction = [{
    static ::llvm::LogicalResult inferShapes(
        ::mlir::nn::ShapeEnv &env, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::nn::InferredTensor> &results) {
      return ::mlir::nn::shapes::inferLike(env, adaptor.getInput(), results);
    }
  }];
  let hasVerifier = 1;
}

def NN_ScatterElementsOp : NN_ScatterOp<"scatter_elements"> {
  let summary = "Replaces elements along an axis";
  let description = [{
    The input with `result[i.., indices[i.., j, k..], k..] = updates[i.., j, k..]`
    for all elements of `updates`, the replaced place being dimension `axis`.
    `reduction` (`none`, `add`, `mul`, `max`, `min`) says how an update is
    combined with what is there; updates are applied in row-major order. Updates have
    the indices' shape; in other dimensions than `axis`, they are not larger than the
    input.

    Constraints:
     - `scatter_elements_c1`: -rank <= axis < rank; all operands have one rank;
       updates have the input's element type;
     - `scatter_elements_c2`: `reduction` is one of the above; `none` for strings.
  }];
  let arguments = (ins NN_EqualityTensor:$input, NN_IndexTensor:$indices,
                       NN_EqualityTensor:$updates,
                       NN_DefaultI64<"0">:$axis, NN_DefaultString<"none">:$reduction);
}

def NN_ScatterNDOp : NN_ScatterOp<"scatter_nd"> {
  let summary = "Replaces slices by tuples of indices";
  let description = [{
    The input with `result[indices[i.., :], j..] = updates[i.., j..]`, where the
    last dimension of `indices` holds tuples of `k` indices. `reduction` as for
    `nn.scatter_elements`.

    Constraints:
     - `scatter_nd_c1`: `k` is known and not more than the input's rank; the rank of
       updates is that of indices - 1, and the input's rank - k;
     - `scatter_nd_c2`: `reduction` is one of none, add, mul, max, min; `none` for strings.
  }];
  let arguments = (ins NN_EqualityTensor:$input, NN_IndexTensor:$indices,
                       NN_EqualityTensor:$updates,
                       NN_DefaultString<"none">:$reduction);
}

def NN_RangeOp : NN_Op<"range"> {
  let summary = "Numbers from start to limit (exclusive) in steps of delta";
  let description = [{
    `max(0, ceil((limit - start) / delta))` numbers `start + i * delta`.

    Constraints:
     - `range_c1`: the operands have rank 0 and one element type.
  }];
  let arguments = (ins NN_NumericTensor:$start, NN_NumericTensor:$limit,
                       NN_NumericTensor:$delta);
  let results = (outs NN_NumericTensor:$result);
  let contentsFunction = NN_HasContents;
}

//===----------------------------------------------------------------------===//
// Search and selection
//===----------------------------------------------------------------------===//

def NN_TopKOp : NN_Op<"topk"> {
  let summary = "The k largest or smallest elements along an axis";
  let description = [{
    Values and their indices (i64), in order of value; of equal ones the lower
    index comes first. NaN counts as larger than all numbers.

    Constraints:
     - `topk_c1`: -rank <= axis < rank; `k` has one element.
  }];
  let arguments = (ins NN_NumericTensor:$input, NN_TensorOf<[I64]>:$k,
                       NN_DefaultI64<"-1">:$axis, NN_DefaultBool<"true">:$largest);
  let results = (outs NN_NumericTensor:$values, NN_TensorOf<[I64]>:$indices);
}

def NN_NonZeroOp : NN_Op<"nonzero"> {
  let summary = "The indices of elements that are not zero";
  let description = [{
    Column i of the result (rank of the input x number of such elements) is the
    index of the i-th one, in row-major order.
  }];
  let arguments = (ins NN_PlainTensor:$input);
  let results = (outs NN_TensorOf<[I64]>:$result);
}

def NN_UniqueOp : NN_Op<"unique"> {
  let summary = "The distinct elements, or slices along an axis";
  let description = [{
    `values`: the distinct elements (of the flattened input, if there is no axis) in
    ascending order, or in that of their first occurrence if not `sorted`;
    `indices`: where each occurs first; `inverse`: for each element of the input
    which of the values it is; `counts`: how often each occurs.

    Constraints:
     - `unique_c1`: -rank <= axis < rank.
  }];
  let arguments = (ins NN_PlainTensor:$input, OptionalAttr<NN_I64Attr>:$axis,
                       NN_DefaultBool<"true">:$sorted);
  let results = (outs NN_PlainTensor:$values, NN_IndexList:$indices, NN_IndexList:$inverse,
                      NN_IndexList:$counts);
}

def NN_NonMaxSuppressionOp : NN_Op<"non_max_suppression", [AttrSizedOperandSegments]> {
  let summary = "Boxes that overlap no better box of their class";
  let description = [{
    `boxes` is batch x boxes x 4 (corners y1, x1, y2, x2; with `center_point_box`
    x, y, width, height), `scores` batch x classes x boxes. For each batch entry
    and class, boxes above `score_threshold` (default: all) are selected in
    descending order of score, at most `max_boxes` (default: none), unless their
    intersection over union with a selected one exceeds `iou_threshold`
    (default: 0). The result is (number selected) x 3: batch entry, class, box.

    Constraints:
     - `non_max_suppression_c1`: boxes and scores have rank 3; the others have
       one element.
  }];
  let arguments = (ins NN_TensorOf<[F32]>:$boxes, NN_TensorOf<[F32]>:$scores,
                       Optional<NN_TensorOf<[I64]>>:$max_boxes,
                       Optional<NN_TensorOf<[F32]>>:$iou_threshold,
                       Optional<NN_TensorOf<[F32]>>:$score_threshold,
                       NN_DefaultBool<"false">:$center_point_box);
  let results = (outs NN_TensorOf<[I64]>:$result);
}

//===----------------------------------------------------------------------===//
// Sampling at places that are data
//===----------------------------------------------------------------------===//

def NN_GridSampleOp : NN_Op<"grid_sample"> {
  let summary = "Samples an image at the points of a grid";
  let description = [{
    Input N x C x D1 x ... x Dk, grid N x O1 x ... x Ok x k with coordinates in
    [-1, 1], or in elements if not `normalized`, the last dimension first; result
    N x C x O1 x ... x Ok. `mode`:
    linear, nearest, cubic (k = 2). `padding_mode`: zeros, border, reflection.
    What linear and cubic would be of integers and bools, ONNX does not say.
    Source: ONNX operator GridSample, version 20.

    Constraints:
     - `grid_sample_c1`: input and grid have one rank, 3 or more, and the grid's last
       dimension is k;
     - `grid_sample_c2`: the modes are among the above.
  }];
  let arguments = (ins NN_PlainTensor:$input, NN_FloatTensor:$grid,
                       NN_DefaultBool<"false">:$align_corners,
                       NN_DefaultString<"linear">:$mode,
                       NN_DefaultString<"zeros">:$padding_mode,
                       NN_DefaultBool<"true">:$normalized);
  let results = (outs NN_PlainTensor:$result);
  let hasVerifier = 1;
}

def NN_RoiAlignOp : NN_Op<"roi_align"> {
  let summary = "Pools regions of an image to one size";
  let description = [{
    Input N x C x H x W, `rois` R x 4 (x1, y1, x2, y2, scaled by `spatial_scale`),
    `batch_indices` R: result R x C x output_height x output_width, the mean or
    maximum (`mode`: avg, max) of bilinear samples in each cell.
    Source: ONNX operator RoiAlign, version 16.

    Constraints:
     - `roi_align_c1`: the input has rank 4, rois rank 2, batch_indices rank 1.
  }];
  let arguments = (ins NN_TensorOf<[F32]>:$input, NN_TensorOf<[F32]>:$rois,
                       NN_TensorOf<[I64]>:$batch_indices,
                       NN_DefaultBool<"true">:$half_pixel,
                       NN_DefaultString<"avg">:$mode,
                       NN_DefaultI64<"1">:$output_height, NN_DefaultI64<"1">:$output_width,
                       NN_DefaultI64<"0">:$sampling_ratio,
                       NN_DefaultF32<"1.0f">:$spatial_scale);
  let results = (outs NN_TensorOf<[F32]>:$result);
}

#endif // NN_INDEXING_OPS_TD
