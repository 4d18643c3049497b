"""What a recording costs: time of a training step with it over time of a bare step, in one run.

Bare and recorded steps alternate in blocks, so that a drift of the machine's speed hits both; the ratio is that of the
total times. Network, batch and probes are those of the paper's MLP: 784-1024-1024-10, batches of 100, N = 256.

    python benchmarks/overhead.py [--threads 1] [--blocks 20] [--steps 10]
"""

import argparse
import tempfile
import time
from pathlib import Path

import torch
from torch.nn import functional

import infoplane as ip

VARIANTS = {
    "two probes": {},
    "two probes, probe_every=4": {"probe_every": 4},
    "two probes and their control": {"control": True},
    "two probes and their control, probe_every=4": {"control": True, "probe_every": 4},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--blocks", type=int, default=20)
    parser.add_argument("--steps", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.threads} thread(s), {options.blocks} blocks of {options.steps} steps")
    print("| recorded at every step | bare step [ms] | recorded step [ms] | ratio of totals |\n|---|---|---|---|")
    for name, variant in VARIANTS.items():
        bare, recorded = measure(variant, blocks=options.blocks, steps=options.steps)
        each = [1000 * total / (options.blocks * options.steps) for total in (bare, recorded)]
        print(f"| {name} | {each[0]:.1f} | {each[1]:.1f} | {recorded / bare:.2f} |")


def measure(variant: dict[str, object], *, blocks: int, steps: int) -> tuple[float, float]:
    """Return the total seconds of bare and of recorded steps."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(100, 784, generator=generator)
    y = torch.randint(0, 10, (100,), generator=generator)
    plain, watched = ip.models.mlp(seed=0), ip.models.mlp(seed=0)
    optimizers = [torch.optim.Adam(model.parameters(), 5e-4) for model in (plain, watched)]
    totals = [0.0, 0.0]
    with (
        tempfile.TemporaryDirectory() as folder,
        ip.record(watched, Path(folder) / "run.h5", sites="hidden*", classes=10, **variant) as rec,
    ):
        for block in range(blocks + 1):
            for k, (model, optimizer) in enumerate(zip((plain, watched), optimizers, strict=True)):
                began = time.perf_counter()
                for _ in range(steps):
                    loss = functional.cross_entropy(model(x), y) + (rec.loss(y) if k else 0)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                if block:  # the first block warms up
                    totals[k] += time.perf_counter() - began
    return totals[0], totals[1]


if __name__ == "__main__":
    main()
