"""The held-out score: a lower bound whatever the critic, the truth for the true one."""

import math

import numpy as np
import pytest

from infoplane.analysis.estimators.contrast import contrast, held_out_scores, random_parts
from infoplane.analysis.known import bivariate_normal

KNOWN = bivariate_normal(0.8)


def true_ratios(x, y, rho=0.8):
    return (2 * rho * x * y.T - rho**2 * (x**2 + y.T**2)) / (2 * (1 - rho**2))


class True_:
    def log_ratios(self, x, y):
        return true_ratios(x, y)


def test_the_true_ratio_scores_the_information():
    scores = [held_out_scores(True_(), *KNOWN.sample(4000, seed)).mean() for seed in range(4)]
    assert np.mean(scores) == pytest.approx(KNOWN.nats, abs=0.01)


def test_no_other_critic_scores_more():
    x, y = KNOWN.sample(1000)
    best = contrast(true_ratios(x, y)).mean()
    wild = np.random.default_rng(0).standard_normal((1000, 1000))
    for critic in (true_ratios(x, y, 0.5), 3 * true_ratios(x, y), wild, 0 * wild):
        assert contrast(critic).mean() < best - 0.05
    assert contrast(0 * wild).mean() == pytest.approx(0, abs=1e-12)


def test_no_score_exceeds_the_log_of_the_pairs():
    assert contrast(1e6 * np.eye(50)).mean() == pytest.approx(math.log(50))


def test_parts_hold_every_sample_once():
    parts = random_parts(103, 5, seed=1)
    assert sorted(np.concatenate(parts)) == list(range(103))
    assert {len(part) for part in parts} == {20, 21}
