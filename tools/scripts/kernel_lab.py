# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Runs single generated kernels from Python, for checking and timing them.

    kernel = Kernel(nn_opt, mlir_text)   # a module whose @main becomes one call
    outputs = kernel(x, y)               # numpy arrays for @main's arguments
    seconds = kernel.time(x, y)

The module goes through convert-nn-to-kernels and nn-expand-math, the kernel
through upstream passes, opt and llc into a shared object. @main is turned into
a function that gives the number of iterations.
"""
import ctypes
import os
import re
import subprocess
import tempfile
import time

import numpy as np

LLVM = os.environ.get("NN_LLVM_BIN", "/usr/lib/llvm-22/bin")

LOWERING = (
    "builtin.module(canonicalize,cse,one-shot-bufferize{bufferize-function-boundaries "
    "function-boundary-type-conversion=identity-layout-map unknown-type-conversion=identity-layout-map},"
    "func.func(nn-expand-math),canonicalize,cse,func.func(convert-vector-to-scf{full-unroll=true}),cse,"
    "lower-affine,convert-scf-to-cf,expand-strided-metadata,lower-affine,"
    "convert-vector-to-llvm{reassociate-fp-reductions=1},convert-ub-to-llvm,"
    "finalize-memref-to-llvm,convert-math-to-llvm,convert-arith-to-llvm,"
    "convert-index-to-llvm,convert-func-to-llvm,convert-cf-to-llvm,"
    "reconcile-unrealized-casts)")

TYPES = {"f32": np.float32, "f64": np.float64, "f16": np.float16,
         "bf16": np.uint16, "i1": np.bool_, "i8": np.int8, "i16": np.int16,
         "i32": np.int32, "i64": np.int64, "ui8": np.uint8, "ui16": np.uint16,
         "ui32": np.uint32, "ui64": np.uint64}


def run(command, text):
    done = subprocess.run(command, input=text, capture_output=True, text=True,
                          timeout=120)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)[:200]}:\n{done.stderr[:4000]}")
    return done.stdout


def descriptor(array):
    """The memref descriptor of a contiguous array."""
    rank = array.ndim
    fields = [("a", ctypes.c_void_p), ("p", ctypes.c_void_p), ("o", ctypes.c_int64),
              ("n", ctypes.c_int64 * max(rank, 1)), ("s", ctypes.c_int64 * max(rank, 1))]
    kind = type("D", (ctypes.Structure,), {"_fields_": fields})
    strides = [s // array.itemsize for s in array.strides]
    return kind(array.ctypes.data, array.ctypes.data, 0,
                (ctypes.c_int64 * max(rank, 1))(*array.shape),
                (ctypes.c_int64 * max(rank, 1))(*strides))


def parse_type(text):
    shape = re.match(r"tensor<(.*)>$", text.strip()).group(1).split("x")
    return [None if s == "?" else int(s) for s in shape[:-1]], TYPES[shape[-1]]


class Kernel:
    def __init__(self, nn_opt, text, claim="all", bits=512, cpu="native", keep=None):
        self.ir = run([nn_opt, "-", f"--convert-nn-to-kernels=claim={claim} vector-bits={bits}",
                       "--mlir-print-elementsattrs-with-hex-if-larger=-1",
                       "--canonicalize"], text)
        body, _, resources = self.ir.partition("{-#")
        self.blobs = {name: bytes.fromhex(data)[4:] for name, data in
                      re.findall(r'([\w.]+): "0x([0-9A-Fa-f]+)"', resources)}
        calls = re.findall(r"nn\.call_kernel @(\w+) ins\((.*?)\) outs\((.*?)\) scalars\(\) count\((%\w+)\)", body)
        if len(calls) != 1 or re.search(r"nn\.(?!constant|call_kernel|kernel|name)\w+ ", body):
            raise RuntimeError("not one kernel:\n" + body[:3000])
        name, inputs, outputs, count = calls[0]
        self.inputs = self.parse_values(body, inputs)
        self.outputs = [parse_type(t) for t in self.split_types(outputs)]
        lines = []
        for line in body.splitlines():
            if "rt.launch" in line or "nn.constant" in line or "cf.assert" in line:
                continue
            if "func.func @main" in line:
                line = re.sub(r" -> .*\{", " -> index {", line)
                line = re.sub(r"\{nn\.[^}]*\}", "", line)
            elif re.match(r"\s+return %", line):
                line = f"return {count} : index"
            if "tensor.bitcast" in line:
                continue
            line = re.sub(r"(tensor<[^>]*)ui(\d+)>", r"\1i\2>", line)
            line = line.replace("func.func private @" + name, "func.func @" + name)
            line = re.sub(r"attributes \{nn.kernel.*?\} \{", "attributes {llvm.emit_c_interface} {", line)
            lines.append(line)
        source = "\n".join(lines).replace("func.func @main(", "func.func @main_count(")
        source = re.sub(r"(func\.func @main_count\(.*?-> index) \{", r"\1 attributes {llvm.emit_c_interface} {", source)
        self.dir = keep or tempfile.mkdtemp(prefix="nnkernel")
        with open(f"{self.dir}/kernel.mlir", "w") as out:
            out.write(source)
        llvm = run([nn_opt, "-", "--pass-pipeline=" + LOWERING], source)
        ir = run([f"{LLVM}/mlir-translate", "--mlir-to-llvmir"], llvm)
        optimized = run([f"{LLVM}/opt", "-O3", "-S", "-mtriple=x86_64-linux-gnu", f"-mcpu={cpu}"], ir)
        assembly = run([f"{LLVM}/llc", "-O3", "-mtriple=x86_64-linux-gnu", f"-mcpu={cpu}",
                        "-relocation-model=pic"], optimized)
        self.assembly = assembly
        with open(f"{self.dir}/kernel.s", "w") as out:
            out.write(assembly)
        subprocess.run(["cc", "-shared", "-o", f"{self.dir}/kernel.so", f"{self.dir}/kernel.s", "-lm"], check=True)
        library = ctypes.CDLL(f"{self.dir}/kernel.so")
        self.kernel = getattr(library, f"_mlir_ciface_{name}")
        self.kernel.restype = None
        self.count = library._mlir_ciface_main_count
        self.count.restype = ctypes.c_int64

    @staticmethod
    def split_types(text):
        return re.findall(r"tensor<[^>]*>", text)

    def parse_values(self, body, text):
        if not text:
            return []
        names = [n.strip() for n in text.partition(" : ")[0].split(",")]
        result = []
        for name in names:
            bitcast = re.search(re.escape(name) + r" = tensor\.bitcast (%\w+)", body)
            if bitcast:
                name = bitcast.group(1)
            if name.startswith("%arg"):
                result.append(int(name[4:]))
                continue
            constant = re.search(re.escape(name) + r" = nn\.constant (.*)", body).group(1)
            shape, kind = parse_type(re.search(r": (tensor<.*>)", constant).group(1))
            key = re.match(r"dense_resource<(\w+)>", constant)
            if key:
                data = np.frombuffer(self.blobs[key.group(1)], kind).reshape(shape).copy()
            else:
                data = np.array(eval(re.match(r"dense<(.*?)> :", constant).group(1)), kind).reshape(shape)
            result.append(data)
        return result

    def prepare(self, *arrays, shapes=None):
        arrays = [np.ascontiguousarray(a) for a in arrays]
        count = self.count(*[ctypes.byref(descriptor(a)) for a in arrays])
        ins = [arrays[i] if isinstance(i, int) else i for i in self.inputs]
        outs = []
        for number, (shape, kind) in enumerate(self.outputs):
            if None in shape:
                shape = shapes[number]
            # Guard zones find stores out of bounds.
            size = int(np.prod(shape))
            guarded = np.full((size + 128) * np.dtype(kind).itemsize, 0xA5, np.uint8)
            view = guarded.view(kind)[64:64 + size].reshape(shape)
            outs.append((guarded, view))
        args = [descriptor(a) for a in ins] + [descriptor(v) for _, v in outs]
        refs = [ctypes.byref(a) for a in args]
        return count, refs, outs, (arrays, args, ins)

    def __call__(self, *arrays, shapes=None, split=3):
        count, refs, outs, keep = self.prepare(*arrays, shapes=shapes)
        # In ranges, as threads would.
        bounds = sorted({count * i // split for i in range(split + 1)})
        for begin, end in zip(bounds, bounds[1:]):
            self.kernel(*refs, ctypes.c_int64(begin), ctypes.c_int64(end))
        for guarded, view in outs:
            edge = 64 * view.itemsize
            assert (guarded[:edge] == 0xA5).all() and (guarded[-edge:] == 0xA5).all(), "store out of bounds"
        return [view for _, view in outs]

    def timer(self, *arrays, shapes=None):
        count, refs, outs, keep = self.prepare(*arrays, shapes=shapes)
        end = ctypes.c_int64(count)
        begin = ctypes.c_int64(0)
        def once(keep=keep, outs=outs):
            self.kernel(*refs, begin, end)
        return once


def median_times(functions, rounds=15, target=0.004):
    """Interleaved medians of the seconds that each function takes."""
    repeats = []
    for function in functions:
        function()
        start = time.perf_counter()
        function()
        repeats.append(max(1, int(target / max(1e-7, time.perf_counter() - start))))
    samples = [[] for _ in functions]
    for _ in range(rounds):
        for index, function in enumerate(functions):
            start = time.perf_counter()
            for _ in range(repeats[index]):
                function()
            samples[index].append((time.perf_counter() - start) / repeats[index])
    return [float(np.median(s)) for s in samples]


def ort_timer(model, feeds):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    binding = session.io_binding()
    for name, value in feeds.items():
        binding.bind_cpu_input(name, value)
    for output in session.get_outputs():
        binding.bind_output(output.name)
    return lambda: session.run_with_iobinding(binding)
