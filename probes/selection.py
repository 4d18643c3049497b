"""Choosing sites: from names, globs, regular expressions, classes, predicates or aliases to places in a network.

A string is written ``module[:call][@input][[key]...]``. The module is a name as in ``named_modules()`` or a glob:
``*`` and ``?`` stay within one component of the dotted name, ``**`` crosses dots. ``:1`` is the second call in one
forward, ``@input`` what the module is given instead of what it returns, and ``[key]`` leads to one tensor of several:
``lstm[1][0]``, ``encoder[last_hidden_state]``, ``attn@input[0]``.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from torch import nn

from infoplane.analysis.errors import near_names, whole_number
from infoplane.probes.errors import SiteError
from infoplane.probes.names import all_names, module_names
from infoplane.probes.places import Path, Place, Side, written

Choice = str | re.Pattern[str] | type[nn.Module] | Callable[[str, nn.Module], bool]
Sites = Choice | Sequence[Choice] | Mapping[str, str] | None

_SUFFIX = re.compile(r"(?P<module>.*?)(:(?P<call>\d+))?(?P<input>@input)?(?P<path>(\[[^\[\]]+\])*)", re.DOTALL)
_ACCEPTED = (
    "a name or a glob, a compiled regular expression, a class of modules, a function (name, module) -> bool, "
    "or a list of these"
)


def select_sites(model: nn.Module, sites: Sites = None, *, limit: int = 32) -> tuple[Place, ...]:
    """Return the places in `model` that `sites` chooses.

    Parameters
    ----------
    model : torch.nn.Module
        Any network, wrapped by torch.compile, DataParallel or DistributedDataParallel or not.
    sites : str, re.Pattern, class, callable, sequence of these, mapping of str to str, or None
        A string in the grammar above. A regular expression, which must match a whole name. A class: every instance of
        it. A function of name and module that says which. Or several of these. A mapping gives an alias to each
        string, which then chooses one place. None chooses every leaf, see `is_leaf`.
    limit : int
        The most leaves that None may choose.

    Returns
    -------
    tuple of Place
        In the order of ``named_modules()``, of one module the input before the output; each place once, a module
        under the first of its names.

    Raises
    ------
    SiteError
        When a name is unknown, a choice matches nothing, nothing is chosen, None chooses more than `limit`, an alias
        is given twice or to several places, or two places have one label.
    InputError
        When `limit` is no positive whole number.
    """
    limit, network = whole_number("limit", limit, least=1), _Network(model)
    if not network.modules:
        raise SiteError(
            f"this network is a single {type(model).__name__} without modules inside: put it into a "
            "torch.nn.Sequential to observe it"
        )
    if sites is None:
        chosen = _leaves(network, limit)
    elif isinstance(sites, Mapping):
        chosen = [_aliased(network, asked, alias) for asked, alias in sites.items()]
    elif isinstance(sites, Sequence) and not isinstance(sites, str):
        chosen = [place for asked in sites for place in _places(network, asked)]
    else:
        chosen = list(_places(network, sites))
    if not chosen:
        raise SiteError("no site was asked for: give at least one name or glob of a module, or None for all leaves")
    return _ordered(network, chosen)


def is_leaf(name: str, module: nn.Module) -> bool:
    """Return whether a module computes by itself: it has a forward and no modules inside but parametrizations.

    As ``sites=is_leaf`` it chooses all leaves of a network, however many.
    """
    has_forward = type(module).forward is not nn.Module.forward
    inside = {child for child, _ in module.named_children()}
    return has_forward and "parametrizations" not in name.split(".") and inside <= {"parametrizations"}


class _Network:
    """The modules of one network by their names, and how one of them may be spelled."""

    def __init__(self, model: nn.Module) -> None:
        self.modules = module_names(model)
        first = {id(module): name for name, module in self.modules.items()}
        self.first_name = {name: first[id(module)] for name, module in all_names(model) if name}

    def matching(self, matches: Callable[[str], object]) -> list[str]:
        """Return the first names of the modules one of whose names matches."""
        return list(dict.fromkeys(first for name, first in self.first_name.items() if matches(name)))

    def listing(self, limit: int = 12) -> str:
        more = f" and {len(self.modules) - limit} more" if len(self.modules) > limit else ""
        return f"; it has {', '.join(map(repr, islice(self.modules, limit)))}{more}"


@dataclass(frozen=True)
class _Spelled:
    """A string, taken apart."""

    module: str
    call: int | None = None
    side: Side = "output"
    path: Path = ()


def _places(network: _Network, asked: object) -> Iterator[Place]:
    """Yield the places that one choice chooses; SiteError where it chooses none."""
    spelled, is_name = _Spelled(""), False
    if isinstance(asked, str):
        spelled = _Spelled(asked) if asked in network.first_name else _taken_apart(asked)
        is_name = not _is_glob(spelled.module)
        names = _spelled_names(network, spelled.module, asked)
    elif isinstance(asked, re.Pattern):
        names = network.matching(asked.fullmatch)
        if not names:
            raise SiteError(f"the regular expression {asked.pattern!r} matches no whole name{network.listing()}")
    elif isinstance(asked, type) and issubclass(asked, nn.Module):
        names = [name for name, module in network.modules.items() if isinstance(module, asked)]
        if not names:
            there = ", ".join(sorted({type(module).__name__ for module in network.modules.values()}))
            raise SiteError(f"this network has no {asked.__name__}; its modules are of the classes {there}")
    elif isinstance(asked, nn.Module):
        name = next((name for name, module in network.modules.items() if module is asked), None)
        advice = f"; this one is called {name!r}" if name else ", and this one is not in the network"
        raise SiteError(f"a site is chosen by its name, not by the module itself{advice}")
    elif callable(asked) and not isinstance(asked, type):
        names = [name for name, module in network.modules.items() if asked(name, module)]
        if not names:
            raise SiteError(
                f"the function {getattr(asked, '__name__', asked)!r} chose none of the modules{network.listing()}"
            )
    else:
        raise SiteError(f"a site is not chosen by {asked!r}, but by {_ACCEPTED}")
    for name in names:
        label = written(name, call=spelled.call, side=spelled.side, path=spelled.path)
        yield Place(label, name, network.modules[name], spelled.side, spelled.call, spelled.path, is_name)


def _taken_apart(text: str) -> _Spelled:
    found = _SUFFIX.fullmatch(text)
    assert found is not None  # each of its groups may be empty
    keys = re.findall(r"\[([^\[\]]+)\]", found["path"])
    return _Spelled(
        module=found["module"],
        call=None if found["call"] is None else int(found["call"]),
        side="input" if found["input"] else "output",
        path=tuple(int(key) if re.fullmatch(r"-?\d+", key) else key for key in keys),
    )


def _spelled_names(network: _Network, wanted: str, asked: str) -> list[str]:
    """Return the first names of the modules that a name or a glob chooses, wrappers in its spelling or not."""
    for spelling in _without_wrappers(wanted):
        if _is_glob(spelling):
            names = network.matching(glob(spelling).fullmatch)
        else:
            names = [network.first_name[spelling]] if spelling in network.first_name else []
        if names:
            return names
    if _is_glob(wanted):
        raise SiteError(f"the glob {asked!r} matches no module of this network{network.listing()}")
    stem = re.split(r"[:@\[]", wanted)[0]
    hint = near_names(stem, network.first_name) or network.listing()
    if stem != wanted:
        hint += " (a name may be followed by ':call', '@input' and '[key]', in this order)"
    raise SiteError(f"this network has no module named {wanted!r}{hint}")


def _without_wrappers(wanted: str) -> Iterator[str]:
    yield wanted
    parts = [part for part in wanted.split(".") if part != "_orig_mod"]
    yield ".".join(parts)
    yield ".".join(parts[1:] if parts[:1] == ["module"] else parts)
    yield ".".join(part for part in parts if part != "module")


def _is_glob(text: str) -> bool:
    return "*" in text or "?" in text


def glob(pattern: str) -> re.Pattern[str]:
    """Return what matches a glob: ``*`` and ``?`` stay within one component of a dotted name, ``**`` crosses dots."""
    special = {"**": ".*", "*": "[^.]*", "?": "[^.]"}
    return re.compile("".join(special.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*|\?)", pattern)))


def _leaves(network: _Network, limit: int) -> list[Place]:
    leaves = [Place(n, n, m, named=False) for n, m in network.modules.items() if is_leaf(n, m)]
    if len(leaves) > limit:
        (common, count), *_ = Counter(type(place.module).__name__ for place in leaves).most_common(1)
        outermost = len(network.matching(glob("*").fullmatch))
        raise SiteError(
            f"this network has {len(leaves)} leaf modules, more than the limit of {limit}: choose fewer by sites=, "
            f"such as '*' (its {outermost} outermost modules), another glob, names, or a class ({common}: {count} of "
            "them); or take them all by sites=infoplane.probes.selection.is_leaf"
        )
    return leaves


def _aliased(network: _Network, asked: object, alias: object) -> Place:
    if not isinstance(asked, str) or not isinstance(alias, str) or not alias:
        raise SiteError(
            f"{asked!r}: {alias!r} gives no alias; a mapping of sites is {{name: alias}}, both of them text"
        )
    places = list(_places(network, asked))
    if len(places) > 1:
        names = ", ".join(repr(place.name) for place in places[:3])
        raise SiteError(
            f"the alias {alias!r} is for one site, but {asked!r} matches {len(places)}: {names}"
            f"{', ...' if len(places) > 3 else ''}"
        )
    return replace(places[0], name=alias, named=True)


def _ordered(network: _Network, chosen: Sequence[Place]) -> tuple[Place, ...]:
    """Return each place once, in the network's order; SiteError for two labels of one place, two places of one."""
    once: dict[tuple[object, ...], Place] = {}
    for place in chosen:
        key = (place.module_name, place.side, place.call, place.path)
        before = once.setdefault(key, place)
        if before.name != place.name:
            raise SiteError(f"one site is given two aliases, {before.name!r} and {place.name!r}; give it one")
        once[key] = replace(before, named=before.named or place.named)
    for place in list(once.values()):
        every_call = (place.module_name, place.side, None, place.path)
        spelled = written(place.module_name, call=place.call, side=place.side, path=place.path)
        if place.call is not None and place.name == spelled and every_call in once:
            # Where the module is asked for as a whole, each of its calls becomes a site of its own anyway.
            del once[(place.module_name, place.side, place.call, place.path)]
    shared = [label for label, count in Counter(place.name for place in once.values()).items() if count > 1]
    if shared:
        where = " and ".join(repr(place.module_name) for place in once.values() if place.name == shared[0])
        raise SiteError(f"{where} both have the label {shared[0]!r}; give each an alias of its own: {{name: alias}}")
    position = {name: k for k, name in enumerate(network.modules)}
    return tuple(
        sorted(
            once.values(), key=lambda p: (position[p.module_name], p.side == "output", -1 if p.call is None else p.call)
        )
    )
