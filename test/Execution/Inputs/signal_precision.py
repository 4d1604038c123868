# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""signal_precision.py DIRECTORY: transforms of many lengths beside numpy's and ONNX
Runtime's."""

import pathlib
import subprocess
import sys

import numpy as np
import onnx.parser
import onnxruntime

directory = pathlib.Path(sys.argv[1])
directory.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(3)
LENGTHS = (64, 100, 255, 256, 257, 400, 512, 1000, 1009, 1024, 2048, 4001)
ROWS = 64


def run(path, arrays, threads):
    np.savez(path.with_suffix(".npz"), **arrays)
    out = path.with_suffix(f".out{threads}.npz")
    subprocess.run(["nn-run", path.with_suffix(".so"), "--inputs", path.with_suffix(".npz"),
                    "--outputs", out, "--threads", str(threads)], check=True)
    with np.load(out) as file:
        return {name: file[name] for name in file.files}


def compile_model(name, inputs, outputs, body):
    text = (f'<ir_version: 8, opset_import: ["" : 17]>\n'
            f"g ({', '.join(inputs)}) => ({', '.join(outputs)}) {{ {' '.join(body)} }}")
    path = directory / name
    onnx.save(onnx.parser.parse_model(text), path.with_suffix(".onnx"))
    subprocess.run(["nn-translate", path.with_suffix(".onnx"), "-o", path.with_suffix(".so")],
                   check=True)
    return path


inputs, outputs, body, arrays, wanted = [], [], [], {}, {}
for dtype, name in ((np.float32, "float"), (np.float64, "double")):
    for n in LENGTHS:
        for parts in (1, 2):
            key = f"{name}_{n}_{parts}"
            inputs.append(f"{name}[{ROWS},{n},{parts}] x_{key}")
            outputs.append(f"{name}[{ROWS},{n},2] y_{key}")
            body.append(f"y_{key} = DFT<axis = 1>(x_{key})")
            x = random.standard_normal((ROWS, n, parts)).astype(dtype)
            arrays[f"x_{key}"] = x
            exact = np.fft.fft(x.astype(np.float64).view(np.complex128)[..., 0] if parts == 2
                               else x[..., 0].astype(np.float64))
            wanted[f"y_{key}"] = np.stack([exact.real, exact.imag], -1)
path = compile_model("precision", inputs, outputs, body)
serial, parallel = (run(path, arrays, threads) for threads in (1, 4))
other = onnxruntime.InferenceSession(path.with_suffix(".onnx"))
names = [x.name for x in other.get_outputs()]
other = dict(zip(names, other.run(None, arrays)))
problems = []
for name, want in wanted.items():
    ours, theirs = (np.abs(x[name] - want).max() / np.abs(want).max() for x in (serial, other))
    # numpy's result is rounded too.
    if ours > max(theirs, 2e-15):
        problems.append(f"{name}: an error of {ours:.2e}, ONNX Runtime's is {theirs:.2e}")
    if serial[name].tobytes() != parallel[name].tobytes():
        problems.append(f"{name}: threads change the result")
print("\n".join(problems) or f"{len(wanted)} transforms, none worse than ONNX Runtime's, "
      "the same with 1 and 4 threads")

path = compile_model("special", ["float[4,257,1] x"], ["float[4,257,2] y"],
                     ["y = DFT<axis = 1>(x)"])
x = random.standard_normal((4, 257, 1)).astype(np.float32)
clean = run(path, {"x": x}, 1)["y"]
x[1, 5], x[3, 250] = np.nan, np.inf
marked = run(path, {"x": x}, 1)["y"]
stays = (np.array_equal(marked[::2], clean[::2]) and not np.isfinite(marked[1::2]).any())
print("NaN and infinity stay in their rows" if stays else "NaN or infinity has spread, or is gone")
