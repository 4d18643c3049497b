"""Eq. 4 against values computed by hand, and by counting what it stands for."""

import math
from itertools import product

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.generalization import generalization_bound


def test_bound_is_eq_4_by_hand():
    # 2^10 = 1024, ln 20 = 2.995732: 1026.995732 / 120000 = 0.00855829777, its root 0.0925111.
    assert generalization_bound(10, 60_000).error == pytest.approx(0.0925111, abs=5e-8)
    # No information at all: (1 + ln 100) / 2000 = 5.605170 / 2000, its root 0.0529394.
    assert generalization_bound(0, 1000, delta=0.01).error == pytest.approx(0.0529394, abs=5e-8)


def test_the_papers_own_information_gives_no_bound():
    # 2^28.38 = 349,327,... / 120,000 = 2911, its root 53.95.
    bound = generalization_bound(28.38, 60_000)
    assert bound.error == pytest.approx(53.95, abs=0.01)
    assert bound.vacuous
    assert bound.informative_below == pytest.approx(16.87, abs=0.005)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_factor_of_the_classes_is_the_logarithm_of_a_count(classes):
    # Four cells: every way to give each a label is one classifier.
    classifiers = sum(1 for _ in product(range(classes), repeat=4))
    hoeffding = math.sqrt((math.log(classifiers) + math.log(1 / 0.05)) / (2 * 500))
    assert generalization_bound(2, 500, classes=classes).error == pytest.approx(hoeffding, rel=1e-12)


def test_printed_factor_is_enough_for_two_classes_and_too_small_from_three_on():
    printed = generalization_bound(8, 10_000).error
    assert generalization_bound(8, 10_000, classes=2).error < printed < generalization_bound(8, 10_000, classes=3).error


def test_units_of_the_information_are_converted():
    bits = generalization_bound(7.5, 1000)
    for base in (math.e, 10.0):
        other = generalization_bound(7.5 * math.log(2) / math.log(base), 1000, base=base)
        assert other.error == pytest.approx(bits.error, rel=1e-12)
        assert other.i_zx == pytest.approx(7.5, rel=1e-12)


@pytest.mark.parametrize("classes", [None, 10])
def test_inverses_lead_back(classes):
    bound = generalization_bound(9, 20_000, delta=0.1, classes=classes)
    assert bound.largest_information(bound.error) == pytest.approx(9, rel=1e-12)
    assert bound.inputs_needed(bound.error) == pytest.approx(20_000, rel=1e-12)
    assert not bound.vacuous
    assert generalization_bound(bound.informative_below + 1e-6, 20_000, delta=0.1, classes=classes).vacuous
    assert not generalization_bound(bound.informative_below - 1e-6, 20_000, delta=0.1, classes=classes).vacuous


def test_too_few_inputs_bound_nothing():
    assert generalization_bound(0, 1).vacuous
    assert generalization_bound(0, 1).informative_below == -math.inf


def test_information_beyond_the_range_of_float64_is_computed_or_infinite():
    # A new probe of 256 dimensions: 1663 bit. 2^1663 is no float64, its root 2^831.5 is.
    assert generalization_bound(1663, 2, delta=0.5).error == pytest.approx(2.0 ** (831.5 - 1), rel=1e-9)
    assert generalization_bound(5000, 2).error == math.inf
    assert generalization_bound(5000, 2).vacuous


def test_bound_holds_where_its_premise_does():
    # A class of 2^4 classifiers on four equally likely cells with coin-tossed labels: the largest gap between true
    # error (1/2) and training error exceeds eps in at most a share delta of training sets.
    rng = np.random.default_rng(0)
    cells, labels = rng.integers(4, size=(4000, 50)), rng.integers(2, size=(4000, 50))
    classifiers = np.array(list(product((0, 1), repeat=4)))
    errors = np.stack([(classifier[cells] != labels).mean(axis=1) for classifier in classifiers])
    bound = generalization_bound(2, 50, delta=0.2, classes=2)
    failures = (0.5 - errors.min(axis=0) > bound.error).mean()
    assert 0 < failures <= 0.2
    # Less than its own gap would be no bound: at a fifth of eps most training sets fail.
    assert (0.5 - errors.min(axis=0) > bound.error / 5).mean() > 0.5


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"i_zx": -1.0}, "i_zx is -1.0"),
        ({"i_zx": math.nan}, "i_zx is nan"),
        ({"i_zx": "10"}, "i_zx is '10'"),
        ({"n": 0}, "n is 0"),
        ({"n": 10.5}, "n is 10.5"),
        ({"delta": 0.0}, "delta is 0.0"),
        ({"delta": 1}, "delta is 1,"),
        ({"classes": 1}, "classes is 1"),
        ({"base": 1}, "base is 1"),
    ],
)
def test_unusable_arguments_are_refused(arguments, text):
    given = {"i_zx": 5.0, "n": 100} | arguments
    with pytest.raises(InputError, match=text):
        generalization_bound(given.pop("i_zx"), given.pop("n"), **given)


def test_error_of_an_inverse_must_be_positive():
    for inverse in (generalization_bound(5, 100).largest_information, generalization_bound(5, 100).inputs_needed):
        with pytest.raises(InputError, match=r"error is 0\.0"):
            inverse(0.0)
