"""What an estimate measures its bins or noise in: units of the activations, or the layer's own scale.

Absolute are bins of a given width, over a fixed range, or fitted elsewhere, and noise of a given variance. Relative to
the layer are bins of equal mass, any number of bins over the layer's own range (or each neuron's), and noise in
proportion to the layer's variance: a layer and ten times that layer read alike.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from infoplane.analysis.estimate import Estimate


def scale_of(parameters: Mapping[str, Any]) -> Literal["absolute", "relative"] | None:
    """Return what the bins or the noise of an `Estimate`'s parameters are measured in; None without either."""
    if "noise_variance" in parameters:
        return "absolute" if parameters["scale"] == "absolute" else "relative"
    if "rule" not in parameters:
        return None
    elsewhere = parameters["bins"] is not None or parameters["scope"] == "fixed"
    return "absolute" if elsewhere or parameters["rule"] == "width" else "relative"


def error_over_draws(read: "Estimate") -> float:
    """Return the error of a value for the law in which its samples are equally likely: 0 where it only counts them.

    Binned values, those of a layer with noise and exact counts are numbers about their samples; all others have the
    error that came with them, NaN where none did.
    """
    counts = read.method == "exact" or scale_of(read.parameters) is not None
    return 0.0 if counts and math.isnan(read.standard_error) else read.standard_error
