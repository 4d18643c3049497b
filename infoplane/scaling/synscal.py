"""SynScaL: synaptic scaling as a loss on the output (Hofmann and Mäder 2022, Eqs. 17-18).

The total loss is L + gamma * penalty. For C classes, n inputs, labels y, logits a and p = softmax(a) the penalty is one
of four, and a fifth for real labels y and predictions f::

    prob          1/n sum_n sum_k (1/C - p_nk)²         Eq. 18 as printed, summed over classes
    prob_batch    sum_k (1/C - 1/n sum_n p_nk)²         Eq. 18 on the batch's mean probabilities
    target_class  1/n sum_n (1/C - p_n,y_n)²            Eq. 18 on the labelled class alone
    logit_mean    (1/C - 1/(nC) sum_n sum_k a_nk)²      the authors' published code
    regression    1/n sum_n (ybar - f_n)²               Eq. 18, regression; ybar is the mean label of the batch

Eq. 18 writes (1/C - p(x, z))² and does not say of which class, nor whether before or after the mean: hence three
readings. They are different regularisers.

- `prob` equals mean_n sum_k p_nk² - 1/C: a confidence penalty (on collision entropy) between 0 (uniform p) and 1 - 1/C
  (certainty).
- `prob_batch` equals sum_k pbar_k² - 1/C with pbar the batch's mean, and `prob` less the variance of the p_n over the
  batch. It leaves every prediction as confident as it is and asks that classes be predicted equally often, for
  which the paper assumes "batches with equally distributed labels". Batches of n independent balanced labels have
  themselves a value of (1 - 1/C) / n on average, the penalty of predictions that are certain and right.
- `target_class` pulls the probability of the right class to 1/C. It works against the cross-entropy directly, lies
  between 0 and (1 - 1/C)², and says nothing of how the rest is shared.
- `logit_mean` is a gauge term: a constant added to all logits changes no probability and no cross-entropy, so the
  output bias alone can bring the penalty to 0, and for each input its gradient in the logits is orthogonal to that of
  the cross-entropy. It acts on the network only through the parameters that the logits share. The published code has
  the constant 0.1, which is 1/C for its ten classes.
- `regression` pulls every prediction to the mean label, and equals (ybar - fbar)² plus the variance of the predictions.
  Beside a mean squared error, the predictions that minimise the sum are (y_n + gamma ybar) / (1 + gamma): at gamma 1
  every prediction is halfway to the mean, and the best fit is not reached. The paper calls the target both the mean of
  "the regression target" and of "the output scalar"; its symbols (y_m, and yhat for the output) say the former.

(The mean of p over the classes *inside* the square would be 1/C whatever the network does.) The classes' penalties are
pure numbers; that of `regression` has the unit of the labels squared. `prob_batch`, `logit_mean` and `regression` see
one batch: their value depends on its size, and on several ranks each has its own.
"""

from dataclasses import dataclass
from numbers import Real

import torch
from torch import Tensor

from infoplane.analysis.errors import InputError, near_names
from infoplane.loss_inputs import class_labels, class_logits, real_pair

MODES = ("prob", "prob_batch", "target_class", "logit_mean", "regression")
_NEED_LABELS = ("target_class", "regression")


@dataclass(frozen=True)
class SynScaL:
    """The scaling loss; call it with outputs and labels and add the result to the loss.

    ::

        scaling = SynScaL()
        loss = F.cross_entropy(logits, labels) + scaling(logits, labels)

    Parameters
    ----------
    mode : {"prob", "prob_batch", "target_class", "logit_mean", "regression"}
        Three readings of Eq. 18, the authors' published code, or Eq. 18 for real labels; see the module's text.
    gamma : float
        Scaling rate, finite and >= 0 (the paper: 1.0 in Tables I-III, 0.5 in the appendix).

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

    def __call__(self, outputs: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return gamma times the penalty of Eq. 18.

        Parameters
        ----------
        outputs : torch.Tensor
            Logits, shape ``(n, C)``, real floating point, before any softmax; in mode `regression` predictions,
            ``(n,)`` or ``(n, k)``, whose mean over all n k numbers is taken.
        labels : torch.Tensor, optional
            Classes 0 .. C - 1, shape ``(n,)``; in mode `regression` real numbers, as many as `outputs`. Modes `prob`,
            `prob_batch` and `logit_mean` do not read them, and need none.

        Returns
        -------
        torch.Tensor
            Scalar with a graph, at least float32.

        Raises
        ------
        InputError
            `outputs` or `labels` have another shape or dtype, there are no rows, fewer than two classes, or a mode
            that reads labels has none.
        """
        if labels is None and self.mode in _NEED_LABELS:
            raise InputError(f"mode {self.mode!r} reads the labels; call it as scaling(outputs, labels)")
        return self.gamma * self._penalty(outputs, labels)

    @property
    def configuration(self) -> dict[str, str | float]:
        """What a run file should keep of this object, in types that JSON has."""
        return {"method": "SynScaL", "mode": self.mode, "gamma": float(self.gamma)}

    def _penalty(self, outputs: Tensor, labels: Tensor | None) -> Tensor:
        if self.mode == "regression" and labels is not None:
            predictions, real = real_pair(outputs, labels)
            return (real.mean(dim=0) - predictions).square().mean()
        values = class_logits(outputs)
        share = 1.0 / values.shape[1]
        if self.mode == "logit_mean":
            return (share - values.mean()).square()
        probabilities = torch.softmax(values, dim=1)
        if self.mode == "target_class" and labels is not None:
            own = class_labels(labels, n=len(values), classes=values.shape[1])[:, None]
            return (share - probabilities.gather(1, own)).square().mean()
        if self.mode == "prob_batch":
            return (share - probabilities.mean(dim=0)).square().sum()
        return (share - probabilities).square().sum(dim=1).mean()
