"""Labels with a joint table."""

import math

import numpy as np
import pytest
from scipy import stats

from infoplane.analysis.errors import InputError
from infoplane.analysis.known import binary_symmetric_channel, joint_table

TABLE = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 8.0]])


def test_information_is_the_divergence_from_the_product():
    p = TABLE / TABLE.sum()
    product = p.sum(axis=1, keepdims=True) * p.sum(axis=0)
    assert joint_table(TABLE).nats == pytest.approx(stats.entropy(p.ravel(), product.ravel()), rel=1e-12)


def test_samples_have_the_table():
    x, y = joint_table(TABLE).sample(100_000, seed=0)
    counts = np.zeros_like(TABLE)
    np.add.at(counts, (x, y), 1)
    assert counts[0, 2] == 0
    expected = TABLE[TABLE > 0] / TABLE.sum() * 100_000
    assert stats.chisquare(counts[TABLE > 0], expected).pvalue > 0.001


@pytest.mark.parametrize("flip", [0.0, 0.11, 0.5, 0.9])
def test_symmetric_channel_has_its_capacity(flip):
    law = binary_symmetric_channel(flip)
    assert law.mutual_information() == pytest.approx(1 - stats.entropy([flip, 1 - flip], base=2), rel=1e-12, abs=1e-12)
    x, y = law.sample(50_000, seed=0)
    assert (x != y).mean() == pytest.approx(flip, abs=0.01)


def test_unequal_labels_carry_less():
    law = binary_symmetric_channel(0.1, share=0.2)
    out = 0.2 * 0.9 + 0.8 * 0.1
    truth = stats.entropy([out, 1 - out]) - stats.entropy([0.1, 0.9])
    assert law.nats == pytest.approx(truth, rel=1e-12)
    assert law.sample(50_000, seed=0)[0].mean() == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: joint_table([1, 2]), r"shape \(2,\)"),
        (lambda: joint_table([[1, -1]]), "negative"),
        (lambda: joint_table([[0, 0]]), "no positive"),
        (lambda: joint_table([[1, math.inf]]), "infinite"),
        (lambda: binary_symmetric_channel(1.2), "flip=1.2"),
        (lambda: binary_symmetric_channel(0.1, share=1.0), "share=1.0"),
    ],
)
def test_what_is_no_law_is_refused(make, text):
    with pytest.raises(InputError, match=text):
        make()
