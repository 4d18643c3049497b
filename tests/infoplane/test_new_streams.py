"""What a recording writes beside the bounds of the plain probes: every number against a recomputation by hand."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import infoplane as ip
from infoplane.analysis.noisy_code.sandwich import sandwich
from infoplane.analysis.sketch import BIN_EDGES
from infoplane.cli import run as cli
from infoplane.cli.summary import print_difference, print_summary
from infoplane.errors import InputError, RunFileError
from infoplane.plots.read_paths import read_paths
from infoplane.probes.schedule import every, log_spaced
from infoplane.probes.subset import Subset

CLASSES, N, STEPS = 3, 40, 7
SITES = ["drop", "fc"]
WEIGHTS = ["conv.weight", "fc.weight", "head.weight"]


class Host(nn.Module):
    """A feature map with exact zeros and dropout's masks, then a vector."""

    def __init__(self):
        super().__init__()
        self.conv, self.drop = nn.Conv2d(1, 4, 3), nn.Dropout(0.4)
        self.fc, self.head = nn.Linear(64, 6), nn.Linear(6, CLASSES)

    def sites(self, x):
        drop = self.drop(self.conv(x).relu())
        return {"drop": drop, "fc": self.fc(drop.flatten(1))}

    def forward(self, x):
        return self.head(self.sites(x)["fc"].relu())


def host():
    torch.manual_seed(0)
    return Host()


def data(n=N, seed=1):
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(0, CLASSES, (n,), generator=generator)
    return torch.randn(n, 1, 6, 6, generator=generator) + y[:, None, None, None], y


HELD_OUT = data(seed=2)
BATCHES = [tuple(t[part] for t in HELD_OUT) for part in (slice(0, 15), slice(15, N))]


def record(model, path, **options):
    return ip.record(model, path, **({"sites": SITES, "classes": CLASSES, "latent": 4} | options))


def step(rec, model, optimizer=None):
    """One training step whose masks can be had again, after `torch.manual_seed(rec.step)`."""
    x, y = data()
    torch.manual_seed(rec.step)
    loss = functional.cross_entropy(model(x), y) + rec.loss(y)
    if optimizer is not None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def sites_of(model, x):
    """Activations in evaluation mode."""
    return copy.deepcopy(model).eval().sites(x)


def reduced(sites):
    """As the shapes suggest: channels by their mean over space, vectors as they are."""
    return {"drop": sites["drop"].mean((2, 3)), "fc": sites["fc"]}


# The numbers


class Whole:
    """A recording of seven steps with two measurements, and all that is needed to have its numbers again."""

    def __init__(self, path):
        self.model, self.path = host(), path
        optimizer = torch.optim.SGD(self.model.parameters(), 0.1)
        self.before, self.at_measurement, self.gradients = [], [], []
        schedules = {"sketch_at": every(3), "gradients": 2}
        # With this rule s begins near 1, so that the codes' information is well below log2 of the subset.
        with record(self.model, path, raw=25, sandwich=30, seed=5, std="log_variance", **schedules) as rec:
            for k in range(STEPS):
                self.before.append(copy.deepcopy(self.model))
                step(rec, self.model, optimizer)
                self.gradients.append([p.grad.clone() for p in self.model.parameters() if p.ndim > 1])
                if k in (3, 6):
                    self.at_measurement.append(copy.deepcopy(self.model))
                    rec.measure(BATCHES, epoch=k / 4)
            self.codes = {site: rec.probe(site).code for site in SITES}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return Whole(tmp_path_factory.mktemp("run") / "run.h5")


@pytest.fixture
def run(whole):
    with ip.open_run(whole.path) as opened:
        yield opened


def assert_sketch_of(sketch, values):
    values = values.detach().double().flatten().numpy()
    assert (sketch["n"], sketch["zeros"]) == (values.size, (values == 0).sum())
    for sign, side, name in ((0, -values, "negative"), (1, values, "positive")):
        there = side[side > 0]
        np.testing.assert_array_equal(sketch.counts[sign], np.histogram(there, BIN_EDGES)[0])
        assert sketch[f"count_{name}"] == there.size
        if there.size:
            assert sketch[f"maximum_{name}"] == pytest.approx(there.max())
            binning = 5e-5 + 4 * 0.006 / math.sqrt(there.size)  # of the sketch's moments, which come from its bins
            assert sketch[f"mean_log_{name}"] == pytest.approx(np.log(there).mean(), abs=binning)
            assert sketch[f"std_log_{name}"] == pytest.approx(np.log(there).std(), abs=binning)


