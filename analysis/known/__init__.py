"""Distributions whose mutual information is known: the acceptance tests of every estimator, public.

A `Known` has a sampler and its information: ``forty_tasks()`` are those of the field's benchmark, and `transformed` and
`swapped` make new ones of known ones. `self_consistency` tests an estimator on images, whose truth nobody knows.
"""

from infoplane.analysis.known.clipped import clipped_normal
from infoplane.analysis.known.codes import noisy_codes
from infoplane.analysis.known.forty import forty_tasks
from infoplane.analysis.known.known import Known, swapped, transformed
from infoplane.analysis.known.layers import noisy_layer, noisy_layers
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
from infoplane.analysis.known.normal import (
    bivariate_normal,
    dense_normal,
    gaussian_channel,
    multivariate_normal,
    sparse_normal,
)
from infoplane.analysis.known.self_consistency import SelfConsistency, self_consistency
from infoplane.analysis.known.staircase import cubic_staircase, cubic_step, gaussian_staircase, gaussian_step
from infoplane.analysis.known.student import student_t
from infoplane.analysis.known.szt12 import RotationTask, rotation_task
from infoplane.analysis.known.tables import binary_symmetric_channel, joint_table
from infoplane.analysis.known.uniform_noise import additive_noise

__all__ = [
    "Known",
    "RotationTask",
    "SelfConsistency",
    "Spiral",
    "ToMixture",
    "additive_noise",
    "asinh",
    "binary_symmetric_channel",
    "bivariate_normal",
    "clipped_normal",
    "cubic_staircase",
    "cubic_step",
    "dense_normal",
    "forty_tasks",
    "gaussian_channel",
    "gaussian_staircase",
    "gaussian_step",
    "half_cube",
    "joint_table",
    "multivariate_normal",
    "noisy_codes",
    "noisy_layer",
    "noisy_layers",
    "normal_cdf",
    "rotation_task",
    "self_consistency",
    "sparse_normal",
    "student_t",
    "swapped",
    "swiss_roll",
    "transformed",
    "wiggly_x",
    "wiggly_y",
]
