"""A training that is stopped and goes on from a checkpoint writes the rows of one that never stopped, bit for bit."""

import copy
import io
from dataclasses import dataclass, fields, is_dataclass

import h5py
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import infoplane as ip
from infoplane.errors import InputError
from infoplane.probes import bank
from infoplane.probes.ranks import Ranks

CLASSES = 3
STEPS, STOP, REOPEN = 18, 7, 13  # rows at 3, 6, ..., 18
BEGINS_LATE = f"the state is of step {STOP}, but this file begins here: it has no earlier rows"
OWN_TEXTS = ("recording began", "finished", BEGINS_LATE)
LEFT_OUT_ABOVE = 0.5  # of the first feature; the site `side` gives NaN there


class Host(nn.Module):
    """Batch norm, dropout, a ReLU in place, a module called twice, and a path around all of it that can be closed."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.side = nn.Identity()  # seen by probes, used by nobody
        self.first = nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.ReLU(inplace=True), nn.Dropout(0.3))
        self.second = nn.Linear(12, 12)
        self.skip, self.last = nn.Linear(6, outputs), nn.Linear(12, outputs)
        self.register_buffer("gate", torch.ones(()), persistent=False)

    def forward(self, x):
        self.side(torch.where(x[:, :1] > LEFT_OUT_ABOVE, torch.nan, x[:, :4]))
        h = self.second(self.second(self.first(x) * (1 + self.gate)).tanh()).tanh()
        return self.last(h) + self.gate * self.skip(x)


class Narrow(nn.Module):
    """A bottleneck with a path around it."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(6, 12), nn.ReLU())
        self.head = ip.VIBHead(12, outputs, latent=4, seed=3)
        self.skip = nn.Linear(6, outputs)
        self.register_buffer("gate", torch.ones(()), persistent=False)

    def forward(self, x):
        return self.head(self.first(x)) + self.gate * self.skip(x)


@dataclass(frozen=True)
class Case:
    """What is recorded, on which network, with how many batches to a step of its optimizers."""

    options: dict
    network: type[nn.Module] = Host
    parts: int = 1
    world: int = 1


SITES = {"sites": ["side", "first", "second"], "latent": 4, "draws": 2, "sandwich": 8, "gradients": 2, "sketch_at": 4}
CASES = {
    "everything": Case(
        {
            **SITES,
            "sites": ["side", "first"],
            "classes": CLASSES,
            "beta": [1e-3, 1e-1],
            "control": True,
            "refit": 3,
            "scale_twins": (10.0,),
            "averaging": 0.9,
            "raw": 4,
            "raw_bytes": 4 * 4 * (4 + 12) * 4,  # four rows
        }
    ),
    "thinned": Case({**SITES, "classes": CLASSES, "probe_every": 3, "control": True, "prior": "learned"}),
    "joint": Case({**SITES, "classes": CLASSES, "mode": "joint", "control": True, "std": "log_variance"}),
    "accumulation": Case(
        {**SITES, "classes": CLASSES, "mode": "joint", "probe_every": 3, "control": True, "averaging": 0.5}, parts=3
    ),
    "ranks": Case(
        {**SITES, "sites": ["side"], "classes": CLASSES, "mode": "joint", "control": True, "probe_every": 3},
        parts=3,
        world=2,
    ),
    "bottleneck": Case({**SITES, "sites": None, "latent": 256, "classes": CLASSES, "mode": "bottleneck"}, Narrow),
    "regression": Case(
        {**SITES, "targets": 2, "averaging": 0.9, "control": True, "beta": [1e-3, 1.0], "learning_rate": 1e-2}
    ),
}


class Beside(Ranks):
    """This process, and another one beside it that adds 1 to every sum."""

    def sum(self, values):
        return values + (self.world - 1)

    def gather(self, state):
        return [state]


