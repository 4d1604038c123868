# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""What the quantizers of ONNX Runtime write, in each of their modes."""

import logging

import numpy as np
import onnx

from . import bench

#: Float models of the shared folder.
FLOAT = "kws_dscnn_fp32", "resnet8_cifar10_fp32", "ultraface_rfb320", "mnist_ort"


class Samples:
    """Noise around the inputs, to calibrate with."""

    def __init__(self, inputs):
        random = np.random.default_rng(2)
        self.samples = iter([
            {name: (value + 0.1 * random.standard_normal(value.shape)).astype(value.dtype)
             if value.dtype.kind == "f" else value for name, value in inputs.items()}
            for _ in range(3)])

    def get_next(self):
        return next(self.samples, None)


def prepared(name, path):
    """The model as the quantizers want it: of a present version, with known shapes."""
    logging.disable(logging.WARNING)
    given, inputs = bench.source(name, path.with_suffix(".source.onnx"))
    model = onnx.load(given)
    if next((o.version for o in model.opset_import if not o.domain), 0) < 13:
        model = onnx.version_converter.convert_version(model, 17)
    model.ir_version = max(model.ir_version, 8)
    ready = path.with_suffix(".source.onnx")
    onnx.save(onnx.shape_inference.infer_shapes(model), ready)
    return ready, inputs


def static(name, options, path):
    from onnxruntime import quantization as q
    source, inputs = prepared(name, path)
    names = {"quant_format": q.QuantFormat, "activation_type": q.QuantType,
             "weight_type": q.QuantType, "calibrate_method": q.CalibrationMethod}
    options = {key: names[key][value] if key in names else value
               for key, value in options.items()}
    q.quantize_static(source, path, Samples(inputs), **options)
    source.unlink()
    return inputs


def dynamic(name, options, path):
    from onnxruntime import quantization as q
    source, inputs = prepared(name, path)
    options = options | {"weight_type": q.QuantType[options["weight_type"]]}
    q.quantize_dynamic(source, path, **options)
    source.unlink()
    return inputs


def write(quantizer, path):
    quantizer.process()
    quantizer.model.save_model_to_file(str(path))


def in_blocks(name, options, path):
    """Weights of 4 or 8 bits in blocks."""
    from onnxruntime.quantization import QuantFormat
    from onnxruntime.quantization import matmul_nbits_quantizer as nbits
    source, inputs = prepared(name, path)
    options = dict(options)
    if "quant_format" in options:
        options["quant_format"] = QuantFormat[options["quant_format"]]
    write(nbits.MatMulNBitsQuantizer(onnx.load(source), **options), path)
    source.unlink()
    return inputs


def in_bnb4(name, kind, path):
    from onnxruntime.quantization.matmul_bnb4_quantizer import MatMulBnb4Quantizer
    source, inputs = prepared(name, path)
    write(MatMulBnb4Quantizer(onnx.load(source), kind, 16), path)
    source.unlink()
    return inputs


def halved(name, options, path):
    from onnxruntime.transformers.float16 import convert_float_to_float16
    source, inputs = prepared(name, path)
    onnx.save(convert_float_to_float16(onnx.load(source), **options), path)
    source.unlink()
    keep = options.get("keep_io_types")
    return {name: value.astype(np.float16) if value.dtype == np.float32 and not keep else value
            for name, value in inputs.items()}


