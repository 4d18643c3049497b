"""Recorder of gradients: mean and standard deviation of every weight's gradient over the optimizer's steps.

    m = 1/n sum_t g_t,    s^2 = 1/(n - 1) sum_t (g_t - m)^2      per entry of a weight, over n steps
    signal to noise = |m| / |s|                                   norms over the entries

Early in a training the means exceed the deviations (drift), later the reverse holds (diffusion): Shwartz-Ziv & Tishby
2017, Fig. 4, who divide both by the norm of the weight. |m| holds noise as well: over independent steps of one mean mu,
E |m|^2 = |mu|^2 + E |s|^2 / n. So |m|^2 - |s|^2 / n is an unbiased estimate of |mu|^2; without a signal it is negative
as often as not.

g_t is the gradient that the optimizer is about to use: accumulated, averaged over processes, unscaled, clipped. Steps
that a gradient scaler skips do not count. Of a step with a closure it is the gradient that the closure left behind.

Under data-parallel training all processes hold the same averaged gradients, so the recorder of each has the numbers of
all. Units: gradients in loss per unit of the weight.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils.hooks import RemovableHandle

from infoplane.analysis.errors import whole_number
from infoplane.probes.saved import check_same
from infoplane.probes.weights import weights_of


@dataclass(frozen=True)
class GradientStatistics:
    """Of one weight matrix or kernel, over some steps.

    Attributes
    ----------
    steps : int
        n, steps that contributed.
    mean_norm : float
        |m|; NaN without a step.
    sd_norm : float
        |s|; NaN below two steps.
    weight_norm : float
        Of the weight itself, at the time of asking.
    """

    steps: int
    mean_norm: float
    sd_norm: float
    weight_norm: float

    @property
    def snr(self) -> float:
        """|m| / |s|; infinite where all steps had one gradient, NaN where there was none."""
        return _ratio(self.mean_norm, self.sd_norm)

    @property
    def squared_mean(self) -> float:
        """|m|^2 - |s|^2 / n, the unbiased estimate of |mu|^2; may be negative."""
        return self.mean_norm**2 - self.sd_norm**2 / self.steps if self.steps else math.nan

    @property
    def squared_snr(self) -> float:
        """That over |s|^2; may be negative."""
        return _ratio(self.squared_mean, self.sd_norm**2)


class GradientRecorder:
    """Watches the optimizers of one network from `open` to `close`, or as a context manager.

    The hooks are torch's global optimizer hooks, filtered by identity: nothing is set on the network or an optimizer.
    Per weight it keeps two tensors of the weight's size on its device, in float32 (float64 for such weights), and for
    all one of the largest one's. Nothing is read back from a device before `take`, except whether a fused optimizer
    under a gradient scaler skips its step.

    Parameters
    ----------
    model : torch.nn.Module
        The host. Optimizers that hold none of its weights are ignored.
    every : int
        Each optimizer's first step and every `every`-th after it contribute.
    """

    def __init__(self, model: nn.Module, every: int = 1) -> None:
        self.every = whole_number("every", every, least=1)
        self._model = model
        self._steps: WeakKeyDictionary[Optimizer, int] = WeakKeyDictionary()
        self._weights: dict[int, nn.Parameter] = {}  # by id; that they are held keeps an id from being given away
        self._running: dict[int, _Running] = {}
        self._loaded: Mapping[str, Any] = {}  # until the weights are looked up
        self._resumed: list[Mapping[str, Any]] = []  # steps of optimizers that have not stepped here yet
        self._scratch: dict[tuple[torch.device, torch.dtype], Tensor] = {}
        self._handles: list[RemovableHandle] = []

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def open(self) -> None:
        """Set the hooks."""
        if not self._handles:
            # Left to a compiler's tracing, a hook would be traced once and its bookkeeping lost.
            before, after = torch.compiler.disable(self._before), torch.compiler.disable(self._after)
            self._handles = [register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after)]

    def close(self) -> None:
        """Remove the hooks; safe to call twice. What has been gathered can still be taken."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    @torch.no_grad()
    def take(self) -> dict[str, GradientStatistics]:
        """Return the statistics since the last call, by parameter name, and start again.

        A weight is a parameter of two or more dimensions, as in `infoplane.probes.weights`; one that had no gradient in
        any of the steps has 0 of them.
        """
        self._look_up()
        weights = weights_of(self._model)
        gathered = [self._running.get(id(weight)) for weight in weights.values()]
        norms = _read([_norms(weight, running) for weight, running in zip(weights.values(), gathered, strict=True)])
        result = {}
        for name, running, (mean, spread, weight_norm) in zip(weights, gathered, norms, strict=True):
            n = 0 if running is None else running.n
            sd = spread / math.sqrt(n - 1) if n > 1 else math.nan
            result[name] = GradientStatistics(n, mean if n else math.nan, sd, weight_norm)
        # Looked up anew: another tensor may stand under the same name by now.
        self._weights = {id(weight): weight for weight in weights.values()}
        self._running = {key: running for key, running in self._running.items() if key in self._weights}
        for kept in self._running.values():
            kept.n = 0
        return result

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes: the tensors themselves, no copies, as torch's modules do.

        An optimizer is known by the names of the weights that it holds. Under data-parallel training it is the same on
        every rank.
        """
        self._look_up()
        weights = weights_of(self._model)
        running = {name: self._running[id(weight)] for name, weight in weights.items() if id(weight) in self._running}
        stepped = [
            {"weights": self._names([p for group in optimizer.param_groups for p in group["params"]]), "steps": steps}
            for optimizer, steps in self._steps.items()
        ]
        return {
            "sums": {
                name: {"n": each.n, "mean": each.mean, "squares": each.squares}
                for name, each in running.items()
                if each.n
            },
            "optimizers": [*stepped, *map(dict, self._resumed)],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, before any step; InputError when it is of a network with other weights."""
        weights = weights_of(self._model)
        saved = {name: f"of shape {tuple(sums['mean'].shape)}" for name, sums in state["sums"].items()}
        here = {name: f"of shape {tuple(weight.shape)}" for name, weight in weights.items() if name in saved}
        check_same("weight", saved, here)
        self._weights, self._running = {}, {}
        self._loaded, self._resumed = state["sums"], list(state["optimizers"])

    def _look_up(self) -> None:
        """Learn which weights there are, when it is first needed; sums that were loaded become theirs."""
        if self._weights:
            return
        weights = weights_of(self._model)
        self._weights = {id(weight): weight for weight in weights.values()}
        for name, sums in self._loaded.items():
            running = self._running[id(weights[name])] = _Running.like(weights[name])
            running.n = sums["n"]
            running.mean.copy_(sums["mean"])
            running.squares.copy_(sums["squares"])
        self._loaded = {}

    def _resumed_steps(self, held: Sequence[Tensor]) -> int:
        """Return how often an optimizer had stepped that is new here: as often as the saved one with its weights."""
        names = self._names(held)
        known = next((saved for saved in self._resumed if saved["weights"] == names), None)
        if known is None:
            return 0
        self._resumed.remove(known)
        return int(known["steps"])

    def _names(self, tensors: Sequence[Tensor]) -> list[str]:
        """Return the names of the weights among some tensors."""
        among = {id(tensor) for tensor in tensors}
        return [name for name, weight in weights_of(self._model).items() if id(weight) in among]

    def _before(self, optimizer: Optimizer, args: Any, kwargs: Mapping[str, Any]) -> None:
        if _closure(args, kwargs) is None:
            self._observe(optimizer)

    def _after(self, optimizer: Optimizer, args: Any, kwargs: Mapping[str, Any]) -> None:
        # A closure computes its gradients inside the step.
        if _closure(args, kwargs) is not None:
            self._observe(optimizer)

    def _observe(self, optimizer: Optimizer) -> None:
        self._look_up()
        held = [p for group in optimizer.param_groups for p in group["params"] if id(p) in self._weights]
        if not held:
            return
        step = self._steps[optimizer] if optimizer in self._steps else self._resumed_steps(held)
        self._steps[optimizer] = step + 1
        if step % self.every:
            return
        # A fused optimizer gets its gradients scaled, and skips the step by itself where one is infinite.
        scale, found_inf = getattr(optimizer, "grad_scale", None), getattr(optimizer, "found_inf", None)
        if found_inf is not None and bool(found_inf):
            return
        with torch.inference_mode(False), torch.no_grad():
            for weight in held:
                if weight.grad is not None:
                    gradient = weight.grad.to_dense() if weight.grad.is_sparse else weight.grad
                    self._add(weight, gradient if scale is None else gradient / scale)

    def _add(self, weight: Tensor, gradient: Tensor) -> None:
        running = self._running.get(id(weight))
        if running is None:
            running = self._running[id(weight)] = _Running.like(weight)
        key = running.mean.device, running.mean.dtype
        if key not in self._scratch or self._scratch[key].numel() < weight.numel():
            self._scratch[key] = torch.empty(weight.numel(), device=key[0], dtype=key[1])
        running.add(gradient, self._scratch[key][: weight.numel()].view(weight.shape))


