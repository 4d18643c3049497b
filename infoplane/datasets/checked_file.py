"""Files that are written once and whole, with their SHA-256 beside them, and compared with it when they are read.

``NAME.sha256`` has the form that ``sha256sum -c`` reads.
"""

import hashlib
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def write_checked(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file through `write`, then its checksum; a reader sees the whole file or none.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, write)
    line = f"{_digest(path)}  {path.name}\n".encode()
    _replace(_beside(path), lambda file: file.write(line))


def is_intact(path: Path) -> bool:
    """Return whether a file and its checksum are there and agree."""
    try:
        said = _beside(path).read_text(encoding="ascii").split()
        return bool(said) and said[0] == _digest(path)
    except (OSError, UnicodeDecodeError):
        return False


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _replace(path: Path, write: Callable[[BinaryIO], object]) -> None:
    # Two processes may write the same file at once: each has a name of its own until it is whole.
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with unfinished.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
