# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""sparse.py FOLDER: models with sparse constants and initializers, and what they give;
bad ones in FOLDER/bad-*.onnx."""

import os
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)


def sparse(name, values, indices, dims):
    return helper.make_sparse_tensor(
        numpy_helper.from_array(np.asarray(values), name),
        numpy_helper.from_array(np.asarray(indices, np.int64), name + "_indices"), dims)


def make(path, tensor, as_constant):
    dtype = tensor.values.data_type
    nodes = [helper.make_node("Identity", ["k"], ["y"], name="out")]
    graph = helper.make_graph(nodes, "g", [],
                              [helper.make_tensor_value_info("y", dtype, list(tensor.dims))])
    if as_constant:
        nodes.insert(0, helper.make_node("Constant", [], ["k"], name="k", sparse_value=tensor))
        del graph.node[:]
        graph.node.extend(nodes)
    else:
        graph.sparse_initializer.append(tensor)
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]),
              os.path.join(folder, path + ".onnx"))


GOOD = {  # name: values, indices, dims
    "linear": (np.float32([1, -2, 3]), [1, 4, 11], [3, 4]),
    "coordinates": (np.float32([1, -2, 3]), [[0, 1], [1, 0], [2, 3]], [3, 4]),
    "int64": (np.int64([7, 2**40]), [[0, 0, 1], [1, 1, 0]], [2, 2, 2]),
    "half": (np.float16([0.5]), [0], [4]),
    "bool": (np.bool_([True, True]), [0, 3], [4]),
    "empty": (np.float32([]), np.zeros([0]), [2, 3]),
    "empty_coordinates": (np.float32([]), np.zeros([0, 2]), [2, 3]),
    "none": (np.float32([]), np.zeros([0]), [0, 3]),
}
for name, (values, indices, dims) in GOOD.items():
    dense = np.zeros(dims, values.dtype)
    for value, index in zip(values, indices):
        if np.ndim(index):
            dense[tuple(index)] = value
        else:
            dense.flat[index] = value
    for kind in (False, True):
        make(f"{name}-{int(kind)}", sparse("k", values, indices, dims), kind)
        np.savez(os.path.join(folder, f"{name}-{int(kind)}.npz"), **{"out:y": dense})

BAD = {
    "outside": (np.float32([1]), [12], [3, 4]),
    "negative": (np.float32([1]), [-1], [3, 4]),
    "coordinate": (np.float32([1]), [[1, 4]], [3, 4]),
    "twice": (np.float32([1, 2]), [5, 5], [3, 4]),
    "count": (np.float32([1, 2]), [5], [3, 4]),
    "rank": (np.float32([1]), [[5]], [3, 4]),
    "huge": (np.float32([1]), [5], [2**20, 2**20]),
}
for name, (values, indices, dims) in BAD.items():
    for kind in (False, True):
        make(f"bad-{name}-{int(kind)}", sparse("k", values, indices, dims), kind)
