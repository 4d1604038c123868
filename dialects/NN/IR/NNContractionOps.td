//===- NNContractionOps.td - matrix products ------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_CONTRACTION_OPS_TD
#define NN_CONTRACTION_OPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_MatMulOp : NN_Op<"matmul", [NN_ContractionOpInterface, NN_FusionAnchorOpInterface]> {
  let summary = "Matrix product with numpy's batching";
  let description = [{
    As `numpy.matmul`: the last two dimensions are matrices, those before them
    are broadcast. An operand of rank 1 is a row (lhs) or a column (rhs), and its
    dimension is dropped from the result. `transpose_lhs` and `transpose_rhs` swap the
    last two dimensions of that operand first. The product of 8-bit integers, signed or
    unsigned, possibly of different types (ONNX MatMulInteger), is i32.

    Constraints:
     - `matmul_c1`: both operands have the same element type, or both are 8-bit integers;
       their rank is at least 1;
     - `matmul_c2`: a transposed operand has rank >= 2;
     - `matmul_c3`: the contracted dimensions agree.
  }];
  let arguments = (ins NN_NumericTensor:$lhs, NN_NumericTensor:$rhs,
                       UnitAttr:$transpose_lhs, UnitAttr:$transpose_rhs);
  let results = (outs NN_NumericTensor:$result);
  let extraDeclaration = NN_HasWork # "bool takesTransposes() { return true; }";
}

def NN_GemmOp : NN_Op<"gemm", [NN_ContractionOpInterface]> {
  let summary = "alpha * op(lhs) * op(rhs) + beta * bias";
  let description = [{
    `op` transposes if `trans_lhs` or `trans_rhs` is set; `bias`, if given, is
    broadcast to M x N. Canonicalization replaces the operation by `nn.matmul` and
    elementwise operators.

    Constraints:
     - `gemm_c1`: lhs and rhs have rank 2 and one element type;
     - `gemm_c2`: the contracted dimensions agree;
     - `gemm_c3`: the bias broadcasts to M x N.
  }];
  let arguments = (ins NN_NumericTensor:$lhs, NN_NumericTensor:$rhs,
                       Optional<NN_NumericTensor>:$bias,
                       NN_DefaultF32<"1.0f">:$alpha, NN_DefaultF32<"1.0f">:$beta,
                       NN_DefaultBool<"false">:$trans_lhs,
                       NN_DefaultBool<"false">:$trans_rhs);
  let results = (outs NN_NumericTensor:$result);
  let hasCanonicalizer = 1;
}

#endif // NN_CONTRACTION_OPS_TD
