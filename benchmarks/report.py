"""What a report of many long runs costs: seconds to write, bytes, and whether the page scrolls without stutter.

20 runs of 1,000 rows each, with three sites and their controls, sketches of three weight matrices and three activations
at every row, and one finding per row. The time is that of the command ``infoplane report`` in a process of its own,
imports among it. Then Chromium, where there is one, opens the page, waits until its charts are drawn and scrolls
through it; what is counted are the tasks that take longer than 50 ms (its own measure of stutter) while it scrolls.

    python benchmarks/report.py [--runs 20] [--rows 1000] [--chromium /usr/bin/chromium]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np

from infoplane.analysis.finding import Finding
from infoplane.analysis.sketch import QUANTITIES, LogHistogram
from infoplane.probes.probe_info import ProbeInfo
from infoplane.rows import append_finding
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter

SITES = ("hidden1", "hidden2", "hidden3")
SKETCHES = 50
SCROLL = """
async () => {
  const long = [];
  const note = (list) => long.push(...list.getEntries().map((e) => e.duration));
  new PerformanceObserver(note).observe({ type: "longtask" });
  const frames = [];
  let last = performance.now();
  const height = document.documentElement.scrollHeight;
  for (let y = 0; y <= height; y += 60) {
    scrollTo(0, y);
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - last);
    last = now;
  }
  frames.sort((a, b) => a - b);
  return { long, frames: frames.length, median: frames[frames.length >> 1], worst: frames[frames.length - 1] };
}
"""


def write_run(path: Path, seed: int, rows: int) -> None:
    """Write one run; its sketches are `SKETCHES` different ones in turn, for making them is not what is measured."""
    random = np.random.default_rng(seed)
    probes = [ProbeInfo(site, site, "trained", 1e-3, 64) for site in SITES]
    probes += [ProbeInfo(f"{site}@untrained", site, "untrained", 1e-3, 64) for site in SITES]
    parameters = tuple(f"{site}.weight" for site in SITES)
    sketches = []
    for k in range(SKETCHES):
        sketch = LogHistogram()
        sketch.update((random.lognormal(-3 + k / SKETCHES, 1, 5000) * random.choice([-1, 1], 5000)).astype(np.float32))
        sketches.append(sketch.summary())
    counts = np.stack([sketch.counts for sketch in sketches])
    scalars = np.stack([[sketch[name] for name in QUANTITIES] for sketch in sketches])
    configuration = {"method": "baseline" if seed % 2 else "synscaw", "seed": seed // 2}
    pairs = {f"covariance_{q}": 0.01 * np.eye(len(probes)) for q in ("i_zx", "i_zy")}
    with RunWriter(path) as writer:
        streams = run_streams(probes=probes, sites=SITES, parameters=parameters, metrics={"loss": "bit", "error": "1"})
        writer.start(streams, {"configuration": configuration, "model": "mlp", "data": {"name": "made up"}, "seed": 0})
        for row in range(rows):
            t, step = row / rows, 10 * (row + 1)
            values = np.abs(random.normal(1, 0.02, (len(probes), len(PLANE_QUANTITIES))))
            values[:, 0] *= 8 + 60 * np.exp(-5 * t) * (1 + np.arange(len(probes)) / 9)
            values[:, 1:3] = np.column_stack([3.2 * (1 - np.exp(-6 * t)) * values[:, 1], np.full(len(probes), 3.32)])
            of_row = {"epoch": float(row + 1), "n": 5000, "n_sandwich": 1000, "updates": step}
            writer.append("plane", step, values=values, **of_row, **pairs)
            writer.append("metrics", step, epoch=row + 1.0, time=t, values=[1 - t / 2, 0.5 - t / 3])
            place = np.arange(row, row + 3) % SKETCHES
            for stream in ("weights", "activations"):
                writer.append(stream, step, epoch=row + 1.0, counts=counts[place], scalars=scalars[place])
            found = Finding(
                "rate_above_log_n", SITES[0], "a rate at or above log n", values[0, 0], "bit", "a larger beta"
            )
            append_finding(writer, step, "plane", found)


def scrolls(page: Path, chromium: str) -> str:
    """Return what Chromium says of scrolling, at a laptop's size."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        start = time.perf_counter()
        tab.goto(page.resolve().as_uri())
        tab.wait_for_selector("body[data-ready]")
        drawn = time.perf_counter() - start
        tab.wait_for_timeout(500)
        found = tab.evaluate(SCROLL)
        browser.close()
    long = found["long"]
    return (
        f"drawn after {drawn:.1f} s; scrolled in {found['frames']} frames: median {found['median']:.0f} ms, worst "
        f"{found['worst']:.0f} ms, {len(long)} long tasks{f' of up to {max(long):.0f} ms' if long else ''}"
    )


def main() -> None:
    """Write the runs and the report, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--keep", type=Path, help="Folder for runs and report.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"run{k:02}.h5" for k in range(given.runs)]
        for k, path in enumerate(paths):
            if not path.exists():
                write_run(path, k, given.rows)
        megabytes = sum(path.stat().st_size for path in paths) / 1e6
        print(f"{given.runs} runs of {given.rows:,} rows, {megabytes:.0f} MB")
        page = folder / "report.html"
        start = time.perf_counter()
        code = "import sys; from infoplane.cli import run; sys.exit(run(sys.argv[1:]))"
        words = ["report", *map(str, paths), "-o", str(page), "--force"]
        subprocess.run([sys.executable, "-c", code, *words], check=True)
        print(f"report: {time.perf_counter() - start:.1f} s, {page.stat().st_size / 1e6:.2f} MB")
        if Path(given.chromium).exists():
            print(scrolls(page, given.chromium))


if __name__ == "__main__":
    main()
