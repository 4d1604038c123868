# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Between arrays and the tensors of nnrt.h."""

from __future__ import annotations

import ctypes as c

import numpy as np

from . import _dlpack, _types
from ._abi import DataType, InvalidArgument, Tensor

_CPU = 1


def _pack(array: np.ndarray, element: _types.ElementType, what: str) -> np.ndarray:
    if array.dtype == element.raw and array.size and element.name != "float4_e2m1fn":
        low = -(1 << (element.bits - 1)) if element.raw.kind == "i" else 0
        high = low + (1 << element.bits) - 1
        if array.min() < low or array.max() > high:
            raise InvalidArgument(f"{what} has values outside of {element.name}'s "
                                  f"{low} to {high}")
    return _types.pack(np.ascontiguousarray(array), element.bits)


def describe(value, element: _types.ElementType, what: str, *,
             written: bool = False, stays: bool = False) -> tuple[Tensor, object]:
    """The tensor of an array, where it lies, and what keeps its memory.

    `written`: for an output. `stays`: later changes of the array must be seen, so
    that it cannot be copied.
    """
    if not isinstance(value, np.ndarray) and hasattr(value, "__dlpack__"):
        return _dlpack.read(value, what)
    if not isinstance(value, np.ndarray):
        if written:
            raise InvalidArgument(f"{what} must be an array, not "
                                  f"{type(value).__name__}")
        # A number, a list: without a type of its own, so it gets the model's.
        try:
            value = np.asarray(value, None if hasattr(value, "dtype") else element.dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidArgument(f"{what}: no {element.name} array can be made of "
                                  f"it: {error}") from None
    if written and not value.flags.writeable:
        raise InvalidArgument(f"{what} is bound to an array that is read-only")

    dtype = value.dtype
    is_raw = element.raw is not None and dtype == element.raw
    given = element if is_raw else _types.BY_DTYPE.get(dtype)
    if given is None or not dtype.isnative:
        raise InvalidArgument(f"{what} has numpy type {dtype}, the model has "
                              f"{element.name}")
    shape = value.shape
    strides = value.strides
    if given.packed:
        if written:
            raise InvalidArgument(f"{what} cannot be bound: numpy has an element of "
                                  f"{given.name} a byte, the model has several")
        value = _pack(value, given, what)
        strides = None
    elif any(s % dtype.itemsize for s in strides):
        if written or stays:
            raise InvalidArgument(f"{what} has strides that are not whole elements")
        value = np.ascontiguousarray(value).reshape(shape)
        strides = value.strides
    rank = len(shape)
    dims = c.c_int64 * rank
    tensor = Tensor(value.__array_interface__["data"][0], _CPU, 0, rank,
                    DataType(given.code, given.bits, 1), dims(*shape), None, 0)
    if strides is not None and not value.flags.c_contiguous:
        tensor.strides = dims(*(s // dtype.itemsize for s in strides))
    return tensor, value


class _Memory:
    """Memory that is someone else's, for numpy."""

    def __init__(self, address: int, shape: tuple[int, ...], typestr: str, owner):
        self.owner = owner
        self.__array_interface__ = {"version": 3, "data": (address, False),
                                    "shape": shape, "typestr": typestr}


def view(tensor: Tensor, element: _types.ElementType, owner) -> np.ndarray:
    """An array in the memory of a dense tensor, which refers to `owner`; of packed
    types a copy."""
    shape = tuple(tensor.shape[:tensor.ndim])
    if 0 in shape:
        return np.empty(shape, element.dtype)
    address = tensor.data + tensor.byte_offset
    if element.packed:
        count = int(np.prod(shape))
        size = -(-count * element.bits // 8)
        packed = np.asarray(_Memory(address, (size,), "|u1", owner))
        return _types.unpack(packed, count, element).reshape(shape)
    stored = element.raw or element.dtype
    array = np.asarray(_Memory(address, shape, stored.str, owner))
    return array.view(element.dtype) if element.raw else array
