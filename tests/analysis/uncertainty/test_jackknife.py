import math

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.information import mutual_information
from infoplane.analysis.uncertainty.jackknife import jackknife

JOINT = 0.6 * np.full((5, 5), 0.04) + 0.4 * np.eye(5) / 5


def draw(rng, n):
    return np.divmod(rng.choice(25, n, p=JOINT.ravel()), 5)


def normal(rng, n, rho=0.6):
    x = rng.standard_normal(n)
    return x, rho * x + math.sqrt(1 - rho**2) * rng.standard_normal(n)


@pytest.mark.parametrize(("method", "sample"), [("plugin", draw), ("gaussian", normal)])
def test_error_is_the_spread_over_sets(method, sample):
    rng = np.random.default_rng(0)
    results = [jackknife(*sample(rng, 400), method=method, groups=20) for _ in range(90)]
    spread = np.std([result.value for result in results], ddof=1)  # itself good to 7.5 %
    rms = math.sqrt(np.mean([result.standard_error**2 for result in results]))
    assert rms == pytest.approx(spread, rel=0.23)


def test_error_covers_the_truth_as_often_as_it_says():
    rng, truth = np.random.default_rng(1), -0.5 * math.log2(1 - 0.36)
    results = [jackknife(*normal(rng, 400), method="gaussian") for _ in range(120)]
    covered = np.mean([abs(result.value - truth) < 2.093 * result.standard_error for result in results])
    assert covered == pytest.approx(0.95, abs=0.06)  # Student's t of 19 degrees of freedom; 3 errors of a share


def test_first_order_of_the_bias_is_taken_off():
    rng, truth = np.random.default_rng(2), mutual_information(JOINT)
    results = [jackknife(*draw(rng, 500), method="plugin") for _ in range(120)]
    plain, corrected = (np.array([getattr(r, name) for r in results]) for name in ("value", "bias_corrected"))
    first_order = 16 / (2 * 500) / math.log(2)
    assert plain.mean() - truth == pytest.approx(first_order, rel=0.35)
    assert corrected.mean() == pytest.approx(truth, abs=4 * corrected.std() / math.sqrt(120))
    assert (plain - corrected).mean() == pytest.approx(first_order, rel=0.15)


def test_one_seed_gives_one_answer_in_any_unit():
    x, y = draw(np.random.default_rng(4), 200)
    bits, again, nats = (jackknife(x, y, method="plugin", base=base) for base in (2, 2, math.e))
    assert bits.standard_error == again.standard_error
    assert (bits.unit, nats.unit) == ("bit", "nat")
    assert nats.standard_error == pytest.approx(bits.standard_error * math.log(2), rel=1e-10)
    assert nats.bias_corrected == pytest.approx(bits.bias_corrected * math.log(2), rel=1e-10)
    assert jackknife(x, y, method="plugin", seed=1).standard_error != bits.standard_error
    first, *rest = str(bits).splitlines()
    assert first.endswith(f"bias corrected {bits.bias_corrected:.4f}")
    assert [line[2:] for line in rest] == str(bits.estimate).splitlines()
    assert bits.replicates.shape == (20,)


def test_parameters_go_to_the_method():
    x, y = draw(np.random.default_rng(5), 200)
    result = jackknife(x, y, method="shrinkage", alphabet_x=20)
    assert result.estimate.parameters["alphabet_x"] == 20
    assert result.value == result.estimate.value


def test_too_few_samples_and_unpaired_ones_are_refused():
    x = np.arange(30)
    with pytest.raises(InputError, match="30 samples make at most 15 groups"):
        jackknife(x, x, method="plugin")
    with pytest.raises(InputError, match="x has 30, y has 29 samples, but they come in pairs"):
        jackknife(x, x[1:], method="plugin")
    with pytest.raises(InputError, match="groups is 1"):
        jackknife(x, x, method="plugin", groups=1)
