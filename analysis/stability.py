"""Whether what a plane shows survives a change of bins, noise or k.

The values of every layer, at every time, are estimated under each setting of a sweep. Two statements are then checked,
which are what information planes are read for: which of two layers has more information, and whether a layer gains or
loses from the first time to the last. A statement survives when no two settings say opposite things. A setting that
shows no difference (no more than a tolerance, or within two standard errors where the estimator has them) says nothing:
its bins may be so fine that every layer reads log n. How many settings say nothing is a finding.

Two more things are known of estimates with bins or noise. A change at bins or noise in units of the activations that is
not there in units of the layer's own scale is one of scale, and does not survive. And where a layer is a function of
another, information cannot rise from this one to that, whatever all settings agree on.

That a statement survives a sweep does not make it true: all settings of one method share its assumptions. That it does
not survive means that it belongs to a setting and not to the network.
"""

import itertools
import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from infoplane.analysis.errors import InputError, near_names
from infoplane.analysis.estimate import Estimate, estimate, parameters_of
from infoplane.analysis.estimators import method_named
from infoplane.analysis.estimators.count_table import plugin_entropy
from infoplane.analysis.finding import Finding
from infoplane.analysis.samples import SamplesLike, read_samples
from infoplane.analysis.sweep_scale import rise_finding, twin_finding
from infoplane.analysis.units import nats_per_unit

if TYPE_CHECKING:
    import pandas as pd

