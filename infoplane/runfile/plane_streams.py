"""The plane in a run file: bounds of every probe at every step, and the same as points that viewers draw."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.stream import EPOCH, Companion, Coordinate, Stream, Variable

# name, unit, what it is, and the quantity that it is the standard error of
_PLANE = (
    ("i_zx", "bit", "upper_bound", ""),
    ("i_zy", "bit", "lower_bound", ""),
    ("h_y", "bit", "estimate", ""),
    ("ce", "bit", "upper_bound", ""),
    ("error", "1", "estimate", ""),
    ("se_i_zx", "bit", "standard_error", "i_zx"),
    ("se_i_zy", "bit", "standard_error", "i_zy"),
    ("i_zx_lower", "bit", "lower_bound", ""),
    ("i_zx_upper", "bit", "upper_bound", ""),
    ("i_zx_given_y", "bit", "upper_bound", ""),
    ("i_ty_chain", "bit", "lower_bound", ""),
    ("se_i_zx_lower", "bit", "standard_error", "i_zx_lower"),
    ("se_i_zx_upper", "bit", "standard_error", "i_zx_upper"),
    ("se_i_zx_given_y", "bit", "standard_error", "i_zx_given_y"),
    ("se_i_ty_chain", "bit", "standard_error", "i_ty_chain"),
)
PLANE_QUANTITIES: tuple[str, ...] = tuple(row[0] for row in _PLANE)
"""The last dimension of the plane's ``values``, in order."""


def plane_stream(
    probes: Sequence[ProbeInfo], reductions: Mapping[str, str], label_bound: str, attrs: Mapping[str, Any]
) -> Stream:
    """Return the bounds; arguments as in `infoplane.runfile.schema.run_streams`."""
    names = [p.name for p in probes]
    kinds = [label_bound if row[0] in ("i_zy", "i_ty_chain") else row[2] for row in _PLANE]
    what = "covariance over inputs of the means behind {}, probe by probe, for paired differences"
    return Stream(
        "plane",
        "step",
        coordinates=(
            Coordinate("probe", names, "", "probe"),
            Coordinate("probe_", names, "", "second probe of a pair"),
            Coordinate("quantity", PLANE_QUANTITIES, "", "quantity"),
        ),
        companions=(
            Companion("site", "probe", [p.site for p in probes], "", "site that the probe reads"),
            Companion("host", "probe", [p.host for p in probes], "", "trained, or which control; see the format"),
            Companion("beta", "probe", np.array([p.beta for p in probes], "f8"), "1", "weight of the divergence"),
            Companion("latent", "probe", np.array([p.latent for p in probes], "i8"), "1", "dimensions of the code"),
            Companion("scale", "probe", np.array([p.scale for p in probes], "f8"), "1", "factor on the activation"),
            Companion(
                "reduction",
                "probe",
                [reductions.get(p.site, "flatten") for p in probes],
                "",
                "how the activation becomes a vector",
            ),
            Companion("unit", "quantity", [row[1] for row in _PLANE], "", "unit of the quantity"),
            Companion("kind", "quantity", kinds, "", "direction of the bound"),
            Companion("standard_error_of", "quantity", [row[3] for row in _PLANE], "", "what it is the error of"),
        ),
        variables=(
            EPOCH,
            Variable("n", ("step",), "i8", "1", "inputs measured"),
            Variable("n_sandwich", ("step",), "i8", "1", "of them, inputs behind i_zx_lower and i_zx_upper"),
            Variable("updates", ("step",), "i8", "1", "steps that the probes' own optimizer took"),
            Variable("values", ("step", "probe", "quantity"), "f8", "", "bounds per probe; see unit and kind"),
            Variable("covariance_i_zx", ("step", "probe", "probe_"), "f8", "bit2", what.format("i_zx")),
            Variable("covariance_i_zy", ("step", "probe", "probe_"), "f8", "bit2", what.format("i_zy")),
        ),
        signal="values",
        axes=("step", "probe", "quantity"),
        table="values",
        title="Bounds on the information in each probe's own noisy code Z",
        attrs={
            "standard_errors": "over inputs; they leave out seeds and the training of the probes",
            **attrs,
        },
    )


def scatter_stream(probes: Sequence[ProbeInfo]) -> Stream:
    """Return the long table that follows the plane: one point per row and probe."""
    count, x, y = len(probes), PLANE_QUANTITIES.index("i_zx"), PLANE_QUANTITIES.index("i_zy")

    def points(step: int, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        values = arrays["values"]
        return {
            "step_of_point": np.full(count, step, np.int64),
            "probe_index": np.arange(count),
            "i_zx": values[:, x],
            "i_zy": values[:, y],
        }

    return Stream(
        "plane_scatter",
        "point",
        coordinates=(Coordinate("probe", [p.name for p in probes], "", "names that probe_index counts, from 0"),),
        variables=(
            Variable("step_of_point", ("point",), "i8", "1", "step"),
            Variable("probe_index", ("point",), "i8", "1", "index of the probe"),
            Variable("i_zx", ("point",), "f8", "bit", "rate of the probe's code, upper bound on I(Z;X) (bit)"),
            Variable("i_zy", ("point",), "f8", "bit", "lower bound on I(Z;Y) (bit)"),
        ),
        signal="step_of_point",
        axes=("i_zx", "i_zy"),
        title="Information plane: lower bound on I(Z;Y) over the rate of the probe's code",
        attrs={"i_zx_indices": 0, "i_zy_indices": 0},  # NeXus: both run along the only dimension of the signal
        derived_from="plane",
        derive=points,
    )
