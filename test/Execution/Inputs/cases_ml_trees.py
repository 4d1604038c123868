# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Random ensembles of decision trees of ai.onnx.ml, with inputs that are often equal to
thresholds, or missing."""

import numpy as np
from cases_ml import call
from execution import Case

MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
FEATURES = 4
#: Numbers that inputs and thresholds are taken from: neighbours, both zeros, infinities.
NUMBERS = [-2.5, -1, np.nextafter(np.float32(-1), np.float32(0)), -0.0, 0.0, 0.5, 1,
           np.nextafter(np.float32(1), np.float32(2)), 1e-40, 3, np.inf, -np.inf]


class Forest:
    """Nodes in the form of versions 1 and 3, in preorder."""

    def __init__(self, seed, trees, depth, modes, missing=False):
        self.random = np.random.default_rng(seed)
        self.modes, self.missing = modes, missing
        self.nodes = []   # [tree, id, feature, mode, value, true, false, missing]
        for tree in range(trees):
            self.count = 0
            self.grow(tree, depth)
        self.leaves = [node[:2] for node in self.nodes if node[3] == "LEAF"]

    def grow(self, tree, depth):
        """Returns the id."""
        pick = self.random
        identity = self.count
        self.count += 1
        # Not all trees are full.
        if depth == 0 or (identity and pick.random() < 0.2):
            self.nodes.append([tree, identity, 0, "LEAF", 0.0, 0, 0, 0])
            return identity
        node = [tree, identity, int(pick.integers(FEATURES)), str(pick.choice(self.modes)),
                float(pick.choice(NUMBERS[:-2])), 0, 0,
                int(self.missing and pick.integers(2))]
        self.nodes.append(node)
        node[5] = self.grow(tree, depth - 1)
        node[6] = self.grow(tree, depth - 1)
        return identity

    def attributes(self):
        names = ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids",
                 "falsenodeids", "missing_value_tracks_true")
        lists = dict(zip((f"nodes_{name}" for name in names), map(list, zip(*self.nodes))))
        if not self.missing:
            del lists["nodes_missing_value_tracks_true"]
        return lists

    def weights(self, prefix, targets, kind="random"):
        """For each leaf one target, or all (if kind is "all"), or the only one twice ("twice"),
        or always target 0 or 1."""
        pick = self.random
        rows = []
        for tree, leaf in self.leaves:
            ids = {"all": range(targets), "tree": [tree % targets], "twice": [0, 0],
                   "random": [int(pick.integers(targets))]}.get(kind, [kind])
            rows += [[tree, leaf, target, float(pick.uniform(-1, 1))] for target in ids]
        return dict(zip((f"{prefix}_{name}" for name in ("treeids", "nodeids", "ids", "weights")),
                        map(list, zip(*rows))))


def inputs(seed, rows, missing, dtype=np.float32):
    random = np.random.default_rng(seed)
    x = random.choice(NUMBERS, (rows, FEATURES)).astype(dtype)
    if missing:
        x[random.random(x.shape) < 0.25] = np.nan
    return {"x": x}


def case(name, op, forest, seed, outputs="y", kind="float", rows=40, version=3, missing=True,
         oracle=True, **attributes):
    dtype = {"float": np.float32, "double": np.float64}[kind]
    return Case(name, f"{kind}[{rows},{FEATURES}] x",
                f"{outputs} = " + call(op, "x", **forest.attributes(), **attributes),
                values=inputs(seed, rows, missing, dtype), domains=[("ai.onnx.ml", version)],
                tolerance=20, oracle=oracle)


def regressors():
    for seed, mode in enumerate((*MODES, "mixed")):
        modes = MODES if mode == "mixed" else [mode]
        for missing in (False, True):
            forest = Forest(seed, trees=3, depth=4, modes=modes, missing=missing)
            for kind in ("float", "double"):
                yield case(f"Regressor_{mode}_{missing}_{kind}", "TreeEnsembleRegressor", forest,
                           seed, kind=kind, n_targets=1, **forest.weights("target", 1))
    for aggregate in ("SUM", "AVERAGE", "MIN", "MAX"):
        for targets in (1, 3):
            for kind in ("random", "all", "tree"):
                for base in (0, targets):
                    forest = Forest(targets, trees=5, depth=3, modes=["BRANCH_LEQ"])
                    # ONNX Runtime adds no base value if no leaf has a weight for the target.
                    oracle = kind != "random" or base < 2
                    yield case(f"Regressor_{aggregate}_{targets}_{kind}_{base}",
                               "TreeEnsembleRegressor", forest, targets, n_targets=targets,
                               aggregate_function=aggregate, base_values=[0.5, -1.5, 2.0][:base],
                               **forest.weights("target", targets, kind), version=1,
                               oracle=oracle)
        # As the converter of scikit-learn writes paths: the first weight of the target counts.
        forest = Forest(1, trees=5, depth=3, modes=["BRANCH_LEQ"])
        yield case(f"Regressor_{aggregate}_twice", "TreeEnsembleRegressor", forest, 1, n_targets=1,
                   aggregate_function=aggregate, **forest.weights("target", 1, "twice"), version=1)
    for transform in ("SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"):
        for targets in (1, 3):
            forest = Forest(targets, trees=5, depth=3, modes=["BRANCH_LT"])
            yield case(f"Regressor_{transform}_{targets}", "TreeEnsembleRegressor", forest, 3,
                       n_targets=targets, post_transform=transform,
                       **forest.weights("target", targets, "all"))
    for trees, depth in ((1, 0), (40, 2), (2, 30)):
        forest = Forest(trees, trees, depth if depth < 20 else 0, ["BRANCH_LEQ"])
        if depth >= 20:
            forest = Chain(depth)
        yield case(f"Regressor_{trees}_trees_{depth}_deep", "TreeEnsembleRegressor", forest, 5,
                   n_targets=1, **forest.weights("target", 1))
    forest = Forest(1, trees=3, depth=3, modes=["BRANCH_LEQ"])
    yield Case("Regressor_dynamic", "float[N,M] x",
               "y = " + call("TreeEnsembleRegressor", "x", n_targets=1, **forest.attributes(),
                             **forest.weights("target", 1)),
               sizes=[{"N": 1, "M": FEATURES}, {"N": 7, "M": FEATURES + 2}],
               domains=[("ai.onnx.ml", 3)])


class Chain(Forest):
    """A tree in which each node has a leaf, deeper than trees that are unrolled; and a chain
    of equalities, as converters write sets."""

    def __init__(self, depth):
        self.random = np.random.default_rng(depth)
        self.missing = False
        self.nodes = []
        for i in range(depth):
            self.nodes.append([0, 2 * i, i % FEATURES, "BRANCH_LEQ", -3 + i / 5, 2 * i + 1,
                               2 * i + 2, 0])
            self.nodes.append([0, 2 * i + 1, 0, "LEAF", 0.0, 0, 0, 0])
        self.nodes.append([0, 2 * depth, 0, "LEAF", 0.0, 0, 0, 0])
        members = sorted({float(np.float32(x)) for x in NUMBERS[:-2]})
        for i, member in enumerate(members):
            self.nodes.append([1, i, 1, "BRANCH_EQ", member, len(members), i + 1, 0]
                              if i + 1 < len(members) else
                              [1, i, 1, "BRANCH_EQ", member, len(members), i + 2, 0])
        self.nodes.append([1, len(members), 0, "LEAF", 0.0, 0, 0, 0])
        self.nodes.append([1, len(members) + 1, 0, "LEAF", 0.0, 0, 0, 0])
        self.leaves = [node[:2] for node in self.nodes if node[3] == "LEAF"]


def classifiers():
    for transform in ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"):
        for classes in (1, 2, 3):
            for kind in {1: (0,), 2: (0, 1, "all"), 3: ("random", "all", "tree")}[classes]:
                for base in {1: (0, 1), 2: (0, 1, 2), 3: (0, 3)}[classes]:
                    for positive in (False, True):
                        forest = Forest(classes, trees=4, depth=3, modes=["BRANCH_LEQ"])
                        weights = forest.weights("class", classes, kind)
                        if positive:
                            weights["class_weights"] = [abs(w) / 4 for w in
                                                        weights["class_weights"]]
                        yield case(f"Classifier_{transform}_{classes}_{kind}_{base}_{positive}",
                                   "TreeEnsembleClassifier", forest, 9, outputs="l, y",
                                   classlabels_int64s=[11, 4, 7][:classes],
                                   post_transform=transform,
                                   base_values=[0.25, -0.5, 0.125][:base], **weights)
    for kind in ("double", "float"):
        forest = Forest(8, trees=4, depth=4, modes=MODES, missing=True)
        yield case(f"Classifier_{kind}", "TreeEnsembleClassifier", forest, 8, outputs="l, y",
                   kind=kind, classlabels_int64s=[0, 1, 2, 3],
                   **forest.weights("class", 4, "all"), version=1)
    for kind in ("int32", "int64"):
        forest = Forest(8, trees=4, depth=4, modes=["BRANCH_LEQ"])
        yield Case(f"Classifier_{kind}", f"{kind}[N,{FEATURES}] x",
                   "l, y = " + call("TreeEnsembleClassifier", "x", **forest.attributes(),
                                    classlabels_int64s=[0, 1, 2],
                                    **forest.weights("class", 3, "all")),
                   ranges={"x": (-3, 3)}, sizes=[{"N": 1}, {"N": 30}],
                   domains=[("ai.onnx.ml", 1)])


def tensor(kind, values):
    inside = ", ".join("nan" if value != value else repr(value) for value in values)
    return f"{kind}[{len(values)}] {{{inside}}}"


def version5():
    for kind, dtype in (("float", np.float32), ("double", np.float64)):
        for aggregate in range(4):
            for missing in (False, True):
                random = np.random.default_rng(aggregate)
                # Two trees of three nodes and four leaves each.
                modes = [int(x) for x in random.integers(0, 7, 6)]
                modes[2] = 6
                splits = [float(x) for x in random.choice(NUMBERS[:-4], 6)]
                members = []
                for mode in modes:
                    if mode == 6:
                        size = int(random.integers(1, 6))
                        # ONNX Runtime knows sets of integers only.
                        members += [float(x) for x in random.choice([-1, 0, 1, 2, 3, 40], size)]
                        members.append(float("nan"))
                more = ("nodes_missing_value_tracks_true = [0, 1, 1, 0, 1, 0], "
                        if missing else "")
                yield Case(
                    f"TreeEnsemble_{kind}_{aggregate}_{missing}", f"{kind}[60,{FEATURES}] x",
                    f"y = ai.onnx.ml.TreeEnsemble<aggregate_function = {aggregate}, "
                    f"n_targets = 2, tree_roots = [0, 3], {more}"
                    f"nodes_featureids = {[int(x) for x in random.integers(0, FEATURES, 6)]}, "
                    "nodes_truenodeids = [1, 0, 2, 4, 4, 6], nodes_trueleafs = [0, 1, 1, 0, 1, 1], "
                    "nodes_falsenodeids = [2, 1, 3, 5, 5, 7], "
                    "nodes_falseleafs = [0, 1, 1, 0, 1, 1], "
                    f"nodes_modes = {tensor('uint8', modes)}, "
                    f"nodes_splits = {tensor(kind, splits)}, "
                    f"membership_values = {tensor(kind, members)}, "
                    "leaf_targetids = [0, 1, 1, 0, 0, 0, 1, 1], "
                    f"leaf_weights = {tensor(kind, [1.5, -2.0, 0.25, 4.0, 0.5, -1.0, 3.0, 2.5])}"
                    ">(x)",
                    values=inputs(aggregate, 60, True, dtype), domains=[("ai.onnx.ml", 5)],
                    tolerance=20)


def all_cases():
    return [*regressors(), *classifiers(), *version5()]
