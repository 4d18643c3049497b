"""The forty tasks of the field's benchmark of mutual information, with its names and in its order.

Czyz, Grabowski, Vogt, Beerenwinkel and Marx, "Beyond Normal: On the Evaluation of Mutual Information Estimators"
(NeurIPS 2023), version 1 of the list. Ten are of two numbers, nine multivariate normal, six Student t, and fifteen are
those under maps that keep the information. All truths are closed forms.
"""

import numpy as np

from infoplane.analysis.known.known import Known, Map, transformed
from infoplane.analysis.known.maps import (
    Spiral,
    ToMixture,
    asinh,
    half_cube,
    normal_cdf,
    swiss_roll,
    wiggly_x,
    wiggly_y,
)
from infoplane.analysis.known.normal import bivariate_normal, dense_normal, sparse_normal
from infoplane.analysis.known.student import student_t
from infoplane.analysis.known.uniform_noise import additive_noise

_BIMODAL_X = ToMixture(weights=(0.3, 0.7), means=(0.0, 5.0))
_BIMODAL_Y = ToMixture(weights=(0.5, 0.5), means=(-1.0, 3.0))


def forty_tasks() -> tuple[Known, ...]:
    """Return the forty tasks in the benchmark's order; names are unique, truths lie between 0.17 and 1.71 nat."""
    binormal = bivariate_normal(0.75, name="Bivariate normal 1 × 1")
    uniform = _both(binormal, normal_cdf, "Normal CDF")
    cauchy = _student(1, 1)
    pairs = {d: sparse_normal(d, d, name=f"Multinormal {d} × {d} (2-pair)") for d in (2, 3, 5, 25)}
    large = [pairs[d] for d in (3, 5, 25)]
    cubes = [_both(task, normal_cdf, "Normal CDF") for task in large]
    return (
        binormal,
        uniform,
        additive_noise(0.1, name="Uniform 1 × 1 (additive noise=0.1)"),
        additive_noise(0.75, name="Uniform 1 × 1 (additive noise=0.75)"),
        transformed(binormal, x=_BIMODAL_X, y=_BIMODAL_Y, name="Bimodal 1 × 1"),
        transformed(binormal, x=wiggly_x, y=wiggly_y, name=f"Wiggly @ {binormal.name}"),
        _both(binormal, half_cube, "Half-cube"),
        cauchy,
        _both(cauchy, asinh, "Asinh"),
        transformed(uniform, x=swiss_roll, name="Swiss roll 2 × 1"),
        *(dense_normal(d, d, name=f"Multinormal {d} × {d} (dense)") for d in (2, 3, 5, 25, 50)),
        *pairs.values(),
        *(_student(d, df) for d, df in ((2, 1), (2, 2), (3, 2), (3, 3), (5, 2), (5, 3))),
        *cubes,
        *(_both(task, half_cube, "Half-cube") for task in large),
        *map(_spiral, large),
        *map(_spiral, cubes),
        *(_both(_student(d, df), asinh, "Asinh") for d, df in ((2, 1), (3, 2), (5, 2))),
    )


def _both(base: Known, through: Map, prefix: str) -> Known:
    return transformed(base, x=through, y=through, name=f"{prefix} @ {base.name}")


def _student(d: int, df: int) -> Known:
    return student_t(np.eye(2 * d), dim_x=d, df=df, name=f"Student-t {d} × {d} (dof={df})")


def _spiral(base: Known) -> Known:
    # The plane of x holds both columns that tell of y; that of y holds one that tells of x and one that does not.
    x, y = Spiral(plane=(0, 1), speed=1 / base.dim_x), Spiral(plane=(1, 2), speed=1 / base.dim_y)
    return transformed(base, x=x, y=y, name=f"Spiral @ {base.name}")
