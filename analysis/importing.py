"""What is said when a library does not import: what needs it, why it fails, how to install it; in one sentence.

The form is the same everywhere: ``pip install 'infoplane[EXTRA]'``, or ``pip install infoplane`` for what every
installation needs. It holds for a package from an index and for one from a clone alike: where infoplane is installed,
pip leaves it as it is and brings what it lacks.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from infoplane.analysis.errors import InfoplaneError


class MissingLibraryError(InfoplaneError, ImportError):
    """A library does not import; the text names it, what needs it, and what to install."""


@contextmanager
def importing(purpose: str, *, extra: str = "", package: str = "infoplane") -> Iterator[None]:
    """Turn an ImportError of the block into one sentence.

    Parameters
    ----------
    purpose : str
        What needs the library, as the subject of a sentence: ``"a page"``.
    extra : str
        The extra of infoplane that brings it; left out for what every installation needs.
    package : str
        What pip installs, where no extra brings the library.

    Raises
    ------
    MissingLibraryError
        A library does not import.
    """
    try:
        yield
    except MissingLibraryError:
        raise
    except ImportError as error:
        raise missing(purpose, error, extra=extra, package=package) from error


def missing(purpose: str, error: ImportError, *, extra: str = "", package: str = "infoplane") -> MissingLibraryError:
    """Return the exception for a library that did not import because of `error`; the options are `importing`'s."""
    library = (error.name or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and library and error.name == library:
        what = f"{library}, which is not installed"
    else:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        what = f"{library or 'a library'}, which does not import ({reason})"
    brings = f"'{package}[{extra}]'" if extra else package
    found = MissingLibraryError(f"{purpose} needs {what}: pip install {brings}")
    found.name = error.name
    return found
