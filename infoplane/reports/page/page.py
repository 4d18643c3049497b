"""The HTML page around the data of `run_data`: one file, no request, nothing from a run file executed.

A Content-Security-Policy forbids everything but the two scripts of the page and its style, by their SHA-256 sums, and
attributes of style, with which plotly draws. The page's own script is one function, put together from the files in
``script`` that `SCRIPTS` names. The data are inert text: JSON with ``<``, ``>`` and ``&`` escaped, or where it is large
the same packed by gzip and written in base64. plotly is always packed, for it is three times as large otherwise; the
browser unpacks it (DecompressionStream, which browsers have since 2023) and runs it only if its sum is the one given.
"""

import gzip
import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING, Any

from infoplane.analysis.importing import importing
from infoplane.errors import InputError

if TYPE_CHECKING:
    from jinja2 import Environment

LARGEST = 6_000_000
"""Bytes that a report has at most."""

SCRIPTS = (
    "elements",
    "numbers",
    "text",
    "state",
    "looks",
    "points",
    "chart",
    "panels",
    "notes",
    "plane",
    "bounds",
    "histograms",
    "controls",
    "playing",
    "drawing",
    "sections",
    "watch",
    "start",
)
"""The files of the page's own script, in their order; they see each other's names, and nothing else does."""

_PLAIN = 500_000
_FILES = "infoplane.reports.page"
_STYLE_OF_PLOTLY = ""
"""plotly adds an element of style without text, and its rules by the browser's objects, which no policy forbids."""
_STYLE_OF_MAPS = re.compile(r'document\.getElementById\("([0-9a-f]{64})"\)')
"""It adds the style of its maps as well, but for a page that has an element of that name."""


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
    MissingLibraryError
        When plotly or jinja2 is not installed (extra ``html``).
    """
    if live is not None and (":" in live.partition("?")[0] or live.startswith(("/", "\\"))):
        raise InputError(f"live is {live!r}, but it must be a relative URL, such as 'data?token=...'")
    template = _environment().get_template("template.html")
    return template.render(
        data=data,
        title=title(data),
        live=live,
        policy=page_policy(live=live is not None),
        style=_text("style.css"),
        unused_styles=sorted(set(_STYLE_OF_MAPS.findall(_plotly()))),
        charts=_charts(),
        plotly=_packed_plotly(),
        embedded=embedded(data),
    )


def title(data: Mapping[str, Any]) -> str:
    """Return the title: the name of the run, or how many there are."""
    runs = data["runs"]
    return f"infoplane: {runs[0]['name']}" if len(runs) == 1 else f"infoplane: {len(runs)} runs"


def page_policy(*, live: bool) -> str:
    """Return the Content-Security-Policy of every page, or of every live one, which may ask its server.

    It stands in the page; a server sends the same as a header.
    """
    return policy([_charts(), _plotly()], [_text("style.css"), _STYLE_OF_PLOTLY], connects=live)


def policy(scripts: Sequence[str], styles: Sequence[str], *, connects: bool) -> str:
    """Return a Content-Security-Policy: these texts alone, and requests to the own server only where asked for."""
    rules = ["default-src 'none'", f"script-src {_sums(scripts)}", f"style-src-elem {_sums(styles)}"]
    rules += ["style-src-attr 'unsafe-inline'", "img-src data: blob:", "base-uri 'none'", "form-action 'none'"]
    return "; ".join([*rules, *(["connect-src 'self'"] if connects else [])])


def _sums(texts: Sequence[str]) -> str:
    return " ".join(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in texts)


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
def _charts() -> str:
    return "\n".join(['"use strict";', "(() => {", *(_text(f"script/{name}.js") for name in SCRIPTS), "})();\n"])


@cache
def _text(file: str) -> str:
    return resources.files(_FILES).joinpath(file).read_text(encoding="utf-8")


@cache
def _plotly() -> str:
    with importing("a page", extra="html"):
        from plotly.offline import get_plotlyjs  # type: ignore[import-untyped, unused-ignore]
    return str(get_plotlyjs()).replace("\r\n", "\n")


@cache
def _environment() -> "Environment":
    with importing("a page", extra="html"):
        from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound

    class Files(BaseLoader):
        """The template of this package, wherever it is installed."""

        def get_source(self, environment: Environment, template: str) -> Any:
            if template != "template.html":
                raise TemplateNotFound(template)
            return _text(template), None, lambda: True

    return Environment(loader=Files(), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
