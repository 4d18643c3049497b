"""Files that a command writes: never over an existing one unless asked."""

from pathlib import Path

from infoplane.errors import InputError

PICTURES = (".png", ".pdf", ".svg")


def new_file(path: Path, *, force: bool) -> Path:
    """Return `path`, or raise `InputError` where it exists and `force` is off, or its folder is not there.

    The folder is not made: one that is named here and not there is most often a slip of the pen.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder, but a file is to be written there")
    if path.exists() and not force:
        raise InputError(f"{path} exists already; --force replaces it")
    if not path.parent.is_dir():
        raise InputError(f"{path} cannot be written: there is no folder {path.parent}")
    return path


def new_picture(path: Path, *, force: bool) -> Path:
    """Return `path` as `new_file` does; its ending must be that of a picture."""
    if path.suffix.lower() not in PICTURES:
        raise InputError(
            f"{path} does not end in {', '.join(PICTURES[:-1])} or {PICTURES[-1]}, the pictures that can be written"
        )
    return new_file(path, force=force)
