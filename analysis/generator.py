"""The random stream of an estimator's own draws."""

import numpy as np

from infoplane.analysis.errors import whole_number

_STREAM = 0x1F0


def own_generator(seed: int) -> np.random.Generator:
    """Return a generator that `seed` fixes; InputError unless it is a whole number from 0.

    Its stream is not that of ``numpy.random.default_rng(seed)``, from which simulated samples come as a rule: noise
    that repeats the samples it is added to is no noise (a sandwich on a simulated code then read 1.18 for 0.92 nat).
    """
    return np.random.default_rng([_STREAM, whole_number("seed", seed, least=0)])
