import copy
import math
import pickle
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.modules import module as torch_module
from torch.utils.data import DataLoader, TensorDataset

import infoplane as ip
from infoplane.errors import CaptureError, InputError, RunFileError, SiteError

CLASSES = 3


class Host(nn.Module):
    """A small network with batch norm, dropout and an activation that works in place."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(inplace=True), nn.Dropout(0.3))
        self.second = nn.Sequential(nn.Linear(16, 8), nn.ReLU(inplace=True))
        self.last = nn.Linear(8, CLASSES)

    def forward(self, x):
        return self.last(self.second(self.first(x)))


SITES = ["first", "second"]


def host(seed=0):
    torch.manual_seed(seed)
    return Host()


def data(n=96):
    generator = torch.Generator().manual_seed(1)
    y = torch.arange(n) % CLASSES
    x = torch.randn(n, 6, generator=generator)
    x[:, :CLASSES] += 2 * functional.one_hot(y, CLASSES)
    return TensorDataset(x, y)


def train(model, path=None, *, epochs=3, **options):
    """Train with a shuffling loader; record to `path` where one is given."""
    torch.manual_seed(7)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    loader, held_out = DataLoader(data(), 16, shuffle=True), DataLoader(data(60), 25)
    if path is None:
        for _ in range(epochs):
            for x, y in loader:
                step(optimizer, functional.cross_entropy(model(x), y))
        return optimizer
    options = {"sites": SITES, "classes": CLASSES, "latent": 8, "control": True} | options
    with ip.record(model, path, **options) as rec:
        for epoch in range(epochs):
            for x, y in loader:
                step(optimizer, functional.cross_entropy(model(x), y) + rec.loss(y))
            rec.measure(held_out, epoch=epoch + 1)
    return optimizer


def step(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def assert_same_tensors(first, second):
    assert first.keys() == second.keys()
    for key in first:
        assert torch.equal(first[key], second[key]), key


def hooks():
    return len(torch_module._global_forward_hooks) + len(torch_module._global_forward_pre_hooks)


def recording(tmp_path, model=None, **options):
    return ip.record(
        model or host(), tmp_path / "run.h5", **({"sites": SITES, "classes": CLASSES, "latent": 4} | options)
    )


# What the recording leaves as it was


def test_training_with_everything_on_is_bit_identical_to_training_without(tmp_path):
    bare, recorded = host(), host()
    bare_optimizer = train(bare)
    after_bare = torch.get_rng_state(), np.random.get_state(), random.getstate()
    optimizer = train(recorded, tmp_path / "run.h5")
    assert_same_tensors(bare.state_dict(), recorded.state_dict())
    for p, q in zip(bare.parameters(), recorded.parameters(), strict=True):
        a, b = bare_optimizer.state[p], optimizer.state[q]
        assert all(torch.equal(a[k], b[k]) for k in a)
    assert torch.equal(after_bare[0], torch.get_rng_state())
    for was, now in zip(after_bare[1], np.random.get_state(), strict=True):
        assert np.array_equal(was, now)
    assert after_bare[2] == random.getstate()


def test_joint_probes_do_change_the_host(tmp_path):
    bare, joint = host(), host()
    train(bare)
    train(joint, tmp_path / "run.h5", mode="joint")
    assert not torch.equal(bare.last.weight, joint.last.weight)


def test_same_seed_gives_the_same_plane_and_another_seed_another(tmp_path):
    planes = []
    for k, seed in enumerate([0, 0, 1]):
        train(host(), tmp_path / f"{k}.h5", seed=seed)
        with ip.open_run(tmp_path / f"{k}.h5") as run:
            planes.append({name: run.plane()[name] for name in ("values", "covariance_i_zx", "covariance_i_zy")})
    for name in planes[0]:
        np.testing.assert_array_equal(planes[0][name], planes[1][name])
        assert not np.array_equal(planes[0][name], planes[2][name])


def test_deep_copy_and_pickle_inside_a_recording_carry_no_hook(tmp_path):
    with recording(tmp_path) as rec:
        model = rec.model
        for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            twin(torch.zeros(4, 6))
            for module in (*twin.modules(), *model.modules()):
                assert not module._forward_hooks
                assert not module._forward_pre_hooks
        with pytest.raises(CaptureError, match="there was none"):
            rec.loss(torch.zeros(4, dtype=torch.long))


def test_no_hook_is_left_after_an_exception_in_the_loop(tmp_path):
    before = hooks()
    with pytest.raises(ZeroDivisionError), recording(tmp_path):
        assert hooks() > before
        1 / 0  # noqa: B018
    assert hooks() == before


def test_no_hook_is_left_after_an_exception_inside_the_forward(tmp_path):
    before = hooks()
    with pytest.raises(RuntimeError, match="shapes"), recording(tmp_path) as rec:
        rec.model(torch.zeros(4, 99))
    assert hooks() == before


def test_measuring_restores_every_modules_own_mode(tmp_path):
    model = host()
    with recording(tmp_path, model) as rec:
        model.first[1].eval()
        rec_step(rec, model)
        modes = [m.training for m in model.modules()]
        rec.measure(DataLoader(data(20), 10))
        assert [m.training for m in model.modules()] == modes
        assert not model.first[1].training


# What is measured


def rec_step(rec, model, n=12):
    x, y = data(n).tensors
    model.train() if not model.training else None
    model(x)
    return rec.loss(y)


def test_bounds_in_the_file_equal_a_recomputation_from_the_probes(tmp_path):
    """Encode the sites' activations by hand, in evaluation mode, and compare rate and row counts with the file."""
    model = host()
    x, y = data(60).tensors
    with recording(tmp_path, model) as rec:
        for _ in range(5):
            rec_step(rec, model)
        measured = rec.measure([(x[:25], y[:25]), (x[25:], y[25:])])
        model.eval()
        first = model.first(x)
        second = model.second(first)
        kl = []
        for site, h in zip(SITES, (first, second), strict=True):
            mean, std = rec.probe(site).encode(h)
            normal = torch.distributions.Normal(mean, std)
            kl.append(torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).sum(1))
    np.testing.assert_allclose(measured.bounds.i_zx, [k.mean().item() / math.log(2) for k in kl], rtol=1e-5)
    np.testing.assert_allclose(measured.bounds.se_i_zx, [k.std().item() / math.log(2) / 60**0.5 for k in kl], rtol=1e-3)
    assert measured.bounds.n == 60
    assert measured.bounds.h_y == pytest.approx(math.log2(3))
    assert measured.loss == pytest.approx(functional.cross_entropy(model(x), y).item() / math.log(2), rel=1e-5)
    with ip.open_run(tmp_path / "run.h5") as run:
        table = run.plane().to_dataframe()
        rate = table.query("quantity == 'i_zx'").set_index("probe")["value"]
        np.testing.assert_allclose(rate[SITES], measured.bounds.i_zx)
        sketch = run.sketch("activations", "second")
        assert sketch.scalars[0] == 60 * 8
        weight = run.sketch("weights", "first.0.weight")
        assert weight.scalars[0] == 16 * 6


