"""`Settings`: everything that a training depends on, nested as in its TOML file, checked when it is made."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Self, get_type_hints

from infoplane.analysis.errors import near_names, whole_number
from infoplane.errors import InputError
from infoplane.regularizers import parse_method
from infoplane.training.fields import flat, plain, typed
from infoplane.training.sections import (
    DataSettings,
    ModelSettings,
    OptimizerSettings,
    ProbeSettings,
    TrainingSettings,
)

HIDDEN: Mapping[str, tuple[int, ...]] = {
    "digits": (64, 64),
    "mnist": (1024, 1024),
    "szt12": (10, 7, 5, 4, 3),
    "szt12-mat": (10, 7, 5, 4, 3),
}
"""The hidden layers of an ``mlp`` by data set, where nothing is said."""
EPOCHS = 20
"""Where nothing is said."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that a training depends on; kept in its run file and in its checkpoint.

    Attributes
    ----------
    method : str
        ``baseline``, or names of docs/methods.md joined by ``+``, such as ``synscaw+confidence-penalty``.
    seed : int
        Of weights, batches, dropout, probes and scaling.
    data, model, optimizer, training, probes
        The sections; see `infoplane.training.sections`.
    scaling, regularizers : dict
        Parameters of the method's scaling and of its regularizers, such as ``{"rate": 0.03}``; what is not given is the
        method's own.

    Raises
    ------
    InputError
        When a value cannot be used, with its name, the reason, and what is accepted.
    """

    method: str = "baseline"
    seed: int = 0
    data: DataSettings = field(default_factory=DataSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    scaling: dict[str, Any] = field(default_factory=dict)
    regularizers: dict[str, Any] = field(default_factory=dict)
    probes: ProbeSettings = field(default_factory=ProbeSettings)

    def __post_init__(self) -> None:
        whole_number("seed", self.seed, least=0, most=2**63 - 1)
        method = parse_method(self.method, scaling=self.scaling, regularizers=self.regularizers)
        if self.probes.mode == "bottleneck" and method.has("vib"):
            _one_beta(self.probes.beta, method.parameters["vib_beta"])
        try:
            json.dumps(_table(self))
        except TypeError as error:
            raise InputError(
                f"settings are kept in files ({error}): a function is named as 'package.module:function'"
            ) from error

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Self:
        """Return the settings that a nested table names, as `configuration` gives it or TOML holds it.

        Parameters
        ----------
        table : mapping
            ``method``, ``seed``, and one table per section. What is missing has its default.

        Raises
        ------
        InputError
            When a name is unknown, with those near it, or a value is of the wrong type or out of range.
        """
        return cls(**{name: _field(cls, name, value) for name, value in table.items()})

    def changed(self, overrides: Mapping[str, Any]) -> Self:
        """Return these settings with some of them changed.

        Parameters
        ----------
        overrides : mapping of str to object
            By dotted name, such as ``{"method": "synscaw", "scaling.rate": "0.03"}``. A text is read by the type of
            what it sets, ``none`` takes a setting back to what is used when nothing is said.

        Raises
        ------
        InputError
            As for `of`.
        """
        return type(self).of(merged(_table(self), overrides))

    @property
    def resolved(self) -> Self:
        """These settings with all said that follows from others: epochs, hidden layers, whether there is a control."""
        model, training, probes = self.model, self.training, self.probes
        if model.name == "mlp" and model.hidden is None and self.data.name in HIDDEN:
            model = replace(model, hidden=HIDDEN[self.data.name])
        if training.epochs is None and training.iterations is None:
            training = replace(training, epochs=EPOCHS)
        if probes.control is None:
            probes = replace(probes, control=probes.is_controlled)
        method = parse_method(self.method, scaling=self.scaling, regularizers=self.regularizers)
        if probes.mode == "bottleneck" and method.has("vib"):
            probes = replace(probes, beta=_one_beta(probes.beta, method.parameters["vib_beta"]))
        return replace(self, model=model, training=training, probes=probes)

    @property
    def configuration(self) -> dict[str, Any]:
        """All of it, resolved, as JSON and TOML have it; what is left out, such as ``data.root``, is absent."""
        return _table(self.resolved)


def _one_beta(of_probes: Any, of_vib: float) -> float:
    """Return the weight of the divergence, which the recording adds to the loss in mode bottleneck."""
    if of_probes not in (ProbeSettings.beta, of_vib):
        raise InputError(
            f"probes.beta is {of_probes} and regularizers.vib_beta is {of_vib}, but in mode 'bottleneck' both are the "
            "weight of the same divergence: give regularizers.vib_beta alone"
        )
    return of_vib


def merged(table: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return a nested table with values by dotted name put into it; see `Settings.changed`.

    Raises
    ------
    InputError
        When a name is unknown or no name of a value.
    """
    result = {name: dict(value) if isinstance(value, Mapping) else value for name, value in table.items()}
    for dotted, value in overrides.items():
        section, _, name = dotted.partition(".")
        kind = _kinds(Settings).get(section)
        if kind is None:
            raise _unknown(dotted, list(_all_names()))
        if bool(name) != _is_section(kind):
            example = f"{section}.name" if _is_section(kind) else section
            raise InputError(f"{dotted!r} is no name of one value; it is written as {example!r}")
        inner = _kinds(kind).get(name, Any) if is_dataclass(kind) else Any
        value = typed(dotted, value, inner, is_text=True) if name or isinstance(value, str) else value
        if name:
            target = result.setdefault(section, {})
            if not isinstance(target, dict):
                raise InputError(f"{section} is {target!r}, but it is a table")
            if value is None or (isinstance(value, str) and value.lower() == "none" and inner is Any):
                target.pop(name, None)
            else:
                target[name] = value
        else:
            result[section] = typed(dotted, value, kind, is_text=True)
    return result


