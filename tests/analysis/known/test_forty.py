"""The forty tasks: names, order, dimensions and truths of the benchmark; laws by scipy's densities."""

import math

import numpy as np
import pytest
from scipy import stats

from infoplane.analysis.known import Spiral, forty_tasks

# name, dim_x, dim_y, I in nats, as the package benchmark-mi 0.1.3 gives them (its BENCHMARK_TASKS_LIST, version 1).
BENCHMARK = (
    ("Bivariate normal 1 × 1", 1, 1, 0.41333928659223396),
    ("Normal CDF @ Bivariate normal 1 × 1", 1, 1, 0.41333928659223396),
    ("Uniform 1 × 1 (additive noise=0.1)", 1, 1, 1.7094379663467407),
    ("Uniform 1 × 1 (additive noise=0.75)", 1, 1, 0.3333333333333333),
    ("Bimodal 1 × 1", 1, 1, 0.41333928659223396),
    ("Wiggly @ Bivariate normal 1 × 1", 1, 1, 0.41333928659223396),
    ("Half-cube @ Bivariate normal 1 × 1", 1, 1, 0.41333928659223396),
    ("Student-t 1 × 1 (dof=1)", 1, 1, 0.22417142752923613),
    ("Asinh @ Student-t 1 × 1 (dof=1)", 1, 1, 0.22417142752923613),
    ("Swiss roll 2 × 1", 2, 1, 0.41333928659223396),
    ("Multinormal 2 × 2 (dense)", 2, 2, 0.2938933324510593),
    ("Multinormal 3 × 3 (dense)", 3, 3, 0.41333928659223407),
    ("Multinormal 5 × 5 (dense)", 5, 5, 0.5928118328288701),
    ("Multinormal 25 × 25 (dense)", 25, 25, 1.2921837216593204),
    ("Multinormal 50 × 50 (dense)", 50, 50, 1.6242653743037039),
    ("Multinormal 2 × 2 (2-pair)", 2, 2, 1.0216512475319819),
    ("Multinormal 3 × 3 (2-pair)", 3, 3, 1.0216512475319819),
    ("Multinormal 5 × 5 (2-pair)", 5, 5, 1.021651247531981),
    ("Multinormal 25 × 25 (2-pair)", 25, 25, 1.0216512475319774),
    ("Student-t 2 × 2 (dof=1)", 2, 2, 0.43194562200144127),
    ("Student-t 2 × 2 (dof=2)", 2, 2, 0.1931471805599454),
    ("Student-t 3 × 3 (dof=2)", 3, 3, 0.29092192268276484),
    ("Student-t 3 × 3 (dof=3)", 3, 3, 0.17871185309236282),
    ("Student-t 5 × 5 (dof=2)", 5, 5, 0.44815067691532917),
    ("Student-t 5 × 5 (dof=3)", 5, 5, 0.29854362265275824),
    ("Normal CDF @ Multinormal 3 × 3 (2-pair)", 3, 3, 1.0216512475319819),
    ("Normal CDF @ Multinormal 5 × 5 (2-pair)", 5, 5, 1.021651247531981),
    ("Normal CDF @ Multinormal 25 × 25 (2-pair)", 25, 25, 1.0216512475319774),
    ("Half-cube @ Multinormal 3 × 3 (2-pair)", 3, 3, 1.0216512475319819),
    ("Half-cube @ Multinormal 5 × 5 (2-pair)", 5, 5, 1.021651247531981),
    ("Half-cube @ Multinormal 25 × 25 (2-pair)", 25, 25, 1.0216512475319774),
    ("Spiral @ Multinormal 3 × 3 (2-pair)", 3, 3, 1.0216512475319819),
    ("Spiral @ Multinormal 5 × 5 (2-pair)", 5, 5, 1.021651247531981),
    ("Spiral @ Multinormal 25 × 25 (2-pair)", 25, 25, 1.0216512475319774),
    ("Spiral @ Normal CDF @ Multinormal 3 × 3 (2-pair)", 3, 3, 1.0216512475319819),
    ("Spiral @ Normal CDF @ Multinormal 5 × 5 (2-pair)", 5, 5, 1.021651247531981),
    ("Spiral @ Normal CDF @ Multinormal 25 × 25 (2-pair)", 25, 25, 1.0216512475319774),
    ("Asinh @ Student-t 2 × 2 (dof=1)", 2, 2, 0.43194562200144127),
    ("Asinh @ Student-t 3 × 3 (dof=2)", 3, 3, 0.29092192268276484),
    ("Asinh @ Student-t 5 × 5 (dof=2)", 5, 5, 0.44815067691532917),
)
SINGLE_PRECISION = 6e-8  # of 1.7
TASKS = {task.name: task for task in forty_tasks()}


def test_names_order_and_dimensions_are_the_benchmarks():
    assert [(task.name, task.dim_x, task.dim_y) for task in forty_tasks()] == [row[:3] for row in BENCHMARK]
    assert len(TASKS) == 40


