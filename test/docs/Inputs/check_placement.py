# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Reads the placement page on stdin: only the operators below use reference kernels of
the runtime, and every operator can be lowered."""

import re
import sys

REFERENCE = {"nn.dft", "nn.map_strings", "nn.non_max_suppression", "nn.nonzero",
             "nn.roi_align", "nn.stft", "nn.topk", "nn.unique"}

problems, operators = [], 0
for line in sys.stdin:
    row = re.match(r"\| `(nn\.\w+)` \| (.*) \| (.*) \| (.*) \|$", line)
    if not row:
        continue
    operators += 1
    name, paths = row[1], row.groups()[1:]
    if any("runtime kernel" in path for path in paths) and name not in REFERENCE:
        problems.append(f"{name} uses a reference kernel of the runtime")
    if all(path == "–" for path in paths):
        problems.append(f"{name} has no lowering: add a row to a capability table")
print("\n".join(problems) or f"{operators} operators")
sys.exit(bool(problems) or operators < 50)
