# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Compiles many small models at once, runs them, and compares what comes out
with the interpreter, and the interpreter with ONNX Runtime.

The cases of a family become one model, whose tensors and dimensions are named
CASE/NAME. It is compiled once for each CPU that this machine can be, and each
library is run for every set of sizes.
"""

import os
import pathlib
import re
import subprocess
import sys

import ml_dtypes
import numpy as np
import onnx
import onnx.reference
import onnx.compose
import onnx.parser
import onnxruntime
from onnx import helper

sys.path.append(str(pathlib.Path(__file__).resolve().parents[3] / "tools" / "scripts"))
import cpu

OPSET = 22

# Of the largest value, and relative. Where not listed: equal.
TOLERANCES = {"float16": (2e-3, 4e-3), "bfloat16": (1e-2, 2e-2),
              "float32": (2e-6, 2e-5), "float64": (1e-13, 1e-12)}


class Case:
    """A model in ONNX's text syntax.

    inputs    "float[N,3,H,9] x, float[4] b"
    body      "t = Conv(x, w, b)  y = Relu(t)"; what is not used there is an output
    weights   constants, written like inputs
    sizes     what the named dimensions are, one dictionary a run
    ranges    {"x": (low, high)} of random values, by default -2 ... 2; integers
              -9 ... 9, unsigned 0 ... 9
    values    {"x": array}, where random ones will not do
    step      how far quantized results are apart: where a sum lies near the middle
              between two, the other one is no error
    domains   pairs of another domain and its version, by default 1
    oracle    False where ONNX Runtime computes something else than ONNX says;
              say why beside it
    """

    def __init__(self, name, inputs, body, weights="", sizes=({},), ranges=None,
                 values=None, oracle=True, outputs="", opset=OPSET, tolerance=1, step=0,
                 domains=()):
        self.name, self.oracle, self.opset = name, oracle, opset
        self.domains = tuple(domains)
        self.sizes, self.ranges, self.values = sizes, ranges or {}, values or {}
        self.tolerance = tolerance  # times what TOLERANCES allows
        self.step = step
        inputs = ", ".join(x for x in (inputs, weights) if x)
        try:
            graph = onnx.parser.parse_graph(f"g ({inputs}) => ({outputs}) {{ {body} }}")
        except onnx.parser.ParseError as error:
            sys.exit(f"{name}: {error}")
        if not outputs:
            used = {x for node in graph.node for x in node.input}
            for node in graph.node:
                for output in node.output:
                    if output and output not in used:
                        graph.output.add(name=output)
        random = np.random.default_rng(sum(map(ord, name)))
        constants = re.findall(r"(\w+)\s*(?:,|$)", weights) if weights else []
        for info in [x for x in graph.input if x.name in constants]:
            tensor = self.make_array(info, {}, random)
            graph.initializer.append(onnx.numpy_helper.from_array(tensor, info.name))
            graph.input.remove(info)
        self.graph = graph
        # Run k's inputs.
        self.runs = [{x.name: self.make_array(x, size, random) for x in graph.input}
                     for size in sizes]

    def make_array(self, info, sizes, random):
        if info.name in self.values:
            return np.asarray(self.values[info.name])
        tensor = info.type.tensor_type
        shape = [d.dim_value if d.HasField("dim_value") else sizes[d.dim_param]
                 for d in tensor.shape.dim]
        dtype = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        if dtype == np.bool_:
            return random.integers(0, 2, shape).astype(bool)
        if dtype.kind in "iu":
            low, high = self.ranges.get(info.name, (0 if dtype.kind == "u" else -9, 9))
            return random.integers(low, high, shape, endpoint=True).astype(dtype)
        low, high = self.ranges.get(info.name, (-2, 2))
        return random.uniform(low, high, shape).astype(dtype)

    def model(self):
        opsets = [helper.make_opsetid("", self.opset)]
        opsets += [helper.make_opsetid(domain, dict(self.domains).get(domain, 1))
                   for domain in sorted({node.domain for node in self.graph.node} - {""})]
        model = helper.make_model(self.graph, ir_version=10, opset_imports=opsets)
        return onnx.shape_inference.infer_shapes(model)


def merge(models):
    """One model of those in a dictionary, all of the same opsets."""
    graph = onnx.GraphProto(name="cases")
    opsets = {}
    for name, model in models.items():
        # add_prefix also renames dimensions.
        part = onnx.compose.add_prefix_graph(model.graph, name + "/")
        for info in (*part.input, *part.output):
            for dim in info.type.tensor_type.shape.dim:
                if dim.dim_param and not dim.dim_param.startswith(name + "/"):
                    dim.dim_param = f"{name}/{dim.dim_param}"
        for i, node in enumerate(part.node):
            node.name = f"{name}/{node.op_type}{i}"
        graph.node.extend(part.node)
        graph.input.extend(part.input)
        graph.output.extend(part.output)
        graph.initializer.extend(part.initializer)
        opsets |= {opset.domain: opset for opset in model.opset_import}
    return helper.make_model(graph, ir_version=10, opset_imports=opsets.values())


def is_bfloat16(dtype):
    return dtype == ml_dtypes.bfloat16


def write_arrays(path, arrays):
    """As nn-run reads them: bfloat16 as its bits."""
    np.savez(path, **{name: x.view(np.uint16) if is_bfloat16(x.dtype) else x
                      for name, x in arrays.items()})


def read_arrays(path, types):
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    for name, dtype in types.items():
        if name in arrays and is_bfloat16(dtype):
            arrays[name] = arrays[name].view(ml_dtypes.bfloat16)
    return arrays


# Of elements that may be a step off.
NEAR_TIES = 0.01


def compare(got, want, factor, step=0):
    """None, or what is wrong."""
    if got.dtype != want.dtype or got.shape != want.shape:
        return f"{got.dtype}{list(got.shape)} instead of {want.dtype}{list(want.shape)}"
    if not want.size:
        return None
    if want.dtype.name not in TOLERANCES:
        bad = got != want
    else:
        atol, rtol = (factor * x for x in TOLERANCES[want.dtype.name])
        g, w = got.astype(np.float64), want.astype(np.float64)
        finite = np.abs(w[np.isfinite(w)])
        limit = atol * max(0.01, finite.max() if finite.size else 0) + rtol * np.abs(w)
        with np.errstate(invalid="ignore"):
            bad = ~((g == w) | (np.isnan(g) & np.isnan(w)) |
                    (np.isfinite(g) & np.isfinite(w) & (np.abs(g - w) <= limit)))
    if step and bad.sum() <= 1 + NEAR_TIES * bad.size:
        distance = np.abs(got.astype(np.float64) - want.astype(np.float64))
        bad &= ~(distance <= 1.0001 * step)
    if not bad.any():
        return None
    where = tuple(int(i) for i in np.argwhere(bad)[0])
    return (f"{bad.sum()} of {bad.size} elements differ, first at {list(where)}: "
            f"{got[where]}, expected {want[where]}")


class Failure(Exception):
    pass


class Runner:
    """Runs a list of cases in a directory."""

    def __init__(self, directory, compile_options, instruction_sets=()):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.compile_options = compile_options
        # That oneDNN may use; None: all there are.
        self.instruction_sets = [None, *instruction_sets]
        self.failures = []
        self.checked = self.judged = 0

    def tool(self, *command, instruction_set=None):
        limit = {"ONEDNN_MAX_CPU_ISA": instruction_set} if instruction_set else {}
        done = subprocess.run([str(x) for x in command], capture_output=True, text=True,
                              timeout=600, env=os.environ | limit)
        if done.returncode:
            raise Failure(f"{command[0]} exits with {done.returncode}: "
                          f"{(done.stderr or done.stdout).strip()[:2000]}")

    def report(self, case, run, who, problem):
        if problem:
            self.failures.append(f"{case.name} {dict(case.sizes[run]) or ''}: {who}: {problem}")

    def run(self, cases):
        """All cases; where they fail as a whole, each of two halves."""
        try:
            self.run_together(cases)
            return
        except Failure as failure:
            if len(cases) == 1:
                self.failures.append(f"{cases[0].name}: {failure}")
                return
        self.run(cases[:len(cases) // 2])
        self.run(cases[len(cases) // 2:])

    def run_together(self, cases):
        model = self.directory / "model.onnx"
        onnx.save(merge({case.name: case.model() for case in cases}), model)
        interpreted = []
        for run in range(max(len(case.runs) for case in cases)):
            arrays = {f"{case.name}/{name}": x for case in cases
                      for name, x in case.runs[min(run, len(case.runs) - 1)].items()}
            write_arrays(self.directory / f"in{run}.npz", arrays)
            self.tool("nn-run", model, "--interpret", "--inputs", self.directory / f"in{run}.npz",
                      "--outputs", self.directory / f"want{run}.npz")
            interpreted.append(self.outputs(cases, f"want{run}.npz"))
        results = []
        for options in self.compile_options:
            self.tool("nn-translate", model, "-o", self.directory / "model.so", *options)
            # Generated code does not depend on what oneDNN may use.
            isLast = options is self.compile_options[-1]
            for isa in self.instruction_sets if isLast else [None]:
                for run, want in enumerate(interpreted):
                    self.tool("nn-run", self.directory / "model.so",
                              "--inputs", self.directory / f"in{run}.npz",
                              "--outputs", self.directory / f"got{run}.npz",
                              instruction_set=isa)
                    results.append(([*options, isa] if isa else options, run,
                                    self.outputs(cases, f"got{run}.npz")))
        # All went well: nothing below fails as a whole.
        for case in cases:
            self.checked += 1
            for options, run, got in results:
                if run < len(case.runs):
                    for name, want in interpreted[run][case.name].items():
                        self.report(case, run, f"{name}, compiled {' '.join(options)}",
                                    compare(got[case.name][name], want, case.tolerance,
                                            case.step))
            if case.oracle:
                self.check_interpreter(case, interpreted)

    def outputs(self, cases, file):
        types = {}
        for case in cases:
            for output in case.model().graph.output:
                # ONNX knows no types of results of other domains.
                if output.type.tensor_type.elem_type:
                    types[f"{case.name}/{output.name}"] = helper.tensor_dtype_to_np_dtype(
                        output.type.tensor_type.elem_type)
        arrays = read_arrays(self.directory / file, types)
        return {case.name: {name.partition("/")[2]: x for name, x in arrays.items()
                            if name.partition("/")[0] == case.name} for case in cases}

    def check_interpreter(self, case, interpreted):
        for run, inputs in enumerate(case.runs):
            if any(is_bfloat16(x.dtype) for x in inputs.values()):
                return
            try:
                wanted = ask_runtime(case.model(), inputs)
            except Exception:
                return  # ONNX Runtime lacks the operator for this type or mode.
            self.judged += 1
            for name, want in wanted.items():
                self.report(case, run, f"{name}, interpreted",
                            compare(interpreted[run][case.name][name], np.asarray(want),
                                    case.tolerance, case.step))


def ask_runtime(model, inputs):
    """What ONNX Runtime computes, without optimizing; or ONNX's reference, where ONNX
    Runtime saturates: products of 8-bit integers on CPUs without VNNI."""
    operators = {node.op_type for node in model.graph.node}
    if cpu.INTEGER_PRODUCTS & operators and not cpu.has_vnni():
        names = [output.name for output in model.graph.output]
        return dict(zip(names, onnx.reference.ReferenceEvaluator(model).run(names, inputs)))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    names = [x.name for x in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs)))


def machine_options():
    """Options of nn-translate for each CPU that this one can stand for."""
    return [("--mcpu=" + level,) for level in cpu.levels()]


def execute(cases, directory, extra_options=(), instruction_sets=()):
    """Exit status 0 if all agree."""
    names = [case.name for case in cases]
    if len(set(names)) != len(names):
        sys.exit(f"two cases have one name: {sorted(x for x in names if names.count(x) > 1)}")
    runner = Runner(directory, [*machine_options(), *extra_options], instruction_sets)
    for opsets in sorted({(case.opset, case.domains) for case in cases}):
        runner.run([case for case in cases if (case.opset, case.domains) == opsets])
    for failure in runner.failures:
        print("FAIL", failure)
    print(f"{runner.checked} of {len(cases)} cases ran ({runner.judged} runs judged "
          f"by ONNX Runtime), {len(runner.failures)} problems")
    return 1 if runner.failures else 0
