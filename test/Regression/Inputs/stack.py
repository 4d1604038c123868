# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""stack.py FOLDER: models that would take much of the stack if each call kept its
arguments there, run with a small one: a loop of a million iterations, and many calls in
a row."""

import os
import resource
import subprocess
import sys

import numpy as np
import onnx.parser

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)


def check(name, text, arrays):
    path = os.path.join(folder, name)
    onnx.save(onnx.parser.parse_model('<ir_version: 8, opset_import: ["" : 17]>' + text),
              path + ".onnx")
    np.savez(path + ".npz", **arrays)
    subprocess.run(["nn-translate", path + ".onnx", "-o", path + ".so", "--mcpu=native"], check=True)
    limit = 256 << 10
    subprocess.run(["nn-run", path + ".so", "--data", path + ".npz", "--threads", "1"], check=True,
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (limit, limit)))
    print(name, "ok")


eye = np.roll(np.eye(8, dtype=np.float32), 1, 1)
x = np.arange(64, dtype=np.float32).reshape(8, 8)
count = 1_000_000
check("loop", """
g (float[8, 8] x, float[8, 8] w, int64 n) => (float[8, 8] y, float[8, 8] z) {
  y, z = Loop(n, , x, x) <
    body = b (int64 i, bool c, float[8, 8] p, float[8, 8] q)
        => (bool c2, float[8, 8] p2, float[8, 8] q2) {
      c2 = Identity(c)
      p2 = MatMul(p, w)
      q2 = Identity(p)
    }>
}""", {"in:x": x, "in:w": eye, "in:n": np.array(count),
       "out:y": np.roll(x, count % 8, 1), "out:z": np.roll(x, (count - 1) % 8, 1)})

steps = 500
body = "\n".join(f"t{i + 1} = MatMul(t{i}, w)\n u{i + 1} = Transpose(t{i + 1})"
                 f"\n s{i + 1} = ReduceMax<keepdims = 0>(u{i + 1})" for i in range(steps))
all_s = ", ".join(f"s{i + 1}" for i in range(steps))
check("calls", f"""
g (float[8, N] x, float[N, N] w) => (float y) {{
  t0 = Identity(x)
  {body}
  y = Max({all_s})
}}""", {"in:x": x, "in:w": eye, "out:y": np.float32(63)})
