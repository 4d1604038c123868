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

# The next iteration's values are one parallel assignment, whatever buffers they are
# in: what the body's end is, and the kinds of sizes.
A, B = f32(1, 2, 3), f32(-0.5, 0.25, 0.125)
for name, body in {
        "previous": "p2 = Exp(p)  q2 = Identity(p)",
        "swap": "p2 = Identity(q)  q2 = Identity(p)",
        "momentum": "d = Sub(p, q)  p2 = Add(p, d)  q2 = Identity(p)",
        "one-for-two": "p2 = Sin(p)  q2 = Identity(p2)",
        "crossed": "p2 = Sin(q)  q2 = Cos(p)",
        "outer": "p2 = Identity(a)  q2 = Add(p, q)",
        "outer-and-previous": "p2 = Identity(a)  q2 = Identity(p)",
        "kept": "p2 = Identity(p)  q2 = Add(p, q)",
        "reversed": "p2 = Slice(q, last, before, axis, back)  q2 = Identity(q)",
        "reversed-self": "p2 = Slice(p, last, before, axis, back)  q2 = Identity(p)",
        "part-of-other": "h = Slice(q, zeros, one)  r = Slice(p, one, three)"
                         "  p2 = Concat<axis = 0>(r, h)  q2 = Identity(p)",
        "branches-swap": """e = Equal(i, first)
          p2, q2 = If(e) <
            then_branch = t () => (float[D] u, float[D] v) {
              u = Identity(q)  v = Identity(p)
            },
            else_branch = e () => (float[D] w, float[D] x) {
              w = Identity(p)  x = Identity(q)
            }>""",
        "branch-keeps": """e = Equal(i, first)  q2 = Add(q, p)
          p2 = If(e) <
            then_branch = t () => (float[D] u) { u = Identity(p) },
            else_branch = e () => (float[D] w) { w = Mul(p, q) }>""",
        "nested-swap": """p2, q2 = Loop(i, , p, q) <
            body = inner (int64 j, bool d, float[D] u, float[D] v)
                => (bool d2, float[D] u2, float[D] v2) {
              d2 = Identity(d)  u2 = Add(u, v)  v2 = Identity(u)
            }>""",
        "nested-takes-outer": """p2 = Loop(i, , q) <
            body = inner (int64 j, bool d, float[D] u) => (bool d2, float[D] u2) {
              d2 = Identity(d)  u2 = Add(u, p)
            }>
          q2 = Identity(p)"""}.items():
    for kind, size in (("", "3"), ("-unknown", "D")):
        signature = "(int64 n, float[D] a, float[D] b)" if kind else "(int64 n, float[3] a, float[3] b)"
        check(f"loop-hands-on-{name}{kind}", f"""
g {signature} => (float[{size}] y, float[{size}] z, float[T, {size}] all)
  <int64 first = {{1}}, int64[1] last = {{-1}}, int64[1] before = {{-99}}, int64[1] axis = {{0}},
   int64[1] back = {{-1}}, int64[1] zeros = {{0}}, int64[1] one = {{1}}, int64[1] three = {{3}}> {{
  y, z, all = Loop(n, , a, b) <
    body = b (int64 i, bool c, float[{size}] p, float[{size}] q)
        => (bool c2, float[{size}] p2, float[{size}] q2, float[{size}] o) {{
      c2 = Identity(c)
      {body.replace("D", size)}
      o = Identity(q)
    }}>
}}""", *[{"n": np.array(n), "a": A, "b": B} for n in (4, 0, 1)])

# Sizes that only one of two states has, and states of other shapes that are the same
# elements.
check("loop-hands-on-mixed", """
g (int64 n, float[3] a, float[K] b, float[1, 3] c) => (float[3] y, float[K] z, float[1, 3] w)
  <int64[1] zero = {0}> {
  y, z, w = Loop(n, , a, b, c) <
    body = b (int64 i, bool go, float[3] p, float[K] q, float[1, 3] r)
        => (bool go2, float[3] p2, float[K] q2, float[1, 3] r2) {
      go2 = Identity(go)
      p2 = Sin(p)
      q2 = Identity(p)
      r2 = Unsqueeze(p2, zero)
    }>
}""", *[{"n": np.array(n), "a": A, "b": B, "c": A[None]} for n in (3, 1, 0)])

# A condition from the data, three states in a ring.
check("loop-hands-on-condition", """
g (float[3] a, float[3] b, float[3] c, float limit) => (float[3] x, float[3] y, float[3] z) {
  go = Constant<value = bool {1}>()
  x, y, z = Loop(, go, a, b, c) <
    body = b (int64 i, bool go1, float[3] p, float[3] q, float[3] r)
        => (bool go2, float[3] p2, float[3] q2, float[3] r2) {
      p2 = Identity(q)
      q2 = Identity(r)
      r2 = Add(p, q)
      sum = ReduceSum<keepdims = 0>(r2)
      go2 = Less(sum, limit)
    }>
}""", {"a": A, "b": B, "c": A * 2, "limit": np.array(50, np.float32)})

