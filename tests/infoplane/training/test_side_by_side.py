"""Trainings side by side give what each gives alone, rows, weights and checkpoints; what cannot is refused."""

import os
import signal
import threading

import numpy as np
import pytest
import torch
from torch import nn

import infoplane as ip
from infoplane.errors import CaptureError, InputError, RunFileError
from infoplane.training import TrainingError, train, train_side_by_side
from infoplane.training.assembly import assemble, load_data
from infoplane.training.checkpoint import read_checkpoint
from infoplane.training.group import Group
from infoplane.training.length import Length
from infoplane.training.limits import check_networks
from infoplane.training.place import place
from infoplane.training.session import Session

SEEDS = (3, 0, 8)
FEW = {"probes__probe_every": 3, "probes__sketch_at": 4}  # every third step is seen, and every fourth


class Noisy(nn.Sequential):
    """Draws random numbers although it holds no dropout."""

    def forward(self, x):
        return super().forward(x + 0.1 * torch.randn_like(x))


def noisy(shape, classes, seed):
    return Noisy(nn.Flatten(), ip.models.mlp((64, 8, 10), seed=seed))


class Counting(nn.Sequential):
    """Gives something else at every call."""

    calls = 0

    def forward(self, x):
        Counting.calls += 1
        return super().forward(x) * Counting.calls


def counting(shape, classes, seed):
    return Counting(nn.Flatten(), ip.models.mlp((64, 8, 10), seed=seed))


def normed(shape, classes, seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 10))


