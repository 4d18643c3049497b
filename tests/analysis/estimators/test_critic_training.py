"""Training: the best state is kept, the global random states stay, and what did not converge is said."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimators.critic_training import Training, trained


class Number(nn.Module):
    def __init__(self, start=0.0):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(start))


def fit(loss, score, **more):
    training = Training(**{"learning_rate": 0.02, **more})
    return trained(Number(), loss, score, rows=100, training=training, generator=training.generator())


def test_best_state_is_kept_and_training_ends_when_it_gets_worse():
    # The loss drives the value through 1, where the score is best, and beyond.
    result = fit(lambda net, _: -net.value, lambda net: -abs(net.value.item() - 1), patience=4)
    assert result.network.value.item() == pytest.approx(1, abs=0.5)
    assert result.last_step == result.best_step + 4 * 50
    assert result.findings == ()


def test_untrained_network_is_a_candidate():
    result = fit(lambda net, _: -net.value, lambda net: -net.value.item(), patience=2)
    assert result.network.value.item() == 0
    assert (result.best_step, result.last_step) == (0, 100)


def test_network_that_still_gets_better_is_said_to_be_unconverged():
    result = fit(lambda net, _: -net.value, lambda net: net.value.item(), steps=500)
    (finding,) = result.findings
    assert (finding.code, finding.unit, result.last_step) == ("not_converged", "nat", 500)
    assert finding.amount == pytest.approx(2, abs=0.3)  # a hundred steps of 0.02


def test_loss_that_is_not_finite_is_skipped_and_such_a_score_is_never_best():
    losses = iter([math.nan, math.inf] * 200)
    result = fit(lambda net, _: net.value * next(losses), lambda net: math.nan, steps=100)
    assert result.network.value.item() == 0


def test_every_epoch_visits_every_sample_once():
    seen = []
    fit(lambda net, index: (seen.extend(index.tolist()), net.value**2)[1], lambda net: 0.0, batch=20, steps=10)
    assert sorted(seen[:100]) == sorted(seen[100:]) == list(range(100))
    assert seen[:100] != seen[100:]


def test_global_random_states_and_gradient_mode_of_the_caller_do_not_matter():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    arguments = (
        lambda net, index: (net.value - index.float().mean()).square(),
        lambda net: -abs(net.value.item() - 50),
    )
    expected = fit(*arguments, steps=200).network.value.item()
    with torch.no_grad():
        assert fit(*arguments, steps=200).network.value.item() == expected != 0
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Training)])
def test_parameter_out_of_range_is_refused_by_name(name):
    with pytest.raises(InputError, match=name):
        Training(**{name: -1})
