# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Judges results by ONNX Runtime without optimizations. Where they differ, the model is
run again with rounding errors (noise.py), which tell a chaotic model from a fault; and
ONNX's reference is asked, which tells a fault of ONNX Runtime from ours.

What ONNX Runtime lacks for f16, bf16 or f64 it computes in f32.
"""

import warnings

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

import cpu
from builder import all_nodes
from noise import disturbed, widened

# Relative to each element, and to the largest: results within these are equal.
TOLERANCE = {"float64": (1e-12, 1e-13), "float32": (2e-5, 2e-6), "float16": (4e-3, 2e-3),
             "bfloat16": (3e-2, 1.5e-2)}
HALVES = TensorProto.FLOAT16, TensorProto.BFLOAT16
# Runs with rounding errors, at first and where they do not explain the result.
TRIALS, MORE_TRIALS = 6, 60
SLOW_TRIALS = 8  # by ONNX's reference
# Errors up to so many times those of such runs are no fault.
ALLOWANCE = 10


QUANTIZING = {"QuantizeLinear", "DynamicQuantizeLinear"}
# ONNX's reference takes the batch for the channels, groups for one, pads of pools for each
# other, and a size of 1.5 for one that is not 1, and reduces two dimensions globally, not
# three; its LogSoftmax is the logarithm of what underflows; numpy's power of -inf and 0.5
# is a root.
NOT_BY_REFERENCE = {"ConvTranspose", "GlobalMaxPool", "LRN", "LogSoftmax", "MaxPool",
                    "Resize", "Pow"}

# Functions of ONNX whose constants are f32, or which compute in f32, for f64 too. Ours
# are exact.
F32_FUNCTIONS = {"Gelu", "GroupNormalization", "MeanVarianceNormalization", "Shrink"}


def has_nan(operands):
    return any(np.isnan(x).any() for x in operands)


def spans_much(operands):
    sizes = np.abs(np.concatenate([x.ravel() for x in operands]))
    return (sizes > 1e10).any() and (sizes < 1e-10).any()


def has_large(operands):
    return any((np.abs(x) > 1e3).any() for x in operands)


def has_extreme(operands):
    """Numbers whose squares overflow or underflow in f32."""
    return any(((np.abs(x) > 1e15) | (np.abs(x) < 1e-15) & (x != 0)).any() for x in operands)


def sums_overflow(operands):
    """Whether sums of products may overflow on the way, or not, by their order."""
    product = 1.0
    for x in operands:
        finite = np.abs(x[np.isfinite(x)])
        product *= max(float(finite.max(initial=0)), 1.0)
    return product > 1e36


def has_infinity(operands):
    return any(np.isinf(x).any() for x in operands)


def are_empty(operands):
    return any(x.size == 0 for x in operands)


# Squares overflow and underflow in f32, not in the interpreter's f64.
SQUARING = {"LayerNormalization", "InstanceNormalization", "GroupNormalization",
            "MeanVarianceNormalization", "LpNormalization", "ReduceL2", "ReduceSumSquare"}

# Operators whose results are up to chance for operands of this kind: NaN is the maximum
# or is passed over, by the order, and becomes any integer (docs/decisions/floats.md); a
# product underflows before or after it has met an infinity; sums of huge products overflow
# on the way. ONNX Runtime's LRN subtracts
# from a sliding sum what leaves the window; its interpolation multiplies infinite neighbors by
# weights of 0; ONNX does not say what the mean of nothing is.
CHANCES = {"MaxPool": has_nan, "GlobalMaxPool": has_nan, "ReduceMax": has_nan,
           "ReduceMin": has_nan, "ScatterElements": has_nan,
           "ScatterND": has_nan, "Cast": has_nan, "ReduceProd": spans_much,
           "LRN": has_large, "ReduceMean": are_empty,
           **dict.fromkeys(("Resize", "Upsample", "GridSample"), has_infinity),
           **dict.fromkeys(("Conv", "ConvTranspose", "MatMul", "Gemm"), sums_overflow),
           **dict.fromkeys(SQUARING, has_extreme), **dict.fromkeys(QUANTIZING, has_nan)}
# Behind oneDNN's primitives, these give a bound for NaN.
RECTIFIERS = {"Relu", "Clip", "Max", "Min"}
PRIMITIVES = {"MatMul", "Gemm", "Einsum", "Conv", "ConvTranspose", "AveragePool", "MaxPool",
              "GlobalAveragePool", "GlobalMaxPool"}


class NotJudged(Exception):
    """No judge can run the model."""


class Invalid(Exception):
    """The model is wrong for these inputs."""


def open_reference(model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                        providers=["CPUExecutionProvider"])


def run(session, inputs):
    """The outputs of a session, in its types."""
    wanted = {x.name: x.type for x in session.get_inputs()}
    feeds = {name: x.astype(np.float32) if wanted[name] == "tensor(float)" else x
             for name, x in inputs.items() if name in wanted}
    return [np.asarray(y) for y in session.run(None, feeds)]


class LpNormalization(OpRun):
    """ONNX's takes no absolute values of x for p = 1."""

    op_domain = ""

    def _run(self, x, axis=-1, p=2):
        norm = np.linalg.norm(x.astype(np.float64), p, axis, keepdims=True)
        return (np.divide(x, norm, out=np.zeros(x.shape), where=norm != 0).astype(x.dtype),)


