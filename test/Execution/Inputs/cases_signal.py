# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Fourier transforms."""

import numpy as np
from execution import Case

# ONNX Runtime's sums are inexact where the length is no power of two.
INEXACT = 20
# Powers of two, products of 2, 3 and 5, others, and primes; even and odd.
LENGTHS = (1, 2, 3, 5, 7, 8, 12, 15, 16, 22, 30, 37, 45, 77)


def int64(value):
    return np.array(value, np.int64)


def transforms():
    for n in LENGTHS:
        for parts, name in ((1, "real"), (2, "complex")):
            for inverse in (0, 1):
                yield Case(f"{name}_{n}_{inverse}", f"float[2,{n},{parts}] x",
                           f"y = DFT<inverse = {inverse}>(x, , a)", "int64 a",
                           values={"a": int64(1)}, tolerance=INEXACT)
        yield Case(f"onesided_{n}", f"double[2,{n},1] x", "y = DFT<onesided = 1>(x, , a)", "int64 a",
                   values={"a": int64(-2)}, tolerance=INEXACT)


def axes():
    for axis in (0, 1, 2):
        for parts in (1, 2):
            yield Case(f"axis_{axis}_{parts}", f"float[6,4,5,{parts}] x", "y = DFT(x, , a)",
                       "int64 a", values={"a": int64(axis)}, tolerance=INEXACT)
            yield Case(f"old_axis_{axis}_{parts}", f"float[A,4,B,{parts}] x",
                       f"y = DFT<axis = {axis}>(x)", sizes=[{"A": 3, "B": 5}, {"A": 1, "B": 8}],
                       opset=17, tolerance=INEXACT)


def lengths():
    """Cut or extended with zeros, by a length that is known or not."""
    for n in (3, 8, 9):
        for onesided in (0, 1):
            yield Case(f"known_length_{n}_{onesided}", "float[2,6,1] x",
                       f"y = DFT<onesided = {onesided}>(x, n, a)", "int64 n, int64 a",
                       values={"n": int64(n), "a": int64(1)}, tolerance=INEXACT)
            yield Case(f"given_length_{n}_{onesided}", "float[2,S,1] x, int64 n",
                       f"y = DFT<onesided = {onesided}>(x, n, a)", "int64 a",
                       sizes=[{"S": 6}, {"S": 12}], values={"n": int64(n), "a": int64(1)},
                       tolerance=INEXACT)


def back():
    """Real numbers of half the frequencies, which ONNX Runtime does not compute."""
    for n in (1, 4, 5, 9):
        yield Case(f"back_{n}", f"float[2,{n},3,2] x", "y = DFT<inverse = 1, onesided = 1>(x, , a)",
                   "int64 a", values={"a": int64(1)}, oracle=False)
        yield Case(f"back_length_{n}", f"float[2,{n},2] x",
                   "y = DFT<inverse = 1, onesided = 1>(x, n, a)", "int64 n, int64 a",
                   values={"n": int64(7), "a": int64(1)}, oracle=False)


def frames():
    for n, step in ((8, 4), (12, 5), (15, 15), (16, 3)):
        for onesided in (0, 1):
            yield Case(f"stft_{n}_{step}_{onesided}", "float[B,S,1] x, float[W] w",
                       f"y = STFT<onesided = {onesided}>(x, step, w)", "int64 step",
                       sizes=[{"B": 2, "S": 40, "W": n}, {"B": 1, "S": n, "W": n}],
                       values={"step": int64(step)}, opset=17, tolerance=INEXACT)
        yield Case(f"stft_plain_{n}_{step}", "double[2,40,1] x, int64 step",
                   "y = STFT(x, step, , n)", "int64 n", values={"step": int64(step), "n": int64(n)},
                   opset=17, tolerance=INEXACT)
        yield Case(f"stft_complex_{n}_{step}", f"float[2,40,2] x, float[{n}] w",
                   "y = STFT<onesided = 0>(x, step, w, n)", "int64 step, int64 n",
                   values={"step": int64(step), "n": int64(n)}, opset=17, tolerance=INEXACT)


def narrow():
    """Computed in f32, by ONNX Runtime not at all."""
    yield Case("f16", "float16[2,10,1] x", "y = DFT(x, , a)", "int64 a", values={"a": int64(1)},
               oracle=False)
    yield Case("stft_f16", "float16[2,20,1] x, float16[8] w", "y = STFT(x, step, w)", "int64 step",
               values={"step": int64(4)}, opset=17, oracle=False)


def all_cases():
    for group in (transforms, axes, lengths, back, frames, narrow):
        yield from group()
