"""The look: its settings, sizes, and colours as colour-blind eyes see them."""

import matplotlib as mpl
import numpy as np
import pytest

from infoplane.errors import InputError
from infoplane.plots import COLUMN, PAGE, SLIDE, plane, theme
from infoplane.plots.theme import shades, site_styles


def test_theme_ends_with_its_block_and_keeps_text_as_text():
    before = dict(mpl.rcParams)
    with theme():
        assert mpl.rcParams["font.size"] == 8
        assert (mpl.rcParams["pdf.fonttype"], mpl.rcParams["svg.fonttype"]) == (42, "none")
        assert not mpl.rcParams["axes.spines.top"]
    assert dict(mpl.rcParams) == before


def test_theme_ends_after_an_exception_too():
    before = dict(mpl.rcParams)
    with pytest.raises(ValueError, match="mine"), theme():
        raise ValueError("mine")
    assert dict(mpl.rcParams) == before


def test_columns_are_85_and_180_millimetres():
    assert pytest.approx(85) == 25.4 * COLUMN
    assert pytest.approx(180) == 25.4 * PAGE


def test_sites_differ_in_colour_and_marker():
    styles = list(site_styles([f"site{i}" for i in range(56)]).values())
    assert len(set(styles)) == 56
    assert len({color for color, _ in styles[:7]}) == len({marker for _, marker in styles[:7]}) == 7


@pytest.mark.parametrize("color", [color for color, _ in site_styles([str(i) for i in range(7)]).values()])
def test_shades_darken_all_the_way(color, lightness):
    values = [lightness(shades(color)(share)[:3]) for share in np.linspace(0, 1, 21)]
    assert np.all(np.diff(values) < 0)


# Machado, Oliveira, Fernandes (2009), severity 1, on linear RGB.
DEFICIENCIES = {
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}


def colour_space(linear):
    """CIELAB under D65 of linear RGB."""
    white = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = (np.cbrt(np.asarray(white) @ linear / np.sum(white, axis=1))).tolist()
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_all_sites_differ_to_colour_blind_eyes(deficiency):
    colors = np.array([mpl.colors.to_rgb(color) for color, _ in site_styles([str(k) for k in range(7)]).values()])
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    seen = [colour_space(np.clip(np.array(DEFICIENCIES[deficiency]) @ color, 1e-3, 1)) for color in linear]
    gaps = [np.linalg.norm(a - b) for k, a in enumerate(seen) for b in seen[:k]]
    assert min(gaps) > 15  # a difference of 2.3 is just seen side by side


def test_a_slide_has_larger_text_and_figures_of_its_own(run_path):
    with theme("slide"):
        assert mpl.rcParams["font.size"] == 14
        ax = plane(run_path)
        assert ax.figure.get_figwidth() == pytest.approx(SLIDE)
        assert ax.title.get_fontsize() == 14
        shape = ax.figure.get_figwidth() / ax.figure.get_figheight()
    assert 1.3 < shape < 1.9
    small = plane(run_path)
    assert small.figure.get_figwidth() == pytest.approx(COLUMN)
    (wide,), (thin,) = ([c.get_sizes() for c in axes.collections if c.get_gid() == "hidden1"] for axes in (ax, small))
    np.testing.assert_allclose(np.sqrt(wide / thin), 1.75)


def test_a_theme_that_there_is_not_is_refused():
    with pytest.raises(InputError, match="no theme 'slides'; did you mean 'slide'"), theme("slides"):
        pass
