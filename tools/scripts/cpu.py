# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""The features of this machine's CPU."""

import pathlib

# Of the levels of the x86-64 psABI, the features that set them apart.
LEVELS = {"x86-64-v3": {"avx2", "bmi2", "f16c", "fma"},
          "x86-64-v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}}

# Operators whose sums ONNX Runtime saturates on CPUs without VNNI, as products of 8-bit
# integers.
INTEGER_PRODUCTS = {"ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul"}


def flags():
    """The features, by Linux's names; none on machines without /proc/cpuinfo flags."""
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return set()
    return set(text.partition("\nflags")[2].partition("\n")[0].split())


def levels():
    """The levels that it supports, lowest first."""
    found = []
    for name, features in LEVELS.items():
        if not features <= flags():
            break
        found.append(name)
    return found


def has_vnni():
    return bool({"avx512_vnni", "avx_vnni"} & flags())