def test_in_place_activation_behind_a_site_does_not_change_what_is_recorded(tmp_path):
    model = host()
    x, y = data(60).tensors
    with recording(tmp_path, model, sites=["second.0"]) as rec:
        rec_step(rec, model)
        rec.measure([(x, y)])
        model.eval()
        before_relu = model.second[0](model.first(x))
    with ip.open_run(tmp_path / "run.h5") as run:
        value = dict(zip(ip.analysis.sketch.QUANTITIES, run.sketch("activations", "second.0").scalars, strict=True))
    assert value["count_negative"] == int((before_relu < 0).sum()) > 0


def test_control_measures_the_frozen_untrained_host(tmp_path):
    """The control's activations are those of the host as it was; its probes start where the host's probes start."""
    train(host(), tmp_path / "run.h5", epochs=6)
    with ip.open_run(tmp_path / "run.h5") as run:
        table = run.plane().to_dataframe().query("quantity == 'i_zy'").set_index(["probe", "step"])["value"].unstack(0)
    assert list(table.columns.sort_values()) == ["first", "first@untrained", "second", "second@untrained"]
    assert not np.allclose(table["second"], table["second@untrained"])


def test_control_of_a_host_that_is_never_trained_equals_the_host(tmp_path):
    """With nothing trained, host and control differ by dropout's masks alone; without dropout they are equal."""
    model = host()
    model.first[3].p = 0.0
    with recording(tmp_path, model, control=True) as rec:
        for _ in range(10):
            rec_step(rec, model)
        bounds = rec.measure(DataLoader(data(30), 10)).bounds
    np.testing.assert_array_equal(bounds.i_zx[:2], bounds.i_zx[2:])
    np.testing.assert_array_equal(bounds.i_zy[:2], bounds.i_zy[2:])


