import copy
import math
import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks

from infoplane.errors import InputError
from infoplane.probes.gradients import GradientRecorder, GradientStatistics


class Linear(nn.Module):
    """A network whose loss is linear in its weight: `loss(c)` has the gradient c."""

    def __init__(self, *shape, dtype=torch.float32):
        super().__init__()
        self.weight = nn.Parameter(torch.full(shape, 0.5, dtype=dtype))
        self.bias = nn.Parameter(torch.zeros(3, dtype=dtype))
        self.unused = nn.Parameter(torch.ones(2, 2, dtype=dtype))

    def loss(self, gradient):
        return (self.weight * gradient).sum() + self.bias.sum()


def draw(steps, *shape, mean=0.3, sd=1.0, seed=0):
    return mean + sd * torch.randn(steps, *shape, generator=torch.Generator().manual_seed(seed))


def sgd(model, **options):
    return torch.optim.SGD(model.parameters(), lr=0.01, **options)


def train(model, optimizer, gradients):
    for gradient in gradients:
        optimizer.zero_grad()
        model.loss(gradient).backward()
        optimizer.step()


def assert_same(got, gradients, *, rtol=1e-5):
    """`gradients` (steps, entries), compared in float64."""
    g = np.asarray(gradients, np.float64).reshape(len(gradients), -1)
    mean, sd = np.linalg.norm(g.mean(0)), np.linalg.norm(g.std(0, ddof=1))
    assert got.steps == len(g)
    np.testing.assert_allclose([got.mean_norm, got.sd_norm], [mean, sd], rtol=rtol)
    np.testing.assert_allclose(got.snr, mean / sd, rtol=rtol)
    np.testing.assert_allclose(got.squared_mean, mean**2 - sd**2 / len(g), rtol=rtol, atol=rtol * mean**2)


def test_mean_and_deviation_are_those_of_numpy_and_a_call_starts_again():
    model, gradients = Linear(6, 5), draw(40, 6, 5)
    optimizer = sgd(model)
    with GradientRecorder(model) as recorder:
        train(model, optimizer, gradients[:25])
        first, weight = recorder.take(), float(model.weight.detach().norm())
        train(model, optimizer, gradients[25:])
        second = recorder.take()
    assert list(first) == ["weight", "unused"]
    assert_same(first["weight"], gradients[:25])
    assert first["weight"].weight_norm == pytest.approx(weight, rel=1e-6)
    assert_same(second["weight"], gradients[25:])
    assert second["unused"].steps == 0
    assert math.isnan(second["unused"].mean_norm)
    assert second["unused"].weight_norm == pytest.approx(2)
    assert recorder.take()["weight"].steps == 0


@pytest.mark.parametrize("every", [2, 10])
def test_only_every_nth_step_contributes(every):
    model, gradients = Linear(4, 4), draw(45, 4, 4)
    optimizer = sgd(model)
    with GradientRecorder(model, every) as recorder:
        train(model, optimizer, gradients[:25])
        recorder.take()
        train(model, optimizer, gradients[25:])
        assert_same(recorder.take()["weight"], gradients[[t for t in range(25, 45) if t % every == 0]])


def test_a_small_deviation_about_a_large_mean_keeps_its_digits():
    # A sum of squares in float32 would lose this deviation altogether.
    model, gradients = Linear(5, 8), draw(200, 5, 8, mean=100.0, sd=0.01)
    with GradientRecorder(model) as recorder:
        train(model, sgd(model), gradients)
        assert_same(recorder.take()["weight"], gradients, rtol=1e-3)


def test_the_corrected_square_is_unbiased_and_the_plain_one_is_not():
    model, runs, steps, entries, mean = Linear(4, 5), 400, 10, 20, 0.1
    optimizer, corrected, plain = sgd(model), [], []
    with GradientRecorder(model) as recorder:
        for seed in range(runs):
            train(model, optimizer, draw(steps, 4, 5, mean=mean, seed=seed))
            statistics = recorder.take()["weight"]
            corrected.append(statistics.squared_mean)
            plain.append(statistics.mean_norm**2)
    truth, error = entries * mean**2, np.std(corrected) / np.sqrt(runs)
    assert abs(np.mean(corrected) - truth) < 4 * error
    assert abs(np.mean(plain) - truth - entries / steps) < 4 * error
    assert entries / steps > 20 * error
    assert min(corrected) < 0


