"""Fig. 4: the change of "information" when one weight of a sigmoid neuron is scaled; nothing is trained.

Every reading of the figure is computed at the centres of its own 99 x 99 cells and laid over the colours that were
read off the print. The one that fits to a colour step has p(x|z) = 1, log2, and the array transposed: so what the text
reads off the figure about positive and negative weights is about activities in truth.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoplane.analysis.delta_information import (
    FIG4_COLOUR_BAR,
    DeltaInformationSurface,
    delta_information,
    delta_information_surface,
)
from infoplane.analysis.samples import Floats
from infoplane.experiments import paper
from infoplane.experiments.paper.figures import FIG4_STEP
from infoplane.experiments.reproduce.claims import PaperClaim, Statement
from infoplane.experiments.reproduce.experiment import Experiment, Request, Scale
from infoplane.experiments.reproduce.outcome import Reproduction, Table

CLAIMS = (
    PaperClaim(text="the figure has synaptic strength across and zhat upwards", where="Fig. 4"),
    PaperClaim(text="it is drawn with p(x|z) = 0.5; another value only rescales it", where="section IV-B"),
    PaperClaim(text="at p(x|z) = 0 the change of information is 0", where="section IV-B"),
    PaperClaim(
        text="the mean activity of a sigmoid neuron whose inputs are uniform on (-1, 1) is 0.5", where="section IV-B"
    ),
    PaperClaim(text="all values lie between -1 and 1", where="caption of Fig. 4"),
    PaperClaim(text="at every positive weight scaling lowers the information", where="section IV-B"),
    PaperClaim(text="at every negative weight scaling raises the information", where="section IV-B"),
    PaperClaim(
        text="scaling lowers the average mutual information, and scaling positive weights alone does",
        where="section IV-B",
    ),
)


@dataclass(frozen=True)
class Candidate:
    """A reading of the figure: how it is named, how it is computed, and which way the array lies."""

    name: str
    transposed: bool
    options: dict[str, Any]


CANDIDATES = (
    Candidate("axes as labelled, x = 0.5", False, {"x": 0.5}),
    Candidate("axes as labelled, x = 1", False, {"x": 1.0}),
    Candidate("transposed, x = 1", True, {"x": 1.0}),
    Candidate("transposed, x = 0.5", True, {"x": 0.5}),
    Candidate("transposed, x = 0.5, gamma = 2", True, {"x": 0.5, "gamma": 2.0}),
    Candidate("transposed, x = 1, in nat", True, {"x": 1.0, "base": math.e}),
)
_BEST = CANDIDATES[2]


@dataclass(frozen=True)
class Fit:
    """How near a candidate comes to the printed cells: root mean square of the difference in bit, and correlation."""

    candidate: Candidate
    rmse: float
    correlation: float


def cells(candidate: Candidate) -> Floats:
    """Return a candidate at the centres of the figure's cells, in the layout of `infoplane.experiments.paper.fig4`."""
    centre = (np.arange(99) + 0.5) / 99  # of the way along an axis
    values: Floats = delta_information(2 * centre - 1, zbar=centre[:, None], **candidate.options)
    return values.T if candidate.transposed else values


def fits() -> tuple[Fit, ...]:
    """Return every candidate with its distance from the print."""
    printed = paper.fig4()
    found = []
    for candidate in CANDIDATES:
        ours = cells(candidate)
        rmse = math.sqrt(float(np.mean((ours - printed) ** 2)))
        found.append(Fit(candidate, rmse, float(np.corrcoef(ours.ravel(), printed.ravel())[0, 1])))
    return tuple(found)


