"""Whether memory grows with the steps of a recording: resident memory after 1,000 and after 10,000 steps.

At every step two probes (N = 256) learn, and their sites' activations and all weights are sketched, with a row in the
file; gradients are recorded, and every 1,000 steps there is a measurement. Network: 784-1024-20-20-20-10 with
tanh, batches of 32 to be done sooner; no state depends on the size of the batch.

    python benchmarks/memory.py [--steps 10000]
"""

import argparse
import gc
import tempfile
from pathlib import Path

import overhead
import torch
from torch.nn import functional

import infoplane as ip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = overhead.network("cpu")
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    x, y = (tensor[:32] for tensor in overhead.batch("cpu"))
    print(f"torch {torch.__version__}, {options.threads} thread(s)\n")
    print("| steps | resident memory [MB] | run file [MB] |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.h5"
        with ip.record(model, path, sites=["tanh1", "tanh2"], classes=10, sketch_at=1) as rec:
            for step in range(1, options.steps + 1):
                loss = functional.cross_entropy(model(x), y) + rec.loss(y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if step % 1000 == 0:
                    rec.measure([(x, y)])
                if step in (1, 10, 100, 1_000, 3_000, 10_000):
                    gc.collect()
                    print(f"| {step:,} | {resident():.1f} | {path.stat().st_size / 1e6:.1f} |", flush=True)


def resident() -> float:
    """Return this process's resident memory in MB, as Linux tells it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise SystemExit("this system does not tell a process's resident memory under /proc")


if __name__ == "__main__":
    main()
