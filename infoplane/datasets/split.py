"""Which inputs are the test part: a share, or one fold of a cross-validation, class by class.

Inputs are shuffled within their class and laid out class after class. Fold k of m takes every m-th of them from the
k-th on, and a share of s takes every 1/s-th, so that the counts of a class in two folds differ by at most one. Labels
that are numbers count as one class. Hofmann and Mäder (2022) cross-validate tenfold, appendix B.3; they do not say
whether the folds are stratified.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import InputError, whole_number
from infoplane.errors import DatasetError

SHARE = 0.2


@dataclass(frozen=True)
class Parts:
    """Places of the training and of the test inputs, in ascending order, and how they were chosen."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    said: str


def split(
    labels: NDArray[np.int64] | None,
    count: int,
    *,
    test: float | None = None,
    fold: str | Sequence[int] | None = None,
    seed: int = 0,
) -> Parts:
    """Choose the test part.

    Parameters
    ----------
    labels : numpy.ndarray or None
        Classes, shape ``(count,)``; None where labels are numbers.
    count : int
        Number of inputs.
    test : float, optional
        Share of the test part, between 0 and 1; a fifth when left out.
    fold : (int, int) or str, optional
        ``(k, of)`` or ``"k/of"``: the test part is the k-th of `of` folds, k from 1.
    seed : int
        Of the shuffle: another seed is another split.

    Raises
    ------
    InputError
        An option cannot be used, or both `test` and `fold` are given.
    DatasetError
        There are too few inputs.
    """
    seed = whole_number("split_seed", seed, least=0)
    if test is not None and fold is not None:
        raise InputError(
            f"both test={test!r} and fold={fold!r} are given; one of them says which inputs are the test part"
        )
    if count < 2:
        raise DatasetError(f"{count} input(s) cannot be split into a training and a test part")
    order = _laid_out(np.zeros(count, dtype=np.int64) if labels is None else labels, seed)
    by = "at random" if labels is None else "by class"
    if fold is not None:
        k, of = _fold(fold, count)
        held_out = order[k - 1 :: of]
        said = f"fold {k} of {of}, {by} with seed {seed}"
    else:
        share = _share(SHARE if test is None else test)
        size = min(max(round(share * count), 1), count - 1)
        # Places spread evenly over the layout, from the middle of each stretch.
        held_out = order[((np.arange(size) + 0.5) * count / size).astype(np.int64)]
        said = f"split {by} with seed {seed}"
    mask = np.zeros(count, dtype=bool)
    mask[held_out] = True
    return Parts(np.flatnonzero(~mask), np.flatnonzero(mask), said)


def stratified_order(classes: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return all places in an order of which any beginning holds each class by its share, as nearly as can be."""
    shuffled = np.random.default_rng(seed).permutation(len(classes))
    _, which, counts = np.unique(classes[shuffled], return_inverse=True, return_counts=True)
    by_class = np.argsort(which, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    rank = np.empty(len(classes))
    rank[by_class] = np.arange(len(classes)) - np.repeat(starts, counts)
    return shuffled[np.argsort((rank + 0.5) / counts[which], kind="stable")]


def _laid_out(classes: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    shuffled = np.random.default_rng(seed).permutation(len(classes))
    return shuffled[np.argsort(classes[shuffled], kind="stable")]


def _share(test: object) -> float:
    if isinstance(test, bool) or not isinstance(test, Real) or not 0 < float(test) < 1:
        raise InputError(f"test is {test!r}, but the share of the test part is a number between 0 and 1")
    return float(test)


def _fold(fold: str | Sequence[int], count: int) -> tuple[int, int]:
    wrong = InputError(
        f"fold is {fold!r}, but it is two whole numbers, (k, of) or 'k/of': the k-th of so many folds, k from 1"
    )
    parts = fold.split("/") if isinstance(fold, str) else fold
    try:
        k, of = (int(part) if isinstance(part, str) else part for part in parts)
    except (TypeError, ValueError) as error:
        raise wrong from error
    if any(isinstance(part, bool) or not isinstance(part, int | np.integer) for part in (k, of)):
        raise wrong
    if not 2 <= of <= count or not 1 <= k <= of:
        raise InputError(
            f"fold is {fold!r}, but k goes from 1 to the number of folds, and that from 2 to the {count} inputs"
        )
    return int(k), int(of)
