# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""A sweep: one parameter of a model takes several values. What sweeps of several families
use is here too: causes of jumps, tensors that quantized operators take."""

from cases import ROOT  # First: provides the packages below.

import dataclasses
import math
import re
import sys

import numpy as np

sys.path.append(str(ROOT / "test" / "Execution" / "Inputs"))
from execution import Case

QUANTIZED = {"xs": np.float32(4 / 255), "xz": np.uint8(128), "ws": np.float32(0.01),
             "wz": np.int8(0), "ys": np.float32(0.2), "yz": np.uint8(128)}
QUANTIZED_WEIGHTS = "float xs, uint8 xz, float ws, int8 wz, float ys, uint8 yz"
# ONNX Runtime saturates sums of larger products on CPUs without VNNI.
INTEGERS = {"x": (0, 255), "w": (-63, 63), "q": (0, 255)}
QDQ = ("q = QuantizeLinear(x, xs, xz)  d = DequantizeLinear(q, xs, xz)  "
       "v = DequantizeLinear(w, ws, wz)  t = {}  r = QuantizeLinear(t, ys, yz)  "
       "y = DequantizeLinear(r, ys, yz)")

# Causes of jumps: a text, and whether it holds between two values of the parameter.
FEW = ("few channels or columns do not fill a vector", lambda before, value: before < 8)
LINES = ("windows are reduced by lines, so that taps of larger ones cost less",
         lambda before, value: True)
FEW_PRODUCTS = ("with few products per element, moving the data takes most of the time",
                lambda before, value: value in (11, 32))
ROWS = ("each row is combined across lanes, and ends in single elements",
        lambda before, value: value == 2)
FACTORS = ("lengths with other factors than 2, 3 and 5 take two longer transforms",
           lambda before, value: is_smooth(before) != is_smooth(value))


def is_smooth(length):
    for factor in 2, 3, 5:
        while length % factor == 0:
            length //= factor
    return length == 1


@dataclasses.dataclass
class Point:
    """One case of a sweep."""

    sweep: str
    parameter: str
    value: object
    work: float | None  # None: the number of elements that it reads and writes
    ordered: bool  # whether the points before and after it are its neighbours
    arguments: dict
    cause: str  # why the time per work may jump from the point before, if it may

    @property
    def name(self):
        return f"{self.sweep}/{self.parameter}={self.value}"

    def case(self):
        """The model with its arrays, which are made only now."""
        arguments = dict(self.arguments)
        if callable(arguments.get("values")):
            arguments["values"] = arguments["values"](self.value)
        return Case(self.name, **arguments)


def sweep(name, parameter, points, inputs, body, weights="", work=None, sizes=None,
          ordered=True, cause=None, **more):
    """The points of a sweep. In texts, {...} is an expression of the parameter; its name
    in capitals is a dynamic dimension of this size. `sizes` gives other dynamic dimensions,
    `cause` says why and where the time per work may jump, `more` is for Case; its `values`
    may be a function of the parameter."""
    before = None
    for value in points:
        def fill(text):
            return re.sub(r"\{(.*?)\}",
                          lambda part: str(eval(part[1], {parameter: value})), text)

        arguments = {"inputs": fill(inputs), "body": fill(body), "weights": fill(weights),
                     "sizes": [{parameter.upper(): value} | (sizes or {})], **more}
        is_caused = cause and before is not None and cause[1](before, value)
        amount = work and eval(work, {parameter: value, "math": math})
        yield Point(name, parameter, value, amount, ordered, arguments,
                    cause[0] if is_caused else "")
        before = value
