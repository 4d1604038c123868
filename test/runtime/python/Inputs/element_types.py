# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Compares runtime/abi/element_types.def with the lists that cannot include it."""

import pathlib
import re
import sys

import onnx

from nnrt import _types

root = pathlib.Path(sys.argv[1])
text = (root / "runtime/abi/element_types.def").read_text()
rows = {}
for macro, fields in re.findall(r"^NN_(\w+)\((\d[^)]*)\)", text, re.M | re.S):
    fields = [field.strip().strip('"') for field in fields.split(",")]
    rows[int(fields[0])] = [macro] + fields[1:]
codes = {name: int(number, 0) for name, number in re.findall(
    r"(kDL\w+) = (\d+)U", (root / "runtime/include/nnrt/dlpack.h").read_text())}
problems = []


def expect(what, got, want):
    if got != want:
        problems.append(f"{what}: {got}, not {want}")


# Types that ONNX has and we do not.
LACKING = {"FLOAT6E2M3", "FLOAT6E3M2"}
SPELLING = {"FLOAT": "FLOAT32", "DOUBLE": "FLOAT64"}
enumerators = {number: SPELLING.get(name, name)
               for name, number in onnx.TensorProto.DataType.items()
               if number and name not in LACKING}
expect("ONNX's enumerators", dict(sorted((n, row[1].upper()) for n, row in rows.items())),
       enumerators)

for number, (macro, _, name, *more) in rows.items():
    python = _types.BY_ONNX.get(number)
    if macro == "STRING_TYPE":
        # nnrt_string
        expect(f"{name} in nnrt._types", python and (python.name, python.bits, python.code),
               (name, 128, codes["kDLOpaqueHandle"]))
        continue
    bits, code, *_ = more
    expect(f"{name} in nnrt._types", python and (
        # ml_dtypes: float8_e4m3fn, float4_e2m1fn
        re.sub(r"_|(?<=e8m0)fnu|(?<=e2m1)fn", "", python.name), python.bits, python.code),
        (name, int(bits), codes[code]))
expect("numbers in nnrt._types", set(_types.BY_ONNX) - set(rows), set())

td = (root / "dialects/NN/IR/NNBase.td").read_text()


def constraint(name):
    listed = re.search(rf"def NN_{name}\s*: AnyTypeOf<\[(.*?)\]", td, re.S)[1]
    return sorted(re.sub(r"[<>]", "", entry).strip().upper() for entry in listed.split(","))


def keywords(wanted):
    return sorted(row[5].upper() for row in rows.values() if len(row) > 5 and wanted(row))


def is_small(row):
    return row[0] == "SMALL_FLOAT_TYPE" or int(row[3]) < 8


expect("NN_FloatType", constraint("FloatType"), keywords(lambda row: row[0] == "FLOAT_TYPE"))
expect("NN_SmallType", constraint("SmallType"), keywords(is_small))
expect("NN_IntType", constraint("IntType"), keywords(
    lambda row: row[0] == "INTEGER_TYPE" and not is_small(row) and row[1] != "Bool"))

print("\n".join(problems) or f"{len(rows)} element types")
sys.exit(bool(problems))
