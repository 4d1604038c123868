//===- RTEnums.td - kernels of the runtime --------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef RT_ENUMS_TD
#define RT_ENUMS_TD

include "mlir/IR/EnumAttr.td"

def RT_RuntimeKernel : I32EnumAttr<"RuntimeKernel", "a reference kernel of the runtime", [
    I32EnumAttrCase<"NonMaxSuppression", 0, "non_max_suppression">,
    I32EnumAttrCase<"NonZero", 1, "nonzero">,
    I32EnumAttrCase<"RoiAlign", 2, "roi_align">,
    I32EnumAttrCase<"TopK", 3, "topk">,
    I32EnumAttrCase<"Unique", 4, "unique">,
    I32EnumAttrCase<"DFT", 5, "dft">,
    I32EnumAttrCase<"STFT", 6, "stft">,
    I32EnumAttrCase<"MapStrings", 7, "map_strings">,
    I32EnumAttrCase<"Custom", 8, "custom">,
    I32EnumAttrCase<"CustomShapes", 9, "custom_shapes">]> {
  let cppNamespace = "::mlir::nn::rt";
}

#endif // RT_ENUMS_TD
