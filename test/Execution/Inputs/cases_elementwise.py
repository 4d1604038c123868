# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Elementwise operators: types, special values, broadcasting, chains."""

import numpy as np
from execution import Case

FLOATS = ["float16", "bfloat16", "float", "double"]
SIGNED = ["int8", "int16", "int32", "int64"]
UNSIGNED = ["uint8", "uint16", "uint32", "uint64"]
INTEGERS = SIGNED + UNSIGNED

# Odd lengths: vectors, and what is left after them.
TAILS = [{"N": 1, "M": 1}, {"N": 3, "M": 37}, {"N": 0, "M": 5}, {"N": 2, "M": 64}]

UNARY = {  # operator: range of its input
    "Abs": (-4, 4), "Acos": (-1, 1), "Acosh": (1, 9), "Asin": (-1, 1), "Asinh": (-4, 4),
    "Atan": (-4, 4), "Atanh": (-0.9, 0.9), "Ceil": (-4, 4), "Celu<alpha = 2.0>": (-4, 4),
    "Cos": (-9, 9), "Cosh": (-4, 4), "Elu<alpha = 0.5>": (-4, 4), "Erf": (-3, 3),
    "Exp": (-9, 9), "Floor": (-4, 4), "Gelu": (-4, 4), "Gelu<approximate = \"tanh\">": (-4, 4),
    "HardSigmoid<alpha = 0.3, beta = 0.4>": (-4, 4), "HardSwish": (-5, 5),
    "LeakyRelu<alpha = 0.1>": (-4, 4), "Log": (0.01, 9), "Mish": (-9, 9), "Neg": (-4, 4),
    "Reciprocal": (0.1, 4), "Relu": (-4, 4), "Round": (-4, 4), "Selu": (-4, 4),
    "Sigmoid": (-9, 9), "Sign": (-4, 4), "Sin": (-9, 9), "Sinh": (-4, 4),
    "Softplus": (-20, 20), "Softsign": (-4, 4), "Sqrt": (0, 9), "Tan": (-1.4, 1.4),
    "Tanh": (-4, 4), "ThresholdedRelu<alpha = 0.7>": (-4, 4),
}
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 100.0, -100.0, 1e-30,
                    np.inf, -np.inf, np.nan, 3.0, -3.0], np.float32)


def identifier(operator):
    return "".join(c for c in operator if c.isalnum())


def unary():
    for operator, limits in UNARY.items():
        for dtype in FLOATS:
            if operator.startswith("Celu") and dtype != "float":
                continue  # Not in ONNX.
            # ONNX Runtime's numbers of the tanh form are those of f32.
            yield Case(f"{identifier(operator)}_{dtype}", f"{dtype}[N,M] x",
                       f"y = {operator}(x)", sizes=TAILS, ranges={"x": limits},
                       oracle=not ("tanh" in operator and dtype == "double"))
    for operator in ["Abs", "Ceil", "Elu<alpha = 0.5>", "Exp", "Floor", "IsNaN",
                     "LeakyRelu<alpha = 0.1>", "Neg", "Round", "Sigmoid", "Softplus",
                     "Softsign", "Sqrt", "Tanh", "Erf", "Sin"]:
        yield Case(f"{identifier(operator)}_special", "float[17] x", f"y = {operator}(x)",
                   values={"x": SPECIAL}, oracle=False)
    # ONNX Runtime loses the NaN.
    yield Case("Relu_special", "float[17] x", "y = Relu(x)", values={"x": SPECIAL},
               oracle=False)
    yield Case("Sign_special", "float[17] x", "y = Sign(x)", values={"x": SPECIAL},
               oracle=False)
    for dtype in INTEGERS:
        for operator in ["Abs", "Sign", "BitwiseNot"]:
            yield Case(f"{operator}_{dtype}", f"{dtype}[N,M] x", f"y = {operator}(x)",
                       sizes=TAILS)
    for dtype in SIGNED:
        for operator in ["Neg", "Relu"]:
            yield Case(f"{operator}_{dtype}", f"{dtype}[N,M] x", f"y = {operator}(x)",
                       sizes=TAILS)
    yield Case("Not", "bool[N,M] x", "y = Not(x)", sizes=TAILS)
    yield Case("scalar", "float x", "y = Exp(x)")


