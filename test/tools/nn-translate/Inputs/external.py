# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""external.py FOLDER: writes a small network with external weights to
FOLDER/model.onnx."""

import pathlib
import sys

import numpy as np
import onnx
import onnx.parser
from onnx import numpy_helper

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
model = onnx.parser.parse_model("""
  <ir_version: 8, opset_import: ["" : 20]>
  g (float[N, 3, H, W] x) => (float[N, 10] y) {
    t = Conv<pads = [1, 1, 1, 1]>(x, w)
    u = Relu(t)
    v = GlobalAveragePool(u)
    f = Flatten(v)
    m = MatMul(f, k)
    y = Softmax(m)
  }""")
random = np.random.default_rng(0)
for name, shape in {"w": (32, 3, 3, 3), "k": (32, 10)}.items():
    values = random.uniform(-1, 1, shape).astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(values, name))
onnx.save(model, folder / "model.onnx", save_as_external_data=True, size_threshold=0,
          location="weights.bin")
