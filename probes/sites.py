"""The sites of a network as a table: what each is called, what it gives, how large it is.

The names are spelled as ``sites=`` takes them (see `infoplane.probes.selection`): a module called twice in one forward
has two rows, ``name:0`` and ``name:1``, one that returns several tensors a row for each, ``lstm[0]``, ``lstm[1][0]``.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, overload

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook

from infoplane.probes.eager import begin_eager, end_eager, has_compiled_parts
from infoplane.probes.errors import SiteError
from infoplane.probes.isolation import evaluation_mode, preserved_random_state
from infoplane.probes.names import lazy_parameters, module_names, unwrapped
from infoplane.probes.outputs import describe_output, parts
from infoplane.probes.places import Path, written

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Site:
    """One place that can be observed.

    Attributes
    ----------
    name : str
        As ``sites=`` takes it.
    module : str
        Name of its module in ``named_modules()``, without wrappers.
    type : str
        Class of the module.
    output : str
        Shape of the tensor there, batch first, with its dtype where that is not floating-point; what there is
        instead; ``never called``; or ``?`` where no forward was made.
    calls : int or None
        Calls of the module in one forward; None where no forward was made.
    parameters : int
        Number of parameters in the module, those of the modules inside included.
    """

    name: str
    module: str
    type: str
    output: str
    calls: int | None
    parameters: int


class SiteTable(Sequence[Site]):
    """The sites of a network in the order of ``named_modules()``; prints as a table."""

    def __init__(self, rows: Sequence[Site]) -> None:
        self._rows = tuple(rows)

    @overload
    def __getitem__(self, index: int) -> Site: ...
    @overload
    def __getitem__(self, index: slice) -> "SiteTable": ...
    def __getitem__(self, index: int | slice) -> "Site | SiteTable":
        return SiteTable(self._rows[index]) if isinstance(index, slice) else self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def to_dataframe(self) -> "pd.DataFrame":
        """Return one row per site: name, module, type, output, calls, parameters."""
        import pandas as pd

        return pd.DataFrame([astuple(row) for row in self._rows], columns=list(Site.__dataclass_fields__))

    def __str__(self) -> str:
        cells = [("site", "type", "output", "calls", "parameters")]
        for row in self._rows:
            calls = "?" if row.calls is None else str(row.calls)
            cells.append((row.name, row.type, row.output, calls, f"{row.parameters:,}"))
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        sides = (str.ljust, str.ljust, str.ljust, str.rjust, str.rjust)
        # Nothing is cut, however wide it gets: the names are there to be copied.
        return "\n".join(
            "  ".join(side(cell, width) for side, cell, width in zip(sides, line, widths, strict=True))
            for line in cells
        )

    __repr__ = __str__


def sites(model: nn.Module, *inputs: Any, **named_inputs: Any) -> SiteTable:
    """List every site of `model`, with what it gives in one dry forward.

    The forward runs in evaluation mode, without gradients and uncompiled; training modes and the global random states
    are as before afterwards. Only outputs are listed: what a module is given is its ``name@input``.

    Parameters
    ----------
    model : torch.nn.Module
        Any network; wrappers of torch.compile, DataParallel and DistributedDataParallel are seen through.
    *inputs, **named_inputs : object
        What ``model(*inputs, **named_inputs)`` takes: one small batch is enough. Without any there is no forward, and
        shapes and calls are unknown.

    Returns
    -------
    SiteTable
        One row per module, call and tensor: name, module, type, output, calls, parameters.

    Raises
    ------
    SiteError
        When a parameter has no shape yet (lazy modules).
    """
    if lazy := lazy_parameters(model):
        raise SiteError(
            f"the parameter {lazy[0]!r} has no shape yet, and listing the sites must not change the network; "
            "run one forward first"
        )
    given = _dry_forward(model, inputs, named_inputs) if inputs or named_inputs else None
    rows = []
    for name, module in module_names(model).items():
        calls = None if given is None else given.get(id(module), [])
        size = sum(parameter.numel() for parameter in module.parameters())
        for place, output in _places(name, calls):
            count = None if calls is None else len(calls)
            rows.append(Site(place, name, type(module).__name__, output, count, size))
    return SiteTable(rows)


def _places(name: str, calls: Sequence[dict[Path, str]] | None) -> Iterator[tuple[str, str]]:
    """Yield ``(spelled name, what there is)`` for all that one module gave."""
    if not calls:
        yield name, "?" if calls is None else "never called"
    for k, found in enumerate(calls or ()):
        for path, output in found.items():
            yield written(name, call=k if len(calls or ()) > 1 else None, path=path), output


def _dry_forward(
    model: nn.Module, inputs: tuple[Any, ...], named_inputs: dict[str, Any]
) -> dict[int, list[dict[Path, str]]]:
    """Return, by the identity of a module and for each of its calls, what it gave by path, in words."""
    inside = {id(module) for module in module_names(model).values()}
    given: dict[int, list[dict[Path, str]]] = {}

    def note(module: nn.Module, args: Any, output: Any) -> None:
        if id(module) in inside:
            found = parts(output) or {(): output}
            given.setdefault(id(module), []).append({path: describe_output(t) for path, t in found.items()})

    network = unwrapped(model)
    with preserved_random_state(), evaluation_mode(network), _uncompiled(network), torch.no_grad():
        handle = register_module_forward_hook(note)
        try:
            network(*inputs, **named_inputs)
        finally:
            handle.remove()
    return given


@contextmanager
def _uncompiled(model: nn.Module) -> Iterator[None]:
    """Run compiled parts as they are written: the modules inside of compiled code are not called."""
    compiled = has_compiled_parts(model)
    if compiled:
        begin_eager()
    try:
        with warnings.catch_warnings():
            # That a hook of all modules also meets the wrapper is meant; the wrapper is no site.
            warnings.filterwarnings("ignore", message="Using `torch.compile", category=UserWarning)
            yield
    finally:
        if compiled:
            end_eager()
