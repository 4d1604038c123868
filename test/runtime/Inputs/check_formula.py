# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""check_formula.py INFO ARENAS: evaluates the formula of the arena that `nn-run
--info` wrote to INFO at the sizes of the lines "NAME=SIZE ... arena=BYTES" of
ARENAS, and fails where it does not give BYTES."""

import re
import sys

FUNCTIONS = {
    "max": max, "min": min,
    "roundup": lambda x, m: -(-x // m) * m,
    "floordiv": lambda x, y: x // y,
    "truncdiv": lambda x, y: int(x / y),
    "truncmod": lambda x, y: x - int(x / y) * y,
    "eq": lambda x, y: int(x == y), "ne": lambda x, y: int(x != y),
    "lt": lambda x, y: int(x < y), "le": lambda x, y: int(x <= y),
    "gt": lambda x, y: int(x > y), "ge": lambda x, y: int(x >= y),
}

info, arenas = (open(path).read() for path in sys.argv[1:])
formula = re.search(r"^arena +(.*) bytes for each session$", info, re.M).group(1)
seen = set()
for line in arenas.splitlines():
    *sizes, (_, actual) = (word.rsplit("=", 1) for word in line.split(" "))
    sizes = {name: int(size) for name, size in sizes}
    dim = lambda name, index: sizes[f"{name}:{index}"]
    value = eval(formula, {**FUNCTIONS, **sizes, "dim": dim})
    if value != int(actual):
        sys.exit(f"{formula} is {value} for {line}")
    seen.add(value)
if len(seen) < 2:
    sys.exit(f"all of the arenas are equal: {seen}")
print(f"{len(seen)} sizes as the formula says")
