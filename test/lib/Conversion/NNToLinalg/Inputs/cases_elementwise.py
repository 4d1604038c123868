# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Elementwise operators: values, special values, types, broadcasting."""

import numpy as np
from harness import Case, Const, ort

f32, f64, f16 = np.float32, np.float64, np.float16
rng = np.random.default_rng(1)


def floats(*shape, low=-4.0, high=4.0, dtype=f32):
    return rng.uniform(low, high, shape).astype(dtype)


SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 100.0, -100.0,
                    np.inf, -np.inf, np.nan, 3.0, -3.0], f32)

UNARY = {  # nn: (ONNX, attributes, low, high)
    "abs": ("Abs", {}, -4, 4), "acos": ("Acos", {}, -1, 1),
    "acosh": ("Acosh", {}, 1, 9), "asin": ("Asin", {}, -1, 1),
    "asinh": ("Asinh", {}, -4, 4), "atan": ("Atan", {}, -4, 4),
    "atanh": ("Atanh", {}, -0.9, 0.9), "ceil": ("Ceil", {}, -4, 4),
    "cos": ("Cos", {}, -9, 9), "cosh": ("Cosh", {}, -4, 4),
    "erf": ("Erf", {}, -3, 3), "exp": ("Exp", {}, -9, 9),
    "floor": ("Floor", {}, -4, 4), "hard_swish": ("HardSwish", {}, -5, 5),
    "log": ("Log", {}, 0.01, 9), "mish": ("Mish", {}, -9, 9),
    "neg": ("Neg", {}, -4, 4), "reciprocal": ("Reciprocal", {}, 0.1, 4),
    "relu": ("Relu", {}, -4, 4), "round": ("Round", {}, -4, 4),
    "sigmoid": ("Sigmoid", {}, -9, 9), "sign": ("Sign", {}, -4, 4),
    "sin": ("Sin", {}, -9, 9), "sinh": ("Sinh", {}, -4, 4),
    "softplus": ("Softplus", {}, -20, 20), "softsign": ("Softsign", {}, -4, 4),
    "sqrt": ("Sqrt", {}, 0, 9), "tan": ("Tan", {}, -1.4, 1.4),
    "tanh": ("Tanh", {}, -4, 4),
    "celu": ("Celu", {"alpha": 2.0}, -4, 4),
    "elu": ("Elu", {"alpha": 0.5}, -4, 4),
    "gelu": ("Gelu", {"approximate": "tanh"}, -4, 4),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 0.3, "beta": 0.4}, -4, 4),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.1}, -4, 4),
    "selu": ("Selu", {}, -4, 4),
    "thresholded_relu": ("ThresholdedRelu", {"alpha": 0.7}, -4, 4),
}


def attributes(values):
    def show(v):
        return f'"{v}"' if isinstance(v, str) else f"{v} : f32"
    if not values:
        return ""
    return " {{" + ", ".join(f"{k} = {show(v)}" for k, v in values.items()) + "}}"


