# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""A small convolutional network with a residual, pools, a concatenation and a classifier."""

import numpy as np
import onnx.parser
from onnx import numpy_helper

MODEL = """
<ir_version: 8, opset_import: ["" : 17]>
network (float[1,3,16,16] images) => (float[1,10] scores)
{
  a0 = Conv<kernel_shape = [3, 3], pads = [1, 1, 1, 1]>(images, w0, b0)
  a = Relu(a0)
  c0 = Conv<kernel_shape = [3, 3], pads = [1, 1, 1, 1]>(a, w1)
  c1 = BatchNormalization(c0, scale, shift, mean, variance)
  s = Add(c1, a)
  r = Relu(s)
  p = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(r)
  d = Conv<kernel_shape = [3, 3], group = 16, pads = [1, 1, 1, 1]>(p, w2, b2)
  e = HardSwish(d)
  f = Conv<kernel_shape = [1, 1]>(p, w3)
  g = Concat<axis = 1>(e, f)
  h = GlobalAveragePool(g)
  flat = Flatten(h)
  scores = Gemm<transB = 1>(flat, w4, b4)
}
"""
WEIGHTS = {"w0": (16, 3, 3, 3), "b0": (16,), "w1": (16, 16, 3, 3), "scale": (16,),
           "shift": (16,), "mean": (16,), "w2": (16, 1, 3, 3), "b2": (16,),
           "w3": (16, 16, 1, 1), "w4": (10, 32), "b4": (10,)}


def make_network(random):
    model = onnx.parser.parse_model(MODEL)
    for name, shape in WEIGHTS.items():
        fan_in = np.prod(shape[1:]) if len(shape) > 1 else 4
        model.graph.initializer.append(numpy_helper.from_array(
            (random.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float32), name))
    model.graph.initializer.append(numpy_helper.from_array(
        random.uniform(0.5, 1.5, 16).astype(np.float32), "variance"))
    return model
