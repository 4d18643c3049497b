"""Studies: several runs of one question, with their settings as columns and means over their seeds."""

import glob
import os
from collections.abc import Iterator, Sequence
from numbers import Real
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from infoplane.analysis.errors import near_names
from infoplane.errors import InputError, RunFileError
from infoplane.html_table import html_table
from infoplane.runfile.access import is_empty_or_hdf5
from infoplane.runfile.bands import Repetition, bands
from infoplane.runfile.reader import Run, open_run
from infoplane.runfile.run_settings import cell, cells, differing, is_seed, run_settings

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 50


def open_study(runs: str | PathLike[str] | Sequence[str | PathLike[str]]) -> "Study":
    """Take several run files as one study; no file is read before its rows or settings are asked for.

    Parameters
    ----------
    runs : path-like, or sequence of path-like
        Run files, or patterns such as ``"runs/*.h5"`` and ``"runs/**/*.h5"`` (`glob.glob`); what a pattern matches is
        sorted by name, and must be run files alone: of each the first bytes are looked at.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        When there is no run, or one file twice.
    RunFileError
        When there is no file of such a name or pattern, or a folder or something else that is no file has the name, or
        a pattern matches what is no run file, such as the checkpoint beside one.

    Examples
    --------
    >>> study = open_study("runs/*.h5")  # doctest: +SKIP
    >>> study.bands(by="configuration.rate")  # doctest: +SKIP
    """
    given = [runs] if isinstance(runs, str | PathLike) else list(runs)
    return Study([path for one in given for path in _matching(one)])


