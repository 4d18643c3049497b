import pickle

import numpy as np
import pytest
import torch
from scipy import stats

from infoplane.errors import InputError
from infoplane.probes.subset import Kept, Subset


def kept(subset, positions, batch):
    result = Kept(subset)
    for start in range(0, len(positions), batch):
        p = positions[start : start + batch]
        result.add(p, code=torch.stack([p, 2 * p], dim=1).float(), label=p % 7)
    return result


@pytest.mark.parametrize("batch", [1, 7, 64, 1000, 5000])
def test_the_subset_does_not_depend_on_the_batches(batch):
    whole = kept(Subset(50, seed=3), torch.arange(3000), 3000)
    parts = kept(Subset(50, seed=3), torch.arange(3000), batch)
    np.testing.assert_array_equal(parts.positions(), whole.positions())
    for name, values in whole.arrays().items():
        np.testing.assert_array_equal(parts.arrays()[name], values)


def test_rows_belong_to_their_positions_and_are_ordered_by_them():
    result = kept(Subset(40, seed=1), torch.arange(1000), 33)
    positions, arrays = result.positions(), result.arrays()
    assert len(positions) == 40
    assert (np.diff(positions) > 0).all()
    np.testing.assert_array_equal(arrays["code"], np.stack([positions, 2 * positions], axis=1).astype(np.float32))
    np.testing.assert_array_equal(arrays["label"], positions % 7)


def test_it_is_the_inputs_of_smallest_priority():
    subset = Subset(40, seed=1)
    priorities = subset.priorities(np.arange(1000))
    expected = np.sort(np.argsort(priorities)[:40])
    np.testing.assert_array_equal(kept(subset, torch.arange(1000), 100).positions(), expected)


@pytest.mark.parametrize("world", [2, 3])
def test_processes_that_see_strided_positions_agree_with_one_that_sees_all(world):
    subset, positions = Subset(60, seed=5), torch.arange(2000)
    ranks = [pickle.loads(pickle.dumps(kept(subset, positions[r::world], 16))) for r in range(world)]
    for rank in ranks[1:]:
        ranks[0].merge(rank)
    whole = kept(subset, positions, 128)
    np.testing.assert_array_equal(ranks[0].positions(), whole.positions())
    np.testing.assert_array_equal(ranks[0].arrays()["code"], whole.arrays()["code"])


def test_merging_leaves_the_other_as_it_is_and_more_can_be_added():
    subset, positions = Subset(20, seed=0), torch.arange(300)
    first, second = kept(subset, positions[:100], 10), kept(subset, positions[100:200], 10)
    before = second.positions().copy()
    first.merge(second)
    first.add(positions[200:], code=torch.stack([positions[200:], 2 * positions[200:]], 1), label=positions[200:] % 7)
    np.testing.assert_array_equal(second.positions(), before)
    np.testing.assert_array_equal(first.positions(), kept(subset, positions, 300).positions())


def test_a_short_stream_is_kept_whole():
    np.testing.assert_array_equal(kept(Subset(500), torch.arange(30), 8).positions(), np.arange(30))


def test_every_position_and_every_pair_is_equally_likely():
    n, size, seeds = 30, 6, 4000
    chosen = np.zeros((seeds, n))
    for seed in range(seeds):
        chosen[seed, np.argsort(Subset(size, seed).priorities(np.arange(n)))[:size]] = 1
    # Counts of one position are binomial; those of all positions sum to a constant.
    counts, p = chosen.sum(0), size / n
    assert stats.chi2.sf(((counts - seeds * p) ** 2).sum() / (seeds * p * (1 - p)) * (n - 1) / n, n - 1) > 1e-4
    together = (chosen.T @ chosen)[np.triu_indices(n, 1)] / seeds
    q = size * (size - 1) / (n * (n - 1))
    z = (together - q) / np.sqrt(q * (1 - q) / seeds)
    assert np.abs(z).max() < 4.8  # 435 pairs
    assert 0.8 < z.std() < 1.2


def test_priorities_are_uniform_and_those_of_neighbours_independent():
    uniform = Subset(1, seed=11).priorities(np.arange(100_000)) / 2.0**64
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(uniform[:-1], uniform[1:])[0, 1]) < 4 / np.sqrt(1e5)


def test_priorities_are_those_of_splitmix64():
    # The reference's first outputs for the state 1234567 (Vigna's C program, as Rosetta Code lists them).
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    subset = Subset(1, seed=0)
    key = int(np.random.SeedSequence([0x5B5E7, 0]).generate_state(1, np.uint64)[0])
    # Its p-th output is a function of state + (p + 1) increments: shift the positions by the two states' distance.
    inverse = pow(0x9E3779B97F4A7C15, -1, 2**64)
    offset = (1234567 - key) * inverse % 2**64
    positions = np.array([(offset + p) % 2**64 for p in range(4)], np.uint64).astype(np.int64)
    assert subset.priorities(positions).tolist() == published


def test_seeds_choose_different_subsets_and_no_random_state_moves():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    first, second = (kept(Subset(50, seed), torch.arange(1000), 100).positions() for seed in (0, 1))
    assert len(np.intersect1d(first, second)) < 20
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()


def test_floating_numbers_become_float32_and_no_row_is_a_view():
    values, labels = torch.ones(4, 2, dtype=torch.bfloat16, requires_grad=True), torch.arange(4)
    result = Kept(Subset(10))
    array = np.ones((4, 3))
    result.add(np.arange(4), a=values, b=array, labels=labels)
    array += 1
    labels += 1
    arrays = result.arrays()
    assert (arrays["a"].dtype, arrays["b"].dtype, arrays["labels"].dtype) == (np.float32, np.float32, np.int64)
    assert (arrays["b"] == 1).all()
    np.testing.assert_array_equal(arrays["labels"], np.arange(4))


def test_memory_is_that_of_the_subset():
    result = Kept(Subset(10))
    for start in range(0, 10_000, 100):
        result.add(np.arange(start, start + 100), values=np.zeros((100, 50), np.float32))
    assert len(pickle.dumps(result)) < 3 * 10 * 50 * 4


def test_nothing_added_is_nothing_kept():
    result = Kept(Subset(10))
    assert result.positions().size == 0
    assert result.arrays() == {}
    result.add(torch.arange(0), code=torch.zeros(0, 3))
    assert result.arrays()["code"].shape == (0, 3)


def test_wrong_calls_are_refused_in_one_sentence():
    result = Kept(Subset(10))
    with pytest.raises(InputError, match="'code' has 3 rows, but there are 4 positions"):
        result.add(torch.arange(4), code=torch.zeros(3, 2))
    result.add(torch.arange(4), code=torch.zeros(4, 2))
    with pytest.raises(InputError, match="the arrays are 'other', but those kept so far are 'code'"):
        result.add(torch.arange(4, 8), other=torch.zeros(4, 2))
    with pytest.raises(InputError, match=r"cannot be merged with those of Subset\(size=10, seed=1\)"):
        result.merge(Kept(Subset(10, seed=1)))
    result.add(torch.arange(3, 5), code=torch.zeros(2, 2))
    with pytest.raises(InputError, match="the position 3 was given twice"):
        result.arrays()
    with pytest.raises(InputError, match="size is 0"):
        Subset(0)
    with pytest.raises(InputError, match="seed is -1"):
        Subset(3, -1)
