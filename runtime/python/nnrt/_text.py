# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Between arrays of strings and tensors of nnrt_string: an address and a size each."""

from __future__ import annotations

import ctypes as c

import numpy as np

from ._abi import DataType, InvalidArgument, Tensor

_CPU, _HANDLE = 1, 3
_ROW = np.dtype([("data", np.uint64), ("size", np.uint64)])


def _encode(text, index: int, what: str) -> bytes:
    if isinstance(text, bytes):
        return text
    if not isinstance(text, str):
        raise InvalidArgument(f"{what} has strings, but element {index} is of type "
                              f"{type(text).__name__}")
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"{what}: element {index} is not UTF-8: {error}") from None


def describe(array: np.ndarray, what: str) -> tuple[Tensor, object]:
    """The tensor of an array of str or bytes, and what keeps its memory: a copy."""
    if array.dtype.kind not in "OUST":
        raise InvalidArgument(f"{what} has numpy type {array.dtype}, the model has string")
    texts = [_encode(text, i, what) for i, text in enumerate(array.reshape(-1).tolist())]
    sizes = np.array([len(text) for text in texts], np.uint64)
    blob = np.frombuffer(b"".join(texts) or b"\0", np.uint8)
    rows = np.empty(max(len(texts), 1), _ROW)
    rows["size"][:len(texts)] = sizes
    rows["data"][:len(texts)] = blob.ctypes.data + np.cumsum(sizes) - sizes
    dims = c.c_int64 * array.ndim
    tensor = Tensor(rows.ctypes.data, _CPU, 0, array.ndim,
                    DataType(_HANDLE, 8 * _ROW.itemsize, 1), dims(*array.shape), None, 0)
    return tensor, (rows, blob)


def read(tensor: Tensor) -> np.ndarray:
    """The strings of a dense tensor, as objects."""
    shape = tuple(tensor.shape[:tensor.ndim])
    array = np.empty(shape, object)
    flat = array.reshape(-1)
    rows = (c.c_uint64 * (2 * array.size)).from_address(tensor.data + tensor.byte_offset) \
        if array.size else ()
    for i in range(array.size):
        flat[i] = c.string_at(rows[2 * i], rows[2 * i + 1]).decode()
    return array
