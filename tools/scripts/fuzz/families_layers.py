# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Contractions, convolutions, pools and normalizations, alone and with operators that
compilers fuse with them; and look-alikes, which must not be fused."""

import math

import numpy as np

from builder import Unfit

ACTIVATIONS = ("Relu", "Sigmoid", "Tanh", "Elu", "LeakyRelu", "HardSwish", "HardSigmoid", "Gelu",
               "Softplus", "Mish", "Clip", "Swish", "Abs", "Sqrt", "Exp", "Round")


def scalar(g, value, like):
    return g.constant(np.array(value, like.dtype))


def activate(g, x):
    kind = g.choose(*ACTIVATIONS)
    if kind == "Swish":
        return g.op("Mul", x, g.op("Sigmoid", x))
    if kind == "Clip":
        return g.op("Clip", x, scalar(g, g.choose(0, -1), x), scalar(g, 6, x))
    if kind in ("Gelu", "HardSwish", "Mish") and g.opset < 20:
        kind = "Relu"
    return g.op(kind, x)


def image(g, dims=None, channels=None):
    """A batch of pictures, signals or volumes."""
    dims = dims or g.choose(1, 2, 2, 2, 2, 3)
    fits = lambda v: min(v.shape[2:]) >= 2 and (channels is None or v.shape[1] == channels)
    found = g.candidates([g.float_type], fits, dims + 2, dims + 2)
    if found and g.chance(0.8):
        return g.random.choice(found[-3:])
    limit = {1: 30, 2: 12, 3: 6}[dims]
    shape = [g.choose(1, 1, 2, 3), channels or g.choose(1, 2, 3, 4, 8, 12, 16, 17),
             *(g.random.randint(3, limit) for _ in range(dims))]
    return g.add(g.fresh(g.float_type, tuple(shape), constants=0.05))


def window(g, sizes, transposed=False):
    """Attributes of a window that fits into the padded input."""
    kernel = [g.random.randint(1, min(4, n)) for n in sizes]
    attributes = {"kernel_shape": kernel}
    if g.chance(0.5):
        attributes["strides"] = [g.choose(1, 1, 2, 3) for _ in sizes]
    if g.chance(0.25) and not transposed:
        dilations = [g.choose(1, 2) for _ in sizes]
        if all((k - 1) * d < n for k, d, n in zip(kernel, dilations, sizes)):
            attributes["dilations"] = dilations
    how = g.random.random()
    if how < 0.5:
        attributes["pads"] = [g.random.randint(0, k - 1) for k in kernel * 2]
    elif how < 0.65 and not transposed:
        attributes["auto_pad"] = g.choose("SAME_UPPER", "SAME_LOWER", "VALID")
        if attributes["auto_pad"] != "VALID":
            attributes.pop("dilations", None)
            # Windows that leave gaps would have negative padding.
            strides = attributes.get("strides", [])
            attributes["strides"] = [min(s, k) for s, k in zip(strides, kernel)] or None
    return attributes


def convolution(g, x=None):
    x = x or image(g)
    channels, sizes = x.shape[1], x.shape[2:]
    attributes = window(g, sizes)
    group = g.choose(1, 1, 1, channels, *(k for k in (2, 3, 4) if channels % k == 0))
    outputs = group * g.random.randint(1, max(1, 16 // group))
    if g.chance(0.1):
        outputs = group * (33 // group or 1)
    w = g.weights((outputs, channels // group, *attributes["kernel_shape"]))
    b = g.weights((outputs,)) if g.chance(0.6) else None
    return g.op("Conv", x, w, b, group=group, **attributes)


def conv_block(g):
    """Conv, and what may follow it in a kernel."""
    y = convolution(g)
    channels = y.shape[1]
    if g.chance(0.4):
        y = batch_norm(g, y)
    for _ in range(g.random.randint(0, 3)):
        which = g.random.random()
        if which < 0.4:
            y = activate(g, y)
        elif which < 0.6:
            per_channel = g.weights((channels, *[1] * (y.rank - 2)))
            y = g.op(g.choose("Add", "Mul", "Sub", "Div"), y, per_channel)
        elif which < 0.85:
            other = [v for v in g.candidates([y.dtype]) if v.shape == y.shape and v is not y]
            other = g.random.choice(other) if other else g.fresh(y.dtype, y.shape, constants=0.1)
            y = g.op(g.choose("Add", "Add", "Mul", "Sub"), *g.random.sample([y, other], 2))
        else:
            y = g.op(g.choose("Add", "Mul", "Max", "Min"), y, g.broadcastable(y))


def deconvolution(g):
    x = image(g)
    channels, sizes = x.shape[1], x.shape[2:]
    attributes = window(g, sizes, transposed=True)
    group = g.choose(1, 1, *(k for k in (2, 4, channels) if channels % k == 0))
    outputs = g.random.randint(1, 6)
    w = g.weights((channels, outputs, *attributes["kernel_shape"]))
    if g.chance(0.3) and "strides" in attributes:
        attributes["output_padding"] = [g.random.randint(0, s - 1) for s in attributes["strides"]]
    y = g.op("ConvTranspose", x, w, g.weights((outputs * group,)) if g.chance(0.5) else None,
             group=group, **attributes)
    if g.chance(0.3):
        y = batch_norm(g, y)
    if g.chance(0.4):
        activate(g, y)


def batch_norm(g, x=None):
    x = x or g.value(low=2, high=5)
    channels = (x.shape[1],)
    return g.op("BatchNormalization", x, g.weights(channels, low=-1, high=2),
                g.weights(channels), g.weights(channels), g.weights(channels, low=0.3, high=2),
                epsilon=g.choose(1e-5, 1e-3))


def pool(g):
    x = image(g)
    kind = g.choose("MaxPool", "MaxPool", "AveragePool", "AveragePool", "LpPool",
                    "GlobalAveragePool", "GlobalMaxPool")
    if kind.startswith("Global"):
        g.op(kind, x)
        return
    attributes = window(g, x.shape[2:])
    if kind == "AveragePool" and g.opset < 19 or kind == "LpPool" and g.opset < 18:
        attributes.pop("dilations", None)
    if g.chance(0.3) and "auto_pad" not in attributes and (kind != "LpPool"):
        attributes["ceil_mode"] = 1
    if kind == "AveragePool":
        attributes["count_include_pad"] = g.choose(0, 1)
    if kind == "LpPool":
        attributes["p"] = g.choose(1, 2)
    g.op(kind, x, **attributes)


def batches_fit(a, b):
    try:
        np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        return True
    except ValueError:
        return False


def product(g):
    """MatMul of all ranks, of values and weights."""
    a = g.value(low=1, high=4)
    k = a.shape[-1]
    found = g.candidates([a.dtype], lambda v: v.rank >= 2 and v.shape[-2] == k and
                         batches_fit(v, a))
    if found and g.chance(0.4):
        b = g.random.choice(found)
    else:
        batch = a.shape[:-2] if g.chance(0.3) else ()
        b = g.weights((*batch, k, g.dim()) if g.chance(0.92) else (k,))
    return g.op("MatMul", a, b)


def product_block(g):
    """MatMul, bias, activation, residual."""
    y = product(g)
    if not y.rank:
        return
    if g.chance(0.7):
        y = g.op("Add", *g.random.sample([y, g.weights(y.shape[-1:])], 2))
    which = g.random.random()
    if which < 0.3:
        y = gelu(g, y)
    elif which < 0.6:
        y = activate(g, y)
    if g.chance(0.4):
        g.op("Add", y, g.broadcastable(y))


def gemm(g):
    a = g.value(rank=2)
    transpose_a, transpose_b = g.choose(0, 0, 1), g.choose(0, 1)
    m, k = a.shape[::-1] if transpose_a else a.shape
    n = g.dim()
    c = g.choose(None, (n,), (m, n), (1, n), (m, 1), ())
    y = g.op("Gemm", a, g.weights((n, k) if transpose_b else (k, n)),
             None if c is None else g.weights(c), transA=transpose_a, transB=transpose_b,
             alpha=g.choose(1.0, 1.0, 0.5, -2.0), beta=g.choose(1.0, 1.0, 0.25, 0.0))
    if g.chance(0.5):
        activate(g, y)


def shared_input_products(g):
    """Several products of one value, as of attention's heads."""
    x = g.value(low=2, high=3)
    parts = [g.op("MatMul", x, g.weights((x.shape[-1], g.choose(4, 8, 16))))
             for _ in range(g.random.randint(2, 3))]
    if g.chance(0.5):
        g.op("Concat", *parts, axis=-1)


