"""What the critics' estimators take from the scores T(x_i, y_j) of all pairs of n samples.

A pair i = j is a draw from p(x, y), a pair i != j one from p(x) p(y): a mean over all n (n - 1) of these is unbiased,
where a mean that includes i = j is not. Standard errors are over samples: sample i enters through its own pair, its row
and its column, so that errors are those of a sum of n influences, not of n^2 pairs. Where the critic is exact, rows and
columns all have one mean, and what is left of the error of Z is stated too large by up to a factor sqrt(2).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from infoplane.analysis.finding import Finding

_RESTS_ON_FEW = 0.25  # relative error of a mean of exponentials, above which its own error is not to be trusted


def of_joint(scores: Tensor) -> Tensor:
    """Return T(x_i, y_i), shape (n,)."""
    return scores.diagonal()


def of_product(scores: Tensor) -> Tensor:
    """Return T(x_i, y_j) for i != j, shape (n, n - 1)."""
    n = len(scores)
    return scores.flatten()[1:].view(n - 1, n + 1)[:, :-1].reshape(n, n - 1)


def log_mean_exp(scores: Tensor) -> Tensor:
    """Return log of the mean of e^T over pairs i != j, a tensor without dimensions."""
    return torch.logsumexp(of_product(scores).flatten(), 0) - math.log(len(scores) * (len(scores) - 1))


@dataclass(frozen=True, eq=False)
class Normaliser:
    """The mean Z of e^T over pairs i != j, with what sample i adds to it.

    Attributes
    ----------
    log : float
        log Z.
    influence : torch.Tensor
        Shape (n,): (mean over j of e^T_ij + mean over j of e^T_ji) / Z - 2, of mean 0.
    relative_error : float
        Standard error of Z over Z.
    """

    log: float
    influence: Tensor
    relative_error: float

    @classmethod
    def of(cls, scores: Tensor) -> "Normaliser":
        """Return that of the scores of all pairs, shape (n, n)."""
        n = len(scores)
        log = log_mean_exp(scores)
        weights = (scores - log).exp().fill_diagonal_(0)
        influence = (weights.sum(0) + weights.sum(1)) / (n - 1) - 2
        return cls(float(log), influence, standard_error(influence))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """``few_pairs`` where the mean of exponentials rests on a few of them."""
        if self.relative_error <= _RESTS_ON_FEW:
            return ()
        text = (
            "the mean of e^T over pairs of the product law rests on few of them, as its relative standard error shows"
        )
        advice = "the value and its standard error are not to be trusted; more samples, or a method without this mean"
        return (Finding("few_pairs", "evaluation", text, self.relative_error, "1", advice),)


def standard_error(influence: Tensor) -> float:
    """Return the standard error of a mean from what each sample adds to it, shape (n,)."""
    return float(influence.std() / math.sqrt(len(influence)))
