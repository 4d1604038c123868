# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Imported first by scripts that need more than Python's own library: if this
Python lacks a package, runs the script again with the one that install-deps.sh
prepares."""

import importlib.util
import os
import pathlib
import subprocess
import sys

PACKAGES = "numpy", "onnx", "onnxruntime", "PIL"


def ensure():
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if not missing:
        return
    if "NN_PYTHON_CHOSEN" in os.environ:
        sys.exit(f"error: {sys.executable} lacks {', '.join(missing)}")
    script = pathlib.Path(__file__).resolve().parent / "install-deps.sh"
    python = subprocess.run(
        ["bash", "-c", '. <("$0") && printf %s "$NN_PYTHON"', script],
        check=True, text=True, stdout=subprocess.PIPE).stdout
    if not python:
        sys.exit(1)  # install-deps.sh has said why.
    os.execve(python, [python, *sys.argv], os.environ | {"NN_PYTHON_CHOSEN": "1"})


ensure()
