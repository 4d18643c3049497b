"""What decoders lose on labels: sums over inputs from which cross-entropies, H(Y) and the errors of both follow.

Per input everything is in nats. H(Y) is estimated from the same labels: of classes the plug-in entropy; of real numbers
that of a normal with the covariance seen, unless their differential entropy is known. To first order the estimated
H(Y) is a mean over inputs too, of the **surprise** u_n: -ln share[y_n] of classes, half the squared Mahalanobis
distance of real numbers, 0 where H(Y) is known. Hence the error of H(Y) - CE is that of the mean of u_n - ce_n.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.information import entropy
from infoplane.analysis.moments import Floats, Moments
from infoplane.analysis.per_input import PerInput, class_labels, per_input


class LabelCosts(ABC):
    """Cross-entropies of K decoders over the same n inputs, and their labels; merging makes a new one.

    Attributes
    ----------
    ce : Moments
        Of the K series, in nats.
    kind : {"lower_bound", "estimate"}
        What H(Y) less a cross-entropy is to I(Z;Y).
    """

    ce: Moments
    kind: Literal["lower_bound", "estimate"]

    @property
    def n(self) -> int:
        """Inputs."""
        return self.ce.n

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """(K, C) with C classes, or (K, k) with k real numbers a label; costs of one kind and shape merge."""

    @abstractmethod
    def of(self, ce: PerInput, labels: Tensor | ArrayLike) -> Self:
        """Return the costs of one batch, `ce` of shape (K, n); InputError where an array does not fit."""

    @abstractmethod
    def merged(self, other: Self) -> Self:
        """Return the costs of the inputs of both."""

    @abstractmethod
    def entropy(self) -> float:
        """Return H(Y) in nats."""

    @abstractmethod
    def error(self, correct: Floats) -> Floats:
        """Return the error of each decoder, shape (K,), from the sums of what `BoundSums.update` calls ``correct``."""

    @abstractmethod
    def gains(self, whole: Self) -> Moments:
        """Return the moments of u_n - ce_n, their means without that of u; the law of the labels is that of `whole`."""

    def _gains(self, mixed: Floats, spread: float) -> Moments:
        """Return them from the products of u with each ce, and with itself."""
        ce = self.ce
        return Moments(ce.n, -ce.mean, ce.products - mixed[:, None] - mixed[None, :] + spread)


@dataclass(frozen=True, eq=False)
class ClassCosts(LabelCosts):
    """Costs of labels that are one of C classes.

    Attributes
    ----------
    ce : Moments
        Of the K series, in nats.
    class_ce : numpy.ndarray
        Shape (K, C): sums over the inputs of each class, in nats.
    counts : numpy.ndarray
        Shape (C,): inputs of each class.
    """

    ce: Moments
    class_ce: Floats
    counts: NDArray[np.int64]
    kind = "lower_bound"

    @classmethod
    def zeros(cls, series: int, classes: int) -> Self:
        """Return those of no inputs."""
        classes = whole_number("classes", classes, least=1)
        return cls(Moments.zeros(series), np.zeros((series, classes)), np.zeros(classes, np.int64))

    @property
    def shape(self) -> tuple[int, int]:
        """(K, C)."""
        series, classes = self.class_ce.shape
        return series, classes

    def of(self, ce: PerInput, labels: Tensor | ArrayLike) -> Self:
        """Return the costs of one batch; `labels` are (n,) whole numbers in 0 .. C - 1."""
        series, classes = self.shape
        y = class_labels(labels, classes)
        costs = per_input("ce", ce, (series, y.size))
        by_class = np.array([np.bincount(y, weights=row, minlength=classes) for row in costs])
        return type(self)(Moments.of(costs), by_class.reshape(series, classes), np.bincount(y, minlength=classes))

    def merged(self, other: Self) -> Self:
        """Return the costs of the inputs of both."""
        return type(self)(self.ce.merged(other.ce), self.class_ce + other.class_ce, self.counts + other.counts)

    def entropy(self) -> float:
        """Return the plug-in H(Y) in nats."""
        return entropy(self.counts / self.n, base=math.e)

    def error(self, correct: Floats) -> Floats:
        """Return the share of wrong inputs from the numbers of right ones."""
        return (self.n - correct) / self.n

    def gains(self, whole: Self) -> Moments:
        """Return the moments of -ln share[y_n] - ce_n, with the shares of `whole`."""
        seen = self.counts > 0
        counts, surprise = self.counts[seen], -np.log(whole.counts[seen] / whole.n)
        surprise -= counts @ surprise / self.n
        with np.errstate(invalid="ignore"):
            mixed = (self.class_ce[:, seen] - counts * self.ce.mean[:, None]) @ surprise
        return self._gains(mixed, float(counts @ surprise**2))


@dataclass(frozen=True, eq=False)
class RealCosts(LabelCosts):
    """Costs of labels that are k real numbers. Memory is (K + k (k + 3) / 2)^2 numbers.

    Attributes
    ----------
    joint : Moments
        Of the K cross-entropies in nats, the k label entries and their k (k + 1) / 2 products.
    series, dimensions : int
        K and k.
    known_entropy : float or None
        Differential entropy h(Y) in nats, where it is known.
    """

    joint: Moments
    series: int
    dimensions: int
    known_entropy: float | None

    @classmethod
    def zeros(cls, series: int, dimensions: int, entropy: float | None = None) -> Self:
        """Return those of no inputs."""
        k = whole_number("dimensions", dimensions, least=1)
        return cls(Moments.zeros(series + k + k * (k + 1) // 2), series, k, entropy)

    @property
    def shape(self) -> tuple[int, int]:
        """(K, k)."""
        return self.series, self.dimensions

    @property
    def kind(self) -> Literal["lower_bound", "estimate"]:  # type: ignore[override]  # known of an instance alone
        """No bound where h(Y) is an estimate."""
        return "estimate" if self.known_entropy is None else "lower_bound"

    @property
    def ce(self) -> Moments:  # type: ignore[override]  # a part of `joint`
        """Moments of the K series, in nats."""
        own = slice(self.series)
        return Moments(self.joint.n, self.joint.mean[own], self.joint.products[own, own])

    def of(self, ce: PerInput, labels: Tensor | ArrayLike) -> Self:
        """Return the costs of one batch; `labels` are (n, k), finite."""
        rows = labels.detach() if isinstance(labels, Tensor) else np.asarray(labels)
        if rows.ndim != 2 or rows.shape[1] != self.dimensions:
            raise InputError(f"labels have shape {tuple(rows.shape)}, but (inputs, {self.dimensions}) is needed")
        y = per_input("labels", rows.T, (self.dimensions, len(rows)))
        if not np.isfinite(y).all():
            raise InputError("a label is not finite, but real labels must be")
        costs = per_input("ce", ce, (self.series, len(rows)))
        first, second = np.triu_indices(self.dimensions)
        return self._like(Moments.of(np.concatenate([costs, y, y[first] * y[second]])))

    def merged(self, other: Self) -> Self:
        """Return the costs of the inputs of both."""
        return self._like(self.joint.merged(other.joint))

    def entropy(self) -> float:
        """Return h(Y) in nats: the known one, or ln det(2 pi e S) / 2 of the covariance S seen; -inf if singular."""
        if self.known_entropy is not None:
            return self.known_entropy
        sign, log_volume = np.linalg.slogdet(self._covariance())
        return 0.5 * (self.dimensions * math.log(2 * math.pi * math.e) + float(log_volume)) if sign > 0 else -math.inf

    def error(self, correct: Floats) -> Floats:
        """Return the share of the labels' variance that is left, 1 - R^2, from squared errors."""
        with np.errstate(divide="ignore", invalid="ignore"):
            share: Floats = correct / (self.n * np.trace(self._covariance()))
        return share

    def gains(self, whole: Self) -> Moments:
        """Return the moments of half the squared Mahalanobis distance less ce_n; that distance is `whole`'s."""
        if self.known_entropy is not None:
            return self._gains(np.zeros(self.series), 0.0)
        weights = whole._surprise()
        costs, own = slice(self.series), slice(self.series, None)
        products = self.joint.products
        return self._gains(products[costs, own] @ weights, float(weights @ products[own, own] @ weights))

    def _surprise(self) -> Floats:
        """Return the weights of the label entries and their products in u_n; NaN where the covariance is singular."""
        k = self.dimensions
        first, second = np.triu_indices(k)
        covariance, mean = self._covariance(), self.joint.mean[self.series : self.series + k]
        singular = np.linalg.slogdet(covariance)[0] <= 0
        precision = np.full((k, k), np.nan) if singular else np.linalg.inv(covariance)
        quadratic = precision[first, second] * np.where(first == second, 0.5, 1.0)
        return np.concatenate([-precision @ mean, quadratic])

    def _covariance(self) -> Floats:
        own = slice(self.series, self.series + self.dimensions)
        return self.joint.products[own, own] / self.n

    def _like(self, joint: Moments) -> Self:
        return type(self)(joint, self.series, self.dimensions, self.known_entropy)
