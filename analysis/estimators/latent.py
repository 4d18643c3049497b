"""Latent mutual information: KSG on learned low-dimensional codes (Gowri et al. 2024).

Two encoders map x and y to codes of few dimensions, four decoders predict x and y from each of the two codes, and all
are trained to minimise the four mean squared errors per standardised column: codes that predict their own side and the
other. On samples that they have not seen,

    I(X;Y) >= I(code of x; code of y) ~ KSG        [nat]

by the data-processing inequality; what stands between the two is what the codes lose. The right side is estimated by
`ksg1`, whose own bias is downwards as a rule and not bounded: an ``estimate``. It is made for hundreds of columns with
a dependence of few dimensions.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from infoplane.analysis.errors import whole_number
from infoplane.analysis.estimators.critic_training import Training, trained
from infoplane.analysis.estimators.feed_forward import FeedForward
from infoplane.analysis.estimators.ksg1 import KSG1, ksg1
from infoplane.analysis.estimators.method import Floats, Labels, Method, Reading
from infoplane.analysis.estimators.single_labels import refuse_single_labels
from infoplane.analysis.estimators.three_parts import LEAST_N, Part, three_parts
from infoplane.analysis.finding import Finding

_EVALUATE, _CHOOSE = 0.4, 0.1  # KSG gains more from samples than the codes do
_ADVICE = {
    "ties": "equal samples have equal codes, which KSG reads too low; for labels take ross or doe",
    "wide_neighbourhoods": "take more samples, or fewer dimensions of the codes",
    "near_ceiling": "take more samples",
}


@dataclass(frozen=True)
class Latent(Training):
    """Parameters of `latent`: how the codes are trained, and what is done with them.

    Attributes
    ----------
    dimensions : int
        Of each code.
    k : int
        Neighbours of KSG.
    """

    hidden: int = 64
    batch: int = 128
    dimensions: int = 4
    k: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        whole_number("dimensions", self.dimensions, least=1)
        whole_number("k", self.k, least=1)


class CrossPredictor(nn.Module):
    """Two encoders and four decoders."""

    def __init__(self, dx: int, dy: int, hidden: int, dimensions: int, generator: torch.Generator) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(
            FeedForward((d, hidden, hidden, dimensions), generator, scale=1) for d in (dx, dy)
        )
        self.decoders = nn.ModuleList(
            FeedForward((dimensions, hidden, hidden, d), generator) for d in (dx, dy) for _ in range(2)
        )

    def codes(self, part: Part) -> tuple[Tensor, Tensor]:
        """Return the codes of x and of y, shapes (n, dimensions)."""
        return self.encoders[0](part.x), self.encoders[1](part.y)

    def error(self, part: Part) -> Tensor:
        """Return the sum of the four mean squared errors per column, a tensor without dimensions."""
        codes, total = self.codes(part), part.x.new_zeros(())
        for i, decoder in enumerate(self.decoders):
            total = total + (decoder(codes[i % 2]) - (part.x, part.y)[i // 2]).square().mean()
        return total


@torch.inference_mode(False)
def latent(x: Floats, y: Floats | Labels, parameters: Latent) -> Reading:
    """Return the information of learned codes of samples that the encoders have not seen.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, dx).
    y : numpy.ndarray
        Shape (n, dy), or (n,) labels.
    parameters : Latent
        How the codes are trained, their dimensions, and KSG's neighbours.

    Returns
    -------
    Reading
        In nats, without a standard error. Too low by what the codes lose and, as a rule, by the bias of KSG.

    Raises
    ------
    InputError
        When there are fewer than 20 samples, the part for evaluation, 40 % of them, has no more than k, or y is labels
        and most samples are alone with theirs.
    """
    refuse_single_labels(y)
    parts = three_parts(x, y, seed=parameters.seed, choose=_CHOOSE, evaluate=_EVALUATE)
    generator = parameters.generator()
    columns = parts.train.x.shape[1], parts.train.y.shape[1]
    fit = trained(
        CrossPredictor(*columns, parameters.hidden, parameters.dimensions, generator),
        lambda network, index: network.error(parts.train.rows(index)),
        lambda network: -float(network.error(parts.choose)),
        rows=len(parts.train),
        training=parameters,
        generator=generator,
        unit="1",
    )
    with torch.no_grad():
        codes = [code.double().numpy() for code in fit.network.codes(parts.evaluate)]
        unexplained = float(fit.network.error(parts.evaluate)) / 4
    reading = ksg1(codes[0], codes[1], KSG1(k=parameters.k, seed=parameters.seed))
    return Reading(
        nats=reading.nats,
        findings=fit.findings + tuple(map(_of_codes, reading.findings)),
        chosen={"evaluated": len(codes[0]), "unexplained": unexplained, **fit.chosen},
    )


def _of_codes(finding: Finding) -> Finding:
    """Return what KSG says of its variables as said of the codes, with what can be done about these."""
    where = f"codes of {finding.where}" if finding.where in ("x", "y") else "codes"
    return replace(finding, where=where, advice=_ADVICE.get(finding.code, finding.advice))


METHOD = Method(
    name="latent",
    function=latent,
    parameters=Latent,
    kind="estimate",
    x="continuous",
    y="either",
    assumes="codes of few dimensions, learned by predicting each side from both, hold all that x and y share",
    wrong_when="the dependence has more dimensions than the codes, or is a small part of the variance: far too low",
    source="Gowri et al. 2024 (NeurIPS); on the codes: Kraskov, Stögbauer & Grassberger 2004, Eq. 8",
    least_n=LEAST_N,
)
