"""What a run file costs: time of a row beside bare h5py, bytes of a row, opening and drawing, beside a training step.

The rows are of 20 sites, ten linear layers and their tanh, that a network has while it learns the digits in batches of
128: 10,000 to 100,000 values of both signs a site (widths 780 to 80), or 10,000 in every one (widths 80). 300 rows are
taken and appended in turn; no row is compressed with another one, so that it does not matter that they come again.
Bare: the same bytes appended and flushed to one data set of plain h5py in SWMR mode, gzip 1 and shuffle, a row a chunk.
Both alternate row by row; the ratio is that of the total times. The run that is opened has the rows and a plane of 20
probes besides. It is opened and drawn in a process of its own, after the imports, with the file in the system's cache.

    python benchmarks/runfile.py [--rows 10000]
"""

import argparse
import bz2
import dataclasses
import lzma
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import h5py
import numpy as np
import torch
from scipy.special import gammaln
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

import infoplane as ip
from infoplane.analysis.sketch import QUANTITIES, LogHistogram, summarize
from infoplane.probes.probe_info import ProbeInfo
from infoplane.recording import Recording
from infoplane.runfile.packing import pack_row
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.stream import Stream
from infoplane.runfile.writer import RunWriter

SITES, DISTINCT = [f"site{k}" for k in range(20)], 300
WIDTHS = {
    "10,000 to 100,000": [int(w) for w in np.geomspace(780, 80, 10)],
    "10,000": [80] * 10,
}
TEN = (
    "n",
    "zeros",
    *(f"{name}_{sign}" for sign in ("negative", "positive") for name in ("count", "minimum", "maximum")),
)
TEN = (*TEN, "mean_log_positive", "std_log_positive")
OPENED = """
import sys, time
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
import infoplane as ip
from infoplane.plots import plane

def characters():
    with open("/proc/self/io") as file:
        return int(file.readline().split()[1])

def draw(path):
    _, ax = plt.subplots()
    before, began = characters(), time.perf_counter()
    with ip.open_run(path) as run:
        opened = time.perf_counter() - began
        plane(run, ax=ax)
    drawn, read = time.perf_counter() - began, characters() - before
    ax.figure.canvas.draw()
    return opened, drawn, time.perf_counter() - began, read

small = [draw(sys.argv[2]) for _ in range(2)][-1]
*seconds, read = draw(sys.argv[1])
print(*seconds, read - small[-1])
"""

Rows = tuple[np.ndarray, np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"h5py {h5py.version.version}, HDF5 {h5py.version.hdf5_version}, zlib {zlib.ZLIB_RUNTIME_VERSION}\n")
    sketched = {name: sketches(widths) for name, widths in WIDTHS.items()}
    with tempfile.TemporaryDirectory() as folder:
        append(Path(folder), sketched, options.rows)
        entropy(sketched)
        open_and_draw(Path(folder), sketched["10,000 to 100,000"], options.rows)
        beside_a_step(Path(folder))


