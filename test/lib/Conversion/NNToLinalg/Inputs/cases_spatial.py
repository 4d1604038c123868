# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Contractions, convolutions, pools, normalizations."""

import numpy as np
from harness import Case, Const, ort

f32, f64, f16 = np.float32, np.float64, np.float16
rng = np.random.default_rng(2)


def floats(*shape, dtype=f32):
    return rng.uniform(-1, 1, shape).astype(dtype)


def ints(dtype, *shape):
    return rng.integers(0, 9, shape).astype(dtype)


def whole_range(dtype, *shape):
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, endpoint=True).astype(dtype)


def attributes(layout=0, **values):
    parts = ["layout = 1 : i32"] if layout else []
    for name, value in values.items():
        if value is None:
            continue
        if isinstance(value, list):
            text = "array<i64: " + ", ".join(map(str, value)) + ">"
        elif isinstance(value, bool):
            text = str(value).lower()
        elif isinstance(value, str):
            text = f'"{value}"'
        elif isinstance(value, float):
            text = f"{value:e} : f32"
        else:
            text = f"{value} : {'i32' if name == 'auto_pad' else 'i64'}"
        parts.append(f"{name} = {text}")
    return " {{" + ", ".join(parts) + "}}" if parts else ""


AUTO_PADS = {"SAME_UPPER": 1, "SAME_LOWER": 2, "VALID": 3}


def to_last(x):
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def matmul():
    shapes = [((4, 5), (5, 3)), ((2, 4, 5), (2, 5, 3)), ((2, 1, 4, 5), (3, 5, 3)),
              ((5,), (5, 3)), ((4, 5), (5,)), ((5,), (5,)), ((2, 4, 5), (5,)),
              ((5,), (2, 5, 3)), ((1, 4, 5), (6, 5, 3)), ((4, 0), (0, 3))]
    for n, (a, b) in enumerate(shapes):
        x, y = floats(*a), floats(*b)
        for dynamic in ((), True):
            yield Case(f"matmul{n}", "nn.matmul {0}, {1}", [x, y], np.asarray(np.matmul(x, y)),
                       dynamic=dynamic)
    x, y = floats(3, 4, 5), floats(3, 5, 6)
    xt, yt = np.ascontiguousarray(x.swapaxes(1, 2)), np.ascontiguousarray(y.swapaxes(1, 2))
    want = x @ y
    for dynamic in ((), True):
        yield Case("matmul_tl", "nn.matmul {0}, {1} {{transpose_lhs}}", [xt, y], want, dynamic)
        yield Case("matmul_tr", "nn.matmul {0}, {1} {{transpose_rhs}}", [x, yt], want, dynamic)
        yield Case("matmul_tt", "nn.matmul {0}, {1} {{transpose_lhs, transpose_rhs}}", [xt, yt],
                   want, dynamic)
    for left, right in ((np.uint8, np.uint8), (np.uint8, np.int8), (np.int8, np.uint8)):
        a, b = whole_range(left, 3, 40), whole_range(right, 40, 2)
        yield Case(f"matmul_{np.dtype(left).name}_{np.dtype(right).name}",
                   "nn.matmul {0}, {1}", [a, b], a.astype(np.int32) @ b.astype(np.int32))
    for dtype in (f64, np.int32, np.int64, np.uint32):
        a = ints(dtype, 3, 4) if dtype != f64 else floats(3, 4, dtype=f64)
        b = ints(dtype, 4, 2) if dtype != f64 else floats(4, 2, dtype=f64)
        yield Case(f"matmul_{np.dtype(dtype).name}", "nn.matmul {0}, {1}", [a, b], a @ b)
    # Sums of f16 in f32: 300 ones and then small numbers.
    a = np.concatenate([np.full((1, 3000), 1), np.full((1, 100), 0.01)], 1).astype(f16)
    b = np.ones((3100, 1), f16)
    yield Case("matmul_f16", "nn.matmul {0}, {1}", [a, b],
               (a.astype(f32) @ b.astype(f32)).astype(f16), rtol=1e-3)


