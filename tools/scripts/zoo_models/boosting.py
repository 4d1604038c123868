# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Trees of LightGBM, XGBoost and CatBoost, as their converters write
them."""

import numpy as np

from .sklearn import COLUMNS, targets


def given(x):
    """With values that are missing, which trees send one way."""
    x = x[:33].copy()
    x[::5, 2] = np.nan
    return {"x": x}


def fit(model, kind, missing=True):
    x, target = targets(kind)
    if missing:
        x = x.copy()
        x[::7, 2] = np.nan
    return model.fit(x, target), x


def lightgbm(model, kind, path, **options):
    import onnxmltools
    from onnxmltools.convert.common.data_types import FloatTensorType
    model, x = fit(model, kind)
    onnx = onnxmltools.convert_lightgbm(
        model, initial_types=[("x", FloatTensorType([None, COLUMNS]))], target_opset=15, **options)
    path.write_bytes(onnx.SerializeToString())
    return given(x)


def xgboost(model, kind, path):
    import onnxmltools
    from onnxmltools.convert.common.data_types import FloatTensorType
    model, x = fit(model, kind)
    onnx = onnxmltools.convert_xgboost(
        model, initial_types=[("x", FloatTensorType([None, COLUMNS]))], target_opset=15)
    path.write_bytes(onnx.SerializeToString())
    return given(x)


def catboost(model, kind, path):
    x, target = targets(kind)
    model.fit(x, target)
    model.save_model(str(path), format="onnx")
    import onnx
    name = onnx.load(path).graph.input[0].name
    return {name: x[:33].copy()}


def in_pipeline(model, kind, path):
    """Within a pipeline of scikit-learn, by converters that are registered there."""
    import onnxmltools.convert.lightgbm.operator_converters.LightGbm as converters
    from skl2onnx import convert_sklearn, update_registered_converter
    from skl2onnx.common.data_types import FloatTensorType
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
    from sklearn import pipeline, preprocessing
    update_registered_converter(
        type(model), "Boosting", calculate_linear_classifier_output_shapes,
        converters.convert_lightgbm,
        options={"nocl": [True, False], "zipmap": [True, False, "columns"]})
    x, target = targets(kind)
    steps = pipeline.make_pipeline(preprocessing.StandardScaler(), model).fit(x, target)
    path.write_bytes(convert_sklearn(
        steps, initial_types=[("x", FloatTensorType([None, COLUMNS]))],
        target_opset={"": 15, "ai.onnx.ml": 3}).SerializeToString())
    return {"x": x[:33].copy()}


def models():
    import lightgbm as lgb
    import xgboost as xgb
    import catboost as cat
    few = {"n_estimators": 12, "random_state": 0}
    quiet = few | {"verbose": -1, "min_child_samples": 5}
    for name, kind, model in (
            ("binary", "binary", lgb.LGBMClassifier(**quiet)),
            ("classes", "classes", lgb.LGBMClassifier(**quiet)),
            ("ova", "classes", lgb.LGBMClassifier(objective="multiclassova", **quiet)),
            ("dart", "classes", lgb.LGBMClassifier(boosting_type="dart", **quiet)),
            ("rf", "binary", lgb.LGBMClassifier(boosting_type="rf", subsample=0.7,
                                                subsample_freq=1, **quiet)),
            ("extra", "binary", lgb.LGBMClassifier(extra_trees=True, **quiet)),
            ("regressor", "", lgb.LGBMRegressor(**quiet)),
            ("l1", "", lgb.LGBMRegressor(objective="l1", **quiet)),
            ("huber", "", lgb.LGBMRegressor(objective="huber", **quiet)),
            ("quantile", "", lgb.LGBMRegressor(objective="quantile", **quiet)),
            ("many", "", lgb.LGBMRegressor(n_estimators=200, num_leaves=31, verbose=-1))):
        yield f"lightgbm-{name}", lambda path, model=model, kind=kind: lightgbm(model, kind, path)
    yield "lightgbm-flat", lambda path: lightgbm(lgb.LGBMClassifier(**quiet), "classes", path,
                                                 zipmap=False)
    yield "lightgbm-split", lambda path: lightgbm(lgb.LGBMRegressor(**quiet), "", path, split=4)
    yield "lightgbm-pipeline", lambda path: in_pipeline(lgb.LGBMClassifier(**quiet), "classes",
                                                        path)
    for name, kind, model in (
            ("binary", "binary", xgb.XGBClassifier(**few)),
            ("classes", "classes", xgb.XGBClassifier(**few)),
            ("softmax", "classes", xgb.XGBClassifier(objective="multi:softmax", **few)),
            ("deep", "classes", xgb.XGBClassifier(max_depth=12, **few)),
            ("forest", "classes", xgb.XGBRFClassifier(n_estimators=12)),
            ("regressor", "", xgb.XGBRegressor(**few)),
            ("forest-regressor", "", xgb.XGBRFRegressor(n_estimators=12)),
            ("hist", "", xgb.XGBRegressor(tree_method="hist", max_leaves=16, **few)),
            ("leaves", "", xgb.XGBRegressor(grow_policy="lossguide", max_leaves=16, **few)),
            ("logistic", "binary", xgb.XGBRegressor(objective="reg:logistic", **few)),
            ("poisson", "classes", xgb.XGBRegressor(objective="count:poisson", **few)),
            ("many", "", xgb.XGBRegressor(n_estimators=200))):
        yield f"xgboost-{name}", lambda path, model=model, kind=kind: xgboost(model, kind, path)
    silent = {"iterations": 12, "verbose": False, "allow_writing_files": False, "random_seed": 0}
    for name, kind, model in (
            ("binary", "binary", cat.CatBoostClassifier(**silent)),
            ("classes", "classes", cat.CatBoostClassifier(**silent)),
            ("names", "names", cat.CatBoostClassifier(**silent)),
            ("deep", "binary", cat.CatBoostClassifier(depth=9, **silent)),
            ("regressor", "", cat.CatBoostRegressor(**silent)),
            ("mae", "", cat.CatBoostRegressor(loss_function="MAE", **silent)),
            ("quantile", "", cat.CatBoostRegressor(loss_function="Quantile:alpha=0.7", **silent)),
            ("multi", "values", cat.CatBoostRegressor(loss_function="MultiRMSE", **silent))):
        yield f"catboost-{name}", lambda path, model=model, kind=kind: catboost(model, kind, path)
