"""Series, the models fitted to them, and statsmodels' side of the comparison.

Textbook series are those that statsmodels ships (statsmodels.datasets, public domain): the Nile's
flow, sunspots, American GDP and prices, CO2 of Mauna Loa with its gaps, El Nino's temperatures. CO
of the air-quality data is taken with its gaps, and carried forward over them.
"""
import json
import subprocess
import time
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from statsmodels.tsa.arima.model import ARIMA
from statsmodels.tsa.statespace.sarimax import SARIMAX

STEPS = 6


@dataclass
class Task:
    name: str
    values: np.ndarray
    order: tuple
    mean: bool = False

    def model(self):
        """What its users write."""
        return ARIMA(self.values, order=self.order, trend="c" if self.mean else "n")

    def exact_model(self):
        """The same with an exact diffuse start of the levels, which ARIMA only approximates."""
        if self.order[1] == 0:
            return self.model()
        return SARIMAX(self.values, order=self.order, use_exact_diffuse=True)


def air_quality_co(path):
    frame = pd.read_csv(path, sep=";", decimal=",")
    values = frame["CO(GT)"].dropna().astype(float)
    return values.replace(-200, np.nan)


def textbook_tasks():
    data = sm.datasets
    nile = data.nile.load_pandas().data["volume"].to_numpy()
    sunspots = data.sunspots.load_pandas().data["SUNACTIVITY"].to_numpy()
    macro = data.macrodata.load_pandas().data
    co2 = data.co2.load_pandas().data["co2"].to_numpy()
    elnino = data.elnino.load_pandas().data.iloc[:, 1:].to_numpy().ravel()
    return [
        Task("nile_level", nile, (0, 1, 1)),
        Task("nile_mean", nile, (1, 0, 1), mean=True),
        Task("sunspots", sunspots, (2, 0, 1), mean=True),
        # In percent: statsmodels' filter counts changes of a variance below 1e-19 as none, which
        # leaves only five digits of variances around 1e-5.
        Task("log_gdp", 100 * np.log(macro["realgdp"].to_numpy()), (1, 1, 1)),
        Task("log_prices", 100 * np.log(macro["cpi"].to_numpy()), (1, 2, 1)),
        Task("co2", co2, (2, 1, 2)),
        Task("el_nino", elnino, (2, 0, 2), mean=True),
    ]


def all_tasks(data):
    co = air_quality_co(data)
    return textbook_tasks() + [
        Task("air_quality_co", co.to_numpy(), (2, 1, 2)),
        Task("air_quality_co_carried", co.ffill().to_numpy(), (2, 1, 2)),
    ]


def fit(task):
    """statsmodels' fit with its defaults, and its CPU time in ns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = time.process_time_ns()
        result = task.model().fit()
        return result, time.process_time_ns() - before


def to_json(task, params):
    """Parameters as arima_fits has them, from statsmodels' order: mean, AR, MA, variance."""
    p, _, q = task.order
    rest = list(params[1:] if task.mean else params)
    return {
        "mean": float(params[0]) if task.mean else None,
        "ar": rest[:p],
        "ma": rest[p : p + q],
        "variance": float(rest[p + q]),
    }


def from_json(parameters):
    mean = [] if parameters["mean"] is None else [parameters["mean"]]
    return np.array(mean + parameters["ar"] + parameters["ma"] + [parameters["variance"]])


def run_ours(binary, tasks, given, folder, rounds=1):
    """What arima_fits says to the tasks, and to the `given` parameters of each."""
    rows = [
        {
            "name": task.name,
            "order": list(task.order),
            "mean": task.mean,
            "series": [None if np.isnan(value) else value for value in task.values],
            "given": to_json(task, params),
        }
        for task, params in zip(tasks, given)
    ]
    path = "%s/tasks.json" % folder
    with open(path, "w", encoding="utf-8") as file:
        json.dump(rows, file)
    done = subprocess.run([binary, path, str(rounds)], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)
