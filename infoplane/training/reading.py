"""Settings from TOML: a preset, a file over it, overrides over both."""

import tomllib
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from infoplane.errors import InputError
from infoplane.training.presets import preset
from infoplane.training.settings import Settings, merged


def read_settings(path: str | PathLike[str] | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of a TOML file.

    Parameters
    ----------
    path : path-like, optional
        The file; without it all settings have their defaults.
    overrides : mapping of str to object, optional
        What is said otherwise than there, by dotted name: ``{"scaling.rate": "0.03"}``. A text is read by the type of
        what it sets; ``"none"`` takes a setting back. ``preset`` is one of them: it stands below the file.

    Returns
    -------
    Settings
        Those of the preset, if the file or the overrides name one, then of the file, then of the overrides.

    Raises
    ------
    InputError
        When the file cannot be read, or is no TOML, or a setting is unknown or cannot be used.
    """
    table = {} if path is None else _read(Path(path))
    given = dict(overrides or {})
    name = given.pop("preset", None) or table.pop("preset", None)
    table.pop("preset", None)
    table = merged(table, given)
    if name is not None:
        table = _over(preset(name, method=str(table.get("method", "baseline"))), table)
    return Settings.of(table)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is no TOML ({error})") from error


def _over(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Return one table over another, section by section."""
    result: dict[str, Any] = {**lower, **upper}
    for name in lower.keys() & upper.keys():
        if isinstance(lower[name], Mapping) and isinstance(upper[name], Mapping):
            result[name] = {**lower[name], **upper[name]}
    return result
