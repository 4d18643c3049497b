"""What the recorders write into a run file: sketches, neurons, gradients, raw activations, results of single inputs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from infoplane.analysis.sketch import BIN_CENTERS, BIN_EDGES, QUANTITIES, UNITS
from infoplane.runfile.stream import EPOCH, Companion, Coordinate, Stream, Variable

_GRADIENTS = {  # quantity: unit
    "steps": "1",
    "mean_norm": "loss per unit of the weight",
    "sd_norm": "loss per unit of the weight",
    "weight_norm": "unit of the weight",
    "snr": "1",
    "squared_mean": "square of loss per unit of the weight",
    "squared_snr": "1",
}
_NEURONS = {"mean": "unit of the activations", "variance": "square of the unit of the activations", "zeros": "1"}
GRADIENT_QUANTITIES = tuple(_GRADIENTS)
"""The last dimension of the gradients' ``values``, in order."""


def sketches_stream(name: str, labels: Coordinate, what: str, attrs: Mapping[str, Any]) -> Stream:
    """Return sketches of what `labels` names; `what` stands in the title."""
    dims = ("step", labels.name, "sign", "bin")
    return Stream(
        name,
        "step",
        coordinates=(
            labels,
            Coordinate("sign", np.array([-1, 1], "i1"), "1", "sign of the values"),
            Coordinate("bin", BIN_CENTERS, "1", "geometric centre of a bin of magnitudes"),
            Coordinate("bin_edges", BIN_EDGES, "1", "edges of the bins; a bin holds its lower edge"),
            Coordinate("quantity", QUANTITIES, "", "quantity"),
        ),
        companions=(_units(dict(zip(QUANTITIES, UNITS, strict=True))),),
        variables=(
            EPOCH,
            Variable("counts", dims, "i8", "1", "values per bin", compress=True),
            Variable("scalars", (*dims[:2], "quantity"), "f8", "", "what stands beside the bins", compress=True),
        ),
        signal="counts",
        axes=dims,
        table="scalars",
        title=f"{what}, counted by sign and magnitude",
        attrs=attrs,
    )


def neurons_stream(neurons: Mapping[str, int], attrs: Mapping[str, Any]) -> Stream:
    """Return the statistics of every neuron; `neurons` counts those of each site."""
    return Stream(
        "neurons",
        "step",
        coordinates=(
            Coordinate("neuron", np.arange(sum(neurons.values()), dtype="i8"), "1", "neurons of all sites, in a row"),
            Coordinate("quantity", list(_NEURONS), "", "mean, variance, share of exact zeros"),
        ),
        companions=(*_of_sites("neuron", neurons, "of the neuron within its site"), _units(_NEURONS)),
        variables=(
            EPOCH,
            Variable("n", ("step",), "i8", "1", "inputs measured"),
            Variable(
                "values", ("step", "neuron", "quantity"), "f4", "", "over inputs, and over space or tokens; see unit"
            ),
        ),
        signal="values",
        axes=("step", "neuron", "quantity"),
        table="values",
        title="Activity of every neuron",
        attrs=attrs,
    )


def gradients_stream(parameters: Sequence[str]) -> Stream:
    """Return the gradients' statistics between measurements, by parameter."""
    return Stream(
        "gradients",
        "step",
        coordinates=(
            Coordinate("parameter", parameters, "", "parameter"),
            Coordinate("quantity", GRADIENT_QUANTITIES, "", "quantity over the steps since the last row"),
        ),
        companions=(_units(_GRADIENTS),),
        variables=(
            EPOCH,
            Variable("values", ("step", "parameter", "quantity"), "f8", "", "of norms over the parameter; see unit"),
        ),
        signal="values",
        axes=("step", "parameter", "quantity"),
        table="values",
        title="Mean and standard deviation of the gradients, as the optimizer used them",
        attrs={"split": "train", "mode": "train"},
    )


def raw_stream(widths: Mapping[str, int], inputs: int, targets: int | None, attrs: Mapping[str, Any]) -> Stream:
    """Return the reduced activations of some inputs; `widths` of the sites, `targets` as in `run_streams`."""
    return Stream(
        "raw",
        "step",
        coordinates=(
            Coordinate("input", np.arange(inputs, dtype="i8"), "1", "inputs of the subset, by position"),
            Coordinate("feature", np.arange(sum(widths.values()), dtype="i8"), "1", "features of all sites, in a row"),
            Coordinate("target", np.arange(targets or 1, dtype="i8"), "1", "numbers of a label; a class is one"),
        ),
        companions=_of_sites("feature", widths, "of the feature within its site"),
        variables=(
            EPOCH,
            Variable("position", ("step", "input"), "i8", "1", "of the input in the held-out data; -1 for none"),
            Variable("label", ("step", "input", "target"), "f8", "", "of the input; NaN for none"),
            Variable("values", ("step", "input", "feature"), "f4", "", "reduced activations, in their unit"),
        ),
        signal="values",
        axes=("step", "input", "feature"),
        title="Activations of a fixed subset of the held-out inputs",
        attrs={"label": "class" if targets is None else "real", **attrs},
    )


def inputs_stream(probes: Sequence[str], inputs: int, attrs: Mapping[str, Any]) -> Stream:
    """Return what each of some held-out inputs gave; `probes` by name."""
    of_host, of_probes = ("step", "input"), ("step", "probe", "input")
    return Stream(
        "inputs",
        "step",
        coordinates=(
            Coordinate("input", np.arange(inputs, dtype="i8"), "1", "inputs, by position"),
            Coordinate("probe", probes, "", "probe"),
        ),
        variables=(
            EPOCH,
            Variable("position", of_host, "i8", "1", "of the input in the held-out data; -1 for none", compress=True),
            Variable(
                "error", of_host, "f4", "", "1 where the host is wrong; of real labels its squared error", compress=True
            ),
            Variable("loss", of_host, "f4", "bit", "cross-entropy of the host's own output", compress=True),
            Variable("rate", of_probes, "f4", "bit", "divergence of the code, whose mean is i_zx", compress=True),
            Variable("ce", of_probes, "f4", "bit", "cross-entropy, whose mean is h_y - i_zy", compress=True),
        ),
        signal="error",
        axes=of_host,
        title="What each held-out input gave",
        attrs=attrs,
    )


def _units(quantities: Mapping[str, str]) -> Companion:
    return Companion("unit", "quantity", list(quantities.values()), "", "unit of the quantity")


def _of_sites(dimension: str, widths: Mapping[str, int], what: str) -> tuple[Companion, ...]:
    names = [site for site, width in widths.items() for _ in range(width)]
    index = np.concatenate([np.arange(width, dtype="i8") for width in widths.values()])
    return (Companion("site", dimension, names, "", "site"), Companion("index", dimension, index, "1", f"index {what}"))
