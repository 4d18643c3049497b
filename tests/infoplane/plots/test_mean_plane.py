"""The mean plane of several seeds, and its ellipses."""

import math

import numpy as np
import pytest
from matplotlib.patches import Ellipse

import infoplane as ip
from infoplane.errors import InputError
from infoplane.plots import mean_plane
from infoplane.plots.ellipses import ellipse_factor

SHIFTS = [(0.0, 0.0), (6.0, 0.1), (-3.0, 0.3), (1.0, -0.2)]


@pytest.fixture
def runs(tmp_path, write_run):
    return [write_run(tmp_path / f"{k}.h5", shift=shift, seed=k) for k, shift in enumerate(SHIFTS)]


def ellipses(ax, site="hidden1"):
    return [patch for patch in ax.patches if isinstance(patch, Ellipse) and patch.get_gid() == f"{site} ellipse"]


def test_points_are_the_means_of_the_runs(runs, dots, said):
    ax = mean_plane(runs)
    rows = np.arange(6)
    expected = np.column_stack([390 - 50 * rows, 0.5 + 0.4 * rows]) + np.mean(SHIFTS, axis=0)
    np.testing.assert_allclose(dots(ax)["hidden1"].get_offsets(), expected)
    assert "Means of 4 runs." in said(ax)
    assert ax.get_title() == "mean of 4 runs"


@pytest.mark.parametrize("region", ["mean", "seed", "deviation"])
def test_the_edge_of_an_ellipse_is_where_the_quadratic_form_has_its_value(runs, region):
    drawn = ellipses(mean_plane(runs, region=region, level=0.9))
    assert len(drawn) == 1
    inverse = np.linalg.inv(np.cov(np.transpose(SHIFTS)))
    edge = drawn[0].get_patch_transform().transform(drawn[0].get_path().vertices) - drawn[0].center
    on_curve = edge[::3]  # every third vertex of its Bezier curves lies on it
    form = np.einsum("ki,ij,kj->k", on_curve, inverse, on_curve)
    np.testing.assert_allclose(form, ellipse_factor(4, region, 0.9), rtol=1e-6)


@pytest.mark.parametrize("runs", [3, 6])
def test_regions_hold_what_they_say_as_often_as_they_say(runs):
    generator = np.random.default_rng(runs)
    root, trials, level = np.array([[3.0, 0.0], [1.0, 0.2]]), 4000, 0.8
    draws = generator.normal(size=(trials, runs + 1, 2)) @ root.T
    seen, further = draws[:, :runs], draws[:, runs]
    mean = seen.mean(axis=1)
    away = seen - mean[:, None]
    inverse = np.linalg.inv(np.einsum("tki,tkj->tij", away, away) / (runs - 1))
    for region, point in (("mean", np.zeros_like(mean)), ("seed", further)):
        form = np.einsum("ti,tij,tj->t", point - mean, inverse, point - mean)
        held = np.mean(form <= ellipse_factor(runs, region, level))
        assert held == pytest.approx(level, abs=4 * math.sqrt(level * (1 - level) / trials))


def test_with_many_runs_the_factor_is_that_of_chi_square():
    assert ellipse_factor(10**6, "seed", 0.95) == pytest.approx(-2 * math.log(0.05), rel=1e-4)
    assert ellipse_factor(5, "mean", 0.95) == pytest.approx(25.472 / 5, rel=1e-4)
    assert math.isnan(ellipse_factor(2, "mean", 0.95))


def test_the_caption_says_what_the_ellipses_are(runs, said):
    text = said(mean_plane(runs, level=0.9))
    assert (
        "Ellipses at the last points: 90 % region of the mean over seeds (Hotelling, 4 runs, inputs not resampled)."
        in text
    )
    assert "Ellipses at the last points: one standard deviation of 4 seeds." in said(
        mean_plane(runs, region="deviation")
    )
    assert "Ellipses" not in said(mean_plane(runs, region="none"))


def test_the_frame_holds_an_ellipse_that_is_not_much_wider_than_the_points(tmp_path, write_run, said):
    near = [write_run(tmp_path / f"n{k}.h5", shift=(shift, 0.1 * k), seed=k) for k, shift in enumerate((-200, 0, 200))]
    ax = mean_plane(near, region="deviation")
    edges = [edge.get_patch_transform().transform_path(edge.get_path()).get_extents() for edge in ellipses(ax)]
    assert edges[0].x0 == pytest.approx(140 - 200)
    assert ax.get_xlim()[0] < edges[0].x0
    assert "reach" not in said(ax)


