# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Operators that pick by index, cumulate, sample and look at bits."""

import numpy as np
from harness import Case, Const, Fixed, ort
from cases_spatial import attributes

f32, f64, f16, i32, i64 = np.float32, np.float64, np.float16, np.int32, np.int64
rng = np.random.default_rng(7)
BOTH = ((), True)


def floats(*shape, dtype=f32):
    return rng.uniform(-2, 2, shape).astype(dtype)


def indices(size, *shape, dtype=i64):
    """From both ends of a dimension."""
    return rng.integers(-size, size, shape).astype(dtype)


def gather():
    x = floats(4, 5, 6)
    for axis in (0, 1, -1):
        for dtype in (i32, i64):
            picked = indices(x.shape[axis], 2, 3, 4, dtype=dtype)
            want = ort("GatherElements", [x, picked], axis=axis)
            for dynamic in BOTH:
                yield Case(f"gather_elements_{axis}_{np.dtype(dtype).name}",
                           "nn.gather_elements {0}, {1}" + attributes(axis=axis),
                           [x, picked], want, dynamic)
    for batch, shape, tuple_size in ((0, (3, 2), 2), (0, (2, 2, 3), 3), (1, (4, 3, 1), 1),
                                     (1, (4, 2), 2)):
        picked = rng.integers(0, 4, shape).astype(i64)
        want = ort("GatherND", [x, picked], batch_dims=batch)
        for operand in (picked, Fixed(picked)):
            if isinstance(operand, np.ndarray):
                yield Case(f"gather_nd_{batch}_{shape}", "nn.gather_nd {0}, {1}"
                           + attributes(batch_dims=batch), [x, operand], want)
            else:
                yield Case(f"gather_nd_{batch}_{shape}_dynamic", "nn.gather_nd {0}, {1}"
                           + attributes(batch_dims=batch), [x, operand], want, True)


def scatter():
    x = floats(4, 5)
    for dtype in (f32, i32, np.uint8):
        data = (x * 3 + 8).astype(dtype)
        for reduction, function in (("none", None), ("add", np.add), ("mul", np.multiply),
                                    ("max", np.maximum), ("min", np.minimum)):
            picked = np.array([[0, 3, -1], [2, 2, 1]], i64)
            updates = (floats(2, 3) * 3 + 8).astype(dtype)
            want = data.copy()
            for i in range(2):
                for j in range(3):
                    place = picked[i, j], j
                    want[place] = updates[i, j] if not function else \
                        function(want[place], updates[i, j])
            for dynamic in BOTH:
                yield Case(f"scatter_elements_{reduction}_{np.dtype(dtype).name}",
                           "nn.scatter_elements {0}, {1}, {2}"
                           + attributes(axis=0, reduction=reduction),
                           [data, picked, updates], want, dynamic)
            tuples = np.array([[1], [-1], [1]], i64)
            rows = (floats(3, 5) * 3 + 8).astype(dtype)
            want = data.copy()
            for place, row in zip(tuples[:, 0], rows):
                want[place] = row if not function else function(want[place], row)
            for dynamic in BOTH:
                yield Case(f"scatter_nd_{reduction}_{np.dtype(dtype).name}",
                           "nn.scatter_nd {0}, {1}, {2}" + attributes(reduction=reduction),
                           [data, Fixed(tuples), rows], want, dynamic)


def ranges():
    for dtype, start, limit, delta in ((i64, 3, 20, 4), (i32, 9, -3, -5), (i64, 5, 5, 1),
                                       (i64, 5, 2, 1), (f32, 0, 1, 0.25), (f64, 1, -1, -0.5),
                                       (np.uint8, 3, 250, 100)):
        want = np.arange(start, limit, delta).astype(dtype)
        numbers = [np.array(x, dtype) for x in (start, limit, delta)]
        yield Case(f"range_{np.dtype(dtype).name}_{start}_{limit}", "nn.range {0}, {1}, {2}",
                   numbers, want, True)
        yield Case(f"range_{np.dtype(dtype).name}_{start}_{limit}_known",
                   "nn.range {0}, {1}, {2}", [Const(x) for x in numbers], want)


def cumulative():
    x = floats(3, 4, 5)
    for name, function, neutral in (("cumsum", np.cumsum, 0), ("cumprod", np.cumprod, 1)):
        for axis in (0, 1, -1):
            for exclusive in (False, True):
                for reverse in (False, True):
                    source = np.flip(x, axis) if reverse else x
                    want = function(source, axis=axis, dtype=f64)
                    if exclusive:
                        want = np.insert(np.delete(want, -1, axis), 0, neutral, axis)
                    want = (np.flip(want, axis) if reverse else want).astype(f32)
                    for dynamic in BOTH:
                        yield Case(f"{name}_{axis}_{exclusive}_{reverse}",
                                   f"nn.{name} {{0}}" + attributes(
                                       axis=axis, exclusive=exclusive, reverse=reverse),
                                   [x], want, dynamic)
        i = rng.integers(-3, 4, (3, 4)).astype(np.int8)
        yield Case(f"{name}_i8", f"nn.{name} {{0}}" + attributes(axis=1), [i],
                   function(i, axis=1, dtype=np.int8))