def test_sketches_in_a_step_are_of_its_own_forward_in_training_mode_and_of_the_weights_it_ran_with(whole, run):
    assert run.stream("step_activations").row_values.tolist() == [0, 3, 6]
    assert run.stream("step_weights").row_values.tolist() == [0, 3, 6]
    assert np.isnan(run.stream("step_activations")["epoch"]).all()
    assert run.sketch_names("step_activations") == tuple(SITES)
    assert run.sketch_names("step_weights") == tuple(WEIGHTS)
    for row, at in enumerate([0, 3, 6]):
        model = whole.before[at]
        torch.manual_seed(at)
        with torch.no_grad():
            sites = model.sites(data()[0])
        for site in SITES:
            assert_sketch_of(run.sketch("step_activations", site, row), sites[site])
        for name in WEIGHTS:
            assert_sketch_of(run.sketch("step_weights", name, row), model.get_parameter(name))
    assert run.stream("step_activations").attrs["mode"] == "train"
    assert run.provenance["probes"]["sketch_at"] == "every 3"


def test_sketches_of_a_measurement_are_of_all_held_out_inputs_in_evaluation_mode(whole, run):
    assert run.activations().row_values.tolist() == [4, 7]
    for row, model in enumerate(whole.at_measurement):
        sites = sites_of(model, HELD_OUT[0])
        for site in SITES:
            assert_sketch_of(run.sketch("activations", site, row), sites[site])
        for name in WEIGHTS:
            assert_sketch_of(run.sketch("weights", name, row), model.get_parameter(name))
    assert run.activations().attrs["mode"] == "eval"


def test_neurons_have_mean_variance_and_share_of_zeros_over_inputs_and_space(whole, run):
    view = run.neurons()
    assert view["site"].tolist() == ["drop"] * 4 + ["fc"] * 6
    assert view["index"].tolist() == [*range(4), *range(6)]
    assert view["quantity"].tolist() == ["mean", "variance", "zeros"]
    assert view["n"].tolist() == [N, N]
    assert view["epoch"].tolist() == [0.75, 1.5]
    for row, model in enumerate(whole.at_measurement):
        sites = sites_of(model, HELD_OUT[0])
        by_neuron = [*sites["drop"].transpose(0, 1).flatten(1), *sites["fc"].T]
        expected = [[v.mean(), v.var(correction=0), (v == 0).float().mean()] for v in by_neuron]
        np.testing.assert_allclose(view["values"][row], np.array(expected), rtol=1e-5, atol=1e-7)
    assert view["values"][-1, :4, 2].min() > 0
    assert list(view.to_dataframe())[:6] == ["step", "epoch", "n", "neuron", "site", "index"]


def test_gradients_are_those_of_every_second_step_since_the_last_row(whole, run):
    view = run.gradients()
    assert view["parameter"].tolist() == WEIGHTS
    assert view.row_values.tolist() == [4, 7]
    for row, steps in enumerate(([0, 2], [4, 6])):
        for k, name in enumerate(WEIGHTS):
            each = torch.stack([whole.gradients[at][k] for at in steps]).double()
            mean, sd = each.mean(0).norm().item(), each.std(0, correction=1).norm().item()
            squared = mean**2 - sd**2 / len(steps)
            found = dict(zip(view["quantity"].tolist(), view["values"][row, k], strict=True))
            assert found == pytest.approx(
                {
                    "steps": len(steps),
                    "mean_norm": mean,
                    "sd_norm": sd,
                    "weight_norm": whole.at_measurement[row].get_parameter(name).double().norm().item(),
                    "snr": mean / sd,
                    "squared_mean": squared,
                    "squared_snr": squared / sd**2,
                },
                rel=1e-4,
            )