def test_two_runs_have_no_ellipse_and_one_run_is_a_plane(runs, said):
    two = mean_plane(runs[:2])
    assert not ellipses(two)
    assert "No ellipses: they need three runs." in said(two)
    assert "mean" not in said(mean_plane(runs[:1])).lower()


def test_each_path_has_one_ellipse_around_its_last_point(runs, dots):
    ax = mean_plane(runs)
    for site in ("hidden1", "hidden2"):
        (ellipse,) = ellipses(ax, site)
        np.testing.assert_allclose(ellipse.center, dots(ax)[site].get_offsets()[-1])


def test_points_make_the_limits_and_ellipses_that_reach_beyond_them_are_counted(tmp_path, write_run, runs, said):
    wide = [write_run(tmp_path / f"wide{k}.h5", shift=(150.0 * k, 0.2 * k**2), seed=k) for k in range(3)]
    ax, plain = mean_plane(wide), mean_plane(wide, region="none")
    assert (ax.get_xlim(), ax.get_ylim()) == (plain.get_xlim(), plain.get_ylim())
    assert "2 of 2 ellipses reach beyond the frame." in said(ax)
    assert "beyond the frame" not in said(mean_plane(runs, region="deviation"))
    assert "beyond the frame" not in said(plain)


def test_only_rows_of_all_runs_are_averaged(tmp_path, write_run, dots, said):
    runs = [write_run(tmp_path / f"{rows}.h5", rows=rows) for rows in (6, 4)]
    ax = mean_plane(runs)
    assert len(dots(ax)["hidden1"].get_offsets()) == 4
    assert "2 of 6 rows are not in all of these runs and left out." in said(ax)


def test_windows_that_hold_other_rows_in_one_run_than_in_another_are_refused(tmp_path, write_run):
    runs = [write_run(tmp_path / f"{rows}.h5", rows=rows) for rows in (6, 5)]
    with pytest.raises(InputError, match="window is 2, but these runs were measured at different steps"):
        mean_plane(runs, window=2)


def test_a_mean_of_which_a_run_failed_is_left_out(tmp_path, write_run, dots, said):
    runs = [write_run(tmp_path / f"{k}.h5", broken=[(1, 0)] * (k == 2)) for k in range(3)]
    ax = mean_plane(runs)
    assert len(dots(ax)["hidden1"].get_offsets()) == 5
    assert "1 point is not finite and left out." in said(ax)


def test_findings_of_any_run_ring_the_mean(tmp_path, write_run, lines):
    found = [(2, "hidden1", "odd", 0.4)]
    runs = [write_run(tmp_path / f"{k}.h5", rate=8, found=found * (k == 1)) for k in range(3)]
    ax = mean_plane(runs)
    assert len(lines(ax)["hidden1 findings"].get_xydata()) == 1


def test_runs_of_other_probes_or_twice_are_no_arm(tmp_path, write_run, runs):
    other = write_run(tmp_path / "other.h5", sites=("else",))
    with pytest.raises(InputError, match="no probe in common"):
        mean_plane([runs[0], other])
    with pytest.raises(InputError, match="twice"):
        mean_plane([runs[0], runs[0]])
    with pytest.raises(InputError, match="at least one run"):
        mean_plane([])
    with pytest.raises(InputError, match="'mean', 'seed', 'deviation', 'none'"):
        mean_plane(runs, region="standard")
    with pytest.raises(InputError, match="level is 95"):
        mean_plane(runs, level=95)


def test_patterns_studies_and_open_runs_are_taken_alike(tmp_path, runs, dots):
    points = dots(mean_plane(runs))["hidden1"].get_offsets()
    for given in (str(tmp_path / "*.h5"), ip.open_study(runs)):
        np.testing.assert_array_equal(dots(mean_plane(given))["hidden1"].get_offsets(), points)
    with ip.open_run(runs[0]) as first:
        np.testing.assert_array_equal(dots(mean_plane([first, *runs[1:]]))["hidden1"].get_offsets(), points)
        assert len(first.plane()) == 6


def test_no_label_covers_another(runs, overlapping):
    assert overlapping(mean_plane(runs)) == []
