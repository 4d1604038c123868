# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Recurrent layers in all their forms, of f32 and of f64."""

import pathlib
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import compiled

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "Execution/Inputs"))
from execution import merge

rng = np.random.default_rng(1)
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
# Layers that are also tried in f64: each form of one of the operators.
WIDE = """lstm lstm-reverse lstm-lengths lstm-clip lstm-peephole lstm-input-forget lstm-activations
gru-wide gru-no-bias gru-bidirectional gru-reverse-lengths gru-linear gru-activations rnn rnn-odd
rnn-one-step rnn-leakyrelu rnn-elu rnn-softplus rnn-thresholdedrelu rnn-affine""".split()
layers = {}  # models and inputs by name


def layer(name, op, hidden, steps=4, batch=(3,), inputs=6, direction="forward",
          layout=0, lengths=None, states=False, peephole=False, bias=True, **attrs):
    directions = 2 if direction == "bidirectional" else 1
    gates = GATES[op]
    weights = {
        "W": rng.standard_normal((directions, gates * hidden, inputs)) * 0.5,
        "R": rng.standard_normal((directions, gates * hidden, hidden)) * 0.5,
        "B": rng.standard_normal((directions, 2 * gates * hidden)) * 0.5,
        "P": rng.standard_normal((directions, 3 * hidden)) * 0.5,
    }
    feeds = []
    for size in batch:
        shape = (size, steps, inputs) if layout else (steps, size, inputs)
        state = (size, directions, hidden) if layout else (directions, size, hidden)
        feed = {"X": rng.standard_normal(shape).astype(np.float32)}
        if lengths is not None:
            feed["lens"] = np.resize(np.array(lengths, np.int32), size)
        if states:
            feed["h"] = rng.standard_normal(state).astype(np.float32)
            if op == "LSTM":
                feed["c"] = rng.standard_normal(state).astype(np.float32)
        feeds.append(feed)
    names = ["X", "W", "R", "B" if bias else "", "lens" if lengths is not None else "",
             "h" if states else ""]
    if op == "LSTM":
        names += ["c" if states else "", "P" if peephole else ""]
    while not names[-1]:
        names.pop()
    outputs = ["Y", "Y_h"] + (["Y_c"] if op == "LSTM" else [])
    node = helper.make_node(op, names, outputs, hidden_size=hidden, direction=direction,
                            **({"layout": layout} if layout else {}), **attrs)

    def dims(array, axis):
        return ["N" if i == axis and len(batch) > 1 else size
                for i, size in enumerate(array.shape)]

    axes = {"X": 0 if layout else 1, "lens": 0, "h": 0 if layout else 1,
            "c": 0 if layout else 1}
    graph = helper.make_graph(
        [node], "g",
        [helper.make_tensor_value_info(key, helper.np_dtype_to_tensor_dtype(value.dtype),
                                       dims(value, axes[key]))
         for key, value in feeds[0].items()],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
         for output in outputs],
        [numpy_helper.from_array(value.astype(np.float32), key)
         for key, value in weights.items() if key in names])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)],
                              ir_version=8)
    compiled.check(name, model, feeds)
    if name in WIDE:
        layers[name] = model, feeds[-1]


def widen(array):
    return array.astype(np.float64) if array.dtype == np.float32 else array


def widen_model(model):
    wide = onnx.ModelProto()
    wide.CopyFrom(model)
    for info in (*wide.graph.input, *wide.graph.output):
        if info.type.tensor_type.elem_type == TensorProto.FLOAT:
            info.type.tensor_type.elem_type = TensorProto.DOUBLE
    for tensor in wide.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(widen(numpy_helper.to_array(tensor)), tensor.name))
    return wide


