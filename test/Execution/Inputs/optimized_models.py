# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""optimized_models.py DIRECTORY: models as ONNX Runtime's optimizer writes them, at the
levels extended and all, against what ONNX Runtime computes without optimizing."""

import pathlib
import subprocess
import sys

import numpy as np
import onnx.parser
import onnxruntime
from onnx import numpy_helper

HEADER = '<ir_version: 9, opset_import: ["" : 17]> '

#: Channels in blocks, of which numbers that are no multiples of 16 show the size.
CONVOLUTIONS = """g (float[1,3,32,32] x) => (float[1,20,8,8] y, float[1,24] z) {
    a = Conv<pads = [1, 1, 1, 1]>(x, w0, b0)  r = Relu(a)
    d = Conv<pads = [1, 1, 1, 1], group = 32>(r, w1)  c = Clip(d, low, high)
    e = Conv<pads = [1, 1, 1, 1]>(c, w2)  s = Add(e, r)
    p = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(s)
    f = Conv<pads = [1, 1, 1, 1], strides = [2, 2]>(p, w3, b3)  y = Sigmoid(f)
    h = Conv(p, w4)
    u = Resize<mode = "nearest", nearest_mode = "floor",
               coordinate_transformation_mode = "asymmetric">(h, , scales)
    q = AveragePool<kernel_shape = [3, 3], pads = [1, 1, 1, 1]>(u)
    k = Conv<group = 2>(q, w5)  m = GlobalAveragePool(k)  z = Flatten(m) }"""
CONVOLUTION_WEIGHTS = {"w0": (32, 3, 3, 3), "b0": (32,), "w1": (32, 1, 3, 3),
                       "w2": (32, 32, 3, 3), "w3": (20, 32, 3, 3), "b3": (20,),
                       "w4": (48, 32, 1, 1), "w5": (24, 24, 3, 3)}

#: A block of a transformer.
TRANSFORMER = """g (float[2,6,32] x) => (float[2,6,32] y) {
    q0 = MatMul(x, wq)  q1 = Add(bq, q0)  q2 = Reshape(q1, split)
    q = Transpose<perm = [0, 2, 1, 3]>(q2)
    k0 = MatMul(x, wk)  k1 = Add(bk, k0)  k2 = Reshape(k1, split)
    k = Transpose<perm = [0, 2, 3, 1]>(k2)
    v0 = MatMul(x, wv)  v1 = Add(bv, v0)  v2 = Reshape(v1, split)
    v = Transpose<perm = [0, 2, 1, 3]>(v2)
    s0 = MatMul(q, k)  s1 = Div(s0, root)  p = Softmax<axis = -1>(s1)
    c0 = MatMul(p, v)  c1 = Transpose<perm = [0, 2, 1, 3]>(c0)  c = Reshape(c1, merge)
    o0 = MatMul(c, wo)  o1 = Add(bo, o0)  r0 = Add(o1, x)
    n = LayerNormalization<axis = -1, epsilon = 1e-5>(r0, g0, h0)
    f0 = MatMul(n, w1)  f1 = Add(b1, f0)
    f2 = Div(f1, sqrt2)  f3 = Erf(f2)  f4 = Add(f3, one)  f5 = Mul(f1, f4)  f = Mul(f5, half)
    e0 = MatMul(f, w2)  e1 = Add(b2, e0)  r1 = Add(e1, n)
    y = LayerNormalization<axis = -1, epsilon = 1e-5>(r1, g1, h1) }"""
TRANSFORMER_WEIGHTS = {"w1": (32, 64), "b1": (64,), "w2": (64, 32),
                       **{name: (32, 32) for name in ("wq", "wk", "wv", "wo")},
                       **{name: (32,) for name in ("bq", "bk", "bv", "bo", "b2", "g0", "h0",
                                                   "g1", "h1")}}

CONSTANTS = {"low": np.float32(0), "high": np.float32(6), "scales": np.float32([1, 1, 2, 2]),
             "split": np.int64([0, 0, 4, 8]), "merge": np.int64([0, 0, 32]),
             "root": np.float32(8 ** 0.5), "sqrt2": np.float32(2 ** 0.5), "one": np.float32(1),
             "half": np.float32(0.5)}

UNCHANGED = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
LEVELS = {"extended": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
          "all": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL}


def make(text, weights, random):
    model = onnx.parser.parse_model(HEADER + text)
    arrays = {name: (0.2 * random.standard_normal(shape)).astype(np.float32)
              for name, shape in weights.items()}
    used = {name for node in model.graph.node for name in node.input}
    for name, array in (arrays | CONSTANTS).items():
        if name in used:
            model.graph.initializer.append(numpy_helper.from_array(array, name))
    return model


def session(model, level, path=None):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 3
    if path:
        options.optimized_model_filepath = str(path)
    return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                        providers=["CPUExecutionProvider"])


def interesting(path):
    """The operators that plain models do not have."""
    return sorted({node.op_type for node in onnx.load(path).graph.node
                   if node.domain or node.op_type.startswith("QLinear")})


def check(path, expected, x, tolerance):
    """Whether the model computes the expected outputs; says so."""
    data = path.with_suffix(".npz")
    np.savez(data, **{"in:x": x}, **{f"out:{name}": array for name, array in expected.items()})
    done = subprocess.run(["nn-run", path, "--data", data, "--rtol", tolerance[0],
                           "--atol", tolerance[1]], capture_output=True, text=True)
    print(f"{path.stem}: {'ok' if not done.returncode else done.stdout + done.stderr}"
          f" ({', '.join(interesting(path))})")
    return done.returncode == 0


def run(session, x):
    return dict(zip([output.name for output in session.get_outputs()],
                    session.run(None, {"x": x})))


def sample(model, random):
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    return random.standard_normal(shape).astype(np.float32)


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    failures = 0
    for name, text, weights in (("convolutions", CONVOLUTIONS, CONVOLUTION_WEIGHTS),
                                ("transformer", TRANSFORMER, TRANSFORMER_WEIGHTS)):
        model = make(text, weights, random)
        x = sample(model, random)
        expected = run(session(model, UNCHANGED), x)
        for level, value in LEVELS.items():
            path = directory / f"{name}-{level}.onnx"
            session(model, value, path)
            failures += not check(path, expected, x, ("1e-3", "1e-4"))
    sys.exit(failures)


if __name__ == "__main__":
    main()
