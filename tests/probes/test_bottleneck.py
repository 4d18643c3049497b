import copy
import pickle

import pytest
import torch
from torch import nn

from infoplane.errors import InputError
from infoplane.probes.bottleneck import VIBBottleneck, VIBHead, bottlenecks_of, sampled


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def normal(bottleneck, h):
    mean, log_std = bottleneck.code_of(bottleneck.encoder(h))
    return torch.distributions.Normal(mean, log_std.exp())


def test_training_gives_one_draw_of_the_code_and_evaluation_its_mean():
    bottleneck, h = VIBBottleneck(7, 4), numbers(5000, 7)
    nn.init.constant_(bottleneck.encoder.bias[4:], 5.0)
    law = normal(bottleneck, h)
    torch.manual_seed(0)
    standard = (bottleneck(h) - law.mean) / law.stddev
    assert abs(standard.mean().item()) < 4 / standard.numel() ** 0.5
    assert abs(standard.var().item() - 1) < 4 * (2 / standard.numel()) ** 0.5
    bottleneck.eval()
    assert torch.equal(bottleneck(h), law.mean)


def test_draws_come_from_the_global_generator_as_those_of_dropout_do():
    bottleneck, h = VIBBottleneck(7, 4), numbers(6, 7)
    torch.manual_seed(3)
    first, second = bottleneck(h), bottleneck(h)
    torch.manual_seed(3)
    assert torch.equal(bottleneck(h), first)
    assert not torch.equal(first, second)


def test_sampled_draws_in_evaluation_and_gives_everything_back():
    model = nn.Sequential(nn.Linear(7, 5), VIBHead(5, 3, 4)).eval()
    h = numbers(6, 7)
    assert torch.equal(model(h), model(h))
    with pytest.raises(KeyError), sampled(model):
        assert not torch.equal(model(h), model(h))
        assert not model[1].bottleneck.training
        raise KeyError
    assert torch.equal(model(h), model(h))


@pytest.mark.parametrize("prior", ["standard", "learned"])
@pytest.mark.parametrize("std", ["softplus", "log_variance"])
def test_divergence_is_that_of_two_normals(std, prior):
    bottleneck, h = VIBBottleneck(7, 4, std=std, prior=prior), numbers(6, 7)
    reference = torch.distributions.Normal(torch.zeros(4), torch.ones(4))
    if prior == "learned":
        nn.init.constant_(bottleneck.prior.mean, 0.5)
        nn.init.constant_(bottleneck.prior.log_std, 0.2)
        reference = torch.distributions.Normal(bottleneck.prior.mean, bottleneck.prior.log_std.exp())
    expected = torch.distributions.kl_divergence(normal(bottleneck, h), reference).sum(dim=1)
    found = bottleneck.divergence(bottleneck.encoder(h))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    found.sum().backward()
    assert all(p.grad is not None for p in bottleneck.parameters())


def test_gradient_of_the_network_passes_through_the_draw():
    head, h = VIBHead(7, 3, 4), numbers(6, 7).requires_grad_()
    torch.manual_seed(0)
    head(h).square().sum().backward()
    mine, h.grad = h.grad, None
    torch.manual_seed(0)
    law = normal(head.bottleneck, h)
    head.decoder(law.mean + law.stddev * torch.randn(6, 4)).square().sum().backward()
    torch.testing.assert_close(mine, h.grad, rtol=1e-4, atol=1e-5)


def test_code_keeps_its_digits_under_autocast():
    bottleneck, h = VIBBottleneck(7, 4), numbers(6, 7)
    with torch.autocast("cpu", torch.bfloat16):
        outputs = bottleneck.encoder(h)
        assert outputs.dtype == torch.bfloat16
        assert bottleneck(h).dtype == torch.float32
        assert bottleneck.divergence(outputs).dtype == torch.float32
    assert bottleneck.double()(h.double()).dtype == torch.float64


def test_activations_of_more_dimensions_are_flattened():
    assert VIBBottleneck(12, 4)(numbers(2, 3, 2, 2)).shape == (2, 4)


def test_building_draws_nothing_from_the_global_state_and_repeats_by_seed():
    before = torch.get_rng_state()
    first, second, other = (VIBHead(7, 3, 4, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first.bottleneck.encoder.weight, second.bottleneck.encoder.weight)
    assert torch.equal(first.decoder.weight, second.decoder.weight)
    assert not torch.equal(first.bottleneck.encoder.weight, other.bottleneck.encoder.weight)


def test_bottlenecks_are_found_by_name_and_survive_copies():
    model = nn.Sequential(nn.Linear(7, 5), VIBHead(5, 3, 4))
    assert list(bottlenecks_of(model)) == ["1.bottleneck"]
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert list(twin.state_dict()) == list(model.state_dict())


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # the compiler's own look at every attribute
def test_a_compiled_network_gives_the_same_draws():
    model, h = nn.Sequential(nn.Linear(7, 5), VIBHead(5, 3, 4)), numbers(6, 7)
    compiled = torch.compile(model, backend="eager")
    torch.manual_seed(0)
    expected = model(h)
    torch.manual_seed(0)
    torch.testing.assert_close(compiled(h), expected)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: VIBBottleneck(0), "features is 0"),
        (lambda: VIBBottleneck(3, 1.5), "latent is 1.5"),
        (lambda: VIBBottleneck(3, std="softmax"), "did you mean 'softplus'"),
        (lambda: VIBBottleneck(3, prior="mixture"), "prior is 'mixture'"),
        (lambda: VIBHead(3, 0), "classes is 0"),
    ],
)
def test_unusable_arguments_are_refused(make, text):
    with pytest.raises(InputError, match=text):
        make()
