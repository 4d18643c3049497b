"""Fano's ceiling with a run beside it, by what the artists hold."""

import numpy as np
import pytest

from infoplane.analysis.fano import fano_bound, fano_ceiling
from infoplane.errors import InputError
from infoplane.plots import fano
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter

H_Y = 2.0


def write_run(path, *, classes=4, points=((1.5, 0.1), (0.5, 0.6)), network=0.2, metrics=True, rows=1, dimensions=None):
    """Probes fc1 and its control with (label bound, error) of `points`, and the network's error at step 7."""
    probes = [ProbeInfo(name, "fc1", host, 1e-3, 4) for name, host in (("fc1", "trained"), ("fc1@u", "untrained"))]
    with RunWriter(path) as writer:
        streams = run_streams(probes=probes, metrics={"error": "1"} if metrics else None)
        writer.start(streams, {"seed": 0, "probes": {"classes": classes, "dimensions": dimensions}})
        values = np.zeros((2, len(PLANE_QUANTITIES)))
        for k, (bound, error) in enumerate(points):
            for name, value in {"i_zy": bound, "error": error, "h_y": H_Y}.items():
                values[k, PLANE_QUANTITIES.index(name)] = value
        zeros = np.zeros((2, 2))
        pairs = {"covariance_i_zx": zeros, "covariance_i_zy": zeros}
        for step in range(8 - rows, 8):
            early = np.where(np.isin(PLANE_QUANTITIES, ["i_zy"]), values - 0.1 * (7 - step), values)
            writer.append("plane", step, epoch=1.0, values=early, n=450, n_sandwich=450, updates=7, **pairs)
            if metrics:
                writer.append("metrics", step, epoch=1.0, time=0.0, values=[network + 0.1 * (7 - step)])
    return path


def lines(ax):
    return {line.get_gid(): line for line in ax.lines}


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def said(ax):
    return " ".join(text.get_text() for text in ax.texts).replace("\n", " ").replace("\u00a0", " ")


def test_the_ceiling_is_fanos_inequality_from_chance_to_certainty(tmp_path):
    ax = fano(write_run(tmp_path / "run.h5"))
    x, y = lines(ax)["ceiling"].get_data()
    np.testing.assert_allclose(y, 100 * fano_ceiling(x, classes=4, entropy=H_Y))
    assert y[0] == pytest.approx(25)
    assert y[x >= H_Y] == pytest.approx(100)
    assert set(lines(ax)["h_y"].get_xdata()) == {H_Y}
    assert "H(Y) = 2 bit" in labels(ax)
    (shade,) = [c for c in ax.collections if c.get_gid() == "above the ceiling"]
    assert shade.get_paths()[0].contains_point((0.3, 90))
    assert not shade.get_paths()[0].contains_point((1.8, 30))


def test_probes_stand_at_their_lower_bounds_and_accuracies_and_the_control_is_hollow(tmp_path):
    ax = fano(write_run(tmp_path / "run.h5"))
    np.testing.assert_allclose(lines(ax)["fc1"].get_xydata(), [[1.5, 90]])
    np.testing.assert_allclose(lines(ax)["fc1@untrained"].get_xydata(), [[0.5, 40]])
    assert lines(ax)["fc1@untrained"].get_markerfacecolor() == "white"
    assert ax.get_xlabel() == "I(T;Y) [bit]; points: lower bounds of probes"
    assert ax.get_ylabel() == "right answers [%]"
    assert "Step 7, test split, n = 450, 4 classes." in said(ax)


def test_the_last_row_is_drawn_unless_another_is_asked_for(tmp_path):
    run = write_run(tmp_path / "run.h5", rows=3)
    for row, bound, accuracy in ((-1, 1.5, 80), (1, 1.4, 70)):
        drawn = lines(fano(run) if row == -1 else fano(run, row=row))
        np.testing.assert_allclose(drawn["fc1"].get_xydata(), [[bound, 90]])
        np.testing.assert_allclose(drawn["network"].get_ydata(), accuracy)


def test_the_networks_accuracy_proves_what_the_inequality_says(tmp_path):
    ax = fano(write_run(tmp_path / "run.h5", network=0.2))
    proved = float(fano_bound(0.2, classes=4, entropy=H_Y))
    np.testing.assert_allclose(lines(ax)["proved"].get_xydata(), [[proved, 80]])
    assert lines(ax)["proved"].get_marker() == ">"
    assert f"the network's accuracy proves {proved:.3g} bit" in labels(ax)
    assert "proved" not in lines(fano(write_run(tmp_path / "without.h5", metrics=False)))


def test_a_network_worse_than_guessing_proves_nothing(tmp_path):
    ax = fano(write_run(tmp_path / "run.h5", network=0.9))
    assert lines(ax)["proved"].get_xdata()[0] == 0


def test_bounds_below_zero_are_not_clipped(tmp_path):
    ax = fano(write_run(tmp_path / "run.h5", points=((-0.7, 0.8), (np.nan, 0.6))))
    assert lines(ax)["fc1"].get_xdata()[0] == -0.7
    assert ax.get_xlim()[0] < -0.7
    assert "1 point is not finite and left out." in said(ax)


def test_runs_without_classes_or_rows_are_refused(tmp_path):
    with pytest.raises(InputError, match="does not say how many classes it has, but Fano's inequality needs two"):
        fano(write_run(tmp_path / "none.h5", classes=None))
    with pytest.raises(InputError, match="its labels are real numbers, but Fano's inequality is about classes"):
        fano(write_run(tmp_path / "real.h5", classes=None, dimensions=1))
    with pytest.raises(InputError, match="no row 3"):
        fano(write_run(tmp_path / "run.h5"), row=3)
