# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""What ONNX Runtime's optimizer writes at each of its levels."""

import onnxruntime

from . import bench

LEVELS = {name.removeprefix("ORT_").lower().replace("_", "-"): value
          for name, value in vars(onnxruntime.GraphOptimizationLevel).items()
          if name.startswith("ORT_ENABLE")}


def optimize(name, level, path):
    source, inputs = bench.source(name, path.with_suffix(".source.onnx"))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 4
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
    if name in bench.SMALL:
        source.unlink()
    return inputs


def models():
    for name in [*bench.SMALL, *bench.shared()]:
        for level, value in LEVELS.items():
            yield f"{name}-{level}", lambda path, name=name, value=value: optimize(
                name, value, path)
