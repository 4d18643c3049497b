"""What seeds side by side save: their CPU time one by one over that of `train_side_by_side`, in one run.

Data: digits, batches of 100. Network: 64-32-32-10, Adam. Both ways write whole run files, with one measurement at the
end; a call is timed from settings to closed files. "Probes once" is recordings whose probes and sketches see the first
step alone; "as by default" is that of `infoplane train`, with a control, probes of N = 256 at every step. The floor is
what `torch.func` saves of bare steps on batches that are there, without loaders, recordings and files: all seeds in one
vmap with one Adam against bare loops, one after the other.

The two ways alternate, first one and then the other first; shown are medians over the repetitions, and of their ratios
the lowest and the highest. CPU seconds of one thread, so that other work on the machine counts little.

    python benchmarks/vectorize.py [--seeds 2 5 10 20] [--repetitions 3] [--device cpu]
"""

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

import infoplane as ip
from infoplane.training import Settings, train, train_side_by_side
from infoplane.training.stack import Stack

WIDTHS = (64, 32, 32, 10)
BATCH = 100
SHARED = {
    "model.hidden": WIDTHS[1:-1],
    "training.batch_size": BATCH,
    "training.measure_every": 10**6,
    "training.checkpoint_every": 0,
}
ONCE = {"probes.probe_every": 10**6, "probes.sketch_at": 10**6, "probes.latent": 16, "probes.control": False}
KINDS: dict[str, dict[str, Any]] = {
    "probes once, 100 epochs": {**SHARED, **ONCE, "training.epochs": 100},
    "probes as by default, 5 epochs": {**SHARED, "training.epochs": 5},
}
FLOOR = "floor: bare steps, 1,400 of each"
STEPS = 1400

Work = Callable[[], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 5, 10, 20])
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"torch {torch.__version__}, python {platform.python_version()}, {platform.machine()}, {options.device}, one "
        f"thread, medians of {options.repetitions} repetitions\n"
    )
    print("| training | seeds | one by one [s] | side by side [s] | one by one over side by side | lowest to highest |")
    print("|---|---|---|---|---|---|")
    for name in (*KINDS, FLOOR):
        for seeds in options.seeds:
            with tempfile.TemporaryDirectory() as folder:
                ways = (
                    bare(seeds, options.device)
                    if name == FLOOR
                    else whole(seeds, Path(folder), KINDS[name] | {"training.device": options.device})
                )
                taken = [measured(ways, repetition) for repetition in range(-1, options.repetitions)][1:]
            one, other = (statistics.median(each) for each in zip(*taken, strict=True))
            ratios = sorted(first / second for first, second in taken)
            middle = statistics.median(ratios)
            print(
                f"| {name} | {seeds} | {one:.2f} | {other:.2f} | {middle:.2f} | {ratios[0]:.2f} to {ratios[-1]:.2f} |",
                flush=True,
            )


def measured(ways: Sequence[Work], repetition: int) -> tuple[float, float]:
    """Return the seconds of both, the first of which goes first every second time."""
    seconds = [0.0, 0.0]
    for k in (0, 1) if repetition % 2 else (1, 0):
        began = now()
        ways[k]()
        seconds[k] = now() - began
    return seconds[0], seconds[1]


def now() -> float:
    """Return CPU seconds, or where there is a GPU, which works by itself, those of the clock."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def whole(seeds: int, folder: Path, given: dict[str, Any]) -> tuple[Work, Work]:
    """Return trainings to run files, one by one and side by side."""
    settings = [Settings().changed(given | {"seed": seed}) for seed in range(seeds)]

    def one_by_one() -> None:
        for own in settings:
            train(own, folder / f"one-{own.seed}.h5", overwrite=True, quiet=True)

    def side_by_side() -> None:
        paths = [folder / f"other-{own.seed}.h5" for own in settings]
        assert not any(each.failure for each in train_side_by_side(settings, paths, overwrite=True, quiet=True))

    return one_by_one, side_by_side


def bare(seeds: int, device: str) -> tuple[Work, Work]:
    """Return bare steps of the same networks, one after the other and in one vmap."""
    data = ip.datasets.load("digits")
    x, y = (part[:BATCH].to(device) for part in (data.train_inputs, data.train_labels))
    stacked = x.expand(seeds, *x.shape).contiguous(), y.repeat(seeds)

    def networks() -> list[torch.nn.Module]:
        return [ip.models.mlp(WIDTHS, seed=seed).to(device) for seed in range(seeds)]

    def one_by_one() -> None:
        for model in networks():
            steps(lambda model=model: functional.cross_entropy(model(x), y), list(model.parameters()))

    def side_by_side() -> None:
        stack = Stack(networks())
        steps(
            lambda: seeds * functional.cross_entropy(stack.forward(stacked[0]).flatten(0, 1), stacked[1]), stack.trained
        )

    return one_by_one, side_by_side


def steps(loss_of: Callable[[], Tensor], parameters: Sequence[Tensor]) -> None:
    optimizer = torch.optim.Adam(parameters, 5e-4)
    for _ in range(STEPS):
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


if __name__ == "__main__":
    main()
