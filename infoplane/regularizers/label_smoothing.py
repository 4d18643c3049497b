"""Label smoothing (Szegedy et al. 2016): cross-entropy with a share of every label spread evenly over all classes.

    q_nk = (1 - smoothing) [k = y_n] + smoothing / C,    loss = -1/n sum_n sum_k q_nk ln p_nk     in nats

This is what the literature, and `torch.nn.functional.cross_entropy`, mean by the name. Hofmann and Mäder (2022,
section II-C) describe something else: random elements 0 < e < eps beside the label, drawn anew and normalised. That is
not offered; with its mean of eps / 2 for each other class it would be a stronger smoothing for many classes.
"""

import math
from dataclasses import dataclass
from numbers import Real

from torch import Tensor
from torch.nn import functional

from infoplane.analysis.errors import InputError
from infoplane.loss_inputs import class_labels, class_logits


@dataclass(frozen=True)
class LabelSmoothing:
    """Cross-entropy of smoothed labels, in nats; 0 is the plain cross-entropy.

    Parameters
    ----------
    smoothing : float
        The share that is spread, from 0 to 1; 0.1 is usual.

    Raises
    ------
    InputError
        `smoothing` is out of range.
    """

    smoothing: float = 0.1

    def __post_init__(self) -> None:
        if (
            isinstance(self.smoothing, bool)
            or not isinstance(self.smoothing, Real)
            or math.isnan(self.smoothing)
            or not 0 <= self.smoothing <= 1
        ):
            raise InputError(f"smoothing is {self.smoothing!r}; accepted: a number from 0 to 1")

    def __call__(self, logits: Tensor, labels: Tensor, *, class_weights: Tensor | None = None) -> Tensor:
        """Return the mean cross-entropy over the batch in nats.

        Parameters
        ----------
        logits : torch.Tensor
            Shape ``(n, C)``, before any softmax.
        labels : torch.Tensor
            Shape ``(n,)``, classes 0 .. C - 1.
        class_weights : torch.Tensor, optional
            Shape ``(C,)``, as torch takes them: the mean is weighted by the labels' weights.

        Returns
        -------
        torch.Tensor
            Scalar with a graph, at least float32.

        Raises
        ------
        InputError
            `logits`, `labels` or `class_weights` have another shape or type.
        """
        values = class_logits(logits)
        classes = class_labels(labels, n=len(values), classes=values.shape[1])
        if class_weights is not None:
            if class_weights.shape != values.shape[1:]:
                raise InputError(
                    f"class_weights have shape {tuple(class_weights.shape)}, but there are {values.shape[1]} classes"
                )
            class_weights = class_weights.to(values)
        return functional.cross_entropy(values, classes, weight=class_weights, label_smoothing=float(self.smoothing))
