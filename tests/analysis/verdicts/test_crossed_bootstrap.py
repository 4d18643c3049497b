"""The crossed bootstrap: its variance is the known one, its draws are its own."""

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.verdicts import crossed_bootstrap

RNG = np.random.default_rng(0)
TABLE = RNG.normal(0, 1, (6, 1)) + RNG.normal(0, 2, (1, 50)) + RNG.normal(0, 1, (6, 50)) + 0.5
NONE = np.zeros_like(TABLE)


def test_draws_scatter_as_the_two_sided_resampling_of_a_table_does():
    # Of a sum over independent multinomial weights: the two one-sided variances and that of the rest, exactly.
    seeds, images = TABLE.shape
    of_seed, of_image = TABLE.mean(1), TABLE.mean(0)
    rest = TABLE - of_seed[:, None] - of_image + TABLE.mean()
    variance = of_seed.var() / seeds + of_image.var() / images + (rest**2).mean() / (seeds * images)
    found = crossed_bootstrap(NONE, TABLE, draws=20000)
    assert found.draws.mean() == pytest.approx(TABLE.mean(), abs=0.02)
    assert found.standard_error**2 == pytest.approx(variance, rel=0.04)
    low, high = found.interval(0.9)
    assert np.mean((found.draws >= low) & (found.draws <= high)) == pytest.approx(0.9, abs=1e-3)


def test_of_seeds_alone_it_resamples_seeds():
    found = crossed_bootstrap(np.zeros(2), [0.0, 1.0], draws=4000)
    assert set(found.draws) == {0.0, 0.5, 1.0}
    assert np.mean(found.draws == 0.5) == pytest.approx(0.5, abs=0.03)


def test_same_seed_same_draws_and_the_global_state_is_left_alone():
    before = np.random.get_state()[1].copy()
    first, again, other = (crossed_bootstrap(NONE, TABLE, draws=300, seed=seed).draws for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    assert (np.random.get_state()[1] == before).all()


def test_what_does_not_pair_is_refused():
    with pytest.raises(InputError, match="both must be"):
        crossed_bootstrap(TABLE, TABLE[:2])
    with pytest.raises(InputError, match="draws is 10"):
        crossed_bootstrap(NONE, TABLE, draws=10)
