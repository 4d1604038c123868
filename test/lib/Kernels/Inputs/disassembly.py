# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Compiles models of one kernel each and reads the machine code, by llvm-objdump.

    disassembly.py DIR CPU [NAME ...]

What is asked of each kernel:
  - It is the kernel that was meant: the object has a function of that kind.
  - No symbols but those of libc's memory functions are undefined: no libm.
  - Kernels call nothing but those functions, neither others nor themselves: all
    mathematics is inline. (What calls kernels may call the runtime's table.)
  - Where innermost loops compute with floats, they do it on the CPU's whole vectors.
    A row's last step may be scalar (lanes joined to a sum): up to a third of them.
  - `fma`: some innermost loop has packed FMAs on whole vectors.
"""

import collections
import pathlib
import re
import subprocess
import sys

import numpy as np
import onnx
import onnx.parser

LIBC = {"memcpy", "memmove", "memset", "memcmp", "bcmp"}
REGISTER = {"x86-64-v4": "zmm", "x86-64-v3": "ymm"}

# What is no input x, y, ... becomes a weight.
# With AVX2, constants are packed.
PRODUCT = "(packed_)?matmul"

Kernel = collections.namedtuple("Kernel", "name kind inputs body fma")
KERNELS = [
    Kernel("matmul", PRODUCT, "float[40,64] x, float[64,72] w", "z = MatMul(x, w)", True),
    Kernel("matmul_rows", PRODUCT, "float[M,64] x, float[64,40] w", "z = MatMul(x, w)", True),
    Kernel("matmul_gelu", PRODUCT, "float[40,64] x, float[64,64] w",
           "t = MatMul(x, w)  z = Gelu(t)", True),
    Kernel("gemv", PRODUCT, "float[1,64] x, float[64,250] w", "z = MatMul(x, w)", True),
    Kernel("matmul_inputs", "matmul", "float[40,64] x, float[64,72] y", "z = MatMul(x, y)",
           True),
    Kernel("matmul_f64", "matmul", "double[9,64] x, double[64,40] w", "z = MatMul(x, w)",
           True),
    Kernel("dot_products", "dot_products", "float[300,1000] x, float[1000,1] w",
           "z = MatMul(x, w)", True),
    Kernel("depthwise_conv", "depthwise_conv", "float[1,64,28,28] x, float[64,1,3,3] w",
           "z = Conv<group = 64, pads = [1,1,1,1]>(x, w)", True),
    Kernel("gelu_erf", "elementwise", "float[M,100] x", "z = Gelu(x)", True),
    Kernel("gelu_tanh", "elementwise", "float[M,100] x",
           'z = Gelu<approximate = "tanh">(x)', True),
    Kernel("exp", "elementwise", "float[M,100] x", "z = Exp(x)", True),
    Kernel("erf", "elementwise", "float[M,100] x", "z = Erf(x)", True),
    Kernel("tanh", "elementwise", "float[M,100] x", "z = Tanh(x)", True),
    Kernel("sigmoid", "elementwise", "float[M,100] x", "z = Sigmoid(x)", True),
    Kernel("sin", "elementwise", "float[M,100] x", "z = Sin(x)", True),
    Kernel("log", "elementwise", "float[M,100] x", "z = Log(x)", True),
    Kernel("erf_f64", "elementwise", "double[M,100] x", "z = Erf(x)", True),
    Kernel("arcs_f64", "elementwise", "double[M,100] x",
           "s = Asin(x)  c = Acos(s)  z = Atan(c)", True),
    Kernel("pow", "elementwise", "float[M,100] x, float[M,100] y", "z = Pow(x, y)", True),
    Kernel("broadcast", "elementwise", "float[M,100] x, float[100] y", "z = Add(x, y)", False),
    Kernel("softmax", "softmax", "float[M,100] x", "z = Softmax(x)", True),
    Kernel("softmax_columns", "softmax", "float[8,20,50] x", "z = Softmax<axis = 1>(x)", True),
    Kernel("log_softmax", "softmax", "float[M,100] x", "z = LogSoftmax(x)", True),
    Kernel("layer_norm", "layer_norm", "float[M,100] x, float[100] w, float[100] v",
           "z = LayerNormalization(x, w, v)", True),
    Kernel("reduce_mean", "reduction", "float[M,1000] x",
           "z = ReduceMean<keepdims = 0>(x, axis)", False),
    Kernel("reduce_max", "reduction", "float[M,1000] x",
           "z = ReduceMax<keepdims = 0>(x, axis)", False),
    Kernel("reduce_l2", "reduction", "float[M,1000] x",
           "z = ReduceL2<keepdims = 0>(x, axis)", True),
    Kernel("lstm", "recurrent", "float[S,1,40] x, float[1,256,40] w, float[1,256,64] r",
           "z, h, c = LSTM<hidden_size = 64>(x, w, r)", True),
    Kernel("lstm_batch", "recurrent", "float[S,8,40] x, float[1,256,40] w, float[1,256,64] r",
           "z, h, c = LSTM<hidden_size = 64>(x, w, r)", True),
    Kernel("gru", "recurrent", "float[S,1,40] x, float[1,192,40] w, float[1,192,64] r",
           "z, h = GRU<hidden_size = 64>(x, w, r)", True),
    Kernel("lstm_f64", "recurrent",
           "double[S,1,40] x, double[1,256,40] w, double[1,256,64] r",
           "z, h, c = LSTM<hidden_size = 64>(x, w, r)", True),
]

# Arithmetic of single floats; moves and broadcasts of them are no such thing.
SCALAR = re.compile(r"v(add|sub|mul|div|min|max|sqrt|rndscale|round|"
                    r"fn?m(add|sub)\d+)s[sd]")
PACKED = re.compile(r"v(add|sub|mul|div|min|max|fn?m(add|sub)\d+)p[sd]")
FMA = re.compile(r"vfn?m(add|sub)\d+p[sd]")


def make_model(kernel, path):
    # Those of the last node, which two spaces set off.
    outputs = kernel.body.rpartition("  ")[2].partition(" =")[0].split(", ")
    element = kernel.inputs.partition("[")[0]
    graph = onnx.parser.parse_graph(
        f"g ({kernel.inputs}) => ({', '.join(f'{element} {o}' for o in outputs)}) "
        f"{{ {kernel.body} }}")
    generator = np.random.default_rng(1)
    for value in list(graph.input):
        if value.name in "xy":
            continue
        shape = [d.dim_value for d in value.type.tensor_type.shape.dim]
        graph.initializer.append(onnx.numpy_helper.from_array(
            generator.standard_normal(shape).astype(np.float32 if element == "float" else np.float64),
            value.name))
        graph.input.remove(value)
    if "axis)" in kernel.body:
        graph.initializer.append(onnx.numpy_helper.from_array(np.array([1]), "axis"))
    for output in graph.output:
        output.type.tensor_type.ClearField("shape")
    onnx.save(onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=9), path)


class Instruction(collections.namedtuple("Instruction", "address name operands")):
    def target(self):
        match = re.match(r"0x([0-9a-f]+) <", self.operands)
        return int(match.group(1), 16) if match else None


def read_functions(objdump, path):
    """Instructions of each function of an object file, by name."""
    text = subprocess.run([objdump, "-d", "-r", "--no-show-raw-insn", str(path)],
                          check=True, capture_output=True, text=True).stdout
    functions, body = {}, None
    for line in text.splitlines():
        if match := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            body = functions.setdefault(match.group(1), [])
        elif match := re.match(r"\s+[0-9a-f]+:\s+R_X86_64_PLT32\s+(\w+)", line):
            # The name that the call before it is for.
            body[-1] = body[-1]._replace(operands=match.group(1))
        elif match := re.match(r"\s*([0-9a-f]+):\s+(\S+)\s*(.*)$", line):
            if not match.group(2).startswith("R_X86"):
                body.append(Instruction(int(match.group(1), 16), *match.groups()[1:]))
    return functions


def find_innermost_loops(body):
    """The first and last address and the instructions of each: from the target of a
    jump back to the jump."""
    spans = {(i.target(), i.address) for i in body
             if i.name.startswith("j") and i.target() is not None
             and body[0].address <= i.target() <= i.address}
    for low, high in sorted(spans):
        if not any(span != (low, high) and low <= span[0] and span[1] <= high
                   for span in spans):
            yield low, high, [i for i in body if low <= i.address <= high]


def complaints(kernel, functions, register):
    kernels = {name: body for name, body in functions.items()
               if re.match(f"kernel_{kernel.kind}_", name)}
    if not kernels:
        yield f"no kernel of kind {kernel.kind} among {', '.join(functions)}"
        return
    fused = False
    for name, body in functions.items():
        if not name.startswith("kernel_"):
            continue
        for i in body:
            if i.name.startswith("call") and i.operands not in LIBC:
                yield f"{name} calls {i.operands}"
    for name, body in kernels.items():
        for low, high, loop in find_innermost_loops(body):
            where = f"{name}, loop {low:x} to {high:x}"
            whole = [i for i in loop
                     if PACKED.fullmatch(i.name) and register in i.operands]
            other = [i for i in loop if i not in whole
                     and (SCALAR.fullmatch(i.name) or PACKED.fullmatch(i.name))]
            if 3 * len(other) > len(whole):
                yield (f"{where}: {len(other)} instructions like {other[0].name} "
                       f"{other[0].operands}, {len(whole)} on %{register}")
            fused |= any(FMA.fullmatch(i.name) for i in whole)
    if kernel.fma and not fused:
        yield f"no loop with packed FMAs on %{register}"


def check(folder, cpu, kernel):
    model, target = folder / f"{kernel.name}.onnx", folder / f"{kernel.name}.{cpu}.o"
    make_model(kernel, model)
    subprocess.run(["nn-translate", "--emit-object", f"--mcpu={cpu}", str(model), "-o",
                    str(target)], check=True)
    undefined = subprocess.run(["llvm-nm", "-u", str(target)], check=True,
                               capture_output=True, text=True).stdout.split()
    found = [f"undefined symbol {name}" for name in undefined
             if name not in LIBC | {"U", "_GLOBAL_OFFSET_TABLE_"}]
    found += complaints(kernel, read_functions("llvm-objdump", target), REGISTER[cpu])
    for complaint in found:
        print(f"{kernel.name}, {cpu}: {complaint}")
    return not found


def main():
    folder, cpu, *names = sys.argv[1:]
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [k for k in KERNELS if not names or k.name in names]
    good = [check(folder, cpu, kernel) for kernel in chosen]
    print(f"{sum(good)} of {len(good)} kernels are as they should be")
    sys.exit(not all(good))


main()
