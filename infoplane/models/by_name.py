"""A network by its name: infoplane's own, one of torchvision's, or what a user wrote.

build("resnet32", shape=(3, 32, 32), classes=10, seed=0)
build("resnet50", shape=(3, 224, 224), classes=1000)
build("my_networks:small", shape=(1, 8, 8), classes=10, width=32)
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from infoplane.analysis.errors import InputError, near_names, whole_number
from infoplane.analysis.importing import MissingLibraryError
from infoplane.models.catalogue import MODELS, Entry, Wanted
from infoplane.models.named_model import named_model
from infoplane.models.vision import stage_ends, vision_model, vision_names
from infoplane.named_object import check_spelling
from infoplane.probes.names import module_names
from infoplane.probes.selection import is_leaf

_MOST_LEAVES = 32  # as record() takes all of them where no site is asked for


def build(
    name: str,
    *,
    shape: Sequence[int],
    classes: int,
    hidden: Sequence[int] | None = None,
    seed: int | None = None,
    vocabulary: int | None = None,
    **options: Any,
) -> nn.Module:
    """Return the network called `name`, new and untrained.

    Parameters
    ----------
    name : str
        One of `MODELS`, a classification network of torchvision, or ``package.module:function``.
    shape : sequence of int
        Of one input, without the batch dimension: ``(784,)``, ``(3, 32, 32)``, ``(steps, features)``.
    classes : int
        Number of classes, or of outputs in a regression.
    hidden : sequence of int, optional
        Widths of the hidden layers, where they can be chosen; the network's own when left out.
    seed : int, optional
        Seed of the initial weights, which are then the same on every device; the global random states are left alone.
        Without it they come from the global states, as in plain PyTorch.
    vocabulary : int, optional
        Number of tokens, padding (token 0) included, where the inputs are tokens.
    **options : object
        Of the network: see ``docs/models.md``.

    Returns
    -------
    torch.nn.Module
        In training mode, on torch's default device; a batch of inputs gives ``(n, classes)``.

    Raises
    ------
    InputError
        The name or an option is unknown, a number is out of range, or the network cannot read such inputs.
    """
    check_model(name)
    wanted = Wanted(
        name=name,
        shape=tuple(whole_number("a number of shape", side, least=1) for side in _numbers("shape", shape)),
        classes=whole_number("classes", classes, least=1),
        hidden=None
        if hidden is None
        else tuple(whole_number("a width of hidden", width, least=1) for width in _numbers("hidden", hidden)),
        seed=None if seed is None else whole_number("seed", seed, least=0, most=2**63 - 1),
        vocabulary=None if vocabulary is None else whole_number("vocabulary", vocabulary, least=2),
    )
    if not wanted.shape:
        raise InputError("shape is empty, but an input has at least one number")
    if ":" in name:
        return named_model(
            name,
            seed=wanted.seed,
            options=options,
            shape=wanted.shape,
            classes=wanted.classes,
            hidden=wanted.hidden,
            vocabulary=wanted.vocabulary,
        )
    entry = MODELS.get(name)
    if wanted.hidden is not None and (entry is None or not entry.hidden):
        raise InputError(f"hidden is {wanted.hidden}, but the widths of the model {name!r} are fixed; leave it out")
    if wanted.vocabulary is not None and (entry is None or not entry.tokens):
        readers = ", ".join(known for known, row in MODELS.items() if row.tokens)
        raise InputError(f"the model {name!r} reads numbers, but these inputs are tokens; {readers} read tokens")
    if entry is None:
        return _allocated(
            name, lambda: vision_model(name, shape=wanted.shape, classes=wanted.classes, seed=wanted.seed, **options)
        )
    _check_options(name, entry, options)
    return _allocated(name, lambda: entry.make(wanted, **options))


def check_model(name: str) -> None:
    """Raise InputError unless `build` knows the name; of ``package.module:function`` only the spelling is looked at."""
    if not isinstance(name, str):
        raise InputError(f"a model is called by text, not by {name!r}")
    if name in MODELS:
        return
    if ":" in name:
        check_spelling(name, "model")
        return
    own = f"accepted: {', '.join(MODELS)}, torchvision's classification networks, and package.module:function"
    try:
        known = vision_names()
    except MissingLibraryError as error:
        text = f"no model {name!r} of infoplane's own{near_names(name, MODELS)}; {own}; {error}"
        raise MissingLibraryError(text) from error
    if name not in known:
        raise InputError(f"no model {name!r}; {own}{near_names(name, [*MODELS, *known])}")


def default_sites(name: str, model: nn.Module | None = None) -> tuple[str, ...] | None:
    """Return what is observed in the network called `name` unless something else is asked for.

    Parameters
    ----------
    name : str
        As in `build`.
    model : torch.nn.Module, optional
        The network. It is needed for one that the user wrote, and for a multilayer perceptron that may have no hidden
        layer.

    Returns
    -------
    tuple of str or None
        For ``ip.record(model, path, sites=...)``. Hidden layers, ends of stages, recurrent layers and what is read of
        them. None for a user's network: all modules without children; its outermost modules where these are more than
        32.

    Raises
    ------
    InputError
        The name is unknown.
    """
    check_model(name)
    if ":" in name:
        leaves = 0 if model is None else sum(is_leaf(*named) for named in module_names(model).items())
        return ("*",) if leaves > _MOST_LEAVES else None
    if name not in MODELS:
        return stage_ends(name)
    sites = MODELS[name].sites
    if (
        model is not None
        and sites == ("hidden*",)
        and not any(n.startswith("hidden") for n, _ in model.named_children())
    ):
        return ("output",) if hasattr(model, "output") else ("head",)
    return sites


def _allocated(name: str, make: Callable[[], nn.Module]) -> nn.Module:
    """Return what `make` makes; InputError where its weights do not fit into the memory."""
    try:
        return make()
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "allocate" not in str(error):
            raise
        raise InputError(f"the weights of the model {name!r} do not fit into the memory: make it smaller") from error


def _numbers(name: str, values: Sequence[int]) -> Sequence[int]:
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise InputError(f"{name} is {values!r}, but it takes several whole numbers, such as (64, 64)")
    return values


def _check_options(name: str, entry: Entry, options: dict[str, Any]) -> None:
    known = [
        key
        for key, parameter in inspect.signature(entry.make).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]
    for option in options:
        if option not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise InputError(f"the model {name!r} has no option {option!r}; {has}{near_names(option, known)}")