def sketches(widths: Sequence[int]) -> Rows:
    """Return counts (rows, site, sign, bin) and scalars (rows, site, quantity)."""
    torch.manual_seed(0)
    x, y = digits()
    model, before = nn.Sequential(), x.shape[1]
    for width in widths:
        model.append(nn.Linear(before, width)).append(nn.Tanh())
        nn.init.xavier_normal_(model[-2].weight, 5 / 3)
        before = width
    model.append(nn.Linear(before, 10))
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    counts, scalars = [], []
    for _ in range(DISTINCT):
        chosen = torch.randint(0, len(x), (128,))
        h, found = x[chosen], []
        for layer in model:
            h = layer(h)
            found.append(LogHistogram())
            found[-1].update(h)
        summaries = summarize(found[: len(SITES)])
        counts.append(np.stack([s.counts for s in summaries]))
        scalars.append(np.stack([s.scalars for s in summaries]))
        loss = functional.cross_entropy(h, y[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return np.array(counts), np.array(scalars)


def digits() -> tuple[torch.Tensor, torch.Tensor]:
    data = load_digits()
    return torch.tensor(data.data / 16, dtype=torch.float32), torch.tensor(data.target)


def append(folder: Path, sketched: dict[str, Rows], rows: int) -> None:
    heads = ("values a site", "scalars", "rows flushed at a time", "bare [ms]", "ours [ms]", "ours over bare")
    print(f"| {' | '.join((*heads, 'bare [MB]', 'ours [MB]'))} |\n|{'---|' * 8}")
    for name, (counts, scalars) in sketched.items():
        for quantities, flush in ((TEN, 1), (QUANTITIES, 1), (QUANTITIES, 10)):
            chosen = np.ascontiguousarray(scalars[..., [QUANTITIES.index(q) for q in quantities]])
            times, sizes = appended(folder, counts, chosen, quantities, rows, flush)
            each = " | ".join(f"{1000 * t / rows:.3f}" for t in times)
            large = " | ".join(f"{size / 1e6:.1f}" for size in sizes)
            print(
                f"| {name} | {len(quantities)} | {flush} | {each} | {times[1] / times[0]:.2f} | {large} |", flush=True
            )
    print()


def appended(
    folder: Path, counts: np.ndarray, scalars: np.ndarray, quantities: Sequence[str], rows: int, flush: int
) -> tuple[list[float], list[int]]:
    """Return total seconds and the file's growth, of bare h5py and of ours."""
    paths = [folder / "bare.h5", folder / "ours.h5"]
    plain = [np.concatenate([c.ravel(), s.ravel().view(np.int64)]) for c, s in zip(counts, scalars, strict=True)]
    writer = RunWriter(paths[1], overwrite=True, flush=flush)
    writer.start(streams(quantities), {})
    with h5py.File(paths[0], "w", libver="latest") as file:
        length = plain[0].size
        dset = file.create_dataset(
            "rows",
            shape=(0, length),
            maxshape=(None, length),
            chunks=(1, length),
            dtype=np.int64,
            compression="gzip",
            compression_opts=1,
            shuffle=True,
        )
        file.swmr_mode = True
        empty = [path.stat().st_size for path in paths]
        totals = [0.0, 0.0]

        def bare(row: int) -> None:
            dset.resize(row + 1, 0)
            dset[row] = plain[row % DISTINCT]
            if row % flush == flush - 1:
                dset.flush()

        def ours(row: int) -> None:
            k = row % DISTINCT
            writer.append("activations", row, epoch=0.0, counts=counts[k], scalars=scalars[k])

        for row in range(rows):
            for which, one in ((0, bare), (1, ours)) if row % 2 else ((1, ours), (0, bare)):
                began = time.perf_counter()
                one(row)
                totals[which] += time.perf_counter() - began
    writer.close()
    return totals, [path.stat().st_size - size for path, size in zip(paths, empty, strict=True)]


def streams(quantities: Sequence[str] = QUANTITIES) -> tuple[Stream, ...]:
    probes = [ProbeInfo(site, site, "trained", 1e-3, 256) for site in SITES]
    declared = run_streams(probes=probes, sites=SITES)
    return tuple(_with(stream, quantities) if stream.name == "activations" else stream for stream in declared)


def _with(stream: Stream, quantities: Sequence[str]) -> Stream:
    units = dict(zip(QUANTITIES, stream.companions[0].values, strict=True))
    unit = dataclasses.replace(stream.companions[0], values=[units[name] for name in quantities])
    coordinates = tuple(
        dataclasses.replace(c, values=quantities) if c.name == "quantity" else c for c in stream.coordinates
    )
    return dataclasses.replace(stream, coordinates=coordinates, companions=(unit,))


def entropy(sketched: dict[str, Rows]) -> None:
    """Print what coders of all kinds make of a row, and what none can go below."""
    xz = {"format": lzma.FORMAT_RAW, "filters": [{"id": lzma.FILTER_LZMA2, "preset": 9, "lc": 0, "pb": 0}]}
    coders = {
        "shuffle, gzip 1": lambda row: len(zlib.compress(shuffled(row), 1)),
        "ours": lambda row: len(pack_row(row)),
        "shuffle, gzip 9": lambda row: len(zlib.compress(shuffled(row), 9)),
        "shuffle, bzip2": lambda row: len(bz2.compress(shuffled(row))),
        "shuffle, xz 9": lambda row: len(lzma.compress(shuffled(row), **xz)),
    }
    heads = [f"{part}, {name} values" for name in sketched for part in ("counts", "18 scalars")]
    print(f"| bytes of a row, by | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
    for coder, size in coders.items():
        found = [statistics.mean(map(size, part[::10])) for both in sketched.values() for part in both]
        print(f"| {coder} | {' | '.join(f'{bytes_:.0f}' for bytes_ in found)} |", flush=True)
    floor = " | ".join(f"{poisson_bytes(counts):.0f} | " for counts, _ in sketched.values())
    print(f"| entropy of Poisson counts | {floor} |\n")


def shuffled(row: np.ndarray) -> bytes:
    return row.reshape(-1, 1).view(np.uint8).T.tobytes()


def poisson_bytes(counts: np.ndarray) -> float:
    """Return the entropy per row of independent Poisson counts whose means are the counts themselves."""
    means, times = np.unique(counts[counts > 0], return_counts=True)
    total = 0.0
    for mean, count in zip(means.astype(float), times, strict=True):
        k = np.arange(max(0, int(mean - 12 * mean**0.5)), int(mean + 12 * mean**0.5 + 20))
        log_p = k * np.log(mean) - mean - gammaln(k + 1)
        total -= count * float((np.exp(log_p) * log_p).sum()) / np.log(2)
    return total / 8 / len(counts)


def open_and_draw(folder: Path, rows_of: Rows, rows: int) -> None:
    path, small = folder / "run.h5", folder / "small.h5"
    write_run(path, rows_of, rows)
    write_run(small, rows_of, 2)  # drawn first: matplotlib loads more when it is used, and reads fonts every time
    command = [sys.executable, "-c", OPENED, str(path), str(small)]
    found = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() for _ in range(5)]
    opened, drawn, painted, read = (statistics.median(map(float, column)) for column in zip(*found, strict=True))
    print("| rows, 20 probes | file [MB] | open [s] | and draw the plane [s] | and paint it [s] | read [MB] |")
    print("|---|---|---|---|---|---|")
    size = path.stat().st_size / 1e6
    print(f"| {rows:,} | {size:.1f} | {opened:.3f} | {drawn:.3f} | {painted:.3f} | {read / 1e6:.1f} |\n", flush=True)


def write_run(path: Path, rows_of: Rows, rows: int) -> None:
    (counts, scalars), rng = rows_of, np.random.default_rng(0)
    walk = np.cumsum(rng.normal(0, 0.01, (rows, len(SITES), len(PLANE_QUANTITIES))), axis=0)
    pairs = rng.normal(size=(len(SITES), len(SITES)))
    with RunWriter(path, flush=100) as writer:
        writer.start(streams(), {})
        for row in range(rows):
            rest = {"epoch": row, "n": 10_000, "n_sandwich": 500, "updates": row}
            values = 5 + walk[row]
            writer.append("plane", row, **rest, values=values, covariance_i_zx=pairs, covariance_i_zy=pairs)
            k = row % DISTINCT
            writer.append("activations", row, epoch=row, counts=counts[k], scalars=scalars[k])


def beside_a_step(folder: Path) -> None:
    """Print what the rows of a recording take in the writer, a network of three hidden layers with a control."""
    x, y = digits()
    torch.manual_seed(0)
    model = nn.Sequential()
    for n_in, n_out in ((64, 256), (256, 64), (64, 32)):
        model.append(nn.Linear(n_in, n_out)).append(nn.Tanh())
    model.append(nn.Linear(32, 10))
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    plain = RunWriter.append
    took: dict[str, list[float]] = {}

    def timed(self: RunWriter, stream: str, /, *arguments: object, **arrays: object) -> None:
        began = time.perf_counter()
        plain(self, stream, *arguments, **arrays)  # type: ignore[arg-type]
        took.setdefault(stream, []).append(time.perf_counter() - began)

    def step(rec: Recording | None = None) -> None:
        chosen = torch.randint(0, 1300, (128,))
        loss = functional.cross_entropy(model(x[chosen]), y[chosen])
        if rec is not None:
            loss = loss + rec.loss(y[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    bare, watched, measured = [], [], []
    for _ in range(210):
        began = time.perf_counter()
        step()
        bare.append(time.perf_counter() - began)
    RunWriter.append = timed  # type: ignore[method-assign]
    try:
        sites = ["1", "3", "5"]
        with ip.record(model, folder / "steps.h5", sites=sites, classes=10, control=True, sketch_at=5) as rec:
            for number in range(200):
                began = time.perf_counter()
                step(rec)
                watched.append(time.perf_counter() - began)
                if number % 5 == 4:
                    began = time.perf_counter()
                    rec.measure([(x[1300:], y[1300:])])
                    measured.append(time.perf_counter() - began)
    finally:
        RunWriter.append = plain  # type: ignore[method-assign]
    each = {stream: statistics.median(times) for stream, times in took.items()}
    several = {stream: len(times) / len(measured) for stream, times in took.items()}
    of_steps = [stream for stream in each if stream.startswith("step_")]
    of_measurement = [stream for stream in each if stream not in (*of_steps, "events")]
    unit = statistics.median(bare[10:])
    print("| three sites, N = 256, control, batches of 128 | [ms] | over a bare step |\n|---|---|---|")
    for name, seconds in (
        ("bare training step", unit),
        ("training step with the probes", statistics.median(watched)),
        ("row of the plane and its points", each["plane"]),
        ("all rows of a sketched step", sum(each[stream] for stream in of_steps)),
        ("all rows of a measurement, with its findings", sum(each[s] * several[s] for s in of_measurement)),
        ("measurement of 497 inputs, with its rows", statistics.median(measured)),
    ):
        print(f"| {name} | {1000 * seconds:.2f} | {seconds / unit:.2f} |")


if __name__ == "__main__":
    main()
