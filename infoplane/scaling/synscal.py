"""SynScaL: synaptic scaling as a loss on the output (Hofmann and Mäder 2022, Eqs. 17-18).

The total loss is L + gamma * penalty, with one of two penalties for C classes, n inputs, logits a and p =
softmax(a)::

    prob         1/n sum_n sum_k (1/C - p_nk)²  =  1/n sum_n sum_k p_nk² - 1/C       Eq. 18 as printed
    logit_mean   (1/C - 1/(nC) sum_n sum_k a_nk)²                                    the authors' published
    code

They are different regularisers. `prob` is a confidence penalty: it lies between 0 (uniform p) and 1 - 1/C
(certainty). `logit_mean` is a gauge term: a constant added to all logits changes no probability and no
cross-entropy, so the output bias alone can bring the penalty to 0, and for each input its gradient in the
logits is orthogonal to that of the cross-entropy. It acts on the network only through the parameters that the
logits share. The published code has the constant 0.1, which is 1/C for its ten classes. (The mean of p over
the classes *inside* the square would be 1/C whatever the network does.) Both penalties are pure numbers.
"""

from dataclasses import dataclass
from numbers import Real

import torch
from torch import Tensor

from infoplane.analysis.errors import InputError, near_names

MODES = ("prob", "logit_mean")


@dataclass(frozen=True)
class SynScaL:
    """The scaling loss; call it with logits and add the result to the loss.

    ::

        scaling = SynScaL()
        loss = F.cross_entropy(logits, labels) + scaling(logits)

    Parameters
    ----------
    mode : {"prob", "logit_mean"}
        Eq. 18 as printed, or the authors' published code; see the module's text.
    gamma : float
        Scaling rate, finite and >= 0 (the paper's experiments: 1.0).

    Raises
    ------
    InputError
        An argument is out of range.
    """

    mode: str = "prob"
    gamma: float = 1.0

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise InputError(
                f"mode {self.mode!r} is unknown; accepted: "
                f"{', '.join(map(repr, MODES))}{near_names(str(self.mode), MODES)}"
            )
        if isinstance(self.gamma, bool) or not isinstance(self.gamma, Real) or not 0 <= self.gamma < float("inf"):
            raise InputError(f"gamma={self.gamma!r} cannot be used; accepted: a finite number >= 0")

    def __call__(self, logits: Tensor) -> Tensor:
        """Return gamma times the penalty of Eq. 18.

        Parameters
        ----------
        logits : torch.Tensor
            Shape ``(n, C)``, real floating point, before any softmax.

        Returns
        -------
        torch.Tensor
            Scalar with a graph, at least float32.

        Raises
        ------
        InputError
            `logits` has another shape or dtype, no rows, or fewer than two classes.
        """
        if not isinstance(logits, Tensor) or not logits.is_floating_point():
            kind = logits.dtype if isinstance(logits, Tensor) else type(logits).__name__
            raise InputError(
                f"logits are of type {kind}; accepted: a floating-point torch.Tensor of shape (n, classes)"
            )
        if logits.ndim != 2 or logits.shape[0] < 1 or logits.shape[1] < 2:
            raise InputError(
                f"logits have shape {tuple(logits.shape)}; accepted: (n, classes) with n >= 1 and classes >= 2"
            )
        values = logits.to(torch.promote_types(logits.dtype, torch.float32))
        share = 1.0 / values.shape[1]
        if self.mode == "prob":
            return self.gamma * (share - torch.softmax(values, dim=1)).square().sum(dim=1).mean()
        return self.gamma * (share - values.mean()).square()

    @property
    def configuration(self) -> dict[str, str | float]:
        """What a run file should keep of this object, in types that JSON has."""
        return {"method": "SynScaL", "mode": self.mode, "gamma": float(self.gamma)}
