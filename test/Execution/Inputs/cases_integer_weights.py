# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Products of floats with constant weights of 8 or 4 bits."""

import numpy as np

from execution import Case

ROWS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 70]
RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int4": (-8, 7), "uint4": (0, 15)}


def case(name, k, n, dtype, turned, parameters, options, rows=None, tail="y = Identity(t)"):
    """Rows known when compiling, or all of them in one model."""
    shape = f"{n},{k}" if turned else f"{k},{n}"
    scale, zero = parameters
    operands = "w, s" + (", z" if zero else "")
    product = "Gemm<transB = 1>(x, d)" if turned else "MatMul(x, d)"
    dims, sizes = (f"{rows}", ({},)) if rows else ("N", [{"N": m} for m in ROWS])
    if not turned and not rows:
        dims = "2,N"
    weights = f"{dtype}[{shape}] w, float{scale} s, float[{n}] b" + (
        f", {dtype}{zero} z" if zero else "")
    return Case(name, f"float[{dims},{k}] x",
                f"d = DequantizeLinear{options}({operands})  t = {product}  {tail}",
                weights=weights, sizes=sizes,
                ranges={"w": RANGES[dtype], "z": RANGES[dtype], "s": (0.005, 0.05)},
                # Sums of up to 700 numbers of up to 10.
                tolerance=8)


def columns():
    """A scale, and a zero point, for all weights or for each column."""
    for dtype in RANGES:
        for turned in (False, True):
            options = f"<axis = {0 if turned else 1}>"
            label = f"{dtype}" + "_turned" * turned
            for name, k, n, scale, zero in (
                    ("tensor", 96, 64, "", ""), ("tensor_zero", 37, 21, "", " "),
                    ("small", 8, 5, "[5]", "[5]"), ("columns", 301, 33, "[33]", ""),
                    ("columns_zero", 39, 75, "[75]", "[75]")):
                yield case(f"{name}_{label}", k, n, dtype, turned, (scale, zero), options)


def rows():
    """As many rows as are known, and what follows the product."""
    for dtype in ("int8", "uint4"):
        for m in ROWS + [8 * 13, 300]:
            yield case(f"rows_{dtype}_{m}", 70, 44, dtype, False, ("[44]", "[44]"), "<axis = 1>",
                       rows=m, tail="a = Add(t, b)  y = Relu(a)  v = Sigmoid(a)")


def blocks():
    """Blocks of rows, of which the last may be shorter."""
    for dtype in RANGES:
        for turned in (False, True):
            axis = 1 if turned else 0
            for size, k, n in ((16, 64, 32), (32, 80, 21), (128, 700, 40), (64, 65, 7)):
                count = -(-k // size)
                shape = f"[{n},{count}]" if turned else f"[{count},{n}]"
                label = f"{dtype}_{size}_{k}x{n}" + "_turned" * turned
                options = f"<axis = {axis}, block_size = {size}>"
                zero = "" if size == 32 else shape
                yield case(f"blocks_{label}", k, n, dtype, turned, (shape, zero), options)


def others():
    """What no kernel computes with as integers: scales along the depth."""
    yield case("depth", 40, 24, "int8", False, ("[40]", ""), "<axis = 0>")
    yield case("blocks_of_columns", 40, 24, "int8", False, ("[40,2]", ""),
               "<axis = 1, block_size = 16>")
    yield case("odd_blocks", 40, 24, "int4", False, ("[8,24]", ""), "<axis = 0, block_size = 5>")


def forms():
    """Half floats, and weights that are transposed after they were dequantized."""
    for m in (1, 5, 80):
        yield Case(f"half_{m}", f"float16[{m},48] x",
                   "d = DequantizeLinear<axis = 1>(w, s)  y = MatMul(x, d)",
                   weights="int8[48,40] w, float16[40] s",
                   ranges={"w": RANGES["int8"], "s": (0.005, 0.05)}, tolerance=4)
        yield Case(f"transposed_{m}", f"float[2,{m},48] x",
                   "d = DequantizeLinear<axis = 0>(w, s)  t = Transpose(d)  y = MatMul(x, t)",
                   weights="int8[40,48] w, float[40] s",
                   ranges={"w": RANGES["int8"], "s": (0.005, 0.05)}, tolerance=8)
    # A product of integers.
    yield Case("transposed_integers", "float[7,48] x",
               "q = QuantizeLinear(x, r, z)  e = DequantizeLinear(q, r, z)  "
               "d = DequantizeLinear<axis = 0>(w, s)  t = Transpose(d)  y = MatMul(e, t)",
               weights="float r, uint8 z, int8[40,48] w, float[40] s",
               values={"r": np.float32(0.02), "z": np.uint8(120)},
               ranges={"w": RANGES["int8"], "s": (0.005, 0.05)}, tolerance=8)


def all_cases():
    for group in columns, rows, blocks, others, forms:
        yield from group()
