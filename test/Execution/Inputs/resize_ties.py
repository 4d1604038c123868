# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""resize_ties.py FOLDER: linear Resize between 8-bit integers gives what ONNX Runtime gives,
also where a result lies in the middle between two steps."""

import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnx.parser
import onnxruntime

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(0)
for mode in "half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel":
    for shape, scales in ((1, 3, 16, 16), "1, 1, 2, 2"), ((2, 2, 5, 9), "1, 1, 4, 2"):
        sizes = ", ".join(map(str, shape))
        model = onnx.parser.parse_model(f"""<ir_version: 8, opset_import: ["": 17]>
            g (uint8[{sizes}] x) => (uint8[N,C,H,W] y)
            <float s = {{0.02}}, uint8 z = {{0}}, float[4] scales = {{{scales}}}> {{
              d = DequantizeLinear(x, s, z)
              r = Resize<mode = "linear", coordinate_transformation_mode = "{mode}">(d, , scales)
              y = QuantizeLinear(r, s, z) }}""")
        onnx.save(model, str(folder / "model.onnx"))
        x = random.integers(0, 256, shape).astype(np.uint8)
        np.savez(folder / "x.npz", x=x)
        subprocess.run(["nn-translate", folder / "model.onnx", "-o", folder / "model.so"], check=True)
        subprocess.run(["nn-run", folder / "model.so", f"--inputs={folder / 'x.npz'}",
                        f"--outputs={folder / 'y.npz'}"], check=True)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                               providers=["CPUExecutionProvider"])
        want, got = session.run(None, {"x": x})[0], np.load(folder / "y.npz")["y"]
        assert (want == got).all(), (mode, shape, (want != got).sum(), want.size)
