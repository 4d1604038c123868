# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""save.py FILE NAME=EXPRESSION ...: writes arrays that numpy (np) computes to an
.npz file, or a single one to a .npy or .pb file."""

import sys

import numpy as np

path, *arguments = sys.argv[1:]
arrays = {}
for argument in arguments:
    name, _, expression = argument.partition("=")
    arrays[name] = np.asarray(eval(expression))
if path.endswith(".npz"):
    np.savez(path, **arrays)
elif path.endswith(".npy"):
    np.save(path, *arrays.values())
else:
    from onnx import numpy_helper
    (name, array), = arrays.items()
    with open(path, "wb") as file:
        file.write(numpy_helper.from_array(array, name).SerializeToString())
