"""Fano's inequality, against channels in which it is an equality, and against what cannot be beaten."""

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.fano import fano_bound, fano_ceiling
from infoplane.analysis.information import entropy, mutual_information


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("error", [0.0, 0.05, 0.3, 0.45])
def test_it_is_an_equality_where_all_wrong_answers_are_alike(classes, error):
    joint = np.full((classes, classes), error / (classes - 1) / classes)
    np.fill_diagonal(joint, (1 - error) / classes)
    bound = fano_bound(error, classes=classes, entropy=np.log2(classes))
    assert float(bound) == pytest.approx(mutual_information(joint), abs=1e-12)


def test_no_channel_has_less_information_than_its_best_guess_proves():
    generator = np.random.default_rng(0)
    for _ in range(200):
        joint = generator.dirichlet(np.full(20, 0.3)).reshape(4, 5)
        right, h_y = joint.max(axis=0).sum(), entropy(joint.sum(axis=1))
        information = mutual_information(joint)
        assert fano_bound(1 - right, classes=4, entropy=h_y) <= information + 1e-12
        assert right <= fano_ceiling(information, classes=4, entropy=h_y) + 1e-9


def test_the_ceiling_is_the_inverse_of_the_bound():
    errors = np.linspace(0, 0.9, 50).reshape(5, 10)
    bound = fano_bound(errors, classes=10, entropy=3.3)
    np.testing.assert_allclose(fano_ceiling(bound, classes=10, entropy=3.3), 1 - errors, atol=1e-7)


def test_beyond_guessing_an_error_proves_no_more():
    at = fano_bound([0.75, 0.9, 1.0], classes=4, entropy=1.8)
    np.testing.assert_allclose(at, 1.8 - 2)


def test_units_change_nothing():
    bits = fano_bound(0.2, classes=4, entropy=1.5)
    nats = fano_bound(0.2, classes=4, entropy=1.5 * np.log(2), base=np.e)
    assert float(nats) == pytest.approx(float(bits) * np.log(2))
    ceiling = fano_ceiling(0.7 * np.log(2), classes=4, entropy=1.5 * np.log(2), base=np.e)
    assert float(ceiling) == pytest.approx(float(fano_ceiling(0.7, classes=4, entropy=1.5)))


def test_the_ceiling_ends_at_one_and_keeps_nan():
    found = fano_ceiling([2.0, 5.0, np.nan, -3.0], classes=4, entropy=2.0)
    np.testing.assert_allclose(found, [1, 1, np.nan, 0.25])


def test_what_is_no_probability_or_entropy_is_refused():
    with pytest.raises(InputError, match="probabilities"):
        fano_bound(1.1, classes=4, entropy=2)
    with pytest.raises(InputError, match="probabilities"):
        fano_bound(np.nan, classes=4, entropy=2)
    with pytest.raises(InputError, match=r"entropy is 2\.5"):
        fano_ceiling(1.0, classes=4, entropy=2.5)
    with pytest.raises(InputError, match="classes"):
        fano_ceiling(1.0, classes=1, entropy=0)