def unary():
    for name, (op, values, low, high) in UNARY.items():
        x = floats(3, 5, low=low, high=high)
        text = f"nn.{name} {{0}}" + attributes(values)
        yield Case(name, text, [x], ort(op, [x], **values))
        yield Case(name + "_dynamic", text, [x], ort(op, [x], **values), dynamic=True)
        y = x.astype(f16)
        want = ort(op, [y.astype(f32)], **values).astype(f16)
        yield Case(name + "_f16", text, [y], want, rtol=2e-3, atol=1e-3)
    for name in ["abs", "ceil", "floor", "relu", "round", "sign", "neg", "sqrt",
                 "exp", "tanh", "sigmoid", "softsign", "leaky_relu", "elu"]:
        op, values, _, _ = UNARY[name]
        text = f"nn.{name} {{0}}" + attributes(values)
        with np.errstate(all="ignore"):
            want = ort(op, [SPECIAL], **values)
        if name == "sign":  # NaN stays: ONNX's reference is numpy's sign
            want = np.sign(SPECIAL)
        if name == "relu":  # NaN propagates
            want = np.maximum(SPECIAL, f32(0))
        yield Case(name + "_special", text, [SPECIAL], want)
    x = floats(7, low=-4, high=4)
    yield Case("gelu_exact", "nn.gelu {0}", [x], ort("Gelu", [x]))
    yield Case("swish", "nn.swish {0} {{alpha = 1.5 : f32}}", [x],
               (x / (1 + np.exp(-1.5 * x))).astype(f32))
    yield Case("isnan", "nn.isnan {0}", [SPECIAL], np.isnan(SPECIAL))
    d = floats(9, dtype=f64)
    for name, function in {"exp": np.exp, "tanh": np.tanh, "relu": lambda v: np.maximum(v, 0),
                           "sigmoid": lambda v: 1 / (1 + np.exp(-v))}.items():
        yield Case(name + "_f64", f"nn.{name} {{0}}", [d], function(d), rtol=1e-12)
    for dtype in [np.int8, np.int16, np.int32, np.int64]:
        v = np.array([-5, 0, 3, np.iinfo(dtype).min, np.iinfo(dtype).max], dtype)
        with np.errstate(all="ignore"):
            yield Case(f"abs_{dtype.__name__}", "nn.abs {0}", [v], np.abs(v))
            yield Case(f"neg_{dtype.__name__}", "nn.neg {0}", [v], -v)
        yield Case(f"sign_{dtype.__name__}", "nn.sign {0}", [v], np.sign(v))
        yield Case(f"relu_{dtype.__name__}", "nn.relu {0}", [v], np.maximum(v, dtype(0)))
        yield Case(f"bitwise_not_{dtype.__name__}", "nn.bitwise_not {0}", [v], ~v)
    for dtype in [np.uint8, np.uint16, np.uint32, np.uint64]:
        v = np.array([0, 1, 3, np.iinfo(dtype).max], dtype)
        for name, want in {"abs": v, "sign": np.minimum(v, dtype(1)), "relu": v,
                           "bitwise_not": ~v}.items():
            yield Case(f"{name}_{dtype.__name__}", f"nn.{name} {{0}}", [v], want)
    b = np.array([True, False, True])
    yield Case("not", "nn.not {0}", [b], ~b)
    # An empty tensor has no elements to compute.
    yield Case("relu_empty", "nn.relu {0}", [np.zeros((0, 3), f32)],
               np.zeros((0, 3), f32), dynamic=True)
    yield Case("relu_scalar", "nn.relu {0}", [np.array(-1, f32)], np.array(0, f32))


def clip():
    x = SPECIAL
    want = np.minimum(np.maximum(x, f32(-1)), f32(2))
    low, high = np.array(-1, f32), np.array(2, f32)
    yield Case("clip", "nn.clip {0} min {1} max {2}", [x, low, high], want)
    yield Case("clip_const", "nn.clip {0} min {1} max {2}", [x, Const(low), Const(high)], want)
    yield Case("clip_min", "nn.clip {0} min {1}", [x, low], np.maximum(x, low))
    yield Case("clip_max", "nn.clip {0} max {1}", [x, high], np.minimum(x, high))
    u = np.array([0, 5, 100, 200, 255], np.uint8)
    yield Case("clip_u8", "nn.clip {0} min {1} max {2}",
               [u, np.array(10, np.uint8), np.array(199, np.uint8)],
               np.clip(u, 10, 199))
    i = np.array([-128, 5, 100, 127], np.int8)
    yield Case("clip_i8", "nn.clip {0} min {1}", [i, np.array(-3, np.int8)], np.maximum(i, np.int8(-3)))


TYPES = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32,
         np.uint64, f16, f32, f64]


def numbers(dtype, *shape):
    if np.dtype(dtype).kind == "f":
        return floats(*shape, dtype=dtype)
    low = 0 if np.dtype(dtype).kind == "u" else -20
    return rng.integers(low, 20, shape).astype(dtype)


