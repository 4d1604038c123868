# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""What ONNX Runtime's optimizer of transformers writes of small ones with random weights."""

from . import transformers

#: The optimizer's name of each architecture.
TYPES = {"Bert": "bert", "DistilBert": "bert", "Roberta": "bert", "Electra": "bert",
         "Albert": "bert", "GPT2": "gpt2", "GPTNeoX": "gpt_neox", "Llama": "gpt2",
         "Bart": "bart", "T5": "t5", "ViT": "vit", "Phi": "phi"}
MODES = {"fused": {}, "half": {}, "ort": {"opt_level": 1}}


def optimize(name, kind, mode, function, path):
    from onnxruntime.transformers import optimizer
    from onnxruntime.transformers.fusion_options import FusionOptions
    source = path.with_suffix(".source.onnx")
    inputs = function(source)
    options = FusionOptions(kind)
    model = optimizer.optimize_model(str(source), model_type=kind, num_heads=4, hidden_size=64,
                                     optimization_options=options,
                                     **{"opt_level": 0, **MODES[mode]})
    if mode == "half":
        model.convert_float_to_float16(keep_io_types=True)
    model.save_model_to_file(str(path))
    source.unlink()
    return inputs


def models():
    for name, function in transformers.models():
        kind = TYPES.get(name.removesuffix("-torchscript"))
        if kind:
            for mode in MODES:
                yield f"{name}-{mode}", lambda path, n=name, k=kind, m=mode, f=function: optimize(
                    n, k, m, f, path)
