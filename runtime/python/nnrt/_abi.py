# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""nnrt.h for ctypes: its structures, its functions, its errors."""

from __future__ import annotations

import ctypes as c
import functools
import os
import pathlib


class Error(RuntimeError):
    """What libnnrt reports.

    `code` is its nnrt_status_code, `name` the same in words, e.g. "DATA_LOSS".
    """

    NAMES = ("OK", "INVALID_ARGUMENT", "NOT_FOUND", "DATA_LOSS", "INCOMPATIBLE",
             "OUT_OF_MEMORY", "FAILED_PRECONDITION", "INTERNAL")

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code
        self.name = self.NAMES[code] if code < len(self.NAMES) else str(code)


class InvalidArgument(Error, ValueError):
    """An array or option that does not fit the model; the message names it."""

    def __init__(self, message: str):
        super().__init__(1, message)


class DataType(c.Structure):
    _fields_ = [("code", c.c_uint8), ("bits", c.c_uint8), ("lanes", c.c_uint16)]


class Tensor(c.Structure):
    """DLPack's DLTensor."""
    _fields_ = [("data", c.c_void_p), ("device_type", c.c_int32),
                ("device_id", c.c_int32), ("ndim", c.c_int32),
                ("dtype", DataType), ("shape", c.POINTER(c.c_int64)),
                ("strides", c.POINTER(c.c_int64)), ("byte_offset", c.c_uint64)]


class CTensorInfo(c.Structure):
    _fields_ = [("name", c.c_char_p), ("onnx_type", c.c_int32),
                ("dtype", DataType), ("rank", c.c_int32),
                ("dims", c.POINTER(c.c_int64)),
                ("dim_names", c.POINTER(c.c_char_p)), ("part", c.c_int),
                ("value", c.c_char_p)]


class SessionOptions(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("num_threads", c.c_int32),
                ("profile", c.c_int32)]


class CModuleMemoryInfo(c.Structure):
    _fields_ = [("weights", c.c_size_t), ("packed_weights", c.c_size_t),
                ("arena", c.c_char_p), ("num_data_dependent", c.c_uint32),
                ("device_arena", c.c_char_p)]


class CKernelInfo(c.Structure):
    _fields_ = [("kind", c.c_char_p), ("nodes", c.c_char_p),
                ("calls", c.c_uint64), ("total_ns", c.c_uint64)]


_P = c.c_void_p
_FUNCTIONS = {
    "nnrt_version": (c.c_char_p, []),
    "nnrt_status_get_code": (c.c_int, [_P]),
    "nnrt_status_message": (c.c_char_p, [_P]),
    "nnrt_status_free": (None, [_P]),
    "nnrt_module_open": (_P, [c.c_char_p, c.POINTER(_P)]),
    "nnrt_module_free": (None, [_P]),
    "nnrt_module_num_inputs": (c.c_size_t, [_P]),
    "nnrt_module_num_outputs": (c.c_size_t, [_P]),
    "nnrt_module_input": (_P, [_P, c.c_size_t, c.POINTER(CTensorInfo)]),
    "nnrt_module_output": (_P, [_P, c.c_size_t, c.POINTER(CTensorInfo)]),
    "nnrt_module_num_metadata": (c.c_size_t, [_P]),
    "nnrt_module_metadata": (_P, [_P, c.c_size_t, c.POINTER(c.c_char_p),
                                  c.POINTER(c.c_char_p)]),
    "nnrt_module_variant": (c.c_char_p, [_P]),
    "nnrt_module_memory": (_P, [_P, c.POINTER(CModuleMemoryInfo)]),
    "nnrt_session_create": (_P, [_P, c.POINTER(SessionOptions), c.POINTER(_P)]),
    "nnrt_session_free": (None, [_P]),
    # Arrays by their addresses: converting them costs more than the call.
    "nnrt_session_run": (_P, [_P, _P, c.c_size_t, _P, c.c_size_t, _P]),
    "nnrt_session_num_kernels": (c.c_size_t, [_P]),
    "nnrt_session_kernel": (_P, [_P, c.c_size_t, c.POINTER(CKernelInfo)]),
    "nnrt_session_reset_profile": (None, [_P]),
    "nnrt_session_memory": (c.c_size_t, [_P]),
}


def _find_library() -> str:
    chosen = os.environ.get("NNRT_LIBRARY")
    if chosen:
        return chosen
    above = pathlib.Path(__file__).resolve().parent.parent
    # In a bundle; <build>/lib beside <build>/python; <prefix>/lib around lib/python.
    for folder in above, above.parent / "lib", above.parent:
        for name in "libnnrt.so.0", "libnnrt.so":
            if (folder / name).exists():
                return str(folder / name)
    return "libnnrt.so.0"


@functools.lru_cache(maxsize=None)
def library() -> c.CDLL:
    path = _find_library()
    try:
        loaded = c.CDLL(path)
    except OSError as error:
        raise ImportError(f"cannot load libnnrt: {error}. Set NNRT_LIBRARY to the "
                          "path of libnnrt.so.") from None
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


def version() -> str:
    """The version of libnnrt, "major.minor.patch"."""
    return library().nnrt_version().decode()


def check(status: int | None) -> None:
    """Raises what a status says, and frees it."""
    if not status:
        return
    code = library().nnrt_status_get_code(status)
    message = library().nnrt_status_message(status).decode(errors="replace")
    library().nnrt_status_free(status)
    raise InvalidArgument(message) if code == 1 else Error(code, message)


class Handle:
    """Owns a module or session; arrays in a session's memory refer to it."""

    def __init__(self, pointer: int, free):
        self.pointer, self._free = pointer, free

    def __del__(self):
        self._free(self.pointer)
