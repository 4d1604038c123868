# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""libnnrt for Python: compiled models on numpy arrays.

    model = nnrt.Model("model.so")
    outputs = model.run({"x": array})          # arrays by ONNX name

The library is found by NNRT_LIBRARY, else where the build or the installation
puts it, seen from this file, else by the system.
"""

import ctypes as c
import os
import pathlib

import numpy as np

_DLPACK_KINDS = {"i": 0, "u": 1, "f": 2, "c": 5, "b": 6}


class Error(RuntimeError):
    """What libnnrt reports; `code` is its nnrt_status_code."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class _DataType(c.Structure):
    _fields_ = [("code", c.c_uint8), ("bits", c.c_uint8), ("lanes", c.c_uint16)]


class _Tensor(c.Structure):
    _fields_ = [("data", c.c_void_p), ("device_type", c.c_int32),
                ("device_id", c.c_int32), ("ndim", c.c_int32),
                ("dtype", _DataType), ("shape", c.POINTER(c.c_int64)),
                ("strides", c.POINTER(c.c_int64)), ("byte_offset", c.c_uint64)]


class _TensorInfo(c.Structure):
    _fields_ = [("name", c.c_char_p), ("onnx_type", c.c_int32),
                ("dtype", _DataType), ("rank", c.c_int32),
                ("dims", c.POINTER(c.c_int64)),
                ("dim_names", c.POINTER(c.c_char_p))]


class _SessionOptions(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("num_threads", c.c_int32),
                ("profile", c.c_int32)]


def _load():
    here = pathlib.Path(__file__).resolve().parent
    candidates = [os.environ.get("NNRT_LIBRARY"),
                  here.parent.parent / "build" / "lib" / "libnnrt.so",
                  here.parent / "libnnrt.so"]
    path = next((str(p) for p in candidates if p and os.path.exists(p)),
                "libnnrt.so")
    library = c.CDLL(path)
    handle, status = c.c_void_p, c.c_void_p
    for name, result, arguments in [
            ("nnrt_status_get_code", c.c_int, [status]),
            ("nnrt_status_message", c.c_char_p, [status]),
            ("nnrt_status_free", None, [status]),
            ("nnrt_module_open", status, [c.c_char_p, c.POINTER(handle)]),
            ("nnrt_module_free", None, [handle]),
            ("nnrt_module_num_inputs", c.c_size_t, [handle]),
            ("nnrt_module_num_outputs", c.c_size_t, [handle]),
            ("nnrt_module_input", status, [handle, c.c_size_t, c.POINTER(_TensorInfo)]),
            ("nnrt_module_output", status, [handle, c.c_size_t, c.POINTER(_TensorInfo)]),
            ("nnrt_module_find_metadata", c.c_char_p, [handle, c.c_char_p]),
            ("nnrt_session_create", status,
             [handle, c.POINTER(_SessionOptions), c.POINTER(handle)]),
            ("nnrt_session_free", None, [handle]),
            ("nnrt_session_run", status,
             [handle, c.POINTER(_Tensor), c.c_size_t, c.POINTER(_Tensor),
              c.c_size_t, c.c_void_p])]:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


_library = None


def _check(status):
    if not status:
        return
    code = _library.nnrt_status_get_code(status)
    message = _library.nnrt_status_message(status).decode()
    _library.nnrt_status_free(status)
    raise Error(code, message)


class Model:
    """A compiled model with one session. `threads` 0 means one per core."""

    def __init__(self, path, threads=0):
        global _library
        self._module, self._session = c.c_void_p(), c.c_void_p()
        if _library is None:
            _library = _load()
        _check(_library.nnrt_module_open(os.fsencode(path), c.byref(self._module)))
        options = _SessionOptions(c.sizeof(_SessionOptions), threads, 0)
        _check(_library.nnrt_session_create(self._module, c.byref(options),
                                            c.byref(self._session)))
        self.inputs = self._names(_library.nnrt_module_num_inputs,
                                  _library.nnrt_module_input)
        self.outputs = self._names(_library.nnrt_module_num_outputs,
                                   _library.nnrt_module_output)

    def __del__(self):
        if _library is not None:
            _library.nnrt_session_free(self._session)
            _library.nnrt_module_free(self._module)

    def _names(self, count, get):
        names = []
        for index in range(count(self._module)):
            info = _TensorInfo()
            _check(get(self._module, index, c.byref(info)))
            names.append(info.name.decode())
        return names

    def metadata(self, key):
        """The value of a key of the model's metadata, or None."""
        value = _library.nnrt_module_find_metadata(self._module, key.encode())
        return None if value is None else value.decode()

    def prepare(self, inputs):
        """A function that runs the model on these arrays, for timing: it makes
        no arrays of its outputs."""
        missing = [name for name in self.inputs if name not in inputs]
        if missing:
            raise ValueError(f"no value for the inputs {', '.join(missing)}")
        # ascontiguousarray would make a vector of a scalar.
        arrays = [np.asarray(inputs[name], order="C") for name in self.inputs]
        shapes = [(c.c_int64 * a.ndim)(*a.shape) for a in arrays]
        tensors = (_Tensor * len(arrays))()
        for tensor, array, shape in zip(tensors, arrays, shapes):
            bits = array.dtype.itemsize * 8
            tensor.data = array.ctypes.data
            tensor.device_type = 1
            tensor.ndim = array.ndim
            tensor.dtype = _DataType(_DLPACK_KINDS[array.dtype.kind], bits, 1)
            tensor.shape = shape
        results = (_Tensor * len(self.outputs))()

        def run(keep=(arrays, shapes)):
            for result in results:
                result.data = None
            _check(_library.nnrt_session_run(
                self._session, tensors, len(tensors), results, len(results), None))
            return results

        return run

    def run(self, inputs):
        """Outputs by name, as new arrays."""
        results = self.prepare(inputs)()
        return {name: _to_numpy(result)
                for name, result in zip(self.outputs, results)}


def _to_numpy(tensor):
    shape = tuple(tensor.shape[:tensor.ndim])
    kind = {code: k for k, code in _DLPACK_KINDS.items()}.get(tensor.dtype.code)
    if kind is None or tensor.dtype.bits % 8:
        raise TypeError(f"numpy has no type for DLPack's {tensor.dtype.code}, "
                        f"{tensor.dtype.bits} bits")
    dtype = np.dtype(f"{kind}{tensor.dtype.bits // 8}")
    size = int(np.prod(shape)) * dtype.itemsize
    if size == 0:
        return np.empty(shape, dtype)
    data = c.string_at(tensor.data + tensor.byte_offset, size)
    return np.frombuffer(data, dtype).reshape(shape)
