"""What a run file says about itself before its first row: its format, and where the run comes from."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from infoplane.errors import RunFileError
from infoplane.printable import printable
from infoplane.runfile.access import RECOVER, OpenFile, reading
from infoplane.runfile.content import attributes, read_fixed
from infoplane.runfile.json_text import from_json
from infoplane.runfile.layout import is_key
from infoplane.runfile.schema import FORMAT, FORMAT_VERSION

_FIRST_LOCKED = 3  # writers of format 1.0 to 1.2 took no lock


def checked_version(opened: OpenFile, path: Path) -> str:
    """Return the format version of a run file.

    Raises
    ------
    RunFileError
        When it is another kind of file, or of a later major version.
    """
    with reading(path):
        attrs = attributes(opened.file)
        kind, version = attrs.get("format"), str(attrs.get("format_version", ""))
    if kind != FORMAT:
        raise RunFileError(f"{path}: is an HDF5 file, but none that infoplane wrote")
    major = version.partition(".")[0]
    if not (major.isascii() and major.isdigit()):
        raise RunFileError(f"{path}: has the format version {version!r}; the file is damaged")
    if int(major[:9]) > int(FORMAT_VERSION.partition(".")[0]):
        raise RunFileError(
            f"{path}: has the format version {version}, but this infoplane reads up to {FORMAT_VERSION}; "
            "a newer infoplane reads it"
        )
    return version


def writer_locks(version: str) -> bool:
    """Whether a writer of this format version holds a lock, so that the lack of one says that it is dead."""
    minor = version.split(".")[1:2]
    return bool(minor) and minor[0].isascii() and minor[0].isdigit() and int(minor[0][:9]) >= _FIRST_LOCKED


def read_provenance(opened: OpenFile, entry: h5py.Group, path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the provenance, and what of it cannot be read: one damaged key costs neither the others nor the rows.

    Returns
    -------
    provenance : dict
        Numbers and text as they are, JSON as what it holds; empty where the file has none.
    unreadable : dict of str to str
        Why, by key; the key is ``provenance`` where that is so of all of it.
    """
    found: dict[str, Any] = {}
    unreadable: dict[str, str] = {}
    names: list[str] = []
    with _noting("provenance", unreadable, path):
        if opened.has(entry, "provenance"):
            group = opened.child(entry, "provenance", h5py.Group)
            names = opened.members(group)
    for name in names:
        with _noting(name, unreadable, path):
            if not is_key(name):
                raise ValueError("its name is not one of letters, digits and _")
            dset = opened.child(group, name, h5py.Dataset)
            value = read_fixed(dset).tolist()
            is_json = attributes(dset).get("media_type") == "application/json"
            found[name] = from_json(value) if is_json and isinstance(value, str) else value
    return found, unreadable


@contextmanager
def _noting(name: str, unreadable: dict[str, str], path: Path) -> Iterator[None]:
    """Note why something cannot be read, and go on."""
    try:
        with reading(path):
            yield
    except RunFileError as error:
        unreadable[name] = without_path(error, path)


def without_path(error: RunFileError, path: Path) -> str:
    """Return why something cannot be read, for a sentence that has said so already: without the path."""
    said = str(error).removeprefix(f"{printable(path)}: ")
    inner = said.removeprefix("cannot be read, it is cut off or damaged (")
    return said if inner == said else inner.removesuffix(f"); {RECOVER}")
