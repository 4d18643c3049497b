"""Estimates of parts of one set of samples: what every measure of uncertainty is made of."""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import Estimate, estimate
from infoplane.analysis.estimators import method_named
from infoplane.analysis.generator import own_generator
from infoplane.analysis.samples import Floats, Labels, SamplesLike, check_pairing, read_samples

Rows = NDArray[Any]
Estimator = Callable[[Rows, Rows], Estimate]


def paired_rows(**sides: SamplesLike) -> list[Rows]:
    """Return samples of one n, by name, as arrays of shape (n, d), read once; InputError when they do not pair."""
    for first, second in itertools.pairwise(sides.values()):
        check_pairing(first, second)
    read = [read_samples(name, given) for name, given in sides.items()]
    if len({side.n for side in read}) > 1:
        raise InputError(f"{', '.join(f'{side.name} has {side.n}' for side in read)} samples, but they come in pairs")
    return [side.values for side in read]


def estimator(method: str, base: float, seed: int, parameters: dict[str, Any]) -> Estimator:
    """Return `estimate` with its options; a method that draws random numbers gets the same seed every time."""
    if any(field.name == "seed" for field in fields(method_named(method).parameters)):
        parameters = {"seed": seed, **parameters}

    def of(x: Rows, y: Rows) -> Estimate:
        return estimate(x, y, method=method, base=base, **parameters)

    return of


def values_of(of: Estimator, x: Rows, y: Rows, parts: Iterable[NDArray[Any]]) -> Floats:
    """Return the values of the rows that each of `parts` selects, by index or by mask.

    InputError says that it is of a part: it counts the rows of that part, where the caller gave others.
    """
    values = []
    for part in parts:
        rows, labels = x[part], y[part]
        try:
            values.append(of(rows, labels).value)
        except InputError as error:
            raise InputError(f"a part of {len(rows)} of the {len(x)} samples cannot be estimated: {error}") from error
    return np.array(values)


def random_groups(n: int, groups: int, seed: int, *, name: str = "groups") -> Labels:
    """Return the group of each of n rows, 0 .. groups - 1, drawn at random and of equal size to within one.

    `name` is what the caller's own caller knows `groups` as, for the error.
    """
    if n < 2 * groups:
        raise InputError(f"{name} is {groups}, but {n} samples make at most {n // 2} groups of two or more")
    return own_generator(seed).permutation(n) % groups
