"""The checks of ``infoplane verify``: every method on distributions whose information is known.

`quick_checks` takes every method but the neural ones to laws of its own sort; `full_checks` adds these, the forty tasks
of the field's benchmark, noisy layers and the staircases. Tolerances are in nats. They say what is wanted of a method
on that law, n samples, not what it reached: some three standard deviations of it where it is free of bias.
"""

import math
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from infoplane.analysis.estimate import Estimate, estimate
from infoplane.analysis.known import (
    Known,
    binary_symmetric_channel,
    bivariate_normal,
    clipped_normal,
    forty_tasks,
    gaussian_step,
    joint_table,
    noisy_codes,
    noisy_layers,
    student_t,
)
from infoplane.analysis.noisy_code import GaussianCode, sandwich
from infoplane.analysis.samples import Floats, Labels
from infoplane.analysis.verification import Check

_NOISE = 0.6
DISCRETE = ("plugin", "miller_madow", "grassberger", "chao_shen", "nsb", "shrinkage")
NEURAL = ("mine", "nwj", "infonce", "smile", "club", "doe", "latent")


def quick_checks() -> tuple[Check, ...]:
    """Return the checks that take about a minute together."""
    normal, strong = bivariate_normal(0.75, name="normal, correlation 0.75"), bivariate_normal(0.8)
    heavy = student_t(np.eye(2), dim_x=1, df=2, name="Student t, 2 degrees of freedom")
    rectified = [clipped_normal(0.8, offset=offset, name=f"rectified, offset {offset:g}") for offset in (0.0, -1.0)]
    classes = noisy_codes([0.0, 2.0, 4.0], noise=1.0, name="three normal classes")
    pair = noisy_codes([-1.0, 1.0], noise=_NOISE, name="two classes, x normal")
    flips = binary_symmetric_channel(0.11, name="binary channel, flip 0.11")
    symbols = joint_table(np.eye(10) / 20 + 1 / 200, name="ten symbols, half passed on")
    codes = _clean_codes()
    return (
        *(_check(normal, name, 5000, 0.03, seeds=3) for name in ("gaussian", "gaussian_copula", "t_copula")),
        *(_check(normal, name, 5000, 0.06, seeds=3) for name in ("ksg1", "ksg2", "lnc", "mixed_ksg", "auto")),
        _check(normal, "sliced", 5000, 0.06),
        _check(strong, "ksg1", 20_000, 0.016, seeds=3),
        *(_check(heavy, name, 5000, 0.03, seeds=3) for name in ("t_copula", "auto")),
        *(_check(law, name, 5000, 0.03, seeds=3) for law in rectified for name in ("ksg1", "mixed_ksg", "auto")),
        *(_check(classes, name, 5000, 0.04, seeds=3) for name in ("ross", "auto")),
        *(_check(pair, name, 2000, 0.06) for name in ("v_information", "online_mdl")),
        *(_check(symbols, name, 5000, 0.035, seeds=3) for name in DISCRETE),
        *(_check(flips, name, 2000, 0.03, seeds=3) for name in ("plugin", "auto")),
        _check(_levels(4096), "exact", 4096, 1e-9),
        _check(_levels(8), "binning", 4096, 1e-9, rule="count", number=8),
        _check(_two_points(), "renyi", 400, 1e-6),
        *(_check(codes, name, 1000, 0.12, noise_variance=_NOISE**2) for name in ("kde_lower", "kde_upper")),
        _check(codes, "sample_propagation", 1000, 0.01, noise_variance=_NOISE**2),
        *(Check(codes, f"sandwich {side}", partial(_sandwich, side), 2000, 0.02) for side in ("lower", "upper")),
    )


def full_checks() -> tuple[Check, ...]:
    """Return all checks; they take about a quarter of an hour."""
    normal = bivariate_normal(0.75, name="normal, correlation 0.75")
    return (
        *quick_checks(),
        *(_check(normal, name, 5000, 0.06, seeds=3) for name in NEURAL if name != "club"),
        _check(_contrastive_limit(0.75), "club", 5000, 0.15, seeds=3),
        *(_check(gaussian_step(nats), "auto", 5000, 0.1 * nats) for nats in (2.0, 4.0, 6.0, 8.0, 10.0)),
        *(_check(law, "auto", 5000, 0.1 * law.nats, seeds=3) for law in noisy_layers()),
        *(_check(task, "auto", 5000, 0.1, seeds=3) for task in forty_tasks()),
    )


def _check(law: Known, method: str, n: int, tolerance: float, *, seeds: int = 1, **parameters: Any) -> Check:
    return Check(law, method, partial(estimate, method=method, base=math.e, **parameters), n, tolerance, seeds)


def _levels(told_apart: int) -> Known:
    """Return 4096 equally likely inputs on a line, of which a layer tells `told_apart` apart."""
    return Known(
        name=f"4096 inputs, {told_apart} told apart",
        nats=math.log(told_apart),
        draw=_line,
        dim_x=1,
        dim_y=1,
        how="counting",
        source="closed form",
    )


def _contrastive_limit(correlation: float) -> Known:
    """Return the normal pair with what CLUB reads under its true conditional law, r^2 / (1 - r^2), far above I."""
    normal = bivariate_normal(correlation)
    nats = correlation**2 / (1 - correlation**2)
    return replace(normal, name=f"normal, correlation {correlation:g}, limit of CLUB", nats=nats)


def _two_points() -> Known:
    """Return two labels and their codes, with the Rényi information of order 1.01 at the median width.

    The kernel of different codes is then c = exp(-1/2); the matrix of x has the eigenvalues (1 + c)/2 and (1 - c)/2,
    those of y and of the product are 1/2 and 1/2.
    """
    alpha, c = 1.01, math.exp(-0.5)
    nats = math.log(((1 + c) / 2) ** alpha + ((1 - c) / 2) ** alpha) / (1 - alpha)
    return replace(_clean_codes(), name="two codes, Rényi information", nats=nats, how="closed form")


def _clean_codes() -> Known:
    """Return the codes of two equally frequent labels, and the information once noise is added to them."""
    name = f"two codes before noise of deviation {_NOISE:g}"
    return replace(noisy_codes([-1.0, 1.0], noise=_NOISE), name=name, draw=_alternating)


def _line(rng: np.random.Generator, n: int) -> tuple[Floats, Labels]:
    inputs: Floats = np.linspace(-1, 1, n).astype(np.float64)
    return inputs[:, None], np.arange(n, dtype=np.int64)


def _alternating(rng: np.random.Generator, n: int) -> tuple[Floats, Labels]:
    labels = np.arange(n, dtype=np.int64) % 2
    codes = 2 * labels.astype(np.float64) - 1
    return codes[:, None], labels


def _sandwich(side: str, x: Floats | Labels, y: Floats | Labels) -> Estimate:
    code = GaussianCode(x, np.full(x.shape, math.log(_NOISE)))
    found: Estimate = getattr(sandwich(code, base=math.e), side)
    return found
