# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Writes a folder of cases for check-cases: right, wrong in a value and in a shape, refused,
and two invalid models."""

import pathlib
import sys

import numpy as np
import onnx

folder = pathlib.Path(sys.argv[1])
(folder / "invalid").mkdir(parents=True)


def model(body):
    return onnx.parser.parse_model(
        f'<ir_version: 10, opset_import: ["" : 21]> g (float[N] x) => (float[M] y) {{ {body} }}')


x = np.array([-1, 0.5], np.float32)
for name, body, y in (("right", "y = Relu(x)", [0, 0.5]), ("wrong_value", "y = Relu(x)", [0, 0.75]),
                      ("wrong_shape", "y = Relu(x)", [0]), ("refused", "y = Reelu(x)", [0])):
    onnx.save(model(body), folder / f"{name}.onnx")
    np.savez(folder / f"{name}.npz", **{"in:x": x, "out:y": np.array(y, np.float32)})
(folder / "cases.tsv").write_text("name\trtol\tatol\nwrong_value\t0\t0.1\n")
(folder / "invalid" / "unknown.onnx").write_bytes((folder / "refused.onnx").read_bytes())
(folder / "invalid" / "empty.onnx").write_bytes(b"")