def test_probe_every_thins_the_probes_steps(tmp_path):
    changes = []
    model = host()
    with recording(tmp_path, model, probe_every=3) as rec:
        for _ in range(7):
            before = rec.probe("first").encoder.weight.clone() if rec.step else None
            rec_step(rec, model)
            changes.append(before is None or not torch.equal(before, rec.probe("first").encoder.weight))
        rec.measure(DataLoader(data(30), 10))
    assert changes == [True, False, False, True, False, False, True]


def test_observe_returns_a_constant_zero_and_joint_a_graph(tmp_path):
    model = host()
    with recording(tmp_path, model) as rec:
        loss = rec_step(rec, model)
        assert loss.item() == 0
        assert not loss.requires_grad
    with recording(tmp_path, model, mode="joint", overwrite=True) as rec:
        loss = rec_step(rec, model)
        weight = rec.probe("first").encoder.weight.detach().clone()
        loss.backward()
        assert model.first[0].weight.grad is not None
        assert torch.equal(weight, rec.probe("first").encoder.weight)
        rec_step(rec, model)  # the probes step inside it, whether the loss is differentiated or not
        assert not torch.equal(weight, rec.probe("first").encoder.weight)


def test_observe_learns_inside_no_grad_and_under_autocast(tmp_path):
    model = host()
    with recording(tmp_path, model) as rec:
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            rec_step(rec, model)
            before = rec.probe("first").encoder.weight.detach().clone()
            rec_step(rec, model)
        assert before.dtype == torch.float32
        assert not torch.equal(before, rec.probe("first").encoder.weight)


def test_validation_forward_between_forward_and_loss_is_not_captured(tmp_path):
    model = host()
    x, y = data(12).tensors
    with recording(tmp_path, model) as rec:
        model.train()
        model(x)
        model.eval()
        model(torch.zeros(5, 6))
        model.train()
        rec.loss(y)


def test_batch_block_learns_from_the_last_forward(tmp_path):
    model = host()
    x, y = data(12).tensors
    with recording(tmp_path, model) as rec:
        with rec.batch(y):
            model(x)
            model(x)
        assert rec.step == 1
        with pytest.raises(CaptureError, match="no training forward"), rec.batch(y):
            pass


# What is refused, and what is reported


def test_loss_without_a_forward_and_after_two_is_refused(tmp_path):
    model = host()
    x, y = data(12).tensors
    with recording(tmp_path, model) as rec:
        with pytest.raises(CaptureError, match="there was none"):
            rec.loss(y)
        model(x)
        model(x)
        with pytest.raises(CaptureError, match="there were 2"):
            rec.loss(y)
        model(x)
        rec.loss(y)
        with pytest.raises(CaptureError, match="there was none"):
            rec.loss(y)


def test_labels_of_another_batch_are_refused(tmp_path):
    model = host()
    with recording(tmp_path, model) as rec:
        model(torch.zeros(5, 6))
        with pytest.raises(CaptureError, match="there are 4 labels, but the forward passed 5 inputs through 'first'"):
            rec.loss(torch.zeros(4, dtype=torch.long))


def test_labels_outside_the_classes_are_refused(tmp_path):
    model = host()
    with recording(tmp_path, model) as rec:
        model(torch.zeros(2, 6))
        with pytest.raises(InputError, match="a label is 3"):
            rec.loss(torch.tensor([0, 3]))


