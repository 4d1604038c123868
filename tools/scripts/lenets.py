# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""LeNet-300-100 and LeNet-5 (in Caffe's sizes), trained on pictures of digits with numpy."""

import gzip

import numpy as np
import onnx
from onnx import helper, numpy_helper

TRAINED = 8000  # Pictures; the others are the test.


def load_digits(folder):
    """Pictures of MNIST's test set as rows of numbers from 0 to 1, and what they show; in an
    order that mixes those who wrote them."""
    def read(name, offset):
        with gzip.open(folder / name) as file:
            return np.frombuffer(file.read(), np.uint8, offset=offset)

    pictures = read("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 784).astype(np.float32) / 255
    digits = read("t10k-labels-idx1-ubyte.gz", 8).astype(np.int64)
    order = np.random.default_rng(0).permutation(len(digits))
    return pictures[order], digits[order]


class Dense:
    def __init__(self, depth, columns, random):
        self.weights = random.standard_normal((depth, columns)).astype(np.float32)
        self.weights *= np.float32(np.sqrt(2 / depth))
        self.bias = np.zeros(columns, np.float32)

    def forward(self, x):
        self.shape, self.x = x.shape, x.reshape(len(x), -1)
        return self.x @ self.weights + self.bias

    def backward(self, g):
        self.gradients = self.x.T @ g, g.sum(0)
        return (g @ self.weights.T).reshape(self.shape)


class Conv:
    """5 x 5, without padding; pictures are N x H x W x C, weights 25 C x M."""

    def __init__(self, channels, filters, random):
        self.weights = random.standard_normal((25 * channels, filters)).astype(np.float32)
        self.weights *= np.float32(np.sqrt(2 / (25 * channels)))
        self.bias = np.zeros(filters, np.float32)

    def forward(self, x):
        self.shape = x.shape
        windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), (1, 2))
        self.columns = np.ascontiguousarray(windows.transpose(0, 1, 2, 4, 5, 3))
        n, h, w = self.columns.shape[:3]
        self.columns = self.columns.reshape(n * h * w, -1)
        return (self.columns @ self.weights + self.bias).reshape(n, h, w, -1)

    def backward(self, g):
        n, h, w, filters = g.shape
        g = g.reshape(-1, filters)
        self.gradients = self.columns.T @ g, g.sum(0)
        columns = (g @ self.weights.T).reshape(n, h, w, 5, 5, -1)
        result = np.zeros(self.shape, np.float32)
        for y in range(5):
            for x in range(5):
                result[:, y:y + h, x:x + w] += columns[:, :, :, y, x]
        return result