check("scan-hands-on", """
g (float[3] a, float[3] b, float[5] xs) => (float[3] y, float[3] z, float[5, 3] w) {
  y, z, w = Scan<num_scan_inputs = 1, body = b (float[3] p, float[3] q, float x)
      => (float[3] p2, float[3] q2, float[3] o) {
    p2 = Identity(q)
    q2 = Add(p, x)
    o = Identity(p)
  }>(a, b, xs)
}""", {"a": A, "b": B, "xs": np.arange(5, dtype=np.float32)})

# Branches of different ranks: both are compiled as far as the ranks differ.
X = np.arange(6, dtype=np.float32).reshape(2, 3)
RANKS = """q = If(c) <
    then_branch = t () => (float[D0] a) { a = Reshape(x, flat) },
    else_branch = e () => (float[D1, D2] b) { b = Neg(x) }>"""
for name, rest in {
        "reshape": "y = Reshape(q, flat)",
        "elementwise": "r = Abs(q)  s = Mul(r, r)  y = Reshape(s, flat)",
        "two-uses": "r = Abs(q)  s = Sub(r, q)  t = Reshape(q, flat)  u = Reshape(s, flat)"
                    "  y = Add(t, u)",
        "shape": "s = Shape(q)  r = Size(s)  t = Cast<to = 1>(r)  f = Reshape(q, flat)"
                 "  y = Mul(f, t)",
        "reduced": "t = ReduceSum<keepdims = 0>(q)  y = Reshape(t, flat)",
        "in-branch": "k = Not(c)  z = If(k) <then_branch = t2 () => (float[E] a2) {"
                     " a2 = Reshape(q, flat) }, else_branch = e2 () => (float[F] b2) {"
                     " n2 = Neg(q)  b2 = Reshape(n2, flat) }>  y = Relu(z)",
        "two-ifs": "k = Not(c)  q2 = If(k) <then_branch = t2 () => (float[E] a2) {"
                   " a2 = Reshape(x, flat) }, else_branch = e2 () => (float[F, G] b2) {"
                   " b2 = Exp(x) }>  f = Reshape(q, flat)  f2 = Reshape(q2, flat)"
                   "  y = Add(f, f2)",
        "both-ifs": "k = Not(c)  q2 = If(k) <then_branch = t2 () => (float[E] a2) {"
                    " a2 = ReduceSum<keepdims = 0>(q, zero) }, else_branch = e2 () => (float[F, G] b2) {"
                    " b2 = Exp(q) }>  y = Reshape(q2, flat)"}.items():
    check(f"if-ranks-{name}", f"""
g (float[N, 3] x, bool c) => (float[M] y) <int64[1] flat = {{-1}}, int64[1] zero = {{0}}> {{
  {RANKS}
  {rest}
}}""", {"x": X, "c": np.array(True)}, {"x": X, "c": np.array(False)})

# torch's squeeze of a dimension of unknown size, in front of what wants one rank.
check("if-squeeze", """
g (float[N, A, 3] x) => (float[M, 2] y)
  <int64 one = {1}, int64[1] axis = {1}, float[3, 2] w = {1, 2, 3, 4, 5, 6}> {
  shape = Shape(x)
  size = Gather(shape, one)
  is_one = Equal(size, one)
  s = If(is_one) <
    then_branch = t () => (float[P, 3] a) { a = Squeeze(x, axis) },
    else_branch = e () => (float[P, Q, 3] b) { b = Identity(x) }>
  y = Gemm(s, w)
}""", {"x": X[:, None]})

# Sizes that are equal whatever they are.
check("if-equal-sizes", """
g (float[B, S, 8] x) => (float[P, Q, R] y) <int64[1] zero = {0}> {
  r = Relu(x)
  left = Shape<start = 1, end = 2>(x)
  right = Shape<start = 1, end = 2>(r)
  equal = Equal(left, right)
  differs = Not(equal)
  choice = Squeeze(differs, zero)
  z = If(choice) <
    then_branch = t () => (float[D, E] a) { a = ReduceSum<keepdims = 0>(x, zero) },
    else_branch = e () => (float[D, E, F] b) { b = Identity(r) }>
  y = Neg(z)
}""", {"x": np.random.default_rng(4).standard_normal((2, 5, 8)).astype(np.float32)})

# A condition of one element, whose shape is not known to be that of a scalar.
check("if-one-element", """
g (float[N] x, int64[K] i) => (float[M] y) <int64[1] one = {1}, int64[2] ones = {1, 1}> {
  j = Add(i, one)
  start = Slice(x, i, j)
  zero = Sub(start, start)
  c = Greater(start, zero)
  y = If(c) <
    then_branch = t () => (float[1] a) { a = Exp(start) },
    else_branch = e () => (float[D] b) { b = Identity(x) }>
}""", {"x": f32(1, -2, 3), "i": np.array([1])}, {"x": f32(1, -2, 3), "i": np.array([2])})

compiled.finish()
