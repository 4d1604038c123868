# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""What a case of type_cases.py should compute, by ONNX Runtime, or else by ONNX's
reference evaluator. 16-bit floats are judged as 32-bit ones whose results are
rounded: the judges round where they like, and numpy after each step."""

import sys
import warnings

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from type_cases import NUMBER, ROOT, is_float, retype

sys.path.insert(0, str(ROOT / "test/Execution/Inputs"))
from execution import ask_runtime

# They are about the bits of the type, or choose by it.
AS_THEY_ARE = {"Cast", "CastLike", "BitCast", "IsInf", "IsNaN", "QuantizeLinear"}


def ask_reference(model, inputs):
    names = [x.name for x in model.graph.output]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return dict(zip(names, ReferenceEvaluator(model).run(None, inputs)))


JUDGES = {"onnxruntime": ask_runtime, "onnx.reference": ask_reference}


def judges(op, types):
    # ONNX Runtime cuts off what interpolated integers have behind the point; ONNX's
    # reference rounds.
    is_rounded = op == "Resize" and not is_float(types["T1"])
    return reversed(JUDGES.items()) if is_rounded else JUDGES.items()


def judge(formals, types, model, inputs):
    """The outputs and who gave them; None where neither can."""
    op = formals.node.op_type
    forms = [(model, inputs, "")]
    widened = {x: "f32" if t in ("f16", "bf16") and "f32" in formals.allowed[x] else t
               for x, t in types.items()}
    if widened != types and op not in AS_THEY_ARE:
        wide, _ = retype(formals, widened)
        infos = {x.name: x for x in wide.graph.input}
        values = {name: x.astype(np.float32)
                  if infos[name].type.tensor_type.elem_type == NUMBER["f32"] else x
                  for name, x in inputs.items()}
        forms.insert(0, (wide, values, " in f32"))
    for form, values, how in forms:
        for name, ask in judges(op, types):
            try:
                outputs = ask(form, values)
            except Exception:  # Whatever it is that the judge lacks.
                continue
            wanted = {}
            for info in model.graph.output:
                type = onnx.helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type)
                value = np.asarray(outputs[info.name])
                if not how and value.dtype != type:
                    break  # A judge that computed something else.
                with np.errstate(over="ignore"):
                    wanted[info.name] = value.astype(type)
            else:
                return wanted, name + how
    return None
