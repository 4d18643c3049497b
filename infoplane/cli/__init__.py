"""The command line: data to stdout, messages to stderr; exit code 1: the work failed, 2: the call was wrong."""

import io
import os
import re
import sys
import warnings
from collections.abc import Sequence

# Nothing of weight is imported before there is somebody to say what becomes of Ctrl-C.

INTERRUPTED = 130
_SHELL = "; the shell is the one that it is called from"
_ALONE = {"--version": "", "--install-completion": _SHELL, "--show-completion": _SHELL}
LIBRARIES = (
    "PIL",
    "h5py",
    "matplotlib",
    "numpy",
    "pandas",
    "rich",
    "scipy",
    "sklearn",
    "tomli_w",
    "torch",
    "torchvision",
    "tqdm",
    "typer",
)
"""What every installation has, by the name that is imported; one that does not import is no mistake in infoplane."""
_LONGEST = 2000
_RUNS = "; every row that was written is kept in its run file"
_LEFT = {
    **dict.fromkeys(("demo", "train", "sweep", "reproduce"), _RUNS),
    "watch": "; whoever writes the runs goes on",
    **dict.fromkeys(("report", "plane", "export", "recover"), "; nothing was written"),
}
"""What an interrupted command leaves behind."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``infoplane`` and exit."""
    # What the library warns of is one more message to the user, not a line of source code.
    warnings.formatwarning = lambda message, *_, **__: f"infoplane: {_printable(message)}\n"
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that the terminal's encoding lacks is written as its number: it must not end the command.
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run ``infoplane`` on `arguments` (default: those of the process) and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        code = _run(words)
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED:
        # It may have come in the middle of an import: here nothing is imported.
        print(f"infoplane: interrupted{_LEFT.get(words[0], '')}", file=sys.stderr)
    return code


def _run(words: list[str]) -> int:
    try:
        from infoplane.analysis.importing import missing
        from infoplane.errors import InfoplaneError
    except ImportError as error:
        return _nothing_works_without(error)
    if words[0] in _ALONE and len(words) > 1:
        return _say(f"{words[0]} takes nothing behind it, but there is {words[1]!r}{_ALONE[words[0]]}", 2)
    try:
        from infoplane.cli.app import app

        return int(app(args=words, prog_name="infoplane", standalone_mode=False) or 0)
    except InfoplaneError as error:
        return _say(str(error), 2)
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in LIBRARIES or os.environ.get("INFOPLANE_TRACEBACK"):
            return _unexpected(error)
        return _say(str(missing(f"the command {words[0]!r}", error)), 2)
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        return _say(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1)
    except Exception as error:
        # The parser's own exceptions (a wrong option, a missing argument, Ctrl-C): releases differ in their classes.
        if hasattr(error, "format_message"):
            from infoplane.cli.misread import misread

            return _say(misread(error, words), 2)
        if isinstance(error, RuntimeError) and "allocate memory" in str(error):
            tried = re.search(r"[0-9]+ bytes", str(error))
            size = f": {int(tried[0].split()[0]):,} bytes were asked for" if tried else ""
            return _say(f"there is not enough memory{size}; fewer inputs at a time or a smaller network need less", 1)
        return INTERRUPTED if type(error).__name__ == "Abort" else _unexpected(error)


def _nothing_works_without(error: ImportError) -> int:
    """Say what is missing where not even `infoplane.analysis.importing.missing` can."""
    if os.environ.get("INFOPLANE_TRACEBACK"):
        raise error
    print(f"infoplane: infoplane needs {error.name or 'a library'} ({error}): pip install infoplane", file=sys.stderr)
    return 2


def _unexpected(error: Exception) -> int:
    if os.environ.get("INFOPLANE_TRACEBACK"):
        raise error
    reason = (str(error).splitlines() or [""])[0][:200]
    return _say(f"{type(error).__name__}: {reason} (INFOPLANE_TRACEBACK=1 shows where)", 1)


def _say(text: str, code: int) -> int:
    # Here all messages pass, and many name what stands in a file.
    print(f"infoplane: {_printable(text)}", file=sys.stderr)
    return code


def _printable(text: object) -> str:
    from infoplane.printable import printable

    return printable(text, _LONGEST)
