"""SynScaW against Eqs. 14-16 worked by hand, against its published settings, and against real
convolutions."""

import copy
import dataclasses
import json
import math
import random

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import infoplane
from infoplane.errors import InputError, SiteError
from infoplane.models import mlp
from infoplane.scaling.probe import probe_generator, probe_rows
from infoplane.scaling.settings import PRESETS
from infoplane.scaling.synscaw import SynScaW
from infoplane.scaling.targets import uniform_target


def linear(weight: list[list[float]], bias: list[float] | None = None) -> nn.Linear:
    values = torch.tensor(weight)
    layer = nn.Linear(values.shape[1], values.shape[0], bias=bias is not None)
    with torch.no_grad():
        layer.weight.copy_(values)
        if bias is not None:
            layer.bias.copy_(torch.tensor(bias))
    return layer


def he_normal(scale: float, *, inputs: int = 784, neurons: int = 256, seed: int = 0) -> nn.Linear:
    layer = nn.Linear(inputs, neurons)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        layer.weight.normal_(std=scale * math.sqrt(2 / inputs), generator=generator)
        layer.bias.zero_()
    return layer


def small_net() -> nn.Sequential:
    return mlp((6, 5, 4, 3), seed=1)


# The rule


@pytest.mark.parametrize(
    ("rule", "change"),
    [("w2", [0.25, 1.0, 4.0]), ("signed_w2", [0.25, -1.0, 4.0])],
)
def test_update_is_eq_14(rule, change):
    layer = linear([[0.5, -1.0, 2.0]], [0.2])
    rows = torch.rand(100, 3, generator=probe_generator(7)) * 2 - 1
    outputs = 0.5 * rows[:, 0] - rows[:, 1] + 2.0 * rows[:, 2] + 0.2
    zhat = 0.3 - outputs.clamp(min=0).mean().item()
    report = SynScaW(layer, rule=rule, target=0.3, gamma=0.2, activation=torch.relu, seed=7).apply()
    assert report.layers[0].zhat == pytest.approx(zhat, abs=1e-6)
    assert abs(zhat) > 0.1
    expected = [w + 0.2 * zhat * g for w, g in zip([0.5, -1.0, 2.0], change, strict=True)]
    assert layer.weight[0].tolist() == pytest.approx(expected, abs=1e-7)


def test_a_silent_layer_has_the_activity_of_its_bias_and_stays_as_it_is():
    layer = linear([[0.0, 0.0]], [0.75])
    entry = SynScaW(layer, activation=torch.relu).apply().layers[0]
    assert (entry.zbar_before, entry.zhat) == (0.75, 0.25 - 0.75)
    assert layer.weight.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize(("weight", "phi", "truth"), [(1.6, torch.relu, 0.4), (-3.0, torch.relu, 0.75)])
def test_actual_activity_is_eq_15_over_uniform_probes(weight, phi, truth):
    # E relu(w U) = |w| / 4; its standard deviation is |w| sqrt(1/6 - 1/16).
    rows = 100_000
    entry = SynScaW(linear([[weight]]), activation=phi, probe_rows=rows).apply().layers[0]
    error = abs(weight) * math.sqrt(5 / 48 / rows)
    assert 0.25 - entry.zhat == pytest.approx(truth, abs=4 * error)
    assert entry.zbar_before == pytest.approx(truth, abs=4 * error)
    assert entry.zbar_before != 0.25 - entry.zhat


def test_probe_shift_moves_the_mean_of_the_probe():
    layer = linear([[2.0, 1.0]], [0.5])
    entry = SynScaW(layer, activation=lambda x: x, probe_shift=0.1, probe_rows=100_000).apply().layers[0]
    assert -entry.zhat == pytest.approx(0.5 + 3.0 * 0.1, abs=4 * math.sqrt(5 / 3 / 100_000))
    # With their mirror images the rows have the mean of their law: no sampling error is left.
    assert entry.zbar_before == pytest.approx(0.5 + 3.0 * 0.1, abs=1e-7)