def binary():
    arithmetic = ["Add", "Sub", "Mul", "Max", "Min"]
    compares = ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"]
    for dtype in FLOATS + INTEGERS:
        for operator in arithmetic + compares:
            yield Case(f"{operator}_{dtype}", f"{dtype}[N,M] a, {dtype}[M] b",
                       f"y = {operator}(a, b)", sizes=TAILS)
        divisors = {"b": (1, 7)}
        yield Case(f"Div_{dtype}", f"{dtype}[N,M] a, {dtype}[N,1] b", "y = Div(a, b)",
                   sizes=TAILS, ranges=divisors)
        if dtype in INTEGERS:
            for operator in ["BitwiseAnd", "BitwiseOr", "BitwiseXor"]:
                yield Case(f"{operator}_{dtype}", f"{dtype}[N,M] a, {dtype}[M] b",
                           f"y = {operator}(a, b)", sizes=TAILS)
            yield Case(f"Mod_{dtype}", f"{dtype}[N,M] a, {dtype}[M] b", "y = Mod(a, b)",
                       sizes=TAILS, ranges=divisors)
        yield Case(f"Fmod_{dtype}", f"{dtype}[N,M] a, {dtype}[M] b", "y = Mod<fmod = 1>(a, b)",
                   sizes=TAILS, ranges=divisors)
        yield Case(f"Clip_{dtype}", f"{dtype}[N,M] x, {dtype} low, {dtype} high",
                   "y = Clip(x, low, high)", sizes=TAILS,
                   values={}, ranges={"low": (1, 1), "high": (2, 2)})
        yield Case(f"Where_{dtype}", f"bool[M] c, {dtype}[N,1] a, {dtype}[N,M] b",
                   "y = Where(c, a, b)", sizes=TAILS)
    for dtype in ["int32", "int64", "uint32", "uint64"] + FLOATS:
        yield Case(f"PRelu_{dtype}", f"{dtype}[N,M] a, {dtype}[M] b", "y = PRelu(a, b)",
                   sizes=TAILS)
    for operator in ["And", "Or", "Xor", "Equal"]:
        yield Case(f"{operator}_bool", "bool[N,M] a, bool[1,M] b", f"y = {operator}(a, b)",
                   sizes=TAILS)
    for dtype in ["float16", "bfloat16", "float", "int32", "int64"]:
        yield Case(f"Pow_{dtype}", f"{dtype}[N,M] a, {dtype}[M] b", "y = Pow(a, b)",
                   sizes=TAILS, ranges={"a": (0 if dtype == "int32" else 0.3, 3), "b": (0, 3)}
                   if dtype in FLOATS else {"a": (-3, 3), "b": (0, 4)})
    for exponent in [2.0, 0.5, -1.0, 3.0, 0.0]:
        yield Case(f"Pow_by_{exponent}", "float[N,M] a", "y = Pow(a, e)", weights="float e",
                   values={"e": np.float32(exponent)}, ranges={"a": (0.1, 3)}, sizes=TAILS)
    yield Case("Pow_negative_base", "float[5] a, float[5] b", "y = Pow(a, b)",
               values={"a": np.float32([-2, -2, -2, 0, np.inf]),
                       "b": np.float32([2, 3, 0.5, -1, 0])})
    yield Case("Pow_mixed", "float[N,M] a, int32[M] b", "y = Pow(a, b)", sizes=TAILS,
               ranges={"b": (0, 3)})
    yield Case("Max_of_three", "float[N,M] a, float[M] b, float[N,1] c", "y = Max(a, b, c)",
               sizes=TAILS)
    yield Case("Max_nan", "float[17] a, float[1] b", "y = Max(a, b)  z = Min(a, b)",
               values={"a": SPECIAL}, oracle=False)
    yield Case("Sum_Mean", "float[N,M] a, float[M] b, float[N,1] c",
               "y = Sum(a, b, c)  z = Mean(a, b, c)", sizes=TAILS)


