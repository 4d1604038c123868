# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Products and convolutions with weights of which blocks of 16 columns are zero."""

import numpy as np

from execution import Case, cpu

#: Products of bytes, four at a time, which leave out blocks of four channels.
OPTIONS = [("--mcpu=x86-64-v4+avx512vnni",)] if "avx512_vnni" in cpu.flags() else []


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


def bytes_():
    """The sums, as integers."""

    def prune_bytes(shape, axis, density):
        kept = prune((shape[0], shape[1] // 4, *shape[2:]) if axis == 0 else
                     (shape[0] // 4, *shape[1:]), axis, density) != 0
        numbers = np.random.default_rng(1).integers(-128, 128, shape)
        return (numbers * np.repeat(kept, 4, axis=1 - axis)).astype(np.int8)

    for dtype, zero in ("uint8", 0), ("uint8", 90), ("int8", -3):
        label = f"{dtype}_{abs(zero)}"
        values = {"z": np.array(zero, dtype)}
        for k, n, density in (16, 16, 0.5), (64, 37, 0.3), (300, 70, 0.2), (32, 24, 0):
            for m in 1, 7, 30:
                yield Case(f"MatMulInteger_{label}_{k}_{m}", f"{dtype}[{m},{k}] x",
                           "y = MatMulInteger(x, w, z)", weights=f"int8[{k},{n}] w, {dtype} z",
                           values=values | {"w": prune_bytes((k, n), 1, density)})
        for name, c, m, kernel, attributes in [
                ("pointwise", 40, 33, (1, 1), "<strides = [1, 1]>"),
                ("padded", 20, 35, (3, 3), "<pads = [1, 1, 1, 1]>"),
                ("strided", 8, 16, (3, 5), "<strides = [2, 2], pads = [1, 2, 0, 1]>"),
                ("inner", 4, 16, (3, 3), "<strides = [1, 1]>"),
                ("odd", 6, 16, (3, 3), "<pads = [1, 1, 1, 1]>")]:
            weights = (prune_bytes((m, c, *kernel), 0, 0.3) if c % 4 == 0
                       else np.random.default_rng(2).integers(-9, 9, (m, c, *kernel), np.int8))
            shape = ",".join(map(str, weights.shape))
            yield Case(f"ConvInteger_{name}_{label}", f"{dtype}[N,{c},11,13] x",
                       f"y = ConvInteger{attributes}(x, w, z)",
                       weights=f"int8[{shape}] w, {dtype} z", values=values | {"w": weights},
                       sizes=[{"N": 1}, {"N": 2}])


def all_cases():
    for group in products, convolutions, bytes_:
        yield from group()
