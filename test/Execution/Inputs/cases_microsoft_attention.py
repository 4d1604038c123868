# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Attentions and embeddings of ONNX Runtime's transformer tools."""

import numpy as np
from execution import Case

SIZES = [{"B": 1, "S": 5}, {"B": 3, "S": 4}]


def weights(name, shape):
    return f"float[{shape}] {name}"


def attention():
    """Attention: 4 heads of 6, projected from 10."""
    x, w = "float[B,S,10] x", "float[10,72] w, float[72] b"
    def case(name, operands, inputs="", attributes="", weights=w, **more):
        return Case(f"Attention_{name}", x + inputs,
                    f"y = com.microsoft.Attention<num_heads = 4{attributes}>({operands})",
                    weights=weights, **{"sizes": SIZES, "tolerance": 3, **more})
    yield case("plain", "x, w, b")
    yield case("no_bias", "x, w", weights="float[10,72] w")
    yield case("causal", "x, w, b", attributes=", unidirectional = 1, scale = 0.3")
    yield case("bias", "x, w, b, , , a", ", float[B,4,S,S] a")
    yield case("lengths", "x, w, b, m", ", int32[B] m", ranges={"m": (1, 4)})
    yield Case("Attention_ranges", "float[3,S,10] x, int32[6] m",
               "y = com.microsoft.Attention<num_heads = 4>(x, w, b, m)", weights=w,
               values={"m": np.int32([5, 4, 3, 0, 1, 2])}, sizes=[{"S": 5}], tolerance=3)
    yield case("mask", "x, w, b, m", ", int32[B,S] m", ", mask_filter_value = -100.0",
               ranges={"m": (0, 1)})
    yield case("mask_of_queries", "x, w, b, m", ", int32[B,S,S] m", ", unidirectional = 1",
               ranges={"m": (0, 1)})
    yield Case("Attention_sizes", x,
               "y = com.microsoft.Attention<num_heads = 4, qkv_hidden_sizes = [16, 16, 32]>(x, w, b)",
               weights="float[10,64] w, float[64] b", sizes=SIZES, tolerance=3)
    yield Case("Attention_past", f"{x}, float[2,B,4,P,6] p",
               "y, q = com.microsoft.Attention<num_heads = 4, unidirectional = 1>(x, w, b, , p)",
               weights=w, sizes=[{"B": 1, "S": 1, "P": 7}, {"B": 2, "S": 3, "P": 5}], tolerance=3)
    for zeros in ("", ", z, v"):
        yield Case(f"QAttention{len(zeros)}", "uint8[B,S,10] x, int32[B] m",
                   f"y = com.microsoft.QAttention<num_heads = 4>(x, w, b, s, t, m{zeros})",
                   weights="int8[10,72] w, float[72] b, float s, float t"
                           + (", uint8 z, int8 v" if zeros else ""),
                   ranges={"x": (0, 255), "w": (-128, 127), "m": (1, 4)},
                   values={"s": np.float32(0.02), "t": np.float32(0.01), "z": np.uint8(120),
                           "v": np.int8(3)}, sizes=SIZES, tolerance=3)