def einsum(g):
    equation, shapes = g.choose(
        ("ij,jk->ik", "ij jk"), ("bij,bjk->bik", "bij bjk"), ("bhid,bhjd->bhij", "bhid bhjd"),
        ("ij,ij->i", "ij ij"), ("ijk->kji", "ijk"), ("ii->i", "ii"), ("i,j->ij", "i j"),
        ("...ij,jk->...ik", "bij jk"), ("bij->bi", "bij"), ("ij,j", "ij j"),
        ("abc,cd,de->abe", "abc cd de"))
    sizes = {}
    operands = []
    for labels in shapes.split():
        shape = tuple(sizes.setdefault(label, g.choose(1, 2, 3, 4, 7)) for label in labels)
        fitting = [v for v in g.candidates([g.float_type]) if v.shape == shape]
        operands.append(g.random.choice(fitting) if fitting else g.fresh(
            g.float_type, shape, constants=0.3))
    y = g.op("Einsum", *operands, equation=equation)
    if y.shape is None:
        g.shaped(y, np.einsum(equation, *(np.zeros(x.shape) for x in operands)).shape)


# Normalizations, as operators and written out.

def normalization(g):
    kind = g.choose("LayerNormalization", "LayerNormalization", "InstanceNormalization",
                    "GroupNormalization", "LpNormalization", "LRN", "MeanVarianceNormalization")
    if kind == "LayerNormalization":
        x = g.value(low=1)
        axis = g.axis(x)
        shape = x.shape[axis:]
        g.op(kind, x, g.weights(shape), g.weights(shape) if g.chance(0.7) else None, axis=axis,
             epsilon=g.choose(1e-5, 1e-3))
    elif kind == "LpNormalization":
        x = g.value(low=1)
        g.op(kind, x, axis=g.axis(x), p=g.choose(1, 2))
    else:
        x = image(g)
        c = x.shape[1]
        if kind == "InstanceNormalization":
            g.op(kind, x, g.weights((c,)), g.weights((c,)))
        elif kind == "GroupNormalization":
            groups = g.choose(1, c, *(k for k in (2, 4) if c % k == 0))
            shape = (groups,) if g.opset < 21 else (c,)
            g.op(kind, x, g.weights(shape), g.weights(shape), num_groups=groups)
        elif kind == "LRN" and x.rank == 4:  # As ONNX Runtime has it.
            g.op(kind, x, size=g.choose(1, 3, 5), alpha=g.choose(1e-4, 0.1))
        elif x.rank == 4:
            g.op(kind, x, axes=g.choose([0, 2, 3], [2, 3]))


