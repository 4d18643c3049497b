"""The findings of a measurement: those of `infoplane.analysis.validity` that a recording has the numbers for.

Each is about one row of one stream, and stored beside it. None is made of two probes: their codes are siblings, not a
chain, so that data processing says nothing about them.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis import validity
from infoplane.analysis.finding import Finding
from infoplane.analysis.sketch import SketchSummary
from infoplane.probes.measurement import Measurement
from infoplane.probes.probe_info import ProbeInfo

_SKETCH_BINS = "the sketch's bins (2^-40 to 2^24 in magnitude)"


def findings_of(
    measurement: Measurement, probes: Sequence[ProbeInfo], *, rates: NDArray[np.float64], has_classes: bool
) -> list[tuple[str, Finding]]:
    """Return the findings of one measurement, each with the stream that it concerns.

    Parameters
    ----------
    measurement : Measurement
        The row.
    probes : sequence of ProbeInfo
        In the order of its bounds.
    rates : numpy.ndarray
        Shape (rows, probes): the rates in bit of the last rows on the same inputs, this one last.
    has_classes : bool
        Whether labels are classes: the differential entropy of real ones may be 0 by itself.

    Returns
    -------
    list of (str, Finding)
        Codes of `infoplane.analysis.validity`: ``non_finite`` and ``outside_bins`` of the activations and weights,
        ``non_finite`` of the network's own loss; of each probe ``rate_above_log_n``, ``rate_below_label_bound``,
        ``label_bound_below_zero``, ``lower_above_upper``, ``collapsed_dimensions``, on the control
        ``rate_still_falling``; of the inputs ``duplicate_inputs``, by the keys of their bytes: NaN is not equal to
        itself, but inputs of the same bytes are one input to a network; of the labels ``one_class``, where a label
        bound below 0 is no probe's doing and is not said. And three of the recording's own: ``left_out``, inputs that
        the probe's training left out; ``non_finite_bound``, a bound that is NaN or infinite, with the activations that
        explain it where there are any; ``sandwich_missing``, a code of finite rate too extreme to be enclosed.
    """
    found: list[tuple[str, Finding | None]] = []
    for stream, sketches in (("activations", measurement.activations), ("weights", measurement.weights)):
        found += [(stream, finding) for name, sketch in sketches.items() for finding in _of_sketch(name, sketch)]
    if measurement.loss is not None and not math.isfinite(measurement.loss):
        text = "the network's own loss is NaN or infinite"
        found.append(("metrics", Finding("non_finite", "loss", text, advice="look at the learning rate and the data")))
    found.append(("plane", validity.duplicate_inputs(measurement.input_keys)))
    alone = validity.one_class(measurement.bounds.h_y, measurement.bounds.n) if has_classes else None
    found.append(("plane", alone))
    for k, probe in enumerate(probes):
        found += [("plane", finding) for finding in _of_probe(measurement, k, probe, rates[:, k])]
    return [(stream, one) for stream, one in found if one and not (alone and one.code == "label_bound_below_zero")]


def _of_sketch(name: str, sketch: SketchSummary) -> Iterator[Finding | None]:
    yield validity.non_finite(_non_finite(sketch), sketch["n"], where=name)
    outside = sum(sketch[f"{side}_{sign}"] for side in ("underflow", "overflow") for sign in ("negative", "positive"))
    yield validity.outside_bins(outside, sketch["n"], where=name, bins=_SKETCH_BINS)


def _of_probe(
    measurement: Measurement, k: int, probe: ProbeInfo, rates: NDArray[np.float64]
) -> Iterator[Finding | None]:
    bounds, where = measurement.bounds, probe.name
    if left_out := measurement.left_out[where]:
        text = f"the probe's training left out {left_out} inputs with non-finite activations"
        yield Finding("left_out", where, text, float(left_out), "1", "find the layer that made them")
    rate, label_bound = float(bounds.i_zx[k]), float(bounds.i_zy[k])
    if not (math.isfinite(rate) and math.isfinite(label_bound)):
        yield _non_finite_bound(measurement, probe)
    yield validity.rate_below_label_bound(
        rate, label_bound, se_rate=float(bounds.se_i_zx[k]), se_label_bound=float(bounds.se_i_zy[k]), where=where
    )
    if math.isfinite(rate) and measurement.n_sandwich > 1 and math.isnan(measurement.i_zx_lower[k]):
        text = "the code has deviations below e^-100 or means too far out, so that no sandwich encloses its information"
        advice = "take activations on a smaller scale, std='log_variance', or a larger beta"
        yield Finding("sandwich_missing", where, text, advice=advice)
    yield _contradiction(measurement, k, probe)
    yield validity.rate_above_log_n(rate, bounds.n, where=where)
    yield validity.label_bound_below_zero(label_bound, where=where)
    yield validity.collapsed_dimensions(measurement.dimensions[k], where=where)
    if probe.host == "untrained":
        yield validity.rate_still_falling(rates, where=where)


def _non_finite_bound(measurement: Measurement, probe: ProbeInfo) -> Finding:
    """Return that a bound is NaN or infinite, and why, where the site's sketch tells."""
    sketch, n = measurement.activations.get(probe.site), measurement.bounds.n
    text, advice = "a bound is NaN or infinite", "do not use this row"
    if sketch is not None and (count := _non_finite(sketch)):
        # Sketches are of the trained network: of its control's activations nothing is known but that its inputs are
        # the same ones.
        whose = "the trained network's activations here" if probe.host == "untrained" else "its site's activations"
        text += f", as are {count:.0f} of {whose}: a mean over all {n} inputs leaves none out"
        advice += ", but look for NaN among the held-out inputs, or the layer that made the values"
    elif sketch is not None and probe.host != "untrained":
        text += " though every activation is finite"
    return Finding("non_finite_bound", probe.name, text, advice=advice)


def _contradiction(measurement: Measurement, k: int, probe: ProbeInfo) -> Finding | None:
    """Return the first lower bound of a probe's code that exceeds an upper one; the rate is checked apart."""
    bounds = measurement.bounds
    enclosed = (measurement.i_zx_lower[k], measurement.i_zx_upper[k])
    errors = (measurement.se_i_zx_lower[k], measurement.se_i_zx_upper[k])
    for lower, upper, se_lower, se_upper in (
        (enclosed[0], enclosed[1], errors[0], errors[1]),
        (enclosed[0], bounds.i_zx[k], errors[0], bounds.se_i_zx[k]),
        (bounds.i_zy[k], enclosed[1], bounds.se_i_zy[k], errors[1]),
    ):
        found = validity.lower_above_upper(
            float(lower), float(upper), se_lower=float(se_lower), se_upper=float(se_upper), where=probe.name
        )
        if found:
            return found
    return None


def _non_finite(sketch: SketchSummary) -> float:
    return sketch["nans"] + sketch["infinities"]
