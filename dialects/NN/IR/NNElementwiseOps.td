//===- NNElementwiseOps.td - elementwise operators ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_ELEMENTWISE_OPS_TD
#define NN_ELEMENTWISE_OPS_TD

include "dialects/NN/IR/NNBase.td"

//===----------------------------------------------------------------------===//
// Unary
//===----------------------------------------------------------------------===//

class NN_UnaryBase<string mnemonic, Type inputType, Type resultType,
                   list<Trait> traits = []>
    : NN_Op<mnemonic, !listconcat([NN_ElementwiseOpInterface], traits)> {
  let arguments = (ins inputType:$input);
  let results = (outs resultType:$result);
  let shapeFunction = [{
    static ::llvm::LogicalResult inferShapes(
        ::mlir::nn::ShapeEnv &env, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::nn::InferredTensor> &results) {
      return ::mlir::nn::shapes::inferLike(env, adaptor.getInput(), results);
    }
  }];
}

/// result = formula(x), same shape and type.
class NN_UnaryOp<string mnemonic, Type type, string formula,
                 list<Trait> traits = []>
    : NN_UnaryBase<mnemonic, type, type, traits> {
  let summary = "Elementwise " # formula;
  let description = "`result = " # formula # "` for each element `x` of the input.";
}

def NN_AbsOp        : NN_UnaryOp<"abs", NN_NumericTensor, "|x|">;
def NN_AcosOp       : NN_UnaryOp<"acos", NN_FloatTensor, "acos(x)">;
def NN_AcoshOp      : NN_UnaryOp<"acosh", NN_FloatTensor, "acosh(x)">;
def NN_AsinOp       : NN_UnaryOp<"asin", NN_FloatTensor, "asin(x)">;
def NN_AsinhOp      : NN_UnaryOp<"asinh", NN_FloatTensor, "asinh(x)">;
def NN_AtanOp       : NN_UnaryOp<"atan", NN_FloatTensor, "atan(x)">;
def NN_AtanhOp      : NN_UnaryOp<"atanh", NN_FloatTensor, "atanh(x)">;
def NN_CeilOp       : NN_UnaryOp<"ceil", NN_FloatTensor, "ceil(x)">;
def NN_CosOp        : NN_UnaryOp<"cos", NN_FloatTensor, "cos(x)">;
def NN_CoshOp       : NN_UnaryOp<"cosh", NN_FloatTensor, "cosh(x)">;
def NN_ErfOp        : NN_UnaryOp<"erf", NN_FloatTensor, "erf(x)">;
def NN_ExpOp        : NN_UnaryOp<"exp", NN_FloatTensor, "exp(x)">;
def NN_FloorOp      : NN_UnaryOp<"floor", NN_FloatTensor, "floor(x)">;
def NN_HardSwishOp  : NN_UnaryOp<"hard_swish", NN_FloatTensor,
                                 "x * max(0, min(1, x / 6 + 0.5))">;
def NN_LogOp        : NN_UnaryOp<"log", NN_FloatTensor, "ln(x)">;
def NN_MishOp       : NN_UnaryOp<"mish", NN_FloatTensor, "x * tanh(ln(1 + exp(x)))">;
def NN_NegOp        : NN_UnaryOp<"neg", NN_NumericTensor, "-x"> {
  let contentsFunction = NN_HasContents;
}
def NN_NotOp        : NN_UnaryOp<"not", NN_BoolTensor, "not x">;
def NN_BitwiseNotOp : NN_UnaryOp<"bitwise_not", NN_IntTensor, "~x">;
def NN_ReciprocalOp : NN_UnaryOp<"reciprocal", NN_FloatTensor, "1 / x">;
def NN_ReluOp       : NN_UnaryOp<"relu", NN_NumericTensor, "max(x, 0)">;
def NN_RoundOp      : NN_UnaryOp<"round", NN_FloatTensor,
                                 "x rounded to the nearest integer, ties to even">;
def NN_SigmoidOp    : NN_UnaryOp<"sigmoid", NN_FloatTensor, "1 / (1 + exp(-x))">;
def NN_SignOp       : NN_UnaryOp<"sign", NN_NumericTensor, "-1, 0 or 1 by the sign of x">;
def NN_SinOp        : NN_UnaryOp<"sin", NN_FloatTensor, "sin(x)">;
def NN_SinhOp       : NN_UnaryOp<"sinh", NN_FloatTensor, "sinh(x)">;
def NN_SoftplusOp   : NN_UnaryOp<"softplus", NN_FloatTensor, "ln(1 + exp(x))">;
def NN_SoftsignOp   : NN_UnaryOp<"softsign", NN_FloatTensor, "x / (1 + |x|)">;
def NN_SqrtOp       : NN_UnaryOp<"sqrt", NN_FloatTensor, "sqrt(x)">;
def NN_TanOp        : NN_UnaryOp<"tan", NN_FloatTensor, "tan(x)">;
def NN_TanhOp       : NN_UnaryOp<"tanh", NN_FloatTensor, "tanh(x)">;

