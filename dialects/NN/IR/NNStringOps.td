//===- NNStringOps.td - functions of strings ------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_STRING_OPS_TD
#define NN_STRING_OPS_TD

include "dialects/NN/IR/NNBase.td"

// The numbers are those of nnrt_abi_string_function in runtime/abi/nnrt_abi.h.
def NN_StringFunction : I32EnumAttr<"StringFunction", "a function of strings", [
    I32EnumAttrCase<"Concat", 0, "concat">,
    I32EnumAttrCase<"Lower", 1, "lower">,
    I32EnumAttrCase<"Upper", 2, "upper">,
    I32EnumAttrCase<"FullMatch", 3, "full_match">,
    I32EnumAttrCase<"CountPieces", 4, "count_pieces">,
    I32EnumAttrCase<"Piece", 5, "piece">,
    I32EnumAttrCase<"Parse", 6, "parse">,
    I32EnumAttrCase<"Format", 7, "format">,
    I32EnumAttrCase<"CountMatches", 8, "count_matches">,
    I32EnumAttrCase<"Match", 9, "match">]> {
  let cppNamespace = "::mlir::nn";
}

def NN_MapStringsOp : NN_Op<"map_strings"> {
  let summary = "A function that looks into strings or makes them, elementwise";
  let description = [{
    Operands broadcast as numpy does. Strings are numbers (see `!nn.string`).

    | function       | operands                         | result |
    |----------------|----------------------------------|--------|
    | `concat`       | x, y                             | x with y behind it |
    | `lower`, `upper` | x                              | x in lower or upper case, by Unicode's rules for single characters |
    | `full_match`   | x, pattern                       | whether the regular expression (RE2's syntax) matches all of x |
    | `count_pieces` | x, delimiter, limit              | into how many pieces the delimiter splits x; not more than `limit` times if this is not negative |
    | `piece`        | x, delimiter, limit, index       | such a piece, numbered from 0; the empty string if there is none |
    | `count_matches` | x, pattern, least             | how many parts of x the regular expression matches, from the left, that have at least `least` characters |
    | `match`        | x, pattern, least, index         | such a part, numbered from 0; the empty string if there is none |
    | `parse`        | x                                | the number (of type `to`) that x is; else the run ends with an error |
    | `format`       | a number                         | its text, as ONNX's Cast writes it |

    An empty delimiter stands for any white space, of which that at the ends does not count.
    Source: ONNX operators StringConcat, StringNormalizer, StringSplit, RegexFullMatch, Cast;
    ONNX Runtime's operator Tokenizer.

    Constraints:
     - `map_strings_c1`: there are as many operands as the function has;
     - `map_strings_c2`: strings are i64 or `!nn.string`, `limit`, `least` and `index` i64;
     - `map_strings_c3`: `to` is given for `parse` and `format` (a type of strings), else not.
  }];
  let arguments = (ins NN_StringFunction:$function, Variadic<NN_Tensor>:$inputs,
                       OptionalAttr<TypeAttr>:$to);
  let results = (outs NN_Tensor:$result);
  let assemblyFormat = "$function $inputs attr-dict `:` functional-type($inputs, $result)";
  let hasVerifier = 1;
}

#endif // NN_STRING_OPS_TD