class BatchNormalization(OpRun):
    """ONNX's takes that of opset 9 to train."""

    op_domain = ""

    def _run(self, x, scale, bias, mean, variance, epsilon=None, momentum=None,
             training_mode=None, spatial=None):
        if training_mode:
            raise NotImplementedError
        shape = (-1, *(1 for _ in x.shape[2:]))
        wide = [v.astype(np.float64).reshape(shape) for v in (scale, bias, mean, variance)]
        y = (x.astype(np.float64) - wide[2]) / np.sqrt(wide[3] + epsilon) * wide[0] + wide[1]
        return (y.astype(x.dtype),)


MENDED = [LpNormalization, BatchNormalization]


class Judge:
    """The judge of one model."""

    def __init__(self, model):
        self.model = model
        self.types = {x.name: helper.tensor_dtype_to_np_dtype(x.type.tensor_type.elem_type)
                      for x in model.graph.output}
        self.session = self.noisy = None
        self.saturates = not cpu.has_vnni() and self.has(*cpu.INTEGER_PRODUCTS)
        # Float types that ONNX Runtime lacks for this model: none, or f16 and bf16, or all.
        for self.narrow in (), HALVES, (*HALVES, TensorProto.DOUBLE):
            if any(x.type.tensor_type.elem_type == TensorProto.BFLOAT16
                   for x in (*model.graph.input, *model.graph.output)) and not self.narrow:
                continue  # numpy and ONNX Runtime do not exchange these.
            try:
                self.session = open_reference(self.judged_model())
                break
            except Exception as error:
                self.reason = str(error)

    def judged_model(self):
        return widened(self.model, self.narrow) if self.narrow else self.model

    def ask(self, session, inputs):
        """The outputs of a session, in its types."""
        return dict(zip(self.types, run(session, inputs)))

    def expect(self, inputs):
        """ONNX Runtime's results; None if it lacks something. Raises Invalid if it rejects
        the inputs."""
        if not self.session:
            return None
        try:
            results = self.ask(self.session, inputs)
        except Exception as error:
            raise Invalid(str(error)) from None
        with np.errstate(all="ignore"):
            return {name: x.astype(self.types[name]) for name, x in results.items()}

    def compare(self, inputs, got, want):
        """The problem with the outputs `got`, or None. `want`: ONNX Runtime's."""
        for name, type_ in self.types.items():
            if name not in got:
                return f"output '{name}' is missing"
            if got[name].dtype != type_:
                return f"output '{name}' is {got[name].dtype} instead of {type_}"
        by_runtime = want is not None
        if want is None:
            want = self.ask_reference(inputs)
            if want is None:
                raise NotJudged
            if self.has("Loop"):  # ONNX's reference gives scan outputs other shapes.
                want = {name: x.reshape(got[name].shape) if x.size == got[name].size else x
                        for name, x in want.items()}
        doubtful = [name for name in self.types if not same(got[name], want[name], self.like(name))]
        if not doubtful:
            return None
        if self.has(*QUANTIZING) and any(
                x.dtype.kind == "f" and np.isnan(x).any()
                for x in (*inputs.values(), *self.constants(), *got.values(), *want.values())):
            raise NotJudged  # NaN may become any integer.
        for name in doubtful:
            # What a loop without iterations collects: ONNX Runtime doesn't know the shape of
            # the items.
            if self.has("Loop") and want[name].shape == (0,) and got[name].shape[:1] == (0,):
                want[name] = got[name]
            elif got[name].shape != want[name].shape:
                continue
            elif self.has("ReduceProd") and got[name].dtype.kind == "i":
                # ONNX Runtime's products of integers end at the type's limits.
                limits = np.iinfo(want[name].dtype)
                ends = (want[name] == limits.max) | (want[name] == limits.min)
                want[name] = np.where(ends, got[name], want[name])
            elif got[name].dtype.kind == "f":
                want[name] = np.where(self.up_to_chance(inputs, got[name], want[name]),
                                      got[name], want[name])
        doubtful = [name for name in doubtful
                    if not same(got[name], want[name], self.like(name))]
        if not doubtful:
            return None
        # Results of a chaotic model may differ.
        trials = []
        for count in (TRIALS, MORE_TRIALS):
            trials += self.trials(inputs, count)
            if trials:
                doubtful = [name for name in doubtful
                            if not self.explained(got, want, trials, name)]
            if not doubtful:
                return None
        reference = self.ask_reference(inputs)
        if reference is None and self.saturates:
            raise NotJudged
        doubtful = [name for name in doubtful
                    if not reference or not self.explained(got, reference, trials, name)]
        if not doubtful:
            return None
        if by_runtime and self.takes_chances(inputs):
            raise NotJudged
        name = doubtful[0]
        agree = reference and same(want[name], reference[name], self.like(name))
        return describe(name, got[name], want[name],
                        "ONNX's reference" if not by_runtime else
                        "ONNX Runtime and ONNX's reference" if agree else
                        "ONNX Runtime" + ("" if reference is None else
                                          " (ONNX's reference has something else)"))

    def has(self, *operators):
        return any(node.op_type in operators for node in all_nodes(self.model.graph))

    def has_loop_without_condition(self):
        """ONNX's reference never runs the body of such a loop."""
        return any(node.op_type == "Loop" and node.input[1:2] in ([], [""])
                   for node in all_nodes(self.model.graph))

    def constants(self):
        return map(numpy_helper.to_array, self.model.graph.initializer)

    def up_to_chance(self, inputs, got, want):
        """Elements that may differ: sums of huge numbers, which overflow or not by their
        order; squares of tiny ones, which underflow; numbers in windows of MaxPool with
        NaN (docs/decisions/floats.md), and what ONNX Runtime makes NaN, in a sliding sum
        or by a weight of 0."""
        arrays = [*inputs.values(), *self.constants()]
        with np.errstate(all="ignore"):
            g, w = got.astype(np.float64), want.astype(np.float64)
            result = np.zeros(got.shape, bool)
            if any((np.isfinite(x) & (np.abs(x) > 1e15)).any() for x in arrays
                   if x.dtype.kind == "f"):
                result |= ~((np.abs(g) < 1e37) & (np.abs(w) < 1e37))
            if TensorProto.DOUBLE in self.narrow:  # The judge overflows in f32.
                result |= np.isinf(w) & (np.abs(g) > 3.4e38)
            if self.has("MaxPool"):  # ONNX Runtime's of -inf is the least finite number.
                result |= np.isnan(g) | np.isnan(w) | np.isneginf(g) & (w < -1e38)
            if self.has("ReduceProd"):  # The order decides when a product underflows.
                result |= (np.abs(g) < 1e-37) & (np.abs(w) < 1e-37)
            if self.has("Where"):  # ONNX Runtime's makes -0 of constants 0.
                result |= np.isinf(g) & np.isinf(w)
            if self.has("Clip"):  # ONNX Runtime's ends at the finite numbers.
                result |= np.isinf(g) & (np.abs(w) > 3.4e38)
            if self.has("LRN"):
                result |= np.isnan(w)
            if self.has("Resize", "Upsample", "GridSample"):  # Weights of 0 times infinities.
                result |= ~(np.isfinite(g) & np.isfinite(w))
            if self.has("Resize", "Upsample"):
                # Places between elements are rounded to f32: in rows of up to 64, by about
                # 1e-6 of the distance of two elements.
                sizes = [np.abs(x[np.isfinite(x)]).max(initial=1) for x in arrays
                         if x.dtype.kind == "f"]
                longest = max(*got.shape, *(n for x in inputs.values() for n in x.shape), 64)
                result |= (np.abs(g - w) <=
                           1e-5 * longest / 64 * min(max(sizes, default=1), 1e3))
            if self.has("ReduceL2", "LpNormalization", "LpPool"):
                result |= (w == 0) & (np.abs(g) < 1e-15)
        return result

    def takes_chances(self, inputs):
        """Whether an operator, outside of subgraphs, meets operands for which CHANCES says
        so, or has an infinite result in 16 bits: ONNX Runtime keeps f32 between operators
        that it computes in f32."""
        if TensorProto.DOUBLE in self.narrow and self.has("ReduceProd"):
            return True  # ONNX Runtime's underflows, in f32.
        chances = dict(CHANCES)
        if self.has(*PRIMITIVES):
            chances |= dict.fromkeys(RECTIFIERS, has_nan)
        nodes = [node for node in self.model.graph.node if node.op_type in chances]
        names = {name for node in nodes for name in node.input if name}
        if any(x.dtype == np.float16 for x in inputs.values()) and not self.makes_bf16():
            names |= {name for node in self.model.graph.node for name in node.output if name}
        seen = self.values_of(names, inputs)
        if any(x.dtype == np.float16 and np.isinf(x).any() for x in seen.values()):
            return True
        for node in nodes:
            operands = [seen[name] for name in node.input if name and seen[name].dtype.kind == "f"]
            if operands and chances[node.op_type](operands):
                return True
        return False

    def makes_bf16(self):
        """Whether a value may be of a type that numpy and ONNX Runtime do not exchange."""
        return any(attribute.i == TensorProto.BFLOAT16
                   for node in all_nodes(self.model.graph) for attribute in node.attribute
                   if attribute.name in ("to", "dtype", "output_dtype"))

    def values_of(self, names, inputs):
        """What tensors of the model hold, by ONNX Runtime."""
        if not names:
            return {}
        model = onnx.ModelProto()
        model.CopyFrom(self.judged_model())
        del model.graph.output[:]
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sorted(names))
        return dict(zip(sorted(names), run(open_reference(model), inputs)))

    def like(self, name):
        """The type whose precision the results must have."""
        type_ = self.types[name].name
        coarse = TensorProto.DOUBLE in self.narrow or self.has(*F32_FUNCTIONS)
        return "float32" if type_ == "float64" and coarse else type_

    def explained(self, got, want, trials, name):
        return explained(got[name], want[name], [t[name] for t in trials], self.like(name))

    def trials(self, inputs, count):
        try:
            if not self.session:
                return [self.evaluate(disturbed(self.model, seeded=False), inputs)
                        for _ in range(min(count, SLOW_TRIALS))]
            if not self.noisy:
                # 16-bit floats keep their own errors.
                wide = [t for t in self.narrow if t not in HALVES]
                self.noisy = open_reference(disturbed(widened(self.model, wide)))
            return [self.ask(self.noisy, inputs) for _ in range(count)]
        except Exception:
            return []

    def ask_reference(self, inputs):
        """The results of ONNX's reference; None if it lacks something."""
        if self.has(*NOT_BY_REFERENCE) or self.has_loop_without_condition():
            return None
        try:
            values = self.evaluate(self.model, inputs)
            return {name: x.astype(type_) for (name, type_), x in
                    zip(self.types.items(), values.values())}
        except Exception:  # Whatever it is that it lacks.
            return None

    def evaluate(self, model, inputs):
        types = {x.name: helper.tensor_dtype_to_np_dtype(x.type.tensor_type.elem_type)
                 for x in model.graph.input}
        feeds = {name: x.astype(types[name]) for name, x in inputs.items()}
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            values = ReferenceEvaluator(model, new_ops=MENDED).run(None, feeds)
            return dict(zip(self.types, map(np.asarray, values)))


