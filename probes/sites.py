"""Choosing sites: the places in a network that are observed, named as in ``named_modules()``.

A site is a module's output. It is chosen by its name or by a glob: ``*`` stays within one component of the dotted
name, ``**`` crosses dots.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, overload

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook

from infoplane.analysis.errors import near_names
from infoplane.probes.errors import SiteError
from infoplane.probes.isolation import evaluation_mode, preserved_random_state

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Site:
    """One place that can be observed.

    Attributes
    ----------
    name : str
        Name in ``named_modules()``.
    type : str
        Class of the module.
    output : str
        What one call returned: the shape of a tensor, batch first, else what there is instead.
    calls : int
        Calls in one forward; a site that can be recorded is called once and returns a tensor.
    parameters : int
        Number of parameters in the module, its children included.
    """

    name: str
    type: str
    output: str
    calls: int
    parameters: int


class SiteTable(Sequence[Site]):
    """The sites of a network in the order of ``named_modules()``; prints as a table."""

    def __init__(self, rows: Sequence[Site]) -> None:
        self._rows = tuple(rows)

    @overload
    def __getitem__(self, index: int) -> Site: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Site]: ...
    def __getitem__(self, index: int | slice) -> Site | Sequence[Site]:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def to_dataframe(self) -> "pd.DataFrame":
        """Return one row per site: name, type, output, calls, parameters."""
        import pandas as pd

        return pd.DataFrame([vars(row) for row in self._rows], columns=list(Site.__dataclass_fields__))

    def __str__(self) -> str:
        cells = [("site", "type", "output", "calls", "parameters")]
        cells += [(r.name, r.type, r.output, str(r.calls), f"{r.parameters:,}") for r in self._rows]
        widths = [max(len(row[k]) for row in cells) for k in range(len(cells[0]))]
        return "\n".join(_line(row, widths) for row in cells)

    __repr__ = __str__


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    text, numbers = zip(row[:3], widths[:3], strict=True), zip(row[3:], widths[3:], strict=True)
    return "  ".join([*(t.ljust(w) for t, w in text), *(n.rjust(w) for n, w in numbers)])


def sites(model: nn.Module, *inputs: Any) -> SiteTable:
    """List every site of `model` by one dry forward, which changes nothing.

    The forward runs in evaluation mode, without gradients, and with the global random states restored afterwards.

    Parameters
    ----------
    model : torch.nn.Module
        Any network.
    *inputs : object
        What ``model(*inputs)`` takes: one small batch is enough.

    Returns
    -------
    SiteTable
        One row per module: name, type, shape of its output (batch first), calls in one forward, parameters.
    """
    seen: dict[int, str] = {}
    calls: Counter[int] = Counter()

    def note(module: nn.Module, args: Any, output: Any) -> None:
        seen[id(module)] = describe_output(output)
        calls[id(module)] += 1

    handle = register_module_forward_hook(note)
    try:
        with preserved_random_state(), evaluation_mode(model), torch.no_grad():
            model(*inputs)
    finally:
        handle.remove()
    return SiteTable(
        [
            Site(
                name=name,
                type=type(module).__name__,
                output=seen.get(id(module), "never called"),
                calls=calls[id(module)],
                parameters=sum(p.numel() for p in module.parameters()),
            )
            for name, module in model.named_modules()
            if name
        ]
    )


def select_sites(model: nn.Module, patterns: str | Sequence[str]) -> dict[str, nn.Module]:
    """Return the modules that `patterns` choose, by name, in the order of ``named_modules()``.

    Parameters
    ----------
    model : torch.nn.Module
        Any network.
    patterns : str or sequence of str
        Names or globs; ``*`` and ``?`` do not match a dot, ``**`` does.

    Raises
    ------
    SiteError
        When a name is unknown, a glob matches nothing, or nothing was asked for.
    """
    named = {name: module for name, module in model.named_modules() if name}
    wanted = [patterns] if isinstance(patterns, str) else list(patterns or ())
    if not wanted:
        raise SiteError("no site was asked for: give at least one name or glob of a module, such as 'hidden*'")
    chosen: set[str] = set()
    for pattern in wanted:
        if not isinstance(pattern, str):
            raise SiteError(f"a site is chosen by a string (a name or a glob), not by {pattern!r}")
        if any(mark in pattern for mark in "*?"):
            matches = {name for name in named if _glob(pattern).fullmatch(name)}
            if not matches:
                raise SiteError(f"the glob {pattern!r} matches no module of this network{_listing(named)}")
            chosen |= matches
        elif pattern in named:
            chosen.add(pattern)
        else:
            hint = near_names(pattern, named) or _listing(named)
            raise SiteError(f"this network has no module named {pattern!r}{hint}")
    return {name: module for name, module in named.items() if name in chosen}


def describe_output(output: Any) -> str:
    """Say in a few words what a module returned: ``(32, 10)``, or ``tuple of Tensor, NoneType``."""
    if isinstance(output, torch.Tensor):
        return str(tuple(output.shape))
    if isinstance(output, Mapping):
        return f"{type(output).__name__} with " + ", ".join(f"{k!r}: {type(v).__name__}" for k, v in output.items())
    if isinstance(output, tuple | list):
        return f"{type(output).__name__} of " + ", ".join(type(v).__name__ for v in output)
    return type(output).__name__


def _glob(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*|\?)", pattern)
    special = {"**": ".*", "*": "[^.]*", "?": "[^.]"}
    return re.compile("".join(special.get(part, re.escape(part)) for part in parts))


def _listing(named: Mapping[str, nn.Module], limit: int = 12) -> str:
    names = list(islice(named, limit))
    more = f" and {len(named) - limit} more" if len(named) > limit else ""
    return f"; it has {', '.join(repr(n) for n in names)}{more}" if names else "; it has no submodules"
