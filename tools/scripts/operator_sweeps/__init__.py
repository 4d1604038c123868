# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""What bench-operators measures: operators at sizes on both sides of every threshold.

A sweep varies one parameter of a model in ONNX's text syntax. The thresholds are those of
lib/Kernels (products of 2^21 multiplications, weights of 2^18 and 2^16 elements, 8 rows,
blocks of 4096 elements, depthwise windows of 11), of the importer (sums of 257 products of
8-bit integers), of the runtime (dynamic products of 2^20) and the lengths of vectors, 8
and 16. A family of operators is a function; to add a sweep, add it to that function.
"""

from . import convolutions, elementwise, movement, products, reductions, sequences

MODULES = products, convolutions, reductions, elementwise, movement, sequences


def all_points():
    return [point for module in MODULES for family in module.FAMILIES for point in family()]
