"""Where a network is observed: one tensor that a module returns or is given, in one of its calls."""

from dataclasses import dataclass
from typing import Literal

from torch import nn

Side = Literal["output", "input"]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """One site of a network.

    Attributes
    ----------
    name : str
        Its label: an alias, or how it is written, ``module[:call][@input][[key]...]``, as ``fc1``, ``lstm[0]``,
        ``shared:1``, ``fc1@input``.
    module_name : str
        Of the module, as `infoplane.probes.names.module_names` has it.
    module : torch.nn.Module
        The module itself.
    side : {"output", "input"}
        Whether what it returns is observed, or what it is given.
    call : int or None
        Which call in one forward, from 0; None where that was not said.
    path : tuple of str and int
        Keys that lead to the tensor; empty for the tensor itself, or the only one there is.
    named : bool
        Whether its user named this very module. If not (a pattern matched it), it drops out where the forward does not
        call it, or it has no floating-point tensor with one row per input.
    """

    name: str
    module_name: str
    module: nn.Module
    side: Side = "output"
    call: int | None = None
    path: Path = ()
    named: bool = True


def written(module_name: str, *, call: int | None = None, side: Side = "output", path: Path = ()) -> str:
    """Return how a place is written: ``module[:call][@input][[key]...]``."""
    parts = [module_name, "" if call is None else f":{call}", "@input" if side == "input" else ""]
    return "".join(parts) + "".join(f"[{key}]" for key in path)
