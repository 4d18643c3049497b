"""Fig. 7 and the last column of Table I: test error of ResNet-50 on ImageNet over its training."""

from typing import Any

from infoplane.experiments.reproduce.arm_table import value_table
from infoplane.experiments.reproduce.arms import PLAIN, Arm, train_arms
from infoplane.experiments.reproduce.claims import PaperClaim
from infoplane.experiments.reproduce.experiment import Experiment, Request, Scale
from infoplane.experiments.reproduce.judging import judged, statements
from infoplane.experiments.reproduce.outcome import Reproduction

METHODS = ("baseline", "synscaw", "synscal")
PRINTED = {"baseline": 24.76, "synscaw": 24.01, "synscal": 24.63}
SEEDS = {"smoke": 2, "full": 3}
_SETTINGS: dict[str, dict[str, Any]] = {
    # ResNet-50 needs larger images than the digits are; its optimizer does not.
    "smoke": {"preset": "paper-resnet50", "data.name": "digits", "data.train": 100, "model.name": "resnet20"}
    | {"training.epochs": 2, "training.batch_size": 50, "optimizer.learning_rate": 0.01},
    "full": {"preset": "paper-resnet50", "data.augment": True},
}
CLAIMS = tuple(
    PaperClaim(
        text=f"{method} lowers the error of ResNet-50 on ImageNet",
        where="Fig. 7, Table I",
        first="baseline",
        second=method,
        metric="error",
        printed=(PRINTED["baseline"], PRINTED[method]),
        unit="%",
    )
    for method in METHODS[1:]
)


def work(request: Request) -> Reproduction:
    """Do the experiment."""
    from infoplane.experiments.reproduce.curve_picture import error_curves

    count = request.seeds or SEEDS[request.scale]
    base = {**PLAIN, **_SETTINGS[request.scale], "training.measure_every": 1}
    arms = [Arm(name=method, settings={**base, "method": method}) for method in METHODS]
    trained = train_arms(arms, range(request.seed, request.seed + count), request, metric="error")
    path = request.out / "fig7.png"
    error_curves(trained.paths, PRINTED, path, "The paper's numbers (dotted) are those of Table I.")
    return Reproduction(
        name="fig7",
        scale=request.scale,
        setting=f"{FIG7.scales[request.scale].text}; {count} seeds. The paper: ResNet-50, ImageNet, 600,000 "
        "iterations; number of runs not given.",
        statements=statements(judged(CLAIMS, trained.paths)),
        tables=(
            value_table(
                "Last epoch, mean ± sd over seeds",
                trained.paths,
                [("error [%]", "error", "")],
                {name: f"{value:g}" for name, value in PRINTED.items()},
            ),
        ),
        failed=trained.failed,
        files=(path, *(run for runs in trained.paths.values() for run in runs)),
    )


FIG7 = Experiment(
    name="fig7",
    about="test error of ResNet-50 on ImageNet over its training",
    claims=CLAIMS,
    scales={
        "smoke": Scale("ResNet-20 on 100 digits, 2 epochs", "seconds"),
        "full": Scale("ResNet-50 on ImageNet, 600,000 iterations", "weeks on several GPUs", "ImageNet"),
    },
    work=work,
    takes=frozenset({"seed", "seeds", "arms", "jobs", "device", "root", "download"}),
)
