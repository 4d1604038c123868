# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Models of one operator in one choice of element types, for every operator that
docs/generated/coverage.md says we import, and every type that ONNX's schema allows.

They are ONNX's own node tests with their tensors given other types: a type variable
of the schema is given each type in turn, or, where types meet, each pair of types.
"""

import dataclasses
import itertools
import pathlib
import re
import warnings

import numpy as np
import onnx
import onnx.parser
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.loader import load_model_tests

ROOT = pathlib.Path(__file__).resolve().parents[3]
OPSET = onnx.defs.onnx_opset_version()

# What the sweep covers: the name here, in ONNX's schemas, and as data.
TYPES = {"f16": "float16", "bf16": "bfloat16", "f32": "float", "f64": "double",
         "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64",
         "u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64", "i1": "bool"}
NUMBER = {name: TensorProto.DataType.Value(onnx.upper())
          for name, onnx in TYPES.items()}
NAME = {number: name for name, number in NUMBER.items()}
OF_SCHEMA = {f"tensor({onnx})": name for name, onnx in TYPES.items()}
# What it leaves out: another type in a schema is an error. Drop a line here when
# the type is one that operators compute in.
LEFT_OUT_TYPES = re.compile(
    r"tensor\((float[468]\w+|u?int4|u?int2)\)|"  # as storage only
    r"tensor\((complex64|complex128)\)|"  # no type of nn
    r"tensor\(string\)|"  # test/Execution/strings.test
    r"(seq|optional|map)\(.*")  # not single tensors

# Operators of the page that are left out, or some of their types (OPERATOR.T, OPERATOR.T=f16),
# and why.
LEFT_OUT = {op: "takes or gives what is no tensor: test/Execution/sequences.test"
            for op in ("ConcatFromSequence", "Optional", "OptionalGetElement",
                       "OptionalHasElement", "SequenceAt", "SequenceConstruct",
                       "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength",
                       "SplitToSequence")}
LEFT_OUT |= {op: "draws random numbers: test/Execution/random.test"
             for op in ("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike",
                        "RandomUniform", "RandomUniformLike")}

LEFT_OUT |= {op: "takes strings, which are not swept: test/Execution/strings.test"
             for op in ("RegexFullMatch", "StringConcat", "StringNormalizer", "StringSplit")}

# Tests of ONNX that are no good as a start: random, or of something else.
BAD_STARTS = re.compile("train|random|bernoulli|_seed")

# Where each pair of types is a computation of its own: all combinations.
PRODUCTS = {"Cast", "BitCast"}

# Variables that ONNX's text gives one type.
TIED = {"DequantizeLinear": ("T2", "T3")}

# Between these, ONNX does not say what interpolated values are: only tests of mode
# nearest have them, and the others are refused (capability-invalid.onnxtxt).
NOT_INTERPOLATED = {("GridSample", "T1"): {x for x in TYPES if "f" not in x},
                    ("Resize", "T1"): {"i1"}}

# Where it matters that the highest bit of unsigned integers is no sign, by formal input.
HIGH_BIT = {*itertools.product(("Div", "Mod"), ("A",)),
            *itertools.product(("Greater", "GreaterOrEqual", "Less", "LessOrEqual"), ("A", "B")),
            *itertools.product(("ArgMax", "ArgMin", "ReduceMax", "ReduceMin"), ("data",)),
            *itertools.product(("Max", "Min"), ("data_0",)),
            *itertools.product(("Cast", "Clip", "Sign"), ("input",)),
            *itertools.product(("BitShift", "MaxPool", "TopK"), ("X",))}

# Attributes that say the type of an output.
TYPE_ATTRIBUTES = {("Cast", "T2"): "to", ("BitCast", "T2"): "to", ("EyeLike", "T2"): "dtype",
                   ("ConstantOfShape", "T2"): "value", ("Constant", "T"): "value",
                   ("LayerNormalization", "U"): "stash_type",
                   ("MelWeightMatrix", "T3"): "output_datatype"}

# Formal inputs that say how, not what: constants in the variant `fixed`, known in
# their size (which often is a rank) in the variant `open`.
PARAMETERS = {"shape", "axes", "axis", "pads", "repeats", "starts", "ends", "steps", "sizes",
              "scales", "split", "roi", "image_shape", "block_shape", "dft_length",
              "frame_step", "frame_length", "output_shape", "depth", "K", "k", "ratio",
              "training_mode"}

# Dimensions that an import must know, since they are a rank, a kernel's size or a
# number of states: they stay known in the variant `open`.
KNOWN = {
    "ConstantOfShape": {"input": [0]}, "Det": {"X": [-2, -1]},
    "Conv": {"W": [2, 3]}, "ConvInteger": {"w": [2, 3]}, "QLinearConv": {"w": [2, 3]},
    "ConvTranspose": {"W": [1, 2, 3]}, "DFT": {"input": [-1]}, "STFT": {"signal": [-1]},
    "GatherND": {"indices": [-1]}, "ScatterND": {"indices": [-1]},
    "GRU": {"R": [0, 1, 2]}, "LSTM": {"R": [0, 1, 2]}, "RNN": {"R": [0, 1, 2]},
}

# Models for what ONNX has no test of, on floats.
OWN = {
    "DFT": "(float[2,8,1] X, int64 length, int64 axis) => (float[2,8,2] Y) "
           "{ Y = DFT(X, length, axis) }",
    "GlobalLpPool": "(float[2,3,4,5] X) => (float[2,3,1,1] Y) { Y = GlobalLpPool<p = 2>(X) }",
    "If": """(bool c, float[2,3] x, float[2,3] y) => (float[2,3] z) {
        z = If(c) <then_branch = t () => (float[2,3] a) { a = Identity(x) },
                   else_branch = e () => (float[2,3] b) { b = Where(c, x, y) }> }""",
    "Loop": """(int64 n, bool c, float[2,3] x) => (float[2,3] y, float[K,2,3] all) {
        y, all = Loop(n, c, x) <body = b (int64 i, bool go, float[2,3] s)
            => (bool go_on, float[2,3] t, float[2,3] u) {
            go_on = Identity(go)  u = Identity(s)
            r = Transpose(s)  t = Transpose(r) }> }""",
    "MaxRoiPool": "(float[1,2,6,6] X, float[2,5] rois) => (float[2,2,2,2] Y) "
                  "{ Y = MaxRoiPool<pooled_shape = [2, 2]>(X, rois) }",
    "Scan": """(float[2,3] s, float[4,2,3] x) => (float[2,3] t, float[4,2,3] all) {
        t, all = Scan <num_scan_inputs = 1, body = b (float[2,3] before, float[2,3] now)
            => (float[2,3] after, float[2,3] seen) {
            after = Identity(now)  seen = Identity(before) }> (s, x) }""",
}
OWN_VALUES = {"n": np.int64(3), "c": np.bool_(True), "length": np.int64(8), "axis": np.int64(1),
              "rois": np.float32([[0, 0, 0, 4, 4], [0, 1, 2, 5, 5]])}


@dataclasses.dataclass
class Case:
    name: str
    op: str
    model: onnx.ModelProto
    inputs: dict  # arrays by name
    types: dict  # of the schema's variables
    wanted: dict = None  # arrays by name
    judge: str = None


@dataclasses.dataclass
class Start:
    """A test to start from."""
    name: str
    model: onnx.ModelProto
    inputs: dict


class NoCase(Exception):
    pass


def dtype(name):
    return np.dtype(helper.tensor_dtype_to_np_dtype(NUMBER[name]))


def is_float(name):
    return "f" in name


#===------------------------------------------------------------------------===#
# Where cases start
#===------------------------------------------------------------------------===#

def imported_operators():
    """The page's first table. What is expanded by ONNX consists of these."""
    rows = [line.split("|") for line in
            (ROOT / "docs/generated/coverage.md").read_text().splitlines()]
    return [row[1].strip() for row in rows if len(row) == 8 and row[3].strip() != "becomes"
            and not row[1].startswith("---")]