@pytest.mark.parametrize(("name", "truth"), [(row[0], row[3]) for row in BENCHMARK])
def test_truth_is_the_benchmarks(name, truth):
    # The benchmark computes in doubles, but for the uniform noise below 1/2.
    assert TASKS[name].mutual_information(math.e) == pytest.approx(truth, rel=0, abs=SINGLE_PRECISION)


def undo(prefix, x, y):
    """Return the samples before the map that the task's name begins with."""
    if prefix == "Normal CDF":
        return stats.norm.ppf(x), stats.norm.ppf(y)
    if prefix == "Half-cube":
        return tuple(np.sign(v) * np.abs(v) ** (2 / 3) for v in (x, y))
    if prefix == "Asinh":
        return np.sinh(x), np.sinh(y)
    assert prefix == "Spiral"
    return Spiral((0, 1), -1 / x.shape[1])(x), Spiral((1, 2), -1 / y.shape[1])(y)


def log_ratio(law, x, y):
    """Return log [p(x, y) / (p(x) p(y))] by scipy's densities of the normal or Student law that the name tells."""
    d = x.shape[1]
    scatter = np.eye(2 * d)
    if "dense" in law:
        scatter = np.full((2 * d, 2 * d), 0.5) + 0.5 * np.eye(2 * d)
    if "2-pair" in law:
        scatter[[0, 1, d, d + 1], [d, d + 1, 0, 1]] = 0.8
    if law.startswith("Bivariate"):
        scatter = np.array([[1, 0.75], [0.75, 1]])
    if law.startswith("Student"):
        df = int(law.split("=")[1].rstrip(")"))
        joint, one = stats.multivariate_t(shape=scatter, df=df), stats.multivariate_t(shape=np.eye(d), df=df)
    else:
        joint = stats.multivariate_normal(cov=scatter)
        one = stats.multivariate_normal(cov=scatter[:d, :d])
    return joint.logpdf(np.hstack([x, y])) - one.logpdf(x) - one.logpdf(y)


def check(name, ratio):
    """The mean of the log ratio is the truth, within 3 standard errors, and those within 2 % but for heavy tails."""
    error = ratio.std() / math.sqrt(len(ratio))
    assert abs(ratio.mean() - TASKS[name].nats) < 3 * error
    if "Student" not in name:
        assert 3 * error < 0.02 * TASKS[name].nats


ONE_OF_A_KIND = ("Uniform", "Bimodal", "Wiggly", "Swiss")


@pytest.mark.parametrize("name", [name for name in TASKS if not name.startswith(ONE_OF_A_KIND)])
def test_samples_have_the_stated_law(name):
    x, y = TASKS[name].sample(35_000 if TASKS[name].nats > 1 else 125_000, seed=1)
    *maps, law = name.split(" @ ")
    for prefix in maps:
        x, y = undo(prefix, x, y)
    check(name, log_ratio(law, x, y))


def test_bimodal_samples_have_the_stated_law():
    x, y = TASKS["Bimodal 1 × 1"].sample(90_000, seed=1)
    cdf = stats.norm.cdf
    u = stats.norm.ppf(0.3 * cdf(x) + 0.7 * cdf(x - 5))
    v = stats.norm.ppf(0.5 * cdf(y + 1) + 0.5 * cdf(y - 3))
    check("Bimodal 1 × 1", log_ratio("Bivariate", u, v))


def test_wiggly_samples_have_the_stated_law():
    name = "Wiggly @ Bivariate normal 1 × 1"
    x, y = TASKS[name].sample(90_000, seed=1)
    v = np.linspace(-8, 8, 200_001)
    on_x = v + 0.4 * np.sin(v) + 0.2 * np.sin(1.7 * v + 1) + 0.03 * np.sin(3.3 * v - 2.5)
    on_y = v - 0.4 * np.sin(0.4 * v) + 0.17 * np.sin(1.3 * v + 3.5) + 0.02 * np.sin(4.3 * v - 2.5)
    check(name, log_ratio("Bivariate", np.interp(x, on_x, v), np.interp(y, on_y, v)))


def test_swiss_roll_samples_have_the_stated_law():
    x, y = TASKS["Swiss roll 2 × 1"].sample(90_000, seed=1)
    t = 21 * np.linalg.norm(x, axis=1, keepdims=True)
    assert np.allclose(x, t * np.hstack([np.cos(t), np.sin(t)]) / 21)
    u = (t / (1.5 * math.pi) - 1) / 2
    assert u.min() >= 0
    assert u.max() <= 1
    check("Swiss roll 2 × 1", log_ratio("Bivariate", stats.norm.ppf(u), stats.norm.ppf(y)))


@pytest.mark.parametrize("epsilon", [0.1, 0.75])
def test_uniform_noise_samples_have_the_stated_law(epsilon):
    name = f"Uniform 1 × 1 (additive noise={epsilon})"
    x, y = TASKS[name].sample(90_000, seed=1)
    assert np.abs(y - x).max() <= epsilon
    assert (x.min() >= 0) & (x.max() <= 1)
    density_y = (np.minimum(1, y + epsilon) - np.maximum(0, y - epsilon)) / (2 * epsilon)
    check(name, -np.log(2 * epsilon * density_y[:, 0]))