def check_f64():
    """Layers of f64, in one model. ONNX Runtime has none: the interpreter says what the
    digits are, and ONNX Runtime's layer of f32 that the right thing is computed."""
    assert layers.keys() == set(WIDE), "a name of WIDE is no layer"
    folder = pathlib.Path(sys.argv[1])
    onnx.save(merge({name: widen_model(model) for name, (model, _) in layers.items()}),
              folder / "f64.onnx")
    np.savez(folder / "f64.npz", **{f"{name}/{key}": widen(x) for name, (_, feed) in layers.items()
                                    for key, x in feed.items()})
    subprocess.run(["nn-translate", "--mcpu=native", folder / "f64.onnx", "-o", folder / "f64.so"],
                   check=True)
    results = {}
    for how, command in (("compiled", ["f64.so"]), ("interpreted", ["f64.onnx", "--interpret"])):
        path = folder / f"f64-{how}.npz"
        subprocess.run(["nn-run", folder / command[0], *command[1:], "--inputs", folder / "f64.npz",
                        "--outputs", path], check=True)
        with np.load(path) as file:
            results[how] = dict(file)
    for name, (model, feed) in layers.items():
        expected = list(compiled.ask_runtime(model, feed).values())
        for info, narrow in zip(model.graph.output, expected):
            got, wide = (results[how][f"{name}/{info.name}"] for how in ("compiled", "interpreted"))
            isRight = (got.dtype == np.float64 and np.allclose(got, wide, rtol=1e-13, atol=1e-14)
                       and np.allclose(got, narrow, rtol=1e-4, atol=1e-5))
            if not isRight:
                compiled.failures.append(f"{name}-f64")
                print(f"{name}, {info.name} of f64: {np.abs(got - wide).max()} from what the "
                      f"interpreter computes, {np.abs(got - narrow).max()} from ONNX Runtime's f32")


for op in GATES:
    low = op.lower()
    layer(low, op, hidden=16)
    layer(low + "-odd", op, hidden=5, batch=(1,))
    layer(low + "-wide", op, hidden=40, batch=(1, 5, 9), states=True)
    layer(low + "-no-bias", op, hidden=33, bias=False)
    layer(low + "-reverse", op, hidden=7, direction="reverse", states=True)
    layer(low + "-bidirectional", op, hidden=18, direction="bidirectional", states=True,
          batch=(2, 6))
    layer(low + "-lengths", op, hidden=16, lengths=[4, 1, 3], states=True)
    layer(low + "-reverse-lengths", op, hidden=20, lengths=[2, 4, 3],
          direction="bidirectional")
    layer(low + "-clip", op, hidden=16, clip=0.3)
    layer(low + "-one-step", op, hidden=64, steps=1, batch=(1,), states=True)
layer("lstm-peephole", "LSTM", hidden=19, peephole=True, states=True,
      direction="bidirectional")
layer("lstm-input-forget", "LSTM", hidden=16, input_forget=1)
layer("lstm-activations", "LSTM", hidden=16,
      activations=["HardSigmoid", "Softsign", "ScaledTanh"],
      activation_alpha=[0.3, 1.5], activation_beta=[0.4, 0.7])
layer("gru-linear", "GRU", hidden=24, linear_before_reset=1, batch=(1, 8), states=True)
layer("gru-linear-no-bias", "GRU", hidden=17, linear_before_reset=1, bias=False)
layer("gru-activations", "GRU", hidden=16, activations=["Sigmoid", "Relu"])
for activation in ("Relu", "LeakyRelu", "Elu", "Softplus"):
    layer("rnn-" + activation.lower(), "RNN", hidden=16, activations=[activation],
          steps=3)
# Without parameters ONNX Runtime has other defaults than ONNX.
layer("rnn-thresholdedrelu", "RNN", hidden=16, activations=["ThresholdedRelu"],
      activation_alpha=[0.7], steps=3)
layer("rnn-affine", "RNN", hidden=16, activations=["Affine"], activation_alpha=[0.5],
      activation_beta=[0.1], steps=3)
check_f64()
compiled.finish()
