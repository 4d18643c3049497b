from collections import UserDict

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from infoplane.analysis.errors import InputError
from infoplane.probes.batches import Batch, check_length, read_batches
from infoplane.probes.errors import CaptureError

X, MASK, Y = torch.arange(12.0).reshape(4, 3), torch.ones(4, 2, dtype=torch.bool), torch.tensor([0, 1, 2, 0])


def read(*given, **options):
    (batch,) = read_batches(list(given), **options)
    return batch


@pytest.mark.parametrize(
    ("given", "args", "kwargs"),
    [
        ((X, Y), (X,), {}),
        ([X, Y], (X,), {}),
        (((X, MASK), Y), (X, MASK), {}),
        (([X, None], Y), (X, None), {}),
        (({"x": X, "mask": MASK}, Y), (), {"x": X, "mask": MASK}),
        ({"x": X, "mask": MASK, "labels": Y}, (), {"x": X, "mask": MASK}),
        ({"label": Y, "x": X}, (), {"x": X}),
        (UserDict({"input_ids": X, "labels": Y}), (), {"input_ids": X}),
    ],
)
def test_every_shape_of_a_batch(given, args, kwargs):
    batch = read(given)
    assert len(batch.args) == len(args)
    assert all(a is b for a, b in zip(batch.args, args, strict=True))
    assert batch.kwargs.keys() == kwargs.keys()
    assert all(batch.kwargs[name] is value for name, value in kwargs.items())
    assert batch.labels is Y
    assert batch.n == 4


def test_a_loader_of_torch():
    loader = DataLoader(TensorDataset(X, Y), batch_size=3)
    first, second = read_batches(loader)
    assert torch.equal(torch.cat([first.args[0], second.args[0]]), X)
    assert (first.n, second.n) == (3, 1)


def test_odd_loaders_are_unpacked():
    batch = read({"image": X, "target": {"class": Y}}, unpack=lambda b: (b["image"], b["target"]["class"]))
    assert batch.args[0] is X
    assert batch.labels is Y


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (X, "gave a Tensor, but measure"),
        ((X, MASK, Y), "gave a tuple of 3, but"),
        ([X], "gave a list of 1, but"),
        ({"x": X, "y": Y}, "needs labels, but the loader gave a mapping of 'x', 'y'"),
        ({}, "a mapping of nothing"),
        ({"labels": Y}, "gave dict as inputs"),
        ((X, [0, 1, 2, 0]), "gave a list as labels"),
        ((X, torch.tensor(3)), "gave a number as labels"),
        (("text", Y), "gave str as inputs"),
        (((), Y), "gave tuple as inputs"),
        ("ab", "gave a str, but"),
    ],
)
def test_other_batches_are_refused_with_what_came(given, text):
    with pytest.raises(InputError, match=text) as error:
        read(given)
    assert "unpack=" in str(error.value) or "labels" in text


@pytest.mark.parametrize("given", [3, None])
def test_no_loader(given):
    with pytest.raises(InputError, match="needs an iterable of batches, such as a DataLoader"):
        list(read_batches(given))


def test_a_copy_shares_no_tensor():
    batch = Batch((X, [MASK, "word"]), {"more": {"x": X}}, Y)
    copy = batch.cloned()
    copy.args[0].zero_()
    copy.args[1][0].zero_()
    copy.kwargs["more"]["x"].zero_()
    copy.labels.zero_()
    assert X[1, 0] == 3
    assert MASK.all()
    assert Y[1] == 1
    assert copy.args[1][1] == "word"


def test_it_goes_to_a_device_as_a_whole():
    batch = Batch((X, (MASK,)), {"x": [X]}, Y).to(torch.device("meta"))
    assert all(t.is_meta for t in (batch.args[0], batch.args[1][0], batch.kwargs["x"][0], batch.labels))
    assert isinstance(batch.args[1], tuple)


def test_some_of_its_inputs():
    sequence_first = torch.arange(8.0).reshape(2, 4)
    scalar = torch.tensor(7.0)
    part = Batch((X,), {"s": sequence_first, "t": scalar, "v": torch.ones(3)}, Y).take(torch.tensor([3, 1]))
    assert torch.equal(part.args[0], X[[3, 1]])
    assert torch.equal(part.kwargs["s"], sequence_first[:, [3, 1]])
    assert torch.equal(part.labels, Y[[3, 1]])
    assert part.kwargs["t"] == scalar
    assert len(part.kwargs["v"]) == 3
    assert part.n == 2


def test_keys_tell_inputs_apart_and_equal_ones_not():
    x = torch.randn(6, 3, 2)
    x[4] = x[1]
    keys = Batch((x,), {}, torch.zeros(6)).keys()
    assert keys.dtype == np.uint64
    assert len(set(keys.tolist())) == 5
    assert keys[4] == keys[1]


def test_keys_are_over_all_tensors_with_a_row_per_input():
    x = torch.zeros(4, 2)
    mask = torch.tensor([[0], [1], [0], [1]])
    both = Batch((), {"x": x, "mask": mask}, Y).keys()
    assert both[0] == both[2] != both[1] == both[3]
    # The order of the keyword arguments and what is no row per input do not matter.
    again = Batch((), {"mask": mask, "flag": True, "weights": torch.ones(9), "x": x}, Y).keys()
    np.testing.assert_array_equal(both, again)


def test_keys_do_not_depend_on_batches_or_strides():
    x = torch.randn(8, 3)
    whole = Batch((x,), {}, torch.zeros(8)).keys()
    parts = [Batch((x[k : k + 3],), {}, torch.zeros(len(x[k : k + 3]))).keys() for k in (0, 3, 6)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal(Batch((x.T.contiguous().T,), {}, torch.zeros(8)).keys(), whole)


@pytest.mark.parametrize("inputs", [torch.zeros(3, 2), torch.zeros(4, 4).to_sparse(), "text"])
def test_no_keys_without_dense_rows(inputs):
    assert Batch((inputs,), {}, Y).keys().size == 0


def test_lengths_must_fit():
    check_length({"fc": torch.zeros(4, 2)}, Y)
    with pytest.raises(CaptureError, match="there are 4 labels, but the forward passed 5 inputs through 'fc'"):
        check_length({"fc": torch.zeros(5, 2)}, Y)
