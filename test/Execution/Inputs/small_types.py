# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Floats of 8 and 4 bits, integers of 4 and 2: compiled, interpreted, and by ONNX's
reference, bit by bit. small_types.py DIRECTORY [CASE]"""

import pathlib
import subprocess
import sys

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

FLOATS = {"FLOAT8E4M3FN": "float8_e4m3fn", "FLOAT8E4M3FNUZ": "float8_e4m3fnuz",
          "FLOAT8E5M2": "float8_e5m2", "FLOAT8E5M2FNUZ": "float8_e5m2fnuz",
          "FLOAT8E8M0": "float8_e8m0fnu", "FLOAT4E2M1": "float4_e2m1fn"}
INTEGERS = {"INT4": "int4", "UINT4": "uint4", "INT2": "int2", "UINT2": "uint2"}
SMALL = {**FLOATS, **INTEGERS}
WIDTHS = {"FLOAT4E2M1": 4, "INT4": 4, "UINT4": 4, "INT2": 2, "UINT2": 2}


def dtype(name):
    return np.dtype(helper.tensor_dtype_to_np_dtype(getattr(TensorProto, name)))


def codes(name):
    """Each element of the type once."""
    bits = WIDTHS.get(name, 8)
    values = np.arange(1 << bits, dtype=np.uint8)
    if name in ("INT4", "INT2"):
        values = ((values << (8 - bits)).view(np.int8) >> (8 - bits)).view(np.uint8)
    return values.view(dtype(name))


def numbers():
    """f32: each number of the small types, the middles between them and what lies
    next to these, special ones, and bits at random."""
    known = []
    for name in FLOATS:
        values = np.unique(codes(name).astype(np.float64))
        values = values[np.isfinite(values)]
        known += [values, (values[1:] + values[:-1]) / 2]
    known = np.concatenate(known + [[464, 465, 480, 57344, 61440, 65536, 6.5, 7, 0.25]])
    known = known[np.abs(known) < 3e38].astype(np.float32)
    near = np.concatenate([known, np.nextafter(known, np.float32(np.inf)),
                           np.nextafter(known, np.float32(-np.inf))])
    special = np.float32([0, -0.0, np.inf, -np.inf, np.nan, 3.4e38, -3.4e38, 1e-45, 1e-39])
    bits = np.random.default_rng(1).integers(0, 1 << 32, 20000, dtype=np.uint32)
    return np.concatenate([near, -near, special, bits.view(np.float32)])


class Model:
    """Nodes on inputs; every output of a node is one of the model."""

    def __init__(self):
        self.nodes, self.inputs, self.outputs, self.feeds, self.constants = [], [], [], {}, []
        self.references = {}

    def input(self, name, array, kind, dims=None):
        self.inputs.append(helper.make_tensor_value_info(
            name, getattr(TensorProto, kind), dims or list(array.shape)))
        self.feeds[name] = array
        return name

    def constant(self, name, array, kind):
        self.constants.append(numpy_helper.from_array(array.astype(dtype(kind)), name))
        return name

    def node(self, op, inputs, output, kind, rank=1, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        self.outputs.append(helper.make_tensor_value_info(
            output, getattr(TensorProto, kind), [None] * rank))

    def cast(self, source, kind, suffix="", **attributes):
        self.node("Cast", [source], f"{source}_{kind}{suffix}", kind,
                  to=getattr(TensorProto, kind), **attributes)

    def cross(self, source, kind):
        """From one small type to another, which ml_dtypes does by way of f32 only."""
        self.cast(source, kind)
        to = getattr(TensorProto, kind)
        self.references[len(self.nodes) - 1] = [
            helper.make_node("Cast", [source], [f"{source}_f32"], to=TensorProto.FLOAT),
            helper.make_node("Cast", [f"{source}_f32"], [f"{source}_{kind}"], to=to)]

    def build(self, reference=False):
        nodes = []
        for index, node in enumerate(self.nodes):
            nodes += self.references.get(index, [node]) if reference else [node]
        graph = helper.make_graph(nodes, "small", self.inputs, self.outputs,
                                  self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 25)],
                                 ir_version=13)


def casts():
    """To each type from wider ones."""
    model = Model()
    x = model.input("x", numbers(), "FLOAT", ["N"])
    h = model.input("h", np.arange(1 << 16, dtype=np.uint16).view(np.float16), "FLOAT16")
    with np.errstate(all="ignore"):
        wide = numbers().astype(np.float64) * (1 + 2.0**-40)
    d = model.input("d", wide, "DOUBLE")
    i = model.input("i", np.arange(-70000, 70000, 7, dtype=np.int32), "INT32")
    for name in FLOATS:
        for source in x, h:
            model.cast(source, name)
            if name in ("FLOAT8E8M0", "FLOAT4E2M1"):
                continue
            model.cast(source, name, "_wrong", saturate=0)
        model.cast(d, name)
        if name != "FLOAT8E8M0":
            model.cast(i, name)
    for mode in "up", "down", "nearest":
        for saturate in 0, 1:
            model.cast(x, "FLOAT8E8M0", f"_{mode}_{saturate}", round_mode=mode,
                       saturate=saturate)
    small = model.input("s", np.arange(-300, 300, 0.25, np.float32), "FLOAT")
    for name in INTEGERS:
        model.cast(small, name)
        model.cast(i, name)
    return model


def reads():
    """From each type; inputs of an odd number of elements share their last byte."""
    model = Model()
    for name in SMALL:
        values = np.concatenate([codes(name), codes(name)[:3]])
        source = model.input(name.lower(), values, name, ["N"] if name == "INT4" else None)
        for kind in "FLOAT", "FLOAT16", "DOUBLE", "BFLOAT16":
            model.cast(source, kind)
        for kind in sorted({"FLOAT8E5M2", "FLOAT8E4M3FNUZ", "FLOAT4E2M1", "UINT4"} - {name}):
            if name in INTEGERS or kind != "UINT4":
                model.cross(source, kind)
        if name in INTEGERS:
            for kind in "INT8", "UINT8", "INT64", "BOOL":
                model.cast(source, kind)
            for kind in sorted({"INT2", "UINT2"} - {name}):
                model.cross(source, kind)
        model.node("Reshape", [source, model.constant(f"{source}_shape", np.array([-1, 1]),
                                                      "INT64")], f"{source}_row", name, 2)
    return model


def weights():
    """Constants, packed and not; the odd one is shorter than what a blob holds."""
    model = Model()
    x = model.input("x", np.float32([1, -2]), "FLOAT")
    for name in SMALL:
        for size in 5, 67:
            values = np.resize(codes(name), size)
            c = model.constant(f"{name.lower()}_{size}", values, name)
            model.cast(c, "FLOAT")
            model.node("Identity", [c], f"{c}_same", name)
            model.node("Unsqueeze", [c, model.constant(f"{c}_axis", np.array([0]), "INT64")],
                       f"{c}_row", name, 2)
            scale = model.constant(f"{c}_scale", np.float32(0.5), "FLOAT")
            if name != "FLOAT8E8M0":
                model.node("DequantizeLinear", [c, scale], f"{c}_real", "FLOAT")
    model.node("Neg", [x], "y", "FLOAT")
    return model


def quantization():
    """Of tensors, axes and blocks."""
    model = Model()
    random = np.random.default_rng(2)
    x = model.input("x", random.uniform(-9, 9, (3, 8)).astype(np.float32), "FLOAT", ["N", 8])
    for name in SMALL:
        if name == "FLOAT8E8M0":
            continue
        kind, small = getattr(TensorProto, name), name.lower()
        q = model.input(small, np.resize(codes(name), (2, 8)), name)
        # ONNX wants the zero point of floats to be zero.
        low, high = (0, 1) if name in FLOATS else (0, 2)
        for form, shape, attributes in (
                ("tensor", (), {}), ("axis", (8,), {"axis": 1}),
                ("block", (2, 2), {"axis": -1, "block_size": 4})):
            scale = model.constant(f"{small}_{form}_s", random.choice([0.5, 0.3, 2.0], shape),
                                   "FLOAT")
            zero = model.constant(f"{small}_{form}_z", random.integers(low, high, shape), name)
            model.node("DequantizeLinear", [q, scale, zero], f"{small}_{form}_d", "FLOAT", 2,
                       **attributes)
            if form == "block":
                scale = model.constant(f"{small}_{form}_s3", random.choice([0.5, 0.3], (3, 2)),
                                       "FLOAT")
                zero = model.constant(f"{small}_{form}_z3", random.integers(low, high, (3, 2)),
                                      name)
            model.node("QuantizeLinear", [x, scale, zero], f"{small}_{form}_q", name, 2,
                       **attributes)
        model.node("QuantizeLinear", [x, model.constant(f"{small}_t", np.float32(0.01), "FLOAT")],
                   f"{small}_typed", name, 2, output_dtype=kind)
    return model


def check(folder, name, model):
    path = folder / f"{name}.onnx"
    onnx.save(model.build(), path)
    feeds = {k: v.view(np.uint8) if v.dtype.itemsize == 1 and v.dtype.kind not in "biu"
             else v for k, v in model.feeds.items()}
    np.savez(folder / f"{name}.npz", **feeds)
    subprocess.run(["nn-translate", path, "-o", folder / f"{name}.so"], check=True)
    results = {}
    for how, run in (("compiled", [folder / f"{name}.so"]),
                     ("interpreted", [path, "--interpret"])):
        output = folder / f"{name}.{how}.npz"
        subprocess.run(["nn-run", *run, "--inputs", folder / f"{name}.npz", "--outputs",
                        output], check=True)
        results[how] = np.load(output)
    with np.errstate(all="ignore"):
        reference = dict(zip([o.name for o in model.outputs],
                             ReferenceEvaluator(model.build(True)).run(None, model.feeds)))
    failures = 0
    for output in model.outputs:
        kind = TensorProto.DataType.Name(output.type.tensor_type.elem_type)
        compiled, interpreted = (decode(result[output.name], kind)
                                 for result in results.values())
        want = decode(reference[output.name], kind)
        wrong = ~is_same(compiled, interpreted)
        # ml_dtypes goes from f64 to small floats by way of f32, and rounds twice.
        if not output.name.startswith("d_"):
            wrong |= ~is_same(compiled, want)
        if wrong.any():
            failures += 1
            at = np.unravel_index(np.argmax(wrong), wrong.shape)
            print(f"{name}: {output.name}: {wrong.sum()} of {wrong.size} differ; at {at}: "
                  f"compiled {compiled[at]}, interpreted {interpreted[at]}, reference {want[at]}")
    return failures


def decode(array, kind):
    """Results as numbers: of small types and bfloat16, nn-run writes bits."""
    if array.dtype.kind == "u" and kind == "BFLOAT16":
        array = array.view(ml_dtypes.bfloat16)
    elif kind in SMALL:
        array = (array.view(np.uint8) & ((1 << WIDTHS.get(kind, 8)) - 1))
        array = np.resize(codes(kind), 256)[array]
    return array.astype(np.float64)


def is_same(x, y):
    """Equal numbers, signs of zeros included, or two NaN."""
    return ((x == y) & (np.signbit(x) == np.signbit(y))) | (np.isnan(x) & np.isnan(y))


CASES = {"casts": casts, "reads": reads, "weights": weights, "quantization": quantization}

if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    chosen = sys.argv[2:] or CASES
    sys.exit(1 if sum(check(folder, name, CASES[name]()) for name in chosen) else 0)
