"""CPU time of a fit, millrace's and statsmodels' (bench/README.md).

  measure.py ARIMA_FITS DATA.csv FOLDER

Ends with 1 when one of our fits is less likely than theirs, or not RATIO_MIN times as fast.
"""
import json
import os
import statistics
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "tests", "oracle"))

import arima_tasks  # noqa: E402  (what the oracle test compares, too)

RATIO_MIN = 10
LESS_LIKELY = 1e-4
FITS_A_ROUND = 3  # ours; the first ones warm the caches, as theirs are by their imports


def main():
    binary, data, folder = sys.argv[1:]
    rounds = int(os.environ.get("ROUNDS", "5"))
    tasks = arima_tasks.all_tasks(data)
    ours, theirs = [[] for _ in tasks], [[] for _ in tasks]
    failed = 0
    for _ in range(rounds):
        fits = [arima_tasks.fit(task) for task in tasks]
        given = [fit.params for fit, _ in fits]
        results = arima_tasks.run_ours(binary, tasks, given, folder, FITS_A_ROUND)
        for at, (task, result, (_, spent)) in enumerate(zip(tasks, results, fits)):
            theirs[at].append(spent)
            ours[at].append(statistics.median(result["fit_ns"]))
            if result["log_likelihood"] < result["given"]["log_likelihood"] - LESS_LIKELY:
                print("arima: %s: less likely than statsmodels' fit" % task.name, file=sys.stderr)
                failed = 1
    for task, here, there in zip(tasks, ours, theirs):
        ratio = statistics.median(there) / statistics.median(here)
        figure = {
            "bench": "arima",
            "figure": "fit_" + task.name,
            "unit": "ms",
            "rows": len(task.values),
            "millrace": round(statistics.median(here) / 1e6, 3),
            "statsmodels": round(statistics.median(there) / 1e6, 1),
            "ratio": round(ratio, 1),
        }
        print(json.dumps(figure), flush=True)
        if ratio < RATIO_MIN:
            print("arima: %s: not %d times as fast" % (task.name, RATIO_MIN), file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
