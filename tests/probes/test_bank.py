import copy
import math

import pytest
import torch
from torch.nn import functional

from infoplane.errors import InputError
from infoplane.probes.bank import LABELS_EVERY, LABELS_FIRST, ProbeBank
from infoplane.probes.encoding import encoded
from infoplane.probes.probe_info import probes_of_host
from infoplane.probes.ranks import Ranks
from infoplane.probes.target import ClassTarget, RealTarget
from infoplane.probes.vib import VIBProbe
from infoplane.probes.vib_settings import VIBSettings

FEATURES = {"a": 7, "b": 7}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def batch(n=64, features=7, classes=3, seed=1):
    return torch.randn(n, features, generator=generator(seed)), torch.arange(n) % classes


def bank(seed=0, betas=(1e-3,), scales=(), host="trained", target=None, ranks=None, features=FEATURES, **options):
    infos = probes_of_host(list(features), host=host, betas=betas, latent=4, scales=scales)
    settings = VIBSettings(**{"latent": 4, "draws": 5} | options)
    device = torch.device("cpu")
    target = target or ClassTarget(3)
    return ProbeBank(infos, features, target, settings, seed=seed, device=device, ranks=ranks or Ranks())


def learn(b, h, y, *, step=0, update=True):
    return b.learn(dict.fromkeys(FEATURES, h), y, step=step, update=update)


def evaluate(b, h, y, positions=None):
    positions = torch.arange(len(y)) if positions is None else positions
    return b.evaluate(dict.fromkeys(FEATURES, h), y, positions)


def weights(b):
    return [p.detach().clone() for probe in b.probes.values() for p in probe.parameters()]


def assert_same(first, second, **tolerance):
    for mine, other in zip(first, second, strict=True):
        torch.testing.assert_close(mine, other, **tolerance)


def test_sites_start_apart_and_banks_of_one_seed_alike_on_every_host():
    first, second, other = bank(), bank(host="untrained"), bank(seed=1)
    a, b = (first.probes[site].encoder.weight for site in "ab")
    assert torch.equal(a, second.probes["a@untrained"].encoder.weight)
    assert torch.equal(b, second.probes["b@untrained"].encoder.weight)
    assert not torch.equal(a, b)
    assert not torch.equal(a, other.probes["a"].encoder.weight)


def test_a_site_starts_the_same_whatever_other_sites_there_are():
    alone = bank(features={"b": 7})
    assert torch.equal(alone.probes["b"].encoder.weight, bank().probes["b"].encoder.weight)


def test_hosts_with_equal_activations_have_equal_probes():
    h, y = batch()
    first, second = bank(), bank(host="untrained")
    for step in range(3):
        learn(first, h, y, step=step)
        learn(second, h, y, step=step)
    assert_same(weights(first), weights(second), rtol=0, atol=0)
    one, two = evaluate(first, h, y)["a"], evaluate(second, h, y)["a@untrained"]
    assert torch.equal(one.ce, two.ce)
    assert torch.equal(one.kl, two.kl)


def test_betas_and_scale_twins_start_alike_and_part_by_beta_and_scale():
    h, y = batch()
    b = bank(betas=(1e-3, 1.0), scales=(0.1, 10.0))
    names = ["a@beta=0.001", "a@beta=1", "a@x0.1", "a@x10"]
    assert [name for name in b.probes if name.startswith("a")] == names
    start = [b.probes[name].encoder.weight.detach().clone() for name in names]
    assert all(torch.equal(start[0], other) for other in start[1:])
    learn(b, h, y)
    moved = [b.probes[name].encoder.weight for name in names]
    assert all(not torch.equal(moved[0], other) for other in moved[1:])


def test_a_scale_twin_is_a_probe_on_the_scaled_activation():
    h, y = batch()
    twins, plain = bank(scales=(10.0,)), bank()
    for step in range(3):
        learn(twins, h, y, step=step)
        learn(plain, 10.0 * h, y, step=step)
    torch.testing.assert_close(twins.probes["a@x10"].encoder.weight, plain.probes["a"].encoder.weight)
    torch.testing.assert_close(evaluate(twins, h, y)["a@x10"].ce, evaluate(plain, 10.0 * h, y)["a"].ce)


