# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Matrix products: batches, types, transposes, what is fused with them."""

from execution import Case

# Once more with everything that oneDNN can do given to it.
OPTIONS = [("--mcpu=x86-64-v3", "--prefer=onednn")]

BATCHES = {  # name: lhs, rhs
    "plain": ("M,K", "K,N"), "batch": ("B,M,K", "B,K,N"), "left": ("B,M,K", "K,N"),
    "right": ("M,K", "B,K,N"), "both": ("B,1,M,K", "3,K,N"), "cross": ("B,1,M,K", "1,3,K,N"),
    "row": ("K", "K,N"), "column": ("M,K", "K"), "dot": ("K", "K"),
    "row_batch": ("K", "B,K,N"), "column_batch": ("B,M,K", "K"),
}
SHAPES = [{"B": 2, "M": 4, "K": 5, "N": 3}, {"B": 1, "M": 1, "K": 1, "N": 1},
          {"B": 3, "M": 1, "K": 33, "N": 17}, {"B": 2, "M": 9, "K": 64, "N": 40},
          {"B": 0, "M": 3, "K": 4, "N": 2}]


def matmul():
    for name, (a, b) in BATCHES.items():
        yield Case(f"MatMul_{name}", f"float[{a}] a, float[{b}] b", "y = MatMul(a, b)",
                   sizes=SHAPES)
    for dtype in ["float16", "bfloat16", "double", "int32", "int64", "uint32", "uint64"]:
        yield Case(f"MatMul_{dtype}", f"{dtype}[B,M,K] a, {dtype}[K,N] b", "y = MatMul(a, b)",
                   sizes=SHAPES, tolerance=2)
    for name, m, k, n in [("small", 4, 8, 8), ("gemv", 1, 96, 67), ("odd", 7, 19, 13),
                          ("tall", 65, 3, 5), ("wide", 2, 33, 130), ("large", 70, 128, 96)]:
        yield Case(f"MatMul_static_{name}", f"float[{m},{k}] a, float[{k},{n}] b",
                   "y = MatMul(a, b)")
        yield Case(f"MatMul_weights_{name}", f"float[{m},{k}] a", "y = MatMul(a, w)",
                   weights=f"float[{k},{n}] w")
        yield Case(f"MatMul_dynamic_{name}", f"float[M,{k}] a", "y = MatMul(a, w)",
                   weights=f"float[{k},{n}] w", sizes=[{"M": m}, {"M": 1}, {"M": m + 5}])
        yield Case(f"MatMul_lhs_weights_{name}", f"float[{k},N] a", "y = MatMul(w, a)",
                   weights=f"float[{m},{k}] w", sizes=[{"N": n}, {"N": 1}, {"N": 9}])
        yield Case(f"MatMul_transposed_{name}", f"float[{k},{m}] a, float[{n},{k}] b",
                   "t = Transpose<perm = [1, 0]>(a)  u = Transpose<perm = [1, 0]>(b)  "
                   "y = MatMul(t, u)")
    yield Case("MatMul_batch_transposed", "float[B,H,M,K] a, float[B,H,N,K] b",
               "u = Transpose<perm = [0, 1, 3, 2]>(b)  y = MatMul(a, u)",
               sizes=[{"B": 1, "H": 2, "M": 5, "N": 7, "K": 8}, {"B": 2, "H": 3, "M": 1, "N": 16, "K": 4}])
    yield Case("MatMul_squares", "float[M,M] a", "t = MatMul(a, a)  y = MatMul(t, a)",
               sizes=[{"M": 3}, {"M": 16}])


