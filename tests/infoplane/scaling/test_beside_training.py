"""SynScaW beside optimizers, mixed precision, averaged weights and several processes."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from infoplane.models import mlp
from infoplane.scaling.synscaw import SynScaW

BATCH = torch.randn(32, 6, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(32) % 3
OPTIMIZERS = {
    "Adam": lambda p: torch.optim.Adam(p, 1e-2),
    "SGD": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
    "AdamW foreach": lambda p: torch.optim.AdamW(p, 1e-2, foreach=True),
    "AdamW fused": lambda p: torch.optim.AdamW(p, 1e-2, fused=True),
    "LBFGS": lambda p: torch.optim.LBFGS(p, 0.1, max_iter=3, line_search_fn="strong_wolfe"),
    "Rprop": lambda p: torch.optim.Rprop(p),
}


def net() -> nn.Sequential:
    return mlp((6, 8, 3), seed=1)


def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> float:
    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(BATCH), LABELS)
        loss.backward()
        return loss

    return optimizer.step(closure).item()


@pytest.mark.parametrize("source", ["probe", "data"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_on_from_the_scaled_weights(name, source):
    model = net()
    optimizer = OPTIMIZERS[name](model.parameters())
    with SynScaW(model, gamma=0.05, preset="stable", source=source, every="step", include_output=False) as scaling:
        first = step(model, optimizer)
        state = copy.deepcopy(optimizer.state_dict()["state"])
        before = copy.deepcopy(model)
        report = scaling.after_step(1)
        # Neither its state nor its parameters are others.
        torch.testing.assert_close(optimizer.state_dict()["state"], state, rtol=0, atol=0)
        weight = before.hidden1.linear.weight
        expected = weight + 0.05 * weight * weight.abs() * report["hidden1.linear"].zhat
        torch.testing.assert_close(model.hidden1.linear.weight, expected)
        for number in range(2, 30):
            if name == "LBFGS":
                optimizer.state.clear()  # it holds gradients at the weights before the pass, and compares them
            last = step(model, optimizer)
            scaling.after_step(number)
    assert last < first


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_around_a_pass_changes_nothing(dtype):
    reports, models = [], []
    for is_enabled in (True, False):
        model = net()
        with torch.autocast("cpu", dtype=dtype, enabled=is_enabled):
            reports.append(SynScaW(model, gamma=0.1).apply())
        models.append(model)
    assert reports[0] == reports[1]
    assert all(torch.equal(p, q) for p, q in zip(models[0].parameters(), models[1].parameters(), strict=True))


def test_real_inputs_under_autocast_are_kept_in_single_precision():
    model = net()
    with SynScaW(model, source="data", gamma=0.0) as scaling:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            model(BATCH)
        kept = scaling.state_dict()["inputs"]
        assert {entry["rows"].dtype for entry in kept.values()} == {torch.float32}
        assert scaling.apply()["hidden1.linear"].zbar_before == pytest.approx(
            model.hidden1(BATCH).mean().item(), abs=1e-7
        )


def test_a_gradient_scaler_goes_on_after_a_pass():
    model = net()
    optimizer, scaler = torch.optim.SGD(model.parameters(), 0.1), torch.amp.GradScaler("cpu")
    scaling = SynScaW(model, preset="stable", gamma=0.1)
    losses = []
    for epoch in range(1, 20):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = F.cross_entropy(model(BATCH), LABELS)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        losses.append(loss.item())
        assert scaling.after_epoch(epoch) is not None
    assert losses[-1] < losses[0]


def test_half_precision_weights_are_scaled_and_overflow_is_refused():
    model = net().half()
    before = copy.deepcopy(model.state_dict())
    entry = SynScaW(model, gamma=0.5, target=3.0).apply().layers[0]
    change = model.hidden1.linear.weight.double() - before["hidden1.linear.weight"].double()
    assert model.hidden1.linear.weight.dtype == torch.float16
    assert entry.mean_abs_change == pytest.approx(change.abs().mean().item())
    assert entry.mean_abs_change > 0
    with pytest.raises(ValueError, match="not finite"):
        SynScaW(model, target=1e7, gamma=1.0).apply()  # beyond 65504


def test_averaged_weights_are_averages_of_the_scaled_ones():
    model = net()
    averaged = torch.optim.swa_utils.AveragedModel(model)
    scaling = SynScaW(model, gamma=0.5)
    seen = []
    for _ in range(3):
        scaling.apply()
        averaged.update_parameters(model)
        seen.append(model.output.weight.detach().clone())
    torch.testing.assert_close(averaged.module.output.weight.detach(), torch.stack(seen).mean(0))


def test_a_large_layer_is_scaled_some_neurons_at_a_time_to_the_same_end(monkeypatch):
    reports, weights = [], []
    for at_once in (1 << 22, 700):
        monkeypatch.setattr("infoplane.scaling.rule._AT_ONCE", at_once)
        model = nn.Sequential(nn.Linear(200, 30), nn.PReLU(30), nn.Linear(30, 5))
        with torch.no_grad():
            for index, parameter in enumerate(model.parameters()):
                parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(index)) / 10)
        reports.append(SynScaW(model, granularity="neuron", gamma=0.5).apply().to_dataframe())
        weights.append(model[0].weight.detach())
    torch.testing.assert_close(weights[0], weights[1])
    numbers = reports[0].select_dtypes("number").columns
    torch.testing.assert_close(
        torch.tensor(reports[0][numbers].values), torch.tensor(reports[1][numbers].values), rtol=1e-9, atol=1e-12
    )


@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="this torch has no gloo")
@pytest.mark.slow
def test_two_processes_make_the_same_pass_over_the_inputs_of_both(tmp_path):
    script = Path(__file__).with_name("two_processes.py")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    done = subprocess.run(
        [*command, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=240,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=False) for rank in (0, 1))
    for source in ("probe", "data"):
        assert first[source]["reports"] == second[source]["reports"]
        assert all(torch.equal(first[source]["model"][name], second[source]["model"][name]) for name in first["names"])
    # 24 rows on one rank and 8 on the other, all kept: the mean over all 32 of them.
    inputs = torch.cat([first["inputs"], second["inputs"]])
    model = mlp((6, 8, 3), seed=1)
    assert first["exact"] == second["exact"] == pytest.approx(model.hidden1(inputs).mean().item(), abs=1e-7)
