"""Tables I to III: error, weights and activations of the same trainings, each method against the baseline.

All three are made from one set of runs: asked for one after the other in one folder, the trainings are done once.
Divergences have direction but no size in the paper's claims: its tables mix those of a divergence with those of its
root (docs/errata.md), so that no printed difference is in a known unit.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from infoplane.experiments.reproduce.arm_table import divergence_table, value_table
from infoplane.experiments.reproduce.arms import train_arms
from infoplane.experiments.reproduce.claims import PaperClaim
from infoplane.experiments.reproduce.columns import COLUMNS, READINGS, Column, chosen_columns
from infoplane.experiments.reproduce.experiment import Experiment, Request, Scale
from infoplane.experiments.reproduce.judging import judged, statements
from infoplane.experiments.reproduce.outcome import Reproduction, Table
from infoplane.experiments.reproduce.scaling_table import scaling_tables
from infoplane.training.presets import PRESETS

USUAL = {"smoke": ("mlp/digits",), "small": ("mlp/mnist",), "full": ("mlp/mnist",)}
_METRIC = {1: "error", 2: "jsd_weights", 3: "jsd_activations"}
_WHAT = {1: "the classification error", 2: "the divergence of the weights", 3: "the divergence of the activations"}
_TITLE = {
    1: "Classification error [%] at the last epoch, mean ± sd over seeds",
    2: "Weights: divergence of the positive ones, pooled, from their log-normal fit, mean ± sd over seeds",
    3: "Activations on the test set, of all sites pooled: the same, and the share of exact zeros",
}


def claims_of(number: int, column: Column) -> tuple[PaperClaim, ...]:
    """Return one claim per cell of a column: every method against the baseline, as the table prints the two."""
    printed = column.printed(number)
    claims = []
    for method in column.methods:
        of = "synscaw" if method.startswith("synscaw-") else method  # other readings of one row
        if method == "baseline" or of not in printed:
            continue
        pair = (printed["baseline"], printed[of])
        direction = None if pair[0] == pair[1] else "lower" if pair[1] < pair[0] else "higher"
        way = "leaves as it is" if direction is None else "lowers" if direction == "lower" else "raises"
        claims.append(
            PaperClaim(
                text=f"{method} {way} {_WHAT[number]} ({column.name})",
                where=f"Table {'I' * number}",
                first=column.arm("baseline"),
                second=column.arm(method),
                metric=_METRIC[number],
                printed=pair,
                unit="%" if number == 1 else "",
                direction=direction,
            )
        )
    return tuple(claims)


def work(number: int, request: Request) -> Reproduction:
    """Do Table `number`."""
    columns = chosen_columns(request, USUAL)
    notes: list[str] = []
    failed: list[str] = []
    tables: list[Table] = []
    claims: list[PaperClaim] = []
    files: list[Path] = []
    runs: dict[str, Sequence[Path]] = {}
    said = []
    for column in columns:
        count = request.seeds or column.seeds[request.scale]
        arms = column.arms(request.scale)
        seeds = range(request.seed, request.seed + count)
        trained = train_arms(arms, seeds, request, metric="error", folder=f"{column.network}-{column.data}")
        failed += trained.failed
        runs.update({column.arm(method): paths for method, paths in trained.paths.items()})
        files += [path for paths in trained.paths.values() for path in paths]
        tables.append(_table(number, column, trained.paths))
        claims += claims_of(number, column)
        said.append(f"{column.name}: {setting_of(column, request.scale)}, {count} seed{'s' * (count > 1)}")
        if column.data != column.paper_data:
            notes.append(f"{column.data} is not the paper's {column.paper_data}, whose numbers stand beside it.")
        if readings := [method for method in READINGS if method in trained.paths and method != "label-smoothing"]:
            notes.append(f"{' and '.join(readings)} stand{'s' * (len(readings) == 1)} beside the paper's SynScaW row.")
        if "label-smoothing" in trained.paths:
            notes.append("label-smoothing is described in the paper and has no row in its tables.")
    if number > 1:
        notes.append(
            "The paper does not define its divergence, and its columns are on two scales (docs/errata.md): compare "
            "within a column."
        )
    lengths = dict.fromkeys(length_in_paper(column) for column in columns)
    return Reproduction(
        name=f"table{number}",
        scale=request.scale,
        setting="; ".join(said) + f". The paper: {' and '.join(lengths)}, all images, number of runs not given.",
        statements=statements(judged(claims, runs)),
        tables=(*tables, *(scaling_tables(runs) if number == 1 else ())),
        notes=tuple(dict.fromkeys(notes)),
        failed=tuple(failed),
        files=tuple(files),
    )


def setting_of(column: Column, scale: str) -> str:
    """Return what a column is at a scale, in a few words."""
    its = column.scales[scale]
    if scale == "full":
        return "as in the paper"
    images = f"{its['data.train']:,} training images" if "data.train" in its else "all training images"
    epochs = its["training.epochs"]
    return f"{epochs} epoch{'' if epochs == 1 else 's'}, {images}"


def length_in_paper(column: Column) -> str:
    """Return how long the paper trains the network of a column."""
    training = PRESETS[column.scales["full"]["preset"]]["training"] if "full" in column.scales else {"epochs": 200}
    return f"{training['epochs']} epochs" if "epochs" in training else f"{training['iterations']:,} iterations"


def _table(number: int, column: Column, runs: Mapping[str, Sequence[Path]]) -> Table:
    title = f"{column.name}. {_TITLE[number]}"
    printed = {method: f"{value:g}" for method, value in column.printed(number).items()}
    for method in column.methods:
        if method.startswith("synscaw-"):
            printed[method] = printed.get("synscaw", "-")
    if number == 1:
        return value_table(title, runs, [("error [%]", "error", "")], printed)
    return divergence_table(title, runs, "weights" if number == 2 else "activations", printed)


_TEXT = {
    1: (
        "SynScaW lowers the error on every combination but one, which stays the same",
        "SynScaL lowers the error on all combinations but one",
        "SynScaL + confidence penalty is the best of all on the MNIST MLP",
    ),
    2: (
        "SynScaW gives the smallest divergence of the weights in five of six combinations",
        "SynScaL gives a smaller one than the baseline in two of six (by the table in three)",
    ),
    3: ("SynScaW gives the smallest divergence of the activations in every combination",),
}
_SCALES = {
    "smoke": Scale("a 32-32 network on 500 digits, 2 epochs, 2 seeds, 6 methods", "seconds", "nothing"),
    "small": Scale(
        "784-1024-1024-10 on 10,000 MNIST images, 10 epochs, 5 seeds, 11 methods; resnet32/...: 5,000 images, 5 "
        "epochs, 3 seeds",
        "20 minutes; resnet32/... hours",
        "MNIST, CIFAR-10 or CIFAR-100 of the column",
    ),
    "full": Scale(
        "as in the paper, 10 seeds (resnet50/imagenet: 3)",
        "days; a GPU is advised",
        "MNIST, CIFAR-10, CIFAR-100 or ImageNet of the column",
    ),
}
_ABOUT = {
    1: "classification error of every method",
    2: "divergence of trained weights from a log-normal law",
    3: "divergence of activations from a log-normal law",
}
TABLES = tuple(
    Experiment(
        name=f"table{number}",
        about=_ABOUT[number],
        claims=tuple(PaperClaim(text=text, where="section V") for text in _TEXT[number]),
        scales=_SCALES,
        work=partial(work, number),
        takes=frozenset({"seed", "seeds", "columns", "arms", "jobs", "device", "root", "download"}),
        folder="tables",
        columns=COLUMNS,
    )
    for number in (1, 2, 3)
)