class MaxPool:
    """2 x 2."""

    def forward(self, x):
        n, h, w, c = x.shape
        parts = x.reshape(n, h // 2, 2, w // 2, 2, c)
        result = parts.max((2, 4))
        self.is_largest = parts == result[:, :, None, :, None]
        return result

    def backward(self, g):
        parts = self.is_largest * g[:, :, None, :, None]
        n, h, _, w, _, c = parts.shape
        return parts.reshape(n, 2 * h, 2 * w, c)


class Relu:
    def forward(self, x):
        self.is_positive = x > 0
        return x * self.is_positive

    def backward(self, g):
        return g * self.is_positive


class Net:
    def __init__(self, name, layers, shape):
        self.name, self.layers, self.shape = name, layers, shape

    def trained(self):
        return [layer for layer in self.layers if hasattr(layer, "weights")]

    def forward(self, x):
        x = x.reshape(len(x), *self.shape)
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def count_errors(self, pictures, digits):
        wrong = [(self.forward(x).argmax(1) != y).sum()
                 for x, y in zip(np.array_split(pictures, 10), np.array_split(digits, 10))]
        return int(sum(wrong))

    def train(self, pictures, digits, epochs, masks=None, seed=1, rate=1e-3):
        """Adam (Kingma, Ba, 2015). Weights stay 0 where a mask is."""
        random = np.random.default_rng(seed)
        arrays = [array for layer in self.trained() for array in (layer.weights, layer.bias)]
        first = [np.zeros_like(array) for array in arrays]
        second = [np.zeros_like(array) for array in arrays]
        step = 0
        for epoch in range(epochs):
            slow = rate * (1 if epoch < epochs * 0.6 else 0.2)
            for batch in np.array_split(random.permutation(len(digits)), len(digits) // 100):
                scores = self.forward(pictures[batch])
                chances = np.exp(scores - scores.max(1, keepdims=True))
                chances /= chances.sum(1, keepdims=True)
                chances[np.arange(len(batch)), digits[batch]] -= 1
                g = chances / np.float32(len(batch))
                for layer in reversed(self.layers):
                    g = layer.backward(g)
                gradients = [g for layer in self.trained() for g in layer.gradients]
                step += 1
                for i, (array, g) in enumerate(zip(arrays, gradients)):
                    if array.ndim > 1:
                        g = g + np.float32(1e-4) * array
                    first[i] += np.float32(0.1) * (g - first[i])
                    second[i] += np.float32(0.001) * (g * g - second[i])
                    array -= np.float32(slow) * (first[i] / (1 - 0.9 ** step)) / (
                        np.sqrt(second[i] / (1 - 0.999 ** step)) + np.float32(1e-8))
                    if masks and array.ndim > 1:
                        array *= masks[i // 2]

    def save(self, path):
        """As ONNX: x float[N,784] -> y float[N,10], channels first."""
        nodes, weights = [], {}
        value = "x"
        if len(self.shape) > 1:
            weights["shape"] = np.array([-1, self.shape[2], *self.shape[:2]])
            nodes.append(helper.make_node("Reshape", [value, "shape"], ["picture"]))
            value = "picture"
        for i, layer in enumerate(self.layers):
            result = "y" if i + 1 == len(self.layers) else f"v{i}"
            if isinstance(layer, Dense):
                kernel = layer.weights
                if len(layer.shape) > 2:  # Channels come first now.
                    n, h, w, c = layer.shape
                    kernel = kernel.reshape(h, w, c, -1).transpose(2, 0, 1, 3)
                    kernel = kernel.reshape(h * w * c, -1)
                    nodes.append(helper.make_node("Flatten", [value], [f"flat{i}"]))
                    value = f"flat{i}"
                inputs, operator, attributes = kernel, "Gemm", {}
            elif isinstance(layer, Conv):
                channels = len(layer.weights) // 25
                inputs = layer.weights.reshape(5, 5, channels, -1).transpose(3, 2, 0, 1)
                operator, attributes = "Conv", {}
            else:
                inputs = None
                operator, attributes = ("Relu", {}) if isinstance(layer, Relu) else (
                    "MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]})
            names = [value]
            if inputs is not None:
                weights[f"w{i}"], weights[f"b{i}"] = inputs, layer.bias
                names += [f"w{i}", f"b{i}"]
            nodes.append(helper.make_node(operator, names, [result], **attributes))
            value = result
        graph = helper.make_graph(
            nodes, self.name,
            [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["N", 784])],
            [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["N", 10])],
            [numpy_helper.from_array(np.ascontiguousarray(array), name)
             for name, array in weights.items()])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)],
                                    ir_version=10), str(path))

    def read(self, path):
        """Takes the weights of a model that `save` wrote and nn-compress changed."""
        constants = {tensor.name: numpy_helper.to_array(tensor)
                     for tensor in onnx.load(str(path)).graph.initializer}
        graph = onnx.load(str(path)).graph
        products = [node for node in graph.node if node.op_type in ("Conv", "Gemm", "MatMul")]
        for layer, node in zip(self.trained(), products, strict=True):
            kernel = constants[node.input[1]]
            if isinstance(layer, Conv):
                layer.weights[:] = kernel.transpose(2, 3, 1, 0).reshape(layer.weights.shape)
            else:
                if kernel.shape != layer.weights.shape:
                    kernel = kernel.T
                if len(layer.shape) > 2:
                    n, h, w, c = layer.shape
                    kernel = kernel.reshape(c, h, w, -1).transpose(1, 2, 0, 3)
                layer.weights[:] = kernel.reshape(layer.weights.shape)
            bias = node.input[2] if len(node.input) > 2 else next(
                other.input[1] for other in graph.node
                if other.op_type == "Add" and other.input[0] == node.output[0])
            layer.bias[:] = constants[bias]


def make_lenet_300_100():
    random = np.random.default_rng(1)
    return Net("LeNet-300-100", [Dense(784, 300, random), Relu(), Dense(300, 100, random),
                                 Relu(), Dense(100, 10, random)], (784,))


def make_lenet_5():
    random = np.random.default_rng(1)
    return Net("LeNet-5", [Conv(1, 20, random), MaxPool(), Conv(20, 50, random), MaxPool(),
                           Dense(800, 500, random), Relu(), Dense(500, 10, random)],
               (28, 28, 1))
