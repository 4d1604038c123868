# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Elementary functions, compiled, beside functions of wider floats.

  functions.py float32|float64 DIR [COUNT]   COUNT arguments a function; prints the errors

The arguments are spread over all bit patterns, so that each exponent has its share, and
over the ranges where a function changes its method. Errors are in units in the last
place of the exact result.
"""

import ctypes
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnx.parser

WIDE = np.longdouble
LIMITS = {"float32": 4, "float64": 8}
FLOATS = {"float32": (np.float32, np.uint32, "float"), "float64": (np.float64, np.uint64, "double")}


def libm(name):
    """A function of long doubles that numpy lacks."""
    function = getattr(ctypes.CDLL("libm.so.6"), name)
    function.argtypes, function.restype = [ctypes.c_longdouble], ctypes.c_longdouble
    return np.vectorize(lambda x: WIDE(function(x)), otypes=[WIDE])


erf, erfc = libm("erfl"), libm("erfcl")
HALF = WIDE(1) / 2
ROOT_HALF, ROOT_TWO_OVER_PI = np.sqrt(HALF), np.sqrt(1 / np.arctan(WIDE(1)) / 2)


def sigmoid(x):
    power = np.exp(-np.abs(x))
    return np.where(x < 0, power, 1) / (1 + power)


def gelu(x):
    # ctypes passes doubles: what they cannot hold of the argument is made up for.
    argument = np.clip(-x * ROOT_HALF, -100, 200)
    passed = argument.astype(np.float64).astype(WIDE)
    slope = np.sqrt(1 / np.arctan(WIDE(1))) * np.exp(-passed * passed)
    return x * HALF * (erfc(passed) - slope * (argument - passed))


def gelu_tanh(x):
    return x * sigmoid(2 * ROOT_TWO_OVER_PI * (x + WIDE("0.044715") * x**3))


def mish(x):
    power = np.exp(np.minimum(x, 60))
    return x * (power * (power + 2) / (power * (power + 2) + 2))


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def elu(alpha, x):
    return np.where(x < 0, WIDE(np.float32(alpha)) * np.expm1(np.minimum(x, 0)), x)


# Operator: reference, and ranges that are searched more finely.
FUNCTIONS = {
    "Acos": (np.arccos, [(-1, 1), (-1, -0.999), (0.999, 1)]),
    "Acosh": (np.arccosh, [(1, 9), (1, 1.001)]),
    "Asin": (np.arcsin, [(-1, 1), (-1, -0.999), (0.999, 1)]),
    "Asinh": (np.arcsinh, [(-4, 4)]),
    "Atan": (np.arctan, [(-3, 3)]),
    "Atanh": (np.arctanh, [(-1, 1)]),
    "Cos": (np.cos, [(-9, 9), (-1e6, 1e6)]),
    "Cosh": (np.cosh, [(-4, 4), (88, 90), (709, 711)]),
    "Elu<alpha = 0.5>": (lambda x: elu(0.5, x), [(-9, 1)]),
    "Erf": (erf, [(-4, 4)]),
    "Exp": (np.exp, [(-4, 4), (-104, -87), (-746, -708)]),
    "Gelu": (gelu, [(-4, 4), (-11.4, 0)]),
    'Gelu<approximate = "tanh">': (gelu_tanh, [(-4, 4), (-9.5, 0)]),
    "Log": (np.log, [(0, 4), (0.9, 1.1)]),
    "Mish": (mish, [(-9, 9), (-69, 0)]),
    "Selu<alpha = 2.0, gamma = 0.5>": (lambda x: HALF * elu(2, x), [(-9, 1)]),
    "Sigmoid": (sigmoid, [(-9, 9), (-104, -87), (-746, -708)]),
    "Sin": (np.sin, [(-9, 9), (-1e6, 1e6)]),
    "Sinh": (np.sinh, [(-4, 4), (88, 90), (709, 711)]),
    "Softplus": (softplus, [(-9, 9), (-104, 0)]),
    "Softsign": (lambda x: x / (1 + np.abs(x)), [(-4, 4)]),
    "Sqrt": (np.sqrt, [(0, 4)]),
    "Swish": (lambda x: x * sigmoid(x), [(-9, 9), (-104, 0)]),
    "Tan": (np.tan, [(-9, 9), (-1e6, 1e6)]),
    "Tanh": (np.tanh, [(-1, 1), (-9, 9)]),
}
# In the left tail, results as small as this, relative to x, may lose digits.
TAILS = {"Gelu": 1e-30, 'Gelu<approximate = "tanh">': 1e-30, "Mish": 1e-30}
SPECIAL = [0.0, -0.0, 0.5, 1, -1, np.inf, -np.inf, np.nan, 7, -7]


def identifier(operator):
    return "".join(c for c in operator if c.isalnum())


def make_arguments(dtype, bits, ranges, count):
    step = 2**(8 * dtype().itemsize) // (3 * count // 4)
    words = (np.arange(3 * count // 4, dtype=np.uint64) * np.uint64(step | 1)).astype(bits)
    spread = [np.linspace(*ends, count // 4 // len(ranges)) for ends in ranges]
    special = np.array(SPECIAL, dtype)
    special = np.concatenate([special, np.nextafter(special, dtype(2)), words.view(dtype)])
    return np.concatenate([special, *(x.astype(dtype) for x in spread)])


def make_powers(dtype, count):
    """Bases and exponents whose powers are numbers, and special pairs."""
    random = np.random.default_rng(1)
    base = np.exp2(random.uniform(-1, 1, count) * random.choice([0.01, 1, 100], count))
    limit = np.log2(float(np.finfo(dtype).max)) * 1.1
    exponent = np.clip(random.uniform(-limit, limit, count) / np.log2(base), -1e30, 1e30)
    ints = np.meshgrid(np.arange(-12.0, 100), np.arange(-5.0, 8))
    edges = np.array(SPECIAL + [2, 3, -3, 1.5, -0.5, 5e-324, 1e-40, -1e-40, 1e30, -1e30, 1e20 + 1])
    edges = np.meshgrid(edges, edges)
    return [np.concatenate([a, b.ravel(), c.ravel()]).astype(dtype)
            for a, b, c in zip((base, exponent), ints, edges)]


def make_remainders(dtype, count):
    """Pairs whose quotients have up to as many bits as there are."""
    random = np.random.default_rng(2)
    info = np.finfo(dtype)
    powers = np.exp2(random.uniform(info.minexp - 20, info.maxexp - 1, (2, count)))
    edges = np.array(SPECIAL + [info.max, info.tiny, info.tiny / 8, 3])
    edges = np.meshgrid(edges, edges)
    return [np.concatenate([a * sign, b.ravel()]).astype(dtype)
            for a, b, sign in zip(powers, edges, random.choice([1, -1], (2, count)))]


def compile_and_run(folder, kind, inputs):
    lines = [f"{identifier(op)}_y = {op}({identifier(op)}_x)" for op in FUNCTIONS]
    lines += ["Pow_y = Pow(Pow_x, Pow_e)", "Mod_y = Mod<fmod = 1>(Mod_x, Mod_e)"]
    sizes = {name: f"{kind}[{name.rpartition('_')[0]}_N] {name}" for name in inputs}
    results = [f"{identifier(op)}_y" for op in [*FUNCTIONS, "Pow", "Mod"]]
    graph = onnx.parser.parse_graph(
        f"g ({', '.join(sizes.values())}) => "
        f"({', '.join(f'{kind}[{y[:-2]}_N] {y}' for y in results)}) {{ {'  '.join(lines)} }}")
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 24)],
                                   ir_version=10)
    onnx.save(model, folder / "model.onnx")
    subprocess.run(["nn-translate", folder / "model.onnx", "-o", folder / "model.so"], check=True)
    np.savez(folder / "in.npz", **inputs)
    subprocess.run(["nn-run", folder / "model.so", "--inputs", folder / "in.npz", "--outputs",
                    folder / "out.npz"], check=True)
    return np.load(folder / "out.npz")


def check(name, dtype, arguments, got, want, limit, tail=0):
    """Prints the worst error and the first wrong values; whether all are right."""
    rounded = want.astype(dtype)
    is_number = np.isfinite(rounded)
    errors = np.abs(got.astype(WIDE) - want) / np.spacing(np.abs(rounded)).astype(WIDE)
    is_right = np.where(is_number, errors <= limit,
                        (got == rounded) | (np.isnan(got) & np.isnan(rounded)))
    # Zeros keep their sign.
    is_right &= (want != 0) | (np.signbit(got) == np.signbit(want))
    if tail:
        is_right |= np.abs(want) < tail * np.abs(arguments[0]).astype(WIDE)
    worst = np.nanargmax(np.where(is_number & is_right, errors, 0))
    print(f"{name}: {float(errors[worst]):.3f} ulp at {[float(x[worst]) for x in arguments]}")
    for i in np.flatnonzero(~is_right)[:5]:
        print(f"  FAIL {name}{[float(x[i]) for x in arguments]} is {got[i]!r}, not {want[i]!r}")
    return is_right.all()


def main():
    dtype, bits, kind = FLOATS[sys.argv[1]]
    folder, limit = pathlib.Path(sys.argv[2]), LIMITS[sys.argv[1]]
    folder.mkdir(parents=True, exist_ok=True)
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 40000
    inputs = {f"{identifier(op)}_x": make_arguments(dtype, bits, ranges, count)
              for op, (_, ranges) in FUNCTIONS.items()}
    inputs["Pow_x"], inputs["Pow_e"] = make_powers(dtype, count)
    inputs["Mod_x"], inputs["Mod_e"] = make_remainders(dtype, count)
    good = True
    with np.errstate(all="ignore"):
        outputs = compile_and_run(folder, kind, inputs)
        for operator, (function, _) in FUNCTIONS.items():
            x = inputs[f"{identifier(operator)}_x"]
            good &= check(operator, dtype, [x], outputs[f"{identifier(operator)}_y"],
                          function(x.astype(WIDE)), limit,
                          TAILS.get(operator, 0))
        x, y = inputs["Pow_x"], inputs["Pow_e"]
        # Rounding the exact power is all that happens in f32.
        good &= check("Pow", dtype, [x, y], outputs["Pow_y"],
                      np.power(x.astype(WIDE), y.astype(WIDE)),
                      0.53 if dtype is np.float32 else limit)
        x, y = inputs["Mod_x"], inputs["Mod_e"]
        good &= check("Mod", dtype, [x, y], outputs["Mod_y"],
                      np.fmod(x.astype(float), y.astype(float)).astype(WIDE), 0)
    sys.exit(not good)


main()
