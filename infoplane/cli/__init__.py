"""The command line: data to stdout, messages to stderr; exit code 1: the work failed, 2: the call was wrong."""

import io
import os
import sys
import warnings
from collections.abc import Sequence

from infoplane.errors import InfoplaneError
from infoplane.printable import printable

INTERRUPTED = 130
_LONGEST = 2000
_RUNS = "; what was written so far is kept, the rows of a run file too"
_LEFT = {
    **dict.fromkeys(("demo", "train", "sweep", "reproduce"), _RUNS),
    "watch": "; whoever writes the runs goes on",
    **dict.fromkeys(("report", "plane", "export", "recover"), "; nothing was written"),
}
"""What an interrupted command leaves behind."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``infoplane`` and exit."""
    # What the library warns of is one more message to the user, not a line of source code.
    warnings.formatwarning = lambda message, *_, **__: f"infoplane: {printable(message, _LONGEST)}\n"
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that the terminal's encoding lacks is written as its number: it must not end the command.
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run ``infoplane`` on `arguments` (default: those of the process) and return the exit code."""
    from infoplane.cli.app import app

    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        code = int(app(args=words, prog_name="infoplane", standalone_mode=False) or 0)
    except InfoplaneError as error:
        return _say(str(error), 2)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        return _say(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1)
    except Exception as error:
        # The parser's own exceptions (a wrong option, a missing argument, Ctrl-C): releases differ in their classes.
        message = getattr(error, "format_message", None)
        if message is not None:
            text = message().rstrip(".")
            where = "'infoplane --help' lists the commands, 'infoplane COMMAND --help' the options of one"
            return _say(f"{text}{'' if text.endswith('?') else ';'} {where}", 2)
        if type(error).__name__ != "Abort":
            if os.environ.get("INFOPLANE_TRACEBACK"):
                raise
            reason = (str(error).splitlines() or [""])[0][:200]
            return _say(f"{type(error).__name__}: {reason} (INFOPLANE_TRACEBACK=1 shows where)", 1)
        code = INTERRUPTED
    if code == INTERRUPTED:
        return _say(f"interrupted{_LEFT.get(words[0], '')}", code)
    return code


def _say(text: str, code: int) -> int:
    # Here all messages pass, and many name what stands in a file.
    print(f"infoplane: {printable(text, _LONGEST)}", file=sys.stderr)
    return code
