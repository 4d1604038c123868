# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""run_tutorial.py PAGE FOLDER: runs the first block of commands of a page, in a folder with
a small model.onnx and calib.npz, and looks at what they made."""

import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "test/tools/nn-compress/Inputs"))

from network import make_network

page, folder = map(pathlib.Path, sys.argv[1:])
folder.mkdir(parents=True, exist_ok=True)
commands = page.read_text().split("```\n")[1]
assert commands.count("\n") == 2, commands

random = np.random.default_rng(3)
onnx.save(make_network(random), folder / "model.onnx")
images = random.standard_normal((16, 3, 16, 16)).astype(np.float32)
np.savez(folder / "calib.npz", images=images)
done = subprocess.run(["bash", "-e", "-c", commands], cwd=folder, capture_output=True, text=True)
assert done.returncode == 0, done.stderr

want = onnxruntime.InferenceSession(str(folder / "model.onnx")).run(None, {"images": images[:1]})
np.savez(folder / "case.npz", **{"in:images": images[:1], "out:scores": want[0]})
subprocess.run(["nn-run", "small.so", "--data", "case.npz", "--rtol=0.1", "--atol=0.1"],
               cwd=folder, check=True)
assert "<h1>Compression of model.onnx</h1>" in (folder / "report.html").read_text()