def test_granularity_layer_has_one_zhat_and_granularity_neuron_one_for_each():
    weight = [[1.0, 1.0], [3.0, -3.0]]
    by_layer, by_neuron = linear(weight), linear(weight)
    kwargs = {"activation": torch.relu, "gamma": 0.1, "target": 0.4}
    SynScaW(by_layer, **kwargs).apply()
    entry = SynScaW(by_neuron, **kwargs, granularity="neuron").apply().layers[0]
    shared = (by_layer.weight - torch.tensor(weight)) / (0.1 * torch.tensor(weight) ** 2)
    own = (by_neuron.weight - torch.tensor(weight)) / (0.1 * torch.tensor(weight) ** 2)
    assert shared.flatten().tolist() == pytest.approx([shared[0, 0].item()] * 4, abs=1e-5)
    assert own[0].tolist() == pytest.approx([own[0, 0].item()] * 2, abs=1e-5)
    assert own[0, 0] > 0.05  # E relu(U + U') = 1/6: under-active
    assert own[1, 0] < -0.05  # E relu(3U - 3U') = 1/2: over-active
    assert own.mean().item() == pytest.approx(entry.zhat, abs=1e-5)
    assert shared.mean().item() == pytest.approx(entry.zhat, abs=1e-5)


def test_clip_bounds_the_change_before_gamma():
    layer = linear([[10.0, 0.1]])
    entry = SynScaW(layer, target=5.0, gamma=0.1, clip=1.0, activation=lambda x: 0 * x).apply().layers[0]
    assert entry.zhat == 5.0
    assert layer.weight[0].tolist() == pytest.approx([10.0 + 0.1 * 1.0, 0.1 + 0.1 * 0.05], abs=1e-6)


# Presets


def official_pass(model: nn.Module, generator: torch.Generator) -> None:
    """Scale every Linear as published, written anew: U(-1, 1) + 0.1, ReLU, target 0.1, gamma 0.1, clip 1."""
    for module in model.modules():
        if type(module) is nn.Linear:
            probe = torch.rand(100, module.in_features, generator=generator) * 2 - 1 + 0.1
            activity = (probe @ module.weight.data.T + module.bias.data).clamp(min=0).mean()
            change = (module.weight.data**2 * (0.1 - activity)).clamp(-1.0, 1.0)
            module.weight.data = module.weight.data + 0.1 * change


def test_preset_official_is_the_published_procedure():
    ours = nn.Sequential(nn.Conv1d(1, 1, 3), nn.Flatten(), nn.Linear(38, 30), nn.ReLU(), nn.Linear(30, 10))
    theirs = copy.deepcopy(ours)
    scaling = SynScaW(ours, preset="official", seed=4)
    for _ in range(3):
        scaling.apply()
    generator = probe_generator(4)
    for _ in range(3):
        official_pass(theirs, generator)
    for (name, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-7, msg=name)
    assert scaling.layers == ("2", "4")
    assert set(scaling.configuration["activations"].values()) == {"relu"}


def test_preset_paper_has_the_numbers_of_the_text():
    paper = PRESETS["paper"]
    assert (paper.rule, paper.target, paper.gamma, paper.probe_shift, paper.clip) == (
        "w2",
        "uniform",
        0.01,
        0.0,
        math.inf,
    )
    assert dataclasses.replace(paper, rule="signed_w2") == PRESETS["stable"]
    report = SynScaW(small_net()).apply()
    assert [entry.layer for entry in report] == ["hidden1.linear", "hidden2.linear", "output"]
    assert [entry.target for entry in report] == pytest.approx([0.25, 0.25, 0.0], abs=1e-15)
    assert [entry.activation for entry in report] == ["ReLU", "ReLU", "identity"]


def test_presets_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PRESETS["paper"].gamma = 1.0  # type: ignore[misc]


def test_an_argument_overrides_its_preset():
    scaling = SynScaW(small_net(), preset="official", gamma=0.02, clip=math.inf, activation="auto")
    configuration = scaling.configuration
    assert (configuration["gamma"], configuration["clip"], configuration["target"]) == (0.02, None, 0.1)
    assert configuration["activations"]["output"] == "identity"


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_configuration_is_json(preset):
    configuration = SynScaW(small_net(), preset=preset).configuration
    assert json.loads(json.dumps(configuration, allow_nan=False)) == configuration