def grid_sample():
    x = floats(2, 3, 5, 6)
    grid = rng.uniform(-1.4, 1.4, (2, 4, 3, 2)).astype(f32)
    for mode, known in (("linear", "linear"), ("nearest", "nearest"), ("cubic", "cubic")):
        for padding in ("zeros", "border", "reflection"):
            # Here ONNX Runtime differs from ONNX's definition (test/node-tests).
            if (mode, padding) == ("cubic", "border"):
                continue
            for align in (False, True):
                want = ort("GridSample", [x, grid], mode=known, padding_mode=padding,
                           align_corners=int(align))
                for dynamic in BOTH:
                    yield Case(f"grid_sample_{mode}_{padding}_{align}",
                               "nn.grid_sample {0}, {1}" + attributes(
                                   mode=mode, padding_mode=padding, align_corners=align),
                               [x, grid], want, dynamic, rtol=1e-4, atol=1e-5)
    # Which element is taken, by its number; 0 is none.
    numbers = np.arange(1, x.size + 1, dtype=f32).reshape(x.shape)
    for dtype in (np.int8, np.uint16, i64, bool):
        # Neighbours differ by less than f64 can tell.
        table = np.arange(x.size + 1) + (2**62 if dtype == i64 else 0)
        table = (table % 3 == 0 if dtype == bool else table).astype(dtype)
        table[0] = 0
        for padding in ("zeros", "border", "reflection"):
            places = ort("GridSample", [numbers, grid], mode="nearest", padding_mode=padding)
            yield Case(f"grid_sample_{np.dtype(dtype).name}_{padding}", "nn.grid_sample {0}, {1}"
                       + attributes(mode="nearest", padding_mode=padding),
                       [table[numbers.astype(i64)], grid], table[places.astype(i64)], True)


def pools():
    x = floats(2, 3, 9, 8)
    for name, attrs in (("plain", dict(kernel_shape=[3, 2])),
                        ("strides", dict(kernel_shape=[2, 3], strides=[2, 1])),
                        ("pads", dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1])),
                        ("dilations", dict(kernel_shape=[2, 2], dilations=[2, 3])),
                        ("ceil", dict(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1))):
        want = ort("MaxPool", [x], outputs=2, **attrs)[1]
        shown = dict(attrs)
        if "ceil_mode" in shown:
            shown["ceil_mode"] = True
        for dynamic in BOTH:
            yield Case(f"max_pool_indices_{name}", "nn.max_pool_indices {0}"
                       + attributes(**shown), [x], want, dynamic)
    for p in (1, 2, 3):
        want = ort("LpPool", [x], kernel_shape=[3, 2], strides=[2, 2], p=p)
        for dynamic in BOTH:
            yield Case(f"lp_pool_{p}", "nn.lp_pool {0}" + attributes(
                kernel_shape=[3, 2], strides=[2, 2], p=p), [x], want, dynamic, rtol=1e-4)


def bits():
    for dtype in (np.int8, np.uint8, i32, np.uint32, i64):
        x = rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, (4, 5), dtype=dtype)
        width = np.iinfo(dtype).bits
        y = rng.integers(0, width + 3, (5,)).astype(dtype)
        for left in (False, True):
            # numpy gives 0, or the sign, for all bits shifted out.
            want = np.left_shift(x, y) if left else np.right_shift(x, y)
            yield Case(f"bit_shift_{np.dtype(dtype).name}_{left}",
                       "nn.bit_shift {0}, {1}" + attributes(left=left), [x, y], want)
    x = np.array([1.5, -np.inf, np.inf, np.nan, -0.0], f32)
    for negative in (False, True):
        for positive in (False, True):
            want = (np.isneginf(x) & negative) | (np.isposinf(x) & positive)
            yield Case(f"isinf_{negative}_{positive}", "nn.isinf {0}" + attributes(
                detect_negative=negative, detect_positive=positive), [x], want)
    yield Case("bitcast", "nn.bitcast {0} {{to = i32}}", [x], x.view(i32))
    yield Case("bitcast_bool", "nn.bitcast {0} {{to = ui8}}",
               [np.array([True, False])], np.array([1, 0], np.uint8))


def powers():
    """Integers to the power of integers, exactly, and wrapping."""
    x = np.array([3, -2, 7, 0, -1, 10], i32)
    y = np.array([4, 31, 40, 0, 9, 2], i64)
    want = np.array([pow(int(a), int(b)) & 0xffffffff for a, b in zip(x, y)], np.uint32)
    yield Case("pow_i32_i64", "nn.pow {0}, {1}", [x, y], want.view(i32))
    yield Case("pow_i32_f32", "nn.pow {0}, {1}",
               [np.array([2, 3, 10], i32), np.array([3, 4, 5], f32)],
               np.array([8, 81, 100000], i32))


def all_cases():
    for group in (gather, scatter, ranges, cumulative, grid_sample, pools, bits, powers):
        yield from group()