def test_raw_activations_are_the_reduced_ones_of_one_subset_and_can_be_estimated_from(whole, run):
    view = run.stream("raw")
    positions = view["position"]
    assert positions.shape == (2, 25)
    assert (positions[0] == positions[1]).all()
    assert (np.diff(positions[0]) > 0).all()
    assert 0 <= positions.min() <= positions.max() < N
    for row, model in enumerate(whole.at_measurement):
        expected = reduced(sites_of(model, HELD_OUT[0][positions[row]]))
        for site in SITES:
            values, labels = run.raw(site, row)
            np.testing.assert_allclose(values, expected[site], rtol=1e-5, atol=1e-6)
            assert labels.tolist() == HELD_OUT[1][positions[row]].tolist()
    assert values.dtype == np.float32
    assert labels.dtype == np.int64
    assert math.isfinite(ip.estimate(*run.raw("fc")).value)
    with pytest.raises(InputError, match="did you mean 'fc'"):
        run.raw("fx")
    with pytest.raises(InputError, match="there is no row 2"):
        run.raw("fc", 2)


def test_the_sandwich_is_that_of_the_probes_known_code_on_the_stated_subset(whole, run):
    subset = np.sort(np.argsort(Subset(30, 5).priorities(np.arange(N)))[:30])
    table = run.plane().to_dataframe().query("step == 7").set_index(["probe", "quantity"])
    assert run.plane()["n_sandwich"].tolist() == [30, 30]
    activations = reduced(sites_of(whole.at_measurement[-1], HELD_OUT[0][subset]))
    for site in SITES:
        found = sandwich(whole.codes[site](activations[site]), seed=5)
        for side in ("lower", "upper"):
            expected, stored = getattr(found, side), table.loc[site, f"i_zx_{side}"]
            assert stored["value"] == pytest.approx(expected.value, rel=1e-5)
            assert stored["standard_error"] == pytest.approx(expected.standard_error, rel=1e-4)
            assert (stored["kind"], stored["unit"]) == (f"{side}_bound", "bit")
        assert 0.1 < found.lower.value < found.upper.value < math.log2(30) - 0.5


# Schedules


def sketched_steps(path, **options):
    """At which of eleven steps a recording sketched; a snapshot is asked for before step 4."""
    model = host()
    with record(model, path, overwrite=True, **options) as rec:
        for k in range(11):
            if k == 4:
                rec.snapshot()
            step(rec, model)
    with ip.open_run(path) as run:
        streams = [name for name in ("step_activations", "step_weights") if name in run.streams]
        return {name: run.stream(name).row_values.tolist() for name in streams}


@pytest.mark.parametrize(
    ("sketch_at", "steps"),
    [
        (5, [0, 4, 5, 10]),
        (every(4), [0, 4, 8]),
        (log_spaced(3), [0, 1, 2, 4, 5, 10]),
        (None, [4]),
    ],
)
def test_steps_are_sketched_by_schedule_and_by_hand(tmp_path, sketch_at, steps):
    found = sketched_steps(tmp_path / "run.h5", sketch_at=sketch_at)
    assert found == {"step_activations": steps, "step_weights": steps}


def test_a_recorder_that_is_off_has_no_stream(tmp_path):
    assert sketched_steps(tmp_path / "run.h5", activations=False, sketch_at=1) == {"step_weights": list(range(11))}
    off = {"activations": False, "weights": False, "neurons": False, "gradients": 0}
    assert sketched_steps(tmp_path / "run.h5", **off) == {}
    with ip.open_run(tmp_path / "run.h5") as run:
        assert set(run.streams) == {"plane", "plane_scatter", "metrics", "findings", "events"}
        with pytest.raises(RunFileError, match="has no stream 'raw'"):
            run.raw("fc")


@pytest.mark.parametrize(
    ("measure_at", "calls"), [(1, [0, 1, 2, 3, 4]), (every(2), [0, 2, 4]), (log_spaced(1), [0, 1]), (None, [])]
)
def test_measurements_that_are_not_due_are_none_and_look_at_no_batch(tmp_path, measure_at, calls):
    model, found, looked = host(), [], []

    def batches(call):
        looked.append(call)
        yield from BATCHES

    with record(model, tmp_path / "run.h5", measure_at=measure_at) as rec:
        for call in range(5):
            step(rec, model)
            found.append(rec.measure(batches(call), epoch=call))
    assert [k for k, measurement in enumerate(found) if measurement is not None] == calls
    assert looked == calls
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.plane()["epoch"].tolist() == calls


