//===- NNCustomOps.td - operators that libraries of users compute ---------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_CUSTOM_OPS_TD
#define NN_CUSTOM_OPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_CustomOp : NN_Op<"custom"> {
  let summary = "An operator of which a library of the user's knows what it computes";
  let description = [{
    `function` is DOMAIN:NAME, as in ONNX (`ai.onnx` has the empty domain), and `version` its
    opset. The runtime looks for `library`, which is written against nnrt/custom_op.h, when the
    model is loaded, and calls it in each run (docs/CustomOperators.md). Like every operator, it
    depends on its operands only.

    What the library says of types and shapes is kept here, so that only those who execute the
    operator need it: `types` are the results' element types, and `shapes` has a map for each
    result, whose symbols are the sizes of the operands, one after the other. Further symbols
    are sizes that only the library can compute, in the run.

    `absent` are the places, among all operands that the ONNX node might have, of those that it
    leaves out; they are in ascending order. `parameters` are the node's attributes: integers, floats
    (f32), strings, lists of these, and tensors.

    Constraints:
     - `custom_c1`: `types` and `shapes` have as many entries, one or more;
     - `custom_c2`: a map has no dimensions, and gives no constant below 0;
     - `custom_c3`: `function` names an operator and `library` a library;
     - `custom_c4`: the parameters have these kinds;
     - `custom_c5`: `absent` are places before that of the last operand.
  }];
  let arguments = (ins StrAttr:$function, StrAttr:$library, Variadic<NN_PlainTensor>:$inputs,
                       TypeArrayAttr:$types, AffineMapArrayAttr:$shapes,
                       OptionalAttr<DictionaryAttr>:$parameters, NN_I64List:$absent,
                       NN_DefaultI64<"1">:$version);
  let results = (outs Variadic<NN_PlainTensor>:$results);
  let assemblyFormat = [{
    $function `from` $library `(` $inputs `)` attr-dict `:` functional-type($inputs, $results)
  }];
  let hasVerifier = 1;
  let extraDeclaration = [{
    /// Whether the run has to ask the library for sizes.
    bool hasComputedSizes();
    /// DOMAIN and NAME.
    ::std::pair<::llvm::StringRef, ::llvm::StringRef> getDomainAndName() {
      return getFunction().rsplit(':');
    }
  }];
}

#endif // NN_CUSTOM_OPS_TD
