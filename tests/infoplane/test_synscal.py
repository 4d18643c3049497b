"""SynScaL against Eq. 18 written out, and the gauge facts of its two modes."""

import json
import math

import pytest
import torch
from torch.nn import functional as F

import infoplane
from infoplane.errors import InputError
from infoplane.scaling.synscal import SynScaL


def some_logits(n: int = 7, classes: int = 5, *, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, classes, generator=generator, dtype=torch.float64) * 2


def test_prob_is_eq_18_term_by_term():
    logits = some_logits()
    total = 0.0
    for row in logits.tolist():
        weights = [math.exp(a) for a in row]
        total += sum((1 / 5 - w / sum(weights)) ** 2 for w in weights)
    assert SynScaL()(logits).item() == pytest.approx(total / 7, rel=1e-12)


def test_prob_is_the_collision_probability_less_that_of_chance():
    p = torch.softmax(some_logits(), dim=1)
    assert SynScaL()(p.log()).item() == pytest.approx(p.square().sum(1).mean().item() - 1 / 5, rel=1e-12)


def test_prob_lies_between_uniform_and_certainty():
    assert SynScaL()(torch.zeros(3, 10)).item() == pytest.approx(0.0, abs=1e-12)
    assert SynScaL()(1000.0 * torch.eye(10)).item() == pytest.approx(0.9, abs=1e-6)


def test_logit_mean_is_the_published_loss_with_its_constant_at_ten_classes():
    logits = some_logits(6, 10)
    assert SynScaL("logit_mean")(logits).item() == pytest.approx((0.1 - logits.mean().item()) ** 2, rel=1e-12)


@pytest.mark.parametrize("mode", ["prob", "logit_mean"])
def test_gamma_multiplies_the_penalty(mode):
    logits = some_logits()
    one, half = SynScaL(mode)(logits), SynScaL(mode, gamma=0.5)(logits)
    assert half.item() == pytest.approx(0.5 * one.item(), rel=1e-12)
    assert SynScaL(mode, gamma=0.0)(logits).item() == 0.0


def gradients(mode: str) -> tuple[torch.Tensor, torch.Tensor]:
    logits = some_logits().requires_grad_()
    labels = torch.arange(7) % 5
    (own,) = torch.autograd.grad(SynScaL(mode)(logits), logits)
    (cross_entropy,) = torch.autograd.grad(F.cross_entropy(logits, labels), logits)
    return own, cross_entropy


def test_gradient_of_logit_mean_is_orthogonal_to_that_of_the_cross_entropy_for_each_input():
    own, cross_entropy = gradients("logit_mean")
    cosine = F.cosine_similarity(own, cross_entropy, dim=1)
    assert cosine.abs().max().item() < 1e-12
    assert own.norm(dim=1).min().item() > 1e-3


def test_gradient_of_prob_is_not():
    own, cross_entropy = gradients("prob")
    assert F.cosine_similarity(own, cross_entropy, dim=1).abs().max().item() > 0.1


def test_a_constant_on_all_logits_removes_logit_mean_and_leaves_cross_entropy_and_prob():
    logits, labels = some_logits(), torch.arange(7) % 5
    moved = logits + (1 / 5 - logits.mean())
    assert SynScaL("logit_mean")(logits).item() > 1e-3
    assert SynScaL("logit_mean")(moved).item() == pytest.approx(0.0, abs=1e-25)
    plain = F.cross_entropy(logits, labels).item()
    assert F.cross_entropy(moved, labels).item() == pytest.approx(plain, rel=1e-12)
    assert SynScaL()(moved).item() == pytest.approx(SynScaL()(logits).item(), rel=1e-12)


def test_the_mean_probability_over_classes_is_a_constant():
    p = torch.softmax(some_logits(), dim=1)
    assert (1 / 5 - p.mean(dim=1)).abs().max().item() < 1e-15


@pytest.mark.parametrize("mode", ["prob", "logit_mean"])
def test_gradient_is_that_of_finite_differences(mode):
    assert torch.autograd.gradcheck(SynScaL(mode, gamma=0.7), (some_logits(3, 4).requires_grad_(),))


def test_half_precision_logits_are_computed_in_float32():
    logits = some_logits()
    value = SynScaL()(logits.half())
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(SynScaL()(logits).item(), rel=5e-3)


@pytest.mark.parametrize(
    ("kwargs", "text"),
    [
        ({"mode": "probs"}, "'probs' is unknown.*did you mean 'prob'"),
        ({"mode": "logits_mean"}, "did you mean 'logit_mean'"),
        ({"gamma": -1.0}, "gamma=-1.0"),
        ({"gamma": math.nan}, "gamma=nan"),
        ({"gamma": "1"}, "gamma='1'"),
    ],
)
def test_bad_parameters_get_one_clear_sentence(kwargs, text):
    with pytest.raises(InputError, match=text):
        SynScaL(**kwargs)


@pytest.mark.parametrize(
    ("logits", "text"),
    [
        (torch.zeros(10), r"shape \(10,\)"),
        (torch.zeros(2, 10, 4), r"shape \(2, 10, 4\)"),
        (torch.zeros(0, 10), r"shape \(0, 10\)"),
        (torch.zeros(4, 1), r"shape \(4, 1\)"),
        (torch.zeros(4, 3, dtype=torch.int64), "int64"),
        ([[0.0, 1.0]], "list"),
    ],
)
def test_logits_of_another_shape_or_type_are_refused(logits, text):
    with pytest.raises(InputError, match=text):
        SynScaL()(logits)


def test_configuration_is_json_and_the_name_is_public():
    configuration = {"method": "SynScaL", "mode": "prob", "gamma": 1.0}
    assert json.loads(json.dumps(SynScaL().configuration)) == configuration
    assert infoplane.SynScaL is SynScaL
