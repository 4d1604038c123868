# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Mixtures of experts that ONNX Runtime has on GPUs only, against numpy: swiglu of halves, two
separate products, and weights of the router."""

import sys

import numpy as np
from single_nodes import check

TOKENS, HIDDEN, INNER, EXPERTS, K = 7, 8, 12, 4, 2
ALPHA, BETA, LIMIT = 1.5, 0.5, 2.0
random = np.random.default_rng(0)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def swiglu(gate, linear):
    gate, linear = np.minimum(gate, LIMIT), np.clip(linear, -LIMIT, LIMIT)
    return gate / (1 + np.exp(-ALPHA * gate)) * (linear + BETA)


def silu(gate, linear):
    return gate / (1 + np.exp(-gate)) * linear


def mix(x, router, expert, weights=None):
    chosen = np.argsort(-router, 1)[:, :K]
    if weights is None:
        factors = softmax(np.take_along_axis(router, chosen, 1))
    else:
        factors = np.take_along_axis(weights, chosen, 1)
        factors = factors / factors.sum(1, keepdims=True)
    return np.stack([sum(factors[t, j] * expert(x[t], chosen[t, j]) for j in range(K))
                     for t in range(len(x))])


def compare(folder, name, op, operands, expected, **attributes):
    check(folder, name, op, operands, [expected.astype(np.float32)], ["x", "r"], k=K,
          normalize_routing_weights=1, **attributes)


def main(folder):
    normal = lambda *shape: random.normal(size=shape).astype(np.float32)
    x, r = normal(TOKENS, HIDDEN), normal(TOKENS, EXPERTS)
    first, second = normal(EXPERTS, 2 * INNER, HIDDEN), normal(EXPERTS, HIDDEN, INNER)
    gate, linear = first[:, :INNER], first[:, INNER:]
    limits = {"activation_alpha": ALPHA, "activation_beta": BETA, "swiglu_limit": LIMIT}
    by = lambda combine: lambda token, e: second[e] @ combine(gate[e] @ token, linear[e] @ token)
    compare(folder, "halves", "MoE", dict(x=x, r=r, w1=first, b1=None, w2=second),
          mix(x, r, by(swiglu)), activation_type="swiglu", swiglu_fusion=2, **limits)
    separate = dict(x=x, r=r, w1=gate.copy(), b1=None, w2=second, b2=None, w3=linear.copy())
    compare(folder, "separate", "MoE", separate, mix(x, r, by(swiglu)), activation_type="swiglu",
          **limits)
    compare(folder, "silu", "MoE", separate, mix(x, r, by(silu)), activation_type="silu")

    # Weights of 8 bits without zero points, whose middle is 128.
    q1 = random.integers(0, 256, (EXPERTS, INNER, HIDDEN), dtype=np.uint8)
    q2 = random.integers(0, 256, (EXPERTS, HIDDEN, INNER), dtype=np.uint8)
    s1, s2 = (random.uniform(0.01, 0.02, size).astype(np.float32)
              for size in ((EXPERTS, INNER), (EXPERTS, HIDDEN)))
    real1, real2 = ((q - 128.0) * s[:, :, None] for q, s in ((q1, s1), (q2, s2)))
    weights = random.uniform(0.1, 1, (TOKENS, EXPERTS)).astype(np.float32)
    compare(folder, "router", "QMoE",
          dict(x=x, r=r, w1=q1, s1=s1, b1=None, w2=q2, s2=s2, b2=None, w3=None, s3=None, b3=None,
               z1=None, z2=None, z3=None, rw=weights),
          mix(x, r, lambda token, e: real2[e] @ np.maximum(real1[e] @ token, 0), weights),
          expert_weight_bits=8)


main(sys.argv[1])
