#!/usr/bin/env python3
# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Writes models whose weight lies in files outside, rightly and wrongly, into
the folder given."""
import os
import sys

import numpy as np
from onnx import TensorProto, helper, save

folder = sys.argv[1]
inside = os.path.join(folder, "model")
os.makedirs(os.path.join(inside, "weights"), exist_ok=True)
data = np.arange(4096 + 40, dtype=np.float32)
for path in ("model/weights/w.bin", "outside.bin"):
    data.tofile(os.path.join(folder, path))
link = os.path.join(inside, "link.bin")
if not os.path.lexists(link):
    os.symlink("../outside.bin", link)


def write(name, location, dims=(40,), data_type=TensorProto.FLOAT, **entries):
    weight = TensorProto(name="w", data_type=data_type, dims=dims)
    weight.data_location = TensorProto.EXTERNAL
    for key, value in dict(location=location, **entries).items():
        weight.external_data.add(key=key, value=str(value))
    graph = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["y"])], "graph", [],
        [helper.make_tensor_value_info("y", data_type, dims)], [weight])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]),
         os.path.join(inside, name + ".onnx"))


write("good", "weights/w.bin", offset=4096 * 4, length=160)
write("unaligned", "weights/w.bin", offset=4, length=160)
write("whole", "weights/w.bin", dims=(4136,))
write("missing", "weights/v.bin")
write("absolute", os.path.abspath(os.path.join(inside, "weights/w.bin")))
write("parent", "weights/../../outside.bin")
write("link", "link.bin")
write("folder", "weights")
write("device", "")
write("offset", "weights/w.bin", offset=4096 * 4 + 4)
write("overflow", "weights/w.bin", offset=2**64 - 4)
write("negative", "weights/w.bin", offset=-4)
write("length", "weights/w.bin", length=164)
write("huge", "weights/w.bin", dims=(2**40,))
