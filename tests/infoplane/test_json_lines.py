import json
import math

import numpy as np
import pandas as pd

from infoplane.json_lines import json_lines

ODD = [1 / 3, 5e-324, 1.7976931348623157e308, -0.0, 0.1 + 0.2]


def rows(table):
    lines = list(json_lines(table))
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)
    return [json.loads(line) for line in lines]


def test_numbers_come_back_to_the_last_bit():
    back = [row["x"] for row in rows(pd.DataFrame({"x": ODD}))]
    assert np.array(back).tobytes() == np.array(ODD).tobytes()
    single = np.array([0.1, 1 / 3], np.float32)
    assert [row["x"] for row in rows(pd.DataFrame({"x": single}))] == [float(value) for value in single]
    large = [2**62 + 1, -(2**63)]
    assert [row["n"] for row in rows(pd.DataFrame({"n": large}))] == large


def test_what_is_no_finite_number_is_null():
    table = pd.DataFrame({"x": [math.nan, math.inf, -math.inf], "n": pd.array([1, None, 2], dtype="Int64")})
    assert rows(table) == [{"x": None, "n": 1}, {"x": None, "n": None}, {"x": None, "n": 2}]


def test_text_truth_values_and_lists_stay_what_they_are():
    table = pd.DataFrame({"t": ["\x1b\n\u202eé", "nan"], "b": [True, False], "l": [[], ["a", "b"]]})
    assert rows(table) == [
        {"t": "\x1b\n\u202eé", "b": True, "l": []},
        {"t": "nan", "b": False, "l": ["a", "b"]},
    ]
    assert "\x1b" not in "".join(json_lines(table))


def test_a_table_without_rows_has_no_lines():
    assert list(json_lines(pd.DataFrame({"x": []}))) == []
