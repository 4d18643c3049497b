"""The split of samples into parts for training, choosing and evaluating."""

from itertools import chain

import numpy as np
import pytest
import torch

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimators.three_parts import three_parts

N = 200


def split(**more):
    x = np.random.default_rng(0).standard_normal((N, 3))
    return three_parts(x, np.arange(N), **{"seed": 0, **more})


def numbers(part):
    return part.y.argmax(1).tolist()


def test_every_sample_is_in_one_part():
    parts = split()
    all_rows = [numbers(part) for part in (parts.train, parts.choose, parts.evaluate)]
    assert [len(rows) for rows in all_rows] == [120, 30, 50]
    assert sorted(chain(*all_rows)) == list(range(N))


def test_other_seed_splits_otherwise():
    assert numbers(split().evaluate) != numbers(split(seed=1).evaluate)


def test_samples_outside_do_not_touch_the_standardisation():
    x = np.random.default_rng(0).standard_normal((N, 3))
    before = split()
    x[numbers(before.evaluate) + numbers(before.choose)] *= 100
    after = three_parts(x, np.arange(N), seed=0)
    assert torch.equal(before.train.x, after.train.x)
    assert not torch.equal(before.evaluate.x, after.evaluate.x)


def test_parts_for_choosing_and_evaluating_are_capped():
    parts = three_parts(np.zeros((20_000, 1)) + np.arange(20_000)[:, None], np.zeros(20_000, np.int64), seed=0)
    assert len(parts.choose) == 3000
    assert len(parts.evaluate) == 4096


def test_too_many_labels_are_refused():
    with pytest.raises(InputError, match="y has 5000 different labels"):
        three_parts(np.zeros((5000, 1)), np.arange(5000), seed=0)


def test_too_few_samples_are_refused():
    with pytest.raises(InputError, match="there are 19 samples"):
        three_parts(np.zeros((19, 1)), np.zeros(19, np.int64), seed=0)
