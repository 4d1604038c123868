# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Keras's applications and layers with random weights, converted by tf2onnx."""

import os

import numpy as np

#: The smallest of each family, and the size of its images.
APPLICATIONS = {"MobileNet": 128, "MobileNetV2": 128, "MobileNetV3Small": 128, "ResNet50": 96,
                "ResNet50V2": 96, "DenseNet121": 96, "EfficientNetB0": 96, "EfficientNetV2B0": 96,
                "InceptionV3": 128, "InceptionResNetV2": 128, "Xception": 96,
                "ConvNeXtTiny": 96, "VGG16": 64, "NASNetMobile": 224}


def seeded():
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    import tensorflow as tf
    tf.keras.utils.set_random_seed(0)
    return tf


def convert(tf, model, shape, path, opset):
    import tf2onnx
    signature = [tf.TensorSpec([None, *shape], tf.float32, name="x")]
    function = tf.function(lambda x: model(x, training=False), input_signature=signature)
    tf2onnx.convert.from_function(function, signature, opset=opset, output_path=str(path))
    return {"x": np.random.default_rng(0).random((2, *shape)).astype(np.float32)}


def application(name, size, path, opset):
    tf = seeded()
    model = getattr(tf.keras.applications, name)(weights=None, input_shape=(size, size, 3))
    return convert(tf, model, (size, size, 3), path, opset)


def layers(tf):
    """Name, shape of the input, layers."""
    k = tf.keras.layers
    yield "lstm", (12, 8), [k.LSTM(16, return_sequences=True), k.LSTM(16)]
    yield "gru", (12, 8), [k.Bidirectional(k.GRU(16, return_sequences=True)), k.Dense(4)]
    yield "rnn", (12, 8), [k.SimpleRNN(16)]
    yield "conv1d", (32, 4), [k.Conv1D(8, 3, padding="causal"), k.GlobalMaxPooling1D()]
    yield "conv2d", (24, 24, 3), [k.Conv2D(8, 3, strides=2, padding="same", activation="swish"),
                                  k.Conv2DTranspose(4, 3, strides=2), k.AveragePooling2D()]
    yield "conv3d", (8, 8, 8, 2), [k.Conv3D(4, 3), k.MaxPooling3D(), k.Flatten(), k.Dense(3)]
    yield "separable", (24, 24, 3), [k.SeparableConv2D(8, 3), k.DepthwiseConv2D(3, dilation_rate=2)]
    yield "normalizations", (16, 8), [k.LayerNormalization(), k.BatchNormalization(),
                                      k.GroupNormalization(2), k.UnitNormalization()]
    yield "activations", (16,), [k.Dense(8), k.ELU(), k.LeakyReLU(), k.PReLU(), k.Softmax(),
                                 k.Activation("gelu"), k.Activation("selu"),
                                 k.Activation("hard_sigmoid"), k.Activation("softsign")]
    yield "resizing", (16, 16, 3), [k.UpSampling2D(2, interpolation="bilinear"),
                                    k.Resizing(20, 28), k.ZeroPadding2D(2), k.Cropping2D(1)]
    yield "shapes", (16, 8), [k.Permute((2, 1)), k.Reshape((4, 32)), k.Flatten(),
                              k.RepeatVector(3), k.Dense(4)]



def stack(wanted, path, opset):
    tf = seeded()
    _, shape, members = next(row for row in layers(tf) if row[0] == wanted)
    model = tf.keras.Sequential([tf.keras.Input(shape), *members])
    return convert(tf, model, shape, path, opset)


LAYERS = ("lstm", "gru", "rnn", "conv1d", "conv2d", "conv3d", "separable", "normalizations",
          "activations", "resizing", "shapes")


def models():
    for name, size in APPLICATIONS.items():
        yield name.lower(), lambda path, name=name, size=size: application(name, size, path, 17)
    for name in LAYERS:
        for opset in 13, 17:
            yield f"{name}-{opset}", lambda path, name=name, opset=opset: stack(name, path, opset)
