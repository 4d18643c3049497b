"""The confidence penalty (Pereyra et al. 2017; Hofmann and Mäder 2022, Eq. 7).

The loss is that of the labels less the weighted entropy of the prediction, in nats, mean over the batch::

    1/n sum_n [ -ln p(y_n|x_n) - weight H(p(.|x_n)) ],   H(p) = -sum_k p_k ln p_k

The term lies between -weight ln C (uniform p) and 0 (certainty), so the whole loss may be negative. The paper gives the
weight (its beta) as 1.0 for its appendix, and none for Tables I to III; Pereyra et al. tuned it by data set. An input
whose label is certain costs least where p_y = q solves q ln(q (C - 1) / (1 - q)) = 1 / weight: for ten classes and
weight 1 at q = 0.476, so that a network which fits its training set perfectly gives the right class less than half.
"""

import math
from dataclasses import dataclass
from numbers import Real

import torch
from torch import Tensor

from infoplane.analysis.errors import InputError
from infoplane.loss_inputs import class_logits


@dataclass(frozen=True)
class ConfidencePenalty:
    """The penalty; call it with logits and add the result to the cross-entropy.

    Parameters
    ----------
    weight : float
        Finite and >= 0; the paper's beta.

    Raises
    ------
    InputError
        `weight` is out of range.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.weight, bool) or not isinstance(self.weight, Real) or not 0 <= self.weight < math.inf:
            raise InputError(f"the penalty's weight is {self.weight!r}; accepted: a finite number >= 0")

    def __call__(self, logits: Tensor) -> Tensor:
        """Return -weight times the mean entropy of the predictions in nats.

        Parameters
        ----------
        logits : torch.Tensor
            Shape ``(n, C)``, before any softmax.

        Returns
        -------
        torch.Tensor
            Scalar with a graph, at least float32.

        Raises
        ------
        InputError
            `logits` has another shape or dtype.
        """
        # Never the logarithm of a softmax: a probability that underflows would give 0 times -inf.
        logs = torch.log_softmax(class_logits(logits), dim=1)
        return self.weight * (logs.exp() * logs).sum(dim=1).mean()
