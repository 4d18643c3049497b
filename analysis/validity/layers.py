"""A whole plane at once: what the estimates of several layers, made anywhere, contradict between themselves."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infoplane.analysis.errors import InputError, near_names
from infoplane.analysis.finding import Finding
from infoplane.analysis.units import unit_name
from infoplane.analysis.validity.bounds import lower_above_upper
from infoplane.analysis.validity.course import train_test_gap
from infoplane.analysis.validity.processing import (
    bounds_gain_information,
    counts_gain_information,
    resolution_differs,
)
from infoplane.analysis.validity.scale import error_over_draws, scale_of
from infoplane.analysis.validity.value import below_fano

if TYPE_CHECKING:
    from infoplane.analysis.estimate import Estimate

Layers = Mapping[str, "Sequence[Estimate]"]


@dataclass(frozen=True)
class Accuracy:
    """How well a classifier that reads one layer alone does on held-out inputs.

    Attributes
    ----------
    error : float
        Share of the inputs that it puts into a wrong class.
    n, classes : int
        Those inputs, and the classes.
    entropy : float
        H(Y), in units of the base of the estimates.
    """

    error: float
    n: int
    classes: int
    entropy: float


def findings_of_layers(
    layers: Layers,
    *,
    chain: Sequence[str] = (),
    accuracy: Mapping[str, Accuracy] | None = None,
    train: Layers | None = None,
    base: float = 2,
) -> tuple[Finding, ...]:
    """Return what estimates of several layers about one and the same variable contradict between themselves.

    Parameters
    ----------
    layers : mapping
        Layer to its estimates, by `infoplane.analysis.estimate.estimate` on the same samples; the same methods in the
        same order for every layer, since along `chain` the first are compared with the first, and so on.
    chain : sequence of str
        Layers, the earlier first, each computed from the one before alone. Not for inner sites of residual or
        attention blocks, past which information flows; empty, no two layers are compared.
    accuracy : mapping, optional
        Layer to the `Accuracy` of a classifier that reads it; the estimates are then those of I(T;Y) with Y its labels.
        In a chain, the network's own accuracy holds for every layer.
    train : mapping, optional
        As `layers`, on the training samples; those of `layers` are then held out.
    base : float
        Of the estimates.

    Returns
    -------
    tuple of Finding
        Of each layer ``lower_above_upper`` (bounds of one quantity, with the same noise or none), ``below_fano`` and
        ``train_test_gap``; along the chain ``counts_gain_information`` (method ``exact``), ``bounds_gain_information``
        (without bins or noise, which each layer has of its own) and ``resolution_differs`` (with them). A value
        without a standard error gives none of those that need one.

    Raises
    ------
    InputError
        When a layer named elsewhere has no estimates, or an estimate is in another unit than `base`.
    """
    for name in (*chain, *(accuracy or ()), *(train or ())):
        if name not in layers:
            raise InputError(f"there are no estimates of {name!r}{near_names(name, layers)}; layers: {list(layers)}")
    for name, reads in itertools.chain(layers.items(), (train or {}).items()):
        if other := [read.unit for read in reads if read.unit != unit_name(base)]:
            raise InputError(f"an estimate of {name!r} is in {other[0]}, but base={base:g} means {unit_name(base)}")
    found: list[Finding | None] = []
    for name, reads in layers.items():
        found += _of_bounds(name, reads, base)
        if accuracy and name in accuracy:
            found += _of_accuracy(name, reads, accuracy[name], base)
        if train and name in train:
            found += _of_splits(name, train[name], reads, base)
    for earlier, later in itertools.combinations(chain, 2):
        found += _of_uppers(f"{later} after {earlier}", layers[earlier], layers[later], base)
    for earlier, later in itertools.pairwise(chain):
        found += _of_step(f"{later} after {earlier}", layers[earlier], layers[later], base)
    return tuple(finding for finding in found if finding)


def _of_bounds(where: str, reads: "Sequence[Estimate]", base: float) -> Iterator[Finding | None]:
    for lower, upper in itertools.permutations(reads, 2):
        if (lower.kind, upper.kind) == ("lower_bound", "upper_bound") and _about(lower) == _about(upper):
            errors = {"se_lower": error_over_draws(lower), "se_upper": error_over_draws(upper)}
            yield lower_above_upper(lower.value, upper.value, **errors, where=where, base=base)


def _of_accuracy(where: str, reads: "Sequence[Estimate]", known: Accuracy, base: float) -> Iterator[Finding | None]:
    for read in reads:
        if read.quantity == "mutual information":
            yield below_fano(
                read.value,
                kind=read.kind,
                error=known.error,
                n=known.n,
                classes=known.classes,
                entropy=known.entropy,
                standard_error=error_over_draws(read),
                where=where,
                base=base,
            )


def _of_splits(
    where: str, train: "Sequence[Estimate]", held_out: "Sequence[Estimate]", base: float
) -> Iterator[Finding | None]:
    for one, two in zip(train, held_out, strict=False):
        # An error over anything else leaves out the sampling in which the splits differ.
        if one.method == two.method and one.error_over == "samples":
            errors = {"se_train": one.standard_error, "se_test": two.standard_error}
            yield train_test_gap(one.value, two.value, **errors, where=where, base=base)


def _of_uppers(
    where: str, earlier: "Sequence[Estimate]", later: "Sequence[Estimate]", base: float
) -> Iterator[Finding | None]:
    for upper, lower in itertools.product(earlier, later):
        of_layer = all(r.quantity == "mutual information" and scale_of(r.parameters) is None for r in (upper, lower))
        if of_layer and (upper.kind, lower.kind) == ("upper_bound", "lower_bound"):
            errors = {"se_upper": error_over_draws(upper), "se_lower": error_over_draws(lower)}
            yield bounds_gain_information(upper.value, lower.value, **errors, where=where, base=base)


def _of_step(
    where: str, earlier: "Sequence[Estimate]", later: "Sequence[Estimate]", base: float
) -> Iterator[Finding | None]:
    for one, two in zip(earlier, later, strict=False):
        if one.method == two.method == "exact":
            yield counts_gain_information(one.value, two.value, where=where, base=base)
        elif one.method == two.method and scale_of(one.parameters) is not None:
            se = math.hypot(error_over_draws(one), error_over_draws(two))
            yield resolution_differs(one.value, two.value, se=se, where=where, base=base)


def _about(read: "Estimate") -> tuple[object, ...]:
    """Return what a bound is of: the quantity, and the noise that makes the layer another one."""
    return read.quantity, read.parameters.get("noise_variance"), scale_of(read.parameters)
