"""Reading run files: finished, growing, killed and cut-off ones alike."""

import os
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import near_names
from infoplane.analysis.sketch import SketchSummary
from infoplane.errors import RunFileError
from infoplane.html_table import html_table
from infoplane.runfile.recorded import check_sketched, read_raw, read_sketch, sketch_names
from infoplane.runfile.stream_file import StreamFile
from infoplane.runfile.view import StreamView

if TYPE_CHECKING:
    import xarray as xr

_MOST_LOOKED_AT = 1000


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
        When it is no run file, is damaged, or has a newer format than this version knows. Damage of single streams or
        of the provenance does not stop it: see `Run.damage`.

    Warns
    -----
    UserWarning
        When a part of the provenance cannot be read.
    """
    path = Path(path)
    if not os.path.lexists(path):
        raise RunFileError(f"{path}: there is no such file{near_names(path.name, _files_beside(path))}")
    return Run(path)


def _files_beside(path: Path) -> list[str]:
    """Return names of files in the folder of a path; of a very large folder, some."""
    try:
        with os.scandir(path.parent) as found:
            return sorted(entry.name for entry in islice(found, _MOST_LOOKED_AT) if entry.is_file())
    except OSError:
        return []


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
        When it is no run file, or has no such stream.
    MissingLibraryError
        When xarray is not installed.
    """
    with open_run(path) as run:
        return run.stream(group.removeprefix("/").removeprefix("entry/")).to_xarray()


class Run(StreamFile):
    """One open run file, and what a recording writes to it by name; see `open_run` and `StreamFile`."""

    def _repr_html_(self) -> str:
        if self._closed:
            return html_table(("run",), [(repr(self),)], text_columns=1)
        rows = [(name, f"{committed:,}", f"{readable:,}") for name, (committed, readable) in self.check().items()]
        caption = f"{self.path}: {self.status}"
        return html_table(("stream", "rows", "readable"), rows, text_columns=1, caption=caption, notes=self.damage())

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
        return read_raw(self.stream("raw"), site, row)

    def inputs(self) -> StreamView:
        """Return what every single held-out input gave: host's error and loss, each probe's rate and cross-entropy."""
        return self.stream("inputs")

    def scaling(self) -> StreamView:
        """Return the passes of synaptic scaling."""
        return self.stream("scaling")

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
        check_sketched(stream)
        return sketch_names(self.stream(stream))

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
        check_sketched(stream)
        return read_sketch(self.stream(stream), name, row)
