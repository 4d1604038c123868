# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""The float form of quantized models."""

from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator


def float_form(model):
    """Takes the quantization out of the model; how many pairs there were, and how many
    of such nodes are left."""
    graph = model.graph
    constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    producers = {name: node for node in graph.node for name in node.output}
    results = {output.name for output in graph.output}
    renamed, kept = {}, []
    for node in graph.node:
        for i, name in enumerate(node.input):
            node.input[i] = renamed.get(name, name)
        if node.op_type != "DequantizeLinear" or results.intersection(node.output):
            kept.append(node)
        elif producers.get(node.input[0], node).op_type == "QuantizeLinear":
            renamed[node.output[0]] = producers[node.input[0]].input[0]
        elif all(name in constants for name in node.input):
            value, = ReferenceEvaluator(node).run(
                None, {name: constants[name] for name in node.input})
            graph.initializer.append(numpy_helper.from_array(value, node.output[0]))
        else:
            kept.append(node)

    read = results.union(*(node.input for node in kept))
    kept = [node for node in kept
            if node.op_type != "QuantizeLinear" or node.output[0] in read]
    read = results.union(*(node.input for node in kept))
    weights = [tensor for tensor in graph.initializer if tensor.name in read]
    for field, values in ((graph.node, kept), (graph.initializer, weights)):
        del field[:]
        field.extend(values)
    # These describe tensors that no longer exist.
    del graph.value_info[:]
    return len(renamed), sum(node.op_type.endswith("izeLinear") for node in kept)