def binary():
    functions = {"add": np.add, "sub": np.subtract, "mul": np.multiply,
                 "max": np.maximum, "min": np.minimum}
    compares = {"equal": np.equal, "greater": np.greater,
                "greater_or_equal": np.greater_equal, "less": np.less,
                "less_or_equal": np.less_equal}
    for dtype in TYPES:
        x, y = numbers(dtype, 4, 3), numbers(dtype, 3)
        kind = np.dtype(dtype).name
        for name, function in {**functions, **compares}.items():
            with np.errstate(all="ignore"):
                want = function(x, y)
            yield Case(f"{name}_{kind}", f"nn.{name} {{0}}, {{1}}", [x, y], want,
                       rtol=1e-3 if dtype == f16 else 1e-6, atol=1e-3 if dtype == f16 else 0)
        if np.dtype(dtype).kind != "f":
            divisor = np.where(y == 0, dtype(3), y)
            want = np.trunc(x.astype(f64) / divisor.astype(f64)).astype(dtype)
            yield Case(f"div_{kind}", "nn.div {0}, {1}", [x, divisor], want)
            yield Case(f"mod_{kind}", "nn.mod {0}, {1}", [x, divisor], np.mod(x, divisor))
            yield Case(f"fmod_{kind}", "nn.mod {0}, {1} {{fmod = true}}", [x, divisor],
                       np.fmod(x, divisor))
            for name, function in {"bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or,
                                   "bitwise_xor": np.bitwise_xor}.items():
                yield Case(f"{name}_{kind}", f"nn.{name} {{0}}, {{1}}", [x, y], function(x, y))
            base = np.array([0, 1, 2, 3, 5], dtype)
            exponent = np.array([0, 1, 3, 2, 2], dtype)
            yield Case(f"pow_{kind}", "nn.pow {0}, {1}", [base, exponent], base ** exponent)
        else:
            yield Case(f"div_{kind}", "nn.div {0}, {1}", [x, y + dtype(9)], x / (y + dtype(9)),
                       rtol=2e-3 if dtype == f16 else 1e-6)
            yield Case(f"fmod_{kind}", "nn.mod {0}, {1} {{fmod = true}}", [x, y], np.fmod(x, y),
                       rtol=1e-2 if dtype == f16 else 1e-5, atol=1e-2 if dtype == f16 else 1e-6)
    # Division that must not trap.
    v = np.array([-2**31, 7, -7, 5], np.int32)
    w = np.array([-1, 0, -1, 2], np.int32)
    yield Case("div_traps", "nn.div {0}, {1}", [v, w], np.array([-2**31, 0, 7, 2], np.int32))
    yield Case("mod_traps", "nn.mod {0}, {1}", [v, w], np.array([0, 7, 0, 1], np.int32))
    nan = np.array([np.nan, 1, np.nan, 2], f32), np.array([1, np.nan, np.nan, 3], f32)
    for name in ["max", "min"]:
        yield Case(name + "_nan", f"nn.{name} {{0}}, {{1}}", list(nan),
                   getattr(np, name + "imum")(*nan))
    for name in compares:
        yield Case(name + "_nan", f"nn.{name} {{0}}, {{1}}", list(nan), compares[name](*nan))
    x, slope = floats(2, 3, 4), floats(3, 1)
    yield Case("prelu", "nn.prelu {0}, {1}", [x, slope], np.where(x < 0, x * slope, x))
    base, exponent = floats(5, low=0.1), floats(5)
    yield Case("pow", "nn.pow {0}, {1}", [base, exponent], base ** exponent)
    whole = np.array([-3, 2, 0, 1, 3], np.int64)
    yield Case("pow_mixed", "nn.pow {0}, {1}", [base, whole], (base ** whole).astype(f32), rtol=1e-4)
    for e in [2.0, 3.0, -1.0, 1.0, 0.5]:
        yield Case(f"pow_const_{e}", "nn.pow {0}, {1}", [base, Const(e, f32)],
                   (base ** f32(e)).astype(f32))
    b = np.array([True, False, True, False]), np.array([True, True, False, False])
    for name, function in {"and": np.logical_and, "or": np.logical_or,
                           "xor": np.logical_xor, "equal": np.equal}.items():
        yield Case(name + "_bool", f"nn.{name} {{0}}, {{1}}", list(b), function(*b))


