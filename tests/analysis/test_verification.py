import math
from dataclasses import replace
from functools import partial

import pytest

from infoplane.analysis.acceptance import full_checks, quick_checks
from infoplane.analysis.estimate import Estimate, estimate
from infoplane.analysis.estimators import NAMES
from infoplane.analysis.finding import Finding
from infoplane.analysis.known import bivariate_normal
from infoplane.analysis.verification import Check, verify

NORMAL = bivariate_normal(0.75)


def outcome(value, *, kind="estimate", standard_error=math.nan, codes=(), tolerance=0.1):
    """Return what a check gives whose estimator reads the truth plus `value`."""
    found = Estimate(
        value=NORMAL.nats + value,
        unit="nat",
        kind=kind,
        method="made up",
        parameters={},
        n=10,
        standard_error=standard_error,
        findings=tuple(Finding(code, "value", "warned") for code in codes),
        quantity="mutual information",
    )
    return next(verify([Check(NORMAL, "made up", lambda x, y: found, 10, tolerance)]))


@pytest.mark.parametrize(
    ("kind", "error", "verdict"),
    [
        ("estimate", 0.09, "pass"),
        ("estimate", -0.09, "pass"),
        ("estimate", 0.11, "fail"),
        ("estimate", -0.11, "fail"),
        ("estimate", math.nan, "fail"),
        ("lower_bound", -0.09, "pass"),
        ("lower_bound", -0.11, "fail"),
        ("lower_bound", 0.02, "pass"),
        ("lower_bound", 0.04, "fail"),
        ("upper_bound", 0.09, "pass"),
        ("upper_bound", 0.11, "fail"),
        ("upper_bound", -0.02, "pass"),
        ("upper_bound", -0.04, "fail"),
    ],
)
def test_verdict_follows_the_direction(kind, error, verdict):
    assert outcome(error, kind=kind, standard_error=0.01).verdict == verdict


def test_bound_of_unknown_error_has_no_slack():
    assert outcome(1e-6, kind="lower_bound").verdict == "fail"


def test_estimate_outside_that_warned_is_told_apart():
    assert outcome(0.2, codes=["ties"]).verdict == "fail"
    assert outcome(0.2, codes=["still_growing", "ties"]).verdict == "warned"
    assert outcome(0.0, codes=["still_growing"]).verdict == "pass"


def test_value_is_the_mean_over_seeds_with_its_spread():
    run = partial(estimate, method="gaussian", base=math.e)
    several = next(verify([Check(NORMAL, "gaussian", run, 500, 0.1, seeds=4)]))
    values = [run(*NORMAL.sample(500, seed=seed)).value for seed in range(4)]
    assert several.value == pytest.approx(sum(values) / 4)
    assert several.error == pytest.approx(several.value - NORMAL.nats)
    assert 0 < several.standard_error < 0.1
    assert several.seconds > 0


def test_every_method_is_checked():
    assert {check.method for check in full_checks()} >= set(NAMES)


def test_quick_checks_tell_a_wrong_estimator():
    # An estimate that is 10 % too high everywhere fails most checks of estimates.
    checks = [check for check in quick_checks() if check.method in ("gaussian", "plugin", "exact", "ross")]
    wrong = [replace(check, run=lambda x, y, run=check.run: inflated(run(x, y))) for check in checks]
    assert len(checks) >= 4
    assert all(o.verdict == "pass" for o in verify(checks))
    assert all(o.verdict == "fail" for o in verify(wrong))


def inflated(found):
    return replace(found, value=1.1 * found.value)
