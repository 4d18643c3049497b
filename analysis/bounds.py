"""Variational bounds on the information in a stochastic code Z of X (Eqs. 8-13; Alemi et al. 2017).

    I(Z;X) <= E_x KL(p(z|x) || r(z)),  r = N(0, I)          Eq. 11: the rate
    I(Z;Y) >= H(Y) - E_{x,y} E_{z|x} [-log q(y|z)]          Eq. 9: entropy of the labels less the cross-entropy

Eqs. 9 and 10 are lower bounds though the text calls them upper ones, and Eq. 10 leaves out H(Y), which the paper's
values of 3.2 bit contain. The cross-entropy is the mean over draws of -log q(y|z); that of an averaged softmax is
smaller and bounds nothing. Per input everything is in nats, results are in units of ``base``, and nothing is clipped.

**Standard errors** are over inputs, sd / sqrt(n): draws of one input are no independent inputs. They leave out the
probe's training and the seed. Probes evaluated on the same inputs have correlated errors: take the error of a
difference from the covariances, whose entries are Cov(a, b) of the *means*:
Var(i[a] - i[b]) = C[a, a] + C[b, b] - 2 C[a, b].
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.information import entropy
from infoplane.analysis.moments import Floats, Moments
from infoplane.analysis.per_input import PerInput, class_labels, per_input
from infoplane.analysis.units import nats_per_unit, unit_name


def gaussian_kl(mean: Tensor, log_std: Tensor) -> Tensor:
    """Return KL(N(mean, s^2) || N(0, I)) of diagonal normals, in nats (the integral of Eq. 11 for one input).

    Parameters
    ----------
    mean, log_std : torch.Tensor
        Shape (n, N) each; `log_std` is ln s. It is asked for as a logarithm because an encoder that drives s to 0
        underflows s long before ln s is large.

    Returns
    -------
    torch.Tensor
        Shape (n,): the sum over dimensions of (mean^2 + s^2 - 1) / 2 - ln s. Differentiable.

    Raises
    ------
    InputError
        When the shapes differ or are not two-dimensional.
    """
    if mean.shape != log_std.shape or mean.ndim != 2:
        raise InputError(
            f"mean has shape {tuple(mean.shape)} and log_std {tuple(log_std.shape)}, "
            "but both must be (inputs, dimensions)"
        )
    return (0.5 * (mean.square() + (2 * log_std).exp() - 1) - log_std).sum(dim=1)


@dataclass(frozen=True)
class VIBBounds:
    """Bounds of P probes on one set of inputs, in units of `base`.

    Attributes
    ----------
    n : int
        Inputs.
    h_y : float
        Plug-in entropy H(Y) of the labels seen.
    i_zx : numpy.ndarray
        Shape (P,): the rate E KL, an upper bound on I(Z;X) of each probe's own code (Eq. 11).
    i_zy : numpy.ndarray
        Shape (P,): H(Y) less the cross-entropy, a lower bound on I(Z;Y) of that code (Eq. 9); may be negative.
    ce : numpy.ndarray
        Shape (P,): the cross-entropy, mean over draws and inputs of -log q(y|z).
    error : numpy.ndarray
        Shape (P,): share of inputs (not percent) that the softmax averaged over draws puts into a wrong class.
    se_i_zx, se_i_zy, se_ce : numpy.ndarray
        Shape (P,): standard errors over inputs; NaN for a single input. That of `i_zy` counts H(Y) as estimated from
        the same labels; with equally frequent labels it is that of `ce`.
    covariance_i_zx, covariance_i_zy : numpy.ndarray
        Shape (P, P): covariance of these means over inputs, in squared units. H(Y) cancels in a difference of two
        probes' `i_zy`.
    base : float
        Base of the logarithm.
    """

    n: int
    h_y: float
    i_zx: Floats
    i_zy: Floats
    ce: Floats
    error: Floats
    se_i_zx: Floats
    se_i_zy: Floats
    se_ce: Floats
    covariance_i_zx: Floats
    covariance_i_zy: Floats
    base: float

    @property
    def unit(self) -> str:
        """``"bit"``, ``"nat"``, ...: the unit of all informations."""
        return unit_name(self.base)


@dataclass(eq=False)
class BoundSums:
    """Sums over inputs from which the bounds of P probes follow; two of them merge into that of all inputs.

    Attributes
    ----------
    kl : Moments
        Of the P divergences, in nats.
    ce : Moments
        Of the P cross-entropies, in nats.
    class_ce : numpy.ndarray
        Shape (P, C): sums of the cross-entropy over the inputs of each class, in nats.
    class_counts : numpy.ndarray
        Shape (C,): inputs of each class.
    wrong : numpy.ndarray
        Shape (P,): misclassified inputs.
    """

    kl: Moments
    ce: Moments
    class_ce: Floats
    class_counts: NDArray[np.int64]
    wrong: NDArray[np.int64]

    @classmethod
    def zeros(cls, probes: int, classes: int) -> "BoundSums":
        """Return empty sums for `probes` probes and `classes` classes; InputError below 1 of either."""
        probes, classes = whole_number("probes", probes, least=1), whole_number("classes", classes, least=1)
        return cls(
            kl=Moments.zeros(probes),
            ce=Moments.zeros(probes),
            class_ce=np.zeros((probes, classes)),
            class_counts=np.zeros(classes, np.int64),
            wrong=np.zeros(probes, np.int64),
        )

    @property
    def n(self) -> int:
        """Inputs so far."""
        return self.kl.n

    def update(self, kl: PerInput, ce: PerInput, correct: PerInput, labels: Tensor | ArrayLike) -> None:
        """Add the inputs of one batch.

        Parameters
        ----------
        kl : torch.Tensor or array_like
            Shape (P, n): KL(p(z|x) || r) in nats.
        ce : torch.Tensor or array_like
            Shape (P, n): mean over draws of -ln q(y|z), in nats. NaN in one probe stays with that probe.
        correct : torch.Tensor or array_like
            Shape (P, n), booleans: whether the draw-averaged softmax puts the label first.
        labels : torch.Tensor or array_like
            Shape (n,), integers in 0 .. C - 1.

        Raises
        ------
        InputError
            When a shape does not fit or a label is no class; nothing has been added then.
        """
        probes, classes = self.class_ce.shape
        y = class_labels(labels, classes)
        given = {"kl": kl, "ce": ce, "correct": correct}
        rates, costs, right = (per_input(name, values, (probes, y.size)) for name, values in given.items())
        self.merge(
            BoundSums(
                kl=Moments.of(rates),
                ce=Moments.of(costs),
                class_ce=np.stack([np.bincount(y, weights=row, minlength=classes) for row in costs]),
                class_counts=np.bincount(y, minlength=classes),
                wrong=y.size - np.count_nonzero(right, axis=1),
            )
        )

    def merge(self, other: "BoundSums") -> None:
        """Add the inputs of `other`, which stays as it is; InputError when its probes or classes differ."""
        if not isinstance(other, BoundSums) or other.class_ce.shape != self.class_ce.shape:
            shape = other.class_ce.shape if isinstance(other, BoundSums) else type(other).__name__
            raise InputError(f"sums of (probes, classes) = {self.class_ce.shape} cannot take in those of {shape}")
        self.kl = self.kl.merged(other.kl)
        self.ce = self.ce.merged(other.ce)
        self.class_ce = self.class_ce + other.class_ce
        self.class_counts = self.class_counts + other.class_counts
        self.wrong = self.wrong + other.wrong

    def compute(self, base: float = 2) -> VIBBounds:
        """Return the bounds of all inputs so far.

        Parameters
        ----------
        base : float
            Base of the logarithm: 2 for bits, ``math.e`` for nats.

        Raises
        ------
        InputError
            When no input was added, or `base` is no finite number above 1.
        """
        unit = nats_per_unit(base)
        if not self.n:
            raise InputError("there are no inputs to compute bounds from: add at least one with update()")
        h_y = entropy(self.class_counts / self.n, base=base)
        rates, costs, gains = (m.covariance_of_means() / unit**2 for m in (self.kl, self.ce, self._gains()))
        return VIBBounds(
            n=self.n,
            h_y=h_y,
            i_zx=self.kl.mean / unit,
            i_zy=h_y - self.ce.mean / unit,
            ce=self.ce.mean / unit,
            error=self.wrong / self.n,
            se_i_zx=_roots(rates),
            se_i_zy=_roots(gains),
            se_ce=_roots(costs),
            covariance_i_zx=rates,
            covariance_i_zy=gains,
            base=float(base),
        )

    def _gains(self) -> Moments:
        """Return the moments of -ln share[y_n] - ce_n: to first order, what input n adds to the plug-in i_zy."""
        share = self.class_counts / self.n
        seen = share > 0
        counts, surprise = self.class_counts[seen], -np.log(share[seen])
        surprise -= share[seen] @ surprise
        with np.errstate(invalid="ignore"):
            mixed = (self.class_ce[:, seen] - counts * self.ce.mean[:, None]) @ surprise
        products = self.ce.products - mixed[:, None] - mixed[None, :] + counts @ surprise**2
        return Moments(self.n, -self.ce.mean, products)


def _roots(covariance: Floats) -> Floats:
    # A variance that is 0 may come out a rounding error below.
    roots: Floats = np.sqrt(np.maximum(np.diag(covariance), 0))
    return roots
