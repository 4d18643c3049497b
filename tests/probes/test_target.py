import math

import numpy as np
import pytest
import torch
from scipy import stats

from infoplane.errors import InputError
from infoplane.probes.target import ClassTarget, RealTarget, target_of


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_a_number_of_classes_is_a_class_target():
    assert target_of(3) == ClassTarget(3)
    assert target_of(RealTarget(2)) == RealTarget(2)


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (torch.tensor([0, 3]), "a label is 3, but with classes=3 labels lie in 0 .. 2"),
        (torch.tensor([-1, 0]), "a label is -1"),
        (torch.tensor([0.0, 1.0]), "torch.float32"),
        (torch.tensor([[0], [1]]), r"shape \(2, 1\)"),
        ([0, 1], "labels are a list"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels, text):
    with pytest.raises(InputError, match=text):
        ClassTarget(3).check(labels)


def test_labels_that_are_classes_become_long_integers():
    assert ClassTarget(3).check(torch.tensor([0, 2], dtype=torch.uint8)).dtype == torch.int64
    assert ClassTarget(3).check(torch.empty(0, dtype=torch.int32)).shape == (0,)


@pytest.mark.parametrize(
    ("dimensions", "labels", "text"),
    [
        (2, torch.zeros(5), r"shape \(5,\).*\(n, 2\) are needed"),
        (1, torch.zeros(5, 3), r"\(n, 1\) or \(n,\) are needed"),
        (1, torch.zeros(5, dtype=torch.bool), "torch.bool"),
        (1, torch.tensor([0.0, math.nan]), "a label is not finite"),
        (1, [0.0], "labels are a list"),
    ],
)
def test_labels_that_are_no_real_numbers_are_refused(dimensions, labels, text):
    with pytest.raises(InputError, match=text):
        RealTarget(dimensions).check(labels)


def test_real_labels_become_a_column():
    checked = RealTarget(1).check(torch.arange(3))
    assert checked.shape == (3, 1)
    assert checked.dtype == torch.float32
    assert RealTarget(2).check(torch.zeros(3, 2, dtype=torch.float64)).shape == (3, 2)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: ClassTarget(1), "classes is 1"),
        (lambda: RealTarget(0), "dimensions is 0"),
        (lambda: RealTarget(1, entropy=math.inf), "entropy is inf"),
        (lambda: RealTarget(1, entropy="1"), "entropy is '1'"),
    ],
)
def test_unusable_targets_are_refused(make, text):
    with pytest.raises(InputError, match=text):
        make()


def test_cross_entropy_of_classes_is_minus_the_log_of_the_softmax():
    logits, labels = numbers(6, 3), torch.tensor([0, 1, 2, 0, 1, 2])
    target = ClassTarget(3)
    p = target.prediction(logits)
    torch.testing.assert_close(target.nll(logits, labels), -p[torch.arange(6), labels].log())
    correct, squared_error = target.compare(p, labels)
    assert torch.equal(correct, logits.argmax(1) == labels)
    assert squared_error is None


def test_real_numbers_are_scored_by_the_density_of_the_normal():
    decoded, labels = numbers(6, 4), numbers(6, 2, seed=1)
    target = RealTarget(2)
    expected = -stats.norm.logpdf(labels.numpy(), decoded[:, :2].numpy(), decoded[:, 2:].exp().numpy()).sum(1)
    np.testing.assert_allclose(target.nll(decoded, labels), expected, rtol=1e-5)
    correct, squared_error = target.compare(target.prediction(decoded), labels)
    assert correct is None
    np.testing.assert_allclose(squared_error, ((labels - decoded[:, :2]) ** 2).sum(1), rtol=1e-5)


def test_only_a_known_entropy_makes_a_bound():
    assert ClassTarget(2).kind == "lower_bound"
    assert RealTarget(1).kind == "estimate"
    assert RealTarget(1, entropy=1.5).kind == "lower_bound"
    assert RealTarget(1, entropy=1.5).label_entropy([[4.0]]) == 1.5


def test_unknown_entropy_is_that_of_a_normal_with_the_covariance_seen():
    covariance = np.array([[2.0, 0.6], [0.6, 1.0]])
    expected = stats.multivariate_normal(cov=covariance).entropy()
    assert RealTarget(2).label_entropy(covariance) == pytest.approx(expected)
    assert RealTarget(1).label_entropy(np.array(3.0)) == pytest.approx(stats.norm(scale=3**0.5).entropy())
    assert RealTarget(2).label_entropy(np.ones((2, 2))) == -math.inf


def test_the_best_linear_gaussian_decoder_reads_minus_half_log_of_one_less_r_squared():
    rng = np.random.default_rng(0)
    x = rng.normal(size=4000)
    y = 0.7 * x + rng.normal(size=4000)
    slope, offset = np.polyfit(x, y, 1)
    fitted = slope * x + offset
    residual = np.std(y - fitted)
    decoded = torch.tensor(np.stack([fitted, np.full_like(x, np.log(residual))], axis=1))
    target = RealTarget(1)
    value = target.label_entropy(np.var(y)) - target.nll(decoded, torch.tensor(y)[:, None]).mean().item()
    assert value == pytest.approx(-0.5 * np.log(1 - np.corrcoef(x, y)[0, 1] ** 2), rel=1e-6)
