# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Convolutions and pools."""

from .sweep import FEW, FEW_PRODUCTS, INTEGERS, LINES, QDQ, QUANTIZED, QUANTIZED_WEIGHTS, sweep


def conv():
    yield from sweep("conv/channels", "c", [1, 3, 4, 8, 9, 16, 17, 64],
                     "float[1,{c},28,28] x", "y = Conv<pads = [1, 1, 1, 1]>(x, w, b)",
                     "float[{c},{c},3,3] w, float[{c}] b", "c * c", cause=FEW)
    yield from sweep("conv/pointwise", "c", [4, 8, 17, 64, 256],
                     "float[1,{c},14,14] x", "y = Conv(x, w)", "float[{c},{c},1,1] w", "c * c")
    yield from sweep("conv/filters", "n", [1, 2, 8, 16, 17],
                     "float[1,16,28,28] x", "y = Conv<pads = [1, 1, 1, 1]>(x, w)",
                     "float[{n},16,3,3] w", "n", cause=FEW)
    yield from sweep("conv/one-channel", "k", [1, 3, 7, 15], "float[1,1,64,64] x",
                     "y = Conv<pads = [{k//2}, {k//2}, {k//2}, {k//2}]>(x, w)",
                     "float[1,1,{k},{k}] w", "k * k")
    for name, h in ("", "{h}"), ("-dynamic", "H"):
        yield from sweep("conv/size" + name, "h", [7, 14, 28, 56],
                         f"float[1,32,{h},{h}] x", "y = Conv<pads = [1, 1, 1, 1]>(x, w)",
                         "float[32,32,3,3] w", "h * h")
        yield from sweep("conv/depthwise-size" + name, "h", [7, 28, 56],
                         f"float[1,32,{h},{h}] x",
                         "y = Conv<pads = [1, 1, 1, 1], group = 32>(x, w)",
                         "float[32,1,3,3] w", "h * h")
    yield from sweep("conv/batch-dynamic", "n", [1, 2, 8], "float[N,16,14,14] x",
                     "y = Conv<pads = [1, 1, 1, 1]>(x, w)", "float[16,16,3,3] w", "n")
    yield from sweep("conv/stem", "h", [32, 112, 224], "float[1,3,{h},{h}] x",
                     "t = Conv<pads = [3, 3, 3, 3], strides = [2, 2]>(x, w, b)  y = Relu(t)",
                     "float[32,3,7,7] w, float[32] b", "h * h")
    yield from sweep("conv/pads", "p", [0, 1, 2], "float[1,16,28,28] x",
                     "y = Conv<pads = [{p}, {p}, {p}, {p}]>(x, w)", "float[16,16,5,5] w",
                     "(24 + 2 * p) ** 2")
    yield from sweep("conv/strides", "s", [1, 2, 3], "float[1,16,57,57] x",
                     "y = Conv<strides = [{s}, {s}]>(x, w)", "float[32,16,3,3] w",
                     "(54 // s + 1) ** 2")
    yield from sweep("conv/dilations", "d", [1, 2, 6], "float[1,16,28,28] x",
                     "y = Conv<dilations = [{d}, {d}], pads = [{d}, {d}, {d}, {d}]>(x, w)",
                     "float[16,16,3,3] w", "1")
    yield from sweep("conv/groups", "g", [1, 2, 8, 16, 32, 64], "float[1,64,14,14] x",
                     "y = Conv<pads = [1, 1, 1, 1], group = {g}>(x, w)",
                     "float[64,{64//g},3,3] w", "64 / g")
    yield from sweep("conv/multiplier", "m", [1, 2, 4], "float[1,16,14,14] x",
                     "y = Conv<pads = [1, 1, 1, 1], group = 16>(x, w)",
                     "float[{16*m},1,3,3] w", "m")
    yield from sweep("conv/kernel", "k", [1, 2, 3, 5], "float[1,16,28,28] x",
                     "y = Conv(x, w)", "float[16,16,{k},{k}] w", "k * k * (29 - k) ** 2")
    yield from sweep("conv/row-kernel", "k", [3, 7], "float[1,16,28,28] x",
                     "y = Conv<pads = [0, {k//2}, 0, {k//2}]>(x, w)", "float[16,16,1,{k}] w",
                     "k")
    yield from sweep("conv/column-kernel", "k", [3, 7], "float[1,16,28,28] x",
                     "y = Conv<pads = [{k//2}, 0, {k//2}, 0]>(x, w)", "float[16,16,{k},1] w",
                     "k")
    yield from sweep("conv/depthwise", "c", [2, 3, 4, 8, 9, 17, 64],
                     "float[1,{c},28,28] x", "y = Conv<pads = [1, 1, 1, 1], group = {c}>(x, w)",
                     "float[{c},1,3,3] w", "c", cause=FEW)
    yield from sweep("conv/depthwise-kernel", "k", [1, 3, 5, 7, 11, 13],
                     "float[1,32,28,28] x",
                     "y = Conv<pads = [{k//2}, {k//2}, {k//2}, {k//2}], group = 32>(x, w)",
                     "float[32,1,{k},{k}] w", "k * k")
    yield from sweep("conv/depthwise-dilations", "d", [1, 2, 4], "float[1,32,28,28] x",
                     "y = Conv<dilations = [{d}, {d}], pads = [{d}, {d}, {d}, {d}], "
                     "group = 32>(x, w)", "float[32,1,3,3] w", "1")
    yield from sweep("conv/depthwise-strides", "s", [1, 2, 3], "float[1,32,56,56] x",
                     "y = Conv<pads = [1, 1, 1, 1], strides = [{s}, {s}], group = 32>(x, w)",
                     "float[32,1,3,3] w", "1 / s ** 2")
    yield from sweep("conv/weights-input", "c", [3, 8, 16, 32],
                     "float[1,{c},14,14] x, float[{c},{c},3,3] w", "y = Conv(x, w)",
                     work="c * c")
    yield from sweep("conv/bias-swish", "c", [8, 16, 32], "float[1,{c},28,28] x",
                     "t = Conv<pads = [1, 1, 1, 1]>(x, w, b)  s = Sigmoid(t)  y = Mul(s, t)",
                     "float[{c},{c},3,3] w, float[{c}] b", "c * c")
    yield from sweep("conv1d/channels", "c", [1, 3, 8, 17, 64], "float[1,{c},512] x",
                     "y = Conv<pads = [1, 1]>(x, w)", "float[{c},{c},3] w", "c * c")
    yield from sweep("conv1d/depthwise-kernel", "k", [3, 11, 13, 31], "float[1,64,256] x",
                     "y = Conv<pads = [{k//2}, {k//2}], group = 64>(x, w)",
                     "float[64,1,{k}] w", "k", cause=FEW_PRODUCTS)
    yield from sweep("conv1d/one-channel", "k", [3, 16, 63, 400], "float[1,1,4000] x",
                     "y = Conv<pads = [{k//2}, {k//2}]>(x, w)", "float[1,1,{k}] w", "k")
    yield from sweep("conv1d/dilations", "d", [1, 2, 8, 64], "float[1,32,512] x",
                     "y = Conv<pads = [{2*d}, 0], dilations = [{d}]>(x, w)",
                     "float[32,32,3] w", "1")
    yield from sweep("conv3d/channels", "c", [1, 3, 4, 16], "float[1,{c},8,14,14] x",
                     "y = Conv<pads = [1, 1, 1, 1, 1, 1]>(x, w)", "float[{c},{c},3,3,3] w",
                     "c * c", cause=FEW)
    yield from sweep("conv3d/depthwise", "c", [4, 8, 17], "float[1,{c},8,14,14] x",
                     "y = Conv<pads = [1, 1, 1, 1, 1, 1], group = {c}>(x, w)",
                     "float[{c},1,3,3,3] w", "c")
    yield from sweep("conv/float16", "c", [4, 32], "float16[1,{c},14,14] x",
                     "y = Conv(x, w)", "float16[{c},{c},3,3] w", "c * c")


