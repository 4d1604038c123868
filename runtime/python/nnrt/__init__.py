# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Runs models that nn-translate compiled, on numpy arrays.

    import nnrt

    model = nnrt.load("model.so")
    session = model.session(threads=1)
    outputs = session.run({"x": array})        # arrays by ONNX name

For loops, arrays are bound once, and a run costs a microsecond more than the
model's own time:

    session.bind({"x": x, "y": y})
    for _ in range(1000):
        x[:] = ...
        session.run_bound()                    # y holds the result

State that a model hands from run to run (caches, hidden states) stays where it is:

    session.bind({"x": x, "state": start})
    session.feed_back({"new_state": "state"})
    while ...:
        session.run_bound()
        result = session.output("y")

A sequence of the model is a list of arrays, an optional None or what it holds; print
`model.inputs["x"]` to see what an input is. In C, and with `bind`, each is several
tensors (nnrt_part in nnrt.h), which have names of their own: "boxes.elements", ...

    outputs = session.run({"boxes": [a, b], "state": None})

Arrays are numpy arrays, or anything with `__dlpack__` on the CPU (PyTorch, JAX,
...), taken where they lie, with any strides. Types are never converted: an array
of another type than the model's is an error. What numpy has no type for is of
`ml_dtypes` (bfloat16, the 8-bit floats, 4-bit and 2-bit types) where that package
is installed, else raw bits: uint16 or uint8, and for 4-bit and 2-bit types
one element a byte. Models of strings cannot be compiled, so there are none.

Threads: a model may be used by many threads; a session runs for one at a time
(others wait); the interpreter's lock is free while a model runs.

The library libnnrt is the one that NNRT_LIBRARY names, else the one that the
build, the installation or the bundle has put beside this package, else the
system's.
"""

from ._abi import Error, InvalidArgument, version
from ._dlpack import DLPack
from ._model import KernelTime, Model, ModelMemory, Session, load
from ._values import TensorInfo

__all__ = ["DLPack", "Error", "InvalidArgument", "KernelTime", "Model", "ModelMemory",
           "Session", "TensorInfo", "load", "version"]
