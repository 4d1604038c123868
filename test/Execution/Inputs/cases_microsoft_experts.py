# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""ONNX Runtime's mixtures of experts, with weights in float and in few bits."""

from execution import Case

SIZES = [{"N": 1}, {"N": 5}, {"N": 0}]
HIDDEN, INNER, EXPERTS = 16, 32, 5


def floats():
    common = "normalize_routing_weights = {}, k = {}"
    for activation in ("relu", "gelu", "silu", "identity"):
        for normalized, k in ((0, 1), (1, 2)):
            yield Case(
                f"MoE_{activation}_{k}", f"float[N,{HIDDEN}] x, float[N,{EXPERTS}] r",
                f'y = com.microsoft.MoE<activation_type = "{activation}", '
                f"{common.format(normalized, k)}>(x, r, w1, b1, w2, b2)",
                weights=f"float[{EXPERTS},{INNER},{HIDDEN}] w1, float[{EXPERTS},{INNER}] b1, "
                        f"float[{EXPERTS},{HIDDEN},{INNER}] w2, float[{EXPERTS},{HIDDEN}] b2",
                sizes=SIZES, tolerance=4)
    swiglu = 'activation_type = "swiglu", activation_alpha = 1.5, activation_beta = 0.5'
    fused = (f"float[{EXPERTS},{2 * INNER},{HIDDEN}] w1, float[{EXPERTS},{2 * INNER}] b1, "
             f"float[{EXPERTS},{HIDDEN},{INNER}] w2")
    yield Case("MoE_swiglu", f"float[2,3,{HIDDEN}] x, float[6,{EXPERTS}] r",
               f"y = com.microsoft.MoE<{swiglu}, swiglu_fusion = 1, swiglu_limit = 3.0, "
               f"{common.format(1, 2)}>(x, r, w1, b1, w2)", weights=fused, tolerance=4)
    yield Case("MoE_swiglu_unlimited", f"float[N,{HIDDEN}] x, float[N,{EXPERTS}] r",
               f"y = com.microsoft.MoE<{swiglu}, swiglu_fusion = 1, {common.format(0, 3)}>"
               "(x, r, w1, b1, w2)", weights=fused, sizes=SIZES, tolerance=4)
    # ONNX Runtime has these on GPUs only: experts.py knows what they are.
    yield Case("MoE_swiglu_halves", f"float[N,{HIDDEN}] x, float[N,{EXPERTS}] r",
               f"y = com.microsoft.MoE<{swiglu}, swiglu_fusion = 2, {common.format(1, 2)}>"
               "(x, r, w1, b1, w2)", weights=fused, sizes=SIZES, oracle=False)
    separate = (f"float[{EXPERTS},{INNER},{HIDDEN}] w1, float[{EXPERTS},{HIDDEN},{INNER}] w2, "
                f"float[{EXPERTS},{INNER},{HIDDEN}] w3")
    for activation in ("silu", "swiglu"):
        yield Case(f"MoE_{activation}_separate", f"float[N,{HIDDEN}] x, float[N,{EXPERTS}] r",
                   f'y = com.microsoft.MoE<activation_type = "{activation}", '
                   f"{common.format(1, 2)}>(x, r, w1, , w2, , w3)", weights=separate,
                   sizes=SIZES, oracle=False)


def integers():
    ranges = {"w1": (0, 255), "w2": (0, 255), "s1": (0.01, 0.1), "s2": (0.01, 0.1),
              "z1": (0, 255), "z2": (0, 255)}
    for bits in (4, 8):
        for size in (0, 16):
            hidden, inner = HIDDEN * bits // 8, INNER * bits // 8
            scales = lambda n, k: f"{EXPERTS},{n}" + (f",{k // size}" if size else "")
            block = f", block_size = {size}" if size else ""
            for activation, factor in (("relu", 1), ("swiglu", 2)):
                fusion = ", swiglu_fusion = 1, swiglu_limit = 5.0" if factor == 2 else ""
                yield Case(
                    f"QMoE_{bits}_{size}_{activation}",
                    f"float[N,{HIDDEN}] x, float[N,{EXPERTS}] r",
                    f'y = com.microsoft.QMoE<activation_type = "{activation}", k = 2, '
                    f"normalize_routing_weights = 1, expert_weight_bits = {bits}{block}{fusion}>"
                    "(x, r, w1, s1, b1, w2, s2)",
                    weights=f"uint8[{EXPERTS},{factor * INNER},{hidden}] w1, "
                            f"float[{scales(factor * INNER, HIDDEN)}] s1, "
                            f"float[{EXPERTS},{factor * INNER}] b1, "
                            f"uint8[{EXPERTS},{HIDDEN},{inner}] w2, "
                            f"float[{scales(HIDDEN, INNER)}] s2",
                    # ONNX Runtime's kernel for blocks of 8 bits rounds activations to 8 bits.
                    ranges=ranges, sizes=SIZES, tolerance=20, oracle=(bits, size) != (8, 16))
    # Zero points: packed in rows of blocks, or those of all rows together.
    for size, z1, z2 in ((16, f"{EXPERTS},{INNER},1", f"{EXPERTS},{HIDDEN},1"),
                         (0, f"{EXPERTS},{INNER // 2}", f"{EXPERTS},{HIDDEN // 2}")):
        scales = lambda n, k: f"{EXPERTS},{n}" + (f",{k // size}" if size else "")
        block = f", block_size = {size}" if size else ""
        yield Case(f"QMoE_zeros_{size}", f"float[N,{HIDDEN}] x, float[N,{EXPERTS}] r",
                   'y = com.microsoft.QMoE<activation_type = "silu", k = 2, '
                   f"normalize_routing_weights = 1, expert_weight_bits = 4{block}>"
                   "(x, r, w1, s1, , w2, s2, , , , , z1, z2)",
                   weights=f"uint8[{EXPERTS},{INNER},{HIDDEN // 2}] w1, "
                           f"float[{scales(INNER, HIDDEN)}] s1, "
                           f"uint8[{EXPERTS},{HIDDEN},{INNER // 2}] w2, "
                           f"float[{scales(HIDDEN, INNER)}] s2, uint8[{z1}] z1, uint8[{z2}] z2",
                   ranges=ranges, sizes=SIZES, tolerance=20)


def all_cases():
    yield from floats()
    yield from integers()
