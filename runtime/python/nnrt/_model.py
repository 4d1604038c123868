# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Compiled models and their sessions."""

from __future__ import annotations

import ctypes as c
import os
import threading
from typing import Any, Mapping, NamedTuple

import numpy as np

from . import _tensors, _values
from ._abi import (CKernelInfo, CModuleMemoryInfo, Handle, InvalidArgument,
                   SessionOptions, Tensor, check, library)
from ._values import TensorInfo


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
    #: The same formula for memory on the GPU; "" if none.
    device_arena: str


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

    #: In the model's order, by name; print one to read it.
    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]
    #: ONNX's metadata_props.
    metadata: dict[str, str]

    def __init__(self, handle: Handle, path: str):
        self._handle, self.path = handle, path
        module, lib = handle.pointer, library()
        self._inputs = _values.read_signature(module, lib.nnrt_module_num_inputs(module),
                                              lib.nnrt_module_input)
        self._outputs = _values.read_signature(
            module, lib.nnrt_module_num_outputs(module), lib.nnrt_module_output)
        self.inputs, self.outputs = self._inputs.values, self._outputs.values
        self.metadata = {}
        key, value = c.c_char_p(), c.c_char_p()
        for index in range(lib.nnrt_module_num_metadata(module)):
            check(lib.nnrt_module_metadata(module, index, c.byref(key), c.byref(value)))
            self.metadata[key.value.decode()] = value.value.decode()

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
                           info.num_data_dependent, info.device_arena.decode())

    def session(self, threads: int = 0, profile: bool = False) -> Session:
        """What one thread needs to run the model, which computes with `threads`
        threads (0: one per core). `profile` makes Session.profile() work."""
        return Session(self, threads, profile)

    def __repr__(self) -> str:
        def text(values):
            return ", ".join(map(str, values.values()))
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
        self._input_at, self._output_at = model._inputs.at, model._outputs.at
        self._fixed = [tuple(t.shape) if t.is_static else None for t in model._outputs.infos]
        # What the C API sees, and what is bound: tensors with the owners of their
        # memory, or None where the memory is the session's.
        self._inputs, self._outputs = self._tensors()
        self._bound_inputs: list[_Bound | None] = [None] * len(self._inputs)
        self._bound_outputs: list[_Bound | None] = [None] * len(self._outputs)
        self._unbound = set(self._input_at)
        self._arguments = self._call(self._inputs, self._outputs)
        # Pairs of an output and an input, all of them and those that are due.
        self._feeds: list[tuple[int, int]] = []
        self._due: list[tuple[int, int]] = []
        # Optionals are absent unless something is bound to them.
        self.bind({t.name: None for t in model.inputs.values() if t.kind.startswith("opt")})

    def _tensors(self):
        return ((Tensor * len(self._input_at))(), (Tensor * len(self._output_at))())

    def _call(self, inputs, outputs):
        return (self._handle.pointer, c.addressof(inputs), len(inputs),
                c.addressof(outputs), len(outputs), None)

    #===--- Single runs

    def run(self, inputs: Mapping[str, Any], copy: bool = True) -> dict[str, np.ndarray]:
        """Runs the model; its outputs by name.

        With `copy`, outputs are new arrays, written by the model itself where
        their shape is static. Without, outputs of dynamic shape are views on the
        session's memory: valid until its next run, even when the session is gone.

        A sequence is a list of arrays, an optional None or what it holds; one that is
        not given is absent. Items that come out are views on one array.

        Raises InvalidArgument where the inputs do not fit; Error where the model
        fails. The session stays usable.
        """
        signature = self.model._inputs
        if signature.parts:
            inputs = self._split(inputs)
        missing = [name for name in self._input_at if name not in inputs]
        if missing:
            raise InvalidArgument(f"no value for input {_list(self._values_of(missing))}")
        tensors, results = self._tensors()
        owners = []
        for name, value in inputs.items():
            at = self._find(self._input_at, name, "input")
            tensors[at], owner = _tensors.describe(value, signature.elements[at],
                                                   f"input '{name}'")
            owners.append(owner)
        arrays: list[np.ndarray | None] = []
        for at, shape in enumerate(self._fixed):
            element = self.model._outputs.elements[at]
            if shape is None or element.packed or element.is_text:
                arrays.append(None)
                continue
            array = np.empty(shape, element.dtype)
            results[at], _ = _tensors.describe(array, element, "output")
            arrays.append(array)
        with self._lock:
            check(self._run(*self._call(tensors, results)))
            for at, array in enumerate(arrays):
                if array is None:
                    array = _tensors.view(results[at], self.model._outputs.elements[at],
                                          self._handle)
                    arrays[at] = array.copy() if copy else array
        outputs = self.model._outputs
        if outputs.parts:
            return {name: self._join(name, arrays.__getitem__) for name in outputs.values}
        return dict(zip(outputs.values, arrays))

    def _split(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Inputs by the names of tensors."""
        signature = self.model._inputs
        tensors: dict[str, Any] = {}
        for name, value in inputs.items():
            parts = {name: value}
            if name in signature.parts:
                parts = self._split_value(name, value)
            twice = [part for part in parts if part in tensors]
            if twice:
                raise InvalidArgument(f"input '{name}' is given as a whole and as "
                                      f"{_list(twice)}")
            tensors.update(parts)
        for name, info in signature.values.items():
            if info.kind.startswith("optional") and not any(
                    signature.infos[at].name in tensors for at in signature.parts[name]):
                tensors.update(self._split_value(name, None))
        return tensors

    def _split_value(self, name: str, value) -> dict[str, Any]:
        """The tensors that a sequence or an optional is, by name."""
        signature = self.model._inputs
        at, info = signature.parts[name], signature.values[name]
        content = at[-3] if info.shape is None else at[-1]
        arrays = _values.split(value, info, signature.elements[content], f"input '{name}'")
        return {signature.infos[i].name: array for i, array in zip(at, arrays)}

    def _join(self, name: str, get):
        """The value of an output, where `get` gives the tensor of an index."""
        outputs = self.model._outputs
        if name not in outputs.parts:
            return get(outputs.at[name])
        return _values.join([get(at) for at in outputs.parts[name]], outputs.values[name])

    def _values_of(self, inputs) -> list[str]:
        """The values that tensors are of, each once."""
        return list(dict.fromkeys(map(self.model._inputs.owner, inputs)))

    #===--- Runs of bound arrays

    def bind(self, arrays: Mapping[str, Any]) -> None:
        """Lets `run_bound` read inputs from, and write outputs to, these arrays
        (by name; a name that is both means the input). They stay bound until
        others are. What is in an array counts when it runs; only strings, arrays of 4-bit
        and 2-bit types and plain numbers are copied here. None unbinds an output.

        An output that is bound must be row-major and have the result's type and
        shape; one that is not bound is allocated by the session.

        A sequence's items are copied here. An input that is an optional is absent
        until it is bound; None makes it so again. Outputs of these kinds cannot be
        bound, but their tensors can, by their own names: "boxes.elements", ...
        """
        inputs: dict[str, _Bound] = {}
        outputs: dict[str, _Bound | None] = {}
        tensors: dict[str, Any] = {}
        for name, value in arrays.items():
            if name in self.model._inputs.parts:
                tensors.update(self._split_value(name, value))
            elif name in self.model._outputs.parts:
                outs = self.model._outputs
                parts = [outs.infos[at].name for at in outs.parts[name]]
                if value is not None:
                    raise InvalidArgument(
                        f"output {outs.values[name]} cannot be bound; bind "
                        f"{_list(parts)}, or leave it to the session and ask for "
                        f"output('{name}')")
                tensors.update(dict.fromkeys(parts))
            else:
                tensors[name] = value
        for name, value in tensors.items():
            if name in self._input_at:
                element = self.model._inputs.elements[self._input_at[name]]
                inputs[name] = _Bound(*_tensors.describe(
                    value, element, f"input '{name}'", stays=True))
                continue
            element = self.model._outputs.elements[
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

        Both may be sequences, or optionals. Nothing is copied. If the output is
        bound, the two arrays change roles with each run; else the session has the
        memory, and sizes may change.
        `output()` tells where a result is.
        """
        feeds = []
        for output, name in pairs.items():
            given = self._positions(self.model._outputs, output, "output")
            wanted = self._positions(self.model._inputs, name, "input")
            if len(given) != len(wanted):
                raise InvalidArgument(f"output {self.model.outputs[output]} is fed back to "
                                      f"input {self.model.inputs[name]}, which is of "
                                      "another kind")
            feeds += zip(given, wanted)
        for output, at in feeds:
            given, wanted = self.model._outputs.elements[output], self.model._inputs.elements[at]
            if given != wanted:
                raise InvalidArgument(
                    f"output '{self.model._outputs.infos[output].name}' has element type "
                    f"{given.name}, input '{self.model._inputs.infos[at].name}' "
                    f"{wanted.name}")
        with self._lock:
            self._feeds, self._due = feeds, []

    def run_bound(self) -> None:
        """Runs the model on what is bound; `output()` gives the results."""
        with self._lock:
            if self._unbound:
                raise InvalidArgument(f"nothing is bound to input "
                                      f"{_list(self._values_of(sorted(self._unbound)))}")
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
        if name in self.model._outputs.parts:
            return self._join(name, self._output)
        return self._output(self._find(self._output_at, name, "output"))

    def _output(self, at: int) -> np.ndarray:
        bound = self._bound_outputs[at]
        if bound and isinstance(bound.owner, np.ndarray):
            return bound.owner
        tensor = self._outputs[at]
        if not tensor.data:
            name = self.model._outputs.infos[at].name
            raise InvalidArgument(f"there is no output '{name}' before a run")
        return _tensors.view(tensor, self.model._outputs.elements[at],
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
                    f"output '{self.model._outputs.infos[output].name}' is bound and fed "
                    f"back; input '{self.model._inputs.infos[at].name}' must then be bound to an "
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

    def _positions(self, tensors: _values.Tensors, name: str, what: str) -> range:
        """Of the tensors that a value is; of one tensor by its name."""
        if name in tensors.parts:
            return tensors.parts[name]
        at = self._find(tensors.at, name, what)
        return range(at, at + 1)

    @staticmethod
    def _find(positions: dict[str, int], name: str, what: str) -> int:
        at = positions.get(name)
        if at is None:
            raise InvalidArgument(f"the model has no {what} '{name}'; it has "
                                  f"{_list(positions)}")
        return at


def _list(names) -> str:
    return ", ".join(f"'{name}'" for name in names) or "none"
