"""The columns of Tables I to III: a network on a data set, its settings at each scale, and the methods that are run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infoplane.errors import InputError
from infoplane.experiments import paper
from infoplane.experiments.reproduce.arms import PLAIN, Arm
from infoplane.experiments.reproduce.experiment import Request

METHODS = (
    "baseline",
    "dropout",
    "confidence-penalty",
    "vib",
    "synscaw",
    "synscal",
    "synscaw+confidence-penalty",
    "synscal+confidence-penalty",
)
"""The rows of the paper's tables, in its order."""
READINGS = ("label-smoothing", "synscaw-official", "synscaw-stable")
"""Beside them: what the paper describes and does not tabulate, and other readings of SynScaW."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A network on a data set.

    Attributes
    ----------
    network, data : str
        By our names.
    paper_data : str
        The data set in the paper's tables; another one's numbers stand beside a stand-in.
    scales : mapping of str to mapping
        Settings at each scale that there is, by dotted name.
    methods : tuple of str
        Which are run.
    seeds : mapping of str to int
        How many at each scale; the paper gives no number for its tables.
    """

    network: str
    data: str
    paper_data: str
    scales: Mapping[str, Mapping[str, Any]]
    methods: tuple[str, ...]
    seeds: Mapping[str, int]

    @property
    def name(self) -> str:
        """As the command has it: ``mlp/mnist``."""
        return f"{self.network}/{self.data}"

    def arms(self, scale: str) -> tuple[Arm, ...]:
        """Return one arm per method."""
        base = {**PLAIN, **self.scales[scale], "data.name": self.data}
        return tuple(Arm(name=method, settings={**base, "method": method}) for method in self.methods)

    def arm(self, method: str) -> str:
        """Return the name of a method's arm beside those of other columns."""
        return f"{method} {self.name}"

    def printed(self, number: int) -> dict[str, float]:
        """Return the numbers of one of the paper's tables in this column, by method."""
        table = paper.table(number)
        here = table[(table["network"] == self.network) & (table["data"] == self.paper_data)]
        return dict(zip(here["method"], here["value"], strict=True))


def chosen_columns(request: Request, usual: Mapping[str, Sequence[str]]) -> tuple[Column, ...]:
    """Return the columns that are asked for, or the usual ones of the scale.

    Raises
    ------
    InputError
        When there is none of a name, or it has no such scale.
    """
    from infoplane.analysis.errors import one_of

    names = request.columns or tuple(usual[request.scale])
    if names == ("all",):
        names = tuple(name for name, column in COLUMNS.items() if request.scale in column.scales and name in _PAPER)
    for name in names:
        one_of("column", name, COLUMNS)
        if request.scale not in (scales := COLUMNS[name].scales):
            raise InputError(f"column {name!r} has no scale {request.scale!r}; it has {', '.join(scales)}")
    return tuple(COLUMNS[name] for name in dict.fromkeys(names))


_SMOKE = {"training.epochs": 2, "training.batch_size": 50, "data.train": 500, "optimizer.learning_rate": 5e-3}
_SMALL = {"training.epochs": 10, "data.train": 10_000}
_LITTLE = {"training.epochs": 5, "data.train": 5000}
_SEEDS = {"smoke": 2, "small": 5, "full": 10}
_NO_DROPOUT = tuple(method for method in METHODS if method != "dropout")  # as in the paper


def _mlp(data: str, paper_data: str = "") -> Column:
    preset = {"preset": "paper-mlp"}
    return Column(
        network="mlp",
        data=data,
        paper_data=paper_data or data,
        scales={"smoke": {**preset, **_SMOKE, "model.hidden": (32, 32)}, "small": {**preset, **_SMALL}, "full": preset},
        methods=(*METHODS[:2], READINGS[0], *METHODS[2:5], *READINGS[1:], *METHODS[5:]),
        seeds=_SEEDS,
    )


def _resnet32(data: str, paper_data: str = "") -> Column:
    preset = {"preset": "paper-resnet32"}
    return Column(
        network="resnet32",
        data=data,
        paper_data=paper_data or data,
        # Not smoke: the test part alone, which is never cut, takes a minute for every method.
        scales={"small": {**preset, **_LITTLE}, "full": preset},
        methods=_NO_DROPOUT,
        seeds={"small": 3, "full": 10},
    )


_ALL = (
    _mlp("mnist"),
    _mlp("cifar10"),
    _mlp("cifar100"),
    _resnet32("mnist"),
    _resnet32("cifar10"),
    _resnet32("cifar100"),
    Column(
        network="resnet50",
        data="imagenet",
        paper_data="imagenet",
        scales={"full": {"preset": "paper-resnet50", "data.augment": True}},
        methods=("baseline", "synscaw", "synscal"),
        seeds={"full": 3},
    ),
    Column(
        network="mlp",
        data="digits",
        paper_data="mnist",
        scales={"smoke": {**_SMOKE, "model.hidden": (32, 32)}},
        methods=("baseline", "dropout", "vib", "synscaw", "synscaw-stable", "synscal+confidence-penalty"),
        seeds=_SEEDS,
    ),
    _mlp("cifar10-jpeg", "cifar10"),
    _resnet32("cifar10-jpeg", "cifar10"),
)
COLUMNS: Mapping[str, Column] = {column.name: column for column in _ALL}
"""The paper's seven columns, the digits for ``smoke``, and CIFAR-10 compressed as JPEG beside the paper's CIFAR-10."""
_PAPER = tuple(column.name for column in _ALL[:7])
