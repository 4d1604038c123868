# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""TopK: few and many of a line, ties, NaN, infinities, lines along any axis."""

import numpy as np
from execution import Case

SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, 1.0, -1.0]


def numbers(dtype, shape):
    """Numbers among which each occurs more than once; of floats special ones too."""
    rng = np.random.default_rng(shape[-1])
    drawn = rng.integers(0, max(4, shape[-1] // 3), shape).astype(dtype)
    if np.issubdtype(drawn.dtype, np.floating):
        special = rng.choice(SPECIAL, shape)
        drawn = np.where(rng.integers(0, 6, shape) == 0, special, drawn).astype(dtype)
    return drawn


def lines(name, k, values, axis=-1, largest=1):
    shape, has_nan = values.shape, bool(np.any(values != values))
    # Of NaN, ONNX Runtime's result depends on the order of its comparisons.
    return Case(f"{name}_k{k}_axis{axis % len(shape)}_{largest}",
                f"{values.dtype}[{','.join(map(str, shape))}] x".replace("float32", "float").replace("float64", "double"),
                f"k = Constant<value_ints = [{k}]>()"
                f"  y, z = TopK<axis = {axis}, largest = {largest}>(x, k)",
                values={"x": values}, oracle=not has_nan)


def top():
    for largest in 0, 1:
        for dtype in "float32", "float16", "int64", "int8":
            for size in 7, 33, 300:
                for k in 1, 5, 16, 17, 100, 300:
                    if k <= size:
                        values = numbers(dtype, (3, size))
                        yield lines(f"{dtype}_{size}", k, values, largest=largest)
        for axis in 0, 1:
            yield lines("across", 5, numbers("float32", (40, 33, 3)), axis, largest)
            yield lines("across", 20, numbers("float32", (40, 33, 3)), axis, largest)
        # Up to the ends of the types.
        for dtype in "int8", "uint8", "int32", "uint32", "int64", "uint64":
            info = np.iinfo(dtype)
            values = np.random.default_rng(3).integers(info.min, info.max, (2, 90), dtype,
                                                       endpoint=True)
            values[:, 40:50] = info.min
            values[:, 60:65] = info.max
            yield lines(f"{dtype}_ends", 70, values, largest=largest)
        yield lines("float64", 60, numbers("float64", (2, 90)), largest=largest)
    # In the worst order, and all the same.
    rising = np.arange(500, dtype="float32")
    for name, values in ("rising", rising), ("falling", rising[::-1].copy()), ("same", 0 * rising):
        for k in 5, 50:
            yield lines(name, k, values)
    nans = np.full(70, np.nan, "float32")
    nans[3] = 1
    for k in 3, 40:
        yield lines("nans", k, nans, largest=0)
        yield lines("nans", k, nans)


def all_cases():
    yield from top()
