# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Operators that move data or ask for shapes, and gathers."""

import numpy as np
from execution import Case

TYPES = ["float16", "bfloat16", "float", "double", "int8", "int16", "int32", "int64",
         "uint8", "uint16", "uint32", "uint64", "bool"]
SIZES = [{"N": 1, "M": 1}, {"N": 3, "M": 7}, {"N": 2, "M": 33}, {"N": 0, "M": 4}]


def i64(*values):
    return np.array(values, np.int64)


def lists(body, **values):
    """Constant lists of integers: the weights and values of a case."""
    return dict(body=body, values={k: i64(*v) for k, v in values.items()},
                weights=", ".join(f"int64[{len(v)}] {k}" for k, v in values.items()))


BODIES = {  # of an input x of the shape N x 4 x M
    "Concat": lists("y = Concat<axis = 1>(x, x)"),
    "Concat_last": lists("t = Neg(x)  y = Concat<axis = -1>(t, x, t)"),
    "Concat_first": lists("y = Concat<axis = 0>(x, x)"),
    "Flatten": lists("y = Flatten<axis = 2>(x)"),
    "Flatten_all": lists("y = Flatten<axis = 0>(x)"),
    "Expand": lists("u = Unsqueeze(x, a)  y = Expand(u, s)", a=[1], s=[1, 3, 1, 1]),
    "Pad": lists("y = Pad(x, p)", p=[0, 1, 2, 0, 0, 3]),
    "Pad_crop": lists("y = Pad(x, p)", p=[0, -1, 0, 0, -2, 1]),
    "Pad_axes": lists("y = Pad(x, p, , a)", p=[1, 2], a=[1]),
    "Pad_edge": lists("y = Pad<mode = \"edge\">(x, p)", p=[0, 3, 0, 0, 5, 0]),
    "Pad_reflect": lists("y = Pad<mode = \"reflect\">(x, p)", p=[0, 3, 0, 0, 2, 0]),
    # ONNX crops first; ONNX Runtime does not in all modes.
    **{f"Pad_{mode}_crop": lists(f"y = Pad<mode = \"{mode}\">(x, p)", p=[0, -1, 0, 0, 4, 0])
       | {"oracle": False} for mode in ("edge", "reflect", "wrap")},
    "Pad_wrap_crop_end": lists("y = Pad<mode = \"wrap\">(x, p)", p=[0, 5, 0, 0, -2, 0])
                         | {"oracle": False},
    "Pad_wrap": lists("y = Pad<mode = \"wrap\">(x, p)", p=[0, 3, 0, 0, 2, 0]),
    "Reshape": lists("y = Reshape(x, s)", s=[0, 2, -1]),
    "Reshape_rank": lists("y = Reshape(x, s)", s=[0, 2, 2, -1, 1]),
    "Slice": lists("y = Slice(x, b, e, a)", b=[1], e=[3], a=[1]),
    "Slice_last": lists("y = Slice(x, b, e, a)", b=[-3], e=[9999], a=[2]),
    "Slice_back": lists("y = Slice(x, b, e, a, s)", b=[-1], e=[-9999], a=[1], s=[-1]),
    "Slice_steps": lists("y = Slice(x, b, e, a, s)", b=[0, -1], e=[4, 0], a=[1, 2], s=[2, -3]),
    "Slice_empty": lists("y = Slice(x, b, e, a)", b=[3], e=[1], a=[1]),
    "Split": lists("p, q = Split<axis = 1>(x, s)", s=[1, 3]),
    "Split_equal": lists("p, q = Split<axis = 1, num_outputs = 2>(x)"),
    "Squeeze": lists("u = Unsqueeze(x, a)  v = Neg(u)  y = Squeeze(v, a)", a=[1, 3]),
    "Unsqueeze": lists("y = Unsqueeze(x, a)", a=[0, -1]),
    "Tile": lists("y = Tile(x, r)", r=[1, 3, 2]),
    "Transpose": lists("y = Transpose<perm = [2, 0, 1]>(x)"),
    "Transpose_inner": lists("y = Transpose<perm = [0, 2, 1]>(x)"),
    "Transpose_default": lists("y = Transpose(x)"),
    "Gather": lists("y = Gather<axis = 1>(x, i)", i=[3, 0, -1, 0]),
    "Shape": lists("y = Shape(x)  z = Size(x)  w = Shape<start = -1>(x)"),
}
NO_NEG = {"uint8", "uint16", "uint32", "uint64", "bool"}


def moves():
    for name, parts in BODIES.items():
        # What remains for -1 is not known where there is nothing.
        sizes = SIZES[:3] if "Reshape" in name else SIZES
        for dtype in TYPES:
            if "Neg(" in parts["body"] and dtype in NO_NEG:
                continue
            # All types where it is cheap to compile, a few elsewhere.
            if dtype not in ("float", "uint8", "int64"):
                if name not in ("Concat", "Transpose", "Slice_steps", "Pad", "Gather"):
                    continue
            yield Case(f"{name}_{dtype}", f"{dtype}[N,4,M] x", sizes=sizes, **parts)
        yield Case(f"{name}_static", "float[3,4,7] x", **parts)


