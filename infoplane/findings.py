"""Findings: what cannot be true of a measurement, or what was left out of it, said in one sentence each.

Only sound findings are made: each follows from the numbers by definition. A finding is stored beside its row.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from infoplane.analysis.sketch import SketchSummary
from infoplane.probes.measurement import Measurement


@dataclass(frozen=True)
class Finding:
    """One finding: the stream and name it concerns, a fixed code to select by, and a sentence."""

    stream: str
    where: str
    code: str
    text: str


def findings_of(measurement: Measurement, probes: tuple[str, ...]) -> list[Finding]:
    """Return the findings of one measurement.

    ``non_finite``: activations or weights that are NaN or infinite, counted and never binned; a bound over such
    inputs is NaN. ``outside_bins``: magnitudes beyond the sketch's range. ``left_out``: inputs that the probes'
    training left out. ``non_finite_bound``: a bound is NaN or infinite and no non-finite activation is known that would
    explain it. ``rate_below_label_bound``: the hard check mean KL >= H(Y) - CE, which holds for every code
    under the empirical law (data processing), up to draw noise: only a violation by more than four standard errors
    is said.
    """
    found = [f for s, sketches in _sketches(measurement).items() for n, k in sketches.items() for f in _of(s, n, k)]
    if measurement.loss is not None and not math.isfinite(measurement.loss):
        found.append(Finding("metrics", "loss", "non_finite", "the network's own loss is NaN or infinite"))
    bounds = measurement.bounds
    for k, name in enumerate(probes):
        if measurement.left_out[name]:
            found.append(
                Finding(
                    "plane",
                    name,
                    "left_out",
                    f"the probe's training left out {measurement.left_out[name]} inputs with non-finite activations",
                )
            )
        sketch = measurement.activations.get(name)
        explained = sketch is not None and _non_finite(sketch) > 0
        if not explained and not (np.isfinite(bounds.i_zx[k]) and np.isfinite(bounds.i_zy[k])):
            # Without a sketch, as on the control, activations that are not finite cannot be ruled out.
            cause = " though every activation is finite" if sketch is not None else ""
            text = f"a bound is NaN or infinite{cause}: do not use this row"
            found.append(Finding("plane", name, "non_finite_bound", text))
        gap = float(bounds.i_zy[k] - bounds.i_zx[k])
        if gap > 4 * float(bounds.se_i_zx[k] + bounds.se_i_zy[k]):
            found.append(
                Finding(
                    "plane",
                    name,
                    "rate_below_label_bound",
                    f"the bound on I(Z;Y) exceeds the rate by {gap:.4g} bit, which cannot be; do not use this row",
                )
            )
    return found


def _sketches(measurement: Measurement) -> dict[str, Mapping[str, SketchSummary]]:
    return {"activations": measurement.activations, "weights": measurement.weights}


def _non_finite(summary: SketchSummary) -> float:
    return summary["nans"] + summary["infinities"]


def _of(stream: str, name: str, summary: SketchSummary) -> list[Finding]:
    found = []
    if broken := _non_finite(summary):
        text = f"{broken:.0f} of {summary['n']:.0f} values are NaN or infinite; they are counted, not binned"
        found.append(Finding(stream, name, "non_finite", text))
    outside = sum(summary[f"{side}_{sign}"] for side in ("underflow", "overflow") for sign in ("negative", "positive"))
    if outside:
        text = f"{outside:.0f} of {summary['n']:.0f} values lie outside the sketch's bins (2^-40 to 2^24 in magnitude)"
        found.append(Finding(stream, name, "outside_bins", text))
    return found