def newest(op, version):
    """The newest opset in which the operator is what it is in `version`."""
    schema = onnx.defs.get_schema(op, version)
    try:
        last = onnx.defs.get_schema(op, OPSET)
        return OPSET if last.since_version == schema.since_version and not last.deprecated \
            else version
    except onnx.defs.SchemaError:
        return version


def tensors_only(infos):
    return all(x.type.WhichOneof("value") == "tensor_type" and
               x.type.tensor_type.elem_type in NAME for x in infos)


def own_start(op):
    graph = onnx.parser.parse_graph("g " + OWN[op])
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", OPSET)])
    random = np.random.default_rng(1)
    inputs = {}
    for info in graph.input:
        shape = [d.dim_value for d in info.type.tensor_type.shape.dim]
        inputs[info.name] = np.asarray(OWN_VALUES[info.name]) if info.name in OWN_VALUES \
            else random.uniform(-2, 2, shape).astype(np.float32)
    return Start(op, model, inputs)


def find_starts():
    """Tests by operator, with the operator in its newest version."""
    starts = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tests = load_model_tests(kind="node")
    for test in tests:
        graph = test.model.graph
        if len(graph.node) != 1 or graph.node[0].domain or BAD_STARTS.search(test.name):
            continue
        if not tensors_only(graph.input) or not tensors_only(graph.output):
            continue
        op = graph.node[0].op_type
        model = onnx.ModelProto()
        model.CopyFrom(test.model)
        del model.opset_import[:]
        version = next(x.version for x in test.model.opset_import if not x.domain)
        model.opset_import.append(helper.make_opsetid("", newest(op, version)))
        inputs = {info.name: numpy_helper.to_array(x) if isinstance(x, TensorProto)
                  else np.asarray(x) for info, x in zip(graph.input, test.data_sets[0][0])}
        starts.setdefault(op, []).append(Start(test.name[len("test_"):], model, inputs))
    for op in OWN:
        starts[op] = [own_start(op), *starts.get(op, [])]
    for op, tests in starts.items():
        last = max(test.model.opset_import[0].version for test in tests)
        starts[op] = [test for test in tests if test.model.opset_import[0].version == last]
    return starts


