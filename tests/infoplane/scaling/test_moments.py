"""When there is a pass, at which rate, and that a stopped training goes on with the same passes."""

import io

import pytest
import torch
from torch import nn

from infoplane.errors import InputError
from infoplane.models import mlp
from infoplane.scaling.moments import Moments, learning_rate_factor, moments
from infoplane.scaling.synscaw import SynScaW


def net() -> nn.Sequential:
    return mlp((6, 5, 3), seed=1)


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("epoch", Moments(epochs=1)),
        ("5 epochs", Moments(epochs=5)),
        ("1 epoch", Moments(epochs=1)),
        ("step", Moments(steps=1)),
        ("100 steps", Moments(steps=100)),
        (7, Moments(steps=7)),
        ("never", Moments()),
    ],
)
def test_every_is_read(every, expected):
    assert moments(every) == expected


@pytest.mark.parametrize("every", ["", "3", "0 epochs", "-1 steps", "two steps", 0, 1.5, True, None])
def test_every_else_is_refused(every):
    with pytest.raises(InputError, match="every"):
        moments(every)


@pytest.mark.parametrize(
    ("every", "steps", "epochs"),
    [
        ("epoch", [], [1, 2, 3]),
        ("2 epochs", [], [2]),
        (3, [3, 6], []),
        ("step", [1, 2, 3, 4, 5, 6], []),
        ("never", [], []),
    ],
)
def test_passes_are_made_when_due(every, steps, epochs):
    scaling = SynScaW(net(), every=every)
    assert [step for step in range(7) if scaling.after_step(step) is not None] == steps
    assert [epoch for epoch in range(4) if scaling.after_epoch(epoch) is not None] == epochs


def test_a_step_that_is_told_twice_is_scaled_once():
    scaling = SynScaW(net(), every=2)
    assert scaling.after_step(2) is not None
    assert scaling.after_step(2) is None
    assert scaling.after_step(4) is not None


def test_the_rate_follows_the_learning_rate_where_asked():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.2)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    decayed, constant = SynScaW(model, gamma=0.1, gamma_decay=True), SynScaW(model, gamma=0.1)
    for epoch in range(1, 4):
        factor = learning_rate_factor(optimizer)
        assert factor == pytest.approx(0.5 ** (epoch - 1))
        assert decayed.after_epoch(epoch, learning_rate_factor=factor).gamma == pytest.approx(0.1 * factor)
        assert constant.after_epoch(epoch, learning_rate_factor=factor).gamma == 0.1
        optimizer.step()
        schedule.step()
    with pytest.raises(InputError, match=r"learning_rate_factor=-1"):
        decayed.after_epoch(4, learning_rate_factor=-1.0)
    with pytest.raises(InputError, match=r"epoch is 1\.5"):
        decayed.after_epoch(1.5)


def test_the_factor_without_a_schedule_is_that_of_the_rate_the_optimizer_was_made_with():
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.1, patience=0)
    assert learning_rate_factor(optimizer) == 1.0
    for _ in range(2):
        plateau.step(1.0)
    assert learning_rate_factor(optimizer) == pytest.approx(0.1)
    optimizer.param_groups[0]["lr"] = torch.tensor(5e-4, dtype=torch.float64)
    assert learning_rate_factor(optimizer) == pytest.approx(0.5)


def test_a_factor_that_is_not_one_number_is_refused():
    model = net()
    groups = [{"params": [parameter], "lr": 0.1} for parameter in model.parameters()]
    optimizer = torch.optim.SGD(groups, 0.1)
    optimizer.param_groups[0]["lr"] = 0.05
    with pytest.raises(InputError, match=r"0\.5, 1"):
        learning_rate_factor(optimizer)
    with pytest.raises(InputError, match="began with 0"):
        learning_rate_factor(torch.optim.SGD(model.parameters(), 0.0))


@pytest.mark.parametrize("source", ["probe", "data"])
def test_a_stopped_training_goes_on_with_the_same_passes(source):
    def steps(model, scaling, numbers):
        for step in numbers:
            model(torch.randn(9, 6, generator=torch.Generator().manual_seed(step)))
            yield scaling.after_step(step)

    options = {"source": source, "every": 4, "probe_rows": 10, "gamma": 0.1, "seed": 2}
    whole, model = net(), net()
    with SynScaW(whole, **options) as scaling:
        expected = list(steps(whole, scaling, range(1, 13)))
    with SynScaW(model, **options) as scaling:
        first = list(steps(model, scaling, range(1, 7)))  # stopped in the middle of an interval
        kept = io.BytesIO()
        torch.save({"model": model.state_dict(), "scaling": scaling.state_dict()}, kept)
    kept.seek(0)
    state = torch.load(kept, weights_only=True)
    model = net()
    model.load_state_dict(state["model"])
    with SynScaW(model, **options) as scaling:
        scaling.load_state_dict(state["scaling"])
        assert scaling.after_step(4) is None  # it has been
        second = list(steps(model, scaling, range(7, 13)))
    assert first + second == expected
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), whole.parameters(), strict=True))


@pytest.mark.parametrize("state", [{}, {"generator": 3, "counted": {"step": 0, "epoch": 0}, "inputs": {}}, None])
def test_another_state_is_refused(state):
    scaling = SynScaW(net())
    before = scaling.state_dict()
    with pytest.raises(InputError, match="no state of a SynScaW"):
        scaling.load_state_dict(state)
    assert torch.equal(scaling.state_dict()["generator"], before["generator"])
