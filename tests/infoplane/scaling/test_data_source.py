"""Eq. 15 over what layers have seen: the sample, the hooks' life, and real convolutions."""

import copy
import gc
import pickle

import pytest
import torch
from torch import nn
from torch.nn.modules import module as torch_module
from torch.utils.checkpoint import checkpoint

from infoplane.errors import InputError
from infoplane.models import mlp
from infoplane.scaling.synscaw import SynScaW


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def hooks() -> int:
    return len(torch_module._global_forward_hooks)


def inputs(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def net() -> nn.Sequential:
    return mlp((6, 5, 3), seed=1)


def test_activity_is_the_mean_over_all_inputs_where_they_fit():
    model, x = net(), inputs(40, 6)
    with SynScaW(model, source="data", gamma=0.0) as scaling:
        model(x[:25])
        model(x[25:])
        report = scaling.apply()
    with torch.no_grad():
        hidden = model.hidden1(x)
        assert report["hidden1.linear"].zbar_before == pytest.approx(hidden.mean().item(), abs=1e-7)
        assert report["output"].zbar_before == pytest.approx(model.output(hidden).mean().item(), abs=1e-7)
    for entry in report:
        assert entry.zhat == pytest.approx(entry.target - entry.zbar_before, abs=1e-12)
    assert report.source == "data"
    assert "over real inputs" in str(report)


def test_a_pass_moves_weights_by_eq_14_and_finds_the_change_that_it_predicts():
    model, x = net(), inputs(40, 6)
    with SynScaW(model, source="data", rule="signed_w2", target=2.0, gamma=0.05) as scaling:
        model(x)
        before = copy.deepcopy(model)
        report = scaling.apply()
    with torch.no_grad():
        old, new = before.hidden1(x).mean().item(), model.hidden1(x).mean().item()
    weight = before.hidden1.linear.weight
    expected = weight + 0.05 * weight * weight.abs() * (2.0 - old)
    torch.testing.assert_close(model.hidden1.linear.weight, expected, rtol=1e-6, atol=1e-8)
    entry = report["hidden1.linear"]
    assert entry.zbar_after - entry.zbar_before == pytest.approx(new - old, abs=1e-7)
    assert entry.predicted_change == pytest.approx(entry.zbar_after - entry.zbar_before, rel=0.02)
    assert entry.predicted_change > 1e-4


@pytest.mark.parametrize("phi", [nn.ReLU(), nn.Sigmoid(), nn.Tanh(), nn.Identity()])
def test_over_inputs_that_are_never_negative_the_papers_rule_regulates_whatever_the_activity(phi):
    """For a phi that rises, each weight raises its activity with E phi'(...) x >= 0, and w² zhat has one sign."""
    x = inputs(50, 20).abs()
    for seed in range(20):
        torch.manual_seed(seed)
        layer = nn.Linear(20, 10)
        for target in (-0.9, 0.9):
            with SynScaW(nn.Sequential(layer, phi), source="data", target=target, gamma=1e-3) as scaling:
                layer(x)
                entry = scaling.apply().layers[0]
            assert entry.predicted_change * entry.zhat > 0
            assert entry.distance_after < entry.distance_before
            assert not entry.away


def test_over_such_inputs_the_sign_preserving_rule_drives_a_layer_of_negative_weights_away():
    layer = nn.Linear(20, 10)
    with torch.no_grad():
        layer.weight.copy_(-layer.weight.abs())
    with SynScaW(layer, source="data", preset="stable", gamma=0.1) as scaling:
        layer(inputs(50, 20).abs())
        assert scaling.apply().away == ("",)


@pytest.mark.parametrize(
    ("conv", "shape"),
    [
        (nn.Conv2d(4, 6, 3, padding=1, stride=2, groups=2), (4, 9, 8)),
        (nn.Conv2d(3, 3, 3, padding=2, padding_mode="reflect", groups=3, bias=False), (3, 7, 6)),
        (nn.Conv1d(3, 4, 5, padding="same", dilation=2, padding_mode="circular"), (3, 20)),
        (nn.Conv3d(2, 4, (1, 2, 3), padding=(0, 1, 2), padding_mode="replicate"), (2, 4, 5, 6)),
        (nn.Conv1d(2, 3, 3, padding="valid"), (2, 9)),
    ],
)
@pytest.mark.parametrize("granularity", ["layer", "neuron"])
def test_a_convolution_is_driven_by_what_every_position_sees(conv, shape, granularity):
    x = inputs(3, *shape)
    model = nn.Sequential(conv, nn.Tanh())
    target = torch.linspace(-0.5, 0.5, conv.out_channels)
    options = {"probe_rows": 10_000, "gamma": 0.0, "granularity": granularity, "target": lambda *_: target}
    with SynScaW(model, source="data", **options) as scaling:
        out = model(x).detach()
        entry = scaling.apply().layers[0]
    assert entry.zbar_before == pytest.approx(out.mean().item(), abs=1e-6)
    if granularity == "neuron":
        by_channel = out.transpose(0, 1).flatten(1).mean(1)
        assert entry.distance_before == pytest.approx((target - by_channel).abs().mean().item(), abs=1e-6)


def test_tokens_and_single_inputs_count_one_by_one():
    model = nn.Sequential(nn.Linear(3, 2), nn.Sigmoid())
    x, one = inputs(4, 5, 3), inputs(3, seed=1)
    with SynScaW(model, source="data", gamma=0.0) as scaling:
        model(x)
        model(one)
        found = scaling.apply().layers[0].zbar_before
    truth = torch.cat([model(x).flatten(0, 1), model(one)[None]]).mean().item()
    assert found == pytest.approx(truth, abs=1e-7)


def test_the_sample_is_uniform_over_the_interval_and_never_larger_than_asked():
    counts = torch.zeros(60)
    layer = nn.Linear(1, 1)
    for seed in range(300):
        with SynScaW(layer, source="data", probe_rows=12, gamma=0.0, seed=seed) as scaling:
            for part in torch.arange(60.0)[:, None].split([7, 20, 1, 32]):
                layer(part)
            rows = scaling.state_dict()["inputs"][""]["rows"]
        assert rows.shape == (12, 1)
        assert len(rows.unique()) == 12  # without replacement
        counts[rows[:, 0].long()] += 1
    # Each input is kept in 60 of 300 samples, with a standard deviation of 6.9.
    assert (counts - 60).abs().max() < 4 * 6.93
    assert counts[:7].mean().item() == pytest.approx(60, abs=4 * 6.93 / 7**0.5)
    assert (counts - 60).square().mean().item() == pytest.approx(48, rel=0.6)


def test_only_the_interval_since_the_last_pass_counts():
    layer = nn.Linear(1, 1, bias=False)
    with SynScaW(layer, source="data", gamma=0.0, target=0.0) as scaling:
        layer(torch.full((5, 1), 100.0))
        scaling.apply()
        layer(torch.ones(5, 1))
        assert scaling.apply().layers[0].zbar_before == pytest.approx(layer.weight.item(), abs=1e-7)
        with pytest.raises(InputError, match=r"no forward in training mode has called '' since the last pass"):
            scaling.apply()


def test_evaluation_copies_and_recomputed_activations_do_not_count():
    class Checkpointed(nn.Module):
        def __init__(self, *, reentrant: bool) -> None:
            super().__init__()
            self.fc, self.reentrant = nn.Linear(2, 2), reentrant

        def forward(self, x):
            return checkpoint(self.fc, x, use_reentrant=self.reentrant)

    for reentrant in (True, False):
        model = Checkpointed(reentrant=reentrant)
        with SynScaW(model, source="data", activation=torch.relu, gamma=0.0) as scaling:
            model(inputs(6, 2).requires_grad_()).sum().backward()
            model.eval()
            model(inputs(6, 2).requires_grad_())
            copy.deepcopy(model).train()(inputs(6, 2).requires_grad_())
            torch.optim.swa_utils.AveragedModel(model).train()(inputs(6, 2).requires_grad_())
            assert scaling.state_dict()["inputs"]["fc"]["seen"] == 6


# The hooks' life


def test_hooks_end_with_close_with_the_block_with_an_error_and_with_the_object():
    before = hooks()
    scaling = SynScaW(net(), source="data")
    assert hooks() == before + 1
    scaling.close()
    scaling.close()
    assert hooks() == before
    with pytest.raises(InputError, match="is closed, or a copy of one"):
        scaling.apply()
    with pytest.raises(ZeroDivisionError), SynScaW(net(), source="data"):
        raise ZeroDivisionError
    assert hooks() == before
    scaling = SynScaW(net(), source="data")
    del scaling
    gc.collect()
    assert hooks() == before
    with pytest.raises(InputError):
        SynScaW(net(), source="data", activation=3)
    assert hooks() == before


@pytest.mark.parametrize("through", [copy.deepcopy, lambda given: pickle.loads(pickle.dumps(given))])
def test_copies_and_pickles_carry_no_hook(through):
    model = net()
    with SynScaW(model, source="data") as scaling:
        twin = through(scaling)
        open_hooks = hooks()
        through(model)(inputs(3, 6))
        assert hooks() == open_hooks
        model(inputs(3, 6))
        scaling.apply()
        with pytest.raises(InputError, match="a copy of one"):
            twin.apply()
        twin.close()
        assert hooks() == open_hooks
    # With noise a copy goes on as the original does.
    noisy = SynScaW(net())
    noisy.apply()
    assert through(noisy).apply() == noisy.apply()


def test_no_random_state_moves_and_two_of_one_seed_agree():
    reports = []
    for _ in range(2):
        model = net()
        with SynScaW(model, source="data", probe_rows=8, seed=3) as scaling:
            state = torch.get_rng_state()
            for seed in range(5):
                model(inputs(10, 6, seed=seed))
            reports.append(scaling.apply())
            assert torch.equal(torch.get_rng_state(), state)
        torch.rand(2)
    assert reports[0] == reports[1]


@pytest.mark.filterwarnings("ignore:Using `torch.compile:UserWarning")
def test_a_compiled_network_is_seen():
    model = net()
    with SynScaW(model, source="data", gamma=0.0) as scaling:
        compiled = torch.compile(model, backend="eager")
        for seed in range(3):
            compiled(inputs(10, 6, seed=seed))
        report = scaling.apply()
    x = torch.cat([inputs(10, 6, seed=seed) for seed in range(3)])
    assert report["hidden1.linear"].zbar_before == pytest.approx(model.hidden1(x).mean().item(), abs=1e-7)


def test_a_layer_that_nothing_calls_is_named():
    attention = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    with SynScaW(attention, source="data", activation=torch.relu) as scaling:
        attention(inputs(2, 3, 4))
        with pytest.raises(InputError, match=r"'self_attn.out_proj' since the last pass.*leave out with layers="):
            scaling.apply()