#===------------------------------------------------------------------------===#
# Other types
#===------------------------------------------------------------------------===#

class Formals:
    """What a start's tensors are in the operator's schema."""

    def __init__(self, start):
        self.start, self.node = start, start.model.graph.node[0]
        self.schema = onnx.defs.get_schema(self.node.op_type, start.model.opset_import[0].version)
        self.inputs = self.match(self.node.input, self.schema.inputs)
        self.outputs = self.match(self.node.output, self.schema.outputs)
        for info in start.model.graph.input:  # What only a branch uses becomes its output.
            self.inputs.setdefault(info.name, self.schema.outputs[0])
        self.allowed = {}
        for constraint in self.schema.type_constraints:
            types = []
            for text in constraint.allowed_type_strs:
                if text in OF_SCHEMA:
                    types.append(OF_SCHEMA[text])
                elif not LEFT_OUT_TYPES.fullmatch(text):
                    raise NoCase(f"ONNX allows {text}, which type_cases.py does not know")
            self.allowed[constraint.type_param_str] = types
        self.types = {}  # of the start
        graph = start.model.graph
        infos = {x.name: NAME[x.type.tensor_type.elem_type] for x in (*graph.input, *graph.output)}
        for name, formal in (*self.inputs.items(), *self.outputs.items()):
            if formal.type_str in self.allowed:
                # Of several in a heterogeneous list, the first number.
                self.types.setdefault(formal.type_str, infos[name])

    @staticmethod
    def match(names, formals):
        return {name: formals[min(i, len(formals) - 1)] for i, name in enumerate(names) if name}

    def is_free(self, variable):
        """If the start can have it in another type."""
        op = self.node.op_type
        return variable in self.types and (
            (op, variable) in TYPE_ATTRIBUTES or
            variable in TIED.get(op, ()) or
            any(x.type_str == variable for x in self.inputs.values()))


def assignments(formals):
    """Types of all variables, each variable with each of its types at least once."""
    op, base = formals.node.op_type, formals.types
    free = [x for x in base if formals.is_free(x)]
    if not free:
        yield base
    elif op in PRODUCTS:
        for types in itertools.product(*(formals.allowed[x] for x in free)):
            if op != "BitCast" or len({dtype(x).itemsize for x in types}) == 1:
                yield base | dict(zip(free, types))
    else:
        tied = TIED.get(op, ())
        for variable in free:
            refused = NOT_INTERPOLATED.get((op, variable), ())
            for type in formals.allowed[variable]:
                if type in refused and "nearest" not in formals.start.name:
                    continue
                yield base | {x: type for x in (tied if variable in tied else (variable,))}


def convert(array, old, new):
    """The array's numbers, or such as the type can hold."""
    if old == new:
        return array
    x = np.asarray(array).astype(np.float64)
    if is_float(new):
        if x.size and np.abs(x[np.isfinite(x)]).max(initial=0) > 1000:
            x = np.where(np.isfinite(x), np.fmod(x, 1000), x)
        return x.astype(dtype(new))
    x = np.nan_to_num(x, nan=0, posinf=9, neginf=-9)
    if new == "i1":
        return (np.rint(3 * x) % 2 != 0) if is_float(old) else x % 2 != 0
    if is_float(old) and (x != np.rint(x)).any():
        x = np.rint(3 * x)
    info = np.iinfo(dtype(new))
    if info.min == 0:
        x = np.abs(x)
    if x.size and np.abs(x).max() > info.max:
        x = np.fmod(x, info.max)
    return x.astype(dtype(new))


