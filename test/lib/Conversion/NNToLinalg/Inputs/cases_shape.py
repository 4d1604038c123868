# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Reductions, data movement, indexing, resampling, quantization."""

import numpy as np
from harness import Case, Const, Fixed, ort, reference
from cases_spatial import attributes, to_last

f32, f64, f16, i64 = np.float32, np.float64, np.float16, np.int64
rng = np.random.default_rng(3)
BOTH = ((), True)


def floats(*shape, dtype=f32):
    return rng.uniform(-2, 2, shape).astype(dtype)


def ints(dtype, *shape):
    low = 0 if np.dtype(dtype).kind == "u" else -9
    return rng.integers(low, 9, shape).astype(dtype)


def index_list(values):
    return np.array(values, i64)


REDUCTIONS = {"l1": "ReduceL1", "l2": "ReduceL2", "log_sum": "ReduceLogSum",
              "log_sum_exp": "ReduceLogSumExp", "max": "ReduceMax", "mean": "ReduceMean",
              "min": "ReduceMin", "prod": "ReduceProd", "sum": "ReduceSum",
              "sum_square": "ReduceSumSquare"}


def reductions():
    x = floats(3, 4, 5)
    for name, op in REDUCTIONS.items():
        source = np.abs(x) if name == "log_sum" else x
        for axes in ([], [1], [0, 2], [-1]):
            for keep in (True, False):
                inputs = [source] + ([index_list(axes)] if axes else [])
                want = np.asarray(ort(op, inputs, keepdims=int(keep)))
                text = f"nn.reduce_{name} {{0}}" + attributes(axes=axes or None, keepdims=keep)
                for dynamic in BOTH:
                    yield Case(f"reduce_{name}_{axes}_{keep}", text, [source], want, dynamic)
        text = f"nn.reduce_{name} {{0}}" + attributes(axes=[1], keepdims=False)
        h = np.abs(floats(3, 200, dtype=f16))
        want = ort(op, [h.astype(f32), index_list([1])], keepdims=0)
        with np.errstate(over="ignore"):
            yield Case(f"reduce_{name}_f16", text, [h], want.astype(f16), rtol=2e-3)
        d = np.abs(floats(3, 4, dtype=f64))
        yield Case(f"reduce_{name}_f64", text, [d], ort(op, [d, index_list([1])], keepdims=0), rtol=1e-12)
        i = np.abs(ints(np.int32, 3, 4)) + np.int32(1)
        yield Case(f"reduce_{name}_i32", text, [i], ort(op, [i, index_list([1])], keepdims=0))
    for dtype in (np.uint8, np.int8, np.bool_):
        v = ints(dtype, 3, 4) if dtype != np.bool_ else rng.integers(0, 2, (3, 4)).astype(bool)
        for name, function in (("max", np.max), ("min", np.min)):
            yield Case(f"reduce_{name}_{np.dtype(dtype).name}",
                       f"nn.reduce_{name} {{0}}" + attributes(axes=[1], keepdims=False), [v],
                       function(v, 1))
    v = ints(np.uint8, 3, 40)
    yield Case("reduce_mean_u8", "nn.reduce_mean {0}" + attributes(axes=[1], keepdims=False),
               [v], (v.astype(int).sum(1) // 40).astype(np.uint8))
    n = np.array([[1, np.nan, 3]], f32)
    yield Case("reduce_max_nan", "nn.reduce_max {0}" + attributes(axes=[1]), [n], np.array([[np.nan]], f32))
    inf = np.array([[-np.inf, -np.inf], [np.inf, 1]], f32)
    yield Case("reduce_log_sum_exp_inf", "nn.reduce_log_sum_exp {0}" +
               attributes(axes=[1], keepdims=False), [inf], np.array([-np.inf, np.inf], f32))
    empty = np.zeros((2, 0), f32)
    yield Case("reduce_sum_empty", "nn.reduce_sum {0}" + attributes(axes=[1], keepdims=False),
               [empty], np.zeros(2, f32), dynamic=True)
    t = np.array([[1, 3, 3, 0], [-5, -5, -7, -7]], f32)
    for source in (t, t.astype(np.int32), np.abs(t).astype(np.uint8), floats(3, 4, 5)):
        for name, op in (("argmax", "ArgMax"), ("argmin", "ArgMin")):
            for axis in (0, -1):
                for last in (0, 1):
                    for keep in (0, 1):
                        want = ort(op, [source], axis=axis, select_last_index=last, keepdims=keep)
                        yield Case(f"{name}_{axis}_{last}", f"nn.{name} {{0}}" + attributes(
                                       axis=axis, keepdims=bool(keep), select_last_index=bool(last)),
                                   [source], want, True if keep else ())


def movement():
    x = floats(2, 3, 4)
    u = ints(np.uint8, 2, 3, 4)
    for dynamic in BOTH:
        for axis in (0, 1, -1):
            y = floats(2, 3, 4)
            yield Case("concat", "nn.concat {0}, {1}, {2}" + attributes(axis=axis), [x, y, x],
                       np.concatenate([x, y, x], axis), dynamic)
        yield Case("concat_u8", "nn.concat {0}, {1}" + attributes(axis=1), [u, u],
                   np.concatenate([u, u], 1), dynamic)
        yield Case("concat_one", "nn.concat {0}" + attributes(axis=1), [x], x, dynamic)
        yield Case("split", "nn.split {0}" + attributes(sizes=[1, 3], axis=-1), [x],
                   [x[..., :1].copy(), x[..., 1:].copy()], dynamic)
        for perm in ([0, 1, 2], [2, 0, 1], [1, 0, 2], [2, 1, 0]):
            yield Case("transpose", "nn.transpose {0}" + attributes(perm=perm), [x],
                       np.ascontiguousarray(x.transpose(perm)), dynamic)
        one = floats(1, 3, 1, 4)
        yield Case("transpose_units", "nn.transpose {0}" + attributes(perm=[2, 1, 3, 0]), [one],
                   one.transpose(2, 1, 3, 0).copy(), dynamic)
        yield Case("flatten", "nn.flatten {0}" + attributes(axis=2), [x], x.reshape(6, 4), dynamic)
        yield Case("flatten0", "nn.flatten {0}" + attributes(axis=0), [x], x.reshape(1, 24), dynamic)
        yield Case("squeeze", "nn.squeeze {0}" + attributes(axes=[0, -2]), [one], one.reshape(3, 4), dynamic)
        yield Case("unsqueeze", "nn.unsqueeze {0}" + attributes(axes=[0, -1, 2]), [x],
                   x.reshape(1, 2, 1, 3, 4, 1), dynamic)
        yield Case("squeeze_all", "nn.squeeze {0}" + attributes(axes=[0, 1]), [floats(1, 1) * 0],
                   np.array(0, f32), dynamic)
        yield Case("shape", "nn.shape {0}", [x], index_list([2, 3, 4]), dynamic)
        yield Case("shape_part", "nn.shape {0}" + attributes(start=-2, end=3), [x],
                   index_list([3, 4]), dynamic)
        yield Case("size", "nn.size {0}", [u], np.array(24, i64), dynamic)
    # Shapes as constants and as data.
    for make in (Const, Fixed):
        for dynamic in BOTH:
            for shape, want in (([6, 4], (6, 4)), ([-1], (24,)), ([0, -1], (2, 12)),
                                ([4, 3, 2], (4, 3, 2)), ([2, 1, 3, 2, 2], (2, 1, 3, 2, 2)),
                                ([-1, 0, 2, 2], (2, 3, 2, 2))):
                yield Case(f"reshape{shape}", "nn.reshape {0}, {1}", [x, make(index_list(shape))],
                           x.reshape(want), dynamic)
            yield Case("reshape_u8", "nn.reshape {0}, {1}", [u, make(index_list([-1, 8]))],
                       u.reshape(3, 8), dynamic)
            yield Case("reshape_scalar", "nn.reshape {0}, {1}",
                       [floats(1) * 0, Const(np.zeros(0, i64))], np.array(0, f32), dynamic)
            for shape in ([2, 3, 4], [5, 1, 1, 1], [3, 1], [1]):
                source = floats(3, 1)
                want = source * np.ones(shape, f32)
                yield Case(f"expand{shape}", "nn.expand {0}, {1}", [source, make(index_list(shape))]
                           , want, dynamic) if np.broadcast_shapes((3, 1), shape) else None
            yield Case("tile", "nn.tile {0}, {1}", [x, make(index_list([2, 1, 3]))],
                       np.tile(x, (2, 1, 3)), dynamic)
            yield Case("constant_of_shape", "nn.constant_of_shape {0} {{value = dense<7> : tensor<1xi32>}}",
                       [make(index_list([2, 3]))], np.full((2, 3), 7, np.int32), dynamic)
            slices = [([1], [3], [2], [1]), ([-3, 0], [-1, 100], [2, 1], [1, 2]),
                      ([3, 5], [-100, 0], [2, 1], [-1, -2]), ([0], [2**63 - 1], [-1], [2]),
                      ([-1], [-2**63], [0], [-1]), ([2], [1], [2], [1])]
            for n, (starts, ends, axes, steps) in enumerate(slices):
                want = ort("Slice", [x, index_list(starts), index_list(ends), index_list(axes),
                                     index_list(steps)])
                yield Case(f"slice{n}", "nn.slice {0}, {1}, {2}" + attributes(axes=axes, steps=steps),
                           [x, make(index_list(starts)), make(index_list(ends))], want, dynamic)
            pads = [([1, 0, 2, 0, 1, 1], None), ([0, -1, 1, 0, 0, -2], None), ([2, 1, 3, 3], [1, -1])]
            for mode in ("constant", "reflect", "edge", "wrap"):
                for n, (counts, axes) in enumerate(pads):
                    if min(counts) < 0 and mode != "constant":
                        continue
                    counts = [min(c, 1) if mode in ("reflect", "wrap") else c for c in counts]
                    inputs = [x, index_list(counts), None if mode != "constant" else np.array(1.5, f32)]
                    if axes:
                        inputs.append(index_list(axes))
                    want = ort("Pad", inputs, mode=mode)
                    operands = [x, make(index_list(counts))]
                    if mode == "constant":
                        operands.append(np.array(1.5, f32))
                    text = "nn.pad " + ", ".join(f"{{{i}}}" for i in range(len(operands)))
                    yield Case(f"pad_{mode}{n}", text + attributes(axes=axes, mode=mode), operands,
                               want, dynamic)
    yield Case("pad_u8", "nn.pad {0}, {1}", [u, Const(index_list([0, 0, 1, 0, 0, 1]))],
               np.pad(u, ((0, 0), (0, 0), (1, 1))))


def blocks():
    x = floats(2, 12, 3, 4)
    y = floats(2, 3, 4, 6)
    for layout in (0, 1):
        fit = to_last if layout else (lambda v: v)
        for dynamic in BOTH:
            for mode in ("DCR", "CRD"):
                yield Case(f"depth_to_space_{mode}", "nn.depth_to_space {0}" + attributes(
                               layout, blocksize=2, mode=mode), [fit(x)],
                           fit(ort("DepthToSpace", [x], blocksize=2, mode=mode)), dynamic)
            yield Case("space_to_depth", "nn.space_to_depth {0}" + attributes(layout, blocksize=2),
                       [fit(y)], fit(ort("SpaceToDepth", [y], blocksize=2)), dynamic)


def gather():
    for source in (floats(3, 4, 5), ints(np.uint8, 3, 4, 5)):
        for axis in (0, 1, -1):
            for indices in (np.array([[0, -1], [2, 1]], i64), np.array(1, i64),
                            np.array([-2, 0], np.int32)):
                want = np.take(source, indices, axis)
                for dynamic in BOTH:
                    yield Case(f"gather{axis}", "nn.gather {0}, {1}" + attributes(axis=axis),
                               [source, indices], want, dynamic)


RESIZES = [
    {"mode": "nearest"},
    {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
    {"mode": "nearest", "coordinate_transformation_mode": "align_corners", "nearest_mode": "ceil"},
    {"mode": "nearest", "nearest_mode": "round_prefer_ceil"},
    {"mode": "linear"},
    {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
    {"mode": "linear", "coordinate_transformation_mode": "asymmetric"},
    {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"},
    {"mode": "linear", "coordinate_transformation_mode": "half_pixel_symmetric"},
    {"mode": "cubic"},
    {"mode": "cubic", "cubic_coeff_a": -0.5, "exclude_outside": 1},
    {"mode": "cubic", "coordinate_transformation_mode": "align_corners"},
]


# With antialias, to fewer elements along one axis and more along the other.
SMOOTH = [
    {"mode": mode, "antialias": 1, **more}
    for mode in ("linear", "cubic")
    for more in ({}, {"exclude_outside": 1}, {"coordinate_transformation_mode": "align_corners"},
                 {"coordinate_transformation_mode": "asymmetric"},
                 {"coordinate_transformation_mode": "half_pixel_symmetric"},
                 {"coordinate_transformation_mode": "pytorch_half_pixel", "cubic_coeff_a": -0.5})
]


def get_judge(values):
    """Where ONNX wants the exact size, ONNX Runtime takes the rounded one
    (docs/decisions/align-corners.md)."""
    return reference if "align_corners" in values.values() else ort


def smooth_resize():
    x = floats(1, 2, 23, 5)
    for n, values in enumerate(SMOOTH):
        own = {"coordinate_mode" if k == "coordinate_transformation_mode" else k:
               bool(v) if k in ("antialias", "exclude_outside") else v for k, v in values.items()}
        layout = n % 2
        fit = to_last if layout else (lambda v: v)
        text = attributes(layout, **own)
        factors = np.array([1, 1, 0.23, 1.7], f32)
        judge = get_judge(values)
        want = judge("Resize", [x, None, factors], **values)
        yield Case(f"smooth{n}_scales", "nn.resize {0} scales {1}" + text,
                   [fit(x), Fixed(factors)], fit(want), True, atol=1e-4)
        sizes = index_list([1, 2, 4, 11])
        want = ort("Resize", [x, None, None, sizes], **values)
        for make, dynamic in ((Const, ()), (Fixed, True)):
            yield Case(f"smooth{n}_sizes", "nn.resize {0} sizes {1}" + text,
                       [fit(x), make(sizes)], fit(want), dynamic, atol=1e-4)
    roi = np.array([0, 0, 0.1, -0.2, 1, 1, 0.9, 1.3], f32)
    sizes = index_list([1, 2, 4, 6])
    values = {"coordinate_transformation_mode": "tf_crop_and_resize", "extrapolation_value": 9.0}
    want = ort("Resize", [x, roi, None, sizes], mode="linear", antialias=1, **values)
    yield Case("smooth_crop", "nn.resize {0} roi {1} sizes {2}" + attributes(
                   mode="linear", antialias=True, coordinate_mode="tf_crop_and_resize",
                   extrapolation_value=9.0), [x, roi, sizes], want, atol=1e-4)
    # Rounded once, where ONNX Runtime rounds after each axis.
    text = "nn.resize {0} sizes {1}" + attributes(mode="cubic", antialias=True)
    sizes = index_list([1, 2, 6, 5])
    for dtype in (np.uint8, np.int8, np.int32):
        values = np.where(rng.random((1, 2, 23, 5)) < 0.5, *(
            (0, 255) if dtype == np.uint8 else (-128, 127)))
        wide = ort("Resize", [values.astype(f32), None, None, sizes], mode="cubic", antialias=1)
        info = np.iinfo(dtype)
        want = np.clip(np.round(wide), info.min, info.max).astype(dtype)
        yield Case(f"smooth_{np.dtype(dtype).name}", text, [values.astype(dtype), Fixed(sizes)], want)
    d = floats(1, 2, 23, 5, dtype=f64)
    want = ort("Resize", [d.astype(f32), None, None, sizes], mode="cubic", antialias=1)
    yield Case("smooth_f64", text, [d, Fixed(sizes)], want.astype(f64), atol=1e-4)


def resize():
    x = floats(2, 3, 4, 5)
    for n, values in enumerate(RESIZES):
        own = {"coordinate_mode" if k == "coordinate_transformation_mode" else k:
               bool(v) if k == "exclude_outside" else v for k, v in values.items()}
        judge = get_judge(values)
        for make in (Const, Fixed):
            for layout in (0, 1):
                fit = to_last if layout else (lambda v: v)
                for scales in ([1, 1, 2, 2], [1, 1, 0.6, 1.7]):
                    factors = np.array(scales, f32)
                    want = judge("Resize", [x, None, factors], **values)
                    yield Case(f"resize{n}_scales", "nn.resize {0} scales {1}" + attributes(layout, **own),
                               [fit(x), make(factors)], fit(want), True, atol=1e-4)
                sizes = index_list([2, 3, 7, 3])
                want = ort("Resize", [x, None, None, sizes], **values)
                for dynamic in BOTH:
                    yield Case(f"resize{n}_sizes", "nn.resize {0} sizes {1}" + attributes(layout, **own),
                               [fit(x), make(sizes)], fit(want), dynamic, atol=1e-4)
    for policy in ("not_larger", "not_smaller"):
        sizes = index_list([7, 9])
        want = ort("Resize", [x, None, None, sizes], axes=[2, 3], mode="linear",
                   keep_aspect_ratio_policy=policy)
        for dynamic in BOTH:
            yield Case(f"resize_{policy}", "nn.resize {0} sizes {1}" + attributes(
                           axes=[2, 3], mode="linear", keep_aspect_ratio=policy),
                       [x, Fixed(sizes)], want, dynamic, atol=1e-4)
    roi = np.array([0, 0, 0.1, 0.2, 1, 1, 0.7, 1.3], f32)
    sizes = index_list([2, 3, 5, 6])
    values = {"mode": "linear", "coordinate_transformation_mode": "tf_crop_and_resize",
              "extrapolation_value": 9.0}
    want = ort("Resize", [x, roi, None, sizes], **values)
    yield Case("resize_crop", "nn.resize {0} roi {1} sizes {2}" + attributes(
                   mode="linear", coordinate_mode="tf_crop_and_resize", extrapolation_value=9.0),
               [x, roi, sizes], want, atol=1e-4)
    u = ints(np.uint8, 1, 1, 3, 3)
    factors = np.array([1, 1, 2, 2], f32)
    want = ort("Resize", [u, None, factors])
    yield Case("resize_u8", "nn.resize {0} scales {1}", [u, Const(factors)], want)
    for dynamic in BOTH:
        yield Case("resize_bool", "nn.resize {0} scales {1}", [u > 4, Fixed(factors)], want > 4,
                   dynamic)


def quantization():
    x = np.concatenate([floats(2, 3, 4).ravel() * 100, [1e9, -1e9, 0.5, 1.5, 2.5, -0.5, 3, 4]]
                       ).astype(f32).reshape(2, 4, 4)
    for dtype, name in ((np.int8, "i8"), (np.uint8, "ui8"), (np.int16, "i16"), (np.uint16, "ui16")):
        zero = np.array(3, dtype)
        scale = np.array(0.5, f32)
        want = ort("QuantizeLinear", [x, scale, zero])
        yield Case(f"quantize_{name}", f"nn.quantize {{0}}, {{1}}, {{2}} {{{{to = {name}}}}}",
                   [x, scale, zero], want)
        scales, zeros = np.array([0.5, 1, 0.25, 2], f32), np.array([0, 1, 2, 3], dtype)
        q = ort("QuantizeLinear", [x, scales, zeros], axis=1)
        for dynamic in BOTH:
            yield Case(f"quantize_axis_{name}",
                       f"nn.quantize {{0}}, {{1}}, {{2}} {{{{to = {name}, axis = 1 : i64}}}}",
                       [x, scales, zeros], q, dynamic)
            yield Case(f"dequantize_axis_{name}", "nn.dequantize {0}, {1}, {2}" + attributes(axis=1),
                       [q, scales, zeros], ort("DequantizeLinear", [q, scales, zeros], axis=1), dynamic)
        yield Case(f"dequantize_{name}", "nn.dequantize {0}, {1}", [q, scale], q.astype(f32) * scale)
        blocked = np.abs(floats(2, 2, 4)) + f32(0.5)
        zeros = rng.integers(0, 5, (2, 2, 4)).astype(dtype)
        want = ort("DequantizeLinear", [q, blocked, zeros], axis=1, block_size=2)
        yield Case(f"dequantize_blocked_{name}",
                   "nn.dequantize {0}, {1}, {2}" + attributes(axis=1, block_size=2),
                   [q, blocked, zeros], want)
    # Beside ties of f32, and numbers that it has not.
    whole = np.array([1000000001, 999999999, 1000000000, -1000000001, 2**31 - 1], np.int32)
    yield Case("quantize_f64", "nn.quantize {0}, {1} {{to = i8}}", [whole, np.array(2e9)],
               np.array([1, 0, 0, -1, 1], np.int8))
    i = ints(np.int32, 4)
    yield Case("dequantize_i32", "nn.dequantize {0}, {1}", [i, np.array(0.1, f32)],
               i.astype(f32) * f32(0.1))


def all_cases():
    for group in (reductions, movement, blocks, gather, resize, smooth_resize,
                  quantization):
        for case in group():
            if case is not None:
                yield case
