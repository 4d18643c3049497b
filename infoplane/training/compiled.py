"""torch.compile for a network that is recorded.

Inside code that torch.compile has made no hook fires, so that a recording runs a network that was compiled as a whole
as it is written. Compiled here is what lies between the sites: the largest modules that hold no site, and no hook,
inside of them. Around each the recording sees what goes in and what comes out.
"""

from collections.abc import Callable, Iterable, Iterator
from types import FunctionType, MethodType
from typing import Any

import torch
from torch import nn

from infoplane.errors import InputError
from infoplane.training.module_hooks import global_hooks_aside


def compile_between(model: nn.Module, sites: Iterable[str], *, backend: str = "inductor") -> tuple[str, ...]:
    """Let the parts of `model` that hold no site inside run compiled, and return their names.

    Parameters
    ----------
    model : torch.nn.Module
        The network, changed in place: the ``forward`` of these parts is another one. Names, weights, copies and states
        are as before.
    sites : iterable of str
        Names of the modules that are observed.
    backend : str
        As torch.compile knows it.

    Raises
    ------
    InputError
        When the backend is unknown, or sites are everywhere, so that nothing is left to compile.
    """
    known = torch.compiler.list_backends(exclude_tags=())
    if backend not in known:
        raise InputError(f"training.compile is {backend!r}, but torch.compile has the backends {', '.join(known)}")
    names = tuple(_parts("", model, list(sites)))
    if not names:
        raise InputError(
            "training.compile has nothing to compile: every part of the network holds a site, or a hook; name fewer "
            "sites, such as the ends of stages"
        )
    for name in names:
        module = model.get_submodule(name)
        module.forward = MethodType(_compiled(name, backend), module)  # a copy of the network gets one of its own
    return names


def _parts(name: str, module: nn.Module, observed: list[str]) -> Iterator[str]:
    """Yield the largest modules with modules inside, of which none is observed or has a hook."""
    inside = f"{name}." if name else ""
    if name and not any(path.startswith(inside) for path in observed):
        if any(True for _ in module.children()) and not any(_has_hooks(m) for m in module.modules() if m is not module):
            yield name
        return
    for child, part in module.named_children():
        yield from _parts(f"{inside}{child}", part, observed)


def _has_hooks(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)


def _compiled(name: str, backend: str) -> Callable[..., Any]:
    def plain(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        return type(module).forward(module, *args, **kwargs)

    # torch.compile keeps a limited number of versions for each code object: every part gets one of its own.
    own = FunctionType(plain.__code__.replace(co_name=f"forward_of_{name.replace('.', '_')}"), plain.__globals__)
    fast = torch.compile(own, backend=backend)

    def forward(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        # While a network is recorded torch runs all compiled code as it is written, but for this.
        with torch.compiler.set_stance("default"), global_hooks_aside():
            return fast(module, *args, **kwargs)

    return forward
