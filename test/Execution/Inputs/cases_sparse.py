# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Products and convolutions with weights of which blocks of 16 columns are zero."""

import numpy as np

from execution import Case


def prune(shape, axis, density, seed=0):
    """Random weights, of which the part `density` of the blocks along `axis` is kept."""
    random = np.random.default_rng(seed)
    weights = random.uniform(-1, 1, shape).astype(np.float32)
    columns = np.moveaxis(weights, axis, -1)
    for first in range(0, columns.shape[-1], 16):
        columns[..., first:first + 16] *= (random.random(columns.shape[:-1]) < density)[..., None]
    return weights


def products():
    for name, k, n, density in [("small", 7, 16, 0.4), ("odd", 37, 21, 0.3), ("few", 64, 8, 0.5),
                                ("large", 300, 200, 0.2), ("dense", 40, 48, 0.59),
                                ("one", 96, 64, 0.02), ("none", 20, 20, 0)]:
        weights = prune((k, n), 1, density)
        for m in 1, 2, 5, 8, 13, 70:
            yield Case(f"MatMul_{name}_{m}", f"float[{m},{k}] x", "y = MatMul(x, w)",
                       weights=f"float[{k},{n}] w", values={"w": weights})
        yield Case(f"Gemm_{name}", f"float[9,{k}] x",
                   "t = Gemm<transB = 1>(x, w, b)  y = Relu(t)  z = Sigmoid(t)",
                   weights=f"float[{n},{k}] w, float[{n}] b",
                   values={"w": np.ascontiguousarray(weights.T)})
        yield Case(f"MatMul_dynamic_{name}", f"float[B,M,{k}] x, float[{n}] r",
                   "t = MatMul(x, w)  y = Add(t, r)", weights=f"float[{k},{n}] w",
                   values={"w": weights},
                   sizes=[{"B": 1, "M": 1}, {"B": 3, "M": 29}, {"B": 0, "M": 4}])


def convolutions():
    for name, c, m, kernel, attributes in [
            ("pointwise", 40, 33, (1, 1), ""), ("plain", 12, 16, (3, 3), ""),
            ("padded", 20, 35, (3, 3), "<pads = [1, 1, 1, 1]>"),
            ("strided", 9, 16, (3, 5), "<strides = [2, 2], pads = [1, 2, 0, 1]>"),
            ("dilated", 8, 16, (3, 3), "<dilations = [2, 2]>"),
            ("groups", 8, 32, (3, 3), "<group = 2>"), ("row", 24, 20, (7,), "<pads = [3, 3]>"),
            ("volume", 5, 16, (2, 3, 3), "<pads = [0, 1, 1, 0, 1, 1]>")]:
        groups = 2 if name == "groups" else 1
        weights = prune((m, c // groups, *kernel), 0, 0.25)
        shape = ",".join(map(str, weights.shape))
        spatial = ",".join(["11", "13", "7"][:len(kernel)])
        dynamic = ",".join(["H", "W", "D"][:len(kernel)])
        for suffix, input, sizes in [("", f"1,{c},{spatial}", ({},)),
                                     ("_dynamic", f"N,{c},{dynamic}",
                                      [{"N": 2, "H": 9, "W": 30, "D": 5}])]:
            yield Case(f"Conv_{name}{suffix}", f"float[{input}] x",
                       f"t = Conv{attributes}(x, w, b)  y = Relu(t)",
                       weights=f"float[{shape}] w, float[{m}] b", values={"w": weights},
                       sizes=sizes)


def all_cases():
    for group in products, convolutions:
        yield from group()
