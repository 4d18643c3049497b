"""Real inputs of layers for synaptic scaling, a bounded sample of those since the last pass (Eq. 15).

Hofmann and Mäder (2022), Eq. 15, average phi(w x_n - b) over inputs x_n. A mean kept from step to step would be one of
weights that have changed since; a sample of the *inputs* can be put through the weights as they are when the pass
comes, and again behind it, which tells how far the pass moved them. So each layer keeps a uniform sample, without
replacement, of all rows it has seen (`infoplane.scaling.seen`), and never more rows than asked for.

The hooks are torch's global module hooks, filtered by identity: deep copies and pickles of the network carry none.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakMethod, finalize

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook
from torch.utils.hooks import RemovableHandle

from infoplane.analysis.errors import InputError
from infoplane.probes.attach import remove
from infoplane.probes.ranks import Ranks
from infoplane.scaling.seen import Seen, check_recurrent, seen_by

_STREAM = 0x64617461
# Above this, numpy draws no hypergeometric numbers, and with so many rows a binomial one is as good.
_MANY = 10**9


@dataclass
class _Sample:
    """Rows of one layer, how many they stand for, and how many draws there have been."""

    rows: Tensor | None = None
    seen: int = 0
    draws: int = 0


class LayerInputs:
    """Samples what layers see in training.

    Parameters
    ----------
    rows : int
        Most rows kept for a layer.
    seed : int
        Of the choice of rows; nothing is drawn from a global random state.

    Notes
    -----
    A forward counts where the layer is in training mode. One inside a backward pass, by which gradient checkpointing
    computes an activation a second time, does not; nor do those of deep copies.
    """

    def __init__(self, rows: int, *, seed: int) -> None:
        self.rows, self.seed = rows, seed
        self._samples: dict[str, _Sample] = {}
        self._watched: dict[int, tuple[str, nn.Module]] = {}
        self._handle: RemovableHandle | None = None

    @property
    def is_open(self) -> bool:
        """Whether the hook is set."""
        return self._handle is not None

    def open(self) -> None:
        """Set the hook. It goes with this object, or when it is closed."""
        if self._handle is None:
            self._handle = register_module_forward_hook(_hook(WeakMethod(self._after)), with_kwargs=True)
            finalize(self, remove, self._handle).atexit = False

    def close(self) -> None:
        """Remove the hook and forget all rows; safe to call twice."""
        if self._handle is not None:
            remove(self._handle)
        self._handle = None
        self._samples.clear()

    def watch(self, modules: Mapping[str, nn.Module]) -> None:
        """Say which layers to sample, by name; what was kept of a module that is still there stays."""
        for name, module in modules.items():
            check_recurrent(name, module)
        was = {name: id(module) for name, module in self._watched.values()}
        now = {name: id(module) for name, module in modules.items()}
        for name in list(self._samples):
            if name in was and was[name] != now.get(name):
                del self._samples[name]
        self._watched = {id(module): (name, module) for name, module in modules.items()}

    def take(self, dtype: torch.dtype) -> dict[str, Tensor]:
        """Return the rows of every layer, those of all ranks together.

        Raises
        ------
        InputError
            A layer has seen nothing.
        """
        if not self.is_open:
            raise InputError(
                "this SynScaW is closed, or a copy of one, and sees no inputs of layers; make a new one, or use "
                "source='probe'"
            )
        ranks = Ranks.current()
        samples = {name: self._samples.get(name, _Sample()) for name, _ in self._watched.values()}
        own = {
            name: (
                None if kept.rows is None else kept.rows.cpu() if ranks.world > 1 else kept.rows,
                kept.seen,
                kept.draws,
            )
            for name, kept in samples.items()
        }
        gathered = ranks.gather(own)
        taken: dict[str, Tensor] = {}
        empty: list[str] = []
        for name, module in self._watched.values():
            rows = self._together(name, [of_rank[name] for of_rank in gathered])
            if rows is None:
                empty.append(name)
            else:
                taken[name] = rows.to(device=next(module.parameters()).device, dtype=dtype)
        if empty:
            shown = ", ".join(map(repr, empty[:5])) + (f" and {len(empty) - 5} more" if len(empty) > 5 else "")
            raise InputError(
                f"no forward in training mode has called {shown} since the last pass, so that source='data' has no "
                "inputs for Eq. 15: train before a pass, make SynScaW before the first call of a network that "
                "torch.compile has wrapped, or leave out with layers= what the forward never calls as a module"
            )
        return taken

    def forget(self) -> None:
        """Begin the next interval."""
        for sample in self._samples.values():
            sample.rows, sample.seen = None, 0

    def state_dict(self) -> dict[str, Any]:
        """Return the samples, as tensors and numbers."""
        return {
            name: {"rows": sample.rows, "seen": sample.seen, "draws": sample.draws}
            for name, sample in self._samples.items()
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take what `state_dict` gave."""
        self._samples = {
            name: _Sample(None if kept["rows"] is None else kept["rows"].clone(), int(kept["seen"]), int(kept["draws"]))
            for name, kept in state.items()
        }

    def __getstate__(self) -> dict[str, Any]:
        # A copy has no hook of its own, and must not remove that of the original.
        return self.__dict__ | {"_handle": None, "_watched": {}, "_samples": {}}

    def _after(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        name, watched = self._watched.get(id(module), ("", None))
        if watched is not module or not module.training or _is_no_training(args, kwargs):
            return
        with torch.no_grad():
            self._offer(name, seen_by(name, module, args, kwargs, output))

    def _offer(self, name: str, new: Seen) -> None:
        """Make the sample one of all rows so far: how many of them are new is hypergeometric."""
        sample = self._samples.setdefault(name, _Sample())
        kept = 0 if sample.rows is None else len(sample.rows)
        size = min(self.rows, kept + new.count)
        draw = np.random.default_rng([self.seed, _STREAM, zlib.crc32(name.encode()), sample.draws])
        sample.draws += 1
        fresh = size if kept == 0 else _how_many(draw, new.count, sample.seen, size)
        sample.seen += new.count
        if not fresh:
            return
        numbers = draw.choice(new.count, fresh, replace=False, shuffle=False)
        rows = new.pick(torch.from_numpy(numbers).to(new.device))
        rows = rows.to(torch.promote_types(rows.dtype, torch.float32))
        if sample.rows is None:
            sample.rows = rows
            return
        stay = torch.from_numpy(draw.choice(kept, size - fresh, replace=False)).to(sample.rows.device)
        sample.rows = torch.cat([sample.rows[stay], rows.to(sample.rows)])

    def _together(self, name: str, of_ranks: list[tuple[Tensor | None, int, int]]) -> Tensor | None:
        """Return one sample of the inputs of all ranks, the same on each."""
        samples = [(rows, seen) for rows, seen, _ in of_ranks if rows is not None]
        if not samples or len(of_ranks) == 1:
            return samples[0][0] if samples else None
        draws = max(draws for _, _, draws in of_ranks)
        draw = np.random.default_rng([self.seed, _STREAM, zlib.crc32(name.encode()), draws, len(of_ranks)])
        size = min(self.rows, sum(len(rows) for rows, _ in samples))
        total = sum(seen for _, seen in samples)
        kept: list[Tensor] = []
        for rows, seen in samples:
            share = size if seen == total else _how_many(draw, seen, total - seen, size)
            share = min(share, len(rows))
            numbers = draw.choice(len(rows), share, replace=False)
            kept.append(rows[torch.from_numpy(numbers)])
            size, total = size - share, total - seen
        return torch.cat(kept)


def _how_many(draw: np.random.Generator, new: int, old: int, size: int) -> int:
    """Return how many of `size` rows, taken out of `new` and `old` ones, are new."""
    if new + old < _MANY:
        return int(draw.hypergeometric(new, old, size))
    return min(new, size, int(draw.binomial(size, new / (new + old))))


def _hook(method: "WeakMethod[Callable[..., None]]") -> Callable[..., None]:
    # Left to a compiler's tracing, a hook would be traced once and its bookkeeping lost. The method is held weakly, for
    # torch holds the hook.
    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        bound = method()
        if bound is not None:
            bound(module, args, kwargs, output)

    return torch.compiler.disable(hook)  # type: ignore[no-any-return]


def _is_no_training(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    # What torch's own checkpointing asks; there is no public question.
    if torch.compiler.is_compiling() or torch._C._current_graph_task_id() != -1:
        return True
    given = args[0] if args else kwargs.get("input")
    return isinstance(given, Tensor) and torch._C._functorch.is_functorch_wrapped_tensor(given)
