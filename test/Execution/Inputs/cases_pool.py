# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Pooling: geometry, padding in means, types, what is fused with it."""

import numpy as np
from execution import Case

OPTIONS = [("--mcpu=x86-64-v3", "--prefer=onednn")]

GEOMETRIES = {  # name: rank of space, attributes
    "plain": (2, "kernel_shape = [2, 3]"),
    "strides": (2, "kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]"),
    "ceil": (2, "kernel_shape = [3, 2], strides = [2, 3], ceil_mode = 1"),
    "ceil_pads": (2, "kernel_shape = [3, 3], strides = [2, 2], pads = [0, 1, 1, 0], ceil_mode = 1"),
    "ceil_large_stride": (2, "kernel_shape = [2, 2], strides = [3, 3], pads = [0, 0, 1, 1], ceil_mode = 1"),
    "dilations": (2, "kernel_shape = [2, 3], dilations = [3, 2]"),
    "dilations_ceil": (2, "kernel_shape = [2, 2], dilations = [2, 2], strides = [2, 2], ceil_mode = 1"),
    "asymmetric": (2, "kernel_shape = [4, 3], pads = [3, 0, 1, 2]"),
    "same_upper": (2, "kernel_shape = [3, 3], strides = [2, 2], auto_pad = \"SAME_UPPER\""),
    "same_lower": (2, "kernel_shape = [2, 4], auto_pad = \"SAME_LOWER\""),
    "valid_ceil": (2, "kernel_shape = [3, 2], strides = [2, 3], auto_pad = \"VALID\", ceil_mode = 1"),
    "valid_ceil_dilations": (2, "kernel_shape = [2, 3], strides = [2, 2], dilations = [3, 2], "
                                "auto_pad = \"VALID\", ceil_mode = 1"),
    "valid_ceil_gaps": (2, "kernel_shape = [1, 2], strides = [4, 3], auto_pad = \"VALID\", ceil_mode = 1"),
    "same_upper_ceil": (2, "kernel_shape = [3, 2], strides = [2, 3], auto_pad = \"SAME_UPPER\", ceil_mode = 1"),
    "valid": (2, "kernel_shape = [2, 4], strides = [2, 2], auto_pad = \"VALID\""),
    "line": (1, "kernel_shape = [4], pads = [2, 1]"),
    "line_ceil": (1, "kernel_shape = [3], strides = [2], ceil_mode = 1"),
    "volume": (3, "kernel_shape = [2, 2, 3], strides = [1, 2, 2]"),
}
DIMS = {1: "W", 2: "H,W", 3: "4,H,W"}
SIZES = [{"N": 1, "H": 7, "W": 8}, {"N": 2, "H": 10, "W": 11}, {"N": 0, "H": 7, "W": 8}]


