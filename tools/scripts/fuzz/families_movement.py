# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Operators that move data: layouts, shapes computed in the graph, indexing, padding and
resizing; and reductions."""

import numpy as np

from builder import BOOL, FLOATS, INTEGERS, Unfit
from families_layers import image, reduce

ANY = (np.int64, np.int32, np.uint8, np.int8, BOOL)


def anything(g, **more):
    """Mostly floats."""
    return g.value((g.float_type,) * 6 + ANY, **more)


def factorize(g, size, low=1, high=5):
    """A shape of so many elements."""
    shape = []
    while size > 1 and len(shape) < high - 1:
        divisors = [d for d in range(1, size + 1) if size % d == 0]
        shape.append(g.random.choice(divisors))
        size //= shape[-1]
    shape.append(size)
    while len(shape) < low:
        shape.insert(g.random.randint(0, len(shape)), 1)
    g.random.shuffle(shape)
    return shape


# Layouts.

def transpose(g):
    x = anything(g, low=1)
    perm = list(range(x.rank))
    g.random.shuffle(perm)
    g.op("Transpose", x, perm=perm if g.chance(0.9) else None)


def channels_last(g):
    """To channels last and back, with something between."""
    x = image(g)
    last = list(range(x.rank))
    last.append(last.pop(1))
    y = g.op("Transpose", x, perm=last)
    which = g.random.random()
    if which < 0.4:
        y = g.op("Add", y, g.weights(y.shape[-1:]))
    elif which < 0.7:
        y = g.op("Sigmoid", y)
    g.op("Transpose", y, perm=[0, x.rank - 1, *range(1, x.rank - 1)])


def reshape(g):
    x = anything(g)
    shape = factorize(g, x.size)
    asked = list(shape)
    if asked and g.chance(0.4):
        asked[g.random.randrange(len(asked))] = -1
    for i in range(min(len(asked), x.rank)):
        if asked[i] == x.shape[i] and g.chance(0.4):
            asked[i] = 0
    g.op("Reshape", x, g.shape_constant(asked))


def flatten(g):
    x = anything(g)
    g.op("Flatten", x, axis=g.random.randint(-x.rank, x.rank))


def squeeze(g):
    x = anything(g, low=1, condition=lambda v: 1 in v.shape)
    ones = [i for i, n in enumerate(x.shape) if n == 1]
    axes = g.random.sample(ones, g.random.randint(1, len(ones)))
    if g.chance(0.1):  # All ones: the compiler must know where they are.
        g.root.static = True
        g.op("Squeeze", x)
        return
    g.op("Squeeze", x, g.shape_constant([a - x.rank * g.choose(0, 1) for a in axes]))


def unsqueeze(g):
    x = anything(g, high=3)
    count = g.random.randint(1, 2)
    rank = x.rank + count
    axes = g.random.sample(range(rank), count)
    g.op("Unsqueeze", x, g.shape_constant([a - rank * g.choose(0, 1) for a in axes]))


def concat(g):
    x = anything(g, low=1)
    axis = g.axis(x)
    others = [v for v in g.candidates([x.dtype], low=x.rank, high=x.rank)
              if all(a == b or i == axis % x.rank
                     for i, (a, b) in enumerate(zip(v.shape, x.shape)))]
    parts = [x]
    for _ in range(g.random.randint(0, 3)):
        if g.chance(0.7):
            parts.append(g.random.choice(others))
        else:
            shape = list(x.shape)
            shape[axis] = g.choose(1, 2, 3, 5)
            parts.append(g.fresh(x.dtype, tuple(shape)))
    g.random.shuffle(parts)
    g.op("Concat", *parts, axis=axis)


def split(g):
    x = anything(g, low=1, condition=lambda v: v.rank and max(v.shape) > 1)
    axis = g.random.choice([i for i, n in enumerate(x.shape) if n > 1])
    size = x.shape[axis]
    if g.chance(0.4):
        even = [n for n in (2, 3, 4) if size % n == 0]
        if not even:
            raise Unfit
        n = g.random.choice(even)
        g.op("Split", x, outputs=n, axis=axis, num_outputs=n if g.opset >= 18 else None)
    else:
        cut = g.random.randint(1, size - 1)
        g.op("Split", x, g.shape_constant([cut, size - cut]), outputs=2, axis=axis - x.rank)


def slice_(g):
    x = anything(g, low=1)
    axes = g.random.sample(range(x.rank), g.random.randint(1, min(3, x.rank)))
    starts, ends, steps = [], [], []
    for a in axes:
        n = x.shape[a]
        step = g.choose(1, 1, 1, 2, 3, -1, -1, -2)
        first, last = sorted((g.random.randint(0, n - 1), g.random.randint(0, n - 1)))
        if step > 0:
            start, end = first, g.choose(last + 1, last + 1, n + 5, 2**31 - 1)
        else:
            start, end = last, g.choose(first - 1 if first else -n - 1, -n - 1, -(2**31))
        starts.append(start - n if g.chance(0.2) else start)
        ends.append(end)
        steps.append(step)
    plain = all(s == 1 for s in steps) and g.chance(0.5)
    g.op("Slice", x, g.shape_constant(starts), g.shape_constant(ends), g.shape_constant(axes),
         None if plain else g.shape_constant(steps))


def expand(g):
    x = anything(g)
    shape = [g.choose(2, 3, 5) if n == 1 and g.chance(0.6) else g.choose(1, n) for n in x.shape]
    if g.chance(0.3) and len(shape) < 4:
        shape.insert(0, g.choose(1, 2, 3))
    g.op("Expand", x, g.shape_constant(shape))


def tile(g):
    x = anything(g, low=1, high=4)
    g.op("Tile", x, g.shape_constant([g.choose(1, 1, 2, 3) for _ in x.shape]))


def depth_space(g):
    x = image(g, 2)
    n, c, h, w = x.shape
    if c % 4 == 0 and g.chance(0.6):
        g.op("DepthToSpace", x, blocksize=2, mode=g.choose("DCR", "CRD"))
    else:
        block = g.random.choice([b for b in (1, 2, 3) if h % b == 0 and w % b == 0])
        g.op("SpaceToDepth", x, blocksize=block)


def pad(g):
    x = g.value((g.float_type,) * 4 + (np.int32, np.int64), low=1)
    mode = g.choose("constant", "constant", "reflect", "edge",
                    *(["wrap"] if g.opset >= 19 else []))
    pads = []
    for side in range(2):
        for n in x.shape:
            most = {"constant": 3, "edge": 3, "reflect": n - 1, "wrap": n}[mode]
            amount = g.random.randint(0, max(0, min(3, most))) if g.chance(0.6) else 0
            if mode == "constant" and g.chance(0.15) and n > 2:
                amount = -1
            pads.append(amount)
    value = g.constant(np.array(g.choose(1, -2, 0), x.dtype)) \
        if mode == "constant" and g.chance(0.5) else None
    g.op("Pad", x, g.shape_constant(pads), value, mode=mode)


def resize(g):
    x = image(g, g.choose(1, 2, 2, 2, 3))
    if g.chance(0.1):
        x = g.value(rank=g.choose(2, 3))
    mode = g.choose("nearest", "linear", "linear", "cubic" if x.rank == 4 else "linear")
    transform = g.choose("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel")
    attributes = {"mode": mode, "coordinate_transformation_mode": transform}
    if mode == "nearest":
        attributes["nearest_mode"] = g.choose("floor", "ceil", "round_prefer_floor",
                                              "round_prefer_ceil")
    if mode == "cubic":
        attributes["cubic_coeff_a"] = g.choose(-0.75, -0.5)
        attributes["exclude_outside"] = g.choose(0, 1)
    keep = x.rank - 2 if x.rank > 2 else x.rank
    outer = list(x.shape[:x.rank - keep])
    # With align_corners and sizes that are rounded, ONNX Runtime differs from ONNX's data
    # (docs/decisions/align-corners.md).
    if g.chance(0.5) and transform != "align_corners":
        scales = [1.0] * len(outer) + [g.choose(0.5, 1.0, 1.5, 2.0, 2.0, 3.0, 0.7)
                                       for _ in range(keep)]
        if any(int(s * n) < 1 for s, n in zip(scales, x.shape)):
            raise Unfit
        g.op("Resize", x, None, g.constant(np.array(scales, np.float32)), **attributes)
    else:
        sizes = outer + [g.random.randint(1, 2 * n) for n in x.shape[len(outer):]]
        g.op("Resize", x, None, None, g.shape_constant(sizes), **attributes)


def grid_sample(g):
    x = image(g, 2)
    grid = g.fresh(x.dtype, (x.shape[0], g.choose(1, 3, 5), g.choose(2, 4), 2), -1.2, 1.2)
    linear = "bilinear" if g.opset < 20 else "linear"
    g.op("GridSample", x, grid, mode=g.choose(linear, "nearest"),
         padding_mode=g.choose("zeros", "border", "reflection"),
         align_corners=g.choose(0, 1))


def trilu(g):
    x = anything(g, low=2)
    g.op("Trilu", x, g.constant(np.array(g.random.randint(-2, 2), np.int64))
         if g.chance(0.6) else None, upper=g.choose(0, 1))


# Indexing.

def gather(g):
    x = anything(g, low=1)
    axis = g.axis(x)
    shape = g.choose((), (1,), (3,), (2, 3), (7,))
    g.op("Gather", x, g.indices(shape, x.shape[axis]), axis=axis)


def gather_elements(g):
    x = anything(g, low=1, high=4)
    axis = g.axis(x)
    shape = [g.random.randint(1, n) for n in x.shape]
    shape[axis] = g.choose(1, 3, 5)
    g.op("GatherElements", x, g.indices(tuple(shape), x.shape[axis]), axis=axis)


def points(g, x, batch=0):
    """Index tuples into the first dimensions of a value."""
    depth = g.random.randint(1, x.rank - batch)
    outer = g.choose((), (2,), (3,), (2, 2))
    columns = [g.np.integers(0, x.shape[batch + i], (*x.shape[:batch], *outer))
               for i in range(depth)]
    return np.stack(columns, -1).astype(np.int64), depth


def gather_nd(g):
    x = anything(g, low=1, high=4)
    batch = g.choose(0, 0, 1) if x.rank > 1 else 0
    array, _ = points(g, x, batch)
    indices = g.constant(array) if g.parent or g.chance(0.5) else g.input(array)
    # ONNX Runtime doesn't check that batches agree; and the rank of the result follows
    # from the length of the tuples, which the compiler must know.
    if batch or indices in g.inputs:
        g.root.static = True
    g.op("GatherND", x, indices, batch_dims=batch)


def reduction_of(g):
    return g.choose(None, None, "add", "mul", *(["max", "min"] if g.opset >= 18 else [])) \
        if g.opset >= 16 else None


def scatter_elements(g):
    x = g.value((g.float_type,) * 3 + (np.int64, np.int32), low=1, high=3)
    axis = g.axis(x)
    shape = [g.random.randint(1, n) for n in x.shape]
    kind = reduction_of(g)
    if kind:
        indices = g.indices(tuple(shape), x.shape[axis], np.int64)
    else:  # Which of several duplicates wins is undefined.
        order = g.np.random(tuple(x.shape)).argsort(axis % x.rank)
        array = order[tuple(slice(n) for n in shape)].astype(np.int64)
        indices = g.constant(array) if g.parent or g.chance(0.5) else g.input(array)
    g.op("ScatterElements", x, indices, g.fresh(x.dtype, tuple(shape)), axis=axis, reduction=kind)


def scatter_nd(g):
    x = g.value((g.float_type,) * 3 + (np.int64, np.int32), low=1, high=3)
    kind = reduction_of(g)
    array, depth = points(g, x)
    if not kind:
        flat = array.reshape(-1, depth)
        if len(np.unique(flat, axis=0)) < len(flat):
            raise Unfit
    indices = g.constant(array) if g.parent or g.chance(0.5) else g.input(array)
    g.op("ScatterND", x, indices, g.fresh(x.dtype, array.shape[:-1] + x.shape[depth:]),
         reduction=kind)


def without_nan(g, x):
    """ONNX does not say how NaN compares where values are put in order."""
    if x.dtype not in FLOATS:
        return x
    return g.op("Where", g.op("Equal", x, x), x, g.constant(np.array(0, x.dtype)))


def top_k(g):
    x = g.value((g.float_type,) * 3 + (np.int64, np.int32), low=1)
    if x.dtype not in (np.float32, np.float64, np.int64, np.int32):
        raise Unfit
    axis = g.axis(x)
    g.op("TopK", without_nan(g, x), g.shape_constant([g.random.randint(1, x.shape[axis])]), outputs=2, axis=axis,
         largest=g.choose(0, 1))


def arg(g):
    x = g.value((g.float_type,) * 3 + (np.int32,), low=1)
    y = without_nan(g, x)
    if g.chance(0.15) and y.dtype in FLOATS:
        g.op("Hardmax", y, axis=g.axis(y))
    else:
        g.op(g.choose("ArgMax", "ArgMin"), y, axis=g.axis(y), keepdims=g.choose(0, 1),
             select_last_index=g.choose(0, 0, 1))


def one_hot(g):
    depth = g.choose(1, 3, 6)
    indices = g.indices(g.shape(high=2), depth, np.int64)
    g.op("OneHot", indices, g.constant(np.array(depth, np.int64)),
         g.constant(np.array([-1, 2], g.choose(np.float32, np.int64))), axis=g.choose(-1, 0))


def non_zero(g):
    """Operators whose result sizes depend on data."""
    x = g.value((np.float32, np.int64, BOOL), low=1)
    found = g.op("NonZero", g.op("Greater", x, g.constant(np.array(0, x.dtype)))
                 if x.dtype != BOOL and g.chance(0.5) else x)
    g.shaped(found, (x.rank, 1))
    found.shape = None
    if g.chance(0.5):
        y = g.op("Transpose", found)
        y.shape = None
        z = g.op("GatherND", x, y)
        z.shape = None


def compress(g):
    x = anything(g, low=1)
    axis = g.axis(x)
    mask = g.fresh(np.bool_, (x.shape[axis],))
    g.op("Compress", x, mask, axis=axis).shape = None


# Shapes that the graph computes.

def size_of(g, x, axis):
    """A vector of one element."""
    if g.chance(0.3) and g.opset >= 15:
        return g.op("Shape", x, start=axis, end=axis + 1)
    return g.op("Gather", g.op("Shape", x), g.constant(np.array([axis], np.int64)), axis=0)


def reshape_by_shape(g):
    """view(x.size(0), -1) and the like."""
    x = g.value(low=2)
    keep = g.random.randint(1, x.rank - 1)
    parts = [size_of(g, x, a) for a in range(keep)]
    shape = g.op("Concat", *parts, g.shape_constant([-1]), axis=0)
    g.shaped(g.op("Reshape", x, shape),
             (*x.shape[:keep], int(np.prod(x.shape[keep:], dtype=np.int64))))


def merge_by_shape(g):
    """The product of two sizes, computed."""
    x = g.value(low=2)
    both = g.op("Mul", size_of(g, x, 0), size_of(g, x, 1))
    rest = [size_of(g, x, a) for a in range(2, x.rank)]
    shape = g.op("Concat", both, *rest, axis=0)
    y = g.shaped(g.op("Reshape", x, shape), (x.shape[0] * x.shape[1], *x.shape[2:]))
    if g.chance(0.5):
        activated = g.op("Relu", y)
        g.shaped(activated, y.shape)
        g.shaped(g.op("Reshape", activated, g.op("Shape", x)), x.shape)


def expand_by_shape(g):
    x = g.value(low=1)
    y = g.broadcastable(x)
    result = g.op("Expand", y, g.op("Shape", x))
    if result.shape is None:
        g.shaped(result, np.broadcast_shapes(x.shape, y.shape))


def fill_by_shape(g):
    x = g.value(low=1)
    filled = g.op("ConstantOfShape", g.op("Shape", x),
                  value=np.array([g.choose(0, 1, 3)], g.choose(np.float32, np.int64)))
    if filled.shape is None:
        g.shaped(filled, x.shape)


def slice_by_shape(g):
    """The first half, or without the last."""
    x = g.value(low=1, condition=lambda v: v.rank and v.shape[0] > 1)
    size = size_of(g, x, 0)
    end = g.op("Div", size, g.shape_constant([2])) if g.chance(0.5) else \
        g.op("Sub", size, g.shape_constant([1]))
    y = g.op("Slice", x, g.shape_constant([0]), end, g.shape_constant([0]))
    y.shape = None
    if g.chance(0.6):
        z = g.op("Relu", y)
        z.shape = None


def range_by_shape(g):
    """Positions, as embeddings of transformers have them."""
    x = g.value(low=1)
    size = g.op("Squeeze", size_of(g, x, x.rank - 1))
    g.shaped(size, ())
    steps = g.op("Range", g.constant(np.array(0, np.int64)), size,
                 g.constant(np.array(1, np.int64)))
    g.shaped(steps, x.shape[-1:])
    as_float = g.op("Cast", steps, to=1)
    g.shaped(as_float, x.shape[-1:])
    if x.dtype == np.float32 and g.chance(0.7):
        g.op("Add", x, as_float)


def resize_by_shape(g):
    """To the size of another picture, or twice its own."""
    x = image(g, 2)
    spatial = g.op("Slice", g.op("Shape", x), g.shape_constant([2]), g.shape_constant([4]))
    g.shaped(spatial, (2,))
    double = g.shaped(g.op("Mul", spatial, g.shape_constant([2])), (2,))
    outer = g.shaped(g.op("Slice", g.op("Shape", x), g.shape_constant([0]),
                          g.shape_constant([2])), (2,))
    sizes = g.shaped(g.op("Concat", outer, double, axis=0), (4,))
    y = g.op("Resize", x, None, None, sizes, mode=g.choose("nearest", "linear"))
    g.shaped(y, (*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3]))


# Reductions.

REDUCTIONS = ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1",
              "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp", "ReduceLogSum")


def reduction(g):
    kind = g.choose(*REDUCTIONS)
    whole = kind in ("ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd")
    x = g.value((g.float_type,) * 4 + ((np.int32, np.int64) if whole else ()))
    if kind == "ReduceLogSum":
        x = g.op("Add", g.op("Abs", x), g.constant(np.array(0.5, x.dtype)))
    axes = g.axes(x)
    keepdims = g.choose(0, 1)
    if g.chance(0.15) or not axes:
        g.op(kind, x, keepdims=keepdims)
    elif g.chance(0.05) and g.opset >= 18:
        g.op(kind, x, keepdims=keepdims, noop_with_empty_axes=1)
    else:
        reduce(g, kind, x, axes, keepdims)


LAYOUT = {transpose: 4, channels_last: 1.5, reshape: 3, flatten: 1, squeeze: 1, unsqueeze: 1.5,
          concat: 3, split: 1.5, slice_: 3, expand: 1.5, tile: 1, depth_space: 1, trilu: 0.5}
INDEXING = {gather: 3, gather_elements: 2, gather_nd: 2, scatter_elements: 2, scatter_nd: 2,
            top_k: 1, arg: 2, one_hot: 1, non_zero: 0.7, compress: 0.7, slice_: 1, trilu: 0.5}
RESIZE = {pad: 3, resize: 4, grid_sample: 0.7}
SHAPES = {reshape_by_shape: 2, merge_by_shape: 2, expand_by_shape: 2, fill_by_shape: 1,
          slice_by_shape: 1.5, range_by_shape: 1, resize_by_shape: 1}
REDUCTION = {reduction: 1}
