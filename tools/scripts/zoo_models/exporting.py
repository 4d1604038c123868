# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Exports modules of PyTorch by both of its exporters, with random weights."""

import logging

EXPORTERS = "torchscript", "dynamo"


def export(model, arguments, names, axes, path, exporter, opset=None):
    """`axes`: the dynamic sizes, as {input: {axis: name}}. Returns the inputs by name."""
    import torch
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    model = model.eval()
    common = {"input_names": names}
    if exporter == "torchscript":
        common |= {"dynamic_axes": axes, "opset_version": opset or 17, "dynamo": False,
                   "do_constant_folding": True}
    else:
        sizes = tuple({axis: torch.export.Dim.DYNAMIC for axis in axes.get(name, {})}
                      for name in names)
        if getattr(model, "takes_any", False):
            sizes = (sizes,)
        common |= {"dynamic_shapes": sizes, "dynamo": True, "external_data": False,
                   "opset_version": opset or 20}
    with torch.no_grad():
        torch.onnx.export(model, arguments, str(path), **common)
    return {name: value.numpy() for name, value in zip(names, arguments)}


def wrap(model, function):
    """A module whose results are function(model, arguments...), which are tensors."""
    import torch

    class Wrapped(torch.nn.Module):
        takes_any = True

        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, *arguments):
            return function(self.model, *arguments)

    # The exporters find out the number of arguments from the signature.
    return Wrapped()


def seeded():
    import torch
    torch.manual_seed(0)
    return torch


def both(name, build, **options):
    """A model for each exporter; build() gives a module, its arguments and their names and
    dynamic axes."""
    for exporter in EXPORTERS:
        def function(path, exporter=exporter):
            seeded()
            return export(*build(), path, exporter, **options)
        yield f"{name}-{exporter}", function