@pytest.mark.parametrize("options", [{}, {"std": "log_variance"}, {"prior": "learned"}, {"target": RealTarget(2)}])
def test_bank_takes_the_steps_of_adam_on_the_loss_of_each_probe(options):
    """Three steps against torch's plain Adam on single probes, fed the same noise and differentiated by autograd."""
    h, y = batch()
    if "target" in options:
        y = torch.randn(64, 2, generator=generator(5))
    ours, theirs = (
        bank(learning_rate=0.01, beta=0.1, betas=(0.1, 0.3), **options),
        bank(beta=0.1, betas=(0.1, 0.3), **options),
    )
    probes = list(theirs.probes.values())
    optimizer = torch.optim.Adam([p for probe in probes for p in probe.parameters()], 0.01)
    for step in range(3):
        learn(ours, h, y, step=step)
        optimizer.zero_grad()
        for probe in probes:
            code = encoded(probe.encoder(h), probe.settings.std)
            nll = probe.target.nll(probe.decode(code.sample(theirs._noise.training(64, step))), y)
            (nll + probe.settings.beta * probe.prior(code).divergence()).mean().backward()
        optimizer.step()
    assert_same(weights(ours), weights(theirs), rtol=1e-4, atol=1e-5)
    assert ours.updates == 3


def test_gradients_add_up_until_an_update():
    h, y = batch()
    b = bank()
    before = weights(b)
    learn(b, h, y, step=0, update=False)
    assert_same(weights(b), before, rtol=0, atol=0)
    assert b.updates == 0
    first = b.probes["a"].encoder.weight.grad.clone()
    learn(b, 2 * h, y, step=1, update=False)
    other = bank()
    learn(other, 2 * h, y, step=1, update=False)
    torch.testing.assert_close(b.probes["a"].encoder.weight.grad, first + other.probes["a"].encoder.weight.grad)
    learn(b, h, y, step=2)
    assert b.updates == 1
    moved = copy.deepcopy(b.probes["a"])
    learn(b, 2 * h, y, step=1, update=False)  # begins anew after an update
    third = bank()
    third.probes["a"].load_state_dict(moved.state_dict())
    learn(third, 2 * h, y, step=1, update=False)
    torch.testing.assert_close(b.probes["a"].encoder.weight.grad, third.probes["a"].encoder.weight.grad)


def test_mode_observe_returns_zero_and_reaches_no_host():
    h, y = batch()
    h.requires_grad_()
    result = learn(bank(), h * 1, y)
    assert result.item() == 0
    assert not result.requires_grad
    assert h.grad is None


@pytest.mark.parametrize(
    "surroundings", [torch.no_grad, torch.inference_mode, lambda: torch.autocast("cpu", torch.bfloat16)]
)
def test_probes_learn_the_same_whatever_holds_around_them(surroundings):
    h, y = batch()
    outside, inside = bank(), bank()
    learn(outside, h, y)
    with surroundings():
        learn(inside, h * 1, y)
        result = evaluate(inside, h * 1, y)
    assert_same(weights(outside), weights(inside), rtol=0, atol=0)
    assert torch.equal(evaluate(outside, h, y)["a"].ce, result["a"].ce)


def test_mode_joint_hands_the_gradient_to_the_host_times_the_upstream_one():
    h, y = batch()
    b, plain = bank(mode="joint", scales=(10.0,)), bank(scales=(10.0,))
    mine, theirs = (h.clone().requires_grad_() for _ in range(2))
    loss = b.learn({"a": mine * 2, "b": mine}, y, step=0, update=False)
    noise = plain._noise.training(64, 0)
    total = 0.0
    for info, probe in zip(plain._infos, plain.probes.values(), strict=True):
        code = encoded(probe.encoder((theirs * 2 if info.site == "a" else theirs) * info.scale), "softplus")
        ce = functional.cross_entropy(probe.decoder(code.sample(noise)), y)
        total = total + ce + 1e-3 * code.divergence().mean()
    assert loss.item() == pytest.approx(total.item(), rel=1e-5)
    (4.0 * loss).backward()
    (4.0 * total).backward()
    torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-4, atol=1e-6)
    own = b.probes["a"].encoder.weight.grad
    torch.testing.assert_close(own, plain.probes["a"].encoder.weight.grad / 4, rtol=1e-4, atol=1e-6)


def test_mode_joint_hands_half_precision_activations_a_gradient_of_their_type():
    h, y = batch()
    leaf = h.bfloat16().requires_grad_()
    bank(mode="joint").learn({"a": leaf * 1, "b": leaf * 1}, y, step=0, update=True).backward()
    assert leaf.grad.dtype == torch.bfloat16
    assert leaf.grad.abs().sum() > 0


