import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.metrics import mutual_info_score

from infoplane.analysis.errors import InputError
from infoplane.analysis.information import entropy, mutual_information
from infoplane.analysis.units import nats_per_unit, unit_name

DIE = np.array([[1, 2], [2, 1]]) / 6

counts = hnp.arrays(
    np.int64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.integers(0, 1000)
).filter(lambda table: table.sum() > 0)


def test_the_die_of_equation_2():
    assert mutual_information(DIE) == pytest.approx(1 / 3 * math.log2(2 / 3) + 2 / 3 * math.log2(4 / 3), abs=1e-15)
    assert mutual_information(DIE) == pytest.approx(0.0817042, abs=5e-8)
    assert mutual_information(DIE, base=math.e) == pytest.approx(0.0566330, abs=5e-8)
    assert entropy(DIE) == pytest.approx(1.918, abs=5e-4)  # the paper says two bits are needed


@pytest.mark.parametrize("cells", [1, 2, 3, 10, 4096])
def test_entropy_of_equal_cells_is_the_logarithm_of_their_number(cells):
    assert entropy(np.full(cells, 1 / cells)) == pytest.approx(math.log2(cells), rel=1e-13, abs=1e-15)


def test_entropy_of_a_geometric_law():
    # H of p(k) = 2^-k is 2 bit; the cut tail is far below the tolerance.
    p = 0.5 ** np.arange(1, 61)
    p[-1] *= 2
    assert entropy(p) == pytest.approx(2, abs=1e-14)


@pytest.mark.parametrize("base", [2, math.e, 10])
def test_entropy_equals_scipy(base):
    p = np.random.default_rng(0).dirichlet(np.full(50, 0.2))
    assert entropy(p, base=base) == pytest.approx(stats.entropy(p, base=base), rel=1e-13)


@pytest.mark.parametrize("seed", range(5))
def test_mutual_information_equals_sklearn(seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 7, 500)
    y = (x + rng.integers(0, 4, 500)) % 5
    table = np.zeros((7, 5))
    np.add.at(table, (x, y), 1)
    assert mutual_information(table / 500, base=math.e) == pytest.approx(mutual_info_score(x, y), rel=1e-12)


def test_binary_symmetric_channel():
    flip = 0.11
    joint = np.array([[1 - flip, flip], [flip, 1 - flip]]) / 2
    capacity = 1 + flip * math.log2(flip) + (1 - flip) * math.log2(1 - flip)
    assert mutual_information(joint) == pytest.approx(capacity, abs=1e-15)


def test_a_function_of_x_has_the_entropy_of_its_values():
    joint = np.zeros((6, 2))
    joint[np.arange(6), [0, 0, 1, 0, 1, 0]] = [0.1, 0.2, 0.15, 0.05, 0.3, 0.2]
    assert mutual_information(joint) == pytest.approx(entropy(joint.sum(0)), abs=1e-15)


def test_cells_too_small_for_the_product_of_their_marginals():
    # p(x) p(y) = 1e-400 underflows to zero; the term is 1e-200 log2(1e200).
    joint = np.array([[1e-200, 0], [0, 1 - 1e-200]])
    assert mutual_information(joint) == pytest.approx(1e-200 * 200 * math.log2(10), rel=1e-12)


@given(counts)
def test_chain_rule(table):
    joint = table / table.sum()
    chained = entropy(joint.sum(1)) + entropy(joint.sum(0)) - entropy(joint)
    assert mutual_information(joint) == pytest.approx(chained, abs=1e-13)


@given(counts, st.randoms(use_true_random=False))
def test_symmetry_permutation_and_range(table, random):
    joint = table / table.sum()
    value = mutual_information(joint)
    rows, columns = list(range(joint.shape[0])), list(range(joint.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    assert mutual_information(joint.T) == pytest.approx(value, abs=1e-14)
    assert mutual_information(joint[rows][:, columns]) == pytest.approx(value, abs=1e-14)
    assert -1e-14 <= value <= min(entropy(joint.sum(0)), entropy(joint.sum(1))) + 1e-13


@given(counts, counts)
def test_independent_variables_share_nothing(first, second):
    p, q = first.ravel() / first.sum(), second.ravel() / second.sum()
    assert mutual_information(np.outer(p, q)) == pytest.approx(0, abs=1e-14)
    assert entropy(np.outer(p, q)) == pytest.approx(entropy(p) + entropy(q), abs=1e-12)


def test_results_are_plain_floats():
    assert type(entropy([0.5, 0.5])) is float
    assert type(mutual_information(DIE.tolist())) is float


def test_a_float32_table_may_be_off_by_its_own_rounding():
    p = np.random.default_rng(1).dirichlet(np.ones(1000)).astype(np.float32)
    assert abs(float(p.astype(float).sum()) - 1) > 1e-9
    assert entropy(p) == pytest.approx(entropy(p.astype(float) / p.astype(float).sum()), rel=1e-12)


@pytest.mark.parametrize("function", [entropy, mutual_information])
@pytest.mark.parametrize(
    ("table", "text"),
    [
        ([[1.0, 2.0], [2.0, 1.0]], r"sums to 6, but .* divide counts by their sum"),
        ([[0.5, 0.6], [-0.1, 0.0]], "negative entry -0.1"),
        ([[0.5, math.nan], [0.5, 0.0]], "NaN or infinite"),
        ([[math.inf, 0.0]], "NaN or infinite"),
        ([[]], "empty"),
        ([["a", "b"]], "real numbers"),
        ([[0.5], [0.25, 0.25]], "cannot be read"),
        ([[0.5 + 0j, 0.5]], "real numbers"),
        ([[0.5, 0.5 + 2e-8]], r"sums to 1\.00000002"),
    ],
)
def test_rejected_tables(function, table, text):
    with pytest.raises(InputError, match=text):
        function(table)


def test_a_joint_table_has_two_dimensions():
    with pytest.raises(InputError, match=r"shape \(2,\)"):
        mutual_information([0.5, 0.5])


@pytest.mark.parametrize("base", [1, 0, -2, 0.5, math.nan, math.inf, "2", None, True])
def test_rejected_bases(base):
    with pytest.raises(InputError, match="base is"):
        entropy([1.0], base=base)


def test_units():
    assert [unit_name(base) for base in (2, 2.0, math.e, 10, 3)] == ["bit", "bit", "nat", "hartley", "log3"]
    assert nats_per_unit(2) == math.log(2)
