"""Planes of long runs: few rows are drawn, evenly spaced, which is said; and no more is read than is drawn."""

import math
import os

import matplotlib as mpl
import numpy as np
import pytest

from infoplane.errors import InputError
from infoplane.plots import plane, planes
from infoplane.plots.read_paths import read_paths
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter

N = 450


@pytest.fixture(autouse=True)
def no_figures():
    import matplotlib.pyplot as plt

    mpl.use("Agg")
    yield
    plt.close("all")


def write(path, rows, *, probes=1, found=()):
    """Row r is measured at step 10 r; its rate is r bit, and its bound r / rows. `found` are rows with a finding."""
    with RunWriter(path, flush=100) as writer:
        names = [f"fc{k}" for k in range(probes)]
        writer.start(run_streams(probes=[ProbeInfo(n, n, "trained", 1e-3, 8) for n in names]), {"seed": 0})
        pairs = dict.fromkeys(("covariance_i_zx", "covariance_i_zy"), np.zeros((probes, probes)))
        for row in range(rows):
            values = np.zeros((probes, len(PLANE_QUANTITIES)))
            values[:, :3] = row, row / rows, 3.2
            counts = {"n": N, "n_sandwich": N, "updates": row}
            writer.append("plane", 10 * row, epoch=float(row), values=values, **counts, **pairs)
            if row in found:
                said = {"text": "so it is", "amount": row, "unit": "bit", "advice": "look"}
                writer.append("findings", None, step=10 * row, stream="plane", where="fc0", code="odd", **said)
    return path


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    return write(tmp_path_factory.mktemp("run") / "long.h5", 1000, found=range(0, 1000, 5))


def rates(ax, gid="fc0"):
    (dots,) = (c for c in ax.collections if c.get_gid() == gid)
    return dots.get_offsets()[:, 0].tolist()


def said(ax):
    return " ".join(text.get_text() for text in ax.texts).replace("\n", " ").replace("\u00a0", " ")


def test_a_long_run_is_thinned_evenly_from_its_first_row_to_its_last(long):
    ax = plane(long)
    assert rates(ax) == [*range(0, 999, 4), 999]
    assert "Drawn: one row in 4 of 1,000, and the last." in said(ax)
    assert str(ax.get_legend().get_title().get_text()).startswith("epoch 0 (light) to 999")


@pytest.mark.parametrize("rows", [2, 3, 7, 100, 333, 500, 999, 1000, 2000])
def test_there_are_never_more_rows_than_asked_for_and_always_the_first_and_the_last(long, rows):
    drawn = read_paths(long, rows=rows).step / 10
    assert len(drawn) <= rows
    assert (drawn[0], drawn[-1]) == (0, 999)
    gaps = np.diff(drawn)
    assert len(set(gaps[:-1])) <= 1
    assert 0 < gaps[-1] <= gaps[0]


def test_all_rows_are_drawn_where_they_are_few_or_asked_for(long, tmp_path):
    assert rates(plane(long, rows=None)) == list(range(1000))
    assert "Drawn:" not in said(plane(long, rows=None))
    ax = plane(write(tmp_path / "short.h5", 300))
    assert rates(ax) == list(range(300))
    assert "Drawn:" not in said(ax)
    assert rates(plane(write(tmp_path / "one.h5", 1))) == [0]


def test_findings_are_counted_over_all_rows_and_points_over_those_drawn(long):
    ax = plane(long)
    assert "odd (fc0: 200 of 1000 rows, by up to 995 bit)" in said(ax)
    beyond = sum(rate >= math.log2(N) for rate in rates(ax))
    assert f"rate above log n ({beyond} of 251 points drawn)" in said(ax)
    (rings,) = (line for line in ax.lines if line.get_gid() == "fc0 findings")
    assert rings.get_xdata().tolist() == [rate for rate in rates(ax) if rate % 5 == 0]


def test_planes_thin_each_run_by_itself(long, tmp_path):
    short = write(tmp_path / "short.h5", 10)
    first, second = planes([long, short])
    assert (len(rates(first)), len(rates(second))) == (251, 10)
    assert "Drawn: one row in 4 of 1,000, and the last." in said(first)
    assert "Drawn:" not in said(second)
    assert [len(rates(ax)) for ax in planes([long, short], rows=5)] == [5, 4]


@pytest.mark.parametrize("rows", [1, 0, 2.5, True, "all"])
def test_a_number_of_rows_that_is_none_is_refused(long, rows):
    with pytest.raises(InputError, match=r"rows is .*, but it must be a whole number of at least 2"):
        plane(long, rows=rows)


def test_no_more_is_read_than_is_drawn(tmp_path):
    if not os.path.exists("/proc/self/io"):
        pytest.skip("only Linux counts what a process reads")
    path = write(tmp_path / "run.h5", 600, probes=20)
    read_paths(path, rows=6)  # what is read once, as modules
    few, all_rows = bytes_read(lambda: read_paths(path, rows=6)), bytes_read(lambda: read_paths(path))
    values = 600 * 20 * len(PLANE_QUANTITIES) * 8
    assert few < values / 3
    assert all_rows - few > values / 2
    assert all_rows < path.stat().st_size / 2  # neither covariances nor scatter


def bytes_read(act):
    def count():
        with open("/proc/self/io") as file:
            return int(file.readline().split()[1])

    before = count()
    act()
    return count() - before
