# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Compiled models and their sessions."""

from __future__ import annotations

import ctypes as c
import os
import threading
from typing import Any, Mapping, NamedTuple

import numpy as np

from . import _tensors, _types
from ._abi import (CKernelInfo, CModuleMemoryInfo, CTensorInfo, Handle, InvalidArgument,
                   SessionOptions, Tensor, check, library)


class TensorInfo(NamedTuple):
    """An input or output of a model."""
    name: str
    #: ONNX's name of the element type, e.g. "float32", "bfloat16".
    type: str
    #: The numpy type of its arrays.
    dtype: np.dtype
    #: A number, the name of a dimension that is known at run time only, or None.
    #: Inputs' dimensions of one name are equal in each run.
    shape: tuple[int | str | None, ...]

    @property
    def is_static(self) -> bool:
        """All sizes are known."""
        return all(isinstance(size, int) for size in self.shape)


class ModelMemory(NamedTuple):
    """What a model needs of memory, in bytes."""
    #: The constants, mapped from the file and shared by all who open it.
    weights: int
    #: Copies of constants in oneDNN's formats that runs have made so far.
    packed_weights: int
    #: What a session needs, as a formula of the inputs' dimensions; "" if none.
    arena: str
    #: How many more buffers a run takes, of sizes that depend on its data.
    data_dependent: int


class KernelTime(NamedTuple):
    """Where the time of a profiled session went."""
    #: How it is computed, e.g. "onednn.convolution".
    kind: str
    #: The ONNX nodes, joined by " + ".
    nodes: str
    calls: int
    seconds: float


def load(path: str | os.PathLike) -> Model:
    """Opens a compiled model. It may be used by many threads.

    Raises Error: the file is missing, damaged, or not for this machine.
    """
    pointer = c.c_void_p()
    check(library().nnrt_module_open(os.fsencode(path), c.byref(pointer)))
    return Model(Handle(pointer.value, library().nnrt_module_free), os.fspath(path))


class Model:
    """A compiled model; made by `load`."""

    #: In the model's order, by name.
    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]
    #: ONNX's metadata_props.
    metadata: dict[str, str]

    def __init__(self, handle: Handle, path: str):
        self._handle, self.path = handle, path
        module, lib = handle.pointer, library()
        self._input_types: list[_types.ElementType] = []
        self._output_types: list[_types.ElementType] = []
        self.inputs = self._signature(lib.nnrt_module_num_inputs(module),
                                      lib.nnrt_module_input, self._input_types)
        self.outputs = self._signature(lib.nnrt_module_num_outputs(module),
                                       lib.nnrt_module_output, self._output_types)
        self.metadata = {}
        key, value = c.c_char_p(), c.c_char_p()
        for index in range(lib.nnrt_module_num_metadata(module)):
            check(lib.nnrt_module_metadata(module, index, c.byref(key), c.byref(value)))
            self.metadata[key.value.decode()] = value.value.decode()

    def _signature(self, count, get, types) -> dict[str, TensorInfo]:
        signature = {}
        info = CTensorInfo()
        for index in range(count):
            check(get(self._handle.pointer, index, c.byref(info)))
            element = _types.BY_ONNX[info.onnx_type]
            shape = tuple(
                info.dims[i] if info.dims[i] >= 0 else info.dim_names[i].decode() or None
                for i in range(info.rank))
            name = info.name.decode()
            signature[name] = TensorInfo(name, element.name, element.dtype, shape)
            types.append(element)
        return signature

    @property
    def variant(self) -> str:
        """The code that was chosen for this CPU, e.g. "x86-64-v4"."""
        return library().nnrt_module_variant(self._handle.pointer).decode()

    @property
    def memory(self) -> ModelMemory:
        """What the model needs of memory; for a session, see Session.memory."""
        info = CModuleMemoryInfo()
        check(library().nnrt_module_memory(self._handle.pointer, c.byref(info)))
        return ModelMemory(info.weights, info.packed_weights, info.arena.decode(),
                           info.num_data_dependent)

    def session(self, threads: int = 0, profile: bool = False) -> Session:
        """What one thread needs to run the model, which computes with `threads`
        threads (0: one per core). `profile` makes Session.profile() work."""
        return Session(self, threads, profile)

    def __repr__(self) -> str:
        def text(signature):
            return ", ".join(
                f"{t.name}: {t.type}[{', '.join('?' if d is None else str(d) for d in t.shape)}]"
                for t in signature.values())
        return f"<nnrt.Model {self.path!r} ({text(self.inputs)}) -> ({text(self.outputs)})>"


