# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Models with the rounding errors that a correct implementation may make.

Two correct implementations round differently, and a model can magnify that without
limit (Ceil near a whole number, a difference of nearly equal values). So each inexact
result is multiplied by a random tensor near 1: how far the outputs then move from run to
run is what rounding can do to them.
"""

import contextlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from builder import all_nodes

# A unit in the last place, relative.
PRECISION = {TensorProto.DOUBLE: 2.0 ** -52, TensorProto.FLOAT: 2.0 ** -23,
             TensorProto.FLOAT16: 2.0 ** -10, TensorProto.BFLOAT16: 2.0 ** -7}
UNITS = 2  # how far a result is disturbed

# Operators whose results are exact for given operands.
EXACT = set("""Abs Neg Relu Floor Ceil Round Sign Max Min Clip Where Identity Transpose Reshape
    Flatten Squeeze Unsqueeze Concat Split Slice Expand Tile Pad Gather GatherElements GatherND
    TopK OneHot Compress Trilu DepthToSpace SpaceToDepth MaxPool GlobalMaxPool ReduceMax
    ReduceMin ConstantOfShape Constant Range Dropout If Loop Scan EyeLike ReverseSequence
    Hardmax ThresholdedRelu Mod Cast CastLike""".split())
# Operators whose errors are relative to their operands or arise inside.
DISTURBED_INSIDE = set("""Conv ConvTranspose MatMul Gemm Einsum ReduceSum ReduceMean ReduceL1
    ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp Sum Mean AveragePool GlobalAveragePool
    LpPool BatchNormalization LayerNormalization InstanceNormalization GroupNormalization
    LpNormalization LRN MeanVarianceNormalization Softmax LogSoftmax CumSum Resize GridSample
    LSTM GRU RNN QuantizeLinear DynamicQuantizeLinear ScatterElements ScatterND Celu Mish Gelu
    HardSwish Softplus Elu Selu HardSigmoid Tan""".split())

# Operators for which ONNX Runtime has absolute errors: their tails are 0.
ABSOLUTE = set("Erf Sigmoid Gelu Mish HardSwish Softplus Elu Selu Celu Swish".split())

# ONNX Runtime's cubic weights, polynomials whose terms cancel, do not add up to 1 by so
# many units.
CUBIC_UNITS = 8


def disturbed(model, seeded=True):
    """The model with rounding errors, other ones in each run (of each model, if it is not
    `seeded`). Floats of 16 bits become f32 with errors of 16 bits."""
    with contextlib.suppress(Exception):
        model = onnx.shape_inference.infer_shapes(model)
    types = value_types(model.graph, {})
    model = widened(model, (TensorProto.FLOAT16, TensorProto.BFLOAT16))
    add_noise(model.graph, types, [0])
    if not seeded:
        for node in all_nodes(model.graph):
            if node.op_type == "RandomUniformLike":
                del node.attribute[[a.name for a in node.attribute].index("seed")]
    for opset in model.opset_import:
        if not opset.domain:
            # ONNX Runtime's random tensors end there, and our operators did not change.
            opset.version = min(opset.version, 21)
    return model


def value_types(graph, types):
    """The element types of all values, also of subgraphs."""
    for info in (*graph.input, *graph.output, *graph.value_info):
        types[info.name] = info.type.tensor_type.elem_type
    for tensor in graph.initializer:
        types[tensor.name] = tensor.data_type
    for inner in subgraphs(graph):
        value_types(inner, types)
    return types


def subgraphs(graph):
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield attribute.g


def add_noise(graph, types, counter):
    nodes = []

    def combine(operator, source, target, neutral, unit):
        counter[0] += 1
        error = f"noise{counter[0]}"
        nodes.append(helper.make_node("RandomUniformLike", [source], [error],
                                      low=neutral - unit, high=neutral + unit,
                                      seed=float(counter[0])))
        nodes.append(helper.make_node(operator, [source, error], [target]))

    def noise(source, target, precision):
        combine("Mul", source, target, 1, precision * units)

    for node in graph.node:
        units = CUBIC_UNITS if is_cubic(node) else UNITS
        if node.op_type in DISTURBED_INSIDE:
            for i, name in enumerate(node.input):
                if types.get(name) in PRECISION and not is_parameter(node, i):
                    counter[0] += 1
                    changed = f"{name}_disturbed{counter[0]}"
                    noise(name, changed, PRECISION[types[name]])
                    node.input[i] = changed
        nodes.append(node)
        if node.op_type in EXACT:
            continue
        for i, name in enumerate(node.output):
            if types.get(name) in PRECISION:
                precision = PRECISION[types[name]]
                source = node.output[i] = name + "_before"
                if node.op_type in ABSOLUTE:
                    source = name + "_shifted"
                    combine("Add", node.output[i], source, 0, precision)
                noise(source, name, precision)
    for inner in subgraphs(graph):
        add_noise(inner, types, counter)
    del graph.node[:]
    graph.node.extend(nodes)


def is_cubic(node):
    return any(a.name == "mode" and a.s in (b"cubic", b"bicubic") for a in node.attribute)


def is_parameter(node, i):
    """Operands that must be constants, or are factors of the quantization."""
    return i > 0 and node.op_type in ("Resize", "QuantizeLinear")


def widened(model, narrow):
    """The model with these float types replaced by f32."""
    new = onnx.ModelProto()
    new.CopyFrom(model)
    widen_graph(new.graph, narrow)
    return new


def widen_graph(graph, narrow):
    del graph.value_info[:]
    for info in (*graph.input, *graph.output):
        if info.type.tensor_type.elem_type in narrow:
            info.type.tensor_type.elem_type = TensorProto.FLOAT
    for tensor in graph.initializer:
        widen_tensor(tensor, narrow)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name in ("to", "dtype", "output_dtype") and attribute.i in narrow:
                attribute.i = TensorProto.FLOAT
            if attribute.type == onnx.AttributeProto.TENSOR:
                widen_tensor(attribute.t, narrow)
    for inner in subgraphs(graph):
        widen_graph(inner, narrow)


def widen_tensor(tensor, narrow):
    if tensor.data_type in narrow:
        array = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            tensor.CopyFrom(numpy_helper.from_array(array.astype(np.float32), tensor.name))
