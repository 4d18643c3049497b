"""The face that all data sets have: loaders whose order is a function of seed and epoch, shares of ranks, subsets."""

import dataclasses
import hashlib
import random

import numpy as np
import pytest
import torch

from infoplane import datasets
from infoplane.datasets import Dataset
from infoplane.errors import InputError


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return datasets.load("digits")


def numbered(count: int, *, classes: int | None = 2, test: int = 3) -> Dataset:
    """Input i is the number i; of classes, its label is i modulo their number."""

    def part(n):
        y = torch.arange(n) % classes if classes else torch.arange(n, dtype=torch.float32)
        return torch.arange(n, dtype=torch.float32)[:, None], y

    (train_x, train_y), (test_x, test_y) = part(count), part(test)
    return Dataset("numbered", train_x, train_y, test_x, test_y, classes, "made up")


def order(loader) -> list[int]:
    return torch.cat([x for x, _ in loader]).flatten().int().tolist()


# Loaders


def test_loaders_give_every_row_once_in_batches(digits):
    loader = digits.train_loader(100, seed=0)
    batches = list(loader)
    assert len(loader) == len(batches) == 14
    assert [len(y) for _, y in batches] == [100] * 13 + [47]
    seen = torch.cat([x for x, _ in batches])
    assert seen.shape == digits.train_inputs.shape
    order = sorted(map(tuple, seen.flatten(1).tolist()))
    assert order == sorted(map(tuple, digits.train_inputs.flatten(1).tolist()))
    test = list(digits.test_loader(450))
    assert torch.equal(test[0][0], digits.test_inputs)
    assert torch.equal(test[0][1], digits.test_labels)


def test_images_stay_with_their_labels(digits):
    rows = [tuple(row) for row in digits.train_inputs.flatten(1).tolist()]
    known = dict(zip(rows, digits.train_labels.tolist(), strict=True))
    for x, y in digits.train_loader(64, seed=5):
        assert [known[tuple(row)] for row in x.flatten(1).tolist()] == y.tolist()


def test_order_is_fixed_by_the_seed_and_differs_between_epochs(digits):
    def epochs(seed: int) -> list[list[int]]:
        loader = digits.train_loader(50, seed=seed)
        return [torch.cat([y for _, y in loader]).tolist() for _ in range(2)]

    assert epochs(1) == epochs(1)
    assert epochs(1)[0] != epochs(1)[1]
    assert epochs(1)[0] != epochs(2)[0]
    unshuffled = digits.train_loader(50, seed=1, shuffle=False)
    assert torch.cat([y for _, y in unshuffled]).tolist() == digits.train_labels.tolist()


def test_any_epoch_is_reached_without_the_ones_before():
    data = numbered(50)
    loader = data.train_loader(8, seed=3)
    epochs = [order(loader) for _ in range(4)]
    other = data.train_loader(8, seed=3)
    other.set_epoch(2)
    assert [order(other), order(other)] == epochs[2:]
    other.set_epoch(0)
    assert order(other) == epochs[0]


def test_a_pass_that_is_broken_off_counts_and_two_passes_at_once_do_not_share_one():
    data = numbered(50)
    whole = data.train_loader(8, seed=3)
    epochs = [order(whole) for _ in range(3)]
    loader = data.train_loader(8, seed=3)
    next(iter(loader))
    assert order(loader) == epochs[1]
    loader.set_epoch(0)
    first, second = iter(loader), iter(loader)
    assert [order(first), order(second)] == epochs[:2]


def test_seed_and_epoch_are_no_sum():
    def epoch(seed, number):
        loader = numbered(50).train_loader(50, seed=seed)
        loader.set_epoch(number)
        return order(loader)

    assert epoch(0, 1) != epoch(1, 0)


def test_the_order_is_the_same_on_every_machine():
    loader = numbered(5).train_loader(5, seed=7)
    loader.set_epoch(2)
    assert order(loader) == np.random.default_rng([7, 2]).permutation(5).tolist() == [0, 2, 1, 3, 4]


