"""Makes what all peers share, in a folder of its own: the model of 100 trees of depth 3 that
millrace trained, in the forms that its peers read.

  features.json   how a record becomes 40 numbers, from millrace's manifest
  xgboost.json    millrace's trees as an XGBoost model
  model.onnx      the same through onnxmltools
  sklearn.joblib  scikit-learn cannot read such trees: a pipeline of its own, same data, same size
"""

import json
import math
import os
import subprocess

ROWS = 20_000
NO_PARENT = 2**31 - 1


def train(binary, folder):
    """Trains on made-up customers; returns the folder of the new model."""
    rows = os.path.join(folder, "rows.ndjson")
    home = os.path.join(folder, "home")
    with open(rows, "wb") as file:
        subprocess.run(
            [binary, "simulate", "telco-churn", "--count", str(ROWS)], stdout=file, check=True
        )
    size = ["--set", "model.trees=100", "--set", "model.depth=3"]
    subprocess.run(
        [binary, "train", "telco-churn", "--home", home, "--data", rows, "--quiet"] + size,
        check=True,
    )
    models = os.path.join(home, "models", "telco-churn")
    with open(os.path.join(models, "current"), encoding="ascii") as file:
        return os.path.join(models, file.read().strip())


def read_json(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return json.load(file)


def write_json(value, *path):
    with open(os.path.join(*path), "w", encoding="utf-8") as file:
        json.dump(value, file)


def features_of(manifest):
    """Columns named field=level are those of a one-hot encoding, the others are numbers."""
    numeric, one_hot = [], {}
    for column, name in enumerate(manifest["features"]):
        field, is_level, level = name.partition("=")
        if is_level:
            one_hot.setdefault(field, {})[level] = column
        else:
            fill = manifest["transform"]["fitted"].get(field, {}).get("fill", 0.0)
            numeric.append({"field": field, "column": column, "fill": fill})
    return {
        "width": len(manifest["features"]),
        "numeric": numeric,
        "one_hot": [{"field": field, "columns": one_hot[field]} for field in one_hot],
    }


def xgboost_tree(tree, number, width):
    nodes = len(tree["left"])
    parents = [NO_PARENT] * nodes
    for side in ("left", "right"):
        for parent, child in enumerate(tree[side]):
            if child >= 0:
                parents[child] = parent
    return {
        "base_weights": tree["value"],
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
        "default_left": tree["default_left"],
        "id": number,
        "left_children": tree["left"],
        "loss_changes": [0.0] * nodes,
        "parents": parents,
        "right_children": tree["right"],
        "split_conditions": tree["value"],
        "split_indices": tree["feature"],
        "split_type": [0] * nodes,
        "sum_hessian": [1.0] * nodes,
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(width),
            "num_nodes": str(nodes),
            "size_leaf_vector": "0",
        },
    }


def xgboost_model(model):
    """XGBoost keeps the start of the sum as a probability."""
    width = model["features"]
    trees = [xgboost_tree(tree, number, width) for number, tree in enumerate(model["trees"])]
    booster = {
        "gbtree_model_param": {
            "num_parallel_tree": "1",
            "num_trees": str(len(trees)),
            "size_leaf_vector": "0",
        },
        "tree_info": [0] * len(trees),
        "trees": trees,
    }
    learner = {
        "attributes": {},
        "feature_names": [],
        "feature_types": [],
        "gradient_booster": {"model": booster, "name": "gbtree"},
        "learner_model_param": {
            "base_score": repr(1 / (1 + math.exp(-model["base_margin"]))),
            "boost_from_average": "1",
            "num_class": "0",
            "num_feature": str(width),
            "num_target": "1",
        },
        "objective": {"name": "binary:logistic", "reg_loss_param": {"scale_pos_weight": "1"}},
    }
    return {"learner": learner, "version": [1, 7, 6]}


def write_onnx(source, width, path):
    import numpy
    import onnxmltools
    import xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    classifier = xgboost.XGBClassifier(objective="binary:logistic")
    classifier.load_model(source)
    classifier.classes_ = numpy.array([0, 1])  # the file has none
    classifier.n_classes_ = 2
    shape = [("features", FloatTensorType([None, width]))]
    onnxmltools.utils.save_model(onnxmltools.convert_xgboost(classifier, initial_types=shape), path)


def frame_of(records, fields):
    import pandas

    frame = pandas.DataFrame(records)[fields]
    return frame.assign(TotalCharges=pandas.to_numeric(frame["TotalCharges"], errors="coerce"))


def write_sklearn(rows, features, path):
    import joblib
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    with open(rows, encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    numeric = [part["field"] for part in features["numeric"]]
    levels = [part["field"] for part in features["one_hot"]]
    columns = make_column_transformer(
        (SimpleImputer(strategy="median"), numeric),
        (OneHotEncoder(drop="if_binary", sparse_output=False, handle_unknown="ignore"), levels),
    )
    trees = GradientBoostingClassifier(
        n_estimators=100, max_depth=3, learning_rate=0.05, subsample=0.8, random_state=42
    )
    pipeline = make_pipeline(columns, trees)
    pipeline.fit(frame_of(records, numeric + levels), [r["Churn"] == "Yes" for r in records])
    if pipeline[-1].n_features_in_ != features["width"]:
        raise ValueError("scikit-learn makes %d columns" % pipeline[-1].n_features_in_)
    joblib.dump(pipeline, path)


def prepare(binary, folder):
    """Fills `folder`; returns the folder of millrace's model."""
    trained = train(binary, folder)
    features = features_of(read_json(trained, "manifest.json"))
    write_json(features, folder, "features.json")
    xgboost_path = os.path.join(folder, "xgboost.json")
    write_json(xgboost_model(read_json(trained, "model.json")), xgboost_path)
    write_onnx(xgboost_path, features["width"], os.path.join(folder, "model.onnx"))
    rows = os.path.join(folder, "rows.ndjson")
    write_sklearn(rows, features, os.path.join(folder, "sklearn.joblib"))
    return trained
