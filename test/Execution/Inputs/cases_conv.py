# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Convolutions: geometry, types, run-time weights, what is fused with them,
layouts."""

import numpy as np
from execution import Case

# Once more with everything that oneDNN can do given to it.
OPTIONS = [("--mcpu=x86-64-v3", "--prefer=onednn")]

GEOMETRIES = {  # name: input, weight, attributes
    "plain": ("N,2,H,W", "3,2,3,3", ""),
    "strides": ("N,3,H,W", "4,3,3,3", "pads = [1, 1, 1, 1], strides = [2, 2]"),
    "pads": ("N,2,H,W", "2,2,3,2", "pads = [2, 0, 1, 3]"),
    "dilations": ("N,2,H,W", "5,2,3,2", "pads = [2, 1, 2, 1], dilations = [2, 3]"),
    "group": ("N,4,H,W", "6,2,3,3", "group = 2, pads = [1, 0, 0, 1]"),
    "group_wide": ("N,32,H,W", "48,16,3,3", "group = 2, pads = [1, 1, 1, 1]"),
    "depthwise": ("N,17,H,W", "17,1,3,3", "group = 17, pads = [1, 1, 1, 1]"),
    "depthwise_strides": ("N,16,H,W", "16,1,5,3", "group = 16, strides = [2, 1], pads = [2, 1, 2, 1]"),
    "depthwise_dilations": ("N,8,H,W", "8,1,3,3", "group = 8, dilations = [2, 2], pads = [0, 2, 4, 2]"),
    "depthwise_multiplier": ("N,4,H,W", "8,1,3,3", "group = 4, strides = [2, 1]"),
    "pointwise": ("N,19,H,W", "33,19,1,1", ""),
    "pointwise_strides": ("N,8,H,W", "16,8,1,1", "strides = [2, 2]"),
    "odd": ("N,5,H,W", "7,5,5,4", "pads = [2, 2, 2, 1]"),
    "wide": ("N,32,H,W", "64,32,3,3", "pads = [1, 1, 1, 1]"),
    "same_upper": ("N,2,H,W", "3,2,3,3", "auto_pad = \"SAME_UPPER\", strides = [2, 3]"),
    "same_lower": ("N,2,H,W", "3,2,2,4", "auto_pad = \"SAME_LOWER\""),
    "valid": ("N,2,H,W", "3,2,3,3", "auto_pad = \"VALID\", strides = [2, 2]"),
    "line": ("N,3,W", "5,3,4", "strides = [3], pads = [2, 1]"),
    "line_depthwise": ("N,6,W", "6,1,3", "group = 6, pads = [1, 1]"),
    "volume": ("N,2,4,H,W", "3,2,2,3,2", "pads = [1, 0, 1, 0, 1, 0]"),
}
SIZES = [{"N": 1, "H": 7, "W": 8}, {"N": 2, "H": 11, "W": 9}, {"N": 1, "H": 16, "W": 33},
         {"N": 0, "H": 7, "W": 7}]
STATIC = {"N": "2", "H": "9", "W": "13"}


def at(dims, sizes):
    return ",".join(sizes.get(d, d) for d in dims.split(","))


def conv():
    for name, (x, w, attributes) in GEOMETRIES.items():
        bias = w.split(",")[0]
        operator = f"Conv<{attributes}>" if attributes else "Conv"
        yield Case(f"Conv_{name}", f"float[{x}] x", f"y = {operator}(x, w, b)",
                   weights=f"float[{w}] w, float[{bias}] b", sizes=SIZES)
        yield Case(f"Conv_static_{name}", f"float[{at(x, STATIC)}] x", f"y = {operator}(x, w)",
                   weights=f"float[{w}] w")
        # Weights and bias that are known at run time only.
        yield Case(f"Conv_inputs_{name}", f"float[{x}] x, float[{w}] w, float[{bias}] b",
                   f"y = {operator}(x, w, b)", sizes=SIZES)
    yield Case("Conv_bias_input", "float[N,3,9,9] x, float[8] b", "y = Conv(x, w, b)",
               weights="float[8,3,3,3] w", sizes=[{"N": 1}, {"N": 3}])
    yield Case("Conv_dynamic_results", "float[1,3,9,9] x, float[M,3,3,2] w", "y = Conv(x, w)",
               sizes=[{"M": 4}, {"M": 1}, {"M": 17}])
    yield Case("Conv_dynamic_channels", "float[1,C,9,9] x, float[4,C,3,3] w", "y = Conv(x, w)",
               sizes=[{"C": 4}, {"C": 1}])
    for dtype in ["float16", "bfloat16", "double"]:
        for name in ["plain", "strides", "group", "depthwise", "pointwise"]:
            x, w, attributes = GEOMETRIES[name]
            operator = f"Conv<{attributes}>" if attributes else "Conv"
            yield Case(f"Conv_{dtype}_{name}", f"{dtype}[{x}] x", f"y = {operator}(x, w, b)",
                       weights=f"{dtype}[{w}] w, {dtype}[{w.split(',')[0]}] b",
                       sizes=SIZES[:2], tolerance=3)


CHANNELS_LAST = {  # name: spatial dimensions, sizes of them, weight, attributes
    "first": ("H,W", [(13, 17), (5, 40), (3, 3)], "16,3,5,5", "pads = [2, 2, 2, 2], strides = [2, 2]"),
    "few": ("H,W", [(8, 8), (7, 25), (1, 1)], "24,16,3,3", "pads = [1, 1, 1, 1]"),
    "many": ("H,W", [(6, 7), (5, 13), (1, 2)], "40,64,3,3", "pads = [1, 1, 1, 1]"),
    "many_strided": ("H,W", [(9, 9), (6, 14)], "13,70,3,2", "pads = [1, 0, 1, 2], strides = [2, 3]"),
    "unpadded": ("H,W", [(9, 11), (4, 32)], "8,20,3,4", ""),
    "dilated": ("H,W", [(12, 10), (9, 31)], "20,12,3,3", "pads = [2, 3, 2, 3], dilations = [2, 3]"),
    "padded_more": ("H,W", [(4, 5), (1, 1)], "17,8,2,3", "pads = [3, 4, 5, 6]"),
    "skipping": ("H,W", [(10, 11), (7, 30)], "6,9,2,2", "strides = [3, 4]"),
    "pointwise": ("H,W", [(7, 7), (1, 1), (30, 29)], "50,33,1,1", ""),
    "pointwise_deep": ("H,W", [(7, 7), (1, 1), (5, 13)], "35,600,1,1", ""),
    "pointwise_strided": ("H,W", [(7, 8), (1, 1)], "16,48,1,1", "strides = [2, 2]"),
    "pointwise_padded": ("H,W", [(4, 5), (1, 1)], "16,9,1,1", "pads = [1, 2, 0, 1]"),
    "groups": ("H,W", [(7, 9), (3, 20)], "36,10,3,3", "group = 3, pads = [1, 1, 1, 1]"),
    "groups_pointwise": ("H,W", [(7, 9), (1, 1)], "40,17,1,1", "group = 2"),
    "group_pairs": ("H,W", [(7, 9), (3, 20), (1, 1)], "34,2,3,3", "group = 17, pads = [1, 1, 1, 1]"),
    "group_pairs_strided": ("H,W", [(9, 13), (6, 40)], "22,2,5,4", "group = 11, strides = [2, 3], pads = [2, 1, 2, 3]"),
    "group_triples": ("H,W", [(9, 13), (2, 30)], "15,3,3,3", "group = 5, dilations = [2, 3], pads = [2, 3, 2, 3]"),
    "group_quadruples": ("H,W", [(6, 8), (5, 19)], "20,4,3,5", "group = 5, pads = [1, 2, 1, 2]"),
    "group_more_filters": ("H,W", [(6, 8), (5, 19)], "44,3,3,2", "group = 11, pads = [1, 0, 0, 1]"),
    "group_more_channels": ("H,W", [(6, 8), (5, 19)], "10,4,3,3", "group = 5"),
    "group_joined": ("H,W", [(6, 8), (5, 19)], "7,2,3,3", "group = 7, pads = [1, 1, 1, 1]"),
    "multiplier": ("H,W", [(6, 8), (5, 19)], "34,1,3,3", "group = 17, pads = [1, 1, 1, 1]"),
    "multiplier_three": ("H,W", [(6, 8), (5, 19)], "15,1,3,5", "group = 5, pads = [1, 2, 1, 2]"),
    "depthwise_two": ("H,W", [(6, 8), (5, 19)], "2,1,3,3", "group = 2, pads = [1, 1, 1, 1]"),
    "depthwise_long": ("H,W", [(4, 40), (3, 7), (5, 100)], "9,1,3,31", "group = 9, pads = [1, 15, 1, 15]"),
    "depthwise_long_strided": ("H,W", [(2, 60), (1, 41)], "20,1,1,21", "group = 20, dilations = [1, 2], strides = [1, 3], pads = [0, 20, 0, 11]"),
    "line_depthwise_long": ("W", [(50,), (3,), (1,)], "13,1,33", "group = 13, pads = [16, 16]"),
    "line_groups_long": ("W", [(50,), (21,)], "12,2,19", "group = 6, strides = [2], pads = [9, 9]"),
    "single": ("H,W", [(9, 13), (70, 80), (1, 1)], "1,1,5,7", "pads = [2, 3, 2, 3]"),
    "single_unpadded": ("H,W", [(4, 5), (5, 130)], "1,1,3,2", "dilations = [1, 3]"),
    "single_pointwise": ("H,W", [(4, 5), (33, 70)], "1,1,1,1", ""),
    "single_line": ("W", [(500,), (3,), (1,)], "1,1,401", "pads = [200, 200]"),
    "single_volume": ("D,H,W", [(3, 4, 8), (2, 2, 2), (9, 20, 24)], "1,1,3,3,3", "pads = [1, 0, 1, 1, 2, 1]"),
    "line": ("W", [(50,), (3,), (1,)], "18,6,5", "pads = [2, 2]"),
    "line_unpadded": ("W", [(50,), (300,)], "18,40,7", "strides = [2]"),
    "line_dilated": ("W", [(50,), (31,)], "9,24,3", "pads = [4, 4], dilations = [4]"),
    "volume": ("D,H,W", [(4, 5, 6), (1, 7, 9)], "20,6,3,3,3", "pads = [1, 1, 1, 1, 1, 1]"),
    "volume_many": ("D,H,W", [(3, 4, 8), (2, 2, 2)], "12,40,2,3,2", "pads = [1, 0, 1, 0, 1, 0], strides = [1, 2, 1]"),
}


def channels_last():
    for name, (spatial, sizes, weight, attributes) in CHANNELS_LAST.items():
        columns, depth, *kernel = (int(size) for size in weight.split(","))
        groups = int(attributes.split("group = ")[1].split(",")[0]) if "group" in attributes else 1
        rank = len(kernel) + 2
        to_first = [0, rank - 1, *range(1, rank - 1)]
        to_last = [0, *range(2, rank), 1]
        body = (f"u = Transpose<perm = {to_first}>(x)  t = Conv<{attributes}>(u, w, b)  "
                f"r = Relu(t)  y = Transpose<perm = {to_last}>(r)")
        body = body.replace("Conv<>", "Conv")
        weights = f"float[{weight}] w, float[{columns}] b"
        names = spatial.split(",")
        runs = [{"N": n, **dict(zip(names, size))} for n, size in zip((2, 1, 3), sizes)]
        yield Case(f"channels_last_{name}", f"float[N,{spatial},{depth * groups}] x", body,
                   weights=weights, sizes=runs)
        for number, run in enumerate(runs):
            dims = ",".join(str(run[dim]) for dim in ["N", *names])
            yield Case(f"channels_last_static_{name}_{number}",
                       f"float[{dims},{depth * groups}] x", body, weights=weights)
    # An epilogue too long to be repeated, and a residual.
    for sizes in ([{"N": 1, "H": 8, "W": 7}, {"N": 2, "H": 5, "W": 12}], [{}]):
        dims = "N,H,W" if sizes[0] else "2,8,11"
        for name, weight, attributes in [("padded", "20,12,3,3", "pads = [1, 1, 1, 1]"),
                                         ("pointwise", "20,12,1,1", "pads = [0, 0, 0, 0]")]:
            yield Case(f"channels_last_{name}_{'dynamic' if sizes[0] else 'static'}_epilogue",
                       f"float[{dims},12] x, float[{dims},20] r",
                       f"u = Transpose<perm = [0, 3, 1, 2]>(x)  t = Conv<{attributes}>(u, w, b)  "
                       "s = Sigmoid(t)  m = Mul(t, s)  v = Transpose<perm = [0, 2, 3, 1]>(m)  "
                       "y = Add(v, r)", weights=f"float[{weight}] w, float[20] b", sizes=sizes,
                       tolerance=2)


TRANSPOSED = {
    "plain": ("N,3,H,W", "3,2,3,3", ""),
    "strides": ("N,3,H,W", "3,2,2,2", "strides = [2, 2]"),
    "output_padding": ("N,2,H,W", "2,3,3,2",
                       "strides = [2, 3], pads = [1, 0, 0, 1], output_padding = [1, 2]"),
    "group": ("N,4,H,W", "4,3,3,3", "group = 2, strides = [2, 1], dilations = [2, 1]"),
    "same_upper": ("N,2,H,W", "2,2,3,3", "strides = [2, 2], auto_pad = \"SAME_UPPER\""),
    "same_lower": ("N,2,H,W", "2,2,4,4", "strides = [2, 2], auto_pad = \"SAME_LOWER\""),
    "wide": ("N,24,H,W", "24,16,4,4", "strides = [2, 2], pads = [1, 1, 1, 1]"),
    "line": ("N,2,W", "2,3,3", "strides = [2], pads = [1, 0]"),
    "volume": ("N,2,3,H,W", "2,1,2,2,2", "strides = [1, 2, 2]"),
    "stride_beyond_kernel": ("N,5,H,W", "5,9,2,1", "strides = [3, 2], pads = [1, 0, 0, 0]"),
    "deep": ("N,70,H,W", "70,20,3,3",
             "strides = [2, 2], pads = [1, 1, 1, 1], output_padding = [1, 1]"),
    "large_pads": ("N,8,H,W", "8,17,5,5", "strides = [2, 3], pads = [4, 3, 3, 4]"),
    "unit_stride": ("N,8,H,W", "8,12,3,3", "pads = [1, 1, 1, 1]"),
    "group_wide": ("N,16,H,W", "16,10,4,3", "group = 2, strides = [2, 2], pads = [1, 1, 1, 1]"),
    "line_long": ("N,12,W", "12,18,16", "strides = [8], pads = [4, 4]"),
    "volume_wide": ("N,6,3,H,W", "6,9,3,3,3", "strides = [2, 2, 2], pads = [1, 1, 1, 1, 1, 1]"),
}


def conv_transpose():
    for name, (x, w, attributes) in TRANSPOSED.items():
        groups = 2 if name.startswith("group") else 1
        bias = int(w.split(",")[1]) * groups
        operator = f"ConvTranspose<{attributes}>" if attributes else "ConvTranspose"
        yield Case(f"ConvTranspose_{name}", f"float[{x}] x", f"y = {operator}(x, w, b)",
                   weights=f"float[{w}] w, float[{bias}] b", sizes=SIZES[:3])
        yield Case(f"ConvTranspose_static_{name}", f"float[{at(x, STATIC)}] x",
                   f"y = {operator}(x, w)", weights=f"float[{w}] w")
        yield Case(f"ConvTranspose_inputs_{name}",
                   f"float[{x}] x, float[{w}] w, float[{bias}] b",
                   f"y = {operator}(x, w, b)", sizes=SIZES[:2])
    yield Case("ConvTranspose_output_shape", "float[1,2,3,4] x",
               "y = ConvTranspose<strides = [2, 2], output_shape = [6, 9]>(x, w)",
               weights="float[2,2,3,3] w")
    for dtype in ["float16", "bfloat16", "double"]:
        yield Case(f"ConvTranspose_{dtype}", f"{dtype}[N,4,H,W] x",
                   "y = ConvTranspose<strides = [2, 2]>(x, w)", weights=f"{dtype}[4,6,3,3] w",
                   sizes=SIZES[:2], tolerance=3)


FUSED = {  # after t = Conv(x, w, b) with 20 channels
    "relu": "y = Relu(t)",
    "clip": "u = Clip(t, l, h)  y = Identity(u)",
    "leaky": "y = LeakyRelu<alpha = 0.1>(t)",
    "prelu": "y = PRelu(t, s)",
    "prelu_one": "y = PRelu(t, l)",
    "hard_swish": "y = HardSwish(t)",
    "hard_swish_parts": "u = Add(t, three)  c = Clip(u, zero, six)  z = Mul(t, c)  y = Div(z, six)",
    "swish": "u = Sigmoid(t)  y = Mul(t, u)",
    "mish": "u = Softplus(t)  z = Tanh(u)  y = Mul(t, z)",
    "gelu_tanh": "y = Gelu<approximate = \"tanh\">(t)",
    "channel_scale": "u = Mul(t, s)  z = Add(u, s)  y = Tanh(z)",
    "elu_exp": "u = Elu<alpha = 0.7>(t)  y = Exp(u)",
    "divide": "y = Div(t, three)",
    "reversed_subtract": "y = Sub(three, t)",
    "reversed_divide": "u = Exp(t)  y = Div(three, u)",
    "minimum": "u = Min(t, s)  y = Max(u, three)",
    "power": "u = Abs(t)  y = Pow(u, three)",
    "batch_norm": "u = BatchNormalization(t, b, b, b, v)  y = Relu(u)",
    "two_uses": "y = Relu(t)  z = Sigmoid(t)",
    "compare": "y = Greater(t, s)",
    "cast": "y = Cast<to = 10>(t)",
    "residual_same": "u = Relu(t)  y = Add(t, u)",
}


def fused():
    sizes = [{"N": 1, "H": 8, "W": 7}, {"N": 2, "H": 5, "W": 12}]
    numbers = {"zero": np.float32(0), "three": np.float32(3), "six": np.float32(6),
               "l": np.float32(-0.5), "h": np.float32(0.75)}
    shapes = {"s": "float[20,1,1] s", "v": "float[20] v", **{k: f"float {k}" for k in numbers}}
    for conv, weight, attributes in [("dense", "20,12,3,3", "pads = [1, 1, 1, 1]"),
                                     ("depthwise", "20,1,3,3", "pads = [1, 1, 1, 1], group = 20"),
                                     ("pointwise", "20,12,1,1", "strides = [1, 1]")]:
        channels = 20 if conv == "depthwise" else 12
        for name, body in FUSED.items():
            weights = [f"float[{weight}] w", "float[20] b"] + [
                text for key, text in shapes.items() if f" {key})" in body or f" {key}," in body
                or f"({key}," in body]
            yield Case(f"{conv}_{name}", f"float[N,{channels},H,W] x",
                       f"t = Conv<{attributes}>(x, w, b)  " + body, weights=", ".join(weights),
                       sizes=sizes, values=numbers, ranges={"v": (0.5, 2)}, tolerance=2)
        yield Case(f"{conv}_residual", f"float[N,{channels},H,W] x, float[N,20,H,W] r",
                   f"t = Conv<{attributes}>(x, w, b)  u = Add(t, r)  y = Relu(u)",
                   weights=f"float[{weight}] w, float[20] b", sizes=sizes)
        yield Case(f"{conv}_residual_two", f"float[N,{channels},H,W] x, float[N,20,H,W] r",
                   f"t = Conv<{attributes}>(x, w, b)  u = Relu(t)  v = Add(r, u)  q = Mul(v, r)  y = Sub(q, r)",
                   weights=f"float[{weight}] w, float[20] b", sizes=sizes, tolerance=2)
        yield Case(f"{conv}_gate", f"float[N,{channels},H,W] x, float[N,20,1,1] g",
                   f"t = Conv<{attributes}>(x, w, b)  u = Mul(t, g)  y = Sigmoid(u)",
                   weights=f"float[{weight}] w, float[20] b", sizes=sizes)
        for dtype in ["float16", "bfloat16", "double"]:
            yield Case(f"{conv}_relu_{dtype}", f"{dtype}[N,{channels},H,W] x",
                       f"t = Conv<{attributes}>(x, w, b)  y = Relu(t)",
                       weights=f"{dtype}[{weight}] w, {dtype}[20] b", sizes=sizes, tolerance=3)


def layouts():
    """What must stay right when convolutions become channels-last."""
    sizes = [{"N": 1, "H": 8, "W": 6}, {"N": 2, "H": 5, "W": 9}]
    weights, second = "float[8,6,3,3] w, float[8] b", "float[8,8,3,3] w2"
    first = "t = Conv<pads = [1, 1, 1, 1]>(x, w, b)  "
    for name, body in {
            "transposed_after": "y = Transpose<perm = [0, 2, 3, 1]>(t)",
            "transposed_away": "y = Transpose<perm = [3, 1, 0, 2]>(t)",
            "reduce": "u = Relu(t)  y = ReduceMean<keepdims = 0>(u, a)",
            "global": "u = GlobalAveragePool(t)  v = Flatten(u)  y = Softmax(v)",
            "flatten": "u = Relu(t)  y = Flatten(u)",
            "softmax": "y = Softmax<axis = 1>(t)",
            "concat": "u = Relu(t)  c = Concat<axis = 1>(u, t)  y = Neg(c)",
            "concat_convs": "p = Conv<pads = [1, 1, 1, 1]>(x, w)  c = Concat<axis = 1>(t, p)  "
                            "y = Relu(c)",
            "slice": "y = Slice(t, a1, a3, a1)",
            "split": "p, q = Split<axis = 1, num_outputs = 2>(t)  y = Mul(p, q)",
            "squeeze_excite": "g = GlobalAveragePool(t)  e = Conv(g, w1)  s = Sigmoid(e)  "
                              "m = Mul(t, s)  y = Conv<pads = [1, 1, 1, 1]>(m, w2)",
            "two_convs": "u = Relu(t)  v = Conv<pads = [1, 1, 1, 1]>(u, w2)  y = Add(v, t)",
            "pad": "u = Pad(t, p8)  y = Conv(u, w2)",
            "resize": "u = Resize(t, , s4)  y = Relu(u)",
            "shuffle": "u = Reshape(t, r5)  v = Transpose<perm = [0, 2, 1, 3, 4]>(u)  "
                       "z = Reshape(v, r4)  y = Conv<pads = [1, 1, 1, 1]>(z, w2)",
            "arg_max": "y = ArgMax<axis = 1>(t)",
            "argument": "u = Add(t, o)  y = Relu(u)",
            "instance_norm": "u = InstanceNormalization(t, b, b)  y = Relu(u)",
            "lrn": "y = LRN<size = 3, alpha = 0.5>(t)",
            "depth_to_space": "y = DepthToSpace<blocksize = 2>(t)",
            "max_pool": "u = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(t)  y = Relu(u)",
            "shape": "h = Shape<start = 2>(t)  y = Cast<to = 1>(h)",
    }.items():
        more = {"w2": second, "w1": "float[8,8,1,1] w1", "a": "int64[2] a", "a1": "int64[1] a1",
                "a3": "int64[1] a3", "p8": "int64[8] p8", "s4": "float[4] s4",
                "r5": "int64[5] r5", "r4": "int64[4] r4", "o": "float[5,1] o"}
        used = [text for key, text in more.items() if f" {key})" in body or f" {key}," in body]
        i64 = lambda *v: np.array(v, np.int64)
        static = name == "shuffle" or name == "argument"
        yield Case(f"layout_{name}", "float[1,6,5,9] x" if static else "float[N,6,H,W] x",
                   first + body, weights=", ".join([weights, *used]),
                   sizes=({},) if static else sizes,
                   values={"a": i64(2, 3), "a1": i64(1), "a3": i64(3),
                           "p8": i64(0, 0, 1, 1, 0, 0, 1, 1), "s4": np.float32([1, 1, 2, 1.5]),
                           "r5": i64(1, 2, 4, 5, 9), "r4": i64(1, 8, 5, 9)}, tolerance=3)
    yield Case("layout_input_last", "float[N,H,W,6] x",
               "t = Transpose<perm = [0, 3, 1, 2]>(x)  u = Conv<pads = [1, 1, 1, 1]>(t, w, b)  "
               "v = Relu(u)  y = Transpose<perm = [0, 2, 3, 1]>(v)",
               weights="float[8,6,3,3] w, float[8] b", sizes=sizes)
    yield Case("layout_both_uses", "float[N,6,H,W] x, float[N,8,H,W] z",
               "t = Conv<pads = [1, 1, 1, 1]>(x, w, b)  u = Add(t, z)  "
               "v = Conv<pads = [1, 1, 1, 1]>(u, w2)  y = Relu(v)  m = MatMul(u, k)",
               weights=f"{weights}, {second}, float[1,1,4] k",
               sizes=[{"N": 1, "H": 8, "W": 1}, {"N": 2, "H": 5, "W": 1}], tolerance=2)
    yield Case("layout_line", "float[N,6,W] x",
               "t = Conv<pads = [1, 1]>(x, w, b)  u = Relu(t)  y = Transpose<perm = [0, 2, 1]>(u)",
               weights="float[8,6,3] w, float[8] b", sizes=[{"N": 1, "W": 8}, {"N": 3, "W": 5}])


def not_numbers():
    """What is not a number stays in its group, and comes from no padding."""
    for name, channels, weight, attributes in [
            ("depthwise", 10, "10,1,3,3", "group = 10, pads = [1, 1, 1, 1]"),
            ("long", 10, "10,1,3,19", "group = 10, pads = [1, 9, 1, 9]"),
            ("groups", 12, "18,2,3,3", "group = 6, pads = [1, 1, 1, 1]"),
            ("multiplier", 5, "10,1,3,3", "group = 5, pads = [1, 1, 1, 1]"),
            ("single", 1, "1,1,3,5", "pads = [1, 2, 1, 2]")]:
        x = np.random.default_rng(1).uniform(-2, 2, (1, channels, 9, 30)).astype(np.float32)
        for place, value in [((0, 0), np.nan), ((8, 29), np.inf), ((4, 29), -np.inf),
                             ((8, 11), np.nan)]:
            x[0, (place[1] * 7) % channels, place[0], place[1]] = value
        for kind, dims in (("static", "9,30"), ("dynamic", "H,W")):
            yield Case(f"not_numbers_{name}_{kind}", f"float[1,{channels},{dims}] x",
                       f"y = Conv<{attributes}>(x, w)", weights=f"float[{weight}] w",
                       values={"x": x}, sizes=[{"H": 9, "W": 30}])


def all_cases():
    for group in (conv, channels_last, not_numbers, conv_transpose, fused, layouts):
        yield from group()