# Does it regulate?


@pytest.mark.parametrize("target", [0.1, 0.25])
def test_one_pass_on_an_overactive_layer_w2_moves_away_and_signed_w2_does_not(target):
    for seed in range(5):
        changes = {}
        for rule in ("w2", "signed_w2"):
            layer = he_normal(3.0, neurons=1024, seed=seed)
            kwargs = {"rule": rule, "target": target, "gamma": 0.1, "activation": torch.relu}
            entry = SynScaW(layer, **kwargs, seed=seed).apply().layers[0]
            changes[rule] = entry.zbar_after - entry.zbar_before
        assert changes["w2"] > 0 > changes["signed_w2"]
        assert abs(changes["signed_w2"]) > 30 * changes["w2"]


def test_a_resolved_move_away_from_the_target_is_reported():
    kwargs = {"target": 0.1, "gamma": 1.0, "activation": torch.relu}
    report = SynScaW(he_normal(3.0), rule="w2", **kwargs).apply()
    assert report.away == ("",)
    assert "away from target" in str(report)
    report = SynScaW(he_normal(3.0), rule="signed_w2", **kwargs).apply()
    assert report.away == ()
    assert "away from target" not in str(report)


def test_a_move_within_its_own_error_is_not_reported():
    entries = []
    for seed in range(10):
        report = SynScaW(he_normal(1.0, seed=seed), activation=torch.relu, seed=seed).apply()
        entries += list(report)
    farther = [entry for entry in entries if entry.distance_after > entry.distance_before]
    within = [e for e in farther if e.distance_after - e.distance_before < 2 * e.change_error]
    assert within
    assert not any(entry.away for entry in within)


def test_the_error_of_the_change_is_its_spread_over_probe_rows():
    entries = []
    for seed in range(200):
        layer = he_normal(2.0, inputs=30, neurons=20)
        entries.append(
            SynScaW(layer, gamma=0.1, target=0.1, activation=torch.relu, seed=seed, rule="signed_w2").apply().layers[0]
        )
    # zhat differs between the draws too, so the change is divided by it.
    changes = torch.tensor([(e.zbar_after - e.zbar_before) / e.zhat for e in entries])
    errors = torch.tensor([e.change_error / abs(e.zhat) for e in entries])
    assert changes.std().item() == pytest.approx(errors.mean().item(), rel=0.2)
    assert math.isnan(SynScaW(he_normal(1.0), activation=torch.relu, probe_rows=1).apply().layers[0].change_error)


def test_with_the_published_shift_both_rules_move_an_overactive_layer_to_its_target():
    for rule in ("w2", "signed_w2"):
        report = SynScaW(he_normal(3.0), preset="official", rule=rule).apply()
        assert report.layers[0].zhat < 0
        assert report.away == ()


@pytest.mark.parametrize(
    ("rule", "shift", "low", "high"),
    [("w2", 0.0, 10.0, 25.0), ("signed_w2", 0.0, 0.39, 0.43), ("w2", 0.1, 0.1, 0.3)],
)
def test_a_hundred_passes_on_an_overactive_layer(rule, shift, low, high):
    scaling = SynScaW(he_normal(2.0, neurons=128), preset="official", rule=rule, probe_shift=shift)
    first = scaling.apply().layers[0]
    assert first.zbar_before == pytest.approx(2 * math.sqrt(1 / (3 * math.pi)), abs=0.03)
    for _ in range(99):
        scaling.apply()
    last = scaling.apply().layers[0]
    assert low < last.zbar_before < high
    if rule == "w2":
        assert last.min_weight < -4


@pytest.mark.slow
def test_a_thousand_passes_the_paper_rule_diverges_and_the_stable_one_settles():
    ends = {}
    for rule in ("w2", "signed_w2"):
        scaling = SynScaW(he_normal(2.0), preset="official", rule=rule, probe_shift=0.0)
        for _ in range(1000):
            ends[rule] = scaling.apply().layers[0]
    assert ends["w2"].zbar_after > 200
    assert ends["w2"].min_weight < -90
    assert ends["signed_w2"].zbar_after == pytest.approx(0.19, abs=0.02)
    assert ends["signed_w2"].min_weight > -0.08


