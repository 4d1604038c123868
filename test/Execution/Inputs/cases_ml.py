# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Linear models, support vector machines and preprocessing of ai.onnx.ml."""

import numpy as np
from execution import Case

SIZES = [{"N": 1}, {"N": 5}]
TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")
random = np.random.default_rng(1)


def text(value):
    """An attribute in ONNX's syntax. Floats are those of f32."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, (list, tuple, np.ndarray)):
        return "[" + ", ".join(text(x) for x in value) + "]"
    if isinstance(value, (float, np.floating)):
        return repr(float(np.float32(value)))
    return str(value)


def call(op, operands, **attributes):
    inside = ", ".join(f"{name} = {text(value)}" for name, value in attributes.items()
                       if not isinstance(value, (list, np.ndarray)) or len(value))
    return f"ai.onnx.ml.{op}" + (f"<{inside}>" if inside else "") + f"({operands})"


def numbers(*shape, low=-1.0):
    return random.uniform(low, 1, shape).astype(np.float32).ravel()


def linear():
    for transform in TRANSFORMS:
        # Probit is defined between 0 and 1.
        ranges = {"x": (0, 1)}
        for targets in (1, 3):
            yield Case(f"LinearRegressor_{targets}_{transform}", "float[N,4] x",
                       "y = " + call("LinearRegressor", "x", targets=targets,
                                     coefficients=numbers(targets, 4, low=0.05) / 5,
                                     intercepts=numbers(targets, low=0.0) / 5,
                                     post_transform=transform),
                       sizes=SIZES, ranges=ranges, tolerance=10)
        for labels in ([5, 3, 9], [10, 20]):
            yield Case(f"LinearClassifier_{len(labels)}_{transform}", "float[N,4] x",
                       "l, y = " + call("LinearClassifier", "x", classlabels_ints=labels,
                                        coefficients=numbers(len(labels), 4, low=0.05) / 5,
                                        intercepts=numbers(len(labels), low=0.0) / 5,
                                        post_transform=transform),
                       sizes=SIZES, ranges=ranges, tolerance=10)
        # One set of weights. Of two classes with PROBIT, a score is not defined.
        for labels in ([], [10, 20]):
            if transform != "PROBIT" or not labels:
                low = 0 if transform == "PROBIT" else -1
                yield Case(f"LinearClassifier_binary{len(labels)}_{transform}", "float[N,4] x",
                           "l, y = " + call("LinearClassifier", "x", classlabels_ints=labels,
                                            coefficients=numbers(1, 4, low=0.05) / 5,
                                            intercepts=[0.1], post_transform=transform),
                           sizes=SIZES, ranges={"x": (low, 1)}, tolerance=10)
    for kind in ("double", "int32", "int64"):
        yield Case(f"LinearClassifier_{kind}", f"{kind}[N,4] x",
                   "l, y = " + call("LinearClassifier", "x", classlabels_ints=[0, 1, 2],
                                    coefficients=numbers(3, 4), intercepts=numbers(3)),
                   sizes=SIZES)
    yield Case("LinearRegressor_no_intercepts", "float[N,M] x",
               "y = " + call("LinearRegressor", "x", coefficients=numbers(4)),
               sizes=[{"N": 3, "M": 4}])
    yield Case("LinearRegressor_list", "float[4] x",
               "y = " + call("LinearRegressor", "x", coefficients=numbers(2, 4), targets=2))


KERNELS = {"LINEAR": (0.5, 0.3, 2), "POLY": (0.5, 0.3, 3), "RBF": (0.7, 0.0, 3),
           "SIGMOID": (0.5, -0.2, 3)}


def support_vectors():
    for kernel, parameters in KERNELS.items():
        attributes = {"kernel_type": kernel, "kernel_params": [float(x) for x in parameters]}
        for one_class in (0, 1):
            yield Case(f"SVMRegressor_{kernel}_{one_class}", "float[N,3] x",
                       "y = " + call("SVMRegressor", "x", n_supports=5, one_class=one_class,
                                     coefficients=numbers(5), support_vectors=numbers(5, 3),
                                     rho=[0.2], **attributes), sizes=SIZES, tolerance=20)
        for counts in ([2, 3], [2, 1, 3], [1, 2, 2, 1]):
            classes, vectors = len(counts), sum(counts)
            pairs = classes * (classes - 1) // 2
            for probabilities in (False, True):
                more = {"prob_a": -numbers(pairs, low=0.2), "prob_b": numbers(pairs)}
                yield Case(f"SVMClassifier_{kernel}_{classes}_{probabilities}", "float[N,3] x",
                           "l, y = " + call("SVMClassifier", "x", vectors_per_class=counts,
                                            coefficients=numbers(classes - 1, vectors),
                                            support_vectors=numbers(vectors, 3),
                                            rho=numbers(pairs), **attributes,
                                            classlabels_ints=[7, 3, 5, 1][:classes],
                                            **(more if probabilities else {})),
                           sizes=[{"N": 1}, {"N": 9}], tolerance=20)
    for transform in TRANSFORMS:
        for classes in (2, 3):
            pairs = classes * (classes - 1) // 2
            body = call("SVMClassifier", "x", vectors_per_class=[2] * classes,
                        coefficients=numbers(classes - 1, 2 * classes),
                        support_vectors=numbers(2 * classes, 3), rho=numbers(pairs),
                        kernel_type="RBF", kernel_params=[0.5, 0.0, 3.0],
                        classlabels_ints=[4, 2, 9][:classes], post_transform=transform)
            if classes > 2 or transform != "PROBIT":
                yield Case(f"SVMClassifier_{transform}_{classes}", "float[N,3] x",
                           "l, y = " + body, sizes=SIZES, tolerance=20)
    for classes in (2, 3):
        for low in (0.0, -1.0):
            yield Case(f"SVMClassifier_linear_{classes}_{low < 0}", "float[N,3] x",
                       "l, y = " + call("SVMClassifier", "x", rho=[-0.3],
                                        kernel_params=[0.5, 0.0, 3.0],
                                        coefficients=numbers(classes, 3, low=low),
                                        classlabels_ints=[4, 2, 9][:classes]), sizes=SIZES)
    yield Case("SVMRegressor_linear", "float[N,3] x",
               "y = " + call("SVMRegressor", "x", coefficients=numbers(3), rho=[0.5],
                             kernel_params=[0.5, 0.0, 3.0]), sizes=SIZES)
    yield Case("SVMClassifier_double", "double[N,3] x",
               "l, y = " + call("SVMClassifier", "x", rho=[-0.3], coefficients=numbers(3, 3),
                                kernel_params=[0.5, 0.0, 3.0], classlabels_ints=[4, 2, 9]),
               sizes=SIZES)


def preprocessing():
    for kind in ("float", "double", "int32", "int64"):
        x = f"{kind}[N,3] x"
        for norm in ("MAX", "L1", "L2"):
            yield Case(f"Normalizer_{norm}_{kind}", x, "y = " + call("Normalizer", "x", norm=norm),
                       sizes=SIZES)
        yield Case(f"Scaler_{kind}", x,
                   "y = " + call("Scaler", "x", offset=numbers(3), scale=numbers(3)) +
                   "  z = " + call("Scaler", "x", offset=[0.5], scale=[0.25]), sizes=SIZES)
        yield Case(f"FeatureVectorizer_{kind}", f"{x}, {kind}[N,2,2] z",
                   "y = " + call("FeatureVectorizer", "x, z, x", inputdimensions=[2, 4, 5]),
                   sizes=SIZES)
        yield Case(f"OneHotEncoder_{kind}", x,
                   "y = " + call("OneHotEncoder", "x", cats_int64s=[1, -2, 0, 7]), sizes=SIZES)
    zeros = np.float32([[0, 0, 0], [-1, -2, -3], [0, -1, 0]])
    yield Case("Normalizer_zeros", "float[3,3] x",
               "  ".join(f"{norm} = " + call("Normalizer", "x", norm=norm)
                         for norm in ("MAX", "L1", "L2")), values={"x": zeros})
    yield Case("OneHotEncoder_known", "int64[N] x",
               "y = " + call("OneHotEncoder", "x", cats_int64s=[1, 0, 2], zeros=0),
               ranges={"x": (0, 2)}, sizes=SIZES)
    holes = np.float32([[np.nan, 1, 2], [0, np.nan, np.nan], [0, 1, 0]])
    yield Case("Imputer_nan", "float[3,3] x",
               "y = ai.onnx.ml.Imputer<imputed_value_floats = [1.5, 2.5, 3.5], "
               "replaced_value_float = nan>(x)  z = " +
               call("Imputer", "x", imputed_value_floats=[9.0], replaced_value_float=0.0),
               values={"x": holes})
    yield Case("Imputer_int64", "int64[N,3] x",
               "y = " + call("Imputer", "x", imputed_value_int64s=[7, 8, 9],
                             replaced_value_int64=-1) +
               "  z = " + call("Imputer", "x", imputed_value_int64s=[7],
                               replaced_value_int64=2),
               ranges={"x": (-2, 2)}, sizes=[{"N": 20}])
    yield Case("Binarizer", "float[N,3] x", "y = " + call("Binarizer", "x", threshold=0.3),
               sizes=SIZES)
    # ONNX Runtime has no others.
    yield Case("Binarizer_int32", "int32[N,3] x", "y = " + call("Binarizer", "x", threshold=-0.5),
               ranges={"x": (-2, 2)}, sizes=SIZES)
    yield Case("ArrayFeatureExtractor", "float[N,5] x, float[5] v, int64[3] i",
               "y = " + call("ArrayFeatureExtractor", "x, i") +
               "  z = " + call("ArrayFeatureExtractor", "v, i"),
               values={"i": np.int64([4, 0, 0])}, sizes=SIZES)
    yield Case("FeatureVectorizer_unknown_sizes", "float[N,M] x, float[N] z",
               "y = " + call("FeatureVectorizer", "x, z", inputdimensions=[3, 2]),
               sizes=[{"N": 1, "M": 2}, {"N": 1, "M": 5}])


KEYS = {"float": ("floats", [0.5, -1.0, 2.0, 0.0, 0.5]), "int64": ("int64s", [4, -3, 0, 7, 4])}


def labels():
    for key, (key_name, keys) in KEYS.items():
        x = np.array([[0.5, -1, 3, 2], [0, 9, -9, 1]] if key == "float"
                     else [[4, -3, 3, 0], [7, 9, -9, 1]])
        dtype = {"float": np.float32, "int64": np.int64}[key]
        for value, values in (("floats", [1.5, 2.5, -3.0, 4.0, 5.0]), ("int64s", [5, 4, 3, 2, 1])):
            default = {"default_float": -7.5} if value == "floats" else {"default_int64": 77}
            for version in (2, 4):
                for more in ({}, default):
                    attributes = {f"keys_{key_name}": keys, f"values_{value}": values, **more}
                    yield Case(f"LabelEncoder_{key}_{value}_{version}_{len(more)}",
                               f"{key}[2,4] x", "y = " + call("LabelEncoder", "x", **attributes),
                               values={"x": x.astype(dtype)}, domains=[("ai.onnx.ml", version)])
    for key, dtype in (("double", np.float64), ("int64", np.int64), ("int32", np.int32),
                       ("int16", np.int16)):
        for value in ("double", "int64", "int16"):
            yield Case(f"LabelEncoder_tensors_{key}_{value}", f"{key}[2,3] x",
                       f"y = ai.onnx.ml.LabelEncoder<keys_tensor = {key}[3] {{3, 1, 2}}, "
                       f"values_tensor = {value}[3] {{30, 10, 20}}, "
                       f"default_tensor = {value}[1] {{-1}}>(x)",
                       values={"x": np.array([[1, 2, 3], [4, 0, 3]], dtype)},
                       domains=[("ai.onnx.ml", 4)])
    for version in (2, 4):
        yield Case(f"LabelEncoder_nan_{version}", "float[4] x",
                   "y = ai.onnx.ml.LabelEncoder<keys_floats = [1.0, nan, 3.0], "
                   "values_int64s = [10, 20, 30]>(x)",
                   values={"x": np.float32([np.nan, 3, 1, 2])}, domains=[("ai.onnx.ml", version)])
    yield Case("LabelEncoder_one_key", "int64[3] x",
               "y = " + call("LabelEncoder", "x", keys_int64s=[2], values_floats=[0.5]),
               values={"x": np.int64([1, 2, 3])}, domains=[("ai.onnx.ml", 2)])


def all_cases():
    return [*linear(), *support_vectors(), *preprocessing(), *labels()]
