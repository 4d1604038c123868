# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Shared by the scripts that compare with ONNX Runtime.

A case is a model and an .npz file with the arrays `in:<tensor>` and
`out:<tensor>`, as nn-run's --data takes it.
"""

import environment  # First: provides the packages below.

import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

import numpy as np
import onnx
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("NN_BUILD_DIR") or ROOT / "build")
SHARED = pathlib.Path(os.environ.get("NN_SHARED_DIR") or ROOT.parent / "shared")

os.environ.setdefault("NNRT_LIBRARY", str(BUILD / "lib" / "libnnrt.so"))
sys.path.append(str(ROOT / "runtime" / "python"))


def tool(name):
    path = BUILD / "bin" / name
    if not path.exists():
        sys.exit(f"error: {path} is missing; build it, or set NN_BUILD_DIR")
    return path


def reference_session(model, optimized, threads=1):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if not optimized:
        options.graph_optimization_level = \
            onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(model), options,
                                        providers=["CPUExecutionProvider"])


def prepare_reference(session, inputs, outputs):
    """A function that runs the session on these arrays, for timing: results are
    written to arrays like `outputs`, which are made once, as ours are."""
    binding = session.io_binding()
    arrays = []  # ONNX Runtime uses their memory.
    for bind, values in ((binding.bind_ortvalue_input, inputs),
                         (binding.bind_ortvalue_output, outputs)):
        for name, value in values.items():
            arrays.append(np.array(value, order="C"))
            bind(name, onnxruntime.OrtValue.ortvalue_from_numpy(arrays[-1]))
    return lambda keep=arrays: session.run_with_iobinding(binding)


def find_openvino():
    """Whether OpenVINO is available, in the folder NN_OPENVINO, which processes started
    after this have too; installs it if need be."""
    if "NN_OPENVINO" in os.environ:
        return True
    result = subprocess.run([pathlib.Path(__file__).with_name("fetch-openvino")],
                            stdout=subprocess.PIPE, text=True)
    os.environ["NN_OPENVINO"] = result.stdout.strip()
    return result.returncode == 0


def time_in_turns(runs, rounds, seconds):
    """The median milliseconds of each function. They take turns in rounds, each for so
    many seconds and at least once."""

    def median(run):
        times, end = [], time.perf_counter() + seconds
        while True:
            start = time.perf_counter()
            run()
            now = time.perf_counter()
            times.append(now - start)
            if now >= end:
                return statistics.median(times)

    for run in runs:  # Warm-up.
        run()
        median(run)
    times = [[median(run) for run in runs] for _ in range(rounds)]
    return [1e3 * statistics.median(side) for side in zip(*times)]


def save_case(path, session, inputs):
    """Writes the inputs and the session's outputs; returns the outputs."""
    names = [output.name for output in session.get_outputs()]
    outputs = dict(zip(names, session.run(names, inputs)))
    np.savez(path, **{f"in:{k}": v for k, v in inputs.items()},
             **{f"out:{k}": v for k, v in outputs.items()})
    return outputs


def load_case(path):
    """The arrays of a case: inputs, outputs."""
    with np.load(path) as arrays:
        return tuple({name.partition(":")[2]: arrays[name]
                      for name in arrays.files if name.startswith(prefix)}
                     for prefix in ("in:", "out:"))


def default_cases():
    """The cases of make-ocr-cases and make-light-models, and models of the shared
    folder if there is one."""
    folder = BUILD / "cases"
    for kind in "ocr-cases", "light-models":
        if not (folder / kind).is_dir():
            make = pathlib.Path(__file__).with_name(f"make-{kind}")
            subprocess.run([sys.executable, make, folder / kind],
                           check=True, stdout=subprocess.DEVNULL)
    return (sorted((SHARED / "expected").glob("*.npz"))
            + sorted((folder / "ocr-cases").glob("*.npz"))
            + sorted((folder / "light-models").glob("*.npz")))


def model_of(case):
    """NAME.onnx of a case NAME.npz or NAME-<shape>.npz, beside it or shared."""
    candidates = [folder / f"{stem}.onnx"
                  for stem in (case.stem, case.stem.rpartition("-")[0])
                  for folder in (case.parent, SHARED / "models")]
    for path in candidates:
        if path.exists():
            return path
    sys.exit(f"error: {case}: no model: none of {', '.join(map(str, candidates))}")


def external_files(model):
    """The files that hold the model's external data."""
    proto = onnx.load(str(model), load_external_data=False)
    return {model.parent / entry.value
            for tensor in proto.graph.initializer
            for entry in tensor.external_data if entry.key == "location"}


class Tolerance:
    """How close a model's results must be to ONNX Runtime's.

    Right is what differs by no more than `relative` of itself plus `absolute` of the
    tensor's largest element. Of quantized models, where rounding decides, a `share` of
    the elements may be a step of the quantization off: up to `step` of the largest.
    """

    def __init__(self, model):
        graph = onnx.load(str(model), load_external_data=False).graph
        half = onnx.TensorProto.FLOAT16 in {t.data_type for t in graph.initializer}
        quantized = any(node.op_type.startswith(("Quantize", "DynamicQuantize", "QLinear"))
                        or node.op_type in ("QGemm", "QAttention") for node in graph.node)
        self.relative, self.absolute = (2e-2, 2e-3) if half else (1e-3, 1e-4)
        self.share, self.step = (0.02, 0.05) if quantized else (0, 0)

    def judge(self, results, expected):
        """The problem, or None; and the largest error relative to the largest element."""
        worst = max(((name, *self._compare(results[name], array))
                     for name, array in expected.items()), key=lambda row: row[1:])
        name, wrong, error = worst
        if wrong > self.share or (wrong and error > self.step):
            return (f"'{name}': {100 * wrong:.2f}% of the elements are wrong, by up to "
                    f"{error:.1e} of the largest"), error
        return None, error

    def _compare(self, got, expected):
        """The fraction of wrong elements, and the largest error."""
        if got.shape != expected.shape:
            return 1.0, float("inf")
        if expected.dtype.kind not in "f":
            wrong = got != expected
            return float(wrong.mean()) if wrong.size else 0.0, float(wrong.any())
        got, expected = got.astype(np.float64), expected.astype(np.float64)
        largest = max(float(np.abs(expected).max(initial=0)), 1e-30)
        error = np.abs(got - expected)
        fine = error <= self.relative * np.abs(expected) + self.absolute * largest
        fine |= (got == expected) | (np.isnan(got) & np.isnan(expected))
        return (float((~fine).mean()) if fine.size else 0.0,
                float(np.nan_to_num(error, nan=np.inf).max(initial=0)) / largest)


class Compiled:
    """A model compiled by nn-translate, with the time and memory that this took. After
    `limit` seconds it is given up."""

    def __init__(self, model, library, arguments=(), limit=None):
        self.library = library
        start = time.monotonic()
        process = subprocess.Popen(
            [tool("nn-translate"), *arguments, str(model), "-o", str(library)],
            stderr=subprocess.PIPE, text=True)
        timer = threading.Timer(limit or threading.TIMEOUT_MAX, process.kill)
        timer.daemon = True
        timer.start()
        self.messages = process.stderr.read()
        timer.cancel()
        # Unlike Popen.wait, this gives the memory of this process alone.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.ok = process.returncode == 0
        self.seconds = time.monotonic() - start
        self.peak_mb = usage.ru_maxrss / 1024
        if limit and self.seconds > limit:
            self.messages += f"error: not done in {limit:g} s\n"