def broadcasting():
    shapes = [((4, 3), (3,)), ((4, 1), (1, 3)), ((2, 1, 3), (4, 1)), ((), (2, 2)),
              ((1,), (3, 1, 2)), ((2, 3), (2, 3)), ((1, 1), (1, 1)), ((0, 3), (1, 3))]
    for n, (a, b) in enumerate(shapes):
        x, y = floats(*a), floats(*b)
        for dynamic in (False, True):
            yield Case(f"broadcast{n}_{'dynamic' if dynamic else 'static'}",
                       "nn.sub {0}, {1}", [x, y], x - y, dynamic=dynamic or ())
    # Names prove that no dimension is broadcast.
    x, y = floats(4, 3), floats(4, 3)
    yield Case("broadcast_named", "nn.add {0}, {1}", [x, y], x + y, dynamic=True,
               dim_names={0: ["N", "C"], 1: ["N", "C"]})
    yield Case("broadcast_splat", "nn.mul {0}, {1}", [x, Const(np.full((3,), 2.5, f32))],
               x * f32(2.5))
    c = rng.integers(0, 2, (4, 1)).astype(bool)
    for dynamic in ((), True):
        yield Case("where", "nn.where {0}, {1}, {2}", [c, x, y[:1]], np.where(c, x, y[:1]),
                   dynamic=dynamic)
    u = numbers(np.uint8, 4, 3)
    yield Case("where_u8", "nn.where {0}, {1}, {2}", [c, u, u[:1]], np.where(c, u, u[:1]))
    yield Case("where_bool", "nn.where {0}, {1}, {2}", [c, c, ~c], np.where(c, c, ~c))


def cast():
    sources = TYPES + [np.bool_]
    names = {np.bool_: "i1", np.int8: "i8", np.int16: "i16", np.int32: "i32", np.int64: "i64",
             np.uint8: "ui8", np.uint16: "ui16", np.uint32: "ui32", np.uint64: "ui64",
             f16: "f16", f32: "f32", f64: "f64"}
    for source in sources:
        for target in sources:
            if source is target:
                continue
            if np.dtype(source).kind == "b":
                x = np.array([True, False])
            elif np.dtype(source).kind == "f":
                x = np.array([0, 0.5, 1.9, 2.5, 100.25, 3], source)
                if np.dtype(target).kind != "u":
                    x = np.concatenate([x, -x])
            else:
                info = np.iinfo(source)
                x = np.array([0, 1, 77, 127, info.max, info.min], source)
                if target == f16:
                    x = np.array([0, 1, 77, 127, min(info.max, 60000)], source)
            with np.errstate(all="ignore"):
                want = x.astype(target)
            yield Case(f"cast_{np.dtype(source).name}_{np.dtype(target).name}",
                       f"nn.cast {{0}} {{{{to = {names[target]}}}}}", [x], want, rtol=1e-7)
    edge = np.array([1.0 + 2**-11, 1.0 + 2**-11 + 2**-40, 65519.99999, 65520.0, 6e-8, 2.9e-8], f64)
    with np.errstate(all="ignore"):
        yield Case("cast_f64_f16_rounds_once", "nn.cast {0} {{to = f16}}", [edge],
                   edge.astype(f16), rtol=0, atol=0)
    yield Case("cast_nan_bool", "nn.cast {0} {{to = i1}}", [SPECIAL], SPECIAL.astype(bool))
    small = np.array([300.7, -1.0, 255.0, 256.0], f32)
    yield Case("cast_wraps", "nn.cast {0} {{to = ui8}}", [small],
               small.astype(np.int32).astype(np.uint8))


def all_cases():
    for group in (unary, clip, binary, broadcasting, cast):
        yield from group()