def test_the_predicted_change_is_the_actual_one_for_small_steps():
    for entry in SynScaW(mlp((784, 200, 10), seed=0), preset="stable").apply():
        actual = entry.zbar_after - entry.zbar_before
        assert actual != 0
        assert entry.predicted_change == pytest.approx(actual, rel=0.05)


# What is left alone


def test_only_weights_change_and_no_random_state_moves():
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.RReLU(), nn.Dropout(0.5), nn.Linear(8, 3))
    optimizer = torch.optim.Adam(model.parameters(), amsgrad=True)
    F.cross_entropy(model(torch.randn(7, 6)), torch.arange(7) % 3).backward()
    optimizer.step()
    before, state = copy.deepcopy(model), copy.deepcopy(optimizer.state_dict())
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    seen: list[str] = []
    model[2].register_forward_hook(lambda *_: seen.append("RReLU"))
    model[0].register_forward_hook(lambda *_: seen.append("Linear"))
    torch_state, python_state = torch.get_rng_state(), random.getstate()
    numpy_state = str(np.random.get_state())

    SynScaW(model, gamma=0.5, seed=3).apply()

    assert torch.equal(torch.get_rng_state(), torch_state)
    assert str(np.random.get_state()) == numpy_state
    assert random.getstate() == python_state
    assert seen == []
    assert model.training
    changed = {
        name
        for (name, mine), other in zip(model.state_dict().items(), before.state_dict().values(), strict=True)
        if not torch.equal(mine, other)
    }
    assert changed == {"0.weight", "4.weight"}
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        assert torch.equal(parameter.grad, gradient)
        assert parameter.requires_grad
        assert parameter.is_leaf
    for index, entries in optimizer.state_dict()["state"].items():
        for key, value in entries.items():
            assert torch.equal(value, state["state"][index][key])
    assert {id(p) for p in optimizer.param_groups[0]["params"]} == {id(p) for p in model.parameters()}


def test_same_seed_same_passes_and_passes_differ_from_one_another():
    nets = [small_net(), small_net(), small_net()]
    first, second, other = (SynScaW(net, seed=seed) for net, seed in zip(nets, (5, 5, 6), strict=True))
    a = [first.apply(), first.apply()]
    torch.rand(3)
    b = [second.apply(), second.apply()]
    assert a == b
    assert all(torch.equal(p, q) for p, q in zip(nets[0].parameters(), nets[1].parameters(), strict=True))
    assert a[0].layers[0].zbar_before != other.apply().layers[0].zbar_before
    assert abs(a[1].layers[0].zbar_before - a[0].layers[0].zbar_after) > 1e-6


def test_probe_rows_share_nothing_with_a_network_of_the_same_seed():
    for seed in (0, 1, 12345):
        rows = probe_rows(100, 784, device="cpu", shift=0.0, generator=probe_generator(seed))
        weight = mlp(seed=seed).hidden1.linear.weight[:100].double()
        correlation = torch.corrcoef(torch.stack([rows.flatten(), weight.flatten()]))[0, 1].item()
        assert abs(correlation) < 4.5 / math.sqrt(78_400)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_callers_gradient_mode_makes_no_difference(mode):
    inside, outside = small_net(), small_net()
    with mode():
        report = SynScaW(inside).apply()
    assert report == SynScaW(outside).apply()
    inside(torch.rand(2, 6)).sum().backward()


