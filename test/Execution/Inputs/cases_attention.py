# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Attention, which one kernel computes: sizes around its blocks (96 queries, 256 keys) and
vectors, forms of operands, and what comes before the softmax."""

import numpy as np

from execution import Case

random = np.random.default_rng(5)
PLAIN = "s = MatMul(q, k)  p = Softmax(s)  y = MatMul(p, v)"


def plain(name, queries, keys, depth=16, columns=16, batches="2,3", body=PLAIN, inputs="", **how):
    return Case(name, f"float[{batches},{queries},{depth}] q, float[{batches},{depth},{keys}] k, "
                f"float[{batches},{keys},{columns}] v{inputs}", body, tolerance=5, **how)


def sizes():
    for queries in 4, 5, 8, 17, 31, 48, 97, 200:
        for keys in 1, 3, 64, 256, 257, 700:
            yield plain(f"sizes_{queries}_{keys}", queries, keys)
    for depth in 1, 3, 7, 8, 40, 129:
        for columns in 1, 5, 8, 24, 65, 80:
            yield plain(f"depth_{depth}_{columns}", 37, 45, depth, columns, "2")
    # Left to other kernels: one query, and no depth that is known.
    yield plain("one_query", 1, 70)
    yield plain("empty_batch", 9, 9, batches="0")
    yield plain("five_dimensions", 20, 30, batches="2,1,3")
    yield Case("unknown_depth", "float[2,9,D] q, float[2,D,12] k, float[2,12,D] v", PLAIN,
               sizes=[{"D": 8}, {"D": 19}], tolerance=5)
    yield Case("vector", "float[2,9,8] q, float[2,8,12] k, float[12] v", PLAIN, tolerance=5)
    yield Case("matrix", "float[9,8] q, float[8,12] k, float[12,8] v", PLAIN, tolerance=5)
    yield Case("broadcast_batches", "float[2,3,9,8] q, float[2,1,8,12] k, float[2,1,12,8] v",
               PLAIN, tolerance=5)


def unknown():
    """Sizes known only at run time: among them a single query."""
    runs = [{"B": b, "S": s, "T": t} for b, s, t in
            ((1, 1, 1), (2, 1, 300), (1, 2, 5), (3, 7, 300), (1, 130, 130), (1, 96, 512),
             (0, 4, 4), (2, 0, 3), (1, 1, 256))]
    mask = ", float[B,1,S,T] m, float[T] n"
    masked = ("s = MatMul(q, k)  t = Mul(s, c)  u = Add(t, m)  w = Add(u, n)  p = Softmax(w)  "
              "y = MatMul(p, v)")
    yield plain("unknown", "S", "T", batches="B,2", sizes=runs)
    yield plain("unknown_masked", "S", "T", batches="B,2", sizes=runs, body=masked, inputs=mask,
                weights="float c")
    yield plain("unknown_keys", 33, "T", batches="2", sizes=runs)
    yield plain("unknown_queries", "S", 77, batches="2", sizes=runs)
    for depth in 7, 64:
        heads = Case(f"unknown_heads_{depth}", f"float[B,S,{4 * depth}] q, float[B,T,{4 * depth}] k, "
                     f"float[B,T,{4 * depth}] v, float[B,1,1,T] m",
                     "q1 = Reshape(q, split)  k1 = Reshape(k, split)  v1 = Reshape(v, split)  "
                     "q2 = Transpose<perm=[0,2,1,3]>(q1)  k2 = Transpose<perm=[0,2,3,1]>(k1)  "
                     "v2 = Transpose<perm=[0,2,1,3]>(v1)  s = MatMul(q2, k2)  t = Div(s, c)  "
                     "u = Add(t, m)  p = Softmax(u)  o = MatMul(p, v2)  "
                     "o1 = Transpose<perm=[0,2,1,3]>(o)  y = Reshape(o1, join)",
                     weights="int64[4] split, int64[3] join, float c",
                     values={"split": np.int64([0, 0, 4, depth]), "join": np.int64([0, 0, -1]),
                             "c": np.float32(3)},
                     sizes=[run for run in runs if run["B"] and run["S"]], tolerance=5)
        yield heads


def forms():
    """Where operands lie, and what is stored."""
    shapes = {"q": "2,3,50,24", "k": "2,3,24,70", "v": "2,3,70,20"}
    turned = {"q": "2,3,24,50", "k": "2,3,70,24", "v": "2,3,20,70"}
    heads = {"q": "2,50,3,24", "k": "2,70,3,24", "v": "2,70,3,20"}
    perms = {"q": "0,2,1,3", "k": "0,2,3,1", "v": "0,2,1,3"}
    for names in "q", "k", "v", "qkv":
        for form, other, perm in ("turned", turned, dict.fromkeys("qkv", "0,1,3,2")), \
                                 ("heads", heads, perms):
            inputs = ", ".join(f"float[{(other if n in names else shapes)[n]}] {n}" for n in "qkv")
            turns = "  ".join(f"{n}t = Transpose<perm=[{perm[n]}]>({n})" for n in names)
            name = {n: n + "t" if n in names else n for n in "qkv"}
            yield Case(f"{form}_{names}", inputs,
                       f"{turns}  s = MatMul({name['q']}, {name['k']})  p = Softmax(s)  "
                       f"y = MatMul(p, {name['v']})", tolerance=5)
    for perm in "0,2,1,3", "1,0,2,3", "0,1,3,2":
        yield plain(f"stored_{perm.replace(',', '')}", 50, 70,
                    body=f"{PLAIN.replace('y =', 't =')}  y = Transpose<perm=[{perm}]>(t)")
    yield plain("constant_keys", 50, 70, body=PLAIN.replace("k)", "w)") + "  z = Abs(k)",
                weights="float[2,3,16,70] w")
    yield plain("behind", 50, 70, body=PLAIN.replace("y =", "t =") + "  u = Mul(t, w)  "
                "r = Relu(u)  y = Add(r, b)", weights="float[16] w, float[2,3,50,16] b")


def before():
    """What comes between scores and softmax."""
    causal = np.where(np.tril(np.ones((50, 300))), 0, -np.inf).astype(np.float32)
    late = np.where(np.arange(600) < 500, -np.inf, 0).astype(np.float32)
    some = causal == 0
    apart = np.zeros((1, 1, 50, 600), np.float32)
    apart[..., :25, :400] = -np.inf  # no key of the first block counts
    masks = {"row": ("300", random.uniform(-9, 9, 300)), "column": ("50,1", random.uniform(-9, 9, (50, 1))),
             "heads": ("3,1,300", random.uniform(-9, 9, (3, 1, 300))), "causal": ("50,300", causal),
             "all": ("2,3,50,300", random.uniform(-9, 9, (2, 3, 50, 300))),
             "batch": ("2,1,1,300", random.uniform(-9, 9, (2, 1, 1, 300)))}
    for name, (shape, value) in masks.items():
        yield plain(f"mask_{name}", 50, 300, inputs=f", float[{shape}] m",
                    body=PLAIN.replace("p = Softmax(s)", "u = Add(s, m)  p = Softmax(u)"),
                    values={"m": value.astype(np.float32)})
    for name, value in ("late", late.reshape(1, 1, 1, 600)), ("apart", apart):
        shape = ",".join(map(str, value.shape))
        yield plain(f"mask_{name}", 50, 600, inputs=f", float[{shape}] m",
                    body=PLAIN.replace("p = Softmax(s)", "u = Add(s, m)  p = Softmax(u)"),
                    values={"m": value})
    yield plain("where", 50, 300, inputs=", bool[50,300] m",
                body=PLAIN.replace("p = Softmax(s)", "u = Where(m, s, c)  p = Softmax(u)"),
                weights="float c", values={"m": some, "c": np.float32(-1e4)})
    yield plain("capped", 50, 300, body=PLAIN.replace(
        "p = Softmax(s)", "t = Div(s, c)  h = Tanh(t)  u = Mul(h, c)  p = Softmax(u)"),
                weights="float c", values={"c": np.float32(5)})
    yield plain("large", 20, 30, ranges={"q": (-60, 60), "k": (-60, 60)})
    # Not one kernel: another axis, scores that are also an output, values made of scores.
    yield plain("axis", 50, 70, body=PLAIN.replace("Softmax", "Softmax<axis=2>"))
    yield plain("scores_out", 50, 70, body=PLAIN + "  z = Relu(s)")
    yield plain("weights_out", 50, 70, body=PLAIN + "  z = Relu(p)")
    yield plain("values_of_scores", 16, 16, body="s = MatMul(q, k)  t = Mul(s, s)  u = Add(t, v)  "
                "p = Softmax(s)  y = MatMul(p, u)")
    yield plain("in_turn", 16, 16, body="s = MatMul(q, k)  p = Softmax(s)  t = MatMul(p, v)  "
                "r = MatMul(t, k)  w = Softmax(r)  y = MatMul(w, v)")


def all_cases():
    for group in sizes, unknown, forms, before:
        yield from group()
