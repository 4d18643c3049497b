import math

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate
from infoplane.analysis.validity import above_entropy, above_log_n, below_fano, findings_of_value, negative


def codes(nats, kind="estimate", entropies=(math.inf, math.inf), n=100):
    return [finding.code for finding in findings_of_value(nats, kind, entropies=entropies, n=n)]


@pytest.mark.parametrize("kind", ["estimate", "lower_bound", "upper_bound"])
def test_a_possible_value_has_no_finding(kind):
    assert codes(0.0, kind) == codes(0.5, kind, (math.inf, 0.69)) == codes(4.6, kind) == []


@pytest.mark.parametrize(
    ("nats", "kind", "found"),
    [
        (-0.01, "estimate", ["negative"]),
        (-0.01, "upper_bound", ["negative"]),
        (-0.01, "lower_bound", []),
        (0.70, "estimate", ["above_entropy"]),
        (0.70, "lower_bound", ["above_entropy"]),
        (0.70, "upper_bound", []),
        (math.nan, "estimate", ["not_finite"]),
        (math.inf, "upper_bound", ["not_finite"]),
    ],
)
def test_each_impossible_value_gives_its_finding_in_its_direction_alone(nats, kind, found):
    assert codes(nats, kind, (math.inf, math.log(2))) == found


@pytest.mark.parametrize("kind", ["estimate", "lower_bound", "upper_bound"])
def test_at_log_n_a_continuous_pair_has_reached_what_n_samples_show(kind):
    assert codes(math.log(100), kind) == codes(5.0, kind) == ["above_log_n"]


@pytest.mark.parametrize("kind", ["estimate", "lower_bound", "upper_bound"])
def test_of_labels_log_n_is_not_said_beside_their_entropy(kind):
    # Four samples of four labels: H = log 4 is log n, and a value there may be the truth.
    assert codes(math.log(4), kind, (math.inf, math.log(4)), n=4) == []
    beyond = [] if kind == "upper_bound" else ["above_entropy"]
    assert codes(5.0, kind, (math.log(4), math.inf), n=4) == beyond


def test_amounts_are_by_how_much_in_the_unit_asked_for():
    assert above_entropy(1.5, 1.0).amount == 0.5
    assert above_entropy(1.5, 1.0).unit == "bit"
    found = above_log_n(10.0, 256)
    assert (found.amount, found.unit) == (pytest.approx(2.0), "bit")
    assert above_log_n(10.0, 256, base=math.e).amount == pytest.approx(10 - math.log(256))
    assert negative(-0.25, base=math.e).amount == -0.25


def test_an_upper_bound_beyond_log_n_is_said_to_bound_nothing():
    assert "says nothing" in above_log_n(9, 256, kind="upper_bound").text
    assert "without assumptions" in above_log_n(9, 256).text


# Fano


@pytest.mark.parametrize("kind", ["estimate", "upper_bound"])
def test_less_than_an_accuracy_proves_is_impossible_unless_it_is_a_lower_bound(kind):
    known = {"error": 0.02, "n": 10_000, "classes": 10, "entropy": math.log2(10)}
    assert below_fano(2.0, kind=kind, **known).code == "below_fano"
    assert below_fano(3.2, kind=kind, **known) is None
    assert below_fano(2.0, kind="lower_bound", **known) is None


def test_fano_tends_to_its_closed_form_as_inputs_grow():
    # h(0.1) + 0.1 log2 3 = 0.469 + 0.1585, so that 2 bit of entropy leave at least 1.3725
    found = below_fano(1.0, kind="estimate", error=0.1, n=10**9, classes=4, entropy=2.0)
    assert found.amount == pytest.approx(0.3725, abs=5e-4)
    assert found.unit == "bit"


def test_few_inputs_prove_less():
    amounts = [
        below_fano(0.5, kind="estimate", error=0.1, n=n, classes=4, entropy=2.0).amount for n in (200, 2000, 20_000)
    ]
    assert amounts == sorted(amounts)
    assert below_fano(0.5, kind="estimate", error=0.0, n=5, classes=4, entropy=2.0) is None


def test_an_error_no_better_than_guessing_proves_nothing():
    for error in (0.75, 0.9, 1.0):
        assert below_fano(1e-6, kind="estimate", error=error, n=1000, classes=4, entropy=2.0) is None


def test_a_standard_error_widens_what_is_possible():
    known = {"kind": "estimate", "error": 0.0, "n": 10**6, "classes": 2, "entropy": 1.0}
    assert below_fano(0.9, **known).code == "below_fano"
    assert below_fano(0.9, standard_error=0.05, **known) is None


def test_a_share_beyond_one_is_refused():
    with pytest.raises(InputError, match="error is 3"):
        below_fano(0.5, kind="estimate", error=3, n=10, classes=2, entropy=1.0)


def test_fano_raises_no_false_alarm_at_the_exact_information_of_the_tightest_channel():
    """A symmetric channel attains the inequality with equality: the truth itself must not be called impossible."""
    generator, classes, flip, n = np.random.default_rng(0), 4, 0.08, 400
    lost = -flip * math.log2(flip) - (1 - flip) * math.log2(1 - flip) + flip * math.log2(classes - 1)
    wrong = generator.binomial(n, flip, size=20_000)
    alarms = sum(
        below_fano(2 - lost, kind="estimate", error=w / n, n=n, classes=classes, entropy=2.0) is not None for w in wrong
    )
    assert alarms <= 6  # the level is 3.2e-5; 20,000 trials expect 0.6


def test_an_estimate_carries_them_in_its_unit():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 1))
    found = estimate(x, x + 1e-3 * rng.normal(size=(40, 1)), method="gaussian").findings
    (beyond,) = [finding for finding in found if finding.code == "above_log_n"]
    assert beyond.unit == "bit"
