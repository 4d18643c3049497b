"""What a probe predicts: a class, or real numbers; how its prediction is scored, and H(Y).

    I(Z;Y) >= H(Y) - E[-ln q(y|z)]     Eq. 9

q(y|z) is the softmax of C logits, or a diagonal normal N(mean(z), exp(log_std)^2) with one log_std per dimension. H(Y)
of classes is that of the labels seen. That of real numbers is a differential entropy: known, or taken to be that of a
normal with the covariance seen. In the second case the value is an estimate and no bound: for the best linear Gaussian
decoder of one dimension it is -1/2 ln(1 - R^2). All in nats.
"""

import math
from dataclasses import dataclass
from numbers import Real
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional

from infoplane.analysis.errors import InputError, whole_number

_LOG_TAU = math.log(2 * math.pi)


class Target(Protocol):
    """What a probe predicts."""

    @property
    def decoder_width(self) -> int:
        """Outputs of the decoder's linear layer."""
        ...

    @property
    def scales(self) -> int:
        """Learned log standard deviations beside the decoder's outputs."""
        ...

    @property
    def kind(self) -> Literal["lower_bound", "estimate"]:
        """What H(Y) less the cross-entropy is to I(Z;Y)."""
        ...

    def check(self, labels: Tensor) -> Tensor:
        """Return `labels` as `nll` takes them, or raise InputError."""
        ...

    def nll(self, decoded: Tensor, labels: Tensor) -> Tensor:
        """Return -ln q(y|z) in nats, shape (n,), of a decoder's outputs (n, decoder_width + scales)."""
        ...

    def score(self, decoded: Tensor, labels: Tensor) -> Tensor:
        """Return the gradient of `nll` with respect to `decoded`, in its shape, as a new tensor."""
        ...

    def prediction(self, decoded: Tensor) -> Tensor:
        """Return what is averaged over draws to predict, shape (n, decoder_width)."""
        ...

    def compare(self, prediction: Tensor, labels: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Return which inputs are right, or the squared error of each; None for the one that has no meaning."""
        ...


@dataclass(frozen=True)
class ClassTarget:
    """One of C classes.

    Attributes
    ----------
    classes : int
        C; labels are integers in 0 .. C - 1.

    Raises
    ------
    InputError
        When there are fewer than two classes.
    """

    classes: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", whole_number("classes", self.classes, least=2))

    @property
    def decoder_width(self) -> int:
        """Logits: one per class."""
        return self.classes

    @property
    def scales(self) -> int:
        """None beside the logits."""
        return 0

    @property
    def kind(self) -> Literal["lower_bound", "estimate"]:
        """H(Y) less the cross-entropy is a lower bound on I(Z;Y)."""
        return "lower_bound"

    def check(self, labels: Tensor) -> Tensor:
        """Return `labels` as (n,) int64, or raise.

        Raises
        ------
        InputError
            When they are no one-dimensional integers, or outside 0 .. classes - 1.
        """
        if not isinstance(labels, Tensor):
            raise InputError(f"labels are a {type(labels).__name__}, but a torch.Tensor of integer classes is needed")
        if labels.ndim != 1 or labels.dtype.is_floating_point or labels.dtype.is_complex or labels.dtype == torch.bool:
            raise InputError(
                f"labels have shape {tuple(labels.shape)} and type {labels.dtype}, "
                "but one integer class per input, shape (n,), is needed"
            )
        labels = labels.detach().long()
        if labels.numel():
            low, high = (int(v) for v in torch.stack(torch.aminmax(labels)).tolist())
            if low < 0 or high >= self.classes:
                raise InputError(
                    f"a label is {low if low < 0 else high}, but with classes={self.classes} "
                    f"labels lie in 0 .. {self.classes - 1}"
                )
        return labels

    def nll(self, decoded: Tensor, labels: Tensor) -> Tensor:
        """Return the cross-entropy of logits (n, classes) and labels (n,), shape (n,), in nats."""
        return functional.cross_entropy(decoded, labels, reduction="none")

    def score(self, decoded: Tensor, labels: Tensor) -> Tensor:
        """Return probabilities less 1 at the label, shape (n, classes)."""
        own = labels[:, None] == torch.arange(self.classes, device=labels.device)
        return decoded.softmax(dim=1).sub_(own.to(decoded.dtype))

    def prediction(self, decoded: Tensor) -> Tensor:
        """Return the probabilities of the classes, shape (n, classes)."""
        return decoded.softmax(dim=1)

    def compare(self, prediction: Tensor, labels: Tensor) -> tuple[Tensor, None]:
        """Return whether the label has the largest probability, shape (n,)."""
        return prediction.argmax(dim=1) == labels, None


@dataclass(frozen=True)
class RealTarget:
    """Real numbers, as in regression.

    A decoder starts from a standard deviation of 1: labels of about that size (standardised ones) are learned soonest.

    Attributes
    ----------
    dimensions : int
        k, numbers per label.
    entropy : float or None
        Differential entropy h(Y) of the labels in nats, of the labels as given, where their law is known. With it
        h(Y) - CE is a lower bound on I(Z;Y), without it an estimate.

    Raises
    ------
    InputError
        When `dimensions` is below 1 or `entropy` is no finite number.
    """

    dimensions: int = 1
    entropy: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimensions", whole_number("dimensions", self.dimensions, least=1))
        value = self.entropy
        if value is not None:
            if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value):
                raise InputError(f"entropy is {value!r}, but it must be a finite number of nats, or None if unknown")
            object.__setattr__(self, "entropy", float(value))

    @property
    def decoder_width(self) -> int:
        """Means: one per dimension."""
        return self.dimensions

    @property
    def scales(self) -> int:
        """Log standard deviations: one per dimension."""
        return self.dimensions

    @property
    def kind(self) -> Literal["lower_bound", "estimate"]:
        """``lower_bound`` where h(Y) is known, else ``estimate``."""
        return "estimate" if self.entropy is None else "lower_bound"

    def check(self, labels: Tensor) -> Tensor:
        """Return `labels` as (n, dimensions) float32, or raise; (n,) is taken where there is one dimension.

        Raises
        ------
        InputError
            When they are no real numbers, of another shape, or not finite.
        """
        if not isinstance(labels, Tensor):
            raise InputError(f"labels are a {type(labels).__name__}, but a torch.Tensor of real numbers is needed")
        column = labels[:, None] if labels.ndim == 1 and self.dimensions == 1 else labels
        if labels.dtype.is_complex or labels.dtype == torch.bool or column.shape[1:] != (self.dimensions,):
            raise InputError(
                f"labels have shape {tuple(labels.shape)} and type {labels.dtype}, but real numbers of shape "
                f"(n, {self.dimensions}){' or (n,)' if self.dimensions == 1 else ''} are needed"
            )
        column = column.detach().float()
        if not bool(column.isfinite().all()):
            raise InputError("a label is not finite, but a real target needs finite numbers")
        return column

    def nll(self, decoded: Tensor, labels: Tensor) -> Tensor:
        """Return -ln N(y; mean, s^2) in nats, shape (n,), of means and ln s side by side (n, 2 dimensions)."""
        mean, log_std = decoded.chunk(2, dim=1)
        return (0.5 * (((labels - mean) * (-log_std).exp()).square() + _LOG_TAU) + log_std).sum(dim=1)

    def score(self, decoded: Tensor, labels: Tensor) -> Tensor:
        """Return the gradients with respect to mean and ln s side by side, (n, 2 dimensions)."""
        mean, log_std = decoded.chunk(2, dim=1)
        shrink = (-log_std).exp()
        standard = (mean - labels) * shrink
        return torch.cat([standard * shrink, 1 - standard.square()], dim=1)

    def prediction(self, decoded: Tensor) -> Tensor:
        """Return the means, shape (n, dimensions)."""
        return decoded[:, : self.dimensions]

    def compare(self, prediction: Tensor, labels: Tensor) -> tuple[None, Tensor]:
        """Return the squared distance of prediction and label, shape (n,)."""
        return None, (prediction - labels).square().sum(dim=1)

    def label_entropy(self, covariance: ArrayLike) -> float:
        """Return h(Y) in nats: the known one, else that of a normal with this covariance of the labels (k, k).

        -inf where the labels lie on a plane of fewer dimensions.
        """
        if self.entropy is not None:
            return self.entropy
        sign, log_volume = np.linalg.slogdet(np.asarray(covariance, np.float64).reshape(self.dimensions, -1))
        return 0.5 * (self.dimensions * (1 + _LOG_TAU) + float(log_volume)) if sign > 0 else -math.inf


def target_of(target: "int | Target") -> Target:
    """Return the target that `target` names: a number of classes is a `ClassTarget`."""
    return ClassTarget(target) if isinstance(target, int | np.integer) else target
