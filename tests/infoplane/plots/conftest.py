"""What holds for every picture: it is drawn without a screen, and leaves settings and figures as they were."""

import math

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from infoplane.analysis.sketch import LogHistogram
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.scaling_stream import SCALING_QUANTITIES, scaling_stream
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter


@pytest.fixture(autouse=True)
def unchanged_settings():
    """Fail where a plot changed matplotlib's settings, and close its figures."""
    import matplotlib.pyplot as plt

    mpl.use("Agg")
    before = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == before
    plt.close("all")


@pytest.fixture
def scaled_run():
    """Return a maker of runs with passes of scaling, neurons and metrics, of numbers that can be told by heart."""
    return _write_scaled


def _write_scaled(
    path,
    *,
    layers=("fc1.linear", "fc2.linear"),
    passes=4,
    epochs=False,
    away=(),
    broken=(),
    scaling=True,
    source="probe",
):
    """Layer k goes from 0.1 + 0.01 pass to 0.005 more, predicted as 0.004; neurons of fc1 from 0.1, 0.2 to 0.3, 0.6."""
    attrs = {"rule": "w2", "granularity": "layer"}
    stream = scaling_stream(layers, ["ReLU"] * len(layers), attrs) if scaling else None
    probes = [ProbeInfo("fc1", "fc1", "trained", 1e-3, 4)]
    with RunWriter(path) as writer:
        streams = run_streams(probes=probes, neurons={"fc1": 2, "fc2": 3}, scaling=stream)
        writer.start(streams, {"seed": 0, "scaling": {"source": source}} if scaling else {"seed": 0})
        for row in range(2):
            values = np.zeros((5, 3), np.float32)
            values[:, 0] = (np.array([0.1, 0.2, 1, 2, 3]) if row == 0 else np.array([0.3, 0.6, 1, 2, np.nan])).tolist()
            writer.append("neurons", (1, 50)[row], epoch=np.nan, n=450, values=values)
        for k in range(passes if scaling else 0):
            values = np.full((len(layers), len(SCALING_QUANTITIES)), 0.001)
            before = 0.1 + 0.01 * k + np.arange(len(layers))
            its = {"target": 0.25, "zbar_before": before, "zbar_after": before + 0.005, "predicted_change": 0.004}
            for name, value in its.items():
                values[:, SCALING_QUANTITIES.index(name)] = value
            for at, layer in broken:
                if at == k:
                    values[layer] = np.nan
            ways = [int((k, layer) in away) for layer in range(len(layers))]
            epoch = k + 1.0 if epochs else np.nan
            writer.append("scaling", 10 * k + 5, epoch=epoch, gamma=0.01, away=ways, values=values)
    return path


ROWS = 6
N = 450
H_Y = 3.2


@pytest.fixture
def run_path(tmp_path):
    """Return a run with a control."""
    return _write_run(tmp_path / "baseline.h5")


@pytest.fixture
def write_run():
    """Return a function; see `_write_run`."""
    return _write_run


@pytest.fixture
def dots():
    """Return a function; see `_dots`."""
    return _dots


@pytest.fixture
def lines():
    """Return a function; see `_lines`."""
    return _lines


@pytest.fixture
def said():
    """Return a function; see `_said`."""
    return _said


@pytest.fixture
def overlapping():
    """Return a function; see `_overlapping`."""
    return _overlapping


@pytest.fixture
def lightness():
    """Return a function; see `_lightness`."""
    return _lightness


def _sketch_of(values):
    sketch = LogHistogram()
    sketch.update(values)
    return sketch.summary()


