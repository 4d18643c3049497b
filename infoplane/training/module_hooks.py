"""torch's global module hooks, put aside for a while: every module of the process asks each of them at every call.

A recording sets some. Beside the networks of other recordings they look at nothing, and take time; inside of compiled
code they would break it up.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch.nn.modules import module as torch_module

_NAMES = (
    "_global_forward_pre_hooks",
    "_global_forward_hooks",
    "_global_forward_hooks_always_called",
    "_global_backward_pre_hooks",
    "_global_backward_hooks",
)


@contextmanager
def global_hooks_aside() -> Iterator[None]:
    """Take all of them off."""
    hooks = _tables()
    kept = [dict(each) for each in hooks]
    try:
        for each in hooks:
            each.clear()
        yield
    finally:
        for each, before in zip(hooks, kept, strict=True):
            each.update(before)


class OwnHooks:
    """The global hooks that were set inside of `around`, by one recording among several."""

    def __init__(self) -> None:
        self._own: set[int] = set()

    @contextmanager
    def around(self, *, others: "list[OwnHooks] | None" = None) -> Iterator[None]:
        """Count the hooks that are set in the block as own ones, and have those of `others` aside meanwhile."""
        foreign = {key for each in others or () if each is not self for key in each._own}
        hooks = _tables()
        aside = [{key: each.pop(key) for key in [*each] if key in foreign} for each in hooks]
        before = {key for each in hooks for key in each}
        try:
            yield
        finally:
            self._own |= {key for each in hooks for key in each} - before
            for each, foreign_ones in zip(hooks, aside, strict=True):
                each.update(foreign_ones)


def _tables() -> list[dict[int, Any]]:
    return [getattr(torch_module, name) for name in _NAMES]
