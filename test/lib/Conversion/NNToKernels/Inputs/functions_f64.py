# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Functions of f64, compiled, beside functions of wider floats.

  functions_f64.py DIR [COUNT]      COUNT numbers for each range; prints the errors

Errors are in units in the last place of the exact result.
"""

import math
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnx.parser

WIDE = np.longdouble

# Limits were measured on some million numbers, and rounded up.
RANGES = {  # operator: reference, limit, ranges
    "Acos": (np.arccos, 1.2, [(-1, 1), (-1, -0.999), (0.999, 1), (-1e-9, 1e-9)]),
    "Asin": (np.arcsin, 2.1, [(-1, 1), (-1, -0.999), (0.999, 1), (-1e-9, 1e-9)]),
    "Atan": (np.arctan, 2.0, [(-0.5, 0.5), (-3, 3), (2, 1000), (-1e300, 1e300), (-1e-9, 1e-9)]),
    "Acosh": (np.arccosh, 6, [(1, 9), (1, 1.001), (1, 1e300)]),
    "Asinh": (np.arcsinh, 5, [(-4, 4), (-1e300, 1e300), (-1e-3, 1e-3), (-1e-9, 1e-9)]),
    "Atanh": (np.arctanh, 5, [(-1, 1), (-1e-3, 1e-3), (-1e-9, 1e-9)]),
    "Cosh": (np.cosh, 1.5, [(-4, 4), (-700, 700)]),
    "Exp": (np.exp, 1, [(-4, 4), (-700, 700)]),
    "Log": (np.log, 2.1, [(0, 4), (0.9, 1.1), (0, 1e300)]),
    "Sinh": (np.sinh, 5, [(-4, 4), (-700, 700), (-1e-3, 1e-3), (-1e-9, 1e-9)]),
    "Tanh": (np.tanh, 6, [(-4, 4), (-25, 25), (-1e-3, 1e-3), (-1e-9, 1e-9)]),
    # The reference is of f64 and has errors itself.
    "Erf": (np.vectorize(math.erf, otypes=[WIDE]), 2.1, [(-1, 1), (-3, 3), (0.9, 7), (-1e-9, 1e-9)]),
}
infinity, tiny = math.inf, 5e-324
above = math.nextafter(1, 2)
SPECIAL = np.array([0.0, -0.0, 1, -1, infinity, -infinity, math.nan, tiny, -tiny, 1e-310, above,
                    -above, 7, -7, 1e308])


def compile_model(path):
    body = "  ".join(f"{operator}_y = {operator}({operator})" for operator in RANGES)
    graph = onnx.parser.parse_graph(
        f"g ({', '.join(f'double[{x}_N] {x}' for x in RANGES)}) => "
        f"({', '.join(f'double[{x}_N] {x}_y' for x in RANGES)}) {{ {body} }}")
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)],
                                     ir_version=9), path.with_suffix(".onnx"))
    subprocess.run(["nn-translate", path.with_suffix(".onnx"), "-o", path.with_suffix(".so")],
                   check=True)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20001
    path = folder / "model"
    compile_model(path)
    inputs = {operator: np.concatenate([SPECIAL, *(np.linspace(*ends, count) for ends in ranges)])
              for operator, (_, _, ranges) in RANGES.items()}
    np.savez(folder / "in.npz", **inputs)
    subprocess.run(["nn-run", path.with_suffix(".so"), "--inputs", folder / "in.npz", "--outputs",
                    folder / "out.npz"], check=True)
    bad = 0
    with np.load(folder / "out.npz") as outputs, np.errstate(all="ignore"):
        for operator, (function, limit, _) in RANGES.items():
            x, got = inputs[operator], outputs[operator + "_y"]
            want = function(x.astype(WIDE))
            isNumber = np.isfinite(want)
            errors = np.abs(got.astype(WIDE) - want) / np.spacing(np.abs(want.astype(float)))
            isRight = np.where(isNumber, errors <= limit,
                               (got == want) | (np.isnan(got) & np.isnan(want)))
            # Zeros keep their sign, as wherever the function is odd.
            isRight &= (want != 0) | (np.signbit(got) == np.signbit(want))
            worst = np.nanargmax(np.where(isNumber, errors, 0))
            print(f"{operator}: {float(errors[worst]):.3f} ulp at {x[worst]!r}")
            for i in np.flatnonzero(~isRight)[:5]:
                print(f"  FAIL {operator}({x[i]!r}) is {got[i]!r}, not {want[i]!r}")
                bad += 1
    sys.exit(bad > 0)


main()
