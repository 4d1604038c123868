# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Models of one node of com.microsoft, for what ONNX Runtime has on GPUs only: compiled, run and
compared with what the caller computes."""

import subprocess

import numpy as np
from onnx import helper, save


def check(folder, name, op, operands, expected, inputs, **attributes):
    """`operands`: arrays by name, None for absent ones; those in `inputs` are inputs, the
    others constants. `expected`: arrays of the outputs."""
    names = [key if value is not None else "" for key, value in operands.items()]
    outputs = [f"y{i}" for i in range(len(expected))]
    node = helper.make_node(op, names, outputs, domain="com.microsoft", **attributes)
    dtype = lambda value: helper.np_dtype_to_tensor_dtype(value.dtype)
    given = {key: value for key, value in operands.items() if value is not None}
    info = [helper.make_tensor_value_info(key, dtype(given[key]), given[key].shape)
            for key in inputs]
    weights = [helper.make_tensor(key, dtype(value), value.shape, value.tobytes(), raw=True)
               for key, value in given.items() if key not in inputs]
    results = [helper.make_tensor_value_info(key, dtype(value), None)
               for key, value in zip(outputs, expected)]
    graph = helper.make_graph([node], "g", info, results, weights)
    save(helper.make_model(graph, ir_version=10, opset_imports=[
        helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]),
        f"{folder}/{name}.onnx")
    np.savez(f"{folder}/{name}.npz", **{f"in:{key}": given[key] for key in inputs},
             **{f"out:{key}": value for key, value in zip(outputs, expected)})
    subprocess.run(["nn-run", f"{folder}/{name}.onnx", "--data", f"{folder}/{name}.npz"],
                   check=True)
