"""The heat map of the change of information."""

import math

import numpy as np
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

import infoplane as ip
from infoplane.errors import InputError
from infoplane.plots import surface, surface3d, theme


def mesh_of(ax):
    (mesh,) = [c for c in ax.collections if isinstance(c, QuadMesh)]
    return mesh


def colorbars(ax):
    return [other for other in ax.figure.axes if other is not ax]


def test_surface_has_weights_along_x_and_activity_along_y(lines, said):
    grid = ip.delta_information_surface()
    ax = surface(grid)
    np.testing.assert_array_equal(mesh_of(ax).get_array(), grid.values)
    coordinates = mesh_of(ax).get_coordinates()
    np.testing.assert_allclose(coordinates[0, :, 0], np.linspace(-1, 1, 100))
    np.testing.assert_allclose(coordinates[:, 0, 1], np.linspace(0, 1, 100))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("weight w", "mean activity")
    assert set(lines(ax)["target"].get_ydata()) == {0.5}
    assert "Transposed" not in said(ax)


def test_the_right_way_up_activity_below_the_target_gains_whatever_the_sign_of_the_weight():
    values = mesh_of(surface()).get_array()
    below = np.linspace(0, 1, 100) < 0.5
    assert np.all(values[below] > 0)
    assert np.all(values[~below] < 0)


def test_as_printed_transposes_the_array_and_says_so(lines, said):
    grid = ip.delta_information_surface()
    ax = surface(grid, as_printed=True, caption=False)
    values = mesh_of(ax).get_array()
    np.testing.assert_array_equal(values, grid.values.T)
    # The printed figure is darkest at the lower left, and palest at the lower right.
    assert (values[0, 0], values[0, -1]) == pytest.approx((0.48934, -0.55998), abs=1e-5)
    assert "Transposed, as printed in the paper's Fig. 4" in said(ax)
    assert "as labelled in print" in ax.get_xlabel()
    assert "target" not in lines(ax)


def test_surface_is_white_at_zero_with_a_colour_bar_in_its_unit():
    ax = surface()
    norm = mesh_of(ax).norm
    assert norm.vmin == -norm.vmax == pytest.approx(-0.559984, abs=1e-6)
    assert norm(0.0) == 0.5
    assert min(mesh_of(ax).get_cmap()(0.5)[:3]) > 0.95
    assert [bar.get_ylabel() for bar in colorbars(ax)] == ["ΔI [bit]"]
    nats = surface(ip.delta_information_surface(base=math.e))
    assert [bar.get_ylabel() for bar in colorbars(nats)] == ["ΔI [nat]"]
    assert colorbars(surface(colorbar=False)) == []


def test_contours_are_labelled_and_dashed_below_zero():
    ax = surface()
    (contours,) = [c for c in ax.collections if isinstance(c, ContourSet)]
    np.testing.assert_allclose(contours.levels, [-0.5, -0.4, -0.3, -0.2, -0.1, 0.1, 0.2, 0.3, 0.4], atol=1e-12)
    assert {text.get_text() for text in contours.labelTexts} >= {"−0.2", "−0.1", "+0.1", "+0.2"}
    styles = [style[1] is None for style in contours.get_linestyle()]
    assert styles == [False] * 5 + [True] * 4


def test_caption_names_equation_and_parameters(said):
    text = said(surface())
    assert "Eq. 22 with p(x|z) = 1, gamma = 1, b = 0, target = 0.5" in text
    assert "change of log p(z = 1|x), not of a mutual information" in text
    exact = said(surface(ip.delta_information_surface(variant="exact", x=0.5)))
    assert "mutual information of the neuron, X uniform on (-0.5, 0.5)" in exact
    assert "Eq." not in said(surface(caption=False))


@pytest.mark.parametrize("variant", ["eq22", "appendix_delta", "exact"])
def test_the_target_is_stated_where_no_line_shows_it(variant, said):
    grid = ip.delta_information_surface(20, variant=variant, z_target=0.4)
    for ax in (surface(grid, as_printed=True), surface3d(grid)):
        assert not [line for line in ax.lines if line.get_gid() == "target"]
        assert "target = 0.4" in said(ax)


@pytest.mark.parametrize("variant", ["eq22", "eq25", "eq24", "appendix_delta", "exact"])
@pytest.mark.parametrize("as_printed", [False, True])
def test_every_variant_is_drawn_without_overlaps(variant, as_printed, overlapping):
    ax = surface(ip.delta_information_surface(40, variant=variant, b=0.5), as_printed=as_printed)
    (contours,) = [c for c in ax.collections if isinstance(c, ContourSet)]
    labels = list(contours.labelTexts)
    assert labels
    assert overlapping(ax, but=labels) == []
    places = ax.transData.transform([label.get_position() for label in labels]) * 72 / ax.figure.dpi
    gaps = np.linalg.norm(places[:, None] - places[None], axis=-1)[np.triu_indices(len(labels), 1)]
    assert np.all(gaps > 8)  # their letters are 6.5 points high, and they lie along their contours


def test_a_surface_of_zeros_has_no_contours():
    ax = surface(ip.delta_information_surface(gamma=0.0))
    assert not [c for c in ax.collections if isinstance(c, ContourSet)]


def test_surface_draws_on_given_axes():
    mine = Figure(layout="constrained").subplots()
    assert surface(ax=mine) is mine


def test_surface3d_is_the_same_array_in_perspective_with_contours_on_the_floor(said):
    grid = ip.delta_information_surface(30)
    ax = surface3d(grid)
    assert ax.name == "3d"
    solid = next(c for c in ax.collections if isinstance(c, Poly3DCollection))
    norm = solid.norm
    assert norm(0.0) == 0.5
    assert norm.vmax == pytest.approx(np.abs(grid.values).max())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("weight w", "mean activity")
    assert ax.get_zlim()[0] < grid.values.min()
    assert [bar.get_ylabel() for bar in colorbars(ax)] == ["ΔI [bit]"]
    assert "ΔI" not in said(ax)
    assert "Eq. 22 with p(x|z) = 1" in said(ax)


def test_surface3d_draws_on_three_dimensional_axes_alone():
    mine = Figure().add_subplot(projection="3d")
    assert surface3d(ax=mine, colorbar=False, caption=False) is mine
    assert "ΔI [bit]" in [text.get_text() for text in mine.texts]
    with pytest.raises(InputError, match="ax is two-dimensional"):
        surface3d(ax=Figure().subplots())


@pytest.mark.parametrize("name", ["paper", "slide"])
def test_the_caption_in_perspective_stays_within_the_figure(name):
    with theme(name):
        ax = surface3d(ip.delta_information_surface(10))
        ax.figure.draw_without_rendering()
        (caption,) = [text for text in ax.texts if text.get_gid() == "caption"]
        box = caption.get_window_extent()
    assert box.x0 > 0
    assert box.x1 < ax.figure.bbox.x1


def test_surface3d_of_zeros_has_no_contours():
    ax = surface3d(ip.delta_information_surface(10, gamma=0.0))
    assert not [c for c in ax.collections if isinstance(c, ContourSet)]
