"""One small training with everything recorded; run under torchrun or alone: training.py FOLDER NAME [die]."""

import os
import pickle
import sys
from pathlib import Path

import torch
from torch import distributed, nn
from torch.nn import functional
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

import infoplane as ip

INPUTS = 101  # odd: with two ranks one input is repeated


def main() -> None:
    folder, name = Path(sys.argv[1]), sys.argv[2]
    torch.set_num_threads(1)
    several = "RANK" in os.environ
    if several:
        distributed.init_process_group("gloo")
    rank, world = (distributed.get_rank(), distributed.get_world_size()) if several else (0, 1)
    found = {}
    for mode, rate in (("observe", 0.0), ("observe", 0.1), ("joint", 0.1)):
        key = f"{mode}-{rate}"
        found[key] = train(folder / f"{name}-{key}.h5", mode, rate, rank, world, die="die" in sys.argv[3:])
    if several:
        found["distributed"] = rank, world
        distributed.destroy_process_group()
    (folder / f"{name}-{rank}.pickle").write_bytes(pickle.dumps(found))


def train(path: Path, mode: str, rate: float, rank: int, world: int, *, die: bool):
    data = ip.datasets.load("digits")
    net = ip.models.mlp((64, 24, 16, 10), seed=0)
    model = nn.parallel.DistributedDataParallel(net) if world > 1 else net
    optimizer = torch.optim.SGD(model.parameters(), rate)

    def loader(inputs, labels, size, shuffle):
        batches = TensorDataset(inputs, labels)
        sampler = DistributedSampler(batches, world, rank, shuffle=shuffle, seed=3)
        return DataLoader(batches, size // world, sampler=sampler)

    training = loader(data.train_inputs[:360], data.train_labels[:360], 40, True)
    held_out = loader(data.test_inputs[:INPUTS], data.test_labels[:INPUTS], 30, False)
    options = {
        "control": mode == "observe",
        "beta": (1e-3, 1e-2),
        "raw": 9,
        "inputs": 500,
        "sketch_at": 4,
        "sandwich": 40,
    }
    measured = []
    with ip.record(model, path, sites="hidden*", classes=10, latent=8, mode=mode, **options) as rec:
        for epoch in range(2):
            training.sampler.set_epoch(epoch)
            for step, (x, y) in enumerate(training):
                loss = functional.cross_entropy(model(x), y) + rec.loss(y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if die and rank == 1 and step == 3:
                    os._exit(7)
            measured.append(rec.measure(held_out, epoch=epoch))
        # The same data on every rank, which no sampler deals out: counted once.
        for x, y in training:
            functional.cross_entropy(model(x), y).backward()
            rec.loss(y)
            break
        everywhere = [(data.test_inputs[:INPUTS], data.test_labels[:INPUTS])]
        measured.append(rec.measure(everywhere))
    return measured


if __name__ == "__main__":
    main()
