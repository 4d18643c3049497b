"""Compiled networks run eagerly while they are recorded.

Inside code that torch.compile has made no hook fires, and hooks that are there before it is made break it up for good.
While a network with compiled parts is recorded, torch therefore runs every compiled function as it is written, and goes
back to the code that it has compiled afterwards. The numbers are those of the eager network.
"""

from typing import Any

import torch
from torch import nn

_open = 0
_stance: Any = None


def has_compiled_parts(model: nn.Module) -> bool:
    """Whether `model` or one of its modules was given to torch.compile, or had its ``compile`` method called."""
    return any(hasattr(m, "_orig_mod") or getattr(m, "_compiled_call_impl", None) for m in model.modules())


def begin_eager() -> None:
    """Run compiled functions as they are written, in this process, until `end_eager` was called as often as this."""
    global _open, _stance
    if not _open:
        _stance = torch.compiler.set_stance("force_eager")
    _open += 1


def end_eager() -> None:
    """Undo one `begin_eager`; the last one brings back the stance that was there before."""
    global _open, _stance
    _open -= 1
    if not _open:
        stance, _stance = _stance, None
        stance.__exit__(None, None, None)