def _write_run(
    path,
    *,
    sites=("hidden1", "hidden2"),
    control=True,
    rows=ROWS,
    broken=(),
    epochs=True,
    weights=("w",),
    rate=390,
    found=(),
    others=(),
    updates=10,
    shift=(0.0, 0.0),
    seed=0,
    real=False,
    sandwich=True,
):
    """A run with rates falling from 390 bit, and bounds rising from 0.5 bit; the control lags by 0.1 bit.

    `found` are findings about the plane: (row, probe, code, amount in bit); `others` are more probes; `updates` are the
    steps of their training per row; `shift` is added to all rates and label bounds; labels may be `real` numbers.
    """
    generator = np.random.default_rng(0)
    hosts = ("trained", "untrained")[: 1 + control]
    probes = [
        ProbeInfo(site if host == "trained" else f"{site}@{host}", site, host, 1e-3, 64)
        for host in hosts
        for site in sites
    ]
    probes += others
    count = len(probes)
    with RunWriter(path) as writer:
        attrs = {"draws": 12, "probe_mode": "observe"}
        kind = "estimate" if real else "lower_bound"
        metrics = {"error": "1"}
        streams = run_streams(probes=probes, parameters=weights, metrics=metrics, attrs=attrs, label_bound=kind)
        writer.start(streams, {"seed": seed, "probes": {"dimensions": 1} if real else {"classes": 10}})
        for row in range(rows):
            values = np.zeros((count, len(PLANE_QUANTITIES)))
            for k in range(count):
                bound = 0.5 + 0.4 * row - 0.1 * k
                shown = rate - (50 * row + 10 * k) * rate / 390, bound, H_Y, H_Y - bound, 0.1, 2.0, 0.05
                values[k, : len(shown)] = shown
                values[k, :2] += shift
                values[k, 7:9] = (5.0, 20.0) if sandwich else np.nan
            for at, probe in broken:
                if at == row:
                    values[probe, 0] = np.nan
            step, epoch = 20 * (row + 1), float(row + 1) if epochs else math.nan
            zeros = np.zeros((count, count))
            pairs = {"covariance_i_zx": zeros, "covariance_i_zy": zeros}
            counts = {"n": N, "n_sandwich": N, "updates": updates * (row + 1)}
            writer.append("plane", step, epoch=epoch, values=values, **counts, **pairs)
            writer.append("metrics", step, epoch=epoch, time=0.0, values=[0.1])
            for at, probe, code, amount in found:
                if at == row:
                    said = {"text": "so it is", "amount": amount, "unit": "bit", "advice": "look"}
                    writer.append("findings", None, step=step, stream="plane", where=probe, code=code, **said)
            if weights:
                sketches = [_sketch_of(generator.normal(size=500)) for _ in weights]
                counts, scalars = (np.stack([getattr(s, name) for s in sketches]) for name in ("counts", "scalars"))
                writer.append("weights", step, epoch=epoch, counts=counts, scalars=scalars)
    return path


def _dots(ax):
    return {c.get_gid(): c for c in ax.collections if c.get_gid()}


def _lines(ax):
    return {line.get_gid(): line for line in ax.lines if line.get_gid()}


def _said(ax):
    return " ".join(text.get_text() for text in ax.texts).replace("\n", " ").replace("\u00a0", " ")


def _overlapping(ax, but=()):
    """Pairs of visible texts on or beside the axes whose boxes overlap."""
    renderer = FigureCanvasAgg(ax.figure).get_renderer()
    ax.figure.draw(renderer)
    legend = ax.get_legend()
    ticks = [
        tick.label1
        for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim()))
        for tick in axis.get_major_ticks()
        if low <= tick.get_loc() <= high
    ]
    texts = [*ax.texts, ax.xaxis.label, ax.yaxis.label, ax.title, *ticks]
    texts += [] if legend is None else [legend.get_title(), *legend.get_texts()]
    texts = [text for text in texts if text.get_visible() and text.get_text() and text not in but]
    boxes = [text.get_window_extent(renderer).shrunk(0.98, 0.9) for text in texts]
    outside = [
        text.get_text()
        for text, box in zip(texts, boxes, strict=True)
        if box.x0 < 0 or box.y0 < 0 or box.x1 > ax.figure.bbox.x1 or box.y1 > ax.figure.bbox.y1
    ]
    pairs = [
        (texts[i].get_text(), texts[j].get_text())
        for i in range(len(texts))
        for j in range(i)
        if boxes[i].overlaps(boxes[j])
    ]
    return pairs + outside


def _lightness(rgb):
    linear = np.where(np.asarray(rgb) <= 0.04045, np.asarray(rgb) / 12.92, ((np.asarray(rgb) + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
