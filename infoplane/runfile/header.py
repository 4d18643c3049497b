"""What a run file says about itself before its first row: its format, and where the run comes from."""

import json
from pathlib import Path
from typing import Any

import h5py

from infoplane.errors import RunFileError
from infoplane.runfile.access import OpenFile, reading
from infoplane.runfile.content import attributes, read_fixed
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


def read_provenance(opened: OpenFile, entry: h5py.Group) -> dict[str, Any]:
    """Return the provenance: numbers and text as they are, JSON as what it holds. Called inside `reading`."""
    group = opened.child(entry, "provenance", h5py.Group)
    found: dict[str, Any] = {}
    for name in opened.members(group):
        dset = opened.child(group, name, h5py.Dataset)
        value = read_fixed(dset).tolist()
        is_json = attributes(dset).get("media_type") == "application/json"
        found[name] = json.loads(value) if is_json and isinstance(value, str) else value
    return found
