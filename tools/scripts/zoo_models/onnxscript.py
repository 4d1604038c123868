# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Functions of Python that onnxscript turns into models."""

import numpy as np
import onnxscript
from onnxscript import FLOAT, INT64
from onnxscript import opset18 as op


@onnxscript.script(default_opset=op)
def gelu(x: FLOAT["B", 16]) -> FLOAT["B", 16]:
    half = op.Constant(value_float=0.5)
    root = op.Constant(value_float=0.70710678)
    return half * x * (op.Erf(x * root) + 1.0)


@onnxscript.script(default_opset=op)
def rms_norm(x: FLOAT["B", 6, 16], scale: FLOAT[16]) -> FLOAT["B", 6, 16]:
    mean = op.ReduceMean(x * x, axes=[-1], keepdims=1)
    return x / op.Sqrt(mean + 1e-6) * scale


@onnxscript.script(default_opset=op)
def clipped(x: FLOAT["B", 8], least: FLOAT[1]) -> FLOAT["B", 8]:
    if op.ReduceMax(x, keepdims=0) > 1.0:
        y = op.Min(x, 1.0)
    else:
        y = op.Max(x, least)
    return y


@onnxscript.script(default_opset=op)
def power(x: FLOAT[4, 4], count: INT64[1]) -> FLOAT[4, 4]:
    y = op.Identity(x)
    for i in range(3):
        y = op.MatMul(y, x) * 0.5
    return y + op.Cast(count, to=1)


@onnxscript.script(default_opset=op)
def halve(x: FLOAT[5]) -> FLOAT[5]:
    y = op.Identity(x)
    is_large = op.ReduceMax(op.Abs(y), keepdims=0) > 0.5
    while is_large:
        y = y * 0.5
        is_large = op.ReduceMax(op.Abs(y), keepdims=0) > 0.5
    return y


@onnxscript.script(default_opset=op)
def attention(q: FLOAT["B", 8, 16], k: FLOAT["B", 8, 16], v: FLOAT["B", 8, 16]) -> FLOAT["B", 8, 16]:
    scores = op.MatMul(q, op.Transpose(k, perm=[0, 2, 1])) * 0.25
    return op.MatMul(op.Softmax(scores, axis=-1), v)


@onnxscript.script(default_opset=op)
def windows(x: FLOAT["B", 12]) -> FLOAT["B", 6, 2]:
    shape = op.Shape(x)
    rows = op.Concat(shape[0:1], op.Constant(value_ints=[6, 2]), axis=0)
    return op.Reshape(x, rows)


FUNCTIONS = gelu, rms_norm, clipped, power, halve, attention, windows


def convert(function, path):
    import onnx
    model = function.to_model_proto()
    model.ir_version = min(model.ir_version, 10)
    onnx.save(model, path)
    random, inputs = np.random.default_rng(0), {}
    for value in model.graph.input:
        tensor = value.type.tensor_type
        shape = [3 if size.dim_param else size.dim_value for size in tensor.shape.dim]
        inputs[value.name] = (random.standard_normal(shape).astype(np.float32)
                              if tensor.elem_type == 1 else np.ones(shape, np.int64))
    return inputs


def models():
    for function in FUNCTIONS:
        yield function.name, lambda path, function=function: convert(function, path)
