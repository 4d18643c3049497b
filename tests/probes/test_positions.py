import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, DistributedSampler, SequentialSampler, TensorDataset

from infoplane.probes.batches import read_batches
from infoplane.probes.positions import positions_of
from infoplane.probes.ranks import Ranks


def dataset(n):
    return TensorDataset(torch.arange(n)[:, None], torch.arange(n))


def passed(loader, ranks):
    """(position, input) of every input that counts."""
    positions = positions_of(loader, ranks)
    found = []
    for batch in read_batches(loader):
        kept, at = positions.next(batch)
        assert at.dtype == torch.int64
        assert at.shape == (kept.n,)
        found += list(zip(at.tolist(), kept.labels.tolist(), strict=True))
        assert kept.args[0][:, 0].tolist() == kept.labels.tolist()
    return found, positions.dealt


def of_all(loaders):
    ranks = len(loaders)
    found = [passed(loader, Ranks(rank, ranks)) for rank, loader in enumerate(loaders)]
    return [pair for pairs, _ in found for pair in pairs], all(dealt for _, dealt in found)


@pytest.mark.parametrize("size", [1, 4, 10])
def test_one_process_counts(size):
    found, dealt = passed(DataLoader(dataset(10), batch_size=size), Ranks())
    assert found == [(k, k) for k in range(10)]
    assert dealt


@pytest.mark.parametrize("n", [1, 5, 12, 13])
@pytest.mark.parametrize("world", [2, 3, 4])
@pytest.mark.parametrize("size", [1, 3])
def test_a_distributed_sampler_deals_every_input_once(n, world, size):
    loaders = [
        DataLoader(dataset(n), batch_size=size, sampler=DistributedSampler(dataset(n), world, rank, shuffle=False))
        for rank in range(world)
    ]
    found, dealt = of_all(loaders)
    assert sorted(found) == [(k, k) for k in range(n)]
    assert dealt


@pytest.mark.parametrize("drop_last", [False, True])
def test_shuffled_or_cut_short_every_input_counts_once(drop_last):
    samplers = [DistributedSampler(dataset(11), 2, rank, seed=3, drop_last=drop_last) for rank in range(2)]
    found, _ = of_all([DataLoader(dataset(11), batch_size=2, sampler=sampler) for sampler in samplers])
    positions, inputs = zip(*sorted(found), strict=True)
    assert positions == tuple(range(10 if drop_last else 11))
    assert len(set(inputs)) == len(positions)


def test_inside_a_batch_sampler_of_ones_own():
    # A loader with a batch sampler has a sequential sampler beside it, which it does not use.
    loaders = [
        DataLoader(
            dataset(7), batch_sampler=BatchSampler(DistributedSampler(dataset(7), 2, r, shuffle=False), 3, False)
        )
        for r in range(2)
    ]
    found, dealt = of_all(loaders)
    assert sorted(found) == [(k, k) for k in range(7)]
    assert dealt


def test_one_process_with_a_share_of_the_data():
    loader = DataLoader(dataset(5), batch_size=2, sampler=DistributedSampler(dataset(5), 2, 1, shuffle=False))
    assert passed(loader, Ranks()) == ([(1, 1), (3, 3)], True)


@pytest.mark.parametrize(
    "loader",
    [
        DataLoader(dataset(4), batch_size=2),
        [(torch.arange(4)[:, None], torch.arange(4))],
        DataLoader(dataset(8), batch_size=2, sampler=DistributedSampler(dataset(8), 2, 0, shuffle=False)),
    ],
)
def test_ranks_that_are_not_told_apart_count_apart(loader):
    # The third is dealt to two processes while three measure.
    found = [passed(loader, Ranks(rank, 3)) for rank in range(3)]
    assert not any(dealt for _, dealt in found)
    positions = [at for pairs, _ in found for at, _ in pairs]
    assert len(set(positions)) == 12
    assert [at for at, _ in found[0][0]] == [0, 1, 2, 3]
    assert [at % 2 for at, _ in found[1][0]] == [0, 1, 0, 1]


@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize("split", [True, False])
@pytest.mark.parametrize(("n", "size"), [(16, 4), (13, 4), (3, 4), (21, 2), (9, 6)])
def test_loaders_of_accelerate(n, size, split, even):
    shards = pytest.importorskip("accelerate.data_loader", reason="accelerate is not installed")
    loaders = [
        DataLoader(
            dataset(n),
            batch_sampler=shards.BatchSamplerShard(
                BatchSampler(SequentialSampler(dataset(n)), size, False), 2, rank, split, even
            ),
        )
        for rank in range(2)
    ]
    found, dealt = of_all(loaders)
    assert sorted(found) == [(k, k) for k in range(n)]
    assert dealt