def quantized_conv():
    yield from sweep("convinteger/channels", "c", [4, 8, 16, 27, 28, 29, 32, 64],
                     "uint8[1,{c},14,14] x", "y = ConvInteger<pads = [1, 1, 1, 1]>(x, w)",
                     "int8[16,{c},3,3] w", "c", ranges=INTEGERS)
    yield from sweep("convinteger/pointwise", "c", [64, 257, 258, 259, 512],
                     "uint8[1,{c},14,14] x", "y = ConvInteger(x, w, z)",
                     "int8[32,{c},1,1] w, uint8 z", "c", ranges=INTEGERS)
    yield from sweep("convinteger/depthwise", "k", [3, 5, 15, 17], "uint8[1,32,28,28] x",
                     "y = ConvInteger<group = 32>(x, w)", "int8[32,1,{k},{k}] w",
                     "(k * (29 - k)) ** 2", ranges=INTEGERS,
                     cause=("sums of more than 256 products of bytes are not exact in f32",
                            lambda before, value: before ** 2 <= 256 < value ** 2))
    yield from sweep("qlinearconv/channels", "c", [1, 3, 8, 17, 64],
                     "uint8[1,{c},14,14] q",
                     "y = QLinearConv<pads = [1, 1, 1, 1]>(q, xs, xz, w, ws, wz, ys, yz)",
                     f"int8[{{c}},{{c}},3,3] w, {QUANTIZED_WEIGHTS}", "c * c", ranges=INTEGERS,
                     values=QUANTIZED, step=1, cause=FEW)
    yield from sweep("qlinearconv/groups", "g", [1, 2, 8, 32], "uint8[1,32,14,14] q",
                     "y = QLinearConv<group = {g}>(q, xs, xz, w, ws, wz, ys, yz)",
                     f"int8[32,{{32//g}},3,3] w, {QUANTIZED_WEIGHTS}", "32 / g",
                     ranges=INTEGERS, values=QUANTIZED, step=1, cause=FEW_PRODUCTS)
    quantized = {"values": QUANTIZED, "ranges": {"w": (-63, 63)}, "step": 0.2}
    yield from sweep("qdq-conv/channels", "c", [3, 8, 17, 64], "float[1,{c},14,14] x",
                     QDQ.replace("{}", "Conv<pads = [1, 1, 1, 1]>(d, v)"),
                     f"int8[{{c}},{{c}},3,3] w, {QUANTIZED_WEIGHTS}", "c * c", **quantized)
    yield from sweep("qdq-conv/pointwise", "c", [8, 17, 128], "float[1,{c},14,14] x",
                     QDQ.replace("{}", "Conv(d, v)"),
                     f"int8[{{c}},{{c}},1,1] w, {QUANTIZED_WEIGHTS}", "c * c", **quantized)
    yield from sweep("qdq-conv/depthwise", "c", [3, 4, 16, 17, 64], "float[1,{c},28,28] x",
                     QDQ.replace("{}", "Conv<group = {c}>(d, v)"),
                     f"int8[{{c}},1,3,3] w, {QUANTIZED_WEIGHTS}", "c", **quantized, cause=FEW)