def NN_IsNaNOp : NN_UnaryBase<"isnan", NN_FloatTensor, NN_BoolTensor> {
  let summary = "Whether each element is NaN";
  let shapeFunction = [{
    static ::llvm::LogicalResult inferShapes(
        ::mlir::nn::ShapeEnv &env, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::nn::InferredTensor> &results) {
      return ::mlir::nn::shapes::inferPredicate(env, adaptor.getInput(), results);
    }
  }];
}

def NN_IsInfOp : NN_UnaryBase<"isinf", NN_FloatTensor, NN_BoolTensor> {
  let summary = "Whether each element is infinite";
  let description = [{
    `result = (x = inf and detect_positive) or (x = -inf and detect_negative)`.
  }];
  let arguments = (ins NN_FloatTensor:$input, NN_DefaultBool<"true">:$detect_negative,
                       NN_DefaultBool<"true">:$detect_positive);
  let shapeFunction = [{
    static ::llvm::LogicalResult inferShapes(
        ::mlir::nn::ShapeEnv &env, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::nn::InferredTensor> &results) {
      return ::mlir::nn::shapes::inferPredicate(env, adaptor.getInput(), results);
    }
  }];
}

def NN_BitcastOp : NN_UnaryBase<"bitcast", NN_Tensor, NN_Tensor> {
  let summary = "The same bits, read as another element type";
  let description = [{
    Constraints:
     - `bitcast_c1`: `to` has as many bits as the input's element type.
  }];
  let arguments = (ins NN_Tensor:$input, TypeAttr:$to);
  let shapeFunction = [{
    static ::llvm::LogicalResult inferShapes(
        ::mlir::nn::ShapeEnv &env, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::nn::InferredTensor> &results);
  }];
}

//===----------------------------------------------------------------------===//
// Unary with parameters
//===----------------------------------------------------------------------===//

def NN_CeluOp : NN_UnaryOp<"celu", NN_FloatTensor,
    "max(0, x) + min(0, alpha * (exp(x / alpha) - 1))"> {
  let arguments = (ins NN_FloatTensor:$input, NN_DefaultF32<"1.0f">:$alpha);
}
def NN_EluOp : NN_UnaryOp<"elu", NN_FloatTensor,
    "x < 0 ? alpha * (exp(x) - 1) : x"> {
  let arguments = (ins NN_FloatTensor:$input, NN_DefaultF32<"1.0f">:$alpha);
}
def NN_GeluOp : NN_UnaryOp<"gelu", NN_FloatTensor,
    "0.5 * x * (1 + erf(x / sqrt(2)))"> {
  let description = [{
    `approximate = "none"`: `0.5 * x * (1 + erf(x / sqrt(2)))`;
    `approximate = "tanh"`:
    `0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))`.
  }];
  let arguments = (ins NN_FloatTensor:$input,
                       NN_DefaultString<"none">:$approximate);
  let hasVerifier = 1;
}
def NN_HardSigmoidOp : NN_UnaryOp<"hard_sigmoid", NN_FloatTensor,
    "max(0, min(1, alpha * x + beta))"> {
  let arguments = (ins NN_FloatTensor:$input, NN_DefaultF32<"0.2f">:$alpha,
                       NN_DefaultF32<"0.5f">:$beta);
}
def NN_LeakyReluOp : NN_UnaryOp<"leaky_relu", NN_FloatTensor,
    "x < 0 ? alpha * x : x"> {
  let arguments = (ins NN_FloatTensor:$input, NN_DefaultF32<"0.01f">:$alpha);
}
def NN_SeluOp : NN_UnaryOp<"selu", NN_FloatTensor,
    "gamma * (x > 0 ? x : alpha * (exp(x) - 1))"> {
  let arguments = (ins NN_FloatTensor:$input,
                       NN_DefaultF32<"1.67326319217681884765625f">:$alpha,
                       NN_DefaultF32<"1.05070102214813232421875f">:$gamma);
}
def NN_SwishOp : NN_UnaryOp<"swish", NN_FloatTensor,
    "x / (1 + exp(-alpha * x))"> {
  let arguments = (ins NN_FloatTensor:$input, NN_DefaultF32<"1.0f">:$alpha);
}
def NN_ThresholdedReluOp : NN_UnaryOp<"thresholded_relu", NN_FloatTensor,
    "x > alpha ? x : 0"> {
  let arguments = (ins NN_FloatTensor:$input, NN_DefaultF32<"1.0f">:$alpha);
}

