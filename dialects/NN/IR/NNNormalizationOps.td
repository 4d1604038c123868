//===- NNNormalizationOps.td - normalizations and softmax -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_NORMALIZATION_OPS_TD
#define NN_NORMALIZATION_OPS_TD

include "dialects/NN/IR/NNBase.td"

class NN_NormalizationOp<string mnemonic, list<Trait> traits = []>
    : NN_Op<mnemonic, traits> {
  let results = (outs NN_FloatTensor:$result);
  let shapeFunction = [{
    static ::llvm::LogicalResult inferShapes(
        ::mlir::nn::ShapeEnv &env, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::nn::InferredTensor> &results) {
      return ::mlir::nn::shapes::inferLike(env, adaptor.getInput(), results);
    }
  }];
  let hasVerifier = 1;
}

def NN_BatchNormOp : NN_NormalizationOp<"batch_norm", [NN_SpatialOpInterface]> {
  let summary = "Batch normalization in inference form";
  let description = [{
    `result = (x - mean) / sqrt(variance + epsilon) * scale + bias`. Scale, bias, mean
    and variance have one entry per channel.

    Constraints:
     - `batch_norm_c1`: the input has rank >= 2; the four others have rank 1 and
       as many elements as the input has channels.
  }];
  let arguments = (ins NN_FloatTensor:$input, NN_FloatTensor:$scale,
                       NN_FloatTensor:$bias, NN_FloatTensor:$mean,
                       NN_FloatTensor:$variance,
                       NN_DefaultF32<"1.0e-5f">:$epsilon, NN_LayoutAttr:$layout);
}

def NN_InstanceNormOp : NN_NormalizationOp<"instance_norm", [NN_SpatialOpInterface,
                                                             NN_FusionAnchorOpInterface]> {
  let summary = "Normalization over the spatial dimensions of each channel";
  let description = [{
    `result = (x - mean) / sqrt(variance + epsilon) * scale + bias`, where mean and
    (biased) variance are over the spatial dimensions of each batch entry and channel.

    Constraints:
     - `instance_norm_c1`: the input has rank >= 3; scale and bias have rank 1
       and as many elements as the input has channels.
  }];
  let arguments = (ins NN_FloatTensor:$input, NN_FloatTensor:$scale,
                       NN_FloatTensor:$bias,
                       NN_DefaultF32<"1.0e-5f">:$epsilon, NN_LayoutAttr:$layout);
  let extraDeclaration = [{
    ::std::pair<::mlir::Value, int64_t> getPrologue() { return {getInput(), 3}; }
  }];
}

def NN_LayerNormOp : NN_NormalizationOp<"layer_norm", [NN_FusionAnchorOpInterface]> {
  let summary = "Normalization over the trailing dimensions";
  let description = [{
    `result = (x - mean) / sqrt(variance + epsilon) * scale + bias`, where mean and
    (biased) variance are over dimension `axis` and all following ones; scale and bias
    broadcast to the input. Mean and variance are computed in f32 or wider.

    Constraints:
     - `layer_norm_c1`: -rank <= axis < rank.
  }];
  let arguments = (ins NN_FloatTensor:$input, NN_FloatTensor:$scale,
                       Optional<NN_FloatTensor>:$bias,
                       NN_DefaultI64<"-1">:$axis, NN_DefaultF32<"1.0e-5f">:$epsilon);
  let extraDeclaration = [{
    ::std::pair<::mlir::Value, int64_t> getPrologue() { return {getInput(), 3}; }
  }];
}

def NN_LRNOp : NN_NormalizationOp<"lrn", [NN_SpatialOpInterface]> {
  let summary = "Local response normalization across channels";
  let description = [{
    `result = x / (bias + alpha / size * sum)^beta`, where `sum` adds the squares
    of channels `c - floor((size - 1) / 2)` to `c + ceil((size - 1) / 2)` that exist.

    Constraints:
     - `lrn_c1`: the input has rank >= 3; size is positive.
  }];
  let arguments = (ins NN_FloatTensor:$input, NN_I64Attr:$size,
                       NN_DefaultF32<"1.0e-4f">:$alpha, NN_DefaultF32<"0.75f">:$beta,
                       NN_DefaultF32<"1.0f">:$bias, NN_LayoutAttr:$layout);
}

class NN_SoftmaxBase<string mnemonic>
    : NN_NormalizationOp<mnemonic, [
          NN_FusionAnchorOpInterface,
          DeclareOpInterfaceMethods<NN_LayoutOpInterface, ["setChannelsLast"]>]> {
  let arguments = (ins NN_FloatTensor:$input, NN_DefaultI64<"-1">:$axis);
  let extraDeclaration = [{
    ::std::pair<::mlir::Value, int64_t> getPrologue() { return {getInput(), 2}; }
  }];
}
def NN_SoftmaxOp : NN_SoftmaxBase<"softmax"> {
  let summary = "exp(x) divided by its sum along an axis";
  let description = [{
    `result = exp(x - m) / sum(exp(x - m))`, where `m` is the maximum along `axis`.
    (Before opset 13, Softmax flattens its input to a matrix; it is imported with
    reshapes.)

    Constraints:
     - `softmax_c1`: -rank <= axis < rank.
  }];
}
def NN_LogSoftmaxOp : NN_SoftmaxBase<"log_softmax"> {
  let summary = "The logarithm of softmax along an axis";
  let description = [{
    `result = x - m - ln(sum(exp(x - m)))`, where `m` is the maximum along `axis`.
    Constraint `softmax_c1` as for `nn.softmax`.
  }];
}

#endif // NN_NORMALIZATION_OPS_TD
