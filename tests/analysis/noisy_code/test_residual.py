import math

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.information import entropy
from infoplane.analysis.noisy_code.code import GaussianCode
from infoplane.analysis.noisy_code.priors import MomentNormal, StandardNormal
from infoplane.analysis.noisy_code.residual import residual_rate, residual_sandwich
from infoplane.analysis.noisy_code.sandwich import sandwich

NATS = {"base": math.e}
LABELS = np.array([0] * 5 + [1] * 3 + [2] * 8)


def within_classes(codes, code):
    """Return I(Z;X|Y) in nats of a one-dimensional code with X uniform on its inputs."""
    parts = [(np.mean(c == LABELS), codes.information(code.take(c == LABELS))) for c in range(3)]
    return sum(share * value for share, value in parts)


def test_rate_less_the_residual_information_is_the_divergence_of_the_class_marginals(codes):
    code = codes.random(0, n=16)
    z, step, each = codes.densities(code)
    laws = [codes.random(10 + c, n=6) for c in range(3)]
    priors = [MomentNormal(law) for law in laws]
    expected = within_classes(codes, code)
    for c, law in enumerate(laws):
        variance = law.mean.var() + np.exp(2 * law.log_std).mean()
        log_b = -0.5 * (z - law.mean.mean()) ** 2 / variance - 0.5 * math.log(2 * math.pi * variance)
        expected += np.mean(c == LABELS) * codes.divergence(each[c == LABELS].mean(axis=0), log_b, step)
    result = residual_rate(code, LABELS, priors, **NATS)
    assert result.value == pytest.approx(expected, rel=1e-6)
    assert result.kind == "upper_bound"
    assert "I(Z;X|Y)" in result.quantity


def test_sandwich_within_classes_encloses_the_residual_information(codes):
    code = codes.random(1, n=16)
    truth = within_classes(codes, code)
    pairs = np.array([[s.value for s in residual_sandwich(code, LABELS, draws=1, seed=k, **NATS)] for k in range(300)])
    error = pairs.std(axis=0) / math.sqrt(300)
    assert error[0] < 0.02 * truth
    assert abs(pairs[:, 0].mean() - truth) < 3 * error[0]
    assert pairs[:, 1].mean() > truth


def test_codes_that_tell_the_label_alone_have_no_residual():
    code = GaussianCode(100.0 * LABELS[:, None], np.zeros((16, 1)))
    low, high = residual_sandwich(code, LABELS)
    assert low.value == pytest.approx(0, abs=1e-9)
    assert high.value == pytest.approx(0, abs=1e-9)
    assert sandwich(code).lower.value == pytest.approx(entropy(np.bincount(LABELS) / 16), abs=1e-9)


def test_ceiling_is_log_n_less_the_entropy_of_the_labels():
    code = GaussianCode(100.0 * np.arange(16.0)[:, None], np.zeros((16, 1)))
    low, high = residual_sandwich(code, LABELS)
    ceiling = 4 - entropy(np.bincount(LABELS) / 16)
    assert low.value == pytest.approx(ceiling, abs=1e-9)
    assert low.parameters["ceiling"] == pytest.approx(ceiling)
    assert low.findings[0].code == "at_ceiling"
    assert high.findings[0].code == "above_log_n"


def test_names_of_the_classes_do_not_matter(codes):
    code = codes.random(0, n=16)
    assert residual_sandwich(code, LABELS + 7).lower.value == residual_sandwich(code, LABELS).lower.value


def test_unusable_labels_are_refused(codes):
    code = codes.random(0, n=4)
    with pytest.raises(InputError, match="class 1 has a single input"):
        residual_sandwich(code, [0, 0, 0, 1])
    with pytest.raises(InputError, match="3 labels for 4 inputs"):
        residual_sandwich(code, [0, 0, 0])
    with pytest.raises(InputError, match="1 classes"):
        residual_rate(code, [0, 0, 0, 1], [StandardNormal()])