def test_derived_values_at_their_edges():
    one = GradientStatistics(steps=1, mean_norm=2.0, sd_norm=math.nan, weight_norm=1.0)
    assert math.isnan(one.snr)
    assert math.isnan(one.squared_mean)
    constant = GradientStatistics(steps=3, mean_norm=2.0, sd_norm=0.0, weight_norm=1.0)
    assert constant.snr == constant.squared_snr == math.inf
    assert constant.squared_mean == 4
    zero = GradientStatistics(steps=3, mean_norm=0.0, sd_norm=0.0, weight_norm=1.0)
    assert math.isnan(zero.snr)
    noise = GradientStatistics(steps=4, mean_norm=1.0, sd_norm=4.0, weight_norm=1.0)
    assert (noise.snr, noise.squared_mean, noise.squared_snr) == (0.25, -3, -3 / 16)
    never = GradientStatistics(steps=0, mean_norm=math.nan, sd_norm=math.nan, weight_norm=1.0)
    assert math.isnan(never.squared_mean)


def test_accumulated_gradients_are_one_step():
    model, gradients = Linear(3, 3), draw(12, 3, 3)
    optimizer = sgd(model)
    with GradientRecorder(model) as recorder:
        for four in gradients.split(4):
            optimizer.zero_grad()
            for gradient in four:
                model.loss(gradient).backward()
            optimizer.step()
        assert_same(recorder.take()["weight"], gradients.reshape(3, 4, 9).sum(1))


def test_clipping_before_the_step_is_seen():
    model, gradients = Linear(3, 3), draw(10, 3, 3, mean=5)
    optimizer = sgd(model)
    with GradientRecorder(model) as recorder:
        for gradient in gradients:
            optimizer.zero_grad()
            model.loss(gradient).backward()
            torch.nn.utils.clip_grad_value_([model.weight], 5.0)
            optimizer.step()
        assert_same(recorder.take()["weight"], gradients.clamp(-5, 5))


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("unscaled", [False, True])
def test_a_gradient_scaler_leaves_no_trace_and_its_skipped_steps_do_not_count(fused, unscaled):
    model, gradients = Linear(4, 4), draw(8, 4, 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    with GradientRecorder(model) as recorder:
        for t, gradient in enumerate(gradients):
            optimizer.zero_grad()
            scaler.scale(model.loss(gradient * math.inf if t == 5 else gradient)).backward()
            if unscaled:
                scaler.unscale_(optimizer)
            scaler.step(optimizer)
            scaler.update()
        assert_same(recorder.take()["weight"], gradients[[0, 1, 2, 3, 4, 6, 7]])


def test_a_closure_gives_the_gradient_of_its_own_step():
    model, gradients = Linear(4, 4), draw(8, 4, 4)
    optimizer = sgd(model)
    with GradientRecorder(model) as recorder:
        for t, gradient in enumerate(gradients):

            def closure(gradient=gradient):
                optimizer.zero_grad()
                loss = model.loss(gradient)
                loss.backward()
                return loss

            if t % 2:
                optimizer.step(closure)
            else:
                optimizer.step(closure=closure)
        assert_same(recorder.take()["weight"], gradients)


class Several(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = Linear(2, 3), Linear(4, 2), Linear(2, 2)


def test_two_optimizers_several_groups_and_steps_of_their_own():
    model = Several()
    first = torch.optim.SGD([{"params": [model.a.weight]}, {"params": [model.b.weight], "lr": 0.5}], lr=0.1)
    second = torch.optim.Adam([model.c.weight])
    a, b, c = draw(9, 2, 3), draw(9, 4, 2, seed=1), draw(9, 2, 2, seed=2)
    with GradientRecorder(model, every=3) as recorder:
        for t in range(9):
            model.zero_grad()
            (model.a.loss(a[t]) + model.b.loss(b[t]) + model.c.loss(c[t])).backward()
            first.step()
            if t < 6:
                second.step()
        result = recorder.take()
    assert_same(result["a.weight"], a[::3])
    assert_same(result["b.weight"], b[::3])
    assert_same(result["c.weight"], c[:6:3])


def test_a_foreign_network_is_ignored_also_where_it_has_the_same_names():
    model, foreign, gradients = Linear(3, 3), Linear(3, 3), draw(6, 3, 3)
    own, other = sgd(model), sgd(foreign)
    with GradientRecorder(model) as recorder:
        for gradient in gradients:
            train(foreign, other, [100 * gradient])
            train(model, own, [gradient])
        assert_same(recorder.take()["weight"], gradients)


def test_a_step_without_gradient_does_not_count_and_a_zero_gradient_does():
    model, gradients = Linear(3, 3), draw(6, 3, 3)
    optimizer = sgd(model)
    with GradientRecorder(model) as recorder:
        for gradient in gradients:
            optimizer.zero_grad()
            optimizer.step()
            train(model, optimizer, [gradient])
        optimizer.zero_grad(set_to_none=False)
        optimizer.step()
        assert_same(recorder.take()["weight"], torch.cat([gradients, torch.zeros(1, 3, 3)]))


def test_sparse_gradients_are_taken_as_dense_ones():
    def run(sparse):
        torch.manual_seed(0)
        table = nn.Embedding(10, 4, sparse=sparse)
        optimizer = sgd(table)
        with GradientRecorder(table) as recorder:
            for t in range(6):
                optimizer.zero_grad()
                (table(torch.tensor([t, t + 1, t])) * (t + 1)).sum().backward()
                optimizer.step()
            return recorder.take()["weight"]

    assert run(sparse=True) == run(sparse=False)
    assert run(sparse=True).sd_norm > 0


@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 1e-6), (torch.bfloat16, 1e-5)])
def test_other_precisions(dtype, rtol):
    model, gradients = Linear(4, 6, dtype=dtype), draw(12, 4, 6).to(dtype)
    with GradientRecorder(model) as recorder:
        train(model, sgd(model), gradients)
        assert_same(recorder.take()["weight"], gradients.double(), rtol=rtol)


