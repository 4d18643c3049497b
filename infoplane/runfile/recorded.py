"""What recorders kept, read from one row of a stream: sketches, and activations as they are."""

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import near_names
from infoplane.analysis.sketch import BIN_EDGES, QUANTITIES, SketchSummary
from infoplane.errors import InputError, RunFileError
from infoplane.runfile.view import StreamView

_LABELS = {
    "activations": "site",
    "weights": "parameter",
    "step_activations": "site",
    "step_weights": "parameter",
}


def check_sketched(stream: str) -> None:
    """Raise `InputError` unless a stream of this name holds sketches."""
    if stream not in _LABELS:
        raise InputError(f"stream {stream!r} holds no sketches; {' and '.join(map(repr, _LABELS))} do")


def sketch_names(view: StreamView) -> tuple[str, ...]:
    """Return the sites or parameters of a stream of sketches."""
    return tuple(str(name) for name in view[_LABELS[view.name]])


def read_sketch(view: StreamView, name: str, row: int) -> SketchSummary:
    """Return one sketch; see `Run.sketch`."""
    names = sketch_names(view)
    if name not in names:
        known = ", ".join(names)
        raise InputError(
            f"stream {view.name!r} of {view.path} has no {name!r}{near_names(name, names)}; it has {known}"
        )
    if not np.array_equal(view["bin_edges"], BIN_EDGES):
        raise RunFileError(f"{view.path}: the sketches of {view.name!r} have other bins than this version reads")
    order = {str(quantity): k for k, quantity in enumerate(view["quantity"])}
    if not order.keys() >= set(QUANTITIES):
        raise RunFileError(f"{view.path}: the sketches of {view.name!r} lack {set(QUANTITIES) - order.keys()}")
    which = names.index(name)
    counts, scalars = view.read("counts", row)[which], view.read("scalars", row)[which]
    try:
        return SketchSummary(counts, scalars[[order[quantity] for quantity in QUANTITIES]])
    except InputError as error:
        raise RunFileError(f"{view.path}: a sketch of {name!r} is damaged ({error})") from error


def read_raw(view: StreamView, site: str, row: int) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return activations and labels; see `Run.raw`."""
    of_site = np.flatnonzero(view["site"] == site)
    if not of_site.size:
        known = tuple(dict.fromkeys(view["site"].tolist()))
        raise InputError(f"no raw activations of {site!r}{near_names(site, known)}; there are {', '.join(known)}")
    there = view.read("position", row) >= 0
    labels = view.read("label", row)[there]
    is_class = view.attrs.get("label") == "class"
    return view.read("values", row)[there][:, of_site], labels[:, 0].astype(np.int64) if is_class else labels
