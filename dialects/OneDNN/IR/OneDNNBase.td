//===- OneDNNBase.td - the onednn dialect: attributes, base classes -------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef ONEDNN_BASE_TD
#define ONEDNN_BASE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/NN/IR/NNBase.td"
include "dialects/OneDNN/IR/OneDNNEnums.td"
include "dialects/OneDNN/IR/OneDNNInterfaces.td"

def OneDNN_Dialect : Dialect {
  let name = "onednn";
  let cppNamespace = "::mlir::nn::onednn";
  let summary = "Primitives of the oneDNN library";
  let description = [{
    One operation for each oneDNN primitive that compiled models use, with
    oneDNN's argument names (`src`, `weights`, `bias`, `dst`); see
    https://uxlfoundation.github.io/oneDNN/v3.2/dev_guide_supported_primitives.html.

    Operations are in destination-passing style, on tensors before and on memrefs
    after bufferization. Memrefs may have any strides, because a call carries
    them (`nnrt_abi_tensor`). What is computed after the primitive itself is its
    list of post-ops, applied to `dst` in order.

    Element types: `src` and `weights` are floats, or `src` has 8 bits (`ui8`, `i8`)
    and `weights` are `i8`. Then the primitive itself computes
    `sum((src - src_zero_point) * weights)` exactly, in i32; that sum and the bias
    (i32 or f32) are converted to f32 and added; the post-ops are applied, in f32,
    in their order (a binary one converts its operand to f32); and the last value
    is converted to dst's type: to integers by rounding to nearest, ties to even,
    and saturating. `sum` must stay below 2^24 for its conversion to be exact.

    Verifiers say what is meaningful. The capability table,
    lib/Conversion/NNToOneDNN/Capabilities.cpp, says what oneDNN 3.2 can run.
  }];
  let useDefaultAttributePrinterParser = 1;
}

//===----------------------------------------------------------------------===//
// Post-ops
//===----------------------------------------------------------------------===//

class OneDNN_Attr<string name, string attrMnemonic> : AttrDef<OneDNN_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def OneDNN_EltwiseAttr : OneDNN_Attr<"Eltwise", "eltwise"> {
  let summary = "dst = algorithm(dst; alpha, beta)";
  let description = [{
    The meaning of `alpha` and `beta` is oneDNN's for the algorithm, e.g.
    `#onednn.eltwise<clip_v2, 0.0, 6.0>` clamps to [0, 6].
  }];
  let parameters = (ins
      EnumParameter<OneDNN_EltwiseAlgorithm>:$algorithm,
      "::mlir::FloatAttr":$alpha, "::mlir::FloatAttr":$beta);
  let builders = [
    AttrBuilder<(ins "::mlir::nn::onednn::EltwiseAlgorithm":$algorithm,
                     "float":$alpha, "float":$beta), [{
      auto type = ::mlir::Float32Type::get($_ctxt);
      return $_get($_ctxt, algorithm, ::mlir::FloatAttr::get(type, alpha),
                   ::mlir::FloatAttr::get(type, beta));
    }]>];
  let assemblyFormat = "`<` $algorithm `,` custom<F32>($alpha) `,` custom<F32>($beta) `>`";
}

def OneDNN_BinaryAttr : OneDNN_Attr<"Binary", "binary"> {
  let summary = "dst = algorithm(dst, operand)";
  let description = [{
    `operand` is a position in the operation's `post_op_args`. That tensor has
    dst's rank, and in each dimension dst's size or 1.
  }];
  let parameters = (ins EnumParameter<OneDNN_BinaryAlgorithm>:$algorithm,
                        "int64_t":$operand);
  let assemblyFormat = "`<` params `>`";
}

/// https://uxlfoundation.github.io/oneDNN/v3.2/dev_guide_attributes_post_ops.html
def OneDNN_PostOps : DefaultValuedAttr<
    TypedArrayAttrBase<AnyAttrOf<[OneDNN_EltwiseAttr, OneDNN_BinaryAttr]>,
                       "array of post-ops">, "{}">;

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

/// Before bufferization all operands are tensors, after it all are memrefs.
def OneDNN_Operand : AnyTypeOf<[AnyRankedTensor, AnyMemRef]>;

class OneDNN_Op<string mnemonic, list<Trait> traits = []>
    : Op<OneDNN_Dialect, mnemonic, !listconcat([
          DestinationStyleOpInterface, OneDNN_PrimitiveOpInterface,
          DeclareOpInterfaceMethods<MemoryEffectsOpInterface>], traits)> {
  let results = (outs Optional<AnyRankedTensor>:$result);
  code extraDeclaration = "";
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getDstMutable(); }
  }] # extraDeclaration;
  let extraClassDefinition = [{
    void $cppClass::getEffects(
        ::llvm::SmallVectorImpl<::mlir::MemoryEffects::EffectInstance> &effects) {
      ::mlir::nn::onednn::detail::getPrimitiveEffects(getOperation(), effects);
    }
  }];
  let hasVerifier = 1;
}

/// Declarations of operations with post-ops.
defvar OneDNN_PostOpDeclaration = [{
  ::llvm::ArrayRef<::mlir::Attribute> getPostOpList() { return getPostOps().getValue(); }
  ::mlir::OperandRange getPostOpOperands() { return getPostOpArgs(); }
}];

#endif // ONEDNN_BASE_TD
