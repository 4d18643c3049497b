"""Labels that occur once: refused by whatever learns from some samples, with a way on."""

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate
from infoplane.analysis.estimators.single_labels import refuse_single_labels
from infoplane.analysis.rows import row_symbols

LEARNED = ("mine", "nwj", "infonce", "smile", "club", "doe", "latent", "online_mdl", "v_information")


@pytest.mark.parametrize("name", LEARNED)
def test_inputs_as_labels_are_refused_with_a_way_on(name):
    inputs = np.random.default_rng(0).standard_normal((200, 4))
    with pytest.raises(InputError) as caught:
        estimate(np.tanh(inputs), row_symbols(inputs), method=name)
    assert str(caught.value) == (
        "all 200 samples have labels of their own, so what is learned from some of them holds for none of the others; "
        "for the information on a finite set of inputs take exact, binning, kde_lower, kde_upper or sample_propagation"
    )


@pytest.mark.parametrize("name", ["exact", "binning", "kde_lower", "kde_upper", "sample_propagation"])
def test_the_way_on_reads_the_whole_set(name):
    inputs = np.eye(8)
    found = estimate(30 * inputs, row_symbols(inputs), method=name)
    assert found.value == pytest.approx(3, abs=1e-3)


def test_from_one_half_on_they_are_too_many():
    refuse_single_labels(np.r_[np.arange(10), np.repeat(np.arange(10, 15), 2)])
    with pytest.raises(InputError, match="11 of 21 samples have labels of their own"):
        refuse_single_labels(np.r_[np.arange(11), np.repeat(np.arange(11, 16), 2)])


def test_quantities_are_never_refused():
    refuse_single_labels(np.arange(10.0)[:, None])


def test_many_labels_are_predicted_without_warnings():
    # Early blocks have nearly as many labels as samples; a warning would be an error here.
    rng = np.random.default_rng(0)
    y = np.r_[np.arange(40), np.repeat(np.arange(40, 70), 2)]
    assert estimate(rng.standard_normal((100, 2)), y, method="online_mdl").n == 100