class Training:
    """A network, two optimizers and a loop that draws from torch's global generator at every step."""

    def __init__(self, case: Case, checkpoint: dict | None = None) -> None:
        torch.manual_seed(0 if checkpoint is None else 99)
        self.case, self.real = case, "targets" in case.options
        self.model = case.network(2 if self.real else CLASSES)
        halves = [p for name, p in self.model.named_parameters() if name.startswith("first")]
        others = [p for name, p in self.model.named_parameters() if not name.startswith("first")]
        self.optimizers = [torch.optim.Adam(halves, 1e-2), torch.optim.SGD(others, 1e-2, momentum=0.9)]
        self.rows: list = []
        if checkpoint is not None:
            self.model.load_state_dict(checkpoint["model"])
            for optimizer, state in zip(self.optimizers, checkpoint["optimizers"], strict=True):
                optimizer.load_state_dict(state)
            for p, gradient in zip(self.model.parameters(), checkpoint["gradients"], strict=True):
                p.grad = gradient
            self.model.gate.copy_(checkpoint["gate"])
            torch.set_rng_state(checkpoint["random"])

    def checkpoint(self, rec) -> dict:
        return {
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "gradients": [p.grad for p in self.model.parameters()],
            "gate": self.model.gate,
            "random": torch.get_rng_state(),
            "rec": rec.state_dict(),
        }

    def batch(self, n: int, seed: int | None = None, *, clean: bool = False) -> tuple:
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        x = torch.randn(n, 6, generator=generator)
        x = x.clamp(max=LEFT_OUT_ABOVE) if clean else x
        return x, (x[:, :2] - x[:, 2:4] if self.real else x[:, :CLASSES].argmax(dim=1))

    def steps(self, rec, last: int) -> None:
        while rec.step < last:
            x, y = self.batch(8)
            output = self.model(x)
            loss = functional.mse_loss(output, y) if self.real else functional.cross_entropy(output, y)
            ((loss + rec.loss(y)) / self.case.parts).backward()
            if rec.step % self.case.parts == 0:
                # The second one steps first and more often: which is which shows in their weights alone.
                for optimizer in [self.optimizers[1], *self.optimizers] if rec.step % 3 else self.optimizers:
                    optimizer.step()
                for p in self.model.parameters():
                    p.grad = None
            if rec.step == STOP:
                rec.snapshot()
                self.model.gate.zero_()
            if rec.step == REOPEN:
                self.model.gate.fill_(1)
            held_out = [self.batch(12, 5, clean=True), self.batch(9, 6, clean=True)]
            if rec.step % 2:  # the same inputs in another order
                held_out = [(x.flip(0), y.flip(0)) for x, y in reversed(held_out)]
            fit = [self.batch(8, 7)] if rec._observer.plan.refit else None
            if rec.step >= 3:  # accumulating probes have taken a step by then
                self.rows.append(rec.measure(held_out, epoch=rec.step / 7, fit=fit))


def plain(case: Case, path) -> Training:
    training = Training(case)
    with ip.record(training.model, path, measure_at=3, **case.options) as rec:
        training.steps(rec, STEPS)
    return training


def begin(case: Case, path) -> dict:
    """Train up to the stop, and return what a checkpoint file gives back."""
    training = Training(case)
    with ip.record(training.model, path, measure_at=3, **case.options) as rec:
        training.steps(rec, STOP)
        file = io.BytesIO()
        torch.save(training.checkpoint(rec), file)
    file.seek(0)
    return torch.load(file, weights_only=True) | {"rows": training.rows}


def go_on(case: Case, path, checkpoint: dict) -> Training:
    training = Training(case, checkpoint)
    with ip.record(training.model, path, measure_at=3, **case.options) as rec:
        rec.load_state_dict(checkpoint["rec"])
        training.steps(rec, STEPS)
    training.rows = checkpoint["rows"] + training.rows
    return training


def rows_of(*paths) -> dict[str, np.ndarray]:
    """Every row of every stream, of several files one after the other, but for times and the counts of counted rows."""
    found: dict[str, list] = {}
    for path in paths:
        with h5py.File(path) as file:
            for stream, group in file["entry"].items():
                if not isinstance(group, h5py.Group) or "committed" not in group:
                    continue
                n = int(group["committed"][()])
                growing = [name for name, item in group.items() if item.maxshape[:1] == (None,)]
                for name in set(growing) - {"time", "row", "point", "finding", "event"}:
                    found.setdefault(f"{stream}/{name}", []).append(group[name][:n])
    rows = {name: np.concatenate(parts) for name, parts in found.items()}
    texts = rows.pop("events/text")
    rows["events/text"] = np.array([text for text in texts if text.decode() not in OWN_TEXTS])
    del rows["events/step"]
    return rows


