"""A known distribution: sampling, units, and what keeps its information."""

import math
import pickle
import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from infoplane.analysis import known
from infoplane.analysis.errors import InputError
from infoplane.analysis.known import Known, bivariate_normal, forty_tasks, swapped, transformed

EVERY = (
    *forty_tasks(),
    *known.noisy_layers(),
    *known.gaussian_staircase(),
    *known.cubic_staircase(),
    known.clipped_normal(0.8),
    known.noisy_codes([0.0, 1.0, 3.0], noise=0.5),
    swapped(known.noisy_codes([[0.0, 1.0], [3.0, 0.0], [1.0, 1.0]], noise=0.5)),
    known.gaussian_channel(3.0, dim=2),
    known.joint_table([[1, 2], [3, 4], [0, 1]]),
    known.binary_symmetric_channel(0.1),
    known.rotation_task().known(),
)


@pytest.mark.parametrize("law", EVERY, ids=lambda law: law.name)
def test_sample_has_its_shape_and_type(law):
    sides = law.sample(7, seed=3)
    for side, columns in zip(sides, (law.dim_x, law.dim_y), strict=True):
        if side.dtype == np.int64:
            assert (side.shape, columns) == ((7,), 1)
        else:
            assert (side.dtype, side.shape) == (np.float64, (7, columns))
            assert np.isfinite(side).all()
    for text in (law.name, law.how, law.source, law.description):
        assert text
    assert 0 < law.nats < math.inf
    assert law.precision <= 1e-9


@pytest.mark.parametrize("law", EVERY, ids=lambda law: law.name)
def test_equal_seeds_give_equal_samples_after_pickling_too(law):
    first, again = law.sample(50, seed=4), pickle.loads(pickle.dumps(law)).sample(50, seed=4)
    other = law.sample(50, seed=5)
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a, b)
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_sampling_leaves_the_global_random_states_alone():
    before = np.random.get_state()[1].copy(), random.getstate(), torch.get_rng_state()
    for law in EVERY:
        law.sample(3)
    assert np.array_equal(before[0], np.random.get_state()[1])
    assert before[1] == random.getstate()
    assert torch.equal(before[2], torch.get_rng_state())


def test_information_is_in_bits_unless_asked_otherwise():
    law = known.binary_symmetric_channel(0.0)
    assert law.mutual_information() == pytest.approx(1, rel=1e-12)
    assert law.mutual_information(base=math.e) == pytest.approx(math.log(2), rel=1e-12)
    assert law.nats == law.mutual_information(base=math.e)


def test_a_user_can_add_a_law():
    def coin_and_its_copy(rng, n):
        coin = rng.integers(2, size=n)
        return coin, coin

    law = Known(name="copy", nats=math.log(2), draw=coin_and_its_copy, dim_x=1, dim_y=1, how="counting", source="us")
    x, y = law.sample(10, seed=0)
    assert np.array_equal(x, y)
    assert law.mutual_information() == pytest.approx(1)


def test_maps_keep_the_information_and_give_their_dimensions():
    base = known.bivariate_normal(0.6)
    law = transformed(transformed(base, x=known.normal_cdf), x=known.swiss_roll, y=known.half_cube, name="rolled")
    assert (law.dim_x, law.dim_y, law.name, law.nats) == (2, 1, "rolled", base.nats)
    x, y = base.sample(5, seed=2)
    u, v = law.sample(5, seed=2)
    assert np.array_equal(u, known.swiss_roll(known.normal_cdf(x)))
    assert np.array_equal(v, known.half_cube(y))


def test_transformed_is_named_after_its_maps():
    base = known.bivariate_normal(0.6, name="pair")
    assert transformed(base, x=known.asinh, y=known.asinh).name == "asinh of pair"
    assert transformed(base, x=known.asinh, y=known.half_cube).name == "asinh and half_cube of pair"
    assert transformed(base).name == "pair"


def test_swapped_puts_y_first():
    base = known.noisy_codes([[0.0, 0.0], [1.0, 2.0]], noise=0.5)
    law = swapped(base)
    assert (law.dim_x, law.dim_y, law.nats) == (1, 2, base.nats)
    for a, b in zip(law.sample(9, seed=1), reversed(base.sample(9, seed=1)), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("bad", [lambda v: v[:2], lambda v: v / 0.0 * 0.0, lambda v: v[:, :, None]])
def test_a_map_that_is_none_is_refused(bad):
    with np.errstate(all="ignore"), pytest.raises(InputError, match="the map of y turned 3 samples"):
        transformed(known.bivariate_normal(0.5), y=bad)


@pytest.mark.parametrize(("n", "seed", "text"), [(0, 0, "n is 0"), (5, -1, "seed is -1"), (2.5, 0, "n is 2.5")])
def test_a_bad_size_or_seed_is_refused(n, seed, text):
    with pytest.raises(InputError, match=text):
        known.bivariate_normal(0.5).sample(n, seed)


@pytest.mark.parametrize(("wrong", "text"), [({"nats": -1.0}, "at least 0"), ({"draw": None}, "must be a function")])
def test_law_that_cannot_be_is_refused(wrong, text):
    with pytest.raises(InputError, match=text):
        replace(bivariate_normal(0.5), **wrong)
