"""What the settings of a sweep say of scale and resolution: of a layer over time, and of two layers of a chain.

Both are for estimates with bins or noise, which are numbers about their samples, in one of two units (see
`infoplane.analysis.validity.scale`); of any other estimate nothing is said.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from infoplane.analysis.estimate import Estimate
from infoplane.analysis.finding import Finding
from infoplane.analysis.validity import resolution_differs, twins_disagree
from infoplane.analysis.validity.scale import error_over_draws, scale_of

_TELLING = (0.05, 0.95)  # shares of the ceiling between which a setting sees changes


def twin_finding(
    layer: str,
    first: Sequence[Estimate],
    last: Sequence[Estimate],
    settings: Sequence[Mapping[str, Any]],
    *,
    h_y: float,
    tolerance: float,
    base: float,
) -> Finding | None:
    """Return ``twins_disagree`` of the worst pair of twins among the settings, else None.

    Parameters
    ----------
    layer : str
        Its name.
    first, last : sequence of Estimate
        By setting, at the first and the last time.
    settings : sequence of mapping
        Twins are an absolute and a relative one that differ in a single parameter.
    h_y : float
        H(Y) of what they are about, in units of `base`. A relative twin that rests within 5 % of it, or of 0, says
        nothing: its bins or its noise are too fine, or too coarse, to see a change.
    tolerance : float
        Changes up to it count as none.
    base : float
        Base of the logarithm.
    """
    found = []
    least, most = (share * h_y for share in _TELLING)
    for a, r in itertools.permutations(range(len(settings)), 2):
        if sum(settings[a][name] != settings[r][name] for name in settings[a]) != 1:
            continue
        if (scale_of(first[a].parameters), scale_of(first[r].parameters)) != ("absolute", "relative"):
            continue
        absolute, relative = ((first[k].value, last[k].value) for k in (a, r))
        change, twin = absolute[1] - absolute[0], relative[1] - relative[0]
        telling = abs(twin) > tolerance or any(least < value < most for value in relative)
        if not telling or min(abs(change), abs(change - twin)) <= tolerance:
            continue
        errors = [max(error_over_draws(first[k]), error_over_draws(last[k])) for k in (a, r)]
        said = twins_disagree(absolute, relative, se_absolute=errors[0], se_relative=errors[1], where=layer, base=base)
        found += [said] if said else []
    return max(found, key=lambda finding: abs(finding.amount), default=None)


def rise_finding(
    where: str,
    earlier: Sequence[Estimate],
    later: Sequence[Estimate],
    shown: Sequence[str],
    *,
    tolerance: float,
    base: float,
) -> Finding | None:
    """Return ``resolution_differs`` of the setting at which a later layer of a chain rises most, else None.

    Parameters
    ----------
    where : str
        The two layers.
    earlier, later : sequence of Estimate
        By setting.
    shown : sequence of str
        The settings in words.
    tolerance : float
        Rises up to it count as none.
    base : float
        Base of the logarithm.
    """
    found = []
    for one, two, setting in zip(earlier, later, shown, strict=True):
        if scale_of(one.parameters) is None or two.value - one.value <= tolerance:
            continue
        se = math.hypot(error_over_draws(one), error_over_draws(two))
        if said := resolution_differs(one.value, two.value, se=se, where=where, base=base):
            found.append(replace(said, text=f"{said.text} (with {setting})"))
    return max(found, key=lambda finding: finding.amount, default=None)
