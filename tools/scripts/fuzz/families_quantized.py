# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Quantized layers of 8 bits: as QuantizeLinear and DequantizeLinear around float
operators, as operators on integers, and quantized in the run."""

import numpy as np

from builder import Unfit
from families_layers import image, window
from families_movement import factorize

BYTES = (np.dtype(np.int8), np.dtype(np.uint8))


def parameters(g, kind, channels=None):
    """Scale and zero point."""
    shape = (channels,) if channels else ()
    scale = g.np.uniform(0.01, 0.05, shape).astype(np.float32)
    low, high = (-20, 20) if kind == np.int8 else (100, 156)
    zero = np.zeros(shape) if channels and kind == np.int8 or g.chance(0.3) else \
        g.np.integers(low, high, shape)
    return g.constant(scale), g.constant(np.asarray(zero, kind))


def quantize(g, x, kind=None):
    kind = np.dtype(kind or g.choose(*BYTES))
    scale, zero = parameters(g, kind)
    return g.op("QuantizeLinear", x, scale, zero), scale, zero


def pair(g, x, kind=None):
    """To integers and back."""
    q, scale, zero = quantize(g, x, kind)
    return g.op("DequantizeLinear", q, scale, zero)


def quantized_weights(g, shape, axis=None):
    kind = np.dtype(g.choose(np.int8, np.int8, np.uint8))
    channels = shape[axis] if axis is not None and g.chance(0.6) else None
    scale, zero = parameters(g, kind, channels)
    low, high = (-127, 127) if kind == np.int8 else (0, 255)
    w = g.constant(g.array(kind, shape, low, high))
    return g.op("DequantizeLinear", w, scale, zero, axis=axis if channels else None)


def float_input(g, **more):
    return g.value((np.float32,), **more)


def qdq_conv(g):
    if g.float_type != np.float32:
        raise Unfit
    x = image(g, g.choose(1, 2, 2, 2))
    x = pair(g, x)
    attributes = window(g, x.shape[2:])
    group = g.choose(1, 1, x.shape[1])
    outputs = group * g.random.randint(1, max(1, 12 // group))
    w = quantized_weights(g, (outputs, x.shape[1] // group, *attributes["kernel_shape"]), 0)
    y = g.op("Conv", x, w, g.weights((outputs,)) if g.chance(0.6) else None, group=group,
             **attributes)
    if g.chance(0.5):
        y = g.op(g.choose("Relu", "Relu", "Clip"), y) if g.chance(0.8) else \
            g.op("Mul", y, g.op("Sigmoid", y))
    if g.chance(0.8):
        y = pair(g, y)
    if g.chance(0.3):
        same = [v for v in g.candidates([y.dtype]) if v.shape == y.shape]
        pair(g, g.op("Add", y, g.random.choice(same)))


def qdq_product(g):
    a = pair(g, float_input(g, low=2, high=3))
    n = g.dim()
    if a.rank == 2 and g.chance(0.4):
        transpose = g.choose(0, 1)
        k = a.shape[1]
        b = quantized_weights(g, (n, k) if transpose else (k, n), 0 if transpose else 1)
        y = g.op("Gemm", a, b, g.weights((n,), np.float32), transB=transpose)
    else:
        y = g.op("MatMul", a, quantized_weights(g, (a.shape[-1], n), 1))
        if g.chance(0.5):
            y = g.op("Add", y, g.weights((n,), np.float32))
    if g.chance(0.4):
        y = g.op("Relu", y)
    if g.chance(0.7):
        pair(g, y)


def qdq_elementwise(g):
    x = pair(g, float_input(g))
    kind = g.choose("Add", "Mul", "Relu", "Sigmoid", "Concat", "HardSwish", "LeakyRelu", "Softmax")
    if kind in ("Add", "Mul"):
        y = g.op(kind, x, pair(g, g.broadcastable(x)))
    elif kind == "Concat":
        if not x.rank:
            raise Unfit
        y = g.op(kind, x, pair(g, g.fresh(x.dtype, x.shape)), axis=g.axis(x))
    elif kind == "Softmax":
        y = g.op(kind, x, axis=g.axis(x))
    else:
        y = g.op(kind, x)
    pair(g, y)


def qdq_movement(g):
    x = pair(g, float_input(g, low=1))
    which = g.choose("Transpose", "Reshape", "MaxPool", "AveragePool", "Resize", "Slice", "Pad")
    if which == "Transpose":
        perm = list(range(x.rank))
        g.random.shuffle(perm)
        y = g.op(which, x, perm=perm)
    elif which == "Reshape":
        y = g.op(which, x, g.shape_constant(factorize(g, x.size)))
    elif which in ("MaxPool", "AveragePool"):
        x = pair(g, image(g, 2))
        y = g.op(which, x, **window(g, x.shape[2:]))
    elif which == "Resize":
        x = pair(g, image(g, 2))
        y = g.op(which, x, None, g.constant(np.array([1, 1, 2, 2], np.float32)),
                 mode=g.choose("nearest", "linear"))
    elif which == "Slice":
        y = g.op(which, x, g.shape_constant([0]), g.shape_constant([(x.shape[0] + 1) // 2]),
                 g.shape_constant([0]))
    else:
        y = g.op(which, x, g.shape_constant([1] * x.rank * 2))
    pair(g, y)


def integer_conv(g):
    """ConvInteger and QLinearConv."""
    x, x_scale, x_zero = quantize(g, image(g, 2))
    attributes = window(g, x.shape[2:])
    outputs = g.random.randint(1, 8)
    kind = np.dtype(g.choose(np.int8, np.uint8))
    w = g.weights((outputs, x.shape[1], *attributes["kernel_shape"]), kind,
                  *((-127, 127) if kind == np.int8 else (0, 255)))
    w_scale, w_zero = parameters(g, kind, outputs if g.chance(0.4) else None)
    if g.chance(0.4):
        y = g.op("ConvInteger", x, w, x_zero,
                 w_zero if w_zero.rank == 0 and g.chance(0.6) else None, **attributes)
        if g.chance(0.6):
            y = g.op("Mul", g.op("Cast", y, to=1), g.op("Mul", x_scale, w_scale)
                     if not w_scale.rank else x_scale)
    else:
        y_scale, y_zero = parameters(g, x.dtype)
        y_scale.array[...] *= 8
        bias = g.weights((outputs,), np.int32, -2000, 2000) if g.chance(0.5) else None
        y = g.op("QLinearConv", x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias,
                 **attributes)
        if g.chance(0.6):
            g.op("DequantizeLinear", y, y_scale, y_zero)


def integer_product(g):
    """MatMulInteger and QLinearMatMul."""
    a, a_scale, a_zero = quantize(g, float_input(g, low=2, high=3))
    n = g.dim()
    kind = np.dtype(g.choose(np.int8, np.uint8))
    b = g.weights((a.shape[-1], n), kind, *((-127, 127) if kind == np.int8 else (0, 255)))
    b_scale, b_zero = parameters(g, kind)
    if g.chance(0.6):
        y = g.op("MatMulInteger", a, b, a_zero if g.chance(0.8) else None,
                 b_zero if g.chance(0.8) else None)
        if g.chance(0.5):
            g.op("Mul", g.op("Cast", y, to=1), a_scale)
    else:
        y_scale, y_zero = parameters(g, a.dtype)
        y_scale.array[...] *= 8
        g.op("QLinearMatMul", a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero)


def dynamic_product(g):
    """Quantized in the run, as ONNX Runtime's tools write linear layers."""
    x = float_input(g, low=2, high=3)
    n = g.dim()
    q, scale, zero = g.op("DynamicQuantizeLinear", x, outputs=3)
    kind = np.dtype(g.choose(np.int8, np.uint8))
    b = g.constant(g.array(kind, (x.shape[-1], n), *((-127, 127) if kind == np.int8 else (0, 255))))
    b_scale, b_zero = parameters(g, kind, n if g.chance(0.3) and kind == np.int8 else None)
    y = g.op("Cast", g.op("MatMulInteger", q, b, zero, b_zero), to=1)
    y = g.op("Mul", y, g.op("Mul", scale, b_scale))
    if g.chance(0.6):
        y = g.op("Add", y, g.weights((n,), np.float32))
    if g.chance(0.4):
        g.op("Relu", y)


QUANTIZED = {qdq_conv: 4, qdq_product: 3, qdq_elementwise: 2, qdq_movement: 3, integer_conv: 2,
             integer_product: 2, dynamic_product: 2}
