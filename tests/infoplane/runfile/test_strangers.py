"""Run files made to do harm: each attack is shown to work on bare h5py, and is refused with path and reason here."""

import ctypes
import importlib.util
import os
import subprocess
import sys
import traceback
import warnings
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
from h5py import h5d, h5p, h5s, h5t

import infoplane as ip
from infoplane.errors import RunFileError

HERE = Path(__file__).parent
GOOD = HERE / "versions" / "1.2.h5"
VALUES = "entry/plane/values"
IN_OPEN, IN_NONBLOCK = 0x20, 0o4000
BARE = """
import resource, sys, h5py
resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
with h5py.File(sys.argv[1]) as file:
    for name in sys.argv[2:]:
        thing = file[name]
        print(thing[()] if isinstance(thing, h5py.Dataset) else list(thing), flush=True)
"""


def module(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


fuzz = module("test_fuzz")


@pytest.fixture
def path(tmp_path):
    copy = tmp_path / "run.h5"
    copy.write_bytes(GOOD.read_bytes())
    return copy


@pytest.fixture(scope="module")
def reader():
    """A process with 1 GiB of memory beyond what it starts with, and a watchdog."""
    started = fuzz.Reader(GOOD)
    yield started
    started.close()


@contextmanager
def watched(path):
    """Yield a function that says whether anyone has opened the file at `path` since (inotify of Linux)."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(IN_NONBLOCK)
    assert descriptor >= 0
    assert libc.inotify_add_watch(descriptor, os.fsencode(path), IN_OPEN) >= 0

    def was_opened():
        try:
            return bool(os.read(descriptor, 4096))
        except BlockingIOError:
            return False

    try:
        yield was_opened
    finally:
        os.close(descriptor)


def naive(path, name):
    """What h5py reads there, as a program without any care would."""
    with h5py.File(path) as file:
        thing = file[name]
        return str(thing[()] if isinstance(thing, h5py.Dataset) else list(thing))


def bare(path, *names, **environment):
    """The same in another process with little memory."""
    command = [sys.executable, "-c", BARE, str(path), *names]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ | environment)


def refused(reader, path, reason):
    """Read in every way, in the other process: some way is refused for that reason, and nothing else happens."""
    answer = reader.read(path)
    assert not answer["raised"]
    assert reason in "\n".join(answer["refused"])
    return answer


# Links, and data that lie elsewhere


@pytest.fixture
def secret(tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = np.full((2, 2, 15), 42.0)
        file["committed"] = 2
        file.create_group("streams/plane")
    (tmp_path / "secret.raw").write_bytes(np.full((2, 2, 15), 42.0).tobytes())
    return tmp_path / "secret.h5"


PLACES = (
    "entry",
    "entry/status",
    "entry/plane",
    "entry/plane/committed",
    VALUES,
    "entry/provenance",
    "entry/provenance/seed",
)


@pytest.mark.parametrize("place", [*PLACES, "entry/new"])
def test_external_links_are_never_followed(reader, path, secret, place):
    with h5py.File(path, "r+") as file:
        if place in file:
            del file[place]
        file[place] = h5py.ExternalLink(str(secret), "/x")
    with watched(secret) as was_opened:
        assert "42." in naive(path, place)
        assert was_opened()
        answer = reader.read(path)
        assert not was_opened()
    assert not answer["raised"]
    check_left_out(place, answer)


@pytest.mark.parametrize("place", PLACES)
def test_soft_links_are_never_followed(reader, path, place):
    with h5py.File(path, "r+") as file:
        file.move(place, "elsewhere")
        file[place] = h5py.SoftLink("/elsewhere")
    assert naive(path, place)
    answer = reader.read(path)
    assert not answer["raised"]
    check_left_out(place, answer)


def check_left_out(place, answer):
    """A group that is elsewhere is no stream, a provenance that is, none; whatever else a run file needs is refused."""
    if place not in ("entry/plane", "entry/new"):
        assert "link to elsewhere" in "".join(answer["refused"])
    assert ("plane table" in answer["worked"]) == (place == "entry/new" or "provenance" in place)


def test_a_link_named_like_a_path_is_not_taken_for_one(reader, path, secret):
    """HDF5 goes through the external link before the slash, as soon as it is asked whether there is such a name."""
    with h5py.File(path, "r+") as file:
        group = file["entry"].create_group("new", track_order=True)
        group["committed"] = 1
        group["outAx"] = 1
        group["out"] = h5py.ExternalLink(str(secret), "/")
    rename(path, b"outAx", b"out/x")
    with watched(secret) as was_opened:
        with h5py.File(path) as file:
            assert list(file["entry/new"])[1] == "out/x"
            assert 42 in file["entry/new"]["out/x"][()]
        assert was_opened()
        refused(reader, path, "'out/x' is missing from /entry/new")
        assert not was_opened()


def rename(path, old, new):
    """Write another name of the same length into a group, with the checksums of what holds it made right."""
    content = bytearray(path.read_bytes())
    assert old in content
    blocks, checksum = fuzz.mutants.checksummed(bytes(content))
    at = content.find(old)
    while at >= 0:
        content[at : at + len(old)] = new
        for start, end in blocks:
            if start <= at < end:
                content[end : end + 4] = checksum(bytes(content[start:end])).to_bytes(4, "little")
        at = content.find(old)
    path.write_bytes(content)


def test_external_storage_is_never_opened(reader, path, secret):
    raw = secret.with_name("secret.raw")
    with h5py.File(path, "r+") as file:
        attrs = dict(file[VALUES].attrs)
        del file[VALUES]
        dset = file.create_dataset(VALUES, (2, 2, 15), "f8", external=[(str(raw), 0, 480)])
        dset.attrs["dimensions"] = attrs["dimensions"]
    with watched(raw) as was_opened:
        assert "42." in naive(path, VALUES)
        assert was_opened()
        refused(reader, path, "in another file")
        assert not was_opened()


@pytest.mark.parametrize("growing", [False, True])
def test_virtual_data_sets_are_never_opened(reader, path, secret, growing):
    """One without limits asks its sources for their shape as soon as it is asked for its own."""
    with h5py.File(path, "r+") as file:
        attrs = dict(file[VALUES].attrs)
        del file[VALUES]
        most = (None, 2, 15) if growing else (2, 2, 15)
        layout = h5py.VirtualLayout((2, 2, 15), "f8", maxshape=most)
        source = h5py.VirtualSource(str(secret), "x", (2, 2, 15), maxshape=most)
        everything = slice(0, h5s.UNLIMITED) if growing else slice(None)
        layout[everything, :, :] = source[everything, :, :]
        file.create_virtual_dataset(VALUES, layout)
        file[VALUES].attrs["dimensions"] = attrs["dimensions"]
    with watched(secret) as was_opened:
        assert "42." in naive(path, VALUES)
        assert was_opened()
        refused(reader, path, "in another file")
        assert not was_opened()


# Filters, types and references


def test_no_plugin_is_looked_for(path, tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir()
    plugin = folder / "libevil.so"
    plugin.write_bytes(b"no library, but it is opened to find that out")
    with h5py.File(path, "r+") as file:
        attrs = dict(file[VALUES].attrs)
        del file[VALUES]
        made = h5p.create(h5p.DATASET_CREATE)
        made.set_chunk((1, 2, 15))
        made.set_filter(32123, h5py.h5z.FLAG_OPTIONAL)
        space = h5s.create_simple((2, 2, 15), (h5s.UNLIMITED, 2, 15))
        dset = h5d.create(file["entry/plane"].id, b"values", h5t.IEEE_F64LE, space, dcpl=made)
        for row in range(2):
            dset.write_direct_chunk((row, 0, 0), bytes(240), filter_mask=0)
        h5py.Dataset(dset).attrs["dimensions"] = attrs["dimensions"]
    environment = {"HDF5_PLUGIN_PATH": str(folder)}
    ours = "import sys, infoplane as ip; run = ip.open_run(sys.argv[1]); run.check(); run.plane()"
    with watched(plugin) as was_opened:
        assert bare(path, VALUES, **environment).returncode
        assert was_opened()
        command = [sys.executable, "-W", "ignore", "-c", ours, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ | environment)
        assert "is packed by the filters [32123]" in done.stderr
        assert not was_opened()


def put(path, name, values, dtype=None, **options):
    """Replace a data set, keeping its attributes that are plain."""
    with h5py.File(path, "r+") as file:
        attrs = {k: file[name].attrs[k] for k in file[name].attrs if file[name].attrs.get_id(k).dtype.kind in "iufS"}
        del file[name]
        dset = file.create_dataset(name, data=values, dtype=dtype, **options)
        for key, value in attrs.items():
            dset.attrs[key] = value


def nested(depth):
    kind = np.dtype("i1")
    for _ in range(depth):
        kind = np.dtype([("a", kind)])
    return kind


@pytest.mark.parametrize(
    "dtype",
    [
        h5py.ref_dtype,
        h5py.regionref_dtype,
        h5py.vlen_dtype("f8"),
        np.dtype([("a", "f8"), ("b", h5py.string_dtype())]),
        np.dtype("V8"),
        np.dtype(("f8", (3,))),
        nested(300),
    ],
    ids=["reference", "region", "sequences", "compound", "opaque", "array", "nested"],
)
@pytest.mark.parametrize("name", [VALUES, "entry/plane/probe", "entry/plane/committed", "entry/provenance/seed"])
def test_other_types_than_numbers_and_text_are_refused(reader, path, name, dtype):
    with h5py.File(path, "r+") as file:
        shape, attrs = file[name].shape, dict(file[name].attrs)
        del file[name]
        dset = file.create_dataset(name, shape, dtype)
        for key in attrs.keys() & {"dimensions", "units"}:
            dset.attrs[key] = attrs[key]
    assert naive(path, name)
    refused(reader, path, "holds neither numbers nor text")


def test_named_types_are_read_for_what_they_are_and_refused_in_place_of_data(reader, path):
    with h5py.File(path, "r+") as file:
        file["kind"] = np.dtype("f8")
        put_values = file[VALUES][()]
        attrs = dict(file[VALUES].attrs)
        del file[VALUES]
        file.create_dataset(VALUES, data=put_values, dtype=file["kind"]).attrs["dimensions"] = attrs["dimensions"]
        file["entry/new"] = np.dtype("f8")
    assert not reader.read(path)["refused"]
    with h5py.File(path, "r+") as file:
        del file[VALUES]
        file[VALUES] = np.dtype("f8")
    refused(reader, path, "cannot be read")


# Names without end


def test_cycles_of_hard_links_end(reader, path):
    with h5py.File(path, "r+") as file:
        file["entry/plane/plane2"] = file["entry"]
        file["entry/entry"] = file["entry"]
        file["entry/again"] = file["entry/weights"]
        file["entry/root"] = file["/"]
    answer = refused(reader, path, "'plane2' in /entry/plane is a Group")
    assert "again table" in answer["worked"]
    assert not any(way.startswith(("entry", "root")) for way in answer["worked"])


@pytest.mark.parametrize("size", [512, 1024])
def test_a_block_of_a_user_before_the_file_is_refused(path, tmp_path, size):
    shifted = tmp_path / "shifted.h5"
    with h5py.File(shifted, "w", userblock_size=size) as file, h5py.File(path) as good:
        good.copy("entry", file)
    assert naive(shifted, VALUES)
    with pytest.raises(RunFileError, match="no HDF5 file"):
        ip.open_run(shifted)


@pytest.mark.parametrize("place", ["entry", "entry/plane", "entry/provenance"])
def test_thousands_of_groups_are_refused_at_once(reader, path, place):
    with h5py.File(path, "r+") as file:
        for k in range(20_000):
            file[place].create_group(f"g{k}")
    answer = refused(reader, path, "members, more than any run file")
    assert answer["grew"] < 64


def test_a_million_attributes_are_refused_at_once(reader, path):
    with h5py.File(path, "r+") as file:
        thing = file["entry/plane/values"].id
        scalar = h5s.create(h5s.SCALAR)
        for k in range(100_000):
            h5py.h5a.create(thing, b"a%d" % k, h5t.STD_I8LE, scalar)
    answer = refused(reader, path, "attributes, more than any run file")
    assert answer["grew"] < 64


def test_nothing_in_a_file_is_executed(reader, path, tmp_path):
    """Neither pickles nor JSON with more than JSON, nor a nesting that ends the stack."""
    mark = tmp_path / "executed"
    pickled = b"cposix\nsystem\n(S'touch %s'\ntR." % os.fsencode(mark)
    put(
        path,
        "entry/provenance/configuration",
        f'{{"__reduce__": "os.system(\\"touch {mark}\\")"}}',
        h5py.string_dtype(),
    )
    put(path, "entry/plane/probe", [pickled.decode(), "b"], h5py.string_dtype())
    with h5py.File(path, "r+") as file:
        file["entry/plane"].attrs["table"] = np.bytes_(b"__class__")
        file["entry/plane"].attrs["x"] = np.void(pickled)
    refused(reader, path, "'__class__'")
    put(path, "entry/provenance/configuration", "[" * 100_000, h5py.string_dtype())
    refused(reader, path, "cannot be read")
    assert not mark.exists()


# Small files, and what they unpack to


def packed(path, rows, scalars=18, chunk=100_000):
    """Give `activations` many rows of zeros, which deflate packs a thousandfold."""
    with h5py.File(path, "r+") as file:
        group = file["entry/activations"]
        sites = group["site"].size
        del group["counts"]
        for name, shape in (("scalars", (rows, sites, scalars)), ("step", (rows,)), ("epoch", (rows,))):
            attrs = {key: group[name].attrs[key] for key in ("dimensions", "units") if key in group[name].attrs}
            del group[name]
            dset = group.create_dataset(
                name, shape, "f8" if name != "step" else "i8", maxshape=(None, *shape[1:]), compression="gzip",
                chunks=(min(rows, chunk), *shape[1:]),
            )  # fmt: skip
            for start in range(0, rows, chunk):
                dset[start : start + chunk] = (
                    0 if name != "step" else np.arange(start, min(start + chunk, rows)).reshape(-1)
                )
            for key, value in attrs.items():
                dset.attrs[key] = value
        group["committed"][()] = rows
    return sites


def test_a_table_that_would_fill_the_memory_is_refused_with_what_to_do(reader, path):
    rows = 1_500_000
    sites = packed(path, rows)
    assert path.stat().st_size < 8_000_000
    lines = rows * sites * 18
    said = (
        f"{path}: a table of stream 'activations' would have {lines:,} lines, too many to be made at once; read parts"
    )
    answer = refused(reader, path, said)
    assert answer["grew"] < 512
    with ip.open_run(path) as run:
        part = run.activations().read("scalars", slice(10))
    assert part.shape == (10, sites, 18)


def test_ten_thousand_rows_of_twenty_sites_still_are_a_table(reader, path):
    with h5py.File(path, "r+") as file:
        group = file["entry/activations"]
        attrs = group["site"].attrs["dimensions"]
        del group["site"]
        group["site"] = [f"layer{k}" for k in range(20)]
        group["site"].attrs["dimensions"] = attrs
    packed(path, 10_000, chunk=1000)
    answer = reader.read(path)
    assert not answer["raised"]
    assert "activations table" in answer["worked"]


def test_what_a_packed_data_set_claims_is_measured_by_what_it_takes_itself(path):
    """One chunk of 64 MiB of 20 bytes, in a file that is large enough for a thousandth of that."""
    with h5py.File(path, "r+") as file:
        group = file["entry/neurons"]
        dset = group.create_dataset("index2", (2**23,), "f8", chunks=(2**23,), compression="gzip")
        dset.id.write_direct_chunk((0,), bytes(20))
        shape = dset.shape
        group["n2"] = np.zeros(2**20)  # other data make the file large, but not this data set
        del group["n2"]
        dset.attrs["dimensions"] = np.bytes_("index2")
    assert path.stat().st_size * 1100 > 8 * shape[0]
    with (
        ip.open_run(path) as run,
        pytest.raises(RunFileError, match=r"index2 claims the shape .*more than the file can"),
    ):
        run.neurons().read("index2")


def test_text_without_end_is_refused_with_what_to_do(reader, path):
    rows = 400_000
    with h5py.File(path, "r+") as file:
        group = file["entry/findings"]
        for name in [name for name in group if group[name].ndim]:
            dtype, attrs = group[name].dtype, {"dimensions": group[name].attrs["dimensions"]}
            del group[name]
            dset = group.create_dataset(name, (rows,), dtype, chunks=(10_000,), compression="gzip", maxshape=(None,))
            dset[:] = np.arange(rows) if name == "finding" else np.zeros(rows, dtype)
            dset.attrs.update(attrs)
        group["committed"][()] = rows
    said = f"'text' of 'findings' holds {rows * 200:,} bytes of text, of which at most 67,108,864 are read at once"
    answer = refused(reader, path, f"findings table: {path}: {said}; read a part, as read('text', slice(335544))")
    assert answer["grew"] < 512
    with ip.open_run(path) as run:
        assert run.findings().read("text", slice(7)).tolist() == [""] * 7


# Text that a terminal would obey

EVIL = "a\x1b[2J\n\u202eb"


def evil_everywhere(path):
    """Put such text wherever a file has text: names, labels, attributes, configuration, findings."""
    with h5py.File(path, "r+") as file:
        entry = file["entry"]
        entry.move("metrics", f"metrics{EVIL}")
        entry["plane/unit"][1] = EVIL
        for name in ("plane/probe", "plane/site", "plane/quantity", "plane/unit", "plane/kind", "activations/site"):
            entry[name][0] = EVIL
        entry["raw/site"][...] = EVIL
        entry["weights/parameter"][0] = EVIL
        entry[f"plane/{EVIL}"] = np.zeros(2)
        entry[f"plane/{EVIL}"].attrs["dimensions"] = np.bytes_("probe")
        entry[f"provenance/{EVIL}"] = h5py.SoftLink("/entry")
        entry[f"link{EVIL}"] = h5py.SoftLink("/entry")
        made = entry.create_group(f"group{EVIL}")
        made.attrs["row"] = np.bytes_("step")
        broken = entry.create_group(f"broken{EVIL}")
        broken["committed"] = -4
        broken.attrs["row"] = np.bytes_(EVIL.encode())
        del entry["provenance/configuration"]
        made = entry["provenance"].create_dataset("configuration", data=EVIL_SETTINGS, dtype=h5py.string_dtype())
        made.attrs["media_type"] = np.bytes_("application/json")
        entry["plane/committed"][()] = 7


EVIL_SETTINGS = '{"x%s": "y", "%s": 1}' % (("a\\u001b[2J\\n\\u202eb",) * 2)


def asked(path):
    """Everything of a run that can be asked for wrongly, or is refused."""
    run = ip.open_run(path)
    other = path.with_name("other.h5")
    other.write_bytes(GOOD.read_bytes())
    in_bit = path.with_name("in_bit.h5")
    in_bit.write_bytes(path.read_bytes())
    with h5py.File(in_bit, "r+") as file:
        file["entry/plane/unit"][1] = "bit"
    yield lambda: run.stream("metrics")
    yield lambda: run.stream(f"broken{EVIL}")
    yield lambda: run.stream(EVIL)
    yield lambda: run.plane().read(EVIL[:-1])
    yield lambda: run.plane().read("values", 99)
    yield lambda: run.plane().read("values", columns=EVIL[:-1])
    yield lambda: run.plane().read("values", columns="zzz")
    yield lambda: run.plane().read(EVIL, columns=0)
    yield lambda: run.sketch("activations", "zzz")
    yield lambda: run.sketch(EVIL, "zzz")
    yield lambda: run.sketch("weights", EVIL[:-1])
    yield lambda: run.raw("zzz")
    yield lambda: run.follow(EVIL)
    yield lambda: ip.open_dataset(path, EVIL)
    yield lambda: ip.open_study([path, other]).bands(by="zzz")
    yield lambda: ip.open_study([path, other]).bands(by=EVIL[:-1])
    yield lambda: ip.open_study([path, in_bit]).bands(by=())
    yield lambda: ip.open_study([path, other]).bands(EVIL)
    yield lambda: ip.open_study(EVIL)
    yield lambda: ip.open_run(path.with_name(EVIL))
    yield lambda: ip.open_run(path.with_name("evi"))
    yield lambda: ip.export(path, path.with_name("x.csv"), stream=EVIL)
    yield lambda: [complaint(text) for text in run.damage()]
    yield lambda: [complaint(text) for text in run.unreadable.values()]
    yield lambda: complaint(run)
    yield lambda: complaint(repr(run.plane()))
    yield lambda: ip.difference(path, path.with_name(f"evil{EVIL}.h5"))
    yield lambda: run.close() or run.plane()


def complaint(text):
    raise RunFileError(str(text))


def test_not_even_the_causes_in_a_traceback_do(path):
    evil_everywhere(path)
    with h5py.File(path, "r+") as file:
        file[f"entry/plane/{EVIL}"].attrs["dimensions"] = np.bytes_("quantity")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = ip.open_run(path)
    for name in ("plane", f"broken{EVIL}"):
        with pytest.raises(RunFileError) as refusal:
            run.stream(name)
        assert "a\\x1b[2J" in str(refusal.value)
        assert "".join(traceback.format_exception(refusal.value)).replace("\n", "").isprintable()


def test_no_message_and_no_warning_carries_text_of_a_file_to_the_terminal(path):
    evil_everywhere(path)
    path.with_name(f"evil{EVIL}.h5").write_bytes(b"no")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ways = list(asked(path))
        for k, way in enumerate(ways):
            with pytest.raises(ip.InfoplaneError) as refusal:
                way()
            assert str(refusal.value).isprintable(), (k, refusal.value)
    assert len({str(warning.message).split(": ")[1] for warning in caught}) > 1
    for warning in caught:
        assert str(warning.message).isprintable()
