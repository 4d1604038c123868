# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Attention of sequences without padding, Fourier transforms and others that ONNX Runtime has on
GPUs only, against numpy."""

import sys

import numpy as np
from single_nodes import check

LENGTHS, LONGEST, HEADS, SIZE = [3, 1, 5], 6, 2, 4
HIDDEN = HEADS * SIZE
random = np.random.default_rng(0)


def normal(*shape):
    return random.normal(size=shape).astype(np.float32)


def attend(q, k, v, bias, scale):
    """Rows of all sequences, one after the other."""
    parts, start = [], 0
    for batch, length in enumerate(LENGTHS):
        rows = slice(start, start + length)
        start += length
        heads = [m[rows].reshape(length, HEADS, -1).transpose(1, 0, 2) for m in (q, k, v)]
        scores = heads[0] @ heads[1].transpose(0, 2, 1) * scale
        if bias is not None:
            scores = scores + bias[min(batch, len(bias) - 1), :, :length, :length]
        e = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = e / e.sum(-1, keepdims=True) @ heads[2]
        parts.append(mixed.transpose(1, 0, 2).reshape(length, -1))
    return np.concatenate(parts).astype(np.float32)


def main(folder):
    tokens = sum(LENGTHS)
    places = np.arange(len(LENGTHS) * LONGEST).reshape(len(LENGTHS), LONGEST)
    is_token = np.arange(LONGEST) < np.array(LENGTHS)[:, None]
    offsets = np.concatenate([places[is_token], places[~is_token]]).reshape(places.shape)
    offsets = offsets.astype(np.int32)
    sums = np.concatenate([[0], np.cumsum(LENGTHS)]).astype(np.int32)
    packed = {"o": offsets, "c": sums}
    bias = normal(3, 1, LONGEST, LONGEST)

    x, w, b = normal(tokens, 5), normal(5, 3 * HIDDEN), normal(3 * HIDDEN)
    q, k, v = np.split(x @ w + b, 3, 1)
    check(folder, "attention", "PackedAttention", {"x": x, "w": w, "b": b, **packed},
          [attend(q, k, v, None, SIZE ** -0.5)], ["x", "o", "c"], num_heads=HEADS)
    check(folder, "attention_bias", "PackedAttention",
          {"x": x, "w": w, "b": b, **packed, "bias": bias}, [attend(q, k, v, bias, 0.3)],
          ["x", "o", "c", "bias"], num_heads=HEADS, scale=0.3,
          qkv_hidden_sizes=[HIDDEN, HIDDEN, HIDDEN])
    q, k, v = normal(tokens, HIDDEN), normal(tokens, HIDDEN), normal(tokens, HIDDEN)
    bq, bk, bv = np.split(b, 3)
    check(folder, "heads", "PackedMultiHeadAttention",
          {"q": q, "k": k, "v": v, "b": b, **packed, "bias": bias[:1]},
          [attend(q + bq, k + bk, v + bv, bias[:1], SIZE ** -0.5)],
          ["q", "k", "v", "o", "c", "bias"], num_heads=HEADS)
    together = np.stack([m.reshape(tokens, HEADS, SIZE) for m in (q, k, v)], 2)
    check(folder, "packed_heads", "PackedMultiHeadAttention",
          {"q": together, "k": None, "v": None, "b": None, **packed},
          [attend(q, k, v, None, SIZE ** -0.5)], ["q", "o", "c"], num_heads=HEADS)

    padded = np.zeros((len(LENGTHS) * LONGEST, HIDDEN), np.float32)
    padded[offsets.reshape(-1)[:tokens]] = q
    padded = padded.reshape(len(LENGTHS), LONGEST, HIDDEN)
    check(folder, "restore", "RestorePadding", {"x": q, "o": offsets}, [padded], ["x", "o"])
    check(folder, "remove", "RemovePadding",
          {"x": padded, "n": np.array(LENGTHS, np.int32)},
          [q, offsets, sums, np.array([max(LENGTHS)], np.int32)], ["x", "n"])

    signal = normal(2, 3, 10)
    spectrum = np.fft.rfft(signal)
    parts = np.stack([spectrum.real, spectrum.imag], -1).astype(np.float32)
    check(folder, "rfft", "Rfft", {"x": signal}, [parts], ["x"], signal_ndim=1)
    check(folder, "irfft", "Irfft", {"x": parts}, [signal], ["x"], signal_ndim=1)
    other = normal(3, 6, 2)
    a, c = parts[..., 0] + 1j * parts[..., 1], other[..., 0] + 1j * other[..., 1]
    for op, product in (("ComplexMul", a * c), ("ComplexMulConj", a * c.conj())):
        both = np.stack([product.real, product.imag], -1).astype(np.float32)
        check(folder, op, op, {"x": parts, "y": other}, [both], ["x", "y"])
    left, right = normal(3, 4), normal(5, 4)
    check(folder, "activation", "FusedMatMulActivation", {"x": left, "w": right},
          [np.maximum(0.5 * left @ right.T, 0)], ["x"], transB=1, alpha=0.5, activation="Relu")
    e = np.exp(left @ right.T)
    check(folder, "softmax", "FusedMatMulActivation", {"x": left, "w": right},
          [e / e.sum(0, keepdims=True)], ["x"], transB=1, activation="Softmax",
          activation_axis=0)
    indices = np.array([[0, 4], [2, 2]])
    check(folder, "embedding", "TorchEmbedding", {"w": right, "i": indices}, [right[indices]],
          ["i"])
    data = random.integers(0, 256, (3, 4), dtype=np.uint8)
    one = lambda value, dtype=np.float32: np.array(value, dtype)
    mean = ((data - 120.0) * 0.5).mean(1, keepdims=True)
    check(folder, "mean", "QLinearReduceMean",
          {"x": data, "xs": one(0.5), "xz": one(120, np.uint8), "ys": one(0.25),
           "yz": one(128, np.uint8)},
          [np.clip(np.rint(mean / 0.25) + 128, 0, 255).astype(np.uint8)], ["x"], axes=[1],
          keepdims=1)


main(sys.argv[1])