def dot_products():
    """Operands that lie along the depth: one column; few rows and a transposed matrix."""
    turned = "u = Transpose<perm = [0, 2, 1]>(b)  t = MatMul(a, u)  y = Add(t, r)"
    for dtype in "float", "double":
        for m in 1, 2, 3, 4:
            yield Case(f"MatMul_few_rows_{m}_{dtype}",
                       f"{dtype}[B,{m},K] a, {dtype}[B,N,K] b, {dtype}[N] r", turned,
                       sizes=[{"B": 1, "K": 1, "N": 1}, {"B": 2, "K": 64, "N": 33},
                              {"B": 3, "K": 19, "N": 8}, {"B": 1, "K": 7, "N": 4}])
        sizes = [{"M": 1, "K": 1, "B": 1}, {"M": 33, "K": 64, "B": 2}, {"M": 8, "K": 19, "B": 3}]
        column = "t = MatMul(x, z)  u = Add(t, r)  y = Relu(u)"
        yield Case(f"MatMul_one_column_{dtype}",
                   f"{dtype}[M,K] x, {dtype}[K,1] z, {dtype}[M,1] r", column, sizes=sizes)
        yield Case(f"MatMul_one_column_batch_{dtype}",
                   f"{dtype}[B,M,K] x, {dtype}[B,K,1] z, {dtype}[M,1] r", column, sizes=sizes)
        yield Case(f"MatMul_one_column_shared_{dtype}",
                   f"{dtype}[B,M,K] x, {dtype}[K,1] z, {dtype}[1] r", column, sizes=sizes)
        yield Case(f"MatMul_vector_{dtype}", f"{dtype}[M,K] x, {dtype}[K] z, {dtype}[M] r",
                   column, sizes=sizes)
        yield Case(f"MatMul_one_column_weights_{dtype}", f"{dtype}[M,37] x, {dtype}[1] r",
                   column, weights=f"{dtype}[37,1] z", sizes=[{"M": 1}, {"M": 9}])
        yield Case(f"MatMul_one_row_depth_{dtype}", f"{dtype}[B,1,K] x, {dtype}[B,K,21] z",
                   "y = MatMul(x, z)", sizes=sizes)


def doubles():
    """Without a library: any size may be known only at run time."""
    for name, a, b in [("dynamic", "M,K", "K,N"), ("batch", "B,M,K", "B,K,N"),
                       ("large", "70,128", "128,300"), ("columns", "9,40", "40,N"),
                       ("depth", "M,K", "K,24")]:
        yield Case(f"MatMul_double_{name}", f"double[{a}] a, double[{b}] b",
                   "t = MatMul(a, b)  y = Abs(t)",
                   sizes=[{"B": 2, "M": 7, "K": 33, "N": 21}, {"B": 1, "M": 1, "K": 1, "N": 1},
                          {"B": 3, "M": 12, "K": 5, "N": 4}])
    yield Case("MatMul_double_turned", "double[M,19] a",
               "u = Transpose<perm = [1, 0]>(w)  y = MatMul(a, u)", weights="double[23,19] w",
               sizes=[{"M": 1}, {"M": 13}])


def gemm():
    for name, c in [("matrix", "M,N"), ("row", "N"), ("column", "M,1"), ("one", "1"), ("unit", "1,N")]:
        yield Case(f"Gemm_{name}", f"float[M,K] a, float[K,N] b, float[{c}] c",
                   "y = Gemm<alpha = 0.5, beta = 2.0>(a, b, c)", sizes=SHAPES[:4])
    for ta in (0, 1):
        for tb in (0, 1):
            a, b = "K,M" if ta else "M,K", "11,13" if tb else "13,11"
            a = a.replace("K", "13")
            yield Case(f"Gemm_trans{ta}{tb}", f"float[{a}] a",
                       f"y = Gemm<transA = {ta}, transB = {tb}>(a, w, c)",
                       weights=f"float[{b}] w, float[11] c", sizes=[{"M": 1}, {"M": 6}])
    yield Case("Gemm_no_bias", "float[3,5] a, float[5,4] b", "y = Gemm(a, b)")
    for dtype in ["float16", "bfloat16", "double", "int32", "uint64"]:
        yield Case(f"Gemm_{dtype}", f"{dtype}[M,7] a, {dtype}[7,5] b, {dtype}[5] c",
                   "y = Gemm(a, b, c)", sizes=[{"M": 1}, {"M": 4}], tolerance=2)