def plain():
    for name, (rank, attributes) in GEOMETRIES.items():
        for channels in (3, 16):
            inputs = f"float[N,{channels},{DIMS[rank]}] x"
            static = inputs.replace("N", "2").replace("H", "9").replace("W", "8")
            for kind, text in (("", inputs), ("_static", static)):
                sizes = ({},) if kind else SIZES
                yield Case(f"MaxPool_{name}_{channels}{kind}", text,
                           f"y = MaxPool<{attributes}>(x)", sizes=sizes)
                for include in (0, 1):
                    # ONNX Runtime divides by the whole kernel where ceil_mode makes
                    # windows leave the padded input; ONNX says otherwise.
                    oracle = not (include and "ceil_mode" in attributes)
                    yield Case(f"AveragePool_{name}_{channels}_{include}{kind}", text,
                               f"y = AveragePool<{attributes}, count_include_pad = {include}>(x)",
                               sizes=sizes, oracle=oracle)
    for op in ("MaxPool", "AveragePool", "LpPool"):
        # In ceil mode, the only window may reach beyond the end.
        yield Case(f"{op}_beyond", "float[1,3,H,W] x",
                   f"y = {op}<kernel_shape = [3, 3], strides = [2, 2], ceil_mode = 1>(x)",
                   sizes=[{"H": 2, "W": 7}])
        # Dilations larger than the input: of a single tap, and with pads on both sides.
        for name, attributes in (("tap", "kernel_shape = [2, 1], dilations = [1, 3]"),
                                 ("pads", "kernel_shape = [3, 2], dilations = [1, 3], pads = [1, 1, 1, 1]"),
                                 ("same", "kernel_shape = [2, 2], dilations = [3, 3], auto_pad = \"SAME_UPPER\"")):
            if op == "LpPool" and name != "pads":
                continue
            # ONNX Runtime refuses "same" together with dilations; its maxima of windows
            # of -inf or outside the input are the least finite number.
            yield Case(f"{op}_dilation_{name}", "float[1,3,H,W] x", f"y = {op}<{attributes}>(x)",
                       sizes=[{"H": 3, "W": 2 if name == "pads" else 1}, {"H": 2, "W": 2},
                              {"H": 6, "W": 7}],
                       oracle=name == "tap" or name == "pads" and op != "MaxPool")
    yield Case("GlobalAveragePool", "float[N,5,H,W] x", "y = GlobalAveragePool(x)",
               sizes=SIZES[:2])
    yield Case("GlobalMaxPool", "float[N,5,H,W] x", "y = GlobalMaxPool(x)", sizes=SIZES[:2])
    yield Case("MaxPool_channels_unknown", "float[N,C,H,W] x",
               "y = MaxPool<kernel_shape = [2, 2]>(x)",
               sizes=[{"N": 1, "C": 3, "H": 4, "W": 5}, {"N": 2, "C": 16, "H": 7, "W": 3}])


def types():
    attributes = "kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]"
    for dtype in ["float16", "bfloat16", "double"]:
        yield Case(f"MaxPool_{dtype}", f"{dtype}[N,6,H,W] x", f"y = MaxPool<{attributes}>(x)",
                   sizes=SIZES)
        yield Case(f"AveragePool_{dtype}", f"{dtype}[N,6,H,W] x",
                   f"y = AveragePool<{attributes}>(x)", sizes=SIZES)
        yield Case(f"GlobalAveragePool_{dtype}", f"{dtype}[N,6,H,W] x",
                   "y = GlobalAveragePool(x)", sizes=SIZES[:2])
    for dtype in ["int8", "uint8"]:
        limits = {"x": (-128, 127) if dtype == "int8" else (0, 255)}
        yield Case(f"MaxPool_{dtype}", f"{dtype}[N,6,H,W] x", f"y = MaxPool<{attributes}>(x)",
                   sizes=SIZES, ranges=limits)
        yield Case(f"MaxPool_{dtype}_wide", f"{dtype}[1,64,9,9] x",
                   f"y = MaxPool<{attributes}>(x)", ranges=limits)


def lines():
    """Lines of a few vectors, and of more than fits into the scratch memory of a kernel."""
    for name, attributes, widths in (
            ("long", "kernel_shape = [3], pads = [1, 1]", (1, 5, 31, 9001)),
            ("long_strides", "kernel_shape = [5], strides = [3], pads = [2, 2]", (1, 5, 40, 9001)),
            ("far", "kernel_shape = [4], strides = [7]", (4, 100, 4001)),
            ("wide", "kernel_shape = [37], pads = [18, 18]", (1, 36, 100)),
            ("gaps", "kernel_shape = [3], dilations = [400], pads = [400, 400]", (1, 500, 2500)),
            ("gaps_same", "kernel_shape = [3], dilations = [2], strides = [2], ceil_mode = 1, "
                          "pads = [2, 1]", (4, 9, 60))):
        for pool in ("MaxPool", "AveragePool"):
            for include in (0, 1) if pool == "AveragePool" else (None,):
                text = f"{pool}<{attributes}"
                text += "" if include is None else f", count_include_pad = {include}"
                # Of windows that lie in the padding only, ONNX Runtime's maxima are the least
                # finite number, its means NaN; it counts what ceil_mode adds.
                oracle = name in ("long", "long_strides", "far")
                sizes = [{"W": width} for width in widths]
                yield Case(f"{pool}_{name}_{include}", "float[2,3,W] x", f"y = {text}>(x)",
                           sizes=sizes, oracle=oracle)
                yield Case(f"{pool}_{name}_{include}_static", f"float[2,3,{widths[-1]}] x",
                           f"y = {text}>(x)", oracle=oracle)


