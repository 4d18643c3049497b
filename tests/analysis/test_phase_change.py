"""Where the signal-to-noise ratio of gradients falls below 1 for good."""

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.phase_change import PhaseChange, phase_change


@pytest.mark.parametrize(
    ("snr", "expected"),
    [
        ([3, 1.5, 0.8, 0.4], PhaseChange(1, 2, 1)),
        ([1.0, 0.5], PhaseChange(0, 1, 1)),
        ([0.5, 2, 0.5], PhaseChange(1, 2, 2)),
        ([2, 0.5, 2, 0.5], PhaseChange(2, 3, 3)),
        ([2, np.nan, 0.5, np.nan], PhaseChange(0, 2, 1)),
        ([np.inf, 0.5], PhaseChange(0, 1, 1)),
        ([0.9, 0.5, 0.2], None),
        ([2, 0.5, 2], None),
        ([2, np.nan], None),
        ([np.nan], None),
        ([], None),
    ],
)
def test_it_is_the_last_fall_and_is_there_only_where_the_ratio_was_above_and_stays_below(snr, expected):
    assert phase_change(snr) == expected


def test_a_table_is_refused():
    with pytest.raises(InputError, match="shape"):
        phase_change([[1.0, 0.5]])