def test_measure_before_any_step_is_refused(tmp_path):
    with recording(tmp_path) as rec, pytest.raises(CaptureError, match="before any step"):
        rec.measure(DataLoader(data(10), 5))


@pytest.mark.parametrize(("loader", "text"), [([], "empty loader"), ([torch.zeros(3, 6)], "gave a Tensor")])
def test_measure_on_something_else_than_pairs_is_refused(tmp_path, loader, text):
    model = host()
    with recording(tmp_path, model) as rec:
        rec_step(rec, model)
        with pytest.raises(InputError, match=text):
            rec.measure(loader)


def test_unknown_site_leaves_no_file_and_no_hook(tmp_path):
    before = hooks()
    with pytest.raises(SiteError, match="did you mean 'first'"):
        recording(tmp_path, sites=["frist"])
    assert hooks() == before
    assert not (tmp_path / "run.h5").exists()


class Odd(nn.Module):
    """One module never called, one called twice, one that gives a tuple."""

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(6, 6)
        self.unused = nn.Linear(6, 6)
        self.twice = nn.Linear(6, 6)
        self.lstm = nn.LSTM(6, 6)

    def forward(self, x):
        return self.lstm(self.twice(self.twice(self.body(x))))[0]


@pytest.mark.parametrize(
    ("site", "error", "text"),
    [
        ("unused", CaptureError, "did not call 'unused'"),
        ("twice:2", CaptureError, "did not call 'twice:2'"),
        ("lstm", SiteError, r"more than one tensor; choose one by its path: there is lstm\[0\] \(4, 6\), lstm\[1\]"),
        ("lstm[2]", SiteError, r"lstm\[0\] \(4, 6\)"),
    ],
)
def test_sites_that_cannot_be_recorded_are_refused_by_name(tmp_path, site, error, text):
    model = Odd()
    with pytest.raises(error, match=text), recording(tmp_path, model, sites=[site]):
        model(torch.zeros(4, 6))


def test_a_module_called_twice_is_two_sites_and_a_tuple_is_taken_by_path(tmp_path):
    """Each call keeps its own tensor: the second reads what the first gave."""
    model, (x, y) = Odd(), data(12).tensors
    with recording(tmp_path, model, sites=["twice", "lstm[0]"], activations=True) as rec:
        rec_step(rec, model)
        assert rec.sites == ("twice:0", "twice:1", "lstm[0]")
        rec.measure([(x, y)])
        once = model.twice(model.body(x))
        expected = {"twice:0": once, "twice:1": model.twice(once), "lstm[0]": model(x)}
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.plane()["site"].tolist() == list(expected)
        for site, tensor in expected.items():
            assert run.sketch("activations", site)["count_positive"] == int((tensor > 0).sum())
            largest = tensor.clamp(min=0).max().item()
            assert run.sketch("activations", site)["maximum_positive"] == pytest.approx(largest)


def test_leaves_are_the_sites_by_default_and_those_without_anything_to_record_are_named(tmp_path, caplog):
    model = Odd()
    with recording(tmp_path, model, sites=None) as rec, caplog.at_level("WARNING", logger="infoplane"):
        rec_step(rec, model)
        assert rec.sites == ("body", "twice:0", "twice:1")
    said = (
        "not recorded: unused (never called), lstm (not one floating-point tensor); "
        "infoplane.sites(model, x) spells out what there is"
    )
    unread = "the network's own output is not read as scores: its loss and error are not recorded, and do not enter"
    first, second = (record.getMessage() for record in caplog.records if record.name == "infoplane")
    assert first.startswith(unread)
    assert second == said
    with ip.open_run(tmp_path / "run.h5") as run:
        assert said in run.events()["text"].tolist()


def test_too_many_leaves_are_asked_about_before_anything_is_made(tmp_path):
    before = hooks()
    with pytest.raises(SiteError, match="40"):
        recording(tmp_path, nn.Sequential(*(nn.Linear(6, 6) for _ in range(40))), sites=None)
    assert hooks() == before
    assert not (tmp_path / "run.h5").exists()


