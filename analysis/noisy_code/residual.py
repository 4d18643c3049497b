"""What a code keeps about the input beyond the label: the residual information I(Z;X|Y) (Fischer 2020).

Where Z depends on the label through the input alone (Y - X - Z, as for every probe),

    I(Z;X) = I(Z;Y) + I(Z;X|Y),        I(Z;X|Y) <= E_{x,y} KL(p(z|x) || b(z|y))

for any law b(z|y) of each class that does not depend on the inputs measured; equality when b is the class's own
marginal p(z|y). This separates the bits about the label from those about everything else.

Reference: Fischer, "The conditional entropy bottleneck", Entropy 22(9):999, 2020.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import Estimate
from infoplane.analysis.generator import own_generator
from infoplane.analysis.noisy_code.code import GaussianCode
from infoplane.analysis.noisy_code.code_estimate import RESIDUAL, Enclosure, code_estimate
from infoplane.analysis.noisy_code.priors import Prior
from infoplane.analysis.noisy_code.sandwich import enclosure, log_ratios
from infoplane.analysis.per_input import class_labels

Classes = NDArray[np.int64]
_MOST = 2**31


def residual_rate(
    code: GaussianCode, labels: Tensor | ArrayLike, priors: Sequence[Prior], *, base: float = 2
) -> Estimate:
    """Return the class-conditional rate E KL(p(z|x) || b(z|y)): an upper bound on I(Z;X|Y).

    Parameters
    ----------
    code : GaussianCode
        Of n inputs that neither the encoder nor the priors were fitted to.
    labels : torch.Tensor or array_like
        Shape (n,), integers in 0 .. C - 1.
    priors : sequence of Prior
        b(z|y) of the C classes, as ``[MomentNormal(train.take(train_labels == c)) for c in range(10)]``.
    base : float
        Base of the logarithm: 2 for bits, ``math.e`` for nats.

    Returns
    -------
    Estimate
        An upper bound in expectation over inputs. Plus H(Y) it bounds I(Z;X) too. Its standard error is over inputs.

    Raises
    ------
    InputError
        When labels are not one integer per input in 0 .. C - 1, or a prior does not fit.
    """
    y = _labels_of(code, labels, len(priors))
    terms = np.empty(code.n)
    for label in np.unique(y):
        own = y == label
        terms[own] = priors[label].divergences(code.take(own))
    return code_estimate(
        terms,
        code,
        kind="upper_bound",
        method="class-conditional rate",
        quantity=RESIDUAL,
        base=base,
        ceiling=_ceiling(y),
        parameters={"classes": len(priors), "prior": priors[0].description["prior"]},
    )


def residual_sandwich(
    code: GaussianCode, labels: Tensor | ArrayLike, *, draws: int = 4, seed: int = 0, base: float = 2
) -> Enclosure:
    """Return a lower and an upper bound on I(Z;X|Y): the sandwich within each class, averaged over inputs.

    Parameters
    ----------
    code : GaussianCode
        Of n inputs that the encoder was not fitted to, at least two of each class that occurs.
    labels : torch.Tensor or array_like
        Shape (n,), integers from 0.
    draws, seed, base
        As in `infoplane.analysis.noisy_code.sandwich.sandwich`.

    Returns
    -------
    Enclosure
        In expectation, given how many inputs each class has: ``lower`` <= I(Z;X|Y) <= ``upper``. The lower one cannot
        exceed the mean of log(inputs of the own class), and says so when it sits there.

    Raises
    ------
    InputError
        When labels are not one integer per input, a class has a single input, or an option is out of range.
    """
    y = _labels_of(code, labels, _MOST)
    names, counts = np.unique(y, return_counts=True)
    if counts.min() < 2:
        raise InputError(
            f"class {names[counts.argmin()]} has a single input, but a code is compared with those of other inputs of "
            "its class: leave that class out"
        )
    rng = own_generator(seed)
    full, others = np.empty(code.n), np.empty(code.n)
    for label in names:
        own = y == label
        full[own], others[own] = log_ratios(code.take(own), draws=draws, rng=rng)
    parameters = {"draws": draws, "seed": seed, "classes": len(names)}
    return enclosure(full, others, code, quantity=RESIDUAL, base=base, ceiling=_ceiling(y), parameters=parameters)


def _labels_of(code: GaussianCode, labels: Tensor | ArrayLike, classes: int) -> Classes:
    y = class_labels(labels, classes)
    if y.size != code.n:
        raise InputError(f"there are {y.size} labels for {code.n} inputs, but each input has one")
    return y


def _ceiling(labels: Classes) -> float:
    """Return the mean over inputs of log(inputs of the own class), in nats: log n less H(Y)."""
    counts = np.bincount(labels - labels.min())
    seen = counts[counts > 0]
    return float((seen / labels.size) @ np.log(seen))
