"""Two single networks on one test set: how many images they differ by, and whether chance alone does as much.

From the outcomes of every image: McNemar's exact test. Of the images that one network gets wrong and the other right,
b and c in number, each falls on either side with probability 1/2 where the networks are equally good, so that the
two-sided p value is 2 P(Binomial(b + c, 1/2) <= min(b, c)), at most 1 (Q. McNemar, Psychometrika 12, 1947).

From the two errors alone: the images that they differ by, |b - c|, are known, b + c is not. The p value is never
smaller than in the case that b or c is 0, which is 2 * 2^-|b - c|: a bound that holds whatever the images were.

Neither says anything of another seed: that takes several, paired.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from infoplane.analysis.errors import InputError, whole_number


@dataclass(frozen=True)
class OneTestSet:
    """Two networks on one test set.

    Attributes
    ----------
    images : int
        Of the test set.
    first_errors, second_errors : int
        Images that each gets wrong.
    only_first, only_second : int or None
        Images that it alone gets wrong; None where only the two errors are known.
    p_value : float
        Of McNemar's exact test; where only the errors are known the least that it can be.
    """

    images: int
    first_errors: int
    second_errors: int
    only_first: int | None
    only_second: int | None
    p_value: float

    @property
    def binomial_error(self) -> float:
        """Standard error of the larger of the two errors as a share of the images, by the binomial law."""
        share = max(self.first_errors, self.second_errors) / self.images
        return math.sqrt(share * (1 - share) / self.images)

    def __str__(self) -> str:
        apart = abs(self.first_errors - self.second_errors)
        errors = f"{_percent(self.first_errors, self.images)} % and {_percent(self.second_errors, self.images)} %"
        head = (
            f"These two networks: {errors} of {self.images:,} images are {self.first_errors:,} and "
            f"{self.second_errors:,} errors, {_images(apart)} apart"
        )
        if self.only_first is None:
            return (
                f"{head}; the binomial standard error of one is {100 * self.binomial_error:.2g} points. Whichever "
                f"images they are, McNemar's exact p value is at least {self.p_value:.2g}."
            )
        return (
            f"{head}: {_images(self.only_first)} wrong in A alone, {_images(self.only_second or 0)} in B alone; "
            f"McNemar's exact p value is {self.p_value:.2g}."
        )


def mcnemar(first_wrong: ArrayLike, second_wrong: ArrayLike) -> OneTestSet:
    """Return McNemar's exact test of two networks.

    Parameters
    ----------
    first_wrong, second_wrong : array_like
        Shape (n,): True or 1 where the network gets the image wrong, the same images in the same order.

    Raises
    ------
    InputError
        When the two do not pair, or hold anything but 0 and 1.
    """
    a, b = np.asarray(first_wrong), np.asarray(second_wrong)
    if a.shape != b.shape or a.ndim != 1 or not a.size:
        raise InputError(f"first_wrong has shape {a.shape} and second_wrong {b.shape}, but both must be (images,)")
    for name, values in (("first_wrong", a), ("second_wrong", b)):
        if not np.isin(values, (0, 1)).all():
            raise InputError(f"{name} holds other values than 0 and 1; an image is wrong or it is not")
    a, b = a.astype(bool), b.astype(bool)
    only_first, only_second = int((a & ~b).sum()), int((b & ~a).sum())
    return OneTestSet(len(a), int(a.sum()), int(b.sum()), only_first, only_second, _p_value(only_first, only_second))


def errors_alone(first_errors: int, second_errors: int, images: int) -> OneTestSet:
    """Return what two counts of errors on the same images say, where the images themselves are not known.

    Raises
    ------
    InputError
        When a count is no whole number from 0 to `images`.
    """
    whole_number("images", images, least=1)
    for name, value in (("first_errors", first_errors), ("second_errors", second_errors)):
        whole_number(name, value, least=0, most=images)
    p = _p_value(abs(first_errors - second_errors), 0)
    return OneTestSet(images, first_errors, second_errors, None, None, p)


def _p_value(one: int, other: int) -> float:
    return float(binomtest(one, one + other).pvalue) if one + other else 1.0


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"


def _percent(errors: int, images: int) -> str:
    # So many digits that one image shows.
    return f"{100 * errors / images:.{max(1, math.ceil(math.log10(images)) - 2)}f}"