def test_existing_file_is_refused_and_kept_unless_overwritten(tmp_path):
    path = tmp_path / "run.h5"
    path.write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(RunFileError, match=r"run\.h5"), recording(tmp_path, overwrite=overwrite):
            pass
        assert path.read_text() == "mine"
    path.unlink()
    for steps in (1, 2):
        with recording(tmp_path, overwrite=True) as rec:
            for _ in range(steps):
                rec_step(rec, rec.model)
            rec.measure(DataLoader(data(10), 5))
        with ip.open_run(path) as run:
            assert run.plane().row_values.tolist() == [steps]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"classes": 1}, "classes is 1"),
        ({"probe_every": 0}, "probe_every is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"mode": "join"}, "did you mean 'joint'"),
    ],
)
def test_unusable_arguments_are_refused(tmp_path, options, text):
    with pytest.raises(InputError, match=text):
        recording(tmp_path, **options)


def test_non_finite_activations_are_counted_and_reported(tmp_path):
    model = host()
    x, y = data(12).tensors
    broken = x.clone()
    broken[4, 0] = math.nan
    model.first[1] = nn.Identity()
    with recording(tmp_path, model) as rec:
        rec_step(rec, model)
        model(broken)
        rec.loss(y)
        measured = rec.measure([(broken, y)])
    assert np.isnan(measured.bounds.i_zx).all()
    with ip.open_run(tmp_path / "run.h5") as run:
        findings = run.findings().to_dataframe().set_index(["where", "code"])["text"]
        summary = dict(zip(ip.analysis.sketch.QUANTITIES, run.sketch("activations", "second").scalars, strict=True))
    assert summary["nans"] == 8
    assert findings["second", "non_finite"].startswith("8 of 96 values are NaN or infinite")
    assert "left out 1 inputs" in findings["first", "left_out"]


