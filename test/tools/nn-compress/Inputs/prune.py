# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""prune.py FOLDER: nn-compress --sparsity and --cluster-bits on small networks."""

import pathlib
import re
import subprocess
import sys

import numpy as np
import onnx
import onnx.parser
import onnxruntime
from network import make_network
from onnx import numpy_helper

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(0)


def compress(model, output, *options, fails=None):
    result = subprocess.run(
        ["nn-compress", model, "-o", folder / output, f"--data={folder / 'data.npz'}",
         "--no-timing", *options], stderr=subprocess.PIPE, text=True)
    if fails is not None:
        assert result.returncode == 1 and fails in result.stderr, result.stderr
        return None
    assert result.returncode == 0, result.stderr
    model = onnx.load(str(folder / output))
    onnx.checker.check_model(model, full_check=True)
    return model


def weights_of(model):
    """Matrices, as depth x columns, and filters, in the order of their sizes."""
    arrays = [numpy_helper.to_array(x) for x in model.graph.initializer
              if len(x.dims) > 1 and x.data_type == onnx.TensorProto.FLOAT]
    return sorted((x.T if x.shape == (20, 40) else x for x in arrays), key=lambda x: x.size)


def run(model, inputs):
    session = onnxruntime.InferenceSession(model.SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    return session.run(None, inputs)[0]


def error_of(model, original, inputs):
    want = run(original, inputs)
    return np.linalg.norm(run(model, inputs) - want) / np.linalg.norm(want)


# A product whose inputs depend on each other: what a weight gave, others can give.
mixed = (random.standard_normal((2000, 8)) @ random.standard_normal((8, 48))
         + 0.1 * random.standard_normal((2000, 48))).astype(np.float32)
model = onnx.parser.parse_model("""<ir_version: 10, opset_import: ["": 20]>
    g (float[N,48] x) => (float[N,20] y) {
      a = MatMul(x, v)  b = Add(a, c)  h = Relu(b)  y = Gemm<transB = 1>(h, w, d) }""")
for name, shape in ("v", (48, 40)), ("c", (40,)), ("w", (20, 40)), ("d", (20,)):
    model.graph.initializer.append(numpy_helper.from_array(
        (random.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32), name))
path = folder / "product.onnx"
onnx.save(model, str(path))
np.savez(folder / "data.npz", x=mixed[:1500])
inputs = {"x": mixed[1500:]}

pruned = compress(path, "pruned.onnx", "--sparsity=0.75", "--no-quantization",
                  f"--report={folder / 'report.md'}", f"--report={folder / 'report.html'}")
weights = weights_of(pruned)
total = sum(w.size for w in weights)
zeros = sum((w == 0).sum() for w in weights)
assert abs(zeros / total - 0.75) < 0.002, zeros / total
# The largest quarter of the weights alone is no rival.
plain = onnx.ModelProto()
plain.CopyFrom(model)
limit = np.quantile(np.concatenate([np.abs(w).ravel() for w in weights_of(model)]), 0.75)
for tensor in plain.graph.initializer:
    array = numpy_helper.to_array(tensor)
    if array.ndim > 1:
        tensor.CopyFrom(numpy_helper.from_array(array * (np.abs(array) > limit), tensor.name))
ours, theirs = (error_of(m, model, inputs) for m in (pruned, plain))
assert ours < 0.35 and ours < theirs / 2, (ours, theirs)
text = (folder / "report.md").read_text()
assert f"| all | {total} | 25.0% |" in text, text
assert "<h2>Weights</h2>" in (folder / "report.html").read_text()

# Equal bytes again.
compress(path, "again.onnx", "--sparsity=0.75", "--no-quantization")
assert (folder / "again.onnx").read_bytes() == (folder / "pruned.onnx").read_bytes()

# Blocks of 16 result channels: the last one of 40 columns has 8, of 20 it has 4.
blocks = compress(path, "blocks.onnx", "--sparsity=0.5", "--sparsity-pattern=blocks",
                  "--no-quantization")
for w in weights_of(blocks):
    for first in range(0, w.shape[1], 16):
        part = w[:, first:first + 16] != 0
        assert (part.any(1) == part.all(1)).all()
zeros = sum((w == 0).sum() for w in weights_of(blocks))
assert abs(zeros / total - 0.5) < 0.01, zeros / total

# And of four inputs; weights of 8 bits are 0 where those of float are.
def blocks_of_four(w):
    return [(w[:, first:first + 16] != 0).reshape(w.shape[0] // 4, -1)
            for first in range(0, w.shape[1], 16)]


fours = compress(path, "fours.onnx", "--sparsity=0.5", "--sparsity-pattern=4x16",
                 "--no-quantization")
for w in weights_of(fours):
    for part in blocks_of_four(w):
        assert (part.any(1) == part.all(1)).all()
zeros = sum((w == 0).sum() for w in weights_of(fours))
assert abs(zeros / total - 0.5) < 0.02, zeros / total
small = compress(path, "fours8.onnx", "--sparsity=0.5", "--sparsity-pattern=4x16")
arrays = [numpy_helper.to_array(x) for x in small.graph.initializer
          if x.data_type == onnx.TensorProto.INT8 and len(x.dims) == 2]
arrays = sorted((x.T if x.shape == (20, 40) else x for x in arrays), key=lambda x: x.size)
assert len(arrays) == 2
for w, integers in zip(weights_of(fours), arrays):
    assert (integers[w == 0] == 0).all()

# Two of four.
halves = compress(path, "halves.onnx", "--sparsity-pattern=2:4", "--no-quantization")
for w in weights_of(halves):
    assert ((w.reshape(-1, 4, w.shape[1]) != 0).sum(1) == 2).all()
plain.CopyFrom(model)
for tensor in plain.graph.initializer:
    array = numpy_helper.to_array(tensor)
    if array.ndim > 1:
        matrix = (array.T if tensor.name == "w" else array).copy()
        groups = matrix.reshape(-1, 4, matrix.shape[1])
        groups[np.abs(groups) < np.sort(np.abs(groups), 1)[:, 2:3]] = 0
        tensor.CopyFrom(numpy_helper.from_array(
            np.ascontiguousarray(matrix.T if tensor.name == "w" else matrix), tensor.name))
ours, theirs = (error_of(m, model, inputs) for m in (halves, plain))
assert ours < 0.7 * theirs, (ours, theirs)
compress(path, "no.onnx", "--sparsity-pattern=2:4", "--sparsity=0.6", fails="goes with no other")

# Channels: rows of weights, and the build removes what they would read.
channels = compress(path, "channels.onnx", "--sparsity=0.5", "--sparsity-pattern=channels",
                    "--no-quantization")
for w in weights_of(channels):
    assert ((w != 0).any(1) == (w != 0).all(1)).all()
assert abs(sum((w == 0).sum() for w in weights_of(channels)) / total - 0.5) < 0.03
assert error_of(channels, model, inputs) < 0.5, error_of(channels, model, inputs)
for name in "product", "channels":
    subprocess.run(["nn-translate", folder / f"{name}.onnx", "--mcpu=x86-64-v3", "-o",
                    folder / f"{name}.so"], check=True)
def size_of(library):
    text = subprocess.run(["nn-run", folder / library, "--info"], stdout=subprocess.PIPE,
                          text=True, check=True).stdout
    return int(re.search(r"weights +(\d+) bytes", text).group(1))


assert size_of("channels.so") < 0.85 * size_of("product.so")
np.savez(folder / "case.npz", **{"in:x": mixed[:8], "out:y": run(channels, {"x": mixed[:8]})})
subprocess.run(["nn-run", folder / "channels.so", "--data", folder / "case.npz", "--rtol=1e-4",
                "--atol=1e-4"], check=True)

# Clusters; what is 0 stays 0. Errors are fed back, so that the outputs are near.
clustered = compress(folder / "pruned.onnx", "clustered.onnx", "--cluster-bits=4",
                     "--no-quantization")
for before, after in zip(weights, weights_of(clustered), strict=True):
    assert len(np.unique(after)) <= 16 and ((before == 0) == (after == 0)).all()
assert error_of(clustered, pruned, inputs) < 0.15, error_of(clustered, pruned, inputs)

# A network of convolutions. One with groups stays; samples are runs here.
network = make_network(random)
path = folder / "network.onnx"
onnx.save(network, str(path))
images = random.standard_normal((40, 1, 3, 16, 16)).astype(np.float32)
np.savez(folder / "data.npz", images=images)
pruned = compress(path, "network-pruned.onnx", "--sparsity=0.5", "--cluster-bits=5",
                  "--no-quantization")
for w in weights_of(pruned):
    if w.shape[1:] == (1, 3, 3):
        assert (w != 0).all()
    else:
        assert len(np.unique(w)) <= 32
error = np.mean([error_of(pruned, network, {"images": image}) for image in images[:10]])
assert error < 0.1, error
# With 8 bits on top.
quantized = compress(path, "network-8.onnx", "--sparsity=0.5")
assert any(node.op_type == "QuantizeLinear" for node in quantized.graph.node)
error = np.mean([error_of(quantized, network, {"images": image}) for image in images[:10]])
assert error < 0.12, error


# What a layer reads must be numbers.
bad = onnx.parser.parse_model("""<ir_version: 10, opset_import: ["": 20]>
    g (float[N,48] x) => (float[N,40] y) { t = Log(x)  y = MatMul(t, v) }""")
bad.graph.initializer.append(model.graph.initializer[0])
onnx.save(bad, str(folder / "bad.onnx"))
np.savez(folder / "data.npz", x=mixed)
compress(folder / "bad.onnx", "no.onnx", "--sparsity=0.5", "--no-quantization",
         fails="the input of 'y' has elements that are NaN")

compress(path, "no.onnx", "--sparsity=1", fails="--sparsity takes a number from 0 to below 1")
compress(path, "no.onnx", "--cluster-bits=9", fails="--cluster-bits takes a number from 1 to 8")
compress(path, "no.onnx", "--no-quantization", fails="there is nothing to do")
