"""What one pass of synaptic scaling did, layer by layer.

Activities are in the unit of the layer's activation, weights in the unit of the weights.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from infoplane.analysis.errors import InputError, near_names

if TYPE_CHECKING:
    import pandas as pd

# Activities are compared in float64; what is smaller than this is rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class LayerScaling:
    """One layer in one pass of synaptic scaling (Hofmann and Mäder 2022, Eqs. 14-16).

    Attributes
    ----------
    layer : str
        Name of the layer in the network.
    activation : str
        The phi that was used.
    target : float
        Target activity, Eq. 16.
    zhat : float
        Target less the mean activity over the probe rows (Eq. 15), which the pass has used; with granularity
        "neuron" the mean of the neurons' own values.
    zbar_before, zbar_after : float
        Mean activity before and after the pass, over the probe rows **and their mirror images**. Both follow
        the probe's law; together they have its mean exactly, so that a small change is not drowned in the
        error of that mean. ``target - zbar_before`` differs from `zhat` by the sampling error of the rows. With
        source "data" the rows have no mirror images, and the two agree.
    change_error : float
        Standard error over rows of ``zbar_after - zbar_before``, rows drawn anew; NaN for one row.
    predicted_change : float
        First-order prediction of ``zbar_after - zbar_before``: the gradient of zbar with respect to the
        weights times the change that the rule asks for, before it is rounded to the weights' own precision.
    distance_before, distance_after : float
        Mean absolute difference between target and activity, over the layer's one value (granularity "layer")
        or over its neurons ("neuron").
    mean_abs_change : float
        Mean absolute change of a weight, as stored after rounding to the weights' own precision. These three are
        over the weights that the rule changes: where one matrix of a recurrent layer is scaled, over that one.
    mean_abs_weight, min_weight : float
        Mean absolute weight and smallest weight after the pass: they show weights that run away.
    """

    layer: str
    activation: str
    target: float
    zhat: float
    zbar_before: float
    zbar_after: float
    change_error: float
    predicted_change: float
    distance_before: float
    distance_after: float
    mean_abs_change: float
    mean_abs_weight: float
    min_weight: float

    @property
    def away(self) -> bool:
        """Whether the pass moved the activity away from its target, by more than two standard errors."""
        return self.distance_after - self.distance_before > max(2 * self.change_error, _ROUNDING)


@dataclass(frozen=True)
class ScalingReport:
    """The layers of one pass, with its rule and rate; iterable, and indexed by layer name.

    Attributes
    ----------
    rule, granularity, source : str
        As `SynScaW` was told.
    gamma : float
        Rate of this pass.
    layers : tuple of LayerScaling
        In the order of registration; every gate of a recurrent layer is one.
    """

    rule: str
    granularity: str
    gamma: float
    layers: tuple[LayerScaling, ...]
    source: str = "probe"

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[LayerScaling]:
        return iter(self.layers)

    def __getitem__(self, name: str) -> LayerScaling:
        for entry in self.layers:
            if entry.layer == name:
                return entry
        known = [entry.layer for entry in self.layers]
        raise InputError(f"no layer {name!r} in this report; it has {', '.join(known)}{near_names(str(name), known)}")

    @property
    def away(self) -> tuple[str, ...]:
        """Names of the layers whose activity the pass moved away from its target."""
        return tuple(entry.layer for entry in self.layers if entry.away)

    def to_dataframe(self) -> "pd.DataFrame":
        """Return a `pandas.DataFrame`: one row for each layer, one column for each attribute, and `away`."""
        import pandas as pd

        return pd.DataFrame([{**asdict(entry), "away": entry.away} for entry in self.layers])

    def __str__(self) -> str:
        width = max(len("(root)"), *(len(entry.layer) for entry in self.layers))
        lines = [
            f"synaptic scaling, rule {self.rule}, one activity per {self.granularity}, gamma {self.gamma:g}, "
            f"activity over {'noise' if self.source == 'probe' else 'real inputs'}",
            f"{'layer':<{width}}  {'phi':<10} {'target':>8} {'zbar':>8} -> {'zbar':>8}  {'change':>9} "
            f"{'s.e.':>8} {'predicted':>9}  {'mean|dw|':>8} {'mean|w|':>8} {'min w':>9}",
        ]
        for entry in self.layers:
            lines.append(
                f"{entry.layer or '(root)':<{width}}  {entry.activation:<10} {entry.target:>8.4g} "
                f"{entry.zbar_before:>8.4g} -> {entry.zbar_after:>8.4g}  "
                f"{entry.zbar_after - entry.zbar_before:>+9.2g} {entry.change_error:>8.1g} "
                f"{entry.predicted_change:>+9.2g}  {entry.mean_abs_change:>8.2g} "
                f"{entry.mean_abs_weight:>8.3g} {entry.min_weight:>9.3g}"
                f"{'  away from target' if entry.away else ''}"
            )
        return "\n".join(lines)
