//===- OneDNNEnums.td - algorithms of oneDNN ------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Values are those of dnnl_alg_kind_t, which are stable across 3.x.
//
//===----------------------------------------------------------------------===//

#ifndef ONEDNN_ENUMS_TD
#define ONEDNN_ENUMS_TD

include "mlir/IR/EnumAttr.td"

class OneDNN_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::mlir::nn::onednn";
}

/// https://uxlfoundation.github.io/oneDNN/v3.2/dev_guide_eltwise.html
def OneDNN_EltwiseAlgorithm : OneDNN_Enum<"EltwiseAlgorithm", "eltwise algorithm", [
    I32EnumAttrCase<"Relu", 0x20, "relu">,
    I32EnumAttrCase<"Tanh", 0x21, "tanh">,
    I32EnumAttrCase<"Elu", 0x22, "elu">,
    I32EnumAttrCase<"Square", 0x23, "square">,
    I32EnumAttrCase<"Abs", 0x24, "abs">,
    I32EnumAttrCase<"Sqrt", 0x25, "sqrt">,
    I32EnumAttrCase<"Linear", 0x26, "linear">,
    I32EnumAttrCase<"SoftRelu", 0x27, "soft_relu">,
    I32EnumAttrCase<"HardSigmoid", 0x28, "hardsigmoid">,
    I32EnumAttrCase<"Logistic", 0x29, "logistic">,
    I32EnumAttrCase<"Exp", 0x2a, "exp">,
    I32EnumAttrCase<"GeluTanh", 0x2b, "gelu_tanh">,
    I32EnumAttrCase<"Swish", 0x2c, "swish">,
    I32EnumAttrCase<"Log", 0x2d, "log">,
    I32EnumAttrCase<"Clip", 0x2e, "clip">,
    I32EnumAttrCase<"ClipV2", 0x2f, "clip_v2">,
    I32EnumAttrCase<"Pow", 0x30, "pow">,
    I32EnumAttrCase<"GeluErf", 0x31, "gelu_erf">,
    I32EnumAttrCase<"Round", 0x32, "round">,
    I32EnumAttrCase<"Mish", 0x33, "mish">,
    I32EnumAttrCase<"HardSwish", 0x34, "hardswish">]>;

/// https://uxlfoundation.github.io/oneDNN/v3.2/dev_guide_binary.html
def OneDNN_BinaryAlgorithm : OneDNN_Enum<"BinaryAlgorithm", "binary algorithm", [
    I32EnumAttrCase<"Add", 0x1fff0, "add">,
    I32EnumAttrCase<"Mul", 0x1fff1, "mul">,
    I32EnumAttrCase<"Max", 0x1fff2, "max">,
    I32EnumAttrCase<"Min", 0x1fff3, "min">,
    I32EnumAttrCase<"Div", 0x1fff4, "div">,
    I32EnumAttrCase<"Sub", 0x1fff5, "sub">]>;

def OneDNN_PoolingAlgorithm : OneDNN_Enum<"PoolingAlgorithm", "pooling algorithm", [
    I32EnumAttrCase<"Max", 0x1ff, "max">,
    I32EnumAttrCase<"AverageIncludePadding", 0x2ff, "avg_include_padding">,
    I32EnumAttrCase<"AverageExcludePadding", 0x3ff, "avg_exclude_padding">]>;

def OneDNN_SoftmaxAlgorithm : OneDNN_Enum<"SoftmaxAlgorithm", "softmax algorithm", [
    I32EnumAttrCase<"Accurate", 0x30000, "accurate">,
    I32EnumAttrCase<"Log", 0x30001, "log">]>;

#endif // ONEDNN_ENUMS_TD
