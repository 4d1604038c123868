# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""mismatched_dims.py FOLDER: sizes known only at run time that do not fit each other.
The compiled model and the interpreter end with an error; the compiled one names the node.
"""

import concurrent.futures
import os
import subprocess
import sys

import numpy as np
import onnx.parser

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)


def f(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def i(*shape):
    return np.zeros(shape, np.int64)


def u8(*shape):
    return np.ones(shape, np.uint8)


BROADCAST = "neither is 1 nor"
# Name: inputs, body, arrays, what the compiled model says of the node.
CASES = {
    "add": ("float[N] a, float[M] b", "y = Add(a, b)", (f(2), f(3)), BROADCAST),
    "where": ("bool[A] c, float[B] a, float[C] b", "y = Where(c, a, b)",
              (np.ones(2, bool), f(3), f(1)), BROADCAST),
    "matmul": ("float[2, N] a, float[M, 2] b", "y = MatMul(a, b)", (f(2, 2), f(3, 2)),
               "do not fit"),
    "matmul_batch": ("float[B, 2, 3] a, float[C, 3, 2] b", "y = MatMul(a, b)",
                     (f(2, 2, 3), f(3, 3, 2)), "do not fit"),
    "matmul_known_rows": ("float[4, 2] a, float[K, 1] b", "y = MatMul(a, b)", (f(4, 2), f(1, 1)),
                          "the contracted dimensions of a matrix product differ"),
    "gemm": ("float[A, B] a, float[C, D] b, float[E] c", "y = Gemm(a, b, c)",
             (f(2, 3), f(3, 4), f(3)), BROADCAST),
    "einsum": ("float[A, B] a, float[C, D] b", 'y = Einsum<equation = "ij,jk->ik">(a, b)',
               (f(2, 3), f(4, 2)), "do not fit"),
    "einsum_known_size": ("float[4, 2] a, float[B] b", 'y = Einsum<equation = "ij,j->i">(a, b)',
                          (f(4, 2), f(1)), "another size for label 'j' than 2"),
    "concat": ("float[2, N] a, float[2, M] b", "y = Concat<axis = 0>(a, b)",
               (f(2, 2), f(2, 3)), "differ in dimension 1"),
    "gather_nd": ("float[N, 4] a, int64[M, 3, 1] b", "y = GatherND<batch_dims = 1>(a, b)",
                  (f(1, 4), i(2, 3, 1)), "differ in batch dimension 0"),
    "gather_elements": ("float[N, 4] a, int64[M, 2] b", "y = GatherElements<axis = 1>(a, b)",
                        (f(1, 4), i(2, 2)), "more indices than data in dimension 0"),
    "nll": ("float[A, 3] a, int64[B] t", "y = NegativeLogLikelihoodLoss(a, t)",
            (f(2, 3), i(5)), "more indices than data in dimension 0"),
    "scatter_elements": ("float[N, 4] a, int64[M, 2] b, float[P, 2] u",
                         "y = ScatterElements<axis = 1>(a, b, u)",
                         (f(1, 4), i(2, 2), f(2, 2)), "more indices than data in dimension 0"),
    "scatter_elements_updates": ("float[N, 4] a, int64[M, 2] b, float[P, 2] u",
                                 "y = ScatterElements<axis = 1>(a, b, u)",
                                 (f(4, 4), i(2, 2), f(1, 2)), "differ in dimension 0"),
    "scatter_nd": ("float[N, 4] a, int64[M, 1] b, float[P, Q] u", "y = ScatterND(a, b, u)",
                   (f(4, 4), i(2, 1), f(1, 4)), "differ in dimension 0"),
    "scatter_nd_rows": ("float[N, 4] a, int64[M, 1] b, float[P, Q] u", "y = ScatterND(a, b, u)",
                        (f(4, 4), i(2, 1), f(2, 3)), "differ in dimension 1 of the updates"),
    "conv": ("float[1, C, 5, 5] a, float[2, D, 3, 3] w", "y = Conv(a, w)",
             (f(1, 3, 5, 5), f(2, 4, 3, 3)), "do not fit"),
    "conv_bias": ("float[1, 3, 5, 5] a, float[O, 3, 3, 3] w, float[P] b", "y = Conv(a, w, b)",
                  (f(1, 3, 5, 5), f(4, 3, 3, 3), f(3)), "does not fit"),
    "conv_transpose": ("float[A, B, 3] a, float[C, 2, 2] w", "y = ConvTranspose(a, w)",
                       (f(1, 3, 3), f(4, 2, 2)), "do not fit"),
    "batch_norm": ("float[1, C, 2] a, float[D] s, float[E] b",
                   "y = BatchNormalization(a, s, b, b, s)", (f(1, 3, 2), f(2), f(2)),
                   "for each channel"),
    "layer_norm": ("float[A, B] a, float[C] s, float[D] b", "y = LayerNormalization(a, s, b)",
                   (f(2, 3), f(2), f(2)), "neither 1 nor"),
    "instance_norm": ("float[A, B, 4] a, float[C] s, float[D] b",
                      "y = InstanceNormalization(a, s, b)", (f(2, 3, 4), f(2), f(2)),
                      "for each channel"),
    "prelu": ("float[A, B] a, float[C] s", "y = PRelu(a, s)", (f(2, 3), f(2)), BROADCAST),
    "dequantize": ("uint8[A, B] a, float[C] s", "y = DequantizeLinear<axis = 1>(a, s)",
                   (u8(2, 3), f(2)), BROADCAST),
    "matmul_integer": ("uint8[2, N] a, uint8[M, 2] b", "y = MatMulInteger(a, b)",
                       (u8(2, 2), u8(3, 2)), "differ"),
    "expand": ("float[A, B] a, int64[2] s", "y = Expand(a, s)",
               (f(2, 3), np.array([2, 4])), "neither 1 nor"),
    "reshape": ("float[A, B] a, int64[2] s", "y = Reshape(a, s)", (f(2, 3), np.array([2, 4])),
                "do not fit the shape"),
    "reshape_inferred": ("float[A, B] a, int64[2] s", "y = Reshape(a, s)",
                         (f(2, 3), np.array([-1, 4])), "do not fit the shape"),
    "split": ("float[A] a, int64[2] s", "y, z = Split<axis = 0>(a, s)",
              (f(5), np.array([2, 4])), "sum is not the size"),
    "split_negative": ("float[A] a, int64[2] s", "y, z = Split<axis = 0>(a, s)",
                       (f(5), np.array([6, -1])), "below 0"),
    "rnn": ("float[S, B, 3] a, float[1, 4, 3] w, float[1, 4, 4] r, float[1, C, 4] h",
            "y, z = RNN<hidden_size = 4>(a, w, r, , , h)",
            (f(2, 2, 3), f(1, 4, 3), f(1, 4, 4), f(1, 1, 4)),
            "initial_h does not have the shape batch x hidden_size"),
    "gru_lens": ("float[S, B, 3] a, float[1, 12, 3] w, float[1, 12, 4] r, int32[C] l",
                 "y, z = GRU<hidden_size = 4>(a, w, r, , l)",
                 (f(2, 2, 3), f(1, 12, 3), f(1, 12, 4), np.ones(3, np.int32)),
                 "sequence_lens does not have the shape batch"),
    "lstm": ("float[S, B, 3] a, float[1, 16, 3] w, float[1, 16, 4] r, float[1, 2, 4] h, "
             "float[1, C, 4] c", "y, z = LSTM<hidden_size = 4>(a, w, r, , , h, c)",
             (f(2, 2, 3), f(1, 16, 3), f(1, 16, 4), f(1, 2, 4), f(1, 1, 4)),
             "initial_c does not have the shape batch x hidden_size"),
    "reverse_sequence": ("float[A, B, 3] a, int64[C] l", "y = ReverseSequence(a, l)",
                         (f(2, 3, 3), i(2) + 1), "has the size"),
    "grid_sample": ("float[A, 1, 4, 4] a, float[B, 2, 2, 2] g", "y = GridSample(a, g)",
                    (f(1, 1, 4, 4), f(2, 2, 2, 2) / 8), "differ in the batch"),
    "roi_align": ("float[1, 1, 4, 4] a, float[R, 4] r, int64[S] b",
                  "y = RoiAlign<output_height = 2, output_width = 2>(a, r, b)",
                  (f(1, 1, 4, 4), f(2, 4), i(1)), "numbers of regions and batch indices"),
    "nms": ("float[1, N, 4] b, float[1, 1, M] s", "y = NonMaxSuppression(b, s)",
            (f(1, 3, 4), f(1, 1, 5)), "boxes and scores"),
    "top_k": ("float[N] a, int64[1] k", "y, z = TopK(a, k)", (f(3), np.array([4])),
              "not a number of elements"),
}


def run(*arguments):
    done = subprocess.run(["nn-run", *arguments], capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip()


def check(name):
    inputs, body, arrays, wanted = CASES[name]
    outputs = ", ".join("float " + x.strip() for x in body.partition("=")[0].split(","))
    model = onnx.parser.parse_model('<ir_version: 8, opset_import: ["" : 17]> '
                                    f"g ({inputs}) => ({outputs}) {{ {body} }}")
    inferred = onnx.shape_inference.infer_shapes(
        onnx.parser.parse_model('<ir_version: 8, opset_import: ["" : 17]> '
                                f"g ({inputs}) => () {{ {body} }}"))
    types = {x.name: x.type.tensor_type.elem_type for x in inferred.graph.value_info}
    for output in model.graph.output:
        output.type.tensor_type.elem_type = types[output.name]
        output.type.tensor_type.ClearField("shape")
    path = os.path.join(folder, name)
    onnx.save(model, path + ".onnx")
    np.savez(path + ".npz", **dict(zip((x.name for x in model.graph.input), arrays)))
    node = f"{model.graph.node[0].op_type}_0"
    problems = []
    code, said = run(path + ".onnx", "--inputs", path + ".npz")
    if code != 1 or f"node '{node}'" not in said or wanted not in said:
        problems.append(f"{name}, compiled: exits with {code}, says: {said[:300]}\n"
                        f"  wanted: node '{node}' ... {wanted}")
    code, said = run(path + ".onnx", "--interpret", "--inputs", path + ".npz")
    if code != 1 or "error" not in said:
        problems.append(f"{name}, interpreted: exits with {code}, says: {said[:300]}")
    return problems


with concurrent.futures.ThreadPoolExecutor(2) as pool:
    problems = [p for found in pool.map(check, CASES) for p in found]
print("\n".join(problems) or f"{len(CASES)} cases end with an error")
sys.exit(bool(problems))