def test_gamma_zero_changes_nothing_and_gamma_may_differ_in_one_pass():
    model = small_net()
    before = copy.deepcopy(model.state_dict())
    scaling = SynScaW(model, gamma=0.0)
    scaling.apply()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert scaling.apply(gamma=0.3).gamma == 0.3
    assert scaling.apply().gamma == 0.0
    with pytest.raises(InputError, match=r"gamma=-1"):
        scaling.apply(gamma=-1)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_weights_keep_their_dtype_and_the_report_gives_the_stored_change(dtype):
    layer = he_normal(2.0, inputs=40, neurons=30).to(dtype)
    before = layer.weight.detach().double().clone()
    entry = SynScaW(layer, gamma=0.2, activation=torch.relu).apply().layers[0]
    assert layer.weight.dtype == dtype
    assert entry.mean_abs_change == pytest.approx((layer.weight.double() - before).abs().mean().item())
    assert entry.mean_abs_weight == pytest.approx(layer.weight.double().abs().mean().item())
    assert entry.min_weight == layer.weight.double().min().item()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_cuda_model_gets_the_probe_of_the_cpu():
    on_cpu, on_cuda = small_net(), small_net().cuda()
    a, b = SynScaW(on_cpu).apply(), SynScaW(on_cuda).apply()
    assert [e.zbar_before for e in a] == pytest.approx([e.zbar_before for e in b], rel=1e-9)


# Convolutions


@pytest.mark.parametrize(
    ("conv", "size"),
    [
        (nn.Conv1d(3, 4, 5, padding=2), (60,)),
        (nn.Conv2d(4, 6, 3, padding=1, groups=2), (24, 24)),
        (nn.Conv2d(2, 5, (3, 1), padding="same", stride=1, dilation=2), (24, 24)),
        (nn.Conv3d(2, 4, 3, bias=False), (10, 10, 10)),
    ],
)
def test_a_convolutions_probe_is_what_an_interior_position_sees(conv, size):
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        conv.weight.normal_(std=0.4, generator=generator)
        channels = conv.in_channels
        images = torch.rand(2000, channels, *size, generator=generator) * 2 - 1
        outputs = conv(images).relu()
        for axis in range(2, outputs.ndim):
            outputs = outputs.narrow(axis, 4, 1)  # one interior position: the images are independent
        each = outputs.flatten(1).mean(1)
    entry = SynScaW(conv, activation=torch.relu, probe_rows=20_000, gamma=0.0).apply().layers[0]
    error = each.std().item() * math.sqrt(1 / 2000 + 1 / 20_000)
    # Output channels of different groups share probe rows, so the probe's own error may be twice as large.
    assert entry.zbar_before == pytest.approx(each.mean().item(), abs=4.5 * error)


def test_convolutions_are_scaled_with_their_following_activation():
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.Sigmoid(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(100, 3),
        nn.LogSoftmax(dim=1),
    )
    before = copy.deepcopy(model)
    report = SynScaW(model, gamma=0.5).apply()
    assert [(e.layer, e.activation) for e in report] == [("0", "Sigmoid"), ("4", "ReLU"), ("8", "identity")]
    assert report["0"].target == pytest.approx(0.5, abs=1e-12)
    for name in ("0", "4", "8"):
        old, new = before.get_parameter(f"{name}.weight"), model.get_parameter(f"{name}.weight")
        torch.testing.assert_close(new, old + 0.5 * old**2 * report[name].zhat, rtol=1e-6, atol=1e-8)


# Targets and activations


@pytest.mark.parametrize(
    ("phi", "printed", "exact"),
    [
        (nn.ReLU(), 0.25, 1 / 4),
        (nn.LeakyReLU(0.01), 0.2475, 0.99 / 4),
        (nn.Sigmoid(), 0.5, 1 / 2),
        (nn.Tanh(), 0.0, 0.0),
        (nn.Identity(), 0.0, 0.0),
        (nn.ELU(), 0.06606, 1 / 4 - 1 / (2 * math.e)),
        (nn.GELU(), 0.12099, math.exp(-0.5) / (2 * math.sqrt(2 * math.pi))),
        (nn.SiLU(), 0.07944, None),
        (nn.Softplus(), 0.73382, None),
        (nn.ReLU6(), 0.25, 1 / 4),
        (nn.Hardshrink(), 0.0, 0.0),
        (nn.Hardsigmoid(), 0.5, 1 / 2),
        (nn.Threshold(0.5, 0.0), 0.1875, 3 / 16),
        (nn.Threshold(0.3, 0.0), 0.2275, (1 - 0.3**2) / 4),
        (nn.Hardtanh(-0.1, 0.7), 0.18, ((0.7**2 / 2 + 0.7 * 0.3) - (0.1**2 / 2 + 0.1 * 0.9)) / 2),
        (torch.abs, 0.5, 1 / 2),
        (torch.exp, 1.1752, math.sinh(1)),
        (lambda u: (u > 1 / 3).to(u), 1 / 3, 1 / 3),
    ],
)
def test_uniform_target_is_the_closed_form(phi, printed, exact):
    value = uniform_target(phi).item()
    assert value == pytest.approx(printed, abs=1e-5)
    if exact is not None:
        assert value == pytest.approx(exact, abs=1e-14)