def test_non_finite_inputs_are_left_out_of_training_and_counted():
    h, y = batch()
    broken = h.clone()
    broken[3, 2], broken[5, 0], broken[9] = math.nan, math.inf, -math.inf
    broken[9, 0] = math.inf
    keep = torch.ones(64, dtype=torch.bool)
    keep[[3, 5, 9]] = False
    one, two = bank(), bank()
    for b in (one, two):
        for probe in b.probes.values():
            torch.nn.init.constant_(probe.encoder.bias[4:], -60.0)  # s = 0: the draw does not matter
    one.learn({"a": broken, "b": h}, y, step=0, update=False)
    two.learn({"a": h[keep], "b": h[keep]}, y[keep], step=0, update=False)
    mine, other = (b.probes["a"].encoder.weight.grad for b in (one, two))
    torch.testing.assert_close(mine, other, atol=1e-6, rtol=1e-4)
    assert one.probes["b"].encoder.weight.grad.isfinite().all()
    assert one.left_out() == {"a": 3, "b": 0}
    assert one.left_out() == {"a": 0, "b": 0}


def test_non_finite_inputs_hand_the_host_no_gradient():
    h, y = batch()
    h[3, 2] = math.nan
    h.requires_grad_()
    bank(mode="joint").learn({"a": h * 1, "b": h * 1}, y, step=0, update=True).backward()
    assert h.grad[3].abs().sum() == 0
    assert h.grad.isfinite().all()
    assert (h.grad[4] != 0).any()


def test_ranks_see_the_noise_of_one_process_with_the_joint_batch():
    whole = bank()._noise.training(12, 5)
    for rank in range(3):
        part = bank(ranks=Ranks(rank, 3))._noise.training(4, 5)
        assert torch.equal(part, whole[rank::3])
    assert not torch.equal(whole, bank()._noise.training(12, 6))


@pytest.mark.parametrize("broken", [False, True])
def test_two_ranks_take_the_step_of_one_process_with_the_joint_batch(monkeypatch, broken):
    """Gradients are means over all inputs: with a non-finite input on one rank the ranks weigh unequally."""
    h, y = batch()
    if broken:
        h[4, 0] = math.nan
    one, ranks = bank(), [bank(ranks=Ranks(rank, 2)) for rank in range(2)]
    learn(one, h, y)
    asked, totals = [], []
    monkeypatch.setattr(Ranks, "sum", lambda self, values: asked.append(values.clone()) or (totals or [values])[0])
    for rank, b in enumerate(ranks):
        learn(b, h[rank::2], y[rank::2])
    totals.append(asked[0] + asked[1])
    ranks = [bank(ranks=Ranks(rank, 2)) for rank in range(2)]
    for rank, b in enumerate(ranks):
        learn(b, h[rank::2], y[rank::2])
    assert len(asked) == 4  # one sum a step
    assert_same(weights(ranks[0]), weights(ranks[1]), rtol=0, atol=0)
    assert_same(weights(ranks[0]), weights(one), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ranks[0]._normals["a"].mean, one._normals["a"].mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ranks[1]._normals["a"].variance, one._normals["a"].variance, rtol=1e-4, atol=1e-5)


def test_evaluation_depends_neither_on_batches_nor_on_ranks():
    h, y = batch(n=100)
    b = bank()
    whole = evaluate(b, h, y)["a"]
    for dealt in (
        torch.arange(100).split(33),
        [torch.arange(100)[r::3] for r in range(3)],
        [torch.randperm(100, generator=generator())],
    ):
        for rows in dealt:
            part = evaluate(b, h[rows], y[rows], rows)["a"]
            torch.testing.assert_close(part.ce, whole.ce[rows], rtol=1e-5, atol=1e-6)
            torch.testing.assert_close(part.kl, whole.kl[rows], rtol=1e-5, atol=1e-6)


def test_evaluation_in_pieces_is_evaluation_at_once(monkeypatch):
    h, y = batch(n=100)
    b = bank()
    whole = evaluate(b, h, y)["a"]
    monkeypatch.setattr("infoplane.probes.bank._CHUNK", 7)
    pieces = evaluate(b, h, y)["a"]
    for name in ("kl", "ce", "correct", "dimensions", "mean", "log_std"):
        torch.testing.assert_close(getattr(pieces, name), getattr(whole, name), rtol=1e-5, atol=1e-5)
    assert pieces.squared_error is None