def reduce(g, kind, x, axes, keepdims=1):
    if g.opset >= (13 if kind == "ReduceSum" else 18):
        return g.op(kind, x, g.shape_constant(axes), keepdims=keepdims)
    return g.op(kind, x, axes=list(axes), keepdims=keepdims)


def layer_norm(g):
    """Layer normalization written out, or nearly."""
    x = g.value(low=2, high=4)
    odd = g.chance(0.3)
    axes = [-1] if not odd else g.choose([-1], [-2], [0], [-2, -1])
    keepdims = 0 if odd and len(set(x.shape)) == 1 and g.chance(0.5) else 1
    centred = g.op("Sub", x, reduce(g, "ReduceMean", x, axes, keepdims))
    square = g.choose(lambda: g.op("Pow", centred, scalar(g, 2 if not odd else 3, x)),
                      lambda: g.op("Mul", centred, centred))()
    variance = reduce(g, "ReduceMean", square, axes, keepdims)
    root = g.op("Sqrt", g.op("Add", g.op("Abs", variance) if odd else variance,
                             scalar(g, g.choose(1e-5, 1e-2), x)))
    y = g.op("Div", centred, root)
    if g.chance(0.8):
        y = g.op("Mul", *g.random.sample([y, g.weights(x.shape[-1:])], 2))
    if g.chance(0.8):
        g.op("Add", y, g.weights(x.shape[-1:]))


