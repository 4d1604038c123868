# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""DLPack's capsules, both ways, without a compiled extension."""

from __future__ import annotations

import ctypes as c

import numpy as np

from ._abi import DataType, InvalidArgument, Tensor
from ._types import BY_DTYPE

_CPU = 1
_NAME = b"dltensor"
_DELETER = c.CFUNCTYPE(None, c.c_void_p)
_DESTRUCTOR = c.PYFUNCTYPE(None, c.c_void_p)


class _ManagedTensor(c.Structure):
    _fields_ = [("tensor", Tensor), ("context", c.c_void_p), ("deleter", _DELETER)]


def _python(name, result, *arguments):
    return c.PYFUNCTYPE(result, *arguments)((name, c.pythonapi))


_new_capsule = _python("PyCapsule_New", c.py_object, c.c_void_p, c.c_char_p, _DESTRUCTOR)
_get_pointer = _python("PyCapsule_GetPointer", c.c_void_p, c.py_object, c.c_char_p)
# For a capsule that is being destroyed, which must not be referred to any more.
_is_valid = _python("PyCapsule_IsValid", c.c_int, c.c_void_p, c.c_char_p)
_get_dying_pointer = _python("PyCapsule_GetPointer", c.c_void_p, c.c_void_p, c.c_char_p)


def read(value, what: str) -> tuple[Tensor, object]:
    """The tensor that an object with __dlpack__ offers, and what must live as
    long as the tensor is used."""
    device, _ = value.__dlpack_device__()
    if device != _CPU:
        raise InvalidArgument(f"{what} is on DLPack device {int(device)}, only the "
                              "CPU (1) is supported")
    # The capsule is not consumed: it frees what it holds when it goes itself.
    capsule = value.__dlpack__()
    managed = c.cast(_get_pointer(capsule, _NAME), c.POINTER(_ManagedTensor))
    tensor = Tensor()
    c.memmove(c.byref(tensor), managed, c.sizeof(Tensor))
    return tensor, capsule


_exported: dict[int, tuple] = {}


@_DELETER
def _delete(address):
    _exported.pop(address, None)


@_DESTRUCTOR
def _destroy(capsule):
    if _is_valid(capsule, _NAME):  # Nobody has taken the tensor.
        _exported.pop(_get_dying_pointer(capsule, _NAME), None)


class DLPack:
    """An array for other frameworks, also of a type that numpy does not export:

        torch.from_dlpack(nnrt.DLPack(outputs["y"]))     # bfloat16, float8, ...

    The memory is shared, and kept until both sides have let go of it.
    """

    def __init__(self, array: np.ndarray):
        self._array = np.asarray(array)
        element = BY_DTYPE.get(self._array.dtype)
        if element is None or element.packed:
            raise TypeError(f"no DLPack tensor can be made of {self._array.dtype}")
        self._type = DataType(element.code, element.bits, 1)

    def __dlpack_device__(self) -> tuple[int, int]:
        return _CPU, 0

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        if stream is not None or (dl_device or (_CPU, 0)) != (_CPU, 0):
            raise BufferError("the array is on the CPU")
        array = self._array.copy() if copy else self._array
        dims = c.c_int64 * array.ndim
        shape = dims(*array.shape)
        strides = dims(*(s // array.itemsize for s in array.strides))
        managed = _ManagedTensor(
            Tensor(array.ctypes.data, _CPU, 0, array.ndim, self._type, shape, strides, 0),
            None, _delete)
        address = c.addressof(managed)
        _exported[address] = managed, shape, strides, array
        return _new_capsule(address, _NAME, _destroy)