def limits(want, like):
    relative, absolute = TOLERANCE[like]
    wide = want.astype(np.float64)
    finite = np.abs(wide[np.isfinite(wide)])
    largest = finite.max() if finite.size else 0
    # Numbers below the normal ones have less than the type's relative precision.
    return (relative * np.abs(wide) + absolute * min(largest, 1e30) +
            (0 if like == "float64" else 1e-44))


def differ(got, want, like):
    """Which elements differ; the shapes are the same."""
    if like not in TOLERANCE:
        return got != want
    with np.errstate(all="ignore"):
        g, w = got.astype(np.float64), want.astype(np.float64)
        near = np.abs(g - w) <= limits(want, like)
        return ~((g == w) | (np.isnan(g) & np.isnan(w)) |
                 (np.isfinite(g) & np.isfinite(w) & near))


def same(got, want, like):
    return got.shape == want.shape and not differ(got, want, like).any()


def explained(got, want, trials, like):
    """Whether rounding errors can explain the difference."""
    if any(t.shape != want.shape for t in trials):
        return True  # Even the shape is up to chance.
    if got.shape != want.shape:
        return False
    fine = ~differ(got, want, like)
    if fine.all() or not trials:
        return bool(fine.all())
    with np.errstate(all="ignore"):
        g, w = got.astype(np.float64), want.astype(np.float64)
        trials = np.stack([t.astype(np.float64) for t in trials])
        spread = np.abs(trials - w).max(0)
        if like in TOLERANCE:
            fine |= np.isfinite(g) & (np.abs(g - w) <= limits(want, like) + ALLOWANCE * spread)
            # Where overflow or NaN is up to chance, either is right.
            rounded = trials.astype(got.dtype)
            finite = np.isfinite(rounded.astype(np.float64))
            fine |= finite.any(0) & ~finite.all(0)
            # So is an infinity, where a divisor comes near 0 from both sides.
            fine |= (np.isinf(g) & (trials.min(0) < 0) & (trials.max(0) > 0) &
                     (spread > np.abs(w)))
            fine |= ((g == rounded) | (np.isnan(g) & np.isnan(trials))).any(0)
        else:
            low, high = np.minimum(trials.min(0), w), np.maximum(trials.max(0), w)
            slack = np.maximum(1, high - low)
            fine |= (high > low) & (g >= low - slack) & (g <= high + slack)
    return bool(fine.all())


def describe(name, got, want, who):
    if got.shape != want.shape:
        return (f"output '{name}' is {got.dtype}{list(got.shape)} instead of "
                f"{want.dtype}{list(want.shape)} by {who}")
    bad = differ(got, want, want.dtype.name)
    where = tuple(int(i) for i in np.argwhere(bad)[0])
    return (f"output '{name}': {int(bad.sum())} of {bad.size} elements are wrong, first at "
            f"{list(where)}: {got[where]}, expected {want[where]} by {who}")
