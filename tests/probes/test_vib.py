import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from infoplane.analysis.noisy_code import sandwich
from infoplane.errors import InputError
from infoplane.probes.target import RealTarget
from infoplane.probes.vib import VIBProbe
from infoplane.probes.vib_settings import VIBSettings


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def batch(n=64, features=7, classes=3):
    return torch.randn(n, features, generator=generator(1)), torch.arange(n) % classes


def test_shapes_of_encoder_and_decoder():
    probe = VIBProbe(7, 3, VIBSettings(latent=5))
    assert probe.encoder.weight.shape == (10, 7)
    assert probe.decoder.weight.shape == (3, 5)


def test_divergence_of_an_untrained_code_of_256_dimensions_with_mean_zero():
    probe = VIBProbe(7, 3)
    torch.nn.init.zeros_(probe.encoder.weight)
    h, y = batch()
    bits = probe.evaluate(h, y, generator=generator()).kl / math.log(2)
    assert torch.allclose(bits, torch.tensor(1663.234), atol=2e-3)


def test_evaluation_equals_a_straightforward_recomputation():
    probe = VIBProbe(7, 3, VIBSettings(latent=4, draws=5))
    h, y = batch()
    result = probe.evaluate(h, y, generator=generator(3))
    mean, std = (v.detach().double().numpy() for v in probe.encode(h))
    again, ce, p = generator(3), np.zeros(64), np.zeros((64, 3))
    weight, bias = (v.detach().double().numpy() for v in (probe.decoder.weight, probe.decoder.bias))
    for _ in range(5):
        logits = (mean + std * torch.randn(64, 4, generator=again).double().numpy()) @ weight.T + bias
        log_q = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        ce -= log_q[np.arange(64), y.numpy()] / 5
        p += np.exp(log_q) / 5
    np.testing.assert_allclose(result.kl, 0.5 * (mean**2 + std**2 - 1 - 2 * np.log(std)).sum(1), rtol=1e-5)
    np.testing.assert_allclose(result.ce, ce, rtol=1e-5)
    np.testing.assert_array_equal(result.correct, p.argmax(1) == y.numpy())
    # The averaged softmax has the smaller cross-entropy (Jensen); the bound must not use it.
    assert (result.ce.double().numpy() >= -np.log(p[np.arange(64), y.numpy()]) - 1e-6).all()


def test_loss_is_cross_entropy_plus_beta_times_divergence():
    h, y = batch()
    parts = {}
    for beta in (0.0, 0.25):
        parts[beta] = VIBProbe(7, 3, VIBSettings(latent=4, beta=beta)).loss(h, y, generator=generator(2)).item()
    kl = VIBProbe(7, 3, VIBSettings(latent=4)).evaluate(h, y).kl.mean().item()
    assert parts[0.25] - parts[0.0] == pytest.approx(0.25 * kl, rel=1e-5)
    mean, std = VIBProbe(7, 3, VIBSettings(latent=4)).encode(h)
    code = mean + std * torch.randn(64, 4, generator=generator(2))
    expected = functional.cross_entropy(VIBProbe(7, 3, VIBSettings(latent=4)).decoder(code), y).item()
    assert parts[0.0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("mode", "reaches"), [("observe", False), ("joint", True)])
def test_only_mode_joint_lets_a_gradient_reach_the_host(mode, reaches):
    h, y = batch()
    h.requires_grad_()
    VIBProbe(7, 3, VIBSettings(mode=mode)).loss(h, y).backward()
    assert (h.grad is not None) == reaches


def test_building_a_probe_neither_reads_nor_changes_the_random_state():
    before = torch.get_rng_state()
    first = VIBProbe(7, 3, seed=5)
    torch.manual_seed(99)
    second = VIBProbe(7, 3, seed=5)
    torch.set_rng_state(before)
    VIBProbe(7, 3, seed=6)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first.encoder.weight, second.encoder.weight)


def test_activations_of_more_dimensions_are_flattened():
    probe = VIBProbe(12, 3)
    mean, std = probe.encode(torch.randn(2, 3, 2, 2, generator=generator()))
    assert mean.shape == std.shape == (2, 256)
    with pytest.raises(InputError, match="takes 12 features, but the activation has 6"):
        probe.encode(torch.zeros(2, 6))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"mode": "obsrve"}, "did you mean 'observe'"),
        ({"latent": 0}, "latent is 0"),
        ({"draws": 1.5}, "draws is 1.5"),
        ({"beta": -1.0}, "beta is -1.0"),
        ({"beta": math.nan}, "beta is nan"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"std": "softmax"}, "did you mean 'softplus'"),
        ({"prior": "learnt"}, "did you mean 'learned'"),
        ({"averaging": 1.0}, "averaging is 1.0, but a decay lies in 0"),
        ({"averaging": -0.1}, "averaging is -0.1"),
    ],
)
def test_unusable_settings_are_refused(options, text):
    with pytest.raises(InputError, match=text):
        VIBSettings(**options)


