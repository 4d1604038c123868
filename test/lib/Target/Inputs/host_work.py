# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Prints what the host does in a run of each model that is compiled for GPUs.

  host_work.py FOLDER     its .onnx files

For a model: the numbers of copies to and from the device, and the kernels of the runtime,
which read and write the host's memory.
"""
import collections
import pathlib
import re
import subprocess
import sys

for model in sorted(pathlib.Path(sys.argv[1]).glob("*.onnx")):
    imported = subprocess.run(["nn-translate", "--import-onnx", model],
                              stdout=subprocess.PIPE, check=True)
    lowered = subprocess.run(["nn-opt", "--compile-to=bufferize target=cuda"],
                             input=imported.stdout, stdout=subprocess.PIPE, check=True)
    table = re.search(r"nn\.kernels = \[(.*?)\], nn\.", lowered.stdout.decode()).group(1)
    kinds = collections.Counter(re.findall(r'\["([^"]*)", ', table))
    calls = re.findall(r"rt\.call (\w+)", lowered.stdout.decode())
    print(f"{model.stem}: {kinds['copy.to_device']} to device,",
          f"{kinds['copy.from_device']} from device, host:", *(sorted(calls) or ["nothing"]))
