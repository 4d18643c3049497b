"""Which inputs are the test part: shares and folds, class by class."""

import numpy as np
import pytest

from infoplane import datasets
from infoplane.datasets.split import split, stratified_order
from infoplane.errors import DatasetError, InputError

# 53, 30 and 17 of three classes, in a jumble.
LABELS = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [53, 30, 17]))


def test_the_folds_hold_every_input_once_and_each_class_evenly():
    folds = [split(LABELS, 100, fold=(k, 7)) for k in range(1, 8)]
    assert sorted(np.concatenate([parts.test for parts in folds]).tolist()) == list(range(100))
    for parts in folds:
        assert sorted([*parts.train, *parts.test]) == list(range(100))
    counts = np.array([np.bincount(LABELS[parts.test], minlength=3) for parts in folds])
    assert (counts.max(0) - counts.min(0)).max() <= 1
    assert np.ptp([len(parts.test) for parts in folds]) <= 1


@pytest.mark.parametrize(("test", "size"), [(None, 20), (0.1, 10), (0.37, 37), (0.001, 1), (0.999, 99)])
def test_a_share_holds_each_class_by_its_share(test, size):
    parts = split(LABELS, 100, test=test)
    assert len(parts.test) == size
    assert np.abs(np.bincount(LABELS[parts.test], minlength=3) - np.array([53, 30, 17]) * size / 100).max() < 1
    assert sorted([*parts.train, *parts.test]) == list(range(100))
    assert parts.said == "split by class with seed 0"


def test_the_seed_is_another_split():
    parts = [split(LABELS, 100, seed=seed).test.tolist() for seed in (0, 0, 1)]
    assert parts[0] == parts[1] != parts[2]
    assert split(None, 100, seed=3).said == "split at random with seed 3"


def test_numbers_are_not_taken_in_order():
    assert np.ptp(np.diff(split(None, 100).test)) > 3


def test_a_class_of_one_is_in_one_part():
    labels = np.array([0] * 9 + [1])
    assert sum(1 in labels[split(labels, 10, fold=(k, 5)).test] for k in range(1, 6)) == 1


def test_any_beginning_of_the_order_holds_equal_classes_evenly():
    labels = np.repeat(np.arange(5), 20)
    order = stratified_order(labels, 4)
    assert sorted(order) == list(range(100))
    for n in range(1, 101):
        assert np.ptp(np.bincount(labels[order[:n]], minlength=5)) <= 1


@pytest.mark.parametrize("fold", [(2, 5), [2, 5], "2/5", " 2 / 5"])
def test_a_fold_is_spelled_as_one_likes(fold):
    assert split(LABELS, 100, fold=fold).said == "fold 2 of 5, by class with seed 0"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"fold": (0, 5)}, "k goes from 1"),
        ({"fold": (6, 5)}, "k goes from 1"),
        ({"fold": (1, 1)}, "from 2 to the 100 inputs"),
        ({"fold": (1, 101)}, "from 2 to the 100 inputs"),
        ({"fold": "3"}, "two whole numbers"),
        ({"fold": "a/b"}, "two whole numbers"),
        ({"fold": 3}, "two whole numbers"),
        ({"fold": (1.0, 5)}, "two whole numbers"),
        ({"fold": (True, 5)}, "two whole numbers"),
        ({"test": 0}, "between 0 and 1"),
        ({"test": 1}, "between 0 and 1"),
        ({"test": float("nan")}, "between 0 and 1"),
        ({"test": "0.2"}, "between 0 and 1"),
        ({"test": 0.2, "fold": (1, 5)}, "both test=0.2 and fold="),
        ({"seed": -1}, "split_seed is -1"),
    ],
)
def test_bad_options_are_refused(options, text):
    with pytest.raises(InputError, match=text):
        split(LABELS, 100, **options)


def test_one_input_cannot_be_split():
    with pytest.raises(DatasetError, match="1 input"):
        split(None, 1)


def test_ten_folds_of_iris_are_fifteen_flowers_each():
    for k in (1, 10):
        data = datasets.load("iris", fold=(k, 10))
        assert data.test_labels.bincount().tolist() == [5, 5, 5]
        assert f"fold {k} of 10" in data.description
