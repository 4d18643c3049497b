"""The network's own output as a decoder, at the best of many temperatures.

    q_b(y|x) = softmax(b l(x))_y,    I(output;Y) >= H(Y) - E[-ln q_b(y|x)]    for every inverse temperature b

with l the logits or log-probabilities. Training makes outputs over- or underconfident, which costs bits that a number b
gives back (temperature scaling: Guo et al. 2017). b is fitted on one half of the inputs and read on the other: see
`infoplane.analysis.best_bound`. The halves are the even and the odd positions. Sums over inputs, which merge.
"""

from typing import Self

import numpy as np
import torch
from torch import Tensor

from infoplane.analysis.label_costs import ClassCosts
from infoplane.analysis.moments import Floats

INVERSE_TEMPERATURES = 2.0 ** np.arange(-6, 6.25, 0.25)
"""The b tried, from 1/64 to 64 in steps of 19 %: shape (49,)."""
_PLAIN = int(np.flatnonzero(INVERSE_TEMPERATURES == 1)[0])


class TemperatureCosts:
    """Cross-entropies of one network's output at every inverse temperature, by fold.

    Parameters
    ----------
    classes : int
        C.

    Attributes
    ----------
    classes : int
        C.
    folds : list of ClassCosts
        Of the inputs at even and at odd positions; one series per inverse temperature.
    """

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self.folds = [ClassCosts.zeros(len(INVERSE_TEMPERATURES), classes) for _ in range(2)]

    def update(self, log_probabilities: Tensor, labels: Tensor, positions: Tensor) -> None:
        """Add one batch.

        Parameters
        ----------
        log_probabilities : torch.Tensor
            Shape (n, C): ln q(y|x), as `infoplane.probes.host_output.read_output` gives it.
        labels : torch.Tensor
            Shape (n,), integers in 0 .. C - 1.
        positions : torch.Tensor
            Shape (n,), whole numbers.
        """
        own = log_probabilities.gather(1, labels[:, None])[:, 0]
        ce = torch.stack(
            [(b * log_probabilities).logsumexp(dim=1) - b * own for b in INVERSE_TEMPERATURES.tolist()]
        ).cpu()
        for fold, rows in enumerate(halves(positions)):
            self.folds[fold] = self.folds[fold].merged(self.folds[fold].of(ce[:, rows], labels.cpu()[rows]))

    def merge(self, other: Self) -> None:
        """Add the inputs of `other`, of as many classes."""
        self.folds = [mine.merged(theirs) for mine, theirs in zip(self.folds, other.folds, strict=True)]

    @property
    def loss(self) -> float:
        """Mean cross-entropy of the output as it is, in nats."""
        whole: Floats = self.folds[0].merged(self.folds[1]).ce.mean
        return float(whole[_PLAIN])


def halves(positions: Tensor) -> tuple[Tensor, Tensor]:
    """Return which inputs are at even and which at odd positions, as indices."""
    odd = (positions % 2).bool()
    return (~odd).nonzero()[:, 0], odd.nonzero()[:, 0]
