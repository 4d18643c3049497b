"""Plain lines and JSON: one per row, with unit, bound, estimator, n and split, and one per change of a status."""

import json
import math

import pytest

from infoplane.watch.figures import figure
from infoplane.watch.lines import Lines, json_line


def test_a_row_is_one_line_with_everything_that_its_numbers_need(state_of):
    rows, _ = Lines().of(state_of(rows=2, findings=4, epochs=20))
    assert len(rows) == 2
    assert all(line.isascii() and "\n" not in line for line in rows)
    for part in (
        "run.h5: row 2, step 20, epoch 2 of 20",
        "error 25.00 %",
        "I(Z;X) <= 7.250 +/- 0.050 (control 7.250)",
        "I(Z;Y) >= 1.500 +/- 0.020 (control 0.500)",
        "bit, VIB probe, test, n 500",
        "4 findings",
    ):
        assert part in rows[1]


def test_a_rate_beyond_log_n_is_said_to_be_one(state_of):
    assert "above log2 n = 2.00" in Lines().of(state_of(n=4))[0][0]
    assert "log2" not in Lines().of(state_of(n=500))[0][0]


def test_a_run_without_control_says_so(state_of):
    assert "(no control)" in Lines().of(state_of(control=False))[0][0]


def test_the_status_is_said_when_it_changes_and_only_then(state_of):
    lines = Lines()
    said = [lines.of(state_of(status=status, **more))[1] for status, more in HISTORY]
    assert [len(one) for one in said] == [1, 1, 0, 1, 1, 1]
    assert "is not there yet" in said[0][0]
    assert "is being recorded" in said[1][0]
    assert "was killed" in said[3][0]
    assert "another file has this name now" in said[4][0]
    assert "has finished" in said[5][0]


HISTORY = [
    ("waiting", {"file": 0}),
    ("recording", {}),
    ("recording", {}),
    ("killed", {}),
    ("recording", {"file": 2}),
    ("finished", {"file": 2}),
]


def test_the_end_is_said_after_the_last_row_and_not_before_all_are_there(state_of):
    lines = Lines()
    assert [json.loads(one)["row"] for one in lines.objects(state_of(rows=1))] == [None, 0]
    behind = lines.objects(state_of(rows=2, status="finished", is_behind=True))
    assert [json.loads(one)["row"] for one in behind] == [0, 1]
    last = [json.loads(one) for one in lines.objects(state_of(rows=1, status="finished"))]
    assert [(one["row"], one["status"]) for one in last] == [(0, "finished"), (None, "finished")]


def test_json_is_strict_and_has_null_for_what_is_not_finite(state_of):
    state = state_of(i_zy=math.nan, error=math.inf, rows=1)
    text = json_line(state, state.last)
    row = json.loads(text, parse_constant=lambda word: pytest.fail(word))
    assert row["error"] is None
    assert row["probes"][0]["i_zy"] is None
    assert row["probes"][0]["i_zx"] == 7.5
    assert [probe["host"] for probe in row["probes"]] == ["trained", "untrained"]
    assert row["units"] == {"i_zx": "bit", "i_zy": "bit", "error": "%", "loss": "bit"}
    assert row["kinds"] == {"i_zx": "upper_bound", "i_zy": "lower_bound"}
    assert (row["n"], row["split"], row["estimator"]) == (500, "test", "VIB probe")


def test_the_error_in_json_is_in_per_cent_as_in_the_lines(state_of):
    state = state_of(rows=1, error=0.25)
    assert json.loads(json_line(state, state.last))["error"] == 25.0
    assert "error 25.00 %" in Lines().of(state)[0][0]


def test_what_comes_from_a_file_cannot_steer_the_terminal(state_of):
    rows, changes = Lines().of(state_of("\x1b[2Jrun\n.h5", sites=("\x1b]0;title\x07\u202e",), reason="\x1b[31m"))
    assert all(line.isprintable() for line in (*rows, *changes))
    assert json_line(state_of("\x1b[2J.h5"), None).isprintable()


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (7.254, 0.05, "7.254"),
        (93.117, 1.37, "93.1"),
        (412.3, 25.0, "412"),
        (2.0, math.nan, "2.000"),
        (2.0, 0.0, "2.000"),
        (-0.014, 0.0059, "-0.0140"),
        (math.nan, 0.1, "NaN"),
        (math.inf, 0.1, "inf"),
        (-math.inf, 0.1, "-inf"),
        (1e300, 1e290, "1e+300"),
    ],
)
def test_a_number_has_the_digits_that_its_error_allows(value, error, text):
    assert figure(value, error) == text
