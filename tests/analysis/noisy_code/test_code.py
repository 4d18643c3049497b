import numpy as np
import pytest
import torch

from infoplane.analysis.errors import InputError
from infoplane.analysis.noisy_code.code import GaussianCode


def test_tensors_and_lists_read_alike():
    mean, log_std = [[0.5, 1.0], [2.0, 3.0]], [[-1.0, 0.0], [0.0, 0.5]]
    code = GaussianCode(torch.tensor(mean, requires_grad=True), torch.tensor(log_std, dtype=torch.bfloat16))
    assert code.mean.dtype == code.log_std.dtype == np.float64
    assert np.array_equal(code.mean, mean)
    assert np.array_equal(code.log_std, GaussianCode(mean, log_std).log_std)
    assert (code.n, code.dimensions) == (2, 2)


def test_inputs_are_taken_by_mask_or_index():
    code = GaussianCode(np.arange(6.0).reshape(3, 2), np.zeros((3, 2)))
    assert code.take(np.array([True, False, True])).mean.tolist() == [[0, 1], [4, 5]]
    assert code.take([2, 0]).mean.tolist() == [[4, 5], [0, 1]]


@pytest.mark.parametrize(
    ("mean", "log_std", "text"),
    [
        ([[0.0]], [[0.0, 0.0]], r"\(1, 1\) and log_std \(1, 2\)"),
        ([0.0], [0.0], "inputs, dimensions"),
        (np.zeros((0, 2)), np.zeros((0, 2)), "at least one"),
        ([[np.nan]], [[0.0]], "not finite"),
        ([[0.0]], [[-np.inf]], "-100 .. 100"),
        ([[0.0]], [[np.nan]], "-100 .. 100"),
        ([["a"]], [[0.0]], "real numbers"),
    ],
)
def test_unusable_codes_are_refused(mean, log_std, text):
    with pytest.raises(InputError, match=text):
        GaussianCode(mean, log_std)