def test_divergence_stays_finite_where_the_deviation_underflows():
    """Activations a hundred times larger drive rho far below the range of float32's softplus."""
    probe = VIBProbe(7, 3, VIBSettings(latent=4, beta=1.0))
    torch.nn.init.zeros_(probe.encoder.weight)
    torch.nn.init.constant_(probe.encoder.bias[4:], -995.0)  # ln s = -1000
    h, y = batch()
    kl = probe.evaluate(h, y, generator=generator()).kl
    torch.testing.assert_close(kl, torch.full_like(kl, 4 * (1000 - 0.5)))
    probe.loss(h, y, generator=generator()).backward()
    assert all(p.grad.isfinite().all() for p in probe.parameters())
    assert probe.encoder.bias.grad[4:] == pytest.approx(torch.full((4,), -1.0), abs=1e-5)  # d KL / d ln s = s^2 - 1


def test_code_is_the_encoder_in_closed_form_and_encloses_its_information():
    probe = VIBProbe(7, 3, VIBSettings(latent=4))
    h, _ = batch()
    mean, std = probe.encode(h)
    code = probe.code(h)
    assert np.allclose(code.mean, mean.detach())
    assert np.allclose(np.exp(code.log_std), std.detach(), rtol=1e-5)
    low, high = sandwich(code)
    assert 0 < low.value <= math.log2(64) + 1e-9
    assert low.value < high.value


def test_code_of_another_width_is_refused():
    with pytest.raises(InputError, match="takes 7 features"):
        VIBProbe(7, 3).code(torch.zeros(2, 8))


def test_code_of_the_other_rule_of_the_deviation():
    probe = VIBProbe(7, 3, VIBSettings(latent=4, std="log_variance"))
    h, _ = batch()
    _, rho = probe.encoder(h).chunk(2, dim=1)
    torch.testing.assert_close(probe.encode(h)[1], (rho / 2).exp())


def test_a_learned_prior_starts_standard_and_lowers_the_rate():
    h, y = batch()
    probe, standard = (
        VIBProbe(7, 3, VIBSettings(latent=4, prior=prior, beta=0.1)) for prior in ("learned", "standard")
    )
    torch.testing.assert_close(probe.evaluate(h, y).kl, standard.evaluate(h, y).kl)
    optimizer = torch.optim.Adam(probe.prior.parameters(), 0.05)
    for _ in range(300):
        optimizer.zero_grad()
        probe.loss(h, y, generator=generator()).backward()
        optimizer.step()
    found = probe.evaluate(h, y)
    assert found.kl.mean() < standard.evaluate(h, y).kl.mean()
    # The best diagonal normal has the moments of the codes.
    torch.testing.assert_close(probe.prior.mean.detach(), found.mean.mean(0), atol=0.02, rtol=0)
    moments = (found.mean.var(0, correction=0) + (2 * found.log_std).exp().mean(0)).sqrt().log()
    torch.testing.assert_close(probe.prior.log_std.detach(), moments, atol=0.02, rtol=0)
    torch.testing.assert_close(found.dimensions.sum(), found.kl.sum())


def test_evaluation_of_real_numbers_is_the_mean_density_over_draws():
    probe = VIBProbe(7, RealTarget(2), VIBSettings(latent=4, draws=5))
    torch.nn.init.constant_(probe.log_scale, -0.3)
    h, _ = batch()
    y = torch.randn(64, 2, generator=generator(8))
    found = probe.evaluate(h, y, generator=generator(3))
    mean, std = probe.encode(h)
    again, ce, average = generator(3), 0.0, 0.0
    for _ in range(5):
        decoded = probe.decoder(mean + std * torch.randn(64, 4, generator=again))
        ce = ce - torch.distributions.Normal(decoded, math.exp(-0.3)).log_prob(y).sum(1) / 5
        average = average + decoded / 5
    torch.testing.assert_close(found.ce, ce.detach())
    torch.testing.assert_close(found.squared_error, (average - y).square().sum(1).detach())
    assert found.correct is None


def test_labels_are_checked():
    probe, (h, y) = VIBProbe(7, 3), batch()
    with pytest.raises(InputError, match="a label is 3"):
        probe.loss(h, y + 1)
    with pytest.raises(InputError, match="a label is 3"):
        probe.evaluate(h, y + 1)
    one = VIBProbe(7, RealTarget(1))
    assert one.loss(h, h[:, 0], generator=generator()) == one.loss(h, h[:, :1], generator=generator())


def test_weights_are_single_precision_whatever_the_default():
    torch.set_default_dtype(torch.float64)
    try:
        probe = VIBProbe(7, RealTarget(1), VIBSettings(prior="learned"))
    finally:
        torch.set_default_dtype(torch.float32)
    assert {p.dtype for p in probe.parameters()} == {torch.float32}
