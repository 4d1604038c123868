# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""scikit-learn's estimators, converted by skl2onnx."""

import numpy as np

ROWS, COLUMNS = 120, 8


def data():
    random = np.random.default_rng(3)
    x = random.standard_normal((ROWS, COLUMNS)).astype(np.float32)
    score = x @ random.standard_normal(COLUMNS).astype(np.float32) + x[:, 0] * x[:, 1]
    return x, score


def targets(kind):
    x, score = data()
    if kind == "binary":
        return x, (score > 0).astype(np.int64)
    if kind == "classes":
        return x, np.digitize(score, [-1, 1]).astype(np.int64)
    if kind == "names":
        return x, np.array(["low", "middle", "high"])[np.digitize(score, [-1, 1])]
    if kind == "many":
        return x, np.stack([score > 0, score > 1, x[:, 0] > 0], 1).astype(np.int64)
    if kind == "values":
        return x, np.stack([score, x[:, 0] - score], 1)
    return x, score


def estimators():
    """Name, kind of target, estimator, options of the converter."""
    from sklearn import (calibration, cluster, compose, cross_decomposition, decomposition,
                         discriminant_analysis, ensemble, feature_selection, gaussian_process,
                         impute, kernel_approximation, linear_model, mixture, multiclass,
                         multioutput, naive_bayes, neighbors, neural_network, pipeline,
                         preprocessing, random_projection, svm, tree)
    flat = {"zipmap": False}
    for kind in "binary", "classes", "names":
        yield f"logistic-{kind}", kind, linear_model.LogisticRegression(), flat
        yield f"forest-{kind}", kind, ensemble.RandomForestClassifier(20, random_state=0), flat
    yield "logistic-zipmap", "classes", linear_model.LogisticRegression(), {}
    yield "tree-zipmap-names", "names", tree.DecisionTreeClassifier(random_state=0), {}
    yield "tree-path", "classes", tree.DecisionTreeClassifier(random_state=0), \
        {"zipmap": False, "decision_path": True, "decision_leaf": True}
    yield "svc", "classes", svm.SVC(probability=True, random_state=0), flat
    yield "svc-linear", "binary", svm.SVC(kernel="linear"), flat
    yield "svc-poly", "classes", svm.SVC(kernel="poly"), flat
    yield "nusvc", "binary", svm.NuSVC(), flat
    yield "linear-svc", "classes", svm.LinearSVC(), {}
    yield "one-class-svm", None, svm.OneClassSVM(), {}
    yield "sgd-hinge", "classes", linear_model.SGDClassifier(random_state=0), flat
    yield "sgd-log", "classes", linear_model.SGDClassifier(loss="log_loss", random_state=0), flat
    yield "perceptron", "classes", linear_model.Perceptron(), flat
    yield "ridge-classifier", "classes", linear_model.RidgeClassifier(), flat
    yield "passive-aggressive", "classes", linear_model.RidgeClassifierCV(), flat
    yield "gaussian-nb", "classes", naive_bayes.GaussianNB(), flat
    yield "bernoulli-nb", "classes", naive_bayes.BernoulliNB(), flat
    yield "knn", "classes", neighbors.KNeighborsClassifier(5), flat
    yield "knn-distance", "classes", neighbors.KNeighborsClassifier(5, weights="distance"), flat
    yield "radius-neighbors", "", neighbors.RadiusNeighborsRegressor(4.0), {}
    yield "nearest-neighbors", None, neighbors.NearestNeighbors(n_neighbors=3, radius=None), {}
    yield "lda", "classes", discriminant_analysis.LinearDiscriminantAnalysis(), flat
    yield "qda", "classes", discriminant_analysis.QuadraticDiscriminantAnalysis(), flat
    yield "mlp-classifier", "classes", neural_network.MLPClassifier((16, 8), max_iter=50), flat
    yield "extra-trees", "classes", ensemble.ExtraTreesClassifier(20, random_state=0), flat
    yield "gradient-boosting", "classes", ensemble.GradientBoostingClassifier(n_estimators=20), flat
    yield "hist-gradient", "classes", ensemble.HistGradientBoostingClassifier(max_iter=20), flat
    yield "ada-boost", "classes", ensemble.AdaBoostClassifier(n_estimators=10), flat
    yield "bagging", "classes", ensemble.BaggingClassifier(random_state=0), flat
    yield "voting-soft", "classes", ensemble.VotingClassifier(
        [("a", linear_model.LogisticRegression()), ("b", tree.DecisionTreeClassifier())],
        voting="soft", flatten_transform=False), flat
    yield "voting-hard", "classes", ensemble.VotingClassifier(
        [("a", linear_model.LogisticRegression()), ("b", tree.DecisionTreeClassifier())],
        flatten_transform=False), flat
    yield "stacking", "classes", ensemble.StackingClassifier(
        [("a", linear_model.LogisticRegression()), ("b", tree.DecisionTreeClassifier())]), flat
    yield "calibrated", "classes", calibration.CalibratedClassifierCV(
        svm.LinearSVC(), cv=3), flat
    yield "calibrated-isotonic", "binary", calibration.CalibratedClassifierCV(
        linear_model.LogisticRegression(), method="isotonic", cv=3), flat
    yield "one-vs-rest", "classes", multiclass.OneVsRestClassifier(
        linear_model.LogisticRegression()), flat
    yield "one-vs-one", "classes", multiclass.OneVsOneClassifier(
        linear_model.LogisticRegression()), flat
    yield "multi-output", "many", multioutput.MultiOutputClassifier(
        linear_model.LogisticRegression()), flat
    yield "gp-classifier", "binary", gaussian_process.GaussianProcessClassifier(), flat
    for name, model in {
            "linear": linear_model.LinearRegression(), "ridge": linear_model.Ridge(),
            "lasso": linear_model.Lasso(0.1), "elastic-net": linear_model.ElasticNet(0.1),
            "bayesian-ridge": linear_model.BayesianRidge(), "huber": linear_model.HuberRegressor(),
            "lars": linear_model.Lars(), "omp": linear_model.OrthogonalMatchingPursuit(),
            "theil-sen": linear_model.TheilSenRegressor(random_state=0),
            "ransac": linear_model.RANSACRegressor(random_state=0),
            "quantile": linear_model.QuantileRegressor(),
            "svr": svm.SVR(), "nusvr": svm.NuSVR(), "linear-svr": svm.LinearSVR(),
            "knn-regressor": neighbors.KNeighborsRegressor(),
            "mlp-regressor": neural_network.MLPRegressor(hidden_layer_sizes=(16,), max_iter=50),
            "tree-regressor": tree.DecisionTreeRegressor(random_state=0),
            "forest-regressor": ensemble.RandomForestRegressor(20, random_state=0),
            "extra-trees-regressor": ensemble.ExtraTreesRegressor(20, random_state=0),
            "gradient-regressor": ensemble.GradientBoostingRegressor(n_estimators=20),
            "hist-regressor": ensemble.HistGradientBoostingRegressor(max_iter=20),
            "ada-regressor": ensemble.AdaBoostRegressor(n_estimators=10),
            "bagging-regressor": ensemble.BaggingRegressor(random_state=0),
            "gp-regressor": gaussian_process.GaussianProcessRegressor(),
            "voting-regressor": ensemble.VotingRegressor(
                [("a", linear_model.Ridge()), ("b", tree.DecisionTreeRegressor())]),
            "stacking-regressor": ensemble.StackingRegressor(
                [("a", linear_model.Ridge()), ("b", tree.DecisionTreeRegressor())]),
            }.items():
        yield name, "", model, {}
    yield "poisson", "counts", linear_model.PoissonRegressor(), {}
    yield "gamma", "counts", linear_model.GammaRegressor(), {}
    yield "tweedie", "counts", linear_model.TweedieRegressor(power=1.5), {}
    yield "multi-linear", "values", linear_model.LinearRegression(), {}
    yield "multi-forest", "values", ensemble.RandomForestRegressor(10, random_state=0), {}
    yield "multi-output-regressor", "values", multioutput.MultiOutputRegressor(
        linear_model.Ridge()), {}
    yield "pls", "values", cross_decomposition.PLSRegression(2), {}
    for name, model in {
            "kmeans": cluster.KMeans(3, random_state=0, n_init=1),
            "mini-kmeans": cluster.MiniBatchKMeans(3, random_state=0, n_init=1),
            "mixture": mixture.GaussianMixture(3, random_state=0),
            "mixture-tied": mixture.GaussianMixture(3, covariance_type="tied", random_state=0),
            "bayesian-mixture": mixture.BayesianGaussianMixture(n_components=3, random_state=0),
            "isolation-forest": ensemble.IsolationForest(n_estimators=10, random_state=0),
            "local-outlier": neighbors.LocalOutlierFactor(novelty=True),
            "pca": decomposition.PCA(3), "pca-whiten": decomposition.PCA(3, whiten=True),
            "incremental-pca": decomposition.IncrementalPCA(3),
            "kernel-pca": decomposition.KernelPCA(3, kernel="rbf"),
            "svd": decomposition.TruncatedSVD(3), "ica": decomposition.FastICA(3, random_state=0),
            "standard": preprocessing.StandardScaler(), "minmax": preprocessing.MinMaxScaler(),
            "robust": preprocessing.RobustScaler(), "maxabs": preprocessing.MaxAbsScaler(),
            "normalizer": preprocessing.Normalizer(), "normalizer-l1": preprocessing.Normalizer("l1"),
            "normalizer-max": preprocessing.Normalizer("max"),
            "binarizer": preprocessing.Binarizer(threshold=0.2),
            "power": preprocessing.PowerTransformer(),
            "quantile-transform": preprocessing.QuantileTransformer(n_quantiles=20),
            "bins": preprocessing.KBinsDiscretizer(4, encode="onehot-dense"),
            "bins-ordinal": preprocessing.KBinsDiscretizer(4, encode="ordinal"),
            "polynomial": preprocessing.PolynomialFeatures(2),
            "function": preprocessing.FunctionTransformer(),
            "imputer": impute.SimpleImputer(), "knn-imputer": impute.KNNImputer(),
            "variance": feature_selection.VarianceThreshold(0.1),
            "random-projection": random_projection.GaussianRandomProjection(3, random_state=0),
            "nystroem": kernel_approximation.Nystroem(n_components=5, random_state=0),
            "union": pipeline.FeatureUnion([("a", decomposition.PCA(2)),
                                            ("b", preprocessing.StandardScaler())]),
            "columns": compose.ColumnTransformer(
                [("a", preprocessing.StandardScaler(), [0, 1, 2]),
                 ("b", preprocessing.MinMaxScaler(), [3, 4])], remainder="passthrough"),
            }.items():
        yield name, None, model, {}
    yield "k-best", "classes", feature_selection.SelectKBest(k=3), {}
    yield "pipeline", "classes", pipeline.make_pipeline(
        preprocessing.StandardScaler(), decomposition.PCA(4),
        linear_model.LogisticRegression()), flat
    yield "pipeline-poly", "", pipeline.make_pipeline(
        preprocessing.PolynomialFeatures(2), preprocessing.StandardScaler(),
        linear_model.Ridge()), {}