def _field(cls: type, name: str, value: Any) -> Any:
    kind = _kinds(cls).get(name)
    if kind is None:
        raise _unknown(name, list(_kinds(cls)))
    if not _is_section(kind):
        return typed(name, value, kind)
    if not isinstance(value, Mapping):
        raise InputError(f"{name} is {value!r}, but it is a table, in TOML under [{name}]")
    return _section(kind, name, value) if is_dataclass(kind) else dict(value)


def _section(kind: Any, section: str, table: Mapping[str, Any]) -> Any:
    known = _kinds(kind)
    has_options = known.pop("options", None) is not None
    given, options = {}, {}
    for name, value in table.items():
        if name in known:
            given[name] = typed(f"{section}.{name}", value, known[name])
        elif has_options:
            options[name] = value
        else:
            raise _unknown(f"{section}.{name}", [f"{section}.{k}" for k in known])
    return kind(**given, **({"options": options} if has_options else {}))


def _table(settings: Settings) -> dict[str, Any]:
    values = {f.name: getattr(settings, f.name) for f in fields(settings)}
    return {name: flat(value) if is_dataclass(value) else plain(value) for name, value in values.items()}


def _kinds(cls: Any) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {f.name: hints[f.name] for f in fields(cls)}


def _is_section(kind: Any) -> bool:
    return is_dataclass(kind) or getattr(kind, "__origin__", None) is dict


def _all_names() -> Iterator[str]:
    for name, kind in _kinds(Settings).items():
        inner = [k for k in _kinds(kind) if k != "options"] if is_dataclass(kind) else []
        yield from (f"{name}.{k}" for k in inner)
        if not _is_section(kind):
            yield name
        elif not inner:
            yield f"{name}.rate" if name == "scaling" else name


def _unknown(name: str, known: list[str]) -> InputError:
    listed = f"; known are {', '.join(known)}"
    if inside := [full for full in _all_names() if full.endswith(f".{name}")]:
        return InputError(f"there is no setting {name!r}; did you mean {' or '.join(map(repr, inside))}?")
    return InputError(f"there is no setting {name!r}{near_names(name, known) or listed}")