def suit(op, formal, array, name, types):
    """Numbers for which the operator says what it computes."""
    if op in ("Cast", "CastLike") and formal.name == "input" and is_float(name):
        # What lies out of the range of an integer becomes what it likes.
        return np.abs(np.nan_to_num(array.astype(np.float64), nan=1.5, posinf=2.5, neginf=7.5)
                      ).clip(0, 100).astype(array.dtype) if not is_float(types["T2"]) else array
    if is_float(name):
        return array
    if name[0] == "u" and (op, formal.name) in HIGH_BIT:
        highest = array.dtype.type(1 << 8 * array.dtype.itemsize - 1)
        return np.where(np.arange(array.size).reshape(array.shape) % 3 == 1, array | highest, array)
    if op in ("Div", "Mod") and formal.name == "B":
        return np.where(array == 0, np.ones_like(array), array)
    if op == "Pow" and formal.name == "Y" and name != "i1":
        return (np.abs(array.astype(np.int64)) % 4).astype(array.dtype)
    if op == "BitShift" and formal.name == "Y":
        return array % array.dtype.type(8 * array.dtype.itemsize)
    if op == "Range" and formal.name == "delta":
        return np.where(array == 0, np.ones_like(array), array)
    return array


def retype_graph(graph, old, new):
    for info in (*graph.input, *graph.output, *graph.value_info):
        if info.type.tensor_type.elem_type == old:
            info.type.tensor_type.elem_type = new
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                retype_graph(attribute.g, old, new)


def set_attribute(node, name, value):
    for attribute in list(node.attribute):
        if attribute.name == name:
            node.attribute.remove(attribute)
    node.attribute.append(helper.make_attribute(name, value))


def retype(formals, types):
    """The start with its variables given `types`: a model and its inputs."""
    op, start = formals.node.op_type, formals.start
    model = onnx.ModelProto()
    model.CopyFrom(start.model)
    model.ir_version = 10
    node, inputs = model.graph.node[0], dict(start.inputs)
    for infos, names in ((model.graph.input, formals.inputs), (model.graph.output, formals.outputs)):
        for info in infos:
            formal = names[info.name]
            old = NAME[info.type.tensor_type.elem_type]
            # A heterogeneous list holds other types too: its flags and counters stay.
            if formal.type_str not in types or old != formals.types[formal.type_str]:
                continue
            new = types[formal.type_str]
            info.type.tensor_type.elem_type = NUMBER[new]
            if info.name in inputs:
                inputs[info.name] = suit(op, formal, convert(inputs[info.name], old, new), new, types)
    for attribute in node.attribute:
        if attribute.HasField("g"):
            retype_graph(attribute.g, NUMBER[formals.types["V"]], NUMBER[types["V"]])
    for (of, variable), name in TYPE_ATTRIBUTES.items():
        if of != op or variable not in types:
            continue
        if name == "value":
            old = next((numpy_helper.to_array(x.t) for x in node.attribute if x.name == "value"),
                       np.zeros(1, np.float32))
            set_attribute(node, name, numpy_helper.from_array(
                convert(old, formals.types[variable], types[variable])))
        else:
            set_attribute(node, name, NUMBER[types[variable]])
    if op == "Mod" and is_float(types["T"]):
        set_attribute(node, "fmod", 1)
    return model, inputs


#===------------------------------------------------------------------------===#
# Variants
#===------------------------------------------------------------------------===#

def make_fixed(formals, model, inputs):
    """All sizes known, parameters constant."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    rest = dict(inputs)
    for info in list(fixed.graph.input):
        if formals.inputs[info.name].name in PARAMETERS and len(fixed.graph.input) > 1:
            fixed.graph.initializer.append(numpy_helper.from_array(rest.pop(info.name), info.name))
            fixed.graph.input.remove(info)
    return fixed, rest


def make_open(formals, model, inputs):
    """All sizes known only when it runs, nothing constant."""
    opened = onnx.ModelProto()
    opened.CopyFrom(model)
    for info in opened.graph.input:
        if formals.inputs[info.name].name in PARAMETERS:
            continue
        known = KNOWN.get(formals.node.op_type, {}).get(formals.inputs[info.name].name, [])
        rank = len(info.type.tensor_type.shape.dim)
        for i, dim in enumerate(info.type.tensor_type.shape.dim):
            if i in known or i - rank in known:
                continue
            dim.dim_param = f"{info.name}_{i}"
    for info in opened.graph.output:
        for dim in info.type.tensor_type.shape.dim:
            dim.Clear()
    return opened, inputs


VARIANTS = {"fixed": make_fixed, "open": make_open}