def convert(kind, estimator, options, path, dtype=np.float32):
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
    x, target = targets(kind) if kind != "counts" else (data()[0], np.abs(data()[1]) + 0.1)
    estimator.fit(x) if kind is None else estimator.fit(x, target)
    element = FloatTensorType if dtype == np.float32 else DoubleTensorType
    model = convert_sklearn(estimator, initial_types=[("x", element([None, COLUMNS]))],
                            options={id(estimator): options} if options else None,
                            target_opset=19)
    path.write_bytes(model.SerializeToString())
    given = x[:33].astype(dtype)
    if "Imputer" in type(estimator).__name__:
        given[::3, 1] = np.nan
    return {"x": given}


def save(steps, types, inputs, path):
    from skl2onnx import convert_sklearn
    path.write_bytes(convert_sklearn(steps, initial_types=types,
                                     target_opset=19).SerializeToString())
    return inputs


WORDS = ["the cat sat on the mat", "a dog and a cat", "no words here", "the mat of the dog"]


def text(vectorizer, path):
    from skl2onnx.common.data_types import StringTensorType
    vectorizer.fit(WORDS)
    return save(vectorizer, [("s", StringTensorType([None]))],
                {"s": np.array(WORDS[::-1])}, path)


def categories(encoder, path):
    from skl2onnx.common.data_types import StringTensorType
    x = np.array([["a", "x"], ["b", "y"], ["a", "z"], ["c", "x"]])
    encoder.fit(x.astype(object))
    return save(encoder, [("s", StringTensorType([None, 2]))], {"s": x[::-1].copy()}, path)


