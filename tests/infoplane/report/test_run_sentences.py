"""What a report says of one run in sentences: numbers at the edges of what they mean."""

import math

import pytest

from infoplane.reports.decimals import time_text
from infoplane.reports.findings import FindingSummary
from infoplane.reports.run_facts import Measured, RunFacts, SiteFacts
from infoplane.reports.run_sentences import run_blocks

N = 1024
LOG_N = 10.0


def said(rate, *, label=1.0, enclosed=(math.nan, math.nan), n=N, kind="lower bound"):
    site = SiteFacts("fc", Measured(rate, 0.1), Measured(label, 0.1), enclosed)
    facts = RunFacts("run", "run.h5", "finished", "", "", {}, rows=1, step=5, n=n, h_y=2.0, label_kind=kind)
    blocks = run_blocks(RunFacts(**(vars(facts) | {"sites": (site,)})))
    return str(blocks)


@pytest.mark.parametrize(("rate", "says"), [(LOG_N, True), (LOG_N + 5, True), (LOG_N - 1e-6, False), (1.0, False)])
def test_a_rate_says_nothing_from_log2_n_on(rate, says):
    assert ("says nothing about these 1,024 inputs" in said(rate)) == says
    assert ("log2 n = 10.00 bit" in said(rate)) == says


def test_where_the_number_of_inputs_is_not_known_no_limit_is_said():
    assert "log2 n" not in said(100.0, n=None)


@pytest.mark.parametrize(
    ("upper", "narrower"),
    [(8.0, None), (9.5, "no narrower than the rate"), (12.0, "no narrower than the rate")],
)
def test_an_enclosure_no_narrower_than_the_rate_says_so(upper, narrower):
    text = said(9.0, enclosed=(1.0, upper))
    assert f"between 1.000 and {upper:.{3 if upper < 10 else 1}f} bit" in text
    assert ("narrower" in text) == (narrower is not None)
    assert narrower is None or narrower in text


def test_an_enclosure_below_the_rate_and_beyond_log2_n_is_measured_by_that():
    assert "no narrower than log2 n = 10.00 bit" in said(30.0, enclosed=(1.0, 20.0))


@pytest.mark.parametrize(("label", "reads"), [(-0.01, False), (0.0, True), (1.0, True)])
def test_a_label_bound_below_zero_says_nothing(label, reads):
    assert ("is below 0 and says nothing" in said(1.0, label=label)) == (not reads)
    assert ("at least" in said(1.0, label=label)) == reads


def test_an_estimate_is_no_bound():
    text = said(1.0, label=-0.5, kind="estimate")
    assert "at least" not in text
    assert "says nothing" not in text
    assert "(estimate)" in text


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0.0, "0"),
        (24.6429, "24.6"),
        (3.0, "3"),
        (0.5, "0.5"),
        (1200.25, "1,200.2"),
        (999.6, "999.6"),
        (0.0123, "0.0123"),
        (math.inf, "inf"),
    ],
)
def test_an_epoch_is_whole_or_has_three_digits(time, text):
    assert time_text(time) == text


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [(1630.4, "bit", "by up to 1,630 bit"), (0.0123, "bit", "by up to 0.0123 bit"), (85.0, "1", "up to 85")],
)
def test_amounts_of_findings_are_numbers_that_are_read(amount, unit, text):
    found = FindingSummary("plane", "odd_thing", ("fc",), 3, 4, amount, unit, "", "")
    assert found.extent == f"fc: 3 of 4 rows, {text}"
