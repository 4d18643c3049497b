"""The HTML page around the data of `run_data`: one file, no request, nothing from a run file executed.

A Content-Security-Policy forbids everything but the two scripts of the page, by their SHA-256 sums, and inline styles,
which plotly needs to draw. The data are inert text: JSON with ``<``, ``>`` and ``&`` escaped, or where it is large the
same packed by gzip and written in base64. plotly is always packed, for it is three times as large otherwise; the
browser unpacks it (DecompressionStream, which browsers have since 2023) and runs it only if its sum is the one given.
"""

import gzip
import json
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING, Any

from infoplane.errors import InfoplaneError, InputError

if TYPE_CHECKING:
    from jinja2 import Environment

LARGEST = 6_000_000
"""Bytes that a report has at most."""

_PLAIN = 500_000
_FILES = "infoplane.reports.page"


def page(data: Mapping[str, Any], *, live: str | None = None) -> str:
    """Return the whole page.

    Parameters
    ----------
    data : dict
        Of `infoplane.reports.page.run_data.run_data`.
    live : str, optional
        Relative URL of the same object as JSON, on the server that the page comes from. The page then asks for it again
        and again and draws what is new; without it the page connects to nothing.

    Returns
    -------
    str
        To be written as UTF-8, with line ends as they are.

    Raises
    ------
    InputError
        When `live` is no relative URL.
    InfoplaneError
        When plotly or jinja2 is not installed (extra ``html``).
    """
    if live is not None and (":" in live.partition("?")[0] or live.startswith(("/", "\\"))):
        raise InputError(f"live is {live!r}, but it must be a relative URL, such as 'data?token=...'")
    environment, plotly = _environment(), _plotly()
    charts = _text("charts.js")
    return environment.get_template("template.html").render(
        data=data,
        title=title(data),
        live=live,
        policy=policy([charts, plotly], connects=live is not None),
        style=_text("style.css"),
        charts=charts,
        plotly=_packed_plotly(),
        embedded=embedded(data),
    )


def title(data: Mapping[str, Any]) -> str:
    """Return the title: the name of the run, or how many there are."""
    runs = data["runs"]
    return f"infoplane: {runs[0]['name']}" if len(runs) == 1 else f"infoplane: {len(runs)} runs"


def policy(scripts: list[str], *, connects: bool) -> str:
    """Return the Content-Security-Policy: these scripts alone, and requests to the own server only where asked for."""
    sums = " ".join(f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts)
    rules = ["default-src 'none'", f"script-src {sums}", "style-src 'unsafe-inline'", "img-src data: blob:"]
    rules += ["base-uri 'none'", "form-action 'none'", *(["connect-src 'self'"] if connects else [])]
    return "; ".join(rules)


def embedded(data: Mapping[str, Any]) -> tuple[str, str]:
    """Return how the data are written into the page (``json`` or ``gzip``), and the text, which holds no markup."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))  # ASCII alone, so U+2028 is escaped as well
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return ("json", text) if len(text) <= _PLAIN else ("gzip", _packed(text))


def _packed(text: str) -> str:
    return b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


@cache
def _packed_plotly() -> str:
    return _packed(_plotly())


@cache
def _text(file: str) -> str:
    return resources.files(_FILES).joinpath(file).read_text(encoding="utf-8")


@cache
def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs  # type: ignore[import-untyped, unused-ignore]
    except ImportError as error:
        raise _missing(error) from error
    return str(get_plotlyjs()).replace("\r\n", "\n")


@cache
def _environment() -> "Environment":
    try:
        from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound
    except ImportError as error:
        raise _missing(error) from error

    class Files(BaseLoader):
        """The template of this package, wherever it is installed."""

        def get_source(self, environment: Environment, template: str) -> Any:
            if template != "template.html":
                raise TemplateNotFound(template)
            return _text(template), None, lambda: True

    return Environment(loader=Files(), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _missing(error: ImportError) -> InfoplaneError:
    return InfoplaneError(f"a page needs plotly and jinja2 ({error}): pip install 'infoplane[html]'")
