"""Table V: classification and regression on small data sets, and on sequences; appendix VII-B.

Trained as the appendix says: its preset, ten folds where a set has no test part of its own, seed k with fold k. Folds
share nine tenths of their training inputs with one another, so that their differences are no independent sample: no
estimate of their variance is unbiased (Bengio and Grandvalet, JMLR 5, 2004), and an interval over them is too narrow
rather than too wide. For real labels the error is 1 - R², which the paper's mean absolute error is not: only its
direction is a claim.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infoplane.analysis.errors import one_of
from infoplane.errors import DatasetError
from infoplane.experiments import paper
from infoplane.experiments.reproduce.arm_table import value_table
from infoplane.experiments.reproduce.arms import PLAIN, Arm, train_arms
from infoplane.experiments.reproduce.claims import PaperClaim
from infoplane.experiments.reproduce.experiment import Experiment, Request, Scale
from infoplane.experiments.reproduce.judging import judged, statements
from infoplane.experiments.reproduce.outcome import Reproduction, Table

FOLDS = 10
CLASSES = ("baseline", "dropout", "confidence-penalty", "synscaw", "synscal")
NUMBERS = ("baseline", "dropout", "synscaw", "synscal-regression")
USUAL = {"smoke": ("iris",), "small": ("iris", "diabetes"), "full": ("iris", "diabetes")}


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the table.

    Attributes
    ----------
    data, network : str
        By our names.
    numbers : bool
        Whether labels are real numbers.
    folds : bool
        Whether it has no test part of its own.
    rows : tuple of str
        Its names in the printed table; two for the two labels of one set.
    """

    data: str
    network: str = "leaky-mlp"
    numbers: bool = False
    folds: bool = True
    rows: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As the command has it."""
        return self.data if self.network in ("leaky-mlp", "frequency-net") else f"{self.data}-{self.network}"

    @property
    def methods(self) -> tuple[str, ...]:
        """Which are run: a confidence penalty is for classes."""
        return NUMBERS if self.numbers else CLASSES

    def arms(self, scale: str) -> tuple[Arm, ...]:
        """Return one arm per method."""
        base = {"preset": "appendix", **PLAIN, "data.name": self.data, "model.name": self.network}
        if self.numbers:
            base["training.class_weights"] = False
        if scale == "smoke":
            base |= {"training.epochs": 2, "model.hidden": (16, 16)}
        of_seed = fold_of if self.folds else None
        return tuple(Arm(name=one, settings={**base, "method": one}, of_seed=of_seed) for one in self.methods)

    def printed(self) -> dict[str, tuple[float, ...]]:
        """Return what the table prints of every method: accuracy in per cent, or the paper's mean absolute error."""
        table = paper.table(5)
        here = table[(table["network"] == self.network) & table["data"].isin(self.rows or (self.data,))]
        found: dict[str, tuple[float, ...]] = {}
        for method, value in zip(here["method"], here["value"], strict=True):
            own = "synscal-regression" if self.numbers and method == "synscal" else method
            found[own] = (*found.get(own, ()), float(value))
        return found

    def claims(self) -> tuple[PaperClaim, ...]:
        """Return one claim per method; of two labels in one network only where both rows say the same."""
        printed = self.printed()
        found = []
        for method in self.methods[1:]:
            before, after = printed["baseline"], printed[method]
            pairs = [
                (b, a) if self.numbers else (round(100 - b, 2), round(100 - a, 2))
                for b, a in zip(before, after, strict=True)
            ]
            ways = {(a > b) - (a < b) for b, a in pairs}
            if len(ways) > 1:
                continue
            way = ways.pop()
            direction = {0: None, -1: "lower", 1: "higher"}[way]
            verb = {0: "leaves as it is", -1: "lowers", 1: "raises"}[way]
            found.append(
                PaperClaim(
                    text=f"{method} {verb} the error ({self.name})",
                    where="Table V",
                    first=f"{self.name}: baseline",
                    second=f"{self.name}: {method}",
                    metric="error",
                    printed=pairs[0],
                    unit="" if self.numbers else "%",
                    direction=direction,
                    folds=self.folds,
                )
            )
        return tuple(found)


