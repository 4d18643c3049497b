"""Format version 1 of the run file: which streams a recording writes, with every dimension, unit and direction.

========================  ==========================================================================================
``/entry/plane``          ``values`` (step, probe, quantity): the bounds of Eqs. 8-13 with their standard errors
``/entry/plane_scatter``  the same pairs as a long table, one point per row and probe, so that viewers draw a plane
``/entry/activations``    ``counts`` (step, site, sign, bin) and ``scalars`` (step, site, quantity) of the sketches
``/entry/weights``        the same with parameters in place of sites
``/entry/step_*``         the same two, taken inside training steps: training data, training mode
``/entry/neurons``        ``values`` (step, neuron, quantity): mean, variance and share of zeros of every neuron
``/entry/gradients``      ``values`` (step, parameter, quantity): mean and deviation of the gradients since the last row
``/entry/raw``            ``values`` (step, input, feature): reduced activations of a fixed subset, as they are
``/entry/inputs``         ``error``, ``loss``, ``rate`` and ``ce`` of every single input of a row
``/entry/scaling``        ``values`` (step, layer, quantity): passes of synaptic scaling
``/entry/metrics``        ``values`` (step, quantity): what the host itself does
``/entry/findings``       what cannot be true of a row, or was left out of it
``/entry/events``         what happened to the recording
========================  ==========================================================================================

A later minor version adds streams, variables, quantities and attributes; it never changes or removes one. Version 1.1
added ``amount``, ``unit`` and ``advice`` to the findings; version 1.2 the streams ``step_activations``,
``step_weights``, ``neurons``, ``gradients`` and ``raw``, to the plane the quantities from ``i_zx_lower`` on,
``n_sandwich``, and each probe's ``scale`` and ``reduction``; version 1.3 the streams ``inputs`` and ``scaling``, units
of neurons and gradients, the places of the scatter's axes, ``sites``, ``threads`` and ``resumed`` to the provenance,
and the writer's lock.
``docs/file-format.md`` is the specification, which the tests compare with real files.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from infoplane.errors import InputError
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.plane_streams import PLANE_QUANTITIES, plane_stream, scatter_stream
from infoplane.runfile.recorder_streams import (
    GRADIENT_QUANTITIES,
    gradients_stream,
    inputs_stream,
    neurons_stream,
    raw_stream,
    sketches_stream,
)
from infoplane.runfile.stream import EPOCH, Companion, Coordinate, Stream, Variable

__all__ = ["FORMAT", "FORMAT_VERSION", "GRADIENT_QUANTITIES", "PLANE_QUANTITIES", "STATUSES", "run_streams"]

FORMAT = "infoplane"
FORMAT_VERSION = "1.3"
STATUSES = ("recording", "finished", "interrupted")


def run_streams(
    *,
    probes: Sequence[ProbeInfo],
    reductions: Mapping[str, str] | None = None,
    label_bound: str = "lower_bound",
    sites: Sequence[str] = (),
    parameters: Sequence[str] = (),
    in_steps: bool = False,
    neurons: Mapping[str, int] | None = None,
    gradients: Sequence[str] = (),
    raw: Mapping[str, int] | None = None,
    raw_inputs: int = 0,
    raw_targets: int | None = None,
    inputs: int = 0,
    scaling: Stream | None = None,
    metrics: Mapping[str, str] | None = None,
    split: str = "test",
    attrs: Mapping[str, Any] | None = None,
) -> tuple[Stream, ...]:
    """Return the streams of a recording.

    Parameters
    ----------
    probes : sequence of ProbeInfo
        At least one; names are unique.
    reductions : mapping of str to str, optional
        How each site's activation becomes the vector that its probes read; flatten where nothing is said.
    label_bound : {"lower_bound", "estimate"}
        What ``i_zy`` and ``i_ty_chain`` are.
    sites, parameters : sequence of str
        Whose activations and weights are sketched; a stream without any is absent.
    in_steps : bool
        Whether they are sketched inside training steps as well.
    neurons : mapping of str to int, optional
        Neurons of every site; absent when empty.
    gradients : sequence of str
        Parameters whose gradients are recorded; absent when empty.
    raw : mapping of str to int, optional
        Width of every site whose activations are kept as they are; absent when empty.
    raw_inputs : int
        Inputs for which they are.
    raw_targets : int or None
        Real numbers per label; None where labels are classes.
    inputs : int
        Inputs whose own results are kept; absent without any.
    scaling : Stream, optional
        Passes of synaptic scaling, as `infoplane.runfile.scaling_stream.scaling_stream` gives it.
    metrics : mapping of str to str, optional
        Units of the host's own quantities by name, as ``{"loss": "bit", "error": "1"}``; absent when empty.
    split : str
        What the rows are measured on.
    attrs : mapping, optional
        Further attributes of the plane: draws, mode of the probes, seed.

    Returns
    -------
    tuple of Stream
        ``plane``, ``plane_scatter``, then those of the others that have something, then ``findings`` and ``events``.

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
    trained = {"split": "train", "mode": "train"}
    plane = plane_stream(probes, reductions or {}, label_bound, {"estimator": "VIB probe", **measured, **(attrs or {})})
    streams = [plane, scatter_stream(probes)]
    for name, labels, what, marks in (
        ("activations", Coordinate("site", sites, "", "site"), "Activations", measured),
        ("weights", Coordinate("parameter", parameters, "", "parameter"), "Weights", {}),
        ("step_activations", Coordinate("site", sites, "", "site"), "Activations in a training step", trained),
        ("step_weights", Coordinate("parameter", parameters, "", "parameter"), "Weights in a training step", {}),
    ):
        if len(labels.values) and (in_steps or not name.startswith("step_")):
            streams.append(sketches_stream(name, labels, what, marks))
    if neurons:
        streams.append(neurons_stream(neurons, measured))
    if gradients:
        streams.append(gradients_stream(gradients))
    if raw:
        streams.append(raw_stream(raw, raw_inputs, raw_targets, measured))
    if inputs:
        streams.append(inputs_stream([p.name for p in probes], inputs, measured))
    if scaling is not None:
        streams.append(scaling)
    if metrics:
        streams.append(_metrics(metrics, measured))
    return (*streams, _FINDINGS, EVENTS)


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
EVENTS = Stream(
    "events",
    "event",
    variables=(
        Variable("step", ("event",), "i8", "1", "steps of training before it"),
        Variable("time", ("event",), "f8", "seconds since 1970-01-01 00:00:00", "when it happened (UTC)"),
        Variable("text", ("event",), "S200", "", "one sentence"),
    ),
    title="What happened to the recording",
)
