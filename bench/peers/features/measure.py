"""CPU time of the features of air-quality: `millrace transform` as a whole process, with reading
and writing, beside pandas, of which only the features are timed (bench/README.md).

  measure.py MILLRACE DATA.csv FOLDER

Ends with 1 when a value differs by more than TOLERANCE.
"""
import json
import os
import resource
import statistics
import subprocess
import sys
import time

import numpy as np
import pandas as pd

FIELDS = ["CO", "NOx", "NO2", "Benzene"]
RENAME = {"CO(GT)": "CO", "NOx(GT)": "NOx", "NO2(GT)": "NO2", "C6H6(GT)": "Benzene"}
# Relative to the larger of the value and 1. What pandas' sliding sums leave behind is 2e-9 of a
# deviation here; against the definition ours are within 1e-12.
TOLERANCE = 1e-8


def read(path):
    frame = pd.read_csv(path, sep=";", decimal=",").dropna(how="all").rename(columns=RENAME)
    stamp = frame["Date"] + " " + frame["Time"]
    frame.index = pd.to_datetime(stamp, format="%d/%m/%Y %H.%M.%S", utc=True)
    return frame[FIELDS].replace(-200, np.nan)


def slope_of(values):
    known = np.flatnonzero(~np.isnan(values))
    if len(known) < 2:
        return np.nan
    return np.polyfit(known, values[known], 1)[0]


def features(frame):
    """As users of pandas write them: a column at a time, slopes by rolling().apply()."""
    filled = frame.ffill()
    out = {}
    for field in FIELDS:
        for steps in (0, 1, 2, 3, 23, 24):
            out[field if steps == 0 else "%s_lag_%d" % (field, steps)] = filled[field].shift(steps)
        for steps in (1, 24):
            out["%s_diff_%d" % (field, steps)] = filled[field].diff(steps)
        for window in (3, 6, 12, 24):
            rolling = filled[field].rolling(window, min_periods=1)
            out["%s_mean_%d" % (field, window)] = rolling.mean()
            count = rolling.count()
            out["%s_std_%d" % (field, window)] = rolling.std().mask(count == 1, 0.0)
        for span in (3, 6, 12, 24):
            out["%s_ema_%d" % (field, span)] = filled[field].ewm(span=span, adjust=False).mean()
        for window in (6, 12, 24):
            out["%s_slope_%d" % (field, window)] = (
                filled[field].rolling(window, min_periods=1).apply(slope_of, raw=True)
            )
    index = frame.index
    out["hour"] = pd.Series(index.hour, index)
    out["weekday"] = pd.Series(index.dayofweek, index)
    out["month"] = pd.Series(index.month, index)
    out["hour_sin"] = np.sin(2 * np.pi * out["hour"] / 24)
    out["hour_cos"] = np.cos(2 * np.pi * out["hour"] / 24)
    return pd.DataFrame(out)


def transform(binary, data, folder):
    """CPU seconds of the process, and what it wrote."""
    out = os.path.join(folder, "ours.csv")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [binary, "transform", "air-quality", "--data", data, "--out", out]
    subprocess.run(command + ["--home", folder, "--quiet"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, out


def differing(ours, theirs):
    """Columns that are not the same, with the largest difference of each."""
    if sorted(ours.columns) != sorted(theirs.columns) or len(ours) != len(theirs):
        return {"columns or rows": [sorted(set(ours.columns) ^ set(theirs.columns)), len(ours)]}
    found = {}
    for name in ours.columns:
        here, there = ours[name].to_numpy(float), theirs[name].to_numpy(float)
        if (np.isnan(here) != np.isnan(there)).any():
            found[name] = "missing values"
            continue
        off = np.nanmax(np.abs(here - there) / np.maximum(1, np.abs(there)))
        if off > TOLERANCE:
            found[name] = off
    return found


def main():
    binary, data, folder = sys.argv[1:]
    rounds = int(os.environ.get("ROUNDS", "5"))
    frame = read(data)
    ours, theirs = [], []
    for _ in range(rounds):
        before = time.process_time()
        there = features(frame)
        theirs.append(time.process_time() - before)
        spent, out = transform(binary, data, folder)
        ours.append(spent)
        differ = differing(pd.read_csv(out), there)
        if differ:
            print("features: not the same: %s" % differ, file=sys.stderr)
            return 1
    figure = {
        "bench": "features",
        "figure": "air_quality_file",
        "unit": "ms",
        "rows": len(frame),
        "columns": len(there.columns),
        "millrace": round(statistics.median(ours) * 1e3, 1),
        "pandas": round(statistics.median(theirs) * 1e3, 1),
        "ratio": round(statistics.median(theirs) / statistics.median(ours), 1),
    }
    print(json.dumps(figure))
    return 0


if __name__ == "__main__":
    sys.exit(main())