def fold_of(seed: int) -> Mapping[str, Any]:
    """Return the fold of a seed: ten seeds take those of one partition, the next ten those of another."""
    return {"data.fold": f"{seed % FOLDS + 1}/{FOLDS}", "data.split_seed": seed // FOLDS}


_ALL = (
    Row(data="thyroid", folds=False),
    Row(data="epileptic-seizure", network="frequency-net", folds=False),
    Row(data="uci-breast-cancer"),
    Row(data="uci-breast-cancer-wisconsin"),
    Row(data="iris"),
    Row(data="mesothelioma"),
    Row(data="uci-parkinson", numbers=True, rows=("uci-parkinson motor", "uci-parkinson total")),
    Row(data="uci-red-wine", numbers=True),
    Row(data="uci-white-wine", numbers=True),
    Row(data="diabetes", numbers=True),
    Row(data="uci-abalone", numbers=True),
    Row(data="life-expectancy", numbers=True),
    Row(data="imdb", network="gru", folds=False),
    Row(data="imdb", network="lstm", folds=False),
    Row(data="sequential-mnist", network="gru", folds=False),
    Row(data="sequential-mnist", network="lstm", folds=False),
)
ROWS: Mapping[str, Row] = {row.name: row for row in _ALL}


def work(request: Request) -> Reproduction:
    """Do the experiment."""
    names = request.columns or USUAL[request.scale]
    names = tuple(ROWS) if names == ("all",) else tuple(dict.fromkeys(names))
    for name in names:
        one_of("column", name, ROWS)
    count = request.seeds or (2 if request.scale == "smoke" else FOLDS)
    seeds = range(request.seed, request.seed + count)
    tables: list[Table] = []
    notes: list[str] = []
    failed: list[str] = []
    files: list[Path] = []
    claims: list[PaperClaim] = []
    runs: dict[str, tuple[Path, ...]] = {}
    for name in names:
        row = ROWS[name]
        try:
            trained = train_arms(row.arms(request.scale), seeds, request, metric="error", folder=name)
        except DatasetError as error:
            if len(names) == 1:
                raise
            notes.append(f"{name} was not run: {error}")
            continue
        failed += trained.failed
        files += [path for paths in trained.paths.values() for path in paths]
        what = "1 - R², of" if row.numbers else "error of"
        over = "folds" if row.folds else "seeds"
        quantity = "mean absolute error" if row.numbers else "accuracy [%]"
        printed = {method: " / ".join(f"{v:g}" for v in values) for method, values in row.printed().items()}
        tables.append(
            value_table(
                f"{name}: {what} the last epoch in %, mean ± sd over {over}; paper: {quantity}",
                trained.paths,
                [("error [%]", "error", "")],
                printed,
            )
        )
        claims += row.claims()
        runs |= {f"{name}: {method}": paths for method, paths in trained.paths.items()}
    return Reproduction(
        name="table5",
        scale=request.scale,
        setting=f"{', '.join(names)}; {_WITH[request.scale]}; {count} folds or seeds.",
        statements=statements(judged(claims, runs)),
        tables=tuple(tables),
        notes=(*notes, *((_FOLDS,) * any(ROWS[name].folds for name in names)), *_NOTES),
        failed=tuple(failed),
        files=tuple(files),
    )


_AS_IN_PAPER = "the appendix's networks, epochs and methods"
_WITH = {"smoke": "16-16 hidden neurons, 2 epochs", "small": _AS_IN_PAPER, "full": _AS_IN_PAPER}
_FOLDS = "Folds share most of their training inputs, so that an interval over them is too narrow."
_NOTES = (
    "The paper gives the best epoch's result, chosen on the test part; here it is the last epoch's.",
    "SynScaW scales dense layers and convolutions; recurrent weights only where its parameter layers names them.",
)
TABLE5 = Experiment(
    name="table5",
    about="small data sets and sequences, by the appendix",
    claims=(
        PaperClaim(text="SynScaW is better than the baseline on all data sets", where="appendix VII-B"),
        PaperClaim(text="SynScaL is better than the baseline on all classification tasks", where="appendix VII-B"),
    ),
    scales={
        "smoke": Scale("iris, 16-16 hidden neurons, 2 epochs, 2 folds", "seconds"),
        "small": Scale("iris and diabetes as in the paper: 10 folds, 100 epochs", "some minutes"),
        "full": Scale("the same; every other row with --column", "minutes to days", "the data sets of the columns"),
    },
    work=work,
    takes=frozenset({"seed", "seeds", "columns", "arms", "jobs", "device", "root", "download"}),
    columns=ROWS,
)