@pytest.mark.parametrize("workers", [0, 2])
def test_loading_and_iterating_leave_the_global_random_states(workers):
    states = torch.get_rng_state(), str(np.random.get_state()), random.getstate()
    data = dataclasses.replace(datasets.load("digits"), workers=workers).subset(train=200)
    list(data.train_loader(100, seed=0))
    list(data.test_loader(100))
    assert torch.equal(torch.get_rng_state(), states[0])
    assert str(np.random.get_state()) == states[1]
    assert random.getstate() == states[2]


def test_workers_give_the_same_batches():
    data = numbered(20)
    with_workers = dataclasses.replace(data, workers=2).train_loader(6, seed=1)
    assert with_workers.num_workers == 2
    alone = data.train_loader(6, seed=1)
    assert [order(with_workers) for _ in range(2)] == [order(alone) for _ in range(2)]
    with_workers.set_epoch(0)
    alone.set_epoch(0)
    assert order(with_workers) == order(alone)


@pytest.mark.parametrize("batch_size", [0, -3, 2.5, True, "10"])
def test_a_bad_batch_size_is_refused(digits, batch_size):
    with pytest.raises(InputError, match="batch_size is"):
        digits.test_loader(batch_size)
    with pytest.raises(InputError, match="batch_size is"):
        digits.train_loader(batch_size, seed=0)


def test_other_bad_options_of_a_loader_are_refused(digits):
    with pytest.raises(InputError, match="seed is -1"):
        digits.train_loader(10, seed=-1)
    with pytest.raises(InputError, match="epoch is -1"):
        digits.train_loader(10, seed=0).set_epoch(-1)
    with pytest.raises(InputError, match="shuffle is 'no'"):
        digits.train_loader(10, seed=0, shuffle="no")
    with pytest.raises(InputError, match=r"rank is 2.*at most 1"):
        digits.train_loader(10, seed=0, rank=2, world=2)
    with pytest.raises(InputError, match="world is 4, but there are only 3 inputs"):
        numbered(3).train_loader(1, seed=0, world=4)


# Ranks


def test_ranks_share_the_common_order_equally():
    data = numbered(11)
    whole = data.train_loader(11, seed=5)
    for epoch in range(2):
        common = order(whole)
        shares = []
        for rank in range(3):
            loader = data.train_loader(2, seed=5, rank=rank, world=3)
            loader.set_epoch(epoch)
            shares.append(order(loader))
            assert len(loader) == 2
        assert shares == [common[rank:9:3] for rank in range(3)]


def test_inputs_left_out_for_equal_shares_are_others_in_every_epoch():
    loaders = [numbered(11).train_loader(4, seed=5, rank=rank, world=3) for rank in range(3)]
    left_out = [set(range(11)) - set().union(*(order(loader) for loader in loaders)) for _ in range(8)]
    assert [len(places) for places in left_out] == [2] * 8
    assert len(set().union(*left_out)) > 4


def test_ranks_see_every_test_input_once():
    data = numbered(6, test=7)
    shares = [order(data.test_loader(2, rank=rank, world=3)) for rank in range(3)]
    assert shares == [[0, 3, 6], [1, 4], [2, 5]]
    assert [len(data.test_loader(2, rank=rank, world=3)) for rank in range(3)] == [2, 1, 1]


# Subsets


@pytest.mark.parametrize("train", [1, 10, 137, 1346])
def test_a_subset_keeps_the_shares_of_the_classes_and_the_test_part(digits, train):
    few = digits.subset(train=train)
    assert len(few.train_labels) == train
    shares = torch.bincount(digits.train_labels) * train / 1347
    assert (torch.bincount(few.train_labels, minlength=10) - shares).abs().max() <= 1
    assert few.test_inputs is digits.test_inputs
    assert few.classes == 10
    assert f"of the 1347 training inputs {train}, drawn class by class with seed 0" in few.description
    assert few.sha256 != digits.sha256


