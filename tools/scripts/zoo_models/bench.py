# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""The models that ONNX Runtime's tools are tried on: small ones of our tests, and those of
the shared folder where there is one."""

import cases

import sys

import numpy as np
import onnx

sys.path.append(str(cases.ROOT / "test" / "Execution" / "Inputs"))
import optimized_models as small
import quantized_models as layers

#: Name: text, weights.
SMALL = {"convolutions": (small.CONVOLUTIONS, small.CONVOLUTION_WEIGHTS),
         "transformer": (small.TRANSFORMER, small.TRANSFORMER_WEIGHTS),
         "layers": (layers.CONVOLUTIONS, layers.CONVOLUTION_WEIGHTS),
         "lstm": (layers.LSTM, layers.LSTM_WEIGHTS)}
QUANTIZABLE = "layers", "transformer", "lstm"


def write_small(name, path):
    """Writes a small model; returns its inputs."""
    random = np.random.default_rng(1)
    model = small.make(*SMALL[name], random)
    onnx.save(model, path)
    return {"x": small.sample(model, random)}


def shared():
    """Names of shared models whose results are known."""
    return [case.stem for case in sorted((cases.SHARED / "expected").glob("*.npz"))]


def source(name, path):
    """The model's file, which is written to `path` if it is a small one; its inputs."""
    if name in SMALL:
        inputs = write_small(name, path)
        return path, inputs
    case = cases.SHARED / "expected" / f"{name}.npz"
    return cases.model_of(case), cases.load_case(case)[0]