def transposes():
    """Matrices of more than one block, of less than one, and in between."""
    sizes = [{"N": n, "M": m} for n, m in ((1, 70), (3, 5), (17, 9), (33, 130), (66, 31), (0, 4))]
    for dtype in TYPES:
        yield Case(f"Transposed_{dtype}", f"{dtype}[N,M] x", "y = Transpose(x)", sizes=sizes)
        yield Case(f"Transposed_static_{dtype}", f"{dtype}[67,131] x", "y = Transpose(x)")
        yield Case(f"Transposed_last_{dtype}", f"{dtype}[2,37,5,N] x",
                   "y = Transpose<perm = [0, 3, 1, 2]>(x)", sizes=[{"N": 16}, {"N": 35}])
    for name, perm in (("first", [0, 2, 3, 1]), ("last", [0, 3, 1, 2]), ("all", [3, 2, 1, 0]),
                       ("rows", [2, 0, 3, 1]), ("pairs", [2, 3, 0, 1])):
        for channels in (1, 3, 4, 18):
            for shape in (f"3,{channels},10,13", f"N,{channels},H,W", f"N,H,W,{channels}"):
                yield Case(f"Transposed_{name}_{shape.replace(',', '_')}", f"float[{shape}] x",
                           f"y = Transpose<perm = {perm}>(x)",
                           sizes=[{"N": 1, "H": 7, "W": 9}, {"N": 2, "H": 1, "W": 40}]
                           if "N" in shape else ({},))
    # Parts of buffers.
    yield Case("Transposed_part", "float[N,50] x", "t = Slice(x, a, b, a)  y = Transpose(t)",
               sizes=[{"N": 9}, {"N": 30}], weights="int64[1] a, int64[1] b",
               values={"a": i64(1), "b": i64(40)})
    yield Case("Transposed_into_part", "float[N,3,20] x, float[N,4,7] z",
               "t = Transpose<perm = [0, 2, 1]>(x)  u = Transpose<perm = [0, 2, 1]>(z)"
               "  v = Transpose<perm = [2, 1, 0]>(x)  y = Concat<axis = 1>(t, s)  s = Neg(t)"
               "  w = Concat<axis = 2>(u, u)", sizes=[{"N": 1}, {"N": 12}])


def run_time_lists():
    """Shapes, pads and indices that are inputs."""
    sizes = [{"N": 1, "M": 6}, {"N": 4, "M": 5}]
    for name, body, values in [
            ("Reshape", "y = Reshape(x, s)", {"s": i64(3, -1)}),
            ("Expand", "y = Expand(x, s)", {"s": i64(2, 1, 1, 1)}),
            ("Tile", "y = Tile(x, s)", {"s": i64(2, 1, 3)}),
            ("Pad", "y = Pad(x, s)", {"s": i64(0, 1, 2, 1, 0, 3)}),
            ("Slice", "y = Slice(x, s, e, a)", {"s": i64(1, -3), "e": i64(99, -1), "a": i64(1, 2)}),
            ("Gather", "y = Gather<axis = 1>(x, s)", {"s": i64(2, -1, 0)}),
            ("Gather2", "y = Gather<axis = 2>(x, s)", {"s": i64(2, -1, 0, 4).reshape(2, 2)}),
            ("Gather_scalar", "y = Gather<axis = 1>(x, s)", {"s": i64(2)[0]})]:
        inputs = ["float[N,3,M] x"]
        weights = ""
        for key, value in values.items():
            text = f"int64{list(np.shape(value))} {key}".replace("[]", "")
            if key == "a":
                weights = text
            else:
                inputs.append(text)
        yield Case(f"{name}_run_time", ", ".join(inputs), body, weights=weights, values=values,
                   sizes=sizes)
    yield Case("ConstantOfShape", "int64[3] s", "y = ConstantOfShape<value = float[1] {2.5}>(s)",
               values={"s": i64(2, 0, 3)})
    yield Case("ConstantOfShape_sizes", "float[N,M] x",
               "s = Shape(x)  t = ConstantOfShape<value = int64[1] {7}>(s)  y = Cast<to = 1>(t)",
               sizes=SIZES)
    # A tuple of no index means all of the tensor.
    yield Case("ScatterND_whole", "float[N,3] x, float[1,N,3] u", "y = ScatterND(x, i, u)",
               weights="int64[1,0] i", sizes=[{"N": 1}, {"N": 4}])
    # A shape computed as exporters do.
    yield Case("shape_arithmetic", "float[N,4,M] x",
               "s = Shape(x)  n = Gather(s, zero)  m = Gather(s, two)  p = Mul(n, m)  "
               "q = Unsqueeze(p, axes)  r = Concat<axis = 0>(q, four)  y = Reshape(x, r)",
               weights="int64 zero, int64 two, int64[1] axes, int64[1] four", sizes=SIZES,
               values={"zero": np.int64(0), "two": np.int64(2), "axes": i64(0), "four": i64(4)})
    yield Case("Gather_embedding", "int64[N,M] i", "y = Gather(w, i)", weights="float[10,24] w",
               ranges={"i": (-10, 9)}, sizes=SIZES)
    yield Case("Gather_embedding_i32", "int32[N,M] i", "y = Gather(w, i)",
               weights="float16[10,24] w", ranges={"i": (0, 9)}, sizes=SIZES)
    yield Case("outputs_are_input", "float[N,M] x",
               "y = Identity(x)  z = Identity(x)  f = Flatten(x)", sizes=SIZES)
    yield Case("output_is_constant", "float[N] x", "y = Identity(w)  z = Neg(x)",
               weights="float[3,2] w", sizes=[{"N": 2}])