class Study:
    """Several runs; see `open_study`. ``len(study)`` is their number.

    ``for run in study`` gives each run open, and closes it before it opens the next.

    Attributes
    ----------
    paths : tuple of pathlib.Path
        The run files, in the order of all tables.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        if not paths:
            raise InputError("a study has at least one run, but there is none in the list")
        first: dict[tuple[int, int], Path] = {}
        for path in paths:
            status = path.stat()
            same = first.setdefault((status.st_dev, status.st_ino), path)
            if same is not path:
                raise InputError(f"{path} is twice in the study{'' if same == path else f', also as {same}'}")
        self.paths = tuple(paths)

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Run]:
        for path in self.paths:
            with open_run(path) as run:
                yield run

    def __repr__(self) -> str:
        names = dict.fromkeys((str(self.paths[0]), str(self.paths[-1])))
        return f"<Study of {len(self)} run{'s' if len(self) > 1 else ''}: {' to '.join(names)}>"

    def _repr_html_(self) -> str:
        rows = [(str(k), str(path)) for k, path in enumerate(self.paths[:_SHOWN])]
        notes = [f"{len(self) - _SHOWN} more; configurations() has all"] if len(self) > _SHOWN else []
        caption = f"Study of {len(self)} run{'s' if len(self) > 1 else ''}"
        return html_table(("", "run file"), rows, text_columns=2, caption=caption, notes=notes)

    def configurations(self) -> "pd.DataFrame":
        """Return one line per run: where it is, how it stands, its seed, and everything that was chosen for it.

        Returns
        -------
        pandas.DataFrame
            Columns: ``path``, ``status``, ``seed`` (of the probes), then every setting by its dotted name:
            ``configuration.optimizer.rate``, ``data.name``, ``probes.beta``, ``model``. Lists are JSON text. None or
            NaN where a run has no such setting.

        Raises
        ------
        RunFileError
            When a file is no run file, or is damaged.
        """
        import pandas as pd

        return pd.DataFrame([cells(run_settings(run)) for run in self])

    def to_dataframe(self, stream: str = "plane") -> "pd.DataFrame":
        """Return the tidy table of one stream of all runs, one below the other.

        Parameters
        ----------
        stream : str
            Its name.

        Returns
        -------
        pandas.DataFrame
            Columns: ``path``; the seeds and settings in which the runs differ, named as in `configurations`; those of
            `infoplane.runfile.view.StreamView.to_dataframe`.

        Raises
        ------
        RunFileError
            When a file is no run file, is damaged, or has no such stream.
        """
        import pandas as pd

        read = [(run_settings(run), run.stream(stream).to_dataframe()) for run in self]
        names = ("path", *differing([line for line, _ in read]))
        tables = [
            pd.concat([pd.DataFrame({name: [cell(line.get(name))] * len(table) for name in names}), table], axis=1)
            for line, table in read
        ]
        return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)

    def bands(
        self, stream: str = "plane", *, by: str | Sequence[str] | None = None, level: float = 0.95
    ) -> "pd.DataFrame":
        """Return means over runs that differ in their seeds alone, with confidence limits of the mean.

        Parameters
        ----------
        stream : str
            One with numbers: ``plane``, ``metrics``, ``activations``, ``weights``, ``neurons``, ``gradients`` and
            others.
        by : str or sequence of str, optional
            Settings, named as in `configurations`, of which every combination is a group with a mean of its own. All
            in which the runs differ, but for the seeds (``seed``, and any setting whose own name is that), if left
            out: then no two different settings are ever averaged, neither 1 with 1.0 or True, nor None with NaN or with
            a run that has no such setting (which the table shows alike). Where it is given, runs that differ in other
            settings are averaged too.
        level : float
            Probability with which the limits enclose the mean of all possible seeds.

        Returns
        -------
        pandas.DataFrame
            One line per group, step, label and quantity. Columns: the settings of the group; ``step`` (or what else
            counts the rows) and ``epoch``; what tells the values of a row apart, such as ``probe``, ``site``, ``host``
            and ``quantity``; ``runs`` of the group, and ``n`` of them with a finite value here; their ``mean`` and
            ``standard_deviation`` (divisor n - 1); ``lower`` and ``upper`` limit of the mean; ``unit``, ``kind``, and
            on what and how it was measured. Deviation and limits are NaN where n is 1.

        Raises
        ------
        InputError
            When `by` or `level` cannot be used, the stream has no numbers, a quantity has another unit, kind or split
            in another run, or a run is there twice, as a copy of itself.
        RunFileError
            When a file is no run file, is damaged, or has no such stream.

        Notes
        -----
        Only values at the same step, epoch and label are averaged; nothing is interpolated. A run that lacks a step,
        because it was killed or measured at others, or whose value there is not finite, is not in that mean: n is
        less than runs there, and where runs end because they fail, what is left is a choice of those that did not.

        The limits take the runs for independent draws from one normal law. They leave out everything that the runs
        share: the inputs measured, one data set and its split, one implementation; the gap between a bound and what it
        bounds; and that they hold at each step by itself, not for the whole curve at once. With two or three runs they
        lean on normality altogether.
        """
        if isinstance(level, bool) or not isinstance(level, Real) or not 0 < level < 1:
            raise InputError(f"level is {level!r}, but it must be a number between 0 and 1, such as 0.95")
        read = [Repetition.read(run_settings(run), run.stream(stream)) for run in self]
        lines = [run.settings for run in read]
        if by is None:
            return bands(read, [name for name in differing(lines) if not is_seed(name)], float(level))
        chosen = [by] if isinstance(by, str) else list(by)
        known = dict.fromkeys(name for line in lines for name in line if name != "path")
        for name in chosen:
            if name not in known:
                longer = [one for one in known if one.endswith(f".{name}")]
                hint = f"; did you mean {longer[0]!r}?" if longer else near_names(name, known)
                raise InputError(f"no run has a setting {name!r}{hint}; there are {', '.join(known)}")
        return bands(read, chosen, float(level))


def _matching(given: str | PathLike[str]) -> list[Path]:
    """Return the file of this very name, or else those that the pattern matches."""
    name = os.fspath(given)
    if os.path.isdir(name):
        inside = os.path.join(name, "*.h5")
        raise RunFileError(f"{name}: is a folder, not a run file; {inside!r} takes the run files in it")
    if os.path.exists(name) and not os.path.isfile(name):
        raise RunFileError(f"{name}: is no regular file, so no run file")
    if os.path.exists(name):
        return [Path(name)]
    # Patterns such as runs/** match folders too.
    found = [path for path in sorted(glob.glob(name, recursive=True)) if os.path.isfile(path)]
    if not found:
        raise RunFileError(f"{name}: there is no file of this name or pattern")
    paths = [Path(path) for path in found]
    for path in paths:
        if not _may_be_run(path):
            better = f", as {name + '.h5'!r} does" if name.endswith("*") else ""
            raise RunFileError(f"{name}: matches {path} too, which is no run file; end the pattern in .h5{better}")
    return paths


def _may_be_run(path: Path) -> bool:
    """Whether a file begins as run files do, or cannot be looked at, which whoever opens it says better."""
    try:
        return is_empty_or_hdf5(path)
    except OSError:
        return True
