# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Elementwise operators of floats, integers and booleans, and casts between them."""

import numpy as np

from builder import BOOL, FLOATS, INTEGERS, SIGNED, UNSIGNED, type_number

UNARY = ("Abs", "Neg", "Relu", "Sigmoid", "Tanh", "Exp", "Log", "Sqrt", "Erf", "Sin", "Cos",
         "Tan", "Floor", "Ceil", "Round", "Softplus", "Softsign", "Elu", "Selu", "Celu",
         "LeakyRelu", "ThresholdedRelu", "HardSigmoid", "HardSwish", "Gelu", "Mish", "Sign",
         "Reciprocal", "Atan", "Asin", "Acos", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh",
         "Identity", "Shrink")
ALPHAS = {"Elu": (0.3, 2), "Celu": (0.3, 2), "LeakyRelu": (0.01, 0.5),
          "ThresholdedRelu": (0.1, 1.5)}


def unary(g):
    kind = g.choose(*UNARY)
    attributes = {}
    if kind in ALPHAS and g.chance(0.7):
        attributes["alpha"] = g.random.uniform(*ALPHAS[kind])
    if kind == "Gelu" and g.chance(0.5):
        attributes["approximate"] = "tanh"
    if kind == "HardSigmoid" and g.chance(0.5):
        attributes.update(alpha=g.random.uniform(0.1, 0.5), beta=g.random.uniform(0.2, 0.7))
    if kind == "Shrink":
        attributes.update(lambd=g.random.uniform(0.2, 1), bias=g.choose(0.0, 0.3))
    g.op(kind, g.value(), **attributes)


def binary(g):
    x = g.value()
    y = g.broadcastable(x)
    operands = [x, y]
    g.random.shuffle(operands)
    kind = (g.choose("Add", "Add", "Sub", "Mul", "Mul", "Div", "Max", "Min", "PRelu")
            if operands[0] is x else g.choose("Add", "Sub", "Mul", "Div"))
    if kind == "PRelu" and np.broadcast_shapes(x.shape, y.shape) != x.shape:
        kind = "Max"  # Results of PRelu have the first operand's shape.
    g.op(kind, *operands)


def power(g):
    x = g.value()
    exponent = g.choose(2.0, 3.0, 0.5, -1.0, 4.0, 1.0, 0.0, -2.0, 1.5)
    if g.chance(0.6):
        g.op("Pow", x, g.constant(np.array(exponent, x.dtype)))
    else:
        g.op("Pow", g.op("Abs", x), g.broadcastable(x))


def scalar_chain(g):
    """Constants that an optimizer might move across each other."""
    x = g.value()
    for _ in range(g.random.randint(2, 3)):
        value = g.choose(0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 3.0, 1e-3, 12582912.0, 1e20, -3e38,
                         0.1) if g.special else g.choose(0.0, 1.0, 2.0, -1.0, 0.5, 3.0)
        with np.errstate(over="ignore"):
            c = g.constant(np.array(value).astype(x.dtype))
        kind = g.choose("Add", "Sub", "Mul", "Div", "Max", "Min")
        x = g.op(kind, c, x) if g.chance(0.3) else g.op(kind, x, c)


def variadic(g):
    x = g.value()
    g.op(g.choose("Sum", "Mean", "Max", "Min"), x,
         *(g.broadcastable(x) for _ in range(g.random.randint(0, 3))))


def clip(g):
    x = g.value((g.float_type, g.float_type, np.int32, np.int64, np.int8, np.uint8))
    low, high = (0, 6) if g.chance(0.4) else (g.random.randint(-3, 0), g.random.randint(0, 3))
    if x.dtype in UNSIGNED:
        low = 0
    low, high = (np.array(v, x.dtype) for v in (low, high))
    which = g.random.randrange(4)
    bound = lambda v: g.constant(v) if g.chance(0.8) or g.parent else g.input(v)
    g.op("Clip", x, bound(low) if which != 1 else None, bound(high) if which != 2 else None)


def compare(g):
    x = g.value((g.float_type, g.float_type, np.int32, np.int64))
    g.op(g.choose("Less", "Greater", "LessOrEqual", "GreaterOrEqual", "Equal"), x,
         g.broadcastable(x))


def logic(g):
    x = g.value((BOOL,))
    kind = g.choose("And", "Or", "Xor", "Not", "Equal")
    g.op(kind, *([x] if kind == "Not" else [x, g.broadcastable(x)]))


def select(g):
    x = g.value((g.float_type, g.float_type, np.int64, np.int32, np.uint8, BOOL))
    g.op("Where", g.broadcastable(x, BOOL), x, g.broadcastable(x))