def multi_head_attention():
    q, kv = "float[B,S,24] q", "float[B,T,24] k, float[B,T,32] v"
    sizes = [{"B": 1, "S": 5, "T": 7}, {"B": 3, "S": 4, "T": 4}]
    def case(name, operands, inputs=f"{q}, {kv}", attributes="", weights="", **more):
        return Case(f"MultiHeadAttention_{name}", inputs,
                    f"y = com.microsoft.MultiHeadAttention<num_heads = 4{attributes}>({operands})",
                    weights=weights, **{"sizes": sizes, "tolerance": 3, **more})
    yield case("plain", "q, k, v")
    yield case("bias", "q, k, v, b", weights="float[80] b", attributes=", scale = 0.5")
    yield case("mask", "q, k, v, , m, a", f"{q}, {kv}, int32[B,T] m, float[1,4,S,T] a",
               ranges={"m": (0, 1)})
    yield case("half", "q, k, v", f"{q}, {kv}".replace("float", "float16"))
    yield case("causal", "q, k, v", f"{q}, float[B,S,24] k, float[B,S,32] v",
               ", unidirectional = 1", sizes=SIZES)
    yield case("of_heads", "q, k, v, b", f"{q}, float[B,4,T,6] k, float[B,4,T,6] v",
               weights="float[72] b")
    # Only ONNX Runtime for GPUs takes these.
    yield case("packed", "q", "float[B,S,4,3,6] q", sizes=SIZES)
    yield case("packed_keys", "q, k", f"{q}, float[B,T,4,2,6] k")
    yield Case("MultiHeadAttention_past",
               "float[B,S,24] q, float[B,S,24] k, float[B,S,24] v, float[B,4,P,6] pk, "
               "float[B,4,P,6] pv",
               "y, nk, nv = com.microsoft.MultiHeadAttention<num_heads = 4, unidirectional = 1>"
               "(q, k, v, , , , pk, pv)",
               sizes=[{"B": 1, "S": 1, "P": 7}, {"B": 2, "S": 3, "P": 5}], tolerance=3)


def group_query_attention():
    """6 heads share 2 heads of keys and values."""
    def case(name, body, inputs="", past=0, step=4, short=0, attributes="", unpacked=True,
             size=16, valid=None, real="float", **more):
        total = past + step
        batch = 1 if past and step > 1 else 2  # ONNX Runtime has no more.
        lengths = np.int32([total - 1] * batch)
        lengths[-1] -= short
        states = (f"{real}[B,S,{6 * size}] q, {real}[B,S,{2 * size}] k, {real}[B,S,{2 * size}] v"
                  if unpacked else f"{real}[B,S,{10 * size}] q")
        states += "".join(f", {real}[B,2,P,{size}] {x}" for x in ("pk", "pv")) if past else ""
        operands = ("q, k, v" if unpacked else "q, , ") + (", pk, pv" if past else ", , ")
        values = {"n": lengths, "t": np.int32(total)} | more.pop("values", {})
        cut, weights = "", more.pop("weights", "")
        if valid:
            # Behind the last token, ONNX Runtime has something else.
            cut = "  ".join(["", *(f"{x}v = Slice({x}, first, end, axis{len(x)})"
                                   for x in ("y", "nk", "nv"))])
            weights += ", " * bool(weights) + "int64[1] first, int64[1] end, int64[1] axis1, int64[1] axis2"
            values |= {"first": np.int64([0]), "end": np.int64([valid]),
                       "axis1": np.int64([1]), "axis2": np.int64([2])}
        return Case(f"GroupQueryAttention_{name}", f"{states}, int32[B] n, int32 t{inputs}",
                    "y, nk, nv = com.microsoft.GroupQueryAttention<num_heads = 6, "
                    f"kv_num_heads = 2{attributes}>({operands}, n, t{body}){cut}", weights,
                    sizes=[{"B": batch, "S": step, "P": past}], values=values,
                    tolerance=3, **more)
    rotation = {"weights": "float[20,8] c, float[20,8] s"}
    yield case("prompt", "")
    yield case("padded_prompt", ", c, s", short=1, valid=3, attributes=", do_rotary = 1", **rotation)
    yield case("step", "", past=5, step=1)
    yield case("steps", "", past=5, step=3, attributes=", scale = 0.2")
    yield case("half", ", c, s", past=5, step=1, real="float16", attributes=", do_rotary = 1",
               weights="float16[20,8] c, float16[20,8] s")
    yield case("uneven_step", "", past=5, step=1, short=2, valid=4)
    yield case("packed", ", c, s", unpacked=False, past=5, step=2, attributes=", do_rotary = 1",
               **rotation)
    yield case("rotary_interleaved", ", c, s", past=5, step=1,
               attributes=", do_rotary = 1, rotary_interleaved = 1", **rotation)
    yield case("rotary_part", ", c, s", past=5, step=2, attributes=", do_rotary = 1",
               size=32, **rotation)
    yield case("positions", ", c, s, p", ", int64[B,S] p", past=5, step=2,
               attributes=", do_rotary = 1", ranges={"p": (0, 19)}, **rotation)
    yield case("window", "", past=9, step=3, attributes=", local_window_size = 4")
    yield case("window_prompt", "", step=8, attributes=", local_window_size = 3")
    yield case("softcap", "", step=5, attributes=", softcap = 1.5")
    yield case("smooth", "", step=5, attributes=", smooth_softmax = 1")
    yield case("sink", ", , , , , h", step=5, weights="float[6] h")
    yield case("bias", ", , , , a", ", float[B,6,S,7] a", past=5, step=2)
    yield case("one_bias", ", , , , a", ", float[1,1,S,7] a", past=5, step=2)


