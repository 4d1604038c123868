# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Tests for the runner itself, of sequences and optionals, in ONNX's form:

  structured.py MODEL.mlir DIR    right and wrong data, in files of each kind
  structured.py MODEL.mlir DIR --mutated N    files that are damaged, N of them

The model: ys = 2 * xs + bias, neg = -opt, same = more."""
import pathlib
import random
import shutil
import sys

import numpy as np
from onnx import numpy_helper


def tensor(value, name=None):
    return numpy_helper.from_array(np.asarray(value), name)


def sequence(items, name=None):
    return numpy_helper.from_list([np.asarray(item) for item in items], name)


def optional(value, name=None):
    return numpy_helper.from_optional(value, name)


f32 = np.float32
XS = [f32([[1, 2], [3, 4]]), f32([5]), np.array(6, f32), np.zeros((0, 7), f32)]
YS = [np.asarray(2 * x + f32(1)) for x in XS]
OPT, MORE = f32([[1, 2, 3]]), [np.int64([[7]]), np.int64([8, 9])]
INPUTS = [sequence(XS, "xs"), tensor(f32(1), "bias"), optional(OPT, "opt"),
          optional(MORE, "more")]
OUTPUTS = [sequence(YS, "ys"), optional(-OPT, "neg"), optional(MORE, "same")]
NOTHING = [sequence([]), tensor(f32(1)), optional(None), optional(None)]


def with_(protos, at, proto):
    return protos[:at] + [proto] + protos[at + 1:]


def cases():
    yield "right", INPUTS, OUTPUTS
    yield "nothing", NOTHING, [sequence([]), optional(None), optional(None)]
    yield "empty", with_(NOTHING, 3, optional([])), [sequence([]), optional(None), optional([])]
    # What an optional holds, without it.
    plain = with_(with_(INPUTS, 2, tensor(OPT, "opt")), 3, sequence(MORE, "more"))
    yield "plain", plain, with_(with_(OUTPUTS, 1, tensor(-OPT)), 2, sequence(MORE))
    yield "plain_empty", with_(NOTHING, 3, sequence([])), [sequence([]), optional(None),
                                                           sequence([])]
    yield "wrong_item", INPUTS, with_(OUTPUTS, 0, sequence(YS[:1] + [f32([12])] + YS[2:]))
    yield "wrong_shape", INPUTS, with_(OUTPUTS, 0, sequence(YS[:2] + [f32([13])] + YS[3:]))
    yield "wrong_count", INPUTS, with_(OUTPUTS, 2, optional(MORE[:1]))
    yield "wrong_absent", INPUTS, with_(OUTPUTS, 1, optional(None))
    yield "wrong_present", NOTHING, [sequence([]), optional(None), optional([])]
    yield "type", with_(INPUTS, 0, sequence([f32([1]), np.float64([1])])), OUTPUTS
    yield "kind", with_(INPUTS, 0, tensor(XS[0], "xs")), OUTPUTS
    yield "kind_optional", with_(INPUTS, 2, optional(MORE)), OUTPUTS


def mutate_bytes(data, rng):
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        place, size = rng.randrange(len(data)), rng.randint(1, 8)
        action = rng.randrange(3)
        if action == 0:
            data[place] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
        elif action == 1 and len(data) > size:
            del data[place:place + size]
        else:
            data[place:place] = data[place:place + size]
    return bytes(data)


def mutate_message(proto, rng):
    """What is a message still, but claims what is not so."""
    proto = type(proto).FromString(proto.SerializeToString())
    if rng.randrange(8) == 0:
        proto.elem_type = rng.randrange(8)
    kinds = proto.DESCRIPTOR.fields_by_name
    if rng.randrange(8) == 0 and "optional_value" in kinds:
        proto.optional_value.optional_value.tensor_value.data_type = 1
    holder = proto.sequence_value if "sequence_value" in kinds and \
        proto.HasField("sequence_value") else proto
    if "tensor_values" in holder.DESCRIPTOR.fields_by_name:
        item = rng.choice(holder.tensor_values)
    else:
        item = holder.tensor_value
    action = rng.randrange(7)
    if action == 0:
        item.dims.append(rng.choice([-1, 0, 1, 2, 1 << 40, (1 << 63) - 1]))
    elif action == 1:
        item.dims[:] = [1 << 62, 4, 1 << 62]
    elif action == 2:
        item.data_type = rng.choice([0, 8, 14, 22, 99, -1])
    elif action == 3:
        item.raw_data = item.raw_data[:rng.randrange(len(item.raw_data) + 1)]
    elif action == 4:
        item.ClearField("raw_data")
        item.float_data.extend([1.0] * rng.randrange(5))
    elif action == 5:
        item.data_location = 1
    else:
        del item.dims[:]
    return proto.SerializeToString()


def mutated(count):
    rng = random.Random(1)
    for number in range(count):
        at = rng.choice([0, 2, 3])
        data = (mutate_message(INPUTS[at], rng) if number % 2
                else mutate_bytes(INPUTS[at].SerializeToString(), rng))
        yield f"mutated_{number}", with_(INPUTS, at, data), OUTPUTS


def main():
    model, root = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    chosen = mutated(int(sys.argv[4])) if len(sys.argv) > 3 else cases()
    for name, inputs, outputs in chosen:
        data = root / name / "test_data_set_0"
        data.mkdir(parents=True)
        shutil.copy(model, root / name / "model.mlir")
        for prefix, protos in ("input", inputs), ("output", outputs):
            for i, proto in enumerate(protos):
                content = proto if isinstance(proto, bytes) else proto.SerializeToString()
                (data / f"{prefix}_{i}.pb").write_bytes(content)


if __name__ == "__main__":
    main()
