"""The directives ``public`` and ``short-names``: every public name, below the docstring of the file that it is in.

``.. public:: infoplane.analysis.known`` shows what the package has in ``__all__``, or, of a module without one, the
public functions and classes that it defines; names behind it choose some. A file's docstring has the formula, its
source and its unit, so it stands above the names of the file, once. What ``infoplane`` itself offers is shown under
that short name. ``.. short-names:: infoplane`` is the table of these, with links to where they are shown.
"""

import ast
import importlib
import inspect
from functools import cache
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directives."""
    app.add_directive("public", Public)
    app.add_directive("short-names", ShortNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


@cache
def homes_of(name: str) -> dict[str, str]:
    """Return for every public name of a module the module whose file has it, in the order of the files' names."""
    module = importlib.import_module(name)
    if not hasattr(module, "__all__"):
        found = inspect.getmembers(module, lambda it: inspect.isfunction(it) or inspect.isclass(it))
        own = [each for each, it in found if it.__module__ == name and not each.startswith("_")]
        return dict.fromkeys(sorted(own, key=lambda each: inspect.getsourcelines(getattr(module, each))[1]), name)
    homes = {each: name for each in module.__all__ if not inspect.ismodule(getattr(module, each))}
    for statement in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(statement, ast.ImportFrom):
            homes |= {each.name: str(statement.module) for each in statement.names if each.name in homes}
    return dict(sorted(homes.items(), key=lambda each: each[1]))


class Public(SphinxDirective):
    """One section for each file: its docstring, then its names."""

    required_arguments = 1
    optional_arguments = 50

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        module = importlib.import_module(self.arguments[0])
        chosen = self.arguments[1:]
        files: dict[str, list[str]] = {}
        for name, home in homes_of(self.arguments[0]).items():
            if not chosen or name in chosen:
                files.setdefault(home, []).append(name)
        lines = [line for home, names in files.items() for line in _section(module, home, names)]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


class ShortNames(SphinxDirective):
    """A table of the public names of a package, with the first line of each docstring."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        names = sorted(homes_of(self.arguments[0]), key=str.lower)
        lines = [".. list-table::", "   :widths: auto", ""]
        for name in names:
            what = inspect.getdoc(getattr(importlib.import_module(self.arguments[0]), name)) or ""
            lines += [f"   * - :obj:`{name} <{self.arguments[0]}.{name}>`", f"     - {what.splitlines()[0]}"]
        return self.parse_text_to_nodes("\n".join(lines))


def _section(module: ModuleType, home: str, names: list[str]) -> list[str]:
    title = home.rsplit(".", 1)[-1]
    full = {name: _full_name(module, home, name) for name in names}
    # Seen from the package, a function may have the name of the module that it is in: then the link is the function's.
    taken = any(home in (each, f"{module.__name__}.{name}") for name, each in full.items())
    lines = [f"``{title}``", "~" * (len(title) + 4), "", f".. automodule:: {home}", "   :no-members:"]
    lines += ["   :no-index:", ""] if taken else [""]
    for name in names:
        value, kind = getattr(module, name), "data"
        if inspect.isclass(value):
            kind = "exception" if issubclass(value, BaseException) else "class"
        elif callable(value):
            kind = "function"
        lines += [f".. auto{kind}:: {full[name]}", *(["   :members:"] if kind in ("class", "exception") else []), ""]
    return lines


def _full_name(module: ModuleType, home: str, name: str) -> str:
    value = getattr(module, name)
    if not (inspect.isclass(value) or callable(value)):
        return f"{home}.{name}"  # what a comment in the file says of it is found there alone
    face = importlib.import_module("infoplane")
    is_short = name in face.__all__ and getattr(face, name) is value
    return f"infoplane.{name}" if is_short else f"{module.__name__}.{name}"
