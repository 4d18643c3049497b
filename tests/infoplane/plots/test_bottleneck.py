"""The information-bottleneck curve with a run beneath it, by what the artists hold."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from infoplane.analysis.bottleneck_curve import bottleneck_curve
from infoplane.errors import InputError
from infoplane.plots import bottleneck
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter

SURE = [[0.25, 0], [0.25, 0], [0, 0.25], [0, 0.25]]
NOISY = [[0.2, 0.05], [0.22, 0.03], [0.04, 0.21], [0.05, 0.2]]


def write_run(path, points):
    """`points` by probe: rows of (i_zx, i_zy) with errors of 0.01 bit."""
    probes = [ProbeInfo(name, name.partition("@")[0], name.partition("@")[2] or "trained", 1e-3, 4) for name in points]
    with RunWriter(path) as writer:
        writer.start(run_streams(probes=probes), {"seed": 0})
        for row in range(len(next(iter(points.values())))):
            values = np.full((len(probes), len(PLANE_QUANTITIES)), 0.01)
            for k, name in enumerate(points):
                for what, value in zip(("i_zx", "i_zy"), points[name][row], strict=True):
                    values[k, PLANE_QUANTITIES.index(what)] = value
            zeros = np.zeros((len(probes), len(probes)))
            pairs = {"covariance_i_zx": zeros, "covariance_i_zy": zeros}
            counts = {"n": 100, "n_sandwich": 100, "updates": row}
            writer.append("plane", row + 1, epoch=row + 1.0, values=values, **counts, **pairs)
    return path


def lines(ax):
    return {line.get_gid(): line for line in ax.lines}


def said(ax):
    return " ".join(text.get_text() for text in ax.texts).replace("\n", " ").replace("\u00a0", " ")


def test_the_curve_is_the_envelope_and_goes_on_at_i_xy():
    curve = bottleneck_curve(NOISY)
    x, y = lines(bottleneck(curve))["curve"].get_data()
    np.testing.assert_allclose(x[:-1], curve.envelope_i_xt)
    np.testing.assert_allclose(y[:-1], curve.envelope_i_ty)
    assert y[-1] == pytest.approx(curve.i_xy)
    assert x[-1] > curve.h_x


def test_a_table_is_taken_as_well_and_the_ends_are_marked_in_bit():
    ax = bottleneck(SURE)
    assert set(lines(ax)["h_x"].get_xdata()) == {2.0}
    assert lines(ax)["i_xy"].get_ydata()[0] == pytest.approx(1.0)
    assert "I(X;Y) = 1 bit" in said(ax)
    assert "H(X) = 2 bit" in said(ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("I(X;T) [bit]", "I(T;Y) [bit]")


def test_a_curve_in_nats_is_drawn_in_bit():
    bits, nats = (lines(bottleneck(bottleneck_curve(NOISY, base=base)))["curve"].get_xydata() for base in (2, math.e))
    assert nats[-2] == pytest.approx(bits[-2], rel=1e-3)


def test_the_side_beyond_the_curve_is_shaded():
    ax = bottleneck(SURE)
    (shade,) = [c for c in ax.collections if c.get_gid() == "above the curve"]
    (path,) = shade.get_paths()
    assert path.contains_point((0.2, 0.9))
    assert not path.contains_point((0.9, 0.2))


def test_dots_of_a_run_stand_at_its_bounds_and_are_named_as_such(tmp_path):
    run = write_run(tmp_path / "run.h5", {"fc1": [(3, 0.1), (2, 0.5)], "fc1@untrained": [(3, 0.05), (2.5, 0.1)]})
    ax = bottleneck(SURE, run)
    (dots,) = [c for c in ax.collections if c.get_gid() == "fc1"]
    np.testing.assert_allclose(dots.get_offsets(), [[3, 0.1], [2, 0.5]])
    np.testing.assert_allclose(lines(ax)["fc1@untrained"].get_xydata(), [[3, 0.05], [2.5, 0.1]])
    assert lines(ax)["fc1@untrained"].get_markerfacecolor() == "white"
    assert ax.get_xlabel() == "I(X;T) [bit]; dots: rate, upper bound"
    assert ax.get_ylabel() == "I(T;Y) [bit]; dots: lower bound"
    assert "N = 4, beta = 0.001, n = 100, test split; the truth lies to their left and above" in said(ax)
    assert ax.get_xlim()[1] > 3
    assert "fc1@untrained" not in lines(bottleneck(SURE, run, control=False))
    assert "above the curve" not in said(ax)


def test_dots_above_the_curve_are_drawn_and_counted(tmp_path):
    run = write_run(tmp_path / "run.h5", {"fc1": [(0.2, 0.9), (2, 0.5)]})
    ax = bottleneck(SURE, run, caption=False)
    (dots,) = [c for c in ax.collections if c.get_gid() == "fc1"]
    assert len(dots.get_offsets()) == 2
    assert said(ax).endswith("1 dot lies above the curve by more than three standard errors: not of this X and Y.")


@pytest.mark.parametrize(("point", "count"), [((0.5, 0.55), 0), ((0.5, 0.57), 1)])
def test_errors_of_rate_and_label_bound_both_count_before_a_dot_is_called_above(tmp_path, point, count):
    # The curve is the diagonal here, and three errors are 0.03 bit in either direction.
    text = said(bottleneck(SURE, write_run(tmp_path / "run.h5", {"fc1": [point]})))
    assert text.count("above the curve by more than three standard errors") == count


def test_points_that_are_not_finite_are_left_out_and_counted(tmp_path):
    ax = bottleneck(SURE, write_run(tmp_path / "run.h5", {"fc1": [(np.nan, 0.9), (2, 0.5)]}))
    assert "1 point is not finite and left out." in said(ax)


def test_own_axes_are_drawn_into_and_bad_tables_refused():
    mine = Figure(layout="constrained").subplots()
    assert bottleneck(SURE, ax=mine, title="mine", legend=False, caption=False) is mine
    assert (mine.get_title(), mine.get_legend()) == ("mine", None)
    with pytest.raises(InputError, match="joint"):
        bottleneck([0.5, 0.5])
