# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Models of NNSmith, which runs in an environment of its own, made at the first use."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import onnx

import cases

HERE = pathlib.Path(__file__).resolve().parent


def ensure():
    """The Python that has NNSmith; installs it where it is missing."""
    if "NN_NNSMITH_PYTHON" not in os.environ:
        done = subprocess.run(["bash", HERE.parent / "install-nnsmith.sh"], text=True,
                              stdout=subprocess.PIPE)
        if done.returncode:
            sys.exit(1)  # The script has said why.
        os.environ["NN_NNSMITH_PYTHON"] = done.stdout.strip()
    return os.environ["NN_NNSMITH_PYTHON"]


def samples(seed, first, count):
    """Name, model and runs; a number for which NNSmith makes no model is left out."""
    folder = cases.BUILD / "nnsmith" / str(seed)
    done = folder / f"{first}-{count}.done"
    if not done.exists():
        made = subprocess.run([ensure(), HERE / "nnsmith_export.py", folder, str(seed),
                               str(first), str(count)], text=True, stderr=subprocess.PIPE)
        if made.returncode:
            sys.exit(f"error: NNSmith makes none of {count} models:\n{made.stderr[-2000:]}")
        done.touch()
    for index in range(first, first + count):
        path = folder / f"{index}.onnx"
        if path.exists():
            with np.load(path.with_suffix(".npz")) as arrays:
                inputs = {name: arrays[name] for name in arrays.files}
            yield f"nnsmith_{seed}_{index}", onnx.load(str(path)), [inputs]
