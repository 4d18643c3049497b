"""The parameters of a method, out of the sections ``[scaling]`` and ``[regularizers]`` that methods share.

A parameter that the method has not is refused, unless it has its default value: a file may spell out every default.
Many methods compared in one sweep share one file, and there a rate is right for some of them and means nothing to
others: `own_parameters` gives each its share, so that no run file names a rate which has not acted.
"""

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

from torch import nn
from torch.nn.utils import skip_init

from infoplane.analysis.errors import InputError, near_names, one_of, whole_number
from infoplane.regularizers.confidence_penalty import ConfidencePenalty
from infoplane.regularizers.dropout import check_probability
from infoplane.regularizers.label_smoothing import LabelSmoothing
from infoplane.regularizers.named_function import with_functions
from infoplane.regularizers.table import METHODS, Part
from infoplane.regularizers.vib import check_beta
from infoplane.scaling.synscaw import SynScaW

Parameters = Mapping[str, Any]
_SECTIONS = {"scaling": "scaling", "regularizers": "regularizer"}


def own_parameters(
    method: str, *, scaling: Parameters | None = None, regularizers: Parameters | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return of the parameters given those that `method` has, without the others.

    Parameters
    ----------
    method : str
        Names joined by ``+``.
    scaling, regularizers : mapping, optional
        Name to value, as in the two sections.

    Returns
    -------
    tuple of dict
        For `scaling` and for `regularizers`, what `infoplane.regularizers.parse_method` takes.

    Raises
    ------
    InputError
        A name belongs to no method at all, or the method is unknown.
    """
    parts = split_names(method)
    return (
        _section("scaling", scaling, parts, keep_foreign=False),
        _section("regularizers", regularizers, parts, keep_foreign=False),
    )


def checked_parameters(
    parts: tuple[Part, ...], *, scaling: Parameters | None, regularizers: Parameters | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters given, without those left at None, all of them checked.

    Raises
    ------
    InputError
        A name is unknown or belongs to another method, or a value is out of range.
    """
    of_scaling = _section("scaling", scaling, parts, keep_foreign=True)
    of_regularizers = _section("regularizers", regularizers, parts, keep_foreign=True)
    for part in parts:
        if part.kind == "scaling":
            _check_scaling(part, of_scaling)
    for name, value in of_regularizers.items():
        _check_regularizer(name, value)
    return of_scaling, of_regularizers


def split_names(method: str) -> tuple[Part, ...]:
    """Return the parts that `method` names, in the order of `METHODS`' table with the scaling first.

    Raises
    ------
    InputError
        A name is unknown or given twice, there are two scalings, or ``baseline`` is combined.
    """
    if not isinstance(method, str):
        raise InputError(f"method is {method!r}, but it is a name such as 'synscaw+confidence-penalty'")
    names = [name.strip() for name in method.split("+")]
    for name in names:
        one_of("method" if len(names) == 1 else f"a part of method {method!r}", name, METHODS)
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"method {method!r} names {twice!r} twice")
    if "baseline" in names and len(names) > 1:
        raise InputError(f"method {method!r} combines 'baseline', which adds nothing, with others; leave it out")
    scalings = [name for name in names if METHODS[name].kind == "scaling"]
    if len(scalings) > 1:
        raise InputError(
            f"method {method!r} has {' and '.join(map(repr, scalings))}, but one scaling at most is possible"
        )
    parts = [part for part in METHODS.values() if part.name in names]
    return tuple(sorted(parts, key=lambda part: part.kind != "scaling"))


def _section(name: str, given: Parameters | None, parts: tuple[Part, ...], *, keep_foreign: bool) -> dict[str, Any]:
    if given is not None and not isinstance(given, Mapping):
        raise InputError(f"{name} is {given!r}, but it is a mapping of parameters to values")
    known = {key: part for part in METHODS.values() if part.kind == _SECTIONS[name] for key in part.parameters}
    own = {key for part in parts if part.kind == _SECTIONS[name] for key in part.parameters}
    result = {}
    for key, value in (given or {}).items():
        if key not in known:
            hint = "; it is called rate here" if key == "gamma" else near_names(str(key), known)
            raise InputError(f"there is no parameter {name}.{key}{hint or '; known are ' + ', '.join(known)}")
        if key in own:
            if value is not None:
                result[key] = value
        elif keep_foreign and value is not None and value != known[key].parameters[key]:
            raise InputError(f"{name}.{key} is {value!r}, but {_lacks(name, key, parts)}")
    return result


def _lacks(section: str, key: str, parts: tuple[Part, ...]) -> str:
    """Return why a method cannot take a parameter."""
    method = "+".join(part.name for part in parts)
    if section == "regularizers":
        return f"method {method!r} does not have {_owner(key)!r}, whose parameter it is"
    scaling = next((part for part in parts if part.kind == "scaling"), None)
    if scaling is None:
        return f"method {method!r} scales nothing"
    return f"{scaling.name!r} has no such parameter: it takes {', '.join(scaling.parameters)}"


def _owner(key: str) -> str:
    return next(part.name for part in METHODS.values() if key in part.parameters)


def _check_scaling(part: Part, given: dict[str, Any]) -> None:
    rate = given.get("rate", 0.0)
    if isinstance(rate, bool) or not isinstance(rate, Real) or not math.isfinite(rate) or rate < 0:
        raise InputError(f"scaling.rate is {rate!r}; accepted: a finite number >= 0")
    if part.is_synscaw:
        # Its own checks, on a network of one weight; what names layers waits for the network itself.
        layer = skip_init(nn.Linear, 1, 1, device="cpu")
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
        options = with_functions(given)
        values = {
            key: value
            for key, value in options.items()
            if key not in ("rate", "layers") and not (key == "activation" and isinstance(value, Mapping))
        }
        try:
            SynScaW(nn.Sequential(layer, nn.ReLU()), preset=part.variant, **values).close()
        except (InputError, TypeError) as error:
            raise InputError(f"in [scaling], {error}") from error


def _check_regularizer(key: str, value: Any) -> None:
    name = f"regularizers.{key}"
    if key.startswith("dropout"):
        check_probability(name, value)
    elif key == "vib_latent":
        whole_number(name, value, least=1)
    elif key == "vib_beta":
        check_beta(name, value)
    else:
        try:
            LabelSmoothing(value) if key == "smoothing" else ConfidencePenalty(value)
        except InputError as error:
            raise InputError(f"in [regularizers], {error}") from error