# The limit on raw activations


def test_raw_activations_stop_at_their_limit_which_is_said_once_while_all_else_goes_on(tmp_path, caplog):
    row = 4 * 25 * (4 + 6)
    model = host()
    with (
        record(model, tmp_path / "run.h5", raw=25, raw_bytes=2 * row + row // 2) as rec,
        caplog.at_level("WARNING", logger="infoplane"),
    ):
        for _ in range(4):
            step(rec, model)
            rec.measure(BATCHES)
    said = [entry.getMessage() for entry in caplog.records if "raw_bytes" in entry.getMessage()]
    assert said == ["raw activations have reached raw_bytes, and no more of them are kept"]
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.stream("raw").row_values.tolist() == [1, 2]
        assert run.stream("raw")["values"].nbytes <= 2 * row + row // 2
        assert run.plane().row_values.tolist() == [1, 2, 3, 4]
        events = run.events().to_dataframe()
        assert events.set_index("text").loc[said[0], "step"] == 3


def test_a_limit_below_one_measurement_is_refused_with_both_numbers(tmp_path):
    model = host()
    said = r"take 1,000 bytes .* above the limit of 999"
    with pytest.raises(InputError, match=said), record(model, tmp_path / "run.h5", raw=25, raw_bytes=999) as rec:
        step(rec, model)
        rec.measure(BATCHES)


def test_fewer_inputs_than_asked_for_give_what_there_is(tmp_path):
    model = host()
    with record(model, tmp_path / "run.h5", raw=N + 5) as rec:
        step(rec, model)
        rec.measure(BATCHES)
    with ip.open_run(tmp_path / "run.h5") as run:
        values, labels = run.raw("fc")
        assert run.stream("raw")["position"][0].tolist() == [*range(N), *[-1] * 5]
    np.testing.assert_allclose(values, sites_of(model, HELD_OUT[0])["fc"], rtol=1e-5, atol=1e-6)
    assert labels.tolist() == HELD_OUT[1].tolist()


def test_raw_labels_of_a_regression_are_its_real_numbers(tmp_path):
    x, y = data()
    real = torch.stack([y.float(), x.mean((1, 2, 3))], dim=1)
    model = host()
    with record(model, tmp_path / "run.h5", classes=None, targets=2, raw=N) as rec:
        model(x)
        rec.loss(real)
        rec.measure([(x, real)])
    with ip.open_run(tmp_path / "run.h5") as run:
        np.testing.assert_allclose(run.raw("fc")[1], real)
        kinds = run.plane().to_dataframe().set_index("quantity")["kind"]
        assert set(kinds[["i_zy", "i_ty_chain"]]) == {"estimate"}  # h(Y) is not known, so it is no bound


# Several probes per site


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """One site with two betas, two scale twins and every control, and the same run with the plain probe alone."""
    folder = tmp_path_factory.mktemp("several")
    options = {"control": True, "sites": ["fc"]}
    more = {"beta": (1e-3, 0.1), "scale_twins": (0.1, 10), "refit": 3}
    for name, added in (("plain", {"beta": 1e-3}), ("several", more)):
        model = host()
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        with record(model, folder / f"{name}.h5", **options, **added) as rec:
            for k in range(3):
                step(rec, model, optimizer)
                rec.measure(BATCHES, epoch=k + 1, **({"fit": [data()]} if name == "several" else {}))
    return folder


NAMES = ["fc@beta=0.001", "fc@beta=0.1", "fc@x0.1", "fc@x10"]


def test_probes_at_several_betas_and_scales_say_which_they_are(several):
    with ip.open_run(several / "several.h5") as run:
        view = run.plane()
        hosts = ["trained", "untrained", "refitted"]
        assert view["probe"].tolist() == [
            f"{name}{'' if host == 'trained' else f'@{host}'}" for host in hosts for name in NAMES
        ]
        assert view["host"].tolist() == [host for host in hosts for _ in NAMES]
        assert view["site"].tolist() == ["fc"] * 12
        assert view["beta"].tolist() == [1e-3, 0.1, 1e-3, 1e-3] * 3
        assert view["scale"].tolist() == [1, 1, 0.1, 10] * 3
        assert view["latent"].tolist() == [4] * 12
        assert set(view["reduction"]) == {"flatten"}
        assert run.provenance["probes"]["beta"] == [1e-3, 0.1]
        values = view["values"]
    assert len(np.unique(values[-1, :, 0])) == 12  # no two of them are the same probe


def test_further_probes_leave_the_plain_one_as_it_was(several):
    planes = []
    for name, probes in (("plain", ["fc", "fc@untrained"]), ("several", [NAMES[0], f"{NAMES[0]}@untrained"])):
        with ip.open_run(several / f"{name}.h5") as run:
            at = [run.plane()["probe"].tolist().index(probe) for probe in probes]
            planes.append(run.plane()["values"][:, at][:, :, :7])
    np.testing.assert_allclose(*planes, rtol=1e-5, atol=1e-7)


def rates_after_training(model, **options):
    """Rate and label bound by probe at ``fc`` after ten steps on a host that stays as it is, without its masks."""
    model.drop.p = 0.0
    with record(model, None, sites=["fc"], **options) as rec:
        for _ in range(10):
            step(rec, model)
        bounds = rec.measure(BATCHES).bounds
        return {
            info.name: found for info, *found in zip(rec.probes, bounds.i_zx, bounds.i_zy, bounds.error, strict=True)
        }


def test_a_scale_twin_is_the_plain_probe_on_a_host_whose_activation_has_that_scale():
    scaled = host()
    with torch.no_grad():
        scaled.fc.weight *= 8
        scaled.fc.bias *= 8
    found = rates_after_training(host(), scale_twins=(8,), learning_rate=0.01)
    expected = rates_after_training(scaled, learning_rate=0.01)["fc"]
    assert found["fc@x8"] == pytest.approx(expected, rel=1e-5)
    assert found["fc"] != pytest.approx(expected, rel=0.1)


def test_each_of_several_betas_is_the_probe_that_is_alone_with_it():
    together = rates_after_training(host(), beta=(1e-3, 1.0), learning_rate=0.01)
    for beta in (1e-3, 1.0):
        alone = rates_after_training(host(), beta=beta, learning_rate=0.01)
        assert together[f"fc@beta={beta:g}"] == pytest.approx(alone["fc"], rel=1e-5)
    assert together["fc@beta=0.001"][0] > together["fc@beta=1"][0]


def test_pictures_show_the_plain_probes_and_say_how_many_they_leave_out(several):
    paths = read_paths(several / "several.h5")
    assert [path.probe for path in paths.paths] == [NAMES[0], f"{NAMES[0]}@untrained"]
    assert len(paths.others) == 10
    assert "beta = 0.001," in paths.settings
    from matplotlib.figure import Figure

    for name, others in (("several", True), ("plain", False)):
        ax = ip.plots.plane(several / f"{name}.h5", ax=Figure().add_subplot())
        said = " ".join(text.get_text() for text in ax.texts).replace("\n", " ").replace("\u00a0", " ")
        text = "Not drawn: 10 probes at other betas, on scaled activations, or refitted."
        assert (text in said) == others


def test_tables_of_the_demo_show_the_plain_probes(several, capsys):
    print_summary({"run": several / "several.h5"})
    print_summary({"run": several / "plain.h5"})
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if line.startswith("run ") and "fc" in line]
    assert len(rows) == 2
    assert rows[0].split() == rows[1].split()
    print_difference(several / "plain.h5", several / "several.h5")
    assert "error +0.00 points; fc: rate +0.0, I(Z;Y) bound +0.000." in capsys.readouterr().out


