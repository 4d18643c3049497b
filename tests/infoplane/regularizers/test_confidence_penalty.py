"""The confidence penalty against Eq. 7 written out."""

import math

import pytest
import torch
from torch.nn import functional as F

from infoplane.errors import InputError
from infoplane.regularizers import ConfidencePenalty


def logits_of(n=6, classes=4, *, seed=0):
    return 2 * torch.randn(n, classes, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_penalty_is_less_the_mean_entropy_in_nats():
    p = torch.softmax(logits_of(), dim=1)
    entropy = torch.distributions.Categorical(p).entropy().mean().item()
    assert ConfidencePenalty(0.3)(p.log()).item() == pytest.approx(-0.3 * entropy, rel=1e-12)


def test_penalty_lies_between_uniform_and_certain_predictions():
    assert ConfidencePenalty()(torch.zeros(3, 10)).item() == pytest.approx(-math.log(10), rel=1e-6)
    assert ConfidencePenalty()(1e4 * torch.eye(10)).item() == 0.0


def test_certain_predictions_have_a_finite_gradient():
    logits = (1e4 * torch.eye(10)).requires_grad_()
    ConfidencePenalty()(logits).backward()
    assert logits.grad.isfinite().all()


def test_gradient_is_that_of_finite_differences():
    assert torch.autograd.gradcheck(ConfidencePenalty(0.7), (logits_of(3).requires_grad_(),))


def test_a_network_that_fits_perfectly_gives_the_right_class_0_476_of_ten():
    logits, labels = torch.zeros(1, 10, dtype=torch.float64, requires_grad=True), torch.tensor([3])
    optimizer = torch.optim.LBFGS([logits], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(logits, labels) + ConfidencePenalty(1.0)(logits)
        loss.backward()
        return loss

    optimizer.step(closure)
    q = torch.softmax(logits, dim=1)[0, 3].item()
    assert q * math.log(9 * q / (1 - q)) == pytest.approx(1.0, abs=1e-4)
    assert q == pytest.approx(0.476, abs=5e-4)


def test_half_precision_is_computed_in_float32():
    value = ConfidencePenalty()(logits_of().half())
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(ConfidencePenalty()(logits_of()).item(), rel=5e-3)


@pytest.mark.parametrize("weight", [-0.1, math.inf, math.nan, "1", True])
def test_unusable_weights_are_refused(weight):
    with pytest.raises(InputError, match="penalty's weight is"):
        ConfidencePenalty(weight)