def spaces():
    sizes = [{"N": 1, "H": 2, "W": 4}, {"N": 2, "H": 6, "W": 2}]
    for dtype in ("float", "float16", "uint8"):
        for mode in ("DCR", "CRD"):
            yield Case(f"DepthToSpace_{mode}_{dtype}", f"{dtype}[N,12,H,W] x",
                       f"y = DepthToSpace<blocksize = 2, mode = \"{mode}\">(x)", sizes=sizes)
        yield Case(f"SpaceToDepth_{dtype}", f"{dtype}[N,3,H,W] x",
                   "y = SpaceToDepth<blocksize = 2>(x)", sizes=sizes)


def resize():
    sizes = [{"N": 1, "H": 5, "W": 4}, {"N": 2, "H": 3, "W": 7}]
    for mode in ("nearest", "linear", "cubic"):
        for where in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric",
                      "half_pixel_symmetric"):
            for name, scales in (("up", [1, 1, 2, 2.5]), ("down", [1, 1, 0.6, 0.5])):
                yield Case(f"Resize_{mode}_{where}_{name}", "float[N,3,H,W] x",
                           f"y = Resize<mode = \"{mode}\", coordinate_transformation_mode = "
                           f"\"{where}\">(x, , s)", weights="float[4] s",
                           values={"s": np.float32(scales)}, sizes=sizes, tolerance=3,
                           # ONNX Runtime divides by the rounded size.
                           oracle=where != "align_corners")
    for rounding in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
        yield Case(f"Resize_{rounding}", "float[N,3,H,W] x",
                   f"y = Resize<nearest_mode = \"{rounding}\">(x, , , s)", weights="int64[4] s",
                   values={"s": i64(1, 3, 7, 9)}, sizes=[{"N": 1, "H": 5, "W": 4}])
    for dtype in ("float16", "double", "uint8", "int32"):
        yield Case(f"Resize_{dtype}", f"{dtype}[N,3,H,W] x", "y = Resize(x, , s)",
                   weights="float[4] s", values={"s": np.float32([1, 1, 2, 2])}, sizes=sizes)
    for mode in ("linear", "cubic"):
        for outside in (0, 1):
            yield Case(f"Resize_{mode}_smooth_{outside}", "float[N,3,H,W] x",
                       f"y = Resize<mode = \"{mode}\", antialias = 1, exclude_outside = {outside}>"
                       "(x, , , s)", weights="int64[4] s", values={"s": i64(1, 3, 3, 9)},
                       sizes=[{"N": 1, "H": 25, "W": 4}, {"N": 1, "H": 2, "W": 40}], tolerance=3)
    # ONNX Runtime truncates integers; ONNX's reference rounds and saturates.
    for dtype in ("float16", "double", "uint8", "int32"):
        for smooth in (0, 1):
            yield Case(f"Resize_{smooth}_{dtype}", f"{dtype}[1,3,H,W] x",
                       f"y = Resize<mode = \"linear\", antialias = {smooth}>(x, , , s)",
                       weights="int64[4] s", values={"s": i64(1, 3, 3, 9)}, tolerance=3,
                       sizes=[{"H": 9, "W": 31}], oracle="int" not in dtype)
    yield Case("Resize_static", "float[1,8,4,6] x", "y = Resize<mode = \"linear\">(x, , s)",
               weights="float[4] s", values={"s": np.float32([1, 1, 2, 2])}, tolerance=3)


def mel_weights():
    for bins, length, rate, low, high in ((40, 512, 16000, 20, 7600), (12, 15, 8000, 0, 4000),
                                          (60, 64, 16000, 0, 8000)):  # crowded
        values = {"b": np.int32(bins), "d": np.int32(length), "r": np.int32(rate),
                  "l": np.float32(low), "h": np.float32(high)}
        names = "int32 b, int32 d, int32 r, float l, float h"
        for known in (False, True):
            yield Case(f"MelWeightMatrix_{bins}_{known}", "float[N] x" if known else names,
                       "y = MelWeightMatrix(b, d, r, l, h)" + (" z = Abs(x)" if known else ""),
                       weights=names if known else "", values=values, opset=17,
                       sizes=[{"N": 1}])


def all_cases():
    for group in (moves, transposes, run_time_lists, spaces, resize, mel_weights):
        yield from group()
