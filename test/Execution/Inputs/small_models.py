# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Small models in ONNX's text syntax, each compiled and run by itself: values and errors.
The program's arguments are a directory and the cases to run; without cases, all are."""

import pathlib
import subprocess
import sys

import nnrt
import onnx
import onnx.parser
import onnxruntime


def ask(model, inputs):
    """ONNX Runtime's outputs."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


class Runs:
    """`header`: what stands before a model's signature."""

    def __init__(self, header):
        self.header = header
        self.folder = pathlib.Path(sys.argv[1])
        self.folder.mkdir(parents=True, exist_ok=True)
        self.chosen = sys.argv[2:]
        self.failures = self.count = 0

    def parse(self, text):
        return onnx.parser.parse_model(f"<{self.header}> g {text}")

    def compile(self, model, name):
        path = self.folder / f"{name}.onnx"
        onnx.save(model, path)
        library = self.folder / f"{name}.so"
        subprocess.run(["nn-translate", path, "-o", library], check=True)
        return nnrt.load(library).session(threads=1)

    def report(self, name, problem):
        self.failures += bool(problem)
        if problem:
            print(f"FAIL {name}: {problem}")

    def choose(self, cases):
        """Names and cases that are to be run."""
        return [(name, case) for name, case in cases.items()
                if not self.chosen or name in self.chosen]

    def check_errors(self, cases, feed):
        """Cases are name: (text, values, what the error says); `feed(model, values)` gives the
        inputs."""
        for name, (text, values, message) in self.choose(cases):
            model = self.parse(text)
            self.count += 1
            try:
                self.compile(model, name).run(feed(model, values))
                self.report(name, "no error")
            except nnrt.Error as error:
                if message not in str(error):
                    self.report(name, f"'{error}' does not say '{message}'")

    def finish(self):
        """The exit status."""
        print(f"{self.count} runs, {self.failures} problems")
        return 1 if self.failures or not self.count else 0
