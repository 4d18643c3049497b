"""SynScaL against Eq. 18 written out, and the identities of its modes."""

import json
import math

import pytest
import torch
from torch.nn import functional as F

import infoplane
from infoplane.errors import InputError
from infoplane.scaling.synscal import MODES, SynScaL


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


def test_prob_batch_is_eq_18_on_the_mean_probabilities_term_by_term():
    logits = some_logits()
    rows = [[math.exp(a) / sum(math.exp(b) for b in row) for a in row] for row in logits.tolist()]
    total = sum((1 / 5 - sum(row[k] for row in rows) / 7) ** 2 for k in range(5))
    assert SynScaL("prob_batch")(logits).item() == pytest.approx(total, rel=1e-12)


def test_prob_batch_is_prob_less_the_variance_of_the_predictions_over_the_batch():
    logits = some_logits()
    p = torch.softmax(logits, dim=1)
    variance = p.var(dim=0, correction=0).sum().item()
    difference = SynScaL("prob")(logits).item() - SynScaL("prob_batch")(logits).item()
    assert difference == pytest.approx(variance, rel=1e-12)
    assert variance > 0.01


def test_prob_batch_leaves_certain_predictions_alone_where_all_classes_are_predicted_equally_often():
    certain = 1000.0 * torch.eye(10, dtype=torch.float64)
    assert SynScaL("prob_batch")(certain).item() == pytest.approx(0.0, abs=1e-12)
    assert SynScaL("prob_batch")(certain[:1].repeat(10, 1)).item() == pytest.approx(0.9, rel=1e-12)


def test_prob_batch_of_certain_right_predictions_on_random_labels_is_a_share_of_the_batch_size():
    labels = torch.randint(10, (2_000, 8), generator=torch.Generator().manual_seed(0))
    values = [SynScaL("prob_batch")(1e4 * F.one_hot(batch, 10).double()).item() for batch in labels]
    mean, error = torch.tensor(values).mean().item(), torch.tensor(values).std().item() / len(values) ** 0.5
    assert abs(mean - 0.9 / 8) < 4 * error
    assert error < 1.5e-3


def test_target_class_is_eq_18_on_the_labelled_class():
    logits, labels = some_logits(), torch.arange(7) % 5
    p = torch.softmax(logits, dim=1)
    total = sum((1 / 5 - p[n, labels[n]].item()) ** 2 for n in range(7)) / 7
    assert SynScaL("target_class")(logits, labels).item() == pytest.approx(total, rel=1e-12)


def test_target_class_is_nothing_at_chance_and_largest_at_certainty():
    labels = torch.arange(10)
    assert SynScaL("target_class")(torch.zeros(10, 10), labels).item() == pytest.approx(0.0, abs=1e-12)
    assert SynScaL("target_class")(1000.0 * torch.eye(10), labels).item() == pytest.approx(0.81, rel=1e-6)
    # Certain and wrong is as near to chance as 0 is: the penalty does not see the labels' other side.
    assert SynScaL("target_class")(1000.0 * torch.eye(10), (labels + 1) % 10).item() == pytest.approx(0.01, rel=1e-6)


def test_target_class_pulls_against_the_cross_entropy_wherever_the_right_class_is_above_chance():
    logits, labels = some_logits(200).requires_grad_(), torch.arange(200) % 5
    (own,) = torch.autograd.grad(SynScaL("target_class")(logits, labels), logits)
    (cross_entropy,) = torch.autograd.grad(F.cross_entropy(logits, labels), logits)
    above = torch.softmax(logits, dim=1)[torch.arange(200), labels] > 1 / 5
    signs = (own * cross_entropy).sum(dim=1).sign()
    assert 20 < above.sum().item() < 180
    assert (signs[above] < 0).all()
    assert (signs[~above] > 0).all()


def test_regression_is_the_squared_distance_from_the_mean_label():
    outputs, labels = torch.tensor([1.0, 4.0, -2.0]), torch.tensor([0.0, 3.0, 6.0])
    assert SynScaL("regression")(outputs, labels).item() == pytest.approx(((3 - 1) ** 2 + 1 + 25) / 3, rel=1e-7)


