import numpy as np
import pytest

from infoplane.analysis.estimate import estimate
from infoplane.analysis.estimators.count_table import count_table, plugin_entropy
from infoplane.analysis.information import entropy, mutual_information


def test_counts_are_those_of_the_dense_table():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 5, 300), rng.integers(0, 7, 300)
    dense = np.zeros((5, 7), int)
    np.add.at(dense, (x, y), 1)
    table = count_table(x, y)
    assert table.n == 300
    assert np.array_equal(table.x, dense.sum(axis=1))
    assert np.array_equal(table.y, dense.sum(axis=0))
    sparse = np.zeros_like(dense)
    sparse[table.joint_x, table.joint_y] = table.joint
    assert np.array_equal(sparse, dense)


def test_labels_without_a_sample_are_no_symbols():
    table = count_table(np.array([0, 9, 9]), np.array([3, 3, 5]))
    assert table.x.tolist() == [1, 2]
    assert table.y.tolist() == [2, 1]
    assert table.joint.tolist() == [1, 1, 1]


def test_log_ratio_averages_to_the_information_of_the_shares():
    rng = np.random.default_rng(1)
    x = rng.integers(0, 4, 200)
    y = (x + rng.integers(0, 2, 200)) % 4
    table = count_table(x, y)
    dense = np.zeros((4, 4))
    np.add.at(dense, (x, y), 1 / 200)
    assert table.joint @ table.log_ratio / 200 == pytest.approx(mutual_information(dense, base=np.e), rel=1e-12)
    assert table.information(plugin_entropy) == pytest.approx(mutual_information(dense, base=np.e), rel=1e-12)
    assert plugin_entropy(table.x) == pytest.approx(entropy(table.x / 200, base=np.e), rel=1e-13)


@pytest.mark.parametrize("method", ["exact", "plugin", "miller_madow", "grassberger", "chao_shen", "nsb", "shrinkage"])
def test_many_symbols_take_no_dense_table(method):
    # 4096 x 4096 cells of 8 bytes would be 128 MiB, 2^18 x 2^18 half a TiB.
    rng = np.random.default_rng(2)
    for symbols in (4096, 2**18):
        x, y = rng.integers(0, symbols, (2, 20_000))
        assert np.isfinite(estimate(x, y, method=method).value)


def test_pairs_seen_once_are_said_where_they_are_most_samples():
    x = np.arange(10)
    (finding,) = count_table(x, x % 2).findings()
    assert str(finding).startswith("undersampled: x, y: 10 of 10 pairs were seen once, so the value is near min(H(X)")
    (finding,) = count_table(x, x % 2).findings(value="is anything")
    assert finding.text == "10 of 10 pairs were seen once, so the value is anything whatever the truth"
    assert not count_table(np.r_[x, x], np.r_[x, x]).findings()


def test_pairs_seen_once_are_most_from_one_half_on():
    # Of `once` + 2 `twice` samples, `once` are the only ones of their pair.
    def said(once, twice):
        symbols = np.r_[np.arange(once), np.repeat(np.arange(once, once + twice), 2)]
        return [(finding.code, finding.text[:21]) for finding in count_table(symbols, symbols).findings()]

    assert said(once=10, twice=5) == []
    assert said(once=11, twice=5) == [("undersampled", "11 of 21 pairs were s")]
