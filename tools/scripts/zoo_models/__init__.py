# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""The models that tools/scripts/zoo tries, by kind of source.

A kind is a module with a function `models()`, which yields names and functions. Such a
function writes a model to a path and returns its inputs by name, or None, for which
random ones are made. make.py runs it by the Python of the kind, which has the packages
of requirements-zoo-<environment>.txt; judge.py compares, by the Python of the project.
"""

#: The environment of each kind; the project's own where it is empty.
KINDS = {"ort_optimizer": "", "ort_quantizers": "", "pypi": "",
         "sklearn": "ml", "boosting": "ml",
         "keras": "keras", "jax": "jax", "onnxscript": "jax",
         "torchvision": "torch", "timm": "torch", "transformers": "torch",
         "transformers_optimizer": "torch"}
