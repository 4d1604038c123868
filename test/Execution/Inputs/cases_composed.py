# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Operators of ai.onnx that are imported as several others: deformable convolutions, pools
over regions, n-grams, and steps of optimizers."""

import numpy as np
from execution import Case

TRAINING = "ai.onnx.preview.training"
random = np.random.default_rng(7)


def deform_conv():
    # Places outside and inside, and whole ones. Of other than f32, or without two spatial
    # dimensions, ONNX Runtime has none: there the interpreter judges, which computes the
    # parts that have been judged elsewhere.
    sizes = [{"N": n, "H": h, "W": w} for n, h, w in ((1, 8, 9), (2, 5, 7))]
    whole = {"o": np.float32([1, -2] * 9).reshape(1, 18, 1, 1) + np.zeros((1, 18, 6, 6), "f4")}
    yield Case("whole_offsets", "float[1,3,6,6] x, float[1,18,6,6] o",
               "y = DeformConv<kernel_shape=[3,3], pads=[1,1,1,1]>(x, w, o)",
               weights="float[4,3,3,3] w", values=whole, tolerance=5)
    yield Case("mask_bias", "float[N,4,H,W] x, float[N,18,H,W] o, float[N,9,H,W] m",
               "y = DeformConv<kernel_shape=[3,3], pads=[1,1,1,1]>(x, w, o, b, m)",
               weights="float[6,4,3,3] w, float[6] b", sizes=sizes, tolerance=20)
    yield Case("groups", "float[N,4,H,W] x, float[N,36,H,W] o",
               "y = DeformConv<kernel_shape=[3,3], pads=[1,1,1,1], group=2, offset_group=2>"
               "(x, w, o)", weights="float[6,2,3,3] w", sizes=sizes, tolerance=20)
    yield Case("strides_dilations", "float[1,2,9,11] x, float[1,24,4,3] o",
               "y = DeformConv<strides=[2,3], dilations=[1,2], pads=[1,0,0,2]>(x, w, o)",
               weights="float[3,2,3,4] w", ranges={"o": (-4, 4)}, tolerance=20)
    yield Case("one_dimension", "float[1,2,9] x, float[1,3,7] o",
               "y = DeformConv(x, w, o)", weights="float[3,2,3] w", oracle=False,
               tolerance=20)
    yield Case("half", "float16[1,2,5,5] x, float16[1,8,4,4] o",
               "y = DeformConv(x, w, o)", weights="float16[3,2,2,2] w", oracle=False,
               tolerance=20)
    yield Case("double", "double[1,2,5,5] x, double[1,8,4,4] o",
               "y = DeformConv(x, w, o)", weights="double[3,2,2,2] w", oracle=False,
               tolerance=20)


def max_roi_pool():
    regions = np.float32([[0, 0, 0, 4, 4], [1, 2, 1, 9, 6], [0, 5, 5, 5, 5], [1, -3, -2, 20, 3],
                          [0, 30, 30, 40, 40], [1, 7, 6, 2, 1]])
    yield Case("max_roi_pool", "float[N,3,8,10] x, float[R,5] r",
               "y = MaxRoiPool<pooled_shape=[2,3]>(x, r)", sizes=[{"N": 2, "R": 6}],
               values={"r": regions})
    yield Case("max_roi_pool_scaled", "float[2,3,8,10] x, float[6,5] r",
               "y = MaxRoiPool<pooled_shape=[3,2], spatial_scale=0.5>(x, r)",
               values={"r": regions})
    yield Case("max_roi_pool_none", "float[2,3,8,10] x, float[R,5] r",
               "y = MaxRoiPool<pooled_shape=[3,2]>(x, r)", sizes=[{"R": 0}])


def n_grams():
    counts = "ngram_counts=[0,4], ngram_indexes=[0,1,2,3,5,4,6], pool_int64s=[2,3,5,4,5,6,7,8,6,7]"
    sizes = [{"N": 3, "C": 12}, {"N": 1, "C": 1}, {"N": 2, "C": 0}]
    for mode in ("TF", "IDF", "TFIDF"):
        for shortest, longest, skip in ((1, 1, 0), (1, 2, 0), (2, 2, 5), (1, 2, 3)):
            yield Case(f"{mode}_{shortest}{longest}{skip}", "int64[N,C] x",
                       f'y = TfIdfVectorizer<mode="{mode}", min_gram_length={shortest}, '
                       f"max_gram_length={longest}, max_skip_count={skip}, {counts}, "
                       "weights=[1.0, 2.0, 3.0, 0.5, 4.0, 5.0, 0.25]>(x)",
                       sizes=sizes[:2], ranges={"x": (2, 8)})
    yield Case("TF_row", "int32[C] x",
               'y = TfIdfVectorizer<mode="TF", min_gram_length=1, max_gram_length=2, '
               f"max_skip_count=1, {counts}>(x)", sizes=[{"C": 9}], ranges={"x": (2, 8)})


def large_pools():
    """Pools of numbers and of pairs of them that are searched."""
    random = np.random.default_rng(0)
    singles = random.permutation(2000)[:400]
    pairs = np.stack(np.divmod(random.permutation(900)[:700], 30), 1)
    text = lambda numbers: ",".join(map(str, numbers))
    for skip in (0, 2):
        yield Case(f"TF_pool_{skip}", "int64[N,C] x",
                   'y = TfIdfVectorizer<mode="TFIDF", min_gram_length=1, max_gram_length=2, '
                   f"max_skip_count={skip}, ngram_counts=[0,400], "
                   f"ngram_indexes=[{text(random.permutation(1100))}], "
                   f"pool_int64s=[{text(singles)},{text(pairs.ravel())}], "
                   f"weights=[{text(np.arange(1100) + 0.5)}]>(x)",
                   sizes=[{"N": 3, "C": 200}, {"N": 1, "C": 1}], ranges={"x": (-1, 31)})


def affine_grids():
    for align in (0, 1):
        for sizes in ((2, 3, 4, 5), (1, 1, 2, 3), (2, 3, 4, 5, 6), (1, 1, 1, 3, 2)):
            dims = len(sizes) - 2
            yield Case(f"affine_grid_{align}_{''.join(map(str, sizes))}",
                       f"float[N,{dims},{dims + 1}] t, int64[{dims + 2}] s",
                       f"y = AffineGrid<align_corners = {align}>(t, s)  k = Constant<value_ints = "
                       f"[{','.join(map(str, sizes))}]>()  z = AffineGrid<align_corners = {align}>(t, k)",
                       values={"s": np.int64(sizes)}, sizes=[{"N": sizes[0]}],
                       # ONNX Runtime divides by 0 where a volume has one layer.
                       oracle=not (align and 1 in sizes[2:]), tolerance=2)


def batched_scans():
    """Scan of opset 8, whose operands are batches."""
    body = ("body (float[2] a, float[2] b, float[2] c) => (float[2] s, float[2] o) "
            "{ t = Add(a, b)  s = Mul(t, c)  o = Neg(s) }")
    sizes = [{"B": 2, "S": 3}, {"B": 1, "S": 1}]
    for name, directions in (("", ""), ("_backwards", ", directions = [1, 0]")):
        yield Case(f"scan8{name}", "float[B,2] initial, float[B,S,2] x, float[B,S,2] z0",
                   f"y, z = Scan<num_scan_inputs = 2{directions}, body = {body}>"
                   "(, initial, x, z0)", sizes=sizes, opset=8)


def training():
    # ONNX Runtime has none of these: the node tests judge them.
    operands = "float R, int64 T, float[3] x, float[2,2] y, float[3] g, float[2,2] h"
    kept = ", float[3] v, float[2,2] w"
    values = {"T": np.int64(3), "R": np.float32(0.1)}
    common = dict(values=values, oracle=False, ranges={n: (0.1, 2) for n in "vwab"},
                  domains=[(TRAINING, 1)])
    yield Case("adagrad", operands + kept,
               f"a, b, c, d = {TRAINING}.Adagrad<decay_factor=0.1, epsilon=0.00001, "
               "norm_coefficient=0.001>(R, T, x, y, g, h, v, w)", **common)
    for mode in ("standard", "nesterov"):
        yield Case("momentum_" + mode, operands + kept,
                   f"a, b, c, d = {TRAINING}.Momentum<alpha=0.9, beta=0.8, "
                   f'norm_coefficient=0.001, mode="{mode}">(R, T, x, y, g, h, v, w)', **common)
    for count in (0, 3):
        yield Case(f"adam_{count}", operands + kept + ", float[3] a, float[2,2] b",
                   f"p, q, r, s, t, u = {TRAINING}.Adam<norm_coefficient=0.001, "
                   "norm_coefficient_post=0.01, epsilon=0.0001>"
                   "(R, T, x, y, g, h, v, w, a, b)",
                   **common | {"values": values | {"T": np.int64(count)}})


def all_cases():
    yield from deform_conv()
    yield from max_roi_pool()
    yield from n_grams()
    yield from large_pools()
    yield from affine_grids()
    yield from batched_scans()
    yield from training()