def rms_norm(g):
    x = g.value(low=2, high=4)
    mean = reduce(g, "ReduceMean", g.op("Mul", x, x), [g.choose(-1, -1, -2)])
    root = g.op("Sqrt", g.op("Add", mean, scalar(g, 1e-5, x)))
    y = g.op("Mul", x, g.op("Reciprocal", root)) if g.chance(0.5) else g.op("Div", x, root)
    g.op("Mul", y, g.weights(x.shape[-1:]))


def softmax_parts(g):
    x = g.value(low=1, high=4)
    axes = [g.axis(x)]
    e = g.op("Exp", g.op("Sub", x, reduce(g, "ReduceMax", x, axes)) if g.chance(0.8) else x)
    g.op("Div", e, reduce(g, "ReduceSum", e, axes))


def gelu(g, x=None):
    x = x or g.value()
    divisor = g.choose(math.sqrt(2), math.sqrt(2), 1.5, 3.0)
    if g.chance(0.6):
        inner = g.op("Div", x, scalar(g, divisor, x)) if g.chance(0.6) else \
            g.op("Mul", x, scalar(g, 1 / divisor, x))
        gate = g.op("Add", g.op("Erf", inner), scalar(g, 1, x))
    else:
        cube = g.op("Mul", g.op("Pow", x, scalar(g, 3, x)), scalar(g, 0.044715, x))
        inner = g.op("Mul", g.op("Add", x, cube), scalar(g, g.choose(0.7978846, 0.5), x))
        gate = g.op("Add", g.op("Tanh", inner), scalar(g, 1, x))
    half = scalar(g, g.choose(0.5, 0.5, 0.25), x)
    return g.choose(lambda: g.op("Mul", g.op("Mul", x, gate), half),
                    lambda: g.op("Mul", g.op("Mul", x, half), gate),
                    lambda: g.op("Mul", x, g.op("Mul", gate, half)))()


def hard_swish(g):
    x = g.value()
    gate = g.op("Clip", g.op("Add", x, scalar(g, g.choose(3, 3, 2), x)), scalar(g, 0, x),
                scalar(g, g.choose(6, 6, 5), x))
    g.op("Div", g.op("Mul", x, gate), scalar(g, 6, x))


