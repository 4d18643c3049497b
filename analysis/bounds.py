"""Variational bounds on the information in a stochastic code Z of X (Eqs. 8-13; Alemi et al. 2017).

    I(Z;X) <= E_x KL(p(z|x) || r(z)),  r = N(0, I)          Eq. 11: the rate
    I(Z;Y) >= H(Y) - E_{x,y} E_{z|x} [-log q(y|z)]          Eq. 9: entropy of the labels less the cross-entropy
    I(Z;X|Y) <= E_{x,y} KL(p(z|x) || b(z|y))                the rate given the label (Fischer 2020)

Eqs. 9 and 10 are lower bounds though the text calls them upper ones, and Eq. 10 leaves out H(Y), which the paper's
values of 3.2 bit contain. The cross-entropy is the mean over draws of -log q(y|z); that of an averaged softmax is
smaller and bounds nothing. Per input everything is in nats, results are in units of ``base``, and nothing is clipped.

**Standard errors** are over inputs, sd / sqrt(n): draws of one input are no independent inputs. They leave out the
probe's training and the seed. Probes evaluated on the same inputs have correlated errors: take the error of a
difference from the covariances, whose entries are Cov(a, b) of the *means*:
Var(i[a] - i[b]) = C[a, a] + C[b, b] - 2 C[a, b].
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.label_costs import ClassCosts, LabelCosts, RealCosts
from infoplane.analysis.moments import Floats, Moments
from infoplane.analysis.per_input import PerInput, per_input
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
        Entropy of the labels: of classes the plug-in entropy of those seen; of real numbers the known differential
        entropy, or that of a normal with the covariance seen.
    kind : {"lower_bound", "estimate"}
        What `i_zy` is: no bound where the differential entropy of real labels is an estimate.
    i_zx : numpy.ndarray
        Shape (P,): the rate E KL, an upper bound on I(Z;X) of each probe's own code (Eq. 11).
    i_zy : numpy.ndarray
        Shape (P,): H(Y) less the cross-entropy, a lower bound on I(Z;Y) of that code (Eq. 9); may be negative.
    i_zx_given_y : numpy.ndarray
        Shape (P,): the rate given the label, an upper bound on I(Z;X|Y); NaN where there is none.
    ce : numpy.ndarray
        Shape (P,): the cross-entropy, mean over draws and inputs of -log q(y|z).
    error : numpy.ndarray
        Shape (P,): share of inputs (not percent) that the softmax averaged over draws puts into a wrong class. Of real
        labels the share of their variance that the prediction averaged over draws leaves unexplained, 1 - R^2.
    se_i_zx, se_i_zy, se_i_zx_given_y, se_ce : numpy.ndarray
        Shape (P,): standard errors over inputs; NaN for a single input. That of `i_zy` counts H(Y) as estimated from
        the same labels; with equally frequent classes, or a known H(Y), it is that of `ce`.
    covariance_i_zx, covariance_i_zy : numpy.ndarray
        Shape (P, P): covariance of these means over inputs, in squared units. H(Y) cancels in a difference of two
        probes' `i_zy`.
    base : float
        Base of the logarithm.
    """

    n: int
    h_y: float
    kind: Literal["lower_bound", "estimate"]
    i_zx: Floats
    i_zy: Floats
    i_zx_given_y: Floats
    ce: Floats
    error: Floats
    se_i_zx: Floats
    se_i_zy: Floats
    se_i_zx_given_y: Floats
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
    given_label : Moments
        Of the P divergences from b(z|y), in nats.
    costs : LabelCosts
        Of the P cross-entropies.
    correct : numpy.ndarray
        Shape (P,): inputs put into the right class, or squared errors.
    """

    kl: Moments
    given_label: Moments
    costs: LabelCosts
    correct: Floats

    @classmethod
    def zeros(cls, probes: int, classes: int) -> "BoundSums":
        """Return empty sums for `probes` probes and `classes` classes; InputError below 1 of either."""
        return cls._without_inputs(ClassCosts.zeros(whole_number("probes", probes, least=1), classes))

    @classmethod
    def of_real_labels(cls, probes: int, dimensions: int, entropy: float | None = None) -> "BoundSums":
        """Return empty sums for labels of `dimensions` real numbers, with their h(Y) in nats where it is known."""
        return cls._without_inputs(RealCosts.zeros(whole_number("probes", probes, least=1), dimensions, entropy))

    @classmethod
    def _without_inputs(cls, costs: LabelCosts) -> "BoundSums":
        probes = costs.shape[0]
        return cls(Moments.zeros(probes), Moments.zeros(probes), costs, np.zeros(probes))

    @property
    def n(self) -> int:
        """Inputs so far."""
        return self.kl.n

    def update(
        self,
        kl: PerInput,
        ce: PerInput,
        correct: PerInput,
        labels: Tensor | ArrayLike,
        given_label: PerInput | None = None,
    ) -> None:
        """Add the inputs of one batch.

        Parameters
        ----------
        kl : torch.Tensor or array_like
            Shape (P, n): KL(p(z|x) || r) in nats.
        ce : torch.Tensor or array_like
            Shape (P, n): mean over draws of -ln q(y|z), in nats. NaN in one probe stays with that probe.
        correct : torch.Tensor or array_like
            Shape (P, n): whether the draw-averaged softmax puts the label first; of real labels the squared error of
            the draw-averaged prediction, summed over dimensions.
        labels : torch.Tensor or array_like
            Shape (n,), integers in 0 .. C - 1; or (n, dimensions), real numbers.
        given_label : torch.Tensor or array_like, optional
            Shape (P, n): KL(p(z|x) || b(z|y)) in nats; NaN where it is not known, and everywhere when left out.

        Raises
        ------
        InputError
            When a shape does not fit or a label is none; nothing has been added then.
        """
        costs = self.costs.of(ce, labels)
        shape = (costs.shape[0], costs.n)
        given = np.full(shape, np.nan) if given_label is None else given_label
        rates, residual = per_input("kl", kl, shape), per_input("given_label", given, shape)
        hits = per_input("correct", correct, shape).sum(axis=1)
        self.merge(BoundSums(Moments.of(rates), Moments.of(residual), costs, hits))

    def merge(self, other: "BoundSums") -> None:
        """Add the inputs of `other`, which stays as it is; InputError when its probes or classes differ."""
        fits = isinstance(other, BoundSums) and type(other.costs) is type(self.costs)
        if not fits or other.costs.shape != self.costs.shape:
            shape = other.costs.shape if isinstance(other, BoundSums) else type(other).__name__
            raise InputError(f"sums of (probes, classes) = {self.costs.shape} cannot take in those of {shape}")
        self.kl = self.kl.merged(other.kl)
        self.given_label = self.given_label.merged(other.given_label)
        self.costs = self.costs.merged(other.costs)
        self.correct = self.correct + other.correct

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
        ce, h_y = self.costs.ce, self.costs.entropy() / unit
        rates, residual, costs, gains = (
            moments.covariance_of_means() / unit**2
            for moments in (self.kl, self.given_label, ce, self.costs.gains(self.costs))
        )
        return VIBBounds(
            n=self.n,
            h_y=h_y,
            kind=self.costs.kind,
            i_zx=self.kl.mean / unit,
            i_zy=h_y - ce.mean / unit,
            i_zx_given_y=self.given_label.mean / unit,
            ce=ce.mean / unit,
            error=self.costs.error(self.correct),
            se_i_zx=_roots(rates),
            se_i_zy=_roots(gains),
            se_i_zx_given_y=_roots(residual),
            se_ce=_roots(costs),
            covariance_i_zx=rates,
            covariance_i_zy=gains,
            base=float(base),
        )


def _roots(covariance: Floats) -> Floats:
    # A variance that is 0 may come out a rounding error below.
    roots: Floats = np.sqrt(np.maximum(np.diag(covariance), 0))
    return roots
