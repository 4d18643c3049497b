"""Reading run files: finished, growing, killed and cut-off ones alike."""

import json
import warnings
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import near_names
from infoplane.analysis.sketch import BIN_EDGES, QUANTITIES, SketchSummary
from infoplane.errors import InputError, RunFileError
from infoplane.runfile.access import closed, open_file, reading
from infoplane.runfile.content import attributes, read_fixed
from infoplane.runfile.schema import FORMAT, FORMAT_VERSION
from infoplane.runfile.view import StreamView

if TYPE_CHECKING:
    import xarray as xr

_STATUS = ("recording or killed", "finished", "interrupted")
_SKETCHED = {
    "activations": "site",
    "weights": "parameter",
    "step_activations": "site",
    "step_weights": "parameter",
}


def open_run(path: str | PathLike[str]) -> "Run":
    """Open a run file for reading; works while it is written, after a crash, and on what is left of a cut-off one.

    Parameters
    ----------
    path : path-like
        The run file.

    Returns
    -------
    Run
        A context manager.

    Raises
    ------
    RunFileError
        When it is no run file, is damaged, or has a newer format than this version knows.
    """
    return Run(Path(path))


def open_dataset(path: str | PathLike[str], group: str = "plane") -> "xr.Dataset":
    """Return the committed rows of one stream as an xarray data set, also of a growing or killed file.

    Parameters
    ----------
    path : path-like
        The run file.
    group : str
        The stream; ``entry/plane`` is accepted too.

    Returns
    -------
    xarray.Dataset
        In memory; the file is closed again.

    Raises
    ------
    RunFileError
        When it is no run file, has no such stream, or xarray is not installed.
    """
    with open_run(path) as run:
        return run.stream(group.removeprefix("/").removeprefix("entry/")).to_xarray()


