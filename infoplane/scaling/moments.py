"""When synaptic scaling scales, and how its rate follows the learning rate.

Hofmann and Mäder (2022) give the moment of a pass as "in between training steps" (section IV) and as every epoch
(Fig. 5); in their appendix the rate decays as the learning rate does.
"""

import math
import re
from dataclasses import dataclass
from numbers import Real

import torch

from infoplane.analysis.errors import InputError, near_names, whole_number

_WRITTEN = re.compile(r"(?:(\d+) )?(step|epoch)s?")


@dataclass(frozen=True)
class Moments:
    """After every how many steps or epochs there is a pass; 0 for never."""

    steps: int = 0
    epochs: int = 0


def moments(every: str | int) -> Moments:
    """Return what `every` says.

    Parameters
    ----------
    every : str or int
        ``"epoch"``, ``"5 epochs"``, ``"step"``, ``"100 steps"``, a whole number of steps, or ``"never"``.

    Raises
    ------
    InputError
        It says something else.
    """
    if isinstance(every, str):
        if every == "never":
            return Moments()
        found = _WRITTEN.fullmatch(every)
        number = int(found[1] or 1) if found else 0
        if found and number:
            return Moments(steps=number) if found[2] == "step" else Moments(epochs=number)
        known = ("epoch", "step", "never")
        raise InputError(
            f"every={every!r} cannot be used; accepted: 'epoch', '5 epochs', 'step', '100 steps', a whole number of "
            f"steps, or 'never'{near_names(every, known)}"
        )
    return Moments(steps=whole_number("every", every, least=1))


def learning_rate_factor(optimizer: torch.optim.Optimizer) -> float:
    """Return the learning rate as a fraction of what it was at the beginning, for `SynScaW`'s `gamma_decay`.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Whose schedule counts. Where one has noted the initial rate (all of torch's but ReduceLROnPlateau do), that is
        the beginning; else it is the rate that the optimizer was made with.

    Raises
    ------
    InputError
        Groups of parameters have different fractions, or the initial rate is 0.
    """
    found = set()
    for group in optimizer.param_groups:
        first = float(group.get("initial_lr", optimizer.defaults.get("lr", math.nan)))
        if not first > 0:
            raise InputError(f"the learning rate began with {first}, so that no fraction of it can be told")
        found.add(float(group["lr"]) / first)
    if max(found) - min(found) > 1e-9 * max(found):
        shown = ", ".join(f"{value:.6g}" for value in sorted(found))
        raise InputError(
            f"the groups of parameters have learning rates that are {shown} of what they were; pass the one that the "
            "scaling rate should follow as learning_rate_factor="
        )
    return found.pop()


def check_factor(factor: object) -> float:
    """Return a learning rate factor as a float; InputError unless it is a finite number of at least 0."""
    if isinstance(factor, bool) or not isinstance(factor, Real) or not math.isfinite(factor) or factor < 0:
        raise InputError(f"learning_rate_factor={factor!r} cannot be used; accepted: a finite number >= 0")
    return float(factor)
