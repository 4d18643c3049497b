"""Files that a command writes: never over an existing one unless asked."""

from pathlib import Path

from infoplane.errors import InputError

PICTURES = (".png", ".pdf", ".svg")


def new_file(path: Path, *, force: bool) -> Path:
    """Return `path`, its folder made, or raise `InputError` where it exists and `force` is off."""
    if path.is_dir():
        raise InputError(f"{path} is a folder, but a file is to be written there")
    if path.exists() and not force:
        raise InputError(f"{path} exists already; --force replaces it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {path.parent} cannot be made ({error.strerror or error})") from error
    return path


def new_picture(path: Path, *, force: bool) -> Path:
    """Return `path` as `new_file` does; its ending must be that of a picture."""
    if path.suffix.lower() not in PICTURES:
        raise InputError(
            f"{path} does not end in {', '.join(PICTURES[:-1])} or {PICTURES[-1]}, the pictures that can be written"
        )
    return new_file(path, force=force)