class _Bound(NamedTuple):
    tensor: Tensor
    owner: Any


class Session:
    """Runs a model; made by `Model.session`. One run at a time: a second thread
    waits for the first."""

    def __init__(self, model: Model, threads: int, profile: bool):
        self.model = model
        options = SessionOptions(c.sizeof(SessionOptions), threads, profile)
        pointer = c.c_void_p()
        check(library().nnrt_session_create(model._handle.pointer, c.byref(options),
                                            c.byref(pointer)))
        self._handle = Handle(pointer.value, library().nnrt_session_free)
        self._run = library().nnrt_session_run
        self._lock = threading.Lock()
        # Positions by name, and for each position its name and type.
        self._input_at = {name: i for i, name in enumerate(model.inputs)}
        self._output_at = {name: i for i, name in enumerate(model.outputs)}
        self._output_names = list(model.outputs)
        self._fixed = [tuple(t.shape) if t.is_static else None
                       for t in model.outputs.values()]
        # What the C API sees, and what is bound: tensors with the owners of their
        # memory, or None where the memory is the session's.
        self._inputs, self._outputs = self._tensors()
        self._bound_inputs: list[_Bound | None] = [None] * len(model.inputs)
        self._bound_outputs: list[_Bound | None] = [None] * len(model.outputs)
        self._unbound = set(model.inputs)
        self._arguments = self._call(self._inputs, self._outputs)
        # Pairs of an output and an input, all of them and those that are due.
        self._feeds: list[tuple[int, int]] = []
        self._due: list[tuple[int, int]] = []

    def _tensors(self):
        return ((Tensor * len(self.model.inputs))(), (Tensor * len(self.model.outputs))())

    def _call(self, inputs, outputs):
        return (self._handle.pointer, c.addressof(inputs), len(inputs),
                c.addressof(outputs), len(outputs), None)

    #===--- Single runs

    def run(self, inputs: Mapping[str, Any], copy: bool = True) -> dict[str, np.ndarray]:
        """Runs the model; its outputs by name.

        With `copy`, outputs are new arrays, written by the model itself where
        their shape is static. Without, outputs of dynamic shape are views on the
        session's memory: valid until its next run, even when the session is gone.

        Raises InvalidArgument where the inputs do not fit; Error where the model
        fails. The session stays usable.
        """
        missing = [name for name in self._input_at if name not in inputs]
        if missing:
            raise InvalidArgument(f"no value for input {_list(missing)}")
        tensors, results = self._tensors()
        owners = []
        types = self.model._input_types
        for name, value in inputs.items():
            at = self._find(self._input_at, name, "input")
            tensors[at], owner = _tensors.describe(value, types[at], f"input '{name}'")
            owners.append(owner)
        arrays: list[np.ndarray | None] = []
        for at, shape in enumerate(self._fixed):
            element = self.model._output_types[at]
            if shape is None or element.packed:
                arrays.append(None)
                continue
            array = np.empty(shape, element.dtype)
            results[at], _ = _tensors.describe(array, element, "output")
            arrays.append(array)
        with self._lock:
            check(self._run(*self._call(tensors, results)))
            for at, array in enumerate(arrays):
                if array is None:
                    array = _tensors.view(results[at], self.model._output_types[at],
                                          self._handle)
                    arrays[at] = array.copy() if copy else array
        return dict(zip(self._output_names, arrays))

    #===--- Runs of bound arrays

    def bind(self, arrays: Mapping[str, Any]) -> None:
        """Lets `run_bound` read inputs from, and write outputs to, these arrays
        (by name; a name that is both means the input). They stay bound until
        others are. What is in an array counts when it runs; only arrays of 4-bit
        and 2-bit types and plain numbers are copied here. None unbinds an output.

        An output that is bound must be row-major and have the result's type and
        shape; one that is not bound is allocated by the session.
        """
        inputs: dict[str, _Bound] = {}
        outputs: dict[str, _Bound | None] = {}
        for name, value in arrays.items():
            if name in self._input_at:
                element = self.model._input_types[self._input_at[name]]
                inputs[name] = _Bound(*_tensors.describe(
                    value, element, f"input '{name}'", stays=True))
                continue
            element = self.model._output_types[
                self._find(self._output_at, name, "input or output")]
            outputs[name] = None if value is None else _Bound(*_tensors.describe(
                value, element, f"output '{name}'", written=True))
        with self._lock:
            for name, bound in inputs.items():
                at = self._input_at[name]
                self._bound_inputs[at], self._inputs[at] = bound, bound.tensor
                self._due = [pair for pair in self._due if pair[1] != at]
            for name, bound in outputs.items():
                at = self._output_at[name]
                self._bound_outputs[at] = bound
                self._outputs[at] = bound.tensor if bound else Tensor()
            self._unbound.difference_update(inputs)

    def feed_back(self, pairs: Mapping[str, str]) -> None:
        """From now on, each run_bound takes an input from an output of the last
        one: {"output": "input"}. The first run takes what is bound to the input,
        and so does a run after binding the input anew.

        Nothing is copied. If the output is bound, the two arrays change roles
        with each run; else the session has the memory, and sizes may change.
        `output()` tells where a result is.
        """
        feeds = [(self._find(self._output_at, o, "output"),
                  self._find(self._input_at, i, "input")) for o, i in pairs.items()]
        for output, at in feeds:
            given, wanted = self.model._output_types[output], self.model._input_types[at]
            if given != wanted:
                raise InvalidArgument(
                    f"output '{self._output_names[output]}' has element type "
                    f"{given.name}, input '{list(self._input_at)[at]}' {wanted.name}")
        with self._lock:
            self._feeds, self._due = feeds, []

    def run_bound(self) -> None:
        """Runs the model on what is bound; `output()` gives the results."""
        with self._lock:
            if self._unbound:
                raise InvalidArgument(f"nothing is bound to input "
                                      f"{_list(sorted(self._unbound))}")
            if self._due:
                self._feed()
            status = self._run(*self._arguments)
            if status:
                check(status)
            if self._feeds:
                self._due = self._feeds

    def output(self, name: str) -> np.ndarray:
        """The result of the last run_bound: the array that it was written to, or a
        view on the session's memory, valid until the next run, even when the
        session is gone."""
        at = self._find(self._output_at, name, "output")
        bound = self._bound_outputs[at]
        if bound and isinstance(bound.owner, np.ndarray):
            return bound.owner
        tensor = self._outputs[at]
        if not tensor.data:
            raise InvalidArgument(f"there is no output '{name}' before a run")
        return _tensors.view(tensor, self.model._output_types[at],
                             bound.owner if bound else self._handle)

    def _feed(self) -> None:
        for output, at in self._due:
            source = self._bound_outputs[output]
            if source is None:
                # The session gives the new output other memory than this.
                self._inputs[at], self._bound_inputs[at] = self._outputs[output], None
                continue
            free = self._bound_inputs[at]
            if free is None or (isinstance(free.owner, np.ndarray)
                                and not free.owner.flags.writeable):
                raise InvalidArgument(
                    f"output '{self._output_names[output]}' is bound and fed back; "
                    f"input '{list(self._input_at)[at]}' must then be bound to an "
                    "array of the same shape that may be written")
            self._inputs[at], self._bound_inputs[at] = source.tensor, source
            self._outputs[output], self._bound_outputs[output] = free.tensor, free
        self._due = []

    #===--- The rest

    def profile(self) -> list[KernelTime]:
        """The times of the kernels in all runs so far, in the order of the first
        run; empty unless the session was created with `profile`."""
        with self._lock:
            lib, session, info, times = library(), self._handle.pointer, CKernelInfo(), []
            for index in range(lib.nnrt_session_num_kernels(session)):
                check(lib.nnrt_session_kernel(session, index, c.byref(info)))
                times.append(KernelTime(info.kind.decode(), info.nodes.decode(),
                                        info.calls, info.total_ns * 1e-9))
            return times

    def reset_profile(self) -> None:
        """Sets all times to zero."""
        with self._lock:
            library().nnrt_session_reset_profile(self._handle.pointer)

    @property
    def memory(self) -> int:
        """Bytes that the session holds, without the model's weights."""
        with self._lock:
            return library().nnrt_session_memory(self._handle.pointer)

    @staticmethod
    def _find(positions: dict[str, int], name: str, what: str) -> int:
        at = positions.get(name)
        if at is None:
            raise InvalidArgument(f"the model has no {what} '{name}'; it has "
                                  f"{_list(positions)}")
        return at


def _list(names) -> str:
    return ", ".join(f"'{name}'" for name in names) or "none"
