"""The VIB head that takes the place of a dense layer, and the divergence in the loss."""

import copy
import gc
import math
import pickle
import weakref

import pytest
import torch
from torch import nn

from infoplane.errors import InputError
from infoplane.models import mlp, vib_mlp
from infoplane.probes.bottleneck import VIBHead, bottlenecks_of
from infoplane.regularizers import VIBTerm, with_vib_head


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def network(latent=4):
    return with_vib_head(mlp((7, 6, 3), seed=0), latent=latent)


def divergence_of(model, x):
    """KL against the standard normal by torch's own formula, of the head called `output`."""
    mean, log_std = model.output.bottleneck.code_of(model.output.bottleneck.encoder(model.hidden1(x)))
    law = torch.distributions.Normal(mean, log_std.exp())
    return torch.distributions.kl_divergence(law, torch.distributions.Normal(0.0, 1.0)).sum(dim=1)


def test_last_dense_layer_gives_way_under_its_own_name():
    model = mlp((7, 6, 3), seed=0)
    hidden = model.hidden1.linear.weight
    assert with_vib_head(model) is model
    assert isinstance(model.output, VIBHead)
    shapes = {name: tuple(p.shape) for name, p in model.output.named_parameters() if "weight" in name}
    assert shapes == {"bottleneck.encoder.weight": (512, 6), "decoder.weight": (3, 256)}
    assert model.hidden1.linear.weight is hidden
    assert model(numbers(5, 7)).shape == (5, 3)


def test_head_has_the_place_and_the_state_of_the_layer_it_replaces():
    model = nn.Sequential(nn.Linear(7, 6), nn.Sequential(nn.ReLU(), nn.Linear(6, 3).eval())).double()
    with_vib_head(model, latent=2)
    assert model[1][1].decoder.weight.dtype == torch.float64
    assert model[0].training
    assert not any(module.training for module in model[1][1].modules())
    assert isinstance(with_vib_head(nn.Linear(7, 3), latent=2), VIBHead)


def test_seed_fixes_the_head_and_nothing_else_is_drawn():
    before = torch.get_rng_state()
    first, second, other = (with_vib_head(mlp((7, 6, 3), seed=0), latent=4, seed=s).state_dict() for s in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["output.decoder.weight"], other["output.decoder.weight"])


def test_head_of_a_seed_is_not_drawn_from_the_stream_of_the_network_with_that_seed():
    model = with_vib_head(mlp((7, 6, 3), seed=5), latent=4, seed=5)
    drawn = torch.rand(42, generator=torch.Generator().manual_seed(5))
    head = model.output.bottleneck.encoder.weight.detach().flatten()[:42]
    assert abs(torch.corrcoef(torch.stack([drawn, head]))[0, 1].item()) < 0.6
    assert abs(torch.corrcoef(torch.stack([drawn, model.hidden1.linear.weight.detach().flatten()]))[0, 1].item()) > 0.99


def test_a_network_with_a_bottleneck_keeps_its_own():
    model = vib_mlp((7, 6), 4, 3)
    before = str(model)
    assert str(with_vib_head(model)) == before
    with pytest.raises(InputError, match=r"'head\.bottleneck' has 4 dimensions, not 8"):
        with_vib_head(model, latent=8)


def tied():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    model[2].weight = model[0].weight
    return model


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (nn.ReLU, "is not there"),
        (lambda: nn.Sequential(nn.Linear(3, 3), nn.Conv1d(1, 1, 1)), r"is a Conv1d \('1'\)"),
        (tied, r"shared \(0\.weight and 2\.weight\)"),
    ],
)
def test_networks_without_a_dense_layer_at_the_end_are_refused(make, text):
    with pytest.raises(InputError, match=text):
        with_vib_head(make())


def test_term_is_beta_times_the_mean_divergence_in_nats():
    model, x = network(), numbers(5, 7)
    term = VIBTerm(model, 0.3)
    model(x)
    assert term(5).item() == pytest.approx(0.3 * divergence_of(model, x).mean().item(), rel=1e-5)


def test_new_head_of_width_256_starts_at_1663_bits():
    # mean 0 and s = softplus(-5), as a zero activation gives it: definitions of the reference networks.
    model = with_vib_head(mlp((7, 6, 3), seed=0))
    for parameter in model.output.bottleneck.encoder.parameters():
        nn.init.zeros_(parameter)
    term = VIBTerm(model, 1.0)
    model(numbers(2, 7))
    assert term(2).item() / math.log(2) == pytest.approx(1663.234, abs=0.01)


def test_gradient_of_the_term_is_that_of_the_divergence():
    model, x = network(), numbers(5, 7)
    term = VIBTerm(model, 0.3)
    model(x)
    mine = torch.autograd.grad(term(5), [model.hidden1.linear.weight, model.output.bottleneck.encoder.weight])
    expected = torch.autograd.grad(
        0.3 * divergence_of(model, x).mean(), [model.hidden1.linear.weight, model.output.bottleneck.encoder.weight]
    )
    for a, b in zip(mine, expected, strict=True):
        torch.testing.assert_close(a, b)


def test_each_forward_counts_once_and_evaluation_not_at_all():
    model, x = network(), numbers(5, 7)
    term = VIBTerm(model)
    with pytest.raises(InputError, match="there was none since"):
        term(5)
    model(x)
    model.eval()(numbers(9, 7))
    term(5)
    with pytest.raises(InputError, match="there was none since"):
        term(5)
    model.train()(x)
    with pytest.raises(InputError, match="had 5 inputs, but the loss is given 4"):
        term(4)


def test_copies_and_pickles_carry_no_active_hook():
    model, x = network(), numbers(5, 7)
    term = VIBTerm(model)
    model(x)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        outputs = []
        other.output.bottleneck.encoder.register_forward_hook(
            lambda module, args, out, kept=outputs: kept.append(weakref.ref(out))
        )
        other(numbers(5, 7, seed=1))
        gc.collect()
        assert outputs[0]() is None
    value = term(5).item()
    model(x)
    assert term(5).item() == value


def test_closing_takes_the_hook_off():
    model = network()
    term = VIBTerm(model)
    assert model.output.bottleneck.encoder._forward_hooks
    term.close()
    term.close()
    assert not model.output.bottleneck.encoder._forward_hooks


def test_divergence_is_computed_in_float32_under_autocast():
    model, x = network(), numbers(5, 7)
    term = VIBTerm(model, 1.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        model(x)
        value = term(5)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(divergence_of(model, x).mean().item(), rel=2e-2)


def test_every_bottleneck_of_a_network_counts():
    model = nn.Sequential(vib_mlp((7, 6), 4, 5), nn.ReLU(), VIBHead(5, 3, 2))
    term, x = VIBTerm(model, 1.0), numbers(6, 7)
    caught = {}
    for name, bottleneck in bottlenecks_of(model).items():
        bottleneck.encoder.register_forward_hook(lambda m, args, out, name=name: caught.update({name: out}))
    model(x)
    expected = sum(b.divergence(caught[name]).mean() for name, b in bottlenecks_of(model).items())
    assert term(6).item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("beta", [-1.0, math.nan, math.inf, "1"])
def test_unusable_beta_is_refused(beta):
    with pytest.raises(InputError, match="beta is"):
        VIBTerm(network(), beta)


def test_a_network_without_a_bottleneck_is_refused():
    with pytest.raises(InputError, match="has no VIB bottleneck"):
        VIBTerm(mlp((7, 6, 3)))
