import zlib

import h5py
import numpy as np
import pytest

from infoplane.analysis.sketch import LogHistogram, summarize
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.packing import pack_row
from infoplane.runfile.schema import run_streams
from infoplane.runfile.writer import RunWriter

ROWS = {
    "nothing": np.zeros((2, 2, 512), np.int64),
    "small counts": np.random.default_rng(0).integers(0, 300, (3, 2, 512)),
    "a count beyond 32 bits": np.eye(4, dtype=np.int64) * (2**40 + 5),
    "negative": np.arange(-5, 5),
    "one": np.array(7),
    "32 bits": np.arange(1000, dtype=np.int32),
    "big-endian": np.arange(1000, dtype=">i8"),
    "float": np.random.default_rng(1).normal(size=(3, 18)),
    "not a number": np.full((1, 18), np.nan),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_hdf5_reads_back_what_was_packed(tmp_path, row):
    shape = row.shape or (1,)
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file.create_dataset("x", shape, row.dtype, chunks=shape, compression="gzip", shuffle=row.dtype.kind == "i")
        file["x"].id.write_direct_chunk((0,) * len(shape), pack_row(row))
    with h5py.File(tmp_path / "one.h5") as file:
        np.testing.assert_array_equal(file["x"][()].reshape(row.shape), row)


def test_packed_counts_take_less_than_a_plain_gzip_of_the_same_level():
    sketches = [LogHistogram() for _ in range(4)]
    for k, sketch in enumerate(sketches):
        sketch.update(np.random.default_rng(k).normal(0, 3.0**k, 20_000).astype("f4"))
    counts = np.stack([summary.counts for summary in summarize(sketches)])
    shuffled = counts.reshape(-1, 1).view(np.uint8).T.tobytes()
    assert len(pack_row(counts)) < len(zlib.compress(shuffled, 4)) < len(zlib.compress(shuffled, 1))


def test_a_reader_with_plain_h5py_sees_the_rows_of_a_growing_file(tmp_path):
    path, names = tmp_path / "run.h5", ["a", "b"]
    writer = RunWriter(path)
    writer.start(run_streams(probes=[ProbeInfo("a", "a", "trained", 1e-3, 4)], sites=names), {})
    rng = np.random.default_rng(0)
    written = []
    with h5py.File(path, "r", swmr=True) as file:
        group = file["entry/activations"]
        for step in range(20):
            counts, scalars = rng.integers(0, 1 << 3 * step, (2, 2, 512)), rng.normal(size=(2, 18))
            writer.append("activations", step, epoch=0, counts=counts, scalars=scalars)
            written.append((counts, scalars))
            for name in ("counts", "scalars"):
                group[name].refresh()
                assert group[name].shape[0] == step + 1
            np.testing.assert_array_equal(group["counts"][()], [row[0] for row in written])
            np.testing.assert_array_equal(group["scalars"][()], [row[1] for row in written])
    writer.close()
    with h5py.File(path) as file:
        assert file["entry/activations/counts"].compression == "gzip"
        assert file["entry/activations/counts"].dtype == np.int64
        np.testing.assert_array_equal(file["entry/activations/counts"][7], written[7][0])