Layers = Mapping[str, SamplesLike]
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Stability:
    """What a sweep found.

    Attributes
    ----------
    ordering_survives : bool or None
        Whether no two settings put two layers in opposite orders, at any time; None where no setting shows an order, as
        of a single layer or where all values sit at log n.
    change_survives : mapping
        Layer to whether no two settings give its change, last time less first, opposite signs, and no scale-relative
        twin lacks it; None where no setting shows one; empty for a single time.
    findings : tuple of Finding
        At most one for each two layers (at the time where it is worst) and for the change of each layer.
        ``ordering_reversed`` and ``change_reversed``: two settings say opposite things, so it does not survive; the
        amount is the smaller of the two differences. ``ordering_vanishes`` and ``change_vanishes``: some settings show
        no difference where others do; the amount is the largest that is shown. ``ordering_unseen`` and
        ``change_unseen``: no setting shows one. ``twins_disagree``, in place of the two on the change of a layer: the
        sweep holds twins, one setting with bins or noise in units of the activations and one relative to the layer's
        scale, and the change of the former is not that of the latter. Last ``resolution_differs``, for two layers next
        to each other in `chain` whose order is not reversed: the later one rises above the earlier one.
    estimates : tuple
        Per time, layer and setting, in that order: (time, layer, setting, Estimate).
    method : str
        The estimator.
    """

    ordering_survives: bool | None
    change_survives: Mapping[str, bool | None]
    findings: tuple[Finding, ...]
    estimates: tuple[tuple[int, str, Mapping[str, Any], Estimate], ...]
    method: str

    def to_dataframe(self) -> "pd.DataFrame":
        """Return one row per estimate: time, layer, the swept parameters, value, unit, error, kind and findings."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "time": time,
                    "layer": layer,
                    **setting,
                    "value": read.value,
                    "unit": read.unit,
                    "standard_error": read.standard_error,
                    "kind": read.kind,
                    "n": read.n,
                    "findings": ", ".join(finding.code for finding in read.findings),
                }
                for time, layer, setting, read in self.estimates
            ]
        )

    def __str__(self) -> str:
        said = {True: "survives", False: "does not survive", None: "is shown by no setting"}
        several = len({layer for _, layer, _, _ in self.estimates}) > 1
        lines = [f"{self.method}: the ordering of layers {said[self.ordering_survives]}" if several else self.method]
        lines += [f"  the change of {layer} {said[survives]}" for layer, survives in self.change_survives.items()]
        return "\n".join([*lines, *(f"  {finding}" for finding in self.findings)])


def stability(
    x: SamplesLike | Layers | Sequence[Layers],
    y: SamplesLike,
    *,
    method: str,
    sweep: Mapping[str, Iterable[Any]],
    base: float = 2,
    tolerance: float = 0.01,
    chain: Sequence[str] = (),
    **parameters: Any,
) -> Stability:
    """Estimate the information of layers on y under every setting of a sweep, and say what does not depend on it.

    Parameters
    ----------
    x : array_like, mapping, or sequence of mappings
        One layer of shape (n, d); or layers by name; or a list or tuple of such mappings, one per time, with the same
        names. The change of a layer is that from the first to the last, so give the part of a training in question.
    y : torch.Tensor or array_like
        Shape (n,) or (n, d), paired with every layer: labels, or ``row_symbols(inputs)`` for the information on the
        input.
    method : str
        Of `infoplane.analysis.estimate.estimate`.
    sweep : mapping
        Parameter of the method to the values it takes; of several parameters, every combination is a setting.
    base : float
        Base of the logarithm.
    tolerance : float
        Difference up to which two values count as equal, in units of `base`.
    chain : sequence of str
        Layers, the earlier first, each computed from the one before alone, as ``list(layers)`` of a plain feed-forward
        network. Not for inner sites of residual or attention blocks, past which information flows.
    **parameters
        Of the method, the same in all settings.

    Returns
    -------
    Stability
        Verdicts, findings, and the table of all values.

    Raises
    ------
    InputError
        When the sweep has fewer than two settings or names no parameter of the method, there is no layer, the names
        of the layers differ between times, or `chain` names no layer; and whatever the estimator refuses.

    Examples
    --------
    >>> import numpy as np
    >>> inputs = np.random.default_rng(0).uniform(-1, 1, (500, 3))
    >>> layers = {"wide": np.tanh(inputs), "narrow": np.tanh(inputs[:, :1])}
    >>> found = stability(layers, np.arange(500), method="binning", sweep={"number": [5, 10, 30]})
    >>> found.ordering_survives
    True
    """
    times = _times(x)
    settings = _settings(method, sweep, parameters)
    if isinstance(tolerance, bool) or not isinstance(tolerance, numbers.Real) or not 0 <= tolerance < math.inf:
        raise InputError(f"tolerance is {tolerance!r}, but it must be a finite number of at least 0")
    names = list(times[0])
    for layer in chain:
        if layer not in names:
            raise InputError(f"chain names {layer!r}{near_names(str(layer), names)}, but the layers are {names}")
    values = {
        (time, layer): [
            estimate(layers[layer], y, method=method, base=base, **parameters, **setting) for setting in settings
        ]
        for time, layers in enumerate(times)
        for layer in names
    }
    shown = [", ".join(f"{name}={value!r}" for name, value in setting.items()) for setting in settings]
    orders = {
        (a, b): [
            _verdict(
                "ordering",
                _place(f"{a} less {b}", time, len(times)),
                values[time, a],
                values[time, b],
                shown,
                tolerance,
            )
            for time in range(len(times))
        ]
        for a, b in itertools.combinations(names, 2)
    }
    changes = {
        layer: _verdict("change", layer, values[len(times) - 1, layer], values[0, layer], shown, tolerance)
        for layer in (names if len(times) > 1 else ())
    }
    h_y = plugin_entropy(np.bincount(read_samples("y", y).symbols())) / nats_per_unit(base)
    twins = {
        layer: twin_finding(
            layer,
            values[0, layer],
            values[len(times) - 1, layer],
            settings,
            h_y=h_y,
            tolerance=tolerance,
            base=base,
        )
        for layer in changes
    }
    # What is reversed between settings is said already, and a reversal holds whichever layer comes first.
    reversed_ = {frozenset(pair) for pair, verdicts in orders.items() if any(map(_reversed, verdicts))}
    rises = [
        _worst(
            rise_finding(
                _place(f"{later} after {earlier}", time, len(times)),
                values[time, earlier],
                values[time, later],
                shown,
                tolerance=tolerance,
                base=base,
            )
            for time in range(len(times))
        )
        for earlier, later in itertools.pairwise(chain)
        if frozenset((earlier, later)) not in reversed_
    ]
    said = [*map(_worst, orders.values()), *(twins[layer] or changes[layer] for layer in changes), *rises]
    return Stability(
        ordering_survives=_survives([verdict for verdicts in orders.values() for verdict in verdicts]),
        change_survives={
            layer: _survives([verdict]) if twins[layer] is None else False for layer, verdict in changes.items()
        },
        findings=tuple(finding for finding in said if finding),
        estimates=tuple(
            (time, layer, setting, read)
            for (time, layer), reads in values.items()
            for setting, read in zip(settings, reads, strict=True)
        ),
        method=method,
    )


def _verdict(
    what: str, where: str, first: list[Estimate], second: list[Estimate], settings: list[str], tolerance: float
) -> Finding | None:
    """Return what to say when the settings do not agree on the sign of first less second, else None."""
    differences = []
    for a, b in zip(first, second, strict=True):
        error = math.hypot(*(0 if math.isnan(read.standard_error) else read.standard_error for read in (a, b)))
        difference = a.value - b.value
        differences.append(difference if abs(difference) > max(tolerance, 2 * error, _ROUNDING) else 0.0)
    least, most = min(differences), max(differences)
    low, high = (f"{value:+.3g} with {settings[differences.index(value)]}" for value in (least, most))
    unit = first[0].unit
    if least < 0 < most:
        advice = "it belongs to the setting, not to the network"
        return Finding(f"{what}_reversed", where, f"{low}, but {high}", min(-least, most), unit, advice)
    silent = differences.count(0.0)
    if not silent:
        return None
    if silent == len(differences):
        text = "no setting shows a difference beyond its error"
        return Finding(f"{what}_unseen", where, text, advice="see whether all values sit at log n, H(Y) or 0")
    text = f"{low if least < 0 else high}, but no difference under {silent} of {len(differences)} settings"
    advice = "see whether those settings read log n, or next to nothing, everywhere"
    return Finding(f"{what}_vanishes", where, text, max(-least, most), unit, advice)


def _survives(verdicts: list[Finding | None]) -> bool | None:
    """Return whether no verdict is a reversal; None when nothing is shown that could be reversed."""
    if all(verdict is not None and verdict.code.endswith("_unseen") for verdict in verdicts):
        return None
    return not any(map(_reversed, verdicts))


def _worst(verdicts: Iterable[Finding | None]) -> Finding | None:
    """Return the largest reversal, or the largest difference that vanishes where there is none."""
    found = [verdict for verdict in verdicts if verdict]
    return max(found, key=lambda finding: (_reversed(finding), np.nan_to_num(finding.amount)), default=None)


def _reversed(finding: Finding | None) -> bool:
    return finding is not None and finding.code.endswith("_reversed")


def _place(layers: str, time: int, times: int) -> str:
    return layers + ("" if times == 1 else f" at time {time}")


def _times(x: SamplesLike | Layers | Sequence[Layers]) -> list[Layers]:
    """Return the layers by name of each time."""
    if isinstance(x, Mapping):
        times: list[Layers] = [x]
    elif isinstance(x, Sequence) and any(isinstance(layers, Mapping) for layers in x):
        times = list(x)  # type: ignore[arg-type]
    else:
        times = [{"x": x}]  # type: ignore[dict-item]
    for time, layers in enumerate(times):
        if not isinstance(layers, Mapping) or not layers:
            raise InputError(f"time {time} of x is {type(layers).__name__}, but a time is a mapping of names to layers")
        if set(layers) != set(times[0]):
            raise InputError(f"time {time} of x has the layers {sorted(layers)}, but time 0 has {sorted(times[0])}")
    return times


def _settings(method: str, sweep: Mapping[str, Iterable[Any]], parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every combination of the swept values, checked before anything is estimated."""
    for name, values in sweep.items():
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise InputError(f"sweep[{name!r}] is {values!r}, but it must be a list of values to sweep over")
        if name in parameters:
            raise InputError(f"{name} is both swept and given as {parameters[name]!r}; leave one out")
    settings = [dict(zip(sweep, values, strict=True)) for values in itertools.product(*sweep.values())]
    if len(settings) < 2:
        raise InputError(f"sweep makes {len(settings)} of the 2 settings that a comparison needs at least")
    for setting in settings:
        parameters_of(method_named(method), {**parameters, **setting})
    return settings
