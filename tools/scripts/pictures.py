# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""The shared folder's pictures, as inputs of image classifiers."""

import csv
import sys

import cases
import numpy as np
from PIL import Image

# How each kind of network wants its input (see the shared models' README).
PREPARATIONS = {
    "caffe": "BGR minus (104, 117, 123)",
    "tf": "RGB / 127.5 - 1",
    "torch": "RGB / 255, normalized by ImageNet's mean and deviation",
}


def prepare(path, how, size):
    """Shorter side scaled to size * 8 / 7, the centre cut out."""
    picture = Image.open(path).convert("RGB")
    side = size * 256 // 224
    scale = side / min(picture.size)
    picture = picture.resize([round(d * scale) for d in picture.size],
                             Image.Resampling.BILINEAR)
    left, top = ((d - size) // 2 for d in picture.size)
    pixels = np.asarray(picture.crop((left, top, left + size, top + size)), np.float32)
    if how == "caffe":
        pixels = pixels[:, :, ::-1] - np.float32((104, 117, 123))
    elif how == "tf":
        pixels = pixels / 127.5 - 1
    else:
        pixels = ((pixels / 255 - np.float32((0.485, 0.456, 0.406)))
                  / np.float32((0.229, 0.224, 0.225)))
    return pixels.transpose(2, 0, 1)[None]


def labelled():
    """The pictures' paths, with the numbers of their classes."""
    table = cases.SHARED / "data" / "imagenet_labels.csv"
    if not table.exists():
        sys.exit(f"error: {table} is missing; NN_SHARED_DIR names the shared folder")
    with open(table, newline="") as file:
        return [(table.parent / row["file"], int(row["index"]))
                for row in csv.DictReader(file)]


def best_class(scores):
    """Networks with 1001 classes have a background class in front."""
    return int(scores.argmax()) - (scores.size - 1000)