def NN_ClipOp : NN_UnaryOp<"clip", NN_NumericTensor, "min(max(x, min), max)",
                           [AttrSizedOperandSegments]> {
  let description = [{
    `result = min(max(x, min), max)`. A bound that is absent does not limit.

    Constraints:
     - `clip_c1`: `min` and `max` are tensors of rank 0 with the input's type.
  }];
  let arguments = (ins NN_NumericTensor:$input,
                       Optional<NN_NumericTensor>:$min,
                       Optional<NN_NumericTensor>:$max);
  let assemblyFormat = [{
    $input (`min` $min^)? (`max` $max^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def NN_CastOp : NN_UnaryBase<"cast", NN_Tensor, NN_Tensor> {
  let summary = "Converts the element type";
  let description = [{
    Float to integer truncates towards zero (out of range: as ONNX, undefined);
    integer to integer wraps; anything to bool is `x != 0`; float to a narrower
    float rounds to nearest even.

    To floats of 8 bits: numbers beyond the largest, and infinity, become the largest
    if `saturate`, else infinity, or NaN where the type has none; to f4E2M1FN they
    always become the largest. f8E8M0FNU takes the power of two of `|x|`, rounded as
    `round_mode` says. Integers become such floats by way of f32.

    Constraints:
     - `cast_c1`: `round_mode` is `up`, `down` or `nearest`;
     - `cast_c2`: neither type is `!nn.string` (see `nn.map_strings`).
  }];
  let arguments = (ins NN_Tensor:$input, TypeAttr:$to, NN_DefaultBool<"true">:$saturate,
                       NN_DefaultString<"up">:$round_mode);
  let hasVerifier = 1;
  let shapeFunction = [{
    static ::llvm::LogicalResult inferShapes(
        ::mlir::nn::ShapeEnv &env, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::nn::InferredTensor> &results);
  }];
  let contentsFunction = NN_HasContents;
  let hasFolder = 1;
}

class NN_SmallFloatOp<string mnemonic, Type inputType, Type resultType>
    : NN_UnaryBase<mnemonic, inputType, resultType> {
  let shapeFunction = [{
    static ::llvm::LogicalResult inferShapes(
        ::mlir::nn::ShapeEnv &env, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::nn::InferredTensor> &results);
  }];
}

def NN_DecodeFloatOp
    : NN_SmallFloatOp<"decode_float", NN_TensorOf<[UI8]>, NN_TensorOf<[F32]>> {
  let summary = "The numbers of small floats, from their bits";
  let description = [{
    `nn.cast` to f32 of a float of 8 bits or less, which lies in the low bits of a
    byte. Every such number is one of f32.

    Constraints:
     - `decode_float_c1`: `format` is f8E4M3FN, f8E4M3FNUZ, f8E5M2, f8E5M2FNUZ,
       f8E8M0FNU or f4E2M1FN.
  }];
  let arguments = (ins NN_TensorOf<[UI8]>:$input, TypeAttr:$format);
}

def NN_EncodeFloatOp
    : NN_SmallFloatOp<"encode_float", NN_FloatTensor, NN_TensorOf<[UI8]>> {
  let summary = "The bits of small floats";
  let description = [{
    `nn.cast` to a float of 8 bits or less, which lies in the low bits of a byte.

    Constraints:
     - `encode_float_c1`: `format` as for `nn.decode_float`.
  }];
  let arguments = (ins NN_FloatTensor:$input, TypeAttr:$format,
                       NN_DefaultBool<"true">:$saturate,
                       NN_DefaultString<"up">:$round_mode);
}

//===----------------------------------------------------------------------===//
// Binary and ternary, with numpy broadcasting
//===----------------------------------------------------------------------===//

class NN_BinaryBase<string mnemonic, Type operandType, Type resultType,
                    string helper, list<Trait> traits = []>
    : NN_Op<mnemonic, !listconcat([NN_ElementwiseOpInterface], traits)> {
  let arguments = (ins operandType:$lhs, operandType:$rhs);
  let results = (outs resultType:$result);
  let shapeFunction = [{
    static ::llvm::LogicalResult inferShapes(
        ::mlir::nn::ShapeEnv &env, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::nn::InferredTensor> &results) {
      return ::mlir::nn::shapes::}] # helper # [{(env, adaptor.getOperands(), results);
    }
  }];
}

/// result = formula(x, y): both operands of one element type, which is the
/// result's; shapes are broadcast.
class NN_BinaryOp<string mnemonic, Type type, string formula,
                  list<Trait> traits = []>
    : NN_BinaryBase<mnemonic, type, type, "inferBroadcast", traits> {
  let summary = "Elementwise " # formula # " with broadcasting";
  let description = "`result = " # formula # [{` for elements `x` of lhs and `y` of
    rhs, whose shapes are broadcast as numpy does.}];
}

