"""Kills a real recording again and again, and looks at what is left: rows read, recovered, resumed.

A small network is trained and recorded in a process that is killed (SIGKILL) at a random moment: while it takes the
file, writes the layout, trains, measures, or saves its checkpoint. The process says over a pipe what was appended after
the call has returned. Then:

- every row that was said to be appended is read, and every row read equals, bit for bit, that of the same recording
  which nobody stopped;
- `recover` gives a file that plain HDF5 opens, with the same rows;
- `resume=True` goes on: with the state of the last checkpoint every row equals that of the recording which nobody
  stopped; without one the old rows stay, and new ones follow.

It ends with an error at the first row that is lost or wrong. Processes are forks of one that has torch loaded.

    python benchmarks/kills.py [--kills 100] [--seed 0]
"""

import argparse
import os
import random
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional

import infoplane as ip
from infoplane.errors import RunFileError
from infoplane.runfile.recover import recover

Rows = dict[str, dict[str, np.ndarray]]

STEPS, BETWEEN = 40, 4
TIMES = {"metrics": {"time"}, "events": {"time"}}
SITES, CLASSES = ["0", "2"], 3


def batch(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the inputs and labels of one step."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(24, 6, generator=generator), torch.randint(CLASSES, (24,), generator=generator)


def train(path: Path, checkpoint: Path, last: int, said: Callable[[str], None], *, resume: bool, state: bool) -> None:
    """Train and record to step `last`; a checkpoint is saved after every measurement."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 10), nn.ReLU(), nn.Linear(10, 6), nn.Tanh(), nn.Linear(6, CLASSES))
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    options = {"latent": 4, "raw": 5, "gradients": 1, "sketch_at": 1, "sandwich": 20}
    held_out = [batch(10**6)]
    with ip.record(net, path, sites=SITES, classes=CLASSES, resume=resume, **options) as rec:
        if checkpoint.exists() and resume:
            kept = torch.load(checkpoint, weights_only=True)
            net.load_state_dict(kept["net"])
            optimizer.load_state_dict(kept["optimizer"])
            if state:
                rec.load_state_dict(kept["recording"])
        while rec.step < last:
            x, y = batch(rec.step)
            optimizer.zero_grad()
            (functional.cross_entropy(net(x), y) + rec.loss(y)).backward()
            optimizer.step()
            said(f"step_activations {rec.step - 1}")
            said(f"step_weights {rec.step - 1}")
            if rec.step % BETWEEN == 0:
                rec.measure(held_out, epoch=rec.step / BETWEEN)
                for stream in ("plane", "activations", "weights", "neurons", "gradients", "raw", "metrics"):
                    said(f"{stream} {rec.step}")
                kept = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "recording": rec.state_dict()}
                torch.save(kept, f"{checkpoint}.new")
                os.replace(f"{checkpoint}.new", checkpoint)


def fork(
    work: Callable[[Callable[[str], None]], None], kill_after: tuple[int, float] | None = None
) -> tuple[bool, list[str]]:
    """Work in a forked process, and return whether it ended by itself, and what it said.

    It is killed so many seconds after it has said so many lines.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            os.close(reader)
            work(lambda text: os.write(writer, f"{text}\n".encode()))
            code = 0
        finally:
            if code:
                traceback.print_exc()
            os._exit(code)
    os.close(writer)
    lines: list[bytes] = []
    with os.fdopen(reader, "rb") as pipe:
        if kill_after is not None:
            lines += [pipe.readline() for _ in range(kill_after[0])]
            time.sleep(kill_after[1])
            os.kill(child, signal.SIGKILL)
        lines += pipe.readlines()
    status = os.waitpid(child, 0)[1]
    if status not in (0, signal.SIGKILL):
        raise RuntimeError(f"the recording ended with status {status}")
    return status == 0, [line.decode().strip() for line in lines if line.endswith(b"\n")]


def rows_of(path: Path) -> Rows:
    """Return every variable of every stream but times, and without the event of the end."""
    with ip.open_run(path) as run:
        for name, (committed, readable) in run.check().items():
            assert committed == readable, f"{committed - readable} rows of {name} cannot be read"
        views = {name: run.stream(name) for name in run.streams}
        rows = {
            name: {v: view[v] for v in view.variables if v not in TIMES.get(name, ())} for name, view in views.items()
        }
    there = rows["events"]["text"] != "finished"
    rows["events"] = {name: values[there] for name, values in rows["events"].items()}
    return rows


def check_equal(found: Rows, expected: Rows, what: str) -> int:
    """Raise unless the first rows of `expected` are those of `found`; return how many these are."""
    assert found.keys() == expected.keys(), what
    count = 0
    for name, variables in found.items():
        for variable, values in variables.items():
            wanted = expected[name][variable][: len(values)]
            assert values.shape == wanted.shape, f"{what}: {name}/{variable} has {len(values)} rows"
            same = np.array_equal(values, wanted) if values.dtype.kind == "U" else values.tobytes() == wanted.tobytes()
            assert same, f"{what}: {name}/{variable} is another"
        count += len(values)
    return count


def one_kill(folder: Path, reference: Rows, after: tuple[int, float], *, state: bool) -> Counter[str]:
    """Kill once, read, recover and resume; return what was counted."""
    path, checkpoint, recovered = (folder / name for name in ("run.h5", "checkpoint.pt", "recovered.h5"))
    counted: Counter[str] = Counter(kills=1)
    ended, said = fork(lambda say: train(path, checkpoint, STEPS, say, resume=False, state=False), after)
    if ended:
        return Counter(too_late=1)
    before: Rows | None = None
    if path.exists() and path.stat().st_size:
        with ip.open_run(path) as run:
            if run.status == "finished":
                return Counter(too_late=1)
            assert run.status in ("killed", "recording or killed"), run.status
        before = rows_of(path)
        counted["rows"] += check_equal(before, reference, "killed")
        for stream, step in (words.split() for words in said):
            assert int(step) in before[stream]["step"], f"{stream} at step {step} was appended, but is not there"
            counted["said"] += 1
        recover(path, recovered)
        with h5py.File(recovered) as file:
            assert file["entry/status"][()] == 2
        found = rows_of(recovered)
        found["events"] = {name: values[:-1] for name, values in found["events"].items()}
        assert check_equal(found, before, "recovered") == counted["rows"]
        counted["recovered"] += 1
    else:
        assert not said
        counted["before the first row"] += 1
        try:
            ip.open_run(path)
        except RunFileError:
            pass
        else:
            raise AssertionError(f"{path} is no run file and opens")
    has_state = state and checkpoint.exists()
    told = max((int(v["step"].max(initial=0)) for v in (before or {}).values() if "step" in v), default=0)
    last = max(told, BETWEEN) + BETWEEN + 1
    ended, _ = fork(lambda say: train(path, checkpoint, last, say, resume=True, state=state))
    assert ended
    after_all = rows_of(path)
    for name, variables in after_all.items():
        if "step" in variables:
            assert (np.diff(variables["step"]) > 0).all() or name in ("findings", "events"), name
    if has_state or before is None:
        del after_all["events"]
        check_equal(after_all, {k: v for k, v in reference.items() if k != "events"}, "resumed")
        assert after_all["step_weights"]["step"].tolist() == list(range(last))
    else:
        for name in before:
            if name != "plane_scatter" or len(before[name]["point"]) == 2 * len(before["plane"]["step"]):
                kept = {v: values[: len(before[name][v])] for v, values in after_all[name].items()}
                check_equal({name: before[name]}, {name: kept}, "resumed without a state")
        assert after_all["step_weights"]["step"][-1] == last - 1
        assert after_all["plane"]["step"][-1] > told
    assert len(after_all["plane_scatter"]["point"]) == 2 * len(after_all["plane"]["step"])
    with h5py.File(path) as file:
        assert file["entry/status"][()] == 1
    counted["resumed"] += 1
    return counted


def main() -> None:
    """Print the counts as a line of a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rng, total = random.Random(asked.seed), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        warm, whole = Path(folder) / "warm.h5", Path(folder) / "whole.h5"
        train(warm, warm.with_suffix(".pt"), BETWEEN, lambda line: None, resume=False, state=False)
        began = time.perf_counter()
        _, said = fork(
            lambda say: train(whole, whole.with_suffix(".pt"), STEPS + BETWEEN + 1, say, resume=False, state=False)
        )
        seconds = time.perf_counter() - began
        reference = rows_of(whole)
        while total["kills"] < asked.kills:
            # One in eight before the first row, at any moment of the start.
            lines = rng.randrange(1, len(said)) if rng.random() < 0.875 else 0
            after = lines, rng.uniform(0, seconds / (STEPS if lines else 2))
            with tempfile.TemporaryDirectory(dir=folder) as own:
                total += one_kill(Path(own), reference, after, state=rng.random() < 0.5)
    print(
        "| kills | before the first row | rows said to be appended | rows read | recovered | resumed | lost or wrong |"
    )
    print("|---|---|---|---|---|---|---|")
    keys = ("kills", "before the first row", "said", "rows", "recovered", "resumed")
    print("|", " | ".join(f"{total[key]:,}" for key in keys), "| 0 |")


if __name__ == "__main__":
    main()
