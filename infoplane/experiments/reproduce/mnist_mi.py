"""Section IV-C: I(Z;X), I(Z;Y) and error of an MNIST network with and without SynScaW.

The section says that VIB layers are added to the network and their losses to its loss; its error of 1.17 % is Table I's
of the bottleneck network. So both are run: ``bottleneck``, whose code stands in place of the last hidden representation
and feeds the output, and ``joint``, whose probes stand beside the hidden layers and pull at them. Each without scaling
and with every reading of SynScaW. The numbers of 200 epochs on 60,000 images are not those of less: the rate falls with
training time alone.
"""

from typing import Any

from infoplane.analysis.errors import one_of
from infoplane.experiments.reproduce.arm_table import value_table
from infoplane.experiments.reproduce.arms import Arm, Trained, train_arms
from infoplane.experiments.reproduce.claims import PaperClaim
from infoplane.experiments.reproduce.experiment import Experiment, Request, Scale
from infoplane.experiments.reproduce.judging import judged, statements
from infoplane.experiments.reproduce.outcome import Reproduction
from infoplane.experiments.reproduce.scaling_table import scaling_tables
from infoplane.reports.run_values import sites_of
from infoplane.runfile.reader import open_run

MODES = ("bottleneck", "joint")
SCALINGS = ("synscaw", "synscaw-official", "synscaw-stable")
PRINTED = {"i_zx": (55.99, 28.38), "i_zy": (3.22, 3.19), "error": (1.17, 1.14)}
"""Without and with scaling: bit, bit, per cent."""
SEEDS = {"smoke": 2, "small": 5, "full": 5}
_RECORDED = {
    "probes.neurons": False,
    "probes.gradients": 0,
    "probes.sketch_at": "never",
    "probes.activations": False,
    "probes.weights": False,
}
_SETTINGS: dict[str, dict[str, Any]] = {
    "smoke": {"data.name": "digits", "data.train": 500, "model.hidden": (32, 32), "training.batch_size": 50}
    | {"training.epochs": 1, "probes.latent": 8, "probes.draws": 2, "probes.sandwich": 20, "probes.probe_every": 2}
    | {"optimizer.learning_rate": 5e-3},
    "small": {"preset": "paper-mlp", "data.train": 10_000, "training.epochs": 10},
    "full": {"preset": "paper-mlp", "training.measure_every": 10},
}


def arms(mode: str, scale: str) -> tuple[Arm, ...]:
    """Return the arms of a mode: without scaling, and with every reading of it."""
    base = {**_RECORDED, **_SETTINGS[scale], "probes.mode": mode}
    if mode == "bottleneck":
        base.pop("probes.probe_every", None)  # the code is in the network, which runs at every step
        base |= {"regularizers.vib_latent": base.pop("probes.latent", 256)}
    else:
        base |= {"probes.scale_twins": (0.1, 10.0)}
    found = []
    for name in ("baseline", *(SCALINGS[:1] if scale == "smoke" else SCALINGS)):
        parts = [name] if name != "baseline" else []
        method = "+".join([*parts, "vib"]) if mode == "bottleneck" else name
        found.append(Arm(name=name, settings={**base, "method": method}))
    return tuple(found)


def claims(mode: str) -> tuple[PaperClaim, ...]:
    """Return the claims of the section, for every reading of SynScaW."""
    found = []
    for scaling in SCALINGS:
        pair: dict[str, Any] = {"where": "section IV-C", "first": f"{mode}: baseline", "second": f"{mode}: {scaling}"}
        text = f"{scaling} halves I(Z;X) ({mode})"
        found += [
            PaperClaim(text=text, metric="i_zx", printed=PRINTED["i_zx"], unit="bit", **pair),
            PaperClaim(
                text=f"{scaling} lowers the error ({mode})", metric="error", printed=PRINTED["error"], unit="%", **pair
            ),
        ]
    return tuple(found)


def work(request: Request) -> Reproduction:
    """Do the experiment."""
    from infoplane.experiments.reproduce.curve_picture import bound_curves

    for mode in request.columns:
        one_of("column", mode, MODES)
    modes = tuple(mode for mode in MODES if not request.columns or mode in request.columns)
    count = request.seeds or SEEDS[request.scale]
    seeds = range(request.seed, request.seed + count)
    of_mode = {
        mode: train_arms(arms(mode, request.scale), seeds, request, metric="i_zx", folder=mode) for mode in modes
    }
    runs = {f"{mode}: {name}": paths for mode, its in of_mode.items() for name, paths in its.paths.items()}
    sites = {mode: _sites(its) for mode, its in of_mode.items()}
    picture = request.out / "mnist-mi.png"
    shown = {mode: its.paths for mode, its in of_mode.items() if sites[mode]}
    bound_curves(shown, sites, PRINTED["i_zx"], picture)
    tables = []
    for mode, its in of_mode.items():
        columns = [(f"{short} {site}", metric, site) for site in sites[mode] for short, metric in _BOUNDS]
        title = f"{mode}: bounds in bit and error, last epoch, mean ± sd over seeds"
        tables.append(value_table(title, its.paths, [*columns, ("error [%]", "error", "")]))
    found = [claim for mode in modes for claim in claims(mode)]
    return Reproduction(
        name="mnist-mi",
        scale=request.scale,
        setting=f"{MNIST_MI.scales[request.scale].text}; mode {' and '.join(modes)}; {count} "
        f"seed{'s' * (count > 1)}. The paper: 200 epochs, all images; one number each, number of runs not given.",
        statements=statements(judged(found, runs)),
        tables=(*tables, *scaling_tables(runs)),
        notes=(
            f"The paper: I(Z;X) {PRINTED['i_zx'][0]} -> {PRINTED['i_zx'][1]} bit, I(Z;Y) {PRINTED['i_zy'][0]} -> "
            f"{PRINTED['i_zy'][1]} bit, error {PRINTED['error'][0]} -> {PRINTED['error'][1]} %, which is 3 of 10,000 "
            "images. It says neither where Z is nor which weight the divergence has; here it is 0.001.",
            "That I(Z;Y) stays is nothing that seeds could show; it is a check that a claim about I(Z;X) must survive.",
        ),
        failed=tuple(line for its in of_mode.values() for line in its.failed),
        files=(picture, *(path for paths in runs.values() for path in paths)),
    )


_BOUNDS = (("I(Z;X)", "i_zx"), ("I(Z;Y)", "i_zy"))


def _sites(trained: Trained) -> tuple[str, ...]:
    for paths in trained.paths.values():
        for path in paths:
            with open_run(path) as run:
                return sites_of(run, "i_zx")
    return ()


MNIST_MI = Experiment(
    name="mnist-mi",
    about="I(Z;X), I(Z;Y) and error of an MNIST network with and without SynScaW (section IV-C)",
    claims=tuple(claim for mode in MODES for claim in claims(mode)),
    scales={
        "smoke": Scale("a 32-32 network on 500 digits, 1 epoch, one reading of SynScaW", "seconds"),
        "small": Scale("784-1024-1024-10 on 10,000 MNIST images, 10 epochs", "three hours", "MNIST"),
        "full": Scale("784-1024-1024-10 on MNIST, 200 epochs", "a day and more; a GPU is advised", "MNIST"),
    },
    work=work,
    takes=frozenset({"seed", "seeds", "columns", "arms", "jobs", "device", "root", "download"}),
    columns=dict.fromkeys(MODES),
)
