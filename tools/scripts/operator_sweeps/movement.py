# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""What moves elements: layouts, indices, resampling."""

import numpy as np

from .sweep import sweep


def movement():
    for dtype in "float", "int8", "int64":
        yield from sweep(f"transpose/{dtype}", "n",
                         [16, 63, 64, 65, 256, 1024] if dtype == "float" else [63, 64, 256],
                         f"{dtype}[{{n}},{{n}}] x", "y = Transpose<perm = [1, 0]>(x)")
    yield from sweep("transpose/dynamic", "n", [16, 65, 256], "float[N,N] x",
                     "y = Transpose<perm = [1, 0]>(x)")
    for perm in "0213", "0231", "0312", "0321", "0132", "1023", "2013", "3210":
        yield from sweep("transpose/permutation", "perm", [perm], "float[8,16,24,33] x",
                         f"y = Transpose<perm = {[int(p) for p in perm]}>(x)", ordered=False)
    yield from sweep("transpose/heads", "n", [1, 16, 128], "float[1,{n},8,64] x",
                     "y = Transpose<perm = [0, 2, 1, 3]>(x)")
    yield from sweep("transpose/channels", "c", [1, 3, 4, 16, 17], "float[1,{c},64,64] x",
                     "y = Transpose<perm = [0, 2, 3, 1]>(x)")
    yield from sweep("concat/axis", "axis", [0, 1, 2], "float[16,24,33] a, float[16,24,33] b",
                     "y = Concat<axis = {axis}>(a, b)")
    for count in 2, 4, 16:
        names = [f"x{i}" for i in range(count)]
        yield from sweep("concat/count", "count", [count],
                         ", ".join(f"float[64,{256 // count}] {name}" for name in names),
                         f"y = Concat<axis = 1>({', '.join(names)})")
        yield from sweep("split/count", "count", [count], f"float[64,{256}] x",
                         f"{', '.join(names)} = Split<axis = 1, num_outputs = {count}>(x)")
    yield from sweep("split/axis", "axis", [0, 1, 2], "float[32,24,66] x",
                     "y, z = Split<axis = {axis}, num_outputs = 2>(x)")
    for name, n in ("", "{n}"), ("-dynamic", "N"):
        yield from sweep("concat/size" + name, "n", [8, 100, 1024],
                         f"float[16,{n}] a, float[16,{n}] b", "y = Concat<axis = 1>(a, b)")
    slice_body = ("s = Constant<value_ints = [{}]>()  e = Constant<value_ints = [{}]>()  "
                  "a = Constant<value_ints = [{}]>()  t = Constant<value_ints = [{}]>()  "
                  "y = Slice(x, s, e, a, t)")
    yield from sweep("slice/axis", "axis", [0, 1, 2], "float[32,24,66] x",
                     slice_body.format(1, -1, "{axis}", 1))
    yield from sweep("slice/step", "step", [1, 2, 3, 4], "float[64,1024] x",
                     slice_body.format(0, 1024, 1, "{step}"), work="1 / step")
    yield from sweep("slice/reversed", "axis", [0, 1], "float[64,1024] x",
                     slice_body.format(-1, -2000, "{axis}", -1))
    for mode in "constant", "edge", "reflect", "wrap":
        yield from sweep(f"pad/{mode}", "axis", [0, 1, 2], "float[32,24,66] x",
                         "p = Constant<value_ints = {[2*(i%3==axis) for i in range(6)]}>()  "
                         f'y = Pad<mode = "{mode}">(x, p)')
    yield from sweep("pad/images", "c", [1, 3, 16, 64], "float[1,{c},28,28] x",
                     "p = Constant<value_ints = [0, 0, 1, 1, 0, 0, 1, 1]>()  y = Pad(x, p)")
    yield from sweep("expand/axis", "axis", [0, 1, 2],
                     "float[{', '.join('1' if i == axis else str(n) for i, n in "
                     "enumerate([32,24,66]))}] x",
                     "s = Constant<value_ints = [32, 24, 66]>()  y = Expand(x, s)")
    yield from sweep("tile/axis", "axis", [0, 1, 2], "float[16,12,33] x",
                     "r = Constant<value_ints = {[1+3*(i==axis) for i in range(3)]}>()  "
                     "y = Tile(x, r)")
    yield from sweep("depthtospace/block", "b", [2, 3, 4], "float[1,{b*b*4},28,28] x",
                     "y = DepthToSpace<blocksize = {b}>(x)")
    yield from sweep("spacetodepth/block", "b", [2, 3, 4], "float[1,8,{b*14},{b*14}] x",
                     "y = SpaceToDepth<blocksize = {b}>(x)",
                     cause=("blocks of 3 columns do not divide a vector",
                            lambda before, value: before == 3))
    yield from sweep("trilu/size", "n", [16, 100, 512], "float[{n},{n}] x", "y = Trilu(x)")


