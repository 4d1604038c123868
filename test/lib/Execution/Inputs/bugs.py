#!/usr/bin/env python3
# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Writes MODEL.onnx and INPUTS.npz: something for each test-bug-* pass to break."""

import sys

import numpy
import onnx
from onnx import parser

TEXT = """
<ir_version: 8, opset_import: ["" : 17]>
bugs (float[1,4,4,4] x, float[4,4] s, float[N,6] d, double[2,3,4] p)
    => (float[1,4,4,4] conv, float[4,4] relu, float[4,4] softmax, float[4,4] turned, float[4,4] shifted,
        float[2,4] sliced, float[N,6] weighed, double[2,3,5] product) {
  shifted = Add (s, column)
  conv = Conv <pads = [1, 1, 1, 1]> (x, w, b)
  dense = MatMul (s, m)
  sum = Add (dense, shifted)
  relu = Relu (sum)
  scaled = Mul (s, factors)
  difference = Sub (s, scaled)
  softmax = Softmax <axis = 1> (difference)
  root = Exp (s)
  turned = Transpose <perm = [1, 0]> (root)
  sliced = Slice (s, one, three, zero)
  weighed = Softmax <axis = 1> (d)
  product = MatMul (p, q)
}
"""


def main():
    random = numpy.random.default_rng(1)
    model = parser.parse_model(TEXT)

    def add(name, array):
        model.graph.initializer.append(onnx.numpy_helper.from_array(array, name))

    def floats(*shape):
        return random.uniform(-1, 1, shape).astype("float32")

    add("w", floats(4, 4, 3, 3))
    add("b", floats(4) + 2)
    add("m", floats(4, 4))
    add("factors", floats(4))
    add("column", floats(4, 1))
    add("q", floats(1, 4, 5).astype("float64"))
    for name, value in ("zero", 0), ("one", 1), ("three", 3):
        add(name, numpy.array([value]))
    onnx.checker.check_model(model)
    onnx.save(model, sys.argv[1])
    numpy.savez(sys.argv[2], x=floats(1, 4, 4, 4), s=floats(4, 4), d=floats(3, 6),
                p=floats(2, 3, 4).astype("float64"))


if __name__ == "__main__":
    main()
