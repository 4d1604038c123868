# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Recurrent layers and Fourier transforms."""

import numpy as np

from .sweep import FACTORS, sweep


def recurrent():
    for operator, gates in ("LSTM", 4), ("GRU", 3), ("RNN", 1):
        def layers(name, points, steps, batch, size, work, ways=1):
            attributes = ', direction = "bidirectional"' if ways == 2 else ""
            return sweep(f"{operator.lower()}/{name}", "n", points,
                         f"float[{steps},{batch},{{{size}}}] x",
                         f"y, h = {operator}<hidden_size = {{{size}}}{attributes}>(x, w, r, b)",
                         f"float[{ways},{{{gates}*{size}}},{{{size}}}] w, "
                         f"float[{ways},{{{gates}*{size}}},{{{size}}}] r, "
                         f"float[{ways},{{{2*gates}*{size}}}] b", work,
                         ranges=dict.fromkeys("wrb", (-0.2, 0.2)))

        sizes = [16, 32, 64, 127, 128, 256, 512]
        yield from layers("hidden", sizes if operator == "LSTM" else sizes[::2], 8, 1, "n",
                          "n * n")
        yield from layers("batch", [1, 3, 4, 5, 32], 8, "{n}", 64, "n")
        yield from layers("steps", [1, 16, 100], "{n}", 1, 64, "n")
        yield from layers("steps-dynamic", [1, 16], "N", 1, 64, "n")
        yield from layers("bidirectional", [16, 64], 16, 1, "n", "n * n", ways=2)


def signal():
    # ONNX Runtime's sums are inexact where the length is no power of two.
    lengths = [16, 64, 100, 128, 255, 256, 257, 512, 1009, 1024]
    yield from sweep("dft/real", "n", lengths, "float[4,{n},1] x",
                     "y = DFT(x, , a)", "int64 a", values={"a": np.int64(1)}, tolerance=10,
                     cause=FACTORS)
    yield from sweep("dft/complex", "n", lengths[1::2], "float[4,{n},2] x",
                     "y = DFT(x, , a)", "int64 a", values={"a": np.int64(1)}, tolerance=10,
                     cause=FACTORS)
    yield from sweep("dft/onesided", "n", [64, 100, 1024], "float[4,{n},1] x",
                     "y = DFT<onesided = 1>(x, , a)", "int64 a", values={"a": np.int64(1)},
                     tolerance=10)
    yield from sweep("stft/frame", "n", [64, 100, 256, 400], "float[1,4000,1] x",
                     "s = Constant<value_int = {n//2}>()  y = STFT(x, s, w)", "float[{n}] w",
                     tolerance=10, cause=FACTORS)


FAMILIES = recurrent, signal
