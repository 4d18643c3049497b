"""Format version 1 of the run file: which streams a recording writes, with every dimension, unit and direction.

========================  ==========================================================================================
``/entry/plane``          ``values`` (step, probe, quantity): the bounds of Eqs. 8-13 with their standard errors
``/entry/plane_scatter``  the same pairs as a long table, one point per row and probe, so that viewers draw a plane
``/entry/activations``    ``counts`` (step, site, sign, bin) and ``scalars`` (step, site, quantity) of the sketches
``/entry/weights``        the same with parameters in place of sites
``/entry/metrics``        ``values`` (step, quantity): what the host itself does
``/entry/findings``       what cannot be true of a row, or was left out of it
``/entry/events``         what happened to the recording
========================  ==========================================================================================

A later minor version adds streams, variables, quantities and attributes; it never changes or removes one. Version 1.1
added ``amount``, ``unit`` and ``advice`` to the findings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.sketch import BIN_CENTERS, BIN_EDGES, QUANTITIES, UNITS
from infoplane.errors import InputError
from infoplane.runfile.stream import Companion, Coordinate, Stream, Variable

FORMAT = "infoplane"
FORMAT_VERSION = "1.1"
STATUSES = ("recording", "finished", "interrupted")

# name, unit, what it is, and the quantity that it is the standard error of
_PLANE = (
    ("i_zx", "bit", "upper_bound", ""),
    ("i_zy", "bit", "lower_bound", ""),
    ("h_y", "bit", "estimate", ""),
    ("ce", "bit", "upper_bound", ""),
    ("error", "1", "estimate", ""),
    ("se_i_zx", "bit", "standard_error", "i_zx"),
    ("se_i_zy", "bit", "standard_error", "i_zy"),
)
PLANE_QUANTITIES: tuple[str, ...] = tuple(row[0] for row in _PLANE)
"""The last dimension of the plane's ``values``, in order."""

EPOCH = Variable("epoch", ("step",), "f8", "1", "epochs of training before this row, NaN where none was given")


@dataclass(frozen=True)
class ProbeInfo:
    """One probe of the plane.

    Attributes
    ----------
    name : str
        Its label: the site's name, and ``site@untrained`` for the control.
    site : str
        Where it reads.
    host : str
        ``trained``, or ``untrained`` for the control on the frozen copy of the host.
    beta : float
        Weight of the divergence in its loss (Eq. 13).
    latent : int
        N, the dimensions of its code.
    """

    name: str
    site: str
    host: str
    beta: float
    latent: int


def run_streams(
    *,
    probes: Sequence[ProbeInfo],
    sites: Sequence[str] = (),
    parameters: Sequence[str] = (),
    metrics: Mapping[str, str] | None = None,
    split: str = "test",
    attrs: Mapping[str, Any] | None = None,
) -> tuple[Stream, ...]:
    """Return the streams of a recording.

    Parameters
    ----------
    probes : sequence of ProbeInfo
        At least one; names are unique.
    sites, parameters : sequence of str
        Whose activations and weights are sketched; a stream without any is absent.
    metrics : mapping of str to str, optional
        Units of the host's own quantities by name, as ``{"loss": "bit", "error": "1"}``; absent when empty.
    split : str
        What the rows are measured on.
    attrs : mapping, optional
        Further attributes of the plane: draws, mode of the probes, seed.

    Returns
    -------
    tuple of Stream
        ``plane``, ``plane_scatter``, then ``activations``, ``weights``, ``metrics`` where they have something, then
        ``findings`` and ``events``.

    Raises
    ------
    InputError
        When there is no probe, or two things have one name.
    """
    if not probes:
        raise InputError("a run file needs at least one probe")
    for kind, names in (("probes", [p.name for p in probes]), ("sites", sites), ("parameters", parameters)):
        twice = sorted({name for name in names if list(names).count(name) > 1})
        if twice:
            raise InputError(f"two {kind} are named {twice[0]!r}, but a name stands for one")
    measured = {"split": split, "mode": "eval"}
    streams = [_plane(probes, {"estimator": "VIB probe", **measured, **(attrs or {})}), _scatter(probes)]
    if sites:
        streams.append(_sketches("activations", Coordinate("site", sites, "", "site"), "Activations", measured))
    if parameters:
        streams.append(_sketches("weights", Coordinate("parameter", parameters, "", "parameter"), "Weights", {}))
    if metrics:
        streams.append(_metrics(metrics, measured))
    return (*streams, _FINDINGS, _EVENTS)