class Run:
    """One open run file; see `open_run`.

    Attributes
    ----------
    path : pathlib.Path
        Of the file.
    format_version : str
        Of its layout.
    streams : tuple of str
        Names of its streams.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened = open_file(path)
        self._closed = False
        self._views: dict[str, StreamView] = {}
        try:
            self.format_version = self._checked_version()
            with reading(path):
                self._entry: h5py.Group = self._opened.child(self._opened.file, "entry", h5py.Group)
                self._status: h5py.Dataset = self._opened.child(self._entry, "status", h5py.Dataset)
                self.streams = tuple(name for name in self._entry if self._is_stream(name))
                self.provenance = self._provenance()
            self.refresh()
        except BaseException:
            self.close()
            raise

    def refresh(self) -> None:
        """Look again at status and committed rows of a growing file; views made before grow with it."""
        self._check_open()
        with reading(self.path):
            self._status.refresh()
            code = int(read_fixed(self._status))
        if not 0 <= code < len(_STATUS):
            raise RunFileError(f"{self.path}: has the status {code}; the file is damaged")
        self.status = _STATUS[code]
        for view in self._views.values():
            view.refresh()

    @property
    def configuration(self) -> dict[str, Any]:
        """The settings of the run, as its recorder was given them."""
        value = self.provenance.get("configuration", {})
        return dict(value) if isinstance(value, Mapping) else {}

    @property
    def start_time(self) -> str:
        """When the file was begun, ISO 8601."""
        return self._text("start_time")

    @property
    def end_time(self) -> str:
        """When it was ended, ISO 8601; empty before, and after a kill."""
        return self._text("end_time")

    def stream(self, name: str) -> StreamView:
        """Return the rows of one stream.

        Raises
        ------
        RunFileError
            When the file has no such stream, it cannot be read, or the run is closed.
        """
        self._check_open()
        if name not in self.streams:
            known = ", ".join(self.streams) or "none"
            raise RunFileError(f"{self.path}: has no stream {name!r}{near_names(name, self.streams)}; it has {known}")
        if name not in self._views:
            with reading(self.path):
                group = self._opened.child(self._entry, name, h5py.Group)
            self._views[name] = StreamView(self._opened, self.path, group)
        return self._views[name]

    def plane(self) -> StreamView:
        """Return the bounds of every probe at every step."""
        return self.stream("plane")

    def activations(self) -> StreamView:
        """Return the sketches of the activations."""
        return self.stream("activations")

    def weights(self) -> StreamView:
        """Return the sketches of the weights."""
        return self.stream("weights")

    def neurons(self) -> StreamView:
        """Return mean, variance and share of zeros of every neuron."""
        return self.stream("neurons")

    def gradients(self) -> StreamView:
        """Return mean and standard deviation of the gradients between measurements."""
        return self.stream("gradients")

    def raw(self, site: str, row: int = -1) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Return the reduced activations that one measurement kept of one site, for `infoplane.estimate`.

        Parameters
        ----------
        site : str
            Its name.
        row : int
            Which row of the stream ``raw``, counted from the end where negative.

        Returns
        -------
        activations : numpy.ndarray
            Shape (m, d), float32, of the same inputs in every row.
        labels : numpy.ndarray
            Shape (m,): classes as int64; (m, k) float64 where labels are k real numbers.

        Raises
        ------
        InputError
            When there is no such site or row.
        RunFileError
            When the file has no raw activations.
        """
        view = self.stream("raw")
        of_site = np.flatnonzero(view["site"] == site)
        if not of_site.size:
            known = tuple(dict.fromkeys(view["site"].tolist()))
            raise InputError(f"no raw activations of {site!r}{near_names(site, known)}; there are {', '.join(known)}")
        there = view.read("position", row) >= 0
        labels = view.read("label", row)[there]
        is_class = view.attrs.get("label") == "class"
        return view.read("values", row)[there][:, of_site], labels[:, 0].astype(np.int64) if is_class else labels

    def metrics(self) -> StreamView:
        """Return the host's own loss and error."""
        return self.stream("metrics")

    def findings(self) -> StreamView:
        """Return what cannot be true of a row, or was left out of it."""
        return self.stream("findings")

    def events(self) -> StreamView:
        """Return what happened to the recording."""
        return self.stream("events")

    def sketch_names(self, stream: str) -> tuple[str, ...]:
        """Return the sites of a stream of activations, or the parameters of one of weights."""
        return tuple(str(name) for name in self.stream(stream)[self._labels(stream)])

    def sketch(self, stream: str, name: str, row: int = -1) -> SketchSummary:
        """Return one sketch.

        Parameters
        ----------
        stream : {"activations", "weights", "step_activations", "step_weights"}
            Of what: at the measurements, or inside training steps.
        name : str
            Site or parameter.
        row : int
            Which row, counted from the end where negative.

        Raises
        ------
        InputError
            When there is no such name or row.
        RunFileError
            When the file has no such stream, or bins and quantities that this version does not know.
        """
        view, names = self.stream(stream), self.sketch_names(stream)
        if name not in names:
            known = ", ".join(names)
            raise InputError(
                f"stream {stream!r} of {self.path} has no {name!r}{near_names(name, names)}; it has {known}"
            )
        if not np.array_equal(view["bin_edges"], BIN_EDGES):
            raise RunFileError(f"{self.path}: the sketches of {stream!r} have other bins than this version reads")
        order = {str(quantity): k for k, quantity in enumerate(view["quantity"])}
        if not order.keys() >= set(QUANTITIES):
            raise RunFileError(f"{self.path}: the sketches of {stream!r} lack {set(QUANTITIES) - order.keys()}")
        which = names.index(name)
        counts, scalars = view.read("counts", row)[which], view.read("scalars", row)[which]
        try:
            return SketchSummary(counts, scalars[[order[quantity] for quantity in QUANTITIES]])
        except InputError as error:
            raise RunFileError(f"{self.path}: a sketch of {name!r} is damaged ({error})") from error

    def check(self) -> dict[str, tuple[int, int]]:
        """Return, for each stream, how many rows were committed and how many of them can be read.

        They differ only in a file that is cut off or damaged. A counter that cannot be read itself counts 0.
        """
        self._check_open()
        found = {}
        for name in self.streams:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    view = self.stream(name)
                found[name] = view.committed, view.readable
            except RunFileError:
                found[name] = self._committed(name), 0
        return found

    def close(self) -> None:
        """Close the file; arrays and tables taken from it stay valid."""
        if not self._closed:
            self._closed = True
            self._views.clear()
            self._opened.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Run {str(self.path)!r}: {self.status}; {', '.join(self.streams)}>"

    def _check_open(self) -> None:
        if self._closed:
            raise closed(self.path)

    def _checked_version(self) -> str:
        with reading(self.path):
            attrs = attributes(self._opened.file)
            kind, version = attrs.get("format"), str(attrs.get("format_version", ""))
        if kind != FORMAT:
            raise RunFileError(f"{self.path}: is an HDF5 file, but none that infoplane wrote")
        major = version.partition(".")[0]
        if not (major.isascii() and major.isdigit()):
            raise RunFileError(f"{self.path}: has the format version {version!r}; the file is damaged")
        if int(major[:9]) > int(FORMAT_VERSION.partition(".")[0]):
            raise RunFileError(
                f"{self.path}: has the format version {version}, but this infoplane reads up to {FORMAT_VERSION}; "
                "a newer infoplane reads it"
            )
        return version

    def _is_stream(self, name: str) -> bool:
        if not isinstance(self._entry.get(name, getlink=True), h5py.HardLink):
            return False
        thing = self._entry[name]
        return isinstance(thing, h5py.Group) and "committed" in thing

    def _provenance(self) -> dict[str, Any]:
        group = self._opened.child(self._entry, "provenance", h5py.Group)
        found: dict[str, Any] = {}
        for name in group:
            dset = self._opened.child(group, name, h5py.Dataset)
            value = read_fixed(dset).tolist()
            is_json = attributes(dset).get("media_type") == "application/json"
            found[name] = json.loads(value) if is_json and isinstance(value, str) else value
        return found

    def _text(self, name: str) -> str:
        self._check_open()
        with reading(self.path):
            dset = self._opened.child(self._entry, name, h5py.Dataset)
            dset.refresh()
            return str(read_fixed(dset))

    def _committed(self, name: str) -> int:
        try:
            with reading(self.path):
                group = self._opened.child(self._entry, name, h5py.Group)
                return max(0, int(read_fixed(self._opened.child(group, "committed", h5py.Dataset))))
        except RunFileError:
            return 0

    def _labels(self, stream: str) -> str:
        if stream not in _SKETCHED:
            raise InputError(f"stream {stream!r} holds no sketches; {' and '.join(map(repr, _SKETCHED))} do")
        return _SKETCHED[stream]
