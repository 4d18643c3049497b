"""``infoplane verify`` on a few cheap checks; all of them run in ``.ci/run`` and under the marker slow."""

import json
import math
from dataclasses import replace

import pytest

from infoplane.analysis import acceptance
from infoplane.analysis.acceptance import quick_checks
from infoplane.cli import run as cli


@pytest.fixture
def few(monkeypatch):
    chosen = [check for check in quick_checks() if check.method in ("gaussian", "exact")]
    monkeypatch.setattr(acceptance, "quick_checks", lambda: tuple(chosen))
    return chosen


def test_table_has_truth_value_error_seconds_and_tolerance(few, capfd):
    assert cli(["verify"]) == 0
    captured = capfd.readouterr()
    said, _, *lines = captured.out.splitlines()
    assert "in bit" in said
    for word in ("law", "method", "kind", "n", "seeds", "truth", "value", "error", "tolerance", "seconds", "verdict"):
        assert word in lines[0].split()
    assert len(lines) == 1 + len(few)
    assert f"{12:.4f}" in captured.out  # log2 of 4096 inputs, in bit
    assert all(line.endswith("pass") for line in lines[1:])
    assert "2 of 2 checks: 2 within tolerance" in captured.err


def test_json_gives_one_object_per_check_in_bit(few, capfd):
    assert cli(["verify", "--json"]) == 0
    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [row["method"] for row in rows] == [check.method for check in few]
    for row, check in zip(rows, few, strict=True):
        assert row["unit"] == "bit"
        assert row["truth"] == pytest.approx(check.law.nats / math.log(2))
        assert row["error"] == pytest.approx(row["value"] - row["truth"])


def test_estimate_outside_its_tolerance_gives_exit_code_1(few, monkeypatch, capfd):
    wrong = [replace(few[0], law=replace(few[0].law, nats=few[0].law.nats + 1)), *few[1:]]
    monkeypatch.setattr(acceptance, "quick_checks", lambda: tuple(wrong))
    assert cli(["verify"]) == 1
    captured = capfd.readouterr()
    assert captured.out.splitlines()[3].endswith("fail")
    assert "1 outside without one" in captured.err


def test_interrupted_it_keeps_what_it_printed(few, monkeypatch, capfd):
    def stop(x, y):
        raise KeyboardInterrupt

    monkeypatch.setattr(acceptance, "quick_checks", lambda: (few[0], replace(few[1], run=stop)))
    assert cli(["verify"]) == 130
    captured = capfd.readouterr()
    assert captured.out.splitlines()[-1].endswith("pass")
    assert "1 of 2 checks" in captured.err


@pytest.mark.slow
def test_all_quick_checks_pass(capfd):
    assert cli(["verify"]) == 0, capfd.readouterr().out
