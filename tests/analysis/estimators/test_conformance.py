"""What every estimator does, whatever it estimates. A new one is added to FAST where its defaults take long."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate, methods
from infoplane.analysis.estimators import NAMES, method_named

FAST: dict[str, dict[str, object]] = {
    "sliced": {"slices": 10},
    "mine": {"steps": 20, "learning_rate": 2e-2, "hidden": 8},
    "nwj": {"steps": 20, "learning_rate": 2e-2, "hidden": 8},
    "infonce": {"steps": 20, "learning_rate": 2e-2, "hidden": 8},
    "smile": {"steps": 20, "learning_rate": 2e-2, "hidden": 8},
    "club": {"steps": 20, "learning_rate": 2e-2, "hidden": 8},
    "doe": {"steps": 20, "learning_rate": 2e-2, "hidden": 8},
    "latent": {"steps": 20, "learning_rate": 2e-2, "hidden": 16},
}
"""Parameters that make a slow method quick; the behaviours below do not depend on them."""
CRUDE: frozenset[str] = frozenset()
"""Methods whose value under FAST is too rough to tell dependence from independence."""


def pair(name, n=200, seed=0, rho=0.9):
    """Return dependent samples of the sort that the method is for: (n, 2) and (n, 2), or labels of four classes."""
    rng = np.random.default_rng(seed)
    u = rng.standard_normal((n, 2))
    v = rho * u + math.sqrt(1 - rho**2) * rng.standard_normal((n, 2))
    method = method_named(name)
    x = (u > 0) @ [1, 2] if method.x == "discrete" else u
    y = (v > 0) @ [1, 2] if "discrete" in (method.x, method.y) else v
    return x, y


def run(name, x, y, **more):
    return estimate(x, y, method=name, **{**FAST.get(name, {}), **more})


every_method = pytest.mark.parametrize("name", NAMES)


@every_method
def test_description_is_complete(name):
    method = method_named(name)
    assert method.name == name
    assert dataclasses.is_dataclass(method.parameters)
    assert method.parameters.__dataclass_params__.frozen
    assert method.parameters.__doc__
    assert "Parameters\n" in method.function.__doc__
    for text in (method.assumes, method.wrong_when, method.source):
        assert len(text) > 10
        assert not text.endswith(".")


def test_table_lists_every_method():
    assert methods()["method"].tolist() == list(NAMES)


@every_method
def test_value_is_finite_with_its_unit_and_n(name):
    result = run(name, *pair(name))
    assert math.isfinite(result.value)
    assert (result.unit, result.n, result.method) == ("bit", 200, name)
    assert set(FAST.get(name, {})) <= set(result.parameters)
    assert name in str(result)


@every_method
def test_base_changes_the_unit_alone(name):
    x, y = pair(name)
    bits, nats = run(name, x, y), run(name, x, y, base=math.e)
    assert nats.unit == "nat"
    assert nats.value == pytest.approx(bits.value * math.log(2), rel=1e-12, abs=1e-12)
    assert nats.standard_error == pytest.approx(bits.standard_error * math.log(2), rel=1e-12, abs=1e-12, nan_ok=True)


@every_method
def test_dependence_reads_higher_than_independence(name):
    if name in CRUDE:
        pytest.skip("too rough with the parameters of this test; its own test covers it")
    x, y = pair(name, n=400)
    shuffled = np.random.default_rng(1).permutation(y)
    assert run(name, x, y).value > run(name, x, shuffled).value


@every_method
def test_order_of_samples_does_not_matter(name):
    x, y = pair(name)
    order = np.random.default_rng(2).permutation(len(x))
    assert run(name, x[order], y[order]).value == pytest.approx(run(name, x, y).value, rel=1e-9, abs=1e-9)


@every_method
def test_same_seed_same_value(name):
    x, y = pair(name)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    assert run(name, x, y).value == run(name, x, y).value
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])


@every_method
def test_tensors_lists_and_single_precision_read_alike(name):
    x, y = pair(name)
    expected = run(name, x, y).value
    assert run(name, torch.as_tensor(x), torch.as_tensor(y)).value == expected
    assert run(name, x.tolist(), y.tolist()).value == expected
    if x.dtype == np.float64:
        x32 = torch.as_tensor(x, dtype=torch.float32).requires_grad_()
        assert math.isfinite(run(name, x32, y).value)


@every_method
def test_one_column_may_be_flat(name):
    x, y = pair(name)
    flat_x, flat_y = (side[:, 0] if side.ndim == 2 else side for side in (x, y))
    columns = [side[:, None] for side in (flat_x, flat_y)]
    assert run(name, flat_x, flat_y).value == run(name, *columns).value


@every_method
def test_constant_column_changes_nothing_and_is_said(name):
    x, y = pair(name)
    if x.ndim == 1:
        wide = np.column_stack([x, np.zeros_like(x)])
        assert run(name, wide, y).value == run(name, x, y).value
        return
    # Where constants are part of the layer (binning), one beyond its range moves that; one within it must not.
    kept = method_named(name).keeps_constant
    wide = np.column_stack([x, np.full(len(x), 0.0 if kept else 3.0)])
    result = run(name, wide, y)
    assert result.value == run(name, x, y).value
    (said,) = [finding.text for finding in result.findings if finding.code == "constant_columns"]
    assert said.startswith("1 of 3 columns are constant and were " + ("kept" if kept else "left out"))


@every_method
def test_constant_variable_carries_nothing(name):
    x, y = pair(name)
    result = run(name, np.zeros_like(x), y)
    assert result.value == 0
    assert [finding.where for finding in result.findings if finding.code == "constant"] == ["x"]


@every_method
def test_duplicates_and_ties_leave_it_finite(name):
    x, y = pair(name)
    x = np.maximum(x, 0) if x.ndim == 2 else x
    x, y = np.concatenate([x, x[:40]]), np.concatenate([y, y[:40]])
    assert math.isfinite(run(name, x, y).value)


@every_method
def test_too_few_samples_are_refused(name):
    x, y = pair(name)
    with pytest.raises(InputError, match="sample"):
        run(name, x[:1], y[:1])


@every_method
def test_nan_is_refused_with_its_row(name):
    x, y = pair(name)
    x = x.astype(float)
    x[7] = math.nan
    with pytest.raises(InputError, match="x has NaN or infinite values in 1 of 200 rows, the first in row 7"):
        run(name, x, y)


@every_method
def test_unpaired_samples_are_refused(name):
    x, y = pair(name)
    with pytest.raises(InputError, match="come in pairs"):
        run(name, x, y[:-1])


@every_method
def test_unknown_parameter_is_refused(name):
    x, y = pair(name)
    with pytest.raises(InputError, match="has no parameter 'colour'"):
        run(name, x, y, colour=1)


def test_unknown_method_names_the_near_one():
    with pytest.raises(InputError, match="did you mean 'ksg1'"):
        estimate([0.0, 1.0], [0.0, 1.0], method="ksg_1")


@pytest.mark.parametrize("method", [["ksg1"], {"ksg1": 1}, None, 3])
def test_what_is_no_name_of_a_method_is_refused(method):
    with pytest.raises(InputError, match=r"method is .*, but it is one of 'auto', 'exact'"):
        estimate([0.0, 1.0], [0.0, 1.0], method=method)
