"""From feature maps and tokens to codes: how an activation becomes one row of numbers per input.

    flatten         (n, ...)        -> (n, product)   all of it
    gap             (n, C, *space)  -> (n, C)         mean over space
    tokens-mean     (n, *tokens, d) -> (n, d)         mean over tokens
    cls, last       (n, T, d)       -> (n, d)         the first token; the last one
    projection-K    (n, ...)        -> (n, K)         `infoplane.probes.projection` of what flatten gives
    a callable      (n, ...)        -> (n, d)         given float32, inputs first

What a probe or an estimator says is about this code. The choice is therefore explicit, or made by shape, and its name
is kept beside the numbers. All but flatten lose information, which no bound gets back.

**By shape**: flatten for (n, d). Otherwise gap where channels come first: in four and more dimensions, and in three
behind a convolution, pooling or normalisation of one dimension; tokens-mean for others of three dimensions, and for
``nn.Linear`` and ``nn.LayerNorm``, whose features are last. Blocks with channels last in four dimensions (Swin's)
cannot be told by their shape: ask for tokens-mean there.

Activations of sequence-first modules are brought to inputs first before (`infoplane.probes.input_axis`).
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from infoplane.analysis.errors import InputError, near_names
from infoplane.probes.errors import SiteError
from infoplane.probes.input_axis import input_axis
from infoplane.probes.places import Path
from infoplane.probes.projection import GaussianProjection
from infoplane.probes.selection import glob

Reduce = Callable[[Tensor], Tensor]
Asked = None | str | Reduce | Mapping[str, Any]

_CHANNELS_FIRST = (
    *(nn.Conv1d, nn.ConvTranspose1d, nn.BatchNorm1d, nn.SyncBatchNorm, nn.InstanceNorm1d, nn.GroupNorm, nn.Dropout1d),
    *(nn.MaxPool1d, nn.MaxUnpool1d, nn.AvgPool1d, nn.LPPool1d, nn.AdaptiveAvgPool1d, nn.AdaptiveMaxPool1d),
)
_FEATURES_LAST = (nn.Linear, nn.LayerNorm)  # not their subclasses: torchvision's LayerNorm2d has channels first


@dataclass(frozen=True)
class Reduction:
    """How the activation of one site becomes codes; made by `reduction_for`.

    Attributes
    ----------
    name : str
        As in the table above; a callable's name with its module. Kept in the run file.
    axis : int
        Where the inputs are in the activation: 0, or 1 for a sequence-first module.
    feature_axis : int
        Where the neurons (channels, features) are in what `batch_first` gives: 1 or the last.
    site : str
        Its label, for messages.
    function : callable
        From what `batch_first` gives to the code.
    """

    name: str
    axis: int
    feature_axis: int
    site: str
    function: Reduce = field(repr=False)

    def batch_first(self, activation: Tensor) -> Tensor:
        """Return the activation with its inputs along axis 0; a view."""
        return activation.movedim(self.axis, 0) if self.axis else activation

    def __call__(self, activation: Tensor) -> Tensor:
        """Return the code, shape (n, d), float32; differentiable, and perhaps a view of the activation.

        Raises
        ------
        SiteError
            When a callable gives something else than (n, d) floating-point numbers.
        """
        rows = self.batch_first(activation)
        code = self.function(rows)
        if not isinstance(code, Tensor) or code.ndim != 2 or len(code) != len(rows) or not code.is_floating_point():
            what = (
                f"a {code.dtype} tensor of shape {tuple(code.shape)}"
                if isinstance(code, Tensor)
                else type(code).__name__
            )
            raise SiteError(
                f"the reduction {self.name!r} turned the activation {tuple(rows.shape)} of the site {self.site!r} into "
                f"{what}, but it must give floating-point numbers of shape ({len(rows)}, features)"
            )
        return code.float()


def reduction_for(
    asked: Asked,
    *,
    site: str,
    module: nn.Module,
    shape: tuple[int, ...],
    inputs: int,
    side: str = "output",
    path: Path = (),
) -> Reduction:
    """Return the reduction of one site.

    Parameters
    ----------
    asked : None, str, callable or mapping
        None chooses by shape; a name of the table above; a callable from (n, ...), float32, to (n, d); or a mapping
        from sites or globs of sites to these. An exact name comes before globs, these in their order; a site that is
        not in it is reduced by its shape.
    site : str
        Its label.
    module : torch.nn.Module
        Whose output or input it is.
    shape : tuple of int
        Of the whole activation.
    inputs : int
        n of the batch that gave it.
    side, path : optional
        As in `Place`: which of the module's tensors.

    Raises
    ------
    SiteError
        When the activation has no axis with one row per input, only that axis, or not the dimensions that the reduction
        needs.
    InputError
        When `asked` is no reduction.
    """
    axis = input_axis(shape, inputs, site=site, module=module, side=side, path=path)
    chosen = _chosen(asked, site)
    _check(chosen)
    features_last = type(module) in _FEATURES_LAST or (len(shape) == 3 and not isinstance(module, _CHANNELS_FIRST))
    by_shape = len(shape) - 1 if features_last else 1
    if chosen is None:
        chosen = "flatten" if len(shape) == 2 else "tokens-mean" if features_last else "gap"
    if not isinstance(chosen, str):
        return Reduction(_name(chosen), axis, by_shape, site, partial(_called, chosen))
    if chosen in _KINDS:
        kind = _KINDS[chosen]
        if len(shape) != (kind.dimensions or len(shape)):
            raise SiteError(
                f"the site {site!r} gives {tuple(shape)}, but {chosen!r} takes (inputs, tokens, features): ask for it "
                f"by site, as in reduce={{'blocks.*': {chosen!r}}}, and the others are reduced by their shape"
            )
        neurons = by_shape if kind.feature_axis is None else kind.feature_axis % len(shape)
        return Reduction(chosen, axis, neurons, site, kind.function)
    projection = GaussianProjection(math.prod(shape[:axis] + shape[axis + 1 :]), int(chosen.split("-")[1]))
    return Reduction(chosen, axis, by_shape, site, projection)


def is_asked(asked: Asked, site: str) -> bool:
    """Return whether `asked` says how this site is reduced; if not, its shape does."""
    return _chosen(asked, site) is not None


def check_reductions(asked: Asked, sites: Iterable[str]) -> None:
    """Refuse what `reduction_for` would refuse later, and keys of a mapping that belong to no site.

    Raises
    ------
    InputError
        When `asked` is no reduction.
    SiteError
        When a key of it matches none of `sites`.
    """
    if not isinstance(asked, Mapping):
        return _check(asked)
    known = list(sites)
    for key, value in asked.items():
        if not isinstance(key, str) or not any(key == site or glob(key).fullmatch(site) for site in known):
            raise SiteError(f"reduce has the key {key!r}, but no site is called so{near_names(str(key), known)}")
        _check(value)
    return None


class _Kind(NamedTuple):
    function: Reduce
    feature_axis: int | None = None  # None: as the shape says
    dimensions: int | None = None  # None: any number


def _flatten(activation: Tensor) -> Tensor:
    return activation.flatten(1)


# Without an axis to take it over, torch's mean is over all of them.
def _gap(activation: Tensor) -> Tensor:
    return activation.flatten(2).mean(2, dtype=torch.float32) if activation.ndim > 2 else activation


def _tokens_mean(activation: Tensor) -> Tensor:
    return activation.flatten(1, -2).mean(1, dtype=torch.float32) if activation.ndim > 2 else activation


def _first(activation: Tensor) -> Tensor:
    return activation[:, 0]


def _last(activation: Tensor) -> Tensor:
    return activation[:, -1]


_KINDS = {
    "flatten": _Kind(_flatten),
    "gap": _Kind(_gap, feature_axis=1),
    "tokens-mean": _Kind(_tokens_mean, feature_axis=-1),
    "cls": _Kind(_first, feature_axis=-1, dimensions=3),
    "last": _Kind(_last, feature_axis=-1, dimensions=3),
}
_NAMES = (*_KINDS, "projection-K")


def _called(function: Reduce, activation: Tensor) -> Tensor:
    return function(activation.float())


def _name(function: Reduce) -> str:
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def _check(chosen: Any) -> None:
    if chosen is None or (callable(chosen) and not isinstance(chosen, str)):
        return
    if not isinstance(chosen, str) or (chosen not in _KINDS and not re.fullmatch(r"projection-[1-9][0-9]*", chosen)):
        near = near_names(chosen, _NAMES) if isinstance(chosen, str) else ""
        raise InputError(
            f"{chosen!r} is no reduction; it is one of {', '.join(map(repr, _NAMES))} (K a whole number from 1), "
            f"a callable, or a mapping from sites to these{near}"
        )


def _chosen(asked: Asked, site: str) -> Any:
    if not isinstance(asked, Mapping):
        return asked
    if site in asked:
        return asked[site]
    return next((value for pattern, value in asked.items() if glob(pattern).fullmatch(site)), None)
