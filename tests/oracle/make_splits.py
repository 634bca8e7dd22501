#!/usr/bin/env python3
"""How telco_splits.txt was made: the test rows of scikit-learn's splits of the telco data.

  build/oracles/bin/python tests/oracle/make_splits.py Telco-Customer-Churn.csv > telco_splits.txt

Lines 1 to 10: StratifiedShuffleSplit(10, test_size=0.2, random_state=42) on the column Churn.
Line 11: the reference system's own split, train_test_split(test_size=0.2, random_state=42),
stratified by Churn. A line is a bit a row of the file, 1 = test, in hexadecimal; the first digit
holds rows 0 to 3, row 0 in its highest bit. The file is kept, so that the rows do not depend on a
version.
"""
import csv
import sys

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit, train_test_split


def line_of(rows, test):
    bits = np.zeros((rows + 3) // 4 * 4, dtype=int)
    bits[test] = 1
    return "".join("%x" % digit for digit in bits.reshape(-1, 4) @ [8, 4, 2, 1])


def main():
    with open(sys.argv[1], newline="", encoding="utf-8") as file:
        labels = np.array([row["Churn"] for row in csv.DictReader(file)])
    rows = np.arange(len(labels))
    splitter = StratifiedShuffleSplit(10, test_size=0.2, random_state=42)
    for _, test in splitter.split(rows, labels):
        print(line_of(len(rows), test))
    _, test = train_test_split(rows, test_size=0.2, random_state=42, stratify=labels)
    print(line_of(len(rows), test))


if __name__ == "__main__":
    main()
