"""Values of settings, as TOML or a command line gives them, made into the types that their fields declare.

A text of the command line means what the field's type says: ``1024,1024`` is a tuple where one is declared, ``1`` a
text where that is declared, ``none`` nothing where the field may be empty. Where any type is taken, as in options that
belong to a data set, it is read as a value of TOML, and as plain text where it is none.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from infoplane.errors import InputError

_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    NoneType: "left out (none)",
    dict: "a table",
}
_BARE_POINT = re.compile(r"[+-]?(\d+\.|\.\d+)([eE][+-]?\d+)?")
_PLURALS = {int: "whole numbers", float: "numbers", str: "texts"}


class _OtherTypeError(Exception):
    """A value is of another type than the one looked at."""


def typed(name: str, value: object, kind: Any, *, is_text: bool = False) -> Any:
    """Return `value` in the type of its field.

    Parameters
    ----------
    name : str
        Of the field, for the message.
    value : object
        As given.
    kind : type
        One of bool, int, float, str, None, ``tuple[T, ...]``, ``dict[str, T]``, a union of these, or Any.
    is_text : bool
        Whether `value` is a text of a command line that stands for a value.

    Raises
    ------
    InputError
        When it is of another type.
    """
    alternatives: list[Any] = list(get_args(kind)) if get_origin(kind) in (Union, UnionType) else [kind]
    if is_text and isinstance(value, str) and "," in value:  # a list rather than one text with commas in it
        alternatives.sort(key=_is_no_list)
    for alternative in alternatives:
        try:
            if is_text and isinstance(value, str):
                return _from_text(value, alternative)
            return _from_value(value, alternative)
        except _OtherTypeError:
            continue
    raise InputError(f"{name} is {value!r}, but it must be {' or '.join(map(_described, alternatives))}")


def literal(text: str) -> Any:
    """Return what `text` is as a value of TOML, or as ``.1`` and ``1.``, which TOML lacks; `text` itself where none."""
    if _BARE_POINT.fullmatch(text.strip()):
        return float(text)
    if "\n" not in text:
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            pass
    return text


def flat(section: Any) -> dict[str, Any]:
    """Return a section as JSON and TOML have it: lists, its options among its fields, and nothing that is None."""
    table = asdict(section)
    table.update(table.pop("options", {}))
    return {name: plain(value) for name, value in table.items() if value is not None}


def plain(value: Any) -> Any:
    """Return a value with lists in place of tuples."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def _from_value(value: object, kind: Any) -> Any:
    if kind is Any:
        return value
    if get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise _OtherTypeError
        return tuple(_from_value(item, get_args(kind)[0]) for item in value)
    if get_origin(kind) is dict:
        if not isinstance(value, Mapping):
            raise _OtherTypeError
        return {str(key): _from_value(item, get_args(kind)[1]) for key, item in value.items()}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise _OtherTypeError
    return value


def _from_text(text: str, kind: Any) -> Any:
    if kind is Any:
        return literal(text)
    if kind is NoneType and text.lower() == "none":
        return None
    if kind is bool and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind in (int, float):
        try:
            return kind(text.replace("_", "") if kind is int else text)
        except ValueError:
            raise _OtherTypeError from None
    if kind is str:
        return text
    if get_origin(kind) is tuple:
        inside = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        return tuple(_from_text(part.strip().strip("\"'"), get_args(kind)[0]) for part in inside.split(",") if part)
    if get_origin(kind) is dict and isinstance(table := literal(text), dict):
        return _from_value(table, kind)
    raise _OtherTypeError


def _is_no_list(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is not tuple


def _described(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return f"{_PLURALS[get_args(kind)[0]]} with commas, such as {'64,64' if get_args(kind)[0] is int else 'a,b'}"
    return _NAMES.get(get_origin(kind) or kind, str(kind))