def test_a_rare_class_keeps_its_share():
    data = numbered(1000)
    rare = dataclasses.replace(data, train_labels=(data.train_inputs[:, 0] < 100).long())
    for seed in range(5):
        assert rare.subset(train=50, seed=seed).train_labels.sum() == 5


def test_a_smaller_subset_is_part_of_a_larger_one_and_the_seed_draws_another():
    data = numbered(60, classes=3)

    def places(**options):
        return set(data.subset(**options).train_inputs.flatten().int().tolist())

    assert places(train=12) < places(train=30)
    assert places(train=12) != places(train=12, seed=1)
    assert places(train=12) == places(train=12, seed=0)


def test_a_subset_of_all_is_the_data_set_and_of_more_is_refused(digits):
    assert digits.subset(train=1347) is digits
    with pytest.raises(InputError, match=r"train is 1348.*at most 1347"):
        digits.subset(train=1348)
    with pytest.raises(InputError, match="seed is -1"):
        digits.subset(train=3, seed=-1)


def test_numbers_are_drawn_at_random():
    few = numbered(40, classes=None).subset(train=10)
    assert torch.equal(few.train_inputs[:, 0], few.train_labels)
    assert len(set(few.train_labels.tolist())) == 10
    assert "drawn at random" in few.description


# Labels and checks


def test_labels_may_be_numbers():
    data = numbered(5, classes=None)
    assert (data.classes, data.targets, data.vocabulary) == (None, 1, None)
    assert repr(data) == "<Dataset 'numbered': 5 training and 3 test inputs of shape (1,), 1 number(s) per label>"
    two = dataclasses.replace(data, train_labels=torch.rand(5, 2), test_labels=torch.rand(3, 2))
    assert two.targets == 2
    assert numbered(5).targets is None
    assert next(iter(two.train_loader(4, seed=0)))[1].shape == (4, 2)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"train_labels": torch.tensor([0, 1, 2, 0])}, r"training part.*labels from 0 to 2; with 2 classes"),
        ({"train_labels": torch.tensor([0, -1, 1, 0])}, "labels from -1 to 1"),
        ({"train_labels": torch.tensor([0, 1])}, "4 inputs and 2 labels"),
        ({"train_labels": torch.rand(4)}, "labels of dtype torch.float32"),
        ({"test_inputs": torch.rand(3, 1).double()}, r"test part.*inputs of dtype torch.float64"),
        ({"test_inputs": torch.rand(3, 2)}, r"different shapes, \(1,\) and \(2,\)"),
        ({"classes": None}, "without classes float32"),
        ({"classes": 1}, "classes is 1"),
        ({"vocabulary": 5}, "with a vocabulary int64 tokens"),
        ({"workers": -1}, "workers is -1"),
        (
            {"classes": None, "train_labels": torch.tensor([0, 1, float("nan"), 2]), "test_labels": torch.rand(3)},
            "not finite",
        ),
        ({"classes": None, "train_labels": torch.rand(4, 2), "test_labels": torch.rand(3)}, "numbers of columns"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changed, text):
    with pytest.raises(InputError, match=text):
        dataclasses.replace(numbered(4), **changed)


def test_sha256_tells_values_and_order_apart(digits):
    other = dataclasses.replace(digits, test_labels=digits.test_labels.flip(0))
    assert other.sha256 != digits.sha256
    assert dataclasses.replace(digits).sha256 == digits.sha256


def test_sha256_is_over_dtype_shape_and_values():
    data = numbered(2, test=1)
    said = hashlib.sha256()
    for name, dtype, values in (("float32", "<f4", [[0], [1]]), ("int64", "<i8", [0, 1]), ("float32", "<f4", [[0]])):
        array = np.array(values, dtype=dtype)
        said.update(f"{name} {array.shape}\n".encode() + array.tobytes())
    said.update(b"int64 (1,)\n" + bytes(8))
    assert data.sha256 == said.hexdigest()