def broadcast():
    for name, a, b in [("scalar", "N,M", ""), ("row", "N,M", "M"), ("column", "N,M", "N,1"),
                       ("both", "N,1", "1,M"), ("inner", "N,1,M", "5,1"),
                       ("rank", "M", "4,N,M"), ("middle", "N,3,M", "N,1,M")]:
        yield Case(f"broadcast_{name}", f"float[{a}] a, float[{b}] b" if b else
                   f"float[{a}] a, float b", "y = Sub(a, b)", sizes=TAILS)
    # Dimensions that turn out to be 1, or equal, when the model runs.
    yield Case("broadcast_unknown", "float[A,B] a, float[C,D] b", "y = Sub(a, b)",
               sizes=[{"A": 3, "B": 5, "C": 3, "D": 5}, {"A": 3, "B": 5, "C": 1, "D": 5},
                      {"A": 1, "B": 5, "C": 3, "D": 1}, {"A": 3, "B": 1, "C": 1, "D": 17},
                      {"A": 1, "B": 1, "C": 1, "D": 1}])
    yield Case("broadcast_unknown_chain", "float[A,B] a, float[C,D] b",
               "t = Mul(a, b)  u = Relu(t)  y = Add(u, a)",
               sizes=[{"A": 3, "B": 5, "C": 3, "D": 5}, {"A": 3, "B": 5, "C": 1, "D": 5},
                      {"A": 1, "B": 5, "C": 3, "D": 1}])


def casts():
    types = FLOATS + INTEGERS + ["bool"]
    number = {"float": 1, "uint8": 2, "int8": 3, "uint16": 4, "int16": 5, "int32": 6,
              "int64": 7, "bool": 9, "float16": 10, "double": 11, "uint32": 12, "uint64": 13,
              "bfloat16": 16}
    for a in types:
        for b in types:
            if a != b:
                # Floats out of an integer's range have no defined result.
                yield Case(f"Cast_{a}_{b}", f"{a}[2,11] x", f"y = Cast<to = {number[b]}>(x)",
                           ranges={"x": (0, 9) if b.startswith("u") else (-9, 9)}
                           if a in FLOATS else {})


def chains():
    yield Case("chain", "float[N,M] a, float[M] b",
               "t = Add(a, b)  u = Sigmoid(t)  v = Mul(u, a)  y = Tanh(v)", sizes=TAILS)
    yield Case("chain_two_outputs", "float[N,M] a, float[M] b",
               "t = Add(a, b)  y = Relu(t)  z = Exp(y)  w = Neg(y)", sizes=TAILS,
               outputs="float[N,M] t, float[N,M] y, float[N,M] z, float[N,M] w")
    yield Case("chain_types", "float[N,M] a, int32[M] b",
               "f = Cast<to = 1>(b)  t = Mul(a, f)  c = Greater(t, a)  y = Where(c, t, a)"
               "  z = Cast<to = 6>(y)", sizes=TAILS)
    yield Case("chain_f16", "float16[N,M] a, float16[M] b",
               "t = Add(a, b)  u = Sigmoid(t)  v = Mul(u, a)  y = Tanh(v)", sizes=TAILS)
    yield Case("chain_bf16", "bfloat16[N,M] a, bfloat16[M] b",
               "t = Add(a, b)  u = Sigmoid(t)  v = Mul(u, a)  y = Tanh(v)", sizes=TAILS,
               tolerance=2)
    yield Case("chain_f64", "double[N,M] a, double[M] b",
               "t = Add(a, b)  u = Relu(t)  v = Mul(u, a)  w = Abs(v)  y = Sqrt(w)",
               sizes=TAILS)
    # Both operands of the second operator are one value; an input is an output.
    yield Case("chain_square", "float[N,M] a", "t = Exp(a)  y = Mul(t, t)  z = Identity(a)",
               sizes=TAILS)
    yield Case("chain_u8", "uint8[N,M] a, uint8[M] b",
               "t = Max(a, b)  u = Cast<to = 1>(t)  y = Sqrt(u)  v = Div(t, s)  z = Sub(v, b)",
               weights="uint8 s", values={"s": np.uint8(2)}, sizes=TAILS,
               ranges={"a": (0, 255), "b": (0, 255)})


def all_cases():
    for group in (unary, binary, broadcast, casts, chains):
        yield from group()