def fused():
    weights = "float[24,20] w, float[20] b"
    sizes = [{"M": 1}, {"M": 5}, {"M": 33}]
    for name, body in {
            "relu": "t = MatMul(x, w)  u = Add(t, b)  y = Relu(u)",
            "gelu": "t = MatMul(x, w)  u = Add(t, b)  y = Gelu(u)",
            "sigmoid_mul": "t = MatMul(x, w)  u = Add(t, b)  v = Sigmoid(u)  y = Mul(v, u)",
            "clip": "t = MatMul(x, w)  u = Sub(t, b)  y = HardSigmoid(u)",
            "divide": "t = MatMul(x, w)  y = Div(t, b)",
            "before": "r = Relu(x)  t = MatMul(r, w)  y = Add(b, t)",
            "twice": "t = MatMul(x, w)  y = Relu(t)  z = Add(t, b)",
            "softmax": "t = MatMul(x, w)  y = Softmax(t)"}.items():
        yield Case(f"fused_{name}", "float[M,24] x", body, weights=weights, sizes=sizes)
    yield Case("fused_residual", "float[M,24] x, float[M,20] r",
               "t = MatMul(x, w)  u = Add(t, b)  v = Add(u, r)  y = Relu(v)",
               weights=weights, sizes=sizes)
    yield Case("fused_residual_broadcast", "float[M,24] x, float[1,20] r, float[M,1] c",
               "t = MatMul(x, w)  u = Add(r, t)  v = Mul(u, c)  y = Tanh(v)",
               weights=weights, sizes=sizes)
    yield Case("fused_grows", "float[M,24] x, float[3,1,20] r",
               "t = MatMul(x, w)  y = Add(t, r)", weights=weights, sizes=sizes)
    yield Case("fused_scale_batch", "float[B,M,8] x, float[B,8,N] z, float[B,1,N] m",
               "t = MatMul(x, z)  u = Mul(t, s)  v = Add(u, m)  y = Softmax(v)",
               weights="float s", sizes=[{"B": 1, "M": 3, "N": 3}, {"B": 2, "M": 7, "N": 18}])
    for dtype in ["float16", "bfloat16", "double"]:
        yield Case(f"fused_{dtype}", f"{dtype}[M,24] x",
                   "t = MatMul(x, w)  u = Add(t, b)  y = Relu(u)",
                   weights=f"{dtype}[24,20] w, {dtype}[20] b", sizes=sizes, tolerance=3)


def einsum():
    """A dimension of size 1 is broadcast to the others of its label."""
    for name, equation, a, b in (
            ("summed", "ij,kj->ik", "2,4", "3,1"), ("summed_left", "ij,kj->ik", "2,1", "3,4"),
            ("both_ones", "ij,kj->ik", "2,1", "3,1"), ("batch", "bij,bjk->bik", "1,2,4", "5,4,3"),
            ("batch_and_summed", "bij,bjk->bik", "5,2,1", "1,4,3"),
            ("kept", "ij,ij->ij", "2,1", "1,4"), ("all_summed", "ij,ij->", "2,1", "1,4"),
            ("unknown", "ij,kj->ik", "M,J", "3,1"), ("ellipsis", "...j,kj->...k", "2,3,4", "5,1")):
        yield Case(f"Einsum_{name}", f"float[{a}] a, float[{b}] b",
                   f'y = Einsum<equation = "{equation}">(a, b)',
                   sizes=[{"M": 2, "J": 4}] if "J" in a else ({},), tolerance=3)