def test_the_command_line_lists_every_probe_and_draws_the_plain_ones(several, tmp_path, capfd):
    path = str(several / "several.h5")
    assert cli(["info", path]) == 0
    out = capfd.readouterr().out
    assert all(f"{name}@refitted" in out for name in NAMES)
    assert cli(["plane", path, "--json", "-o", str(tmp_path / "plane.png")]) == 0
    assert f'"probe": "{NAMES[3]}"' in capfd.readouterr().out
    assert (tmp_path / "plane.png").stat().st_size


# Refitted probes


def test_refitted_probes_follow_the_host_alone_and_the_others_their_training(tmp_path):
    """With a host that stays as it is, fresh probes fitted anew come out the same; with one that moves they do not."""
    rates = {}
    for moving in (False, True):
        model = host().eval()
        optimizer = torch.optim.SGD(model.parameters(), 0.5) if moving else None
        with record(model, None, sites=["fc"], refit=5) as rec:
            for _ in range(2):
                model.train()
                model.drop.eval()
                step(rec, model, optimizer)
                measured = rec.measure(BATCHES, fit=[data()])
                rates.setdefault(moving, []).append(measured.bounds.i_zx)
        assert [info.name for info in rec.probes] == ["fc", "fc@refitted"]
        assert rec.probe("fc", host="refitted") is not rec.probe("fc")
    (first, second), (before, after) = rates[False], rates[True]
    assert first[1] == second[1]
    assert first[0] != second[0]
    assert before[1] != after[1]


