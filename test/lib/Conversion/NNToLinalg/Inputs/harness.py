# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Runs nn operators through convert-nn-to-linalg and upstream passes, and
compares what they compute with what is expected.

All cases of a run are functions of one module, compiled once to a shared
library that is called through ctypes.
"""

import ctypes
import os
import shutil
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
import onnxruntime

BFLOAT16 = "bf16"

MLIR_TYPES = {
    np.dtype(np.bool_): "i1", np.dtype(np.int8): "i8", np.dtype(np.int16): "i16",
    np.dtype(np.int32): "i32", np.dtype(np.int64): "i64",
    np.dtype(np.uint8): "ui8", np.dtype(np.uint16): "ui16",
    np.dtype(np.uint32): "ui32", np.dtype(np.uint64): "ui64",
    np.dtype(np.float16): "f16", np.dtype(np.float32): "f32",
    np.dtype(np.float64): "f64",
}

PIPELINE = """builtin.module(
  func.func(convert-nn-to-linalg{lower-constants=true}),
  func.func(canonicalize),
  one-shot-bufferize{bufferize-function-boundaries
    function-boundary-type-conversion=identity-layout-map},
  func.func(convert-linalg-to-loops,
            math-expand-ops{ops=tan,asinh,acosh,atanh,sinh,cosh}),
  lower-affine, expand-strided-metadata, lower-affine,
  convert-scf-to-cf, arith-expand{include-bf16=true}, convert-math-to-llvm,
  convert-math-to-libm, convert-vector-to-llvm, convert-arith-to-llvm, convert-index-to-llvm,
  finalize-memref-to-llvm, convert-func-to-llvm, convert-cf-to-llvm,
  reconcile-unrealized-casts)"""


def tensor_type(array, dynamic=(), element=None):
    """The MLIR type of an array; `dynamic`: True, or the dims that are `?`."""
    dims = "".join(
        ("?" if dynamic is True or i in dynamic else str(size)) + "x"
        for i, size in enumerate(array.shape))
    return f"tensor<{dims}{element or MLIR_TYPES[array.dtype]}>"


def constant(array):
    """The MLIR attribute of a small constant."""
    def show(values):
        if isinstance(values, list):
            return "[" + ", ".join(map(show, values)) + "]"
        if isinstance(values, bool):
            return str(values).lower()
        if isinstance(values, float):
            return f"{values:.17e}"
        return str(values)
    array = np.asarray(array)
    text = show(array.tolist()) if array.size else ""
    return f"dense<{text}> : {tensor_type(array)}"


class Case:
    """`operands`: arrays, and constants as `Const`. `text` is the operator as
    assembly with {0}, {1}, ... for the operands; types are appended."""

    def __init__(self, name, text, operands, expected, dynamic=(), rtol=1e-5,
                 atol=1e-6, dim_names=None):
        self.name, self.text, self.operands = name, text, operands
        self.expected = expected if isinstance(expected, (list, tuple)) else [expected]
        self.dynamic, self.rtol, self.atol = dynamic, rtol, atol
        self.dim_names = dim_names or {}

    def arrays(self):
        return [x.array if isinstance(x, Fixed) else x for x in self.operands
                if not isinstance(x, Const)]

    def mlir(self, symbol):
        lines, parameters, names, types = [], [], [], []
        for i, operand in enumerate(self.operands):
            names.append(f"%v{i}")
            if isinstance(operand, Const):
                types.append(tensor_type(operand.array))
                lines.append(f"  %v{i} = nn.constant {constant(operand.array)}")
                continue
            if isinstance(operand, Fixed):
                types.append(tensor_type(operand.array))
            else:
                types.append(tensor_type(operand, self.dynamic))
            attributes = "bufferization.writable = false"
            if i in self.dim_names:
                listed = ", ".join(f'"{x}"' for x in self.dim_names[i])
                attributes += f", nn.dim_names = [{listed}]"
            parameters.append(f"%v{i}: {types[-1]} {{{attributes}}}")
        results = [tensor_type(x, self.dynamic) for x in self.expected]
        outputs = ", ".join(f"%r{i}" for i in range(len(results)))
        signature = f"({', '.join(types)}) -> ({', '.join(results)})"
        lines.append(f"  {outputs} = {self.text.format(*names)} : {signature}"
                     f' loc("{self.name}")')
        lines.append(f"  return {outputs} : {', '.join(results)}")
        head = (f"func.func @{symbol}({', '.join(parameters)}) -> ({', '.join(results)})"
                " attributes {llvm.emit_c_interface} {")
        return "\n".join([head, *lines, "}"])


class Fixed:
    """An argument of static shape, whatever the others have: a list of sizes."""
    def __init__(self, array):
        self.array = np.asarray(array)


class Const:
    def __init__(self, values, dtype=None):
        self.array = np.asarray(values, dtype)


def descriptor(rank):
    class Descriptor(ctypes.Structure):
        _fields_ = [("allocated", ctypes.c_void_p), ("aligned", ctypes.c_void_p),
                    ("offset", ctypes.c_int64)]
        if rank:
            _fields_ += [("sizes", ctypes.c_int64 * rank),
                         ("strides", ctypes.c_int64 * rank)]
    return Descriptor


def to_descriptor(array):
    result = descriptor(array.ndim)()
    result.allocated = result.aligned = array.ctypes.data
    for i in range(array.ndim):
        result.sizes[i] = array.shape[i]
        result.strides[i] = array.strides[i] // array.itemsize
    return result


def from_descriptor(value, dtype, rank):
    shape = tuple(value.sizes[i] for i in range(rank))
    strides = tuple(value.strides[i] * dtype.itemsize for i in range(rank))
    if 0 in shape:
        return np.empty(shape, dtype)
    extent = dtype.itemsize + sum((n - 1) * s for n, s in zip(shape, strides))
    start = value.aligned + value.offset * dtype.itemsize
    memory = (ctypes.c_char * extent).from_address(start)
    return np.ndarray(shape, dtype, memory, 0, strides).copy()


def compile_module(text, directory):
    path = lambda name: os.path.join(directory, name)
    with open(path("cases.mlir"), "w") as file:
        file.write(text)
    def run(*command):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{command[0]} failed:\n{done.stderr[-6000:]}")
    run("nn-opt", path("cases.mlir"), "-o", path("llvm.mlir"),
        "--pass-pipeline=" + " ".join(PIPELINE.split()))
    run("mlir-translate", "--mlir-to-llvmir", path("llvm.mlir"), "-o", path("cases.ll"))
    run("llc", "-O1", "-mcpu=x86-64-v3", "-relocation-model=pic", "-filetype=obj",
        path("cases.ll"), "-o", path("cases.o"))
    # Has memrefCopy, to which upstream lowers copies.
    libraries = os.path.join(os.path.dirname(shutil.which("llc")), "..", "lib")
    run("cc", "-shared", path("cases.o"), "-o", path("cases.so"), "-lm",
        "-L" + libraries, "-Wl,-rpath," + libraries, "-lmlir_c_runner_utils")
    return ctypes.CDLL(path("cases.so"))


def compare(case, got, want):
    if got.shape != want.shape:
        return f"shape {got.shape}, expected {want.shape}"
    if want.dtype == np.bool_ or want.dtype.kind in "iu":
        bad = got != want
    else:
        g, w = got.astype(np.float64), want.astype(np.float64)
        with np.errstate(invalid="ignore"):
            close = np.abs(g - w) <= case.atol + case.rtol * np.abs(w)
        bad = ~((g == w) | (np.isnan(g) & np.isnan(w)) | close)
    if not bad.any():
        return None
    where = tuple(int(i) for i in np.argwhere(bad)[0])
    return f"{bad.sum()} of {bad.size} differ, at {where}: {got[where]}, expected {want[where]}"


def run_cases(cases, directory):
    os.makedirs(directory, exist_ok=True)
    symbols = [f"case{i}" for i in range(len(cases))]
    text = "\n".join(c.mlir(s) for c, s in zip(cases, symbols))
    library = compile_module(text, directory)
    failures = 0
    for case, symbol in zip(cases, symbols):
        arrays = [np.ascontiguousarray(x) for x in case.arrays()]
        before = [x.copy() for x in arrays]
        inputs = [to_descriptor(x) for x in arrays]
        ranks = [x.ndim for x in case.expected]
        class Results(ctypes.Structure):
            _fields_ = [(f"r{i}", descriptor(rank)) for i, rank in enumerate(ranks)]
        results = Results()
        function = getattr(library, "_mlir_ciface_" + symbol)
        function.restype = None
        function(ctypes.byref(results), *map(ctypes.byref, inputs))
        problems = []
        for i, want in enumerate(case.expected):
            got = from_descriptor(getattr(results, f"r{i}"), want.dtype, want.ndim)
            problems.append(compare(case, got, want))
        if any(not np.array_equal(x.view(np.uint8) if x.size else x,
                                  y.view(np.uint8) if y.size else y)
               for x, y in zip(arrays, before) if x.ndim):
            problems.append("an input was overwritten")
        problems = [p for p in problems if p]
        if problems:
            failures += 1
            print(f"FAIL {case.name}: {'; '.join(problems)}")
    print(f"{len(cases) - failures} of {len(cases)} cases agree")
    return failures


def one_node(op, inputs, outputs, opset, domain, attributes):
    """A model of one node, and its feeds. None is an absent input."""
    names = ["" if x is None else f"i{n}" for n, x in enumerate(inputs)]
    results = [f"o{n}" for n in range(outputs)]
    node = helper.make_node(op, names, results, domain=domain, **attributes)
    infos = [helper.make_tensor_value_info(
                 name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
             for name, x in zip(names, inputs) if name]
    graph = helper.make_graph(
        [node], "g", infos,
        [helper.make_empty_tensor_value_info(name) for name in results])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)],
                              ir_version=10)
    return model, {name: x for name, x in zip(names, inputs) if name}


def ort(op, inputs, outputs=1, opset=21, domain="", **attributes):
    """What ONNX Runtime computes for one node."""
    model, feeds = one_node(op, inputs, outputs, opset, domain, attributes)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    got = session.run(None, feeds)
    return got[0] if outputs == 1 else got


def reference(op, inputs, opset=21, **attributes):
    """What ONNX's reference computes for one node of one output."""
    model, feeds = one_node(op, inputs, 1, opset, "", attributes)
    return ReferenceEvaluator(model).run(None, feeds)[0]
