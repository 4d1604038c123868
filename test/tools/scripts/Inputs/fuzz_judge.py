# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""fuzz_judge.py FOLDER-OF-FUZZ: what the judge and the reducer of fuzz-graphs say of
results that are right, wrong, or up to rounding."""

import sys

sys.path[:0] = sys.argv[1], sys.argv[1] + "/.."

import numpy as np
import onnx.parser
from check import Verdict
from judge import Judge, NotJudged
from reduce import Reducer


def model(text):
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> {text}')


def judge(what, text, inputs, change):
    """Judges ONNX Runtime's own results after a change."""
    judge_of = Judge(model(text))
    want = judge_of.expect(inputs)
    got = {name: change(x) for name, x in want.items()}
    print(f"{what}: {judge_of.compare(inputs, got, want) or 'right'}")


x = {"x": np.float32([[0.1, -1.5, 2.5], [1e-3, 7, -0.3]])}
softmax = "g (float[N, 3] x) => (float[N, 3] y) { y = Softmax(x) }"
judge("same", softmax, x, lambda y: y)
judge("last digit", softmax, x, lambda y: np.nextafter(y, np.float32(1)))
judge("fifth digit", softmax, x, lambda y: y * np.float32(1.0001))
judge("one NaN", softmax, x, lambda y: np.where(y == y.max(), np.float32(np.nan), y))
judge("other shape", softmax, x, lambda y: y[:1])
judge("other type", softmax, x, lambda y: y.astype(np.float64))

# A sum that is whole but for rounding, rounded up.
tie = "g (float[3] x) => (float y) { s = ReduceSum <keepdims = 0> (x) y = Ceil(s) }"
judge("up to rounding", tie, {"x": np.float32([0.1, 0.2, 0.7])}, lambda y: y + 1)
judge("not up to rounding", tie, {"x": np.float32([0.1, 0.2, 0.4])}, lambda y: y + 1)
cancelled = "g (float[2] x) => (float[2] y) { e = Exp(x) l = Log(e) y = Sub(l, x) }"
judge("cancelled", cancelled, {"x": np.float32([1.3, 2.7])}, lambda y: y + np.float32(2e-7))
judge("more than cancelled", cancelled, {"x": np.float32([1.3, 2.7])},
      lambda y: y + np.float32(1e-4))
# Cubic weights add up to 1 but for several units.
cubic = """g (float[2, 1, 1, 1] x) => (int32[2, 1, 52, 1] y) {
  s = Constant <value_ints = [2, 1, 52, 1]> ()
  r = Resize <mode = "cubic"> (x, , , s)  y = Cast <to = 6> (r) }"""
judge("cubic", cubic, {"x": np.float32([-1, -1]).reshape(2, 1, 1, 1)}, lambda y: y * 0 - 1)
# Weights of 0 times infinities.
linear = """g (float[1, 1, 1, 3] x) => (bool[1, 1, 2, 3] y) {
  s = Constant <value_ints = [1, 1, 2, 3]> ()
  r = Resize <mode = "linear"> (x, , , s)  n = IsNaN(r)  y = Not(n) }"""
try:
    judge("infinite neighbor", linear, {"x": np.float32([[[[1, np.inf, 2]]]])},
          lambda y: y | True)
except NotJudged:
    print("infinite neighbor: not judged")
half = "g (float16[2] x) => (float16[2] y) { y = Exp(x) }"
judge("half", half, {"x": np.float16([1, 2])}, lambda y: np.nextafter(y, np.float16(9)))
judge("half, wrong", half, {"x": np.float16([1, 2])}, lambda y: y * np.float16(1.06))


class FailsWithErf:
    """In the place of the compiler."""

    def check(self, samples):
        (_, proto, _), = samples
        bad = any(node.op_type == "Erf" for node in proto.graph.node)
        return [Verdict("wrong", "", "compiled") if bad else Verdict("ok")]


big = model("""g (float[4, 6] x, float[4, 6] z) => (float[4, 6] y, float[6, 4] t) {
  a = Relu(x)  b = Add(a, z)  c = Erf(b)  d = Mul(c, z)  y = Neg(d)  t = Transpose(d) }""")
arrays = {name: np.ones((4, 6), np.float32) for name in ("x", "z")}
small, inputs, _ = Reducer(FailsWithErf(), big, arrays, Verdict("wrong", "", "compiled")).run()
print([node.op_type for node in small.graph.node], len(small.graph.input),
      [list(x.shape) for x in inputs.values()] or
      [list(t.dims) for t in small.graph.initializer])