def number_class(g):
    x = g.value((np.dtype(np.float32), np.dtype(np.float64)))
    if g.chance(0.5):
        g.op("IsNaN", x)
    else:
        g.op("IsInf", x, **g.choose({}, {"detect_negative": 0}, {"detect_positive": 0}))


def float_mod(g):
    x = g.value()
    g.op("Mod", x, g.broadcastable(x, low=0.3, high=3), fmod=1)


def dropout(g):
    g.op("Dropout", g.value(), g.constant(np.array(0.3, np.float32)))


def softmax(g):
    x = g.value(low=1)
    g.op(g.choose("Softmax", "Softmax", "LogSoftmax"), x, axis=g.axis(x))


def cumulative(g):
    x = g.value((g.float_type, np.int32, np.int64), low=1)
    if x.dtype not in (np.float32, np.float64, np.int32, np.int64):
        return
    g.op("CumSum", x, g.constant(np.array(g.axis(x), np.int64)), exclusive=g.choose(0, 1),
         reverse=g.choose(0, 1))


# Integers.

def integer(g, **more):
    return g.value(INTEGERS, **more)


def integer_binary(g):
    x = integer(g)
    kind = g.choose("Add", "Sub", "Mul", "Max", "Min")
    g.op(kind, x, g.broadcastable(x))


def integer_divide(g):
    """Only by positive constants: other divisors have undefined cases."""
    x = integer(g)
    divisor = g.broadcastable(g.constant(np.zeros(x.shape, x.dtype)), low=1, high=7)
    kind = g.choose("Div", "Mod")
    g.op(kind, x, divisor, **({"fmod": 1} if kind == "Mod" and g.chance(0.4) else {}))


def integer_unary(g):
    x = integer(g)
    kind = g.choose("Abs", "Neg", "Sign", "Identity", "Relu", "BitwiseNot")
    if kind in ("Neg", "Relu") and x.dtype in UNSIGNED:
        kind = "Identity"
    g.op(kind, x)


def bits(g):
    x = integer(g)
    if x.dtype in UNSIGNED and g.chance(0.4):
        shift = g.broadcastable(x, low=0, high=x.dtype.itemsize * 8 - 1)
        g.op("BitShift", x, shift, direction=g.choose("LEFT", "RIGHT"))
    else:
        g.op(g.choose("BitwiseAnd", "BitwiseOr", "BitwiseXor"), x, g.broadcastable(x))


def integer_power(g):
    x = g.value((np.int32, np.int64))
    g.op("Pow", g.op("Clip", x, *(g.constant(np.array(v, x.dtype)) for v in (-5, 5))),
         g.constant(np.array(g.choose(0, 1, 2, 3), x.dtype)))


def integer_matmul(g):
    x = g.value((np.int32, np.int64, np.uint32), low=2, high=3)
    g.op("MatMul", x, g.weights((x.shape[-1], g.dim()), x.dtype, 0, 9))


def cast(g):
    """Between all types; floats that leave the range of an integer are undefined."""
    x = g.value(INTEGERS + (BOOL, g.float_type))
    target = g.choose(*INTEGERS, BOOL, g.float_type, np.dtype(np.float32))
    if x.dtype in FLOATS and target in INTEGERS:
        if g.special:
            # NaN and infinities become 0 first.
            x = g.op("Where", g.op("Less", g.op("Abs", x), g.constant(np.array(100, x.dtype))),
                     x, g.constant(np.array(0, x.dtype)))
        low = 0 if target in UNSIGNED else -100
        x = g.op("Clip", x, *(g.constant(np.array(v, x.dtype)) for v in (low, 100)))
    g.op("Cast", x, to=type_number(target))


def cast_chain(g):
    x = integer(g)
    for _ in range(g.random.randint(2, 3)):
        x = g.op("Cast", x, to=type_number(g.choose(*INTEGERS, BOOL)))


FLOAT = {unary: 8, binary: 8, power: 1, scalar_chain: 2, variadic: 2, clip: 2, compare: 1,
         logic: 0.5, select: 2, number_class: 0.5, float_mod: 0.5, dropout: 0.2, softmax: 1.5,
         cumulative: 0.7, cast: 0.5}
INTEGER = {integer_binary: 5, integer_divide: 2, integer_unary: 3, bits: 3, integer_power: 1,
           integer_matmul: 1, cast: 4, cast_chain: 3, clip: 1, compare: 1, select: 1, logic: 1,
           cumulative: 0.5}
