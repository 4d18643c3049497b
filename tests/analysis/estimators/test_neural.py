"""The neural estimators' formulas under an exact critic, and what trained ones reach, against closed forms."""

import math

import numpy as np
import pytest
import torch
from scipy.special import entr, ndtr

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate
from infoplane.analysis.estimators import infonce, mine, nwj, smile
from infoplane.analysis.estimators.critic_fit import CriticFit

CRITICS = {"mine": (mine, mine.MINE), "nwj": (nwj, nwj.NWJ), "infonce": (infonce, infonce.InfoNCE)}
CRITICS["smile"] = (smile, smile.SMILE)
ALL = (*CRITICS, "club", "doe", "latent")
QUICK = {"steps": 150, "learning_rate": 1e-2}


def normals(rho, n=5000, d=1, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, rho * x + math.sqrt(1 - rho**2) * rng.standard_normal((n, d))


def truth(rho, d=1):
    return -d / 2 * math.log(1 - rho**2)


def exact_scores(rho, n, seed):
    """Return log p(x_i, y_j) / (p(x_i) p(y_j)) of n samples of a bivariate normal law."""
    x, y = (torch.as_tensor(side[:, 0]) for side in normals(rho, n, seed=seed))
    a, b = x[:, None], y[None]
    return truth(rho) - (rho**2 * (a**2 + b**2) - 2 * rho * a * b) / (2 * (1 - rho**2))


def with_scores(name, scores, monkeypatch, **parameters):
    """Return the reading of a critic whose scores of all pairs are given."""
    module, kind = CRITICS[name]
    monkeypatch.setattr(module, "fit_critic", lambda *_, **__: CriticFit(scores, (), {}))
    return getattr(module, name)(None, None, kind(**parameters))


@pytest.mark.parametrize("name", CRITICS)
def test_exact_critic_gives_the_truth(name, monkeypatch):
    values = [with_scores(name, exact_scores(0.75, 500, seed), monkeypatch).nats for seed in range(40)]
    error = np.std(values) / math.sqrt(40)
    assert error < 0.006
    assert np.mean(values) == pytest.approx(truth(0.75), abs=3 * error)


@pytest.mark.parametrize("name", CRITICS)
def test_standard_error_is_the_spread_over_draws(name, monkeypatch):
    found = [with_scores(name, 0.7 * exact_scores(0.6, 60, seed), monkeypatch) for seed in range(600)]
    spread = np.std([reading.nats for reading in found])
    assert np.mean([reading.standard_error for reading in found]) == pytest.approx(spread, rel=0.1)


def test_constant_added_to_the_critic_costs_nwj_what_the_formula_says_and_the_others_nothing(monkeypatch):
    scores = exact_scores(0.75, 800, 0)
    for name in CRITICS:
        plain, shifted = (with_scores(name, scores + c, monkeypatch).nats for c in (0.0, 0.2))
        if name == "nwj":
            z = math.exp(float(torch.logsumexp(scores.masked_select(~torch.eye(800, dtype=torch.bool)), 0))) / 800 / 799
            assert shifted - plain == pytest.approx(0.2 - z * math.expm1(0.2), rel=1e-9)
        elif name == "smile":
            shifted = with_scores(name, scores + 0.2, monkeypatch, clip=math.inf).nats
            assert shifted == pytest.approx(with_scores("mine", scores, monkeypatch).nats, rel=1e-9)
        else:
            assert shifted == pytest.approx(plain, rel=1e-9)


def test_bounds_of_a_wrong_critic_are_below_the_truth(monkeypatch):
    for name in ("nwj", "infonce"):
        values = [with_scores(name, 0.5 * exact_scores(0.75, 300, seed), monkeypatch).nats for seed in range(40)]
        assert np.mean(values) < truth(0.75) - 0.03


def test_infonce_says_its_ceiling_and_what_it_costs(monkeypatch):
    scores = exact_scores(math.sqrt(1 - math.exp(-2 * 12)), 200, 0)
    reading = with_scores("infonce", scores, monkeypatch)
    (finding,) = reading.findings
    assert finding.code == "ceiling"
    assert "the log of the 200 samples" in finding.text
    assert reading.chosen["ceiling_nats"] == math.log(200)
    assert reading.nats < math.log(200)
    assert reading.nats + finding.amount > 10
    assert with_scores("infonce", exact_scores(0.75, 200, 0), monkeypatch).findings == ()


def test_mine_says_the_bias_of_its_logarithm(monkeypatch):
    # The log of a mean is too low by half the mean's squared relative error on average.
    rng = np.random.default_rng(0)
    scores = [torch.as_tensor(rng.normal(0, 0.5, (40, 1)) + rng.normal(0, 0.5, 40)) for _ in range(1000)]
    found = [with_scores("mine", one, monkeypatch) for one in scores]
    logs = [float(one.diagonal().mean()) - reading.nats for one, reading in zip(scores, found, strict=True)]
    bias = math.log(np.mean(np.exp(logs))) - np.mean(logs)
    assert bias > 0.002
    assert np.mean([one.chosen["log_mean_bias_nats"] for one in found]) == pytest.approx(bias, rel=0.2)


def test_moving_average_corrects_the_gradient():
    loss = mine.CorrectedLoss()
    first, second = torch.zeros(4, 4), torch.full((4, 4), 2.0, requires_grad=True)
    loss(first)
    loss(second).backward()
    pairs = ~torch.eye(4, dtype=torch.bool)
    average = 0.99 + 0.01 * math.exp(2)
    assert second.grad[pairs].numpy() == pytest.approx(math.exp(2) / average / 12, rel=1e-5)
    assert second.grad.diagonal().numpy() == pytest.approx(-1 / 4)


@pytest.mark.parametrize("name", ALL)
def test_short_training_reaches_a_strong_dependence(name):
    more = {"steps": 500} if name == "club" else {}  # its value grows without limit with the precision it learns
    found = estimate(*normals(0.9, 1200), method=name, base=math.e, **{**QUICK, **more})
    if name == "club":
        assert found.value == pytest.approx(0.81 / 0.19, rel=0.25)
    else:
        assert found.value == pytest.approx(truth(0.9), abs=0.12)


def information_with_labels(rho, cuts):
    """Return I(X; label) of labels by cutting the y of a bivariate normal law, by quadrature over x."""
    x, weights = np.polynomial.hermite_e.hermegauss(200)
    below = ndtr((np.array([*cuts, np.inf])[:, None] - rho * x) / math.sqrt(1 - rho**2))
    p = np.diff(below, axis=0, prepend=0)
    weights = weights / weights.sum()
    return float(entr(p @ weights).sum() - (entr(p) @ weights).sum())


@pytest.mark.parametrize("name", ALL)
def test_labels_are_read(name):
    x, y = normals(0.95, 1200)
    exact = information_with_labels(0.95, (-0.7, 0.7))
    found = estimate(x, np.digitize(y[:, 0], (-0.7, 0.7)), method=name, base=math.e, **QUICK).value
    if name == "club":
        assert found > exact  # what it estimates is above
    elif name == "latent":
        assert 0.5 * exact < found < 1.1 * exact  # KSG does not resolve the ties of a label's code
    else:
        assert found == pytest.approx(exact, abs=0.08)


def test_doe_says_which_network_could_go_on():
    found = estimate(*normals(0.9, 300), method="doe", steps=50).findings
    assert [finding.where for finding in found] == ["training of q(y|x)", "training of q(y)"]


def test_latent_says_of_codes_what_neighbours_say():
    x, y = normals(0.9, 300)
    found = estimate(x, (y[:, 0] > 0).astype(int), method="latent", **QUICK).findings
    (ties,) = [finding for finding in found if finding.code == "ties"]
    assert ties.where == "codes of y"
    assert "mixed_ksg" not in ties.advice
    noise = np.random.default_rng(0).standard_normal((2, 100, 30))
    found = estimate(*noise, method="latent", dimensions=8, **QUICK).findings
    (wide,) = [finding for finding in found if finding.code == "wide_neighbourhoods"]
    assert wide.where == "codes"
    assert "latent" not in wide.advice


@pytest.mark.parametrize("name", ALL)
def test_parameter_that_cannot_be_is_refused(name):
    with pytest.raises(InputError, match="learning_rate is 2"):
        estimate(*normals(0.5, 50), method=name, learning_rate=2)


def test_clip_must_be_positive():
    with pytest.raises(InputError, match="clip is 0"):
        smile.SMILE(clip=0)


@pytest.mark.parametrize("name", ["nwj", "doe", "latent"])
def test_caller_may_be_in_inference_mode_and_use_double_precision(name):
    x, y = normals(0.9, 100)
    expected = estimate(x, y, method=name, steps=5).value
    torch.set_default_dtype(torch.float64)
    try:
        with torch.inference_mode():
            assert estimate(x, y, method=name, steps=5).value == expected
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_defaults_reach_the_truth_of_a_moderate_dependence(name):
    found = [estimate(*normals(0.75, seed=seed), method=name, base=math.e, seed=seed) for seed in range(3)]
    error = 0.02 if name == "latent" else math.hypot(*[one.standard_error for one in found]) / 3
    expected = 0.75**2 / (1 - 0.75**2) if name == "club" else truth(0.75)
    assert error < (0.06 if name == "club" else 0.05)
    assert np.mean([one.value for one in found]) == pytest.approx(expected, abs=2.5 * error)
    assert not any(one.findings for one in found)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nwj", "infonce"])
@pytest.mark.parametrize("nats", [2, 6, 10])
def test_bounds_stay_below_the_truth_in_twenty_dimensions(name, nats):
    found = estimate(*normals(math.sqrt(1 - math.exp(-nats / 10)), d=20), method=name, base=math.e)
    assert found.kind == "lower_bound"
    assert nats / 3 < found.value < nats + 3 * found.standard_error
    if name == "infonce":
        assert ("ceiling" in [finding.code for finding in found.findings]) == (nats > 2)


@pytest.mark.slow
def test_latent_finds_four_dimensions_in_five_hundred_where_ksg_does_not():
    rng = np.random.default_rng(0)
    sides = []
    for low in normals(0.8, d=4):
        rotation = np.linalg.qr(rng.standard_normal((500, 500)))[0]
        sides.append(np.column_stack([low, 0.1 * rng.standard_normal((5000, 496))]) @ rotation)
    by_codes, directly = (estimate(*sides, method=name, base=math.e).value for name in ("latent", "ksg1"))
    assert directly < 0.5 * truth(0.8, 4)
    assert 0.7 * truth(0.8, 4) < by_codes < 1.05 * truth(0.8, 4)