def test_refitted_probes_equal_a_fit_by_hand_on_the_host_as_it_is(tmp_path):
    """Five steps on batches in evaluation mode: the same as `fit` gives a recording that has seen nothing else."""
    model, measured = host(), []
    loader = [tuple(t[k : k + 10] for t in data()) for k in range(0, N, 10)]  # four batches: it is begun again
    with record(model, None, sites=["fc"], refit=5) as rec:
        step(rec, model)
        measured.append(rec.measure(BATCHES, fit=loader).bounds.i_zx[1])
    with record(model, None, sites=["fc"]) as rec:
        rec.fit([*loader, loader[0]])
        measured.append(rec.measure(BATCHES).bounds.i_zx[0])
    assert measured[0] == measured[1]


@pytest.mark.parametrize(
    ("refit", "fit", "text"), [(3, None, "but it is missing"), (0, [data()], "refit=0"), (3, [], "gave no batches")]
)
def test_batches_to_fit_on_are_given_where_they_are_needed_and_nowhere_else(refit, fit, text):
    model = host()
    with record(model, None, refit=refit) as rec:
        step(rec, model)
        with pytest.raises(InputError, match=text):
            rec.measure(BATCHES, fit=fit)


# Without a file, and to others


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self):
        self.rows, self.closed = [], 0

    def measurement(self, measurement, probes, *, epoch):
        assert not self.closed
        self.rows.append((measurement, [probe.name for probe in probes], epoch))

    def close(self):
        self.closed += 1


def test_without_a_path_the_numbers_are_the_same_and_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    measured = []
    for path in (None, tmp_path / "run.h5"):
        model = host()
        with record(model, path, raw=10) as rec:
            assert rec.path == path
            step(rec, model)
            measured.append(rec.measure(BATCHES))
            rec.event("seen")
        if path is None:
            assert not list(tmp_path.iterdir())
    np.testing.assert_array_equal(measured[0].bounds.i_zx, measured[1].bounds.i_zx)
    np.testing.assert_array_equal(measured[0].i_zx_lower, measured[1].i_zx_lower)
    assert measured[0].raw.values["fc"].shape == (10, 6)
    assert measured[0].activations == measured[1].activations


@pytest.mark.parametrize("with_file", [True, False])
def test_sinks_are_given_every_row_and_closed_once(tmp_path, with_file):
    model, sinks, returned = host(), (Kept(), Kept()), []
    path = tmp_path / "run.h5" if with_file else None
    with pytest.raises(KeyboardInterrupt), record(model, path, sinks=sinks, control=True, measure_at=2) as rec:
        for k in range(4):
            step(rec, model)
            returned.append(rec.measure(BATCHES, epoch=None if k else 0.5))
        raise KeyboardInterrupt
    names = ["drop", "fc", "drop@untrained", "fc@untrained"]
    for sink in sinks:
        assert sink.closed == 1
        assert [row[0] for row in sink.rows] == [returned[0], returned[2]]
        assert [row[1:] for row in sink.rows] == [(names, 0.5), (names, None)]
