# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Branches and loops."""

import numpy as np
import onnx

import compiled

HEADER = '<ir_version: 8, opset_import: ["" : 17]>\n'


def f32(*values):
    return np.array(values, np.float32)


def check(name, text, *feeds):
    compiled.check(name, onnx.parser.parse_model(HEADER + text), feeds)


# The condition is known at run time only; a branch may be an outer value, and
# the branches' sizes may differ.
check("if-data", """
g (float[N] x, bool c) => (float[M] y, float[N] z) {
  two = Constant<value = float {2.0}>()
  y, z = If(c) <
    then_branch = t () => (float[M] a, float[N] b) {
      a = Mul(x, two)
      b = Exp(a)
    },
    else_branch = e () => (float[M] d, float[N] f) {
      d = Concat<axis = 0>(x, x)
      f = Identity(x)
    }>
}""", {"x": f32(1, 2, 3), "c": np.array(True)}, {"x": f32(1, 2, 3), "c": np.array(False)},
      {"x": f32(4), "c": np.array(False)})

# Convolution and matrix product (library calls) in a branch of a branch.
check("if-nested", """
g (float[1, 2, 6, 6] x, float[2, 2, 3, 3] w, bool c, bool d) => (float[1, 2, A, B] y) {
  y = If(c) <
    then_branch = t () => (float[1, 2, A, B] a) {
      conv = Conv(x, w)
      a = If(d) <
        then_branch = tt () => (float[1, 2, A, B] p) { p = Relu(conv) },
        else_branch = te () => (float[1, 2, A, B] q) { q = MatMul(conv, conv) }>
    },
    else_branch = e () => (float[1, 2, A, B] b) { b = Neg(x) }>
}""", *[{"x": np.random.default_rng(0).standard_normal((1, 2, 6, 6)).astype(np.float32),
         "w": np.random.default_rng(1).standard_normal((2, 2, 3, 3)).astype(np.float32),
         "c": np.array(c), "d": np.array(d)}
        for c, d in ((True, True), (True, False), (False, True))])

# Which branch is meant follows from the rank, as exporters write it.
check("if-shape", """
g (float[N, 1, K] x) => (float[P, Q] y) {
  shape = Shape(x)
  rank = Size(shape)
  three = Constant<value = int64 {3}>()
  is_three = Equal(rank, three)
  axis = Constant<value_ints = [1]>()
  y = If(is_three) <
    then_branch = t () => (float[P, Q] a) { a = Squeeze(x, axis) },
    else_branch = e () => (float[P, Q] b) { b = Identity(x) }>
}""", {"x": np.ones((2, 1, 4), np.float32)})

# A count from the data; a value that is carried, and one that is collected.
check("loop-count", """
g (float[4] x, int64 n) => (float[4] y, float[T, 4] all) {
  go = Constant<value = bool {1}>()
  y, all = Loop(n, go, x) <
    body = b (int64 i, bool c, float[4] v) => (bool c2, float[4] v2, float[4] s) {
      c2 = Identity(c)
      step = Cast<to = 1>(i)
      v2 = Add(v, step)
      s = Mul(v2, x)
    }>
}""", {"x": f32(1, 2, 3, 4), "n": np.array(5)}, {"x": f32(1, 2, 3, 4), "n": np.array(0)},
      {"x": f32(1, 2, 3, 4), "n": np.array(1)})

# A condition from the data; what is collected has a size known at run time.
check("loop-condition", """
g (float[N] x, float limit) => (float[N] y, float[T, N] all) {
  go = Constant<value = bool {1}>()
  two = Constant<value = float {2.0}>()
  y, all = Loop(, go, x) <
    body = b (int64 i, bool c, float[N] v) => (bool c2, float[N] v2, float[N] s) {
      v2 = Mul(v, two)
      sum = ReduceSum<keepdims = 0>(v2)
      c2 = Less(sum, limit)
      s = Neg(v)
    }>
}""", {"x": f32(1, 2), "limit": np.array(100, np.float32)}, {"x": f32(1, 2, 3), "limit": np.array(1, np.float32)})

# A value that grows from iteration to iteration.
check("loop-grow", """
g (float[K] x, int64 n) => (float[M] y) {
  go = Constant<value = bool {1}>()
  y = Loop(n, go, x) <
    body = b (int64 i, bool c, float[Z] v) => (bool c2, float[Z2] v2) {
      c2 = Identity(c)
      v2 = Concat<axis = 0>(v, x)
    }>
}""", {"x": f32(1, 2), "n": np.array(3)}, {"x": f32(1, 2), "n": np.array(0)})

# Values that change places, which must not overwrite each other.
check("loop-swap", """
g (float[3] x, float[3] y, int64 n) => (float[3] p, float[3] q) {
  go = Constant<value = bool {1}>()
  p, q = Loop(n, go, x, y) <
    body = b (int64 i, bool c, float[3] v, float[3] w) => (bool c2, float[3] w2, float[3] v2) {
      c2 = Identity(c)
      w2 = Identity(w)
      v2 = Add(v, w)
    }>
}""", {"x": f32(1, 2, 3), "y": f32(4, 5, 6), "n": np.array(7)})

# A library call in a loop, and a loop in a loop.
check("loop-nested", """
g (float[8, 8] x, float[8, 8] w) => (float[8, 8] y) {
  go = Constant<value = bool {1}>()
  three = Constant<value = int64 {3}>()
  scale = Constant<value = float {0.1}>()
  y = Loop(three, go, x) <
    body = b (int64 i, bool c, float[8, 8] v) => (bool c2, float[8, 8] v2) {
      c2 = Identity(c)
      product = MatMul(v, w)
      small = Mul(product, scale)
      v2 = Loop(i, go, small) <
        body = inner (int64 j, bool d, float[8, 8] u) => (bool d2, float[8, 8] u2) {
          d2 = Identity(d)
          u2 = Add(u, x)
        }>
    }>
}""", {"x": np.random.default_rng(2).standard_normal((8, 8)).astype(np.float32),
       "w": np.random.default_rng(3).standard_normal((8, 8)).astype(np.float32)})

check("scan", """
g (float[2] start, float[N, 2] x) => (float[2] last, float[N, 2] sums, float[2, N] back) {
  last, sums, back = Scan<num_scan_inputs = 1, scan_input_directions = [1],
                          scan_output_directions = [0, 1], scan_output_axes = [0, 1],
                          body = b (float[2] s, float[2] v)
                              => (float[2] s2, float[2] o, float[2] p) {
    s2 = Add(s, v)
    o = Identity(s2)
    p = Mul(v, v)
  }>(start, x)
}""", {"start": f32(0, 10), "x": f32(1, 2, 3, 4, 5, 6).reshape(3, 2)},
      {"start": f32(0, 10), "x": f32(1, 2).reshape(1, 2)})

compiled.finish()
