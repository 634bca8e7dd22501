#!/usr/bin/env python3
"""ARIMA beside statsmodels: likelihood, forecasts and their variances, and the fit.

  check_arima.py ARIMA_FITS DATA.csv OUT_FOLDER

1. At the parameters that statsmodels' ARIMA fits by default, our filter says what statsmodels with
   an exact diffuse start says: log likelihood, forecasts and variances within SAME, relative.
2. Our fit is statsmodels' default one: log likelihood, parameters and forecasts, with what its
   approximate start and its early stop leave between them; and it is never the less likely one.
3. Our fit is a top of statsmodels' exact likelihood: its own search, begun at our parameters,
   gains at most GAIN and goes nowhere.

Prints a table and one line a failed check; exit code 1 when there is one.
"""
import sys
import warnings

import numpy as np
from statsmodels.tsa.arima.model import ARIMA

import arima_tasks

SAME = 1e-6
LESS_LIKELY = 1e-4  # what our own search leaves at its end
LIKELIHOOD = 2e-3
GAIN = 1e-3
STANDARD_ERRORS = 0.05  # between parameters that count as the same
DEVIATIONS = 0.02  # between forecasts of theirs, in their standard deviations


class Checks:
    """Counts checks and prints those that fail."""

    def __init__(self):
        self.done = 0
        self.failed = 0

    def that(self, holds, what):
        self.done += 1
        if not holds:
            self.failed += 1
            print("FAILED: " + what)

    def at_most(self, value, limit, what):
        self.that(value <= limit, "%s: %g, at most %g allowed" % (what, value, limit))


def relative(ours, theirs):
    ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    return float(np.max(np.abs(ours - theirs) / np.abs(theirs)))


def exact_likelihood(result):
    """Without the observations that only say where a level is: their density is a convention."""
    return float(np.sum(result.llf_obs[result.filter_results.nobs_diffuse :]))


def check_filter(checks, task, ours, theirs):
    forecast = theirs.get_forecast(arima_tasks.STEPS)
    for what, here, there in (
        ("log likelihood", ours["log_likelihood"], exact_likelihood(theirs)),
        ("forecasts", ours["forecasts"], forecast.predicted_mean),
        ("variances", ours["variances"], forecast.var_pred_mean),
    ):
        checks.at_most(relative(here, there), SAME, "%s: %s" % (task.name, what))


def check_same(checks, name, ours, theirs, errors):
    """Parameters and forecasts of two fits; gives the distance in standard errors."""
    params = arima_tasks.from_json(ours["parameters"])
    apart = float(np.max(np.abs(theirs.params - params) / errors))
    checks.at_most(apart, STANDARD_ERRORS, name + ": standard errors between the parameters")
    forecast = theirs.get_forecast(arima_tasks.STEPS)
    off = np.abs(forecast.predicted_mean - np.array(ours["fitted"]["forecasts"]))
    off = float(np.max(off / np.sqrt(forecast.var_pred_mean)))
    checks.at_most(off, DEVIATIONS, name + ": deviations between the forecasts")
    return apart


def search_on(task, ours):
    """statsmodels' search from our parameters on, and what it gained."""
    params = arima_tasks.from_json(ours["parameters"])
    model = task.exact_model()
    before = exact_likelihood(model.smooth(params))
    quiet = {} if isinstance(model, ARIMA) else {"disp": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        moved = model.fit(start_params=params, **quiet)
    return moved, exact_likelihood(moved) - before


def check_fit(checks, task, ours, theirs):
    here, there = ours["log_likelihood"], ours["given"]["log_likelihood"]
    checks.at_most(there - here, LESS_LIKELY, task.name + ": less likely than statsmodels' fit")
    checks.at_most(here - there, LIKELIHOOD, task.name + ": log likelihood")
    moved, gain = search_on(task, ours)
    checks.at_most(gain, GAIN, task.name + ": gain of statsmodels' search")
    errors = np.asarray(moved.bse)
    check_same(checks, task.name + ", searched on", ours, moved, errors)
    apart = check_same(checks, task.name, ours, theirs, errors)
    row = (task.name, there, here, ours["evaluations"], apart)
    print("%-24s %13.6f %13.6f %12d %12.4f" % row)


def main():
    binary, data, folder = sys.argv[1:]
    checks = Checks()
    tasks = arima_tasks.all_tasks(data)
    fits = [arima_tasks.fit(task)[0] for task in tasks]
    results = arima_tasks.run_ours(binary, tasks, [fit.params for fit in fits], folder)
    print("log likelihood             statsmodels      millrace  evaluations  errors apart")
    for task, fit, ours in zip(tasks, fits, results):
        check_filter(checks, task, ours["given"], task.exact_model().smooth(fit.params))
        check_fit(checks, task, ours, fit)
    print("oracle: %d checks, %d failed" % (checks.done, checks.failed))
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
