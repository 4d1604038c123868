# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Builds a random valid ONNX graph, operator by operator.

The builder knows the concrete type and shape of every value, so that the families of
operators (families_*.py) can ask for operands that fit. Which sizes the model declares
is decided at the end: `finish` makes some of them symbolic or unknown.
"""

import dataclasses
import random

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSETS = (13, 17, 18, 20, 21, 22)
IR_VERSIONS = {13: 7, 17: 8, 18: 8, 20: 9, 21: 10, 22: 10}
SIZES = (1, 1, 2, 3, 3, 4, 5, 7, 8, 9, 12, 16, 17, 24, 33)
MAX_ELEMENTS = 6000

FLOATS = tuple(np.dtype(t) for t in (np.float32, np.float64, np.float16, ml_dtypes.bfloat16))
SIGNED = tuple(np.dtype(t) for t in (np.int8, np.int16, np.int32, np.int64))
UNSIGNED = tuple(np.dtype(t) for t in (np.uint8, np.uint16, np.uint32, np.uint64))
INTEGERS = SIGNED + UNSIGNED
BOOL = np.dtype(bool)

# Elements of float inputs of families that look for trouble.
SPECIALS = (0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -3.5, 6.0, np.inf, -np.inf, np.nan,
            1e-40, -1e-40, 1e-30, 1e10, -1e10, 100.0, -100.0)
# Whether sums of these overflow depends on their order; most models do without them.
HUGE = (3e38, -3e38)


class Unfit(Exception):
    """The attempt gives no valid operator here; another one is made."""


@dataclasses.dataclass(eq=False)
class Value:
    name: str
    dtype: np.dtype
    shape: tuple  # None for sizes known only at run time.
    array: np.ndarray = None  # of constants and inputs

    @property
    def rank(self):
        return len(self.shape)

    @property
    def size(self):
        return int(np.prod(self.shape, dtype=np.int64))


def type_number(dtype):
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


class Builder:
    def __init__(self, seed, opset=None, float_type=np.float32, special=False,
                 constants=0.5):
        self.random = random.Random(str(seed))
        self.np = np.random.default_rng(self.random.getrandbits(64))
        self.opset = opset or self.random.choice(OPSETS)
        self.float_type = np.dtype(float_type)
        self.special, self.huge = special, self.chance(0.25)
        self.constants = constants  # the share of fresh values that are constants
        self.parent = None
        self.counter = [0]
        self.pool, self.nodes, self.inputs, self.initializers = [], [], [], []
        self.static = False  # whether all sizes must be known

    # Choices.

    def chance(self, probability):
        return self.random.random() < probability

    def choose(self, *values):
        return self.random.choice(values)

    def dim(self):
        return self.random.choice(SIZES)

    def shape(self, rank=None, low=0, high=4):
        if rank is None:
            rank = self.random.choice([r for r in (0, 1, 2, 2, 3, 3, 4, 4, 5) if low <= r <= high])
        shape = [self.dim() for _ in range(rank)]
        while np.prod(shape, dtype=np.int64) > MAX_ELEMENTS:
            shape[self.random.randrange(rank)] = self.choose(1, 2, 3)
        return tuple(shape)

    def axis(self, value, negative=0.3):
        if not value.rank:
            raise Unfit
        axis = self.random.randrange(value.rank)
        return axis - value.rank if self.chance(negative) else axis

    def axes(self, value, low=1):
        count = self.random.randint(min(low, value.rank), value.rank)
        axes = self.random.sample(range(value.rank), count)
        return [a - value.rank if self.chance(0.2) else a for a in axes]

    # Values.

    def fresh_name(self, prefix="v"):
        self.counter[0] += 1
        return f"{prefix}{self.counter[0]}"

    def array(self, dtype, shape, low=None, high=None):
        """Random elements: floats around 0, integers small unless limits are given."""
        dtype = np.dtype(dtype)
        if dtype == BOOL:
            return self.np.integers(0, 2, shape).astype(bool)
        if dtype in INTEGERS:
            if low is None:
                low, high = (0, 9) if dtype in UNSIGNED else (-9, 9)
                if self.special and self.chance(0.5):
                    info = np.iinfo(dtype)
                    low, high = info.min, info.max
            return np.asarray(self.np.integers(low, high, shape, dtype, endpoint=True))
        if low is None:
            low, high = -2, 2
            if self.special and self.chance(0.5):
                with np.errstate(over="ignore"):
                    numbers = SPECIALS + HUGE * self.huge
                    return np.asarray(self.np.choice(numbers, shape)).astype(dtype)
        return np.asarray(self.np.uniform(low, high, shape)).astype(dtype)

    @property
    def root(self):
        return self.parent.root if self.parent else self

    def constant(self, array):
        array = np.asarray(array)
        value = Value(self.fresh_name("c"), array.dtype, array.shape, array)
        self.root.initializers.append(value)
        return value

    def input(self, array):
        if self.parent:
            raise Unfit  # A body uses outer values.
        value = Value(self.fresh_name("x"), np.asarray(array).dtype, np.shape(array),
                      np.asarray(array))
        self.inputs.append(value)
        return value

    def fresh(self, dtype, shape, low=None, high=None, constants=None):
        """A new constant or input."""
        array = self.array(dtype, shape, low, high)
        share = self.constants if constants is None else constants
        if self.parent or self.chance(share):
            return self.constant(array)
        return self.input(array)

    def weights(self, shape, dtype=None, low=-1, high=1):
        return self.fresh(dtype or self.float_type, shape, low, high, constants=0.85)

    def indices(self, shape, size, dtype=None, negative=True):
        if size < 1:
            raise Unfit
        low = -size if negative and self.chance(0.4) else 0
        return self.fresh(dtype or self.choose(np.int64, np.int64, np.int32), shape, low,
                          size - 1)

    def shape_constant(self, values):
        return self.constant(np.array(values, np.int64).reshape(len(values)))

    def candidates(self, dtypes, condition=lambda value: True, low=0, high=5):
        return [v for v in self.pool if v.shape is not None and v.dtype in dtypes
                and low <= v.rank <= high and v.size and condition(v)]

    def value(self, dtypes=None, rank=None, low=0, high=5, condition=None, reuse=0.85):
        """An operand: mostly an existing value, preferably a recent one."""
        dtypes = [np.dtype(t) for t in (dtypes or [self.float_type])]
        low, high = (rank, rank) if rank is not None else (low, high)
        found = self.candidates(dtypes, condition or (lambda v: True), low, high)
        if found and self.chance(reuse):
            recent = found[-3:] if self.chance(0.6) else found
            return self.random.choice(recent)
        for _ in range(20):
            shape = self.shape(low=low, high=min(high, 5))
            value = Value("", self.random.choice(dtypes), shape)
            if not condition or condition(value):
                return self.add(self.fresh(value.dtype, shape, constants=0.1))
        if found:
            return self.random.choice(found)
        raise Unfit

    def add(self, value):
        self.pool.append(value)
        return value

    def broadcastable(self, value, dtype=None, low=None, high=None):
        """An operand that broadcasts with the value."""
        dtype = np.dtype(dtype or value.dtype)
        same = [v for v in self.candidates([dtype])
                if v.shape == value.shape or (v is not value and self.fits(v, value))]
        if same and low is None and self.chance(0.6):
            return self.random.choice(same)
        shape = list(value.shape)
        if self.chance(0.6):
            shape = [1 if self.chance(0.4) else d for d in shape]
        if self.chance(0.4):
            shape = shape[self.random.randint(0, len(shape)):]
        if self.chance(0.05) and len(shape) < 4:
            shape = [self.choose(1, 2, 3)] + list(shape)
        return self.fresh(dtype, tuple(shape), low, high)

    @staticmethod
    def fits(a, b):
        try:
            return np.prod(np.broadcast_shapes(a.shape, b.shape), dtype=np.int64) <= MAX_ELEMENTS
        except ValueError:
            return False

    # Operators.

    def op(self, kind, *inputs, outputs=1, domain="", **attributes):
        """Adds a node; its result, or a list where there are several. None among the
        inputs is one left out."""
        attributes = {k: v for k, v in attributes.items() if v is not None}
        for key, item in attributes.items():
            if isinstance(item, np.ndarray):
                attributes[key] = numpy_helper.from_array(item)
        names = [self.fresh_name() for _ in range(outputs)]
        inputs = list(inputs)
        while inputs and inputs[-1] is None:
            inputs.pop()
        node = helper.make_node(kind, [x.name if x is not None else "" for x in inputs],
                                names, domain=domain, name=self.fresh_name(kind + "_"),
                                **attributes)
        try:
            schema = onnx.defs.get_schema(kind, self.opset, domain)
        except onnx.defs.SchemaError:
            raise Unfit from None
        if schema.deprecated:
            raise Unfit
        types = {x.name: helper.make_tensor_type_proto(type_number(x.dtype), x.shape)
                 for x in inputs if x is not None}
        data = {x.name: numpy_helper.from_array(x.array, x.name) for x in inputs
                if x is not None and x.array is not None}
        try:
            inferred = onnx.shape_inference.infer_node_outputs(
                schema, node, types, data, opset_imports=[helper.make_opsetid("", self.opset)],
                ir_version=IR_VERSIONS[self.opset])
        except Exception as error:
            raise Unfit(str(error)) from None
        results = []
        for name in names:
            if name not in inferred:
                raise Unfit(f"{kind}: no type")
            tensor = inferred[name].tensor_type
            shape = None
            if tensor.HasField("shape") and all(d.HasField("dim_value")
                                                for d in tensor.shape.dim):
                shape = tuple(d.dim_value for d in tensor.shape.dim)
                if np.prod(shape, dtype=np.int64) > 4 * MAX_ELEMENTS:
                    raise Unfit("too large")
            results.append(Value(name, helper.tensor_dtype_to_np_dtype(tensor.elem_type), shape))
        self.nodes.append(node)
        self.pool += results
        return results[0] if outputs == 1 else results

    def shaped(self, value, shape):
        """What the family knows of a shape that inference does not."""
        value.shape = tuple(int(d) for d in shape)
        return value

    def attempt(self, family):
        """Runs a function that adds nodes. If it fails, returns False and undoes all changes."""
        lists = self.pool, self.nodes, self.inputs, self.initializers
        root = self
        while root.parent:
            root = root.parent
        lists += (root.initializers,)
        lengths = [len(x) for x in lists]
        try:
            family(self)
            if len(self.nodes) > lengths[1]:
                return True
        except (Unfit, IndexError, ValueError):
            pass
        for x, length in zip(lists, lengths):
            del x[length:]
        return False

    # Subgraphs.

    def body(self, inputs):
        """A builder of a subgraph, which may use outer values. `inputs`: those of the
        subgraph."""
        inner = Builder.__new__(Builder)
        inner.__dict__.update(self.__dict__)
        inner.parent = self
        inner.pool = list(self.pool) + list(inputs)
        inner.nodes, inner.inputs, inner.initializers = [], list(inputs), []
        return inner

    def body_graph(self, outputs, declare=True):
        """The GraphProto of a body; a value is not given twice, nor one from outside."""
        inside = {name for node in self.nodes for name in node.output}
        infos, seen = [], set()
        for value in outputs:
            name = value.name
            if name not in inside or name in seen:
                name = self.fresh_name()
                self.nodes.append(helper.make_node("Identity", [value.name], [name],
                                                   name=self.fresh_name("Identity_")))
            seen.add(name)
            infos.append(helper.make_tensor_value_info(
                name, type_number(value.dtype), value.shape if declare else None))
        return helper.make_graph(
            self.nodes, self.fresh_name("body"),
            [helper.make_tensor_value_info(x.name, type_number(x.dtype),
                                           x.shape if declare or not x.shape else None)
             for x in self.inputs], infos)

    # The model.

    def finish(self, dynamic=0.0, extra_outputs=0.15, declared_outputs=0.5):
        """The model and its runs, a dictionary of arrays each. `dynamic` is the chance
        that a size of an input is left to the run. Runs after the first have other sizes
        there, which the model may not allow."""
        used = {name for node in self.nodes for name in uses(node)}
        made = {name for node in self.nodes for name in node.output}
        outputs = [v for v in self.pool if v.name in made
                   and (v.name not in used or self.chance(extra_outputs))]
        self.random.shuffle(outputs)
        inputs = [x for x in self.inputs if x.name in used]
        initializers = [x for x in self.initializers if x.name in used]
        if not outputs or len(self.nodes) == 0:
            raise Unfit
        symbols, other = {}, {}
        infos = []
        for x in inputs:
            shape = list(x.shape)
            for i, size in enumerate(x.shape):
                if self.chance(0 if self.static else dynamic):
                    shape[i] = symbols.setdefault(size, f"d{size}") if self.chance(0.7) else None
                    other.setdefault(size, self.choose(size + 1, max(1, size - 1), 2 * size, 1))
            infos.append((x, shape))
        runs = [{x.name: x.array for x in inputs}]
        changes = [other, *({n: m} for n, m in other.items())] if len(other) > 1 else [other]
        for change in changes if other else []:
            runs.append({x.name: self.resized(x, [n if isinstance(d, int) else change.get(n, n)
                                                  for n, d in zip(x.shape, shape)])
                         for x, shape in infos})
        graph = helper.make_graph(
            self.nodes, "fuzz",
            [helper.make_tensor_value_info(x.name, type_number(x.dtype), shape)
             for x, shape in infos],
            [helper.make_tensor_value_info(
                v.name, type_number(v.dtype),
                v.shape if not other and self.chance(declared_outputs) else None)
             for v in outputs],
            [numpy_helper.from_array(x.array, x.name) for x in initializers])
        model = helper.make_model(graph, ir_version=IR_VERSIONS[self.opset],
                                  opset_imports=[helper.make_opsetid("", self.opset)])
        return model, runs

    def resized(self, value, shape):
        """The input's array cut or repeated along each axis to another shape."""
        array = value.array
        for axis, size in enumerate(shape):
            array = np.take(array, np.arange(size) % array.shape[axis], axis)
        return array


def uses(node):
    """All names that a node and its subgraphs read."""
    yield from node.input
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            for inner in attribute.g.node:
                yield from uses(inner)
            yield from (x.name for x in attribute.g.output)


def all_graphs(graph):
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from all_graphs(attribute.g)


def all_nodes(graph):
    for g in all_graphs(graph):
        yield from g.node
