# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Kinds of models, and the model that a seed and an index stand for."""

import dataclasses

import ml_dtypes
import numpy as np

from builder import Builder, Unfit
from families_control import CONTROL
from families_elementwise import FLOAT, INTEGER
from families_layers import LAYERS, RECURRENT
from families_movement import INDEXING, LAYOUT, REDUCTION, RESIZE, SHAPES
from families_quantized import QUANTIZED


def mix(**shares):
    """The families of each group with their weights."""
    groups = {"float": FLOAT, "integer": INTEGER, "layers": LAYERS, "recurrent": RECURRENT,
              "layout": LAYOUT, "indexing": INDEXING, "resize": RESIZE, "shapes": SHAPES,
              "reduction": REDUCTION, "quantized": QUANTIZED, "control": CONTROL}
    families = {}
    for name, share in shares.items():
        total = sum(groups[name].values())
        for family, weight in groups[name].items():
            families[family] = families.get(family, 0) + share * weight / total
    return families


@dataclasses.dataclass
class Kind:
    families: dict
    operators: tuple = (2, 8)
    dynamic: float = 0.12  # the share of models with sizes known only at run time
    special: float = 0.0  # the share with NaN, infinities and huge numbers
    types: tuple = (np.float32,)
    constants: float = 0.3


ALL = dict(float=4, layers=5, layout=4, indexing=2, resize=1, reduction=2, shapes=0.7)
KINDS = {
    "elementwise": Kind(mix(float=10, reduction=1, layout=1)),
    "layers": Kind(mix(layers=10, float=2, layout=1)),
    "layouts": Kind(mix(layout=10, layers=4, float=2)),
    "indexing": Kind(mix(indexing=10, layout=2, float=2)),
    "reductions": Kind(mix(reduction=10, float=3, layout=2)),
    "resizing": Kind(mix(resize=10, layers=2, float=1)),
    "quantized": Kind(mix(quantized=10, layout=1, float=1), operators=(1, 5)),
    "control": Kind(mix(control=8, float=2, layout=1), operators=(1, 4)),
    "integers": Kind(mix(integer=10, layout=2, indexing=1), operators=(2, 10), special=0.3),
    "constants": Kind(mix(**ALL, integer=3), constants=0.9, operators=(3, 9)),
    "special": Kind(mix(float=6, reduction=2, layers=2, indexing=1), special=1.0),
    "half": Kind(mix(**ALL), types=(np.float16, ml_dtypes.bfloat16)),
    "double": Kind(mix(**ALL), types=(np.float64,)),
    "dynamic": Kind(mix(**{**ALL, "shapes": 6}), dynamic=1.0),
    "recurrent": Kind(mix(recurrent=4, float=2, layout=1, reduction=1), operators=(1, 4)),
    "mixed": Kind(mix(**ALL, integer=1.5, quantized=1, control=1), operators=(4, 14)),
}
# How often each comes.
SHARES = {"layers": 3, "layouts": 2, "quantized": 2, "control": 2, "dynamic": 3, "mixed": 3,
          "recurrent": 0.5, "double": 0.5}


@dataclasses.dataclass
class Sample:
    name: str
    kind: str
    model: object
    runs: list


def generate(seed, index, only=()):
    """The model that these numbers stand for: the same one every time."""
    for attempt in range(100):
        builder = Builder(f"{seed}/{index}/{attempt}")
        names = list(only or KINDS)
        name = builder.random.choices(names, [SHARES.get(n, 1) for n in names])[0]
        kind = KINDS[name]
        builder.float_type = np.dtype(builder.random.choice(kind.types))
        builder.special = builder.chance(kind.special)
        builder.constants = kind.constants
        families, weights = list(kind.families), list(kind.families.values())
        count = builder.random.randint(*kind.operators)
        for _ in range(6 * count):
            if count and builder.attempt(builder.random.choices(families, weights)[0]):
                count -= 1
        dynamic = builder.choose(0.3, 0.6, 1.0) if builder.chance(kind.dynamic) else 0.0
        try:
            model, runs = builder.finish(dynamic)
        except Unfit:
            continue
        return Sample(f"{name}_{seed}_{index}", name, model, runs)
    raise RuntimeError(f"no model for {seed}/{index}")
