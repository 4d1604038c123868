# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Products, activations and normalizations that ONNX Runtime's optimizer fuses, and its
names for operators of ai.onnx."""

import numpy as np
from execution import Case

SIZES = [{"N": 1, "M": 1}, {"N": 3, "M": 17}]

#: What FusedConv ends with, by name and parameters.
CONV_ACTIVATIONS = {"": "", "Relu": "", "Sigmoid": "", "Tanh": "", "LeakyRelu": "0.3",
                    "Clip": "-0.5, 0.7", "HardSigmoid": "0.3, 0.4", "HardSwish": ""}

#: The same of FusedGemm, whose parameters are attributes.
GEMM_ACTIVATIONS = {"Relu": {}, "Sigmoid": {}, "Tanh": {}, "Softplus": {}, "Softsign": {},
                    "LeakyRelu": {"alpha": 0.3}, "Elu": {"alpha": 0.7},
                    "HardSigmoid": {"alpha": 0.3, "beta": 0.4},
                    "Selu": {"alpha": 1.5, "gamma": 1.1}, "ThresholdedRelu": {"alpha": 0.5}}


def products():
    for name, parameters in CONV_ACTIVATIONS.items():
        activation = f', activation = "{name}"' if name else ""
        activation += f", activation_params = [{parameters}]" if parameters else ""
        yield Case(f"FusedConv_{name}", "float[N,4,9,M] x",
                   f"y = com.microsoft.FusedConv<pads = [1, 1, 1, 1]{activation}>(x, w, b)",
                   weights="float[6,4,3,3] w, float[6] b", sizes=SIZES)
    yield Case("FusedConv_sum", "float[N,4,9,9] x, float[N,6,5,5] z",
               'y = com.microsoft.FusedConv<auto_pad = "SAME_UPPER", strides = [2, 2], '
               'group = 2, activation = "Relu">(x, w, , z)',
               weights="float[6,2,3,3] w", sizes=[{"N": 1}, {"N": 2}])
    for name, parameters in GEMM_ACTIVATIONS.items():
        attributes = "".join(f", activation_{key} = {value}" for key, value in parameters.items())
        yield Case(f"FusedGemm_{name}", "float[N,20] x",
                   f'y = com.microsoft.FusedGemm<transB = 1, alpha = 0.5, beta = 2.0, '
                   f'activation = "{name}"{attributes}>(x, w, b)',
                   weights="float[12,20] w, float[12] b", sizes=[{"N": 1}, {"N": 5}])
    for trans_a in (0, 1):
        for trans_b in (0, 1):
            a = "2,3,5,4" if trans_a else "2,3,4,5"
            b = "2,3,6,5" if trans_b else "2,3,5,6"
            yield Case(f"FusedMatMul_{trans_a}{trans_b}", f"float[{a}] a, float[{b}] b",
                       f"y = com.microsoft.FusedMatMul<alpha = 0.25, transA = {trans_a}, "
                       f"transB = {trans_b}>(a, b)")
            a = "5,2,3,4" if trans_a else "4,2,3,5"
            b = "6,2,3,5" if trans_b else "5,2,3,6"
            yield Case(f"FusedMatMul_batch_{trans_a}{trans_b}", f"float[{a}] a, float[{b}] b",
                       f"y = com.microsoft.FusedMatMul<transA = {trans_a}, transB = {trans_b}, "
                       "transBatchA = 1, transBatchB = 1>(a, b)")
    yield Case("FusedMatMul_vectors", "float[5] a, float[6,5] b, float[5] c",
               "y = com.microsoft.FusedMatMul<transA = 1, transB = 1>(a, b)  "
               "z = com.microsoft.FusedMatMul<transB = 1>(b, c)")
    yield Case("TransposeMatMul", "float[N,7] a, float[5,7] b",
               "y = com.microsoft.TransposeMatMul<alpha = 2.0, transB = 1>(a, b)", sizes=SIZES)
    # Only ONNX Runtime for GPUs computes it.
    yield Case("GemmFastGelu", "float[N,7] x",
               "y = com.microsoft.GemmFastGelu(x, w, b)",
               weights="float[7,5] w, float[5] b", sizes=SIZES)


def activations():
    x = "float[N,M,24] x"
    for name, operands in {"Gelu": "x", "BiasGelu": "x, b", "FastGelu": "x, b"}.items():
        yield Case(name, x, f"y = com.microsoft.{name}({operands})",
                   weights="float[24] b" if "b" in operands else "", sizes=SIZES)
    yield Case("FastGelu_no_bias", x, "y = com.microsoft.FastGelu(x)", sizes=SIZES)
    yield Case("QuickGelu", x, "y = com.microsoft.QuickGelu(x)", sizes=SIZES)
    yield Case("QuickGelu_alpha", x, "y = com.microsoft.QuickGelu<alpha = -0.9>(x)", sizes=SIZES)
    # These are of ONNX Runtime for GPUs, too.
    yield Case("BiasSplitGelu", x, "y = com.microsoft.BiasSplitGelu(x, b)",
               weights="float[24] b", sizes=SIZES)
    yield Case("BiasAdd", f"{x}, float[N,M,24] s", "y = com.microsoft.BiasAdd(x, b, s)",
               weights="float[24] b", sizes=SIZES)
    yield Case("BiasDropout", f"{x}, float[N,M,24] r",
               "y = com.microsoft.BiasDropout(x, b, r)", weights="float[24] b", sizes=SIZES)
    yield Case("BiasSoftmax", f"{x}, float[N,1,24] b",
               "y = com.microsoft.BiasSoftmax<axis = 2, is_inner_broadcast = 1>(x, b)  "
               "z = com.microsoft.BiasSoftmax<is_inner_broadcast = 1>(x, b)", sizes=SIZES)


def normalizations():
    for real in ("float", "float16"):
        x, weights = f"{real}[N,M,24] x", f"{real}[24] g, {real}[24] b, {real}[24] c"
        skipped = f"{x}, {real}[N,M,24] s"
        yield Case(f"SkipLayerNormalization_{real}", skipped,
                   "y, , , t = com.microsoft.SkipLayerNormalization<epsilon = 1e-5>(x, s, g, b, c)",
                   weights=weights, sizes=SIZES)
        yield Case(f"SkipSimplifiedLayerNormalization_{real}", skipped,
                   "y, , , t = com.microsoft.SkipSimplifiedLayerNormalization<epsilon = 1e-5>"
                   "(x, s, g, c)", weights=f"{real}[24] g, {real}[24] c", sizes=SIZES)
        yield Case(f"SimplifiedLayerNormalization_{real}", x,
                   "y = SimplifiedLayerNormalization(x, g)", weights=f"{real}[24] g", sizes=SIZES)
        yield Case(f"LayerNormalization_opset14_{real}", x,
                   "y, m, d = LayerNormalization<axis = -1, epsilon = 1e-3>(x, g, b)",
                   weights=f"{real}[24] g, {real}[24] b", sizes=SIZES, opset=14)
    yield Case("SkipLayerNormalization_broadcast", "float[N,M,24] x, float[M,24] s",
               "y = com.microsoft.SkipLayerNormalization(x, s, g)", weights="float[24] g",
               sizes=SIZES)
    # ONNX Runtime leaves the statistics out.
    yield Case("SkipLayerNormalization_statistics", "float[N,M,24] x, float[N,M,24] s",
               "y, m, d, t = com.microsoft.SkipLayerNormalization(x, s, g)",
               weights="float[24] g", sizes=SIZES, oracle=False)
    yield Case("SimplifiedLayerNormalization_axis1", "float[N,M,24] x",
               "y, d = SimplifiedLayerNormalization<axis = 1, epsilon = 0.1>(x, g)",
               weights="float[17,24] g", sizes=[{"N": 2, "M": 17}])
    # Only ONNX Runtime for GPUs has these.
    for last, shape in ((1, "N,5,M,8"), (0, "N,8,5,M")):
        attributes = f"activation = 1, groups = 4, channels_last = {last}"
        yield Case(f"GroupNorm_{last}", f"float[{shape}] x",
                   f"y = com.microsoft.GroupNorm<{attributes}>(x, g, b)",
                   weights="float[8] g, float[8] b", sizes=SIZES)
        yield Case(f"SkipGroupNorm_{last}", f"float[{shape}] x, float[N,8] s",
                   f"y, t = com.microsoft.SkipGroupNorm<{attributes}>(x, g, b, s, c)",
                   weights="float[8] g, float[8] b, float[8] c", sizes=SIZES)


def names():
    """Operators of ai.onnx by other names."""
    x = "float[N,M,6] x"
    yield Case("ExpandDims", x, "y = com.microsoft.ExpandDims(x, a)  "
               "z = com.microsoft.ExpandDims(x, b)", weights="int32 a, int32 b", sizes=SIZES,
               values={"a": np.int32(1), "b": np.int32(-1)})
    for mode in ("constant", "reflect", "edge"):
        yield Case(f"Pad_{mode}", "float[N,7] x",
                   f'y = com.microsoft.Pad<mode = "{mode}">(x, p, v)',
                   weights="int64[4] p, float v", values={"p": np.int64([0, 2, 0, 3])},
                   sizes=[{"N": 3}])
    yield Case("Range", "float a, float b, float d",
               "y = com.microsoft.Range(a, b, d)  z = com.microsoft.Range(a, b)",
               values={"a": np.float32(1.5), "b": np.float32(7.1), "d": np.float32(0.7)})
    yield Case("GridSample", "float[2,3,5,6] x, float[2,4,7,2] g",
               'y = com.microsoft.GridSample<mode = "bilinear", align_corners = 1>(x, g)  '
               'z = com.microsoft.GridSample<mode = "nearest", padding_mode = "border">(x, g)',
               ranges={"g": (-1.2, 1.2)}, tolerance=5)
    yield Case("GatherND", "float[3,4,5] x", "y = com.microsoft.GatherND(x, i)",
               weights="int64[2,2] i", values={"i": np.int64([[0, 1], [2, 3]])})
    yield Case("Trilu", "float[N,5,6] x", "y = com.microsoft.Trilu(x)  "
               "z = com.microsoft.Trilu<upper = 0>(x, k)", weights="int64 k",
               values={"k": np.int64(1)}, sizes=SIZES)
    yield Case("ConvTransposeWithDynamicPads", "float[N,4,7,M] x",
               "y = com.microsoft.ConvTransposeWithDynamicPads<strides = [2, 2], "
               "output_padding = [1, 0]>(x, w, p, b)",
               weights="float[4,3,3,3] w, int64[4] p, float[3] b",
               values={"p": np.int64([1, 0, 1, 2])}, sizes=SIZES)
    for metric in ("sqeuclidean", "euclidean"):
        yield Case(f"CDist_{metric}", "float[N,9] a, float[M,9] b",
                   f'y = com.microsoft.CDist<metric = "{metric}">(a, b)', sizes=SIZES, tolerance=5)
    yield Case("Unique", "float[9] x", "y, i, c = com.microsoft.Unique(x)",
               values={"x": np.float32([3, 1, 2, 1, 3, 3, 0, 5, 2])})


def channels_last():
    """ONNX Runtime has NhwcMaxPool for 8 bits, and NhwcFusedConv for other machines."""
    for dtype in ("uint8", "int8"):
        yield Case(f"NhwcMaxPool_{dtype}", f"{dtype}[N,9,8,6] x",
                   "y = com.microsoft.NhwcMaxPool<kernel_shape = [3, 2], strides = [2, 1], "
                   "pads = [1, 0, 1, 1]>(x)", ranges={"x": (0, 100)}, sizes=SIZES)
    yield Case("NhwcFusedConv", "float[N,9,8,4] x, float[N,9,8,6] z",
               'y = com.microsoft.NhwcFusedConv<pads = [1, 1, 1, 1], activation = "Relu">'
               "(x, w, b, z)  t = com.microsoft.NhwcConv<strides = [2, 2]>(x, w, b)",
               weights="float[6,4,3,3] w, float[6] b", sizes=SIZES)


def inverses():
    for real, tolerance in (("float", 50), ("float16", 5), ("double", 50)):
        yield Case(f"Inverse_{real}", f"{real}[N,2,5,5] x", "y = com.microsoft.Inverse(x)",
                   sizes=[{"N": 1}, {"N": 3}], tolerance=tolerance)
    # The first pivot is 0.
    yield Case("Inverse_pivots", "float[3,3] x", "y = com.microsoft.Inverse(x)",
               values={"x": np.float32([[0, 2, 1], [1, 0, 3], [4, 1, 0]])}, tolerance=5)


def indexing():
    # Regions inside, across and outside of the image, and turned ones.
    regions = np.float32([[0, 0, 1, 1], [0.2, 0.1, 0.8, 0.7], [-0.3, 0.4, 0.5, 1.4],
                          [1.2, 1.2, 1.5, 1.5], [0.9, 0.8, 0.1, 0.3]])
    values = {"r": regions, "b": np.int32([0, 1, 1, 0, 1])}
    for mode in ("bilinear", "nearest"):
        for rows, columns in ((3, 4), (1, 2), (5, 1)):
            yield Case(f"CropAndResize_{mode}_{rows}{columns}",
                       "float[2,3,H,9] x, float[R,4] r, int32[R] b",
                       f"s = Constant <value = int32[2] {{{rows}, {columns}}}> ()  "
                       f'y = com.microsoft.CropAndResize<mode = "{mode}", '
                       "extrapolation_value = 0.25>(x, r, b, s)",
                       sizes=[{"H": 7, "R": 5}], values=values, tolerance=5)
    for dim, size, step in ((-1, 3, 1), (1, 4, 2), (0, 2, 3)):
        yield Case(f"UnfoldTensor_{dim}", "float[N,9,M] x",
                   f"y = com.microsoft.UnfoldTensor<dim = {dim}, size = {size}, step = {step}>(x)",
                   sizes=[{"N": 2, "M": 5}, {"N": 6, "M": 3}])
    # Of words without characters, ONNX Runtime writes nothing.
    words = np.int32([[3, 1, 4, 0, 0, 0], [2, 0, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6], [5, 5, 0, 0, 0, 0]])
    for window in (1, 2, 3, 6):
        yield Case(f"WordConvEmbedding_{window}", "int32[N,6] x",
                   "y = com.microsoft.WordConvEmbedding(x, w, b, c)", values={"x": words},
                   weights=f"float[5,1,{window},4] w, float[5] b, float[7,4] c",
                   sizes=[{"N": 4}], tolerance=2)
    for length in (1, 2, 3):
        yield Case(f"NGramRepeatBlock_{length}", "int64[N,S] i, float[N,8] s",
                   f"y = com.microsoft.NGramRepeatBlock<ngram_size = {length}>(i, s)",
                   ranges={"i": (0, 3)}, sizes=[{"N": 2, "S": 12}, {"N": 3, "S": 2},
                                                {"N": 1, "S": 1}])


def all_cases():
    for family in (products, activations, normalizations, names, channels_last, inverses,
                   indexing):
        yield from family()
