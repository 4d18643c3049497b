"""What a recording costs: total time of training steps with it over that of bare steps, in one run.

Bare and recorded steps alternate pair by pair, first one and then the other first, so that a drift of the machine's
speed hits both; the ratio is that of the total times. While the bare step runs, torch's global module hooks, which
every module of the process would look at, are put aside. Network: 784-1024-20-20-20-10 with tanh, batches of 128, SGD.
On a CUDA device: a ResNet of 32 layers, batches of 128 x 3 x 32 x 32, and the synchronisations that a profiler counts.

Beside ours, on the same network: TensorBoard's ``add_histogram`` of parameters and gradients at every step, and wandb's
``watch(log="all", log_freq=1)`` offline, where these are installed.

    python benchmarks/overhead.py [--threads 1 2] [--pairs 300] [--parts] [--device cpu]
"""

import argparse
import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules import module as hooks_of_all

import infoplane as ip
from infoplane.analysis.sketch import LogHistogram, summarize
from infoplane.probes.activations import ActivationRecorder

AT_START = 10**9  # probe_every: at the first step, which no total holds, and never again
RECORDERS = {"classes": 10, "probe_every": AT_START}
TWO_PROBES = {"classes": 10, "latent": 256, "sketch_at": None, "gradients": 0}
VARIANTS: dict[str, dict[str, Any]] = {
    "activations and weights sketched every step, each a row in the file: record(sketch_at=1)": {
        **RECORDERS,
        "sketch_at": 1,
        "gradients": 0,
    },
    "record() as it is by default but without probes": RECORDERS,
    "two probes (N = 256) every step": TWO_PROBES,
    "two probes (N = 256), probe_every=4": {**TWO_PROBES, "probe_every": 4},
}
# Every how many steps weights are counted, and every how many all is summed up to what a row of the file holds.
BY_HAND = {
    "activations counted every step, weights and the sum every 100th, no file": (100, 100),
    "activations and weights counted every step, summed up every 100th, no file": (1, 100),
    "activations and weights counted and summed up every step, no file": (1, 1),
}
OURS = (*BY_HAND, *VARIANTS)
PEERS = {
    "tensorboard": "TensorBoard add_histogram of parameters and gradients every step",
    "wandb": 'wandb offline, watch(log="all", log_freq=1)',
}
HOOKS = [getattr(hooks_of_all, name) for name in dir(hooks_of_all) if name.startswith("_global_forward")]