def embeddings():
    ids = "int32[B,S] i, int32[B,S] j"
    tables = "float[30,16] w, float[12,16] p, float[2,16] s, float[16] g, float[16] b"
    ranges = {"i": (0, 29), "j": (0, 1), "k": (0, 11), "m": (0, 1)}
    yield Case("EmbedLayerNormalization", ids + ", int32[B,S] m",
               "y, n, e = com.microsoft.EmbedLayerNormalization<mask_index_type = 1>"
               "(i, j, w, p, s, g, b, m)", weights=tables, ranges=ranges, sizes=SIZES, tolerance=3)
    yield Case("EmbedLayerNormalization_positions", ids + ", int32[B,S] k",
               "y, n = com.microsoft.EmbedLayerNormalization<epsilon = 0.01>"
               "(i, j, w, p, s, g, b, , k)", weights=tables, ranges=ranges, sizes=SIZES,
               tolerance=3)
    yield Case("EmbedLayerNormalization_no_segments", "int32[B,S] i",
               "y, n = com.microsoft.EmbedLayerNormalization(i, , w, p, , g, b)",
               weights=tables.replace("float[2,16] s, ", ""), ranges=ranges, sizes=SIZES,
               tolerance=3)
    names = ("w", "p", "s", "g", "b")
    yield Case("QEmbedLayerNormalization", ids + ", int32[B,S] m",
               "y, n = com.microsoft.QEmbedLayerNormalization(i, j, w, p, s, g, b, m, "
               + ", ".join(f"s{x}" for x in names) + ", " + ", ".join(f"z{x}" for x in names) + ")",
               weights=tables.replace("float", "uint8") + "".join(
                   f", float s{x}, uint8 z{x}" for x in names),
               ranges=ranges | {x: (0, 255) for x in names} |
               {f"s{x}": (0.01, 0.02) for x in names} | {f"z{x}": (100, 140) for x in names},
               sizes=SIZES, tolerance=3)
    for name, shape, attributes in (
            ("", "B,S,48", "interleaved = 0"), ("_interleaved", "B,S,48", "interleaved = 1"),
            ("_heads", "B,3,S,16", "interleaved = 0"),
            ("_part", "B,S,72", "num_heads = 3, rotary_embedding_dim = 16")):
        for positions in ("B,S", "1"):
            yield Case(f"RotaryEmbedding{name}_{len(positions)}",
                       f"float[{shape}] x, int64[{positions}] p",
                       f"y = com.microsoft.RotaryEmbedding<{attributes}>(x, p, c, s)",
                       weights="float[20,8] c, float[20,8] s", ranges={"p": (0, 9)}, sizes=SIZES)
    yield Case("GemmaRotaryEmbedding", "float[B,S,8] e, float16[B,3,S,8] q, float16[B,3,S,8] r, "
               "float16[B,3,S,8] k, float16[B,3,S,8] t",
               "y, z = com.microsoft.GemmaRotaryEmbedding(e, q, r, k, t)", sizes=SIZES)


def all_cases():
    for family in (attention, multi_head_attention, group_query_attention, embeddings):
        yield from family()
