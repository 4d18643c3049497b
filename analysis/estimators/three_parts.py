"""Samples in three parts: one to train on, one to choose the best checkpoint by, one to evaluate on.

The evaluated part takes no part in training, in the standardisation or in the choice of the checkpoint: a bound of the
trained network on it holds in expectation.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimators.increasing_scores import IncreasingScores
from infoplane.analysis.estimators.method import Floats, Labels, need
from infoplane.analysis.generator import own_generator

LEAST_N = 20
_MOST = 4096  # samples for choosing and for evaluating: all their pairs are scored, 16.8 million


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the samples, as a network reads them.

    Attributes
    ----------
    x : torch.Tensor
        Shape (n, dx), float32, standardised.
    y : torch.Tensor
        Shape (n, dy), float32: standardised, or one-hot for labels.
    """

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def rows(self, index: Tensor | slice) -> "Part":
        """Return those samples of it."""
        return Part(self.x[index], self.y[index])


@dataclass(frozen=True, eq=False)
class Parts:
    """The three parts."""

    train: Part
    choose: Part
    evaluate: Part

    def without_x(self) -> "Parts":
        """Return them with a constant in the place of x."""
        return Parts(
            *(Part(part.x.new_ones(len(part), 1), part.y) for part in (self.train, self.choose, self.evaluate))
        )


def three_parts(x: Floats, y: Floats | Labels, *, seed: int, choose: float = 0.15, evaluate: float = 0.25) -> Parts:
    """Split samples at random, and standardise each continuous column by the ranks of the part to train on.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, dx).
    y : numpy.ndarray
        Shape (n, dy), or (n,) integers 0 .. K - 1, which are one-hot encoded.
    seed : int
        Of the split.
    choose, evaluate : float
        Shares of the samples, 4096 samples at most each.

    Returns
    -------
    Parts

    Raises
    ------
    InputError
        When there are fewer than 20 samples, or more than 4096 different labels.
    """
    n = len(x)
    need(n, LEAST_N, "a network that is trained on one part and evaluated on another")
    order = own_generator(seed).permutation(n)
    sizes = [min(int(share * n), _MOST) for share in (choose, evaluate)]
    chosen_by, evaluated, trained = np.split(order, np.cumsum(sizes))
    sides = []
    for side in (x, y):
        if side.dtype == np.int64:
            sides.append(torch.as_tensor(_one_hot(side.astype(np.int64)), device="cpu"))
        else:
            scores = _standardised(side.astype(np.float64), trained)
            sides.append(torch.as_tensor(scores, dtype=torch.float32, device="cpu"))
    whole = Part(*sides)
    train, choice, evaluation = (
        whole.rows(torch.as_tensor(rows, device="cpu")) for rows in (trained, chosen_by, evaluated)
    )
    return Parts(train=train, choose=choice, evaluate=evaluation)


def _one_hot(labels: Labels) -> NDArray[np.float32]:
    classes = int(labels.max()) + 1
    if classes > _MOST:
        raise InputError(
            f"y has {classes} different labels among {len(labels)} samples, but a network takes one input for each, "
            f"at most {_MOST}; give coarser labels, or floats if they are quantities"
        )
    return np.eye(classes, dtype=np.float32)[labels]


def _standardised(side: Floats, trained: Labels) -> Floats:
    return IncreasingScores.fitted(side[trained])(side)
