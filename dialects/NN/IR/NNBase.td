//===- NNBase.td - the nn dialect: base classes, types, attributes --------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_BASE_TD
#define NN_BASE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/NN/IR/NNInterfaces.td"

def NN_Dialect : Dialect {
  let name = "nn";
  let cppNamespace = "::mlir::nn";
  let summary = "Neural-network graphs with the meaning of ONNX";
  let description = [{
    Tensors with value semantics, and operators with the semantics of ONNX's newest
    opset; the import removes the differences between opsets. Every operator is pure,
    and its result types are inferred. Values are ranked tensors without encodings.
    Dimensions known only at run time are `?`; the attribute `nn.dim_names` of the
    arguments and results of the model's function has their ONNX names.

    Discardable attributes, which are verified (NNAttributes.cpp):

     - on modules:
       - `nn.target`: what the model is compiled for (see `#nn.target`);
       - `nn.metadata` (pairs of strings), `nn.producer` (a string): from the ONNX file;
       - `nn.weights`: pairs of a constant and its offset in the weights section, in bytes;
       - `nn.kernels`: pairs of a kernel's kind and the ONNX nodes that it computes, in the
         order of the profile;
       - `nn.libraries`: the libraries that the code calls;
       - `nn.custom_operators`: the operators of users' libraries that the code calls, as
         `rt.call` has them;
       - `nn.strings`: the strings that the model knows, by their numbers (see `!nn.string`);
       - `nn.arena_bytes` (a formula of the inputs' sizes), `nn.data_dependent_buffers` (how
         many buffers have sizes that only the run knows): the arena;
       - `nn.approximations`: the passes that changed what the model computes on purpose;
     - on functions:
       - `nn.kernel`: the function is a kernel of this kind;
       - `nn.disjoint`: none of the kernel's outputs overlaps another argument;
       - `nn.packed_types`: the types of the arguments that a trampoline unpacks;
     - on arguments and results of `@main`:
       - `nn.name`: the ONNX name; `nn.dim_names`: the names of dimensions, empty for none;
       - `nn.value`, `nn.part`: the ONNX value (a sequence, an optional) of which the tensor
         is a part, and which;
       - `nn.stored_type`: the small type whose bytes the tensor holds, or `!nn.string` if
         it holds the numbers of strings;
     - on operations:
       - `nn.origin`: which ONNX tensors its results are (see `#nn.origin`);
       - `nn.exact_integers`: the floats are integers that sums keep exact;
       - `nn.not_positive`: the argument of an exponential is never positive;
       - `nn.stack_room`: the buffer for arguments that the calls of a function share.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let dependentDialects = ["::mlir::tensor::TensorDialect",
                           "::mlir::arith::ArithDialect"];
}

//===----------------------------------------------------------------------===//
// Types, by meaning
//===----------------------------------------------------------------------===//

class NN_TensorOf<list<Type> types> : RankedTensorOf<types>;

def NN_FloatType : AnyTypeOf<[F16, BF16, F32, F64], "floating-point">;
def NN_IntType
    : AnyTypeOf<[I8, I16, I32, I64, UI8, UI16, UI32, UI64], "integer">;

/// Types that numbers are stored in, but not computed with.
def NN_SmallType : AnyTypeOf<[F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ, F8E8M0FNU,
                              F4E2M1FN, I<4>, UI<4>, I<2>, UI<2>],
                             "8-bit float or 4-bit or 2-bit">;

def NN_StringType : TypeDef<NN_Dialect, "String"> {
  let mnemonic = "string";
  let summary = "string";
  let description = [{
    In a program, a string is a number (i64): its place in a table of strings, in which none
    occurs twice and the first one is empty. Operators that only move or compare strings need
    not know this. The import has the type, so that operators on numbers refuse strings, and
    in the end makes it i64; `nn.strings` on the module is then the beginning of the table, to
    which each run adds the strings that it meets
    (docs/decisions/strings-as-numbers.md).
  }];
}

/// ONNX's int8..int64 are signless, its uint8..uint64 unsigned (`ui8`), and bool is `i1`.
/// Only operations that move or convert elements take small types and strings (NN_Tensor).
def NN_Tensor : NN_TensorOf<[NN_FloatType, NN_IntType, I1, NN_SmallType, NN_StringType]>;
def NN_PlainTensor : NN_TensorOf<[NN_FloatType, NN_IntType, I1]>;
def NN_EqualityTensor : NN_TensorOf<[NN_FloatType, NN_IntType, I1, NN_StringType]>;
def NN_QuantizedTensor : NN_TensorOf<[NN_IntType, NN_SmallType]>;
def NN_NumericTensor : NN_TensorOf<[NN_FloatType, NN_IntType]>;
def NN_FloatTensor : NN_TensorOf<[NN_FloatType]>;
def NN_IntTensor : NN_TensorOf<[NN_IntType]>;
def NN_BoolTensor : NN_TensorOf<[I1]>;
/// Shapes, axes, indices.
def NN_IndexTensor : NN_TensorOf<[I32, I64]>;
/// A list of sizes, starts, repeats: rank 1.
def NN_IndexList : 1DTensorOf<[I64]>;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

def NN_Layout : I32EnumAttr<"Layout", "where the channels of a spatial tensor are", [
    I32EnumAttrCase<"ChannelsFirst", 0, "channels_first">,
    I32EnumAttrCase<"ChannelsLast", 1, "channels_last">]> {
  let cppNamespace = "::mlir::nn";
}

def NN_AutoPad : I32EnumAttr<"AutoPad", "how ONNX's auto_pad chooses the padding", [
    I32EnumAttrCase<"NotSet", 0, "notset">,
    I32EnumAttrCase<"SameUpper", 1, "same_upper">,
    I32EnumAttrCase<"SameLower", 2, "same_lower">,
    I32EnumAttrCase<"Valid", 3, "valid">]> {
  let cppNamespace = "::mlir::nn";
}

/// A signless 64-bit integer whose accessor gives an int64_t.
def NN_I64Attr : TypedSignlessIntegerAttrBase<I64, "int64_t", "64-bit signless integer attribute">;
class NN_DefaultI64<string value> : DefaultValuedAttr<NN_I64Attr, value>;
class NN_DefaultF32<string value> : DefaultValuedAttr<F32Attr, value>;
class NN_DefaultBool<string value> : DefaultValuedAttr<BoolAttr, value>;
class NN_DefaultString<string value> : DefaultValuedStrAttr<StrAttr, value>;
def NN_LayoutAttr : DefaultValuedAttr<NN_Layout, "::mlir::nn::Layout::ChannelsFirst">;
def NN_AutoPadAttr : DefaultValuedAttr<NN_AutoPad, "::mlir::nn::AutoPad::NotSet">;
/// A list of integers, e.g. one per spatial dimension; if empty, ONNX's defaults hold
/// (strides and dilations 1, pads 0).
def NN_I64List : DefaultValuedAttr<DenseI64ArrayAttr, "{}">;

def NN_OriginAttr : AttrDef<NN_Dialect, "Origin"> {
  let mnemonic = "origin";
  let summary = "which ONNX tensor a result is";
  let description = [{
    Result number `result` of the operation with this attribute is the ONNX tensor named
    `tensor`. If `permutation` is not empty, dimension `i` of the result is dimension
    `permutation[i]` of the ONNX tensor.
  }];
  let parameters = (ins "int64_t":$result, "::mlir::StringAttr":$tensor,
      OptionalArrayRefParameter<"int64_t">:$permutation);
  let assemblyFormat = "`<` $result `,` $tensor (`,` `[` $permutation^ `]`)? `>`";
}

def NN_DequantizedAttr : AttrDef<NN_Dialect, "Dequantized", [ElementsAttrInterface]> {
  let mnemonic = "dequantized";
  let summary = "numbers that are stored as quantized integers";
  let description = [{
    The elements are those of `nn.dequantize` of `input` with these parameters, of which
    those of blocks have the rank of the input. Whoever reads the constant sees f32; who
    can compute with the integers, finds them here.

    ```mlir
    nn.constant #nn.dequantized<dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>,
        scale = dense<[0.5, 0.25]> : tensor<2xf32>, axis = 1, block_size = 0> : tensor<2x2xf32>
    ```

    Constraints:
     - `dequantized_c1`: the type has the input's shape and the scale's element type, f32;
     - `dequantized_c2`: scale and zero point are those of a valid `nn.dequantize`.
  }];
  let parameters = (ins AttributeSelfTypeParameter<"", "::mlir::ShapedType">:$type,
      "::mlir::ElementsAttr":$input, "::mlir::ElementsAttr":$scale,
      OptionalParameter<"::mlir::ElementsAttr">:$zero_point, "int64_t":$axis,
      "int64_t":$block_size);
  let assemblyFormat = [{
    `<` $input `,` `scale` `=` $scale `,` `axis` `=` $axis `,` `block_size` `=` $block_size
    (`,` `zero_point` `=` $zero_point^)? `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The place, among scales and zero points, of those of an element.
    int64_t getParameterPlace(int64_t element) const;

    using NonContiguousIterableTypesT = std::tuple<float>;
    using ElementIterator =
        ::llvm::mapped_iterator<decltype(::llvm::seq<int64_t>(0, 0).begin()),
                                ::std::function<float(int64_t)>, float>;
    /// Fails if a blob was released.
    ::mlir::FailureOr<ElementIterator> try_value_begin_impl(OverloadToken<float>) const;
  }];
}

def NN_TargetKind : I32EnumAttr<"TargetKind", "a kind of machine", [
    I32EnumAttrCase<"CPU", 0, "cpu">, I32EnumAttrCase<"CUDA", 1, "cuda">]> {
  let cppNamespace = "::mlir::nn";
  let genSpecializedAttr = 0;
}

def NN_TargetAttr : AttrDef<NN_Dialect, "Target"> {
  let mnemonic = "target";
  let summary = "the machines that a model is compiled for";
  let description = [{
    Code is generated for each of the `processors`, best first; when the model is loaded,
    the first that the machine can run is taken. `libraries` are those that may be called.
    Of `cuda`, the processors are those of GPUs (`sm_80`, `sm_90`); what runs on the host
    is portable.

    ```mlir
    module attributes {nn.target = #nn.target<cpu, processors = ["znver4", "x86-64-v3"],
                                              libraries = ["onednn"]>}
    ```

    Constraints:
     - `target_c1`: there is a processor, and none occurs twice.
     - `target_c2`: no library occurs twice.

    Which names there are is up to the kind of target; who generates code checks them.
  }];
  let parameters = (ins EnumParameter<NN_TargetKind>:$kind,
      ArrayRefParameter<"::mlir::StringAttr">:$processors,
      OptionalArrayRefParameter<"::mlir::StringAttr">:$libraries);
  let assemblyFormat = [{
    `<` $kind `,` `processors` `=` `[` $processors `]`
    (`,` `libraries` `=` `[` $libraries^ `]`)? `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Whether a library may be called.
    bool allows(::llvm::StringRef library);
    /// The same target with one of its processors only.
    TargetAttr withProcessor(::mlir::StringAttr processor);
  }];
}

//===----------------------------------------------------------------------===//
// Base classes of operations
//===----------------------------------------------------------------------===//

/// An operation whose result types are computed from its operands and attributes by one
/// shape function, `inferShapes`. Type inference, reification (run-time sizes as IR) and
/// the analysis of symbolic dimensions all use it.
class NN_Op<string mnemonic, list<Trait> traits = []>
    : Op<NN_Dialect, mnemonic, !listconcat([
          Pure, InferTypeOpInterface, ReifyRankedShapedTypeOpInterface,
          NN_ShapeOpInterface], traits)> {
  /// Overridden where a shape function is shared.
  code shapeFunction = [{
    static ::llvm::LogicalResult inferShapes(
        ::mlir::nn::ShapeEnv &env, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::nn::InferredTensor> &results);
  }];
  /// Overridden (with a declaration) by operators that occur in shape arithmetic.
  code contentsFunction = [{
    static void inferContents(
        ::mlir::nn::ShapeEnv &env, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::nn::Contents> &results) {}
  }];
  code extraDeclaration = "";
  let extraClassDeclaration = shapeFunction # contentsFunction # [{
    static ::llvm::LogicalResult inferReturnTypes(
        ::mlir::MLIRContext *context, ::std::optional<::mlir::Location> location,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr attributes,
        ::mlir::OpaqueProperties properties, ::mlir::RegionRange regions,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      return ::mlir::nn::shapes::inferTypes(
          context, location, getOperationName(), types,
          [&](::mlir::nn::ShapeEnv &env,
              ::llvm::SmallVectorImpl<::mlir::nn::InferredTensor> &results) {
            return inferShapes(
                env, Adaptor(operands, attributes, properties, regions), results);
          });
    }
    static bool isCompatibleReturnTypes(::mlir::TypeRange lhs, ::mlir::TypeRange rhs) {
      return ::mlir::nn::shapes::areCompatible(lhs, rhs);
    }
    ::llvm::LogicalResult reifyResultShapes(
        ::mlir::OpBuilder &builder, ::mlir::ReifiedRankedShapedTypeDims &dims) {
      return ::mlir::nn::shapes::reifyShapes(getOperation(), builder, dims);
    }
    ::llvm::LogicalResult inferResultShapes(
        ::mlir::nn::ShapeEnv &env,
        ::llvm::SmallVectorImpl<::mlir::nn::InferredTensor> &results) {
      return inferShapes(env, Adaptor(getOperation()->getOperands(), *this), results);
    }
    void inferResultContents(
        ::mlir::nn::ShapeEnv &env,
        ::llvm::SmallVectorImpl<::mlir::nn::Contents> &results) {
      inferContents(env, Adaptor(getOperation()->getOperands(), *this), results);
    }
  }] # extraDeclaration;

  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

/// The value of `contentsFunction` for an operator that occurs in shape arithmetic.
defvar NN_HasContents = [{
  static void inferContents(
      ::mlir::nn::ShapeEnv &env, Adaptor adaptor,
      ::llvm::SmallVectorImpl<::mlir::nn::Contents> &results);
}];

#endif // NN_BASE_TD