STATIC = {
    **{f"{form.lower()}-{activation.lower()}-{weight.lower()}": {
        "quant_format": form, "activation_type": activation, "weight_type": weight}
       for form in ("QOperator", "QDQ")
       for activation, weight in (("QUInt8", "QUInt8"), ("QUInt8", "QInt8"), ("QInt8", "QInt8"))},
    **{f"qdq-{activation.lower()}-{weight.lower()}": {
        "quant_format": "QDQ", "activation_type": activation, "weight_type": weight,
        "extra_options": {"UseQDQContribOps": True}}
       for activation, weight in (("QUInt16", "QInt8"), ("QInt16", "QInt8"), ("QUInt16", "QUInt8"),
                                  ("QUInt8", "QUInt4"), ("QUInt16", "QInt4"))},
    "qdq-channels": {"quant_format": "QDQ", "per_channel": True, "weight_type": "QInt8"},
    "qoperator-channels": {"quant_format": "QOperator", "per_channel": True,
                           "weight_type": "QInt8"},
    "qdq-reduced": {"quant_format": "QDQ", "reduce_range": True},
    "qoperator-channels-reduced": {"quant_format": "QOperator", "per_channel": True,
                                   "reduce_range": True, "weight_type": "QInt8"},
    **{f"qdq-{method.lower()}": {"quant_format": "QDQ", "calibrate_method": method}
       for method in ("MinMax", "Entropy", "Percentile")},
    **{f"qdq-{name}": {"quant_format": "QDQ", "weight_type": "QInt8", "extra_options": options}
       for name, options in {
           "symmetric": {"ActivationSymmetric": True, "WeightSymmetric": True},
           "asymmetric-weights": {"WeightSymmetric": False},
           "pair-on-weights": {"AddQDQPairToWeight": True},
           "float-bias": {"QuantizeBias": False},
           "own-pairs": {"DedicatedQDQPair": True},
           "forced": {"ForceQuantizeNoInputCheck": True},
           "no-ranges": {"QDQKeepRemovableActivations": True},
           "percentile-average": {"CalibMovingAverage": True}}.items()}}
DYNAMIC = {f"dynamic-{kind.lower()}{'-channels' * channels}{'-reduced' * reduced}": {
    "weight_type": kind, "per_channel": channels, "reduce_range": reduced}
    for kind in ("QUInt8", "QInt8") for channels in (False, True) for reduced in (False, True)}
BLOCKS = {f"blocks-{bits}-{size}{'-symmetric' * symmetric}{'-qdq' * (form == 'QDQ')}": {
    "bits": bits, "block_size": size, "is_symmetric": symmetric, "quant_format": form}
    for bits, size, symmetric, form in (
        (4, 16, False, "QOperator"), (4, 32, True, "QOperator"), (4, 32, False, "QDQ"),
        (4, 16, True, "QDQ"), (8, 32, False, "QOperator"), (8, 16, True, "QOperator"))}
BLOCKS["blocks-accuracy-4"] = {"block_size": 32, "is_symmetric": True, "accuracy_level": 4}


def models():
    for name in bench.QUANTIZABLE[:2]:
        for mode, options in STATIC.items():
            yield f"{name}-{mode}", lambda path, name=name, options=options: static(
                name, options, path)
    for name in sorted(set(FLOAT) & set(bench.shared())):
        for mode in ("qoperator-quint8-qint8", "qdq-quint8-qint8", "qdq-channels", "qdq-entropy",
                     "qdq-quint16-qint8", "qdq-symmetric"):
            yield f"{name}-{mode}", lambda path, name=name, mode=mode: static(
                name, STATIC[mode], path)
    for name in [*bench.QUANTIZABLE, *sorted(set(FLOAT) & set(bench.shared()))]:
        for mode, options in DYNAMIC.items():
            if name in bench.SMALL or mode in ("dynamic-qint8-channels", "dynamic-quint8"):
                yield f"{name}-{mode}", lambda path, name=name, options=options: dynamic(
                    name, options, path)
    for mode, options in BLOCKS.items():
        yield f"transformer-{mode}", lambda path, options=options: in_blocks(
            "transformer", options, path)
    for kind in 0, 1:
        yield f"transformer-bnb4-{kind}", lambda path, kind=kind: in_bnb4(
            "transformer", kind, path)
    for name in bench.QUANTIZABLE:
        for mode, options in {"half": {}, "half-inside": {"keep_io_types": True}}.items():
            yield f"{name}-{mode}", lambda path, name=name, options=options: halved(
                name, options, path)
