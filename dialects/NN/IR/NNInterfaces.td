//===- NNInterfaces.td - interfaces of the nn dialect ---------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_INTERFACES_TD
#define NN_INTERFACES_TD

include "mlir/IR/OpBase.td"

def NN_ShapeOpInterface : OpInterface<"ShapeOpInterface"> {
  let cppNamespace = "::mlir::nn";
  let description = [{
    Shapes of results as expressions over the shapes (and, for shape operands,
    the contents) of operands. See dialects/NN/IR/ShapeEnv.h.
  }];
  let methods = [
    InterfaceMethod<"The shapes and element types of all results.",
      "::llvm::LogicalResult", "inferResultShapes",
      (ins "::mlir::nn::ShapeEnv &":$env,
           "::llvm::SmallVectorImpl<::mlir::nn::InferredTensor> &":$results)>,
    InterfaceMethod<[{
        The elements of results that are small integer tensors, as expressions over
        dimensions: this is how shape arithmetic is followed. Leaves `results` empty if
        nothing is known.
      }],
      "void", "inferResultContents",
      (ins "::mlir::nn::ShapeEnv &":$env,
           "::llvm::SmallVectorImpl<::mlir::nn::Contents> &":$results)>
  ];
}

def NN_SpatialOpInterface : OpInterface<"SpatialOpInterface"> {
  let cppNamespace = "::mlir::nn";
  let description = [{
    An operator on N x C x spatial tensors that supports both layouts of its data
    tensors. Implemented by operators with an attribute `layout`.
  }];
  let methods = [
    InterfaceMethod<"The layout of the data operands and of the result.",
      "::mlir::nn::Layout", "getDataLayout", (ins), [{}],
      [{ return $_op.getLayout(); }]>,
    InterfaceMethod<"Sets the layout; the caller updates operands and types.",
      "void", "setDataLayout", (ins "::mlir::nn::Layout":$layout), [{}],
      [{ $_op.setLayout(layout); }]>,
    InterfaceMethod<"How many leading operands are data tensors with that layout.",
      "unsigned", "getNumDataOperands", (ins), [{}], [{ return 1; }]>
  ];
}

def NN_LayoutOpInterface : OpInterface<"LayoutOpInterface"> {
  let cppNamespace = "::mlir::nn";
  let description = [{
    An operator that may be computed on tensors N x spatial x C instead of N x C x spatial,
    apart from spatial and elementwise operators and reductions, all of which can. Implemented
    in dialects/NN/IR/Layouts.cpp.
  }];
  let methods = [
    InterfaceMethod<[{
        In which orders the operator can be computed. Depends on types, attributes and sizes
        only, apart from which of two equal orders a transposition is for.
      }],
      "::mlir::nn::LayoutRule", "getLayoutRule", (ins "::mlir::nn::ShapeEnv &":$env), [{}],
      [{ return {::mlir::nn::LayoutRule::Flexible}; }]>,
    InterfaceMethod<"Whether the operand is a tensor with such dimensions, not a list or a number.",
      "bool", "isDataOperand", (ins "unsigned":$operand), [{}], [{ return operand == 0; }]>,
    InterfaceMethod<[{
        Sets the attributes that name dimensions, when operands become channels-last; the
        caller updates operands and types.
      }],
      "void", "setChannelsLast">
  ];
}

/// Elementwise operators with numpy broadcasting. A fusion can absorb them anywhere, and
/// they commute with permutations of dimensions.
def NN_ElementwiseOpInterface : OpInterface<"ElementwiseOpInterface"> {
  let cppNamespace = "::mlir::nn";
  let description = [{
    Each element of the only result depends only on the elements of the operands at
    the same (broadcast) position.
  }];
}

def NN_ReductionOpInterface : OpInterface<"ReductionOpInterface"> {
  let cppNamespace = "::mlir::nn";
  let description = [{
    Each element of the only result is computed from all elements of the input along some
    dimensions, which the result lacks or has with size 1.
  }];
  let methods = [
    InterfaceMethod<"What is reduced.", "::mlir::Value", "getInput", (ins),
      [{ return $_op.getInput(); }]>,
    InterfaceMethod<"Whether the result has the reduced dimensions, with size 1.",
      "bool", "getKeepdims", (ins), [{ return $_op.getKeepdims(); }]>,
    InterfaceMethod<"The reduced dimensions, counted from the front, in ascending order.",
      "::llvm::SmallVector<int64_t>", "getReducedDims">,
    InterfaceMethod<"Sets them; the caller updates operands and types.",
      "void", "setReducedDims", (ins "::llvm::ArrayRef<int64_t>":$dims)>
  ];
}

def NN_ContractionOpInterface : OpInterface<"ContractionOpInterface"> {
  let cppNamespace = "::mlir::nn";
  let description = [{
    Each element of the only result is a sum of products of two operands' elements: matrix
    products, convolutions, of this and of lower dialects.
  }];
}

def NN_FusionAnchorOpInterface : OpInterface<"FusionAnchorOpInterface"> {
  let cppNamespace = "::mlir::nn";
  let description = [{
    What computes the operator can compute elementwise operators on the result as well,
    before it is stored. A fusion may have one such operator, its anchor.
  }];
  let methods = [
    InterfaceMethod<[{
        Multiplications (or what takes as long) per element of the first result, as an
        expression over the operands' sizes.
      }],
      "::mlir::nn::Dim", "getWorkPerElement", (ins "::mlir::nn::ShapeEnv &":$env), [{}],
      [{ return env.constant(1); }]>,
    InterfaceMethod<[{
        The operand of which elementwise producers can be computed where it is read, and how
        often each element is read; null if there is none.
      }],
      "::std::pair<::mlir::Value, int64_t>", "getPrologue", (ins), [{}],
      [{ return {::mlir::Value(), 0}; }]>,
    InterfaceMethod<[{
        Whether what computes the operator can also read operands and store the result with
        permuted dimensions. A fusion then takes in transpositions before and behind it.
      }],
      "bool", "takesTransposes", (ins), [{}], [{ return false; }]>
  ];
}

/// What an operator that overrides the method puts into `extraDeclaration`.
defvar NN_HasWork = [{
    ::mlir::nn::Dim getWorkPerElement(::mlir::nn::ShapeEnv &env);
}];

#endif // NN_INTERFACES_TD
