# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Writes ONNX's node tests, which the package onnx makes in Python, to folders.

  generate.py DIR [N]   DIR/<test>/model.onnx, DIR/<test>/test_data_set_0/input_0.pb;
                        only each N-th test
"""
import pathlib
import sys
import warnings

warnings.simplefilter("ignore")
from onnx import TensorProto, numpy_helper
from onnx.backend.test.loader import load_model_tests


def to_proto(value, info):
    kind = info.type.WhichOneof("value")
    if isinstance(value, TensorProto):
        return value
    if kind == "sequence_type":
        return numpy_helper.from_list(value, info.name)
    if kind == "optional_type":
        return numpy_helper.from_optional(value, info.name)
    return numpy_helper.from_array(value, info.name)


def main():
    root = pathlib.Path(sys.argv[1])
    every = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for case in load_model_tests(kind="node")[::every]:
        folder = root / case.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.onnx").write_bytes(case.model.SerializeToString())
        for i, (inputs, outputs) in enumerate(case.data_sets):
            data = folder / f"test_data_set_{i}"
            data.mkdir(exist_ok=True)
            graph = case.model.graph
            for prefix, values, infos in (("input", inputs, graph.input),
                                          ("output", outputs, graph.output)):
                for j, (value, info) in enumerate(zip(values, infos)):
                    (data / f"{prefix}_{j}.pb").write_bytes(
                        to_proto(value, info).SerializeToString())


if __name__ == "__main__":
    main()