Step = Callable[[], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--pairs", type=int, default=300)
    parser.add_argument("--only", default="", help="variants whose names hold this")
    parser.add_argument("--parts", action="store_true", help="also where the time of the sketches goes")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        print("no CUDA device here: run this part where there is one")
        return
    there = [name for name in PEERS if importlib.util.find_spec(name)]
    for name in PEERS.keys() - set(there):
        print(f"{name} is not installed, and is left out\n")
    names = [name for name in (*OURS, *(PEERS[name] for name in there)) if options.only in name]
    for threads in options.threads:
        torch.set_num_threads(threads)
        print(f"torch {torch.__version__}, {options.device}, {threads} thread(s), {options.pairs} pairs of steps\n")
        print("| beside the step | bare step [ms] | with it [ms] | total over bare |\n|---|---|---|---|")
        for name in names:
            bare, recorded = measured(name, device=options.device, pairs=options.pairs)
            each = [1000 * total / options.pairs for total in (bare, recorded)]
            print(f"| {name} | {each[0]:.2f} | {each[1]:.2f} | {recorded / bare:.2f} |", flush=True)
        print()
        if options.parts:
            parts()
    if options.device.startswith("cuda"):
        synchronisations(options.device)


def measured(name: str, *, device: str, pairs: int) -> tuple[float, float]:
    """Return the total seconds of bare and of recorded steps."""
    plain, watched = network(device), network(device)
    x, y = batch(device)
    totals = [0.0, 0.0]
    with tempfile.TemporaryDirectory() as folder, beside(name, watched, y, Path(folder)) as (extra, after):
        steps = [step(plain, x, y), step(watched, x, y, extra, after)]
        for pair in range(-10, pairs):  # the first ones warm up
            for k in (0, 1) if pair % 2 else (1, 0):
                with hooks_put_aside() if k == 0 else ExitStack():
                    began = now(device)
                    steps[k]()
                    if pair >= 0:
                        totals[k] += now(device) - began
    return totals[0], totals[1]


@contextmanager
def beside(name: str, model: nn.Module, y: Tensor, folder: Path) -> Iterator[tuple[Callable[[], Any], Step]]:
    """Give what a step adds to its loss, and what it does at its end."""
    if name in VARIANTS:
        sites = [f"tanh{k}" for k in (1, 2)] if "two" in name else None
        if y.is_cuda:
            sites = ["blocks.4", "blocks.14"] if "two" in name else ["blocks.*"]
        with ip.record(model, folder / "run.h5", sites=sites, **VARIANTS[name]) as rec:
            yield lambda: rec.loss(y), lambda: None
    elif name in BY_HAND:
        with by_hand(model, *BY_HAND[name]) as summaries:
            yield lambda: 0, summaries
    elif name == PEERS["tensorboard"]:
        from torch.utils.tensorboard import SummaryWriter

        with SummaryWriter(folder) as writer:
            yield lambda: 0, lambda: add_histograms(writer, model)
    else:
        os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true", WANDB_DIR=str(folder))
        import wandb

        with wandb.init(project="overhead", dir=folder) as run:
            run.watch(model, log="all", log_freq=1)
            yield lambda: 0, lambda: run.log({"seen": 1})


@contextmanager
def by_hand(model: nn.Module, weights_every: int, sum_every: int) -> Iterator[Step]:
    """Sketch every leaf module's output and every weight without a recording around it."""
    count = 0
    leaves = {module: name for name, module in model.named_modules() if not list(module.children())}
    activations = ActivationRecorder(list(leaves.values()))
    weights = [(parameter, LogHistogram()) for parameter in model.parameters() if parameter.ndim > 1]
    handles = [
        leaf.register_forward_hook(lambda module, args, output: activations.update(leaves[module], output))
        for leaf in leaves
    ]

    def summaries() -> None:
        nonlocal count
        count += 1
        if count % weights_every == 0:
            for parameter, sketch in weights:
                sketch.update(parameter)
        if count % sum_every == 0:
            activations.summaries()
            summarize([sketch for _, sketch in weights])
            activations.reset()
            weights[:] = [(parameter, LogHistogram()) for parameter, _ in weights]

    yield summaries
    for handle in handles:
        handle.remove()


def add_histograms(writer: Any, model: nn.Module) -> None:
    for name, parameter in model.named_parameters():
        writer.add_histogram(name, parameter)
        writer.add_histogram(f"{name}.grad", parameter.grad)


def step(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    extra: Callable[[], Any] = lambda: 0,
    after: Step = lambda: None,
) -> Step:
    optimizer = torch.optim.SGD(model.parameters(), 0.05)

    def run() -> None:
        loss = functional.cross_entropy(model(x), y) + extra()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        after()

    return run


def network(device: str) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if device != "cpu":
            return ResNet().to(device)
        widths = (784, 1024, 20, 20, 20, 10)
        model = nn.Sequential()
        for k, (n_in, n_out) in enumerate(pairwise(widths), 1):
            model.add_module(f"fc{k}", nn.Linear(n_in, n_out))
            if n_out != widths[-1]:
                model.add_module(f"tanh{k}", nn.Tanh())
        return model


def batch(device: str) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand((128, 784) if device == "cpu" else (128, 3, 32, 32), generator=generator)
    return x.to(device), torch.randint(0, 10, (128,), generator=generator).to(device)


class Block(nn.Module):
    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, n_out // n_in, padding=1, bias=False)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(n_out), nn.BatchNorm2d(n_out)
        self.short = nn.Conv2d(n_in, n_out, 1, 2, bias=False) if n_in != n_out else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        inner = self.norm2(self.conv2(functional.relu(self.norm1(self.conv1(x)))))
        return functional.relu(inner + self.short(x))


class ResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        widths = [16] * 6 + [32] * 5 + [64] * 5
        self.blocks = nn.Sequential(*(Block(*pair) for pair in pairwise(widths)))
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.blocks(functional.relu(self.stem(x)))
        logits: Tensor = self.head(features.mean((2, 3)))
        return logits


@contextmanager
def hooks_put_aside() -> Iterator[None]:
    kept = [dict(hooks) for hooks in HOOKS]
    for hooks in HOOKS:
        hooks.clear()
    yield
    for hooks, entries in zip(HOOKS, kept, strict=True):
        hooks.update(entries)


def now(device: str) -> float:
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter()


def parts() -> None:
    """Print where the time of one row of sketches goes, with nothing between that would empty the caches."""
    model = network("cpu")
    x, _ = batch("cpu")
    weights = [p.detach() for p in model.parameters() if p.ndim > 1]
    outputs = []
    for layer in model.children():
        x = layer(x).detach()
        outputs.append(x)
    wide = [t for t in (*weights, *outputs) if t.numel() >= 100_000]
    narrow = [t for t in (*weights, *outputs) if t.numel() < 100_000]
    full = [counted(tensor) for tensor in (*weights, *outputs)]
    rows: Sequence[tuple[str, Step]] = (
        (f"count {len(wide)} wide tensors, {sum(t.numel() for t in wide):,} values", lambda: count(wide)),
        (f"count {len(narrow)} narrow tensors, {sum(t.numel() for t in narrow):,} values", lambda: count(narrow)),
        (f"sum up {len(full)} sketches to what is stored", lambda: summarize_all(full)),
    )
    print("| part | [us] |\n|---|---|")
    for name, part in rows:
        took = []
        for _ in range(200):
            began = time.perf_counter()
            part()
            took.append(time.perf_counter() - began)
        print(f"| {name} | {1e6 * sorted(took)[len(took) // 2]:.0f} |")
    print()


def counted(tensor: Tensor) -> LogHistogram:
    sketch = LogHistogram()
    sketch.update(tensor)
    return sketch


def count(tensors: Sequence[Tensor]) -> None:
    for tensor in tensors:
        counted(tensor)


def summarize_all(sketches: Sequence[LogHistogram]) -> None:
    summarize(sketches)


def synchronisations(device: str) -> None:
    """Print how often the host waits for the device in one step, by the profiler's count."""
    from torch.profiler import ProfilerActivity, profile

    print("| step | synchronisations and copies to the host |\n|---|---|")
    x, y = batch(device)
    for name in ("bare", *VARIANTS):
        model = network(device)
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            extra: Callable[[], Any] = lambda: 0  # noqa: E731
            if name != "bare":
                extra, _ = stack.enter_context(beside(name, model, y, Path(folder)))
            run = step(model, x, y, extra)
            for _ in range(5):
                run()
            torch.cuda.synchronize()
            with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as trace:
                run()
        waits = [e.name for e in trace.events() if "Synchronize" in e.name or "Memcpy DtoH" in e.name]
        print(f"| {name} | {len(waits)} |")


if __name__ == "__main__":
    main()
