# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Between arrays and the tensors of nnrt.h."""

from __future__ import annotations

import ctypes as c

import numpy as np

from . import _dlpack, _text, _types
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


def _make_array(value, element: _types.ElementType, what: str) -> np.ndarray:
    """Of a number or a list: without a type of its own, it gets the model's."""
    try:
        return np.asarray(value, None if hasattr(value, "dtype") else element.dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidArgument(f"{what}: no {element.name} array can be made of "
                              f"it: {error}") from None


def _find_type(dtype: np.dtype, element: _types.ElementType) -> _types.ElementType | None:
    """What arrays of that numpy type hold, where a model has `element`."""
    is_raw = element.raw is not None and dtype == element.raw
    return (element if is_raw else _types.BY_DTYPE.get(dtype)) if dtype.isnative else None


def _wrong_type(dtype: np.dtype, element: _types.ElementType, what: str) -> InvalidArgument:
    return InvalidArgument(f"{what} has numpy type {dtype}, the model has {element.name}")


def as_elements(value, element: _types.ElementType, what: str) -> np.ndarray:
    """An array of the model's type, of bits where numpy has no such type."""
    if not isinstance(value, np.ndarray) and hasattr(value, "__dlpack__"):
        tensor, owner = _dlpack.read(value, what)
        code, bits = tensor.dtype.code, tensor.dtype.bits
        if (code, bits) != (element.code, element.bits) or element.packed:
            raise InvalidArgument(f"{what} does not have the model's type "
                                  f"{element.name}")
        return _view_stored(tensor, element, owner)
    if not isinstance(value, np.ndarray):
        value = _make_array(value, element, what)
    if element.is_text:
        return value.astype(object)
    if _find_type(value.dtype, element) != element:
        raise _wrong_type(value.dtype, element, what)
    return value.view(element.raw) if element.raw else value


def describe(value, element: _types.ElementType, what: str, *,
             written: bool = False, stays: bool = False) -> tuple[Tensor, object]:
    """The tensor of an array, where it lies, and what keeps its memory.

    `written`: for an output. `stays`: later changes of the array must be seen, so
    that it cannot be copied.
    """
    if element.is_text and written:
        raise InvalidArgument(f"{what} cannot be bound: the session has the memory of strings")
    if not isinstance(value, np.ndarray) and hasattr(value, "__dlpack__"):
        return _dlpack.read(value, what)
    if not isinstance(value, np.ndarray):
        if written:
            raise InvalidArgument(f"{what} must be an array, not "
                                  f"{type(value).__name__}")
        value = _make_array(value, element, what)
    if written and not value.flags.writeable:
        raise InvalidArgument(f"{what} is bound to an array that is read-only")

    if element.is_text:
        return _text.describe(value, what)
    dtype = value.dtype
    given = _find_type(dtype, element)
    if given is None:
        raise _wrong_type(dtype, element, what)
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

    def __init__(self, address: int, shape: tuple[int, ...], typestr: str, owner,
                 strides: tuple[int, ...] | None = None):
        self.owner = owner
        self.__array_interface__ = {"version": 3, "data": (address, False),
                                    "shape": shape, "typestr": typestr,
                                    "strides": strides}


def _view_stored(tensor: Tensor, element: _types.ElementType, owner) -> np.ndarray:
    """An array in the memory of a tensor, of bits where numpy has no such type."""
    stored = element.raw or element.dtype
    shape = tuple(tensor.shape[:tensor.ndim])
    if 0 in shape:
        return np.empty(shape, stored)
    strides = None
    if tensor.strides:
        strides = tuple(size * stored.itemsize for size in tensor.strides[:tensor.ndim])
    return np.asarray(_Memory(tensor.data + tensor.byte_offset, shape, stored.str, owner,
                              strides))


def view(tensor: Tensor, element: _types.ElementType, owner) -> np.ndarray:
    """An array in the memory of a dense tensor, which refers to `owner`; of packed
    types and of strings a copy."""
    shape = tuple(tensor.shape[:tensor.ndim])
    if element.is_text:
        return _text.read(tensor)
    if element.packed and 0 not in shape:
        count = int(np.prod(shape))
        size = -(-count * element.bits // 8)
        packed = np.asarray(_Memory(tensor.data + tensor.byte_offset, (size,), "|u1", owner))
        return _types.unpack(packed, count, element).reshape(shape)
    array = _view_stored(tensor, element, owner)
    return array.view(element.dtype) if element.raw else array
