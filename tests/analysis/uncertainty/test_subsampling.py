import math

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.uncertainty.subsampling import subsampling


def normal(rng, n, rho=0.6):
    x = rng.standard_normal(n)
    return x, rho * x + math.sqrt(1 - rho**2) * rng.standard_normal(n)


@pytest.mark.parametrize("size", [None, 300])
def test_error_is_the_spread_over_sets(size):
    rng = np.random.default_rng(0)
    results = [subsampling(*normal(rng, 600), method="gaussian", size=size, repeats=30) for _ in range(70)]
    spread = np.std([result.value for result in results], ddof=1)  # itself good to 8.5 %
    rms = math.sqrt(np.mean([result.standard_error**2 for result in results]))
    assert rms == pytest.approx(spread, rel=0.25)
    assert results[0].size == (size or 150)


def test_error_of_a_neighbour_estimate_is_its_spread():
    rng = np.random.default_rng(1)
    results = [subsampling(*normal(rng, 300), method="ksg1", repeats=15) for _ in range(40)]
    spread = np.std([result.value for result in results], ddof=1)  # itself good to 11 %
    rms = math.sqrt(np.mean([result.standard_error**2 for result in results]))
    assert rms == pytest.approx(spread, rel=0.35)


def test_one_seed_gives_one_answer_with_its_unit():
    x, y = normal(np.random.default_rng(2), 200)
    first, again = (subsampling(x, y, method="gaussian", base=math.e, repeats=10) for _ in range(2))
    assert first.standard_error == again.standard_error
    assert (first.unit, first.replicates.shape, first.value) == ("nat", (10,), first.estimate.value)
    assert subsampling(x, y, method="gaussian", base=math.e, repeats=10, seed=1).standard_error != first.standard_error
    assert str(first).splitlines()[0].endswith("nat (subsamples of 50)")


def test_sizes_that_do_not_fit_are_refused():
    x, y = normal(np.random.default_rng(3), 100)
    with pytest.raises(InputError, match="size is 51, but it must be a whole number of at least 1 and at most 50"):
        subsampling(x, y, method="gaussian", size=51)
    with pytest.raises(InputError, match="repeats is 1"):
        subsampling(x, y, method="gaussian", repeats=1)
    with pytest.raises(InputError, match="3 samples"):
        subsampling(x[:3], y[:3], method="gaussian")
