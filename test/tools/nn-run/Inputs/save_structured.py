# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""save_structured.py DIR: writes inputs of structured.mlir as ONNX's messages."""
import pathlib
import sys

import numpy as np
from onnx import numpy_helper

f32 = np.float32
for file, message in {
        "xs": numpy_helper.from_list([f32([[1, 2], [3, 4]]), f32([5]), np.array(6, f32)], "xs"),
        "bias": numpy_helper.from_array(np.array(1, f32), "bias"),
        "opt": numpy_helper.from_optional(f32([[1, 2, 3]]), "opt"),
        "more": numpy_helper.from_optional([np.int64([[7]])], "more"),
        "unnamed": numpy_helper.from_list([f32([1])])}.items():
    (pathlib.Path(sys.argv[1]) / f"{file}.pb").write_bytes(message.SerializeToString())
