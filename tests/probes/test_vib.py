import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from infoplane.analysis.noisy_code import sandwich
from infoplane.errors import InputError
from infoplane.probes.bank import ProbeBank, check_labels
from infoplane.probes.vib import VIBProbe, VIBSettings


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
    ],
)
def test_unusable_settings_are_refused(options, text):
    with pytest.raises(InputError, match=text):
        VIBSettings(**options)


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (torch.tensor([0, 3]), "a label is 3, but with classes=3 labels lie in 0 .. 2"),
        (torch.tensor([-1, 0]), "a label is -1"),
        (torch.tensor([0.0, 1.0]), "torch.float32"),
        (torch.tensor([[0], [1]]), r"shape \(2, 1\)"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels, text):
    with pytest.raises(InputError, match=text):
        check_labels(labels, 3)


def bank(seed=0, **options):
    return ProbeBank({"a": 7, "b": 7}, 3, VIBSettings(latent=4, **options), seed=seed, device=torch.device("cpu"))


def test_sites_have_independent_streams_and_banks_of_one_seed_are_twins():
    first, second, other = bank(), bank(), bank(seed=1)
    weights = [b.probes[s].encoder.weight for b in (first, second, other) for s in "ab"]
    assert torch.equal(weights[0], weights[2])
    assert torch.equal(weights[1], weights[3])
    assert not torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[4])


def test_non_finite_inputs_are_left_out_of_training_and_counted():
    h, y = batch()
    broken = h.clone()
    broken[3, 2], broken[5, 0], broken[9] = math.nan, math.inf, -math.inf
    keep = torch.ones(64, dtype=torch.bool)
    keep[[3, 5, 9]] = False
    one, two = bank(), bank()
    for b in (one, two):
        for probe in b.probes.values():
            torch.nn.init.constant_(probe.encoder.bias[4:], -60.0)  # s = 0: the draw does not matter
    loss_all = one.loss({"a": broken, "b": h}, y)
    loss_kept = two.loss({"a": h[keep], "b": h[keep]}, y[keep])
    loss_all.backward()
    loss_kept.backward()
    assert torch.allclose(one.probes["a"].encoder.weight.grad, two.probes["a"].encoder.weight.grad, atol=1e-6)
    assert one.probes["b"].encoder.weight.grad.isfinite().all()
    assert one.left_out() == {"a": 3, "b": 0}
    assert one.left_out() == {"a": 0, "b": 0}


def test_evaluation_noise_is_the_same_at_every_measurement():
    h, y = batch()
    b = bank()
    first, second = (b.evaluate({"a": h, "b": h}, y, b.evaluation_streams()) for _ in range(2))
    assert torch.equal(first["a"].ce, second["a"].ce)
    assert not torch.equal(first["a"].ce, first["b"].ce)


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


def test_bank_takes_the_steps_of_adam_and_forgets_their_gradients():
    """Three steps of one bank against three of torch's Adam on probes built alike and fed the same noise."""
    h, y = batch()
    ours, theirs = bank(learning_rate=0.01), bank(learning_rate=0.01)
    probes = list(theirs.probes.values())
    optimizer = torch.optim.Adam([p for probe in probes for p in probe.parameters()], 0.01)
    for _ in range(3):
        ours.loss({"a": h, "b": 2 * h}, y).backward()
        ours.step()
        optimizer.zero_grad()
        theirs.loss({"a": h, "b": 2 * h}, y).backward()
        optimizer.step()
    for mine, other in zip(ours.probes.values(), probes, strict=True):
        assert all(torch.equal(p, q) for p, q in zip(mine.parameters(), other.parameters(), strict=True))
    assert ours.updates == 3
    ours.step()
    assert ours.updates == 3


def test_loss_runs_in_float32_under_autocast():
    h, y = batch()
    outside, inside = bank().loss({"a": h, "b": h}, y), None
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = bank().loss({"a": h, "b": h}, y)
    assert torch.equal(outside, inside)


def test_training_and_evaluation_draw_from_different_streams():
    b = bank()
    training = torch.randn(5, generator=b._noise["a"])
    evaluation = torch.randn(5, generator=b.evaluation_streams()["a"])
    assert not torch.equal(training, evaluation)


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
