"""`Base`: what all points of a sweep share, to which each adds what varies.

Methods differ in what they take: a scaling rate means something to SynScaW and nothing to the baseline. So a point gets
of ``[scaling]`` and ``[regularizers]`` what its own method has, and no run file names a rate that has not acted.
"""

import tomllib
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from infoplane.errors import InputError
from infoplane.regularizers import own_parameters
from infoplane.regularizers.parameters import split_names
from infoplane.training import Settings, read_settings

_SHARED = ("scaling", "regularizers")


class Base:
    """Settings, or a TOML file of them with overrides.

    Parameters
    ----------
    source : Settings or path-like
        A file may name parameters in ``[scaling]`` and ``[regularizers]`` that only some methods of the grid have.
    overrides : mapping of str to object
        What is said otherwise than there, by dotted name.

    Raises
    ------
    InputError
        When the file cannot be read or `source` is neither.
    """

    def __init__(self, source: Settings | str | PathLike[str], overrides: Mapping[str, Any]) -> None:
        self._overrides = dict(overrides)
        if isinstance(source, Settings):
            self._settings: Settings | None = source
            self._path = None
            table: Mapping[str, Any] = {"method": source.method, **{name: getattr(source, name) for name in _SHARED}}
        elif isinstance(source, str | PathLike):
            self._settings, self._path = None, Path(source)
            table = _read(self._path)
        else:
            raise InputError(f"settings are {source!r}, but they are Settings or the path of a TOML file")
        self._method = self._overrides.get("method", table.get("method", Settings.method))
        self._given = {
            f"{section}.{name}" for section in _SHARED for name in _names(table.get(section)) if isinstance(name, str)
        } | {name for name in self._overrides if name.partition(".")[0] in _SHARED}

    def method(self, point: Mapping[str, Any]) -> str:
        """Return the method of a point by its one name, whatever the order of its parts.

        Raises
        ------
        InputError
            When it is unknown.
        """
        return "+".join(part.name for part in split_names(point.get("method", self._method)))

    def own(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """Return of what varies that which the point's method has.

        Raises
        ------
        InputError
            When a parameter belongs to no method at all.
        """
        foreign = self._foreign(self.method(point), point)
        return {name: value for name, value in point.items() if name not in foreign}

    def settings(self, point: Mapping[str, Any]) -> Settings:
        """Return the settings of a point.

        Parameters
        ----------
        point : mapping of str to object
            What varies, by dotted name.

        Raises
        ------
        InputError
            When they cannot be used.
        """
        method = self.method(point)
        changes = {**self._overrides, **self.own(point), "method": method}
        changes |= dict.fromkeys(self._foreign(method, dict.fromkeys(self._given)))
        return read_settings(self._path, changes) if self._settings is None else self._settings.changed(changes)

    def _foreign(self, method: str, names: Mapping[str, Any]) -> set[str]:
        """Return which of these dotted names are parameters that the method lacks."""
        found = set()
        for name in names:
            section, _, parameter = name.partition(".")
            if section in _SHARED and parameter:
                scaling, regularizers = own_parameters(method, **{section: {parameter: True}})
                if not scaling and not regularizers:
                    found.add(name)
        return found


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        read_settings(path)  # which says what is wrong with it
        raise


def _names(section: Any) -> tuple[Any, ...]:
    return tuple(section) if isinstance(section, Mapping) else ()