def assert_same(first, second, where="") -> None:
    """Two nested values are the same, bit for bit; NaN is NaN."""
    assert type(first) is type(second), where
    if is_dataclass(first):
        first, second = ({f.name: getattr(each, f.name) for f in fields(each)} for each in (first, second))
    if isinstance(first, dict):
        assert list(first) == list(second), where
        for name in first:
            assert_same(first[name], second[name], f"{where}.{name}")
    elif isinstance(first, list | tuple):
        assert len(first) == len(second), where
        for k, (mine, theirs) in enumerate(zip(first, second, strict=True)):
            assert_same(mine, theirs, f"{where}[{k}]")
    elif isinstance(first, torch.Tensor):
        assert first.dtype == second.dtype, where
        assert torch.equal(first, second), where
    elif isinstance(first, np.ndarray):
        assert first.dtype == second.dtype, where
        np.testing.assert_array_equal(first, second, err_msg=where)
    elif isinstance(first, float):
        assert first == second or (first != first and second != second), where
    else:
        assert first == second, where


@pytest.mark.parametrize("name", CASES)
def test_a_stopped_training_writes_the_rows_of_one_that_never_stopped(tmp_path, name, monkeypatch):
    case = CASES[name]
    monkeypatch.setattr(Ranks, "current", lambda: Beside(0, case.world))
    monkeypatch.setattr(bank, "LABELS_FIRST", 3)
    monkeypatch.setattr(bank, "LABELS_EVERY", 3)
    whole = plain(case, tmp_path / "whole.h5")
    checkpoint = begin(case, tmp_path / "first.h5")
    resumed = go_on(case, tmp_path / "second.h5", checkpoint)
    assert_same(whole.rows, resumed.rows)
    assert_same(whole.model.state_dict(), resumed.model.state_dict())
    assert_same(rows_of(tmp_path / "whole.h5"), rows_of(tmp_path / "first.h5", tmp_path / "second.h5"))


def started(**options):
    """A small recording after one step."""
    with fresh(**options) as rec:
        step(rec)
    return rec


def fresh(model=None, **options):
    model = torch.nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, CLASSES)) if model is None else model
    return ip.record(model, None, **{"sites": ["0"], "classes": CLASSES, "latent": 2, "sketch_at": None} | options)


def step(rec):
    x = torch.linspace(-1, 1, 24).reshape(6, 4)
    optimizer = torch.optim.SGD(rec.model.parameters(), 0.1)
    (rec.model(x).square().mean() + rec.loss(torch.arange(6) % CLASSES)).backward()
    optimizer.step()
    optimizer.zero_grad()