class Kept(nn.Module):
    """A network with something in its middle; the subclasses are what cannot run as one form of several networks."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(64, 8), nn.Linear(8, 10)

    def middle(self, x):
        return x

    def forward(self, x):
        return self.last(self.middle(torch.relu(self.first(x.flatten(1)))))


class Warming(Kept):
    steps = 0

    def middle(self, x):
        self.steps += self.training
        return x * min(1.0, 0.1 + self.steps / 20)


class OwnGenerator(Kept):
    def __init__(self):
        super().__init__()
        self.generator = np.random.default_rng(0)

    def middle(self, x):
        return x + torch.from_numpy(self.generator.standard_normal(8)).float() * self.training


class AssignedBuffer(Kept):
    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(8))

    def middle(self, x):
        if self.training:
            self.seen = 0.9 * self.seen + 0.1 * x.detach().mean(0)
            return x
        return x - self.seen


class GradientHook(Kept):
    def __init__(self):
        super().__init__()
        self.first.weight.register_hook(lambda gradient: 0.1 * gradient)


class BackwardHook(Kept):
    def __init__(self):
        super().__init__()
        self.last.register_full_backward_hook(lambda module, given, out: tuple(0.1 * g for g in given))


class TensorHook(Kept):
    def middle(self, x):
        if x.requires_grad:
            x.register_hook(lambda gradient: 0.1 * gradient)
        return x


class Closure(Kept):
    """Its hook refers to a parameter past the tree of modules, which a copy of the network does not."""

    def __init__(self):
        super().__init__()
        gate = self.gate = nn.Parameter(torch.ones(8))
        self.first.register_forward_hook(lambda module, given, out: out * gate)


class GradMode(Kept):
    def middle(self, x):
        return x if torch.is_grad_enabled() else 2 * x


class Tied(Kept):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(8, 8), nn.Linear(8, 8)
        self.two.weight = self.one.weight
        self.register_buffer("scale", torch.full((8,), 0.5))
        self.register_buffer("again", self.scale)

    def middle(self, x):
        return torch.tanh(self.two(torch.tanh(self.one(self.again * x))))


def of_class(cls):
    def built(shape, classes, seed):
        torch.manual_seed(seed)
        return cls()

    return built


warming, own_generator, assigned_buffer, gradient_hook, backward_hook, tensor_hook, closure, grad_mode, tied = map(
    of_class,
    (Warming, OwnGenerator, AssignedBuffer, GradientHook, BackwardHook, TensorHook, Closure, GradMode, Tied),
)


def rows_of(path):
    with ip.open_run(path) as run:
        assert run.status == "finished"
        return {
            (name, variable): run.stream(name)[variable]
            for name in run.streams
            for variable in run.stream(name).names
            if variable != "time" and name != "events"
        }


def assert_close_states(one, other, where=""):
    assert type(one) is type(other), where
    if isinstance(one, dict):
        assert list(one) == list(other), where
        for name in one:
            assert_close_states(one[name], other[name], f"{where}.{name}")
    elif isinstance(one, list):
        assert len(one) == len(other), where
        for k, pair in enumerate(zip(one, other, strict=True)):
            assert_close_states(*pair, f"{where}[{k}]")
    elif isinstance(one, torch.Tensor):
        rtol, atol = (1e-3, 1e-5) if one.is_floating_point() else (0, 0)
        torch.testing.assert_close(one, other, rtol=rtol, atol=atol, equal_nan=True, msg=lambda m: f"{where}: {m}")
    else:
        assert one == other, where


def assert_same_but_for_rounding(alone, together):
    mine, theirs = rows_of(alone), rows_of(together)
    assert mine.keys() == theirs.keys()
    assert len(mine["plane", "step"]) == 2
    for name, values in mine.items():
        values, found = np.asarray(values), np.asarray(theirs[name])
        assert values.shape == found.shape, name
        if name[1] == "counts":  # a value at the edge of a bin may fall to either side
            assert np.abs(values.astype(int) - found.astype(int)).sum() <= 4, name
        elif values.dtype.kind == "f":
            np.testing.assert_allclose(found, values, rtol=2e-3, atol=1e-5, err_msg=str(name))
        else:
            np.testing.assert_array_equal(found, values, err_msg=str(name))
    kept = [read_checkpoint(path.with_suffix(".ckpt")) for path in (alone, together)]
    for state in kept:
        for rank in state["ranks"]:
            del rank["recording"]["run"]
            rank["recording"]["rows"].pop("events", None)
            # Neurons, sketches and the probes' own states are compared by what they come to in the rows.
            rank["recording"].pop("rates"), rank["recording"]["observer"].pop("probes")
    for tensor in kept[1]["model"].values():
        assert tensor.untyped_storage().nbytes() == tensor.nbytes
    assert_close_states(*kept)
    configurations = []
    for path in (alone, together):
        with ip.open_run(path) as run:
            configurations.append(run.configuration)
    assert configurations[0] == configurations[1]


def both_ways(settings, tmp_path):
    """Train three seeds one by one, and side by side, and return the paths in pairs."""
    each = [settings.changed({"seed": seed}) for seed in SEEDS]
    pairs = [(tmp_path / f"alone-{s.seed}.h5", tmp_path / f"together-{s.seed}.h5") for s in each]
    for own, (path, _) in zip(each, pairs, strict=True):
        train(own, path, quiet=True)
    ended = train_side_by_side(each, [path for _, path in pairs], quiet=True)
    assert [one.failure for one in ended] == [None] * 3
    assert [len(one.measurements) for one in ended] == [2] * 3
    assert [one.path for one in ended] == [path for _, path in pairs]
    return pairs


SGD = {"optimizer__name": "sgd", "optimizer__learning_rate": 0.1, "optimizer__momentum": 0.9}
CASES = {
    "baseline": {"optimizer__weight_decay": 0.01, "optimizer__decay_every": 1, "probes__control": True},
    "label-smoothing": SGD,
    "confidence-penalty": {"probes__gradients": 3},
    "synscal": SGD,
    "synscaw": {"scaling__every": "2 steps", "scaling__rate": 0.3},
}


@pytest.mark.parametrize("method", CASES)
def test_rows_weights_and_checkpoints_are_those_of_each_alone(small, tmp_path, method):
    for pair in both_ways(small(method=method, **FEW, **CASES[method]), tmp_path):
        assert_same_but_for_rounding(*pair)


def test_so_are_they_where_probes_learn_at_every_step_and_classes_have_weights(small, tmp_path):
    settings = small(method="synscaw", training__class_weights=True, probes__control=True, **SGD)
    for pair in both_ways(settings, tmp_path):
        assert_same_but_for_rounding(*pair)


def test_buffers_of_batch_norm_are_those_of_each_alone(small, tmp_path):
    name = f"{__name__}:normed"
    # By Adam the bias before the norm, whose gradient is nothing but rounding, would move by its whole rate.
    settings = small(model__name=name, model__hidden=None, probes__sites=("1", "3"), **FEW, **SGD)
    for pair in both_ways(settings, tmp_path):
        assert_same_but_for_rounding(*pair)


def test_real_labels(small, tmp_path):
    settings = small(data__name="diabetes", data__train=200, training__batch_size=80, **FEW)
    for pair in both_ways(settings, tmp_path):
        assert_same_but_for_rounding(*pair)


def test_a_file_says_how_its_training_was_run(small, tmp_path):
    settings = [small(seed=seed, training__epochs=1) for seed in range(2)]
    train_side_by_side(settings, [tmp_path / "0.h5", tmp_path / "1.h5"], quiet=True)
    with ip.open_run(tmp_path / "1.h5") as run:
        assert "trained side by side, one of 2 seeds" in list(run.stream("events")["text"])


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"method": "dropout"}, "draws random numbers"),
        ({"method": "vib"}, "draws random numbers"),
        ({"model__name": f"{__name__}:noisy", "model__hidden": None, "probes__sites": "1"}, "draws random numbers"),
        ({"model__name": "gru", "model__hidden": None}, "torch.vmap does not take"),
        ({"model__name": f"{__name__}:counting", "model__hidden": None, "probes__sites": "1"}, "other outputs"),
        ({"optimizer__schedule": "plateau"}, "'plateau'"),
        ({"probes__mode": "joint"}, "'joint'"),
        ({"training__precision": "bfloat16"}, "'bfloat16'"),
        ({"training__compile": True}, "training.compile"),
        ({"method": "synscaw", "scaling__source": "data"}, "scaling.source"),
    ],
)
def test_what_cannot_be_trained_side_by_side_is_refused_before_anything_is_written(small, tmp_path, given, why):
    settings = [small(seed=seed, **given) for seed in range(2)]
    with pytest.raises(InputError, match=f"cannot train side by side: .*{why}.*leave --vectorize out"):
        train_side_by_side(settings, [tmp_path / "0.h5", tmp_path / "1.h5"], quiet=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("network", "why"),
    [
        ("warming", "forward changes steps"),
        ("own_generator", "forward changes generator"),
        ("assigned_buffer", "forward changes seen"),
        ("gradient_hook", "a hook on its gradient"),
        ("backward_hook", "other gradients"),
        ("tensor_hook", "other gradients"),
        ("closure", "other gradients"),
        ("grad_mode", "no gradients are asked for"),
    ],
)
def test_a_network_that_would_train_to_other_weights_is_refused(small, tmp_path, network, why):
    settings = [
        small(seed=s, model__name=f"{__name__}:{network}", model__hidden=None, probes__sites="first") for s in range(2)
    ]
    with place("cpu") as where:
        data = load_data(settings[0])
        sessions = []
        for own in settings:
            parts = assemble(own.resolved, data, where)
            length = Length.of(own.resolved.training, inputs=len(data.train_labels), world=1)
            sessions.append(Session(own.resolved, data, where, parts, length, tmp_path / "0.h5"))
        with pytest.raises(InputError, match=f"cannot train side by side: .*{why}"):
            check_networks(sessions)
        assert all(parameter.grad is None for session in sessions for parameter in session.parts.model.parameters())


def test_a_tensor_of_two_names_is_one_tensor_side_by_side_too(small, tmp_path):
    settings = small(model__name=f"{__name__}:tied", model__hidden=None, probes__sites=("first", "two"), **FEW)
    for pair in both_ways(settings, tmp_path):
        assert_same_but_for_rounding(*pair)


@pytest.mark.parametrize("moment", ["begin", "finish"])
def test_a_checkpoint_that_cannot_be_written_costs_the_others_nothing(small, tmp_path, monkeypatch, moment):
    settings = [small(seed=seed) for seed in SEEDS]
    paths = [tmp_path / f"{own.seed}.h5" for own in settings]
    whole = getattr(Session, moment)

    def blocked(session, *given):
        if session.path == paths[1]:
            raise RunFileError("no room")
        return whole(session, *given)

    monkeypatch.setattr(Session, moment, blocked)
    ended = train_side_by_side(settings, paths, quiet=True)
    assert [str(each.failure) for each in ended] == ["None", "no room", "None"]
    for path in (paths[0], paths[2]):
        assert read_checkpoint(path.with_suffix(".ckpt"))["epoch"] == 2
        assert len(rows_of(path)["plane", "values"]) == 2


def test_settings_that_are_no_seeds_of_one_setting_are_refused(small, tmp_path):
    paths = [tmp_path / "0.h5", tmp_path / "1.h5"]
    with pytest.raises(InputError, match="differ in the seed alone"):
        train_side_by_side([small(), small(seed=1, optimizer__learning_rate=0.1)], paths)
    with pytest.raises(InputError, match="each is trained once"):
        train_side_by_side([small(), small()], paths)
    with pytest.raises(InputError, match="2 settings and 1 paths"):
        train_side_by_side([small(), small(seed=1)], [paths[0], paths[0]])
    with pytest.raises(InputError, match="no settings"):
        train_side_by_side([], [])
    with pytest.raises(InputError, match="say one of the two"):
        train_side_by_side([small()], paths[:1], resume=True, overwrite=True)


def test_an_existing_file_is_not_replaced_unless_asked(small, tmp_path):
    settings = [small(seed=seed, training__epochs=1) for seed in range(2)]
    paths = [tmp_path / "0.h5", tmp_path / "1.h5"]
    train(settings[1], paths[1], quiet=True)
    before = paths[1].read_bytes()
    with pytest.raises(RunFileError):
        train_side_by_side(settings, paths, quiet=True)
    assert paths[1].read_bytes() == before
    assert all(each.failure is None for each in train_side_by_side(settings, paths, overwrite=True, quiet=True))


def test_one_that_fails_leaves_the_others_what_they_are(small, tmp_path, monkeypatch):
    settings = [small(seed=seed, **FEW) for seed in SEEDS]
    for own in settings:
        train(own, tmp_path / f"alone-{own.seed}.h5", quiet=True)
    make = Group.__init__

    def spoiled(group, members):
        make(group, members)
        with torch.no_grad():
            members[1].model.get_submodule("output").bias.fill_(torch.inf)

    monkeypatch.setattr(Group, "__init__", spoiled)
    paths = [tmp_path / f"together-{own.seed}.h5" for own in settings]
    ended = train_side_by_side(settings, paths, quiet=True)
    assert ended[0].failure is None
    assert ended[2].failure is None
    assert isinstance(ended[1].failure, TrainingError)
    assert "the loss is nan at step 1" in str(ended[1].failure)
    with ip.open_run(paths[1]) as run:
        assert run.status == "interrupted"
        assert any("the loss is nan at step 1" in text for text in run.stream("events")["text"])
    for seed in (SEEDS[0], SEEDS[2]):
        assert_same_but_for_rounding(tmp_path / f"alone-{seed}.h5", tmp_path / f"together-{seed}.h5")


def test_where_all_fail_all_say_so(small, tmp_path):
    settings = [small(seed=seed, optimizer__name="sgd", optimizer__learning_rate=1e30) for seed in range(2)]
    ended = train_side_by_side(settings, [tmp_path / "0.h5", tmp_path / "1.h5"], quiet=True)
    assert [type(each.failure) for each in ended] == [TrainingError] * 2


@pytest.fixture
def stopped_after_first_epoch(monkeypatch):
    """Let Ctrl-C come when the first training of a group has ended its first epoch."""
    from infoplane.training.session import Session

    end = Session.end_epoch

    def ending(session, rec, epoch, factor):
        if epoch == 2:
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait(1)  # the signal comes here
        return end(session, rec, epoch, factor)

    with monkeypatch.context() as patch:
        patch.setattr(Session, "end_epoch", ending)
        yield patch


@pytest.mark.parametrize("way", ["together", "alone"])
def test_a_group_that_was_stopped_goes_on_together_or_each_alone(small, tmp_path, stopped_after_first_epoch, way):
    settings = [small(seed=seed, probes__control=True, **FEW, **SGD) for seed in SEEDS]
    paths = [tmp_path / f"together-{own.seed}.h5" for own in settings]
    with pytest.raises(KeyboardInterrupt):
        train_side_by_side(settings, paths, quiet=True)
    for path in paths:
        with ip.open_run(path) as run:
            assert run.status == "interrupted"
        assert read_checkpoint(path.with_suffix(".ckpt"))["epoch"] == 1
    stopped_after_first_epoch.undo()
    if way == "together":
        train_side_by_side(settings, paths, resume=True, quiet=True)
    for own, path in zip(settings, paths, strict=True):
        if way == "alone":
            train(own, path, resume=True, quiet=True)
        alone = tmp_path / f"alone-{own.seed}.h5"
        train(own, alone, quiet=True)
        assert_same_but_for_rounding(alone, path)


def test_trainings_that_have_come_to_different_steps_go_on_and_finished_ones_are_left_alone(small, tmp_path, caplog):
    paths = [tmp_path / f"{k}.h5" for k in range(3)]
    train(small(seed=0, training__epochs=1), paths[0], quiet=True)
    train(small(seed=1), paths[1], quiet=True)
    before = paths[1].read_bytes()
    ended = train_side_by_side([small(seed=seed) for seed in range(3)], paths, resume=True, quiet=True)
    assert [len(each.measurements) for each in ended] == [1, 0, 2]
    assert paths[1].read_bytes() == before
    assert "is finished" in caplog.text
    for path in paths:
        with ip.open_run(path) as run:
            assert list(run.plane()["step"]) == [4, 8]


def test_global_random_states_and_hooks_are_as_they_were(small, tmp_path):
    from torch.nn.modules import module as hooks

    torch.manual_seed(5)
    before = torch.get_rng_state()
    counts = [len(getattr(hooks, name)) for name in dir(hooks) if name.startswith("_global_forward")]
    train_side_by_side([small(seed=seed) for seed in range(2)], [tmp_path / "0.h5", tmp_path / "1.h5"], quiet=True)
    assert torch.equal(torch.get_rng_state(), before)
    assert [len(getattr(hooks, name)) for name in dir(hooks) if name.startswith("_global_forward")] == counts


def test_only_a_step_of_which_nothing_is_recorded_can_be_skipped(tmp_path):
    model = ip.models.mlp((64, 8, 10), seed=0)
    x, y = torch.randn(4, 64), torch.tensor([0, 1, 2, 3])
    with ip.record(model, tmp_path / "run.h5", sites="hidden*", classes=10, probe_every=2, sketch_at=3) as rec:
        with pytest.raises(CaptureError, match="step 0"):
            rec.skip()
        seen = []
        for _ in range(7):
            seen.append(rec.sees_next_step)
            if seen[-1]:
                model(x), rec.loss(y)
            else:
                rec.skip()
        assert seen == [True, False, True, True, True, False, True]
        assert rec.step == 7
        rec.snapshot()
        assert rec.sees_next_step
