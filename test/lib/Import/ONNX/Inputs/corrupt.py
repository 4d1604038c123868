#!/usr/bin/env python3
# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Damages models in many ways and runs nn-translate on each: it must end with
status 0, or with status 1 and an error message, in bounded time and memory.

usage: corrupt.py NN-TRANSLATE FOLDER CASES [SEED]
"""
import os
import random
import resource
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TRANSLATE, FOLDER, CASES = sys.argv[1], sys.argv[2], int(sys.argv[3])
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 1
# More than the tool needs by far, less than a hostile size asks for.
MEMORY = 4 << 30
SECONDS = 60


def make_model():
    """A small model with shape arithmetic, weights of several kinds, a function."""
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], "conv", pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("MaxPool", ["c"], ["p"], "pool", kernel_shape=[2, 2], ceil_mode=1),
        helper.make_node("Shape", ["p"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"]),
        helper.make_node("Unsqueeze", ["n", "zero1"], ["n1"]),
        helper.make_node("Concat", ["n1", "minus"], ["to"], axis=0),
        helper.make_node("Reshape", ["p", "to"], ["r"], "reshape"),
        helper.make_node("Slice", ["r", "zero1", "four", "one", "one"], ["sl"]),
        helper.make_node("Split", ["sl"], ["u", "v"], axis=1),
        helper.make_node("Add", ["u", "v"], ["a"]),
        helper.make_node("Softmax", ["a"], ["sm"], axis=1),
        helper.make_node("ReduceMean", ["sm"], ["m"], axes=[1], keepdims=1),
        helper.make_node("Pad", ["m", "pads"], ["q"], mode="constant"),
        helper.make_node("Expand", ["q", "three"], ["e"]),
        helper.make_node("Gelu", ["e"], ["y"], domain="local"),
    ]
    body = [helper.make_node("Relu", ["a"], ["t"]), helper.make_node("Cast", ["t"], ["o"], to=10)]
    function = helper.make_function("local", "Gelu", ["a"], ["o"], body,
                                    [helper.make_opsetid("", 13)])
    rng = np.random.default_rng(0)
    weights = [
        numpy_helper.from_array(rng.standard_normal((8, 3, 3, 3)).astype(np.float32), "w"),
        helper.make_tensor("b", TensorProto.FLOAT, [8], rng.standard_normal(8)),
        helper.make_tensor("zero", TensorProto.INT64, [], [0]),
        helper.make_tensor("zero1", TensorProto.INT64, [1], [0]),
        helper.make_tensor("one", TensorProto.INT64, [1], [1]),
        helper.make_tensor("four", TensorProto.INT32, [1], [4]),
        helper.make_tensor("minus", TensorProto.INT64, [1], [-1]),
        helper.make_tensor("pads", TensorProto.INT64, [4], [0, 0, 0, 2]),
        helper.make_tensor("three", TensorProto.INT64, [3], [2, 1, 3]),
    ]
    # Slice wants one type for its operands.
    weights[5] = helper.make_tensor("four", TensorProto.INT64, [1], [4])
    graph = helper.make_graph(
        nodes, "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 16, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT16, [2, "N", 3])], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13),
                                                   helper.make_opsetid("local", 1)],
                             functions=[function], ir_version=8)


NUMBERS = [0, 1, -1, 2, 7, -7, 2**31 - 1, -2**31, 2**31, 2**32, 2**62, 2**63 - 1, -2**63]


def mutate_bytes(data, rng):
    data = bytearray(data)
    kind = rng.randrange(4)
    if kind == 0:
        del data[rng.randrange(len(data)):]
    elif kind == 1:
        for _ in range(rng.choice([1, 1, 2, 8])):
            data[rng.randrange(len(data))] = rng.randrange(256)
    elif kind == 2:
        at = rng.randrange(len(data))
        del data[at:at + rng.randrange(1, 40)]
    else:
        at = rng.randrange(len(data))
        data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 20)))
    return bytes(data)


def mutate_graph(model, rng):
    """Valid protobuf, nonsense within."""
    graph = model.graph
    node = rng.choice(graph.node)
    weight = rng.choice(graph.initializer)
    kind = rng.randrange(13)
    names = [name for n in graph.node for name in list(n.input) + list(n.output)] + [""]
    if kind == 0 and weight.dims:
        weight.dims[rng.randrange(len(weight.dims))] = rng.choice(NUMBERS)
    elif kind == 1:
        weight.dims.append(rng.choice(NUMBERS))
    elif kind == 2:
        weight.data_type = rng.choice([0, 1, 2, 3, 6, 7, 8, 9, 10, 14, 16, 17, 22, 99, -1])
    elif kind == 3 and weight.int64_data:
        weight.int64_data[rng.randrange(len(weight.int64_data))] = rng.choice(NUMBERS)
    elif kind == 4 and graph.input[0].type.tensor_type.shape.dim:
        rng.choice(graph.input[0].type.tensor_type.shape.dim).dim_value = rng.choice(NUMBERS)
    elif kind == 5 and node.input:
        node.input[rng.randrange(len(node.input))] = rng.choice(names)
    elif kind == 6:
        node.output[rng.randrange(len(node.output))] = rng.choice(names)
    elif kind == 7:
        node.op_type = rng.choice([s.name for s in onnx.defs.get_all_schemas()])
    elif kind == 8:
        model.opset_import[0].version = rng.choice([1, 5, 7, 9, 11, 12, 18, 21, 28, 1000, 0, -5, 2**62])
    elif kind == 9:
        name = rng.choice(["axis", "axes", "pads", "strides", "dilations", "group", "keepdims",
                           "kernel_shape", "mode", "to", "auto_pad", "perm", "split", "blocksize"])
        for at, attribute in enumerate(node.attribute):
            if attribute.name == name:
                del node.attribute[at]
                break
        value = rng.choice([rng.choice(NUMBERS), [rng.choice(NUMBERS) for _ in range(rng.randrange(1, 6))],
                            "SAME_UPPER", 1.5])
        node.attribute.append(helper.make_attribute(name, value))
    elif kind == 10 and node.attribute:
        attribute = rng.choice(node.attribute)
        if attribute.ints:
            attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(NUMBERS)
        else:
            attribute.i = rng.choice(NUMBERS)
    elif kind == 11:
        node.input.append(rng.choice(names))
    else:
        dim = graph.input[0].type.tensor_type.shape.dim
        if dim and rng.random() < 0.5:
            del dim[rng.randrange(len(dim))]
        else:
            dim.add().dim_param = rng.choice(["N", "?", "", "\0", "-1"])


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def check(path, what):
    result = subprocess.run([TRANSLATE, "--import-onnx", path, "-o", os.devnull],
                            capture_output=True, timeout=SECONDS, preexec_fn=limits)
    if result.returncode not in (0, 1) or (result.returncode == 1
                                           and b"error: " not in result.stderr):
        print(f"{what}: status {result.returncode}\n{result.stderr.decode(errors='replace')[-2000:]}")
        return False
    return True


def main():
    os.makedirs(FOLDER, exist_ok=True)
    rng = random.Random(SEED)
    original = make_model().SerializeToString()
    path = os.path.join(FOLDER, "case.onnx")

    with open(path, "wb") as file:
        file.write(original)
    subprocess.run([TRANSLATE, "--import-onnx", path, "-o", os.devnull], check=True)

    bad = 0
    for case in range(CASES):
        if case % 3 == 0:
            data = mutate_bytes(original, rng)
        else:
            model = onnx.load_from_string(original)
            for _ in range(rng.choice([1, 1, 2, 4])):
                mutate_graph(model, rng)
            data = model.SerializeToString()
        with open(path, "wb") as file:
            file.write(data)
        if not check(path, f"case {case}"):
            bad += 1
            os.replace(path, os.path.join(FOLDER, f"bad-{case}.onnx"))
    print(f"{CASES} cases, {bad} bad")
    sys.exit(bool(bad))


main()