def attention(g):
    """Split heads, scores, mask, softmax, values, join heads."""
    batch, length, heads, size = g.choose(1, 2), g.choose(1, 3, 7, 9), g.choose(1, 2, 4), \
        g.choose(2, 4, 8)
    width = heads * size
    found = g.candidates([g.float_type], lambda v: v.shape == (batch, length, width))
    x = g.random.choice(found) if found else g.fresh(g.float_type, (batch, length, width),
                                                     constants=0)

    def split(transposed):
        y = g.op("MatMul", x, g.weights((width, width)))
        if g.chance(0.5):
            y = g.op("Add", y, g.weights((width,)))
        y = g.op("Reshape", y, g.shape_constant([batch, g.choose(length, -1), heads, size]))
        return g.op("Transpose", y, perm=[0, 2, 3, 1] if transposed else [0, 2, 1, 3])

    q, k, v = split(False), split(True), split(False)
    scores = g.op("MatMul", q, k)
    scale = scalar(g, math.sqrt(size), x)
    scores = g.op("Div", scores, scale) if g.chance(0.5) else \
        g.op("Mul", scores, scalar(g, size ** -0.5, x))
    if g.chance(0.5):
        mask = g.fresh(np.bool_, g.choose((batch, 1, 1, length), (length, length)),
                       constants=0.3)
        low = -1e4 if g.float_type != np.float32 else g.choose(-1e9, -3.4e38, -np.inf)
        if g.chance(0.5):
            scores = g.op("Where", mask, scores, scalar(g, max(low, -1e9), x))
        else:
            scores = g.op("Add", scores, g.op("Where", mask, scalar(g, 0, x),
                                              scalar(g, max(low, -1e9), x)))
    y = g.op("MatMul", g.op("Softmax", scores, axis=g.choose(-1, -1, 3)), v)
    y = g.op("Transpose", y, perm=[0, 2, 1, 3])
    y = g.op("Reshape", y, g.shape_constant([batch, length, width]))
    if g.chance(0.5):
        g.op("Add", g.op("MatMul", y, g.weights((width, width))), x)


def rotary(g):
    x = g.value(low=1, condition=lambda v: v.rank and v.shape[-1] % 2 == 0 and v.shape[-1] > 1)
    half = x.shape[-1] // 2
    cut = lambda a, b: g.op("Slice", x, *(g.shape_constant([v]) for v in (a, b, -1)))
    turned = g.op("Concat", g.op("Neg", cut(half, 2 * half)), cut(0, half), axis=-1)
    angles = g.weights(x.shape[-1:], low=-3, high=3)
    g.op("Add", g.op("Mul", x, g.op("Cos", angles)), g.op("Mul", turned, g.op("Sin", angles)))


def recurrent(g):
    kind, gates = g.choose(("LSTM", 4), ("GRU", 3), ("RNN", 1))
    found = g.candidates([g.float_type], low=3, high=3)
    x = g.random.choice(found) if found and g.chance(0.6) else g.fresh(
        g.float_type, (g.choose(1, 2, 5, 7), g.choose(1, 2, 3), g.choose(1, 4, 5)), constants=0)
    length, batch, width = x.shape
    if length > 12:
        raise Unfit
    direction = g.choose("forward", "reverse", "bidirectional")
    d = 2 if direction == "bidirectional" else 1
    hidden = g.choose(1, 3, 4, 8)
    state = lambda: g.fresh(g.float_type, (d, batch, hidden), constants=0.3)
    lengths = g.fresh(np.int32, (batch,), 1, length) if g.chance(0.2) else None
    initial = g.chance(0.5)
    inputs = [x, g.weights((d, gates * hidden, width)), g.weights((d, gates * hidden, hidden)),
              g.weights((d, 2 * gates * hidden)) if g.chance(0.7) else None, lengths,
              state() if initial else None]
    if kind == "LSTM":
        inputs.append(state() if initial else None)
        inputs.append(g.weights((d, 3 * hidden)) if g.chance(0.3) else None)
    attributes = {"linear_before_reset": g.choose(0, 1)} if kind == "GRU" else {}
    g.op(kind, *inputs, outputs=3 if kind == "LSTM" else 2, hidden_size=hidden,
         direction=direction, **attributes)


LAYERS = {conv_block: 6, convolution: 2, deconvolution: 2, batch_norm: 1, pool: 4, product: 2,
          product_block: 4, gemm: 2, shared_input_products: 0.7, einsum: 1, normalization: 2,
          layer_norm: 2, rms_norm: 1, softmax_parts: 1, gelu: 1, hard_swish: 1, attention: 2,
          rotary: 0.7}
RECURRENT = {recurrent: 1}
