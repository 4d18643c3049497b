"""Fig. 4: which reading of the formula is the printed surface, and what that does to the text."""

import matplotlib as mpl
import numpy as np
import pytest

from infoplane.analysis.delta_information import delta_information
from infoplane.experiments import paper
from infoplane.experiments.paper.figures import FIG4_STEP
from infoplane.experiments.reproduce import fig4, reproduce


@pytest.fixture(autouse=True)
def no_screen():
    mpl.use("Agg")


def test_only_the_transposed_array_at_one_fits_to_a_step_of_the_colours():
    of = {fit.candidate.name: fit for fit in fig4.fits()}
    expected = {  # worked out beforehand, apart from this code
        "axes as labelled, x = 0.5": (0.109, 0.07),
        "axes as labelled, x = 1": (0.134, 0.13),
        "transposed, x = 1": (0.0045, 0.9994),
        "transposed, x = 0.5": (0.056, 0.98),
        "transposed, x = 0.5, gamma = 2": (0.020, 0.98),
        "transposed, x = 1, in nat": (0.033, 0.9994),
    }
    assert set(of) == set(expected)
    for name, (rmse, correlation) in expected.items():
        assert of[name].rmse == pytest.approx(rmse, abs=6e-5 if rmse < 0.01 else 6e-4)
        assert round(of[name].correlation, 4 if correlation > 0.99 else 2) == correlation
    assert [name for name, fit in of.items() if fit.rmse < FIG4_STEP] == ["transposed, x = 1"]


def test_cells_of_a_candidate_are_at_the_centres():
    labelled, transposed = fig4.cells(fig4.CANDIDATES[1]), fig4.cells(fig4.CANDIDATES[2])
    # Row 10 and column 20 of the figure: as labelled zbar = 10.5/99 and w = -1 + 41/99; transposed the other way.
    assert labelled[10, 20] == pytest.approx(delta_information(41 / 99 - 1, zbar=10.5 / 99))
    assert transposed[10, 20] == pytest.approx(delta_information(21 / 99 - 1, zbar=20.5 / 99))
    assert np.array_equal(transposed, labelled.T)


def test_the_printed_axis_called_weight_is_the_activity():
    # All columns right of the middle lose, as the text says of positive weights: they are activities above the target.
    cells = paper.fig4()
    assert (cells[:, 50:] < FIG4_STEP).all()
    assert (cells[:, :49] > -FIG4_STEP).all()
    # and the print is not symmetric in its height, as it would be if that were zhat and the sign of w mattered
    assert np.abs(cells - cells[::-1]).max() > 0.3


def test_every_claim_has_its_verdict(tmp_path):
    result = reproduce("fig4", out=tmp_path / "new", quiet=True)
    words = {statement.claim: statement.verdict for statement in result.statements}
    assert [words[claim.text] for claim in fig4.CLAIMS] == [
        "contradicted",
        "contradicted",
        "reproduced",
        "reproduced",
        "reproduced",
        "contradicted",
        "contradicted",
        "not reproduced",
    ]
    sentence = str(result.statements[5])
    assert "-0.232 to +0.161 bit" in sentence
    assert "50 % of the grid's points with a positive weight gain" in sentence
    assert "exact mutual information +0.00076" in str(result.statements[7])
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        "fig4.png", "fig4.md", "fig4.json", "reproduce.json"
    }  # fmt: skip
    assert "| transposed, x = 1 | 0.0045 | 0.9994 |" in (tmp_path / "new" / "fig4.md").read_text()


def test_the_picture_shows_both_surfaces_and_their_difference(tmp_path, monkeypatch):
    from infoplane.experiments.reproduce import fig4_picture

    kept = []
    monkeypatch.setattr(fig4_picture, "save", lambda axes, path: kept.append(axes))
    ours = fig4.cells(fig4.CANDIDATES[2])
    grid = fig4.delta_information_surface()
    fig4_picture.picture(grid, ours, paper.fig4(), tmp_path / "any.png")
    upright, transposed, printed, difference = (np.asarray(ax.collections[0].get_array()) for ax in kept[0].flat)
    assert np.array_equal(upright.reshape(grid.values.shape), grid.values)
    assert np.array_equal(transposed.reshape(99, 99), ours)
    assert np.array_equal(printed.reshape(99, 99), paper.fig4())
    assert np.allclose(difference.reshape(99, 99), ours - paper.fig4())
    limits = {tuple(round(v, 6) for v in ax.collections[0].get_clim()) for ax in kept[0].flat[:3]}
    assert len(limits) == 1  # the three surfaces have one scale
