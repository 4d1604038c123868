# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""random_numbers.py DIRECTORY: what the operators of random numbers draw. Limits are so wide
that a right generator exceeds one of them once in a million seeds; the seeds are given."""

import pathlib
import subprocess
import sys

import numpy as np

COUNT = 100000
MODEL = f"""<ir_version: 8, opset_import: ["": 17]>
g (float[N] x, float[N] p, float[R, 3] l, double[N] d, float16[N] h, bool t) =>
  (u, u64, u16, n, n64, b, m, kept, mask, all, other, bare, bare2, steps) {{
  u = RandomUniform<shape = [{COUNT}], low = -1.0, high = 3.0, seed = 1.0>()
  u64 = RandomUniformLike<seed = 2.0>(d)
  u16 = RandomUniformLike<seed = 3.0>(h)
  n = RandomNormalLike<mean = 5.0, scale = 2.0, seed = 4.0>(x)
  n64 = RandomNormal<shape = [{COUNT}], dtype = 11, seed = 5.0>()
  b = Bernoulli<dtype = 9, seed = 6.0>(p)
  m = Multinomial<sample_size = {COUNT // 2}, seed = 7.0>(l)
  ratio = Constant<value_float = 0.3>()
  kept, mask = Dropout<seed = 8>(x, ratio, t)
  off = Not(t)
  all = Dropout<seed = 8>(x, ratio, off)
  other = RandomUniform<shape = [{COUNT}], low = -1.0, high = 3.0, seed = 9.0>()
  bare = RandomUniform<shape = [8]>()
  bare2 = RandomUniform<shape = [8]>()
  trips = Constant<value_int = 3>()
  go = Constant<value = bool {{1}}>()
  steps = Loop(trips, go)<body = body (int64 i, bool c) => (bool k, float[8] r) {{
    k = Identity(c)
    r = RandomUniform<shape = [8], seed = 1.0>()
  }}>
}}
"""

directory = pathlib.Path(sys.argv[1])
directory.mkdir(parents=True, exist_ok=True)
(directory / "m.onnxtxt").write_text(MODEL)
x = np.linspace(1, 2, COUNT, dtype=np.float32)
weights = np.float32([0.2, 0.3, 0.5])
np.savez(directory / "in.npz", x=x, p=np.full(COUNT, 0.3, np.float32),
         l=np.log(np.stack([weights, weights[::-1]])), d=x.astype(np.float64),
         h=x.astype(np.float16), t=np.array(True))


def run(name, *options):
    output = directory / name
    subprocess.run(["nn-run", directory / "m.onnxtxt", "--inputs", directory / "in.npz",
                    "--outputs", output, *options], check=True, stderr=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL)
    with np.load(output) as file:
        return {key: file[key] for key in file.files}


def check(what, holds):
    print(f"{what}: {'as expected' if all(holds) else holds}")


def is_uniform(values):
    """In [0, 1), as many in each of 20 parts, and neighbors independent."""
    values = values.astype(np.float64)
    count = len(values)
    parts = np.histogram(values, 20, (0, 1))[0]
    pairs = np.histogram2d(values[:-1], values[1:], 10, ((0, 1), (0, 1)))[0]
    chi = ((parts - count / 20) ** 2 / (count / 20)).sum()
    chi_of_pairs = ((pairs - count / 100) ** 2 / (count / 100)).sum()
    return [values.min() >= 0, values.max() <= 1, chi < 60, chi_of_pairs < 190]


def is_normal(values):
    values = values.astype(np.float64)
    count = len(values)
    moments = [(values ** k).mean() for k in (1, 2, 3, 4)]
    variances = (1, 2, 15, 96)  # of x^k
    return [abs(moment - expected) < 5 * (variance / count) ** 0.5
            for moment, expected, variance in zip(moments, (0, 1, 0, 3), variances)] + [
        3.8 < np.abs(values).max() < 6.5, np.isfinite(values).all()]


def share(hits, expected):
    return abs(hits.mean() - expected) < 5 * (expected * (1 - expected) / hits.size) ** 0.5


first = run("first.npz")
check("uniform", is_uniform((first["u"] + 1) / 4))
check("uniform of f64", is_uniform(first["u64"]))
check("uniform of f16", is_uniform(first["u16"]))
check("normal", is_normal((first["n"] - 5) / 2))
check("normal of f64", is_normal(first["n64"]))
check("bernoulli", [first["b"].dtype == bool, share(first["b"], 0.3)])
check("multinomial", [first["m"].dtype == np.int32, first["m"].shape == (2, COUNT // 2)] +
      [share(row == k, p) for row, ps in zip(first["m"], (weights, weights[::-1]))
       for k, p in enumerate(ps)])
kept, mask = first["kept"], first["mask"]
check("dropout", [share(mask, 0.7), np.allclose(kept, np.where(mask, x / np.float32(0.7), 0))])
check("dropout without training", [np.array_equal(first["all"], x)])
drawn = [first["u"][:8], first["other"][:8], first["bare"], first["bare2"]]
print("two seeds, two nodes without seeds:",
      "all different" if len({a.tobytes() for a in drawn}) == 4 else "the same")
print("iterations:",
      "all different" if len({row.tobytes() for row in first["steps"]}) == 3 else "the same")
same = [np.allclose(first[name], other[name], rtol=1e-5, atol=1e-6)
        for other in (run("again.npz"), run("four.npz", "--threads=4"),
                      run("interpreted.npz", "--interpret")) for name in first]
print("again, with four threads, interpreted:", "the same" if all(same) else same)
