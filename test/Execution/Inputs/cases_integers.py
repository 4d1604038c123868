# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Integers in tensors of a few elements, which might be sizes: what does not fit wraps."""

import numpy as np
from execution import Case
from onnx import TensorProto

TYPES = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
# ONNX Runtime computes in these.
ARITHMETIC = ["int32", "int64", "uint8", "uint32", "uint64"]


def number(dtype):
    return getattr(TensorProto, dtype.upper())


def extremes(dtype, shape=(4,)):
    """The last numbers of the type, and numbers that others do not hold."""
    if dtype == "bool":
        numbers = [True, False, True, True]
    else:
        info = np.iinfo(dtype)
        numbers = [info.max, info.min, info.max // 3 * 2, info.min // 2 + 1]
    return np.array(numbers, dtype)[:int(np.prod(shape))].reshape(shape)


def case(name, dtype, body, shape=(4,), known=False, **more):
    """On an input, or on a constant."""
    text = f"{dtype}[{','.join(map(str, shape))}] x".replace("[]", "")
    return Case(name, "" if known else text, body, weights=text if known else "",
                values={"x": extremes(dtype, shape)}, **more)


def casts():
    """Two casts and a third to int64, of lists and of scalars."""
    for a in TYPES:
        for b in TYPES:
            if a == b:
                continue
            for shape in ((4,), ()):
                rank = len(shape)
                body = (f"t = Cast<to = {number(b)}>(x)  y = Cast<to = {TensorProto.INT64}>(t)"
                        f"  u = Cast<to = {TensorProto.INT32}>(x)  z = Cast<to = {number(b)}>(u)")
                yield case(f"Cast_{a}_{b}_{rank}", a, body, shape)
            yield case(f"Cast_{a}_{b}_known", a, body, known=True)


def arithmetic():
    """A result that leaves the type, seen by a cast to a wider one."""
    wide = f"y = Cast<to = {TensorProto.INT64}>(t)"
    for dtype in ARITHMETIC:
        for op in ("Add", "Sub", "Mul", "Max", "Min"):
            for other in ("x", "one", "r"):
                constants = {"one": np.array(1, dtype), "r": extremes(dtype)[::-1].copy()}
                weights = {"x": "", "one": f"{dtype} one", "r": f"{dtype}[4] r"}[other]
                for known in (False, True):
                    data = f"{dtype}[4] x"
                    yield Case(f"{op}_{other}_{dtype}{'_known' * known}",
                               "" if known else data, f"t = {op}(x, {other})  {wide}",
                               weights=", ".join(filter(None, (weights, data * known))),
                               values={"x": extremes(dtype), **constants})
        if not dtype.startswith("u"):
            yield case(f"Neg_{dtype}", dtype, f"t = Neg(x)  {wide}")
            yield case(f"Neg_{dtype}_known", dtype, f"t = Neg(x)  {wide}", known=True)
        # A quotient of what has wrapped.
        yield Case(f"Div_{dtype}", f"{dtype}[4] x",
                   f"s = Add(x, x)  t = Div(s, two)  {wide}", weights=f"{dtype} two",
                   values={"x": extremes(dtype), "two": np.array(2, dtype)})
        # Vectors are divided as floats: quotients next to integers, of all sizes.
        yield Case(f"Quotient_{dtype}", f"{dtype}[N] a, {dtype}[N] b",
                   "q = Div(a, b)  r = Mod(a, b)", sizes=[{"N": 4096}],
                   values=dict(zip("ab", quotients(dtype))))
        yield Case(f"Prod_{dtype}", f"{dtype}[4] x",
                   f"t = ReduceProd<keepdims = 1>(x)  {wide}",
                   values={"x": np.array([100, 200, 50, 3000 % 251], dtype)})


def quotients(dtype):
    """Multiples of divisors, and their neighbours."""
    random, info = np.random.default_rng(7), np.iinfo(dtype)
    largest = info.max // 4  # so that nothing overflows
    divisors = 1 + (largest * 2.0 ** -random.uniform(0, info.bits, 4096)).astype(dtype)
    multiples = random.integers(0, largest, 4096, dtype) // divisors * divisors
    multiples += random.integers(0, 3, 4096, dtype)
    if info.min < 0:
        multiples, divisors = (x * random.choice([-1, 1], 4096).astype(dtype)
                               for x in (multiples, divisors))
    return multiples, divisors


def sizes():
    """Sizes computed in 32 bits, which may wrap, and counts of booleans."""
    to32, to64 = (f"Cast<to = {number(x)}>" for x in ("int32", "int64"))
    square = f"s = Shape(x)  t = {to32}(s)  u = Mul(t, t)  v = Mul(u, u)  y = {to64}(v)"
    yield Case("Square", "bool[N] x", square, sizes=[{"N": 3}, {"N": 300}])
    twice = (f"s = Shape(x)  t = {to32}(s)  two = Constant<value = int32 {{2}}>()"
             f"  u = Mul(t, two)  v = {to64}(u)  e = Expand(x, v)  y = Shape(e)")
    yield Case("Expand_by_sizes", "float[1] x", twice)
    count = (f"b = Cast<to = {TensorProto.BOOL}>(x)  i = {to64}(b)"
             f"  axes = Constant<value_ints = [0]>()  n = ReduceSum(i, axes)"
             f"  c = Constant<value = float {{7.0}}>()  y = Expand(c, n)")
    yield Case("Expand_by_count", "int8[3] x", count, values={"x": np.array([3, 0, -1], "i1")})
    compare = f"b = Equal(x, x)  y = {to64}(b)  n = Not(b)  z = {to64}(n)"
    yield Case("Equal_itself", "int64[3] x", compare)
    rank = (f"r = Reshape(x, two_by_two)  s = Reshape(x, by_two)  t = Add(r, s)"
            f"  y = {to64}(t)")
    yield Case("Rank_2", "int64[2] x", rank, weights="int64[2] two_by_two, int64[2] by_two",
               values={"two_by_two": np.array([2, 1]), "by_two": np.array([1, 2])})


def all_cases():
    return [*casts(), *arithmetic(), *sizes()]
