"""The choice of `auto` between two continuous variables: families, neighbours, and a network on what is left.

One part in five is held out. The families are fitted to the rest and scored by `contrast`; a network then tries to
explain more than the better family (`residual_critic`). The family is refuted where the network gains, on the same
held-out pairs, more than twice the standard error of the paired gain; where its value is above its own score; and, with
few columns, where neighbours read more. The network's own value is the mean of its cross-fitted scores with its growth
from half the samples added once, which removes a loss in 1/n.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.estimators.choice import choice
from infoplane.analysis.estimators.contrast import BLOCK, Critic, held_out_scores, random_parts
from infoplane.analysis.estimators.elliptical_critic import fit_elliptical, varied_columns
from infoplane.analysis.estimators.gaussian import Gaussian, gaussian, wishart_bias
from infoplane.analysis.estimators.ksg1 import KSG1, ksg1
from infoplane.analysis.estimators.linear_law import change_of_slopes
from infoplane.analysis.estimators.method import Floats, Reading
from infoplane.analysis.estimators.mixed_ksg import MixedKSG, mixed_ksg
from infoplane.analysis.estimators.normal_scores import normal_scores, tie_share
from infoplane.analysis.estimators.residual_critic import fit_residual
from infoplane.analysis.estimators.t_copula import TCopula, t_copula
from infoplane.analysis.finding import Finding

Family = Literal["gaussian", "t_copula"]
Rows = NDArray[np.int64]
_FOLDS = 5
_LEAST_SCORED, _LEAST_TRAINED = 100, 500  # samples from which a part is held out, and a network finds anything
_NEIGHBOURS_REFUTE, _NEIGHBOURS_COUNT = 4, 6  # most columns for which they refute a family, and are a candidate
_SMALL = 0.01  # nats: a family that is wrong by less is kept, for its bias is smaller than that of the others
_TIED = 0.01  # share of a column on one value, from which no family holds
_CLEARLY = 0.05  # nats: more than neighbours read above the truth in few columns
_GROWS = 0.05  # share of a bound that may have to be extrapolated unsaid
_GROWTH_PARTS = 2
_CHANCE = 1e-3  # of a false alarm


@dataclass(frozen=True)
class Held:
    """What the first part, held out, says.

    Attributes
    ----------
    family : {"gaussian", "t_copula"}
        The family that explains most of it.
    nu : float
        Its degrees of freedom, infinity for a normal dependence.
    base : numpy.ndarray
        Shape (m,): scores of that family.
    network : numpy.ndarray or None
        Shape (m,): scores with the network; None with too few samples to train one.
    scores : mapping
        Mean scores, by candidate.
    """

    family: Family
    nu: float
    base: Floats
    network: Floats | None
    scores: Mapping[str, float]

    @property
    def refuted(self) -> bool:
        """Whether the network explains more than the family, beyond noise."""
        if self.network is None:
            return False
        gain = self.network - self.base
        return bool(gain.mean() > max(_SMALL, 2 * gain.std() / math.sqrt(gain.size)))


def choose_continuous(x: Floats, y: Floats, seed: int) -> Reading:
    """Return the choice for two continuous variables of shapes (n, dx) and (n, dy)."""
    n = len(x)
    families = {"gaussian": gaussian(x, y, Gaussian()), "t_copula": t_copula(x, y, TCopula())}
    values: dict[str, float] = {name: reading.nats for name, reading in families.items()}
    if any(math.isinf(value) for value in values.values()):
        name = max(families, key=lambda name: families[name].nats)
        return choice(name, "x and y share a direction without noise", families[name], {})
    x, y = x[:, varied_columns(x)], y[:, varied_columns(y)]
    columns = x.shape[1] + y.shape[1]
    tied = max(tie_share(x), tie_share(y)) > max(_TIED, 2 / n)
    if columns <= _NEIGHBOURS_COUNT:
        values |= _by_neighbours(x, y, tied, seed)
    neighbours = max((name for name in values if "ksg" in name), key=values.__getitem__, default="")
    kept = {f"{name}_nats": value for name, value in values.items()}
    findings = tuple(f for f in families["t_copula"].findings if f.code != "ties")
    if n < max(_LEAST_SCORED, 3 * columns):
        text = f"{n} samples are too few to hold some out, so no candidate was checked"
        findings += (Finding("unchecked", "value", text, n, "1", "take more samples"),)
        reading = replace(families["t_copula"], findings=findings)
        return choice("t_copula", "too few samples to compare", reading, kept)
    parts = random_parts(n, _FOLDS, seed)
    held = _hold_out(x, y, parts, seed)
    family, value = held.family, values[held.family]
    error = float((held.base if held.network is None else held.network).std()) / math.sqrt(n)
    kept |= {f"{name}_score_nats": score for name, score in held.scores.items()}
    low = columns <= _NEIGHBOURS_REFUTE and values[neighbours] - value > max(_CLEARLY, 3 * error)
    if not (tied or low or held.refuted or _unsupported(held, value, x, y)):
        why = f"{family}: neither a network nor neighbours find more than it explains of held-out samples"
        findings += _doubts(held, value, x, y)
        if held.network is None:
            why = f"{family}: it explains most of held-out samples, too few to train a network against it"
            if columns > _NEIGHBOURS_REFUTE:
                text = f"{n} samples are too few to look for what the family misses in {columns} columns"
                findings += (Finding("unchecked", "value", text, advice="take 500 samples or more"),)
        return choice(family, why, Reading(value, error, findings=findings), kept)
    reason = "ties leave no family" if tied else f"{family} is refuted ({value:.3f} nat)"
    scores = _cross_fit(x, y, held, parts, seed)
    bound, error = float(np.concatenate(scores).mean()), float(np.concatenate(scores).std()) / math.sqrt(n)
    growth = 0.0 if held.network is None else _growth(x, y, held, parts, scores, seed)
    kept |= {"cross_fitted_score_nats": bound, "growth_nats": growth}
    if neighbours and values[neighbours] >= bound + growth - error:
        why = f"{reason}; {neighbours} reads no less than held-out samples support ({bound:.3f} nat)"
        return choice(neighbours, why, Reading(values[neighbours], error, findings=findings), kept)
    why = f"{reason}; a network explains {bound:.3f} nat of held-out samples, extrapolated in 1/n by {growth:.3f}"
    if growth > max(2 * _SMALL, _GROWS * bound):
        text = "what held-out samples support still grows with n, and the rest of the value is extrapolated in 1/n"
        findings += (Finding("still_growing", "value", text, growth, "nat", "take more samples, or fewer columns"),)
    return choice("network", why, Reading(bound + growth, error, findings=findings), kept)


def _by_neighbours(x: Floats, y: Floats, tied: bool, seed: int) -> dict[str, float]:
    if tied:
        return {"mixed_ksg": mixed_ksg(x, y, MixedKSG()).nats}
    ranked = ksg1(normal_scores(x), normal_scores(y), KSG1(seed=seed))
    return {"ksg1": ksg1(x, y, KSG1(seed=seed)).nats, "ksg1_of_normal_scores": ranked.nats}


def _hold_out(x: Floats, y: Floats, parts: list[Rows], seed: int) -> Held:
    part, rest = parts[0], np.concatenate(parts[1:])
    families: tuple[Family, ...] = ("gaussian", "t_copula")
    critics = {name: fit_elliptical(x[rest], y[rest], name) for name in families}
    scores = {name: held_out_scores(critic, x[part], y[part]) for name, critic in critics.items()}
    gain = scores["gaussian"] - scores["t_copula"]
    straight = gain.mean() > max(_SMALL, 2 * gain.std() / math.sqrt(gain.size))
    family: Family = "gaussian" if straight else "t_copula"
    network = None
    if len(x) >= _LEAST_TRAINED:
        critic = fit_residual(x[rest], y[rest], critics[family], aside=len(rest) // 8, seed=seed)
        network = held_out_scores(critic, x[part], y[part])
    means: dict[str, float] = {name: float(values.mean()) for name, values in scores.items()}
    if network is not None:
        means["network"] = float(network.mean())
    return Held(family, critics[family].nu, scores[family], network, means)


def _cross_fit(x: Floats, y: Floats, held: Held, parts: list[Rows], seed: int) -> list[Floats]:
    """Return the scores of every part by the network, or the family, fitted to the others."""
    scores = [held.base if held.network is None else held.network]
    for i, part in enumerate(parts[1:], start=1):
        rest = np.concatenate(parts[:i] + parts[i + 1 :])
        critic = _trained(x[rest], y[rest], held.family, held.network is not None, seed)
        scores.append(held_out_scores(critic, x[part], y[part]))
    return scores


def _growth(x: Floats, y: Floats, held: Held, parts: list[Rows], scores: list[Floats], seed: int) -> float:
    """Return what the samples lacked: the gain from half of them to all, which is c/n if the loss is c/n."""
    gains = []
    for i in range(_GROWTH_PARTS):
        half = np.concatenate(parts[i + 1 :] + parts[:i])[: (len(x) - len(parts[i])) // 2]
        critic = _trained(x[half], y[half], held.family, True, seed)
        gains.append(scores[i] - held_out_scores(critic, x[parts[i]], y[parts[i]]))
    return float(np.concatenate(gains).mean())


def _trained(x: Floats, y: Floats, family: Family, network: bool, seed: int) -> Critic:
    base = fit_elliptical(x, y, family)
    return fit_residual(x, y, base, aside=len(x) // 8, seed=seed) if network else base


def _most(held: Held) -> float:
    """Return the largest value that the held-out part can speak of: log m less one."""
    return math.log(min(BLOCK, held.base.size)) - 1


def _unsupported(held: Held, value: float, x: Floats, y: Floats) -> bool:
    """Return whether a family claims more than it explains: its value is above its own score."""
    score, error = float(held.base.mean()), float(held.base.std()) / math.sqrt(held.base.size)
    # fitted to four parts in five, it loses on the fifth about what its plug-in value gains
    expected = score + wishart_bias(len(x) * (_FOLDS - 1) // _FOLDS, x.shape[1], y.shape[1])
    return value < _most(held) and value - expected > max(_CLEARLY, 3 * error)


def _doubts(held: Held, value: float, x: Floats, y: Floats) -> tuple[Finding, ...]:
    """Return what speaks against a family's value although nothing explains more."""
    found = []
    if value > _most(held):
        text = "the family's value is more than held-out samples can speak of"
        advice = "trust it as far as the family"
        found.append(Finding("beyond_support", "value", text, value - _most(held), "nat", advice))
    if math.isinf(held.nu):
        u, v = (normal_scores(x), normal_scores(y)) if held.family == "t_copula" else (x, y)
        chance = change_of_slopes(u, v)
        if chance < _CHANCE:
            text = "the slopes of y on x change from the centre outwards; those of a normal law do with this chance"
            advice = "the value is probably too low; take more samples, or fewer columns"
            found.append(Finding("not_one_law", "x, y", text, chance, "1", advice))
    return tuple(found)