def test_a_callable_target_is_given_layer_activation_and_neurons():
    asked = []

    def target(layer, phi, neurons):
        asked.append((layer, phi.name, phi(torch.tensor(-2.0)).item(), neurons))
        return torch.linspace(0.1, 0.5, neurons) if layer == "hidden1.linear" else 0.7

    model, granular = small_net(), {"granularity": "neuron", "gamma": 0.0}
    report = SynScaW(model, target=target, **granular).apply()
    assert asked == [
        ("hidden1.linear", "ReLU", 0.0, 5),
        ("hidden2.linear", "ReLU", 0.0, 4),
        ("output", "identity", -2.0, 3),
    ]
    assert [entry.target for entry in report] == pytest.approx([0.3, 0.7, 0.7], abs=1e-7)


def test_each_neuron_moves_to_its_own_target():
    layer = linear([[1.0, 1.0], [1.0, 1.0]])
    goals = torch.tensor([0.05, 0.9])
    scaling = SynScaW(
        layer,
        activation=torch.relu,
        granularity="neuron",
        rule="signed_w2",
        gamma=0.1,
        probe_rows=1000,
        target=lambda *_: goals,
    )
    for _ in range(200):
        scaling.apply()
    with torch.no_grad():
        found = layer(torch.rand(200_000, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1).relu().mean(0)
    assert found[1] == pytest.approx(0.9, abs=0.05)
    assert 0.05 < found[0] < 0.12  # it falls as 1 over the number of passes


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (torch.zeros(2), r"a tensor of shape \(2,\) for layer 'hidden1.linear'.*a tensor of 5"),
        ("much", "returned 'much'"),
        (None, "returned None"),
        (math.inf, "returned inf"),
    ],
)
def test_a_callable_target_that_gives_no_activity_is_refused(given, text):
    with pytest.raises(InputError, match=text):
        SynScaW(small_net(), target=lambda *_: given).apply()


def a_target(layer: str, phi: object, neurons: int) -> float:
    return 0.2


def test_configuration_names_a_callable_target_and_how_activations_were_found():
    configuration = SynScaW(small_net(), target=a_target, activation={"hidden1*": F.silu}).configuration
    assert configuration["target"].endswith(":a_target")
    assert configuration["activations_by"] == {
        "hidden1.linear": "given",
        "hidden2.linear": "traced",
        "output": "traced",
    }
    assert json.loads(json.dumps(configuration, allow_nan=False)) == configuration


def test_target_of_a_prelu_follows_its_slopes():
    layer, phi = linear([[1.0], [1.0]]), nn.PReLU(2)
    with torch.no_grad():
        phi.weight.copy_(torch.tensor([0.2, -0.4]))
    entry = SynScaW(nn.Sequential(layer, phi)).apply().layers[0]
    assert entry.target == pytest.approx(((1 - 0.2) + (1 + 0.4)) / 8, abs=1e-8)


