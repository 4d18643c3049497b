"""Run files for the report, made by the public writer."""

import numpy as np
import pytest

from infoplane.analysis.finding import Finding
from infoplane.analysis.sketch import QUANTITIES, LogHistogram
from infoplane.probes.probe_info import ProbeInfo
from infoplane.rows import append_finding
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter

N = 450


def plane_row(step, of, probes, shift=0.0):
    """Bounds that fall and rise as a probe's do; the control less so."""
    t = step / max(of, 1)
    row = np.zeros((len(probes), len(PLANE_QUANTITIES)))
    for k, probe in enumerate(probes):
        slow = 0.5 if probe.host == "untrained" else 1.0
        i_zx, i_zy = 6 + 30 * np.exp(-4 * slow * t) + k + shift, 3.1 * (1 - np.exp(-5 * slow * t)) - 0.05 * k
        row[k] = [i_zx, i_zy, 3.32, 3.32 - i_zy, 0.1, 0.21, 0.034, 5.5, 8.5, 4.0, i_zy, 0.1, 0.2, 0.1, 0.05]
    return row


def write_run(
    path,
    *,
    sites=("hidden1", "hidden2"),
    parameters=("hidden1.weight",),
    rows=12,
    control=True,
    provenance=None,
    doubtful=(),
    shift=0.0,
    epochs=True,
    close=True,
    attrs=None,
    quantities=None,
    updates=10,
    inputs=N,
):
    """Write a run of a plane, a network's error, sketches of weights and activations, and findings."""
    probes = [ProbeInfo(site, site, "trained", 1e-3, 16) for site in sites]
    if control:
        probes += [ProbeInfo(f"{site}@untrained", site, "untrained", 1e-3, 16) for site in sites]
    known = {"model": "torch.nn.modules.container.Sequential", "parameters": 1234, "seed": 3, "device": "cpu"}
    known["configuration"] = {"method": "baseline", "seed": 3, "training": {"epochs": rows}, "model": {"name": "mlp"}}
    known["data"] = {"name": "digits", "train": 1347, "test": N, "classes": 10}
    writer = RunWriter(path)
    streams = run_streams(
        probes=probes, sites=sites, parameters=parameters, metrics={"loss": "bit", "error": "1"}, attrs=attrs
    )
    writer.start(streams, known | (provenance or {}))
    random = np.random.default_rng(0)
    values = plane_row(0, rows, probes)
    pairs = {
        f"covariance_{q}": np.outer(e := values[:, 5 + k], e) * (0.6 + 0.4 * np.eye(len(e)))
        for k, q in enumerate(("i_zx", "i_zy"))
    }
    for row in range(1, rows + 1):
        epoch = row if epochs else np.nan
        values = plane_row(row, rows, probes, shift)
        for quantity, value in (quantities or {}).items():
            values[:, PLANE_QUANTITIES.index(quantity)] = value
        seen = {"n": inputs, "n_sandwich": inputs, "updates": updates * row}
        writer.append("plane", 10 * row, epoch=epoch, values=values, **seen, **pairs)
        writer.append("metrics", 10 * row, epoch=epoch, time=float(row), values=[1 / row, 0.5 / row])
        for stream, names in (("weights", parameters), ("activations", sites)):
            sketches = []
            for k, _ in enumerate(names):
                sketch = LogHistogram()
                drawn = random.lognormal(-2 + row / rows, 0.8 + 0.1 * k, 400) * random.choice([-1, 1], 400)
                sketch.update(np.append(drawn, np.zeros(40)).astype(np.float32))
                sketches.append(sketch.summary())
            counts = np.stack([sketch.counts for sketch in sketches])
            scalars = np.stack([[sketch[name] for name in QUANTITIES] for sketch in sketches])
            writer.append(stream, 10 * row, epoch=epoch, counts=counts, scalars=scalars)
        text = f"a rate at or above log n of the {inputs} inputs says nothing about what the code keeps of them"
        found = Finding("rate_above_log_n", sites[0], text, float(values[0, 0]), "bit", "a larger beta gives less")
        append_finding(writer, 10 * row, "plane", found)
        for probe in doubtful:
            wrong = Finding(
                "lower_above_upper", probe, "a lower bound is above an upper one", 1.5, "bit", "do not use it"
            )
            append_finding(writer, 10 * row, "plane", wrong)
    if close:
        writer.close()
    return writer


@pytest.fixture(scope="session")
def make_run():
    """Return the writer of run files."""
    return write_run


@pytest.fixture(scope="session")
def two_settings(tmp_path_factory):
    """Two settings of four seeds each; the runs of the first have long names that differ at their end."""
    folder = tmp_path_factory.mktemp("settings")
    paths = []
    for method, stem in (("baseline", "a_name_that_is_much_longer_than_a_panel_is_wide"), ("synscaw", "synscaw")):
        for seed in (3, 1, 2, 0):
            settings = {"method": method, "seed": seed, "training": {"epochs": 3}, "model": {"name": "mlp"}}
            paths.append(folder / f"{stem},seed={seed}.h5")
            known = {"seed": seed, "configuration": settings}
            write_run(paths[-1], rows=3, shift=0.1 * seed, provenance=known, control=False)
    return paths


@pytest.fixture(scope="session")
def two_runs(tmp_path_factory):
    """Two finished runs that differ in their method, with controls; a finding rings points of the first."""
    folder = tmp_path_factory.mktemp("two")
    other = {"configuration": {"method": "synscaw", "seed": 3, "training": {"epochs": 12}, "model": {"name": "mlp"}}}
    write_run(folder / "baseline.h5", doubtful=("hidden2",))
    write_run(folder / "synscaw.h5", provenance=other, shift=2.0)
    return [folder / "baseline.h5", folder / "synscaw.h5"]