def gemm():
    x, y = floats(4, 5), floats(5, 3)
    for n, bias in enumerate([None, floats(4, 3), floats(3), floats(4, 1), floats(1), floats()]):
        operands = [x, y] + ([] if bias is None else [bias])
        want = ort("Gemm", operands, alpha=0.5, beta=2.0)
        text = "nn.gemm " + ", ".join(f"{{{i}}}" for i in range(len(operands)))
        for dynamic in ((), True):
            yield Case(f"gemm{n}", text + attributes(alpha=0.5, beta=2.0), operands, want, dynamic)
    xt, yt = np.ascontiguousarray(x.T), np.ascontiguousarray(y.T)
    yield Case("gemm_transposed", "nn.gemm {0}, {1}, {2}" + attributes(trans_lhs=True, trans_rhs=True),
               [xt, yt, floats(3) * 0 + 1], x @ y + 1)
    i, j, k = ints(np.int32, 2, 3), ints(np.int32, 3, 2), ints(np.int32, 2)
    yield Case("gemm_int", "nn.gemm {0}, {1}, {2}", [i, j, k], i @ j + k)


CONVS = [  # input, weight, attributes
    ((1, 2, 5, 6), (3, 2, 3, 3), {}),
    ((2, 3, 7, 7), (4, 3, 3, 3), {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
    ((1, 2, 9, 8), (2, 2, 3, 2), {"pads": [2, 0, 1, 3], "dilations": [2, 3]}),
    ((1, 4, 6, 6), (6, 2, 3, 3), {"group": 2, "pads": [1, 0, 0, 1]}),
    ((2, 4, 6, 6), (4, 1, 3, 3), {"group": 4, "pads": [1, 1, 1, 1]}),
    ((1, 4, 6, 6), (8, 1, 3, 3), {"group": 4, "strides": [2, 1]}),
    ((1, 3, 9), (5, 3, 4), {"strides": [3], "pads": [2, 1]}),
    ((1, 2, 4, 5, 4), (3, 2, 2, 3, 2), {"pads": [1, 0, 1, 0, 1, 0]}),
    ((2, 3, 4, 4), (4, 3, 1, 1), {}),
    ((1, 2, 7, 8), (3, 2, 3, 3), {"auto_pad": "SAME_UPPER", "strides": [2, 3]}),
    ((1, 2, 7, 8), (3, 2, 2, 4), {"auto_pad": "SAME_LOWER"}),
    ((1, 2, 7, 8), (3, 2, 3, 3), {"auto_pad": "VALID", "strides": [2, 2]}),
]


def conv_attributes(values, layout):
    own = {k: AUTO_PADS[v] if k == "auto_pad" else v for k, v in values.items()}
    return attributes(layout, **own)


def conv():
    for n, (a, b, values) in enumerate(CONVS):
        x, w, bias = floats(*a), floats(*b), floats(b[0])
        for with_bias in (False, True):
            operands = [x, w] + ([bias] if with_bias else [])
            want = ort("Conv", operands, **values)
            names = ", ".join(f"{{{i}}}" for i in range(len(operands)))
            for layout in (0, 1):
                own = [to_last(x) if layout else x] + operands[1:]
                fit = to_last if layout else (lambda v: v)
                text = f"nn.conv {names}" + conv_attributes(values, layout)
                yield Case(f"conv{n}_layout{layout}", text, own, fit(want), atol=1e-5)
                # The kernel must be static.
                own[1:] = [Const(v) for v in own[1:]]
                yield Case(f"conv{n}_dynamic_layout{layout}", text, own, fit(want),
                           dynamic=True, atol=1e-5)
    for left, right, zero in ((np.uint8, np.int8, 0), (np.uint8, np.uint8, 200),
                              (np.int8, np.int8, -7)):
        x, w = whole_range(left, 2, 4, 7, 6), whole_range(right, 6, 2, 3, 3)
        bias = whole_range(np.int16, 6).astype(np.int32)
        values = {"group": 2, "pads": [1, 0, 2, 1], "strides": [2, 1]}
        # f32 is exact here.
        want = ort("Conv", [x.astype(f32) - zero, w.astype(f32), bias.astype(f32)],
                   **values).astype(np.int32)
        for layout in (0, 1):
            text = "nn.conv {0}, {1}, {2}" + conv_attributes(
                values | {"input_zero_point": zero}, layout)
            yield Case(f"conv_{np.dtype(left).name}_{np.dtype(right).name}_layout{layout}",
                       text, [to_last(x) if layout else x, w, bias],
                       to_last(want) if layout else want)
    x, w = floats(1, 64, 4, 4, dtype=f16), floats(3, 64, 3, 3, dtype=f16)
    want = ort("Conv", [x.astype(f32), w.astype(f32)]).astype(f16)
    yield Case("conv_f16", "nn.conv {0}, {1}", [x, w], want, rtol=2e-3, atol=2e-3)
    x, w = floats(1, 2, 4, 4, dtype=f64), floats(3, 2, 3, 3, dtype=f64)
    want = ort("Conv", [x.astype(f32), w.astype(f32)]).astype(f64)
    yield Case("conv_f64", "nn.conv {0}, {1}", [x, w], want, rtol=1e-4, atol=1e-5)


def conv_transpose():
    cases = [
        ((1, 3, 4, 5), (3, 2, 3, 3), {}),
        ((2, 3, 4, 5), (3, 2, 2, 2), {"strides": [2, 2]}),
        ((1, 2, 4, 5), (2, 3, 3, 2), {"strides": [2, 3], "pads": [1, 0, 0, 1], "output_padding": [1, 2]}),
        ((1, 4, 4, 4), (4, 3, 3, 3), {"group": 2, "strides": [2, 1], "dilations": [2, 1]}),
        ((1, 2, 3, 4), (2, 2, 3, 3), {"strides": [2, 2], "output_shape": [6, 9]}),
        ((1, 2, 3, 4), (2, 2, 3, 3), {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
        ((1, 2, 3, 4), (2, 2, 4, 4), {"strides": [2, 2], "auto_pad": "SAME_LOWER"}),
        ((1, 2, 5), (2, 3, 3), {"strides": [2], "pads": [3, 0]}),
        ((1, 2, 3, 2, 3), (2, 1, 2, 2, 2), {"strides": [1, 2, 2]}),
    ]
    for n, (a, b, values) in enumerate(cases):
        x, w = floats(*a), floats(*b)
        bias = floats(b[1] * values.get("group", 1))
        want = ort("ConvTranspose", [x, w, bias], **values)
        for layout in (0, 1):
            yield Case(f"conv_transpose{n}_layout{layout}",
                       "nn.conv_transpose {0}, {1}, {2}" + conv_attributes(values, layout),
                       [to_last(x) if layout else x, w, bias],
                       to_last(want) if layout else want, atol=1e-5)


POOLS = [
    ((1, 2, 6, 7), {"kernel_shape": [2, 3]}),
    ((2, 2, 7, 7), {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ((1, 2, 7, 8), {"kernel_shape": [3, 2], "strides": [2, 3], "ceil_mode": 1}),
    ((1, 2, 8, 8), {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 1, 1, 0], "ceil_mode": 1}),
    ((1, 2, 9, 9), {"kernel_shape": [2, 3], "dilations": [3, 2]}),
    ((1, 2, 7, 8), {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    ((1, 2, 7, 8), {"kernel_shape": [2, 4], "auto_pad": "SAME_LOWER"}),
    ((1, 2, 7, 8), {"kernel_shape": [2, 4], "auto_pad": "VALID", "strides": [2, 2]}),
    ((1, 2, 9), {"kernel_shape": [4], "pads": [2, 1]}),
    ((1, 2, 4, 5, 6), {"kernel_shape": [2, 2, 3], "strides": [1, 2, 2]}),
]


def pool_attributes(values, layout, **more):
    own = {k: bool(v) if k == "ceil_mode" else AUTO_PADS[v] if k == "auto_pad" else v
           for k, v in values.items()}
    return attributes(layout, **own, **more)


def pools():
    for n, (a, values) in enumerate(POOLS):
        x = floats(*a)
        for layout in (0, 1):
            own = to_last(x) if layout else x
            fit = to_last if layout else (lambda v: v)
            for dynamic in ((), True):
                yield Case(f"max_pool{n}_layout{layout}",
                           "nn.max_pool {0}" + pool_attributes(values, layout), [own],
                           fit(ort("MaxPool", [x], **values)), dynamic)
                for include in (0, 1):
                    want = ort("AveragePool", [x], count_include_pad=include, **values)
                    yield Case(f"average_pool{n}_include{include}_layout{layout}",
                               "nn.average_pool {0}" + pool_attributes(
                                   values, layout, count_include_pad=bool(include)),
                               [own], fit(want), dynamic)
    for dtype in (np.int8, np.uint8):
        x = rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, (1, 2, 5, 5)).astype(dtype)
        values = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
        yield Case(f"max_pool_{np.dtype(dtype).name}",
                   "nn.max_pool {0}" + pool_attributes(values, 0), [x],
                   ort("MaxPool", [x], **values))
    x = floats(1, 2, 5, 5, dtype=f16)
    values = {"kernel_shape": [3, 3]}
    yield Case("average_pool_f16", "nn.average_pool {0}" + pool_attributes(values, 0), [x],
               ort("AveragePool", [x.astype(f32)], **values).astype(f16), rtol=2e-3, atol=1e-3)
    x = np.full((1, 1, 3, 3), np.nan, f32)
    yield Case("max_pool_nan", "nn.max_pool {0}" + pool_attributes(values, 0), [x],
               np.full((1, 1, 1, 1), np.nan, f32))


def normalizations():
    x = floats(2, 3, 4, 5)
    scale, bias, mean = floats(3), floats(3), floats(3)
    variance = np.abs(floats(3)) + f32(0.1)
    for layout in (0, 1):
        fit = to_last if layout else (lambda v: v)
        for dynamic in ((), True):
            yield Case("batch_norm", "nn.batch_norm {0}, {1}, {2}, {3}, {4}" +
                       attributes(layout, epsilon=0.01), [fit(x), scale, bias, mean, variance],
                       fit(ort("BatchNormalization", [x, scale, bias, mean, variance], epsilon=0.01)),
                       dynamic, atol=1e-5)
            yield Case("instance_norm", "nn.instance_norm {0}, {1}, {2}" + attributes(layout),
                       [fit(x), scale, bias],
                       fit(ort("InstanceNormalization", [x, scale, bias])), dynamic, atol=1e-5)
            for size in (1, 3, 5):
                yield Case(f"lrn{size}", "nn.lrn {0}" + attributes(
                               layout, size=size, alpha=0.5, beta=0.6, bias=1.5), [fit(x)],
                           fit(ort("LRN", [x], size=size, alpha=0.5, beta=0.6, bias=1.5)), dynamic)
    for axis in (-1, 1, 0, -2):
        tail = x.shape[axis:] if axis else x.shape
        scale, bias = floats(*tail), floats(*tail)
        want = ort("LayerNormalization", [x, scale, bias], axis=axis)
        for dynamic in ((), True):
            yield Case(f"layer_norm{axis}", "nn.layer_norm {0}, {1}, {2}" + attributes(axis=axis),
                       [x, scale, bias], want, dynamic, atol=1e-5)
        yield Case("layer_norm_no_bias", "nn.layer_norm {0}, {1}" + attributes(axis=axis),
                   [x, scale], ort("LayerNormalization", [x, scale], axis=axis), atol=1e-5)
    h = floats(4, 64, dtype=f16)
    s = floats(64, dtype=f16)
    want = ort("LayerNormalization", [h.astype(f32), s.astype(f32)]).astype(f16)
    yield Case("layer_norm_f16", "nn.layer_norm {0}, {1}", [h, s], want, rtol=2e-3, atol=2e-3)
    big = np.array([[1000, 1001, 1002, -1000.0]], f32)
    for name, op in (("softmax", "Softmax"), ("log_softmax", "LogSoftmax")):
        for axis in (-1, 0, 1, 2):
            for dynamic in ((), True):
                yield Case(f"{name}{axis}", f"nn.{name} {{0}}" + attributes(axis=axis), [x],
                           ort(op, [x], axis=axis), dynamic, atol=1e-5)
        yield Case(name + "_large", f"nn.{name} {{0}}", [big], ort(op, [big]))
        d = floats(3, 4, dtype=f64)
        yield Case(name + "_f64", f"nn.{name} {{0}}", [d], ort(op, [d]), rtol=1e-12)
        h = floats(3, 40, dtype=f16)
        yield Case(name + "_f16", f"nn.{name} {{0}}", [h],
                   ort(op, [h.astype(f32)]).astype(f16), rtol=2e-3, atol=1e-3)


def all_cases():
    for group in (matmul, gemm, conv, conv_transpose, pools, normalizations):
        yield from group()
