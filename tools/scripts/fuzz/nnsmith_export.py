# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""nnsmith_export.py FOLDER SEED FIRST COUNT: writes models of NNSmith with random inputs,
INDEX.onnx and INDEX.npz. Says why there is none for an INDEX; exits with 1 if there are
none at all. Runs in the environment that has NNSmith and PyTorch."""

import functools
import pathlib
import random
import sys
import warnings

warnings.filterwarnings("ignore")

import numpy as np
import onnx
import torch
from nnsmith.abstract.extension import activate_ext
from nnsmith.error import InternalError
from nnsmith.graph_gen import model_gen
from nnsmith.materialize import Model
from nnsmith.narrow_spec import auto_opset

# The exporter that NNSmith was written for.
torch.onnx.export = functools.partial(torch.onnx.export, dynamo=False)
torch.set_num_threads(1)


def make(kind, opset, seed):
    """Without NNSmith's search for good inputs, which is limited by time: the same seed
    gives the same model."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    generator = model_gen(opset=opset, method="symbolic-cinit", seed=seed,
                          max_nodes=1 + seed % 12, max_elem_per_tensor=4096, timeout_ms=10000)
    model = kind.from_gir(generator.make_concrete())
    inputs = {name: x.detach().numpy() for name, x in model.torch_model.get_random_inps().items()}
    return model.get_onnx_from_torch(), inputs


def find_opset(kind):
    """The operators that the exporter takes. NNSmith tries each with random attributes, of
    which it refuses some itself."""
    for seed in range(20):
        random.seed(seed)
        try:
            return auto_opset(kind, None)
        except InternalError as error:
            reason = error
    raise reason


def main():
    folder, seed, first, count = pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:])
    folder.mkdir(parents=True, exist_ok=True)
    kind = Model.init("onnx", backend_target="cpu")
    kind.add_seed_setter()
    opset = find_opset(kind)
    activate_ext(opset=opset, factory=None)
    made = 0
    for index in range(first, first + count):
        try:
            # NNSmith takes seeds of 32 bits.
            model, inputs = make(kind, opset, (seed * 1000000 + index) % 2**32)
        except Exception as error:  # NNSmith's own, or the exporter's.
            print(f"{index}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
            continue
        names = {x.name for x in model.graph.input}
        np.savez(folder / f"{index}.npz", **{k: v for k, v in inputs.items() if k in names})
        onnx.save(model, folder / f"{index}.onnx")
        made += 1
    return 0 if made or not count else 1


sys.exit(main())