def last():
    """Channels last, as convolutions want them."""
    for channels in (2, 5, 24, 40):
        for kind, text in (("", f"float[N,{channels},H,W] x"),
                           ("_static", f"float[2,{channels},9,8] x")):
            for name, attributes in (("overlap", "kernel_shape = [3, 3], pads = [1, 1, 1, 1]"),
                                     ("apart", "kernel_shape = [2, 2], strides = [2, 2], ceil_mode = 1"),
                                     ("padded", "kernel_shape = [3, 2], strides = [3, 2], pads = [2, 1, 0, 0]"),
                                     ("large", "kernel_shape = [5, 6], dilations = [1, 1], pads = [2, 3, 2, 3]")):
                for pool in ("MaxPool", "AveragePool"):
                    yield Case(f"{pool}_last_{name}_{channels}{kind}", text,
                               f"t = Conv(x, w)  u = {pool}<{attributes}>(t)  v = Relu(u)"
                               "  y = Conv(v, w)",
                               weights=f"float[{channels},{channels},1,1] w",
                               sizes=({},) if kind else SIZES[:2])


def fused():
    sizes = SIZES[:2]
    for pool in ("MaxPool", "AveragePool"):
        operator = f"{pool}<kernel_shape = [2, 2], strides = [2, 2]>"
        for name, body in {
                "relu": f"t = {operator}(x)  y = Relu(t)",
                "scale": f"t = {operator}(x)  u = Mul(t, s)  y = Add(u, s)",
                "before": f"r = Sigmoid(x)  y = {operator}(r)",
                "around": f"r = Mul(x, s)  t = {operator}(r)  y = Tanh(t)",
                "two_uses": f"t = {operator}(x)  y = Relu(t)  z = Neg(t)",
                "added": f"t = {operator}(x)  u = AveragePool<kernel_shape = [2, 2], "
                         f"strides = [2, 2]>(x)  y = Sub(t, u)",
                "chain": f"t = {operator}(x)  u = {operator}(t)  y = HardSwish(u)"}.items():
            yield Case(f"{pool}_fused_{name}", "float[N,12,H,W] x", body, sizes=sizes,
                       weights="float[12,1,1] s" if " s)" in body else "")


def infinite():
    """Windows of nothing but -infinity beside others of the least finite number."""
    for channels in (3, 16):
        x = np.full((2, channels, 8, 9), -np.inf, "f4")
        x[0, 0, 3, 4] = np.finfo("f4").min
        x[1, 1, :4] = np.finfo("f4").min
        x[1, 2, 5, 5] = 1
        for name, attributes in (("plain", "kernel_shape = [2, 2], strides = [2, 2]"),
                                 ("same", "kernel_shape = [3, 3], auto_pad = \"SAME_UPPER\""),
                                 ("dilated", "kernel_shape = [3, 2], dilations = [2, 3], pads = [1, 1, 1, 1]")):
            for kind, text in (("", "float[N,C,H,W] x".replace("C", str(channels))),
                               ("_static", f"float[2,{channels},8,9] x")):
                # ONNX Runtime gives the least finite number.
                yield Case(f"MaxPool_infinite_{name}_{channels}{kind}", text,
                           f"y = MaxPool<{attributes}>(x)  r = Relu(y)", values={"x": x},
                           sizes=[{"N": 2, "H": 8, "W": 9}] if not kind else ({},), oracle=False)


def all_cases():
    for group in (plain, types, lines, last, fused, infinite):
        yield from group()
