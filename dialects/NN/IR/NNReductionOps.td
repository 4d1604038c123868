//===- NNReductionOps.td - reductions -------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_REDUCTION_OPS_TD
#define NN_REDUCTION_OPS_TD

include "dialects/NN/IR/NNBase.td"

class NN_ReduceOp<string mnemonic, Type type, string formula>
    : NN_Op<mnemonic, [NN_ReductionOpInterface,
                       NN_FusionAnchorOpInterface]> {
  let summary = "Reduction: " # formula;
  let description = formula # [{ over the dimensions `axes`, which are kept with size
    1 if `keepdims` is set. An empty list means all dimensions.

    Constraints:
     - `reduce_c1`: axes lie in [-rank, rank) and are distinct.
  }];
  let arguments = (ins type:$input, NN_I64List:$axes, NN_DefaultBool<"true">:$keepdims);
  let results = (outs type:$result);
  let shapeFunction = [{
    static ::llvm::LogicalResult inferShapes(
        ::mlir::nn::ShapeEnv &env, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::nn::InferredTensor> &results) {
      return ::mlir::nn::shapes::inferReduction(
          env, adaptor.getInput(), adaptor.getAxes(), adaptor.getKeepdims(), results);
    }
  }];
  let extraDeclaration = [{
    ::llvm::SmallVector<int64_t> getReducedDims() {
      return ::mlir::nn::shapes::getReducedDims(getAxes(), getInput().getType().getRank());
    }
    void setReducedDims(::llvm::ArrayRef<int64_t> dims) { setAxes(dims); }
    ::std::pair<::mlir::Value, int64_t> getPrologue() { return {getInput(), 1}; }
    ::mlir::nn::Dim getWorkPerElement(::mlir::nn::ShapeEnv &env) {
      ::mlir::nn::Dims sizes;
      for (int64_t dim : getReducedDims())
        sizes.push_back(env.getDims(getInput())[dim]);
      return env.product(sizes);
    }
  }];
}

def NN_ReduceL1Op        : NN_ReduceOp<"reduce_l1", NN_NumericTensor, "sum of |x|">;
def NN_ReduceL2Op        : NN_ReduceOp<"reduce_l2", NN_NumericTensor, "sqrt of the sum of x^2">;
def NN_ReduceLogSumOp    : NN_ReduceOp<"reduce_log_sum", NN_NumericTensor, "ln of the sum of x">;
def NN_ReduceLogSumExpOp : NN_ReduceOp<"reduce_log_sum_exp", NN_NumericTensor, "ln of the sum of exp(x)">;
def NN_ReduceMaxOp       : NN_ReduceOp<"reduce_max", NN_PlainTensor, "maximum of x">;
def NN_ReduceMeanOp      : NN_ReduceOp<"reduce_mean", NN_NumericTensor, "mean of x">;
def NN_ReduceMinOp       : NN_ReduceOp<"reduce_min", NN_PlainTensor, "minimum of x">;
def NN_ReduceProdOp      : NN_ReduceOp<"reduce_prod", NN_NumericTensor, "product of x"> {
  let contentsFunction = NN_HasContents;
}
def NN_ReduceSumOp       : NN_ReduceOp<"reduce_sum", NN_NumericTensor, "sum of x">;
def NN_ReduceSumSquareOp : NN_ReduceOp<"reduce_sum_square", NN_NumericTensor, "sum of x^2">;

class NN_ArgOp<string mnemonic, string what>
    : NN_Op<mnemonic, [NN_ReductionOpInterface]> {
  let summary = "Index of the " # what # " along an axis";
  let description = "Index (i64) of the " # what # [{ along `axis`, which is kept
    with size 1 if `keepdims` is set. If elements are equal, the first counts, or with
    `select_last_index` the last.

    Constraints:
     - `arg_c1`: -rank <= axis < rank.
  }];
  let arguments = (ins NN_NumericTensor:$input, NN_DefaultI64<"0">:$axis,
                       NN_DefaultBool<"true">:$keepdims,
                       NN_DefaultBool<"false">:$select_last_index);
  let results = (outs NN_TensorOf<[I64]>:$result);
  let extraDeclaration = [{
    ::llvm::SmallVector<int64_t> getReducedDims() {
      return ::mlir::nn::shapes::getReducedDims({int64_t(getAxis())},
                                                getInput().getType().getRank());
    }
    void setReducedDims(::llvm::ArrayRef<int64_t> dims) { setAxis(dims.front()); }
  }];
}
def NN_ArgMaxOp : NN_ArgOp<"argmax", "maximum">;
def NN_ArgMinOp : NN_ArgOp<"argmin", "minimum">;

class NN_CumulativeOp<string mnemonic, string what> : NN_Op<mnemonic> {
  let summary = "Cumulative " # what # " along an axis";
  let description = "The " # what # [{ of the elements along `axis` up to and including
    each one; without it if `exclusive`, and from the end if `reverse`.

    Constraints:
     - `cumulative_c1`: -rank <= axis < rank.
  }];
  let arguments = (ins NN_NumericTensor:$input, NN_I64Attr:$axis,
                       NN_DefaultBool<"false">:$exclusive, NN_DefaultBool<"false">:$reverse);
  let results = (outs NN_NumericTensor:$result);
}
def NN_CumSumOp  : NN_CumulativeOp<"cumsum", "sum">;
def NN_CumProdOp : NN_CumulativeOp<"cumprod", "product">;

#endif // NN_REDUCTION_OPS_TD
