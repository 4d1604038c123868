# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Sequences and optionals: compiled models against ONNX Runtime, or ONNX's reference
where that lacks a form, and the errors of runs. sequences.py DIRECTORY [CASE]"""

import sys

import numpy as np
from onnx.reference import ReferenceEvaluator

import small_models

RANDOM = np.random.default_rng(7)


def floats(*shape, dtype=np.float32):
    return RANDOM.uniform(-9, 9, shape).astype(dtype)


def i64(value):
    return np.array(value, np.int64)


MATRICES = [floats(2, 3), floats(1, 3), floats(4, 3), floats(0, 3)]
S = "seq(float[?, 3]) s"
# name: (signature and body, a list of inputs in order for each run)
CASES = {
    # What is known item by item is no more than these items.
    "at_known": ("(float[N, 4] x) => (float[?, 4] y) { a = Neg(x)  s = SequenceConstruct(x, a)"
                 "  i = Constant<value = int64 {-1}>()  y = SequenceAt(s, i) }",
                 [[floats(3, 4)]]),
    "split_at": ("(float[6, N] x) => (float[?, ?] y, float[?, ?] z) {"
                 " n = Constant<value = int64[3] {1, 2, 3}>()  i = Constant<value = int64 {1}>()"
                 " j = Constant<value = int64 {2}>()  s = SplitToSequence(x, n)"
                 " y = SequenceAt(s, i)  z = SequenceAt(s, j) }", [[floats(6, 5)]]),
    "insert_known": ("(float[2] x, float[3] y) => (seq(float[?]) t) { s = SequenceConstruct(x)"
                     " i = Constant<value = int64 {-1}>()  t = SequenceInsert(s, y, i) }",
                     [[floats(2), floats(3)]]),
    "erase_known": ("(float[2] x, float[3] y) => (seq(float[?]) t, int64 n) {"
                    " s = SequenceConstruct(x, y, x)  i = Constant<value = int64 {1}>()"
                    " u = SequenceErase(s, i)  t = SequenceErase(u)  n = SequenceLength(u) }",
                    [[floats(2), floats(3)]]),
    # Positions that the run gives.
    "at": (f"({S}, int64 i) => (float[?, 3] y) {{ y = SequenceAt(s, i) }}",
           [[MATRICES, i64(i)] for i in (0, 2, 3, -1, -4)]),
    "at_i32": (f"({S}, int32 i) => (float[?, 3] y) {{ y = SequenceAt(s, i) }}",
               [[MATRICES, np.array(1, np.int32)]]),
    "at_of_known": ("(float[N] x, int64 i) => (float[?] y) { a = Neg(x)"
                    " s = SequenceConstruct(x, a)  y = SequenceAt(s, i) }",
                    [[floats(3), i64(i)] for i in (0, 1, -1, -2)]),
    "insert": (f"({S}, float[?, 3] x, int64 i) => (seq(float[?, 3]) t)"
               " { t = SequenceInsert(s, x, i) }",
               [[MATRICES, floats(2, 3), i64(i)] for i in (0, 1, 4, -1, -4)]
               ),
    "insert_last": (f"({S}, float[?, 3] x) => (seq(float[?, 3]) t) {{ t = SequenceInsert(s, x) }}",
                    [[MATRICES, floats(2, 3)], [[], floats(0, 3)]]),
    "erase": (f"({S}, int64 i) => (seq(float[?, 3]) t, int64 n) {{ t = SequenceErase(s, i)"
              " n = SequenceLength(t) }", [[MATRICES, i64(i)] for i in (0, 1, 3, -1, -4)]),
    "erase_last": (f"({S}) => (seq(float[?, 3]) t) {{ t = SequenceErase(s) }}",
                   [[MATRICES], [MATRICES[:1]]]),
    "length": (f"({S}) => (int64 n) {{ n = SequenceLength(s) }}", [[MATRICES], [[]]]),
    "ranks": ("(seq(float[]) s, float x, float[N] y) => (seq(float[]) t) {"
              " u = SequenceInsert(s, x)  t = SequenceInsert(u, y) }",
              [[[floats(2, 2), floats(1)], floats(), floats(3)], [[], floats(), floats(0)]]),
    # Sequences and one tensor.
    "split_scalar": ("(float[N, M] x, int64 n) => (seq(float[?, ?]) s) {"
                     " s = SplitToSequence<axis = 1>(x, n) }",
                     [[floats(2, 7), i64(n)] for n in (1, 3, 7, 9)]),
    "split_list": ("(float[N, M] x, int64[K] n) => (seq(float[?, ?]) s) {"
                   " s = SplitToSequence<axis = -1>(x, n) }",
                   [[floats(2, 7), np.array(n, np.int64)] for n in ([7], [0, 3, 4], [1] * 7)]),
    "split_ones": ("(float[N, M] x) => (seq(float[?, ?]) s, seq(float[?]) t) {"
                   " s = SplitToSequence<axis = 1>(x)  t = SplitToSequence<keepdims = 0>(x) }",
                   [[floats(3, 2)], [floats(1, 1)]]),
    "split_uneven": ("(float[7, 2] x) => (seq(float[?, 2]) s) {"
                     " n = Constant<value = int64 {3}>()  s = SplitToSequence(x, n) }",
                     [[floats(7, 2)]]),
    "concat_known": ("(float[N] x, float[N] y) => (float[?] a, float[?, ?] b) {"
                     " s = SequenceConstruct(x, y)  a = ConcatFromSequence<axis = 0>(s)"
                     " b = ConcatFromSequence<axis = -1, new_axis = 1>(s) }",
                     [[floats(3), floats(3)]]),
    "concat": (f"({S}) => (float[?, 3] y) {{ y = ConcatFromSequence<axis = 0>(s) }}",
               [[MATRICES], [MATRICES[:1]]]),
    "concat_last": ("(seq(float[2, ?]) s) => (float[2, ?] y) {"
                    " y = ConcatFromSequence<axis = -1>(s) }",
                    [[[floats(2, 1), floats(2, 4), floats(2, 0)]]]),
    "concat_new": ("(seq(float[2, 3]) s) => (float[?, ?, ?] y, float[?, ?, ?] z) {"
                   " y = ConcatFromSequence<axis = 1, new_axis = 1>(s)"
                   " z = ConcatFromSequence<axis = 0, new_axis = 1>(s) }",
                   [[[floats(2, 3) for _ in range(n)]] for n in (1, 3)]),
    # Control flow.
    "if_lengths": ("(bool c, float[N] x) => (seq(float[?]) s, int64 n) { s = If(c) <"
                   " then_branch = a () => (seq(float[?]) p) { p = SequenceConstruct(x) },"
                   " else_branch = b () => (seq(float[?]) q) { q = SequenceConstruct(x, x) }>"
                   " n = SequenceLength(s) }", [[np.array(c, bool), floats(2)] for c in (0, 1)]),
    "if_alike": ("(bool c, float[N] x, int64 i) => (float[?] y) { m = Neg(x)  s = If(c) <"
                 " then_branch = a () => (seq(float[?]) p) { p = SequenceConstruct(x, m) },"
                 " else_branch = b () => (seq(float[?]) q) { q = SequenceConstruct(m, x) }>"
                 " y = SequenceAt(s, i) }",
                 [[np.array(c, bool), floats(2), i64(i)] for c in (0, 1) for i in (0, 1)]),
    "if_empty": ("(bool c, float[N] x) => (seq(float[?]) s) { s = If(c) <"
                 " then_branch = a () => (seq(float[?]) p) { p = SequenceEmpty() },"
                 " else_branch = b () => (seq(float[?]) q) { q = SequenceConstruct(x, x) }> }",
                 [[np.array(c, bool), floats(2)] for c in (0, 1)]),
    "loop_grows": ("(int64 n, float[N] x) => (seq(float[?]) s) { true = Constant<value = bool {1}>()"
                   " e = SequenceEmpty()  s = Loop(n, true, e) <body = b (int64 i, bool c,"
                   " seq(float[?]) before) => (bool d, seq(float[?]) after) { d = Identity(c)"
                   " f = CastLike(i, x)  y = Add(x, f)  after = SequenceInsert(before, y) }> }",
                   [[i64(n), floats(3)] for n in (0, 1, 4)]),
    "loop_shrinks": (f"({S}) => (float[?, 3] y, seq(float[?, 3]) rest) {{"
                     " n = SequenceLength(s)  true = Constant<value = bool {1}>()"
                     " one = Constant<value = int64 {1}>()  zero = Constant<value = int64 {0}>()"
                     " m = Sub(n, one)  first = SequenceAt(s, zero)"
                     " rest, y = Loop(m, true, s, first) <body = b (int64 i, bool c,"
                     " seq(float[?, 3]) t, float[?, 3] a)"
                     " => (bool d, seq(float[?, 3]) u, float[?, 3] z) { d = Identity(c)"
                     " k = Constant<value = int64 {-1}>()  last = SequenceAt(t, k)  u = SequenceErase(t, k)"
                     " z = Concat<axis = 0>(a, last) }> }",
                     [[MATRICES], [MATRICES[:1]]]),
    "map": (f"({S}, float[3] b) => (seq(float[?, 3]) t) {{ t = SequenceMap(s, b) <body = g"
            " (float[?, 3] x, float[3] y) => (float[?, 3] z) { z = Add(x, y) }> }",
            [[MATRICES, floats(3)], [[], floats(3)]]),
    # Optionals.
    "optional_tensor": ("(optional(float[N]) o, float[N] x) => (float[?] y, bool h) {"
                        " h = OptionalHasElement(o)  y = If(h) <"
                        " then_branch = a () => (float[?] p) { p = OptionalGetElement(o) },"
                        " else_branch = b () => (float[?] q) { q = Neg(x) }> }",
                        [[floats(3), floats(3)]]),
    "optional_made": ("(float[N] x) => (optional(float[N]) o, bool h) { o = Optional(x)"
                      " h = OptionalHasElement(o) }", [[floats(3)]]),
    "optional_if": ("(bool c, float[N] x) => (optional(seq(float[?])) o) { o = If(c) <"
                    " then_branch = a () => (optional(seq(float[?])) p) {"
                    " p = Optional<type = seq(float[?])>() },"
                    " else_branch = b () => (optional(seq(float[?])) q) {"
                    " s = SequenceConstruct(x, x)  q = Optional(s) }> }",
                    [[np.array(False), floats(2)]]),
    # What is not given.
    "optional_missing": ("(optional(float[N]) o, optional(seq(float[N])) p) => (bool h, bool k) {"
                         " h = OptionalHasElement(o)  k = OptionalHasElement(p) }",
                         [[None, None], [floats(3), [floats(2)]], [None, []]]),
    "optional_names": ("(optional(float[N]) o, float[N] x) => (bool h, float[N] y) {"
                       " h = OptionalHasElement(o)  y = Neg(x) }",
                       [[None, floats(3)], [floats(3), floats(3)]]),
}
# Element types that a sequence may have, as ONNX's text calls them.
for name, dtype in {"bool": np.bool_, "int8": np.int8, "uint8": np.uint8, "int16": np.int16,
                    "uint16": np.uint16, "int32": np.int32, "uint32": np.uint32,
                    "int64": np.int64, "uint64": np.uint64, "float16": np.float16,
                    "double": np.float64}.items():
    items = [RANDOM.integers(0, 2, shape).astype(dtype) for shape in ((2, 3), (1, 3))]
    CASES["type_" + name] = (
        f"(seq({name}[?, 3]) s, {name}[?, 3] x, int64 i) => (seq({name}[?, 3]) t, {name}[?, 3] y)"
        " { t = SequenceInsert(s, x, i)  y = SequenceAt(t, i) }", [[items, items[0], i64(1)]])

# name: (signature and body, inputs, what the error says)
ERRORS = {
    "at_behind": (CASES["at"][0], [MATRICES, i64(4)],
                  "node 'SequenceAt_0' (SequenceAt) has a position outside of the sequence"),
    "at_before": (CASES["at"][0], [MATRICES, i64(-5)], "has a position outside"),
    "insert_behind": (CASES["insert"][0], [MATRICES, floats(1, 3), i64(5)],
                      "(SequenceInsert) has a position outside"),
    "erase_nothing": (CASES["erase_last"][0], [[]], "(SequenceErase) has a position outside"),
    "other_rank": (CASES["at"][0], [[floats(3)], i64(0)],
                   "takes an item of another rank than 2"),
    "sum": (CASES["split_list"][0], [floats(2, 7), np.array([3, 3], np.int64)],
            "has a 'split' whose sum is not the size"),
    "part": (CASES["split_scalar"][0], [floats(2, 7), i64(0)], "has a 'split' below 1"),
    "join_nothing": (CASES["concat"][0], [[]], "joins a sequence without items"),
    "get_nothing": ("(optional(float[N]) o) => (float[N] y) { y = OptionalGetElement(o) }",
                    [None], "takes the content of an optional that has none"),
}


def feed(model, values):
    return {info.name: value for info, value in zip(model.graph.input, values)}


def ask(model, inputs):
    try:
        return small_models.ask(model, inputs)
    except Exception:
        return ReferenceEvaluator(model).run(None, inputs)


def differs(got, want):
    """None, or what is wrong."""
    if isinstance(want, list) or isinstance(got, list):
        if not isinstance(want, list) or not isinstance(got, list):
            return f"{type(got)} instead of {type(want)}"
        if len(got) != len(want):
            return f"{len(got)} items instead of {len(want)}"
        return next((f"item {i}: {problem}" for i, (g, w) in enumerate(zip(got, want))
                     if (problem := differs(g, w))), None)
    if want is None or got is None:
        return None if want is got else f"{got} instead of {want}"
    want = np.asarray(want)
    if got.dtype != want.dtype or got.shape != want.shape or not np.array_equal(got, want):
        return f"{got!r} instead of {want!r}"
    return None


def main():
    runs = small_models.Runs('ir_version: 10, opset_import: ["" : 18]')
    for name, (text, inputs) in runs.choose(CASES):
        model = runs.parse(text)
        session = runs.compile(model, name)
        for values in inputs:
            runs.count += 1
            want = ask(model, feed(model, values))
            got = session.run(feed(model, values))
            for info, expected in zip(model.graph.output, want):
                runs.report(f"{name} {info.name}", differs(got[info.name], expected))
    runs.check_errors(ERRORS, feed)
    return runs.finish()


sys.exit(main())