def leaves(value, where=""):
    if type(value) in (dict, list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            assert type(key) in (str, int)
            yield from leaves(item, f"{where}.{key}")
    else:
        yield where, value


def test_a_state_is_of_plain_values_and_does_not_change_with_the_steps_after_it():
    case = CASES["everything"]
    training = Training(case)
    with ip.record(training.model, None, measure_at=3, **case.options) as rec:
        training.steps(rec, 4)
        state = rec.state_dict()
        before = copy.deepcopy(state)
        training.steps(rec, 6)
    assert_same(before, state)
    assert {type(value) for _, value in leaves(state)} <= {torch.Tensor, int, float, str, bool, type(None)}


def test_what_was_loaded_and_not_used_yet_is_kept_in_the_next_state():
    state = started(control=True).state_dict()
    with fresh(control=True) as rec:
        rec.load_state_dict(state)
        assert rec.step == 1
        assert_same(state, rec.state_dict())
        rec.load_state_dict(rec.state_dict())  # an earlier look at the state does no harm
        step(rec)
        assert rec.step == 2


def test_loading_does_not_tie_the_recording_to_the_state_that_was_given():
    state = started(averaging=0.5, control=True).state_dict()
    before = copy.deepcopy(state)
    with fresh(averaging=0.5, control=True) as rec:
        rec.load_state_dict(state)
        step(rec), step(rec)
    assert_same(before, state)


def test_a_state_of_before_the_first_step_is_a_beginning():
    with fresh(control=True) as rec:
        state = rec.state_dict()
    with fresh(control=True) as rec:
        rec.load_state_dict(state)
        step(rec)
        assert rec.step == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"beta": 0.5}, r"setting 'beta' \(0.001\), but this one has setting 'beta' \(0.5\)"),
        ({"control": True}, r"setting 'control' \(False\), but this one has setting 'control' \(True\)"),
        ({"seed": 1}, r"setting 'seed' \(0\)"),
        ({"classes": None, "targets": 3}, "no setting 'dimensions', no setting 'entropy', but"),
    ],
)
def test_a_state_of_other_settings_is_refused_with_the_difference(options, said):
    state = started().state_dict()
    with fresh(**options) as rec, pytest.raises(InputError, match=said):
        rec.load_state_dict(state)


def test_a_state_of_other_sites_is_refused_at_the_first_step_with_the_difference():
    state = started().state_dict()
    with fresh(sites=["0", "1"]) as rec:
        rec.load_state_dict(state)
        with pytest.raises(InputError, match=r"no site '1', but this one has site '1' \('flatten' of inputs"):
            step(rec)


def test_gradients_of_another_network_are_refused():
    state = started().state_dict()
    said = (
        r"weight '0.weight' \(of shape \(8, 4\)\), .* has weight '0.weight' \(of shape \(9, 4\)\), no weight '2.weight'"
    )
    with fresh(nn.Sequential(nn.Linear(4, 9), nn.Linear(9, CLASSES))) as rec, pytest.raises(InputError, match=said):
        rec.load_state_dict(state)


def test_a_control_of_another_network_is_refused_at_the_first_forward():
    state = started(control=True, gradients=0).state_dict()
    other = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 5), nn.Linear(5, CLASSES))
    with fresh(other, control=True, gradients=0) as rec:
        rec.load_state_dict(state)
        for _ in range(2):  # whatever was caught before
            with pytest.raises(
                InputError, match=r"no tensor '3.weight', but this one has tensor '2.weight' .*\(5, 8\)"
            ):
                step(rec)


def test_a_state_is_loaded_before_the_first_training_forward_alone():
    rec = started()
    state = rec.state_dict()  # also when the recording is over
    with pytest.raises(InputError, match="the recording is over"):
        rec.load_state_dict(state)
    with fresh() as rec:
        rec.model.eval()(torch.zeros(2, 4))
        rec.load_state_dict(state)
        rec.model.train()(torch.zeros(2, 4))
        with pytest.raises(InputError, match="before the first training forward"):
            rec.load_state_dict(state)
        with pytest.raises(InputError, match="before the first training forward"):
            rec._observer.begin_at(5)


def test_a_control_that_a_failed_forward_has_made_is_no_place_for_a_state():
    with fresh(control=True) as rec:
        with pytest.raises(RuntimeError):
            rec.model(torch.zeros(2, 5))
        with pytest.raises(InputError, match="before the first training forward"):
            rec.load_state_dict(rec.state_dict())


@pytest.mark.parametrize(
    ("state", "said"),
    [({"param_groups": []}, "is no state of a recording"), (None, "is no"), ({"version": 1}, "has version 1")],
)
def test_what_is_no_state_of_this_version_is_refused(state, said):
    with fresh() as rec, pytest.raises(InputError, match=said):
        rec.load_state_dict(state)


def test_without_a_state_steps_go_on_but_not_with_a_control():
    with fresh() as rec:
        rec._observer.begin_at(40)
        step(rec)
        assert rec.step == 41
    with fresh(control=True) as rec:
        rec._observer.begin_at(40)
        with pytest.raises(InputError, match="goes on at step 40, but the untrained network cannot be had"):
            step(rec)
