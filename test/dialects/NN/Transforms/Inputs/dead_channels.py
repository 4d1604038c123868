# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""dead_channels.py FOLDER: writes dense.onnx, a network with residuals, gates, depthwise
convolutions and a concatenation; pruned.onnx, the same with half of the channels inside 0; and
case.npz, an input and ONNX Runtime's outputs of the latter."""

import pathlib
import sys

import numpy as np
import onnx
import onnx.parser
import onnxruntime
from onnx import numpy_helper

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(2)
model = onnx.parser.parse_model("""<ir_version: 8, opset_import: ["" : 17]>
network (float[N,3,16,16] x) => (float[N,10] y) {
  a0 = Conv<pads = [1, 1, 1, 1]>(x, wa, ba)       a = Relu(a0)
  b0 = Conv<group = 32, pads = [1, 1, 1, 1]>(a, wb)
  b1 = BatchNormalization(b0, scale, shift, mean, variance)  b = Relu(b1)
  c = Conv<pads = [1, 1, 1, 1]>(b, wc, bc)        s = Add(c, a)
  g0 = GlobalAveragePool(s)                       g1 = Conv(g0, wg, bg)
  g2 = Relu(g1)  g3 = Conv(g2, wh)  g = Sigmoid(g3)  t = Mul(s, g)
  d0 = Conv<pads = [1, 1, 1, 1]>(t, wd)           d = LeakyRelu(d0)
  p = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(d)
  q = AveragePool<kernel_shape = [2, 2], strides = [2, 2]>(s)
  e = Concat<axis = 1>(p, q)                      m = GlobalAveragePool(e)
  f = Flatten(m)  h0 = Gemm<transB = 1>(f, w1, b1v)
  h = Relu(h0)    y = Gemm(h, w2, b2) }""")
shapes = {"wa": (32, 3, 3, 3), "ba": (32,), "wb": (32, 1, 3, 3), "wc": (32, 32, 3, 3), "bc": (32,),
          "wg": (16, 32, 1, 1), "bg": (16,), "wh": (32, 16, 1, 1), "wd": (48, 32, 3, 3),
          "w1": (64, 80), "b1v": (64,), "w2": (64, 10), "b2": (10,),
          "scale": (32,), "shift": (32,), "mean": (32,)}
weights = {name: random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]) or 1)
           for name, shape in shapes.items()}
weights["variance"] = random.uniform(0.5, 1.5, 32)


def save(name):
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for tensor, array in weights.items():
        copy.graph.initializer.append(numpy_helper.from_array(array.astype(np.float32), tensor))
    onnx.save(copy, folder / name)
    return copy


save("dense.onnx")
# Filters and all that is added to them, as tools for structured pruning leave them ...
for filters in ("wa", "ba", "wc", "bc"):
    weights[filters][16:] = 0
weights["wb"][16:] = weights["shift"][16:] = weights["mean"][16:] = 0
weights["wd"][::3] *= -0.0
# ... and channels that are not read.
weights["w2"][10:42] = 0
pruned = save("pruned.onnx")
x = random.standard_normal((2, 3, 16, 16)).astype(np.float32)
y, = onnxruntime.InferenceSession(pruned.SerializeToString(),
                                  providers=["CPUExecutionProvider"]).run(None, {"x": x})
np.savez(folder / "case.npz", **{"in:x": x, "out:y": y})
np.savez(folder / "x.npz", x=x)
