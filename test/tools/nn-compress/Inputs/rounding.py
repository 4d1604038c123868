# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""rounding.py FOLDER: how nn-compress rounds weights, and makes channels alike before that."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnx.parser
import onnxruntime
from onnx import numpy_helper

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(5)


def compress(model, output, *options, fails=None):
    done = subprocess.run(["nn-compress", folder / model, "-o", folder / output, "--no-timing",
                           *options], stderr=subprocess.PIPE, text=True)
    if fails is not None:
        assert done.returncode == 1 and fails in done.stderr, done.stderr
        return None
    assert done.returncode == 0, done.stderr
    model = onnx.load(folder / output)
    onnx.checker.check_model(model, full_check=True)
    return model


def make(name, text, weights):
    model = onnx.parser.parse_model(f'<ir_version: 10, opset_import: ["": 20]> {text}')
    for tensor, array in weights.items():
        model.graph.initializer.append(numpy_helper.from_array(array.astype(np.float32), tensor))
    onnx.save(model, folder / name)
    return model


def run(model, x):
    """In ONNX Runtime, which with optimizations would round the activations, too."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def error_of(model, original, x):
    want = run(original, x)
    return np.linalg.norm(run(model, x) - want) / np.linalg.norm(want)


def has(model, operator):
    return any(node.op_type == operator for node in model.graph.node)


# A product whose inputs depend on each other: what rounding a weight adds, others can take back.
rows = (random.standard_normal((1500, 8)) @ random.standard_normal((8, 64))
        + 0.05 * random.standard_normal((1500, 64)) + 0.3).astype(np.float32)
product = make("product.onnx",
               "g (float[N,64] x) => (float[N,32] y) { y = Gemm<transB = 1>(x, w, b) }",
               {"w": random.standard_normal((32, 64)), "b": random.standard_normal(32)})
np.savez(folder / "rows.npz", x=rows[:1000])
data = f"--data={folder / 'rows.npz'}"
tests = rows[1000:]
for bits, most in (8, 0.002), (4, 0.05):
    nearest, fed_back = (
        error_of(compress("product.onnx", f"{kind}{bits}.onnx", data, f"--weights-only={bits}",
                          f"--rounding={kind}"), product, tests)
        for kind in ("nearest", "feedback"))
    assert fed_back < nearest / 3 and fed_back < most, (bits, nearest, fed_back)
for bits, kind in (8, onnx.TensorProto.INT8), (4, onnx.TensorProto.INT4):
    graph = onnx.load(folder / f"feedback{bits}.onnx").graph
    assert kind in {tensor.data_type for tensor in graph.initializer}, bits
# Equal bytes again.
compress("product.onnx", "again.onnx", data, "--weights-only=4", "--rounding=feedback")
assert (folder / "again.onnx").read_bytes() == (folder / "feedback4.onnx").read_bytes()
# Our own compiler's numbers.
subprocess.run(["nn-translate", folder / "feedback4.onnx", "-o", folder / "small.so"], check=True)
np.savez(folder / "case.npz", **{"in:x": tests[:9],
                                 "out:y": run(onnx.load(folder / "feedback4.onnx"), tests[:9])})
subprocess.run(["nn-run", folder / "small.so", "--data", folder / "case.npz", "--rtol=1e-4",
                "--atol=1e-4"], check=True)


# The activations in 8 bits, too: the integers that were found stay.
def integers(model):
    return {numpy_helper.to_array(t).tobytes() for t in model.graph.initializer
            if t.data_type == onnx.TensorProto.INT8}


whole = compress("feedback8.onnx", "whole.onnx", data, "--smoothing=0")
assert has(whole, "QuantizeLinear")
weights, = (numpy_helper.to_array(t) for t in onnx.load(folder / "feedback8.onnx").graph.initializer
            if t.data_type == onnx.TensorProto.INT8)
assert {weights.tobytes(), weights.T.tobytes()} & integers(whole)

# A channel that is much larger than the others is divided in the product before: nothing is
# computed for it.
images = random.standard_normal((24, 1, 3, 12, 12)).astype(np.float32)
first = random.standard_normal((16, 3, 1, 1))
first[5] *= 200
narrow = random.standard_normal((8, 16, 1, 1))
narrow[:, 5] /= 200
convolutions = make("convolutions.onnx", """g (float[1,3,12,12] x) => (float[1,8,6,6] y) {
    a = Conv<kernel_shape = [1, 1]>(x, v, b)  r = Relu(a)
    d = Conv<kernel_shape = [3, 3], group = 16, pads = [1, 1, 1, 1]>(r, u)  s = Relu(d)
    p = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(s)
    y = Conv<kernel_shape = [1, 1]>(p, w) }""",
    {"v": first, "b": random.standard_normal(16), "u": random.standard_normal((16, 1, 3, 3)),
     "w": narrow})
np.savez(folder / "images.npz", x=images[:16])
data = f"--data={folder / 'images.npz'}"
plain, alike = (compress("convolutions.onnx", f"smooth{part}.onnx", data, f"--smoothing={part}",
                         f"--plan-out={folder / 'plan.json'}") for part in ("0", "0.5"))
before, after = (np.mean([error_of(m, convolutions, x) for x in images[16:]])
                 for m in (plain, alike))
assert after < before / 5 and after < 0.03, (before, after)
assert not has(alike, "Mul")
plan = json.loads((folder / "plan.json").read_text())
assert set(plan["scales"]) == {"r", "p"}, plan["scales"].keys()
# The plan alone gives the same.
compress("convolutions.onnx", "planned.onnx", f"--plan={folder / 'plan.json'}")
assert (folder / "planned.onnx").read_bytes() == (folder / "smooth0.5.onnx").read_bytes()

# What does not go together.
plan["regions"][0]["precision"] = "int4-weights"
(folder / "plan.json").write_text(json.dumps(plan))
compress("convolutions.onnx", "no.onnx", f"--plan={folder / 'plan.json'}",
         fails="'a' cannot have weights of 4 bits, which are for matrix products")
for options in ["--cluster-bits=4"], ["--no-quantization", "--sparsity=0.5"]:
    compress("convolutions.onnx", "no.onnx", data, "--rounding=feedback", *options,
             fails="--rounding=feedback quantizes weights")
compress("convolutions.onnx", "no.onnx", f"--plan={folder / 'plan.json'}", "--rounding=feedback",
         fails="--plan decides everything but weights")