def statements(found: tuple[Fit, ...]) -> tuple[Statement, ...]:
    """Return a verdict on each of `CLAIMS`."""
    of = {fit.candidate.name: fit for fit in found}
    best, half = of[_BEST.name], of[CANDIDATES[3].name]
    labelled = min(fit.rmse for fit in found if not fit.candidate.transposed)
    grid, half_grid = delta_information_surface(), delta_information_surface(x=0.5)
    stretch = float((grid.values * half_grid.values).sum() / (half_grid.values**2).sum())
    left = grid.values - stretch * half_grid.values
    at_zero = float(np.abs(delta_information_surface(x=0.0).values).max())
    exact = delta_information_surface(variant="exact")
    mean_activity = _mean_activity(np.linspace(-5, 5, 11))
    printed = paper.fig4()  # columns are what the print calls the weight
    right, left_half = printed[:, 50:].max(), printed[:, :49].min()
    of_sign = {sign: grid.values[:, np.sign(grid.w) == sign] for sign in (1, -1)}
    judged = (
        (
            "contradicted",
            f"RMSE {best.rmse:.4f} bit transposed, at least {labelled:.2f} as labelled",
            f"Transposed the formula gives the print to {best.rmse:.4f} bit (r = {best.correlation:.4f}), and one step "
            f"of its colours is {FIG4_STEP} bit: the horizontal axis is the mean activity from 0 to 1, the vertical "
            f"one the weight from -1 to 1.",
        ),
        (
            "contradicted",
            f"RMSE {best.rmse:.4f} bit with x = 1, {half.rmse:.3f} with 0.5",
            f"The print has p(x|z) = 1. It is no rescaling either: the surface at 1 is {stretch:.2f} times that at 0.5 "
            f"at best, and then still {np.abs(left).max():.2f} bit away from it.",
        ),
        ("reproduced" if at_zero == 0 else "contradicted", f"{at_zero:g} bit at most", ""),
        (
            "reproduced" if np.ptp(mean_activity) < 1e-9 else "contradicted",
            f"{mean_activity.mean():.6f} for weights from -5 to 5",
            "By symmetry, where there is no bias.",
        ),
        (
            "reproduced",
            f"{grid.minimum:.4f} to {grid.maximum:.4f} bit",
            f"The ends of its colour bar are {FIG4_COLOUR_BAR[0]:.4f} and {FIG4_COLOUR_BAR[1]:.4f}.",
        ),
        *(
            (
                "contradicted",
                _range_of(of_sign[sign]),
                f"{100 * np.mean(sign * of_sign[sign] > 0):.0f} % of the grid's points with a {word} weight "
                f"{'gain' if sign > 0 else 'lose'}: the sign is that of zhat, target less actual activity, whatever "
                f"the weight's. In the print as it is labelled it holds ({side}), for there the axis called weight is "
                "the activity.",
            )
            for sign, word, side in (
                (1, "positive", f"its right half is at most {right:+.3f} bit"),
                (-1, "negative", f"its left half is at least {left_half:+.3f} bit"),
            )
        ),
        (
            "not reproduced",
            f"mean {of_sign[1].mean():+.5f} bit at positive, {of_sign[-1].mean():+.5f} at negative weights; of the "
            f"exact mutual information {exact.mean:+.5f}",
            "By symmetry positive and negative weights do not differ. What is plotted is the change of ln p(z = 1 | x) "
            "at one x, whose small negative mean is the curvature of the softplus; of the mutual information itself, "
            "with X uniform on (-1, 1), the mean over the same grid has the other sign. Neither is an effect at first "
            "order in gamma, and the sign of such a mean depends on grid and input law.",
        ),
    )
    return tuple(
        Statement(claim=claim.text, where=claim.where, printed="", found=found_text, verdict=word, why=why)
        for claim, (word, found_text, why) in zip(CLAIMS, judged, strict=True)
    )


def work(request: Request) -> Reproduction:
    """Do the experiment."""
    from infoplane.experiments.reproduce.fig4_picture import picture

    found = fits()
    path = request.out / "fig4.png"
    picture(delta_information_surface(), cells(_BEST), paper.fig4(), path)
    table = Table(
        "Readings of the formula against the cells of the printed figure (99 x 99; a colour step is 0.0048 bit)",
        ["reading", "RMSE [bit]", "correlation"],
        [[fit.candidate.name, f"{fit.rmse:.4f}", f"{fit.correlation:.4f}"] for fit in found],
    )
    return Reproduction(
        name="fig4",
        scale=request.scale,
        setting="Eq. 22 less Eq. 21 with log2, gamma = 1 and b = 0 unless said otherwise; all scales are the same.",
        statements=statements(found),
        tables=(table, _ranges(delta_information_surface(), delta_information_surface(variant="exact"))),
        files=(path,),
    )


def _ranges(grid: DeltaInformationSurface, exact: DeltaInformationSurface) -> Table:
    rows = [("Eq. 22, x = 1", grid), ("exact mutual information, X uniform on (-1, 1)", exact)]
    return Table(
        "The change over w from -1 to 1 and mean activity from 0 to 1 (100 x 100), in bit",
        ["quantity", "least", "most", "mean", "mean, w > 0", "mean, w < 0"],
        [
            [name, *(f"{v:+.6f}" for v in (one.minimum, one.maximum, one.mean, *(_half(one, s) for s in (1, -1))))]
            for name, one in rows
        ],
    )


def _half(grid: DeltaInformationSurface, sign: int) -> float:
    return float(grid.values[:, np.sign(grid.w) == sign].mean())


def _range_of(values: Floats) -> str:
    return f"{values.min():+.3f} to {values.max():+.3f} bit"


def _mean_activity(weights: Floats) -> Floats:
    """Return E sigma(w X) for X uniform on (-1, 1), by quadrature."""
    nodes, shares = np.polynomial.legendre.leggauss(64)
    return np.asarray((1 / (1 + np.exp(-np.outer(weights, nodes))) * shares / 2).sum(axis=1))


_ALL = Scale("the formula on a grid, and the print's 99 x 99 cells", "seconds")
FIG4 = Experiment(
    name="fig4",
    about="the change of information by scaling one weight, over the printed surface",
    claims=CLAIMS,
    scales={"smoke": _ALL, "small": _ALL, "full": _ALL},
    work=work,
)
