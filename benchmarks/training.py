"""What training with everything on costs: whole epochs of `infoplane.training.train` over a plain loop's, in one run.

Network and settings of the paper (784-1024-1024-10, Adam, batches of 100) on MNIST, or where it is absent on the digits
with 256 hidden neurons. The plain loop has the same network, loader, loss and optimizer and evaluates the test part
once, as every training here measures once. All variants take turns, in an order that is reversed every other time;
given are the median time and the median of the ratios to the plain loop of the same turn.

    python benchmarks/training.py [--images 6000] [--turns 5] [--threads 1]
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from infoplane.datasets import Dataset
from infoplane.errors import DatasetError
from infoplane.experiments.reproduce.arms import PLAIN
from infoplane.models import build
from infoplane.training import Settings, read_settings, train
from infoplane.training.assembly import load_data

VARIANTS: dict[str, dict[str, Any]] = {
    "as little as can be (probes at one step in 1,000)": PLAIN,
    "the same, SynScaW after every step": {**PLAIN, "method": "synscaw-stable", "scaling.every": "step"},
    "recorders as by default, no probes": {"probes.probe_every": 1000, "probes.control": False},
    "two probes (N = 256) at every step, no control": {"probes.control": False},
    "everything as by default: two probes, control, recorders": {},
    "the same, SynScaW after every epoch": {"method": "synscaw-stable"},
    "the same, mode joint": {"probes.mode": "joint"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    base = read_settings(None, {"preset": "paper-mlp", "data.train": options.images, "training.epochs": 1})
    try:
        data = load_data(base)
    except DatasetError:
        base = base.changed({"data.name": "digits", "data.train": None, "model.hidden": (256, 256)})
        data = load_data(base)
    trained = {name: base.changed(its) for name, its in VARIANTS.items()}
    times: dict[str, list[float]] = {name: [] for name in ("plain loop", *trained)}
    with tempfile.TemporaryDirectory() as folder:
        plain_loop(base, data)
        for turn in range(options.turns):
            for name in list(times)[:: 1 if turn % 2 == 0 else -1]:
                begin = time.perf_counter()
                if name == "plain loop":
                    plain_loop(base, data)
                else:
                    train(trained[name], Path(folder) / "run.h5", overwrite=True, quiet=True)
                times[name].append(time.perf_counter() - begin)
    steps = -(-len(data.train_labels) // base.training.batch_size)
    sizes = f"{len(data.train_labels):,} training and {len(data.test_labels):,} test inputs"
    print(
        f"torch {torch.__version__}, {options.threads} thread(s); {base.data.name}, {sizes}, one epoch, {steps} steps, "
        f"medians of {options.turns} turns\n"
    )
    print("| training | [s] | over the plain loop |\n|---|---|---|")
    for name, its in times.items():
        ratios = [mine / plain for mine, plain in zip(its, times["plain loop"], strict=True)]
        print(f"| {name} | {statistics.median(its):.2f} | {statistics.median(ratios):.2f} |")


def plain_loop(settings: Settings, data: Dataset) -> None:
    """Train the same network without any of ours but the loader, and count its errors once."""
    assert data.classes is not None
    network = build(
        settings.model.name, shape=data.shape, classes=data.classes, hidden=settings.model.hidden, seed=settings.seed
    )
    optimizer = torch.optim.Adam(network.parameters(), settings.optimizer.learning_rate)
    for inputs, labels in data.train_loader(settings.training.batch_size, seed=settings.seed):
        optimizer.zero_grad()
        functional.cross_entropy(network(inputs), labels).backward()
        optimizer.step()
    network.eval()
    with torch.no_grad():
        sum(int((network(inputs).argmax(dim=1) != labels).sum()) for inputs, labels in data.test_loader(500))


if __name__ == "__main__":
    main()