def mixed(path):
    """A table with columns of numbers and of strings, as from pandas."""
    import pandas
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    from sklearn import compose, impute, linear_model, pipeline, preprocessing
    x, target = targets("binary")
    table = pandas.DataFrame({"size": x[:, 0], "age": x[:, 1],
                              "town": np.array(["a", "b", "c"])[np.arange(ROWS) % 3]})
    model = pipeline.make_pipeline(compose.ColumnTransformer(
        [("numbers", pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler()),
          ["size", "age"]),
         ("words", preprocessing.OneHotEncoder(handle_unknown="ignore"), ["town"])]),
        linear_model.LogisticRegression()).fit(table, target)
    types = [("size", FloatTensorType([None, 1])), ("age", FloatTensorType([None, 1])),
             ("town", StringTensorType([None, 1]))]
    return save(model, types, {
        "size": x[:9, :1].copy(), "age": x[:9, 1:2].copy(),
        "town": np.array(["a", "c", "b"] * 3)[:, None]}, path)


def models():
    from sklearn import ensemble, feature_extraction, gaussian_process, linear_model, preprocessing
    for name, *rest in estimators():
        yield name, lambda path, rest=rest: convert(*rest, path)
    for name, kind, model in (("forest", "classes", ensemble.RandomForestClassifier(10)),
                              ("gp", "", gaussian_process.GaussianProcessRegressor()),
                              ("ridge", "", linear_model.Ridge()),
                              ("scaler", None, preprocessing.StandardScaler())):
        yield f"double-{name}", lambda path, kind=kind, model=model: convert(
            kind, model, {"zipmap": False} if kind else {}, path, np.float64)
    words = feature_extraction.text
    for name, vectorizer in {
            "count": words.CountVectorizer(), "tfidf": words.TfidfVectorizer(),
            "bigrams": words.CountVectorizer(ngram_range=(1, 2)),
            "tfidf-bigrams": words.TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
            "stop-words": words.CountVectorizer(stop_words=["the", "a"])}.items():
        yield name, lambda path, vectorizer=vectorizer: text(vectorizer, path)
    for name, encoder in {
            "one-hot": preprocessing.OneHotEncoder(sparse_output=False),
            "one-hot-sparse": preprocessing.OneHotEncoder(),
            "one-hot-unknown": preprocessing.OneHotEncoder(handle_unknown="ignore"),
            "one-hot-drop": preprocessing.OneHotEncoder(drop="first", sparse_output=False),
            "ordinal": preprocessing.OrdinalEncoder()}.items():
        yield name, lambda path, encoder=encoder: categories(encoder, path)
    yield "mixed-columns", mixed