def conv_transpose():
    yield from sweep("convtranspose/channels", "c", [1, 3, 4, 8, 17, 32],
                     "float[1,{c},14,14] x", "y = ConvTranspose<strides = [2, 2]>(x, w)",
                     "float[{c},{c},3,3] w", "c * c", cause=FEW)
    yield from sweep("convtranspose/strides", "s", [1, 2, 3, 4], "float[1,16,14,14] x",
                     "y = ConvTranspose<strides = [{s}, {s}]>(x, w)", "float[16,8,4,4] w", "1")
    yield from sweep("convtranspose/kernel", "k", [1, 2, 3, 4, 5], "float[1,16,14,14] x",
                     "y = ConvTranspose<strides = [2, 2]>(x, w)", "float[16,8,{k},{k}] w",
                     "k * k")
    yield from sweep("convtranspose/groups", "g", [1, 2, 4, 16], "float[1,16,14,14] x",
                     "y = ConvTranspose<strides = [2, 2], group = {g}>(x, w)",
                     "float[16,{16//g},3,3] w", "16 / g")
    yield from sweep("convtranspose/dilations", "d", [1, 2, 3], "float[1,16,14,14] x",
                     "y = ConvTranspose<dilations = [{d}, {d}]>(x, w)", "float[16,8,3,3] w",
                     "1")
    yield from sweep("convtranspose/weights-input", "c", [2, 8, 16],
                     "float[1,{c},14,14] x, float[{c},{c},3,3] w",
                     "y = ConvTranspose<strides = [2, 2]>(x, w)", work="c * c", cause=FEW)
    yield from sweep("convtranspose/size-dynamic", "h", [4, 7, 14, 28],
                     "float[1,16,H,H] x", "y = ConvTranspose<strides = [2, 2]>(x, w, b)",
                     "float[16,16,2,2] w, float[16] b", "h * h")
    yield from sweep("convtranspose1d/channels", "c", [1, 4, 16, 32], "float[1,{c},200] x",
                     "y = ConvTranspose<strides = [4]>(x, w)", "float[{c},{c},8] w", "c * c",
                     cause=FEW)
    yield from sweep("convtranspose3d/channels", "c", [1, 4, 8], "float[1,{c},4,8,8] x",
                     "y = ConvTranspose<strides = [2, 2, 2]>(x, w)", "float[{c},{c},2,2,2] w",
                     "c * c", cause=FEW)


