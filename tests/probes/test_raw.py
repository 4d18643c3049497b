import pickle

import numpy as np
import pytest
import torch

from infoplane.errors import InputError
from infoplane.probes.raw import RawRecorder
from infoplane.probes.subset import Kept, Subset

N = 400
CODES = {
    "a": torch.randn(N, 5, generator=torch.Generator().manual_seed(0)),
    "labels": torch.randn(N, 2, generator=torch.Generator().manual_seed(1)),  # a site may have any name
    "lstm[0]": torch.randn(N, 3, generator=torch.Generator().manual_seed(2)).to(torch.bfloat16),
}
LABELS = torch.arange(N) % 3


def recorded(which, batch, *, size=50, seed=4):
    recorder = RawRecorder(size, 10**6, seed)
    for rows in torch.as_tensor(which).split(batch):
        recorder.add(rows, LABELS[rows], {site: code[rows] for site, code in CODES.items()})
    return recorder


@pytest.mark.parametrize("batch", [1, 32, 400])
def test_codes_and_labels_are_those_of_the_subset_whatever_the_batches(batch):
    subset = Kept(Subset(50, 4))
    subset.add(np.arange(N))
    result = recorded(range(N), batch).result()
    np.testing.assert_array_equal(result.positions, subset.positions())
    np.testing.assert_array_equal(result.labels, LABELS[result.positions])
    assert list(result.values) == list(CODES)
    for site, code in CODES.items():
        assert result.values[site].dtype == np.float32
        np.testing.assert_array_equal(result.values[site], code.float()[result.positions])


def test_parts_of_several_processes_merge_into_the_whole():
    whole = recorded(range(N), 64).result()
    parts = [pickle.loads(pickle.dumps(recorded(range(r, N, 3), 16))) for r in range(3)]
    parts[0].merge(parts[1])
    parts[0].merge(parts[2])
    merged = parts[0].result()
    np.testing.assert_array_equal(merged.positions, whole.positions)
    np.testing.assert_array_equal(merged.labels, whole.labels)
    for site in CODES:
        np.testing.assert_array_equal(merged.values[site], whole.values[site])


def test_real_targets_of_several_dimensions_are_kept():
    recorder = RawRecorder(10, 1000)
    recorder.add(torch.arange(4), torch.ones(4, 2), {"a": CODES["a"][:4]})
    assert recorder.result().labels.shape == (4, 2)


def test_bytes_of_a_measurement_are_those_of_its_codes():
    recorder = recorded(range(N), 100)
    widths = {site: code.shape[1] for site, code in CODES.items()}
    assert recorder.row_bytes(widths) == sum(values.nbytes for values in recorder.result().values.values())


def test_a_measurement_above_the_limit_is_refused_before_anything_is_kept():
    recorder = RawRecorder(50, 50 * 4 * 9)
    with pytest.raises(InputError, match=r"raw activations of 50 inputs take 2,000 bytes .* above the limit of 1,800"):
        recorder.add(torch.arange(N), LABELS, CODES)
    recorder.add(torch.arange(N), LABELS, {"a": CODES["a"]})
    assert list(recorder.result().values) == ["a"]


def test_wrong_calls_are_refused_in_one_sentence():
    with pytest.raises(InputError, match="no raw activations: add"):
        RawRecorder(5, 100).result()
    with pytest.raises(InputError, match="size is 0"):
        RawRecorder(0, 100)
    with pytest.raises(InputError, match="limit_bytes is 0"):
        RawRecorder(5, 0)
    with pytest.raises(InputError, match="cannot be merged with those of"):
        recorded(range(N), 100).merge(recorded(range(N), 100, seed=5))
    with pytest.raises(InputError, match="cannot be merged with a int"):
        recorded(range(N), 100).merge(3)
    with pytest.raises(InputError, match="'a' has 3 rows, but there are 4 positions"):
        RawRecorder(5, 1000).add(torch.arange(4), LABELS[:4], {"a": CODES["a"][:3]})