def _plane(probes: Sequence[ProbeInfo], attrs: Mapping[str, Any]) -> Stream:
    names = [p.name for p in probes]
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
            Companion("host", "probe", [p.host for p in probes], "", "trained, or the frozen untrained control"),
            Companion("beta", "probe", np.array([p.beta for p in probes], "f8"), "1", "weight of the divergence"),
            Companion("latent", "probe", np.array([p.latent for p in probes], "i8"), "1", "dimensions of the code"),
            Companion("unit", "quantity", [row[1] for row in _PLANE], "", "unit of the quantity"),
            Companion("kind", "quantity", [row[2] for row in _PLANE], "", "direction of the bound"),
            Companion("standard_error_of", "quantity", [row[3] for row in _PLANE], "", "what it is the error of"),
        ),
        variables=(
            EPOCH,
            Variable("n", ("step",), "i8", "1", "inputs measured"),
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


def _scatter(probes: Sequence[ProbeInfo]) -> Stream:
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
            Variable("i_zx", ("point",), "f8", "bit", "rate of the probe's code, upper bound on I(Z;X)"),
            Variable("i_zy", ("point",), "f8", "bit", "lower bound on I(Z;Y)"),
        ),
        signal="step_of_point",
        axes=("i_zx", "i_zy"),
        title="Information plane: lower bound on I(Z;Y) over the rate of the probe's code",
        derived_from="plane",
        derive=points,
    )


def _sketches(name: str, labels: Coordinate, what: str, attrs: Mapping[str, Any]) -> Stream:
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
        companions=(Companion("unit", "quantity", UNITS, "", "unit of the quantity"),),
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


def _metrics(metrics: Mapping[str, str], attrs: Mapping[str, Any]) -> Stream:
    return Stream(
        "metrics",
        "step",
        coordinates=(Coordinate("quantity", list(metrics), "", "quantity"),),
        companions=(Companion("unit", "quantity", list(metrics.values()), "", "unit of the quantity"),),
        variables=(
            EPOCH,
            Variable(
                "time",
                ("step",),
                "f8",
                "seconds since 1970-01-01 00:00:00",
                "when the row was measured (UTC)",
            ),
            Variable("values", ("step", "quantity"), "f8", "", "of the host's own output; see unit"),
        ),
        signal="values",
        axes=("step", "quantity"),
        table="values",
        title="The host's own loss and error",
        attrs=attrs,
    )


_FINDINGS = Stream(
    "findings",
    "finding",
    variables=(
        Variable("step", ("finding",), "i8", "1", "row that it is about"),
        Variable("stream", ("finding",), "S16", "", "stream that it is about"),
        Variable("where", ("finding",), "S64", "", "probe, site or parameter that it is about"),
        Variable("code", ("finding",), "S32", "", "fixed word to select by"),
        Variable("text", ("finding",), "S200", "", "one sentence"),
        Variable("amount", ("finding",), "f8", "", "by how much, in unit; NaN where there is no number to give"),
        Variable("unit", ("finding",), "S16", "", "unit of the amount"),
        Variable("advice", ("finding",), "S200", "", "what to do about it"),
    ),
    title="What cannot be true of a row, or was left out of it",
)
_EVENTS = Stream(
    "events",
    "event",
    variables=(
        Variable("step", ("event",), "i8", "1", "steps of training before it"),
        Variable("time", ("event",), "f8", "seconds since 1970-01-01 00:00:00", "when it happened (UTC)"),
        Variable("text", ("event",), "S200", "", "one sentence"),
    ),
    title="What happened to the recording",
)