def hooks():
    return len(_global_optimizer_pre_hooks), len(_global_optimizer_post_hooks)


def test_hooks_are_gone_after_closing_and_after_an_exception():
    model, before = Linear(2, 2), hooks()
    with pytest.raises(ZeroDivisionError), GradientRecorder(model) as recorder:
        assert hooks() != before
        raise ZeroDivisionError
    assert hooks() == before
    recorder.open()
    recorder.open()
    recorder.close()
    recorder.close()
    assert hooks() == before
    optimizer = sgd(model)
    train(model, optimizer, draw(3, 2, 2))
    assert recorder.take()["weight"].steps == 0


def test_training_is_bit_identical_and_copies_and_pickles_are_clean():
    def run(recorded):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.5), nn.Tanh(), nn.Linear(8, 3))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        recorder = GradientRecorder(model)
        if recorded:
            recorder.open()
        for _ in range(20):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(torch.randn(16, 6)), torch.arange(16) % 3).backward()
            optimizer.step()
        taken = recorder.take()
        copies = copy.deepcopy(model), pickle.loads(pickle.dumps(model)), copy.deepcopy(optimizer)
        recorder.close()
        return model, optimizer, copies, taken, torch.get_rng_state()

    (model, optimizer, _, _, state), (again, second, copies, taken, after) = run(recorded=False), run(recorded=True)
    assert taken["0.weight"].steps == 20
    assert torch.equal(state, after)
    for one, two in zip(model.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(one, two)
    for one, two in zip(optimizer.state.values(), second.state.values(), strict=True):
        assert all(torch.equal(one[key], two[key]) for key in one)
    for module in (again, *copies[:2]):
        assert [vars(m).keys() for m in module.modules()] == [vars(m).keys() for m in model.modules()]
        assert not any(m._forward_hooks or m._backward_hooks for m in module.modules())
    assert pickle.loads(pickle.dumps(taken)) == taken


def test_a_replaced_weight_is_followed_and_wrappers_leave_the_names_alone():
    model, gradients = nn.Sequential(Linear(2, 2)), draw(4, 2, 2)
    with GradientRecorder(nn.DataParallel(model)) as recorder:
        train(model[0], sgd(model), gradients)
        assert_same(recorder.take()["0.weight"], gradients)
        model[0].weight = nn.Parameter(torch.ones(3, 3))
        recorder.take()
        train(model[0], sgd(model), draw(5, 3, 3))
        assert_same(recorder.take()["0.weight"], draw(5, 3, 3))


def test_weights_that_take_shape_in_the_first_forward_are_recorded():
    model = nn.Sequential(nn.LazyLinear(3))
    with GradientRecorder(model) as recorder:
        model(torch.ones(4, 5)).sum().backward()
        sgd(model).step()
        assert recorder.take()["0.weight"].mean_norm == pytest.approx(4 * math.sqrt(15))


def test_an_optimizer_may_be_thrown_away():
    model, gradients = Linear(3, 3), draw(6, 3, 3)
    with GradientRecorder(model, every=2) as recorder:
        for gradient in gradients:
            train(model, sgd(model), [gradient])  # each one's first step contributes
        assert_same(recorder.take()["weight"], gradients)


def test_a_spacing_below_one_is_refused():
    with pytest.raises(InputError, match="every is 0"):
        GradientRecorder(Linear(2, 2), every=0)
