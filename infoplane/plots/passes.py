"""The passes of synaptic scaling of one run, as the pictures of them need them."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import near_names
from infoplane.errors import InputError, RunFileError
from infoplane.plots.caption import name_as_is
from infoplane.runfile.reader import Run, open_run

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Passes:
    """What every pass found and did, layer by layer.

    Attributes
    ----------
    name : str
        Of the file.
    layers : tuple of str
        Those asked for.
    place : numpy.ndarray
        Shape (passes,): epochs where all passes have one, else steps.
    counts : {"epoch", "step"}
        Which of the two.
    values : mapping of str to numpy.ndarray
        By quantity of `infoplane.runfile.scaling_stream.SCALING_QUANTITIES`, shape (passes, layers).
    away : numpy.ndarray
        Shape (passes, layers), bool: the pass moved the activity away from its target, beyond two standard errors.
    told : tuple of str
        Sentences on rule, rate and rows.
    """

    name: str
    layers: tuple[str, ...]
    place: Floats
    counts: str
    values: dict[str, Floats]
    away: NDArray[np.bool_]
    told: tuple[str, ...]


def read_passes(run: Run | str | PathLike[str], layers: Sequence[str] | None) -> Passes:
    """Read the passes over the layers named, or over all of them.

    Raises
    ------
    InputError
        When there was no pass, or a layer is not there.
    RunFileError
        When it is no run file, or has no such stream.
    """
    if not isinstance(run, Run):
        with open_run(run) as opened:
            return read_passes(opened, layers)
    if "scaling" not in run.streams:
        how = "record(..., scaling=scaling), then rec.scaled(scaling.apply()), records them"
        raise RunFileError(f"{run.path}: no passes of synaptic scaling were recorded; {how}")
    view = run.scaling()
    if not len(view):
        raise InputError(f"{run.path}: holds no pass of synaptic scaling yet")
    known = view["layer"].tolist()
    chosen = known if layers is None else [layers] if isinstance(layers, str) else list(layers)
    for layer in chosen:
        if layer not in known:
            raise InputError(f"{run.path}: no pass scaled {layer!r}{near_names(layer, known)}; there are {known}")
    if not chosen:
        raise InputError("layers is empty, but at least one layer is drawn")
    columns = [known.index(layer) for layer in chosen]
    everything = view["values"]
    epochs = view["epoch"] if "epoch" in view.variables else np.full(len(view), np.nan)
    by_epoch = bool(np.isfinite(epochs).all())
    return Passes(
        name=run.path.stem,
        layers=tuple(chosen),
        place=(epochs if by_epoch else view.row_values).astype(np.float64),
        counts="epoch" if by_epoch else "step",
        values={name: everything[:, columns, k] for k, name in enumerate(view["quantity"].tolist())},
        away=view["away"][:, columns].astype(bool),
        told=_told(view.attrs, run.provenance.get("scaling"), view["gamma"]),
    )


def _told(attrs: dict[str, Any], configured: Any, gamma: Floats) -> tuple[str, ...]:
    least, most = float(gamma.min()), float(gamma.max())
    rate = f"{least:g}" if least == most else f"{least:g} to {most:g}"
    said = [f"Rule {name_as_is(str(attrs.get('rule', 'not stated')))}, gamma = {rate}."]
    source = configured.get("source") if isinstance(configured, dict) else None
    where = {"probe": "noise", "data": "the layer's inputs in training"}.get(str(source))
    said.append(
        "The file does not say on which rows." if where is None else f"Activity: mean over neurons, on {where}."
    )
    return tuple(said)