def test_evaluation_noise_is_normal_differs_by_draw_and_input_and_repeats():
    b = bank(draws=20)
    noise = b._noise.evaluation(torch.arange(500))
    assert noise.shape == (20, 500, 4)
    n = noise.numel()
    assert abs(noise.mean().item()) < 4 / n**0.5
    assert abs(noise.var().item() - 1) < 4 * (2 / n) ** 0.5
    assert noise.flatten().unique().numel() > 0.99 * n
    assert torch.equal(noise[:, [7, 400]], b._noise.evaluation(torch.tensor([7, 400])))
    assert not torch.equal(b._noise.evaluation(torch.arange(32))[0], b._noise.training(32, 0))


def test_label_normals_move_at_every_early_update_and_every_few_later_on():
    h, y = batch()
    b = bank()
    assert evaluate(b, h, y)["a"].given_label.isnan().all()
    learn(b, h, y)
    first = b._normals["a"].mean.clone()
    mean, _ = bank().probes["a"].encode(h)
    torch.testing.assert_close(first, torch.stack([mean[y == k].mean(0) for k in range(3)]).detach())
    for step in range(1, LABELS_FIRST + 1):
        learn(b, h, y, step=step)
        assert not torch.equal(b._normals["a"].mean, first)
        first = b._normals["a"].mean.clone()
    for step in range(LABELS_FIRST + 1, LABELS_FIRST + LABELS_EVERY):
        learn(b, h, y, step=step)
        assert torch.equal(b._normals["a"].mean, first)
    learn(b, h, y, step=LABELS_FIRST + LABELS_EVERY)
    assert not torch.equal(b._normals["a"].mean, first)
    assert evaluate(b, h, y)["a"].given_label.isfinite().all()


def test_rate_given_the_label_lies_below_the_rate_of_a_trained_probe():
    h, y = batch(n=300, seed=3)
    h = h + 4 * functional.one_hot(y, 7)
    b = bank(learning_rate=0.01, beta=0.01)
    for step in range(200):
        learn(b, h, y, step=step)
    found = evaluate(b, h, y)["a"]
    assert found.given_label.mean() < found.kl.mean()
    assert found.correct.float().mean() > 0.9


def test_real_targets_have_no_classes_to_count():
    h, _ = batch()
    b, y = bank(target=RealTarget(1)), h[:, :1] * 1
    learn(b, h, y)
    found = evaluate(b, h, y)["a"]
    assert found.correct is None
    assert found.given_label is None
    assert found.squared_error.shape == (64,)


def test_averaged_weights_are_those_that_are_measured():
    h, y = batch()
    b, plain = bank(averaging=0.9, learning_rate=0.05), bank(learning_rate=0.05)
    seen = []
    for step in range(4):
        learn(b, h, y, step=step)
        learn(plain, h, y, step=step)
        seen.append(plain.probes["a"].encoder.weight.detach().double().clone())
    expected = sum(0.1 * 0.9 ** (3 - k) * w for k, w in enumerate(seen)) / (1 - 0.9**4)
    torch.testing.assert_close(b.measured["a"].encoder.weight.double(), expected, rtol=1e-5, atol=1e-6)
    assert_same(weights(b), weights(plain), rtol=0, atol=0)
    measured = VIBProbe.evaluate(b.measured["a"], h, y).kl
    torch.testing.assert_close(evaluate(b, h, y)["a"].kl, measured)
    assert plain.measured is plain.probes


@pytest.mark.parametrize("broken", [False, True])
def test_everything_is_single_precision_whatever_the_default(broken):
    h, y = batch()
    if broken:
        h[0, 0] = math.nan
    plain, other = bank(prior="learned"), None
    learn(plain, h, y)
    torch.set_default_dtype(torch.float64)
    try:
        other = bank(prior="learned")
        learn(other, h.double(), y)
        found = evaluate(other, h[1:].double(), y[1:])["a"]
    finally:
        torch.set_default_dtype(torch.float32)
    assert_same(weights(other), weights(plain), rtol=0, atol=0)
    assert {v.dtype for v in (found.kl, found.ce, found.given_label, found.mean)} == {torch.float32}


def test_global_random_state_is_left_alone():
    h, y = batch()
    before = torch.get_rng_state()
    b = bank()
    learn(b, h, y)
    evaluate(b, h, y)
    assert torch.equal(before, torch.get_rng_state())


def test_mode_bottleneck_is_refused():
    with pytest.raises(InputError, match="BottleneckBank"):
        bank(mode="bottleneck")
