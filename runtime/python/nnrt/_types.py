# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Element types: ONNX's numbers, DLPack's codes, numpy's types."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

try:
    import ml_dtypes
except ImportError:
    ml_dtypes = None


class ElementType(NamedTuple):
    name: str
    code: int  # DLPack's
    bits: int
    dtype: np.dtype  # of arrays of values
    raw: np.dtype | None  # of arrays of bits, where numpy has no type of its own

    @property
    def packed(self) -> bool:
        """Several elements lie in a byte of the model's tensors."""
        return self.bits < 8

    @property
    def is_text(self) -> bool:
        """Strings: nnrt_string for the model, objects for Python."""
        return self.code == _HANDLE

    def zeros(self, shape) -> np.ndarray:
        return np.full(shape, "", object) if self.is_text else np.zeros(shape, self.dtype)


_INT, _UINT, _FLOAT, _HANDLE, _BFLOAT, _COMPLEX, _BOOL = 0, 1, 2, 3, 4, 5, 6


def _plain(name: str, code: int) -> ElementType:
    dtype = np.dtype(name)
    return ElementType(name, code, dtype.itemsize * 8, dtype, None)


def _special(name: str, code: int, bits: int, without: str) -> ElementType:
    raw = np.dtype(without)
    dtype = np.dtype(getattr(ml_dtypes, name)) if hasattr(ml_dtypes, name) else raw
    return ElementType(name, code, bits, dtype, raw)


BY_ONNX = {
    1: _plain("float32", _FLOAT), 2: _plain("uint8", _UINT), 3: _plain("int8", _INT),
    4: _plain("uint16", _UINT), 5: _plain("int16", _INT), 6: _plain("int32", _INT),
    7: _plain("int64", _INT), 8: ElementType("string", _HANDLE, 128, np.dtype(object), None),
    9: _plain("bool", _BOOL), 10: _plain("float16", _FLOAT),
    11: _plain("float64", _FLOAT), 12: _plain("uint32", _UINT),
    13: _plain("uint64", _UINT), 14: _plain("complex64", _COMPLEX),
    15: _plain("complex128", _COMPLEX),
    16: _special("bfloat16", _BFLOAT, 16, "uint16"),
    17: _special("float8_e4m3fn", 10, 8, "uint8"),
    18: _special("float8_e4m3fnuz", 11, 8, "uint8"),
    19: _special("float8_e5m2", 12, 8, "uint8"),
    20: _special("float8_e5m2fnuz", 13, 8, "uint8"),
    21: _special("uint4", _UINT, 4, "uint8"), 22: _special("int4", _INT, 4, "int8"),
    23: _special("float4_e2m1fn", 17, 4, "uint8"),
    24: _special("float8_e8m0fnu", 14, 8, "uint8"),
    25: _special("uint2", _UINT, 2, "uint8"), 26: _special("int2", _INT, 2, "int8"),
}

BY_DTYPE = {t.dtype: t for t in BY_ONNX.values()
            if not t.is_text and (t.raw is None or t.dtype != t.raw)}


def pack(values: np.ndarray, bits: int) -> np.ndarray:
    """Bytes with 8 / bits elements each, the first in the lowest bits."""
    per_byte = 8 // bits
    flat = values.reshape(-1).view(np.uint8) & ((1 << bits) - 1)
    flat = np.pad(flat, (0, -flat.size % per_byte)).reshape(-1, per_byte)
    shifts = np.arange(per_byte, dtype=np.uint8) * bits
    return np.bitwise_or.reduce(flat << shifts, axis=1).astype(np.uint8)


def unpack(packed: np.ndarray, count: int, element: ElementType) -> np.ndarray:
    """The elements of such bytes, one a byte."""
    bits = element.bits
    shifts = np.arange(8 // bits, dtype=np.uint8) * bits
    codes = ((packed[:, None] >> shifts) & ((1 << bits) - 1)).reshape(-1)[:count]
    if element.code == _INT:  # Extend the sign.
        codes = (codes << (8 - bits)).astype(np.uint8).view(np.int8) >> (8 - bits)
    # ml_dtypes' types hold an element a byte, in its low bits.
    return codes.view(element.dtype)
