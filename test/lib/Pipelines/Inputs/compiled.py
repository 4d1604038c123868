# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Compiles ONNX models by nn-translate, runs them by nn-run, and compares with
ONNX Runtime without optimizations."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import onnx

sys.path.append(str(pathlib.Path(__file__).resolve().parents[3] / "Execution" / "Inputs"))
from execution import ask_runtime

failures = []


def check(name, model, feeds, rtol=1e-4, atol=1e-5):
    """`feeds` are the inputs of several runs of one compiled model."""
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    onnx.save(model, path + ".onnx")
    commands = [["nn-translate", path + ".onnx", "-o", path + ".so"]]
    for number, feed in enumerate(feeds):
        expected = ask_runtime(model, feed)
        arrays = {"in:" + key: value for key, value in feed.items()}
        for output, value in expected.items():
            arrays["out:" + output] = value
        data = f"{path}.{number}.npz"
        np.savez(data, **arrays)
        commands.append(["nn-run", path + ".so", "--data", data, "--rtol", str(rtol),
                         "--atol", str(atol)])
    for command in commands:
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode:
            failures.append(name)
            print(f"{name}: {' '.join(command)}\n{result.stdout}{result.stderr}")
            return
    print(f"{name}: ok")


def finish():
    if failures:
        sys.exit(f"{len(failures)} failed: {' '.join(failures)}")
    print("all match")
