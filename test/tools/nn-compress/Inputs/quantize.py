# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""quantize.py FOLDER: nn-compress on a small convolutional network with a residual, pools,
a concatenation and a classifier."""

import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import onnx
import onnx.parser
import onnxruntime
from network import make_network
from onnx import numpy_helper

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(7)


def run(*arguments, ok=True):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stderr


def compress(*arguments, ok=True, model="float.onnx"):
    return run("nn-compress", folder / model, *arguments, ok=ok)


def results(path, inputs):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"images": x[None]})[0] for x in inputs])


def error(got, want):
    return np.linalg.norm(got - want) / np.linalg.norm(want)


onnx.save(make_network(random), folder / "float.onnx")
images = random.standard_normal((24, 3, 16, 16)).astype(np.float32)
np.savez(folder / "calib.npz", images=images[:16])
want = results(folder / "float.onnx", images)

# Whole.
data = "--data", folder / "calib.npz"
for method in "min-max", "percentile", "mse", "entropy":
    compress(*data, "-o", folder / "int8.onnx", f"--calibration={method}", "--no-timing",
             "--plan-out", folder / "plan.json", "--report", folder / "report.md")
    plan = json.loads((folder / "plan.json").read_text())
    assert {r["tensor"]: r["precision"] for r in plan["regions"]} == dict.fromkeys(
        ("a0", "c1", "d", "f", "scores"), "int8"), plan["regions"]
    small = onnx.load(folder / "int8.onnx")
    onnx.checker.check_model(small, full_check=True)
    kinds = [node.op_type for node in small.graph.node]
    # The images; what each product but the last one gives, the sum, the concatenation and
    # the means.
    assert kinds.count("QuantizeLinear") == 7, (method, kinds)
    got = results(folder / "int8.onnx", images)
    assert error(got, want) < 0.05, (method, error(got, want))
    run("nn-translate", folder / "int8.onnx", "-o", folder / "int8.so")
    np.savez(folder / "one.npz", **{"in:images": images[:1], "out:scores": got[:1]})
    run("nn-run", folder / "int8.so", "--data", folder / "one.npz", "--rtol=0.02",
        "--atol=0.02")
text = (folder / "report.md").read_text()
reported = float(re.search(r"Relative error of the outputs \| +\| (\S+)", text).group(1))
assert abs(reported - error(got[:16], want[:16])) < 0.3 * reported, (reported, text)

# The same plan gives the same bytes, and can be edited.
before = (folder / "int8.onnx").read_bytes()
compress("--plan", folder / "plan.json", "-o", folder / "int8.onnx")
assert (folder / "int8.onnx").read_bytes() == before
plan["regions"][1]["precision"] = "float"
(folder / "edited.json").write_text(json.dumps(plan))
compress("--plan", folder / "edited.json", "-o", folder / "edited.onnx")
kinds = [node.op_type for node in onnx.load(folder / "edited.onnx").graph.node]
assert kinds.count("QuantizeLinear") == 6, kinds

# The build reads plans, too: the same model and the same numbers. What is wrong in a plan is
# named.
def translate(*arguments, ok=True):
    return run("nn-translate", folder / "float.onnx", *arguments, ok=ok)


def outputs_of(library):
    np.savez(folder / "in.npz", images=images[:1])
    run("nn-run", library, "--inputs", folder / "in.npz", "--outputs", folder / "out.npz")
    return np.load(folder / "out.npz")["scores"]


for name in "plan", "edited":
    small = folder / ("int8.onnx" if name == "plan" else "edited.onnx")
    option = "--plan", folder / f"{name}.json"
    translate(*option, "-o", folder / "planned.onnx")
    assert (folder / "planned.onnx").read_bytes() == small.read_bytes()
    translate(*option, "-o", folder / "planned.so")
    run("nn-translate", small, "-o", folder / "two-steps.so")
    assert (outputs_of(folder / "planned.so") == outputs_of(folder / "two-steps.so")).all()
    assert error(outputs_of(folder / "planned.so"), want[:1]) < 0.1
plain = json.loads((folder / "plan.json").read_text())
wrong = json.loads(json.dumps(plain))
wrong["regions"][0]["tensor"] = "a1"
del wrong["tensors"]["images"]
wrong["scales"] = {"flat": [1.0, 2.0]}
(folder / "wrong.json").write_text(json.dumps(wrong))
for tool in translate, compress:
    message = tool("--plan", folder / "wrong.json", "-o", folder / "no.onnx", ok=False)
    assert "does not fit the model: the model has no product or lookup 'a1'" in message, message
    assert ("'flat' has 2 scales, but the product 'scores' reads 32 channels" in message), message
    assert not (folder / "no.onnx").exists()
wrong = json.loads(json.dumps(plain))
del wrong["tensors"]["images"]
(folder / "wrong.json").write_text(json.dumps(wrong))
message = translate("--plan", folder / "wrong.json", "-o", folder / "no.so", ok=False)
assert "'a0' is not quantized: the plan has no range of its input 'images'" in message, message
assert "cannot read the plan" in translate("--plan", folder / "absent.json", "-o",
                                           folder / "no.so", ok=False)
assert "is compiled already" in run(
    "nn-translate", folder / "planned.so", "--plan", folder / "plan.json", "--bundle",
    folder / "bundle", ok=False)
assert "--plan goes with compilation" in translate("--plan", folder / "plan.json", "--triage",
                                                   ok=False)

# Times are measured, and slow regions have 8 bits for weights only.
compress(*data, "-o", folder / "timed.onnx", "--plan-out", folder / "timed.json")
for region in json.loads((folder / "timed.json").read_text())["regions"]:
    assert min(region[key] for key in ("float_us", "int8_us", "weights_us")) > 0, region
    assert region["precision"] == "int8" or "slower" in region["why"], region

# Weights only.
compress(*data, "-o", folder / "weights.onnx", "--weights-only", "--no-timing")
kinds = [node.op_type for node in onnx.load(folder / "weights.onnx").graph.node]
assert "QuantizeLinear" not in kinds and kinds.count("DequantizeLinear") == 5, kinds
assert error(results(folder / "weights.onnx", images), want) < 0.02

# A budget that nothing meets leaves everything in float.
compress(*data, "-o", folder / "same.onnx", "--accuracy-budget=0", "--no-timing",
         "--plan-out", folder / "plan.json", "--report", folder / "report.html")
plan = json.loads((folder / "plan.json").read_text())
assert {r["precision"] for r in plan["regions"]} == {"float"}
assert all(r["error"] > 0 and "budget of 0" in r["why"] for r in plan["regions"]), plan
assert error(results(folder / "same.onnx", images), want) < 1e-5
assert (folder / "report.html").read_text().count("<rect") == 5

# A channel that is much larger than the others is made like them.
rows = onnx.parser.parse_model("""
<ir_version: 8, opset_import: ["" : 17]>
rows (float[8,64] x) => (float[8,32] y) { y = MatMul(x, w) }""")
rows.graph.initializer.append(numpy_helper.from_array(
    random.standard_normal((64, 32)).astype(np.float32), "w"))
onnx.save(rows, folder / "rows.onnx")
x = random.standard_normal((4, 8, 64)).astype(np.float32)
x[:, :, 5] *= 300
np.savez(folder / "rows.npz", x=x)
errors = []
for smoothing in "0", "0.5,0.8":
    compress("--data", folder / "rows.npz", "-o", folder / "rows8.onnx", "--no-timing",
             f"--smoothing={smoothing}", "--report", folder / "rows.md", model="rows.onnx")
    errors.append(float(re.search(r"Relative error of the outputs \| +\| (\S+)",
                                  (folder / "rows.md").read_text()).group(1)))
assert errors[1] < errors[0] / 3, errors

# What a plan names but the model has not, and models with nothing to quantize.
plan["regions"].append({"tensor": "other", "precision": "int8"})
(folder / "edited.json").write_text(json.dumps(plan))
assert "does not fit the model: the model has no product or lookup 'other'" in compress(
    "--plan", folder / "edited.json", "-o", folder / "edited.onnx", ok=False)
onnx.save(onnx.parser.parse_model("""
<ir_version: 8, opset_import: ["" : 17]>
nothing (float[1,3,16,16] images) => (float[1,3,16,16] y) { y = Relu(images) }"""),
    folder / "nothing.onnx")
assert "there is nothing to quantize" in compress(
    *data, "-o", folder / "no.onnx", ok=False, model="nothing.onnx")

# Samples that do not fit.
BAD = {"there is no array for the input": {"pictures": images},
       "but the input is images: float32[1,3,16,16]": {"images": images[:, :2]},
       "NaN or infinite": {"images": np.full((2, 3, 16, 16), np.nan, np.float32)}}
for message, arrays in BAD.items():
    np.savez(folder / "bad.npz", **arrays)
    assert message in compress("--data", folder / "bad.npz", "-o", folder / "no.onnx", ok=False)
assert not (folder / "no.onnx").exists()
(folder / "bad.json").write_text('{"version": 1, "regions": [{"tensor": "a0", "precision": '
                                 '"int5"}], "tensors": {}}')
assert "float, int8, int8-weights or int4-weights expected" in compress(
    "--plan", folder / "bad.json", "-o", folder / "no.onnx", ok=False)
assert "give --data" in compress("-o", folder / "no.onnx", ok=False)
