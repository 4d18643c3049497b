"""Run files that claim more than they hold, or hold more than they seem to: no memory is filled, and nothing hangs."""

import importlib.util
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

import infoplane as ip

HERE = Path(__file__).parent


def module(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


strangers = module("test_strangers")
path, reader = strangers.path, strangers.reader
bare, naive, put, refused = strangers.bare, strangers.naive, strangers.put, strangers.refused
VALUES = strangers.VALUES


@pytest.mark.parametrize("name", [VALUES, "entry/plane/probe", "entry/activations/counts", "entry/provenance/seed"])
def test_claimed_shapes_are_not_allocated(reader, path, name):
    """Nothing is stored, and 8 TiB are claimed: h5py fills them with the fill value, as far as there is memory."""
    with h5py.File(path, "r+") as file:
        shape, attrs = file[name].shape, dict(file[name].attrs)
        del file[name]
        huge = tuple(2**40 if k == 0 else n for k, n in enumerate(shape or (1,)))
        dset = file.create_dataset(name, huge, "f8", chunks=(1,) * len(huge), maxshape=(None,) * len(huge))
        dset.attrs["dimensions"] = attrs.get("dimensions", b"step")
        if name == VALUES:
            file["entry/plane/committed"][()] = 2**40
            for other in ("step", "epoch", "n", "n_sandwich", "updates", "covariance_i_zx", "covariance_i_zy"):
                file[f"entry/plane/{other}"].resize(2**40, 0)
    assert "MemoryError" in bare(path, name).stderr
    answer = refused(reader, path, "")
    assert answer["refused"]
    assert answer["grew"] < 64


def test_a_chunk_of_terabytes_is_not_allocated(reader, path):
    """Of the 4 TB that it claims nothing is there: HDF5 reads zeros, which would be taken for rows."""
    with h5py.File(path, "r+") as file:
        attrs = dict(file[VALUES].attrs)
        del file[VALUES]
        options = {"chunks": (2**34, 2, 15), "maxshape": (None, 2, 15), "compression": "gzip"}
        dset = file.create_dataset(VALUES, (2, 2, 15), "f8", **options)
        dset.attrs["dimensions"] = attrs["dimensions"]
    assert "0. 0. 0." in naive(path, VALUES)
    answer = reader.read(path)
    assert not answer["raised"]
    assert answer["grew"] < 64
    with pytest.warns(UserWarning, match="0 of 2 rows of 'plane' can be read"), ip.open_run(path) as run:
        run.plane()


def test_a_chunk_that_unpacks_to_more_than_it_claims_is_not_unpacked(reader, path):
    with h5py.File(path, "r+") as file:
        attrs = dict(file[VALUES].attrs)
        del file[VALUES]
        options = {"chunks": (1, 2, 15), "maxshape": (None, 2, 15), "compression": "gzip"}
        dset = file.create_dataset(VALUES, (2, 2, 15), "f8", **options)
        dset.attrs["dimensions"] = attrs["dimensions"]
        deflate = zlib.compressobj(9)
        bomb = b"".join(deflate.compress(bytes(2**20)) for _ in range(1024)) + deflate.flush()
        for row in range(2):
            dset.id.write_direct_chunk((row, 0, 0), bomb)
    answer = reader.read(path)
    assert not answer["raised"]
    assert "plane table" in answer["worked"]  # with a warning that says that no row can be read
    assert answer["grew"] < 64
    with pytest.warns(UserWarning, match="0 of 2 rows of 'plane' can be read"), ip.open_run(path) as run:
        run.plane()


def test_zeros_packed_a_thousandfold_stay_within_memory(reader, path):
    """All of it is really in the file: 200 MB of zeros in 200 KB, as a network of dead units might write."""
    with h5py.File(path, "r+") as file:
        group = file["entry/activations"]
        attrs = dict(group["counts"].attrs)
        length = group["counts"].shape[1:]
        del group["counts"]
        options = {"chunks": (1, *length), "maxshape": (None, *length), "compression": "gzip", "compression_opts": 9}
        dset = group.create_dataset("counts", (24000, *length), "i8", **options)
        dset.attrs["dimensions"] = attrs["dimensions"]
        packed = zlib.compress(bytes(8 * int(np.prod(length))), 9)
        for row in range(24000):
            dset.id.write_direct_chunk((row, 0, 0, 0), packed)
        for name in ("step", "epoch", "scalars"):
            group[name].resize(24000, 0)
        group["committed"][()] = 24000
    answer = reader.read(path)
    assert not answer["raised"]
    assert answer["grew"] < 900


def test_an_attribute_of_megabytes_is_refused(reader, path):
    with h5py.File(path, "r+") as file:
        file["entry/plane"].attrs["x"] = np.zeros(2**22)
    assert naive(path, "entry/plane")
    answer = refused(reader, path, "the attribute 'x' of /entry/plane claims the shape (4194304,)")
    assert answer["grew"] < 80  # HDF5 holds its 32 MiB twice as soon as it looks at its shape; reading it adds 32


def heap_entry(path, name, index=0):
    with h5py.File(path) as file:
        return file[name].id.get_offset() + 16 * index


@pytest.mark.parametrize(
    ("what", "where", "value"),
    [
        ("length of the text", 0, struct.pack("<I", 2**32 - 1)),
        ("address of the collection", 4, struct.pack("<Q", 2**63)),
        ("address of no collection", 4, struct.pack("<Q", 8)),
        ("index in the collection", 12, struct.pack("<I", 2**31)),
    ],
)
def test_labels_with_absurd_lengths_and_addresses_are_refused_or_cut(reader, path, what, where, value):
    at = heap_entry(path, "entry/plane/probe")
    content = bytearray(path.read_bytes())
    content[at + where : at + where + len(value)] = value
    path.write_bytes(content)
    answer = reader.read(path)
    assert not answer["raised"]
    assert answer["grew"] < 64
    assert bool(answer["refused"]) == (where != 0)  # a text is never longer than the object that holds it


def test_a_damaged_collection_of_text_on_which_hdf5_loops_is_read_in_no_time(reader, path):
    at = heap_entry(path, "entry/plane/probe")
    content = bytearray(path.read_bytes())
    address = int.from_bytes(content[at + 4 : at + 12], "little")
    content[address + 24 : address + 32] = struct.pack("<Q", 2**64 - 16)  # the size of the first object
    path.write_bytes(content)
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(
            [sys.executable, "-c", strangers.BARE, str(path), "entry/plane/probe"], capture_output=True, timeout=5
        )
    assert not reader.read(path)["raised"]


def test_one_long_label_among_thousands_does_not_fill_the_memory(reader, path):
    """An array of str has room for the longest everywhere: 40 GB here, from a file of 1.5 MB."""
    put(path, "entry/neurons/neuron", np.arange(30_000))
    put(path, "entry/neurons/site", ["x" * 500_000, *["y"] * 29_999], h5py.string_dtype())
    put(path, "entry/neurons/index", np.arange(30_000))
    put(path, "entry/neurons/values", np.zeros((2, 30_000, 3), "f4"), chunks=(1, 30_000, 3), maxshape=(None, 30_000, 3))
    assert 500_000 * 30_000 * 4 > 2**30 * 50
    answer = refused(reader, path, "too long for a label")
    assert answer["grew"] < 256


def test_texts_that_share_one_object_are_refused_when_they_are_more_than_the_file(reader, path):
    """The same 100 kB ten thousand times over are a gigabyte."""
    with h5py.File(path, "r+") as file:
        file.create_dataset("entry/neurons/index2", data=["x" * 100_000] + ["y"] * 9_999, dtype=h5py.string_dtype())
        file["entry/neurons/index2"].attrs["dimensions"] = np.bytes_(b"many")
        file["entry/neurons/many"] = np.arange(10_000)
        file["entry/neurons/many"].attrs["dimensions"] = np.bytes_(b"many")
    at = heap_entry(path, "entry/neurons/index2")
    content = bytearray(path.read_bytes())
    content[at : at + 160_000] = content[at : at + 16] * 10_000
    path.write_bytes(content)
    assert len(naive(path, "entry/neurons/index2")) > 1000
    answer = refused(reader, path, "more text than the file can hold")
    assert answer["grew"] < 64
