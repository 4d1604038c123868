# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Inputs and outputs of a model as values of Python: arrays, lists, None.

A sequence and an optional are several tensors of nnrt.h (nnrt_part says which)."""

from __future__ import annotations

import ctypes as c
from typing import Any, NamedTuple

import numpy as np

from . import _tensors, _types
from ._abi import CTensorInfo, InvalidArgument, check

# nnrt_part
_TENSOR, _PRESENT, _VALUE, _ELEMENTS, _SIZES, _ITEMS = range(6)


class TensorInfo(NamedTuple):
    """An input or output of a model."""
    name: str
    #: ONNX's name of the element type, e.g. "float32", "bfloat16".
    type: str
    #: The numpy type of its arrays.
    dtype: np.dtype
    #: A number, the name of a dimension that is known at run time only, or None.
    #: Inputs' dimensions of one name are equal in each run. None for a sequence,
    #: whose items have shapes of their own.
    shape: tuple[int | str | None, ...] | None
    #: "tensor": an array; "sequence": a list of arrays; "optional", "optional
    #: sequence": that or None.
    kind: str = "tensor"

    @property
    def is_static(self) -> bool:
        """All sizes are known."""
        return self.kind == "tensor" and all(isinstance(size, int) for size in self.shape)

    def __str__(self) -> str:
        kind = "" if self.kind == "tensor" else self.kind + " "
        if self.shape is None:
            return f"{self.name}: {kind}of {self.type}"
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name}: {kind}{self.type}[{sizes}]"


class Tensors(NamedTuple):
    """The tensors of one side of a model, and the values that they are."""
    #: By value, in the model's order.
    values: dict[str, TensorInfo]
    #: By tensor.
    infos: list[TensorInfo]
    elements: list[_types.ElementType]
    #: Positions by the tensors' names, and of values that are several tensors.
    at: dict[str, int]
    parts: dict[str, range]

    def owner(self, name: str) -> str:
        """The value that the tensor is, or is of."""
        at = self.at[name]
        return next((value for value, parts in self.parts.items() if at in parts), name)


def read_signature(module: int, count: int, get) -> Tensors:
    """Of the inputs or the outputs."""
    tensors = Tensors({}, [], [], {}, {})
    info = CTensorInfo()
    for index in range(count):
        check(get(module, index, c.byref(info)))
        element = _types.BY_ONNX[info.onnx_type]
        shape = tuple(
            info.dims[i] if info.dims[i] >= 0 else info.dim_names[i].decode() or None
            for i in range(info.rank))
        name, value = info.name.decode(), info.value.decode()
        tensor = TensorInfo(name, element.name, element.dtype, shape)
        tensors.infos.append(tensor)
        tensors.elements.append(element)
        tensors.at[name] = index
        if info.part == _TENSOR:
            tensors.values[name] = tensor
            continue
        first = tensors.parts[value].start if value in tensors.parts else index
        tensors.parts[value] = range(first, index + 1)
        optional = tensors.infos[first].name == f"{value}.present"
        if info.part == _VALUE:
            tensors.values[value] = tensor._replace(name=value, kind="optional")
        elif info.part == _ELEMENTS:
            kind = "optional sequence" if optional else "sequence"
            tensors.values[value] = tensor._replace(name=value, shape=None, kind=kind)
    return tensors


def split(value, info: TensorInfo, element: _types.ElementType, what: str) -> list[Any]:
    """The tensors of a sequence or an optional. The array of an optional is taken as
    it is; items are copied, but for a single one."""
    parts: list[Any] = []
    if info.kind.startswith("optional"):
        parts.append(np.array(value is not None))
    if info.shape is not None:
        if value is None:
            sizes = [size if isinstance(size, int) else 0 for size in info.shape]
            value = element.zeros(sizes)
        return parts + [value]
    if value is None and parts:
        value = ()
    if not isinstance(value, (list, tuple)):
        raise InvalidArgument(f"{what} takes a list of arrays, not "
                              f"{type(value).__name__} ({info})")
    items = [_tensors.as_elements(item, element, f"item {i} of {what}")
             for i, item in enumerate(value)]
    flat = [item.reshape(-1) for item in items]
    sizes = [size for item in items for size in item.shape]
    rows = [(item.ndim, item.size) for item in items]
    if len(flat) != 1:
        none = np.empty(0, element.raw or element.dtype)
        flat = [np.concatenate(flat) if flat else none]
    return parts + [flat[0], np.array(sizes, np.int64),
                    np.array(rows, np.int64).reshape(-1, 2)]


def join(arrays: list[np.ndarray], info: TensorInfo):
    """The value of such tensors; items are views."""
    if info.kind.startswith("optional"):
        if not arrays[0]:
            return None
        arrays = arrays[1:]
    if info.shape is not None:
        return arrays[0]
    elements, sizes, rows = arrays
    sizes = sizes.tolist()
    items, used, start = [], 0, 0
    for rank, count in rows.tolist():
        items.append(elements[start:start + count].reshape(sizes[used:used + rank]))
        used, start = used + rank, start + count
    return items