def transposed():
    """Operands that are read, and results that are stored, through transpositions."""
    bodies = {
        # Rows or depths of an operand lie apart, columns of the rhs one by one.
        "rows": ("B,M,H,K", "B,N,H,K", "t = Transpose<perm = [0,2,1,3]>(a)  "
                 "u = Transpose<perm = [0,2,3,1]>(b)  y = MatMul(t, u)"),
        "columns": ("B,M,H,K", "B,K,H,N", "t = Transpose<perm = [0,2,1,3]>(a)  "
                    "u = Transpose<perm = [0,2,1,3]>(b)  y = MatMul(t, u)"),
        "depth_first": ("B,H,K,M", "B,H,N,K", "t = Transpose<perm = [0,1,3,2]>(a)  "
                        "u = Transpose<perm = [0,1,3,2]>(b)  y = MatMul(t, u)"),
        "apart": ("K,B,H,M", "K,N,B,H", "t = Transpose<perm = [1,2,3,0]>(a)  "
                  "u = Transpose<perm = [2,3,0,1]>(b)  y = MatMul(t, u)"),
        "stored": ("B,H,M,K", "B,H,K,N", "t = MatMul(a, b)  s = Abs(t)  "
                   "y = Transpose<perm = [0,2,1,3]>(s)"),
        "stored_turned": ("B,H,M,K", "B,H,K,N", "t = MatMul(a, b)  s = Abs(t)  "
                          "y = Transpose<perm = [0,2,3,1]>(s)"),
        "all": ("B,M,H,K", "B,N,H,K", "t = Transpose<perm = [0,2,1,3]>(a)  "
                "u = Transpose<perm = [0,2,3,1]>(b)  p = MatMul(t, u)  "
                "y = Transpose<perm = [2,0,1,3]>(p)"),
        # One transposition, two products; and a use of its own.
        "twice": ("B,M,H,K", "B,M,H,K", "t = Transpose<perm = [0,2,3,1]>(b)  "
                  "u = Transpose<perm = [0,2,1,3]>(a)  v = MatMul(u, t)  w = Abs(u)  "
                  "z = MatMul(w, t)  y = Sub(v, z)"),
    }
    bodies["scaled"] = ("B,M,H,K", "B,N,H,K", "c = Constant<value_float = 0.5>()  "
                        "c1 = CastLike(c, a)  t = Transpose<perm = [0,2,1,3]>(a)  s = Mul(t, c1)  "
                        "u = Transpose<perm = [0,2,3,1]>(b)  v = Mul(c1, u)  w = Abs(v)  "
                        "y = MatMul(s, w)")
    shapes = [{"B": 2, "H": 3, "M": 7, "K": 8, "N": 5}, {"B": 1, "H": 2, "M": 33, "K": 19, "N": 40},
              {"B": 1, "H": 1, "M": 1, "K": 3, "N": 1}, {"B": 3, "H": 1, "M": 2, "K": 64, "N": 18}]
    for name, (a, b, body) in bodies.items():
        for dtype in "float", "double":
            yield Case(f"MatMul_{name}_{dtype}", f"{dtype}[{a}] a, {dtype}[{b}] b", body,
                       sizes=shapes)
            for i, shape in enumerate(shapes):
                first, second = (",".join(str(shape[d]) for d in x.split(",")) for x in (a, b))
                yield Case(f"MatMul_{name}_{dtype}_{i}",
                           f"{dtype}[{first}] a, {dtype}[{second}] b", body)
    yield Case("MatMul_stored_with_operands", "float[2,3,7,8] a, float[2,3,8,21] b, "
               "float[7,21] r, float[21] c", "t = MatMul(a, b)  s = Add(t, r)  v = Mul(s, c)  "
               "w = Relu(v)  y = Transpose<perm = [0,2,1,3]>(w)")
    yield Case("MatMul_weights_stored", "float[B,M,24] a",
               "t = MatMul(a, w)  s = Add(t, c)  y = Transpose<perm = [1,0,2]>(s)",
               weights="float[24,16] w, float[16] c", sizes=[{"B": 2, "M": 5}, {"B": 1, "M": 1}])
    yield Case("MatMul_turned_weights", "float[24,M] a",
               "u = Transpose<perm = [1,0]>(a)  y = MatMul(u, w)", weights="float[24,16] w",
               sizes=[{"M": 5}, {"M": 1}])


def attention():
    """Heads are neither cut out nor joined by copies."""
    def block(heads, size):
        width = heads * size
        project = "".join(
            f"{p}0 = MatMul(x, w{p})  {p}1 = Add({p}0, b{p})  {p}2 = Reshape({p}1, parts)  "
            f"{p} = Transpose<perm = [{perm}]>({p}2)  "
            for p, perm in (("q", "0,2,1,3"), ("k", "0,2,3,1"), ("v", "0,2,1,3")))
        body = (f"parts = Constant<value_ints = [0, 0, {heads}, {size}]>()  "
                f"joined = Constant<value_ints = [0, 0, {width}]>()  "
                f"scale = Constant<value_float = 0.25>()  " + project +
                "s0 = MatMul(q, k)  s = Mul(s0, scale)  p = Softmax<axis = -1>(s)  "
                "c0 = MatMul(p, v)  c1 = Transpose<perm = [0,2,1,3]>(c0)  "
                "c = Reshape(c1, joined)  o = MatMul(c, wo)  y = Add(o, bo)")
        weights = ", ".join(f"float[{width},{width}] w{p}, float[{width}] b{p}" for p in "qkvo")
        return body, weights

    for name, heads, size in ("small", 3, 8), ("large", 2, 64):
        body, weights = block(heads, size)
        yield Case(f"Attention_{name}", f"float[B,S,{heads * size}] x", body, weights=weights,
                   sizes=[{"B": 2, "S": 5}, {"B": 1, "S": 40}, {"B": 3, "S": 1}],
                   ranges={"x": (-0.1, 0.1)}, tolerance=5)
        for length in 1, 2, 7, 40:
            yield Case(f"Attention_{name}_{length}", f"float[2,{length},{heads * size}] x", body,
                       weights=weights, ranges={"x": (-0.1, 0.1)}, tolerance=5)


def all_cases():
    for group in (matmul, dot_products, doubles, transposed, attention, gemm, einsum, fused):
        yield from group()
