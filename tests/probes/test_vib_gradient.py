"""The written-out gradient against autograd of the plain loss, in double precision of the reference."""

import copy

import pytest
import torch
from torch.nn import functional

from infoplane.probes.encoding import encoded
from infoplane.probes.target import ClassTarget, RealTarget
from infoplane.probes.vib import VIBProbe
from infoplane.probes.vib_gradient import take_gradients
from infoplane.probes.vib_settings import VIBSettings

N, LATENT = 24, 5


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def probes_of(target, std="softplus", prior="standard"):
    made = []
    for k, features in enumerate((7, 3)):
        probe = VIBProbe(features, target, VIBSettings(latent=LATENT, beta=10.0**-k, std=std, prior=prior), seed=k)
        with torch.no_grad():
            for j, p in enumerate(probe.parameters()):
                p.add_(0.3 * numbers(*p.shape, seed=10 * k + j))
            probe.encoder.bias[LATENT:] += 4  # deviations of about 1
        made.append(probe)
    return made


def reference(probe, activation, labels, noise, weights):
    """Gradients of the parameters and of the activation, and the loss, by autograd in float64."""
    probe, activation = copy.deepcopy(probe).double(), activation.double().requires_grad_()
    code = encoded(probe.encoder(activation), probe.settings.std)
    nll = probe.target.nll(probe.decode(code.sample(noise.double())), labels)
    loss = (weights.double() * (nll + probe.settings.beta * probe.prior(code).divergence())).sum()
    loss.backward()
    return {name: p.grad for name, p in probe.named_parameters()}, activation.grad


def case(target):
    labels = torch.arange(N) % 3 if isinstance(target, ClassTarget) else numbers(N, 2, seed=7)
    weights = torch.rand(2, N, generator=torch.Generator().manual_seed(8))
    return [numbers(N, 7, seed=3), numbers(N, 3, seed=4)], labels, numbers(N, LATENT, seed=5), weights


@pytest.mark.parametrize("target", [ClassTarget(3), RealTarget(2)])
@pytest.mark.parametrize("prior", ["standard", "learned"])
@pytest.mark.parametrize("std", ["softplus", "log_variance"])
def test_gradient_is_that_of_autograd(std, prior, target):
    probes, (activations, labels, noise, weights) = probes_of(target, std, prior), case(target)
    passed = take_gradients(probes, activations, labels, noise, weights, add=False)
    for k, probe in enumerate(probes):
        expected, of_activation = reference(probe, activations[k], labels, noise, weights[k])
        for name, p in probe.named_parameters():
            torch.testing.assert_close(p.grad.double(), expected[name], rtol=1e-4, atol=1e-5, msg=name)
        torch.testing.assert_close(
            (passed.of_outputs[k] @ probe.encoder.weight).double(), of_activation, rtol=1e-4, atol=1e-5
        )
        mean, deviation = probe.encode(activations[k])
        torch.testing.assert_close((passed.mean[k], passed.std[k]), (mean, deviation), rtol=1e-5, atol=1e-6)


def test_a_second_batch_adds_or_begins_anew():
    target = ClassTarget(3)
    probes, (activations, labels, noise, weights) = probes_of(target, prior="learned"), case(target)
    gradients = []
    for add in (False, True, False):
        take_gradients(probes, activations, labels, noise, weights, add=add)
        gradients.append([p.grad.clone() for probe in probes for p in probe.parameters()])
    for first, second, third in zip(*gradients, strict=True):
        torch.testing.assert_close(second, 2 * first)
        torch.testing.assert_close(third, first)


@pytest.mark.parametrize("rho", [-995.0, -90.0, -15.0, -10.0, 0.0, 20.0, 70.0])
def test_gradient_is_right_from_far_below_to_far_above(rho):
    probes, (activations, labels, noise, weights) = probes_of(ClassTarget(3)), case(ClassTarget(3))
    with torch.no_grad():
        for probe in probes:
            probe.encoder.weight[LATENT:] = 0
            probe.encoder.bias[LATENT:] = rho
    take_gradients(probes, activations, labels, noise, weights, add=False)
    for k, probe in enumerate(probes):
        expected, _ = reference(probe, activations[k], labels, noise, weights[k])
        torch.testing.assert_close(probe.encoder.bias.grad.double(), expected["encoder.bias"], rtol=1e-3, atol=1e-5)


def test_scores_are_the_gradients_of_the_cross_entropies():
    for target, labels in ((ClassTarget(3), torch.arange(6) % 3), (RealTarget(2), numbers(6, 2, seed=1))):
        decoded = numbers(6, target.decoder_width + target.scales).requires_grad_()
        target.nll(decoded, labels).sum().backward()
        torch.testing.assert_close(target.score(decoded.detach(), labels), decoded.grad)
    one_hot = functional.one_hot(torch.arange(6) % 3, 3)
    torch.testing.assert_close(ClassTarget(3).score(torch.zeros(6, 3), torch.arange(6) % 3), 1 / 3 - one_hot.float())
