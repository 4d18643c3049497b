"""Passes of synaptic scaling in a run file: what each did to every layer (Hofmann and Mäder 2022, Eqs. 14-16)."""

from collections.abc import Mapping, Sequence
from typing import Any

from infoplane.runfile.stream import EPOCH, Companion, Coordinate, Stream, Variable

_ACTIVITY, _WEIGHT = "unit of the activations", "unit of the weights"
_QUANTITIES = {  # attribute of LayerScaling: unit
    "target": _ACTIVITY,
    "zhat": _ACTIVITY,
    "zbar_before": _ACTIVITY,
    "zbar_after": _ACTIVITY,
    "change_error": _ACTIVITY,
    "predicted_change": _ACTIVITY,
    "distance_before": _ACTIVITY,
    "distance_after": _ACTIVITY,
    "mean_abs_change": _WEIGHT,
    "mean_abs_weight": _WEIGHT,
    "min_weight": _WEIGHT,
}
SCALING_QUANTITIES = tuple(_QUANTITIES)
"""The last dimension of the passes' ``values``, in order; `infoplane.scaling.report.LayerScaling` explains them."""


def scaling_stream(layers: Sequence[str], activations: Sequence[str], attrs: Mapping[str, Any]) -> Stream:
    """Return the stream of passes over `layers`, whose activation functions are named beside them."""
    return Stream(
        "scaling",
        "step",
        coordinates=(
            Coordinate("layer", layers, "", "layer whose weights are scaled"),
            Coordinate("quantity", SCALING_QUANTITIES, "", "quantity"),
        ),
        companions=(
            Companion("activation", "layer", activations, "", "activation function behind the layer"),
            Companion("unit", "quantity", list(_QUANTITIES.values()), "", "unit of the quantity"),
        ),
        variables=(
            EPOCH,
            Variable("gamma", ("step",), "f8", "1", "scaling rate of the pass"),
            Variable("away", ("step", "layer"), "i1", "1", "whether the pass drove the activity away from its target"),
            Variable("values", ("step", "layer", "quantity"), "f8", "", "what the pass found and did; see unit"),
        ),
        signal="values",
        axes=("step", "layer", "quantity"),
        table="values",
        title="Passes of synaptic scaling",
        attrs=attrs,
    )
