"""Sums over held-out inputs from which everything that a measurement says about probes follows; they merge.

Inputs are in two folds, by the parity of their position: what is chosen on one fold, a decoder or a temperature, is
read on the other.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoplane.analysis.best_bound import BestBound, Fold, best_lower_bound
from infoplane.analysis.bounds import BoundSums, VIBBounds
from infoplane.analysis.errors import InputError
from infoplane.analysis.label_costs import LabelCosts
from infoplane.analysis.noisy_code.code import GaussianCode
from infoplane.analysis.noisy_code.sandwich import sandwich
from infoplane.probes.dependence import OUTPUT
from infoplane.probes.each_input import EachInput, EachInputRecorder
from infoplane.probes.probe_info import ProbeInfo
from infoplane.probes.subset import Kept, Subset
from infoplane.probes.target import ClassTarget, RealTarget, Target
from infoplane.probes.temperature import TemperatureCosts, halves
from infoplane.probes.vib import ProbeEvaluation

Floats = NDArray[np.float64]


class Sandwiches(NamedTuple):
    """The sandwich of every probe in bit, shape (P,) each, and the inputs behind it."""

    lower: Floats
    upper: Floats
    se_lower: Floats
    se_upper: Floats
    n: int


class HeldOutSums:
    """Sums over inputs of one pass; picklable.

    Parameters
    ----------
    probes : sequence of ProbeInfo
        In the order of the results.
    target : Target
        What is predicted.
    subset : Subset
        Inputs whose codes are kept for the sandwich.
    seed : int
        Of the sandwich's draws.
    inputs : int
        Inputs, a fixed random subset, whose own results are kept; 0 for none.
    """

    def __init__(
        self, probes: Sequence[ProbeInfo], target: Target, *, subset: Subset, seed: int, inputs: int = 0
    ) -> None:
        self.probes, self._target, self._seed = tuple(probes), target, seed
        self._folds = [_bound_sums(len(self.probes), target) for _ in range(2)]
        self._dimensions = [np.zeros(probe.latent) for probe in self.probes]
        self._kept = Kept(subset)
        self._each = EachInputRecorder(Subset(inputs), len(self.probes)) if inputs else None
        self._outputs: dict[str, TemperatureCosts] = {}
        self._correct: float | None = None
        self._keys: list[tuple[NDArray[np.int64], NDArray[np.uint64]]] = []

    @property
    def n(self) -> int:
        """Inputs so far."""
        return sum(fold.n for fold in self._folds)

    def add(self, results: Mapping[str, ProbeEvaluation], labels: Tensor, positions: Tensor) -> None:
        """Add the results of every probe, by its name, on one batch; `positions` (n,) on the CPU."""
        rows = [results[probe.name] for probe in self.probes]
        labels = labels.cpu()
        kl, ce, correct, given = (
            torch.stack([_column(row, name) for row in rows]).cpu() for name in ("kl", "ce", "correct", "given_label")
        )
        for fold, at in zip(self._folds, halves(positions), strict=True):
            fold.update(kl[:, at], ce[:, at], correct[:, at], labels[at], given[:, at])
        if self._each is not None:
            self._each.add(kl, ce, positions)
        for k, row in enumerate(rows):
            self._dimensions[k] = self._dimensions[k] + row.dimensions.double().cpu().numpy()
        means = {f"mean {k}": row.mean for k, row in enumerate(rows)}
        self._kept.add(positions, **means, **{f"log_std {k}": row.log_std for k, row in enumerate(rows)})

    def add_output(self, network: str, read: Tensor, labels: Tensor, positions: Tensor) -> None:
        """Add what a network itself says, as `read_output` gives it; ``trained`` is the host."""
        if isinstance(self._target, ClassTarget):
            costs = self._outputs.setdefault(network, TemperatureCosts(self._target.classes))
            costs.update(read, labels, positions)
            correct = float((read.argmax(dim=1) == labels).sum())
        else:
            correct = float((read - labels).double().square().sum())
        if network == "trained":
            self._correct = correct + (self._correct or 0.0)
            if self._each is not None:
                self._each.add_output(read, labels, positions, self._target)

    def add_keys(self, keys: NDArray[np.uint64], positions: Tensor) -> None:
        """Add the keys of the inputs at `positions`."""
        if keys.size:
            self._keys.append((positions.numpy(), keys))

    def merge(self, other: Self) -> None:
        """Add the inputs of `other`, of the same probes, as another rank saw them."""
        for mine, theirs in zip(self._folds, other._folds, strict=True):
            mine.merge(theirs)
        self._dimensions = [mine + theirs for mine, theirs in zip(self._dimensions, other._dimensions, strict=True)]
        self._kept.merge(other._kept)
        for network, costs in other._outputs.items():
            self._outputs.setdefault(network, TemperatureCosts(costs.classes)).merge(costs)
        if other._correct is not None:
            self._correct = other._correct + (self._correct or 0.0)
        self._keys += other._keys
        if self._each is not None and other._each is not None:
            self._each.merge(other._each)

    def keys(self) -> NDArray[np.uint64]:
        """Return the keys of the inputs in the order of their positions."""
        if not self._keys:
            return np.empty(0, np.uint64)
        positions, keys = (np.concatenate(column) for column in zip(*self._keys, strict=True))
        return keys[np.argsort(positions, kind="stable")]

    def bounds(self) -> VIBBounds:
        """Return the bounds of every probe in bit; InputError without an input."""
        return self._whole().compute(base=2)

    def dimensions(self) -> tuple[Floats, ...]:
        """Return the mean divergence of each dimension of every code in bit."""
        return tuple(total / self.n / math.log(2) for total in self._dimensions)

    def sandwich(self) -> Sandwiches:
        """Return the bounds on I(Z;X) of every known code; NaN without two inputs, or for a code that is not finite."""
        arrays, n = self._kept.arrays(), len(self._kept.positions())
        values = np.full((len(self.probes), 4), np.nan)
        for k in range(len(self.probes) if n > 1 else 0):
            try:
                code = GaussianCode(arrays[f"mean {k}"], arrays[f"log_std {k}"])
            except InputError:  # not finite, or too extreme: a finding says so
                continue
            low, high = sandwich(code, seed=self._seed)
            values[k] = low.value, high.value, low.standard_error, high.standard_error
        lower, upper, se_lower, se_upper = values.T
        return Sandwiches(lower, upper, se_lower, se_upper, n)

    def chain(self, later: Mapping[str, Sequence[str]]) -> list[BestBound]:
        """Return, for every probe, the lower bound on I(T;Y) of its site in bit; ``best`` is P for the host's output.

        Parameters
        ----------
        later : mapping of str to sequence of str
            By site the later sites that know the input through it alone, as `dependence` finds them.
        """
        h_y, own = self._whole().costs.entropy(), _folds([fold.costs for fold in self._folds])
        found = []
        for probe in self.probes:
            network = network_of(probe.host)
            at = {probe.site, *later.get(probe.site, ())}
            terms = np.array([network_of(other.host) == network and other.site in at for other in self.probes])
            folds = own
            if OUTPUT in at and network in self._outputs:
                outputs = _folds(self._outputs[network].folds)
                folds = [
                    Fold(a.n, np.append(a.ce, b.ce), np.append(a.variance, b.variance))
                    for a, b in zip(own, outputs, strict=True)
                ]
                terms = np.append(terms, np.ones(len(outputs[0].ce), bool))
            bound = best_lower_bound(h_y, folds, terms)
            unit, best = math.log(2), min(bound.best, len(self.probes))
            found.append(BestBound(bound.value / unit, bound.standard_error / unit, best))
        return found

    def loss(self) -> float | None:
        """Return the mean cross-entropy of the host's own output in bit, None where it has no scores."""
        costs = self._outputs.get("trained")
        return None if costs is None else costs.loss / math.log(2)

    def error(self) -> float | None:
        """Return the error of the host's own output, None where it cannot be read."""
        return None if self._correct is None else float(self._whole().costs.error(np.array([self._correct]))[0])

    def each_input(self) -> EachInput | None:
        """Return the results of single inputs, None where they are not kept."""
        return None if self._each is None else self._each.result()

    def _whole(self) -> BoundSums:
        whole = _bound_sums(len(self.probes), self._target)
        for fold in self._folds:
            whole.merge(fold)
        return whole


def network_of(host: str) -> str:
    """Return which network the probes of a host read: the untrained copy, or the trained one."""
    return "untrained" if host == "untrained" else "trained"


def _bound_sums(probes: int, target: Target) -> BoundSums:
    if isinstance(target, ClassTarget):
        return BoundSums.zeros(probes, target.classes)
    if isinstance(target, RealTarget):
        return BoundSums.of_real_labels(probes, target.dimensions, target.entropy)
    raise InputError(f"target is {target!r}, but it must be a ClassTarget or a RealTarget")


def _folds(costs: Sequence[LabelCosts]) -> list[Fold]:
    whole = costs[0].merged(costs[1])
    variances = [np.diag(part.gains(whole).covariance_of_means()) if part.n else part.ce.mean for part in costs]
    return [Fold(part.n, part.ce.mean, variance) for part, variance in zip(costs, variances, strict=True)]


def _column(row: ProbeEvaluation, name: str) -> Tensor:
    """Return one column of a result as float32; NaN where it has none."""
    value: Tensor | None = getattr(row, name)
    if name == "correct" and value is None:
        value = row.squared_error
    return torch.full_like(row.kl, torch.nan) if value is None else value.float()
