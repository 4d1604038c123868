//===- NNShapeOps.td - operators that move data or ask for shapes ---------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_SHAPE_OPS_TD
#define NN_SHAPE_OPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_ConcatOp : NN_Op<"concat", [
    DeclareOpInterfaceMethods<NN_LayoutOpInterface, ["isDataOperand", "setChannelsLast"]>]> {
  let summary = "Concatenation along an axis";
  let description = [{
    Constraints:
     - `concat_c1`: at least one input; all have one rank and element type;
     - `concat_c2`: -rank <= axis < rank; other dimensions agree.
  }];
  let arguments = (ins Variadic<NN_Tensor>:$inputs, NN_I64Attr:$axis);
  let results = (outs NN_Tensor:$result);
  let contentsFunction = NN_HasContents;
  let hasFolder = 1;
}

def NN_DepthToSpaceOp : NN_Op<"depth_to_space", [NN_SpatialOpInterface]> {
  let summary = "Moves blocks of channels into space";
  let description = [{
    Input N x C x H x W, result N x C/b^2 x H*b x W*b. `mode`: `DCR` (the block's
    index is the slow part of the channel) or `CRD` (the fast part).

    Constraints:
     - `depth_to_space_c1`: rank 4, blocksize > 0, C a multiple of blocksize^2.
  }];
  let arguments = (ins NN_Tensor:$input, NN_I64Attr:$blocksize,
                       NN_DefaultString<"DCR">:$mode, NN_LayoutAttr:$layout);
  let results = (outs NN_Tensor:$result);
  let hasVerifier = 1;
}

def NN_ExpandOp : NN_Op<"expand"> {
  let summary = "Broadcasts to a shape";
  let description = [{
    The result's shape is the numpy broadcast of the input's shape and `shape`
    (so entries of `shape` may be 1 where the input is larger).
  }];
  let arguments = (ins NN_Tensor:$input, NN_IndexList:$shape);
  let results = (outs NN_Tensor:$result);
  let hasFolder = 1;
}

def NN_FlattenOp : NN_Op<"flatten"> {
  let summary = "Collapses to a matrix at an axis";
  let description = [{
    The result is (product of dimensions before `axis`) x (product of the rest).

    Constraints:
     - `flatten_c1`: -rank <= axis <= rank.
  }];
  let arguments = (ins NN_Tensor:$input, NN_DefaultI64<"1">:$axis);
  let results = (outs NN_Tensor:$result);
}

def NN_PadOp : NN_Op<"pad", [
    DeclareOpInterfaceMethods<NN_LayoutOpInterface, ["setChannelsLast"]>]> {
  let summary = "Pads (or, with negative counts, crops) dimensions";
  let description = [{
    `pads` holds a begin for each of `axes` (all dimensions if empty), then as
    many ends. Negative counts crop first; what is left is padded with `mode`:
    `constant` (with `value`, default 0), `reflect`, `edge`, `wrap`.

    Constraints:
     - `pad_c1`: `pads` has twice as many elements as `axes`;
     - `pad_c2`: `value` has one element, of the input's type.
  }];
  let arguments = (ins NN_Tensor:$input, NN_IndexList:$pads,
                       Optional<NN_Tensor>:$value, NN_I64List:$axes,
                       NN_DefaultString<"constant">:$mode);
  let results = (outs NN_Tensor:$result);
  let hasVerifier = 1;
}

