"""Rows become single integers: equal rows alike, different rows apart, whatever their type and range."""

import math

import numpy as np
import pytest
import torch

from infoplane.analysis.errors import InputError
from infoplane.analysis.rows import code_groups, row_groups, row_keys, row_symbols


def same_partition(labels, rows):
    """Whether `labels` part the rows as comparing them as tuples does, with 0 .. K - 1 all in use."""
    known = {}
    expected = [known.setdefault(tuple(row), len(known)) for row in rows.reshape(len(rows), -1).tolist()]
    pairs = set(zip(expected, labels.tolist(), strict=True))
    return len(pairs) == len(known) and set(labels.tolist()) == set(range(len(known)))


def drawn(low, high, shape, dtype=np.int64, seed=0):
    """Rows of whole numbers in which about half repeat another."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(low, high, shape, endpoint=True, dtype=dtype)
    rows[len(rows) // 2 :] = rows[rng.integers(0, len(rows), len(rows) - len(rows) // 2)]
    return rows


TABLES = {
    "one exact number per row": drawn(0, 29, (500, 10)),
    "few columns, few codes": drawn(0, 2, (500, 3)),
    "too wide for one number": drawn(0, 29, (500, 100)),
    "wider than a block": drawn(-3, 3, (40, 200_000)),
    "differ in one column alone": np.pad(drawn(0, 1, (300, 1)), [(0, 0), (700, 800)], constant_values=1),
    "negative and small type": drawn(-128, 127, (500, 20), np.int8),
    "far from zero": drawn(2**62, 2**62 + 5, (500, 20)),
    "whole range of int64": drawn(-(2**63), 2**63 - 1, (500, 4)),
    "whole range of uint64": drawn(0, 2**64 - 1, (500, 4), np.uint64),
    "booleans": drawn(0, 1, (500, 70)).astype(bool),
    "floats": drawn(0, 2, (500, 4)) / 7,
    "single precision": (drawn(0, 2, (500, 4)) / 7).astype(np.float32),
    "one column of bytes": drawn(0, 255, (500, 1), np.uint8),
    "one column of floats": drawn(0, 20, (500, 1)) / 3,
    "one sample": drawn(0, 9, (1, 5)),
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("label", [row_symbols, row_groups])
def test_labels_part_rows_as_tuples_do(label, name):
    assert same_partition(label(TABLES[name]), TABLES[name])


def test_symbols_do_not_depend_on_the_order_of_rows():
    rows = TABLES["too wide for one number"]
    order = np.random.default_rng(1).permutation(len(rows))
    np.testing.assert_array_equal(row_symbols(rows[order]), row_symbols(rows)[order])


def test_symbols_of_one_column_keep_its_order():
    np.testing.assert_array_equal(row_symbols(np.array([0.5, -2.0, 7.0, 0.5])), [1, 0, 2, 1])


@pytest.mark.parametrize("label", [row_symbols, row_groups])
def test_negative_zero_is_zero(label):
    assert label(np.array([0.0, -0.0])).tolist() == [0, 0]
    assert label(np.array([[0.0, 1.0], [-0.0, 1.0]])).tolist() == [0, 0]


def test_single_precision_has_the_keys_of_its_values():
    rows = TABLES["single precision"]
    np.testing.assert_array_equal(row_keys(rows), row_keys(rows.astype(np.float64)))


def test_blocks_of_codes_are_grouped_as_their_rows_are():
    for codes, columns in ((30, 10), (30, 300), (2**31, 40), (2**31, 2)):
        rows = drawn(0, codes - 1, (400, columns))
        blocks = (rows[start : start + 90].astype(np.float64) for start in range(0, 400, 90))
        assert same_partition(code_groups(blocks, columns=columns, codes=codes), rows)


def test_every_short_row_of_few_codes_has_a_number_of_its_own():
    rows = np.stack(np.meshgrid(*[np.arange(5)] * 6), axis=-1).reshape(-1, 6)
    assert len(np.unique(row_symbols(rows))) == 5**6
    assert len(np.unique(row_groups(rows))) == 5**6


def test_slots_shared_by_different_keys_do_not_merge_them():
    # As many different keys as samples: thousands of slots are claimed twice.
    keys = np.random.default_rng(3).permutation(np.repeat(np.arange(20_000) ** 2, 2))
    assert same_partition(row_groups(keys), keys)


@pytest.mark.parametrize(("codes", "columns"), [(30, 10), (30, 300), (2**20, 1000), (2**31, 40)])
def test_the_largest_rows_that_differ_by_one_code_stay_apart(codes, columns):
    # A sum above 2^53 would be rounded, and these rows would merge.
    rows = np.full((columns + 1, columns), codes - 1.0)
    rows[np.arange(columns), np.arange(columns)] -= 1
    rows = np.concatenate([rows, rows])
    assert same_partition(code_groups([rows], columns=columns, codes=codes), rows)


def test_symbols_of_images_and_tensors_are_those_of_their_flat_rows():
    images = np.random.default_rng(0).integers(0, 2, (200, 2, 2)).astype(np.float32)
    expected = row_symbols(images.reshape(200, 4))
    assert np.array_equal(row_symbols(torch.as_tensor(images)), expected)
    assert np.array_equal(row_symbols(images.tolist()), expected)
    assert expected.max() + 1 == len(np.unique(images.reshape(200, 4), axis=0))


@pytest.mark.parametrize("rows", [[[0.0], [math.nan]], ["a", "b"], 3.0, [], [[1], [2, 3]]])
def test_rows_that_are_no_numbers_are_refused(rows):
    with pytest.raises(InputError, match="rows"):
        row_symbols(rows)
