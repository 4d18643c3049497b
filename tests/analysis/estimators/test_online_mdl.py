import math

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate
from infoplane.analysis.estimators.online_mdl import OnlineMDL

NATS = {"method": "online_mdl", "base": math.e}


def shifted_normals(seed, n, shift=2.0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    return shift * y + rng.standard_normal(n), y


def information(shift=2.0):
    """Return I(X;Y) in nats of two equally frequent normals that lie `shift` apart."""
    x = np.linspace(-10, 10 + shift, 20_001)
    p, q = (np.exp(-((x - centre) ** 2) / 2) / math.sqrt(2 * math.pi) for centre in (0, shift))
    return float(((p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))) / 2).sum() * (x[1] - x[0]))


def test_long_code_approaches_the_information_from_below():
    x, y = shifted_normals(0, 20_000)
    result = estimate(x, y, **NATS)
    assert result.value == pytest.approx(information(), abs=3 * result.standard_error)
    assert result.standard_error < 0.015 * information()
    assert result.kind == "lower_bound"


def test_few_samples_cost_what_learning_costs():
    short, long = ([estimate(*shifted_normals(seed, n), **NATS).value for seed in range(10)] for n in (60, 600))
    assert np.mean(short) < np.mean(long) < information()


def test_two_blocks_are_the_uniform_code_and_one_fit():
    # Labels that x tells without doubt: the second half costs next to nothing.
    y = np.tile([0, 1, 2], 200)
    result = estimate(np.eye(3)[y] + 1e-3 * np.arange(600)[:, None] / 600, y, fractions=(0.5, 1), l2=1e-4, **NATS)
    assert result.parameters["uniform_code_nats"] == pytest.approx(math.log(3))
    assert result.parameters["online_code_nats"] == pytest.approx(math.log(3) / 2, abs=0.005)
    assert result.parameters["compression"] == pytest.approx(2, rel=0.01)
    assert result.value == pytest.approx(math.log(3) / 2, abs=0.005)


def test_frequencies_of_the_labels_alone_are_no_information():
    rng = np.random.default_rng(0)
    y = (rng.random(4000) < 0.05).astype(int)
    result = estimate(rng.standard_normal((4000, 2)), y, **NATS)
    assert result.parameters["compression"] > 2
    assert -0.02 < result.value < 0
    assert "not_above_control" in [finding.code for finding in result.findings]


def test_random_labels_compress_to_no_less_than_their_length():
    rng = np.random.default_rng(0)
    result = estimate(rng.standard_normal((1000, 5)), rng.integers(0, 5, 1000), **NATS)
    assert result.value < 0
    assert result.parameters["compression"] < 1
    assert result.parameters["control_nats"] == pytest.approx(result.value, abs=0.05)


def test_label_that_comes_late_costs_a_finite_length():
    y = np.zeros(200, int)
    y[17] = 1
    assert math.isfinite(estimate(np.random.default_rng(0).standard_normal(200), y, **NATS).value)


def test_network_compresses_an_exclusive_or():
    rng = np.random.default_rng(0)
    signs = rng.integers(0, 2, (1200, 2))
    x, y = 2 * signs - 1 + 0.3 * rng.standard_normal((1200, 2)), signs[:, 0] ^ signs[:, 1]
    line, network = (estimate(x, y, family=f, fractions=(0.1, 0.4, 1), **NATS) for f in ("linear", "mlp"))
    assert line.value < 0.01
    # The first tenth is coded without knowledge of x.
    assert 0.75 * math.log(2) < network.value < 0.9 * math.log(2)
    assert not network.findings


def test_lists_of_fractions_are_kept_as_a_tuple():
    assert OnlineMDL(fractions=[0.5, 1]).fractions == (0.5, 1.0)


@pytest.mark.parametrize("fractions", [(1.0,), (0.5, 0.5, 1.0), (0.0, 1.0), (0.1, 0.5), (0.5, "1"), 3])
def test_unusable_fractions_are_refused(fractions):
    with pytest.raises(InputError, match="ascending, the last one 1"):
        OnlineMDL(fractions=fractions)
