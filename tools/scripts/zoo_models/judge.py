# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Compiles a model, compares it with ONNX Runtime and times both:
python -m zoo_models.judge MODEL OPTIONS prints what was found as JSON.

`state` is right, wrong, refused (not compiled), fails (an error of the run), left out
(ONNX Runtime itself refuses it), and `why` gives the reason."""

import cases  # First: provides the packages below.

import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

import numpy as np
import onnx


#: Of the largest element.
STEPS = 3 / 255


def first_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line), lines[0] if lines else "no message")


# ===--- Inputs and outputs -----------------------------------------------------------===


def random_inputs(session, random):
    """Sizes that are not known are 2."""
    types = {"tensor(float)": np.float32, "tensor(double)": np.float64,
             "tensor(float16)": np.float16, "tensor(bool)": np.bool_}
    inputs = {}
    for wanted in session.get_inputs():
        shape = [size if isinstance(size, int) else 2 for size in wanted.shape]
        dtype = types.get(wanted.type) or np.dtype(wanted.type[7:-1])
        inputs[wanted.name] = (
            random.standard_normal(shape).astype(dtype) if np.dtype(dtype).kind == "f"
            else random.integers(0, 2, shape).astype(dtype))
    return inputs


def load_inputs(model, session):
    path = model.with_suffix(".npz")
    if not path.exists():
        return random_inputs(session, np.random.default_rng(7))
    with np.load(path) as arrays:
        inputs = {name: arrays[name] for name in arrays.files}
    # Exporters drop inputs that no output depends on.
    known = {value.name for value in session.get_inputs()}
    return {name: value.astype(object) if value.dtype.kind == "U" else value
            for name, value in inputs.items() if name in known}


def plain(value):
    """Arrays of what ONNX Runtime returns. ZipMap's maps are rows of a matrix of ours."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return np.array([list(row.values()) for row in value], np.float32)
    return value


def compare(results, expected, tolerance):
    """The problem, or None, and the largest error."""
    got, want = {}, {}
    for name, value in expected.items():
        if name not in results:
            return f"there is no output '{name}'", float("inf")
        ours = results[name]
        if isinstance(value, list):
            if len(value) != len(ours):
                return f"'{name}' has {len(ours)} items, not {len(value)}", float("inf")
            for index, (x, y) in enumerate(zip(ours, value)):
                got[f"{name}[{index}]"], want[f"{name}[{index}]"] = x, np.asarray(y)
        elif value is not None:
            got[name], want[name] = np.asarray(ours), np.asarray(value)
    shapes = [(name, got[name], array) for name, array in want.items()
              if got[name].shape != array.shape or got[name].dtype != array.dtype]
    if shapes:
        name, ours, theirs = shapes[0]
        return (f"'{name}' is {ours.dtype}{list(ours.shape)}, not "
                f"{theirs.dtype}{list(theirs.shape)}"), float("inf")
    return tolerance.judge(got, want) if want else (None, 0.0)


# ===--- The two engines --------------------------------------------------------------===


class Reference:
    """ONNX Runtime's sessions and results, with and without its optimizations."""

    def __init__(self, model):
        self.sessions, self.results, reasons = [], [], []
        self.inputs = None
        for optimized in (False, True):
            try:
                session = cases.reference_session(model, optimized)
                if self.inputs is None:
                    self.inputs = load_inputs(model, session)
                names = [output.name for output in session.get_outputs()]
                results = map(plain, session.run(names, self.inputs))
                self.results.append(dict(zip(names, results)))
                self.sessions.append(session)
            except Exception as error:
                reasons.append(" ".join(str(error).split())[:300])
        if not self.sessions:
            raise RuntimeError(reasons[0])

    def judge(self, results, tolerance):
        """Against the nearer of the two. Where they differ themselves, ours may by twice as
        much; where rounding to integers decides, by three steps of 8 bits: an input that is
        rounded the other way changes all that is computed from it."""
        problems = [compare(results, expected, tolerance) for expected in self.results]
        noise = 2 * compare(*self.results, tolerance)[1] if len(self.results) == 2 else 0
        if tolerance.share:
            noise = max(noise, STEPS)
        problems = [(None, error) if error <= noise < float("inf") else (problem, error)
                    for problem, error in problems]
        return min(problems, key=lambda row: (row[0] is not None, row[1]))


def compile_model(model, library, seconds, arguments):
    """What cannot be compiled, or None; and the seconds of CPU time."""
    process = subprocess.Popen(
        [cases.tool("nn-translate"), *arguments, str(model), "-o", str(library)],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds)))
    messages = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    taken = usage.ru_utime + usage.ru_stime
    code = process.returncode = os.waitstatus_to_exitcode(status)
    if not code:
        return None, taken
    if taken >= seconds:
        return f"not compiled in {seconds} s of CPU time", taken
    return (f"signal {-code}: " if code < 0 else "") + first_line(messages), taken


def prepare_ours(session, inputs, results):
    """A function that runs our session on these arrays, for timing."""
    try:
        session.bind(inputs | {name: array.copy() for name, array in results.items()})
    except Exception:  # Strings and sequences cannot be bound.
        return lambda: session.run(inputs)
    return session.run_bound


def prepare_theirs(session, inputs, outputs):
    try:
        run = cases.prepare_reference(session, inputs, outputs)
        run()
        return run
    except Exception:
        return lambda: session.run(None, inputs)


def time_both(reference, session, results, seconds):
    inputs, expected = reference.inputs, reference.results[-1]
    return cases.time_in_turns((prepare_ours(session, inputs, results),
                                prepare_theirs(reference.sessions[-1], inputs, expected)),
                               rounds=5, seconds=seconds / 10)


def judge(model, options):
    record = {}
    try:
        reference = Reference(model)
    except Exception as error:
        return {"state": "left out", "why": " ".join(str(error).split())[:300]}
    with tempfile.TemporaryDirectory() as folder:
        library = pathlib.Path(folder, "model.so")
        problem, record["compile_s"] = compile_model(model, library, options["limit"],
                                                     options["arguments"])
        if problem:
            return record | {"state": "refused", "why": problem}
        import nnrt

        try:
            session = nnrt.load(library).session(threads=1)
            results = session.run(reference.inputs)
        except Exception as error:
            return record | {"state": "fails", "why": " ".join(str(error).split())[:300]}
        problem, record["error"] = reference.judge(results, cases.Tolerance(model))
        if problem:
            return record | {"state": "wrong", "why": problem}
        if options["seconds"]:
            record["ours_ms"], record["theirs_ms"] = time_both(reference, session, results,
                                                               options["seconds"])
    return record | {"state": "right"}


if __name__ == "__main__":
    print(json.dumps(judge(pathlib.Path(sys.argv[1]), json.loads(sys.argv[2]))))