def pools():
    for pool in "MaxPool", "AveragePool", "LpPool":
        name = pool.lower()
        yield from sweep(f"{name}/kernel", "k", [2, 3, 9], "float[1,16,56,56] x",
                         f"y = {pool}<kernel_shape = [{{k}}, {{k}}], strides = [2, 2]>(x)",
                         work="(k * (56 - k)) ** 2", cause=LINES)
        yield from sweep(f"{name}/dilations", "d", [1, 2, 3], "float[1,16,28,28] x",
                         f"y = {pool}<kernel_shape = [3, 3], dilations = [{{d}}, {{d}}]>(x)",
                         work="(28 - 2 * d) ** 2",
                         cause=("taps with gaps between them are no piece of a row",
                                lambda before, value: pool == "LpPool" and before == 1))
    for pool in "MaxPool", "AveragePool":
        name = pool.lower()
        attributes = "kernel_shape = [3, 3], pads = [1, 1, 1, 1]"
        yield from sweep(f"{name}/channels", "c", [1, 3, 8, 16, 17, 64], "float[1,{c},28,28] x",
                         f"y = {pool}<{attributes}>(x)", work="c")
        yield from sweep(f"{name}/strides", "s", [1, 2, 3], "float[1,16,56,56] x",
                         f"y = {pool}<{attributes}, strides = [{{s}}, {{s}}]>(x)",
                         work="1 / s ** 2")
        yield from sweep(f"{name}/ceil", "c", [0, 1], "float[1,16,56,56] x",
                         f"y = {pool}<{attributes}, strides = [2, 2], ceil_mode = {{c}}>(x)")
        yield from sweep(f"{name}1d/length", "n", [100, 1000, 4096], "float[1,16,{n}] x",
                         f"y = {pool}<kernel_shape = [3], strides = [2]>(x)")
        yield from sweep(f"{name}3d/size", "n", [7, 14, 28], "float[1,8,{n},{n},{n}] x",
                         f"y = {pool}<kernel_shape = [2, 2, 2], strides = [2, 2, 2]>(x)")
        yield from sweep(f"{name}/size-dynamic", "h", [14, 28, 56], "float[1,16,H,H] x",
                         f"y = {pool}<kernel_shape = [2, 2], strides = [2, 2]>(x)")
        yield from sweep(f"global-{name}/size", "h", [4, 7, 14, 56], "float[1,64,{h},{h}] x",
                         f"y = Global{pool}(x)")
    yield from sweep("maxpool/uint8", "c", [3, 16, 64], "uint8[1,{c},28,28] x",
                     "y = MaxPool<kernel_shape = [3, 3], strides = [2, 2]>(x)", cause=FEW)


FAMILIES = conv, quantized_conv, conv_transpose, pools