def test_regression_is_the_bias_squared_plus_the_variance_of_the_predictions():
    outputs, labels = some_logits(9, 2), some_logits(9, 2, seed=1)
    expected = (labels.mean(0) - outputs.mean(0)).square() + outputs.var(0, correction=0)
    assert SynScaL("regression")(outputs, labels).item() == pytest.approx(expected.mean().item(), rel=1e-12)


def test_regression_takes_a_column_for_a_row_and_never_pairs_all_with_all():
    outputs, labels = some_logits(9, 1), some_logits(9, 1, seed=1)
    value = SynScaL("regression")(outputs, labels).item()
    assert SynScaL("regression")(outputs[:, 0], labels).item() == value
    assert SynScaL("regression")(outputs, labels[:, 0]).item() == value


def test_beside_squared_error_the_best_prediction_is_between_label_and_mean_label():
    labels = some_logits(9, 1, seed=1)
    outputs = ((labels + 0.5 * labels.mean()) / 1.5).requires_grad_()
    (F.mse_loss(outputs, labels) + SynScaL("regression", gamma=0.5)(outputs, labels)).backward()
    assert outputs.grad.abs().max().item() < 1e-15
    assert (outputs - labels).abs().max().item() > 0.1


def test_logit_mean_is_the_published_loss_with_its_constant_at_ten_classes():
    logits = some_logits(6, 10)
    assert SynScaL("logit_mean")(logits).item() == pytest.approx((0.1 - logits.mean().item()) ** 2, rel=1e-12)


def labels_of(mode, n=7, classes=5):
    return some_logits(n, classes, seed=1) if mode == "regression" else torch.arange(n) % classes


@pytest.mark.parametrize("mode", MODES)
def test_gamma_multiplies_the_penalty(mode):
    logits, labels = some_logits(), labels_of(mode)
    one, half = SynScaL(mode)(logits, labels), SynScaL(mode, gamma=0.5)(logits, labels)
    assert half.item() == pytest.approx(0.5 * one.item(), rel=1e-12)
    assert one.item() > 1e-3
    assert SynScaL(mode, gamma=0.0)(logits, labels).item() == 0.0


@pytest.mark.parametrize("mode", ["prob", "prob_batch", "logit_mean"])
def test_labels_change_nothing_where_they_are_not_read(mode):
    assert torch.equal(SynScaL(mode)(some_logits()), SynScaL(mode)(some_logits(), torch.arange(7) % 5))


@pytest.mark.parametrize("mode", ["target_class", "regression"])
def test_labels_are_asked_for_where_they_are_read(mode):
    with pytest.raises(InputError, match="reads the labels"):
        SynScaL(mode)(some_logits())


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


@pytest.mark.parametrize("mode", MODES)
def test_gradient_is_that_of_finite_differences(mode):
    labels = labels_of(mode, 3, 4)
    assert torch.autograd.gradcheck(
        lambda a: SynScaL(mode, gamma=0.7)(a, labels), (some_logits(3, 4).requires_grad_(),)
    )


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


@pytest.mark.parametrize(
    ("mode", "labels", "text"),
    [
        ("target_class", torch.zeros(6, dtype=torch.int64), r"labels have shape \(6,\)"),
        ("target_class", torch.zeros(7), "labels are of type torch.float32"),
        ("target_class", torch.full((7,), 5), r"a label is 5, but the network has 5 outputs: classes are 0 .. 4"),
        ("target_class", torch.full((7,), -1), "a label is -1"),
        ("regression", torch.zeros(7), r"outputs have shape \(7, 5\) and real labels \(7,\)"),
        ("regression", torch.zeros(7, 5, dtype=torch.int64), "labels are of type torch.int64"),
    ],
)
def test_labels_that_do_not_fit_are_refused(mode, labels, text):
    with pytest.raises(InputError, match=text):
        SynScaL(mode)(some_logits(), labels)


def test_configuration_is_json_and_the_name_is_public():
    configuration = {"method": "SynScaL", "mode": "prob", "gamma": 1.0}
    assert json.loads(json.dumps(SynScaL().configuration)) == configuration
    assert infoplane.SynScaL is SynScaL