@dataclass(eq=False)
class _Running:
    """Mean and sum of squared deviations of one weight's gradient (Welford 1962)."""

    n: int
    mean: Tensor
    squares: Tensor

    @classmethod
    def like(cls, weight: Tensor) -> "_Running":
        dtype = torch.promote_types(weight.dtype, torch.float32)
        return cls(0, torch.zeros_like(weight, dtype=dtype), torch.zeros_like(weight, dtype=dtype))

    def add(self, gradient: Tensor, scratch: Tensor) -> None:
        self.n += 1
        if self.n == 1:
            self.mean.copy_(gradient)
            self.squares.zero_()
            return
        torch.sub(gradient, self.mean, out=scratch)
        self.mean.add_(scratch, alpha=1 / self.n)
        self.squares.addcmul_(scratch, scratch, value=(self.n - 1) / self.n)


def _norms(weight: Tensor, running: _Running | None) -> Tensor:
    """Return the norms of mean and deviations from it, and of the weight, shape (3,), on the weight's device."""
    own = weight.float().square().sum()  # in pairs: a norm taken at once is off by 1e-4 for 30 million entries
    if running is None:
        return torch.stack([own, own, own]).sqrt()
    return torch.stack([running.mean.float().square().sum(), running.squares.float().sum(), own]).sqrt()


def _read(rows: list[Tensor]) -> list[list[float]]:
    """Return the numbers of all rows, in one transfer from their device as a rule."""
    return torch.stack([row.to(rows[0].device) for row in rows]).tolist() if rows else []


def _closure(args: Any, kwargs: Mapping[str, Any]) -> object:
    # The arguments of a step begin with the optimizer itself.
    return args[1] if len(args) > 1 else kwargs.get("closure")


def _ratio(signal: float, noise: float) -> float:
    if noise == 0:
        return math.copysign(math.inf, signal) if signal else math.nan
    return signal / noise