def indexing():
    for name, m in ("", "{m}"), ("-dynamic", "M"):
        yield from sweep("gather/rows" + name, "m", [1, 16, 100, 1024], f"int64[{m}] i",
                         "y = Gather(w, i)", "float[1000,128] w", "m + 2",
                         ranges={"i": (0, 999)})
    shape = 32, 24, 66
    yield from sweep("gather/axis", "axis", [0, 1, 2], "float[32,24,66] x, int64[20] i",
                     "y = Gather<axis = {axis}>(x, i)", ranges={"i": (0, 23)},
                     work="[24 * 66, 32 * 66, 32 * 24][axis]")
    yield from sweep("gatherelements/axis", "axis", [0, 1, 2],
                     "float[32,24,66] x, int64[32,24,66] i",
                     "y = GatherElements<axis = {axis}>(x, i)", ranges={"i": (0, 23)})
    for reduction in "none", "add":
        yield from sweep(f"scatterelements/{reduction}", "axis", [0, 1, 2],
                         "float[32,24,66] x, int64[16,12,33] i, float[16,12,33] u",
                         f'y = ScatterElements<axis = {{axis}}, reduction = "{reduction}">'
                         "(x, i, u)",
                         values=lambda axis: {"i": np.ascontiguousarray(np.moveaxis(
                             np.broadcast_to(distinct(shape[axis], shape[axis] // 2),
                                             [n // 2 for d, n in enumerate(shape) if d != axis]
                                             + [shape[axis] // 2]), -1, axis))})
    yield from sweep("gathernd/length", "k", [1, 2, 3], "float[32,24,66] x, int64[200,{k}] i",
                     "y = GatherND(x, i)", work="200 * [0, 1584, 66, 1][k]",
                     ranges={"i": (0, 23)}, ordered=False)
    for reduction in "none", "add":
        yield from sweep(f"scatternd/{reduction}", "m", [16, 100, 900],
                         "float[1000,64] x, int64[{m},1] i, float[{m},64] u",
                         f'y = ScatterND<reduction = "{reduction}">(x, i, u)',
                         values=lambda m: {"i": distinct(1000, m)[:, None]})
    yield from sweep("topk/k", "k", [1, 5, 32, 100], "float[16,1000] x",
                     "n = Constant<value_ints = [{k}]>()  y, i = TopK(x, n)",
                     # Each element is compared with the least of the best, and the
                     # k (1 + ln(n / k)) that are expected to be better with one another.
                     work="1000 + k * (1 + math.log(1000 / k)) * 2 * math.log2(k + 1)")
    yield from sweep("topk/axis", "axis", [0, 1, 2], "float[32,24,66] x",
                     "n = Constant<value_ints = [5]>()  y, i = TopK<axis = {axis}>(x, n)")
    yield from sweep("topk/length", "n", [64, 1000, 32000], "float[1,{n}] x",
                     "k = Constant<value_ints = [10]>()  y, i = TopK(x, k)", work="n")
    yield from sweep("onehot/depth", "d", [10, 100, 1000], "int64[64] i",
                     "n = Constant<value_int = {d}>()  y = OneHot(i, n, v)", "float[2] v",
                     ranges={"i": (0, 9)})
    yield from sweep("nonzero/elements", "n", [100, 1000, 65536], "bool[{n}] x",
                     "y = NonZero(x)")
    yield from sweep("compress/elements", "n", [100, 1000, 65536], "float[{n}] x, bool[{n}] c",
                     "y = Compress(x, c)")


def distinct(end, count):
    """Indices below `end`, none of which occurs twice."""
    return np.random.default_rng(1).permutation(end)[:count]


def sampling():
    for mode in "nearest", "linear", "cubic":
        for name, h in ("", "{h}"), ("-dynamic", "H"):
            yield from sweep(f"resize/{mode}{name}", "h", [7, 14, 28, 56][::2 if name else 1],
                             f"float[1,16,{h},{h}] x", f'y = Resize<mode = "{mode}">(x, , s)',
                             "float[4] s", values={"s": np.array([1, 1, 2, 2], np.float32)})
        yield from sweep(f"resize/{mode}-channels", "c", [1, 3, 17], "float[1,{c},28,28] x",
                         f'y = Resize<mode = "{mode}", coordinate_transformation_mode = '
                         '"align_corners">(x, , , n)', "int64[4] n",
                         values=lambda c: {"n": np.array([1, c, 42, 42])})
    yield from sweep("resize/shrink", "h", [28, 56, 112], "float[1,3,{h},{h}] x",
                     'y = Resize<mode = "linear">(x, , s)', "float[4] s",
                     values={"s": np.array([1, 1, 0.5, 0.5], np.float32)})
    for mode in "linear", "nearest", "cubic":
        yield from sweep(f"gridsample/{mode}", "h", [7, 14, 28],
                         "float[1,8,28,28] x, float[1,{h},{h},2] g",
                         f'y = GridSample<mode = "{mode}">(x, g)', work="h * h",
                         ranges={"g": (-1.1, 1.1)},
                         cause=("rows shorter than a vector are computed element by element",
                                lambda before, value: before < 16 <= value))


FAMILIES = movement, indexing, sampling
