"""The demo: the same digits network twice from one seed, without and with SynScaW, measured and drawn."""

from dataclasses import dataclass
from pathlib import Path

import torch

from infoplane.errors import InputError
from infoplane.reports.jsd import JSDReport, jsd
from infoplane.runfile.reader import open_run
from infoplane.training import Settings, train

METHODS = ("baseline", "synscaw")
# Inches: small enough that their text is still legible when a journal sets them one column (85 mm) wide.
SIZES = {"plane": (112 / 25.4, 88 / 25.4), "weights": (130 / 25.4, 88 / 25.4)}
# Probes whose rate comes to lie below log2 n of these 450 inputs, so that it says something about them; that of the
# default beta, 0.001, does not.
PROBES = {"probes.latent": 4, "probes.beta": 0.2, "probes.learning_rate": 1e-2}
SETTINGS = Settings().changed({"training.batch_size": 50, "training.checkpoint_every": 0} | PROBES)


@dataclass(frozen=True)
class Demo:
    """What the demo made: run files by method, every file written, and the divergence report."""

    runs: dict[str, Path]
    files: tuple[Path, ...]
    report: JSDReport


def run_demo(
    out: Path,
    *,
    seed: int = 0,
    epochs: int = 60,
    device: str = "cpu",
    quiet: bool = False,
    overwrite: bool = False,
) -> Demo:
    """Train, record and draw into the folder `out`.

    Parameters
    ----------
    out : pathlib.Path
        Folder; made where it does not exist.
    seed, epochs, device
        Of both trainings.
    quiet : bool
        No progress bar.
    overwrite : bool
        Replace the files of an earlier demo.

    Returns
    -------
    Demo
        The files, and the divergence report.

    Raises
    ------
    InputError
        When a file of an earlier demo is there and `overwrite` is off.
    """
    import matplotlib.pyplot as plt

    from infoplane import plots

    runs = {method: out / f"{method}.h5" for method in METHODS}
    pictures = {name: out / f"{name}.png" for name in ("plane", "surface", "weights")}
    tables = (out / "jsd.csv", out / "jsd.md")
    files = (*runs.values(), *pictures.values(), *tables)
    if not overwrite and (there := [path for path in files if path.exists()]):
        raise InputError(f"{there[0]} exists already; --force replaces the files of an earlier demo")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {out} cannot be made ({error.strerror or error})") from error
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # for a network this small, one thread is faster than several
    try:
        for method, path in runs.items():
            own = {"method": method, "seed": seed, "training.epochs": epochs, "training.device": device}
            train(SETTINGS.changed(own), path, overwrite=overwrite, quiet=quiet)
    finally:
        torch.set_num_threads(threads)
    report = jsd(list(runs.values()))
    report.to_csv(tables[0])
    report.to_markdown(tables[1])
    opened = [open_run(path) for path in runs.values()]
    try:
        with plots.theme():
            sized = {name: plt.figure(figsize=size, layout="constrained") for name, size in SIZES.items()}
            plots.save(plots.planes(opened, figure=sized["plane"]), pictures["plane"])
            plots.save(plots.histograms(opened, figure=sized["weights"]), pictures["weights"])
            plots.save(plots.surface(), pictures["surface"])
    finally:
        for run in opened:
            run.close()
    return Demo(runs=runs, files=files, report=report)
