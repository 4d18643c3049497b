import numpy as np
import pytest
import torch

from infoplane.analysis.noisy_code import GaussianCode, residual_sandwich
from infoplane.probes.encoding import Encoded
from infoplane.probes.label_normals import DECAY, LabelNormals

CPU = torch.device("cpu")


def code(n, latent=3, *, seed=0, at=0.0, narrow=1.0):
    generator = torch.Generator().manual_seed(seed)
    mean = at + narrow * torch.randn(n, latent, generator=generator)
    log_std = torch.randn(n, latent, generator=generator) - 1 + np.log(narrow)
    return Encoded(mean, log_std.exp(), log_std)


def learn(normals, codes, labels, valid=None):
    normals.add(codes.mean, codes.std, labels, torch.ones(len(labels), dtype=torch.bool) if valid is None else valid)
    normals.update(normals.take_sums())


def test_one_update_takes_the_moments_of_each_class():
    codes, labels, normals = code(40), torch.arange(40) % 2, LabelNormals(3, 3, device=CPU)
    learn(normals, codes, labels)
    for label in (0, 1):
        own = labels == label
        torch.testing.assert_close(normals.mean[label], codes.mean[own].mean(0))
        variance = codes.mean[own].var(0, correction=0) + codes.std[own].square().mean(0)
        torch.testing.assert_close(normals.variance[label], variance)
    assert normals.updates.tolist() == [1, 1, 0]


def test_several_updates_give_the_bias_corrected_average_of_first_and_second_moments():
    normals, first, second = LabelNormals(1, 3, device=CPU), 0.0, 0.0
    for step in range(1, 6):
        codes = code(20, seed=step, at=step)
        learn(normals, codes, torch.zeros(20, dtype=torch.int64))
        mean, square = codes.mean.double(), (codes.mean.square() + codes.std.square()).double()
        first = DECAY * first + (1 - DECAY) * mean.mean(0)
        second = DECAY * second + (1 - DECAY) * square.mean(0)
    correction = 1 - DECAY**5
    torch.testing.assert_close(normals.mean[0].double(), first / correction, rtol=1e-5, atol=1e-5)
    variance = second / correction - (first / correction).square()
    torch.testing.assert_close(normals.variance[0].double(), variance, rtol=1e-4, atol=1e-5)


def test_narrow_classes_far_from_zero_get_their_variance():
    """E m^2 - (E m)^2 in float32 has an error of three times the variance here."""
    normals = LabelNormals(1, 3, device=CPU)
    many = [code(50, seed=step, at=100.0, narrow=0.01) for step in range(80)]
    for codes in many:
        learn(normals, codes, torch.zeros(50, dtype=torch.int64))
    means, stds = (torch.cat([getattr(c, name) for c in many]).double() for name in ("mean", "std"))
    spread = means.var(0) + stds.square().mean(0)
    torch.testing.assert_close(normals.variance[0].double(), spread, rtol=0.2, atol=0)


def test_inputs_left_out_do_not_count_and_absent_classes_stay():
    codes, labels, normals = code(40), torch.arange(40) % 2, LabelNormals(2, 3, device=CPU)
    valid = torch.arange(40) >= 10
    learn(normals, codes, labels, valid)
    other = LabelNormals(2, 3, device=CPU)
    learn(other, Encoded(*(v[10:] for v in codes)), labels[10:])
    torch.testing.assert_close(normals.mean, other.mean)
    before = normals.mean.clone(), normals.variance.clone()
    learn(normals, code(5, seed=9), torch.ones(5, dtype=torch.int64))
    assert torch.equal(normals.mean[0], before[0][0])
    assert torch.equal(normals.variance[0], before[1][0])
    assert not torch.equal(normals.mean[1], before[0][1])
    assert normals.updates.tolist() == [1, 2]


def test_sums_of_two_processes_give_what_one_gives():
    codes, labels = code(40), torch.arange(40) % 3
    one, parts = LabelNormals(3, 3, device=CPU), [LabelNormals(3, 3, device=CPU) for _ in range(2)]
    learn(one, codes, labels)
    for rank, part in enumerate(parts):
        part.add(codes.mean[rank::2], codes.std[rank::2], labels[rank::2], torch.ones(20, dtype=torch.bool))
    sums = sum(part.take_sums() for part in parts)
    parts[0].update(sums)
    torch.testing.assert_close(parts[0].mean, one.mean)
    torch.testing.assert_close(parts[0].variance, one.variance)


def test_divergence_is_that_of_two_normals_and_nan_for_a_class_never_seen():
    codes, labels, normals = code(40), torch.arange(40) % 2, LabelNormals(3, 3, device=CPU)
    learn(normals, codes, labels)
    new, y = code(6, seed=5), torch.tensor([0, 1, 0, 1, 2, 2])
    found = normals.divergences(new.mean, new.log_std, y)
    theirs = torch.distributions.Normal(normals.mean[y[:4]], normals.variance[y[:4]].sqrt())
    ours = torch.distributions.Normal(new.mean[:4], new.std[:4])
    torch.testing.assert_close(found[:4], torch.distributions.kl_divergence(ours, theirs).sum(1))
    assert found[4:].isnan().all()


def test_rate_given_the_label_lies_above_the_residual_information():
    normals = LabelNormals(2, 3, device=CPU)
    labels = torch.arange(600) % 2
    training, held_out = code(600, seed=1), code(600, seed=2)
    learn(normals, training, labels)
    given = normals.divergences(held_out.mean, held_out.log_std, labels).mean().item()
    enclosure = residual_sandwich(GaussianCode(held_out.mean, held_out.log_std), labels, base=np.e)
    assert given > enclosure.lower.value
    # Means are normal here: the gap to the truth is what the spread of s leaves, some tenths of a nat.
    assert given == pytest.approx(enclosure.upper.value, abs=0.6)
