# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""damage.py cut|manifest|footer FROM TO: spoils a compiled model. The last 48
bytes of a model are its footer; the manifest is right before."""

import sys

how, source, target = sys.argv[1:]
with open(source, "rb") as file:
    data = bytearray(file.read())
if how == "cut":
    del data[len(data) // 2:]
else:
    data[-20 if how == "footer" else -60] ^= 0xFF
with open(target, "wb") as file:
    file.write(data)
