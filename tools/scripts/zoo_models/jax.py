# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Functions and networks of JAX, converted by jax2onnx."""

import numpy as np


def functions():
    """Name, function, shapes of the arguments; B is unknown."""
    import jax
    import jax.numpy as jnp
    random = np.random.default_rng(0)
    w1, w2 = (random.standard_normal(shape).astype(np.float32) / 8 for shape in ((16, 32), (32, 4)))
    kernel = random.standard_normal((3, 3, 3, 8)).astype(np.float32) / 4
    return {
        "mlp": (lambda x: jax.nn.softmax(jax.nn.gelu(x @ w1) @ w2), [("B", 16)]),
        "tanh-mlp": (lambda x: jnp.tanh(x @ w1) @ w2 + 1, [("B", 16)]),
        "attention": (lambda q, k, v: jax.nn.softmax(
            jnp.einsum("bid,bjd->bij", q, k) / 4) @ v, [("B", 8, 16)] * 3),
        "conv": (lambda x: jax.nn.relu(jax.lax.conv_general_dilated(
            x, kernel, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))),
            [("B", 16, 16, 3)]),
        "normalize": (lambda x: (x - x.mean(-1, keepdims=True)) / jnp.sqrt(
            x.var(-1, keepdims=True) + 1e-5), [("B", 8, 16)]),
        "reductions": (lambda x: jnp.stack([x.sum(1), x.max(1), x.min(1), x.mean(1),
                                            jnp.prod(x, 1)]), [("B", 6)]),
        "sorting": (lambda x: jnp.sort(x, axis=-1), [(4, 9)]),
        "cumulative": (lambda x: jnp.cumsum(x, axis=1), [("B", 9)]),
        "where": (lambda x, y: jnp.where(x > y, x * 2, jnp.abs(y)), [("B", 9)] * 2),
        "shapes": (lambda x: jnp.concatenate(
            [x.reshape(x.shape[0], -1), jnp.flip(x, 1).reshape(x.shape[0], -1)], 1), [(3, 4, 5)]),
        "logsumexp": (lambda x: jax.scipy.special.logsumexp(x, axis=-1), [("B", 12)]),
        "scan": (lambda x: jax.lax.scan(lambda c, row: (c * 0.5 + row, c.sum()),
                                        jnp.zeros(5), x)[1], [(7, 5)]),
        "cond": (lambda x: jax.lax.cond(x.sum() > 0, lambda y: y * 2, lambda y: -y, x), [(3, 5)]),
        "gather": (lambda x: x[:, jnp.array([2, 0, 1])], [(4, 5)]),
        "argmax": (lambda x: jnp.argmax(x, axis=-1), [("B", 9)]),
    }


def networks():
    """Name, network of flax, shapes of the arguments."""
    from flax import nnx
    rngs = nnx.Rngs(0)
    return {
        "nnx-linear": (nnx.Sequential(nnx.Linear(16, 32, rngs=rngs), nnx.relu,
                                      nnx.Linear(32, 4, rngs=rngs)), [("B", 16)]),
        "nnx-conv": (nnx.Sequential(
            nnx.Conv(3, 8, (3, 3), rngs=rngs),
            nnx.BatchNorm(8, use_running_average=True, rngs=rngs), nnx.silu), [("B", 12, 12, 3)]),
        "nnx-layernorm": (nnx.Sequential(nnx.LayerNorm(16, rngs=rngs),
                                         nnx.Linear(16, 16, rngs=rngs), nnx.gelu), [("B", 6, 16)]),
        "nnx-groupnorm": (nnx.GroupNorm(8, num_groups=2, rngs=rngs), [(2, 6, 6, 8)]),
    }


NAMES = ("mlp", "tanh-mlp", "attention", "conv", "normalize", "reductions", "sorting",
         "cumulative", "where", "shapes", "logsumexp", "scan", "cond", "gather", "argmax")
NETWORKS = "nnx-linear", "nnx-conv", "nnx-layernorm", "nnx-groupnorm"


def convert(name, path):
    import jax2onnx
    import onnx
    function, shapes = (functions() if name in NAMES else networks())[name]
    model = jax2onnx.to_onnx(function, [tuple(shape) for shape in shapes])
    onnx.save(model, path)
    random = np.random.default_rng(1)
    arrays = [random.standard_normal([3 if size == "B" else size for size in shape])
              .astype(np.float32) for shape in shapes]
    return {value.name: array for value, array in zip(model.graph.input, arrays)}


def models():
    for name in NAMES + NETWORKS:
        yield name, lambda path, name=name: convert(name, path)
