"""The gate before any number: every message has exactly one prediction, and it is the right one."""

import orjson

from measure import Failure

TOLERANCE = 1e-5
THRESHOLD = 0.5


def examples(keys):
    return ", ".join(sorted(key.decode() for key in keys)[:3])


def probabilities(records):
    """Key -> probability of (partition, offset, key, value) records; no key may come twice."""
    found = {}
    for _, _, key, value in records:
        message = orjson.loads(value)
        if key != message["customerID"].encode():
            raise Failure("the prediction for %s has the key %r" % (message["customerID"], key))
        if key in found:
            raise Failure("two predictions for %s" % examples([key]))
        probability = message["churn_probability"]
        near = abs(probability - THRESHOLD) <= TOLERANCE  # the last digits decide
        if not near and message["prediction"] != ("Yes" if probability > THRESHOLD else "No"):
            raise Failure("%s: %r at %r" % (examples([key]), message["prediction"], probability))
        found[key] = probability
    return found


def compare(found, keys, expected):
    """Of `found`, which must have exactly the `keys`: the largest difference to `expected`."""
    if len(found) != len(keys) or any(key not in found for key in keys):
        lost = [key for key in keys if key not in found]
        strange = set(found).difference(keys)
        text = "%d predictions are missing (%s), %d are for nobody (%s)"
        raise Failure(text % (len(lost), examples(lost), len(strange), examples(strange)))
    worst = max(keys, key=lambda key: abs(found[key] - expected[key]))
    difference = abs(found[worst] - expected[worst])
    if not difference <= TOLERANCE:
        text = "%s: %r where %r is right"
        raise Failure(text % (examples([worst]), found[worst], expected[worst]))
    return difference