class Functional(nn.Module):
    """Asks for a value, so that nothing can trace it, and calls its activation as a function."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(F.relu(self.first(x)) if x.sum() > 0 else self.first(x))


def test_a_layer_whose_activation_cannot_be_told_is_named():
    text = r"layer 'first' cannot be told, because 'second' \(Linear\).*activation=.*not be traced: TraceError"
    with pytest.raises(InputError, match=text):
        SynScaW(Functional())


@pytest.mark.parametrize("key", ["first", "f*"])
def test_a_mapping_names_the_activations_that_cannot_be_told(key):
    report = SynScaW(Functional(), activation={key: F.relu}).apply()
    assert [(e.layer, e.activation) for e in report] == [("first", "relu"), ("second", "identity")]


def test_a_callable_serves_every_layer():
    report = SynScaW(Functional(), activation=torch.sigmoid).apply()
    assert [entry.activation for entry in report] == ["sigmoid", "sigmoid"]


def test_an_identity_module_is_an_activation_unless_a_real_one_follows():
    first = SynScaW(nn.Sequential(nn.Linear(2, 2), nn.Identity(), nn.Linear(2, 2)))
    assert first.configuration["activations"]["0"] == "identity"
    second = SynScaW(nn.Sequential(nn.Linear(2, 2), nn.Identity(), nn.Tanh(), nn.Linear(2, 2)))
    assert second.configuration["activations"]["0"] == "Tanh"


def test_an_activation_behind_the_last_layer_is_used():
    model = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid())
    assert SynScaW(model).configuration["activations"] == {"0": "Sigmoid"}


def test_in_place_activations_are_taken_as_they_are():
    a, b = linear([[1.0, -2.0]]), linear([[1.0, -2.0]])
    first = SynScaW(nn.Sequential(a, nn.ReLU(inplace=True))).apply()
    second = SynScaW(nn.Sequential(b, nn.ReLU())).apply()
    assert first == second


# Choosing layers


def test_layers_are_chosen_by_name_and_glob():
    assert SynScaW(small_net(), layers=["output"]).layers == ("output",)
    assert SynScaW(small_net(), layers=["hidden*"]).layers == ("hidden1.linear", "hidden2.linear")


def test_frozen_layers_are_left_alone_unless_named():
    model = small_net()
    model.hidden1.requires_grad_(False)
    assert SynScaW(model).layers == ("hidden2.linear", "output")
    assert SynScaW(model, layers=["hidden1.linear"]).layers == ("hidden1.linear",)
    model.requires_grad_(False)
    with pytest.raises(SiteError, match=r"nothing to scale.*3 layers"):
        SynScaW(model)


def shared_weights() -> nn.Sequential:
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    model[2].weight = model[0].weight
    return model


def weight_normed() -> nn.Module:
    return nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))


@pytest.mark.parametrize(
    ("make", "kwargs", "kind", "text"),
    [
        (lambda: nn.ReLU(), {}, SiteError, "nothing to scale"),
        (lambda: nn.GRU(2, 2), {}, SiteError, "nothing to scale"),
        (lambda: nn.Conv1d(1, 1, 1), {"preset": "official"}, SiteError, r"0 layers \(Linear\)"),
        (small_net, {"layers": ["hiden1.linear"]}, SiteError, "did you mean 'hidden1.linear'"),
        (small_net, {"layers": ["hidden1"]}, SiteError, "is a Sequential.*for example 'hidden1.linear'"),
        (small_net, {"layers": []}, SiteError, "nothing to scale"),
        (small_net, {"layers": "output"}, InputError, "must be a list"),
        (small_net, {"preset": "oficial"}, InputError, "did you mean 'official'"),
        (small_net, {"rule": "signed"}, InputError, "did you mean 'signed_w2'"),
        (small_net, {"target": "unifrom"}, InputError, "did you mean 'uniform'"),
        (small_net, {"target": math.nan}, InputError, "target=nan"),
        (small_net, {"target": float}, InputError, "target=.*float"),
        (small_net, {"source": "dat"}, InputError, "did you mean 'data'"),
        (small_net, {"source": "data", "probe_shift": 0.1}, InputError, "probe_shift=0.1 shifts noise"),
        (small_net, {"every": "epohc"}, InputError, "did you mean 'epoch'"),
        (small_net, {"every": 0}, InputError, "every is 0"),
        (small_net, {"every": "0 steps"}, InputError, "every='0 steps'"),
        (small_net, {"gamma_decay": "no"}, InputError, "gamma_decay is 'no'"),
        (small_net, {"include_output": 1}, InputError, "include_output is 1"),
        (lambda: nn.GRU(2, 2), {"preset": "official", "layers": ["*"]}, SiteError, "no layer to scale matches"),
        (lambda: nn.ConvTranspose1d(2, 2, 2), {"layers": [""]}, SiteError, "is a ConvTranspose1d"),
        (small_net, {"gamma": -0.1}, InputError, "gamma=-0.1.*>= 0"),
        (small_net, {"gamma": math.inf}, InputError, "gamma=inf"),
        (small_net, {"clip": 0.0}, InputError, "clip=0.0"),
        (small_net, {"probe_rows": 0}, InputError, "probe_rows=0"),
        (small_net, {"probe_shift": "x"}, InputError, "probe_shift='x'"),
        (small_net, {"seed": -1}, InputError, "seed=-1"),
        (small_net, {"granularity": "layers"}, InputError, "did you mean 'layer'"),
        (small_net, {"activation": nn.ReLU}, InputError, "ReLU is a class; pass an instance"),
        (small_net, {"activation": "relu"}, InputError, "activation 'relu' is unknown"),
        (small_net, {"activation": 3}, InputError, "cannot be called"),
        (small_net, {"activation": {"hidden9.linear": F.relu}}, SiteError, "did you mean"),
        (shared_weights, {}, InputError, "'0' and '2' share one weight"),
        (lambda: nn.Sequential(nn.LazyLinear(3)), {}, InputError, "lazy"),
        (weight_normed, {}, InputError, "computed from other tensors"),
        (lambda: nn.Linear(2, 2, dtype=torch.complex64), {}, InputError, "complex64"),
        (lambda: "model", {}, InputError, "model is a str"),
    ],
)
def test_bad_arguments_get_one_clear_sentence(make, kwargs, kind, text):
    with pytest.raises(kind, match=text):
        SynScaW(make(), **kwargs)


def test_an_activation_that_is_not_element_wise_is_refused():
    with pytest.raises(InputError, match="element-wise"):
        SynScaW(linear([[1.0], [2.0]]), activation=lambda x: x.sum(1), target=0.1).apply()
    with pytest.raises(InputError, match="element-wise"):
        SynScaW(linear([[1.0], [2.0]]), activation=lambda x: x.sum(1)).apply()
    with pytest.raises(InputError, match="not finite"):
        SynScaW(linear([[1.0], [2.0]]), activation=torch.log).apply()


@pytest.mark.parametrize("kind", ["weight", "bias"])
def test_values_that_are_not_finite_are_refused_and_nothing_changes(kind):
    model = small_net()
    with torch.no_grad():
        model.output.get_parameter(kind).view(-1)[0] = math.nan
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(InputError, match=f"the {kind} of layer 'output' has 1 values"):
        SynScaW(model).apply()
    for name, value in model.state_dict().items():
        assert torch.equal(value.nan_to_num(9.0), before[name].nan_to_num(9.0))


def test_a_pass_that_would_overflow_is_refused_whole():
    model, twin = small_net(), small_net()
    scaling, other = SynScaW(model), SynScaW(twin)
    with pytest.raises(InputError, match=r"scaling layer 'hidden1.linear'.*not finite.*lower gamma"):
        scaling.apply(gamma=1e308)
    assert scaling.apply() == other.apply()
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), twin.parameters(), strict=True))


# The report


def test_report_reads_as_a_table_and_as_a_data_frame():
    report = SynScaW(small_net()).apply()
    frame = report.to_dataframe()
    assert list(frame["layer"]) == ["hidden1.linear", "hidden2.linear", "output"]
    assert {"target", "zbar_before", "zbar_after", "zhat", "min_weight"} <= set(frame.columns)
    assert list(frame["away"]) == [entry.away for entry in report]
    lines = str(report).splitlines()
    assert len(lines) == 2 + len(report)
    assert all(line.startswith(name) for line, name in zip(lines[2:], frame["layer"], strict=True))
    with pytest.raises(InputError, match="did you mean 'output'"):
        report["outptu"]


def test_the_public_name_is_this_class():
    assert infoplane.SynScaW is SynScaW
