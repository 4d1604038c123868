# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""quantized_models.py DIRECTORY: models as ONNX Runtime's quantizers write them, against
what ONNX Runtime computes for them. Sums that lie between two steps may round either way."""

import logging
import pathlib
import sys

import numpy as np
import onnx
from onnxruntime.quantization import (CalibrationDataReader, QuantFormat, QuantType,
                                      quantize_dynamic, quantize_static)

from optimized_models import TRANSFORMER, TRANSFORMER_WEIGHTS, UNCHANGED
from optimized_models import check, make, run, sample, session

CONVOLUTIONS = """g (float[2,3,16,16] x) => (float[2,10] y) {
    a = Conv<pads = [1, 1, 1, 1]>(x, w0, b0)  r = Relu(a)
    l = Conv<pads = [1, 1, 1, 1]>(r, w1)  m = LeakyRelu<alpha = 0.2>(l)  s = Add(m, r)
    p = AveragePool<kernel_shape = [2, 2], strides = [2, 2]>(s)
    g0 = Sigmoid(p)  h = Mul(g0, p)  c = Concat<axis = 1>(h, p)
    q = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(c)  v = GlobalAveragePool(q)
    f = Flatten(v)  d = Gemm<transB = 1>(f, w2, b2)  y = Softmax<axis = -1>(d) }"""
CONVOLUTION_WEIGHTS = {"w0": (8, 3, 3, 3), "b0": (8,), "w1": (8, 8, 3, 3), "w2": (10, 16),
                       "b2": (10,)}

LSTM = """g (float[7,2,10] x) => (float[7,2,2,8] y, float[2,2,8] h) {
    y, h = LSTM<direction = "bidirectional", hidden_size = 8>(x, w, r, b) }"""
LSTM_WEIGHTS = {"w": (2, 32, 10), "r": (2, 32, 8), "b": (2, 64)}


class Samples(CalibrationDataReader):
    def __init__(self, model):
        random = np.random.default_rng(2)
        self.samples = iter([{"x": sample(model, random)} for _ in range(3)])

    def get_next(self):
        return next(self.samples, None)


def quantize(directory, random):
    """Paths of models, with tolerances."""
    def save(name, text, weights):
        model = make(text, weights, random)
        onnx.save(model, directory / f"{name}.onnx")
        return model, directory / f"{name}.onnx"

    model, source = save("convolutions", CONVOLUTIONS, CONVOLUTION_WEIGHTS)
    for form, dtype in ((QuantFormat.QOperator, QuantType.QUInt8),
                        (QuantFormat.QOperator, QuantType.QInt8),
                        (QuantFormat.QDQ, QuantType.QUInt8), (QuantFormat.QDQ, QuantType.QUInt16)):
        path = directory / f"static-{form}-{dtype}.onnx"
        quantize_static(source, path, Samples(model), quant_format=form, activation_type=dtype,
                        weight_type=QuantType.QUInt8 if form == QuantFormat.QDQ else QuantType.QInt8,
                        extra_options={"UseQDQContribOps": True})
        yield path, ("1e-2", "1e-2")
    for name, text, weights in (("transformer", TRANSFORMER, TRANSFORMER_WEIGHTS),
                                ("lstm", LSTM, LSTM_WEIGHTS)):
        _, source = save(name, text, weights)
        for per_channel in (False, True):
            path = directory / f"dynamic-{name}-{per_channel}.onnx"
            quantize_dynamic(source, path, per_channel=per_channel, weight_type=QuantType.QInt8)
            yield path, ("2e-2", "2e-2")


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.WARNING)
    random = np.random.default_rng(1)
    failures = 0
    for path, tolerance in quantize(directory, random):
        model = onnx.load(path)
        x = sample(model, random)
        failures += not check(path, run(session(model, UNCHANGED), x), x, tolerance)
    sys.exit(failures)


if __name__ == "__main__":
    main()