class NN_ArithmeticOp<string mnemonic, string formula, list<Trait> traits = []>
    : NN_BinaryOp<mnemonic, NN_NumericTensor, formula, traits> {
  let contentsFunction = NN_HasContents;
  let hasFolder = 1;
}
def NN_AddOp : NN_ArithmeticOp<"add", "x + y", [Commutative]>;
def NN_SubOp : NN_ArithmeticOp<"sub", "x - y">;
def NN_MulOp : NN_ArithmeticOp<"mul", "x * y", [Commutative]>;
/// Integers: truncated towards zero.
def NN_DivOp : NN_ArithmeticOp<"div", "x / y">;

def NN_MaxOp : NN_BinaryOp<"max", NN_NumericTensor, "max(x, y), NaN if either is", [Commutative]> {
  let contentsFunction = NN_HasContents;
}
def NN_MinOp : NN_BinaryOp<"min", NN_NumericTensor, "min(x, y), NaN if either is", [Commutative]> {
  let contentsFunction = NN_HasContents;
}
def NN_AndOp : NN_BinaryOp<"and", NN_BoolTensor, "x and y", [Commutative]>;
def NN_OrOp  : NN_BinaryOp<"or", NN_BoolTensor, "x or y", [Commutative]>;
def NN_XorOp : NN_BinaryOp<"xor", NN_BoolTensor, "x xor y", [Commutative]>;
def NN_BitwiseAndOp : NN_BinaryOp<"bitwise_and", NN_IntTensor, "x & y", [Commutative]>;
def NN_BitwiseOrOp  : NN_BinaryOp<"bitwise_or", NN_IntTensor, "x | y", [Commutative]>;
def NN_BitwiseXorOp : NN_BinaryOp<"bitwise_xor", NN_IntTensor, "x ^ y", [Commutative]>;

def NN_BitShiftOp : NN_BinaryOp<"bit_shift", NN_IntTensor, "x shifted by y bits"> {
  let description = [{
    `left = true`: `result = x << y`, otherwise `x >> y`, which keeps the sign of
    signed numbers. Counts of as many bits as the type has, or more, and negative
    ones shift all bits out.
  }];
  let arguments = (ins NN_IntTensor:$lhs, NN_IntTensor:$rhs, NN_DefaultBool<"true">:$left);
}

def NN_PReluOp : NN_BinaryOp<"prelu", NN_NumericTensor, "x < 0 ? y * x : x"> {
  let arguments = (ins NN_NumericTensor:$lhs, NN_NumericTensor:$rhs);
}

def NN_ModOp : NN_BinaryOp<"mod", NN_NumericTensor, "x mod y"> {
  let description = [{
    `fmod = false` (integers): the result has the sign of `y`, as Python's `%`;
    `fmod = true`: the result has the sign of `x`, as C's `fmod`.
  }];
  let arguments = (ins NN_NumericTensor:$lhs, NN_NumericTensor:$rhs,
                       NN_DefaultBool<"false">:$fmod);
  let contentsFunction = NN_HasContents;
}

def NN_PowOp : NN_BinaryBase<"pow", NN_NumericTensor, NN_NumericTensor,
                             "inferBroadcastLikeFirst"> {
  let summary = "Elementwise x to the power of y, of lhs's element type";
  let description = "`result = x^y` with broadcasting; the exponent may have another type.";
}

class NN_CompareOp<string mnemonic, Type type, string formula, list<Trait> traits = []>
    : NN_BinaryBase<mnemonic, type, NN_BoolTensor, "inferBroadcastPredicate", traits> {
  let summary = "Elementwise " # formula # " with broadcasting";
  let description = "`result = " # formula # "`, of element type `i1`.";
}
def NN_EqualOp          : NN_CompareOp<"equal", NN_EqualityTensor, "x == y", [Commutative]> {
  let contentsFunction = NN_HasContents;
}
def NN_GreaterOp        : NN_CompareOp<"greater", NN_NumericTensor, "x > y">;
def NN_GreaterOrEqualOp : NN_CompareOp<"greater_or_equal", NN_NumericTensor, "x >= y">;
def NN_LessOp           : NN_CompareOp<"less", NN_NumericTensor, "x < y">;
def NN_LessOrEqualOp    : NN_CompareOp<"less_or_equal", NN_NumericTensor, "x <= y">;

def NN_WhereOp : NN_Op<"where", [NN_ElementwiseOpInterface]> {
  let summary = "Elementwise choice with broadcasting";
  let description = "`result = condition ? x : y`, all three broadcast as numpy does.";
  let arguments = (ins NN_BoolTensor:$condition, NN_Tensor:$x, NN_Tensor:$y);
  let results = (outs NN_Tensor:$result);
  let contentsFunction = NN_HasContents;
}

#endif // NN_ELEMENTWISE_OPS_TD
