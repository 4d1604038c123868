# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Compiles, runs and judges models, many in one process of nn-run."""

import dataclasses
import json
import os
import pathlib
import resource
import shutil
import subprocess

import ml_dtypes
import numpy as np
import onnx
from onnx import numpy_helper

from judge import Invalid, Judge, NotJudged

# The options of nn-run for each implementation under test.
SUBJECTS = {"compiled": (), "interpreted": ("--interpret",)}
RUNS = 3  # of a model, at different sizes
MEMORY = 12 << 30  # bytes of addresses that nn-run may take


@dataclasses.dataclass
class Verdict:
    status: str  # ok, invalid, unjudged, or one of FAILURES
    message: str = ""
    subject: str = ""
    run: int = 0

    @property
    def failed(self):
        return self.status in FAILURES


# Failures of nn-run on a model that the judge can run, or on any model.
FAILURES = {"import", "compile", "load", "run", "crash", "timeout", "wrong"}
# Errors of nn-run where ONNX Runtime computes something: windows larger than the padded
# input, and labels of Einsum whose size is 1 at run time only.
REFUSED = ("the window does not fit into the padded input", "a kernel that reaches over",
           "gets an operand with another size for label")


class Case:
    """A model in a folder, with its valid runs and their expected results."""

    def __init__(self, name, model, runs, folder):
        self.name, self.model, self.folder = name, model, folder / name
        self.judge = Judge(model)
        self.runs, self.wanted, self.invalid = [], [], ""
        for inputs in runs:
            try:
                want = self.judge.expect(inputs)
            except Invalid as error:
                self.invalid = self.invalid or str(error)
                if not self.runs:
                    return  # The first run is what the model was made for.
                continue
            self.runs.append(inputs)
            self.wanted.append(want)
            if len(self.runs) == RUNS or want is None:
                break

    def write(self):
        self.folder.mkdir(parents=True)
        onnx.save(self.model, self.folder / "model.onnx")
        for i, inputs in enumerate(self.runs):
            data = self.folder / f"test_data_set_{i}"
            data.mkdir()
            for k, info in enumerate(self.model.graph.input):
                tensor = numpy_helper.from_array(inputs[info.name], info.name)
                (data / f"input_{k}.pb").write_bytes(tensor.SerializeToString())

    def results(self, run):
        """The results of nn-run, whose file is deleted."""
        path = self.folder / f"test_data_set_{run}" / "results.npz"
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        path.unlink()
        for name, type_ in self.judge.types.items():
            if name in arrays and type_ == ml_dtypes.bfloat16:
                arrays[name] = arrays[name].view(ml_dtypes.bfloat16)
        return arrays


class Checker:
    def __init__(self, tool, folder, timeout=60, threads=1, subjects=tuple(SUBJECTS)):
        self.tool, self.folder = tool, pathlib.Path(folder)
        self.timeout, self.threads, self.subjects = timeout, threads, subjects

    def check(self, samples, begin=lambda name: None):
        """A verdict for each (name, model, runs). `begin` is told which model the judge
        is about to see."""
        shutil.rmtree(self.folder, ignore_errors=True)
        verdicts, cases = {}, []
        for name, model, runs in samples:
            begin(name)
            case = Case(name, model, runs, self.folder)
            if case.runs:
                case.write()
                cases.append(case)
            else:
                verdicts[name] = Verdict("invalid", case.invalid)
        for subject in self.subjects:
            left = [case for case in cases if case.name not in verdicts]
            if left:
                outcomes = self.run(subject)
                for case in left:
                    begin(case.name)
                    verdict = self.judge(case, subject, outcomes[case.name])
                    if verdict.status != "ok":
                        verdicts[case.name] = verdict
        shutil.rmtree(self.folder, ignore_errors=True)
        return [verdicts.get(name, Verdict("ok")) for name, _, _ in samples]

    def run(self, subject):
        """The outcome of each model in nn-run."""
        command = [self.tool, "--node-tests", self.folder, "--write-results",
                   f"--threads={self.threads}", f"--timeout={self.timeout}", *SUBJECTS[subject]]
        done = subprocess.run(
            [str(x) for x in command], capture_output=True, text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
            env=os.environ | {"OMP_NUM_THREADS": str(self.threads)})
        try:
            tests = json.loads(done.stdout)["tests"]
        except (ValueError, KeyError):
            raise SystemExit(f"error: nn-run exits with {done.returncode}: {done.stderr}")
        return {test["name"]: test for test in tests}

    def judge(self, case, subject, outcome):
        unjudged = False
        stage = outcome.get("stage")
        for run, (inputs, want) in enumerate(zip(case.runs, case.wanted)):
            if not (case.folder / f"test_data_set_{run}" / "results.npz").exists():
                message = outcome.get("message", "")
                if (want is None and stage in ("import", "run")
                        or stage == "run" and any(text in message for text in REFUSED)):
                    # The model may be invalid.
                    return Verdict("unjudged", message, subject, run)
                return Verdict(stage or "run", message, subject, run)
            got = case.results(run)
            try:
                problem = case.judge.compare(inputs, got, want)
            except NotJudged:
                unjudged = True
                continue
            if problem:
                return Verdict("wrong", problem, subject, run)
        return Verdict("unjudged" if unjudged else "ok", subject=subject)
