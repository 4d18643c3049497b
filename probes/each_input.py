"""What every single held-out input gave: the host's error and loss, each probe's rate and cross-entropy.

Their means over all inputs are the numbers of the row; the values themselves are what a comparison of runs on the same
inputs needs, such as a bootstrap over seeds and images.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from infoplane.probes.subset import Kept, Subset
from infoplane.probes.target import ClassTarget, Target

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class EachInput:
    """Results of m held-out inputs.

    Attributes
    ----------
    positions : numpy.ndarray
        Shape (m,), int64, ascending: where they are in the held-out data.
    error : numpy.ndarray
        Shape (m,): 1 where the host's output puts the input into a wrong class, else 0; of real labels the squared
        distance between output and label. NaN where the output cannot be read.
    loss : numpy.ndarray
        Shape (m,): cross-entropy of the host's own output in bit; NaN of real labels.
    rate : numpy.ndarray
        Shape (P, m): divergence of each probe's code of the input in bit, whose mean over all inputs is i_zx (Eq. 12).
    ce : numpy.ndarray
        Shape (P, m): mean over the draws of -log2 q(y|z), whose mean is H(Y) - i_zy (Eq. 9).
    """

    positions: NDArray[np.int64]
    error: Floats
    loss: Floats
    rate: Floats
    ce: Floats


class EachInputRecorder:
    """Collects what every input of a fixed subset gave; picklable, and merges with that of another rank.

    Parameters
    ----------
    subset : Subset
        Which inputs.
    probes : int
        P, the number of probes.
    """

    def __init__(self, subset: Subset, probes: int) -> None:
        self._probes, self._of_host, self._of_probes = probes, Kept(subset), Kept(subset)

    def add_output(self, read: Tensor, labels: Tensor, positions: Tensor, target: Target) -> None:
        """Add what the host said, as `read_output` gives it."""
        if isinstance(target, ClassTarget):
            error = (read.argmax(dim=1) != labels).float()
            loss = functional.nll_loss(read, labels, reduction="none") / math.log(2)
        else:
            error = (read - labels).square().sum(dim=1)
            loss = torch.full_like(error, torch.nan)
        self._of_host.add(positions, error=error, loss=loss)

    def add(self, kl: Tensor, ce: Tensor, positions: Tensor) -> None:
        """Add divergences and cross-entropies (P, n) of one batch, in nats."""
        self._of_probes.add(positions, rate=kl.T / math.log(2), ce=ce.T / math.log(2))

    def merge(self, other: "EachInputRecorder") -> None:
        """Add what another rank has collected of the same subset."""
        self._of_host.merge(other._of_host)
        self._of_probes.merge(other._of_probes)

    def result(self) -> EachInput:
        """Return what has been collected."""
        positions, of_probes, of_host = self._of_probes.positions(), self._of_probes.arrays(), self._of_host.arrays()
        unread = np.full(len(positions), np.nan, np.float32)
        none = np.empty((0, self._probes), np.float32)
        return EachInput(
            positions,
            of_host.get("error", unread),
            of_host.get("loss", unread),
            of_probes.get("rate", none).T,
            of_probes.get("ce", none).T,
        )
