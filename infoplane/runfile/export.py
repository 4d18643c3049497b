"""One stream of a run file in the formats of other tools: CSV, Parquet, JSON lines and numpy's .npz.

CSV, Parquet and JSON hold the tidy table of the stream, one line per value with its unit and kind beside it. An .npz
archive holds the arrays as they lie in the run file, and so also what has no table: the counts of sketches, raw
activations. Numbers are exact in every one of them.
"""

import warnings
import zipfile
from collections.abc import Callable
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from infoplane.analysis.importing import importing
from infoplane.errors import InputError, RunFileError
from infoplane.json_lines import json_lines
from infoplane.runfile.new_file import NewFile
from infoplane.runfile.reader import open_run
from infoplane.runfile.view import StreamView
from infoplane.spreadsheet import as_text_cell, is_formula

if TYPE_CHECKING:
    import pandas as pd


def export(
    run_path: str | PathLike[str], out: str | PathLike[str], *, stream: str = "plane", overwrite: bool = False
) -> Path:
    """Write the committed rows of one stream to a file of another format.

    Parameters
    ----------
    run_path : path-like
        The run file; it may be growing, killed or cut off.
    out : path-like
        The file to write. Its ending says the format: ``.csv``, ``.parquet`` (needs the extra ``parquet``), ``.json``
        (one object per line), ``.npz``.
    stream : str
        Which one. Of sketches the tables hold the scalars, and ``.npz`` the counts as well.
    overwrite : bool
        Replace an existing file. It stays as it is until the new one is complete.

    Returns
    -------
    pathlib.Path
        `out`.

    Raises
    ------
    InputError
        When the ending is another, or the stream has no table.
    RunFileError
        When the run file cannot be read, has no such stream, `out` exists or cannot be written, or pyarrow is missing.

    Warns
    -----
    UserWarning
        When text was changed: in CSV, text that a spreadsheet may run as a formula (it begins with ``= + - @``, a tab
        or a carriage return) has an apostrophe in front. The other formats keep it.

    Notes
    -----
    In CSV NaN is an empty field, in JSON NaN and infinities are null. Every number is written with as many digits as
    its exact value needs, but not every reader keeps them: pandas does with ``read_csv(out)`` (before its version 3.1
    with ``float_precision="round_trip"``) and with ``read_json(out, lines=True, precise_float=True)``. An .npz archive
    holds text as fixed-width unicode, and no pickles.
    """
    path, target = Path(run_path), Path(out)
    write = _FORMATS.get(target.suffix.lower())
    if write is None:
        known = f"{', '.join(_ENDINGS[:-1])} or {_ENDINGS[-1]}"
        raise InputError(f"{target} does not end in {known}, the formats that can be written")
    _check_target(path, target, overwrite)
    with open_run(path) as run:
        view, new = run.stream(stream), None
        try:
            new = NewFile(target)
            write(view, new.path)
            if overwrite:
                new.replace()
            else:
                new.publish()
        except RunFileError:
            raise
        except OSError as error:
            raise RunFileError(f"{target}: cannot be written ({error.strerror or error})") from error
        finally:
            if new is not None:
                new.discard()
    return target


def _check_target(path: Path, target: Path, overwrite: bool) -> None:
    if target.is_dir():
        raise RunFileError(f"{target}: cannot be written, because it is a folder")
    if not target.parent.is_dir():
        raise RunFileError(f"{target}: cannot be written, because there is no folder {target.parent}")
    if not target.exists():
        return
    if path.exists() and target.samefile(path):
        raise RunFileError(f"{target}: is the run file itself; choose another name")
    if not overwrite:
        raise RunFileError(f"{target}: exists already; overwrite=True (on the command line --force) replaces it")


def _table(view: StreamView) -> "pd.DataFrame":
    if not view.attrs.get("table") and any(len(view.dims(name)) > 1 for name in view.variables):
        raise InputError(f"stream {view.name!r} holds arrays that have no table; .npz takes them")
    return view.to_dataframe()


def _write_csv(view: StreamView, part: Path) -> None:
    table, changed = _table(view), 0
    for name in table.columns:
        if table[name].dtype.kind == "f":
            table[name] = table[name].astype(np.float64)  # or single-precision numbers are written rounded
        elif table[name].dtype.kind not in "iub":
            changed += int(table[name].map(is_formula).sum())
            table[name] = table[name].map(as_text_cell)
    changed += sum(map(is_formula, map(str, table.columns)))
    table.columns = table.columns.map(lambda name: as_text_cell(str(name)))
    with part.open("w", encoding="utf-8", newline="") as file:
        table.to_csv(file, index=False, lineterminator="\n")
    if changed:
        text = f"{changed} texts of {view.name!r} begin as formulas do, so CSV has an apostrophe in front of them"
        warnings.warn(text, stacklevel=3)


def _write_parquet(view: StreamView, part: Path) -> None:
    with importing("a Parquet file", extra="parquet"):
        import_module("pyarrow")  # of which pandas says that it is absent in a sentence of its own
        with part.open("wb") as file:
            _table(view).to_parquet(file, engine="pyarrow", index=False)


def _write_json(view: StreamView, part: Path) -> None:
    with part.open("w", encoding="utf-8", newline="") as file:
        file.writelines(json_lines(_table(view)))


def _write_npz(view: StreamView, part: Path) -> None:
    # As `numpy.savez_compressed` does, but with one array in memory at a time, and whatever the arrays are called.
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in view.names:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, view[name], allow_pickle=False)


_FORMATS: dict[str, Callable[[StreamView, Path], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".json": _write_json,
    ".npz": _write_npz,
}
_ENDINGS = tuple(_FORMATS)
