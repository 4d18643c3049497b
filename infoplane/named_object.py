"""What ``package.module:name`` names: a function, a class or an object of the user's own.

A file of the current folder is a module, as for ``python -m``. Importing runs its code: name only what you trust.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from infoplane.analysis.errors import InfoplaneError, InputError, near_names


def check_spelling(text: str, what: str) -> tuple[str, str]:
    """Return module and name; InputError unless `text` is spelled ``package.module:name``. Nothing is imported."""
    module_name, _, name = text.partition(":")
    if not all(part.isidentifier() for part in (*module_name.split("."), *name.split("."))):
        raise InputError(f"{text!r} names no {what}; accepted: package.module:name, such as my_file:small")
    return module_name, name


def named_object(text: str, what: str) -> Any:
    """Return what `text` names.

    Parameters
    ----------
    text : str
        ``package.module:name``.
    what : str
        What is looked for, as it stands in an error: ``model``.

    Raises
    ------
    InputError
        There is no such module or name, or importing the module fails.
    """
    module_name, name = check_spelling(text, what)
    with current_folder():
        try:
            found: Any = import_module(module_name)
        except InfoplaneError:
            raise
        except ModuleNotFoundError as error:
            # One that the module itself misses is its own affair.
            if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
                raise InputError(f"importing {module_name!r} for the {what} {text!r} failed: {_said(error)}") from error
            raise InputError(
                f"there is no module {error.name!r} for the {what} {text!r}, not in the current folder either"
            ) from None
        except Exception as error:
            raise InputError(f"importing {module_name!r} for the {what} {text!r} failed: {_said(error)}") from error
    for part in name.split("."):
        if not hasattr(found, part):
            public = [known for known in dir(found) if not known.startswith("_")]
            raise InputError(f"{module_name} has no {name!r} for the {what} {text!r}{near_names(part, public)}")
        found = getattr(found, part)
    return found


@contextmanager
def current_folder() -> Iterator[None]:
    """Let Python find the modules of the current folder, as ``python -m`` does."""
    sys.path.insert(0, "")
    try:
        yield
    finally:
        sys.path.remove("")


def _said(error: Exception) -> str:
    reason = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {reason}" if reason else type(error).__name__