def NN_ReshapeOp : NN_Op<"reshape", [
    DeclareOpInterfaceMethods<NN_LayoutOpInterface, ["getLayoutRule"]>]> {
  let summary = "The same elements, in row-major order, with another shape";
  let description = [{
    One entry of `shape` may be -1 (what remains); 0 copies the input's dimension,
    or means zero with `allow_zero`.

    Constraints:
     - `reshape_c1`: the number of elements stays; at most one entry is -1;
     - `reshape_c2`: the length of `shape` is known at compile time.
  }];
  let arguments = (ins NN_Tensor:$input, NN_IndexList:$shape,
                       NN_DefaultBool<"false">:$allow_zero);
  let results = (outs NN_Tensor:$result);
  let contentsFunction = NN_HasContents;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def NN_ResizeOp : NN_Op<"resize", [NN_SpatialOpInterface, AttrSizedOperandSegments]> {
  let summary = "Resampling";
  let description = [{
    ONNX Resize over the dimensions `axes` (all if empty; in ONNX's order of
    dimensions in both layouts). Exactly one of `scales` (f32) and `sizes` (i64)
    is given, with an entry for each of `axes`; a result dimension is
    `floor(dim * scale)`. `coordinate_mode`: half_pixel, half_pixel_symmetric,
    pytorch_half_pixel, align_corners (which divides by the size before it is
    rounded, minus 1), asymmetric, tf_crop_and_resize (with `roi`).
    `mode`: nearest, linear, cubic. `nearest_mode`: round_prefer_floor,
    round_prefer_ceil, floor, ceil. `keep_aspect_ratio`: stretch, not_larger, not_smaller.
    What linear and cubic would be of bools, ONNX does not say.
    Source: ONNX operator Resize, version 19.

    Constraints:
     - `resize_c1`: exactly one of scales and sizes is given.
  }];
  let arguments = (ins NN_PlainTensor:$input, Optional<NN_FloatTensor>:$roi,
      Optional<NN_TensorOf<[F32]>>:$scales, Optional<NN_IndexList>:$sizes,
      NN_I64List:$axes, NN_DefaultString<"nearest">:$mode,
      NN_DefaultString<"half_pixel">:$coordinate_mode,
      NN_DefaultString<"round_prefer_floor">:$nearest_mode,
      NN_DefaultString<"stretch">:$keep_aspect_ratio,
      NN_DefaultF32<"-0.75f">:$cubic_coeff_a, NN_DefaultBool<"false">:$exclude_outside,
      NN_DefaultBool<"false">:$antialias, NN_DefaultF32<"0.0f">:$extrapolation_value,
      NN_LayoutAttr:$layout);
  let results = (outs NN_PlainTensor:$result);
  let assemblyFormat = [{
    $input (`roi` $roi^)? (`scales` $scales^)? (`sizes` $sizes^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def NN_ShapeOp : NN_Op<"shape"> {
  let summary = "The shape of a tensor, as i64";
  let description = [{
    Dimensions `start` to `end` (exclusive; absent: the rank); negative values
    count from the rank, and both are clamped.
  }];
  let arguments = (ins NN_Tensor:$input, NN_DefaultI64<"0">:$start,
                       OptionalAttr<NN_I64Attr>:$end);
  let results = (outs NN_IndexList:$result);
  let contentsFunction = NN_HasContents;
}

def NN_SizeOp : NN_Op<"size"> {
  let summary = "The number of elements, as i64 of rank 0";
  let arguments = (ins NN_Tensor:$input);
  let results = (outs NN_TensorOf<[I64]>:$result);
  let contentsFunction = NN_HasContents;
}

def NN_SliceOp : NN_Op<"slice", [
    DeclareOpInterfaceMethods<NN_LayoutOpInterface, ["setChannelsLast"]>]> {
  let summary = "A strided part of a tensor";
  let description = [{
    For the i-th of `axes`: elements from `starts[i]` to `ends[i]` (exclusive) in
    steps of `steps[i]`, which may be negative; starts and ends count from the
    end where negative and are clamped, as ONNX says.

    Constraints:
     - `slice_c1`: `starts`, `ends`, `steps` have as many elements as `axes`;
     - `slice_c2`: axes are distinct and in [-rank, rank); no step is 0.
  }];
  let arguments = (ins NN_Tensor:$input, NN_IndexList:$starts, NN_IndexList:$ends,
                       DenseI64ArrayAttr:$axes, DenseI64ArrayAttr:$steps);
  let results = (outs NN_Tensor:$result);
  let contentsFunction = NN_HasContents;
  let hasFolder = 1;
}

def NN_SpaceToDepthOp : NN_Op<"space_to_depth", [NN_SpatialOpInterface]> {
  let summary = "Moves blocks of space into channels";
  let description = [{
    Input N x C x H x W, result N x C*b^2 x H/b x W/b; the block's index is the
    slow part of the channel.

    Constraints:
     - `space_to_depth_c1`: rank 4, blocksize > 0, H and W multiples of it.
  }];
  let arguments = (ins NN_Tensor:$input, NN_I64Attr:$blocksize, NN_LayoutAttr:$layout);
  let results = (outs NN_Tensor:$result);
  let hasVerifier = 1;
}

def NN_SplitOp : NN_Op<"split", [
    DeclareOpInterfaceMethods<NN_LayoutOpInterface, ["setChannelsLast"]>]> {
  let summary = "Cuts a tensor along an axis";
  let description = [{
    Result i holds `sizes[i]` entries of dimension `axis`.

    Constraints:
     - `split_c1`: -rank <= axis < rank; sizes are not negative and sum up to
       the dimension; there is a result for each.
  }];
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$sizes,
                       NN_DefaultI64<"0">:$axis);
  let results = (outs Variadic<NN_Tensor>:$results);
}

def NN_SqueezeOp : NN_Op<"squeeze", [
    DeclareOpInterfaceMethods<NN_LayoutOpInterface, ["getLayoutRule", "setChannelsLast"]>]> {
  let summary = "Drops dimensions of size 1";
  let description = [{
    Constraints:
     - `squeeze_c1`: `axes` lie in [-rank, rank), are distinct and have size 1.
       (An ONNX Squeeze without axes is imported with the axes of known size 1.)
  }];
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$axes);
  let results = (outs NN_Tensor:$result);
  let contentsFunction = NN_HasContents;
  let hasFolder = 1;
}

def NN_TileOp : NN_Op<"tile"> {
  let summary = "Repeats a tensor along its dimensions";
  let description = [{
    Dimension i of the result is `repeats[i]` times the input's.

    Constraints:
     - `tile_c1`: `repeats` has an element for each dimension.
  }];
  let arguments = (ins NN_Tensor:$input, NN_IndexList:$repeats);
  let results = (outs NN_Tensor:$result);
}

def NN_TransposeOp : NN_Op<"transpose", [
    DeclareOpInterfaceMethods<NN_LayoutOpInterface, ["getLayoutRule"]>]> {
  let summary = "Permutes dimensions";
  let description = [{
    Dimension i of the result is dimension `perm[i]` of the input.

    Constraints:
     - `transpose_c1`: perm is a permutation of 0 ... rank-1.
  }];
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$perm);
  let results = (outs NN_Tensor:$result);
  let contentsFunction = NN_HasContents;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def NN_UnsqueezeOp : NN_Op<"unsqueeze", [
    DeclareOpInterfaceMethods<NN_LayoutOpInterface, ["getLayoutRule", "setChannelsLast"]>]> {
  let summary = "Inserts dimensions of size 1";
  let description = [{
    Constraints:
     - `unsqueeze_c1`: `axes` are distinct and lie in [-r, r), r the result's rank.
  }];
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$axes);
  let results = (outs NN_Tensor:$result);
  let contentsFunction = NN_HasContents;
  let hasFolder = 1;
}

#endif // NN_SHAPE_OPS_TD