def test_a_run_says_what_its_numbers_cannot_mean_and_nothing_that_cries_wolf(tmp_path):
    """Rates beyond log2 60, repeated inputs, a control that still learns; siblings' codes are never compared."""
    model = host()
    x, y = data(60).tensors
    x[7], y[7] = x[1], y[1]
    with recording(tmp_path, model, control=True, learning_rate=5e-3) as rec:
        for _ in range(4):
            for _ in range(10):
                rec_step(rec, model)
            measured = rec.measure([(x[:25], y[:25]), (x[25:], y[25:])])
    with ip.open_run(tmp_path / "run.h5") as run:
        table = run.findings().to_dataframe()
        rates, label_bounds = (run.plane()["values"][..., k] for k in (0, 1))
    assert list(table) == ["finding", "step", "stream", "where", "code", "text", "amount", "unit", "advice"]
    beyond = table[table["code"] == "rate_above_log_n"].set_index(["step", "where"])["amount"]
    expected = {
        (10 * (row + 1), name): rates[row, k] - math.log2(60)
        for row in range(4)
        for k, name in enumerate(("first", "second", "first@untrained", "second@untrained"))
        if rates[row, k] >= math.log2(60)
    }
    assert beyond.to_dict() == pytest.approx(expected)
    assert len(expected) > 4
    repeated = table[table["code"] == "duplicate_inputs"]
    assert repeated["step"].tolist() == [10, 20, 30, 40]
    assert repeated["amount"].tolist() == pytest.approx([2 / 60] * 4)
    falling = table[table["code"] == "rate_still_falling"]
    assert set(falling["where"]) == {"first@untrained", "second@untrained"}
    for _, said in falling.iterrows():
        course = rates[: said["step"] // 10, 2 + (said["where"] == "second@untrained")]
        assert said["amount"] == pytest.approx(course[0] - course[-1])
        assert (np.diff(course) < 0).all()
    below = table[table["code"] == "label_bound_below_zero"].set_index(["step", "where"])["amount"]
    assert below.to_dict() == {
        (10 * (row + 1), name): -label_bounds[row, k]
        for row in range(4)
        for k, name in enumerate(("first", "second", "first@untrained", "second@untrained"))
        if label_bounds[row, k] < 0
    }
    named = {"rate_above_log_n", "label_bound_below_zero", "duplicate_inputs", "rate_still_falling"}
    assert set(table["code"]) <= named | {"collapsed_dimensions"}
    assert measured.bounds.i_zx == pytest.approx([each.sum() for each in measured.dimensions])


def test_rates_on_other_inputs_are_not_taken_for_a_fall(tmp_path):
    model = host()
    x, y = data(60).tensors
    halves, orders = [slice(0, 30), slice(30, 60)], [torch.arange(60), torch.arange(60).flip(0)]
    found = []
    for batches in ([[(x[h], y[h])] for h in halves], [[(x[o], y[o])] for o in orders]):
        with recording(tmp_path, model, control=True, learning_rate=5e-3, overwrite=True) as rec:
            for batch in batches:
                for _ in range(20):
                    rec_step(rec, model)
                rec.measure(batch)
        with ip.open_run(tmp_path / "run.h5") as run:
            found.append("rate_still_falling" in run.findings()["code"])
    assert found == [False, True]


def test_rates_before_the_inputs_changed_are_forgotten_and_those_kept_are_few(tmp_path):
    model = host()
    x, y = data(60).tensors
    first, second = [(x[:30], y[:30])], [(x[30:], y[30:])]
    kept = []
    with recording(tmp_path, model, control=True, learning_rate=5e-3) as rec:
        for batch in (first, first, second, first, *[second] * 8):
            rec_step(rec, model)
            rec.measure(batch)
            kept.append(len(rec._rates))
    assert kept == [1, 2, 1, 1, 1, 2, 3, 4, 5, 5, 5, 5]
    with ip.open_run(tmp_path / "run.h5") as run:
        table = run.findings().to_dataframe()
        rates = run.plane()["values"][..., 0]
    falling = table[(table["code"] == "rate_still_falling") & (table["where"] == "first@untrained")]
    last = falling[falling["step"] == 12]
    assert last["amount"].tolist() == pytest.approx([rates[7, 2] - rates[11, 2]])
    assert not {3, 4, 5} & set(falling["step"])


def test_a_code_that_its_prior_has_swallowed_is_said_to_carry_nothing(tmp_path):
    model = host()
    with recording(tmp_path, model, beta=3.0, learning_rate=0.05) as rec:
        for _ in range(400):
            rec_step(rec, model)
        rec.measure([data(60).tensors])
    with ip.open_run(tmp_path / "run.h5") as run:
        findings, bounds = run.findings().to_dataframe(), run.plane()["values"][0, :, 1]
    table = findings[findings["code"] == "collapsed_dimensions"]
    assert table["where"].tolist() == ["first", "second"]
    assert table["amount"].tolist() == [4, 4]
    assert table["text"].str.contains("carries nothing").all()
    # What is guessed from nothing is guessed at the labels' frequencies, about as well as they allow.
    below = findings[findings["code"] == "label_bound_below_zero"].set_index("where")["amount"].to_dict()
    assert below == {
        name: -bound for name, bound in zip(("first", "second"), bounds.tolist(), strict=True) if bound < 0
    }
    assert set(findings["code"]) <= {"collapsed_dimensions", "label_bound_below_zero"}


def test_interrupted_run_says_so_and_keeps_its_rows(tmp_path):
    model = host()
    with pytest.raises(KeyboardInterrupt), recording(tmp_path, model) as rec:
        rec_step(rec, model)
        rec.measure(DataLoader(data(10), 5))
        raise KeyboardInterrupt
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.status == "interrupted"
        assert len(run.plane()) == 1
        assert run.events().to_dataframe()["text"].iloc[-1] == "interrupted by KeyboardInterrupt"


def test_recording_that_never_saw_a_forward_leaves_no_file(tmp_path):
    with recording(tmp_path):
        pass
    assert not (tmp_path / "run.h5").exists()


def test_provenance_names_settings_and_versions(tmp_path):
    train(host(), tmp_path / "run.h5", epochs=1, configuration={"width": 16}, data={"name": "made up"}, beta=0.5)
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.status == "finished"
        assert run.configuration["width"] == 16
        assert run.provenance["probes"]["beta"] == 0.5
        assert run.provenance["probes"]["sketch_at"] == "every 100"
        assert "torch" in str(run.provenance)
        assert "made up" in str(run.provenance)
